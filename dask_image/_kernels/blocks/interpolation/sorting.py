"""Sorting of points by the part of the image that they are looked up in."""

import math

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.boundaries import fold
from dask_image._utils.modes import CONSTANT, GRID_CONSTANT, NEAREST


def cells_of(coordinates, owners, chunks, shape, spline):
    """
    Return for each point the number of the cell that owns its first pixel.

    Parameters
    ----------
    coordinates : numpy.ndarray
        Shape (ndim, points), before padding.
    owners : sequence of numpy.ndarray
        Per axis, the cell of every pixel.
    chunks : tuple of tuple of int
        Sizes of the cells.
    shape : tuple of int
        Of the whole image.
    spline : Spline

    Returns
    -------
    numpy.ndarray
        Numbers in C order; one past the last where no pixel is needed.
    """
    count = math.prod(map(len, chunks))
    cells = np.zeros(coordinates.shape[1], np.int32)
    repeats = None if spline.mode.code in (CONSTANT, GRID_CONSTANT, NEAREST) else 1
    for x, owner, sizes, size in zip(coordinates, owners, chunks, shape):
        if use_numba():
            axis, rule = (owner, len(sizes), size), (spline.mode.code, repeats)
            _add_cells(x, axis, float(spline.padding), spline.order, *rule, cells)
            continue
        folded = spline.mode.fold_coordinate(x + spline.padding, size)
        lost = np.isnan(folded)
        folded[lost] = 0.0
        middle = np.floor(folded if spline.order % 2 else folded + 0.5)
        first = np.clip(middle - spline.order // 2, 0, size - 1).astype(np.int64)
        lost |= cells < 0
        cells = np.where(lost, -1, cells * len(sizes) + owner[first]).astype(np.int32)
    cells[cells < 0] = count
    return cells


@jit
def _add_cells(line, axis, padding, order, mode, repeats, cells):
    """Work one axis into the numbers of the cells; -1 for points that need no pixel."""
    owner, cells_along, size = axis
    for point in range(len(line)):
        if cells[point] < 0:
            continue
        x = fold(line[point] + padding, size, mode, repeats)
        if np.isnan(x):
            cells[point] = -1
            continue
        first = math.floor(x if order & 1 else x + 0.5) - (order >> 1)
        first = first if first > 0 else 0
        first = first if first < size else size - 1
        cells[point] = cells[point] * cells_along + owner[first]


def group(cells, count, coordinates):
    """
    Sort points by small numbers.

    Parameters
    ----------
    cells : numpy.ndarray
        The number of each point.
    count : int
        How many numbers there are.
    coordinates : numpy.ndarray
        Shape (ndim, points).

    Returns
    -------
    tuple of numpy.ndarray
        The order that sorts the points, where in it each number begins (and the
        last one ends), and the coordinates in that order.
    """
    bounds = np.zeros(count + 2, np.int64)
    if use_numba():
        order, moved = np.empty(len(cells), np.int64), np.empty_like(coordinates)
        _group(cells, coordinates, bounds, order, moved)
        return order, bounds[:-1], moved
    np.cumsum(np.bincount(cells, minlength=count), out=bounds[1:-1])
    order = np.argsort(cells, kind="stable")
    return order, bounds[:-1], coordinates[:, order]


@jit
def _group(cells, coordinates, bounds, order, moved):
    """Sort by counting; ``bounds`` are zeros, one more than there are in the end."""
    for cell in cells:
        bounds[cell + 2] += 1
    for k in range(2, bounds.size):
        bounds[k] += bounds[k - 1]
    # Where the next point of a number goes is where the number after it begins in the end.
    following = bounds[1:]
    for point in range(len(cells)):
        place = following[cells[point]]
        following[cells[point]] += 1
        order[place] = point
        for axis in range(len(coordinates)):
            moved[axis, place] = coordinates[axis, point]
