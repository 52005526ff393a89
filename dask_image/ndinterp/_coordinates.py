"""Interpolation at points that come from anywhere: map_coordinates, geometric_transform."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.base import normalize_token
from scipy import LowLevelCallable

from dask_image._kernels import blocks as kernels
from dask_image._utils.arguments import ArgumentError, normalize_extras
from dask_image._utils.arrays import (
    as_dask_array,
    block_meta,
    fits_memory,
    stack_lazily,
    with_dtype,
    without_mask,
)  # fmt: skip
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.gather_points import map_scattered
from dask_image._utils.engines.graph import map_blocks, normalize_chunks
from dask_image._utils.engines.overlap import block_bounds, map_boxes
from dask_image._utils.splines import Crop, Spline
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    ChunksLike,
    DTypeLike,
    Function,
    Integer,
    ModeName,
    Number,
    PerAxis,
    Real,
)
from dask_image.ndinterp._arguments import (
    need_axes,
    normalize_image,
    normalize_interpolation,
    normalize_output_chunks,
    normalize_sequence,
    normalize_shape,
)
from dask_image.ndinterp._footprint import (
    default_chunks,
    footprint,
    hull,
)
from dask_image.ndinterp._splines import Coefficients

# Coordinates in memory are cut into blocks of so many bytes.
COORDINATE_BYTES = "32 MiB"


@numpy_only
def map_coordinates(
    input: ArrayLike,
    coordinates: ArrayLike,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    *,
    output: DTypeLike | None = None,
    output_chunks: ChunksLike | None = None,
    reach: PerAxis[Real] | None = None,
) -> Array:
    """
    Interpolate an image at given coordinates.

    The Dask form of :func:`scipy.ndimage.map_coordinates`. Both arrays may be lazy
    and larger than memory. Which blocks of the image a block of coordinates needs
    is found out when its task runs: its points are sorted by block of the image,
    looked up there, and put back into their order.

    Parameters
    ----------
    input : array_like
        The image; complex ones are interpolated part by part.
    coordinates : array_like
        Shape (ndim, ...): NumPy or Dask, in any chunks, of integers or floats. In
        pixels of ``input``. All axes but the first may be of unknown length.
    order, mode, cval, prefilter, output : optional
        As in `affine_transform`.
    output_chunks : int or tuple, optional
        Chunks of the result. Default: those of ``coordinates``.
    reach : float or sequence of float, optional
        A bound, in pixels, on how far along each axis a coordinate lies from its own place in
        ``coordinates``, as those of a deformation field do. With it a block reads its
        neighbourhood only, in one task. A coordinate farther away, or NaN, is a ``ValueError``
        that names it when the block is computed.

    Returns
    -------
    dask.array.Array
        Of the shape and chunks of ``coordinates``, less the first axis; unknown
        ones remain unknown.

    Raises
    ------
    RuntimeError
        If ``coordinates`` has not one row for each axis of ``input``, or
        ``order``, ``mode`` or a dtype is not supported.
    ValueError
        If ``output_chunks`` or ``reach`` are asked for and the length of ``coordinates`` is
        unknown, or ``reach`` and ``coordinates`` has not the axes of the image after its first.
    TypeError
        If ``coordinates`` is complex.

    Notes
    -----
    A coordinate that is infinite, or 1e18 or more from 0, is outside of any image: it
    gives ``cval``, whatever the mode, but in mode "nearest" the pixel at the edge. NaN
    always gives ``cval``. The same holds for all functions of this package that
    interpolate.

    Examples
    --------
    >>> import dask.array as da
    >>> image = da.arange(12.0, chunks=12).reshape(4, 3).rechunk(2)
    >>> map_coordinates(image, [[0.5, 2], [0.5, 1]], order=1).compute()
    array([2., 7.])
    """
    image = normalize_image(input, "input")
    coordinates = _normalize_coordinates(coordinates, image.ndim)
    interpolation = normalize_interpolation(image, order, mode, cval, output, prefilter)
    if output_chunks is not None:
        coordinates = _in_chunks(coordinates, output_chunks, interpolation.dtype)
    if reach is not None:
        return _within_reach(image, coordinates, interpolation, reach, "map_coordinates")
    return at_coordinates(image, coordinates, interpolation, "map_coordinates")


@numpy_only
def geometric_transform(
    image: ArrayLike,
    mapping: Function,
    output_shape: Sequence[Integer] | None = None,
    order: Integer = 3,
    output_chunks: ChunksLike | None = None,
    *,
    output: DTypeLike | None = None,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    reach: PerAxis[Real] | None = None,
) -> Array:
    """
    Transform an image by any mapping of output indices to input coordinates.

    The Dask form of :func:`scipy.ndimage.geometric_transform`. The mapping runs
    inside the tasks. Unless ``reach`` is given, which parts of the image a block
    needs is found out there, as in `map_coordinates`.

    Parameters
    ----------
    image : array_like
        The image; complex ones are transformed part by part.
    mapping : callable
        Takes a tuple of ints, the index of an output pixel in the whole output,
        and gives a tuple of coordinates in ``image``.
    output_shape, order, output_chunks, output, mode, cval, prefilter : optional
        As in `affine_transform`.
    extra_arguments : tuple, optional
        Further arguments for ``mapping``.
    extra_keywords : dict, optional
        Further keywords for ``mapping``.
    reach : float or sequence of float, optional
        A bound on how far along each axis a coordinate lies from the index that
        it belongs to. With it a block depends on its neighbours only. A
        coordinate farther away is a ``ValueError`` when the block is computed.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    RuntimeError, TypeError, ValueError
        As SciPy does, when called, for arguments that do not fit; what
        ``mapping`` returns is seen when a block is computed.

    Examples
    --------
    >>> import dask.array as da
    >>> image = da.arange(12.0, chunks=12).reshape(4, 3).rechunk(2)
    >>> geometric_transform(image, lambda index: (index[1], index[0]), (3, 3), order=1).compute()
    array([[0., 3., 6.],
           [1., 4., 7.],
           [2., 5., 8.]])
    """
    image = normalize_image(image)
    shape = image.shape if output_shape is None else normalize_shape(output_shape)
    need_axes(image.ndim, len(shape))
    runs_anywhere = callable(mapping) and not isinstance(mapping, LowLevelCallable)
    if not runs_anywhere:
        raise ArgumentError(f"mapping must be a Python callable, got {type(mapping).__name__}")
    interpolation = normalize_interpolation(image, order, mode, cval, output, prefilter)
    extra_arguments, extra_keywords = normalize_extras(extra_arguments, extra_keywords)
    call = functools.partial(
        _call_mapping,
        mapping=mapping,
        ndim=image.ndim,
        extra_arguments=extra_arguments,
        extra_keywords=extra_keywords,
    )
    if output_chunks is None:
        chunks = default_chunks(image.chunks, shape, None)
    else:
        chunks = normalize_output_chunks(output_chunks, shape, interpolation.dtype)
    coordinates = _mapped(call, chunks, image.ndim, "geometric_transform-coordinates")
    if reach is not None:
        return _within_reach(image, coordinates, interpolation, reach, "geometric_transform")
    return at_coordinates(image, coordinates, interpolation, "geometric_transform")


def _normalize_coordinates(coordinates, ndim):
    """Return coordinates as a Dask array with one block along the first axis."""
    coordinates = without_mask(stack_lazily(coordinates, "coordinates"), "coordinates")
    if not hasattr(coordinates, "dtype"):
        coordinates = np.asarray(coordinates)
    need_axes(ndim, len(coordinates.shape) - 1)
    if coordinates.shape[0] != ndim:
        raise ArgumentError(
            f"coordinates must have one row for each of the {ndim} axes of the image, "
            f"got shape {coordinates.shape}"
        )
    if not isinstance(coordinates, da.Array) and isinstance(coordinates, np.ndarray):
        chunks = normalize_chunks(
            (-1, *("auto",) * (coordinates.ndim - 1)),
            coordinates.shape,
            limit=COORDINATE_BYTES,
            dtype=np.float64,
        )
        if coordinates.dtype.kind in "biufc":
            coordinates = da.from_array(coordinates, chunks=chunks)
    coordinates = as_dask_array(coordinates, "coordinates", known=False)
    if coordinates.dtype.kind == "c":
        raise TypeError(f"coordinates must be real, got dtype {coordinates.dtype}")
    if coordinates.dtype.char in "eg":
        raise ArgumentError(f"coordinates have dtype {coordinates.dtype}, which is not supported")
    return coordinates if coordinates.numblocks[0] == 1 else coordinates.rechunk({0: -1})


def _in_chunks(coordinates, output_chunks, dtype):
    """Return coordinates in the chunks that a result is to have."""
    shape = coordinates.shape[1:]
    if np.isnan(shape).any():
        raise ArgumentError(
            f"output_chunks must be None for coordinates of unknown shape {shape}, "
            f"got {output_chunks!r}"
        )
    chunks = normalize_output_chunks(output_chunks, shape, dtype)
    return coordinates.rechunk((-1, *chunks))


def at_coordinates(image, coordinates, interpolation, name):
    """Interpolate at lazy coordinates."""
    shape, dtype = coordinates.shape[1:], interpolation.dtype
    if math.prod(shape) == 0 or image.size == 0:
        value = kernels.interpolation.outside(interpolation.spline, dtype)
        meta = with_dtype(image, dtype, ndim=len(shape))
        return map_blocks(_filled, coordinates[0], value, dtype, name=name, meta=meta)
    coefficients = Coefficients.of(image, interpolation, name=name)
    chunks = tuple(tuple(filter(None, sizes)) for sizes in coefficients.chunks)
    lookup = _Lookup(chunks, coefficients.shape, coefficients.spline, dtype)
    return map_scattered(
        coordinates,
        functools.partial(coefficients.map_boxes, boxes=lookup.box),
        chunks,
        lookup,
        name=name,
        meta=with_dtype(image, dtype, ndim=len(shape)),
        on_disk=not fits_memory(coordinates, "coordinates"),
    )


@dataclass(frozen=True)
class _Lookup:
    """How points find their cell, and what a cell must hold for them."""

    chunks: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    spline: Spline
    dtype: np.dtype[Any]

    def box(self, index):
        """
        Return the pixels that a cell must hold, per axis.

        It serves the points whose first pixel lies in it; the outer ones also serve
        those that begin beyond the edge of the image.
        """
        order, mode = self.spline.order, self.spline.mode
        intervals = []
        for axis, block in enumerate(index):
            size = self.shape[axis]
            start, stop = block_bounds(self.chunks)[axis][block : block + 2]
            first = start if start else -(order // 2) - 1
            # Half a pixel below the last edge rounds to the pixel beyond it.
            last = stop - 1 + order + (stop == size)
            intervals.append(hull(first, last, size, mode))
        return tuple(intervals)

    def origin(self, index):
        """Return where a cell begins."""
        return tuple(start for start, _ in self.box(index))

    def sort(self, coordinates):
        """Sort a block of points by cell; values of points that need no cell are found here."""
        shape = coordinates.shape[1:]
        flat = coordinates.reshape(len(coordinates), -1)
        count = math.prod(map(len, self.chunks))
        if count == 1:
            # A cell that is the whole image knows by itself which points need no pixel.
            return (shape, None, None), {0: flat} if flat.size else {}
        flat = np.ascontiguousarray(flat, dtype=float)
        owners = [np.repeat(np.arange(len(sizes)), sizes) for sizes in self.chunks]
        cells = kernels.interpolation.cells_of(flat, owners, self.chunks, self.shape, self.spline)
        if len(cells) and cells[0] < count and (cells == cells[0]).all():
            return (shape, None, None), {int(cells[0]): flat}
        order, bounds, flat = kernels.interpolation.group(cells, count + 1, flat)
        groups = {
            int(cell): flat[:, bounds[cell] : bounds[cell + 1]]
            for cell in np.flatnonzero(np.diff(bounds[:-1]))
        }
        nothing = np.empty((0,) * len(self.shape), self.dtype)
        outside = self.evaluate(flat[:, bounds[count] :], nothing, (0,) * len(self.shape))
        return (shape, order.astype(np.min_scalar_type(len(order))), outside), groups

    def evaluate(self, points, cell, origin):
        """Return the values of points that belong to a cell."""
        box = Crop(origin, self.shape)
        return kernels.interpolation.at_points(cell, box, points, self.spline, self.dtype)

    def merge(self, kept, values):
        """Put all values into their places."""
        shape, order, outside = kept
        if order is None:
            found = list(values.values()) or [np.empty(0, self.dtype)]
            return found[0].reshape(shape)
        result = np.empty(len(order), self.dtype)
        start = 0
        for part in [*values.values(), outside]:
            result[order[start : start + len(part)]] = part
            start += len(part)
        return result.reshape(shape)

    def __dask_tokenize__(self):
        # As it is, a spline would be told by an address, and the name differ between processes.
        return normalize_token((type(self).__name__, *vars(self).values()))


def component_at(field, component, places, interpolation, name):
    """
    Interpolate one component of a field, its place along the first axis, at lazy places.

    Blocks of the field are read as they are: to take the component out of them first would be a
    task for each. There is no prefilter.
    """
    chunks = tuple(tuple(filter(None, sizes)) for sizes in field.chunks[1:])
    lookup = _Lookup(chunks, field.shape[1:], interpolation.spline, interpolation.dtype)
    lookup = _OfComponent(lookup, component)
    return map_scattered(
        places,
        functools.partial(map_boxes, image=field, boxes=lookup.box),
        chunks,
        lookup,
        name=name,
        meta=with_dtype(field, interpolation.dtype, ndim=len(places.shape) - 1),
        on_disk=not fits_memory(places, "coordinates"),
    )


@dataclass(frozen=True)
class _OfComponent:
    """Looks points up in one component, whose cells have a first axis of one pixel."""

    lookup: _Lookup
    component: int

    def box(self, index):
        """Return the pixels that a cell must hold."""
        return ((self.component, self.component + 1), *self.lookup.box(index))

    def origin(self, index):
        """Return where a cell begins in the component."""
        return self.lookup.origin(index)

    def sort(self, coordinates):
        """Sort a block of points by cell."""
        return self.lookup.sort(coordinates)

    def evaluate(self, points, cell, origin):
        """Return the values of points that belong to a cell."""
        return self.lookup.evaluate(points, cell[0], origin)

    def merge(self, kept, values):
        """Put all values into their places."""
        return self.lookup.merge(kept, values)


def _mapped(call, chunks, ndim, name):
    """Return the lazy coordinates that a mapping gives for every output pixel."""
    axes = tuple(range(1, len(chunks) + 1))
    pairs = []
    for axis, sizes in zip(axes, chunks):
        pairs += [da.arange(sum(sizes), chunks=(sizes,)), (axis,)]
    return da.blockwise(
        call,
        (0, *axes),
        *pairs,
        new_axes={0: ndim},
        token=name,
        dtype=float,
        meta=block_meta(len(chunks) + 1, np.float64),
        align_arrays=False,
    )


def _filled(coordinates, value, kind):
    """Return a block of one value, of the shape of a block of coordinates."""
    return np.full_like(coordinates, value, dtype=kind)


def _call_mapping(*lines, mapping, ndim, extra_arguments, extra_keywords):
    """Return the coordinates for the grid of output indices spanned by ``lines``."""
    call = functools.partial(mapping, **extra_keywords)

    def points():
        # The loop over them is one of C, as SciPy's is.
        indices = itertools.product(*(line.tolist() for line in lines))
        return map(call, indices, *map(itertools.repeat, extra_arguments))

    shape = tuple(map(len, lines))
    cut = map(tuple.__getitem__, points(), itertools.repeat(slice(ndim)))
    flat = itertools.chain.from_iterable(cut)
    try:
        found = np.fromiter(flat, np.float64, count=ndim * math.prod(shape))
    except (TypeError, ValueError):
        for coordinates in points():
            if not isinstance(coordinates, tuple) or len(coordinates) < ndim:
                raise TypeError(
                    f"mapping must return a tuple of {ndim} coordinates, got {coordinates!r}"
                ) from None
        raise
    result = np.ascontiguousarray(found.reshape(-1, ndim).T) if ndim else found
    return result.reshape(ndim, *shape)


def _within_reach(image, coordinates, interpolation, reach, name):
    """Interpolate block by block, each from its surroundings."""
    reach = normalize_sequence(reach, image.ndim, "reach")
    shape, chunks, dtype = coordinates.shape[1:], coordinates.chunks[1:], interpolation.dtype
    if any(not distance >= 0 for distance in reach):
        raise ArgumentError(f"reach must be at least 0, got {reach}")
    if len(shape) != image.ndim or np.isnan(shape).any():
        raise ArgumentError(
            f"reach needs an output with the {image.ndim} axes of the image, got shape {shape}"
        )
    if math.prod(shape) == 0 or image.size == 0:
        value = kernels.interpolation.outside(interpolation.spline, dtype)
        return da.full_like(image, value, shape=shape, chunks=chunks, dtype=dtype)
    coefficients = Coefficients.of(image, interpolation, name=name)
    starts, spline, size = block_bounds(chunks), coefficients.spline, coefficients.shape

    def box(index):
        intervals = []
        for axis, block in enumerate(index):
            start, stop = starts[axis][block : block + 2]
            low, high = (
                start - reach[axis] + spline.padding,
                stop - 1 + reach[axis] + spline.padding,
            )
            interval = footprint(low, high, size[axis], spline)
            intervals.append(interval if start < stop else (0, 0))
        return tuple(intervals)

    def arguments(index):
        first = tuple(starts[axis][block] for axis, block in enumerate(index))
        return Crop(tuple(start for start, _ in box(index)), size), first

    return coefficients.map_boxes(
        _near_block,
        name=name,
        boxes=box,
        chunks=chunks,
        dtype=dtype,
        block_arguments=arguments,
        beside=coordinates,
        interpolation=coefficients.interpolation,
        reach=reach,
    )


def _near_block(block, coordinates, box, first, interpolation, reach):
    """Compute an output block, which begins at ``first``, from its surroundings."""
    coordinates = np.asarray(coordinates, dtype=float)
    lines = (
        np.arange(start, start + size)
        for start, size in zip(first, coordinates.shape[1:], strict=True)
    )
    for axis, line in enumerate(np.ix_(*lines)):
        beyond = ~(np.abs(coordinates[axis] - line) <= reach[axis])
        if beyond.any():
            place = np.unravel_index(np.argmax(beyond), beyond.shape)
            index = tuple(int(start + along) for start, along in zip(first, place, strict=True))
            point = tuple(float(along[place]) for along in coordinates)
            raise ValueError(
                f"coordinates must lie within reach={reach} of their index, got {point} at "
                f"index {index}, farther along axis {axis}"
            )
    return kernels.interpolation.at_points(
        block, box, coordinates, interpolation.spline, interpolation.dtype
    )
