"""Transforms whose output blocks pull back to boxes: affine, rotate, shift, zoom."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import dask.array as da
import numpy as np
from scipy import special

from dask_image._kernels import blocks as kernels
from dask_image._utils.arguments import (
    ArgumentError,
    NotANumberError,
    normalize_finite,
    normalize_flag,
    normalize_number,
    refuse_lazy,
)
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.overlap import block_bounds
from dask_image._utils.splines import Crop
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    ChunksLike,
    DTypeLike,
    Integer,
    ModeName,
    Number,
    PerAxis,
    Real,
    Shape,
)
from dask_image._utils.warnings import warn
from dask_image.ndinterp._arguments import (
    in_output_chunks,
    need_axes,
    normalize_image,
    normalize_interpolation,
    normalize_output_chunks,
    normalize_sequence,
    normalize_shape,
)
from dask_image.ndinterp._footprint import Affine, Grid, default_chunks
from dask_image.ndinterp._splines import Coefficients


@numpy_only
def affine_transform(
    image: ArrayLike,
    matrix: ArrayLike,
    offset: PerAxis[Real] = 0.0,
    output_shape: Sequence[Integer] | None = None,
    order: Integer = 1,
    output_chunks: ChunksLike | None = None,
    *,
    output: DTypeLike | None = None,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
) -> Array:
    """
    Apply an affine transform.

    The Dask form of :func:`scipy.ndimage.affine_transform`: the output at index
    ``o`` is the image at ``matrix @ o + offset``. Each output block reads only
    the box of input pixels that it pulls back to.

    Parameters
    ----------
    image : array_like
        The image; complex ones are transformed part by part.
    matrix : array_like
        Shape (ndim,) for a diagonal, (ndim, output ndim), or homogeneous
        (ndim, ndim + 1) and (ndim + 1, ndim + 1), which set the offset too.
    offset : float or sequence of float, optional
        Where output index 0 lies in the image.
    output_shape : tuple of int, optional
        Default: the shape of ``image``.
    order : int, optional
        Of the spline, 0 to 5. SciPy's default is 3.
    output_chunks : int or tuple, optional
        Chunks of the result. Default: those of ``image`` where shapes agree;
        in any case no block is larger than those of ``image``.
    output : dtype, optional
        Of the result. Default: that of ``image``.
    mode : str, optional
        How the image goes on beyond its edges: "constant", "nearest", "reflect",
        "mirror", "wrap", "grid-constant", "grid-mirror", "grid-wrap".
    cval : scalar, optional
        The value beyond the edges, for the constant modes.
    prefilter : bool, optional
        Whether ``image`` holds pixels, not spline coefficients, for orders above
        1.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    RuntimeError, ValueError, TypeError
        As SciPy does, when called, for an order, mode, matrix or offset that
        does not fit.

    Examples
    --------
    >>> import dask.array as da
    >>> image = da.arange(16, chunks=16).reshape(4, 4).rechunk(2)
    >>> affine_transform(image, [[0, 1], [1, 0]]).compute()
    array([[ 0,  4,  8, 12],
           [ 1,  5,  9, 13],
           [ 2,  6, 10, 14],
           [ 3,  7, 11, 15]])
    """
    image = normalize_image(image)
    shape = image.shape if output_shape is None else normalize_shape(output_shape)
    need_axes(image.ndim, len(shape))
    matrix, offset = normalize_matrix(matrix, offset, image.ndim, len(shape))
    if matrix.ndim == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            geometry = Grid(tuple(matrix), tuple(np.asarray(offset) / matrix))
    else:
        geometry = _affine_geometry(matrix, offset)
    interpolation = normalize_interpolation(image, order, mode, cval, output, prefilter)
    return _transform(image, geometry, shape, interpolation, output_chunks, name="affine_transform")


@numpy_only
def rotate(
    input_arr: ArrayLike,
    angle: Real,
    axes: Sequence[Integer] = (1, 0),
    reshape: bool = True,
    output_chunks: ChunksLike | None = None,
    *,
    output: DTypeLike | None = None,
    order: Integer = 1,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
) -> Array:
    """
    Rotate an image in the plane of two of its axes.

    The Dask form of :func:`scipy.ndimage.rotate`.

    Parameters
    ----------
    input_arr : array_like
        The image, of two axes at least.
    angle : float
        In degrees.
    axes : tuple of two int, optional
        The plane of rotation.
    reshape : bool, optional
        Whether the output is made large enough to hold all of the image.
    output_chunks : int or tuple, optional
        Chunks of the result. Default: those of the image where shapes agree; in
        any case no block is larger than those of the image.
    output : dtype, optional
        Of the result. Default: that of the image.
    order, mode, cval, prefilter : optional
        As in `affine_transform`.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    RuntimeError, ValueError
        As SciPy does, when called, for arguments that do not fit.

    Examples
    --------
    >>> import dask.array as da
    >>> rotate(da.arange(4, chunks=2).reshape(2, 2), 90).compute()
    array([[1, 3],
           [0, 2]])
    """
    image = normalize_image(input_arr, "input_arr")
    plane = _normalize_plane(axes, image.ndim)
    angle = float(normalize_finite(angle, "angle"))
    reshape = normalize_flag(reshape, "reshape")
    cosine, sine = special.cosdg(angle), special.sindg(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    size = np.array([image.shape[axis] for axis in plane])
    turned_size = size
    if reshape:
        height, width = size
        corners = turn @ [[0, 0, height, height], [0, width, 0, width]]
        turned_size = (np.ptp(corners, axis=1) + 0.5).astype(int)
    offset = (size - 1) / 2 - turn @ ((turned_size - 1) / 2)
    shape = list(image.shape)
    for axis, length in zip(plane, turned_size):
        shape[axis] = int(length)
    interpolation = normalize_interpolation(image, order, mode, cval, output, prefilter)
    geometry = _affine_geometry(turn, offset)
    return _transform(
        image, geometry, normalize_shape(shape), interpolation, output_chunks, plane, name="rotate"
    )  # fmt: skip


@numpy_only
def shift(
    image: ArrayLike,
    shift: PerAxis[Real],
    order: Integer = 3,
    output_chunks: ChunksLike | None = None,
    *,
    output: DTypeLike | None = None,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
) -> Array:
    """
    Shift an image by any number of pixels, whole or not.

    The Dask form of :func:`scipy.ndimage.shift`.

    Parameters
    ----------
    image : array_like
        The image; complex ones are shifted part by part.
    shift : float or sequence of float
        In pixels, along all axes or along each.
    order, output_chunks, output, mode, cval, prefilter : optional
        As in `affine_transform`.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    RuntimeError
        If ``order``, ``mode``, a dtype or the length of ``shift`` does not fit.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image import ndinterp
    >>> ndinterp.shift(da.arange(6, chunks=3), 2, mode="grid-wrap").compute()
    array([4, 5, 0, 1, 2, 3])
    """
    image = normalize_image(image)
    need_axes(image.ndim)
    geometry = Grid(None, tuple(-one for one in normalize_sequence(shift, image.ndim, "shift")))
    interpolation = normalize_interpolation(image, order, mode, cval, output, prefilter)
    return _transform(image, geometry, image.shape, interpolation, output_chunks, name="shift")


@numpy_only
def zoom(
    image: ArrayLike,
    zoom: PerAxis[Real],
    order: Integer = 3,
    output_chunks: ChunksLike | None = None,
    *,
    output: DTypeLike | None = None,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    grid_mode: bool = False,
) -> Array:
    """
    Zoom an image.

    The Dask form of :func:`scipy.ndimage.zoom`.

    Parameters
    ----------
    image : array_like
        The image; complex ones are zoomed part by part.
    zoom : float or sequence of float
        Factor along all axes or along each. An axis becomes ``round(size * zoom)``
        long.
    order : int, optional
        Of the spline, 0 to 5.
    output_chunks : int or tuple, optional
        Chunks of the result. By default no block is larger than those of
        ``image``, nor reads from more than a few of them.
    output, mode, cval, prefilter : optional
        As in `affine_transform`.
    grid_mode : bool, optional
        Whether distances count from the outer edges of the pixels, rather than
        from the centres of the first and the last. Without effect on complex
        images, as in SciPy.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    RuntimeError, ValueError
        If ``order``, ``mode``, a dtype or ``zoom`` does not fit.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image import ndinterp
    >>> ndinterp.zoom(da.arange(4, chunks=2), 2, order=1, output="f8").compute().round(2)
    array([0.  , 0.43, 0.86, 1.29, 1.71, 2.14, 2.57, 3.  ])
    """
    return zoom_image(
        image, zoom, order, output_chunks, output=output, mode=mode, cval=cval,
        prefilter=prefilter, grid_mode=grid_mode, name="zoom",
    )  # fmt: skip


def zoom_image(
    image, zoom, order, output_chunks, *, name, output=None, mode="constant", cval=0.0,
    prefilter=True, grid_mode=False,
):  # fmt: skip
    """Zoom as `zoom` does, in tasks called ``name``."""
    image = normalize_image(image)
    need_axes(image.ndim)
    factors = normalize_sequence(zoom, image.ndim, "zoom")
    for factor in factors:
        normalize_finite(factor, "zoom")
    shape = normalize_shape(
        [round(size * factor) for size, factor in zip(image.shape, factors)], "zoomed shape"
    )
    grid_mode = normalize_flag(grid_mode, "grid_mode")
    interpolation = normalize_interpolation(image, order, mode, cval, output, prefilter)
    if interpolation.prefilter and all(factor == 1 for factor in factors):
        same = image.astype(interpolation.dtype)
        return in_output_chunks(same, output_chunks)
    if grid_mode and mode in ("constant", "wrap"):
        warn(f"mode {mode!r} is meant for pixel centres: with grid_mode, use mode 'grid-{mode}'")
    # SciPy drops the argument when it takes a complex image apart.
    grid_mode = grid_mode and image.dtype.kind != "c"
    geometry = Grid(_zoom_steps(image.shape, shape, grid_mode), None, grid_mode)
    return _transform(image, geometry, shape, interpolation, output_chunks, name=name)


def stretch_image(image, steps, margin, order, output_chunks, *, name, mode, output):
    """
    Interpolate between the boxes of a mesh, in tasks called ``name``.

    Pixel ``p`` of the result is in the middle of the mesh at ``(p + 0.5) * step - 0.5 + margin``.
    """
    image = normalize_image(image)
    shape = tuple(map(sum, output_chunks))
    shifts = tuple(margin / step for step in steps)
    interpolation = normalize_interpolation(image, order, mode, 0, output, True)
    geometry = Grid(tuple(steps), shifts, True)
    return _transform(image, geometry, shape, interpolation, output_chunks, name=name)


def _zoom_steps(shape, zoomed, grid_mode):
    """Return how far apart in the image the output's pixels are, by SciPy's rules."""
    less = 0 if grid_mode else 1
    return tuple(
        1.0 if size == less else (old - less) / (size - less) for old, size in zip(shape, zoomed)
    )


def normalize_matrix(matrix, offset, ndim, output_ndim):
    """Return matrix and offset as float arrays, or raise as SciPy does."""
    refuse_lazy(matrix, "matrix", "an array of numbers")
    given, matrix = matrix, np.asarray(matrix)
    if matrix.dtype.kind not in "biufO":
        raise NotANumberError(f"matrix must hold real numbers, got {given!r}")
    matrix = matrix.astype(np.float64)
    if matrix.ndim not in (1, 2) or matrix.shape[0] < 1:
        raise ArgumentError(f"matrix must have one or two axes, got shape {matrix.shape}")
    if matrix.ndim == 2 and matrix.shape[1] == ndim + 1 and matrix.shape[0] in (ndim, ndim + 1):
        last_row = [0] * ndim + [1]
        if matrix.shape[0] == ndim + 1 and not np.all(matrix[ndim] == last_row):
            raise ValueError(
                f"the last row of a homogeneous matrix must be {last_row}, got {matrix[ndim]}"
            )
        offset = matrix[:ndim, ndim]
        matrix = matrix[:ndim, :ndim]
    columns = matrix.shape[-1]
    if len(matrix) != ndim or columns != output_ndim:
        raise ArgumentError(
            f"matrix must have {ndim} rows and {output_ndim} columns (or be a diagonal of "
            f"{ndim}) for this image and output_shape, got shape {matrix.shape}"
        )
    return matrix, np.array(normalize_sequence(offset, ndim, "offset"))


def _affine_geometry(matrix, offset):
    return Affine(
        tuple(tuple(map(float, row)) for row in matrix), tuple(float(one) for one in offset)
    )


def _normalize_plane(axes, ndim):
    if ndim < 2:
        raise ValueError(f"input_arr must have two axes at least, got {ndim}")
    if isinstance(axes, str) or not np.iterable(axes) or len(axes := list(axes)) != 2:
        raise ValueError(f"axes must be two integers, got {axes!r}")
    if not all(float(normalize_number(axis, "axes")).is_integer() for axis in axes):
        raise ValueError(f"axes must be integers, got {axes}")
    plane = sorted(int(axis) + ndim * (axis < 0) for axis in axes)
    if plane[0] < 0 or plane[1] >= ndim:
        raise ValueError(f"axes {axes} span no plane of an image with {ndim} axes")
    if plane[0] == plane[1]:
        raise ValueError(f"axes must differ, got {axes}")
    return tuple(plane)


def _transform(image, geometry, shape, interpolation, output_chunks, axes=None, *, name):
    """
    Evaluate an image where ``geometry`` puts the pixels of an output.

    ``axes`` are those that the geometry is about; along the others, output and
    image agree.
    """
    dtype = interpolation.dtype
    if output_chunks is None:
        chunks = _chunks(image, shape, geometry, axes)
    else:
        chunks = normalize_output_chunks(output_chunks, shape, dtype)
    if math.prod(shape) == 0 or image.size == 0:
        value = kernels.interpolation.outside(interpolation.spline, dtype)
        return da.full_like(image, value, shape=shape, chunks=chunks, dtype=dtype)
    coefficients = Coefficients.of(image, interpolation, axes, name=name)
    planes = _Planes(coefficients, chunks, geometry, axes)
    return coefficients.map_boxes(
        _evaluate,
        name=name,
        boxes=planes.box,
        chunks=chunks,
        dtype=dtype,
        block_arguments=planes.arguments,
        geometry=geometry,
        shape=planes.shape,
        interpolation=coefficients.interpolation,
        axes=axes,
    )


def _chunks(image, shape, geometry, axes):
    """Return default chunks of the output."""
    stretch = geometry.stretch()
    if axes is not None:
        whole = np.eye(image.ndim)
        whole[np.ix_(axes, axes)] = stretch
        stretch = whole
    return default_chunks(image.chunks, shape, stretch)


@dataclass(frozen=True)
class _Part:
    """Where the box of the image that a block reads begins; where the block begins and ends."""

    origin: Shape
    starts: Shape
    stops: Shape

    @property
    def shape(self):
        """The shape of the block along the axes that are transformed."""
        return tuple(stop - start for start, stop in zip(self.starts, self.stops))


class _Planes:
    """What each output block reads, and where it lies."""

    def __init__(self, coefficients, chunks, geometry, axes):
        self.axes = coefficients.axes
        self.transformed = tuple(range(len(chunks))) if axes is None else axes
        self.starts = block_bounds(chunks)
        self.ndim = coefficients.image.ndim
        shape = coefficients.shape
        self.shape = tuple(shape[axis] for axis in self.axes)
        self.box_read = functools.cache(geometry.reader(self.shape, coefficients.spline))

    def _where(self, index):
        """Return where a block begins and ends along the transformed axes."""
        starts = tuple(self.starts[axis][index[axis]] for axis in self.transformed)
        return starts, tuple(self.starts[axis][index[axis] + 1] for axis in self.transformed)

    def box(self, index):
        """Return the box of the image that an output block reads."""
        box = self.box_read(*self._where(index))
        if len(self.axes) == self.ndim:
            return box
        read = iter(box)
        return tuple(
            next(read) if axis in self.axes else self.starts[axis][index[axis] : index[axis] + 2]
            for axis in range(self.ndim)
        )

    def arguments(self, index):
        """Return the part of the transform that a block is."""
        starts, stops = self._where(index)
        return (_Part(tuple(low for low, _ in self.box_read(starts, stops)), starts, stops),)


def _evaluate(block, part, geometry, shape, interpolation, axes):
    """Compute an output block from the box it reads."""
    box = Crop(part.origin, shape)
    if axes is None:
        return _evaluate_box(block, box, part, geometry, interpolation)
    # Plane by plane: nothing is interpolated from one to the next.
    planes = np.moveaxis(block, axes, (-2, -1))
    result = _evaluate_box(planes, box, part, geometry, interpolation)
    return np.moveaxis(result, (-2, -1), axes)


def _evaluate_box(block, box, part, geometry, interpolation):
    spline, dtype = interpolation.spline, interpolation.dtype
    spans = tuple(zip(part.starts, part.stops))
    if isinstance(geometry, Grid):
        lines = [geometry.line(axis, start, stop) for axis, (start, stop) in enumerate(spans)]
        return kernels.interpolation.on_grid(block, box, lines, spline, dtype)
    matrix, offset = np.array(geometry.matrix), np.array(geometry.offset)
    diagonal = matrix.shape[0] == matrix.shape[1] and (
        np.count_nonzero(matrix) == np.count_nonzero(np.diag(matrix))
    )
    if diagonal:
        # Pixel 0 times an infinite factor is NaN, which stands for no pixel.
        with np.errstate(invalid="ignore"):
            lines = [
                offset[axis] + np.arange(start, stop) * matrix[axis, axis]
                for axis, (start, stop) in enumerate(spans)
            ]
        return kernels.interpolation.on_grid(block, box, lines, spline, dtype)
    points = kernels.interpolation.AffinePoints(matrix, offset, part.starts, part.shape)
    return kernels.interpolation.affine(block, box, points, spline, dtype)
