"""Distances to the nearest background pixel, before roots are taken: an axis after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dask_image._kernels import blocks
from dask_image._utils.arrays import block_meta
from dask_image._utils.engines import line_sweeps
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN, TAXICAB, unreachable
from dask_image._utils.typing import Array, NDArray, Shape

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

    @classmethod
    def on(cls, shape: Shape, kind: int, sampling: Any = None) -> Metric:
        """Return the metric on an image of that shape; costs are exact integers if they can be."""
        if kind == EUCLIDEAN and sampling is not None:
            return cls(kind, sampling, np.dtype(np.float64))
        farthest = sum(size**2 for size in shape) if kind == EUCLIDEAN else sum(shape)
        # Kernels work on as many pixels at once as fit a vector.
        dtype = next(each for each in COST_TYPES[kind] if farthest < unreachable(each))
        return cls(kind, (1,) * len(shape), np.dtype(dtype))


def summarize(block: NDArray, start: int) -> Any:
    """Return what is kept of a block, and where the background of each line begins and ends."""
    packed = line_sweeps.PackedBackground(block)
    return packed, blocks.distance.background_range(packed.words, packed.shape, start)


def carry(summaries: list[Any]) -> list[Any]:
    """Return, for each block of a column, the background before and after it on each line."""
    ranges = [ends for _, ends in summaries]
    before, after = [np.full_like(ranges[0][0], -1)], [np.full_like(ranges[0][0], -1)]
    for _, last in ranges[:-1]:
        before.append(np.where(last < 0, before[-1], last))
    for first, _ in ranges[:0:-1]:
        after.append(np.where(first < 0, after[-1], first))
    return list(zip(before, reversed(after), strict=True))


def _costs_on_line(summary, carried, start, metric):
    packed, _ = summary
    return blocks.distance.costs_on_first_axis(
        packed.unpack(), start, *carried, metric.kind, metric.steps[0], metric.dtype
    )


def least_costs(image: Array, metric: Metric, name: str) -> tuple[Array, line_sweeps.Barrier]:
    """
    Return the cost of reaching the nearest background, in the chunks of ``image``.

    And what its blocks wait for.
    """
    strips = line_sweeps.thin_strips(image)
    finish = partial(_costs_on_line, metric=metric)
    costs, barrier = line_sweeps.carry_along_first_axis(
        strips, summarize, carry, finish, metric.dtype, name
    )
    for axis in range(1, image.ndim):
        if image.shape[axis] > 1:
            costs = map_blocks(
                _cheapest_costs,
                line_sweeps.join_lines(costs, axis, strips.chunks),
                axis=axis,
                metric=metric.kind,
                step=metric.steps[axis],
                dtype=metric.dtype,
                name=f"{name}-lines",
                meta=block_meta(image.ndim, metric.dtype),
            )
    # Costs take less memory than distances, and blocks cut from a strip keep all of it alive.
    return costs.rechunk(image.chunks, method="tasks"), barrier


def _cheapest_costs(costs, axis, metric, step):
    return blocks.distance.cheapest_costs(costs, axis, metric, step)
