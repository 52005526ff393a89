"""
Functions of NumPy and SciPy, or their namesakes for CuPy, as other packages import them.

Each takes an array, of Dask or not, and returns the function that works on its blocks.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage


def dispatch_affine_transform(image: Any) -> Callable[..., Any]:
    """Return ``affine_transform`` for the blocks of ``image``."""
    return _for_blocks_of(image, ndimage.affine_transform, "cupyx.scipy.ndimage")


def dispatch_spline_filter(image: Any) -> Callable[..., Any]:
    """Return ``spline_filter`` for the blocks of ``image``."""
    return _for_blocks_of(image, ndimage.spline_filter, "cupyx.scipy.ndimage")


def dispatch_spline_filter1d(image: Any) -> Callable[..., Any]:
    """Return ``spline_filter1d`` for the blocks of ``image``."""
    return _for_blocks_of(image, ndimage.spline_filter1d, "cupyx.scipy.ndimage")


def dispatch_asarray(image: Any) -> Callable[..., Any]:
    """Return ``asarray`` for the blocks of ``image``."""
    return _for_blocks_of(image, np.asarray, "cupy")


def _for_blocks_of(image, function, cupy_module):
    block = getattr(image, "_meta", image)
    if type(block).__module__.partition(".")[0] != "cupy":
        return function
    return getattr(importlib.import_module(cupy_module), function.__name__)
