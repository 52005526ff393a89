"""Regional maxima and minima: plateaus without a higher, or a lower, neighbour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, overload

import dask.array as da
import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils import options
from dask_image._utils.arguments import normalize_wrap_axes
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.block_lattice import Connectivity, displacements_of
from dask_image._utils.engines.components import ForegroundComponents
from dask_image._utils.engines.folding import value_range
from dask_image._utils.engines.two_pass import map_two_pass
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Shape
from dask_image._utils.warnings import warn
from dask_image.segmentation._arguments import map_surroundings, neighbour_structure


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
    steps = displacements_of(neighbour_structure(footprint, connectivity, image.ndim))
    connects = Connectivity(steps, normalize_wrap_axes(wrap_axes, image.ndim))
    edges = () if allow_borders else set(range(image.ndim)) - set(connects.wrap_axes)
    if any(image.shape[axis] < 3 for axis in edges):
        warn("there is no extremum off the border of an image that is less than 3 pixels wide")
        found = da.zeros_like(image, dtype=bool)
    else:
        found = _regional(image, connects, tuple(edges), name)
    return da.nonzero(found) if indices else found


def _regional(image, connectivity, edges, name):
    """
    Return the regional maxima or minima of an image, whichever the function's name is of.

    Those that touch the edges of the image along the axes ``edges`` are left out.
    """
    steps = connectivity.displacements
    connects = set(map(tuple, np.eye(image.ndim, dtype=int).tolist())) <= set(steps)
    if image.size == 0 or (image.size == 1 and connects):
        return da.zeros_like(image, dtype=bool)
    highest = name == "local_maxima"
    # A pixel two steps away may be what spoils its neighbour, and that the plateau.
    states = map_surroundings(
        _states, image, name=f"{name}-states", reach=[(2, 2)] * image.ndim,
        wrap_axes=connectivity.wrap_axes, dtype=np.uint8, steps=steps, highest=highest,
    )  # fmt: skip
    if not edges and steps and not connects:
        least = value_range(image, name)[0 if highest else 1]
        states = da.where(image == least, np.uint8(0), states)  # as if a neighbour were higher
    # To find states anew costs more than to keep two bits a pixel, however many there are.
    algorithm = _Plateaus(
        _candidates, _spoiled, connectivity, np.dtype(bool), image.shape, states._meta,
        memory=max(options.memory("label"), -(-image.size // 8)), elsewhere=False,
        edges=edges, connects=connects,
    )  # fmt: skip
    return map_two_pass(algorithm, [states], name)[0]


def _states(image, steps, highest):
    return kernels.plateaus.plateau_states(image, steps, highest)


def _candidates(states):
    """Return the foreground: candidates and those that are spoiled, which is the number after."""
    return states - np.uint8(kernels.plateaus.CANDIDATE) <= 1


def _spoiled(states, place):
    return states == kernels.plateaus.SPOILED


@dataclass(frozen=True)
class _Plateaus(ForegroundComponents):
    """
    Chooses the peaks, and the plateaus that are spoiled nowhere.

    Parameters
    ----------
    edges : tuple of int
        Along which axes no maximum may touch the edge of the image.
    connects : bool
        Whether steps lead from any pixel to all others.
    """

    edges: Shape
    connects: bool

    combine_step, finish_step = "combine", "fill"

    def scan(self, place, states):
        """Find the plateaus and the peaks of a block, and whether any pixel has a higher neighbour."""
        if self.edges:
            states = states.copy()
            for axis in self.edges:
                start, size = place.start[axis], self.image_shape[axis]
                for edge in (-start, size - 1 - start):
                    if 0 <= edge < states.shape[axis]:
                        face = (slice(None),) * axis + (edge,)
                        states[face] = kernels.plateaus.WITHOUT_BORDER[states[face]]
        scanned, kept = super().scan(place, states)
        peaks = kernels.bits.pack_lines(states == kernels.plateaus.PEAK)
        return (scanned, bool(states.all())), (states.shape, peaks, kept)

    def link(self, number, summary, neighbours, summaries):
        """Find the plateaus that reach into other blocks."""
        scanned, level = summary
        return super().link(number, scanned, neighbours, [other for other, _ in summaries]), level

    def combine(self, linked):
        """Choose the plateaus without a spoiled pixel."""
        spoiled = super().combine([links for links, _ in linked])
        # A plateau of the image's least value is no maximum. Where steps lead everywhere, only
        # an image that is constant has one, of which no pixel has a higher neighbour.
        constant = self.connects and all(level for _, level in linked)
        return replace(spoiled, numbers=~spoiled.numbers & (not constant))

    def finish(self, kept, combined):
        """Return the peaks and the chosen plateaus of a block."""
        shape, peaks, components = kept
        found = kernels.bits.unpack_lines(peaks, shape)
        found |= super().finish(components, combined)
        return found

    def kept_bytes(self, shape):
        """Return the size of a block packed twice: its plateaus, and its peaks."""
        return 2 * super().kept_bytes(shape)
