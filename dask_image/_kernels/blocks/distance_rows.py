"""
Costs of reaching the background, by whole rows, where it is near.

Along the first axis, and for city blocks along every axis, sweeps over the rows do: there and
back. Otherwise rows are lowered by those around them, the nearest first, until one so far away
could lower nothing any more: no branch looks at a pixel, so that several are worked on at once.
Where the background is farther than `NEAR`, the envelopes of `distance` take over, whose time
does not grow with the distance.
"""

from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, jit_part
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN

# Offsets tried before a tile of rows is left to the envelopes.
NEAR = 64

# So many pixels of a row are worked on together: with all that is around them they stay in
# the second cache, and one pixel that is far away slows down no more than these.
TILE = 512

# Square roots of smaller costs are looked up.
TABULATED = 4096


class Beyond(NamedTuple):
    """
    What lies beyond a block along the first axis.

    Attributes
    ----------
    start : int
        Position of the block.
    before, after : numpy.ndarray of int
        Last background before the block and first one after it, of every line; -1 for none.
    """

    start: int
    before: Any
    after: Any


class Price(NamedTuple):
    """What a move costs, as in `distance`: the step and what is unreachable have costs' dtype."""

    metric: int
    step: Any
    unreachable: Any


@jit
def first_axis(background, beyond, price, distances, costs):
    """
    Write what the nearest background along the first axis costs.

    Parameters
    ----------
    background : numpy.ndarray of bool
        2-D: the first axis, and all others.
    beyond : Beyond
    price : Price
    distances : numpy.ndarray of integer
        Scratch, as long as ``background`` and ``TILE`` wide. Its dtype holds more than any
        distance and the length together.
    costs : numpy.ndarray
        Of the shape of ``background``: the result.
    """
    start, before, after = beyond
    metric, step, unreachable = price
    length, count = background.shape
    running = np.empty(TILE, distances.dtype)
    far = distances.dtype.type(np.iinfo(distances.dtype).max - length)
    for left in range(0, count, TILE):
        right = min(left + TILE, count)
        row = running[: right - left]
        for k in range(row.size):
            row[k] = start - 1 - before[left + k] if before[left + k] >= 0 else far
        for i in range(length):
            _step_down(row, background[i, left:right], distances[i, : row.size])
        for k in range(row.size):
            row[k] = after[left + k] - start - length if after[left + k] >= 0 else far
        for i in range(length - 1, -1, -1):
            _step_up(row, distances[i, : row.size])
            _price_row(row, metric == EUCLIDEAN, step, far, unreachable, costs[i, left:right])


@jit_part
def _step_down(running, background, distances):
    for j in range(distances.size):
        distance = running.dtype.type(running[j] + 1)
        distance = running.dtype.type(0) if background[j] else distance
        running[j] = distance
        distances[j] = distance


@jit_part
def _step_up(running, distances):
    for j in range(distances.size):
        after, before = running.dtype.type(running[j] + 1), distances[j]
        running[j] = min(after, before)


@jit_part
def _price_row(distances, squared, step, far, unreachable, costs):
    if squared:
        for j in range(costs.size):
            distance = costs.dtype.type(distances[j]) * step
            costs[j] = distance * distance if distances[j] < far else unreachable
    else:
        for j in range(costs.size):
            costs[j] = distances[j] if distances[j] < far else unreachable


@jit
def along_rows(costs, metric, step, cheapest, far):
    """
    Lower costs by a move along the middle axis of ``costs``, whose last axis makes the rows.

    Parameters
    ----------
    costs, cheapest : numpy.ndarray
        3-D; the latter is the result.
    metric, step
        As in `distance`; EUCLIDEAN or CHESSBOARD, and the step of the dtype of the costs.
    far : numpy.ndarray of bool
        Shape (outer, tiles): set where the result is not found, for lines that need envelopes.
    """
    outer, length, inner = costs.shape
    for i in range(outer):
        for tile in range(far.shape[1]):
            left, right = tile * TILE, min((tile + 1) * TILE, inner)
            for y in range(length):
                row = cheapest[i, y, left:right]
                _copy(costs[i, y, left:right], row)
                near = _lower_row(costs[i], y, left, right, metric, step, row)
                if not near:
                    far[i, tile] = True
                    break


@jit_part
def _lower_row(costs, y, left, right, metric, step, row):
    """Lower one row by those around it; return False if it needs some farther than NEAR."""
    last, at_least = len(costs) - 1, metric == CHESSBOARD
    for d in range(1, NEAR + 1, 4):
        if _price(metric, step, d) >= _largest(row) or (y < d and y + d > last):
            return True
        # At the ends of the axis a row comes again, for more than it costs.
        _lower_by_four(
            costs[max(y - d, 0), left:right], costs[min(y + d, last), left:right],
            _price(metric, step, d),
            costs[max(y - d - 1, 0), left:right], costs[min(y + d + 1, last), left:right],
            _price(metric, step, d + 1),
            costs[max(y - d - 2, 0), left:right], costs[min(y + d + 2, last), left:right],
            _price(metric, step, d + 2),
            costs[max(y - d - 3, 0), left:right], costs[min(y + d + 3, last), left:right],
            _price(metric, step, d + 3), at_least, row,
        )  # fmt: skip
    return _price(metric, step, NEAR + 1) >= _largest(row)


@jit
def along_lines(costs, metric, step, unreachable, cheapest, far):
    """
    As `along_rows`, with a move along the last axis of two.

    ``far`` is of shape (lines, 1).
    """
    lines, length = costs.shape
    wide = np.full(length + 2 * NEAR, unreachable, costs.dtype)
    first = NEAR
    for i in range(lines):
        _copy(costs[i], wide[first : first + length])
        for left in range(0, length, TILE):
            right = min(left + TILE, length)
            row = cheapest[i, left:right]
            _copy(costs[i, left:right], row)
            near = _lower_segment(wide, first + left, first + right, length, metric, step, row)
            if not near:
                far[i, 0] = True
                break


@jit_part
def _lower_segment(wide, left, right, length, metric, step, row):
    for d in range(1, NEAR + 1, 4):
        if _price(metric, step, d) >= _largest(row) or d >= length:
            return True
        prices = (
            _price(metric, step, d), _price(metric, step, d + 1),
            _price(metric, step, d + 2), _price(metric, step, d + 3),
        )  # fmt: skip
        _lower_segment_by_four(wide, left, right, d, 1, prices, metric == CHESSBOARD, row)
    return _price(metric, step, NEAR + 1) >= _largest(row)


@jit_part
def _lower_segment_by_four(wide, left, right, d, stride, prices, at_least, row):
    """Lower a part of a line by what lies ``d`` pixels beside it, and three strides on."""
    second, third, fourth = d + stride, d + 2 * stride, d + 3 * stride
    _lower_by_four(
        wide[left - d : right - d], wide[left + d : right + d], prices[0],
        wide[left - second : right - second], wide[left + second : right + second], prices[1],
        wide[left - third : right - third], wide[left + third : right + third], prices[2],
        wide[left - fourth : right - fourth], wide[left + fourth : right + fourth], prices[3],
        at_least, row,
    )  # fmt: skip


@jit_part
def _price(metric, step, d):
    """Return what a move by ``d`` pixels adds to the cost, or makes it at least."""
    if metric == EUCLIDEAN:
        return (d * step) * (d * step)
    return d * step


@jit_part
def _lower_by_four(a1, b1, price1, a2, b2, price2, a3, b3, price3, a4, b4, price4, at_least, row):
    """As `_lower` four times, at one look at ``row``."""
    price1, price2 = row.dtype.type(price1), row.dtype.type(price2)
    price3, price4 = row.dtype.type(price3), row.dtype.type(price4)
    if at_least:
        for j in range(row.size):
            best = row[j]
            cost, other = a1[j], b1[j]
            cost = min(other, cost)
            cost = max(price1, cost)
            best = min(best, cost)
            cost, other = a2[j], b2[j]
            cost = min(other, cost)
            cost = max(price2, cost)
            best = min(best, cost)
            cost, other = a3[j], b3[j]
            cost = min(other, cost)
            cost = max(price3, cost)
            best = min(best, cost)
            cost, other = a4[j], b4[j]
            cost = min(other, cost)
            cost = max(price4, cost)
            row[j] = min(best, cost)
    else:
        for j in range(row.size):
            best = row[j]
            cost, other = a1[j], b1[j]
            cost = row.dtype.type((min(other, cost)) + price1)
            best = min(best, cost)
            cost, other = a2[j], b2[j]
            cost = row.dtype.type((min(other, cost)) + price2)
            best = min(best, cost)
            cost, other = a3[j], b3[j]
            cost = row.dtype.type((min(other, cost)) + price3)
            best = min(best, cost)
            cost, other = a4[j], b4[j]
            cost = row.dtype.type((min(other, cost)) + price4)
            row[j] = min(best, cost)


@jit_part
def _copy(row, copied):
    # An assignment to a slice is many times slower.
    for j in range(copied.size):
        copied[j] = row[j]


@jit_part
def _largest(row):
    most = row[0]
    for j in range(row.size):
        most = max(most, row[j])
    return most


@jit
def taxicab_rows(costs, cheapest):
    """As `along_rows`, for city blocks: every row is lowered by the one beside it."""
    outer, length, inner = costs.shape
    for i in range(outer):
        for left in range(0, inner, TILE):
            right = min(left + TILE, inner)
            _copy(costs[i, 0, left:right], cheapest[i, 0, left:right])
            for y in range(1, length):
                _lower_by_one(
                    cheapest[i, y - 1, left:right], costs[i, y, left:right],
                    cheapest[i, y, left:right],
                )  # fmt: skip
            for y in range(length - 2, -1, -1):
                row = cheapest[i, y, left:right]
                _lower_by_one(cheapest[i, y + 1, left:right], row, row)


@jit_part
def _lower_by_one(beside, costs, row):
    for j in range(row.size):
        stepped = row.dtype.type(beside[j] + 1)
        row[j] = min(costs[j], stepped)


@jit
def taxicab_lines(costs, unreachable, cheapest):
    """
    As `along_lines`, for city blocks, by moves of 1 to 4 pixels, then of 5, 10, 15 or 20, ….

    Of such moves every distance is made up. Moves as long as the largest cost lower nothing.
    """
    lines, length = costs.shape
    # As far as the longest moves of a turn may lead.
    margin = 4 * length
    wide = np.full(length + 2 * margin, unreachable, costs.dtype)
    for i in range(lines):
        row = cheapest[i]
        _copy(costs[i], row)
        d = 1
        while d < length and d < _largest(row):
            _copy(row, wide[margin : margin + length])
            # A move that leads beyond the line may cost less, and overflows nothing then.
            prices = (d, min(2 * d, length), min(3 * d, length), min(4 * d, length))
            _lower_segment_by_four(wide, margin, margin + length, d, d, prices, False, row)
            d *= 5


@jit
def roots(costs, distances):
    """Write the square roots of costs, which are integers; both 1-D."""
    table = np.sqrt(np.arange(TABULATED))
    for left in range(0, costs.size, TILE):
        part, out = costs[left : left + TILE], distances[left : left + TILE]
        if _largest(part) < TABULATED:
            for j in range(out.size):
                out[j] = table[np.uint64(part[j])]
        else:
            for j in range(out.size):
                out[j] = np.sqrt(np.float64(part[j]))
