"""Connected components, and labels made block by block."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import ArgumentError, normalize_array, normalize_wrap_axes
from dask_image._utils.arrays import as_dask_array, output_dtype
from dask_image._utils.engines.block_lattice import Connectivity, displacements_of
from dask_image._utils.engines.components import foreground_components
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.typing import Array, ArrayLike, DTypeLike, Integer, PerAxis


class AsymmetricStructureError(ValueError, AssertionError):
    """A structure links two pixels in one direction only (SciPy raises AssertionError)."""


def label(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
    *,
    output: DTypeLike | None = None,
) -> tuple[Array, Array]:
    """
    Label the connected components of an image.

    As `scipy.ndimage.label` does on the whole array, with the same numbers:
    components count up from 1 in the order of their first pixels in C order.
    Differs in that it takes ``wrap_axes``, and in that both results are lazy.

    Parameters
    ----------
    image : array_like
        Pixels that are not zero are labelled, NaN included. Not complex.
    structure : array_like of bool, optional
        Which pixels are connected with the one in the middle. Three elements
        along every axis of the image, and the same when rotated by 180 degrees.
        By default pixels that share a face are connected.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet, as longitudes do: pixels are also connected across
        the border of the image there, and across its corners if there are two
        such axes.
    output : dtype, optional
        Of the labels.

    Returns
    -------
    labels : dask.array.Array
        Of the image's chunks; unless ``output`` says otherwise int32, or int64
        if more than 2**31 - 1 labels are possible.
    count : dask.array.Array
        0-d: how many components there are.

    Raises
    ------
    TypeError
        If the image is complex, or ``output`` complex or boolean.
    RuntimeError
        If the structure and the image differ in their number of axes; when
        computed, if a label does not fit into ``output``.
    ValueError
        If the structure is not of size 3, or not symmetric.

    Notes
    -----
    Nothing is computed until the results are. The components of a block are found, and
    written as labels once all blocks have been seen; what is kept in between is where they
    lie, which takes 256 MiB for the whole image at the most (option
    ``dask-image.label.memory``), their first pixels and the labels at the faces of blocks.
    Of an image of more than 8 pixels for each of these bytes, 2**31, not even that is kept,
    but the image is computed twice: there, an image that is not reproducible (made of random
    numbers that are not seeded, say) must be stored first.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import label
    >>> image = np.zeros((4, 6), dtype=bool)
    >>> image[1, 1:5] = image[3, 0] = image[3, 5] = True
    >>> labels, count = label(da.from_array(image, chunks=(2, 3)))
    >>> labels.compute()
    array([[0, 0, 0, 0, 0, 0],
           [0, 1, 1, 1, 1, 0],
           [0, 0, 0, 0, 0, 0],
           [2, 0, 0, 0, 0, 3]], dtype=int32)
    >>> int(count)
    3

    The two at the bottom meet where the last axis is periodic:

    >>> labels, count = label(da.from_array(image, chunks=(2, 3)), wrap_axes=(1,))
    >>> int(count)
    2
    """
    image = as_dask_array(image)
    if image.dtype.kind == "c":
        raise TypeError(f"image must not be complex, got dtype {image.dtype}")
    structure = label_structure(structure, image.ndim)
    connectivity = label_connectivity(structure, wrap_axes, image.ndim)
    if image.ndim == 0:
        labels, count = label(image[np.newaxis], output=output)
        return labels[0], count
    dtype = np.dtype(np.int32 if image.size < 2**31 else np.int64)
    wanted = output_dtype(output, dtype)
    if wanted.kind not in "iuf":
        raise TypeError(
            f"output must be a dtype of integers or floats, to number objects with, got {wanted}"
        )
    labels, count = foreground_components([image], is_foreground, connectivity, dtype, "label")
    if wanted != dtype:
        labels = map_blocks(_cast_labels, labels, wanted, dtype=wanted, name="label-cast")
    return labels, count


def _cast_labels(labels, dtype):
    cast = labels.astype(dtype)
    if not np.array_equal(cast, labels):
        raise RuntimeError(f"output {dtype} cannot hold label {labels.max()}")
    return cast


def label_structure(structure, ndim):
    """Return the structure that says which pixels are connected, checked as SciPy does."""
    if structure is None:
        return ndimage.generate_binary_structure(ndim, 1)
    structure = normalize_array(structure, "structure", bool)
    if structure.ndim != ndim:
        raise ArgumentError(
            f"structure must have as many axes as the image, {ndim}, got {structure.ndim}"
        )
    if any(size != 3 for size in structure.shape):
        raise ValueError(f"structure must have 3 elements along every axis, got {structure.shape}")
    if not np.array_equal(structure, np.flip(structure)):
        raise AsymmetricStructureError(
            f"structure must be symmetric about its middle, got {structure.tolist()}"
        )
    return structure


def label_connectivity(structure, wrap_axes, ndim):
    """Return the connectivity that a structure and periodic axes stand for."""
    return Connectivity(displacements_of(structure), normalize_wrap_axes(wrap_axes, ndim))


def is_foreground(block):
    """Return which pixels are labelled: those that are not zero."""
    return block if block.dtype == bool else block != 0
