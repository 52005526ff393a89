"""Other intensities, and other sizes."""

from __future__ import annotations

import functools
import itertools
from typing import Literal

import dask.array as da
import numpy as np

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_choice,
    normalize_integer,
    normalize_number,
    per_axis,
)
from dask_image._utils.arrays import as_dask_array, as_image, block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.folding import value_range
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.overlap import map_boxes
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Range, Real
from dask_image.segmentation._arguments import float_type

METHODS = ("mean", "mode", "nearest")
# Levels of a pyramid are made until one is no larger than this along any axis.
SMALLEST = 512
# Names of ranges that are no dtypes, and their bits.
NARROW = {"uint10": 10, "uint12": 12, "uint14": 14}


@numpy_only
def rescale_intensity(
    image: ArrayLike, in_range: Range = "image", out_range: Range = "dtype"
) -> Array:
    """
    Stretch or shrink the range of an image's values.

    As `skimage.exposure.rescale_intensity`.

    Parameters
    ----------
    image : array_like
        Integers, floats or booleans.
    in_range, out_range : str, dtype or pair of float, optional
        The range that values have, beyond which they are cut off, and the one that they are to
        have: "image", that of the image; "dtype", that of its dtype (-1 to 1 for floats); a
        dtype, or its name; or the least and the greatest value, which may be lazy.

    Returns
    -------
    dask.array.Array
        Of the shape and chunks of ``image``, and of its dtype, or that which ``out_range``
        names; if that is a pair, of float32 if the image is, else of float64.

    Raises
    ------
    ValueError
        If a range is none of these.

    See Also
    --------
    skimage.exposure.rescale_intensity : The same on NumPy arrays.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([51, 102, 153], dtype=np.uint8), chunks=2)
    >>> rescale_intensity(image).compute()
    array([  0, 127, 255], dtype=uint8)

    Limits may be lazy, such as those of a smoothed image, which outliers do not widen:

    >>> from dask_image.ndfilters import median_filter
    >>> noisy = da.from_array(np.array([2.0, 2, 90, 4, 4]), chunks=5)
    >>> smooth = median_filter(noisy, 3)
    >>> rescale_intensity(noisy, (smooth.min(), smooth.max()), (0, 1)).compute()
    array([0., 0., 1., 1., 1.])
    """
    image = as_image(image)
    dtype = _output_dtype(out_range, image.dtype)
    if image.size == 0:
        return image.astype(dtype)
    limits = [*_range(image, in_range, "in_range"), *_range(image, out_range, "out_range")]
    from_dtype = _is_named(out_range) and not _names(out_range, "image")
    return map_blocks(
        _rescale, image, *limits, name="rescale_intensity", from_dtype=from_dtype, out_dtype=dtype,
        dtype=dtype, meta=block_meta(image.ndim, dtype),
    )  # fmt: skip


def _is_named(given):
    return isinstance(given, (str, type, np.dtype))


def _names(given, word):
    return isinstance(given, str) and given == word


def _output_dtype(out_range, image_dtype):
    """Return the dtype of an image that is rescaled to a range."""
    if _names(out_range, "dtype") or _names(out_range, "image"):
        return image_dtype
    if _is_named(out_range):
        try:
            return np.dtype(np.uint16 if out_range in NARROW else out_range)
        except TypeError:
            raise _no_range(out_range, "out_range") from None
    return float_type(image_dtype)


def _range(image, given, name):
    """Return the ends of a range, which may be lazy."""
    if _names(given, "image"):
        return value_range(image, "rescale_intensity")
    if _is_named(given):
        if given in NARROW:
            return 0, 2 ** NARROW[given] - 1
        try:
            dtype = image.dtype if _names(given, "dtype") else np.dtype(given)
        except TypeError:
            dtype = np.dtype(object)
        if dtype.kind in "iu":
            return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        if dtype.kind in "fb":
            return (-1, 1) if dtype.kind == "f" else (0, 1)
    elif np.iterable(given) and len(ends := tuple(given)) == 2:
        return tuple(
            end if isinstance(end, da.Array) else normalize_number(end, name) for end in ends
        )
    raise _no_range(given, name)


def _no_range(given, name):
    return ArgumentError(
        f'{name} must be "image", "dtype", a dtype or a pair of numbers, got {given!r}'
    )


def _rescale(image, low, high, out_low, out_high, from_dtype, out_dtype):
    low, high, out_low, out_high = (float(each) for each in (low, high, out_low, out_high))
    if from_dtype and low >= 0:
        out_low = 0.0  # the whole range of a signed dtype is for images that have negative values
    image = np.clip(image, low, high)
    if low == high:
        return np.clip(image, out_low, out_high).astype(out_dtype)
    image = (image - low) / (high - low)
    return (image * (out_high - out_low) + out_low).astype(out_dtype)


@numpy_only
def downscale_local_mean(image: ArrayLike, factors: PerAxis[Integer], cval: Real = 0) -> Array:
    """
    Make an image smaller: a pixel for the mean of each cell of pixels.

    As `skimage.transform.downscale_local_mean`.

    Parameters
    ----------
    image : array_like
        Numbers or booleans.
    factors : int or sequence of int
        How many pixels a cell has, along every axis or along each.
    cval : float, optional
        The value of pixels beyond the end of the image, in cells that reach over it.

    Returns
    -------
    dask.array.Array
        Of float64, or the dtype of an image of floats. The chunks are those of ``image``,
        divided and rounded up.

    Raises
    ------
    ValueError
        If a factor is less than 1.

    See Also
    --------
    skimage.transform.downscale_local_mean : The same on NumPy arrays.
    pyramid : Smaller and smaller images.

    Examples
    --------
    >>> import dask.array as da
    >>> image = da.arange(15, chunks=15).reshape(3, 5)
    >>> downscale_local_mean(image, (2, 3)).compute()
    array([[3.5, 4. ],
           [5.5, 4.5]])
    """
    image = as_dask_array(image)
    factors = _as_factors(factors, image.ndim)
    dtype = image.dtype if image.dtype.kind in "fc" else np.dtype(np.float64)
    padded = np.array(normalize_number(cval, "cval", allow_complex=True)).astype(image.dtype)
    reduce = functools.partial(_mean_of_cells, factors=factors, cval=padded[()])
    return _in_cells(image, factors, reduce, dtype, "downscale_local_mean")


def _as_factors(factors, ndim):
    return tuple(
        normalize_integer(each, "factors", lowest=1) for each in per_axis(factors, ndim, "factors")
    )


def _in_cells(image, factors, reduce, dtype, name):
    """Reduce every cell of an image, those at its end too, to a pixel."""
    chunks, cells = [], []
    for sizes, factor in zip(image.chunks, factors):
        ends = [-(-end // factor) for end in itertools.accumulate(sizes)]
        starts = [0, *ends[:-1]]
        kept = [(start, end) for start, end in zip(starts, ends) if end > start] or [(0, 0)]
        chunks.append(tuple(end - start for start, end in kept))
        cells.append([(start * factor, min(end * factor, sum(sizes))) for start, end in kept])
    if image.size == 0:
        return da.zeros(tuple(map(sum, chunks)), chunks=tuple(chunks), dtype=dtype)
    return map_boxes(
        reduce, image, name=name, chunks=tuple(chunks), dtype=dtype,
        boxes=lambda index: [along[i] for along, i in zip(cells, index)],
    )  # fmt: skip


def _cells(block, factors, cval):
    """Return the pixels of each cell along a last axis."""
    missing = [(0, -size % factor) for size, factor in zip(block.shape, factors)]
    if np.any(missing):
        block = np.pad(block, missing, constant_values=cval)
    shape = [
        part for size, factor in zip(block.shape, factors) for part in (size // factor, factor)
    ]
    order = [*range(0, 2 * block.ndim, 2), *range(1, 2 * block.ndim, 2)]
    cells = block.reshape(shape).transpose(order)
    return cells.reshape(*cells.shape[: block.ndim], -1)


def _mean_of_cells(block, factors, cval):
    return _cells(block, factors, cval).mean(axis=-1)


@numpy_only
def pyramid(
    image: ArrayLike, levels: Integer | None = None, factors: PerAxis[Integer] = 2,
    method: Literal["mean", "mode", "nearest"] = "mean",
) -> list[Array]:  # fmt: skip
    """
    Return an image in smaller and smaller sizes, as viewers and OME-Zarr want it.

    Parameters
    ----------
    image : array_like
        Numbers or booleans.
    levels : int, optional
        How many images to return, the first one included. By default so many that the last one
        is no longer than 512 pixels along any axis with a factor above 1.
    factors : int or sequence of int, optional
        How much smaller each level is than the one before it, along every axis or along each; 1
        along axes of channels or times.
    method : {"mean", "mode", "nearest"}, optional
        What a pixel gets of a cell: the mean, rounded if the image holds integers; the
        value that most pixels have, the least of several; or the value of its first pixel.
        "mode" and "nearest" keep labels what they are.

    Returns
    -------
    list of dask.array.Array
        Of the dtype of ``image``. A cell at the end of the image that reaches over it is made
        of the pixels that there are, so that sizes are rounded up.

    Raises
    ------
    ValueError
        If ``method`` is unknown, ``levels`` or a factor is less than 1, or all factors are 1 and
        ``levels`` is not given.

    See Also
    --------
    downscale_local_mean : One level, with cells that are filled up.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> labels = da.from_array(np.array([[1, 1, 0, 2, 3], [1, 0, 2, 2, 3]]), chunks=(2, 2))
    >>> [level.compute().tolist() for level in pyramid(labels, levels=3, method="mode")]
    [[[1, 1, 0, 2, 3], [1, 0, 2, 2, 3]], [[1, 2, 3]], [[1, 3]]]
    """
    image = as_dask_array(image)
    factors = _as_factors(factors, image.ndim)
    normalize_choice(method, "method", METHODS)
    if levels is None:
        if max(factors, default=1) == 1:
            raise ArgumentError("levels must be given if all factors are 1")
        levels = 1
        shape = image.shape
        while any(size > SMALLEST and factor > 1 for size, factor in zip(shape, factors)):
            shape = tuple(-(-size // factor) for size, factor in zip(shape, factors))
            levels += 1
    images = [image]
    for _ in range(normalize_integer(levels, "levels", lowest=1) - 1):
        reduce = functools.partial(_reduce_cells, factors=factors, method=method)
        images.append(_in_cells(images[-1], factors, reduce, image.dtype, "pyramid"))
    return images


def _reduce_cells(block, factors, method):
    """Return a value for each cell, made of the pixels that it has."""
    if method == "nearest":
        return block[tuple(slice(None, None, factor) for factor in factors)].copy()
    cells = _cells(block, factors, 0)
    there = _cells(np.ones(block.shape, bool), factors, False)
    if method == "mean":
        means = cells.sum(axis=-1, dtype=np.result_type(block.dtype, np.float64)) / there.sum(
            axis=-1
        )
        return (np.rint(means) if block.dtype.kind in "biu" else means).astype(block.dtype)
    # Sorted, equal values follow each other: what is missing is counted for none of them.
    order = np.argsort(cells, axis=-1, kind="stable")
    cells, there = np.take_along_axis(cells, order, -1), np.take_along_axis(there, order, -1)
    votes = np.stack(
        [((cells == cells[..., i, None]) & there).sum(axis=-1) for i in range(cells.shape[-1])],
        axis=-1,
    )
    return np.take_along_axis(cells, votes.argmax(axis=-1)[..., None], -1)[..., 0]
