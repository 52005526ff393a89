"""Spline coefficients: recursive filters whose memory fades, so that a halo makes them exact."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import ArgumentError, normalize_axis
from dask_image._utils.backend import kernel_for
from dask_image._utils.engines.overlap import Pass, block_bounds, map_boxes, map_passes
from dask_image._utils.modes import NEAREST
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    ChunksLike,
    DTypeLike,
    Integer,
    ModeName,
    PerAxis,
)
from dask_image.ndinterp._arguments import (
    normalize_image,
    normalize_mode,
    normalize_order,
    normalize_output,
)

# The largest pole of each recursive filter (Unser, Splines, IEEE SPM 1999): what lies m pixels
# away counts with its m-th power.
POLES = {
    2: math.sqrt(8) - 3,
    3: math.sqrt(3) - 2,
    4: math.sqrt(664 - math.sqrt(438976)) + math.sqrt(304) - 19,
    5: math.sqrt(67.5 - math.sqrt(4436.25)) + math.sqrt(26.25) - 6.5,
}
# Below half a unit in the last place of a double, with room for sums along the halo.
NEGLIGIBLE = 1e-18


def reach_of(order):
    """Return beyond how many pixels a coefficient does not depend on the image."""
    return math.ceil(math.log(NEGLIGIBLE) / math.log(-POLES[order]))


def spline_filter1d(
    image: ArrayLike,
    order: Integer = 3,
    axis: Integer = -1,
    output: DTypeLike | None = np.float64,
    mode: ModeName = "mirror",
    output_chunks: ChunksLike | None = None,
    *,
    depth: Integer | None = None,
) -> Array:
    """
    Compute spline coefficients along one axis.

    The Dask form of :func:`scipy.ndimage.spline_filter1d`. What a coefficient
    depends on fades by a fixed factor from pixel to pixel; a halo of that many
    pixels as leave a trace in double precision gives SciPy's values.

    Parameters
    ----------
    image : array_like
        The image; complex ones are filtered part by part.
    order : int, optional
        Of the spline, 0 to 5; 0 and 1 leave the image as it is.
    axis : int, optional
        Along which to filter.
    output : dtype, optional
        Of the result.
    mode : str, optional
        How the image goes on beyond its edges, as in :func:`scipy.ndimage.spline_filter1d`.
    output_chunks : int or tuple, optional
        Chunks of the result. Default: those of ``image``.
    depth : int, optional
        Width of the halo in pixels, if another than the exact one is wanted.

    Returns
    -------
    dask.array.Array
        Lazy, of the shape of ``image``.

    Raises
    ------
    RuntimeError
        If ``order``, ``mode`` or a dtype is not supported.

    Examples
    --------
    >>> import dask.array as da
    >>> spline_filter1d(da.eye(4, chunks=2), order=2)[0].compute().round(3)
    array([ 1.414, -0.243,  0.043, -0.014])
    """
    image = normalize_image(image)
    order, mode = normalize_order(order), normalize_mode(mode)
    dtype = normalize_output(output, image)
    axis = normalize_axis(axis, image.ndim)
    result = filter_axes(image, [axis], order, mode, dtype, "spline_filter1d", [depth])
    return result if output_chunks is None else result.rechunk(output_chunks)


def spline_filter(
    image: ArrayLike,
    order: Integer = 3,
    output: DTypeLike | None = np.float64,
    mode: ModeName = "mirror",
    output_chunks: ChunksLike | None = None,
    *,
    depth: PerAxis[Integer] | None = None,
) -> Array:
    """
    Compute spline coefficients.

    The Dask form of :func:`scipy.ndimage.spline_filter`: one axis after another,
    each as in `spline_filter1d`. As in SciPy, results from axis to axis are kept
    in the dtype of the output.

    Parameters
    ----------
    image : array_like
        The image; complex ones are filtered part by part.
    order : int, optional
        Of the spline, 2 to 5.
    output : dtype, optional
        Of the result.
    mode : str, optional
        How the image goes on beyond its edges, as in :func:`scipy.ndimage.spline_filter`.
    output_chunks, depth : optional
        As in `spline_filter1d`.

    Returns
    -------
    dask.array.Array
        Lazy, of the shape of ``image``.

    Raises
    ------
    RuntimeError
        If ``order``, ``mode`` or a dtype is not supported.

    Examples
    --------
    >>> import dask.array as da
    >>> spline_filter(da.eye(4, chunks=2)).compute().round(2)[0]
    array([ 3.95, -2.7 ,  1.26, -0.73])
    """
    image = normalize_image(image)
    order, mode = normalize_order(order, lowest=2), normalize_mode(mode)
    dtype = normalize_output(output, image)
    depths = list(depth) if np.iterable(depth) else [depth] * image.ndim
    if len(depths) != image.ndim:
        raise ArgumentError(f"depth must have {image.ndim} values, got {len(depths)}")
    result = filter_axes(image, range(image.ndim), order, mode, dtype, "spline_filter", depths)
    return result if output_chunks is None else result.rechunk(output_chunks)


def filter_axes(image, axes, order, mode, dtype, name, depths=None):
    """Return the coefficients along ``axes``, in ``dtype``."""
    if order < 2 or image.size == 0 or not len(axes):
        return image.astype(dtype)
    depths = depths or [None] * len(axes)
    function = kernel_for(image, ndimage.spline_filter1d)
    keywords = {"order": order, "dtype": dtype, "function": function}
    passes = [
        Pass(
            _filter_axis,
            axis,
            (reach_of(order) if depth is None else depth,) * 2,
            mode.coefficients,
            keywords,
            {**keywords, "in_place": True},
        )
        for axis, depth in zip(axes, depths)
    ]
    return map_passes(image, passes, dtype, name)


def _filter_axis(block, axis, mode, order, dtype, function, in_place=False):
    """
    Filter the lines of a block along one axis, as they are in the whole image.

    In mode "reflect" SciPy overwrites the first pixel of a line while it still sums up what
    comes before the line, which shows until the filter's memory has faded. A line followed by
    itself turned round is one period of the image that this mode means; around that, SciPy's
    sum is right.
    """
    size = block.shape[axis]
    if mode != "reflect" or size > reach_of(order):
        output = block if in_place else dtype
        return function(block, order, axis, output=output, mode=mode)
    period = np.concatenate([block, np.flip(block, axis)], axis)
    filtered = function(period, order, axis, output=dtype, mode="grid-wrap")
    return filtered[(slice(None),) * axis + (slice(size),)]


def coefficients(image, interpolation, axes=None, *, name):
    """
    Return what interpolation starts from: coefficients, and the spline with their padding in it.

    Parameters
    ----------
    image : dask.array.Array
    interpolation : Interpolation
    axes : sequence of int, optional
        Those that are interpolated along. Default: all.
    name : str
        Of the function that the user called.

    Returns
    -------
    tuple
        Dask array and `Interpolation`: pixels are added on either side of each axis, as
        SciPy does for the modes that have no coefficients of their own.
    """
    axes = range(image.ndim) if axes is None else axes
    spline = interpolation.spline
    if not interpolation.prefilter or spline.order < 2 or image.size == 0:
        return image, interpolation
    spline = replace(spline, padding=spline.mode.padding)
    if spline.padding:
        image = _padded(image, axes, spline, f"{name}-pad")
    dtype = np.dtype("c16" if image.dtype.kind == "c" else "f8")
    name = f"{name}-prefilter"
    filtered = filter_axes(image, axes, spline.order, spline.mode, dtype, name)
    return filtered, replace(interpolation, spline=spline)


def _padded(image, axes, spline, name):
    """Return the image with a margin, which goes into the blocks at its edges."""
    width = spline.padding
    if spline.mode.code == NEAREST:
        keywords = {"mode": "edge"}
    else:
        # What NumPy refuses to pad with is refused when the function is called.
        keywords = {"mode": "constant", "constant_values": spline.cval}
        np.pad(np.zeros(1, image.dtype), 1, **keywords)
    # A block without pixels could not lend its margin an edge pixel.
    image = image.rechunk(tuple(tuple(size for size in sizes if size) for sizes in image.chunks))
    chunks = [list(sizes) for sizes in image.chunks]
    for axis in axes:
        chunks[axis][0] += width
        chunks[axis][-1] += width
    chunks = tuple(map(tuple, chunks))
    widths = [width if axis in axes else 0 for axis in range(image.ndim)]
    starts = block_bounds(chunks)

    def inside(index):
        """Return which pixels of the image an output block holds."""
        intervals = []
        for axis, block in enumerate(index):
            begin, end = starts[axis][block : block + 2]
            size = image.shape[axis]
            intervals.append((max(begin - widths[axis], 0), min(end - widths[axis], size)))
        return tuple(intervals)

    def margins(index):
        return (
            tuple(
                (
                    max(widths[axis] - starts[axis][block], 0),
                    max(starts[axis][block + 1] - widths[axis] - image.shape[axis], 0),
                )
                for axis, block in enumerate(index)
            ),
        )

    return map_boxes(
        np.pad, image, name=name, boxes=inside, chunks=chunks, dtype=image.dtype,
        block_arguments=margins, **keywords,
    )  # fmt: skip
