"""Dask arrays in, Dask arrays out: ``scipy.ndimage`` for images larger than memory."""

__version__ = "2026.11.0"
