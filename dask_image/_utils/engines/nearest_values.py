"""
The value of the nearest pixel that is there, for those that are missing.

The image is read twice. First each block says what it has at both ends of its lines along the
first axis; once all have, rows of blocks (in 3-D planes) are read again, one after the other.
A block knows then what is nearest along the first axis, and along each further axis in turn, as
soon as the blocks beside it have said which of theirs may be nearer (`LineOfBlocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels.memory import recycled
from dask_image._utils import options
from dask_image._utils.engines.distances import Metric
from dask_image._utils.engines.graph import (
    blocks_of,
    cloned,
    reference,
    sequence,
    tokenize,
    wait_for,
)
from dask_image._utils.engines.line_sweeps import PackedBackground, positions_of, rows_ahead
from dask_image._utils.engines.lines_of_blocks import AroundBlock, LineOfBlocks
from dask_image._utils.engines.overlap import block_bounds
from dask_image._utils.engines.tasks import Tasks
from dask_image._utils.engines.two_pass import take
from dask_image._utils.metrics import EUCLIDEAN, unreachable
from dask_image._utils.spill import load, spill, spill_object
from dask_image._utils.typing import Array, Block, NDArray, Shape

# What is nearest is found for so many pixels of a block at a time: some arrays of their size.
PIXELS_AT_A_TIME = 2**17


@dataclass(frozen=True)
class Partly:
    """
    A block that has found what is nearest along some of its axes.

    Attributes
    ----------
    values : numpy.ndarray
        Of pixels that are there, and what others have found.
    missing : numpy.ndarray of uint8
        Which pixels are missing, a bit each.
    costs : numpy.ndarray
        The square of how far missing ones are from what they have found, in a small dtype.
    dtype : numpy.dtype
        Of costs.
    """

    values: NDArray
    missing: NDArray
    costs: NDArray
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, values: NDArray, costs: NDArray) -> Partly:
        """Return the same of costs that are given for all pixels."""
        missing = costs != 0
        found = costs[missing]
        most = np.min_scalar_type(int(found.max(initial=0)))
        return cls(values, np.packbits(missing), found.astype(most, copy=False), costs.dtype)

    def spilled(self) -> Partly:
        """Return the same with arrays that are kept on disk."""
        return Partly(spill(self.values), spill(self.missing), spill(self.costs), self.dtype)

    def loaded(self) -> Partly:
        """Return the same with arrays in memory."""
        return Partly(load(self.values), load(self.missing), load(self.costs), self.dtype)

    def all_costs(self) -> NDArray:
        """Return the costs of all pixels, 0 where one is there."""
        costs = np.zeros(self.values.shape, self.dtype)
        missing = np.unpackbits(self.missing, count=costs.size).view(bool)
        costs[missing.reshape(costs.shape)] = self.costs
        return costs


@dataclass(frozen=True)
class NearestValues:
    """
    How blocks find the nearest values.

    Attributes
    ----------
    missing : callable
        ``missing(*blocks)`` tells which pixels of a block are.
    absent : number
        The value where no pixel is there.
    metric : Metric
    lines : tuple of LineOfBlocks
        One for each axis.
    on_disk : bool
        Whether what waits lies in a temporary file.
    """

    missing: Callable[..., Any]
    absent: Any
    metric: Metric
    lines: tuple[LineOfBlocks, ...]
    on_disk: bool

    def summarize(self, start: int, block: NDArray, *others: Block) -> Any:
        """Return the first and the last pixel of each line that is there: position and value."""
        packed = PackedBackground(self.missing(block, *others))
        ends = kernels.distance.background_range(packed.words, packed.shape, start)
        places = (np.expand_dims(np.maximum(each - start, 0), 0) for each in ends)
        values = [np.take_along_axis(block, place, 0)[0] for place in places]
        return self._waiting(list(zip(ends, values, strict=True)))

    def _waiting(self, value):
        """Return what has to wait."""
        return spill_object(value) if self.on_disk else value

    def carry(self, summaries: list[Any]) -> list[Any]:
        """Return, for each block of a column, what is there before and after it on each line."""
        summaries = list(map(load, summaries))
        (position, value), _ = summaries[0]
        none = np.full_like(position, -1), np.full_like(value, self.absent)
        before, after = [none], [none]
        for _, last in summaries[:-1]:
            before.append(_if_found(last, before[-1]))
        for first, _ in summaries[:0:-1]:
            after.append(_if_found(first, after[-1]))
        return list(map(self._waiting, zip(before, reversed(after), strict=True)))

    def across(self, axis: int, sites: list[Any]) -> list[Any]:
        """Return, for each block of a line of them, the sites of others that matter in it."""
        return list(map(self._waiting, self.lines[axis].carry(list(map(load, sites)))))

    def begin(
        self, index: Shape, carried: Any, _: None, block: NDArray, *others: Block
    ) -> NDArray | tuple[Partly, AroundBlock]:
        """
        Find what is nearest along the first axis, in the block of an index.

        Returns what is found in the end, or `Partly`, with what the blocks beside it need.
        """
        start = self.lines[0].bounds[index[0]]
        missing, around = self.missing(block, *others), load(carried[index[0]])
        (before, _), (after, _) = around
        nearest = kernels.distance.nearest_on_first_axis(~missing, start, before, after)
        values = recycled(block.shape, block.dtype)
        costs = np.empty(block.shape, self.metric.dtype)
        for rows in _some_rows(block.shape):
            self._take(block, around, start, nearest[rows], values[rows])
            here = positions_of((start + rows.start,), nearest[rows].shape[:1])[0]
            here = here.reshape(-1, *(1,) * (block.ndim - 1))
            costs[rows] = kernels.distance.costs_of(
                [nearest[rows]], [here], EUCLIDEAN, (1,), costs.dtype
            )
        costs[nearest < 0] = unreachable(costs.dtype)
        return self._go_on(values, costs, 1, index)

    @staticmethod
    def _take(block, around, start, nearest, values):
        """Write the values at the nearest positions along the first axis."""
        (_, value_before), (_, value_after) = around
        inside = np.clip(nearest - np.int32(start), 0, len(block) - 1)
        values[...] = np.take_along_axis(block, inside, 0)
        for beyond, value in (
            (nearest < start, value_before), (nearest >= start + len(block), value_after)
        ):  # fmt: skip
            np.copyto(values, value, where=beyond)

    def go_on(
        self, found: tuple[Partly, AroundBlock], carried: list[AroundBlock], axis: int, index: Shape
    ) -> NDArray | tuple[Partly, AroundBlock]:
        """Find what is nearest along one more axis; arguments and result as those of `begin`."""
        partly = found[0].loaded()
        costs, values = self._along(partly.all_costs(), partly.values, axis)
        start = self.lines[axis].bounds[index[axis]]
        self.lines[axis].lower(costs, start, load(carried[index[axis]]), values)
        return self._go_on(values, costs, axis + 1, index)

    def _go_on(self, values, costs, axis, index):
        """Go on along axes of one block, up to the next that others share."""
        while axis < values.ndim and not self.lines[axis].shared:
            costs, values = self._along(costs, values, axis)
            axis += 1
        if axis == values.ndim:
            return values
        line = self.lines[axis]
        sites = self._waiting(line.sites(costs, line.bounds[index[axis]], values))
        partly = Partly.of(values, costs)
        return partly.spilled() if self.on_disk else partly, sites

    @staticmethod
    def _along(costs, values, axis):
        """Return costs and values after a look along one axis, within the block."""
        if not costs.any():
            return costs, values
        cheapest, found = np.empty_like(costs), recycled(values.shape, values.dtype)
        for rows in _some_rows(costs.shape):
            part = costs[rows]
            nearest = kernels.distance.cheapest_positions(part, axis, EUCLIDEAN, 1)
            here = np.arange(costs.shape[axis], dtype=np.int32)
            moves = nearest - here.reshape(-1, *(1,) * (costs.ndim - 1 - axis))
            np.maximum(nearest, 0, out=nearest)
            found[rows] = np.take_along_axis(values[rows], nearest, axis)
            taken, limit = np.take_along_axis(part, nearest, axis), unreachable(costs.dtype)
            moves = moves.astype(costs.dtype, copy=False)
            cheapest[rows] = np.where(taken == limit, limit, taken + moves * moves)
        return cheapest, found


def _some_rows(shape: Shape) -> Iterator[slice]:
    """Return slices that cut a block into parts of not too many pixels."""
    step = max(1, PIXELS_AT_A_TIME * shape[0] // max(int(np.prod(shape, dtype=np.int64)), 1))
    return (slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step))


def _if_found(end, otherwise):
    """Return positions and values, but others where the position is -1."""
    nothing = end[0] < 0
    return tuple(np.where(nothing, other, own) for own, other in zip(end, otherwise, strict=True))


def nearest_values(
    images: Sequence[Array], missing: Callable[..., Any], absent: Any, name: str
) -> Array:
    """
    Return the value of the pixel that is there and nearest to each.

    Of several, it is the one that `dask_image.ndmorph.distance_transform_edt` finds.

    Parameters
    ----------
    images : list of dask.array.Array
        Of equal shapes and chunks, one axis and one pixel at least, no block without pixels. The
        values are those of the first. Read twice.
    missing : callable
        ``missing(*blocks)`` tells which pixels of a block are missing.
    absent : number
        The value where no pixel is there.
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.array.Array
        Of the chunks and the dtype of the first image.
    """
    image, bounds = images[0], block_bounds(images[0].chunks)
    lines = tuple(LineOfBlocks(axis, along) for axis, along in enumerate(bounds))
    metric, on_disk = Metric.on(image.shape, EUCLIDEAN), _waits_on_disk(image)
    finding = NearestValues(missing, absent, metric, lines, on_disk)
    tasks = Tasks(name, tokenize([each.name for each in images], missing, absent, on_disk))
    shared = [line.axis for line in lines[1:] if line.shared]
    steps = ["sweep", *(f"along-{axis}" for axis in shared)]
    known = _add_first_pass(tasks, finding, images)
    # All blocks could be read again at once, and nothing but the order in which tasks happen to be
    # run would keep them from being all there before the first one is finished.
    ahead = rows_ahead(image.chunks, image.dtype.itemsize)
    turns = dict.fromkeys(np.ndindex(image.numblocks), known)
    for index in turns:
        if index[0] >= ahead:
            # Blocks would be held by all that is made from what waits for them.
            before = tasks.at(steps[-1], (index[0] - ahead, *index[1:]))
            turns[index] = tasks.add("turn", index, wait_for, before)
    again = [cloned(each, tasks.token, lambda index: turns[index].key) for each in images]
    for _, reading in again:
        tasks.tasks |= reading
    for index, turn in turns.items():
        blocks = [reference((source, *index)) for source, _ in again]
        tasks.add("sweep", index, finding.begin, index, tasks.at("carry", index[1:]), turn, *blocks)
    for axis, before, step in zip(shared, steps, steps[1:], strict=False):
        _add_exchange(tasks, finding, axis, before, step, turns)
    return tasks.array(steps[-1], images, image.chunks, image.dtype)


def _waits_on_disk(image):
    """Tell whether more may wait than memory is to hold: a row of blocks, and ends of lines."""
    rows = max(image.chunks[0]) * image.size // image.shape[0]
    ends = 4 * len(image.chunks[0]) * image.size // image.shape[0]
    wide = image.dtype.itemsize + 4
    return bool((rows + ends) * wide > options.memory("waiting"))


def _add_first_pass(tasks, finding, images):
    """Add the tasks that read all blocks once; return what is there when all are read."""
    rows, *columns = images[0].numblocks
    waits = []
    for column in np.ndindex(*columns):
        summaries = []
        for row in range(rows):
            blocks = [reference((blocks_of(each), row, *column)) for each in images]
            start = finding.lines[0].bounds[row]
            summaries.append(
                tasks.add("summary", (row, *column), finding.summarize, start, *blocks)
            )
        carried = tasks.add("carry", column, finding.carry, sequence(summaries))
        waits.append(tasks.add("carry-wait", column, wait_for, carried))
    return tasks.add("wait", (), wait_for, *waits)


def _add_exchange(tasks, finding, axis, before, step, indices):
    """Add the tasks in which blocks that lie along an axis exchange sites, and go on."""
    parts = {}
    for index in indices:
        # Apart from the block, which is not for others.
        sites = tasks.add(f"sites-{axis}", index, take, tasks.at(before, index), 1)
        parts.setdefault((*index[:axis], *index[axis + 1 :]), []).append(sites)
    for rest, sites in parts.items():
        tasks.add(f"across-{axis}", rest, finding.across, axis, sequence(sites))
    for index in indices:
        carried = tasks.at(f"across-{axis}", (*index[:axis], *index[axis + 1 :]))
        tasks.add(step, index, finding.go_on, tasks.at(before, index), carried, axis, index)
