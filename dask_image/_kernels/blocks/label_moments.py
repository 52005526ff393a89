"""
Measure the labels of one block, in one pass over runs of equal labels.

A block of labels is first cut into runs: stretches of a row (the last axis) that
hold one label. What is measured then costs a scatter a run rather than a pixel.
Every function here has two bodies with the same result, one compiled by numba and
one of NumPy calls; ``use_numba`` chooses.

Means and centred sums are combined by the pairwise rule of Chan, Golub and LeVeque
("Updating formulae and a pairwise algorithm for computing sample variances", 1979),
so that a large offset of the values costs no digits. For the same reason means are
kept as the distance from one of the label's own values, its shift.
"""

from typing import NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, use_numba

# A table over the range of labels replaces sorting them, as long as it is no larger
# than this many times the number of runs, or this many entries.
TABLE_RUNS = 16
TABLE_ENTRIES = 1 << 16

# Dtypes that the compiled kernels take as they are; others are widened, which keeps the
# values and saves compiling a version for each.
_LABEL_TYPES = {
    "b1": "u1", "i1": "i4", "u1": "u1", "i2": "i4", "u2": "u2",
    "i4": "i4", "u4": "i8", "i8": "i8", "u8": "u8",
}  # fmt: skip
_VALUE_TYPES = {
    "b1": "u1", "i1": "i2", "u1": "u1", "i2": "i2", "u2": "u2", "i4": "i4", "u4": "i8",
    "i8": "i8", "u8": "u8", "f2": "f4", "f4": "f4", "f8": "f8",
}  # fmt: skip

COUNT, SUM, SQUARES, SHIFT, SHIFTED, WEIGHTED = 0, 1, 2, 3, 4, 5
"""Columns of the intensity moments; the coordinate sums start at ``WEIGHTED``."""


_GEOMETRY_FIELDS = ("count", "lower", "upper", "coordinates", "products")


class LabelRuns(NamedTuple):
    """
    A block of labels as runs.

    Attributes
    ----------
    labels : numpy.ndarray
        Labels present, ascending and distinct.
    slots : numpy.ndarray of int32
        For each run the position of its label in ``labels``.
    starts : numpy.ndarray of int64
        Where each run starts in the flattened block, and then the block's size.
    shape : tuple of int
        Shape of the block.
    """

    labels: np.ndarray
    slots: np.ndarray
    starts: np.ndarray
    shape: tuple


def as_rows(block):
    """Return ``block`` as a C-contiguous 2-D array of its rows along the last axis."""
    columns = block.shape[-1] if block.ndim else 1
    rows = block.size // columns if columns else 0
    return np.ascontiguousarray(block).reshape(rows, columns)


def find_runs(labels):
    """
    Cut a block of labels into runs.

    Parameters
    ----------
    labels : numpy.ndarray
        Integer or boolean labels, of any shape.

    Returns
    -------
    LabelRuns
    """
    dtype = labels.dtype
    rows = as_rows(labels).astype(_LABEL_TYPES[dtype.str[1:]], copy=False)
    if rows.size == 0:
        return LabelRuns(np.empty(0, dtype), np.empty(0, np.int32), np.zeros(1, np.int64),
                         labels.shape)  # fmt: skip
    starts = _run_starts(rows) if use_numba() else _run_starts_numpy(rows)
    values = rows.reshape(-1)[starts[:-1]]
    present, slots = _rank(values)
    return LabelRuns(present.astype(dtype), slots, starts, labels.shape)


@jit
def _run_starts(labels):
    rows, columns = labels.shape
    changes = 0
    for row in range(rows):
        for column in range(1, columns):
            changes += labels[row, column] != labels[row, column - 1]
    starts = np.empty(rows + changes + 1, np.int64)
    run = 0
    for row in range(rows):
        first = row * columns
        starts[run] = first
        run += 1
        for column in range(1, columns):
            # Written always and kept on a change: a branch would be mispredicted.
            starts[run] = first + column
            run += labels[row, column] != labels[row, column - 1]
    starts[run] = rows * columns
    return starts


def _run_starts_numpy(labels):
    change = np.ones(labels.shape, bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=change[:, 1:])
    return np.append(np.flatnonzero(change), labels.size)


def _rank(values):
    """Return the distinct values, ascending, and for each value its position among them."""
    low, high = int(values.min()), int(values.max())
    size = high - low + 1
    if size > max(TABLE_RUNS * values.size, TABLE_ENTRIES):
        present, slots = np.unique(values, return_inverse=True)
        return present, slots.astype(np.int32, copy=False)
    low = values.dtype.type(low)
    if use_numba():
        return _rank_by_table(values, low, size)
    offsets = (values - low).astype(np.intp)
    table = np.zeros(size, bool)
    table[offsets] = True
    present = np.flatnonzero(table).astype(values.dtype) + low
    return present, (np.cumsum(table, dtype=np.int32) - np.int32(1))[offsets]


@jit
def _rank_by_table(values, low, size):
    table = np.zeros(size, np.int32)
    for run in range(values.size):
        table[np.intp(values[run] - low)] = 1
    count = 0
    for entry in range(size):
        if table[entry]:
            table[entry] = count
            count += 1
    present = np.empty(count, values.dtype)
    slots = np.empty(values.size, np.int32)
    for run in range(values.size):
        slot = table[np.intp(values[run] - low)]
        slots[run] = slot
        present[slot] = values[run]
    return present, slots


class BlockLocation(NamedTuple):
    """
    Where a block lies in its image.

    Attributes
    ----------
    origin : tuple of int
        First pixel of the block.
    image_shape : tuple of int
        Shape of the image.
    """

    origin: tuple
    image_shape: tuple


def _row_coordinates(shape, location):
    """Return, a row of the block, the coordinates on all axes but the last: int64, 2-D."""
    leading = shape[:-1]
    rows = int(np.prod(leading, dtype=np.int64))
    grids = np.indices(leading, dtype=np.int64).reshape(len(leading), rows)
    return np.ascontiguousarray(grids.T) + np.array(location.origin[:-1], np.int64)


def _row_places(coordinates, location):
    """Return for each row of the block the raster position, in the image, of its first pixel."""
    strides = np.cumprod((1,) + location.image_shape[:0:-1], dtype=np.int64)[::-1]
    last = location.origin[-1] if location.origin else 0
    return coordinates @ strides[: coordinates.shape[1]] + last


def intensity_partial(runs, image, location):
    """
    Measure the values of each label of a block.

    Parameters
    ----------
    runs : LabelRuns
        The block's labels.
    image : numpy.ndarray
        The block's values, of the same shape.
    location : BlockLocation
        Where the block lies in the image.

    Returns
    -------
    dict of numpy.ndarray
        ``labels``; ``moments``, one row a label of the pixel count, the sum, the sum of
        squares about the mean, one of the values (the shift), the sum of the distances
        from it and, for each axis, the sum of value times coordinate (float64, or
        complex128 for complex values); ``extremes``, least and greatest
        value in the image's dtype, NaN counting as greater than any number; ``places``,
        the raster positions in the whole image where each occurs first.
    """
    count, ndim = runs.labels.size, len(runs.shape)
    complex_values = image.dtype.kind == "c"
    moments = np.zeros((count, WEIGHTED + ndim), np.complex128 if complex_values else np.float64)
    extremes = np.zeros((count, 2), image.dtype)
    places = np.zeros((count, 2), np.int64)
    partial = {"labels": runs.labels, "moments": moments, "extremes": extremes, "places": places}
    if count == 0:
        return partial
    rows = as_rows(image)
    coordinates = _row_coordinates(runs.shape, location)
    row_places = _row_places(coordinates, location)
    last = location.origin[-1] if ndim else 0
    kernel = _intensity_numpy
    if use_numba() and image.dtype.str[1:] in _VALUE_TYPES:
        kernel = _intensity_compiled
        rows = rows.astype(_VALUE_TYPES[image.dtype.str[1:]], copy=False)
        extremes = np.zeros((count, 2), rows.dtype)
    kernel(rows, runs.slots, runs.starts, coordinates, row_places, last, moments, extremes, places)
    partial["extremes"] = extremes.astype(image.dtype, copy=False)
    return partial


@jit
def _intensity_compiled(
    image, slots, starts, coordinates, row_places, last, moments, extremes, places
):
    # Indexed in full throughout: a row taken as a view would cost a reference count.
    columns = image.shape[1]
    leading = coordinates.shape[1]
    row = 0
    for run in range(slots.size):
        slot = slots[run]
        start = starts[run]
        while start >= (row + 1) * columns:
            row += 1
        start -= row * columns
        stop = starts[run + 1] - row * columns
        before = moments[slot, 0]
        if before == 0:
            extremes[slot, 0] = extremes[slot, 1] = image[row, start]
            places[slot, 0] = places[slot, 1] = row_places[row] + start
            if np.isfinite(image[row, start]):
                moments[slot, 3] = image[row, start]
        least, greatest = extremes[slot, 0], extremes[slot, 1]
        least_at, greatest_at = -1, -1
        shift = moments[slot, 3]
        total, shifted, weighted = 0.0, 0.0, 0.0
        for column in range(start, stop):
            value = image[row, column]
            total += value
            shifted += value - shift
            weighted += float(value) * column
            # NaN counts as the greatest: a number replaces it as the least, and
            # nothing replaces it as the greatest.
            if value < least or (np.isnan(least) and not np.isnan(value)):
                least, least_at = value, column
            if value > greatest or (np.isnan(value) and not np.isnan(greatest)):
                greatest, greatest_at = value, column
        if least_at >= 0:
            extremes[slot, 0], places[slot, 0] = least, row_places[row] + least_at
        if greatest_at >= 0:
            extremes[slot, 1], places[slot, 1] = greatest, row_places[row] + greatest_at
        count = stop - start
        squares = 0.0
        if count > 1:
            mean = shifted / count
            for column in range(start, stop):
                squares += (image[row, column] - shift - mean) ** 2
        if before > 0:
            both = count * before
            apart = (count * moments[slot, 4] - before * shifted) / both
            squares += apart * apart * (both / (count + before))
        moments[slot, 0] = before + count
        moments[slot, 1] += total
        moments[slot, 2] += squares
        moments[slot, 4] += shifted
        for axis in range(leading):
            moments[slot, 5 + axis] += total * coordinates[row, axis]
        if moments.shape[1] > 5:
            moments[slot, 5 + leading] += weighted + total * last


@np.errstate(all="ignore")
def _intensity_numpy(
    image, slots, starts, coordinates, row_places, last, moments, extremes, places
):
    columns = image.shape[1]
    values = image.reshape(-1)
    weights = values.astype(moments.dtype, copy=False)
    starts, lengths = starts[:-1], np.diff(starts)
    rows = starts // columns
    totals = np.add.reduceat(weights, starts)
    count = np.bincount(slots, lengths, len(moments))
    moments[:, COUNT] = count
    moments[:, SUM] = _sum_by_slot(slots, totals, len(moments))
    moments[slots[::-1], SHIFT] = weights[starts[::-1]]  # the label's first value is written last
    moments[~np.isfinite(moments[:, SHIFT]), SHIFT] = 0
    apart = weights - np.repeat(moments[slots, SHIFT], lengths)
    moments[:, SHIFTED] = _sum_by_slot(slots, np.add.reduceat(apart, starts), len(moments))
    apart -= np.repeat((moments[:, SHIFTED] / count)[slots], lengths)
    apart = np.add.reduceat((apart * apart.conj()).real, starts)
    moments[:, SQUARES] = np.bincount(slots, apart, len(moments))
    for axis in range(coordinates.shape[1]):
        moments[:, WEIGHTED + axis] = _sum_by_slot(
            slots, totals * coordinates[rows, axis], len(moments)
        )
    if moments.shape[1] > WEIGHTED:
        along = np.arange(last, last + columns, dtype=np.float64)
        weighted = np.add.reduceat((weights.reshape(image.shape) * along).reshape(-1), starts)
        moments[:, -1] = _sum_by_slot(slots, weighted, len(moments))
    for column, extremum in enumerate((np.fmin, np.maximum)):
        by_run = extremum.reduceat(values, starts)
        extremes[slots, column] = by_run
        extremum.at(extremes[:, column], slots, by_run)
        first = _first_equal(values, starts, lengths, slots, by_run, extremes[:, column])
        places[:, column] = row_places[first // columns] + first % columns


def _sum_by_slot(slots, values, count):
    """Sum ``values`` by slot, real or complex."""
    if values.dtype.kind == "c":
        real = np.bincount(slots, values.real, count)
        return real + 1j * np.bincount(slots, values.imag, count)
    return np.bincount(slots, values, count)


def _same(first, second):
    """Compare values, NaN equal to NaN."""
    return (first == second) | (np.isnan(first) & np.isnan(second))


def _first_equal(values, starts, lengths, slots, by_run, by_slot):
    """Return for each slot the flat position of the first pixel that holds its extremum."""
    runs = np.flatnonzero(_same(by_run, by_slot[slots]))
    run_of_slot = np.zeros(by_slot.size, np.intp)
    run_of_slot[slots[runs[::-1]]] = runs[::-1]  # the first run is written last, and stays
    lengths = lengths[run_of_slot]
    ends = np.cumsum(lengths)
    pixels = np.arange(ends[-1]) + np.repeat(starts[run_of_slot] - (ends - lengths), lengths)
    hits = np.flatnonzero(_same(values[pixels], np.repeat(by_slot, lengths)))
    return pixels[hits[np.searchsorted(hits, ends - lengths)]]


def merge_labels(partials):
    """
    Unite the labels of several partials.

    Parameters
    ----------
    partials : sequence of dict
        Each with ascending, distinct ``labels``.

    Returns
    -------
    labels : numpy.ndarray
        All labels, ascending and distinct.
    slots : list of numpy.ndarray of int32
        For each partial, where its labels are among them.
    """
    labels = [partial["labels"] for partial in partials]
    dtype = labels[0].dtype
    values = np.concatenate(labels).astype(_LABEL_TYPES[dtype.str[1:]], copy=False)
    if values.size == 0:
        return labels[0], [np.empty(0, np.int32) for _ in labels]
    present, slots = _rank(values)
    bounds = np.cumsum([part.size for part in labels[:-1]])
    return present.astype(dtype, copy=False), np.split(slots, bounds)


def merge_intensity(partials):
    """
    Merge partials of `intensity_partial` over the pixels of all.

    Parameters
    ----------
    partials : list of dict
        Partials of blocks that share no pixel.

    Returns
    -------
    dict
        As `intensity_partial` gives it for all those blocks at once.
    """
    labels, slots = merge_labels(partials)
    first = partials[0]
    moments = np.zeros((labels.size,) + first["moments"].shape[1:], first["moments"].dtype)
    extremes = np.zeros((labels.size, 2), first["extremes"].dtype)
    places = np.full((labels.size, 2), np.iinfo(np.int64).max)
    merge = _merge_intensity_numpy
    if use_numba() and extremes.dtype.str[1:] in _VALUE_TYPES.values():
        merge = _merge_intensity_compiled
    for partial, where in zip(partials, slots, strict=True):
        new = (partial["moments"], partial["extremes"], partial["places"])
        merge(where, moments, extremes, places, *new)
    return {"labels": labels, "moments": moments, "extremes": extremes, "places": places}


@jit
def _merge_intensity_compiled(
    where, moments, extremes, places, new_moments, new_extremes, new_places
):
    for row in range(where.size):
        slot = where[row]
        before, count = moments[slot, 0], new_moments[row, 0]
        if before == 0:
            for column in range(moments.shape[1]):
                moments[slot, column] = new_moments[row, column]
            for side in range(2):
                extremes[slot, side] = new_extremes[row, side]
                places[slot, side] = new_places[row, side]
            continue
        shift = new_moments[row, 3] - moments[slot, 3]
        apart = shift + new_moments[row, 4] / count - moments[slot, 4] / before
        for column in range(moments.shape[1]):
            if column != 3:
                moments[slot, column] += new_moments[row, column]
        moments[slot, 2] += apart * apart * (before * count / (count + before))
        moments[slot, 4] += shift * count
        for side in range(2):
            old, new = extremes[slot, side], new_extremes[row, side]
            if old == new or (np.isnan(old) and np.isnan(new)):
                places[slot, side] = min(places[slot, side], new_places[row, side])
                continue
            # NaN counts as greater than any number.
            greater = new > old or np.isnan(new)
            if greater == (side == 1):
                extremes[slot, side], places[slot, side] = new, new_places[row, side]


@np.errstate(all="ignore")
def _merge_intensity_numpy(where, moments, extremes, places, new_moments, new_extremes, new_places):
    unseen = moments[where, COUNT] == 0
    moments[where] = _add_moments(moments[where], new_moments)
    extremes[where[unseen]] = new_extremes[unseen]
    _keep_extremes(extremes, places, where, new_extremes, new_places)


def _add_moments(first, second):
    """Return the moments of pairs of groups put together; a group of ``first`` may be empty."""
    before, count = first[:, COUNT].real, second[:, COUNT].real
    merged = first + second
    merged[:, SHIFT] = np.where(before, first[:, SHIFT], second[:, SHIFT])
    shift = second[:, SHIFT] - merged[:, SHIFT]
    merged[:, SHIFTED] += shift * count
    apart = shift + second[:, SHIFTED] / count - first[:, SHIFTED] / np.maximum(before, 1)
    merged[:, SQUARES] += (apart * apart.conj()).real * (before * count / (before + count))
    return merged


def _keep_extremes(extremes, places, where, new_extremes, new_places):
    """Replace extremes, in place, by those that are further out, or equal and earlier."""
    old, new = extremes[where], new_extremes
    old_nan, new_nan = np.isnan(old), np.isnan(new)
    same = (old == new) | (old_nan & new_nan)
    further = np.stack(
        [
            (new[:, 0] < old[:, 0]) | (old_nan[:, 0] & ~new_nan[:, 0]),
            (new[:, 1] > old[:, 1]) | (new_nan[:, 1] & ~old_nan[:, 1]),
        ],
        axis=1,
    )
    take = further | (same & (new_places < places[where]))
    extremes[where] = np.where(take, new, old)
    places[where] = np.where(take, new_places, places[where])


@np.errstate(all="ignore")
def pool_intensity(partial, chosen):
    """
    Put several labels together into one group.

    Parameters
    ----------
    partial : dict
        As from `intensity_partial` or `merge_intensity`.
    chosen : numpy.ndarray of bool
        Which of its labels are meant.

    Returns
    -------
    dict
        The same measurements of a single group; no row if nothing is chosen.
    """
    moments, extremes = partial["moments"][chosen], partial["extremes"][chosen]
    places = partial["places"][chosen]
    if len(moments) == 0:
        return {"moments": moments, "extremes": extremes, "places": places}
    pooled = moments.sum(axis=0)
    shift = moments[:, SHIFT] - moments[0, SHIFT]
    pooled[SHIFT] = moments[0, SHIFT]
    pooled[SHIFTED] += (shift * moments[:, COUNT]).sum()
    apart = shift + moments[:, SHIFTED] / moments[:, COUNT] - pooled[SHIFTED] / pooled[COUNT]
    pooled[SQUARES] += (moments[:, COUNT] * apart * apart.conj()).real.sum()
    outer = [np.fmin.reduce(extremes[:, 0]), np.maximum.reduce(extremes[:, 1])]
    first = [places[_same(extremes[:, column], outer[column]), column].min() for column in range(2)]
    return {
        "moments": pooled[None],
        "extremes": np.array([outer], extremes.dtype),
        "places": np.array([first]),
    }


def geometry_partial(runs, location):
    """
    Measure where each label of a block lies.

    Parameters
    ----------
    runs : LabelRuns
        The block's labels.
    location : BlockLocation
        Where the block lies in the image.

    Returns
    -------
    dict of numpy.ndarray
        One row a label: ``labels``; ``count``, its pixels; ``lower`` and ``upper``, the
        bounding box (``upper`` excluded); ``coordinates``, the sum of the coordinates
        on each axis (all int64, in the whole image); ``products``, sums over its pixels
        of products of coordinates about their mean, for the pairs of axes
        (0, 0), (0, 1), …, (1, 1), … (float64).
    """
    count, ndim = runs.labels.size, len(runs.shape)
    boxes = np.zeros((count, 3, ndim), np.int64)  # lower, upper, the label's first pixel
    # Pixel count, sums of coordinates, sums of their products: relative to the first
    # pixel, so that they stay small, and exact, as integers are.
    sums = np.zeros((count, 1 + ndim + ndim * (ndim + 1) // 2), np.int64)
    if count:
        rows = _row_coordinates(runs.shape, BlockLocation((0,) * ndim, runs.shape))
        columns = runs.shape[-1] if ndim else 1
        kernel = _geometry_compiled if use_numba() else _geometry_numpy
        kernel(runs.slots, runs.starts, columns, rows, boxes, sums)
    boxes += np.array(location.origin, np.int64)
    pixels, relative = sums[:, :1], sums[:, 1 : 1 + ndim]
    products = sums[:, 1 + ndim :].astype(np.float64)
    first, second = np.triu_indices(ndim)
    products -= relative[:, first] / np.maximum(pixels, 1) * relative[:, second]
    return {
        "labels": runs.labels,
        "count": sums[:, 0].copy(),
        "lower": boxes[:, 0].copy(),
        "upper": boxes[:, 1].copy(),
        "coordinates": relative + pixels * boxes[:, 2],
        "products": products,
    }


@jit
def _geometry_compiled(slots, starts, columns, rows, boxes, sums):
    ndim = boxes.shape[2]
    last = ndim - 1
    row = 0
    for run in range(slots.size):
        slot = slots[run]
        start = starts[run]
        while start >= (row + 1) * columns:
            row += 1
        start -= row * columns
        stop = starts[run + 1] - row * columns
        length = stop - start
        if sums[slot, 0] == 0:
            for axis in range(last):
                boxes[slot, 0, axis] = boxes[slot, 2, axis] = rows[row, axis]
            if ndim:
                boxes[slot, 0, last] = boxes[slot, 2, last] = start
        sums[slot, 0] += length
        if ndim == 0:
            continue
        offset = start - boxes[slot, 2, last]
        along = length * offset + length * (length - 1) // 2
        boxes[slot, 0, last] = min(boxes[slot, 0, last], start)
        boxes[slot, 1, last] = max(boxes[slot, 1, last], stop)
        sums[slot, ndim] += along
        pair = 1 + ndim
        for axis in range(last):
            coordinate = rows[row, axis]
            apart = coordinate - boxes[slot, 2, axis]
            boxes[slot, 0, axis] = min(boxes[slot, 0, axis], coordinate)
            boxes[slot, 1, axis] = max(boxes[slot, 1, axis], coordinate + 1)
            sums[slot, 1 + axis] += length * apart
            for other in range(axis, last):
                sums[slot, pair] += length * apart * (rows[row, other] - boxes[slot, 2, other])
                pair += 1
            sums[slot, pair] += along * apart
            pair += 1
        squares = (length - 1) * length * (2 * length - 1) // 6
        sums[slot, pair] += offset * (2 * along - length * offset) + squares


def _geometry_numpy(slots, starts, columns, rows, boxes, sums):
    ndim = boxes.shape[2]
    starts, length = starts[:-1], np.diff(starts)
    np.add.at(sums[:, 0], slots, length)
    if ndim == 0:
        return
    lower = np.column_stack([rows[starts // columns], starts % columns])
    upper = lower + 1
    upper[:, -1] += length - 1
    for side, boxed, corner in ((0, np.minimum, lower), (1, np.maximum, upper)):
        boxes[slots, side] = corner
        for axis in range(ndim):
            boxed.at(boxes[:, side, axis], slots, corner[:, axis])
    boxes[slots[::-1], 2] = lower[::-1]  # the first run is written last, and stays
    apart = lower - boxes[slots, 2]
    along = length * apart[:, -1] + length * (length - 1) // 2
    for axis in range(ndim - 1):
        np.add.at(sums[:, 1 + axis], slots, length * apart[:, axis])
    np.add.at(sums[:, ndim], slots, along)
    for pair, (first, second) in enumerate(zip(*np.triu_indices(ndim), strict=True)):
        if second < ndim - 1:
            product = length * apart[:, first] * apart[:, second]
        elif first < ndim - 1:
            product = along * apart[:, first]
        else:
            squares = (length - 1) * length * (2 * length - 1) // 6
            product = (2 * along - length * apart[:, -1]) * apart[:, -1] + squares
        np.add.at(sums[:, 1 + ndim + pair], slots, product)


def merge_geometry(partials):
    """
    Merge partials of `geometry_partial` over the pixels of all.

    Parameters
    ----------
    partials : list of dict
        Partials of blocks that share no pixel.

    Returns
    -------
    dict
        As `geometry_partial` gives it for all those blocks at once.
    """
    labels, slots = merge_labels(partials)
    merged = {"labels": labels}
    for field, values in partials[0].items():
        if field != "labels":
            merged[field] = np.zeros((labels.size,) + values.shape[1:], values.dtype)
    merged["lower"] += np.iinfo(np.int64).max
    merge = _merge_geometry_compiled if use_numba() else _merge_geometry_numpy
    for partial, where in zip(partials, slots, strict=True):
        merge(
            where,
            *(merged[field] for field in _GEOMETRY_FIELDS),
            *(partial[field] for field in _GEOMETRY_FIELDS),
        )
    return merged


@jit
def _merge_geometry_compiled(
    where, count, lower, upper, coordinates, products,
    new_count, new_lower, new_upper, new_coordinates, new_products,
):  # fmt: skip
    ndim = lower.shape[1]
    for row in range(where.size):
        slot = where[row]
        before, more = count[slot], new_count[row]
        weight = float(before) * more / (before + more)
        pair = 0
        for axis in range(ndim):
            apart = new_coordinates[row, axis] / more
            if before:
                apart -= coordinates[slot, axis] / before
            for other in range(axis, ndim):
                across = new_coordinates[row, other] / more
                if before:
                    across -= coordinates[slot, other] / before
                products[slot, pair] += new_products[row, pair] + weight * apart * across
                pair += 1
        for axis in range(ndim):
            lower[slot, axis] = min(lower[slot, axis], new_lower[row, axis])
            upper[slot, axis] = max(upper[slot, axis], new_upper[row, axis])
            coordinates[slot, axis] += new_coordinates[row, axis]
        count[slot] += more


def _merge_geometry_numpy(
    where, count, lower, upper, coordinates, products,
    new_count, new_lower, new_upper, new_coordinates, new_products,
):  # fmt: skip
    before, more = count[where][:, None], new_count[:, None]
    apart = new_coordinates / more - coordinates[where] / np.maximum(before, 1)
    first, second = np.triu_indices(apart.shape[1])
    weight = before * (more / (before + more))
    products[where] += new_products + weight * apart[:, first] * apart[:, second]
    count[where] += new_count
    coordinates[where] += new_coordinates
    lower[where] = np.minimum(lower[where], new_lower)
    upper[where] = np.maximum(upper[where], new_upper)


def pool_geometry(partial, chosen):
    """
    Put several labels together into one group.

    Parameters
    ----------
    partial : dict
        As from `geometry_partial` or `merge_geometry`.
    chosen : numpy.ndarray of bool
        Which of its labels are meant.

    Returns
    -------
    dict
        The same measurements of a single group; no row if nothing is chosen.
    """
    rows = {field: values[chosen] for field, values in partial.items() if field != "labels"}
    if len(rows["count"]) == 0:
        return rows
    count = rows["count"].sum()
    coordinates = rows["coordinates"].sum(axis=0)
    apart = rows["coordinates"] / rows["count"][:, None] - coordinates / count
    first, second = np.triu_indices(apart.shape[1])
    spread = rows["count"][:, None] * apart[:, first] * apart[:, second]
    return {
        "count": np.array([count]),
        "lower": rows["lower"].min(axis=0)[None],
        "upper": rows["upper"].max(axis=0)[None],
        "coordinates": coordinates[None],
        "products": (rows["products"] + spread).sum(axis=0)[None],
    }
