"""What is nearest to each pixel, an axis after the other: distances without roots; values."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.engines import line_sweeps
from dask_image._utils.engines.lines_of_blocks import AroundBlock, LineOfBlocks
from dask_image._utils.engines.overlap import block_bounds
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN, TAXICAB, unreachable
from dask_image._utils.spill import load
from dask_image._utils.typing import Array, Block, NDArray, Shape

COST_TYPES = {
    EUCLIDEAN: (np.int32, np.int64),
    TAXICAB: (np.int16, np.int32, np.int64),
    CHESSBOARD: (np.int16, np.int32, np.int64),
}


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
        """
        Return the background in rows of a block, their position, and what is before and after.
        """
        start, size = start + self.metric.periods[0], packed.shape[0]
        if first > 0:
            _, last = self._range(packed.rows(0, first), start)
            before = np.where(last < 0, before, last)
        if end < size:
            following, _ = self._range(packed.rows(end, size), start + end)
            after = np.where(following < 0, after, following)
        return packed.rows(first, end).unpack(), start + first, before, after


def least_costs(image: Array, metric: Metric, name: str) -> Array:
    """Return the cost of reaching the nearest background, in strips of whole lines."""
    along = FirstAxis(metric)
    carrying = line_sweeps.Carrying(
        along.summarize,
        along.carry,
        along.costs,
        functools.partial(_cheapest_costs, axis=1, metric=metric),
    )
    strips = line_sweeps.thin_strips(image)
    costs = line_sweeps.carry_along_first_axis(image, strips, carrying, metric.dtype, name)
    for axis in range(2, image.ndim):
        if image.shape[axis] > 1:
            costs = line_sweeps.take_from(
                costs, line_sweeps.join_lines(strips, axis), _cheapest_costs, metric.dtype,
                f"{name}-lines", axis=axis, metric=metric,
            )  # fmt: skip
    return costs


def _cheapest_costs(costs, _, axis, metric):
    if costs.ndim == 1:
        return costs
    around = metric.unrolled(costs, axis)
    cheapest = kernels.distance.cheapest_costs(around, axis, metric.kind, metric.steps[axis])
    return metric.rolled_up(cheapest, axis)


@dataclass(frozen=True)
class BlockCosts:
    """
    What it costs each pixel to reach the nearest background, found by each block for itself.

    Squared distances between pixels. Blocks exchange along the first axis where lines have
    background, and along each further axis what matters of their sites (`LineOfBlocks`).

    Attributes
    ----------
    metric : Metric
        Euclidean, without sampling.
    lines : tuple of LineOfBlocks
        One for each axis.
    """

    metric: Metric
    lines: tuple[LineOfBlocks, ...]

    @classmethod
    def on(cls, image: Array, wrap_axes: Shape = ()) -> BlockCosts:
        """Return those of an image, none of whose blocks is without pixels."""
        metric = Metric.on(image.shape, EUCLIDEAN, None, wrap_axes)
        along = enumerate(zip(block_bounds(image.chunks), metric.periods, strict=True))
        return cls(metric, tuple(LineOfBlocks(axis, *each) for axis, each in along))

    @property
    def shared(self) -> list[int]:
        """Along which axes, after the first, blocks exchange sites."""
        return [line.axis for line in self.lines[1:] if line.shared]

    def summarize(self, block: NDArray, start: int) -> Any:
        """Return what `carry`, `sites` and `costs` need of a block; background is zero."""
        return FirstAxis(self.metric).summarize(block, start)

    def carry(self, summaries: list[Any]) -> list[Any]:
        """Return, for each block of a column, the background before and after it on each line."""
        return FirstAxis(self.metric).carry(summaries)

    def sites(
        self, axis: int, index: Shape, summary: Any, carried: Any, *around: list[AroundBlock]
    ) -> AroundBlock:
        """
        Return what matters of a block beside it along an axis.

        Parameters
        ----------
        axis : int
        index : tuple of int
            Of the block.
        summary, carried
            What `summarize` returned for it, and `carry` for its column.
        *around : list of AroundBlock
            What `LineOfBlocks.carry` returned along each of the shared axes before this one. This
            and what is carried may be on disk, block by block.
        """
        costs = self._before(axis, index, summary, carried, around)
        return self.lines[axis].sites(costs, self.lines[axis].bounds[index[axis]])

    def costs(
        self, index: Shape, summary: Any, carried: Any, *around: list[AroundBlock]
    ) -> NDArray:
        """Return the costs of a block; arguments as those of `sites`."""
        return self._before(len(self.lines), index, summary, carried, around)

    def _before(self, end, index, summary, carried, around):
        """Return what the background costs, reached by moves along the axes before one."""
        packed, _ = summary
        found, start = iter(around), self.lines[0].bounds[index[0]]
        along = load(carried[index[0]])
        costs = FirstAxis(self.metric).costs(summary, along, start, 0, packed.shape[0])
        for axis in range(1, end):
            costs = kernels.distance.cheapest_costs(costs, axis, EUCLIDEAN, 1)
            line = self.lines[axis]
            if line.shared:
                line.lower(costs, line.bounds[index[axis]], load(next(found)[index[axis]]))
        return costs
