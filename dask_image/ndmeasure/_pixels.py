"""Measurements that need all pixels of a label together."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, overload

import dask.array as da
import numpy as np
from dask.delayed import Delayed

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.label_groups import find_sorted, run_lengths, stable_order
from dask_image._utils.arguments import normalize_finite, normalize_flag
from dask_image._utils.arrays import (
    as_dask_array,
    block_meta,
    count_blocks,
    fits_memory,
    with_dtype,
)
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.graph import (
    array_of_delayed,
    delayed_blocks,
    delayed_call,
    map_blocks,
)
from dask_image._utils.engines.label_reduction import COUNTS, labels_present, reduce_labels
from dask_image._utils.engines.label_shuffle import Shuffle, apply_by_label, worth_counting
from dask_image._utils.engines.order_statistics import can_select, middle_values
from dask_image._utils.labels import (
    as_label_image,
    as_labelled_image,
    as_selection,
    check_labels_fit,
    labels_that_fit,
)
from dask_image._utils.typing import (
    AllLabels,
    Array,
    ArrayLike,
    DTypeLike,
    Function,
    Index,
    Integer,
    Labels,
    NanPolicy,
    PerLabel,
)
from dask_image._utils.warnings import warn


@overload
def median(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def median(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def median(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Find the median of each label's pixels.

    The lazy twin of `scipy.ndimage.median`.

    Parameters
    ----------
    image : array_like
        The values.
    label_image : array_like, optional
        Labels, integer or boolean, that broadcast against ``image``. Without
        them the whole image is one group.
    index : int, array_like, dask.array.Array or "all", optional
        The labels to measure. None pools all labels above 0; ``"all"`` measures
        every label that there is but 0.
    nan_policy : {"propagate", "omit"}, optional
        "omit" leaves out NaN, as a label of 0 would: a label with nothing else is absent.

    Returns
    -------
    median : dask.array.Array
        Of the shape of ``index``. float64 (complex128 for complex images); NaN
        where a label is absent.
    labels : dask.array.Array
        Only if ``index`` is ``"all"``: the labels, ascending; both arrays are
        then of unknown length.

    Warns
    -----
    dask.array.PerformanceWarning
        If all pixels of a large complex image are pooled: one task holds them.

    See Also
    --------
    labeled_comprehension, dask_image.ndmeasure.mean

    Notes
    -----
    The pixels of small images are held, and shuffled by label. Of an image larger than the
    option ``dask-image.median.memory`` the labels are counted first; a label that lies in one
    block is then finished there, and only the pixels of the others are kept, on disk, until
    the last block is read. Such an image is computed twice, its labels first.
    A large image that is pooled is not held: its values are counted, in up to
    four passes that each read it.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import median
    >>> image = da.arange(16, chunks=8).reshape(4, 4)
    >>> label_image = da.from_array(np.array([[1, 1, 2, 2]] * 4), chunks=2)
    >>> median(image, label_image, [2, 1, 7]).compute()
    array([8.5, 6.5, nan])
    """
    labelled = as_labelled_image(image, label_image, nan_policy)
    selection = as_selection(index, labelled)
    dtype = np.result_type(labelled.image.dtype, np.float64)
    if selection.pooled:
        return _pooled_median(labelled, dtype)
    shuffle = Shuffle(functools.partial(medians, dtype=dtype, nan_wins=selection.single), dtype)
    return _apply(labelled, _cut_fractions(selection, labelled), shuffle, np.nan, "median")


@overload
def labeled_comprehension(
    image: ArrayLike, label_image: Labels, index: AllLabels, func: Function, out_dtype: DTypeLike,
    default: Any, pass_positions: bool = ...,
) -> PerLabel: ...  # fmt: skip
@overload
def labeled_comprehension(
    image: ArrayLike, label_image: Labels, index: Index, func: Function, out_dtype: DTypeLike,
    default: Any, pass_positions: bool = ...,
) -> Array: ...  # fmt: skip
@numpy_only
def labeled_comprehension(
    image: ArrayLike,
    label_image: Labels,
    index: Index | AllLabels,
    func: Function,
    out_dtype: DTypeLike,
    default: Any,
    pass_positions: bool = False,
) -> Array | PerLabel:
    """
    Call a function with each label's pixels.

    The lazy twin of `scipy.ndimage.labeled_comprehension`.

    Parameters
    ----------
    image : array_like
        The values.
    label_image : array_like or None
        Labels, integer or boolean, that broadcast against ``image``. With None
        the whole image is one group.
    index : int, array_like, dask.array.Array, "all" or None
        The labels to measure. None pools all labels above 0, and the result is what
        ``func`` returns for them; ``"all"`` measures every label that there is but 0.
    func : callable
        Gets the values of one label, 1-D and in raster order, and returns one
        number (or any object, if ``out_dtype`` is ``object``). It is called once
        for each label, inside tasks, whose exceptions show on computing.
    out_dtype : dtype
        Of the result.
    default : object
        The result for absent labels.
    pass_positions : bool, optional
        Give ``func`` a second argument: where these pixels are in the raveled
        image.

    Returns
    -------
    result : dask.array.Array
        Of the shape of ``index``.
    labels : dask.array.Array
        Only if ``index`` is ``"all"``: the labels, ascending; both arrays are
        then of unknown length.

    Raises
    ------
    ValueError
        If ``index`` has no place in the label image's dtype, or is given without
        labels; if ``default`` has none in ``out_dtype``. When computed, if ``index``
        is None and ``out_dtype`` would change what ``func`` returns (floats may be
        rounded): SciPy returns it as it is.
    TypeError
        If ``func`` cannot be called.

    Warns
    -----
    dask.array.PerformanceWarning
        If all pixels are pooled, from more than one block: one task holds them.

    See Also
    --------
    median

    Notes
    -----
    The pixels of small images are held, and shuffled by label. Of an image larger than the
    option ``dask-image.median.memory`` the labels are counted first; a label that lies in one
    block is then finished there, and only the pixels of the others are kept, on disk, until
    the last block is read. Such an image is computed twice, its labels first.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import labeled_comprehension
    >>> image = da.arange(16, chunks=8).reshape(4, 4)
    >>> label_image = da.from_array(np.array([[1, 1, 2, 2]] * 4), chunks=2)
    >>> labeled_comprehension(image, label_image, [2, 1, 7], np.ptp, int, -1).compute()
    array([13, 13, -1])
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got {func!r}")
    if label_image is None and index is not None:
        raise ValueError(f"index needs a label_image, got index {index!r} and no labels")
    labelled = as_labelled_image(image, label_image)
    selection = as_selection(index, labelled)
    try:
        out_dtype = np.dtype(out_dtype)
    except TypeError:
        raise TypeError(f"out_dtype must be a dtype, got {out_dtype!r}") from None
    if selection.pooled:
        _warn_of_pooling(labelled)
    else:
        _check_default(default, out_dtype)
    check_labels_fit(selection, labelled.labels.dtype)
    pass_positions = normalize_flag(pass_positions, "pass_positions")
    function = functools.partial(
        call_pooled if selection.pooled else call_per_label,
        func=func,
        dtype=out_dtype,
        default=default,
        pass_positions=pass_positions,
    )
    shuffle = Shuffle(function, out_dtype, True, pass_positions)
    return _apply(labelled, selection, shuffle, default, "labeled_comprehension")


@numpy_only
def value_indices(image: ArrayLike, *, ignore_value: Integer | None = None) -> Delayed:
    """
    Find where each value of an integer image is.

    The lazy twin of `scipy.ndimage.value_indices`.

    Parameters
    ----------
    image : array_like
        Integers; or floats that are whole numbers, where NaN counts as 0.
    ignore_value : int, optional
        A value to leave out.

    Returns
    -------
    dask.delayed.Delayed
        Of a dict: for each value a tuple of arrays, one an axis, that index the
        pixels that have it, in raster order.

    Raises
    ------
    ValueError
        If the image does not hold integers.
    OverflowError
        If ``ignore_value`` has no place in the image's dtype.

    Notes
    -----
    The dict needs 8 bytes a pixel and axis. What it is made from is no more than a partition
    (option ``dask-image.partition.memory``) or one value's pixels at a time.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmeasure import value_indices
    >>> image = da.asarray([[5, 0, 0], [0, 5, 5]], chunks=2)
    >>> found = value_indices(image, ignore_value=0).compute()
    >>> image.compute()[found[5]]
    array([5, 5, 5])
    """
    image = as_dask_array(image)
    if image.dtype.kind not in "iuf":
        raise ValueError(f"image must hold integers, got dtype {image.dtype}")
    image = as_label_image(image, "image")
    if ignore_value is not None:
        ignore_value = _as_value(ignore_value, image.dtype)
    counts = reduce_labels(COUNTS, image)
    values = labels_present(counts, ignore_value).astype(image.dtype)
    shuffle = Shuffle(
        functools.partial(_indices_of_each, shape=image.shape), np.dtype(object), True, True
    )
    if not worth_counting(image, image):
        counts = None
    found = apply_by_label(None, image, values, shuffle, "value_indices", counts)
    pair = delayed_blocks(values)[0], delayed_blocks(found)[0]
    return delayed_call("value_indices", _as_dict, *pair)


def _as_value(ignore_value, dtype):
    """Return a whole number as a dtype holds it, or raise as SciPy does."""
    if normalize_finite(ignore_value, "ignore_value") != int(ignore_value):
        raise ValueError(f"ignore_value must be a whole number, got {ignore_value!r}")
    try:
        return dtype.type(int(ignore_value))
    except OverflowError:
        raise OverflowError(
            f"ignore_value must be a value of dtype {dtype}, got {ignore_value!r}"
        ) from None


def _indices_of_each(pixels, labels, shape):
    """Return for each label a tuple of index arrays."""
    found = np.empty(labels.size, object)
    if not pixels.labels.size:
        return found
    indices = np.unravel_index(pixels.positions, shape) if shape else ()
    places = find_sorted(labels, pixels.labels)[0].tolist()
    for place, span in zip(places, pixels.spans(), strict=True):
        found[place] = tuple(along[span] for along in indices)
    return found


def _as_dict(values, found):
    return dict(zip(values, found, strict=True))


# ---------------------------------------------------------------------------------------
# From an index to requested labels, and back


def _apply(labelled, selection, shuffle, default, name):
    """Apply ``shuffle`` to the selected labels; return what the public function returns."""
    image, label_image = labelled.image, labelled.labels
    if selection.pooled:
        requested = da.ones(1, dtype=np.uint8, chunks=1)
        group = _group_of(labelled, name)
        return apply_by_label(image, group, requested, shuffle, name).reshape(())
    counts = _counts(labelled)
    if selection.everything:
        present = labels_present(counts or reduce_labels(COUNTS, label_image))
        requested = present.astype(_integer_dtype(label_image.dtype))
        results = apply_by_label(image, label_image, requested, shuffle, name, counts)
        return results, requested.astype(label_image.dtype)
    index = selection.index
    if isinstance(index, np.ndarray):
        requested = labels_of(index, label_image.dtype)
        requested = da.from_array(requested, chunks=-1)
        index = da.from_array(index, chunks=-1)
    else:
        requested = da.blockwise(
            labels_of,
            "k",
            index.ravel().rechunk(-1),
            "k",
            label_image.dtype,
            None,
            token=f"{name}-index",
            dtype=_integer_dtype(label_image.dtype),
            adjust_chunks={"k": lambda size: np.nan},
            meta=block_meta(1, _integer_dtype(label_image.dtype)),
        )
    results = apply_by_label(image, label_image, requested, shuffle, name, counts)
    axes = tuple(range(index.ndim))
    return da.blockwise(
        _place,
        axes,
        results,
        (index.ndim,),
        requested,
        (index.ndim + 1,),
        index,
        axes,
        default=default,
        token=name,
        concatenate=True,
        dtype=shuffle.dtype,
        meta=block_meta(index.ndim, shuffle.dtype),
    )


def _counts(labelled):
    """Return how many pixels each label has, if the image is worth a second reading."""
    if not worth_counting(labelled.image, labelled.labels):
        return None
    return reduce_labels(COUNTS, labelled.labels)


def _group_of(labelled, name):
    """Return which pixels are pooled."""
    labels = labelled.labels
    return map_blocks(np.greater, labels, 0, name=f"{name}-group", meta=with_dtype(labels, bool))


def _warn_of_pooling(labelled):
    """Warn that one task takes the whole image, if that is more than a block."""
    if count_blocks(labelled.labels) > 1:
        warn(
            "without an index all pixels are pooled, which takes them into one task",
            da.PerformanceWarning,
        )


def _integer_dtype(dtype):
    """Return the dtype that labels of ``dtype`` are sorted in."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def labels_of(index, dtype):
    """
    Return the labels that an index can mean, sorted or not.

    Parameters
    ----------
    index : numpy.ndarray
        Any real numbers.
    dtype : numpy.dtype
        Of the label image.

    Returns
    -------
    numpy.ndarray
        1-D, without repeats, ascending: those of its elements that ``dtype`` can
        hold.
    """
    labels, fits = labels_that_fit(index, dtype)
    # Faster than np.unique, which hashes.
    return run_lengths(np.sort(labels[fits]))[0]


def _place(results, requested, index, default):
    """Return the results of the requested labels, in the shape of the index."""
    labels, fits = labels_that_fit(index, requested.dtype)
    places, found = find_sorted(requested, labels)
    placed = np.empty(index.shape, results.dtype)
    placed[...] = default
    found &= fits
    placed[found] = results[places[found]]
    return placed


def _cut_fractions(selection, labelled):
    """
    Return a selection whose index has no fractions where SciPy would cut them off.

    SciPy's median counts small, non-negative labels with a table, and makes its
    index integers for that; else it compares, and a fraction matches no label.
    """
    index, label_image = selection.index, labelled.labels
    if selection.single or index is None or index.dtype.kind != "f" or not label_image.size:
        return selection
    if isinstance(index, np.ndarray) and (np.trunc(index) == index).all():
        return selection
    if not np.can_cast(label_image.dtype, np.intp):
        return selection
    index = da.asarray(index)
    table = (label_image.min() >= 0) & (label_image.max() <= label_image.size)
    return replace(selection, index=da.where(table, da.trunc(index), index).rechunk(-1))


def _check_default(default, dtype):
    """Raise what NumPy raises if the default has no place in the result, and name both."""
    try:
        np.empty(1, dtype)[:] = default
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(
            f"default must be a value for out_dtype {dtype}, got {default!r}: {error}"
        ) from None


# ---------------------------------------------------------------------------------------
# What is done with the pixels of a partition


def call_per_label(pixels, labels, func, dtype, default, pass_positions):
    """
    Call ``func`` with the pixels of each label.

    Parameters
    ----------
    pixels : Pixels
        In raster order.
    labels : numpy.ndarray
        The labels asked for, ascending.
    func : callable
        ``func(values)`` or ``func(values, positions)``.
    dtype : dtype
        Of the results.
    default : object
        The result for a label without pixels.
    pass_positions : bool
        Whether ``func`` takes positions.

    Returns
    -------
    numpy.ndarray
        One result a label.
    """
    results = np.empty(labels.size, dtype)
    results[:] = default
    places = find_sorted(labels, pixels.labels)[0].tolist()
    for place, span in zip(places, pixels.spans(), strict=True):
        if pass_positions:
            results[place] = func(pixels.values[span], pixels.positions[span])
        else:
            results[place] = func(pixels.values[span])
    return results


def call_pooled(pixels, labels, func, dtype, default, pass_positions):
    """
    Call ``func`` once with all pixels, even if there are none.

    Parameters and result are those of :func:`call_per_label`; the default is
    not used. SciPy returns here what ``func`` does, of whatever dtype: a ``dtype``
    that cannot hold it is a ValueError.
    """
    arguments = (pixels.values, pixels.positions) if pass_positions else (pixels.values,)
    value = func(*arguments)
    results = np.empty(1, dtype)
    number = np.asarray(value)
    if number.ndim or not {number.dtype.kind, dtype.kind} <= set("biufc"):
        results[0] = value
        return results
    with np.errstate(all="ignore"):
        results[0] = number.real if dtype.kind != "c" else number
    if not _holds(results[0], number):
        raise ValueError(
            f"out_dtype must hold what func returns for all pixels, got {value!r} "
            f"and out_dtype {dtype}"
        )
    return results


def _holds(cast, number):
    """Tell whether a cast left a number as it was, but for the rounding of a float."""
    with np.errstate(all="ignore"):
        if cast == number or (cast != cast and number != number):
            return True
    rounds = cast.dtype.kind in "fc" and np.can_cast(number.dtype, cast.dtype, "same_kind")
    return bool(rounds and np.isfinite(cast))


def sort_each(values, counts):
    """
    Sort each run of values.

    Parameters
    ----------
    values : numpy.ndarray
        1-D, of any dtype.
    counts : numpy.ndarray
        The lengths of the runs.

    Returns
    -------
    numpy.ndarray
        Of the dtype of ``values``; NaN comes last in its run.
    """
    ranks = np.repeat(np.arange(counts.size), counts)
    if values.dtype.kind in "iu":
        lowest = int(values.min())
        value_bits = (int(values.max()) - lowest).bit_length()
        if (counts.size - 1).bit_length() + value_bits <= 63:
            # One integer of rank and value, as in stable_order; here it even holds the result.
            ranks <<= value_bits
            # Differences wrap around in the dtype of the values, and are right as unsigned ones.
            above = (values - values.dtype.type(lowest)).view(f"u{values.itemsize}")
            ranks |= above.astype(np.int64)
            ranks.sort()
            ranks &= (1 << value_bits) - 1
            return ranks.astype(values.dtype) + values.dtype.type(lowest)
    order = np.argsort(values)
    return values[order[stable_order(ranks[order])]]


def medians(pixels, labels, dtype, nan_wins):
    """
    Return the median of each label.

    Parameters
    ----------
    pixels : Pixels
        In any order within a label.
    labels : numpy.ndarray
        The labels asked for, ascending.
    dtype : numpy.dtype
        Of the results.
    nan_wins : bool
        Whether one NaN makes the median NaN (``numpy.median``); if not, NaN counts
        as larger than any number (``scipy.ndimage.median`` of an array of labels).

    Returns
    -------
    numpy.ndarray
        NaN for a label without pixels.
    """
    results = np.full(labels.size, np.nan, dtype)
    if not pixels.values.size:
        return results
    lower, upper, last = _middle_of_each(pixels.values, pixels.counts)
    middle = _between(lower, upper, pixels.counts)
    if nan_wins:
        middle = np.where(np.isnan(last), last, middle)
    results[find_sorted(labels, pixels.labels)[0]] = middle
    return results


def _middle_of_each(values, counts):
    """Return the two middle values of each run of values, and the last one in order."""
    if use_numba() and can_select(values.dtype):
        return kernels.label_pixels.middle_of_each(values, counts)
    values = sort_each(values, counts)
    ends = np.cumsum(counts)
    starts = ends - counts
    return values[starts + (counts - 1) // 2], values[starts + counts // 2], values[ends - 1]


def _between(lower, upper, counts):
    """Return the medians of ``counts`` values whose middle ones are known."""
    if lower.dtype.kind in "biu":  # integers could overflow, booleans cannot be halved
        lower, upper = lower.astype(np.float64), upper.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of infinities, as they come
        return np.where(counts % 2, lower, (lower + upper) / 2)


def _pooled_median(labelled, dtype):
    """Return the median of all pixels of the group."""
    image, group = labelled.image, _group_of(labelled, "median")
    # One task for the whole image is faster than going over it repeatedly.
    small = fits_memory(image, "median")
    if can_select(image.dtype) and (image.dtype.itemsize <= 2 or not small):
        middle = middle_values(image, group, "median")
        found = delayed_call("median-finish", _median_of_middle, middle, dtype)
    else:
        if not small:
            _warn_of_pooling(labelled)
        blocks = zip(delayed_blocks(image), delayed_blocks(group), strict=True)
        pieces = [delayed_call("median-piece", _compress, *pair) for pair in blocks]
        found = delayed_call("median-finish", _median_of_pieces, pieces, dtype)
    return array_of_delayed("median", found, (), block_meta(0, dtype))


def _compress(values, chosen):
    return values.ravel() if chosen.all() else values[chosen]


def _median_of_pieces(pieces, dtype):
    values = np.concatenate(pieces)
    if not values.size:
        return np.array(np.nan, dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # of infinities, as they come
        return np.asarray(np.median(values, overwrite_input=True)).astype(dtype)


def _median_of_middle(middle, dtype):
    """Return the median of a whole image, NaN if it has any NaN or nothing else."""
    if middle.count == 0 or middle.last != middle.last:
        return np.array(np.nan, dtype)
    return _between(middle.lower, middle.upper, middle.count).astype(dtype)
