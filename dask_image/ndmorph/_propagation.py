"""
Propagation through a mask, and holes filled by it.

What spreads from pixel to pixel until nothing changes fills connected components
of the mask, as long as steps lead both ways: then the engine of `label` finds the
components that are reached. Structures that lead one way only are followed block
by block in one task; structures whose middle is not set, under which a pixel
can be lost again, are left to SciPy on the whole array.
"""

from __future__ import annotations

import collections
import itertools
from dataclasses import dataclass, replace
from typing import Any

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_integer,
    normalize_wrap_axes,
    on_axes,
    window_reach,
)
from dask_image._utils.arrays import as_dask_array, count_blocks, output_dtype, with_dtype
from dask_image._utils.engines.block_lattice import Connectivity, displacements_of, touching_along
from dask_image._utils.engines.components import foreground_components, off_host, on_host
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.two_pass import UNLINKED, TwoPass, map_two_pass
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Chunks,
    DTypeLike,
    Integer,
    NDArray,
    PerAxis,
    Shape,
)
from dask_image._utils.warnings import warn
from dask_image._utils.windows import binary_window


def binary_propagation(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Let the pixels of an image spread through a mask until nothing changes.

    As `scipy.ndimage.binary_propagation` on the whole array. Lazy; the cost
    grows with the number of blocks, however long the way is.

    Parameters
    ----------
    image : array_like
        Pixels that are not zero spread, those outside of the mask included.
    structure : array_like of bool, optional
        Which pixels a pixel spreads to; by default those that share a face.
    mask : array_like of bool, optional
        Where to spread: a NumPy or a Dask array. Pixels outside of it keep the
        value they have. By default everywhere.
    border_value : int, optional
        Whether pixels outside of the image spread into it.
    origin : int or tuple of int, optional
        How far the middle of the structure is moved.
    output : dtype, optional
        Taken for SciPy's sake, which returns a boolean array in any case.
    axes : int or tuple of int, optional
        The axes that the structure has; all by default.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet: no pixel is outside of the image there.

    Returns
    -------
    dask.array.Array of bool
        Of the image's chunks.

    Warns
    -----
    dask.array.PerformanceWarning
        If the structure is not symmetric about its middle. Then one task
        follows the spreading through all blocks, in two bits of memory a pixel;
        or, if the structure leaves out its middle, on the whole array.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmorph import binary_propagation
    >>> mask = np.array([[1, 1, 1, 0, 1], [0, 0, 1, 0, 1]], dtype=bool)
    >>> seeds = da.from_array(np.array([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]), chunks=2)
    >>> binary_propagation(seeds, mask=mask).compute().astype(int)
    array([[1, 1, 1, 0, 0],
           [0, 0, 1, 0, 0]])
    """
    image = as_dask_array(image)
    output_dtype(output, bool)
    if image.dtype.kind == "c":
        raise TypeError(f"image must not be complex, got dtype {image.dtype}")
    window = binary_window(structure, origin, axes, image.ndim)
    return until_stable(
        ndimage.binary_dilation, image, window, mask=mask, border_value=border_value,
        wrap_axes=wrap_axes, name="binary_propagation",
    )  # fmt: skip


def binary_fill_holes(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Fill the holes of a binary image: the background that the border does not reach.

    As `scipy.ndimage.binary_fill_holes` on the whole array. Lazy; the cost
    grows with the number of blocks, whatever the shape of the holes.

    Parameters
    ----------
    image : array_like
        Pixels that are not zero are objects.
    structure : array_like of bool, optional
        Which pixels of the background are connected; by default those that
        share a face. More connections make for fewer holes.
    origin, output : optional
        As in `binary_propagation`.
    axes : int or tuple of int, optional
        The axes that the structure has; all by default. With the last two of
        three, every plane is filled by itself.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet: there is no border there.

    Returns
    -------
    dask.array.Array of bool
        Of the image's chunks.

    Warns
    -----
    dask.array.PerformanceWarning
        As `binary_propagation` does.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmorph import binary_fill_holes
    >>> image = np.array([[0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]])
    >>> binary_fill_holes(da.from_array(image, chunks=2)).compute().astype(int)
    array([[0, 1, 1, 1],
           [0, 1, 1, 1],
           [0, 1, 1, 1]])
    """
    image = as_dask_array(image)
    output_dtype(output, bool)
    window = binary_window(structure, origin, axes, image.ndim)
    return until_stable(
        ndimage.binary_dilation, None, window, mask=image, border_value=1, wrap_axes=wrap_axes,
        around=True, name="binary_fill_holes",
    )  # fmt: skip


def until_stable(
    scipy_function, image, window, *, mask=None, border_value=0, wrap_axes=None, around=False, name
):
    """
    Erode or dilate until nothing changes.

    Parameters
    ----------
    scipy_function : callable
        `scipy.ndimage.binary_erosion` or `scipy.ndimage.binary_dilation`.
    image : dask.array.Array or None
        None for an image of zeros, of the shape and chunks of the mask.
    window : Window
    mask, border_value, wrap_axes
        As for `binary_propagation`.
    around : bool, optional
        Whether zeros are dilated around what the mask (any array of the image's chunks) shows,
        and the result is what they do not reach.
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.array.Array of bool
    """
    like = mask if image is None else image
    if mask is not None and not around:
        mask = _as_mask(mask, like)
    spread = _spread(
        scipy_function, window, like.shape, border_value, wrap_axes,
        has_image=image is not None, has_mask=mask is not None, around=around,
    )  # fmt: skip
    images = [array for array in (image, mask) if array is not None]
    by_scipy = like.ndim == 0 or like.size == 0 or not spread.monotone
    if by_scipy or not spread.symmetric:
        if around:
            images, spread = [da.logical_not(mask)], replace(spread, around=False)
        result = (_by_scipy if by_scipy else _by_following)(spread, images, name)
        return ~result if around else result
    result, _ = foreground_components(
        images, spread.foreground, Connectivity(spread.steps, spread.wrap_axes), np.dtype(bool),
        name, seeds=spread.seeds, elsewhere=spread.erode or around,
    )  # fmt: skip
    return result


def _as_mask(mask, image):
    """Return the mask as a Dask array of the image's chunks."""
    mask = as_dask_array(mask, name="mask")
    if mask.shape != image.shape:
        raise ArgumentError(f"mask must have the shape of image {image.shape}, got {mask.shape}")
    if mask.dtype.kind == "c":
        raise ArgumentError(f"mask must not be complex, got dtype {mask.dtype}")
    return mask.rechunk(image.chunks)


@dataclass(frozen=True)
class Spread:
    """
    What is to spread, and how: True by dilation, False by erosion.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    structure : numpy.ndarray of bool
        With all axes of the image. A pixel is reached from the pixels that this
        shows, with ``origins``: for dilation it is turned about already.
    origins : tuple of int
    border : bool
        Whether it spreads from outside of the image.
    erode, has_image, has_mask : bool
    around : bool
        Whether the mask shows what may not be reached.
    wrap_axes : tuple of int
    """

    shape: Shape
    structure: NDArray
    origins: Shape
    border: bool
    erode: bool
    has_image: bool
    has_mask: bool
    around: bool
    wrap_axes: Shape

    @property
    def steps(self):
        """From a pixel to those that reach it, other than itself."""
        return displacements_of(self.structure, self.origins)

    @property
    def monotone(self):
        """Whether what is reached stays so: the structure holds its middle."""
        middle = tuple(
            size // 2 + origin
            for size, origin in zip(self.structure.shape, self.origins, strict=True)
        )
        return bool(self.structure[middle])

    @property
    def symmetric(self):
        """Whether each step has its opposite."""
        steps = set(self.steps)
        return all(tuple(-part for part in step) in steps for step in steps)

    @property
    def reach(self):
        """How far steps go, before and after, along each axis."""
        return window_reach(self.structure.shape, self.origins)

    @property
    def centred(self):
        """
        The structure with its middle in its centre.

        SciPy (1.17) writes outside of its memory if it is to go on until
        nothing changes with an origin that is not 0.
        """
        far = np.array([max(sides) for sides in self.reach], int)
        centred = np.zeros(2 * far + 1, bool)
        centred[tuple(far)] = True
        for step in self.steps:
            centred[tuple(far + step)] = True
        return centred

    def spreading(self, *blocks):
        """Return which pixels of a block spread from the beginning, or None for none."""
        if not self.has_image:
            return None
        return blocks[0] == 0 if self.erode else blocks[0] != 0

    def allowed(self, *blocks):
        """Return which pixels of a block may be reached."""
        if not self.has_mask:
            return np.ones(blocks[0].shape, bool)
        if self.around:
            return np.logical_not(blocks[-1])
        return blocks[-1] if blocks[-1].dtype == bool else blocks[-1] != 0

    def foreground(self, *blocks):
        """Return the pixels that may be reached, and those that spread."""
        allowed, spreading = self.allowed(*blocks), self.spreading(*blocks)
        # A way from a pixel that spreads to another one leads, after the last such pixel on it,
        # through the mask alone: components of both together are reached from any of the first.
        return allowed if spreading is None else allowed | spreading

    def seeds(self, *blocks, place):
        """Return the pixels that spread, or are reached from outside of the image."""
        seeds = self.spreading(*blocks)
        if not self.border:
            return seeds
        steps = np.array(self.steps, int).reshape(-1, len(self.shape))
        lowest, highest = steps.min(axis=0, initial=0), steps.max(axis=0, initial=0)
        for axis, size in enumerate(self.shape):
            if axis in self.wrap_axes:
                continue
            along = place.start[axis] + np.arange(blocks[0].shape[axis])
            outside = (along + lowest[axis] < 0) | (along + highest[axis] >= size)
            if outside.any():
                if seeds is None:
                    seeds = np.zeros(blocks[0].shape, bool)
                seeds[(slice(None),) * axis + (outside,)] = True
        return seeds


def _spread(scipy_function, window, shape, border_value, wrap_axes, *, has_image, has_mask, around):
    """Return the Spread of a window over an image of ``shape``."""
    ndim = len(shape)
    structure, origins = window.described["structure"], window.origins
    erode = scipy_function is ndimage.binary_erosion
    if not erode:
        structure = np.flip(structure)
        # The middle of an even window lies after its centre, and so before it once turned.
        origins = [
            -along - (size % 2 == 0) for along, size in zip(origins, structure.shape, strict=True)
        ]
    border = bool(normalize_integer(border_value, "border_value"))
    others = tuple(axis for axis in range(ndim) if axis not in window.axes)
    return Spread(
        shape=shape,
        structure=np.expand_dims(structure, others),
        origins=tuple(int(along) for along in on_axes(origins, window.axes, ndim, default=0)),
        border=border != erode,
        erode=erode,
        has_image=has_image,
        has_mask=has_mask,
        around=around,
        wrap_axes=normalize_wrap_axes(wrap_axes, ndim),
    )


# ---------------------------------------------------------------------------------------
# Ways of one direction


@dataclass(frozen=True)
class PackedBlock:
    """A block's pixels that spread, and those that may be reached, eight to a byte."""

    shape: Shape
    spreading: NDArray
    allowed: NDArray


@dataclass(frozen=True)
class Reached:
    """What is reached in each block, packed."""

    blocks: list[Any]

    def of_block(self, number):
        """Return the packed pixels of one block."""
        return self.blocks[number]


def _unpack(packed, shape):
    return np.unpackbits(packed, count=int(np.prod(shape))).view(bool).reshape(shape)


@dataclass(frozen=True)
class Following(TwoPass):
    """
    Follow what spreads from block to block until no block changes.

    Each round takes one block that something near it has changed, with as much
    of its surroundings as steps reach, and lets SciPy spread within the block.

    Parameters
    ----------
    spread : Spread
    chunks : tuple of tuples of int
    like : array
        What kind of array to return.
    """

    spread: Spread
    chunks: Chunks
    like: object

    dtype = np.dtype(bool)
    connectivity = UNLINKED
    scans_again = False

    def scan(self, place, *blocks):
        """Pack a block."""
        blocks = [on_host(block) for block in blocks]
        shape = blocks[0].shape
        spreading = self.spread.spreading(*blocks)
        if spreading is None:
            spreading = np.zeros(shape, bool)
        packed = PackedBlock(
            shape, np.packbits(spreading), np.packbits(self.spread.allowed(*blocks))
        )
        return packed, shape

    def finish(self, kept, combined):
        """Unpack a block."""
        reached = _unpack(combined, kept)
        return off_host(~reached if self.spread.erode else reached, self.like)

    def combine(self, linked):
        """Spread over all blocks."""
        spread, blocks = self.spread, linked
        reached = [block.spreading for block in blocks]
        indices = list(itertools.product(*(range(len(sizes)) for sizes in self.chunks)))
        number_of = {index: number for number, index in enumerate(indices)}
        near = [
            touching_along(sizes, max(reach), axis in spread.wrap_axes)
            for axis, (sizes, reach) in enumerate(zip(self.chunks, spread.reach, strict=True))
        ]

        def surroundings(index):
            """Return the number and the shift of each block near one, itself included."""
            for parts in itertools.product(*(along[i] for along, i in zip(near, index))):
                other = tuple(part[1] for part in parts)
                yield number_of[other], tuple(part[2] for part in parts)

        waiting = collections.deque(range(len(blocks)))
        is_waiting = [True] * len(blocks)
        while waiting:
            number = waiting.popleft()
            is_waiting[number] = False
            around = list(surroundings(indices[number]))
            block = blocks[number]
            box = self._box(block.shape, [(reached[n], blocks[n].shape, s) for n, s in around])
            packed = np.packbits(self._spread_in(box, block))
            if not np.array_equal(packed, reached[number]):
                reached[number] = packed
                for other, _ in around:
                    if other != number and not is_waiting[other]:
                        waiting.append(other)
                        is_waiting[other] = True
        return Reached(reached)

    def _box(self, shape, around):
        """Return what is reached in a block and its surroundings."""
        reach = [max(sides) for sides in self.spread.reach]
        box = np.full([size + 2 * far for size, far in zip(shape, reach)], self.spread.border)
        for packed, other_shape, shift in around:
            here, there = [], []
            for size, other_size, offset, far in zip(shape, other_shape, shift, reach):
                low, high = max(offset, -far), min(offset + other_size, size + far)
                here.append(slice(low + far, high + far))
                there.append(slice(low - offset, high - offset))
            box[tuple(here)] = _unpack(packed, other_shape)[tuple(there)]
        return box

    def _spread_in(self, box, block):
        """Return what is reached in a block, from what was in its surroundings."""
        inside = tuple(
            slice(max(sides), max(sides) + size)
            for sides, size in zip(self.spread.reach, block.shape, strict=True)
        )
        allowed = np.zeros(box.shape, bool)
        allowed[inside] = _unpack(block.allowed, block.shape)
        # Erosion of what is not reached: its window is looked through as it stands.
        return ~ndimage.binary_erosion(~box, self.spread.centred, -1, mask=allowed)[inside]


def _by_following(spread, images, name):
    """Follow steps of one direction in one task."""
    warn(
        "structure is not symmetric about its middle: one task follows what it leads to "
        "through all blocks, with two bits of memory a pixel",
        da.PerformanceWarning,
    )
    algorithm = Following(spread, images[0].chunks, images[0]._meta)
    result, _ = map_two_pass(algorithm, images, name)
    return result


def _by_scipy(spread, images, name):
    """Let SciPy have the whole array, where a pixel can be lost that was reached before."""
    image = images[0]
    if image.size and image.ndim and not spread.monotone:
        if spread.wrap_axes:
            raise NotImplementedError(
                "wrap_axes needs a structure that holds its middle, got "
                f"{spread.structure.tolist()} with origin {spread.origins}"
            )
        if count_blocks(image) > 1:
            warn(
                f"structure does not hold its middle: {name} sees the whole array in one task",
                da.PerformanceWarning,
            )
    return map_blocks(
        _whole, *(array.rechunk(-1) for array in images), spread=spread, dtype=bool,
        meta=with_dtype(image, bool), name=name,
    ).rechunk(image.chunks)  # fmt: skip


def _whole(*blocks, spread):
    """Spread over an array in one piece."""
    like = blocks[0]
    blocks = [on_host(block) for block in blocks]
    reached = spread.spreading(*blocks)
    if reached is None:
        reached = np.zeros(blocks[0].shape, bool)
    result = ndimage.binary_erosion(
        ~reached,
        spread.structure,
        iterations=-1,
        mask=spread.allowed(*blocks),
        border_value=int(not spread.border),
        origin=spread.origins,
        # SciPy's faster way writes out of bounds where the structure is the longer.
        brute_force=any(np.greater(spread.structure.shape, reached.shape)),
    )
    return off_host(result if spread.erode else ~result, like)
