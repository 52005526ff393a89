"""What is nearest to each pixel, an axis after the other: distances without roots; values."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels.memory import recycled
from dask_image._utils.engines import line_sweeps
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN, TAXICAB, unreachable
from dask_image._utils.typing import Array, Block, NDArray, Shape

COST_TYPES = {
    EUCLIDEAN: (np.int32, np.int64),
    TAXICAB: (np.int16, np.int32, np.int64),
    CHESSBOARD: (np.int16, np.int32, np.int64),
}
# What is nearest is found for so many pixels of a strip at a time: some arrays of their size.
PIXELS_AT_A_TIME = 2**17


@dataclass(frozen=True)
class Metric:
    """What a distance is, on a grid of pixels."""

    kind: int
    steps: tuple[Any, ...]
    dtype: np.dtype[Any]
    """Of the costs: squared distances if Euclidean, else distances."""
    periods: Shape
    """The length of each axis whose ends meet, 0 for the others."""

    @classmethod
    def on(cls, shape: Shape, kind: int, sampling: Any = None, wrap_axes: Shape = ()) -> Metric:
        """Return the metric on an image of that shape; costs are exact integers if they can be."""
        periods = tuple(size * (axis in wrap_axes) for axis, size in enumerate(shape))
        if kind == EUCLIDEAN and sampling is not None:
            return cls(kind, sampling, np.dtype(np.float64), periods)
        sizes = [size + period for size, period in zip(shape, periods)]
        farthest = sum(size**2 for size in sizes) if kind == EUCLIDEAN else sum(sizes)
        # Kernels work on as many pixels at once as fit a vector.
        dtype = next(each for each in COST_TYPES[kind] if farthest < unreachable(each))
        return cls(kind, (1,) * len(shape), np.dtype(dtype), periods)

    def unrolled(self, lines: Block, axis: int) -> Block:
        """
        Return whole lines with what lies around them, if the ends of ``axis`` meet.

        Nothing on a ring is farther away than half of it.
        """
        widths = [(0, 0)] * lines.ndim
        widths[axis] = (self.periods[axis] // 2,) * 2
        return np.pad(lines, widths, mode="wrap") if self.periods[axis] else lines

    def rolled_up(self, lines: Block, axis: int) -> Block:
        """Return what `unrolled` was given, of a result of its shape."""
        margin = self.periods[axis] // 2
        return lines[(slice(None),) * axis + (slice(margin, lines.shape[axis] - margin),)]


@dataclass(frozen=True)
class FirstAxis:
    """
    How blocks find the background along the first axis.

    Positions are counted from one period before the image, so that those on the turn before it
    are none below 0 either: -1 stands for no background.
    """

    metric: Metric

    def summarize(self, block: NDArray, start: int) -> Any:
        """Return what is kept of a block, and where the background of each line begins, ends."""
        packed = line_sweeps.PackedBackground(block)
        return packed, self._range(packed, start + self.metric.periods[0])

    @staticmethod
    def _range(packed, start):
        return kernels.distance.background_range(packed.words, packed.shape, start)

    def carry(self, summaries: list[Any]) -> list[Any]:
        """Return, for each block of a column, the background before and after it on each line."""
        ranges = [ends for _, ends in summaries]
        before, after = self._around(ranges)
        for _, last in ranges[:-1]:
            before.append(np.where(last < 0, before[-1], last))
        for first, _ in ranges[:0:-1]:
            after.append(np.where(first < 0, after[-1], first))
        return list(zip(before, reversed(after), strict=True))

    def _around(self, ranges):
        """Return the background before the first block and after the last one, each in a list."""
        none, period = np.full_like(ranges[0][0], -1), self.metric.periods[0]
        if not period:
            return [none], [none]
        lowest, highest = none, none
        for first, last in ranges:
            lowest = np.where(lowest < 0, first, lowest)
            highest = np.maximum(highest, last)
        found = highest >= 0
        return [np.where(found, highest - period, -1)], [np.where(found, lowest + period, -1)]

    def costs(self, summary: Any, carried: Any, start: int, first: int, end: int) -> NDArray:
        """Return what it costs rows to reach the background along the first axis."""
        background, *around = self._rows(summary, carried, start, first, end)
        metric = self.metric
        return kernels.distance.costs_on_first_axis(
            background, *around, metric.kind, metric.steps[0], metric.dtype
        )

    def nearest(self, summary: Any, carried: Any, start: int, first: int, end: int) -> NDArray:
        """Return the position of rows' nearest background along the first axis, -1 if none."""
        return kernels.distance.nearest_on_first_axis(
            *self._rows(summary, carried, start, first, end)
        )

    def _rows(self, summary, carried, start, first, end):
        packed, _ = summary
        return self.background_in(packed, *carried, start, first, end)

    def background_in(
        self, packed: Any, before: NDArray, after: NDArray, start: int, first: int, end: int
    ) -> tuple[NDArray, int, NDArray, NDArray]:
        """Return the background in rows of a block, their position, and what is before and after."""
        start, size = start + self.metric.periods[0], packed.shape[0]
        if first > 0:
            _, last = self._range(packed.rows(0, first), start)
            before = np.where(last < 0, before, last)
        if end < size:
            following, _ = self._range(packed.rows(end, size), start + end)
            after = np.where(following < 0, after, following)
        return packed.rows(first, end).unpack(), start + first, before, after


@dataclass(frozen=True)
class SummarizedFirstAxis(FirstAxis):
    """The same for blocks that come as pairs, of which the first is what `summarize` returned."""

    def carry(self, summaries: list[Any]) -> list[Any]:
        """Return what the blocks of a column exchange."""
        return super().carry([summary for summary, _ in summaries])

    def _rows(self, summary, carried, start, first, end):
        return super()._rows(summary[0], carried, start, first, end)


def least_costs(
    image: Array, metric: Metric, name: str, summarized: bool = False
) -> tuple[Array, line_sweeps.Barrier]:
    """
    Return the cost of reaching the nearest background, and what its blocks wait for.

    They are strips of whole lines of the last axis. Blocks that are ``summarized`` are pairs: what
    `FirstAxis.summarize` returned, and anything else.
    """
    along = SummarizedFirstAxis(metric) if summarized else FirstAxis(metric)
    carrying = line_sweeps.Carrying(
        None if summarized else along.summarize,
        along.carry,
        along.costs,
        functools.partial(_cheapest_costs, axis=1, metric=metric),
    )
    strips = line_sweeps.thin_strips(image)
    costs, barrier = line_sweeps.carry_along_first_axis(image, strips, carrying, metric.dtype, name)
    for axis in range(2, image.ndim):
        if image.shape[axis] > 1:
            costs = line_sweeps.take_from(
                costs, line_sweeps.join_lines(strips, axis), _cheapest_costs, metric.dtype,
                f"{name}-lines", axis=axis, metric=metric,
            )  # fmt: skip
    return costs, barrier


def _cheapest_costs(costs, _, axis, metric):
    if costs.ndim == 1:
        return costs
    around = metric.unrolled(costs, axis)
    cheapest = kernels.distance.cheapest_costs(around, axis, metric.kind, metric.steps[axis])
    return metric.rolled_up(cheapest, axis)


@dataclass(frozen=True)
class ValuesOnFirstAxis:
    """
    How blocks find the nearest pixel that is not missing along the first axis, and its value.

    Pixels hold what ``pixels_of`` says.
    """

    along: FirstAxis
    absent: Any
    """The value where there is none."""

    def summarize(self, block: NDArray, start: int) -> Any:
        """Return the first and the last pixel of each line that is there: position and value."""
        packed = line_sweeps.PackedBackground(block["missing"])
        ends = kernels.distance.background_range(packed.words, packed.shape, start)
        return [(each, _taken(block["value"], np.maximum(each - start, 0), 0)) for each in ends]

    def carry(self, summaries: list[Any]) -> list[Any]:
        """Return, for each block of a column, what is there before and after it on each line."""
        (position, value), _ = summaries[0]
        none = np.full_like(position, -1), np.full_like(value, self.absent)
        before, after = [none], [none]
        for _, last in summaries[:-1]:
            before.append(_if_found(last, before[-1]))
        for first, _ in summaries[:0:-1]:
            after.append(_if_found(first, after[-1]))
        return list(zip(before, reversed(after), strict=True))

    def finish(self, block: NDArray, carried: Any, start: int, first: int, end: int) -> NDArray:
        """Return the cost of reaching what is there along the first axis, and its value, of rows."""
        (before, value_before), (after, value_after) = carried
        rows = self.along.background_in(
            line_sweeps.PackedBackground(block["missing"]), before, after, start, first, end
        )
        nearest, metric = kernels.distance.nearest_on_first_axis(*rows), self.along.metric
        found = np.empty(nearest.shape, pixels_of(cost=metric.dtype, value=block["value"].dtype))
        here = line_sweeps.positions_of((start + first,), nearest.shape[:1])[0]
        here = here.reshape(-1, *(1,) * (block.ndim - 1))
        costs = kernels.distance.costs_of(
            [nearest], [here], metric.kind, metric.steps, metric.dtype
        )
        found["cost"] = np.where(nearest < 0, unreachable(metric.dtype), costs)
        inside = np.clip(nearest - np.int32(start), 0, len(block) - 1)
        value = np.where(nearest < start, value_before, _taken(block["value"], inside, 0))
        found["value"] = np.where(nearest >= start + len(block), value_after, value)
        return found


def pixels_of(**dtypes: Any) -> np.dtype[Any]:
    """Return the dtype of pixels that hold several things, by their names."""
    return np.dtype(list(dtypes.items()))


def _taken(values, places, axis):
    """Return the values at some places along an axis, an array with or without that axis."""
    if places.ndim < values.ndim:
        return np.take_along_axis(values, np.expand_dims(places, axis), axis).squeeze(axis)
    return np.take_along_axis(values, places, axis)


def _if_found(end, otherwise):
    """Return positions and values, but others where the position is -1."""
    nothing = end[0] < 0
    return tuple(np.where(nothing, other, own) for own, other in zip(end, otherwise, strict=True))


def nearest_values(pixels: Array, absent: Any, name: str) -> Array:
    """
    Return the value of the pixel that is there and nearest to each, as `FirstAxis` chooses it.

    Parameters
    ----------
    pixels : dask.array.Array
        Each says whether it is ``missing``, and its ``value``. Read twice.
    absent : number
        The value where no pixel is there.
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.array.Array
        Of the chunks of ``pixels``.
    """
    metric, dtype = Metric.on(pixels.shape, EUCLIDEAN), pixels.dtype["value"]
    along = ValuesOnFirstAxis(FirstAxis(metric), absent)
    carrying = line_sweeps.Carrying(
        along.summarize, along.carry, along.finish,
        functools.partial(_nearest_along, axis=1, metric=metric), reads_again=True,
    )  # fmt: skip
    strips, kind = line_sweeps.thin_strips(pixels), pixels_of(cost=metric.dtype, value=dtype)
    found, barrier = line_sweeps.carry_along_first_axis(
        pixels, strips, carrying, kind if pixels.ndim > 2 else dtype, name
    )
    for axis in range(2, pixels.ndim):
        found = line_sweeps.take_from(
            found, line_sweeps.join_lines(strips, axis), _nearest_along,
            kind if axis + 1 < pixels.ndim else dtype, f"{name}-lines", axis=axis, metric=metric,
        )  # fmt: skip
    values = line_sweeps.take_from(found, pixels.chunks, line_sweeps.as_they_are, dtype, name)
    return line_sweeps.in_turn(values, barrier, pixels.dtype.itemsize, name)


def _nearest_along(pixels, _, axis, metric):
    """Return what is nearest along one more axis; along the last one, its value alone."""
    if pixels.ndim == 1:
        return pixels["value"].copy()
    is_last = axis + 1 == pixels.ndim
    found = recycled(pixels.shape, pixels.dtype["value"] if is_last else pixels.dtype)
    rows = max(1, PIXELS_AT_A_TIME * len(pixels) // max(pixels.size, 1))
    for start in range(0, len(pixels), rows):
        part = pixels[start : start + rows]
        found[start : start + rows] = _nearest_in(part, axis, metric, not is_last)
    return found


def _nearest_in(pixels, axis, metric, with_costs):
    """Return the same of some lines."""
    costs, limit = np.ascontiguousarray(pixels["cost"]), unreachable(metric.dtype)
    nearest = kernels.distance.cheapest_positions(costs, axis, metric.kind, metric.steps[axis])
    np.maximum(nearest, 0, out=nearest)
    if not with_costs:
        return np.take_along_axis(pixels["value"], nearest, axis)
    taken = np.take_along_axis(pixels, nearest, axis)
    here = np.arange(pixels.shape[axis], dtype=np.int32)
    nearest -= here.reshape(-1, *(1,) * (pixels.ndim - 1 - axis))
    moves = nearest.astype(metric.dtype, copy=False)
    taken["cost"] = np.where(taken["cost"] == limit, limit, taken["cost"] + moves * moves)
    return taken
