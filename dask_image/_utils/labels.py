"""Bring ``image``, ``label_image`` and ``index`` into the form the measurements work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize

from dask_image._utils.arguments import normalize_nan_policy
from dask_image._utils.arrays import (
    as_dask_array,
    stack_lazily,
    with_dtype,
    without_idle_chunks,
)
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.typing import AllLabels, Array, ArrayLike, Index, Labels, NDArray, Shape

ALL = "all"


@dataclass(frozen=True)
class LabelledImage:
    """
    An image and its labels, of one shape and one chunking.

    Attributes
    ----------
    image : dask.array.Array
        The values.
    labels : dask.array.Array
        Integer or boolean labels, shape and chunks as ``image``.
    image_shape : tuple of int
        Shape of the image before it was broadcast against the labels:
        coordinates refer to it.
    whole : bool
        True if no labels were given, so that the whole image is one group.
    """

    image: da.Array
    labels: da.Array
    image_shape: Shape
    whole: bool = False


@dataclass(frozen=True)
class LabelSelection:
    """
    Which labels a measurement is asked for.

    Attributes
    ----------
    index : numpy.ndarray, dask.array.Array or None
        The labels; None for ``pooled`` and ``everything``.
    shape : tuple of int or nan
        Shape of the result, before axes that a statistic adds.
    pooled : bool
        All labels above 0 form one group (``index=None``).
    everything : bool
        Every label but 0, the background (``index="all"``).
    single : bool
        One group was asked for (``index=None`` or a scalar): SciPy then measures
        the selected values rather than sorting by label, which shows for NaN.
    """

    index: NDArray | da.Array | None
    shape: tuple[float, ...]
    pooled: bool = False
    everything: bool = False
    single: bool = False

    def __dask_tokenize__(self) -> str:
        return tokenize("LabelSelection", self.index, self.pooled, self.everything, self.single)


def as_label_image(label_image: ArrayLike, name: str = "label_image") -> Array:
    """
    Return ``label_image`` as a Dask array of integers or booleans.

    Parameters
    ----------
    label_image : array_like
        Labels of any integer or boolean dtype; or floats that are whole numbers, and
        NaN for the background. Any other float is a ValueError when it is computed.
    name : str, optional
        What the caller calls this argument, for error messages.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError
        If the labels are not real numbers or booleans.
    """
    labels = as_dask_array(label_image, name)
    if labels.dtype.kind == "f":
        return map_blocks(
            _whole_labels,
            labels,
            what=name,
            name="labels-to-integers",
            meta=with_dtype(labels, np.int64),
        )
    if labels.dtype.kind not in "biu":
        raise TypeError(f"{name} must hold integers or booleans, got dtype {labels.dtype}")
    return labels


def _whole_labels(block, what):
    """Return labels that came as floats as integers, NaN as the background."""
    block = np.where(np.isnan(block), 0, block)
    limit = np.float64(2.0**63)
    unfit = (np.trunc(block) != block) | (block < -limit) | (block >= limit)
    if unfit.any():
        raise ValueError(
            f"{what} must hold whole numbers of 64 bits, or NaN where there is no label, "
            f"got {block[unfit].flat[0]}"
        )
    return block.astype(np.int64)


def as_labelled_image(
    image: ArrayLike, label_image: Labels | None = None, nan_policy: str = "propagate"
) -> LabelledImage:
    """
    Broadcast an image and its labels to one shape and align their chunks.

    Parameters
    ----------
    image : array_like
        The values.
    label_image : array_like, optional
        Labels that broadcast against ``image``. Without them the whole image is
        one group of label 1.
    nan_policy : {"propagate", "omit"}
        Whether pixels that are NaN lose their label.

    Returns
    -------
    LabelledImage

    Raises
    ------
    TypeError
        If the labels are not integers or booleans.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or the policy is.
    """
    image = as_dask_array(image)
    omits_nan = normalize_nan_policy(nan_policy) and image.dtype.kind in "fc"
    if label_image is None:
        labels = da.ones(image.shape, chunks=image.chunks, dtype=bool)
        labels = _without_nan(labels, image) if omits_nan else labels
        return LabelledImage(image, labels, image.shape, whole=True)
    labels = as_label_image(label_image)
    image_shape = image.shape
    try:
        shape = np.broadcast_shapes(image.shape, labels.shape)
    except ValueError:
        raise ValueError(
            "image and label_image must have shapes that broadcast, "
            f"got {image.shape} and {labels.shape}"
        ) from None
    image, labels = _broadcast(image, shape, labels), _broadcast(labels, shape, image)
    image, labels = align_chunks(image, labels)
    labels = _without_nan(labels, image) if omits_nan else labels
    return LabelledImage(image, labels, image_shape)


def _without_nan(labels, image):
    """Return labels that are 0 where an image is NaN."""
    return map_blocks(
        _zero_where_nan, labels, image, name="label_statistics-omit", meta=labels._meta
    )


def _zero_where_nan(labels, image):
    return np.where(image == image, labels, labels.dtype.type(0))


def _broadcast(array, shape, other):
    """Stretch ``array`` to ``shape``, with the chunks of ``other`` along the stretched axes."""
    if array.shape == shape:
        return array
    chunks = []
    for axis in range(-len(shape), 0):
        ours = array.chunks[axis] if -axis <= array.ndim else (1,)
        theirs = other.chunks[axis] if -axis <= other.ndim else (1,)
        chunks.append(ours if sum(ours) == shape[axis] else theirs)
    return da.broadcast_to(without_idle_chunks(array), shape, chunks=tuple(chunks))


def align_chunks(*arrays: Array) -> list[Array]:
    """
    Give arrays of one shape the same chunks, cutting where either is cut.

    Parameters
    ----------
    *arrays : dask.array.Array
        Arrays of equal shapes.

    Returns
    -------
    list of dask.array.Array
    """
    if all(array.chunks == arrays[0].chunks for array in arrays):
        return list(arrays)
    # Not Dask's `unify_chunks`, which makes one task of an array of query planning.
    arrays = tuple(map(without_idle_chunks, arrays))
    chunks = tuple(
        tuple(np.diff(sorted(set().union(*map(np.cumsum, sizes))), prepend=0).tolist())
        for sizes in zip(*(array.chunks for array in arrays), strict=True)
    )
    return [array.rechunk(chunks) for array in arrays]


def as_selection(index: Index | AllLabels, labelled: LabelledImage) -> LabelSelection:
    """
    Normalise ``index``, the labels a measurement is asked for.

    Parameters
    ----------
    index : None, number, array_like, dask.array.Array or "all"
        As in the public functions.
    labelled : LabelledImage
        What ``index`` selects from. If it came without labels, ``index`` is
        ignored, as SciPy does.

    Returns
    -------
    LabelSelection

    Raises
    ------
    TypeError
        If ``index`` holds no real numbers.
    ValueError
        If ``index`` is a string other than ``"all"``, asks for all labels where
        there are none, or is a Dask array of unknown length.
    """
    if isinstance(index, str):
        if index != ALL:
            raise ValueError(f'index must be None, numbers or "all", got {index!r}')
        if labelled.whole:
            raise ValueError('index="all" needs a label_image')
        return LabelSelection(None, (np.nan,), everything=True)
    if index is None or labelled.whole:
        return LabelSelection(None, (), pooled=True, single=True)
    single = np.isscalar(index)
    index = stack_lazily(index, "index")
    if isinstance(index, da.Array):
        if any(np.isnan(size) for size in index.shape):
            raise ValueError(
                f"index has unknown chunk sizes {index.chunks}; "
                "call index.compute_chunk_sizes() first"
            )
        index = index.rechunk(-1)
    else:
        index = _exact_index(index)
        if _holds_integers(index):
            return LabelSelection(index, index.shape, single=bool(single))
    if index.dtype.kind not in "biuf":
        raise TypeError(f"index must hold integers, got dtype {index.dtype}")
    return LabelSelection(index, index.shape, single=bool(single))


def _exact_index(index):
    """
    Return an index as an array that holds every integer exactly.

    NumPy makes floats of integers that share no dtype, as ``[2**64 - 1, 5]`` in a list.
    Those that no integer dtype holds together stay Python integers, of dtype object.
    """
    array = np.asarray(index)
    if array is index and array.dtype.kind != "O" or array.dtype.kind not in ("f", "O"):
        return array
    exact = np.asarray(index, dtype=object)
    if not all(isinstance(each, (int, np.integer, np.bool_)) for each in exact.flat):
        return array
    exact = np.asarray(np.frompyfunc(int, 1, 1)(exact), dtype=object)
    low, high = min(exact.flat, default=0), max(exact.flat, default=0)
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return exact.astype(dtype)
    return exact


def _holds_integers(index):
    """Tell whether an index is one of Python integers, as `_exact_index` leaves them."""
    return index.dtype.kind == "O" and all(type(each) is int for each in index.flat)


def locate_labels(
    present: NDArray, index: NDArray, pixels: int = 0, single: bool = False
) -> tuple[NDArray, NDArray]:
    """
    Find where requested labels lie among those that are present.

    Parameters
    ----------
    present : numpy.ndarray
        The labels present, ascending and distinct.
    index : numpy.ndarray
        The labels asked for, of any shape and real dtype.
    pixels : int, optional
        How many pixels the label image has.
    single : bool, optional
        True if ``index`` was a scalar.

    Returns
    -------
    where : numpy.ndarray of int
        Positions in ``present``, of the shape of ``index``; 0 where absent.
    found : numpy.ndarray of bool
        Whether each label is present.
    """
    index = np.asarray(index)
    if index.dtype.kind == "b":
        index = index.astype(np.uint8)
    if present.size == 0:
        return np.zeros(index.shape, np.intp), np.zeros(index.shape, bool)
    if present.dtype.kind == "b":
        present = present.view(np.uint8)
    if index.dtype.kind == "f":
        index, whole = _integers(index, present, pixels, single)
    else:
        whole = True
    limits = np.iinfo(present.dtype)
    inside = (index >= limits.min) & (index <= limits.max) & whole
    wanted = np.where(inside, index, present[0]).astype(present.dtype)
    first, last = present[0], present[-1]
    if int(last) - int(first) == present.size - 1:  # no gaps: no search either
        inside &= (wanted >= first) & (wanted <= last)
        # Labels of one byte are up to 255 apart, which is no number of their dtype.
        return np.where(inside, wanted, first).astype(np.int64) - first.astype(np.int64), inside
    where = np.searchsorted(present, wanted)
    where = np.where(where < present.size, where, 0)
    return where, inside & (present[where] == wanted)


def _integers(index, present, pixels, single):
    """
    Return labels given as floats as integers, and which of them are whole numbers.

    SciPy counts small, non-negative labels with a table, and then cuts fractions off
    the index; otherwise it compares, and a fraction matches no label.
    """
    table = np.can_cast(present.dtype, np.intp) and present[0] >= 0 and present[-1] <= pixels
    # Beyond 2**63 in size a float64 fits no signed label; NaN fits none at all.
    sane = np.abs(index) < 2.0**63
    with np.errstate(invalid="ignore"):
        cut = np.where(sane, index, -1).astype(np.int64)
    if table and not single:
        return cut, sane
    if present.dtype == np.uint64:
        large = (index >= 2.0**63) & (index < 2.0**64)
        unsigned = np.where(large, index, 0).astype(np.uint64)
        cut = np.where(cut < 0, 0, cut).astype(np.uint64) + unsigned
        return cut, (sane | large) & (cut == index)
    return cut, sane & (cut == index)


def check_labels_fit(selection: LabelSelection, dtype: np.dtype[Any]) -> None:
    """
    Check that a label image can hold the labels asked for, where they are known already.

    SciPy makes this demand where it calls a function a label.

    Parameters
    ----------
    selection : LabelSelection
        The labels.
    dtype : numpy.dtype
        Of the label image.

    Raises
    ------
    ValueError
        If a label is not a whole number, or out of range for ``dtype``.
    """
    if not isinstance(selection.index, np.ndarray):
        return
    fits = labels_that_fit(selection.index, dtype)[1]
    if not fits.all():
        raise ValueError(
            f"index must hold labels that fit the label image's dtype {dtype}, "
            f"got {selection.index[~fits].flat[0]}"
        )


def labels_that_fit(index: NDArray, dtype: np.dtype[Any]) -> tuple[NDArray, NDArray]:
    """
    Return an index as labels, and which of them a label image can hold.

    Parameters
    ----------
    index : numpy.ndarray
        Real numbers of any dtype.
    dtype : numpy.dtype
        Of the label image: integer or boolean.

    Returns
    -------
    labels : numpy.ndarray
        Of ``dtype``, uint8 for a boolean one; 0 where a label does not fit.
    fits : numpy.ndarray of bool
        Whether it is a whole number within the limits of ``dtype``.
    """
    limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    lowest, highest = (0, 1) if dtype.kind == "b" else (int(limits.min), int(limits.max))
    if index.dtype.kind == "b":
        return index.astype(limits.dtype), np.ones(index.shape, bool)
    if index.dtype.kind == "f":
        # highest + 1 is a power of two, so that it is exact as a float, which highest is not.
        fits = (index >= lowest) & (index < highest + 1.0) & (index == np.trunc(index))
    else:
        fits = (index >= lowest) & (index <= highest)
    return np.where(fits, index, 0).astype(limits.dtype), np.asarray(fits)
