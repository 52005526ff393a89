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

from dask_image._kernels._numba import jit, jit_inline, jit_part

# Offsets tried before a tile of rows is left to the envelopes.
NEAR = 64

# So many pixels of a row are worked on together: with all that is around them they stay in
# the second cache, and one pixel that is far away slows down no more than these.
TILE = 512

# How far a turn of moves of city blocks leads, in lengths of a line.
LONGEST_MOVE = 4

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
    far : integer
        The distance of no background at all: the largest of its dtype less the block's length.
    """

    start: int
    before: Any
    after: Any
    far: Any


class Price(NamedTuple):
    """
    What a move costs, as in `distance`: the step and what is unreachable have costs' dtype.

    ``metric`` may be None: what is None is not compiled. Of `first_axis` it is, unless a
    cost is the square of a distance.
    """

    metric: Any
    step: Any
    unreachable: Any


@jit
def first_axis(background, beyond, price, scratch, costs):
    """
    Write what the nearest background along the first axis costs.

    Parameters
    ----------
    background : numpy.ndarray of bool
        2-D: the first axis, and all others.
    beyond : Beyond
    price : Price
    scratch : tuple of numpy.ndarray
        As long as ``background`` and ``TILE`` wide, and of ``TILE``; of the dtype of the distance
        ``far``, which holds more than any distance and the length together.
    costs : numpy.ndarray
        Of the shape of ``background``: the result.
    """
    start, before, after, far = beyond
    squared, step, unreachable = price
    distances, running = scratch
    length, count = background.shape
    for left in range(0, count, TILE):
        right = left + TILE if left + TILE < count else count
        row = running[: right - left]
        for k in range(row.size):
            row[k] = start - 1 - before[left + k] if before[left + k] >= 0 else far
        for i in range(length):
            _step_down(row, background[i, left:right], distances[i, : row.size])
        for k in range(row.size):
            row[k] = after[left + k] - start - length if after[left + k] >= 0 else far
        for i in range(length - 1, -1, -1):
            _step_up(row, distances[i, : row.size])
            _price_row(row, squared, step, far, unreachable, costs[i, left:right])


@jit_inline
def _step_down(running, background, distances):
    for j in range(distances.size):
        distance = running.dtype.type(running[j] + 1)
        distance = running.dtype.type(0) if background[j] else distance
        running[j] = distance
        distances[j] = distance


@jit_inline
def _step_up(running, distances):
    for j in range(distances.size):
        after, before = running.dtype.type(running[j] + 1), distances[j]
        running[j] = after if after < before else before


@jit_inline
def _price_row(distances, squared, step, far, unreachable, costs):
    if squared is not None:
        for j in range(costs.size):
            distance = costs.dtype.type(distances[j]) * step
            costs[j] = distance * distance if distances[j] < far else unreachable
    else:
        for j in range(costs.size):
            costs[j] = distances[j] if distances[j] < far else unreachable


@jit
def along_rows(costs, shape, at_least, step, cheapest, far):
    """
    Lower costs by a move along the middle one of three axes, the last of which makes the rows.

    Parameters
    ----------
    costs, cheapest : numpy.ndarray
        1-D, the pixels in raster order; the latter is the result.
    shape : tuple of int
        Three numbers.
    at_least
        None for EUCLIDEAN costs, anything else for CHESSBOARD: they are at least what a move costs.
    step
        As in `distance`; of the dtype of the costs.
    far : numpy.ndarray of bool
        Shape (outer, tiles): set where the result is not found, for lines that need envelopes.
    """
    outer, length, inner = shape
    for i in range(outer):
        for tile in range(far.shape[1]):
            left = tile * TILE
            count = inner - left if inner - left < TILE else TILE
            for y in range(length):
                here = (i * length + y) * inner + left
                _copy(costs, here, cheapest, here, count)
                place = here, y, length - 1 - y, inner
                if not _lower_row(costs, place, at_least, step, cheapest, count):
                    far[i, tile] = True
                    break


@jit_inline
def _lower_row(costs, place, at_least, step, cheapest, count):
    """Lower one row by those around it; return False if it needs some farther than NEAR."""
    here, before, after, inner = place
    for d in range(1, NEAR + 1, 4):
        if _none_is_dearer(at_least, step, d, cheapest, here, count) or (d > before and d > after):
            return True
        # At the ends of the axis a row comes again, for more than it costs.
        low = here - inner * d if d < before else here - inner * before
        high = here + inner * d if d < after else here + inner * after
        low1 = low - inner if d < before else low
        high1 = high + inner if d < after else high
        low2 = low1 - inner if d + 1 < before else low1
        high2 = high1 + inner if d + 1 < after else high1
        low3 = low2 - inner if d + 2 < before else low2
        high3 = high2 + inner if d + 2 < after else high2
        _lower_by_four(
            costs, (low, low1, low2, low3), (high, high1, high2, high3),
            _prices(at_least, step, d), at_least, cheapest, here, count,
        )  # fmt: skip
    return _none_is_dearer(at_least, step, NEAR + 1, cheapest, here, count)


@jit
def along_lines(costs, length, at_least, step, wide, cheapest, far):
    """
    As `along_rows`, with a move along the last axis of two; a line has ``length`` pixels.

    ``far`` is of shape (lines, 1). ``wide`` is scratch, longer than a line by `NEAR` unreachable
    pixels at both ends.
    """
    near = NEAR + 0 * length  # a literal would have a function compiled once more
    for i in range(len(far)):
        start = i * length
        _copy(costs, start, wide, near, length)
        for left in range(0, length, TILE):
            count = length - left if length - left < TILE else TILE
            _copy(costs, start + left, cheapest, start + left, count)
            place = near + left, start + left, length
            if not _lower_segment(wide, place, at_least, step, cheapest, count):
                far[i, 0] = True
                break


@jit_inline
def _lower_segment(wide, place, at_least, step, cheapest, count):
    """As `_lower_row`, for a part of a line."""
    here, to, length = place
    for d in range(1, NEAR + 1, 4):
        if _none_is_dearer(at_least, step, d, cheapest, to, count) or d >= length:
            return True
        _lower_by_four(
            wide, (here - d, here - d - 1, here - d - 2, here - d - 3),
            (here + d, here + d + 1, here + d + 2, here + d + 3),
            _prices(at_least, step, d), at_least, cheapest, to, count,
        )  # fmt: skip
    return _none_is_dearer(at_least, step, NEAR + 1, cheapest, to, count)


@jit_part
def _price(at_least, step, d):
    """Return what a move by ``d`` pixels adds to the cost, or makes it at least."""
    if at_least is None:
        return (d * step) * (d * step)
    return d * step


@jit_part
def _prices(at_least, step, d):
    """Return the price of a move, and of those one, two and three pixels longer."""
    return (
        _price(at_least, step, d), _price(at_least, step, d + 1),
        _price(at_least, step, d + 2), _price(at_least, step, d + 3),
    )  # fmt: skip


@jit_part
def _none_is_dearer(at_least, step, d, costs, start, count):
    """Tell whether no pixel costs more than a move by ``d`` does."""
    return _price(at_least, step, d) >= _largest(costs, start, count)


@jit_part
def _lower_by_four(costs, before, after, prices, at_least, row, to, count):
    """Lower ``row`` by what begins at four places before it and four after it, at one look."""
    a1, a2, a3, a4 = before
    b1, b2, b3, b4 = after
    # Unsigned, or each would be checked for whether it counts from the end.
    a1, a2, a3, a4 = np.uint64(a1), np.uint64(a2), np.uint64(a3), np.uint64(a4)
    b1, b2, b3, b4 = np.uint64(b1), np.uint64(b2), np.uint64(b3), np.uint64(b4)
    kind, to = row.dtype.type, np.uint64(to)
    price1, price2, price3, price4 = prices
    price1, price2, price3, price4 = kind(price1), kind(price2), kind(price3), kind(price4)
    for j in range(np.uint64(count)):
        best = row[to + j]
        cost, other = costs[a1 + j], costs[b1 + j]
        cost = cost if cost < other else other
        if at_least is None:
            cost = kind(cost + price1)
        else:
            cost = price1 if cost < price1 else cost
        best = cost if cost < best else best
        cost, other = costs[a2 + j], costs[b2 + j]
        cost = cost if cost < other else other
        if at_least is None:
            cost = kind(cost + price2)
        else:
            cost = price2 if cost < price2 else cost
        best = cost if cost < best else best
        cost, other = costs[a3 + j], costs[b3 + j]
        cost = cost if cost < other else other
        if at_least is None:
            cost = kind(cost + price3)
        else:
            cost = price3 if cost < price3 else cost
        best = cost if cost < best else best
        cost, other = costs[a4 + j], costs[b4 + j]
        cost = cost if cost < other else other
        if at_least is None:
            cost = kind(cost + price4)
        else:
            cost = price4 if cost < price4 else cost
        row[to + j] = cost if cost < best else best


@jit_part
def _copy(source, start, target, to, count):
    # An assignment to a slice is many times slower.
    s, t = np.uint64(start), np.uint64(to)
    for j in range(np.uint64(count)):
        target[t + j] = source[s + j]


@jit_part
def _largest(costs, start, count):
    s = np.uint64(start)
    most = costs[s]
    for j in range(np.uint64(count)):
        most = costs[s + j] if costs[s + j] > most else most
    return most


@jit
def taxicab_rows(costs, shape, cheapest):
    """As `along_rows`, for city blocks: every row is lowered by the one beside it."""
    outer, length, inner = shape
    for i in range(outer):
        for left in range(0, inner, TILE):
            count = inner - left if inner - left < TILE else TILE
            here = i * length * inner + left
            _copy(costs, here, cheapest, here, count)
            for _ in range(1, length):
                here += inner
                _lower_by_one(cheapest, here - inner, costs, here, cheapest, count)
            for _ in range(1, length):
                here -= inner
                _lower_by_one(cheapest, here + inner, cheapest, here, cheapest, count)


@jit_part
def _lower_by_one(beside, start, costs, here, row, count):
    s, t = np.uint64(start), np.uint64(here)
    for j in range(np.uint64(count)):
        stepped, cost = row.dtype.type(beside[s + j] + 1), costs[t + j]
        row[t + j] = cost if cost < stepped else stepped


@jit
def taxicab_lines(costs, length, wide, cheapest):
    """
    As `along_lines`, for city blocks, by moves of 1 to 4 pixels, then of 5, 10, 15 or 20, ….

    Of such moves every distance is made up. Moves as long as the largest cost lower nothing.
    At both ends of ``wide``, which is scratch, are as many unreachable pixels as the longest moves
    of a turn may pass, ``LONGEST_MOVE`` times a line.
    """
    here = LONGEST_MOVE * length
    for start in range(0, costs.size, length):
        _copy(costs, start, cheapest, start, length)
        d = 1
        while d < length and d < _largest(cheapest, start, length):
            _copy(cheapest, start, wide, here, length)
            # A move that leads beyond the line may cost less, and overflows nothing then.
            prices = (d, min(2 * d, length), min(3 * d, length), min(4 * d, length))
            _lower_by_four(
                wide, (here - d, here - 2 * d, here - 3 * d, here - 4 * d),
                (here + d, here + 2 * d, here + 3 * d, here + 4 * d),
                prices, None, cheapest, start, length,
            )  # fmt: skip
            d *= 5


@jit
def roots(costs, table, distances):
    """
    Write the square roots of costs, which are integers; both 1-D.

    ``table`` holds those of all integers below ``TABULATED``.
    """
    for left in range(0, costs.size, TILE):
        count = costs.size - left if costs.size - left < TILE else TILE
        s = np.uint64(left)
        if _largest(costs, left, count) < TABULATED:
            for j in range(np.uint64(count)):
                distances[s + j] = table[np.uint64(costs[s + j])]
        else:
            for j in range(np.uint64(count)):
                distances[s + j] = np.sqrt(np.float64(costs[s + j]))
