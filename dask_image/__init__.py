"""Dask arrays in, Dask arrays out: ``scipy.ndimage`` for images larger than memory."""
