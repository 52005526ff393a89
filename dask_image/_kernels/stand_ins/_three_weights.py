"""
Correlation with three weights that mirror themselves: differences, and the smoothing beside them.

Rows are read where they are, in the image's own dtype; a pixel of the result costs a few
instructions on vectors. Products are added in SciPy's order, and rounded where it rounds.
"""

import numpy as np

from dask_image._kernels._numba import jit, jit_part
from dask_image._kernels.memory import scratch
from dask_image._kernels.rows import places, whole
from dask_image._kernels.stand_ins._steps import ExtendedAxis, as_source, by_way_of


@jit_part
def _three(before, a, centre, c, behind, b, weights, via, out, to, count, more):
    """
    Write to ``out``, or add to it if ``more``, the weighted sums of three rows.

    They begin at the places ``a``, ``c`` and ``b`` of their arrays; ``weights`` are `_weights`.
    """
    w0, w1, sign, narrow = weights
    p, q, r, t = np.uint64(a), np.uint64(c), np.uint64(b), np.uint64(to)
    if more:
        for i in range(np.uint64(count)):
            pair = np.float64(before[p + i]) + np.float64(behind[r + i]) * sign
            out[t + i] += via.dtype.type(np.float64(centre[q + i]) * w0 + pair * w1)
    elif narrow.size:
        v0, v1, v2 = narrow[0], narrow[1], narrow[2]
        for i in range(np.uint64(count)):
            out[t + i] = centre[q + i] * v0 + (before[p + i] + behind[r + i] * v2) * v1
    else:
        for i in range(np.uint64(count)):
            pair = np.float64(before[p + i]) + np.float64(behind[r + i]) * sign
            out[t + i] = via.dtype.type(np.float64(centre[q + i]) * w0 + pair * w1)


@jit_part
def _row(image, blank, number, width):
    """Return the array that holds a row of the image, and where; below 0 it is blank."""
    return (blank, 0 * width) if number < 0 else (image, number * width)


@jit_part
def _between(image, blank, above, row, below, shift, width, weights, via, out, to, count, more):
    """As `_three`, of rows of the image by their numbers (-1: blank), from the column ``shift``."""
    if above >= 0 and row >= 0 and below >= 0:
        _three(
            image, above * width + shift, image, row * width + shift, image, below * width + shift,
            weights, via, out, to, count, more,
        )  # fmt: skip
        return
    before, a = _row(image, blank, above, width)
    centre, c = _row(image, blank, row, width)
    behind, b = _row(image, blank, below, width)
    _three(
        before, a + shift, centre, c + shift, behind, b + shift, weights, via, out, to, count, more
    )


@jit_part
def _along(image, start, across, weights, edge, via, out, to, columns, more):
    """As `_three`, of each pixel of a row and those beside it; the row begins at ``start``."""
    table, (first, last, shift), cval = across
    zero, one = 0 * columns, 1 + 0 * columns
    inner = max(last - first - 2, zero)
    at = start + first + shift
    _three(image, at, image, at + 1, image, at + 2, weights, via, out, to + first, inner, more)
    place = zero
    while place < columns:
        if place == first and inner > 0:
            place += inner
            continue
        for beside in range(3):
            pixel = table[place + beside]
            if pixel >= 0:  # either in one expression would become a float64
                edge[beside] = image[start + pixel]
            else:
                edge[beside] = cval
        _three(edge, zero, edge, one, edge, one + one, weights, via, out, to + place, one, more)
        place += 1


@jit
def _sweep_down_first(image, target, shape, down, across, buffers):
    """Correlate down the rows and then along them; with a table that is empty, down only."""
    result, via = target
    rows, weights, _ = down
    table, stretch, across_weights, cval = across
    blank, _, middle, _ = buffers
    planes, height, width, columns = shape
    # Literals would have functions compiled once more.
    zero, one = 0 * height, 1 + 0 * height
    more = zero > one
    for plane in range(planes):
        for top in range(rows.size - 2):
            above, row, below = rows[top], rows[top + 1], rows[top + 2]
            above += plane * height if above >= 0 else zero
            row += plane * height if row >= 0 else zero
            below += plane * height if below >= 0 else zero
            to = (plane * (rows.size - 2) + top) * columns
            if table.size == 0:
                _between(
                    image, blank, above, row, below, zero, width, weights, via, result, to,
                    columns, more,
                )  # fmt: skip
                continue
            first, last, shift = stretch
            _between(
                image, blank, above, row, below, first + shift, width, weights, via, middle, first,
                last - first, more,
            )  # fmt: skip
            place = zero
            while place < table.size:
                if place == first and last > first:
                    place = last
                    continue
                if table[place] < 0:
                    middle[place] = cval
                else:
                    _between(
                        image, blank, above, row, below, table[place], width, weights, via, middle,
                        place, one, more,
                    )  # fmt: skip
                place += 1
            _three(
                middle, zero, middle, one, middle, one + one, across_weights, via, result, to,
                columns, more,
            )  # fmt: skip


@jit
def _sweep_across_first(image, target, shape, down, across, buffers):
    """Correlate along the rows and then down them; with a table that is empty, along only."""
    result, via = target
    rows, weights, cval = down
    table, stretch, across_weights, across_cval = across
    edges = table, stretch, across_cval
    _, edge, _, ring = buffers
    planes, height, width, columns = shape
    more = 0 * height > 0  # a literal would have functions compiled once more
    for plane in range(planes):
        if rows.size == 0:
            for row in range(height):
                number = plane * height + row
                _along(
                    image, number * width, edges, across_weights, edge, via, result,
                    number * columns, columns, more,
                )  # fmt: skip
            continue
        for ready in range(rows.size):
            slot = ready % 3 * columns
            if rows[ready] < 0:
                for i in range(columns):
                    ring[slot + i] = cval
            else:
                _along(
                    image, (plane * height + rows[ready]) * width, edges, across_weights, edge, via,
                    ring, slot, columns, more,
                )  # fmt: skip
            if ready >= 2:
                top = ready - 2
                _three(
                    ring, top % 3 * columns, ring, (top + 1) % 3 * columns, ring, slot, weights,
                    via, result, (plane * (rows.size - 2) + top) * columns, columns, more,
                )  # fmt: skip


def _weights(step, source, dtype):
    """
    Return the weights of the centre and before it, their sign behind it, and all in ``dtype``.

    The last is empty if sums of pixels of the dtype ``source``, taken in that dtype, were not
    SciPy's, who takes them in float64. They are where a difference is all there is to round, in
    whichever precision it is taken (S. A. Figueroa, When is double rounding innocuous?, 1995), and
    where integers wrap around.
    """
    half, sign = ((1.0, 0.0), 1.0) if step is None else (step.half, float(step.sign))
    exact = all(weight.is_integer() and abs(weight) < 2**12 for weight in half)
    if dtype.kind == "f":
        exact = half[0] == 0 and abs(half[1]) == 1
    elif dtype.itemsize > 2 or source != dtype:
        exact = False
    narrow = np.array([*half, sign] if exact else [], np.int64).astype(dtype)
    return (*half, sign, narrow)


def fits(step, *dtypes):
    """Tell whether a step has three weights, and pixels beyond edges are values of the dtypes."""
    if step.width != 2:
        return False
    if step.mode not in ("constant", "grid-constant"):
        return True
    with np.errstate(all="ignore"):
        return all(float(np.array(step.cval).astype(dtype)) == step.cval for dtype in dtypes)


class OverThree:
    """One step, or two along different axes of which one is the last, of three weights each."""

    def __init__(self, layout):
        self.layout = layout
        nothing = np.empty(0, np.int64)
        self.rows = nothing if layout.down is None else layout.down_axis.table
        self.table = nothing if layout.across is None else layout.across_axis.table
        self.across_first = layout.down is None or layout.across_first
        self.by_way_of = by_way_of(layout.dtype)

    def __call__(self, image, result, stage):
        layout, dtype = self.layout, result.dtype
        down, across = layout.down_axis, layout.across_axis
        blank = scratch("blank", layout.width, image.dtype)
        if self.rows.min(initial=0) < 0:
            blank[...] = down.cval
        buffers = (
            blank,
            scratch("edge", 3, image.dtype),
            scratch("middle", layout.columns + 2, dtype),
            scratch("three", 3 * layout.columns, dtype),
        )
        sources = (dtype, image.dtype) if self.across_first else (image.dtype, dtype)
        sweep = _sweep_across_first if self.across_first else _sweep_down_first
        sweep(
            image, (result, self.by_way_of), layout.planes(image.size),
            (self.rows, _weights(layout.down, sources[0], dtype), down.cval),
            (self.table, across.stretch, _weights(layout.across, sources[1], dtype), across.cval),
            buffers,
        )  # fmt: skip


# -- sums over axes --------------------------------------------------------------------------


@jit
def _sweep_sum(image, target, shape, steps, weights, across, buffers):
    """
    Add up what correlation gives along several axes.

    ``target`` is the result and what its dtype is come to by way of; ``steps`` are where rows
    start and an order. ``starts[row]`` says which row of the image a row of the result stands at,
    and then which are before and behind it along each axis but the last. ``order`` names pairs of
    columns of that, 0 for the last axis.
    """
    result, via = target
    starts, order = steps
    blank, edge = buffers
    width, columns, shift = shape
    for row in range(starts.shape[0]):
        to = row * columns
        for number in range(order.size):
            if order[number] == 0:
                _along(
                    image, starts[row, 0] * width, across, weights, edge, via, result, to, columns,
                    number > 0,
                )  # fmt: skip
            else:
                k = 2 * order[number]
                _between(
                    image, blank, starts[row, k - 1], starts[row, 0], starts[row, k], shift, width,
                    weights, via, result, to, columns, number > 0,
                )  # fmt: skip


def add_axes(image, steps, result, region=None):
    """
    Write to ``result`` the sum of what each of the steps gives, added in the result's dtype.

    The steps have three weights, the same ones, and one axis each; see `fits`.
    """
    image = as_source(image, result.dtype)
    bounds = whole(region, image.shape)
    last = image.ndim - 1
    leading = [np.arange(start, stop) for start, stop in bounds[:-1]]
    neighbours, order = [leading], []
    for step in steps:
        if step.axis == last:
            order.append(0)
            continue
        table = places(bounds[step.axis][0] - 1, bounds[step.axis][1] + 1,
                       image.shape[step.axis], step.mode)  # fmt: skip
        order.append((len(neighbours) + 1) // 2)
        for shifted in (table[:-2], table[2:]):
            neighbours.append([*leading[: step.axis], shifted, *leading[step.axis + 1 :]])
    starts = np.stack([_number(rows, image.shape) for rows in neighbours], axis=1)
    across = next((step for step in steps if step.axis == last), None)
    start, stop = bounds[-1]
    edges = ExtendedAxis.of(
        places(start - 1, stop + 1, image.shape[-1], "nearest" if across is None else across.mode),
        steps[0].cval,
    )
    blank = scratch("blank", image.shape[-1], image.dtype)
    if starts.min() < 0:
        blank[...] = steps[0].cval
    target = result.reshape(-1), by_way_of(result.dtype)
    _sweep_sum(
        image.reshape(-1), target, (image.shape[-1], stop - start, start),
        (starts, np.array(order)), _weights(steps[0], image.dtype, result.dtype),
        (edges.table, edges.stretch, edges.cval),
        (blank, scratch("edge", 3, image.dtype)),
    )  # fmt: skip


def _number(rows, shape):
    """Return the numbers of rows that the pixels named for each leading axis have, -1 for none."""
    numbers = np.zeros([len(axis) for axis in rows], np.int64)
    outside = np.zeros(numbers.shape, bool)
    for axis, (pixels, size) in enumerate(zip(rows, shape)):
        pixels = pixels.reshape([-1] + [1] * (len(rows) - axis - 1))
        numbers = numbers * size + pixels
        outside |= pixels < 0
    numbers[outside] = -1
    return numbers.reshape(-1)
