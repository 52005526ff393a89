"""
Correlation with symmetric weights along axis after axis.

SciPy adds the products of a pixel in float64 and in one fixed order (the centre, then pairs
from the outermost inwards), and rounds to the output's dtype between two axes. The sweeps
keep both for every pixel and work on whole rows, so results are equal to the last bit.
"""

from dataclasses import dataclass

import numpy as np

from dask_image._kernels._numba import jit, jit_part, wide_vectors
from dask_image._kernels.memory import scratch
from dask_image._kernels.stand_ins._steps import (
    LineFilter,
    Sweeps,
    by_way_of,
    divide,
    fill,
    read,
    run_steps,
    write,
)
from dask_image._kernels.stand_ins._three_weights import OverThree, fits

# Output rows that one turn of the ring gives; an even number, since loops make two at once.
BATCH = 4
# The rows of a ring, and what is made of them at a time, stay in the caches of one core.
RING_BYTES = 1 << 20
SHORTEST = 256  # columns, whatever they take
# So much of planes is made at a time, or one plane, that the next sweep finds it in the cache. All
# of an image of fewer pixels is there.
PLANES_BYTES = 1 << 19
LEAST_PLANES = 1 << 19
# The columns of planes that a sweep goes down together: a window of them stays in the first cache.
PLANES_STRIP = 1024


@dataclass(frozen=True)
class Symmetric(LineFilter):
    """
    A correlation along one axis with weights of odd number that mirror themselves.

    ``half`` holds the centre's weight and then those before it, going outwards; those
    behind it are the same times ``sign``.
    """

    half: tuple[float, ...]
    sign: int


# -- products of rows ------------------------------------------------------------------------
#
# Rows are stretches of flat arrays. Where they begin is unsigned, so that numba looks for no
# negative index and loops become vector instructions. A window's rows (or the shifts of one
# row) begin at the places ``at``; ``mirrored`` holds the pixels behind the centre: the same
# array, or its negative.


@jit_part
def _along(flat, mirrored, at, start, half, total, t, count):
    """Write to ``total``, from ``t``, the weighted sum of ``2 * half.size - 1`` rows.

    They begin ``start`` after the places ``at``.
    """
    wide_vectors()
    centre, pair = half.size - 1, half.size - 1
    c, w0 = start + at[centre], half[0]
    if pair == 0:
        for i in range(count):
            total[t + i] = flat[c + i] * w0
    while pair:
        left, right, w1, begun = centre - pair, centre + pair, half[pair], pair < centre
        a, z = start + at[left], start + at[right]
        if pair % 4:
            for i in range(count):
                sofar = total[t + i] if begun else flat[c + i] * w0
                total[t + i] = sofar + (np.float64(flat[a + i]) + np.float64(mirrored[z + i])) * w1
            pair -= 1
            continue
        b, y, w2 = start + at[left + 1], start + at[right - 1], half[pair - 1]
        d, x, w3 = start + at[left + 2], start + at[right - 2], half[pair - 2]
        e, v, w4 = start + at[left + 3], start + at[right - 3], half[pair - 3]
        for i in range(count):
            total[t + i] = (
                (total[t + i] if begun else flat[c + i] * w0)
                + (np.float64(flat[a + i]) + np.float64(mirrored[z + i])) * w1
                + (np.float64(flat[b + i]) + np.float64(mirrored[y + i])) * w2
                + (np.float64(flat[d + i]) + np.float64(mirrored[x + i])) * w3
                + (np.float64(flat[e + i]) + np.float64(mirrored[v + i])) * w4
            )
        pair -= 4


@jit_part
def _two_along(flat, mirrored, at, first, half, total, t, u, count):
    """
    As `_along`, for two windows of which the second is one row on: they share most rows.

    The windows begin with the rows ``first`` and ``first + 1``; sums go to the places ``t``
    and ``u`` of ``total``.
    """
    wide_vectors()
    pair = half.size - 1
    centre = first + pair
    c, d, w0 = at[centre], at[centre + 1], half[0]
    if pair == 0:
        for i in range(count):
            total[t + i] = flat[c + i] * w0
            total[u + i] = flat[d + i] * w0
    while pair:
        left, right, w1, begun = centre - pair, centre + pair, half[pair], pair < centre - first
        l0, l1, r0, r1 = at[left], at[left + 1], at[right], at[right + 1]
        if pair % 4:
            for i in range(count):
                upper = total[t + i] if begun else flat[c + i] * w0
                lower = total[u + i] if begun else flat[d + i] * w0
                total[t + i] = upper + (flat[l0 + i] + mirrored[r0 + i]) * w1
                total[u + i] = lower + (flat[l1 + i] + mirrored[r1 + i]) * w1
            pair -= 1
            continue
        l2, l3, l4 = at[left + 2], at[left + 3], at[left + 4]
        r2, r3, r4 = at[right - 1], at[right - 2], at[right - 3]
        w2, w3, w4 = half[pair - 1], half[pair - 2], half[pair - 3]
        for i in range(count):
            p, q, r = flat[l1 + i], flat[l2 + i], flat[l3 + i]
            x, y, z = mirrored[r0 + i], mirrored[r2 + i], mirrored[r3 + i]
            total[t + i] = (
                (total[t + i] if begun else flat[c + i] * w0)
                + (flat[l0 + i] + x) * w1 + (p + y) * w2
                + (q + z) * w3 + (r + mirrored[r4 + i]) * w4
            )  # fmt: skip
            total[u + i] = (
                (total[u + i] if begun else flat[d + i] * w0)
                + (p + mirrored[r1 + i]) * w1 + (q + x) * w2
                + (r + y) * w3 + (flat[l4 + i] + z) * w4
            )  # fmt: skip
        pair -= 4


@jit_part
def _load(native, row, start, count):
    s = np.uint64(start)
    for i in range(np.uint64(count)):
        row[s + i] = native[i]


@jit_part
def _negate(row, start, negative, to, count):
    s, t = np.uint64(start), np.uint64(to)
    for i in range(np.uint64(count)):
        negative[t + i] = -row[s + i]


# -- the sweeps ------------------------------------------------------------------------------


@jit
def _sweep_rows(source, target, quotients, shape, down, across, buffers):
    """
    Correlate along the last axis but one, and then along the last.

    ``source`` is the image, how many parts it and rows have, how far apart those of the image are,
    and what counts beyond the edges of the second. ``target`` is the result, how far apart its
    parts are, what sums are converted by way of, and whether they are before the last step, too;
    ``quotients`` are as in a `_steps.Stage`. ``down`` and ``across`` are half the weights, their
    sign and what an `ExtendedAxis` holds; there are no weights across where that axis stays as it
    is.
    """
    image, number, apart, beyond = source
    result, apart_then, by_way_of, rounds = target
    half, sign, rows, _, cval = down
    across_half, across_sign, table, stretch, across_cval = across
    ring, mirrored, at, totals, long, negative, native, shifts = buffers
    planes, height, width, columns, strip = shape
    turn, pitch = at.size, long.size
    batch = turn - 2 * (half.size - 1)
    count = rows.size - 2 * (half.size - 1)
    wide = 2 * (across_half.size - 1) if across_half.size else 0
    zero = 0 * planes  # a literal would have functions compiled once more
    for plane in range(planes):
        for begin in range(0, columns, strip):
            narrow = strip if strip < columns - begin else columns - begin
            length, ready = narrow + wide, 0
            both = number * length
            for top in range(0, count, batch):
                # Read the rows that the next windows have and the last ones had not.
                while ready < top + turn and ready < rows.size:
                    to = ready % turn * pitch
                    start = (plane * height + rows[ready]) * width
                    if rows[ready] < 0:
                        for i in range(both):
                            ring[to + i] = cval if i < length else beyond
                    else:
                        for part in range(number):
                            read(
                                image, start + part * apart, table, begin, length, stretch,
                                beyond if part else across_cval, ring, to + part * length,
                            )  # fmt: skip
                    if sign < 0:
                        _negate(ring, to, mirrored, to, both)
                    ready += 1
                for place in range(turn):
                    at[place] = (top + place) % turn * pitch
                for row in range(0, batch, 2):
                    t = row * pitch
                    _two_along(
                        ring, mirrored if sign < 0 else ring, at, row, half, totals,
                        np.uint64(t), np.uint64(t + pitch), np.uint64(both),
                    )  # fmt: skip
                for row in range(batch if batch < count - top else count - top):
                    t = row * pitch
                    to = (plane * count + top + row) * columns + begin
                    sums, s = totals, t
                    if across_half.size:
                        if rounds:
                            write(totals, t, by_way_of, native, zero, both)
                            _load(native, totals, t, both)
                        for part in range(number):
                            fill(
                                totals, t + part * length, length, table, begin, stretch,
                                beyond if part else across_cval,
                            )  # fmt: skip
                        if across_sign < 0:
                            _negate(totals, t, negative, t, both)
                        _along(
                            totals, negative if across_sign < 0 else totals, shifts, np.uint64(t),
                            across_half, long, np.uint64(zero), np.uint64(both - wide),
                        )  # fmt: skip
                        sums, s = long, zero
                    if quotients is None:
                        for part in range(number):
                            there = to + part * apart_then
                            write(sums, s + part * length, by_way_of, result, there, narrow)
                    else:
                        divide(sums, s, s + length, quotients, result, to, narrow)


@jit
def _sweep_planes(image, target, size, strip, half, starts, buffers):
    """Correlate along an axis whose planes, of ``size`` pixels, begin at ``starts``."""
    result, by_way_of = target
    at, total = buffers
    zero = 0 * size
    for begin in range(0, size, strip):
        count = strip if strip < size - begin else size - begin
        for plane in range(starts.size - 2 * (half.size - 1)):
            for place in range(at.size):
                at[place] = starts[plane + place] + begin
            none = np.uint64(zero)
            _along(image, image, at, none, half, total, none, np.uint64(count))
            write(total, zero, by_way_of, result, plane * size + begin, count)


# -- what the sweeps need, made by NumPy -----------------------------------------------------


def _weights(step, edges):
    half = np.array(() if step is None else step.half, np.float64)
    return half, 1 if step is None else step.sign, edges.table, edges.stretch, edges.cval


class _WeightedRows:
    """One step, or two along the last axes."""

    def __init__(self, layout):
        self.layout = layout
        self.down = _weights(layout.down, layout.down_axis)
        self.across = _weights(layout.across, layout.across_axis)
        self.batch = BATCH
        if layout.down is None:  # a product with 1 leaves all values as they are
            self.down, self.batch = (np.ones(1), 1, np.arange(layout.height), (0, 0, 0), 0.0), 2
        self.shifts = np.arange(2 * max(self.across[0].size, 1) - 1, dtype=np.uint64)
        self.by_way_of = by_way_of(layout.dtype)

    def __call__(self, image, result, stage):
        turn = 2 * (self.down[0].size - 1) + self.batch
        strip = min(_strip(stage.parts * turn), self.layout.columns)
        pitch = stage.parts * (strip + self.shifts.size - 1)
        buffers = (
            scratch("ring", turn * pitch),
            scratch("mirrored", turn * pitch if self.down[1] < 0 else 1),
            np.empty(turn, np.uint64),
            scratch("totals", self.batch * pitch),
            scratch("long", pitch),
            scratch("negative", self.batch * pitch if self.across[1] < 0 else 1),
            scratch("native", pitch, self.layout.dtype),
            self.shifts,
        )
        size = image.size // stage.parts
        _sweep_rows(
            (image, stage.parts, size, stage.beyond),
            (result, result.size // stage.parts, self.by_way_of, self.layout.rounds),
            stage.quotients, (*self.layout.planes(size), strip), self.down, self.across, buffers,
        )  # fmt: skip


def _strip(turn):
    """Return how many columns of a ring of ``turn`` rows fit the cache."""
    return max(RING_BYTES // (8 * turn), SHORTEST)


def _together(first, second):
    # Strips of columns read what the window takes beyond them twice.
    return first.axis < second.axis and second.width * 10 <= _strip(first.width + BATCH)


class _WeightedPlanes:
    """
    A step along one of the first axes that reads its planes from where they are.

    It is run for a few planes at a time, so that the next sweep finds them in the cache.
    """

    @staticmethod
    def suits(layout):
        """Tell whether planes are large enough, and all that are read in the image."""
        return (
            layout.down is not None
            and layout.down.sign > 0
            and layout.height * layout.width >= LEAST_PLANES
            and layout.down_axis.table.min() >= 0
        )

    def __init__(self, layout):
        self.layout = layout
        self.half = np.array(layout.down.half)
        self.strip = min(layout.width, PLANES_STRIP)
        self.by_way_of = by_way_of(layout.dtype)

    def parts(self, image, result, name, stage):
        """
        Yield the results of a few planes at a time, and where theirs belong in the end.

        They lie in the memory of this ``name`` that the thread uses again.
        """
        layout = self.layout
        blocks, size = layout.planes(image.size // stage.parts)[0], layout.width
        taps = 2 * self.half.size - 1
        batch = max(PLANES_BYTES // (stage.parts * layout.dtype.itemsize * size), 1)
        buffers = np.empty(taps, np.uint64), scratch("plane", self.strip)
        targets = result.reshape(blocks, layout.rows, -1)
        sources = image.reshape(stage.parts, blocks, -1)
        for block in range(blocks):
            for begin in range(0, layout.rows, batch):
                end = min(begin + batch, layout.rows)
                starts = layout.down_axis.table[begin : end + taps - 1] * size
                found = scratch(name, (stage.parts, (end - begin) * size), layout.dtype)
                for source, part in zip(sources[:, block], found, strict=True):
                    target = part, self.by_way_of
                    _sweep_planes(source, target, size, self.strip, self.half, starts, buffers)
                yield found.reshape(-1), targets[block, begin:end]


SWEEPS = Sweeps(_WeightedRows, _WeightedPlanes, _together)
OF_THREE_WEIGHTS = Sweeps(OverThree, None, lambda first, second: True)


def correlate_steps(image, steps, result, region=None, counted=None):
    """Correlate with one `Symmetric` after another; as `_steps.run_steps`."""
    three = not counted and all(fits(step, image.dtype, result.dtype) for step in steps)
    run_steps(image, steps, result, region, OF_THREE_WEIGHTS if three else SWEEPS, counted)
