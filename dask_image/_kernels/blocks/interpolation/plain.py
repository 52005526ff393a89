"""
Interpolation without numba.

The same values as those of the compiled kernels come from `scipy.ndimage.map_coordinates`,
on a box that is extended beforehand by what its edges stand for.
"""

import numpy as np
from scipy import ndimage


def with_scipy(coefficients, box, coordinates, spline, out):
    """Interpolate with SciPy, on a box that holds the neighbours of every point."""
    order = spline.order
    unknown = np.zeros(len(out), bool)
    local = np.zeros(coordinates.shape)
    for axis, x in enumerate(coordinates):
        folded = spline.mode.fold_coordinate(x, box.shape[axis])
        lost = np.isnan(folded)
        unknown |= lost
        if lost.all():
            break
        folded[lost] = folded[~lost][0]
        middle = np.floor(folded if order % 2 else folded + 0.5)
        first = middle.astype(np.int64) - order // 2
        # Only pixels that some point needs are kept: a support stays in one piece, and a
        # box from both ends of a periodic axis does not grow to the whole of it.
        begin = first.min()
        needed = np.zeros(first.max() - begin + 1 + order, bool)
        for k in range(order + 1):
            needed[first - begin + k] = True
        rank = np.cumsum(needed) - 1
        local[axis] = rank[first - begin] + order // 2
        if order:
            local[axis] += folded - middle
        place = spline.mode.fold_coefficient(np.flatnonzero(needed) + begin, box.shape[axis])
        lengthened = axis, box.origin[axis], box.shape[axis]
        coefficients = _extended(coefficients, *lengthened, place, spline.cval)
    if not unknown.all():
        if coefficients.dtype.char == "e" or coefficients.dtype.kind == "b":
            coefficients = coefficients.astype(np.float32)
        ndimage.map_coordinates(
            coefficients, local, out, order=order, mode="mirror", prefilter=False
        )
    out[unknown] = spline.cval


def _extended(coefficients, axis, origin, size, place, cval):
    """Return the pixels ``place`` of the image from a box that begins at ``origin``."""
    position = np.where(place >= origin, place - origin, place - origin + size)
    missing = (place < 0) | (position >= coefficients.shape[axis])
    if coefficients.shape[axis] == 0:
        shape = (*coefficients.shape[:axis], len(place), *coefficients.shape[axis + 1 :])
        return np.full(shape, cval, np.float64)
    if not missing.any():
        return coefficients.take(position, axis)
    if coefficients.dtype.kind != "f":
        coefficients = coefficients.astype(np.float64)
    result = coefficients.take(np.where(missing, 0, position), axis)
    result[(slice(None),) * axis + (missing,)] = cval
    return result
