"""Compiled weights: which coefficients a coordinate reads along one axis, and how they count."""

import numpy as np

from dask_image._kernels._numba import jit
from dask_image._kernels.blocks.interpolation.boundaries import fold, place_of


@jit
def weigh(y, order, weights, at):
    """
    Set the weights, from position ``at`` on, of the ``order + 1`` pixels around a coordinate.

    ``y`` is its distance from the central pixel (even orders) or from the one
    below (odd ones). Each piece of the basis spline is a polynomial in Horner's
    form; the last weight is what is missing to 1, as in SciPy.
    """
    z = 1.0 - y
    if order == 1:
        weights[at] = z
    elif order == 2:
        weights[at] = 0.5 * (0.5 - y) * (0.5 - y)
        weights[at + 1] = 0.75 - y * y
    elif order == 3:
        weights[at] = z * z * z / 6.0
        weights[at + 1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0
        weights[at + 2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0
    elif order == 4:
        t = (0.5 - y) * (0.5 - y)
        weights[at] = t * t / 24.0
        t = y + 1.0
        weights[at + 1] = t * (t * (t * (5.0 - t) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0
        t = y * y
        weights[at + 2] = t * (t * 0.25 - 0.625) + 115.0 / 192.0
        weights[at + 3] = z * (z * (z * (5.0 - z) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0
    else:
        t = z * z
        weights[at] = z * t * t / 120.0
        weights[at + 3] = t * (t * (0.25 - z / 12.0) - 0.5) + 0.55
        t = y * y
        weights[at + 2] = t * (t * (0.25 - y / 12.0) - 0.5) + 0.55
        t = y + 1.0
        weights[at + 1] = t * (t * (t * (t * (t / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425
        t = z + 1.0
        weights[at + 4] = t * (t * (t * (t * (t / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425
    last = 1.0
    for k in range(order):
        last -= weights[at + k]
    weights[at + order] = last


@jit
def locate(x, order, mode, extent, origin, size, places, weights, at):
    """
    Find the pixels and weights for one coordinate along one axis, edges included.

    Sets ``places`` (positions in the box, -1 for ``cval``) and ``weights`` from
    position ``at`` on. Returns False, and sets nothing, where the whole point is ``cval``.
    """
    folded = fold(x, size, mode)
    if np.isnan(folded):
        return False
    middle = np.floor(folded if order % 2 else folded + 0.5)
    first = np.int64(middle) - order // 2
    weights[at] = 1.0
    if order > 0:
        weigh(folded - middle, order, weights, at)
    for k in range(order + 1):
        place = place_of(first + k, size, mode)
        if place >= 0:
            place -= origin
            if place < 0:  # the box runs on into the next period
                place += size
        places[at + k] = place
    return True
