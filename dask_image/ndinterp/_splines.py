"""Spline coefficients: recursive filters whose memory fades, so that a halo makes them exact."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import normalize_axis, normalize_integer, per_axis
from dask_image._utils.backend import kernel_for
from dask_image._utils.engines.overlap import (
    Pass,
    axis_window,
    block_bounds,
    map_boxes,
    map_passes,
)
from dask_image._utils.modes import MODES, NEAREST
from dask_image._utils.splines import Spline
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Block,
    Chunks,
    ChunksLike,
    DTypeLike,
    Integer,
    ModeName,
    PerAxis,
    Shape,
)
from dask_image.ndinterp._arguments import (
    Interpolation,
    in_output_chunks,
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

# How many times the pixels of the image, or of the result, boxes and their halos may hold, so that
# filtering each of them takes no longer than tasks that filter all blocks and hand on halos.
WORTH = 4


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
    result = filter_axes(image, [axis], order, mode, dtype, "spline_filter1d", [_as_depth(depth)])
    return in_output_chunks(result, output_chunks)


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
    depths = [_as_depth(each) for each in per_axis(depth, image.ndim, "depth")]
    result = filter_axes(image, range(image.ndim), order, mode, dtype, "spline_filter", depths)
    return in_output_chunks(result, output_chunks)


def _as_depth(depth):
    return None if depth is None else normalize_integer(depth, "depth", lowest=0)


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


class _Read(NamedTuple):
    """What of an axis some coefficients are made of, and where they are among those of that."""

    interval: tuple[int, int]
    margins: tuple[int, int]
    where: tuple[int, int]


@dataclass(frozen=True)
class Coefficients:
    """
    What interpolation reads of an image: coefficients, in boxes.

    Where there is no more to filter, they are the image itself. Else they are made of the pixels
    around a box by the task that reads it: the halo makes that exact, and there is nothing to hand
    on or to wait for. Boxes that are small against their halos read them from an array of all
    coefficients.

    Parameters
    ----------
    image : dask.array.Array
    interpolation : Interpolation
        With, in its spline, the padding of the coefficients: pixels are added on either side of
        each axis, as SciPy does for the modes that have no coefficients of their own.
    axes : tuple of int
        Those that are interpolated along.
    filtered : bool
        Whether coefficients differ from pixels.
    name : str
        Of the function that the user called.
    """

    image: Array
    interpolation: Interpolation
    axes: tuple[int, ...]
    filtered: bool
    name: str

    @classmethod
    def of(
        cls, image: Array, interpolation: Interpolation, axes: Sequence[int] | None = None, *,
        name: str,
    ) -> Coefficients:  # fmt: skip
        """Return the coefficients of an image, along all axes or some."""
        axes = tuple(range(image.ndim) if axes is None else axes)
        spline = interpolation.spline
        if not interpolation.prefilter or spline.order < 2 or image.size == 0:
            return cls(image, interpolation, axes, False, name)
        spline = replace(spline, padding=spline.mode.padding)
        if spline.padding:
            # What NumPy refuses to pad with is refused when the function is called.
            np.pad(np.zeros(1, image.dtype), 1, **_padding_keywords(spline))
            # A block without pixels could not lend its margin an edge pixel.
            sizes = tuple(tuple(size for size in sizes if size) for sizes in image.chunks)
            image = image.rechunk(sizes)
        return cls(image, replace(interpolation, spline=spline), axes, True, name)

    @property
    def spline(self) -> Spline:
        """Of the coefficients, with their padding."""
        return self.interpolation.spline

    @property
    def chunks(self) -> Chunks:
        """Chunks of the image; those at its edges hold the padding."""
        chunks = [list(sizes) for sizes in self.image.chunks]
        for axis in self.axes:
            chunks[axis][0] += self.spline.padding
            chunks[axis][-1] += self.spline.padding
        return tuple(map(tuple, chunks))

    @property
    def shape(self) -> Shape:
        """With the padding."""
        return tuple(map(sum, self.chunks))

    def map_boxes(
        self, kernel: Callable[..., Any], *, boxes: Callable[[Shape], Any], chunks: Chunks,
        block_arguments: Callable[[Shape], tuple[Any, ...]], **keywords: Any,
    ) -> Array:  # fmt: skip
        """Compute blocks from boxes of coefficients, as `overlap.map_boxes` does from pixels."""
        keywords["chunks"] = chunks
        reads = self._reads(boxes, chunks) if self.filtered else None
        if reads is None:
            array = self._array() if self.filtered else self.image
            return map_boxes(
                kernel, array, boxes=boxes, block_arguments=block_arguments, **keywords
            )
        return map_boxes(
            _on_coefficients,
            self.image,
            boxes=lambda index: [read.interval for read in reads[index]],
            block_arguments=lambda index: (*block_arguments(index), reads[index]),
            function=kernel,
            filter_box=_BoxFilter(self.spline, self.axes, self._dtype, self._function),
            **keywords,
        )

    @property
    def _dtype(self):
        return np.dtype("c16" if self.image.dtype.kind == "c" else "f8")

    @property
    def _function(self):
        return kernel_for(self.image, ndimage.spline_filter1d)

    def _reads(self, boxes, chunks):
        """Return what the box of each block is made of, or None if halos are most of it."""
        block = max(math.prod(map(max, each)) for each in (self.image.chunks, chunks))
        most = max(self.image.size, math.prod(map(sum, chunks)))
        shape = self.shape

        @functools.lru_cache(maxsize=4096)
        def read_of(axis, start, stop):
            return self._read(axis, start, stop, shape[axis])

        reads, total = {}, 0
        for index in itertools.product(*(range(len(sizes)) for sizes in chunks)):
            found = tuple(read_of(axis, *ends) for axis, ends in enumerate(boxes(index)))
            if None in found:
                return None
            pixels = math.prod(stop - start for (start, stop), _, _ in found)
            total += pixels
            if pixels > WORTH * block or total > WORTH * most:
                return None
            reads[index] = found
        return reads

    def _read(self, axis, start, stop, size):
        """
        Return what coefficients of an axis are made of, or None if that lies at both its ends.
        """
        if axis not in self.axes or start == stop:
            return _Read((start, stop), (0, 0), (0, stop - start))
        mode, padding = self.spline.mode.coefficients, self.spline.padding
        if stop > size and not MODES[mode].periodic:
            return None
        low, high = axis_window(start, stop, size, (reach_of(self.spline.order),) * 2, mode)
        before = max(padding - low, 0) if padding else 0
        after = max(high - size + padding, 0) if padding else 0
        interval = low - padding + before, high - padding - after
        return _Read(interval, (before, after), (start - low, stop - low))

    def _array(self):
        """Return all coefficients."""
        spline, image = self.spline, self.image
        if spline.padding:
            image = _padded(image, self, f"{self.name}-pad")
        name = f"{self.name}-prefilter"
        return filter_axes(image, self.axes, spline.order, spline.mode, self._dtype, name)


def _padding_keywords(spline):
    """Return how `numpy.pad` extends an image for a spline."""
    if spline.mode.code == NEAREST:
        return {"mode": "edge"}
    return {"mode": "constant", "constant_values": spline.cval}


@dataclass(frozen=True)
class _BoxFilter:
    """Makes coefficients of the pixels of a box, which is filtered along some axes."""

    spline: Spline
    axes: tuple[int, ...]
    dtype: np.dtype[Any]
    function: Callable[..., Any]

    def __call__(self, box: Block, reads: Sequence[_Read]) -> Block:
        """Return the coefficients that ``reads``, one an axis, tell of."""
        shape = tuple(stop - start for _, _, (start, stop) in reads)
        if 0 in shape:
            return np.empty(shape, self.dtype)
        margins = [read.margins for read in reads]
        if np.any(margins):
            box = np.pad(box, margins, **_padding_keywords(self.spline))
        order, mode = self.spline.order, self.spline.mode.coefficients
        for position, axis in enumerate(self.axes):
            start, stop = reads[axis].where
            box = _filter_axis(box, axis, mode, order, self.dtype, self.function, position > 0)
            if stop <= box.shape[axis]:
                box = box[(slice(None),) * axis + (slice(start, stop),)]
            else:  # once around a periodic axis that is there as a whole
                box = box.take(range(start, stop), axis, mode="wrap")
        return box


def _on_coefficients(box, *arguments, function, filter_box, **keywords):
    """Run a kernel on the coefficients that pixels give."""
    *arguments, reads = arguments
    return function(filter_box(box, reads), *arguments, **keywords)


def _padded(image, coefficients, name):
    """
    Return the image with the margin of its coefficients, which goes into the blocks at its edges.
    """
    width, chunks = coefficients.spline.padding, coefficients.chunks
    widths = [width if axis in coefficients.axes else 0 for axis in range(image.ndim)]
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
        block_arguments=margins,
        **_padding_keywords(coefficients.spline),
    )  # fmt: skip
