"""
Distances to the nearest background pixel, one axis at a time.

The distance transform of an image is separable: along the first axis it is the
distance to the nearest background pixel of the same line; along every further
axis it is, line by line, the minimum over all pixels of the line of what they
found so far, combined with how far away they are. The scan that does this in a
time linear in the length of the line, for three metrics, is that of Meijster,
Roerdink & Hesselink, "A general algorithm for computing distance transforms in
linear time" (2000); for squared distances the minimum is the lower envelope of
parabolas of Felzenszwalb & Huttenlocher, "Distance transforms of sampled
functions" (2012).

A *cost* is what is minimised: the square of a Euclidean distance, the other
distances themselves. Where two pixels are equally near, the one of the lower
position along the line is taken, as in ``scipy.ndimage.distance_transform_edt``.
"""

import functools

import numpy as np

from dask_image._kernels._numba import jit, jit_allocating, jit_part, use_numba
from dask_image._kernels.blocks import distance_rows as by_rows
from dask_image._kernels.blocks.bits import trailing_zeros, unpack_lines
from dask_image._kernels.memory import recycled
from dask_image._kernels.patience import LONG, patient
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN, LONGEST_AXIS, TAXICAB, unreachable

# Lines that lie side by side are worked on together: as many as fill a cache line.
SIDE_BY_SIDE = 16

# Between two background pixels no more than this far apart, looking at all pixels is fastest.
SHORT_GAP = 12


@patient(nanoseconds=LONG)
def background_range(words, shape, start):
    """
    Return the first and the last background pixel of every line along the first axis.

    Parameters
    ----------
    words : numpy.ndarray of uint64
        The background of a block, as `pack_lines` makes it.
    shape : tuple of int
        Of the block.
    start : int
        Position of the block along the first axis.

    Returns
    -------
    first, last : numpy.ndarray of int32
        Positions along the first axis of the whole image, -1 where a line has
        no background in this block.
    """
    first = np.full(shape[1:], -1, dtype=np.int32)
    last = first.copy()
    if use_numba() and len(shape) > 1:
        words = words.reshape(shape[0], -1, words.shape[-1])
        for found, backwards in ((first, False), (last, True)):
            seen = np.zeros(words.shape[1:], np.uint64)
            _first_ones(words, start, backwards, seen, found.reshape(words.shape[1], -1))
        return first, last
    lines = unpack_lines(words, shape)
    found = lines.any(axis=0)
    first[found] = start + lines.argmax(axis=0)[found]
    last[found] = start + len(lines) - 1 - lines[::-1].argmax(axis=0)[found]
    return first, last


@jit
def _first_ones(words, start, backwards, seen, positions):
    """Write at which position along the first axis each line has its first one, or its last."""
    for number in range(len(words)):
        i = len(words) - 1 - number if backwards else number
        for line in range(words.shape[1]):
            for k in range(words.shape[2]):
                fresh = words[i, line, k] & ~seen[line, k]
                seen[line, k] |= fresh
                while fresh:
                    positions[line, 64 * k + np.int64(trailing_zeros(fresh))] = start + i
                    fresh &= fresh - np.uint64(1)


@patient(nanoseconds=LONG)
def nearest_on_first_axis(background, start, before, after):
    """
    Return the position of the nearest background pixel along the first axis.

    Parameters
    ----------
    background : numpy.ndarray of bool
    start : int
        Position of the block along the first axis.
    before, after : numpy.ndarray of int32
        Last background pixel before the block and first one after it, for every
        line along the first axis; -1 where there is none.

    Returns
    -------
    numpy.ndarray of int32
        Positions in the whole image; -1 where the line has no background at all.
    """
    lines = background.reshape(background.shape[0], -1)
    nearest = np.empty(lines.shape, dtype=np.int32)
    before, after = before.ravel(), after.ravel()
    if use_numba():
        _nearest_on_first_axis(lines, start, before.copy(), after.copy(), nearest)
    else:
        _nearest_on_first_axis_numpy(lines, start, before, after, nearest)
    return nearest.reshape(background.shape)


@jit
def _nearest_on_first_axis(lines, start, previous, following, nearest):
    # Where there is nothing it is so far away that it is never nearer; without
    # branches on the pixels, the inner loops become vector instructions.
    for line in range(lines.shape[1]):
        previous[line] = previous[line] if previous[line] >= 0 else -LONGEST_AXIS
        following[line] = following[line] if following[line] >= 0 else 3 * LONGEST_AXIS
    for i in range(lines.shape[0]):
        here = np.int32(start + i)
        for line in range(lines.shape[1]):
            previous[line] = here if lines[i, line] else previous[line]
            nearest[i, line] = previous[line]
    for i in range(lines.shape[0] - 1, -1, -1):
        here = np.int32(start + i)
        for line in range(lines.shape[1]):
            following[line] = here if lines[i, line] else following[line]
            before, after = nearest[i, line], following[line]
            found = after if after - here < here - before else before
            nearest[i, line] = max(found, np.int32(-1))


def _nearest_on_first_axis_numpy(lines, start, before, after, nearest):
    far = np.iinfo(np.int32).max
    here = np.arange(start, start + len(lines), dtype=np.int32)[:, np.newaxis]
    previous = np.where(lines, here, np.int32(-1))
    np.maximum(previous[0], before, out=previous[0])
    np.maximum.accumulate(previous, axis=0, out=previous)
    following = np.where(lines, here, np.int32(far))
    np.minimum(following[-1], np.where(after < 0, far, after), out=following[-1])
    following = np.minimum.accumulate(following[::-1], axis=0)[::-1]
    ahead = (following != far) & ((previous < 0) | (following - here < here - previous))
    nearest[...] = np.where(ahead, following, previous)


@patient(nanoseconds=LONG)
def costs_on_first_axis(background, start, before, after, metric, step, dtype):
    """
    Return what it costs to reach the nearest background pixel along the first axis.

    Parameters
    ----------
    background, start, before, after
        As for `nearest_on_first_axis`.
    metric : {EUCLIDEAN, TAXICAB, CHESSBOARD}
    step : number
        Distance between neighbouring pixels along the first axis.
    dtype : dtype
        Of the costs.

    Returns
    -------
    numpy.ndarray
    """
    dtype, limit = np.dtype(dtype), unreachable(dtype)
    if use_numba():
        costs = recycled(background.shape, dtype)
        rows = (len(background), -1)
        farthest = max(start + len(background), int(after.max(initial=0))) + len(background)
        narrow = np.uint16 if farthest < np.iinfo(np.uint16).max else np.int64
        distances = np.empty((len(background), by_rows.TILE), narrow)
        far = narrow(np.iinfo(narrow).max - len(background))
        beyond = by_rows.Beyond(start, before.ravel(), after.ravel(), far)
        squared = EUCLIDEAN if metric == EUCLIDEAN else None
        by_rows.first_axis(
            background.reshape(rows), beyond, by_rows.Price(squared, dtype.type(step), limit),
            (distances, np.empty(by_rows.TILE, narrow)), costs.reshape(rows),
        )  # fmt: skip
        return costs
    nearest = nearest_on_first_axis(background, start, before, after)
    here = np.arange(start, start + len(nearest), dtype=np.int32)
    here = here.reshape(-1, *(1,) * (nearest.ndim - 1))
    costs = costs_of([nearest], [here], metric, [step], dtype)
    costs[nearest < 0] = limit
    return costs


def costs_of(features, positions, metric, steps, dtype):
    """
    Return what it costs each pixel to reach the background pixel it has found.

    Parameters
    ----------
    features : sequence of numpy.ndarray of int32
        Positions of that background pixel along the first axes, one array an
        axis; those of the first axis are -1 where none is found.
    positions : sequence of numpy.ndarray of int32
        Positions of the pixels themselves, broadcastable against ``features``.
    metric : {EUCLIDEAN, TAXICAB, CHESSBOARD}
    steps : sequence of number
        Distance between neighbouring pixels along each axis.
    dtype : dtype
        Of the costs.

    Returns
    -------
    numpy.ndarray
    """
    costs = np.zeros(features[0].shape, dtype=dtype)
    for found, here, step in zip(features, positions, steps, strict=False):
        distance = (found - here).astype(dtype, copy=False)
        if metric == EUCLIDEAN:
            if step != 1:
                distance *= step
            distance *= distance
            costs += distance
        else:
            combine = np.add if metric == TAXICAB else np.maximum
            combine(costs, np.abs(distance, out=distance), out=costs)
    return costs


@patient(nanoseconds=LONG)
def cheapest_costs(costs, axis, metric, step):
    """
    Return the least cost of reaching the background by a move along ``axis``.

    Parameters
    ----------
    costs : numpy.ndarray
        What the background costs without a move along ``axis``.
    axis : int
        The block must hold whole lines along it.
    metric : {EUCLIDEAN, TAXICAB, CHESSBOARD}
    step : number
        Distance between neighbouring pixels along ``axis``.

    Returns
    -------
    numpy.ndarray
        Of the dtype and shape of ``costs``.
    """
    if not use_numba():
        return _along_axis(costs, axis, metric, step, want_costs=True)
    before = int(np.prod(costs.shape[:axis], dtype=np.int64))
    lines = np.ascontiguousarray(costs).reshape(before, costs.shape[axis], -1)
    flat, cheapest = lines.reshape(-1), recycled((costs.size,), costs.dtype)
    step, limit = costs.dtype.type(step), unreachable(costs.dtype)
    inner = lines.shape[2]
    if metric == TAXICAB:
        if inner == 1:
            wide = _lengthened(lines, by_rows.LONGEST_MOVE * lines.shape[1])
            by_rows.taxicab_lines(flat, lines.shape[1], wide, cheapest)
        else:
            by_rows.taxicab_rows(flat, lines.shape, cheapest)
        return cheapest.reshape(costs.shape)
    far = np.zeros((before, -(-inner // by_rows.TILE)), bool)
    # What is None is not compiled.
    at_least = 1 if metric == CHESSBOARD else None
    if inner == 1:
        wide = _lengthened(lines, by_rows.NEAR)
        by_rows.along_lines(flat, lines.shape[1], at_least, step, wide, cheapest, far)
    else:
        by_rows.along_rows(flat, lines.shape, at_least, step, cheapest, far)
    if far.any():
        price = by_rows.Price(metric, step, limit)
        nothing, found = np.empty((0, 0, 0), np.int32), cheapest.reshape(lines.shape)
        _lines_along_axis(lines, price, far, by_rows.TILE, found, nothing)
    return cheapest.reshape(costs.shape)


def _lengthened(lines, margin):
    """Return unreachable pixels, as many as a line has and ``margin`` more at both ends of it."""
    return np.full(lines.shape[1] + 2 * margin, unreachable(lines.dtype), lines.dtype)


@patient(nanoseconds=LONG)
def cheapest_positions(costs, axis, metric, step):
    """
    Return the position along ``axis`` that the least cost comes from, -1 if none.

    Takes what `cheapest_costs` takes, and returns an array of int32.
    """
    return _along_axis(costs, axis, metric, step, want_costs=False)


@patient(nanoseconds=LONG)
def roots(costs):
    """Return the square roots of costs, float64."""
    if not use_numba() or costs.dtype.kind == "f":
        return np.sqrt(costs, dtype=np.float64)
    distances = recycled(costs.shape)
    by_rows.roots(np.ascontiguousarray(costs).reshape(-1), _table_of_roots(), distances.reshape(-1))
    return distances


@functools.cache
def _table_of_roots():
    return np.sqrt(np.arange(by_rows.TABULATED))


@patient(nanoseconds=LONG)
def take_features(features, nearest, axis):
    """
    Return the features of the positions along ``axis`` that `cheapest_positions` found.

    Parameters
    ----------
    features : numpy.ndarray of int32
        Stacked along the first axis.
    nearest : numpy.ndarray of int32
        Positions along axis ``axis`` of one feature.

    Returns
    -------
    numpy.ndarray of int32
        One feature more than ``features``: the last one is ``nearest`` itself.
    """
    taken = np.empty((len(features) + 1, *nearest.shape), dtype=np.int32)
    taken[-1] = nearest
    if use_numba():
        before = int(np.prod(nearest.shape[:axis], dtype=np.int64))
        after = int(np.prod(nearest.shape[axis + 1 :], dtype=np.int64))
        lines = (before, nearest.shape[axis], after)
        features = np.ascontiguousarray(features).reshape(-1, *lines)
        _take_features(features, nearest.reshape(lines), taken.reshape(-1, *lines))
    else:
        for number, feature in enumerate(features):
            taken[number] = np.take_along_axis(feature, nearest, axis=axis)
    return taken


@jit
def _take_features(features, nearest, taken):
    for number in range(features.shape[0]):
        for i in range(nearest.shape[0]):
            for x in range(nearest.shape[1]):
                for k in range(nearest.shape[2]):
                    taken[number, i, x, k] = features[number, i, nearest[i, x, k], k]


def _along_axis(costs, axis, metric, step, want_costs):
    shape = costs.shape
    before = int(np.prod(shape[:axis], dtype=np.int64))
    lines = np.ascontiguousarray(costs).reshape(before, shape[axis], -1)
    limit = unreachable(costs.dtype)
    if use_numba():
        nearest = np.empty(lines.shape, dtype=np.int32)
        wanted = np.ones((before, 1), bool)
        price = by_rows.Price(metric, costs.dtype.type(step), limit)
        nothing = np.empty((0, 0, 0), costs.dtype)
        _lines_along_axis(lines, price, wanted, lines.shape[2], nothing, nearest)
        return nearest.reshape(shape)
    rows = np.moveaxis(lines, 1, 0).reshape(shape[axis], -1)
    nearest = _nearest_in_rows(np.ascontiguousarray(rows), limit, metric, step)
    result = nearest
    if want_costs:
        result = _costs_in_rows(rows, limit, metric, step, nearest)
    result = result.reshape(shape[axis], before, -1).swapaxes(0, 1)
    return np.ascontiguousarray(result).reshape(shape)


@jit_part
def _cost(metric, step, x, site, cost):
    """Cost at position ``x`` of what ``site`` has found."""
    if metric == EUCLIDEAN:
        distance = (x - site) * step
        return cost + distance * distance
    if metric == TAXICAB:
        return cost + abs(x - site)
    return max(cost, abs(x - site))


@jit_part
def _separation(metric, step, length, low, high, low_cost, high_cost):
    """Last position at which site ``low`` costs no more than the later site ``high``."""
    if metric == EUCLIDEAN:
        weight = 2.0 * step * step * (high - low)
        if weight == 0.0:
            return length
        where = np.floor((high + low) * 0.5 + (high_cost - low_cost) / weight)
        return int(min(where, float(length)))
    if metric == TAXICAB:
        if high_cost >= low_cost + high - low:
            return length
        return (high_cost - low_cost + high + low) // 2
    if low_cost <= high_cost:
        return max(low + high_cost, (low + high) // 2)
    return min(high - low_cost, (low + high) // 2)


@jit_part
def _line(costs, limit, metric, step, sites, begins, nearest):
    """Find, for every position of a line, the site of least cost."""
    length = costs.size
    x = 0
    while x < length:
        if costs[x] == 0:
            nearest[x] = x
            x += 1
            continue
        # Nothing beyond the background pixels at both ends of a gap is nearer than they are.
        first = x
        while x < length and costs[x] != 0:
            x += 1
        if 0 < first and x < length and x - first < SHORT_GAP:
            _short_gap(costs, metric, step, first, x, nearest)
        else:
            _gap(costs, limit, metric, step, first, x, sites, begins, nearest)


@jit_part
def _short_gap(costs, metric, step, first, stop, nearest):
    """Look around each position from ``first`` to ``stop``, which have background at both ends."""
    for x in range(first, stop):
        best, site = costs[x], x
        for reach in range(1, stop - first + 1):
            if _cost(metric, step, reach, 0, 0) > best:
                break
            low, high = x - reach, x + reach
            if low >= first - 1:
                cost = _cost(metric, step, x, low, costs[low])
                if cost < best or (cost == best and low < site):
                    best, site = cost, low
            if high <= stop:
                cost = _cost(metric, step, x, high, costs[high])
                if cost < best:
                    best, site = cost, high
        nearest[x] = site


@jit_part
def _gap(costs, limit, metric, step, first, stop, sites, begins, nearest):
    """Scan the positions from ``first`` to ``stop`` and the background at their ends, if any."""
    low, end = max(first - 1, 0), min(stop + 1, costs.size)
    top = -1
    for new in range(low, end):
        if costs[new] == limit:
            continue
        while top >= 0:
            begin, old = begins[top], sites[top]
            if _cost(metric, step, begin, old, costs[old]) <= _cost(
                metric, step, begin, new, costs[new]
            ):
                break
            top -= 1
        if top < 0:
            begin = low
        else:
            old = sites[top]
            last = _separation(metric, step, end, old, new, costs[old], costs[new])
            begin = max(last, begins[top]) + 1
        if begin < end:
            top += 1
            sites[top] = new
            begins[top] = begin
    for x in range(end - 1, low - 1, -1):
        if top < 0:
            nearest[x] = -1
        else:
            nearest[x] = sites[top]
            if x == begins[top]:
                top -= 1


@jit_allocating
def _lines_along_axis(lines, price, wanted, tile, cheapest, nearest):
    """
    Work on the middle axis of ``lines``; an empty output is not wanted.

    ``wanted`` tells, for ``tile`` lines side by side each, whether to work on them.
    """
    metric, step, limit = price
    outer, length, inner = lines.shape
    buffer = np.empty((SIDE_BY_SIDE, length), dtype=lines.dtype)
    found = np.empty((SIDE_BY_SIDE, length), dtype=np.int32)
    sites = np.empty(length, dtype=np.int64)
    begins = np.empty(length, dtype=np.int64)
    for i in range(outer):
        for start in range(0, inner, SIDE_BY_SIDE):
            if not wanted[i, start // tile]:
                continue
            width = min(SIDE_BY_SIDE, inner - start)
            for x in range(length):
                for k in range(width):
                    buffer[k, x] = lines[i, x, start + k]
            for k in range(width):
                _line(buffer[k], limit, metric, step, sites, begins, found[k])
            for x in range(length):
                for k in range(width):
                    site = found[k, x]
                    if nearest.size > 0:
                        nearest[i, x, start + k] = site
                    elif site < 0:
                        cheapest[i, x, start + k] = limit
                    else:
                        cheapest[i, x, start + k] = _cost(metric, step, x, site, buffer[k, site])


def _nearest_in_rows(rows, limit, metric, step):
    """
    Do for all lines at once what ``_line`` does for one.

    ``rows[x, line]`` holds the costs; the stacks of sites of all lines are rows too.
    """
    length, count = rows.shape
    columns = np.arange(count)
    sites = np.zeros((length, count), dtype=np.int64)
    begins = np.zeros((length, count), dtype=np.int64)
    top = np.full(count, -1)
    for new in range(length):
        active = columns[rows[new] != limit]
        popping = active[top[active] >= 0]
        while popping.size:
            begin, old = begins[top[popping], popping], sites[top[popping], popping]
            stays = _costs(metric, step, begin, old, rows[old, popping]) <= _costs(
                metric, step, begin, new, rows[new, popping]
            )
            popping = popping[~stays]
            top[popping] -= 1
            popping = popping[top[popping] >= 0]
        begin = np.zeros(active.size, dtype=np.int64)
        stacked = top[active] >= 0
        line = active[stacked]
        old = sites[top[line], line]
        last = _separations(metric, step, length, old, new, rows[old, line], rows[new, line])
        begin[stacked] = np.maximum(last, begins[top[line], line]) + 1
        pushed = active[begin < length]
        top[pushed] += 1
        sites[top[pushed], pushed] = new
        begins[top[pushed], pushed] = begin[begin < length]
    nearest = np.full(rows.shape, -1, dtype=np.int32)
    for x in range(length - 1, -1, -1):
        line = columns[top >= 0]
        nearest[x, line] = sites[top[line], line]
        done = line[begins[top[line], line] == x]
        top[done] -= 1
    return nearest


def _costs_in_rows(rows, limit, metric, step, nearest):
    x = np.arange(len(rows))[:, np.newaxis]
    costs = np.take_along_axis(rows, np.maximum(nearest, 0), axis=0)
    cheapest = _costs(metric, step, x, nearest, costs)
    return np.where(nearest < 0, limit, cheapest).astype(rows.dtype)


def _costs(metric, step, x, site, cost):
    if metric == EUCLIDEAN:
        return cost + np.square((x - site) * step)
    if metric == TAXICAB:
        return cost + np.abs(x - site)
    return np.maximum(cost, np.abs(x - site))


def _separations(metric, step, length, low, high, low_cost, high_cost):
    if low_cost.dtype.kind == "i":
        low_cost, high_cost = low_cost.astype(np.int64), high_cost.astype(np.int64)
    if metric == EUCLIDEAN:
        weight = 2.0 * step * step * (high - low)
        if step == 0:
            return np.full(low.shape, length)
        where = np.floor((high + low) * 0.5 + (high_cost - low_cost) / weight)
        return np.minimum(where, length).astype(np.int64)
    middle = (low + high) // 2
    if metric == TAXICAB:
        where = (high_cost - low_cost + high + low) // 2
        return np.where(high_cost >= low_cost + high - low, length, where)
    later, earlier = np.maximum(low + high_cost, middle), np.minimum(high - low_cost, middle)
    return np.where(low_cost <= high_cost, later, earlier)
