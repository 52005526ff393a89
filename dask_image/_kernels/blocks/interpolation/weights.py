"""Compiled weights: which coefficients coordinates read along one axis, and how these count."""

import numpy as np

from dask_image._kernels._numba import jit_inline, jit_part
from dask_image._kernels.blocks.interpolation.boundaries import place_of


@jit_part
def weigh(x, order, rare, first, weights):
    """
    Find for a row of coordinates the first pixel and the weights of ``order + 1`` pixels.

    Orders 0, 1 and 3 are compiled, and the others unless ``rare`` is None.

    ``x`` lies within reach of the image. ``weights`` has one row for each of the pixels, which
    may be longer than ``x``.
    Each piece of the basis spline is a polynomial in Horner's form; the last weight is what
    is missing to 1, as in SciPy.
    """
    if order == 0:
        for k in range(x.size):
            first[k] = np.floor(x[k] + 0.5)
            weights[0, k] = 1.0
    elif order == 1:
        low, high = weights[0], weights[1]
        for k in range(x.size):
            floor = np.floor(x[k])
            first[k] = floor
            low[k] = 1.0 - (x[k] - floor)
            high[k] = 1.0 - low[k]
    elif order == 3:
        _weigh_cubic(x, first, weights[0], weights[1], weights[2], weights[3])
    elif rare is not None:
        _weigh_others(x, order, first, weights)


@jit_inline
def _weigh_cubic(x, first, a, b, c, d):
    for k in range(x.size):
        floor = np.floor(x[k])
        first[k] = floor - 1.0
        y = x[k] - floor
        z = 1.0 - y
        a[k] = z * z * z / 6.0
        b[k] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0
        c[k] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0
        d[k] = 1.0 - a[k] - b[k] - c[k]


@jit_inline
def _weigh_others(x, order, first, weights):
    """Weigh by splines of order 2, 4 and 5."""
    for k in range(x.size):
        middle = np.floor(x[k] if order == 5 else x[k] + 0.5)
        first[k] = middle - order // 2
        y = x[k] - middle
        z = 1.0 - y
        if order == 2:
            weights[0, k] = 0.5 * (0.5 - y) * (0.5 - y)
            weights[1, k] = 0.75 - y * y
        elif order == 4:
            t = (0.5 - y) * (0.5 - y)
            weights[0, k] = t * t / 24.0
            t = y + 1.0
            weights[1, k] = t * (t * (t * (5.0 - t) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0
            t = y * y
            weights[2, k] = t * (t * 0.25 - 0.625) + 115.0 / 192.0
            weights[3, k] = z * (z * (z * (5.0 - z) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0
        else:
            t = z * z
            weights[0, k] = z * t * t / 120.0
            weights[3, k] = t * (t * (0.25 - z / 12.0) - 0.5) + 0.55
            t = y * y
            weights[2, k] = t * (t * (0.25 - y / 12.0) - 0.5) + 0.55
            t = y + 1.0
            weights[1, k] = t * (t * (t * (t * (t / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425
            t = z + 1.0
            weights[4, k] = t * (t * (t * (t * (t / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425
        last = 1.0
        for tap in range(order):
            last -= weights[tap, k]
        weights[order, k] = last


@jit_inline
def find_places(first, mode, size, origin, places):
    """Set the positions in a box of the pixels from ``first`` on, -1 for ``cval``."""
    for tap in range(places.shape[0]):
        for k in range(first.size):
            place = place_of(np.int64(first[k]) + tap, size, mode)
            if place >= 0:
                place -= origin
                if place < 0:  # the box runs on into the next period
                    place += size
            places[tap, k] = place


def weights_of(x, order):
    """
    Return the same for a few coordinates, by NumPy: first pixels and weights.

    It takes the steps of `weigh`, which need not be compiled for it.
    """
    middle = np.floor(x if order % 2 else x + 0.5)
    y = x - middle
    z = 1.0 - y
    if order == 0:
        weights = [np.ones_like(x)]
    elif order == 1:
        weights = [z]
    elif order == 2:
        weights = [0.5 * (0.5 - y) * (0.5 - y), 0.75 - y * y]
    elif order == 3:
        weights = [
            z * z * z / 6.0,
            (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0,
            (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0,
        ]
    elif order == 4:
        a, b, c = (0.5 - y) * (0.5 - y), y + 1.0, y * y
        weights = [
            a * a / 24.0,
            b * (b * (b * (5.0 - b) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0,
            c * (c * 0.25 - 0.625) + 115.0 / 192.0,
            z * (z * (z * (5.0 - z) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0,
        ]
    else:
        a, b, c, d = z * z, y + 1.0, y * y, z + 1.0
        weights = [
            z * a * a / 120.0,
            b * (b * (b * (b * (b / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425,
            c * (c * (0.25 - y / 12.0) - 0.5) + 0.55,
            a * (a * (0.25 - z / 12.0) - 0.5) + 0.55,
            d * (d * (d * (d * (d / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425,
        ]
    if order:
        last = 1.0
        for one in weights:
            last = last - one
        weights.append(last)
    return middle - order // 2, np.array(weights)
