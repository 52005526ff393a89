"""
Sums of products under windows of any shape, row by row.

The rows that a window covers stand in a ring in the cache, converted to float64 and
lengthened by the boundary mode. Products are added in SciPy's order, several at a time, so
results are equal to the last bit.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, jit_part, wide_vectors
from dask_image._kernels.memory import scratch
from dask_image._kernels.rows import places, whole
from dask_image._kernels.stand_ins._steps import (
    ExtendedAxis,
    as_source,
    by_way_of,
    divide,
    parts_of,
    read,
    stage_of,
    write,
)

# The rings of a strip of columns stay in the first-level cache where that leaves long loops.
RINGS_BYTES = 1 << 15
SHORTEST_STRIP = 2048


@jit_part
def _add_products(flat, at, weights, total, count):
    """Add to ``total`` the rows that begin at the places ``at``, each times its weight."""
    wide_vectors()
    tap = 0
    while tap < weights.size:
        a, v, begun = at[tap], weights[tap], tap > 0
        if weights.size - tap < 3:
            for i in range(count):
                total[i] = (total[i] if begun else 0.0) + flat[a + i] * v
            tap += 1
            continue
        b, c, w, x = at[tap + 1], at[tap + 2], weights[tap + 1], weights[tap + 2]
        if weights.size - tap < 6:
            for i in range(count):
                total[i] = (
                    (total[i] if begun else 0.0)
                    + flat[a + i] * v + flat[b + i] * w + flat[c + i] * x
                )  # fmt: skip
            tap += 3
            continue
        d, e, f = at[tap + 3], at[tap + 4], at[tap + 5]
        y, z, u = weights[tap + 3], weights[tap + 4], weights[tap + 5]
        for i in range(count):
            total[i] = (
                (total[i] if begun else 0.0)
                + flat[a + i] * v + flat[b + i] * w + flat[c + i] * x
                + flat[d + i] * y + flat[e + i] * z + flat[f + i] * u
            )  # fmt: skip
        tap += 6


@jit
def _sweep_windows(source, target, quotients, shape, tables, taps, buffers):
    """
    Write the sums of products of all windows.

    ``source`` is the image, how many parts it and rows of pixels have, how far apart those of the
    image are, and what counts beyond the edges of the second. ``target`` is the result and what
    its dtype is come to by way of; ``quotients`` are as in a `_steps.Stage`. Of the ``tables``,
    ``planes[plane, k]``, ``rows[row]`` and the table of ``across`` say which plane, row and
    column stands at each place, -1 where ``cval`` does. ``turns`` says, for each state of the
    rings, where in them the pixels of a window begin.
    """
    image, number, apart, beyond = source
    result, via = target
    planes, rows, across = tables
    table, stretch, cval = across
    turns, weights = taps
    rings, total = buffers
    height, width, columns, turn, strip = shape
    pitch = rings.size // (planes.shape[1] * turn)
    count, wide = rows.size - turn + 1, table.size - columns
    zero = 0 * height
    for plane in range(planes.shape[0]):
        for begin in range(0, columns, strip):
            narrow = min(strip, columns - begin)
            length, ready = narrow + wide, 0
            both = number * length
            for top in range(count):
                while ready < top + turn:
                    for k in range(planes.shape[1]):
                        to = (k * turn + ready % turn) * pitch
                        if rows[ready] < 0 or planes[plane, k] < 0:
                            for i in range(both):
                                rings[to + i] = cval if i < length else beyond
                            continue
                        start = (planes[plane, k] * height + rows[ready]) * width
                        for part in range(number):
                            read(
                                image, start + part * apart, table, begin, length, stretch,
                                beyond if part else cval, rings, to + part * length,
                            )  # fmt: skip
                    ready += 1
                at, to = turns[top % turn], (plane * count + top) * columns + begin
                _add_products(rings, at, weights, total, np.uint64(both - wide))
                if quotients is None:
                    write(total, zero, via, result, to, narrow)
                else:
                    divide(total, zero, length, quotients, result, to, narrow)


class Weights(NamedTuple):
    """
    The weights of a window.

    Attributes
    ----------
    taps : numpy.ndarray of int
        Which pixels of the window have a weight, a line each, in the order to add them.
    values : numpy.ndarray
        Of float64, one a tap.
    before : sequence of int
        How many pixels before its pixel the window begins, along each axis.
    shape : sequence of int
        Of the window.
    modes : sequence of str
        How the image goes on, along each axis.
    """

    taps: np.ndarray
    values: np.ndarray
    before: Sequence[int]
    shape: Sequence[int]
    modes: Sequence[str]

    def below_an_axis(self):
        """Return the weights for an image that has one more axis, of one pixel, at its front."""
        taps = np.insert(self.taps, 0, 0, axis=1)
        before, shape, modes = (0, *self.before), (1, *self.shape), ("nearest", *self.modes)
        return Weights(taps, self.values, before, shape, modes)


def add_windows(image, weights, cval, result, region=None, counted=None):
    """
    Write to ``result`` the sums of products of windows with `Weights`.

    Parameters
    ----------
    image : numpy.ndarray
        Of a dtype in `_lines.NUMBERS` or bool; not empty.
    weights : Weights
    cval : float
    result : numpy.ndarray
        C-contiguous, of the region's shape, not of uint64; shares no memory with ``image``.
    region : tuple of slice, optional
    counted : Counted, optional
        That results are quotients.
    """
    image = as_source(image, result.dtype)
    stage = stage_of(counted)
    pixels = parts_of(image, counted)
    if image.ndim == 1:
        image, weights = image[None], weights.below_an_axis()
        region = None if region is None else (slice(0, 1), *region)
    taps, values, before, shape, modes = weights
    window = taps.astype(np.int64).tobytes(), tuple(before), tuple(shape), tuple(modes)
    plan = _plan(window, image.shape, tuple(whole(region, image.shape)), stage.parts)
    buffers = scratch("rings", plan.rings), scratch("sums", plan.sums)
    target = result.reshape(-1), by_way_of(result.dtype)
    _sweep_windows(
        (pixels, stage.parts, image.size, stage.beyond), target, stage.quotients, plan.shape,
        (plan.planes, plan.rows, (plan.table, plan.stretch, float(cval))), (plan.turns, values),
        buffers,
    )  # fmt: skip


class _Plan(NamedTuple):
    """What a sweep over images of one shape needs besides pixels and weights."""

    shape: tuple[int, ...]
    planes: np.ndarray
    rows: np.ndarray
    table: np.ndarray
    stretch: tuple[int, ...]
    turns: np.ndarray
    rings: int
    sums: int


@functools.lru_cache(maxsize=64)
def _plan(window, image_shape, bounds, parts):
    """
    Return the plan for a window, as `Weights` has it: taps (their bytes), before, shape, modes.

    Rows have one or two ``parts``.
    """
    taps, before, shape, modes = window
    taps = np.frombuffer(taps, np.int64).reshape(-1, len(shape))
    tables = [
        places(start - low, stop - low + size - 1, length, mode)
        for (start, stop), low, size, length, mode in zip(
            bounds, before, shape, image_shape, modes, strict=True
        )
    ]
    *lead, height, width = image_shape
    across, columns = ExtendedAxis.of(tables[-1], 0), tables[-1].size - shape[-1] + 1
    used, k = np.unique(taps[:, :-2], axis=0, return_inverse=True)
    planes = _planes(tables[:-2], used, lead, shape)
    turn = shape[-2]
    fits = RINGS_BYTES // (8 * (planes.shape[1] * turn + 1)) - shape[-1]
    strip = min(max(fits, SHORTEST_STRIP) // parts, columns)
    pitch = parts * (strip + shape[-1] - 1)
    slots = (np.arange(turn)[:, None] + taps[:, -2]) % turn + k.reshape(-1) * turn
    turns = (slots * pitch + taps[:, -1]).astype(np.uint64)
    return _Plan(
        (height, width, columns, turn, strip), planes, tables[-2], across.table, across.stretch,
        turns, planes.shape[1] * turn * pitch, pitch,
    )  # fmt: skip


def _planes(tables, used, lead, shape):
    """Return which plane each plane of the result finds at each of the ``used`` steps away."""
    planes = np.zeros((*(table.size - size + 1 for table, size in zip(tables, shape)), len(used)),
                      np.int64)  # fmt: skip
    outside = np.zeros(planes.shape, bool)
    for axis, (table, size) in enumerate(zip(tables, shape)):
        found = table[np.arange(table.size - size + 1)[:, None] + used[:, axis]]
        found = found.reshape(found.shape[0], *[1] * (len(tables) - axis - 1), len(used))
        outside |= found < 0
        planes += found * math.prod(lead[axis + 1 :])
    planes[outside] = -1
    return planes.reshape(-1, len(used))
