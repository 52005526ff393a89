"""Objects of a label image: leave some out, grow them, find their edges, part them by others."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal, overload

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image._kernels import blocks as kernels
from dask_image._kernels.stand_ins import stand_in
from dask_image._utils.arguments import (
    ArgumentError,
    normalize_choice,
    normalize_fill,
    normalize_finite,
    normalize_flag,
    normalize_integer,
    per_axis,
)
from dask_image._utils.arrays import as_dask_array, block_meta, without_idle_chunks
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.block_lattice import Connectivity
from dask_image._utils.engines.components import Numbering
from dask_image._utils.engines.graph import array_of_delayed, map_blocks
from dask_image._utils.engines.label_reduction import COUNTS, reduce_labels
from dask_image._utils.engines.labelled_components import LabelledComponents, choose_components
from dask_image._utils.engines.overlap import block_bounds, map_boxes, map_neighborhood
from dask_image._utils.engines.two_pass import UNLINKED, TwoPass, map_two_pass
from dask_image._utils.labels import as_label_image
from dask_image._utils.typing import Array, ArrayLike, Integer, NDArray, PerAxis, Real, Shape
from dask_image._utils.warnings import warn
from dask_image.segmentation._arguments import in_chunks_of, neighbour_steps

MODES = ("thick", "inner", "outer", "subpixel")


@numpy_only
def remove_small_objects(
    image: ArrayLike, *, max_size: Integer = 64, connectivity: Integer = 1
) -> Array:
    """
    Remove objects of few pixels.

    As `skimage.morphology.remove_small_objects`, since its version 0.26:
    objects of ``max_size`` pixels are removed, too.

    Parameters
    ----------
    image : array_like of int or bool
        Labels, 0 for the background: all pixels of a label are one object. Or
        booleans: then connected pixels are one.
    max_size : int, optional
        Objects of so many pixels or fewer are removed.
    connectivity : int, optional
        Along how many axes at once a step to a connected pixel may go, if ``image`` is boolean.

    Returns
    -------
    dask.array.Array
        Of the dtype, shape and chunks of ``image``.

    Raises
    ------
    TypeError
        If ``image`` holds neither integers nor booleans.
    ValueError
        When it is computed, if it holds negative labels.

    See Also
    --------
    skimage.morphology.remove_small_objects : The same on NumPy arrays.
    remove_small_holes : The same for holes.

    Notes
    -----
    The image is computed twice: sizes are known when all of it was read.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> labels = da.from_array(np.array([[1, 1, 0, 2], [1, 1, 0, 0]]), chunks=2)
    >>> remove_small_objects(labels, max_size=1).compute()
    array([[1, 1, 0, 0],
           [1, 1, 0, 0]])
    """
    return _without_small(_as_labels(image), max_size, connectivity, "remove_small_objects")


@numpy_only
def remove_small_holes(
    image: ArrayLike, *, max_size: Integer = 64, connectivity: Integer = 1
) -> Array:
    """
    Fill holes of few pixels.

    As `skimage.morphology.remove_small_holes`, since its version 0.26.

    Parameters
    ----------
    image : array_like of int or bool
        Pixels that are not zero belong to objects.
    max_size : int, optional
        Connected pixels of the background are filled if there are so many or fewer.
    connectivity : int, optional
        Along how many axes at once a step to a connected pixel may go.

    Returns
    -------
    dask.array.Array
        Of bool, with the shape and chunks of ``image``.

    Raises
    ------
    TypeError
        If ``image`` holds neither integers nor booleans.

    Warns
    -----
    UserWarning
        If ``image`` holds integers: labels do not come back.

    See Also
    --------
    skimage.morphology.remove_small_holes : The same on NumPy arrays.
    dask_image.ndmorph.binary_fill_holes : Fills holes of any size.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 0]]) > 0, chunks=2)
    >>> remove_small_holes(image, max_size=1).compute().astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 1, 0],
           [1, 1, 1, 0]])
    """
    image = _as_labels(image)
    if image.dtype != bool:
        warn("labels come back as booleans; did you mean to use a boolean array?")
    return ~_without_small(image == 0, max_size, connectivity, "remove_small_holes")


def _as_labels(image, name="image"):
    image = as_label_image(image, name)
    if image.ndim == 0:
        raise ArgumentError(f"{name} must have at least one axis, got an array without axes")
    return without_idle_chunks(image)


def _without_small(image, max_size, connectivity, name):
    max_size = normalize_integer(max_size, "max_size", lowest=0)
    steps = neighbour_steps(None, connectivity, image.ndim)
    if max_size == 0 or image.size == 0:
        return image
    if image.dtype != bool:
        small = reduce_labels(COUNTS, image).apply(name, _small_labels, max_size)
        small = array_of_delayed(name, small, (np.nan,), block_meta(1, np.int64))
        axes = tuple(range(image.ndim))
        return da.blockwise(
            _without_labels, axes, image, axes, small, (image.ndim,), concatenate=True,
            token=name, dtype=image.dtype, meta=image._meta,
        )  # fmt: skip
    algorithm = LabelledComponents(
        _sizes,
        np.add,
        functools.partial(_exceeds, max_size),
        False,
        Connectivity(steps),
        image.dtype,
    )
    return choose_components([image], algorithm, name)


def _small_labels(measured, max_size):
    labels = measured["labels"]
    if labels.size and labels[0] < 0:
        raise ValueError(f"labels must not be negative, got {labels[0]}")
    return labels[(measured["count"] <= max_size) & (labels != 0)]


def _without_labels(block, labels):
    if not labels.size:
        return block
    return np.where(np.isin(block, labels.astype(block.dtype)), block.dtype.type(0), block)


def _sizes(components, count, place, *blocks):
    return np.bincount(components.ravel(), minlength=count + 1)[1:]


def _exceeds(max_size, sizes):
    return sizes > max_size


@numpy_only
def clear_border(
    labels: ArrayLike, buffer_size: Integer = 0, bgval: Real = 0, mask: ArrayLike | None = None
) -> Array:
    """
    Remove objects that touch the edge of the image, or pixels outside of a mask.

    As `skimage.segmentation.clear_border`. An object is made up of
    pixels of one label that are connected, diagonally too.

    Parameters
    ----------
    labels : array_like of int or bool
        0 for the background.
    buffer_size : int, optional
        How many pixels away from the edge objects may not come, either.
    bgval : int, optional
        What pixels of removed objects become, and those of the background if any of it
        touches the edge.
    mask : array_like of bool, optional
        If given, objects are removed that have a pixel where this is False; ``buffer_size``
        is not used.

    Returns
    -------
    dask.array.Array
        Of the dtype, shape and chunks of ``labels``.

    Raises
    ------
    TypeError
        If ``labels`` holds neither integers nor booleans, or ``mask`` no booleans.
    ValueError
        If ``buffer_size`` is as large as the image, or the shapes differ.

    See Also
    --------
    skimage.segmentation.clear_border : The same on NumPy arrays.

    Notes
    -----
    Labels and mask are computed twice.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> labels = da.from_array(np.array([[0, 0, 0, 0, 1], [0, 2, 2, 0, 1], [0, 0, 0, 0, 1]]))
    >>> clear_border(labels.rechunk(2)).compute()
    array([[0, 0, 0, 0, 0],
           [0, 2, 2, 0, 0],
           [0, 0, 0, 0, 0]])
    """
    labels = _as_labels(labels, "labels")
    buffer_size = normalize_integer(buffer_size, "buffer_size", lowest=0)
    images = [labels]
    if mask is not None:
        mask = in_chunks_of(labels, as_dask_array(mask, "mask"), "mask")
        if mask.dtype != bool:
            raise TypeError(f"mask must hold booleans, got dtype {mask.dtype}")
        images.append(mask)
    elif any(buffer_size >= size for size in labels.shape):
        raise ArgumentError(
            f"buffer_size must be less than the size of the image, {labels.shape}, "
            f"got {buffer_size}"
        )
    bgval = normalize_fill(bgval, "bgval", labels.dtype)
    steps = neighbour_steps(None, labels.ndim, labels.ndim)
    border = _Border(labels.shape, buffer_size + 1)
    algorithm = LabelledComponents(
        border.touched, np.logical_or, np.logical_not, bgval, Connectivity(steps), labels.dtype
    )
    cleared = choose_components(images, algorithm, "clear_border")
    if bgval == 0:
        return cleared
    background = labels == 0
    outside = ~mask if mask is not None else border.array(labels.chunks)
    return da.where(background & (background & outside).any(), bgval, cleared)


@dataclass(frozen=True)
class _Border:
    """The pixels less than ``width`` away from beyond the edge of an image."""

    image_shape: Shape
    width: int

    def part(self, start, shape):
        """Return which pixels of a block belong to it."""
        found = np.zeros(shape, bool)
        for axis, (first, size, whole) in enumerate(zip(start, shape, self.image_shape)):
            places = np.arange(first, first + size)
            near = (places < self.width) | (places >= whole - self.width)
            found |= near.reshape(-1, *(1,) * (len(shape) - 1 - axis))
        return found

    def array(self, chunks):
        """Return which pixels of the image belong to it."""
        bounds = block_bounds(chunks)
        return map_blocks(
            self._block,
            bounds,
            name="clear_border-border",
            dtype=bool,
            chunks=chunks,
            meta=np.zeros((0,) * len(chunks), bool),
        )

    def _block(self, bounds, block_id=None):
        start = [along[i] for along, i in zip(bounds, block_id)]
        return self.part(start, [along[i + 1] - along[i] for along, i in zip(bounds, block_id)])

    def touched(self, components, count, place, labels, mask=None):
        """Tell which components touch it, or what is outside of a mask."""
        outside = self.part(place.start, labels.shape) if mask is None else ~mask
        found = np.zeros(count + 1, bool)
        found[components[outside]] = True
        return found[1:]


@numpy_only
def expand_labels(label_image: ArrayLike, distance: Real = 1, spacing: PerAxis[Real] = 1) -> Array:
    """
    Grow labels into the background by up to a distance, and never into each other.

    As `skimage.segmentation.expand_labels`: a pixel of the background
    gets the label of the nearest pixel that has one.

    Parameters
    ----------
    label_image : array_like of int
        0 for the background.
    distance : float, optional
        How far labels grow, in units of ``spacing``.
    spacing : float or sequence of float, optional
        Distance between neighbouring pixels, along every axis or along each.

    Returns
    -------
    dask.array.Array
        Of the dtype, shape and chunks of ``label_image``.

    Raises
    ------
    ValueError
        If ``distance`` is not finite, or ``spacing`` not above 0 and finite.

    See Also
    --------
    skimage.segmentation.expand_labels : The same on NumPy arrays.
    dask_image.ndmorph.distance_transform_edt : Distances and nearest pixels without a limit.

    Notes
    -----
    Each block is worked on with a halo as wide as the distance. Of pixels that are equally near,
    the choice is that of `scipy.ndimage.distance_transform_edt`.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> labels = da.from_array(np.array([[0, 1, 0, 0, 0, 0, 2]]), chunks=3)
    >>> expand_labels(labels, distance=2).compute()
    array([[1, 1, 1, 1, 2, 2, 2]])
    """
    labels = as_label_image(label_image)
    distance = normalize_finite(distance, "distance")
    spacing = tuple(
        float(normalize_finite(each, "spacing"))
        for each in per_axis(spacing, labels.ndim, "spacing")
    )
    if any(step <= 0 for step in spacing):
        raise ArgumentError(f"spacing must be above 0, got {spacing}")
    if distance < 0:
        return da.zeros_like(labels)
    if labels.ndim == 0:
        return labels
    reach = [(int(distance / step),) * 2 for step in spacing]
    return map_neighborhood(
        _expand, labels, name="expand_labels", reach=reach, modes=["nearest"] * labels.ndim,
        dtype=labels.dtype, distance=distance, spacing=spacing,
    )  # fmt: skip


def _expand(labels, distance, spacing):
    if not labels.any():
        return labels
    distances, nearest = ndimage.distance_transform_edt(labels == 0, spacing, return_indices=True)
    return np.where(distances <= distance, labels[tuple(nearest)], labels.dtype.type(0))


@numpy_only
def find_boundaries(
    label_img: ArrayLike, connectivity: Integer = 1,
    mode: Literal["thick", "inner", "outer", "subpixel"] = "thick", background: Real = 0,
) -> Array:  # fmt: skip
    """
    Find the pixels where labels meet.

    As `skimage.segmentation.find_boundaries`.

    Parameters
    ----------
    label_img : array_like of int or bool
        Labels.
    connectivity : int, optional
        Along how many axes at once a step to a neighbour may go.
    mode : {"thick", "inner", "outer", "subpixel"}, optional
        All pixels with a neighbour of another label; of these, those of objects ("inner"), or
        those of the background and where objects touch ("outer"); or, in an image of twice the
        size, the places between pixels of different labels.
    background : int, optional
        Which label is the background, for "inner" and "outer".

    Returns
    -------
    dask.array.Array
        Of bool; of the shape and chunks of ``label_img``, but in mode "subpixel" of twice its
        size less one along each axis.

    Raises
    ------
    ValueError
        If ``mode`` is unknown.
    TypeError
        If ``label_img`` holds neither integers nor booleans.

    See Also
    --------
    skimage.segmentation.find_boundaries : The same on NumPy arrays.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> labels = da.from_array(np.array([[0, 0, 1, 1, 1, 2]]), chunks=3)
    >>> find_boundaries(labels).compute().astype(int)
    array([[0, 1, 1, 0, 1, 1]])
    >>> find_boundaries(labels, mode="inner").compute().astype(int)
    array([[0, 0, 1, 0, 1, 1]])
    """
    labels = _as_labels(label_img, "label_img")
    normalize_choice(mode, "mode", MODES)
    connectivity = normalize_integer(connectivity, "connectivity", lowest=1)
    if labels.dtype == bool:
        labels = labels.astype(np.uint8)
    if mode == "subpixel":
        return _between_pixels(labels)
    return map_neighborhood(
        _boundaries, labels, name="find_boundaries", reach=[(1, 1)] * labels.ndim,
        modes=["nearest"] * labels.ndim, dtype=bool, connectivity=connectivity, mode=mode,
        background=background,
    )  # fmt: skip


def _boundaries(labels, connectivity, mode, background):
    near = ndimage.generate_binary_structure(labels.ndim, connectivity)
    found = _extreme(labels, near, np.maximum) != _extreme(labels, near, np.minimum)
    if mode == "inner":
        found &= labels != background
    elif mode == "outer":
        around = ndimage.generate_binary_structure(labels.ndim, labels.ndim)
        empty = labels == background
        filled = np.where(empty, np.iinfo(labels.dtype).max, labels)
        touching = _extreme(labels, around, np.maximum) != _extreme(filled, around, np.minimum)
        found &= empty | touching
    return found


def _extreme(labels, structure, choose):
    """Return the greatest or the least label in a window."""
    function = ndimage.maximum_filter if choose is np.maximum else ndimage.minimum_filter
    return stand_in(function)(labels, footprint=structure, mode="reflect")


def _between_pixels(labels):
    """Return where labels differ between pixels, in an image with a place for each gap."""
    bounds = block_bounds(labels.chunks)
    chunks = tuple(
        tuple(2 * size - (stop == along[-1] and size > 0) for size, stop in zip(sizes, along[1:]))
        for sizes, along in zip(labels.chunks, bounds)
    )
    if labels.size == 0:
        return da.zeros(tuple(map(sum, chunks)), chunks=chunks, dtype=bool)

    def boxes(index):
        return [(along[i], min(along[i + 1] + 1, along[-1])) for along, i in zip(bounds, index)]

    def shapes(index):
        return (tuple(sizes[i] for sizes, i in zip(chunks, index)),)

    return map_boxes(
        _gaps, labels, name="find_boundaries", boxes=boxes, chunks=chunks, dtype=bool,
        block_arguments=shapes,
    )  # fmt: skip


def _gaps(labels, shape):
    """Tell for each place in the gaps between pixels whether the pixels around it differ."""
    found = np.zeros(shape, bool)
    for offset in np.ndindex((2,) * labels.ndim):
        if any(offset):
            places = tuple(slice(along, None, 2) for along in offset)
            size = found[places].shape
            corners = [
                labels[tuple(slice(c, c + n) for c, n in zip(corner, size))]
                for corner in np.ndindex(tuple(along + 1 for along in offset))
            ]
            found[places] = np.any([corners[0] != each for each in corners[1:]], axis=0)
    return found


@overload
def join_segmentations(
    s1: ArrayLike, s2: ArrayLike, return_mapping: Literal[False] = ...
) -> Array: ...
@overload
def join_segmentations(
    s1: ArrayLike, s2: ArrayLike, return_mapping: Literal[True]
) -> tuple[Array, Array, Array]: ...
@numpy_only
def join_segmentations(
    s1: ArrayLike, s2: ArrayLike, return_mapping: bool = False
) -> Array | tuple[Array, Array, Array]:
    """
    Part two segmentations by each other: pixels stay together if they are together in both.

    As `skimage.segmentation.join_segmentations`.

    Parameters
    ----------
    s1, s2 : array_like of int
        Labels, not negative, of one shape.
    return_mapping : bool, optional
        Whether to return which labels of ``s1`` and ``s2`` the joined ones are parts of, too.

    Returns
    -------
    joined : dask.array.Array
        Of int64, with the shape and chunks of ``s1``: numbers from 0, in the order of the labels
        of ``s1`` and then of ``s2``; 0 where both are 0.
    mapping_to_s1, mapping_to_s2 : dask.array.Array
        If ``return_mapping``: an element for each joined label from 0 on, the label of ``s1``
        or ``s2`` there. Of their dtypes, and of unknown length.

    Raises
    ------
    ValueError
        If the shapes differ.

    See Also
    --------
    skimage.segmentation.join_segmentations : The same on NumPy arrays.

    Notes
    -----
    Compute all three together, since mappings are found on the way to the joined labels. Then
    ``mapping_to_s1[joined]`` is ``s1``, and with a table of the joined objects
    ``mapping_to_s1[table["label"]]`` is a column of it.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> import numpy as np
    >>> one = da.from_array(np.array([[0, 0, 1, 1], [0, 2, 1, 1], [2, 2, 2, 1]]), chunks=2)
    >>> other = da.from_array(np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 1]]), chunks=2)
    >>> joined, to_one, to_other = dask.compute(*join_segmentations(one, other, True))
    >>> joined
    array([[0, 1, 3, 2],
           [0, 5, 3, 2],
           [4, 5, 5, 3]])
    >>> to_one
    array([0, 0, 1, 1, 2, 2])
    >>> to_other[joined]
    array([[0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 1]])
    """
    first = _as_labels(s1, "s1")
    second = in_chunks_of(first, _as_labels(s2, "s2"), "s2")
    algorithm = JoinSegmentations(np.dtype(np.int64))
    joined, combined = map_two_pass(algorithm, [first, second], "join_segmentations")
    if not normalize_flag(return_mapping, "return_mapping"):
        return joined
    to_first, to_second = (
        combined.array(
            step, functools.partial(_mapping, number, labels.dtype), labels.dtype, (np.nan,)
        )
        for number, (step, labels) in enumerate([("first", first), ("second", second)])
    )
    return joined, to_first, to_second


def _mapping(number, dtype, joined):
    return joined.labels[number].astype(dtype)


@dataclass(frozen=True)
class JoinSegmentations(TwoPass):
    """Number the pairs of labels that pixels have."""

    dtype: np.dtype[Any]

    connectivity = UNLINKED
    scans_again = False
    combine_step = "number"
    finish_step = "relabel"

    def scan(self, place, *blocks):
        """Find the pairs of labels of a block, and which each pixel has."""
        wide = (block.astype("u8" if block.dtype.kind == "u" else "i8") for block in blocks)
        present, ranks = zip(*map(kernels.runs.compact, wide))
        for labels in present:
            if labels.size and labels[0] < 0:
                raise ValueError(f"labels must not be negative, got {labels[0]}")
        first, second = map(_with_zero, present)
        # (0, 0), which stays 0, is pair 0.
        pairs, ranks = kernels.runs.compact(ranks[0] * second.size + ranks[1])
        ours, theirs = np.divmod(pairs, second.size)
        return (first[ours], second[theirs]), kernels.runs.Runs(ranks)

    def combine(self, linked):
        """Rank the pairs of all blocks."""
        (first, ours), (second, theirs) = (
            np.unique(np.concatenate(labels), return_inverse=True) for labels in zip(*linked)
        )
        span = max(second.size, 1)
        pairs, ranks = np.unique(ours * span + theirs, return_inverse=True)
        ours, theirs = np.divmod(pairs, span)
        ends = np.cumsum([labels.size for labels, _ in linked])
        labels = _with_zero(first[ours]), _with_zero(second[theirs])
        return Joined(np.split(ranks + 1, ends[:-1]), pairs.size, labels)

    def finish(self, kept, combined):
        """Return a block of the numbers of its pairs."""
        return kept.with_values(combined[kept.values])


@dataclass(frozen=True)
class Joined(Numbering):
    """The numbers of pairs, and the two labels that each number stands for."""

    labels: tuple[NDArray, NDArray]


def _with_zero(labels):
    return np.concatenate([np.zeros(1, labels.dtype), labels])
