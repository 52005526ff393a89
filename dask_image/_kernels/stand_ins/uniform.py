"""
Moving averages as one running sum a line.

SciPy adds the pixel that enters a window and subtracts the one that leaves it;
the kernels do the same for the lines of a tile side by side.
"""

import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, each, line_tiles, store
from dask_image._kernels.stand_ins.correlation import _result_for


@jit
def _compiled_means(extended, stride, size, means):
    """Fill ``means`` with the running mean of ``size`` pixels of each line of ``extended``."""
    total = np.empty(stride)
    for row in range(means.shape[0]):
        line = extended[row]
        total[:] = 0.0
        for tap in range(size):
            entering = line[tap * stride :]
            for lane in range(total.size):
                total[lane] += entering[lane]
        mean = means[row, :stride]
        for lane in range(total.size):
            mean[lane] = total[lane] / size
        for start in range(stride, means.shape[1], stride):
            leaving = line[start - stride :]
            entering = line[start - stride + size * stride :]
            mean = means[row, start : start + stride]
            for lane in range(total.size):
                total[lane] += entering[lane] - leaving[lane]
                mean[lane] = total[lane] / size


def uniform_filter1d(input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.uniform_filter1d`."""
    image = np.asarray(input)
    result = _result_for(image, output)
    # Along the last axis SciPy's own loop is as fast as memory allows.
    if (
        result is None
        or not use_numba()
        or operator.index(axis) in (-1, image.ndim - 1)
        or mode not in CANONICAL_MODE
        or size < 1
        or not 0 <= size // 2 + origin < size
    ):
        return ndimage.uniform_filter1d(image, size, axis, output, mode, cval, origin)
    axis = operator.index(axis) % image.ndim
    before = size // 2 + origin
    tiles = line_tiles(
        image, result, axis, before, size - 1 - before, CANONICAL_MODE[mode], cval, np.float64
    )
    for extended, stride, target in tiles:
        means = np.empty((target.shape[0], target.shape[1] * stride))
        _compiled_means(extended, stride, size, means)
        store(means.reshape(target.shape), target)
    return result


def uniform_filter(input, size=3, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    """Stand in for `scipy.ndimage.uniform_filter`."""
    image = np.asarray(input)
    result = _result_for(image, output)
    if result is None:
        return ndimage.uniform_filter(image, size, output, mode, cval, origin, axes=axes)
    axes = range(image.ndim) if axes is None else np.atleast_1d(axes)
    steps = zip(axes, *(each(value, len(axes)) for value in (size, origin, mode)), strict=True)
    current = image
    for axis, width, shift, boundary in steps:
        if width > 1:
            uniform_filter1d(current, int(width), axis, result, boundary, cval, shift)
            current = result
    if current is image:
        result[...] = image
    return result
