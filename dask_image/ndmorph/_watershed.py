"""Watershed by the image foresting transform."""

from __future__ import annotations

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import ArgumentError, normalize_array
from dask_image._utils.arrays import as_dask_array, count_blocks, output_dtype, with_dtype
from dask_image._utils.backend import kernel_for, numpy_only
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.labels import as_label_image
from dask_image._utils.typing import Array, ArrayLike, DTypeLike
from dask_image._utils.warnings import warn


@numpy_only
def watershed_ift(
    image: ArrayLike,
    markers: ArrayLike,
    structure: ArrayLike | None = None,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Grow markers over an image, along the least steep paths.

    Equal to `scipy.ndimage.watershed_ift`: on the whole image, in one lazy task. Beside the image,
    the markers and the result, SciPy takes 40 bytes a pixel for its queues; with numba, images of
    more than four million pixels take 12.

    Parameters
    ----------
    image : array_like
        Of uint8 or uint16.
    markers : array_like
        Of a signed integer dtype, or floats that are whole numbers, and the shape
        of ``image``. Each number is a marker; negative ones are background, and
        grow last.
    structure : array_like, optional
        Which neighbours of a pixel a marker may grow to: an array of three
        pixels along every axis. By default those along one axis.
    output : dtype, optional
        Accepted and ignored, as in SciPy: the result has the dtype of
        ``markers``.

    Returns
    -------
    dask.array.Array
        Of the dtype of ``markers``, int64 for floats, with the shape and chunks of ``image``.

    Raises
    ------
    TypeError
        If ``image`` is not of uint8 or uint16.
    RuntimeError
        If ``markers`` or ``structure`` has a wrong dtype or shape.

    Warns
    -----
    dask.array.PerformanceWarning
        If ``image`` or ``markers`` has more than one block: the blocks are put
        together in one task, which must fit in memory.

    See Also
    --------
    scipy.ndimage.watershed_ift : The same on NumPy arrays.

    Notes
    -----
    The markers compete [1]_: a pixel goes to the marker that reaches it along a path
    whose largest step between neighbouring pixels is smallest. That much could be
    found block by block: distances to the pixels on each block's border, a
    graph of these borders, and a second pass within the blocks. But many paths
    tie, and SciPy lets the marker win that a queue, one for the whole image,
    happens to serve first, so that the winner depends on the order in which
    all pixels of equal cost, however far away, were entered. A chunked
    algorithm that gives exactly that result would have to pass on, for each
    border pixel, its place in the queue as well as its cost, and to repeat
    this until no place changes, in as many rounds as a path crosses borders.

    References
    ----------
    .. [1] A. X. Falcão, J. Stolfi, R. de Alencar Lotufo, "The image foresting
       transform: theory, algorithms, and applications", IEEE Transactions on
       Pattern Analysis and Machine Intelligence 26, 2004, 19-29.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 1, 9, 1, 1]], dtype=np.uint8))
    >>> markers = da.from_array(np.array([[1, 0, 0, 0, 2]]))
    >>> watershed_ift(image, markers).compute()
    array([[1, 1, 2, 2, 2]])
    """
    if output is not None:
        output_dtype(output, np.int32)
    image = as_dask_array(image, whole=True)
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"image must be of uint8 or uint16, got {image.dtype}")
    markers = as_label_image(as_dask_array(markers, "markers", whole=True), "markers")
    if markers.shape != image.shape:
        raise ArgumentError(
            f"markers must have the shape of image, {image.shape}, got {markers.shape}"
        )
    if markers.dtype.kind != "i":
        raise ArgumentError(f"markers must be of a signed integer dtype, got {markers.dtype}")
    structure = _normalize_structure(structure, image.ndim)
    if count_blocks(image) > 1 or count_blocks(markers) > 1:
        warn(
            "watershed_ift depends on the order in which all pixels of the image are visited, "
            f"so the whole image, of shape {image.shape}, is put together in one task",
            da.PerformanceWarning,
        )
    flooded = map_blocks(
        kernel_for(image, ndimage.watershed_ift),
        image.rechunk(-1, method="tasks"),
        markers.rechunk(-1, method="tasks"),
        structure=structure,
        dtype=markers.dtype,
        name="watershed_ift",
        meta=with_dtype(markers, markers.dtype),
    )
    return flooded.rechunk(image.chunks, method="tasks")


def _normalize_structure(structure, ndim):
    if structure is None:
        return ndimage.generate_binary_structure(ndim, 1)
    structure = normalize_array(structure, "structure", bool)
    if structure.shape != (3,) * ndim:
        raise ArgumentError(
            f"structure must be of size 3 along each of {ndim} axes, got shape {structure.shape}"
        )
    return structure
