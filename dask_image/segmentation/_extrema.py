"""Regional maxima and minima: plateaus without a higher, or a lower, neighbour."""

from dataclasses import dataclass, replace
from typing import Literal, overload

import dask.array as da
import numpy as np

from dask_image._utils import options
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.block_lattice import Connectivity, displacements_of
from dask_image._utils.engines.components import ForegroundComponents
from dask_image._utils.engines.folding import value_range
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.engines.two_pass import map_two_pass
from dask_image._utils.steps import facing, forward
from dask_image._utils.typing import Array, ArrayLike, Integer, Shape
from dask_image._utils.warnings import warn
from dask_image.segmentation._arguments import neighbour_structure

# What a pixel is: one with a higher neighbour, one without, or one without whose plateau is
# known to be no maximum all the same.
LOWER, CANDIDATE, SPOILED = 0, 1, 2


@overload
def local_maxima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ...,
    indices: Literal[False] = ..., allow_borders: bool = ...,
) -> Array: ...  # fmt: skip
@overload
def local_maxima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ..., *,
    indices: Literal[True], allow_borders: bool = ...,
) -> tuple[Array, ...]: ...  # fmt: skip
@numpy_only
def local_maxima(
    image: ArrayLike, footprint: ArrayLike | None = None, connectivity: Integer | None = None,
    indices: bool = False, allow_borders: bool = True,
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
    such a pixel. So the components of `dask_image.ndmeasure.label` serve. As in
    scikit-image, a plateau of the image's least value is no maximum.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[0, 2, 2, 1, 2, 2, 3, 0]]), chunks=2)
    >>> local_maxima(image).compute().astype(int)
    array([[0, 1, 1, 0, 0, 0, 1, 0]])
    """
    return _extrema(image, footprint, connectivity, indices, allow_borders, "local_maxima")


@overload
def local_minima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ...,
    indices: Literal[False] = ..., allow_borders: bool = ...,
) -> Array: ...  # fmt: skip
@overload
def local_minima(
    image: ArrayLike, footprint: ArrayLike | None = ..., connectivity: Integer | None = ..., *,
    indices: Literal[True], allow_borders: bool = ...,
) -> tuple[Array, ...]: ...  # fmt: skip
@numpy_only
def local_minima(
    image: ArrayLike, footprint: ArrayLike | None = None, connectivity: Integer | None = None,
    indices: bool = False, allow_borders: bool = True,
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
    return _extrema(image, footprint, connectivity, indices, allow_borders, "local_minima")


def _extrema(image, footprint, connectivity, indices, allow_borders, name):
    image = as_image(image)
    steps = displacements_of(neighbour_structure(footprint, connectivity, image.ndim))
    if not allow_borders and min(image.shape) < 3:
        warn("there is no extremum off the border of an image that is less than 3 pixels wide")
        found = da.zeros_like(image, dtype=bool)
    else:
        found = _regional(image, steps, allow_borders, name)
    return da.nonzero(found) if indices else found


def _regional(image, steps, allow_borders, name):
    """Return the regional maxima or minima of an image, whichever the function's name is of."""
    if image.size == 0:
        return da.zeros_like(image, dtype=bool)
    highest = name == "local_maxima"
    least, most = value_range(image, name)[:: 1 if highest else -1]
    # A pixel two steps away may be what spoils its neighbour, and that the plateau.
    states = map_neighborhood(
        _states, image, name=f"{name}-states", reach=[(2, 2)] * image.ndim,
        modes=["nearest"] * image.ndim, dtype=np.uint8, steps=steps, highest=highest,
    )  # fmt: skip
    connects = set(map(tuple, np.eye(image.ndim, dtype=int).tolist())) <= set(steps)
    if allow_borders and steps and not connects:
        states = da.where(image == least, np.uint8(LOWER), states)
    # To find states anew costs more than to keep a bit a pixel, however many there are.
    algorithm = UntouchedComponents(
        _candidates, _Spoiled(image.shape, allow_borders), Connectivity(steps), np.dtype(bool),
        image.shape, states._meta, memory=max(options.memory("label"), -(-image.size // 8)),
    )  # fmt: skip
    found = map_two_pass(algorithm, [states], name)[0]
    # A plateau of the image's least value that reaches its edge is no maximum. Where steps lead
    # everywhere, only an image that is constant has one, and it need not be looked at again.
    return found & (least != most) if allow_borders and connects else found


def _states(image, steps, highest):
    """Tell of each pixel what it is, as far as its neighbours and theirs can tell."""
    candidate = np.ones(image.shape, bool)
    pairs = [facing(step) for step in forward(steps)]
    for here, there in pairs:
        lower = image[here] < image[there]
        higher = image[here] > image[there]
        candidate[here] &= ~(lower if highest else higher)
        candidate[there] &= ~(higher if highest else lower)
    if image.dtype.kind == "f":
        candidate &= ~np.isnan(image)
    spoiled = np.zeros(image.shape, bool)
    for here, there in pairs:
        equal = image[here] == image[there]
        spoiled[here] |= equal & ~candidate[there]
        spoiled[there] |= equal & ~candidate[here]
    return candidate.view(np.uint8) + (candidate & spoiled)


def _candidates(states):
    return states != LOWER


@dataclass(frozen=True)
class _Spoiled:
    """Which candidates are known to be no extremum."""

    image_shape: Shape
    allow_borders: bool

    def __call__(self, states, place):
        found = states == SPOILED
        if not self.allow_borders:
            for axis, (start, size) in enumerate(zip(place.start, self.image_shape)):
                for edge in (-start, size - 1 - start):
                    if 0 <= edge < states.shape[axis]:
                        found[(slice(None),) * axis + (edge,)] = True
        return found


class UntouchedComponents(ForegroundComponents):
    """Chooses the components of a foreground that no seed touches."""

    def combine(self, linked):
        """Choose the components that are not touched."""
        touched = super().combine(linked)
        return replace(touched, numbers=~touched.numbers)
