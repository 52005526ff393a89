"""Interpolation on grids parallel to the axes, one axis after another."""

import math

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.points import points_of_part
from dask_image._kernels.blocks.interpolation.values import EXACT_IN_SINGLE, by_parts
from dask_image._kernels.blocks.interpolation.weights import locate


def on_grid(coefficients, box, lines, spline, dtype):
    """
    Interpolate on a grid of points parallel to the axes.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box.
    box : Box
    lines : sequence of numpy.ndarray
        For each axis the coordinates of the output's pixels along it.
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
    """
    return by_parts(_grid_of_part, coefficients, box, (lines,), spline, dtype)


def _grid_of_part(coefficients, box, lines, spline, cval, dtype):
    shape = tuple(map(len, lines))
    if not use_numba() or dtype.kind not in "f" or 0 in shape:
        # Integers are rounded: only SciPy's own order of summation gets every tie right.
        points = np.stack(np.broadcast_arrays(*np.ix_(*lines))).reshape(len(lines), -1)
        return points_of_part(coefficients, box, points, shape, spline, cval, dtype)
    tables = [
        _table(
            np.asarray(line, float), float(spline.padding), spline.order, spline.mode.code, *place
        )
        for line, place in zip(lines, zip(box.origin, coefficients.shape, box.shape))
    ]
    return _grid(coefficients, tables, shape, cval, dtype)


@jit
def _table(line, padding, order, mode, origin, extent, size):
    """Return pixels and weights for every coordinate of a line, and whether it has any."""
    taps = order + 1
    places = np.zeros(len(line) * taps, np.int64)
    weights = np.ones(len(line) * taps, np.float64)
    known = np.zeros(len(line), np.bool_)
    for k in range(len(line)):
        known[k] = locate(
            line[k] + padding, order, mode, extent, origin, size, places, weights, k * taps
        )
    return places.reshape(-1, taps), weights.reshape(-1, taps), known


def _grid(coefficients, tables, shape, cval, dtype):
    """Interpolate axis by axis, the last two at once."""
    out = np.full(shape, cval, dtype)
    if coefficients.size:
        image = coefficients
        if image.dtype.char not in "fd":
            image = image.astype(np.float32 if image.dtype.char in EXACT_IN_SINGLE else float)
        steps = []
        for axis, (places, weights, _) in enumerate(tables):
            used = np.unique(places[places >= 0])
            if 2 * len(used) <= image.shape[axis]:
                image = image.take(used, axis)
                places = np.where(places < 0, -1, np.searchsorted(used, places))
            steps.append((places, weights))
        if image.ndim == 1:
            image = image[np.newaxis]
            steps.insert(0, (np.zeros((1, 1), np.int64), np.ones((1, 1))))
        image = np.ascontiguousarray(image)
        for axis, step in enumerate(steps[:-2]):
            before, size, after = (
                math.prod(image.shape[:axis]), image.shape[axis], math.prod(image.shape[axis + 1 :])
            )  # fmt: skip
            image = _along(image.reshape(before, size, after), *step, cval).reshape(
                *image.shape[:axis], len(step[0]), *image.shape[axis + 1 :]
            )
        planes = image.reshape(math.prod(image.shape[:-2]), *image.shape[-2:])
        _in_planes(planes, *steps[-2], *steps[-1], cval, out.reshape(len(planes), -1, shape[-1]))
    for axis, (_, _, known) in enumerate(tables):
        if not known.all():
            out[(slice(None),) * axis + (~known,)] = cval
    return out


@jit
def _along(image, places, weights, cval):
    """Interpolate along the middle one of three axes."""
    before, _, after = image.shape
    count, taps = places.shape
    out = np.zeros((before, count, after))
    for i in range(before):
        for j in range(count):
            row = out[i, j]
            for k in range(taps):
                weight = weights[j, k]
                if places[j, k] < 0:
                    row += weight * cval
                else:
                    source = image[i, places[j, k]]
                    for m in range(after):
                        row[m] += weight * source[m]
    return out


@jit
def _in_planes(image, row_places, row_weights, places, weights, cval, out):
    """Interpolate along the last two of three axes."""
    width = image.shape[2]
    line = np.empty(width + 1)
    line[width] = cval
    count, taps = places.shape
    safe = np.where(places < 0, width, places)
    for plane in range(image.shape[0]):
        for i in range(len(row_places)):
            line[:width] = 0.0
            for k in range(row_places.shape[1]):
                weight = row_weights[i, k]
                if row_places[i, k] < 0:
                    line[:width] += weight * cval
                else:
                    source = image[plane, row_places[i, k]]
                    for m in range(width):
                        line[m] += weight * source[m]
            for j in range(count):
                total = 0.0
                for k in range(taps):
                    total += weights[j, k] * line[safe[j, k]]
                out[plane, i, j] = total
