"""
Measure the values of each label of one block: sums, spreads, centres, extremes.

What statistics need differs in cost, so there is a kind of partial for each: a table with
a row for every label, by `label_loops` or, without numba, by NumPy. Partials of blocks merge.

Means and centred sums are combined by the pairwise rule of Chan, Golub and LeVeque
("Updating formulae and a pairwise algorithm for computing sample variances", 1979),
so that a large offset of the values costs no digits. For the same reason means are
kept as the distance from a value near to them, the shift.
"""

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.label_columns import (
    COORDINATES,
    COUNT,
    GREATEST,
    LEAST,
    MASS,
    SHIFT,
    SHIFTED,
    SQUARES,
    SUM,
)
from dask_image._kernels.blocks.label_index import (
    as_rows,
    find_runs,
    merge_labels,
    row_coordinates,
    row_places,
)
from dask_image._kernels.patience import patient

# As `label_index.LABEL_TYPES`, for values.
VALUE_TYPES = {
    "b1": "u1", "i1": "i2", "u1": "u1", "i2": "i2", "u2": "u2", "i4": "i4", "u4": "i8",
    "i8": "i8", "u8": "u8", "f2": "f4", "f4": "f4", "f8": "f8",
}  # fmt: skip


def _compiled_rows(index, image):
    """Return codes, the lowest of them and values for a compiled loop, or None without one."""
    if not use_numba() or image.dtype.str[1:] not in VALUE_TYPES:
        return None
    values = as_rows(image).astype(VALUE_TYPES[image.dtype.str[1:]], copy=False)
    return index.codes, index.codes.dtype.type(index.low), values


def _table(index, columns, image):
    """Return a table of zeros for sums of values."""
    dtype = np.complex128 if image.dtype.kind == "c" else np.float64
    return np.zeros((index.size, columns), dtype)


def _present(index, table, met):
    """Return the labels that were ``met``, a value for each row of a table, and their rows."""
    rows = np.flatnonzero(met)
    return index.labels_of(rows), table if rows.size == len(table) else table.take(rows, axis=0)


def _sum_by_row(offsets, values, size):
    """Sum values, real or complex, by row of a table."""
    if values.dtype.kind == "c":
        real = np.bincount(offsets, values.real, size)
        return real + 1j * np.bincount(offsets, values.imag, size)
    return np.bincount(offsets, values, size)


def _add(partials, field):
    """Return the sums of the tables of partials, by label."""
    labels, slots = merge_labels(partials)
    first = partials[0][field]
    table = np.zeros((labels.size, first.shape[1]), first.dtype)
    with np.errstate(invalid="ignore"):
        for partial, where in zip(partials, slots, strict=True):
            # By column: NumPy picks numbers several times as fast as rows of them.
            for sums, values in zip(table.T, partial[field].T, strict=True):
                sums[where] += values
    return {"labels": labels, field: table}


# ---------------------------------------------------------------------------------------
# Sums


def sums_partial(index, image, location):
    """
    Count and sum the values of each label of a block.

    Parameters
    ----------
    index : LabelIndex
        The block's labels.
    image : numpy.ndarray
        The block's values, of the same shape.
    location : BlockLocation
        Where the block lies in the image; makes no difference here.

    Returns
    -------
    dict of numpy.ndarray
        ``labels``, and ``sums``: a row a label with the columns COUNT and SUM
        (float64, or complex128 for complex values).
    """
    table = _sums(index, image, SUM + 1)
    labels, table = _present(index, table, table[:, COUNT])
    return {"labels": labels, "sums": table}


def _sums(index, image, columns):
    table = _table(index, columns, image)
    if index.alone:
        table[0, COUNT], table[0, SUM] = image.size, _total_of(image, table.dtype)
    elif index.size:
        exact = image.dtype.kind in "bui" and image.dtype.itemsize <= 2
        (_add_small_integers if exact else _add_values)(image, index, table)
    return table


def _add_values(image, index, table):
    compiled = _compiled_rows(index, image)
    if compiled:
        codes, low, values = compiled
        kernels.label_loops.add_values(codes.reshape(-1), low, values.reshape(-1), table)
        return
    offsets, values = index.offsets(), image.reshape(-1)
    table[:, COUNT] = np.bincount(offsets, minlength=index.size)
    table[:, SUM] = _sum_by_row(offsets, values.astype(table.dtype, copy=False), index.size)


# Their sums are the same in any order.
_add_small_integers = patient(_add_values)


def _total_of(image, dtype):
    """
    Return the sum of all values, in ``dtype``; NumPy's of small integers is as exact, and faster.
    """
    small = image.dtype.kind in "bui" and image.dtype.itemsize <= 4 and image.size < 1 << 31
    with np.errstate(all="ignore"):
        return image.sum(dtype=np.int64 if small else dtype)


def merge_sums(partials):
    """Merge partials of `sums_partial` of blocks that share no pixel."""
    return _add(partials, "sums")


def pool_sums(partial, chosen):
    """Put the labels that are ``chosen``, by a boolean each, together: no row if there is none."""
    return {"sums": _total(partial["sums"].compress(chosen, axis=0))}


def _total(rows):
    """Return the sum of rows as a table of one row, or of none if there are none."""
    return rows.sum(axis=0)[None] if len(rows) else rows


# ---------------------------------------------------------------------------------------
# Spreads


@np.errstate(all="ignore")
def spread_partial(index, image, location):
    """
    Measure how the values of each label of a block spread about their mean.

    Takes what `sums_partial` takes.

    Returns
    -------
    dict of numpy.ndarray
        ``labels``, and ``spread``: a row a label with the columns COUNT, SUM, SQUARES (about
        the mean), SHIFT and SHIFTED (float64, or complex128 for complex values).
    """
    table = _sums(index, image, SHIFTED + 1)
    table[:, SHIFT] = table[:, SUM] / table[:, COUNT]
    table[~np.isfinite(table[:, SHIFT]), SHIFT] = 0
    compiled = _compiled_rows(index, image)
    if compiled:
        codes, low, values = compiled
        kernels.label_loops.add_squares(codes.reshape(-1), low, values.reshape(-1), table)
    elif index.size:
        offsets = index.offsets()
        apart = image.reshape(-1).astype(table.dtype, copy=False) - table[offsets, SHIFT]
        table[:, SHIFTED] = _sum_by_row(offsets, apart, index.size)
        table[:, SQUARES] = np.bincount(offsets, (apart * apart.conj()).real, index.size)
    labels, table = _present(index, table, table[:, COUNT])
    shifted = table[:, SHIFTED]
    # The shift is the mean but for rounding, so nothing is lost here.
    table[:, SQUARES] -= (shifted * shifted.conj()).real / table[:, COUNT]
    return {"labels": labels, "spread": table}


@np.errstate(all="ignore")
def merge_spread(partials):
    """Merge partials of `spread_partial` of blocks that share no pixel."""
    labels, slots = merge_labels(partials)
    first = partials[0]["spread"]
    merged = np.zeros((labels.size, first.shape[1]), first.dtype)
    for partial, where in zip(partials, slots, strict=True):
        found = _add_spreads([column[where] for column in merged.T], partial["spread"].T)
        for column, values in zip(merged.T, found, strict=True):
            column[where] = values
    return {"labels": labels, "spread": merged}


def _add_spreads(first, second):
    """
    Return the spreads of pairs of groups put together; a group of ``first`` may be empty.

    Spreads are given by column, since NumPy picks numbers several times as fast as rows of them.
    """
    before, count = first[COUNT].real, second[COUNT].real
    merged = [one + other for one, other in zip(first, second, strict=True)]
    merged[SHIFT] = np.where(before, first[SHIFT], second[SHIFT])
    shift = second[SHIFT] - merged[SHIFT]
    merged[SHIFTED] += shift * count
    apart = shift + second[SHIFTED] / count - first[SHIFTED] / np.maximum(before, 1)
    merged[SQUARES] += (apart * apart.conj()).real * (before * count / (before + count))
    return merged


@np.errstate(all="ignore")
def pool_spread(partial, chosen):
    """As `pool_sums`, of `spread_partial` or `merge_spread`."""
    rows = partial["spread"].compress(chosen, axis=0)
    if len(rows) == 0:
        return {"spread": rows}
    pooled = rows.sum(axis=0)
    shift = rows[:, SHIFT] - rows[0, SHIFT]
    pooled[SHIFT] = rows[0, SHIFT]
    pooled[SHIFTED] += (shift * rows[:, COUNT]).sum()
    apart = shift + rows[:, SHIFTED] / rows[:, COUNT] - pooled[SHIFTED] / pooled[COUNT]
    pooled[SQUARES] += (rows[:, COUNT] * apart * apart.conj()).real.sum()
    return {"spread": pooled[None]}


# ---------------------------------------------------------------------------------------
# Centres


@np.errstate(all="ignore")
def centre_partial(index, image, location):
    """
    Sum the values of each label of a block, and values times coordinates.

    Takes what `sums_partial` takes.

    Returns
    -------
    dict of numpy.ndarray
        ``labels``, and ``centre``: a row a label with the column MASS and, from COORDINATES
        on, one for each axis (float64, or complex128 for complex values).
    """
    ndim = len(index.shape)
    table = _table(index, COORDINATES + ndim, image)
    seen = np.zeros(index.size, np.bool_)
    coordinates = row_coordinates(index.shape, location)
    last = location.origin[-1] if ndim else 0
    compiled = _compiled_rows(index, image)
    if compiled:
        kernels.label_loops.add_weights(*compiled, coordinates, last, table, seen)
    elif index.size:
        offsets, values = index.offsets(), as_rows(image).astype(table.dtype, copy=False)
        seen[offsets] = True
        table[:, MASS] = _sum_by_row(offsets, values.reshape(-1), index.size)
        along = [*coordinates.T[:, :, None], np.arange(last, last + values.shape[1])[None]]
        for axis, along_axis in enumerate(along[:ndim]):
            weighted = (values * along_axis).reshape(-1)
            table[:, COORDINATES + axis] = _sum_by_row(offsets, weighted, index.size)
    labels, table = _present(index, table, seen)
    return {"labels": labels, "centre": table}


def merge_centre(partials):
    """Merge partials of `centre_partial` of blocks that share no pixel."""
    return _add(partials, "centre")


def pool_centre(partial, chosen):
    """As `pool_sums`, of `centre_partial` or `merge_centre`."""
    return {"centre": _total(partial["centre"].compress(chosen, axis=0))}


def shift_centre(partial, distances):
    """As `shift_geometry`, of `centre_partial` or `merge_centre`."""
    moved = partial["centre"].copy()
    moved[:, COORDINATES:] += moved[:, MASS, None] * distances
    return partial | {"centre": moved}


# ---------------------------------------------------------------------------------------
# Extremes


def extremes_partial(index, image, location):
    """
    Find the least and the greatest value of each label of a block, and where they are first.

    Takes what `sums_partial` takes.

    Returns
    -------
    dict of numpy.ndarray
        ``labels``; ``extremes``, a row a label with the columns LEAST and GREATEST in the
        image's dtype, NaN counting as greater than any number; ``places`` with the same
        columns, the raster positions in the whole image where each occurs first.
    """
    if index.alone:
        labels = index.labels_of(np.zeros(1, np.intp))
        extremes, places = _extremes_of_all(image.reshape(-1))
    else:
        labels, extremes, places = _find_extremes(image, index)
    starts = row_places(row_coordinates(index.shape, location), location)
    if places.size:
        row, column = np.divmod(places, index.codes.shape[1])
        places = starts[row] + column
    extremes = extremes.astype(image.dtype, copy=False)
    return {"labels": labels, "extremes": extremes, "places": places}


@patient
def _find_extremes(image, index):
    """Return the labels, their extremes, and where in the block these are."""
    compiled = _compiled_rows(index, image)
    if not compiled:
        return _extremes_numpy(find_runs(index), image.reshape(-1))
    codes, low, values = compiled
    extremes = np.empty((index.size, 2), values.dtype)
    whole = (np.nan, np.nan)
    if values.dtype.kind != "f":
        whole = (np.iinfo(values.dtype).max, np.iinfo(values.dtype).min)
    extremes[:, LEAST], extremes[:, GREATEST] = whole
    places = np.full((index.size, 2), -1)
    kernels.label_loops.find_extremes(codes.reshape(-1), low, values.reshape(-1), extremes, places)
    rows = np.flatnonzero(places[:, LEAST] >= 0)
    return index.labels_of(rows), extremes.take(rows, axis=0), places.take(rows, axis=0)


def _extremes_of_all(values):
    places = np.array([[values.argmin(), values.argmax()]])
    if np.isnan(values[places[0, LEAST]]):  # which the least of the numbers goes before
        numbers = np.flatnonzero(~np.isnan(values))
        places[0, LEAST] = numbers[values[numbers].argmin()] if numbers.size else 0
    return values[places], places


def _extremes_numpy(runs, values):
    extremes = np.zeros((runs.labels.size, 2), values.dtype)
    places = np.zeros((runs.labels.size, 2), np.int64)
    if not runs.labels.size:
        return runs.labels, extremes, places
    starts, lengths, slots = runs.starts[:-1], np.diff(runs.starts), runs.slots
    with np.errstate(invalid="ignore"):
        for column, extremum in ((LEAST, np.fmin), (GREATEST, np.maximum)):
            by_run = extremum.reduceat(values, starts)
            extremes[slots, column] = by_run
            extremum.at(extremes[:, column], slots, by_run)
            places[:, column] = _first_equal(
                values, starts, lengths, slots, by_run, extremes[:, column]
            )
            extremes[:, column] = values[places[:, column]]  # of two zeros the sign of the first
    return runs.labels, extremes, places


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


@np.errstate(invalid="ignore")
def merge_extremes(partials):
    """Merge partials of `extremes_partial` of blocks that share no pixel."""
    labels, slots = merge_labels(partials)
    extremes = np.zeros((labels.size, 2), partials[0]["extremes"].dtype)
    places = np.full((labels.size, 2), np.iinfo(np.int64).max)
    seen = np.zeros(labels.size, bool)
    for partial, where in zip(partials, slots, strict=True):
        fresh = ~seen[where]
        seen[where] = True
        for column, further in ((LEAST, _less), (GREATEST, _greater)):
            values, first = partial["extremes"][:, column], partial["places"][:, column]
            merged = extremes[:, column]
            merged[where[fresh]] = values[fresh]
            _keep_extremes(merged, places[:, column], where, values, first, further)
    return {"labels": labels, "extremes": extremes, "places": places}


def _less(values, others):
    """Compare values, NaN as the greatest."""
    return (values < others) | (np.isnan(others) & ~np.isnan(values))


def _greater(values, others):
    return _less(others, values)


def _keep_extremes(extremes, places, where, values, new_places, further):
    """Replace extremes, in place, by those that are ``further`` out, or equal and earlier."""
    old, old_places = extremes[where], places[where]
    take = further(values, old) | (_same(values, old) & (new_places < old_places))
    extremes[where] = np.where(take, values, old)
    places[where] = np.where(take, new_places, old_places)


@np.errstate(invalid="ignore")
def pool_extremes(partial, chosen):
    """As `pool_sums`, of `extremes_partial` or `merge_extremes`."""
    extremes, places = (partial[field].compress(chosen, axis=0) for field in ("extremes", "places"))
    if len(extremes) == 0:
        return {"extremes": extremes, "places": places}
    outer = [np.fmin.reduce(extremes[:, LEAST]), np.maximum.reduce(extremes[:, GREATEST])]
    first = [
        places[_same(extremes[:, column], outer[column]), column].min()
        for column in (LEAST, GREATEST)
    ]
    return {"extremes": np.array([outer], extremes.dtype), "places": np.array([first])}
