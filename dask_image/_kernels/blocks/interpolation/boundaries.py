"""Compiled boundary rules: how SciPy maps coordinates and indices beyond the edges."""

import numpy as np

from dask_image._kernels._numba import jit_inline
from dask_image._utils.modes import (
    FAR,
    GRID_CONSTANT,
    GRID_WRAP,
    MIRROR,
    NEAREST,
    OUT_OF_REACH,
    REFLECT,
    WRAP,
)


@jit_inline
def fold(x, size, mode, repeats):
    """
    Return the coordinate in the image that ``x`` stands for; NaN where ``cval`` does.

    ``repeats`` is None in modes that do not repeat the image: what is None is not compiled.
    """
    if 0 <= x <= size - 1:
        return x
    if mode == GRID_CONSTANT or mode == NEAREST:
        # Farther out nothing changes, and indices stay small. NaN is kept.
        if x > size + OUT_OF_REACH:
            return float(size + OUT_OF_REACH)
        return float(-OUT_OF_REACH) if x < -OUT_OF_REACH else x
    if repeats is None or not (-FAR < x < FAR):
        return np.nan
    if size <= 1:
        return 0.0
    # Where a coordinate is so large that its place in the period is rounded away, it stays near.
    x = _turned(x, size, mode)
    if x < -1.0:
        return -1.0
    return float(size) if x > size else x


@jit_inline
def _turned(x, size, mode):
    """Return the coordinate in the image for one beyond it, in the modes that repeat the image."""
    if mode == MIRROR:
        period = 2.0 * size - 2
        if x < 0:
            x += period * np.floor(-x / period)
            return x + period if x <= 1 - size else -x
        x -= period * np.floor(x / period)
        return period - x if x >= size else x
    if mode == REFLECT:
        period = 2.0 * size
        if x < 0:
            if x < -period:
                x += period * np.floor(-x / period)
            if x < -size:
                return x + period
            # A hair above -1, so that rounding down stays within reach of the image.
            return (1e-15 if x > -1e-15 else -x) - 1
        x -= period * np.floor(x / period)
        return period - x - 1 if x >= size else x
    period = size - 1.0 if mode == WRAP else float(size)
    if x >= 0:
        return x - period * np.floor(x / period)
    if mode == WRAP:
        return x + period * (np.floor(-x / period) + 1)
    return x + period * (np.trunc((-1 - x) / period) + 1)


@jit_inline
def place_of(index, size, mode):
    """Return the pixel that ``index`` stands for, -1 where ``cval`` does."""
    if 0 <= index < size:
        return index
    if mode == GRID_CONSTANT:
        return -1
    if mode == NEAREST:
        return 0 if index < 0 else size - 1
    if size <= 1:
        return 0
    if mode == REFLECT:
        index %= 2 * size
        return 2 * size - 1 - index if index >= size else index
    if mode == GRID_WRAP:
        return index % size
    # There is no spline of SciPy's for "constant" and "wrap": it mirrors them.
    index %= 2 * size - 2
    return 2 * size - 2 - index if index >= size else index
