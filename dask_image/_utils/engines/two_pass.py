"""
Two passes over the blocks: scan them all, combine what was learnt, finish each.

A `TwoPass` says what is done; `map_two_pass` turns it into tasks. Where blocks must be compared
with those that they touch, in a face, an edge or a corner, link tasks do so in between. Links
and what was combined take a task for several blocks, so all that costs a little more than four
tasks a block, two where blocks are small, and those that compute blocks again. An image of one
block takes one task for all of it: Dask's overhead would be felt beside fast kernels.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._utils.arrays import block_meta, with_dtype
from dask_image._utils.engines.block_lattice import BlockLattice, Connectivity
from dask_image._utils.engines.graph import (
    Step,
    blocks_of,
    delayed_in,
    in_turn,
    new_array,
    read_again,
    reference,
    sequence,
    task,
    tokenize,
    wait_for,
)
from dask_image._utils.engines.overlap import SLAB_WORTH_BYTES, block_bounds
from dask_image._utils.typing import Array, Block, Chunks, DTypeLike, Shape

# So many blocks are linked by one task, and get their part of what was combined from one.
TOGETHER = 8


UNLINKED = Connectivity(())
"""For algorithms under which no block needs to know its neighbours."""


@dataclass(frozen=True)
class Place:
    """
    Which block of an array one is, and the position of its first pixel.

    Parameters
    ----------
    index, start : tuple of int
    alone : bool
        Whether the block will be linked with none.
    """

    index: Shape
    start: Shape
    alone: bool = False


class TwoPass(abc.ABC):
    """
    What to do with blocks of which none can be finished before all have been seen.

    Subclasses are frozen dataclasses: their fields are what their tasks are named by.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the result.
    connectivity : Connectivity
        Which blocks are linked; `UNLINKED` for none.
    scans_again : bool
        Whether `finish` gets the input's blocks, computed anew, instead of what `scan` kept.
    combine_step, finish_step : str
        What tasks are called, after the function that the user called.
    """

    dtype: np.dtype[Any]
    connectivity: Connectivity
    scans_again: bool
    combine_step = "combine"
    finish_step = "finish"

    @abc.abstractmethod
    def scan(self, place: Place, *blocks: Block) -> tuple[Any, Any]:
        """
        Look at a block of each image.

        Returns
        -------
        summary : object
            What the block's neighbours need of it.
        kept : object
            What `finish` needs of it.
        """

    def link(
        self,
        number: int,
        summary: Any,
        neighbours: Sequence[tuple[int, Shape]],
        summaries: Sequence[Any],
    ) -> Any:
        """
        Compare a block with those before it that it touches.

        Parameters
        ----------
        number : int
            Of the block, counted in C order.
        summary : object
            That of the block.
        neighbours : tuple of (int, tuple of int)
            Number of each neighbour, and the shift from this block's origin to its.
        summaries : list
            Those of the neighbours.

        Returns
        -------
        object
            What `combine` needs of the block; the summary itself, if nothing is to be compared.
        """
        return summary

    @abc.abstractmethod
    def combine(self, linked: Sequence[Any]) -> Any:
        """
        Bring together what `link` returned for all blocks, in C order.

        Returns
        -------
        object
            With a method ``of_block(number)`` for what `finish` needs of it.
        """

    @abc.abstractmethod
    def finish(self, kept: Any, combined: Any, *blocks: Block) -> Block:
        """Return a block of the result, from what was kept or from the blocks read again."""

    def kept_bytes(self, shape: Shape) -> float:
        """Return how many bytes `scan` keeps of a block of that shape, at the most."""
        return math.inf


@dataclass(frozen=True)
class Combined:
    """
    What was combined of all blocks, lazy.

    Parameters
    ----------
    step : Step
        The tasks among which one combines.
    prefix : callable
        ``prefix(step)`` returns what the keys of a step begin with.
    key : object
        Of the task that combines.
    in_one_go : bool
        Whether this returns two things: a block of the result, and what is combined.
    """

    step: Step
    prefix: Callable[[str], str]
    key: Any
    in_one_go: bool = False

    def array(
        self,
        step: str,
        function: Callable[[Any], Any],
        dtype: DTypeLike = np.int64,
        shape: tuple[float, ...] = (),
    ) -> Array:
        """Return what ``function(combined)`` returns as an array of one block."""
        name = self.prefix(step)
        key = (name, *(0 for _ in shape))
        tasks = {key: task(key, _of_combined, function, reference(self.key), self.in_one_go)}
        chunks = tuple((size,) for size in shape)
        return new_array(name, tasks, [self.step], chunks, block_meta(len(shape), dtype))


def map_two_pass(
    algorithm: TwoPass, images: Sequence[Array], name: str, chunks: Chunks | None = None
) -> tuple[Array, Combined]:
    """
    Run an algorithm of two passes.

    Parameters
    ----------
    algorithm : TwoPass
    images : list of dask.array.Array
        Of equal shapes and chunks.
    name : str
        Of the function that the user called.
    chunks : tuple of tuple of int, optional
        Of the result, as many as the images have; theirs by default.

    Returns
    -------
    result : dask.array.Array
    combined : Combined
        For other arrays that are made of what was combined.
    """
    lattice = BlockLattice(chunks or images[0].chunks, algorithm.connectivity)
    token = tokenize(algorithm, [image.name for image in images], lattice.chunks)
    builder = _Builder(algorithm, lattice, name, token)
    if len(builder.numbers) == 1:
        return builder.single_block(images)
    combined = Step(builder.prefix("scan"), builder.first_pass(images), images)

    # Blocks that are read again are finished at once, for what they need is there by then.
    after = delayed_in(combined, builder.parted)
    again = [read_again(image, after) for image in images] if algorithm.scans_again else []
    result_name = builder.prefix(algorithm.finish_step)
    tasks = builder.second_pass(result_name, again)
    result = builder.result(result_name, tasks, [combined, *again], images[0])
    return result, Combined(combined, builder.prefix, builder.combined)


class _Builder:
    """Makes the tasks of one algorithm on one lattice of blocks."""

    def __init__(self, algorithm, lattice, name, token):
        self.algorithm = algorithm
        self.lattice = lattice
        self.name = name
        self.token = token
        self.numbers = {index: number for number, index in enumerate(lattice.indices())}
        self.combined = self.prefix(algorithm.combine_step)
        self.parted = self.prefix("wait")
        # What is kept goes to the neighbours beside the summary, and this stays with what is kept,
        # where that costs less than tasks that part them.
        widest = tuple(max(sizes, default=0) for sizes in lattice.chunks)
        together = algorithm.kept_bytes(widest) + _bytes_of_faces(widest, algorithm.connectivity)
        self.beside = together < SLAB_WORTH_BYTES

    def prefix(self, step):
        """Return what the keys of a step begin with."""
        return f"{self.name}-{step}-{self.token}"

    def single_block(self, images):
        """Return what `map_two_pass` does, for images of one block each."""
        (index,) = self.numbers
        whole = (self.prefix(self.algorithm.combine_step), *index)
        blocks = [reference((blocks_of(image), *index)) for image in images]
        # Along periodic axes it touches itself.
        shifts = tuple(each.shift for each in self.lattice.neighbours(index))
        place = Place(index, (0,) * len(index), alone=not shifts)
        tasks = {whole: task(whole, _in_one_go, self.algorithm, place, shifts, *blocks)}
        step = Step(whole[0], tasks, images)
        name = self.prefix(self.algorithm.finish_step)
        tasks = {(name, *index): task((name, *index), take, reference(whole), 0)}
        result = self.result(name, tasks, [step], images[0])
        return result, Combined(step, self.prefix, whole, in_one_go=True)

    def result(self, name, tasks, dependencies, image):
        """Return the array of finished blocks."""
        meta = with_dtype(image, self.algorithm.dtype)
        return new_array(name, tasks, dependencies, self.lattice.chunks, meta)

    def first_pass(self, images):
        """Return the tasks that scan, link and combine all blocks."""
        tasks = {}
        linked = self._add_links(tasks, self._add_scans(tasks, images))
        last = in_turn(tasks, self.prefix("follow"), linked)
        tasks[self.combined] = task(
            self.combined, _combine, self.algorithm.combine, sequence(linked), last
        )
        for first in self._firsts():
            key = self._part(first)
            numbers = range(first, min(first + TOGETHER, len(self.numbers)))
            tasks[key] = task(key, _parts_of, reference(self.combined), numbers)
        if self.algorithm.scans_again:
            parts = sequence(reference(self._part(first)) for first in self._firsts())
            tasks[self.parted] = task(self.parted, wait_for, parts)
        return tasks

    def _add_scans(self, tasks, images):
        """Add the scans; return where each block's summary is found."""
        names = [blocks_of(image) for image in images]
        bounds = block_bounds(self.lattice.chunks)
        summaries = {}
        for index in self.numbers:
            place = Place(index, tuple(along[i] for along, i in zip(bounds, index)))
            key = (self.prefix("scan"), *index)
            blocks = [reference((name, *index)) for name in names]
            tasks[key] = task(key, self.algorithm.scan, place, *blocks)
            if not self.beside:
                whole, key = reference(key), (self.prefix("summary"), *index)
                tasks[key] = task(key, take, whole, 0)
                if not self.algorithm.scans_again:
                    kept = (self.prefix("kept"), *index)
                    tasks[kept] = task(kept, take, whole, 1)
            summaries[index] = reference(key)
        return summaries

    def _add_links(self, tasks, summaries):
        """Add tasks that link several blocks each; return where their results are found."""
        indices, linked = list(self.numbers), []
        for first in self._firsts():
            neighbours, references = [], []
            for index in indices[first : first + TOGETHER]:
                near = self.lattice.neighbours(index)
                neighbours.append(tuple((self.numbers[each.index], each.shift) for each in near))
                around = (index, *(each.index for each in near))
                references.append(sequence(summaries[each] for each in around))
            key = (self.prefix("link"), first)
            tasks[key] = task(
                key, _link_blocks, self.algorithm.link, first, neighbours, sequence(references),
                self.beside,
            )  # fmt: skip
            linked.append(reference(key))
        return linked

    def second_pass(self, name, again):
        """Return the tasks that finish blocks."""
        names = [blocks_of(image) for image in again]
        tasks = {}
        for index, number in self.numbers.items():
            group, place = divmod(number, TOGETHER)
            step = "scan" if self.beside else "kept"
            kept = None if again else reference((self.prefix(step), *index))
            part = reference(self._part(group * TOGETHER))
            blocks = [reference((source, *index)) for source in names]
            key = (name, *index)
            tasks[key] = task(
                key, _finish, self.algorithm.finish, kept, part, place, self.beside, *blocks
            )
        return tasks

    def _firsts(self):
        return range(0, len(self.numbers), TOGETHER)

    def _part(self, first):
        return (self.prefix(f"{self.algorithm.combine_step}-part"), first)


def take(parts: Sequence[Any], number: int) -> Any:
    """Return one element of a task's result (``operator.getitem``, but never inlined)."""
    return parts[number]


def _link_blocks(link, first, neighbours, scanned, beside):
    """Link some blocks, numbered from ``first``; summaries may have what is kept beside them."""
    linked = []
    for number, (near, found) in enumerate(zip(neighbours, scanned), start=first):
        summary, *others = (each[0] if beside else each for each in found)
        linked.append(link(number, summary, near, others))
    return linked


def _combine(combine, groups, _):
    return combine([linked for group in groups for linked in group])


def _of_combined(function, combined, in_one_go):
    return function(combined[1] if in_one_go else combined)


def _in_one_go(algorithm, place, shifts, *blocks):
    """Return the result for the only block there is, and what was combined."""
    summary, kept = algorithm.scan(place, *blocks)
    neighbours = [(0, shift) for shift in shifts]
    linked = algorithm.link(0, summary, neighbours, [summary] * len(shifts))
    combined = algorithm.combine([linked])
    blocks = blocks if algorithm.scans_again else ()
    return algorithm.finish(kept, combined.of_block(0), *blocks), combined


def _parts_of(combined, numbers):
    return [combined.of_block(number) for number in numbers]


def _finish(finish, kept, parts, place, beside, *blocks):
    kept = kept[1] if beside and kept is not None else kept
    return finish(kept, parts[place], *blocks)


def _bytes_of_faces(shape, connectivity):
    """Return how much the labels near all faces of a block take."""
    pixels = math.prod(shape)
    return sum(
        8 * connectivity.reach(axis) * pixels / max(size, 1) for axis, size in enumerate(shape)
    )
