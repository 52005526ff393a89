"""Regional maxima and minima: plateaus without a higher, or a lower, neighbour."""

from __future__ import annotations

from typing import Literal, overload

import dask.array as da
import numpy as np

from dask_image._utils import options
from dask_image._utils.arguments import normalize_flag, normalize_wrap_axes
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.block_lattice import Connectivity
from dask_image._utils.engines.flooding import without_empty_blocks
from dask_image._utils.engines.plateaus import NumberedPlateaus, Plateaus
from dask_image._utils.engines.two_pass import map_two_pass
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis
from dask_image._utils.warnings import warn
from dask_image.segmentation._arguments import neighbour_steps


@overload
def local_maxima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ...,
    indices: Literal[False] = ..., allow_borders: bool = ..., *,
    wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def local_maxima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ..., *,
    indices: Literal[True], allow_borders: bool = ..., wrap_axes: PerAxis[Integer] | None = ...,
) -> tuple[Array, ...]: ...  # fmt: skip
@numpy_only
def local_maxima(
    image: ArrayLike, footprint: ArrayLike | None = None, connectivity: Integer | None = None,
    indices: bool = False, allow_borders: bool = True, *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array | tuple[Array, ...]:  # fmt: skip
    """
    Find the plateaus that are higher than all pixels around them.

    As `skimage.morphology.local_maxima`; plateaus may reach over any
    number of blocks.

    Parameters
    ----------
    image : array_like
        Integers, floats or booleans. NaN is no maximum, and higher than nothing.
    footprint : array_like of bool, optional
        Which pixels are the neighbours of the one in the middle: symmetric, of three
        pixels along every axis.
    connectivity : int, optional
        Without ``footprint``: along how many axes at once a step to a neighbour may go.
        Along all by default.
    indices : bool, optional
        Whether to return positions rather than an array of booleans.
    allow_borders : bool, optional
        Whether a plateau that touches the edge of the image may be a maximum.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet: there is no edge there.

    Returns
    -------
    dask.array.Array or tuple of dask.array.Array
        Of bool, with the shape and chunks of ``image``. If ``indices``, the
        positions along each axis instead, in raster order and of unknown length.

    Raises
    ------
    ValueError
        If ``footprint`` is of another size, or not symmetric.

    See Also
    --------
    skimage.morphology.local_maxima : The same on NumPy arrays.
    h_maxima : Those that stand out by a given height.

    Notes
    -----
    Pixels without a higher neighbour are maxima unless they lie on a plateau
    with a pixel that has one. Connected, those pixels make up components, and
    a plateau is found to be none of the maxima where its component touches
    such a pixel, in its block or the next. The image is read once. As in
    scikit-image, a plateau of the image's least value is no maximum.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[0, 2, 2, 1, 2, 2, 3, 0]]), chunks=2)
    >>> local_maxima(image).compute().astype(int)
    array([[0, 1, 1, 0, 0, 0, 1, 0]])
    """
    return _extrema(
        image, footprint, connectivity, indices, allow_borders, wrap_axes, "local_maxima"
    )


@overload
def local_minima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ...,
    indices: Literal[False] = ..., allow_borders: bool = ..., *,
    wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def local_minima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ..., *,
    indices: Literal[True], allow_borders: bool = ..., wrap_axes: PerAxis[Integer] | None = ...,
) -> tuple[Array, ...]: ...  # fmt: skip
@numpy_only
def local_minima(
    image: ArrayLike, footprint: ArrayLike | None = None, connectivity: Integer | None = None,
    indices: bool = False, allow_borders: bool = True, *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array | tuple[Array, ...]:  # fmt: skip
    """
    Find the plateaus that are lower than all pixels around them.

    As `skimage.morphology.local_minima`, and `local_maxima`.

    Parameters
    ----------
    image : array_like
        Integers, floats or booleans. NaN is no minimum, and lower than nothing.
    footprint, connectivity, indices : optional
        As in `local_maxima`.
    allow_borders : bool, optional
        Whether a plateau that touches the edge of the image may be a minimum.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet: there is no edge there.

    Returns
    -------
    dask.array.Array or tuple of dask.array.Array
        As from `local_maxima`.

    Raises
    ------
    ValueError
        As `local_maxima`.

    See Also
    --------
    skimage.morphology.local_minima : The same on NumPy arrays.
    h_minima : Those that are deeper than a given depth.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[3, 1, 1, 2, 1, 1, 0, 3]]), chunks=2)
    >>> local_minima(image).compute().astype(int)
    array([[0, 1, 1, 0, 0, 0, 1, 0]])
    """
    return _extrema(
        image, footprint, connectivity, indices, allow_borders, wrap_axes, "local_minima"
    )


def _extrema(image, footprint, connectivity, indices, allow_borders, wrap_axes, name):
    image = as_image(image)
    steps = neighbour_steps(footprint, connectivity, image.ndim)
    connects = Connectivity(steps, normalize_wrap_axes(wrap_axes, image.ndim))
    edges = (
        ()
        if normalize_flag(allow_borders, "allow_borders")
        else set(range(image.ndim)) - set(connects.wrap_axes)
    )
    if any(image.shape[axis] < 3 for axis in edges):
        warn("there is no extremum off the border of an image that is less than 3 pixels wide")
        found = da.zeros_like(image, dtype=bool)
    else:
        found = _regional(image, connects, tuple(edges), name)
    return da.nonzero(found) if normalize_flag(indices, "indices") else found


def _regional(image, connectivity, edges, name):
    """
    Return the regional maxima or minima of an image, whichever the function's name is of.

    Those that touch the edges of the image along the axes ``edges`` are left out.
    """
    if image.size == 0:
        return da.zeros_like(image, dtype=bool)
    chunks, (image,) = image.chunks, without_empty_blocks([image])
    algorithm = Plateaus.of(
        image, connectivity, name == "local_maxima", dtype=np.dtype(bool), edges=edges,
        on_disk=image.size // 4 > options.memory("waiting"),  # two bits a pixel
    )  # fmt: skip
    return map_two_pass(algorithm, [image], name)[0].rechunk(chunks, method="tasks")


def packed_minima(image, mask, connectivity, dtype, summarize, on_disk):
    """Return each regional minimum as a marker, numbered as `label` does, for `flood`."""
    algorithm = NumberedPlateaus.of(
        image, connectivity, highest=False, dtype=dtype, summarize=summarize, on_disk=on_disk
    )
    images = [image] if mask is None else [image, mask]
    return map_two_pass(algorithm, images, "local_minima")[0]
