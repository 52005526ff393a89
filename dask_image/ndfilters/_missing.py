"""Values for pixels that are missing, for what needs complete images: Fourier filters, splines."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np

from dask_image._utils.arguments import normalize_choice
from dask_image._utils.arrays import as_dask_array, block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.counted import counted_pixels
from dask_image._utils.engines.flooding import without_empty_blocks
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.nearest_values import nearest_values
from dask_image._utils.engines.overlap import map_boxes
from dask_image._utils.typing import Array, ArrayLike
from dask_image.ndfilters._inpaint import as_dtype_of, inpaint

METHODS = ("nearest", "smooth", "inpaint")
PIXELS_AT_A_TIME = 1 << 20


@numpy_only
def fill_missing(
    image: ArrayLike,
    where: ArrayLike | None = None,
    method: Literal["nearest", "smooth", "inpaint"] = "nearest",
) -> Array:
    """
    Give every missing pixel a value that is made of those around.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    where : array_like of bool, optional
        Which pixels are there, an image of the same shape; NaN is missing besides.
    method : {"nearest", "smooth", "inpaint"}, optional
        "nearest" takes the value of the nearest pixel that is there, by Euclidean
        distance (of several, the one that `distance_transform_edt` finds). "smooth"
        takes means of larger and larger boxes, until there is a pixel in them, and
        interpolates linearly between boxes. "inpaint" carries on the surface around a hole, its
        slopes too, and bends it as little as possible (the biharmonic equation); values stay
        in the range of the pixels that are there.

    Returns
    -------
    dask.array.Array
        Of the image's shape, dtype and chunks. Pixels that are there keep their values; where
        none is, all are NaN (0 in images of integers).

    Raises
    ------
    ValueError
        If the method is unknown, or ``where`` has another shape. When "inpaint" is computed: if a
        hole has more than 100,000 pixels (20,000 where the image has three axes or more); missing
        pixels at most two steps apart are one hole. The first block that holds so many raises.
    TypeError
        If ``where`` is not boolean, or the image complex.

    Notes
    -----
    For "nearest" the image is read twice, rather than kept until all distances are known: persist
    what takes long to compute, or store it before.

    "smooth" is the pull-push method of S. J. Gortler et al., "The Lumigraph" (1996): a pyramid
    of normalized convolutions, which takes a third more memory and time than the image.

    "inpaint" is the method of S. B. Damelin and N. S. Hoang, "On surface completion and image
    inpainting by biharmonic functions" (2018); values are those of scikit-image's
    `inpaint_biharmonic`, in double precision. All of the image is read before the first
    block of the result is there. Holes that several blocks share are solved in one task, which
    holds their pixels alone; others where they are, and none differently for other chunks.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndfilters import fill_missing
    >>> line = da.from_array([1, np.nan, np.nan, np.nan, 9, np.nan], chunks=3)
    >>> fill_missing(line).compute()
    array([1., 1., 1., 9., 9., 9.])
    >>> fill_missing(line, method="smooth").compute().round(2)
    array([1. , 1.5, 2.5, 4.5, 9. , 9. ])
    >>> ramp = da.from_array([1, 2, np.nan, np.nan, 5, 6], chunks=3)
    >>> fill_missing(ramp, method="inpaint").compute().round(2)
    array([1., 2., 3., 4., 5., 6.])
    """
    image = as_dask_array(image)
    normalize_choice(method, "method", METHODS)
    if image.dtype.kind == "c":
        raise TypeError(f"image must be real, got dtype {image.dtype}")
    counted = counted_pixels(image, where, "omit", None)
    if counted is None or image.size == 0:
        return image
    if image.ndim == 0:
        where = where if where is None else as_dask_array(where).reshape(1)
        return fill_missing(image.reshape(1), where, method=method).reshape(())
    if method == "nearest":
        return _nearest(image, counted)
    if method == "inpaint":
        return inpaint(image, counted)
    return map_blocks(
        _filled, image, _smooth(image, counted), *counted.masks, name="fill_missing",
        counted=counted.for_blocks, meta=block_meta(image.ndim, image.dtype),
    )  # fmt: skip


def _nearest(image, counted):
    """Return the value of the nearest pixel that is there."""
    absent = np.nan if image.dtype.kind == "f" else 0
    missing = functools.partial(_missing, counted=counted.for_blocks)
    images = without_empty_blocks([image, *counted.masks])
    found = nearest_values(images, missing, absent, "fill_missing")
    return found.rechunk(image.chunks, method="tasks")


def _missing(block, where=None, *, counted):
    return ~counted.in_block(block, where)


def _filled(image, found, where=None, *, counted):
    missing = _missing(image, where, counted=counted)
    return np.where(missing, as_dtype_of(found, image.dtype), image)


def _smooth(image, counted):
    """Return means of boxes around each pixel, as small as they may be."""
    known = functools.partial(_halved, image, *counted.masks, counted=counted.for_blocks)
    total = known(kernel=_sums_of_known, dtype=np.result_type(image.dtype, np.float32))
    weight = known(kernel=_numbers_of_known, dtype=np.dtype(np.float32))
    levels = [(total, weight)]
    while max(total.shape) > 1:
        total, weight = (
            _halved(each, kernel=_sums_of_pairs, dtype=each.dtype) for each in (total, weight)
        )
        levels.append((total, weight))
    found = None
    for level, (total, weight) in enumerate(reversed(levels), start=1):
        means = map_blocks(
            _means, *([total, weight] if found is None else [total, weight, found]),
            name="fill_missing-means", meta=block_meta(image.ndim, total.dtype),
        )  # fmt: skip
        finer = levels[-level - 1][0] if level < len(levels) else image
        found = _doubled(means, finer)
    return found


def _means(total, weight, coarser=None):
    with np.errstate(invalid="ignore", divide="ignore"):
        means = total / weight
    nothing = weight == 0
    means[nothing] = np.nan if coarser is None else coarser[nothing]
    return means


def _halved(image, *masks, kernel, dtype, **keywords):
    """Return what a kernel makes of boxes of two pixels along every axis, their sums."""
    chunks = tuple(_half_chunks(sizes) for sizes in image.chunks)
    bounds = [np.cumsum([0, *sizes]).tolist() for sizes in chunks]

    def boxes(index):
        return [
            (2 * along[i], min(2 * along[i + 1], size))
            for along, i, size in zip(bounds, index, image.shape)
        ]

    return map_boxes(
        kernel, image, *masks, name="fill_missing-halve", boxes=boxes, chunks=chunks,
        dtype=dtype, **keywords,
    )  # fmt: skip


def _half_chunks(sizes):
    """Return chunks of half the length, none so small that it costs more than it saves."""
    total, widest = -(-sum(sizes) // 2), max(max(sizes), 64)
    return tuple(min(widest, total - first) for first in range(0, total, widest))


def _sums_of_known(box, where=None, *, counted):
    """Return the sums of pixels that are there."""
    dtype = np.result_type(box.dtype, np.float32)
    return np.concatenate([
        _sums_of_pairs(np.where(known, pixels, 0).astype(dtype, copy=False))
        for pixels, known in _in_strips(box, where, counted)
    ])  # fmt: skip


def _numbers_of_known(box, where=None, *, counted):
    """Return how many pixels are there."""
    return np.concatenate([
        _sums_of_pairs(known.astype(np.float32)) for _, known in _in_strips(box, where, counted)
    ])  # fmt: skip


def _in_strips(box, where, counted):
    """Return some rows of a box after the other, an even number, and which pixels are there."""
    rows = 2 * max(PIXELS_AT_A_TIME * len(box) // (2 * max(box.size, 1)), 1)
    for start in range(0, max(len(box), 1), rows):
        some = slice(start, start + rows)
        yield box[some], counted.in_block(box[some], None if where is None else where[some])


def _sums_of_pairs(box):
    for axis in range(box.ndim):
        places = np.arange(0, box.shape[axis], 2)
        box = np.add.reduceat(box, places, axis=axis)
    return box


def _doubled(means, finer):
    """Interpolate between the middles of boxes, at the pixels of a level below."""
    bounds = [np.cumsum([0, *sizes]).tolist() for sizes in finer.chunks]

    def boxes(index):
        return [
            (max((along[i] - 1) // 2, 0), min((along[i + 1] - 1) // 2 + 2, size))
            for along, i, size in zip(bounds, index, means.shape)
        ]

    def places(index):
        lows = [box[0] for box in boxes(index)]
        spans = tuple((along[i], along[i + 1]) for along, i in zip(bounds, index))
        return spans, tuple(lows)

    return map_boxes(
        _between, means, name="fill_missing-double", boxes=boxes, chunks=finer.chunks,
        dtype=means.dtype, block_arguments=places,
    )  # fmt: skip


def _between(box, spans, lows):
    for axis, ((start, stop), low) in enumerate(zip(spans, lows)):
        position = np.clip((np.arange(start, stop) - 0.5) / 2 - low, 0, box.shape[axis] - 1)
        first = np.floor(position).astype(np.intp)
        second = np.minimum(first + 1, box.shape[axis] - 1)
        share = (position - first).astype(box.dtype)
        share = share.reshape(-1, *(1,) * (box.ndim - 1 - axis))
        one, other = np.take(box, first, axis), np.take(box, second, axis)
        box = one + share * (other - one)
    return box
