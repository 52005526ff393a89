"""Turn what a caller passes into a Dask array that every engine can rely on."""

import dask.array as da
import numpy as np


def as_dask_array(image, name="image", known=True):
    """
    Return ``image`` as a Dask array of native byte order and known chunks.

    Parameters
    ----------
    image : array_like
        NumPy, CuPy, Dask or ``xarray.DataArray`` array, or anything with a
        shape, a dtype and slicing (zarr, HDF5). Nothing is computed; a chunked
        store keeps its own chunks.
    name : str, optional
        What the caller calls this argument, for error messages.
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
        If the values are neither numbers nor booleans.
    """
    if hasattr(image, "dims") and hasattr(image, "data"):  # xarray.DataArray
        image = image.data
    if not isinstance(image, da.Array):
        if not hasattr(image, "shape") or not hasattr(image, "dtype"):
            image = np.asarray(image)
        image = da.from_array(image, chunks=getattr(image, "chunks", None) or "auto")
    if known and any(np.isnan(size) for size in image.shape):
        raise ValueError(
            f"{name} has unknown chunk sizes {image.chunks}; "
            f"call {name}.compute_chunk_sizes() first"
        )
    if image.dtype.kind not in "biufc":
        raise TypeError(f"{name} must hold numbers or booleans, got dtype {image.dtype}")
    if not image.dtype.isnative:
        image = image.astype(image.dtype.newbyteorder("="))
    return image


def with_dtype(image, dtype, ndim=None):
    """Return the empty array that stands for blocks of ``image``'s kind with ``dtype``."""
    ndim = image.ndim if ndim is None else ndim
    return np.empty_like(image._meta, shape=(0,) * ndim, dtype=dtype)


def output_dtype(output, default):
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
