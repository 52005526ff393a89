"""Columns of `regionprops_table` that come from functions of the user."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from dask.base import is_dask_collection

from dask_image._kernels.blocks.label_groups import Pixels, find_sorted
from dask_image._kernels.blocks.label_pieces import beginning
from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.label_reduction import MergedPartial, labels_present
from dask_image._utils.engines.label_shuffle import Shuffle, apply_by_label, worth_counting
from dask_image._utils.labels import align_chunks
from dask_image._utils.typing import Array, NDArray, Shape


@dataclass(frozen=True)
class ExtraProperty:
    """
    A function of an object's mask, and perhaps of its intensities.

    Attributes
    ----------
    function : callable
        ``function(mask)`` or ``function(mask, intensities)``, of the object's bounding box.
    intensity : bool
        Whether it takes intensities.
    dtype : numpy.dtype
        Of what it returns; object if arrays of it differ in shape.
    shape : tuple of int
        Of what it returns.
    """

    function: Callable[..., Any]
    intensity: bool
    dtype: np.dtype
    shape: Shape

    @property
    def name(self) -> str:
        """How the property is called."""
        return self.function.__name__

    def columns(self, separator: str, channels: int | None) -> list[str]:
        """Return the names of its columns."""
        shape = self.shape
        if self.intensity and channels is not None:
            shape = (*shape, channels)
        return [separator.join([self.name, *map(str, index)]) for index in np.ndindex(shape)]

    def measure(self, mask: NDArray, intensities: list[NDArray]) -> NDArray:
        """Return the values of all its columns for one object."""
        if not self.intensity:
            return self._cast(self.function(mask))[..., None]
        return np.stack([self._cast(self.function(mask, each)) for each in intensities], axis=-1)

    def _cast(self, value):
        result = np.empty(self.shape, self.dtype)
        if self.dtype.hasobject:
            result[()] = value
            return result
        given = np.asarray(value)
        if given.shape != self.shape or not np.can_cast(given.dtype, self.dtype, "same_kind"):
            raise ValueError(
                f"extra property {self.name!r} must return values of one shape and kind, got "
                f"{self.dtype} {self.shape} for a small mask and {given.dtype} {given.shape}"
            )
        result[...] = given
        return result


def as_extra_properties(
    functions: Iterable[Callable[..., Any]] | None, image: Array | None, ndim: int
) -> tuple[ExtraProperty, ...]:
    """
    Check functions, and find out what they return by calling them with two small masks.

    Parameters
    ----------
    functions : iterable of callable or None
    image : dask.array.Array or None
        The intensity image.
    ndim : int
        The number of axes of the label image.

    Returns
    -------
    tuple of ExtraProperty

    Raises
    ------
    TypeError
        If one is no function of one or two arguments.
    ValueError
        If one needs intensities and there are none.
    """
    if functions is None:
        return ()
    if not isinstance(functions, Iterable) or is_dask_collection(functions):
        raise TypeError(f"extra_properties must be a list of functions, got {functions!r}")
    return tuple(_as_extra_property(each, image, ndim) for each in functions)


def _as_extra_property(function, image, ndim):
    if not (callable(function) and hasattr(function, "__name__")):
        raise TypeError(f"extra_properties must be functions with a name, got {function!r}")
    needed = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty
        and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) not in (1, 2):
        raise TypeError(
            "extra_properties must take (mask) or (mask, intensity), got "
            f"{function.__name__}{inspect.signature(function)}"
        )
    intensity = len(needed) == 2
    if intensity and image is None:
        raise ValueError(f"property {function.__name__!r} needs an intensity_image, got None")
    small, large = (_probe(function, size, intensity, ndim) for size in (1, 2))
    if small.shape != large.shape:
        return ExtraProperty(function, intensity, np.dtype(object), ())
    dtype = np.result_type(small.dtype, large.dtype)
    return ExtraProperty(function, intensity, dtype, small.shape)


def _probe(function, size, intensity, ndim):
    """Return what a function returns for a cube in a corner, with background beside it."""
    # Intensities are float64, whatever the image's, so that columns have scikit-image's dtype.
    mask = np.pad(np.ones((size,) * ndim, bool), (0, 1))
    weights = np.arange(1.0, mask.size + 1).reshape(mask.shape) * mask
    return np.asarray(function(mask, weights) if intensity else function(mask))


def measure_extra(
    extra: tuple[ExtraProperty, ...],
    label_image: Array,
    image: Array | None,
    counts: MergedPartial,
    wrap_axes: Shape = (),
) -> Array:
    """
    Call functions with every object.

    Parameters
    ----------
    extra : tuple of ExtraProperty
    label_image : dask.array.Array
    image : dask.array.Array or None
        Intensities, perhaps with one more axis for channels.
    counts : MergedPartial
        How many pixels each label has.
    wrap_axes : tuple of int, optional
        Axes whose ends meet: objects that cross them come as they lie.

    Returns
    -------
    dask.array.Array
        One row for each label above 0, ascending; its dtype has a field for each property, in
        which values stand one after another.
    """
    if image is None or not any(each.intensity for each in extra):
        image = label_image  # something to carry; nobody looks at it
    channels = 1
    if image.ndim > label_image.ndim:
        channels, image = image.shape[-1], _packed(image)
    label_image, image = align_chunks(label_image, image)
    dtype = np.dtype([
        (
            str(number),
            each.dtype,
            (int(np.prod(each.shape)) * (channels if each.intensity else 1),),
        )
        for number, each in enumerate(extra)
    ])  # fmt: skip
    objects = map_blocks(
        _above_zero,
        labels_present(counts),
        name="regionprops_table-labels",
        meta=block_meta(1, np.uint8 if label_image.dtype.kind == "b" else label_image.dtype),
    )
    space = ImageSpace(label_image.shape, wrap_axes)
    function = functools.partial(_call_each, space=space, extra=extra, dtype=dtype)
    shuffle = Shuffle(function, dtype, True, True)
    known = counts if worth_counting(image, label_image) else None
    return apply_by_label(image, label_image, objects, shuffle, "regionprops_table", known)


def _above_zero(labels):
    return labels[labels > 0].astype(np.uint8 if labels.dtype.kind == "b" else labels.dtype)


def _packed(image):
    """Return an image with channels as one whose pixels hold all of them."""
    dtype = np.dtype([("channels", image.dtype, (image.shape[-1],))])
    whole = image.rechunk({-1: -1})
    return map_blocks(
        _pack,
        whole,
        dtype,
        name="regionprops_table-channels",
        drop_axis=image.ndim - 1,
        meta=block_meta(image.ndim - 1, dtype),
    )


def _pack(block, dtype):
    packed = np.empty(block.shape[:-1], dtype)
    packed["channels"] = block
    return packed


@dataclass(frozen=True)
class ImageSpace:
    """
    The positions that there are in an image.

    Attributes
    ----------
    shape : tuple of int
        Of the image.
    wrap_axes : tuple of int
        Axes whose ends meet.
    """

    shape: Shape
    wrap_axes: Shape

    def cut_out(self, positions: NDArray) -> tuple[NDArray, tuple[NDArray, ...]]:
        """Return the mask of an object in its bounding box, and where its pixels are there."""
        places = list(np.unravel_index(positions, self.shape)) if self.shape else []
        for axis in self.wrap_axes:
            begins = beginning(places[axis], self.shape[axis])
            places[axis] = (places[axis] - begins) % self.shape[axis]
        inside = tuple(along - along.min() for along in places)
        mask = np.zeros([along.max() + 1 for along in inside], bool)
        mask[inside] = True
        return mask, inside


def _call_each(
    pixels: Pixels,
    labels: NDArray,
    space: ImageSpace,
    extra: tuple[ExtraProperty, ...],
    dtype: np.dtype,
) -> NDArray:
    """Return a row for each label; those of labels without pixels here are filled in later."""
    rows = np.zeros(labels.size, dtype)
    looks = any(each.intensity for each in extra)
    values: Any = pixels.values
    positions: Any = pixels.positions
    numbers = find_sorted(labels, pixels.labels)[0].tolist()
    for number, span in zip(numbers, pixels.spans(), strict=True):
        mask, inside = space.cut_out(positions[span])
        seen = _channels(values[span]) if looks else ()
        intensities = [_filled(mask, inside, each) for each in seen]
        for field, each in zip(dtype.names or (), extra, strict=True):
            rows[field][number] = each.measure(mask, intensities).ravel()
    return rows


def _channels(values):
    return values["channels"].T if values.dtype.names else values[None]


def _filled(mask, inside, values):
    """Return intensities in an object's bounding box."""
    intensities = np.zeros(mask.shape, values.dtype)
    intensities[inside] = values
    return intensities
