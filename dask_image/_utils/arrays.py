"""Turn what a caller passes into a Dask array that every engine can rely on."""

from __future__ import annotations

import math
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.base import is_dask_collection
from dask.utils import parse_bytes

from dask_image._utils import options
from dask_image._utils.arguments import ArgumentError, array_or_raise, normalize_axis
from dask_image._utils.engines.graph import normalize_chunks
from dask_image._utils.typing import Array, ArrayLike, Block, DTypeLike, Integer
from dask_image._utils.warnings import warn

# Arrays without chunks are cut into blocks of this many bytes. What is smaller takes less time
# than it takes to share it out; what is larger keeps every core busy.
BLOCK_BYTES = 4 << 20


def as_dask_array(
    image: ArrayLike, name: str = "image", whole: bool = False, known: bool = True
) -> Array:
    """
    Return ``image`` as a Dask array of native byte order and known chunks.

    Parameters
    ----------
    image : array_like
        NumPy, CuPy, Dask or ``xarray.DataArray`` array, or anything with a
        shape, a dtype and slicing (zarr, HDF5); or a sequence of such arrays of
        one shape, which are stacked. Nothing is computed; a chunked store keeps
        its own chunks. Of masked arrays the data are taken, with a warning.
    name : str, optional
        What the caller calls this argument, for messages.
    whole : bool, optional
        Leave what has no chunks in one block: one task takes all of it anyway.
    known : bool, optional
        Whether chunks of unknown size are refused.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    ValueError
        If a Dask array has unknown chunk sizes, unless ``known`` is False.
    TypeError
        If the values are neither numbers nor booleans, or ``image`` is what `label`
        returns, labels and their number.
    """
    image = without_mask(stack_lazily(image, name), name)
    if not isinstance(image, da.Array):
        if not hasattr(image, "shape") or not hasattr(image, "dtype"):
            image = array_or_raise(image, name)
        chunks = getattr(image, "chunks", None) or (-1 if whole else _cut(image))
        image = da.from_array(image, chunks=chunks)
    if known:
        check_sizes_known(image, name)
    if image.dtype.kind not in "biufc":
        raise TypeError(f"{name} must hold numbers or booleans, got dtype {image.dtype}")
    if not image.dtype.isnative:
        image = image.astype(image.dtype.newbyteorder("="))
    return image


def check_sizes_known(array: Array, name: str) -> None:
    """Raise ValueError if the sizes of an array's chunks are not known yet."""
    if any(np.isnan(size) for size in array.shape):
        raise ValueError(
            f"{name} has unknown chunk sizes {array.chunks}; "
            f"call {name}.compute_chunk_sizes() first"
        )


def as_image(image: ArrayLike, name: str = "image") -> Array:
    """Return an image of real numbers and at least one axis, or raise."""
    image = as_dask_array(image, name)
    if image.ndim == 0:
        raise ArgumentError(f"{name} must have at least one axis, got an array without axes")
    if image.dtype.kind not in "biuf" or image.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers of 64 bits at most, got {image.dtype}")
    return without_idle_chunks(image)


def _cut(image):
    """Return chunks for an array that has none, in blocks that keep all cores busy."""
    if image.dtype.hasobject:
        return -1
    if type(image).__module__.partition(".")[0] == "cupy":
        return "auto"  # one GPU works on all of a block at once
    limit = min(BLOCK_BYTES, parse_bytes(dask.config.get("array.chunk-size")))
    return normalize_chunks("auto", tuple(image.shape), limit=limit, dtype=image.dtype)


def stack_lazily(value: Any, name: str) -> Any:
    """
    Return a sequence of arrays as one, lazily if one of them is lazy; all else as it is.

    NumPy would compute each lazy array, once for every question that it asks.

    Parameters
    ----------
    value : object
    name : str
        What the caller calls this argument, for error messages.

    Returns
    -------
    object
        A Dask array if there is a lazy array in ``value``, at any depth; a masked array if there
        is one.

    Raises
    ------
    TypeError
        If ``value`` is what `label` returns, labels and their number.
    ValueError
        If lazy arrays differ in shape.
    """
    if hasattr(value, "dims") and hasattr(value, "data"):  # xarray.DataArray
        return value.data
    if not isinstance(value, (list, tuple)):
        return value
    parts = [stack_lazily(part, name) for part in value]
    if len(parts) == 2 and getattr(parts[0], "shape", None) and np.ndim(parts[1]) == 0:
        raise TypeError(
            f"{name} must be one array, got an array and a number: "
            "label returns (labels, number): pass the first"
        )
    if not any(is_dask_collection(part) for part in parts):
        masked = any(isinstance(part, np.ma.MaskedArray) for part in parts)
        # NumPy would drop the masks without a word.
        return np.ma.stack(parts) if masked else value
    shapes = [np.shape(part) for part in parts]
    # Unknown lengths are NaN, equal to none: blocks show whether they agree.
    if len({str(shape) for shape in shapes}) > 1:
        raise ValueError(f"{name} must be made of arrays of one shape, got {shapes}")
    return da.stack(parts, allow_unknown_chunksizes=True)


def without_mask(array: Any, name: str) -> Any:
    """
    Return the data of a masked array, with a warning; any other array as it is.

    Parameters
    ----------
    array : array_like
    name : str
        What the caller calls this argument, for the warning.

    Returns
    -------
    array_like
    """
    lazy = isinstance(array, da.Array)
    if not isinstance(array._meta if lazy else array, np.ma.MaskedArray):
        return array
    filled = "dask.array.ma.filled(array, value)" if lazy else "array.filled(value)"
    warn(
        f"{name} is a masked array: its data are used under the mask too. Give masked pixels a "
        f"value with {filled}, or leave them out: of filters with where=~mask, of measurements "
        "with a label of 0"
    )
    if not lazy:
        return np.ma.getdata(array)
    return array.map_blocks(np.ma.getdata, meta=block_meta(array.ndim, array.dtype))


def channels_last(image: Array, channel_axis: Integer | None) -> Array:
    """Return an image with its channels along the last axis; None says that they are there."""
    if channel_axis is None:
        return image
    channels = normalize_axis(channel_axis, image.ndim, "channel_axis")
    # Arrays of Dask's query planning have no ``moveaxis``.
    return image.transpose([axis for axis in range(image.ndim) if axis != channels] + [channels])


def count_blocks(array: Array) -> int:
    """Return how many blocks a Dask array has."""
    return math.prod(array.numblocks)


def fits_memory(array: Array, option: str) -> bool:
    """Tell whether an array takes no more memory than an option says; unknown sizes do not."""
    # Arrays of Dask's query planning have no ``nbytes``.
    return bool(array.size * array.dtype.itemsize <= options.memory(option))


def block_meta(ndim: int, dtype: DTypeLike, like: Block = None) -> Block:
    """
    Return the smallest array that can stand for blocks: zeros, never uninitialised memory.

    The one of a 0-d result holds a value, and `dask.array.blockwise` makes names of it.

    Parameters
    ----------
    ndim : int
        Number of axes of the blocks.
    dtype : dtype
    like : array, optional
        Of the kind of the blocks; a NumPy array by default.

    Returns
    -------
    array
        Without pixels, unless ``ndim`` is 0.
    """
    shape = (0,) * ndim
    return np.zeros(shape, dtype) if like is None else np.zeros_like(like, dtype, shape=shape)


def without_idle_chunks(image: Array) -> Array:
    """
    Return ``image`` with one chunk along axes of length 0 or 1.

    Chunks like (0, 1) are lawful, but Dask takes an axis of length 1 for one to be
    broadcast: where it puts arrays or numbers together it loses the other block.
    """
    if any(sum(sizes) == 0 and len(sizes) > 1 for sizes in image.chunks):
        # Dask does not rechunk what has no pixel along any axis.
        image = image.blocks[tuple(slice(None if size else 1) for size in image.shape)]
    narrow = {
        axis: -1 for axis, sizes in enumerate(image.chunks) if sum(sizes) < 2 and len(sizes) > 1
    }
    return image.rechunk(narrow) if narrow else image


def with_dtype(image: Array, dtype: DTypeLike, ndim: int | None = None) -> Block:
    """Return the meta of blocks of ``image``'s kind with ``dtype``."""
    return block_meta(image.ndim if ndim is None else ndim, dtype, like=image._meta)


def output_dtype(output: DTypeLike | None, default: DTypeLike) -> np.dtype[Any]:
    """
    Return the dtype a result is to have.

    Parameters
    ----------
    output : dtype, type, str or None
        As SciPy's ``output`` argument, but a dtype only: Dask arrays are never
        written in place.
    default : dtype
        What ``None`` stands for.

    Returns
    -------
    numpy.dtype

    Raises
    ------
    TypeError
        If ``output`` is an array, or names no dtype.
    """
    if output is None:
        return np.dtype(default).newbyteorder("=")
    if hasattr(output, "shape") and not isinstance(output, (type, np.dtype)):
        raise TypeError(
            "output must be a dtype: a Dask array is lazy and cannot be written in place; "
            f"got {type(output).__name__}"
        )
    try:
        return np.dtype(output).newbyteorder("=")
    except TypeError:
        raise TypeError(f"output must be a dtype, got {output!r}") from None
