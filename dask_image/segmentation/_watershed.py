"""Watershed by flooding."""

from __future__ import annotations

import dask.array as da
import numpy as np

from dask_image._utils.arguments import normalize_flag, normalize_number, normalize_wrap_axes
from dask_image._utils.arrays import as_dask_array, as_image
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.block_lattice import Connectivity
from dask_image._utils.engines.distances import BlockCosts
from dask_image._utils.engines.flooding import flood, pack, waits_on_disk, without_empty_blocks
from dask_image._utils.labels import as_label_image
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Real
from dask_image.segmentation._arguments import in_chunks_of, neighbour_steps
from dask_image.segmentation._extrema import packed_minima


@numpy_only
def watershed(
    image: ArrayLike, markers: ArrayLike | None = None, connectivity: Integer | ArrayLike = 1,
    mask: ArrayLike | None = None, *, compactness: Real = 0, watershed_line: bool = False,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:  # fmt: skip
    """
    Flood an image from markers: every pixel goes to the marker whose basin it lies in.

    As `skimage.segmentation.watershed`, but exact over any chunks, so
    that no seam shows where blocks meet, and lazy. A pixel belongs to the
    marker that reaches it along a path whose highest pixel is lowest; a tie on a
    plateau goes to the nearest marker.

    Parameters
    ----------
    image : array_like
        Integers or floats; low pixels are flooded first. NaN is a wall that nothing
        passes; infinite values are values like others.
    markers : array_like of int, optional
        A label where a basin begins, 0 elsewhere. Pixels of one label are one
        marker, wherever they are. By default each regional minimum is a marker.
    connectivity : int or array_like, optional
        Along how many axes at once a step to a neighbour may go, from 1 to
        ``image.ndim``; or a symmetric array of three pixels along every axis,
        whose pixels that are not zero are the neighbours of the one in the middle.
    mask : array_like of bool, optional
        Only pixels where this is True are flooded.
    compactness : float, optional
        Must be 0.
    watershed_line : bool, optional
        Whether to part basins by a line of pixels of label 0. Of two neighbours in
        different basins, the one that is higher lies on it (the later one in raster
        order, or the one beyond the end, if they are equal); markers never do.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet, as a longitude's or an angle's do: pixels at one end are
        neighbours of those at the other.

    Returns
    -------
    dask.array.Array
        The label of the basin of each pixel, of the dtype of ``markers`` (int32 or
        int64 by default) and the chunks of ``image``; 0 for walls, pixels outside
        of the mask, and those that no marker gets to.

    Raises
    ------
    ValueError
        If ``markers`` or ``mask`` differs from ``image`` in shape, or ``connectivity`` is an
        array of another size, or not symmetric.
    TypeError
        If ``image`` does not hold real numbers, or ``markers`` no integers.
    NotImplementedError
        If ``compactness`` is not 0: compact basins depend on the order in which the pixels of
        the whole image are visited.

    See Also
    --------
    skimage.segmentation.watershed : The same on NumPy arrays.
    local_minima : The markers that are used by default.
    dask_image.ndmorph.watershed_ift : SciPy's watershed, in one task.

    Notes
    -----
    The basins are the trees of the minimum spanning forest that is rooted in
    the markers [1]_, which is the flooding of Meyer [2]_. The value of a pixel
    is its image and, where that is equal, its squared Euclidean distance to
    the nearest marker in the mask. (A marker on a NaN counts for distances only.)
    An edge between neighbours is ordered by the larger of their values, the
    smaller, and then by their positions. No two edges are equal, so there is one
    forest, and it does not depend on chunks.

    scikit-image takes pixels of equal value in the order in which its queue got
    them, rather than by distance, and a pixel that is reached from several sides at
    its own value, as those of ridges are, from the side that was flooded first,
    rather than from its lowest neighbour. So the results differ on plateaus, where
    borders are straighter here, and on ridges beside minima that are no markers:
    by 0.05 % of the pixels of smooth noise (of sigma 2), by 6 % of white noise.
    Each such pixel is reached at the same level from either marker.

    The forest is found by the rounds of Borůvka [3]_ within blocks; of a block
    no more than its surface is handed on, and surfaces are combined in a tree.
    The image is read once all markers are known, which are kept as runs of equal
    labels until then, as the results of each block are until all of the image is
    scanned. What markers and image are both computed from is therefore computed
    twice, rather than kept: persist it, or store it before, if that takes long.

    References
    ----------
    .. [1] J. Cousty, G. Bertrand, L. Najman, M. Couprie, "Watershed cuts: minimum
       spanning forests and the drop of water principle", IEEE Transactions on
       Pattern Analysis and Machine Intelligence 31, 2009, 1362-1374.
    .. [2] F. Meyer, "Topographic distance and watershed lines", Signal
       Processing 38, 1994, 113-125.
    .. [3] J. Nešetřil, E. Milková, H. Nešetřilová, "Otakar Borůvka on minimum
       spanning tree problem", Discrete Mathematics 233, 2001, 3-36.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[0, 1, 3, 2, 2, 0, 1]]), chunks=3)
    >>> watershed(image).compute()
    array([[1, 1, 1, 2, 2, 2, 2]], dtype=int32)

    Markers of one's own share a plateau out by distance:

    >>> markers = da.from_array(np.array([[1, 0, 0, 0, 0, 0, 2]]), chunks=3)
    >>> watershed(da.zeros((1, 7), chunks=3), markers).compute()
    array([[1, 1, 1, 1, 2, 2, 2]])
    """
    image = as_image(image)
    if normalize_number(compactness, "compactness") != 0:
        raise NotImplementedError(
            f"compactness must be 0, got {compactness!r}: compact basins depend on the order in "
            "which the pixels of the whole image are visited"
        )
    wrap_axes = normalize_wrap_axes(wrap_axes, image.ndim)
    array = np.ndim(connectivity) > 0
    steps = neighbour_steps(
        connectivity if array else None, None if array else connectivity, image.ndim
    )
    if mask is not None:
        mask = in_chunks_of(image, as_dask_array(mask, "mask"), "mask").astype(bool)
    if markers is not None:
        markers = in_chunks_of(image, as_label_image(markers, "markers"), "markers")
    dtype = _label_dtype(image) if markers is None else markers.dtype
    lines = normalize_flag(watershed_line, "watershed_line")
    if image.size == 0:
        return da.zeros_like(image, dtype=dtype)
    chunks = image.chunks
    image, markers, mask = without_empty_blocks([image, markers, mask])
    distances, on_disk = BlockCosts.on(image, wrap_axes), waits_on_disk(image)
    if markers is None:
        connected = Connectivity(steps, wrap_axes)
        packed = packed_minima(image, mask, connected, dtype, distances.summarize, on_disk)
    else:
        packed = pack(markers, mask, distances.summarize, on_disk, "watershed")
    basins = flood(image, packed, distances, steps, "watershed", wrap_axes, lines, on_disk)
    return basins.rechunk(chunks, method="tasks")


def _label_dtype(image):
    return np.dtype(np.int32 if image.size < 2**31 else np.int64)
