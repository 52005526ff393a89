"""
Bring together the pixels of every label, wherever the blocks have put them.

Each block sorts its pixels by label. If it is known how many pixels each label has, a label that
has them all in one block is finished there. The others' pixels are cut at ranges of the requested
labels; a partition gathers one range from all blocks, merges it back into raster order and applies
a function. Blocks are put together in groups before partitions pick their pieces, so that a block
takes a few small tasks, however many blocks and labels there are.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels.blocks.label_groups import (
    NO_PIXELS,
    Pixels,
    find_sorted,
    group_block,
    in_image,
    merge,
)
from dask_image._utils import options
from dask_image._utils.arrays import block_meta, fits_memory
from dask_image._utils.engines.graph import (
    block_slices,
    blocks_of,
    in_turn,
    new_array,
    new_delayed,
    read_again,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.engines.label_reduction import MergedPartial
from dask_image._utils.typing import Array, NDArray, Shape, Slices

# A partition is about a block's size, but no smaller than where one more task stops to pay, and
# no larger than the option for its memory allows. The cap keeps graphs small: every block is cut
# this many times.
SMALLEST_PARTITION = 4 << 20
MOST_PARTITIONS = 128

# What is finished in so many blocks, which is small, is waited for by one task.
FOLLOWED_TOGETHER = 4

# Blocks go in groups where there would be more pieces a block than this.
PIECES_A_BLOCK = 5


def partition_bounds(size: int, partitions: int) -> list[int]:
    """Return where to cut ``size`` labels into partitions, as evenly as possible."""
    return [size * number // partitions for number in range(partitions + 1)]


class Wanted(NamedTuple):
    """
    The labels asked for.

    Attributes
    ----------
    labels : numpy.ndarray
        Ascending, without repeats.
    totals : numpy.ndarray or None
        How many pixels each has in the whole image, if that was counted.
    """

    labels: NDArray
    totals: NDArray | None


def with_totals(requested: NDArray, counts: dict[str, NDArray]) -> Wanted:
    """Return the labels asked for with their numbers of pixels, from those of all labels."""
    places, found = find_sorted(counts["labels"].astype(requested.dtype), requested)
    totals = np.zeros(requested.size, np.int64)
    totals[found] = counts["count"][places[found]]
    return Wanted(requested, totals)


def split_block(
    values: NDArray | None,
    labels: NDArray,
    wanted: Wanted | NDArray,
    box: Slices,
    shape: Shape,
    partitions: int,
    shuffle: Shuffle,
) -> list[list[Any]]:
    """
    Finish the labels that lie in one block, and cut the pixels of the others.

    Parameters
    ----------
    values : numpy.ndarray or None
        The image's block, if its values are wanted.
    labels : numpy.ndarray
        The label image's block.
    wanted : Wanted or numpy.ndarray
        The labels asked for, with their totals or without.
    box : tuple of slice
        Where the block lies.
    shape : tuple of int
        The image's shape.
    partitions : int
        How many pieces to make.
    shuffle : Shuffle
        What to do with each label; its ``with_positions`` tells whether positions travel.

    Returns
    -------
    list of list
        First what is finished (where it stands among the labels asked for, and the
        results), then the piece of each partition; each in a list of its own.
    """
    if not isinstance(wanted, Wanted):
        wanted = Wanted(wanted, None)
    pixels = group_block(values, labels, wanted.labels, box, shuffle.sends_positions)
    finished: list[Any] = []
    if wanted.totals is not None:
        places = find_sorted(wanted.labels, pixels.labels)[0]
        # All of a label's pixels are here if they are as many as there are in the image.
        whole = pixels.counts == wanted.totals[places]
        mine, pixels = pixels.only(whole), pixels.only(~whole)
        if shuffle.with_positions:
            mine = in_image(mine, shape)
        finished.append((places[whole], shuffle.function(mine, mine.labels)))
        pixels = pixels.spilled()
    pieces = _cut(pixels, wanted.labels, partitions)
    # Most partitions get nothing from a block, and an empty piece would cost as much as a small
    # one.
    return [
        finished,
        *([piece] if partitions == 1 or piece.labels.size else [] for piece in pieces),
    ]


def _cut(pixels, requested, partitions):
    """Cut pixels at the bounds of the partitions."""
    if partitions == 1 or not requested.size:
        return [pixels] * partitions
    bounds = partition_bounds(requested.size, partitions)
    # A bound at the very end is no label's: nothing lies beyond it.
    cuts = [np.searchsorted(pixels.labels, requested[bound]) for bound in bounds[:-1]]
    cuts.append(pixels.labels.size)
    ends = np.concatenate([[0], np.cumsum(pixels.counts)])
    return [
        pixels.select(
            slice(ends[start], ends[stop]), pixels.labels[start:stop], pixels.counts[start:stop]
        )
        for start, stop in itertools.pairwise(cuts)
    ]


def put_together(parts: list[list[list[Any]]]) -> list[list[Any]]:
    """Join, for several blocks in raster order, what is finished and each partition's pieces."""
    return [list(itertools.chain.from_iterable(column)) for column in zip(*parts, strict=True)]


def apply_to_partition(
    groups: list[list[Pixels]],
    wanted: Wanted | NDArray,
    shape: Shape,
    number: int,
    partitions: int,
    shuffle: Shuffle,
    _: None,
) -> NDArray:
    """
    Call the shuffle's function on one partition, once all are there, and the labels asked of it.
    """
    requested = wanted.labels if isinstance(wanted, Wanted) else wanted
    bounds = partition_bounds(requested.size, partitions)
    pieces = [piece.loaded() for group in groups for piece in group] or [NO_PIXELS]
    pixels = merge(pieces, shape, shuffle.with_positions)
    return shuffle.function(pixels, requested[bounds[number] : bounds[number + 1]])


def join_results(partitions: list[NDArray], finished: list[list[Any]]) -> NDArray:
    """Return the results of all labels: those of the partitions, and what was finished earlier."""
    results = np.concatenate(partitions)
    for places, values in itertools.chain.from_iterable(finished):
        results[places] = values
    return results


def count_partitions(
    image: Array | None, label_image: Array, labels: float, with_positions: bool
) -> int:
    """
    Return how many partitions to make.

    Parameters
    ----------
    image : dask.array.Array or None
    label_image : dask.array.Array
        Of the same shape and chunks.
    labels : int or float
        How many labels are requested, NaN if unknown.
    with_positions : bool
        Whether positions travel along.

    Returns
    -------
    int
    """
    itemsize = (image.dtype.itemsize if image is not None else 0) + (8 if with_positions else 0)
    block = itemsize * math.prod(max(sizes, default=0) for sizes in label_image.chunks)
    partition = min(max(block, SMALLEST_PARTITION), max(options.memory("partition"), 1))
    partitions = min(math.ceil(itemsize * label_image.size / partition), MOST_PARTITIONS)
    return max(1, partitions if math.isnan(labels) else min(partitions, labels))


def worth_counting(image: Array, label_image: Array) -> bool:
    """Tell whether labels should be counted first: a small image is faster held than read twice."""
    return not fits_memory(image, "median") and math.prod(label_image.numblocks) > 1


class Shuffle(NamedTuple):
    """
    What to do with the pixels of each label.

    Attributes
    ----------
    function : callable
        ``function(pixels, labels)`` gets the :class:`Pixels` of a partition and
        the labels asked of it, ascending; returns one value a label, 1-D.
    dtype : numpy.dtype
        Of these values.
    in_raster_order : bool
        Whether the pixels of a label must come in the whole image's raster order.
    with_positions : bool
        Whether ``function`` needs positions.
    sends_positions : bool
        Whether positions go with the pixels; `apply_by_label` finds out.
    """

    function: Callable[[Pixels, NDArray], NDArray]
    dtype: Any
    in_raster_order: bool = False
    with_positions: bool = False
    sends_positions: bool = False


def apply_by_label(
    image: Array | None,
    label_image: Array,
    requested: Any,
    shuffle: Shuffle,
    name: str,
    counts: MergedPartial | None = None,
) -> Array:
    """
    Shuffle pixels by label and apply a function to each label's.

    Parameters
    ----------
    image : dask.array.Array or None
        None where positions are all that is wanted of pixels.
    label_image : dask.array.Array
        Of the same shape and chunks; integer or boolean labels.
    requested : dask.array.Array
        The labels, 1-D, ascending, without repeats, in one chunk (its length
        may be unknown).
    shuffle : Shuffle
        What to apply, and what it needs.
    name : str
        Of the function that the user called.
    counts : MergedPartial, optional
        How many pixels each label of the image has (family ``COUNTS``). With it, labels that
        lie in one block are finished there, and blocks are read a second time.

    Returns
    -------
    dask.array.Array
        1-D, in one chunk: one value for each requested label.

    Notes
    -----
    All partitions wait for all blocks, so until then the pixels that travel are held (on a
    cluster: by all workers together, who spill them to disk; else, if labels were counted, in
    a temporary file). A task holds no more than one partition.
    """
    # Blocks that follow each other in raster order need no positions to be merged.
    split_axes = [axis for axis, blocks in enumerate(label_image.numblocks) if blocks > 1]
    interleaved = any(size > 1 for size in label_image.shape[: max(split_axes, default=0)])
    sends_positions = shuffle.with_positions or (shuffle.in_raster_order and interleaved)
    shuffle = shuffle._replace(sends_positions=sends_positions)
    partitions = count_partitions(image, label_image, requested.size, sends_positions)
    token = tokenize(image, label_image, requested, shuffle, partitions, counts is None)
    wanted = (blocks_of(requested), 0)
    tasks: dict[Any, Any] = {}
    dependencies = [label_image, requested]
    if counts is not None:
        totals = f"{name}-totals-{token}"
        counted = {totals: task(totals, with_totals, reference(wanted), reference(counts.key))}
        after = new_delayed(totals, counted, [requested, counts.step])
        label_image = read_again(label_image, after)
        image = image if image is None else read_again(image, after)
        dependencies, wanted = [label_image, after, requested], totals
    split, partition, joined = (f"{name}-{step}-{token}" for step in ("split", "partition", "join"))
    sources: list[Any] = [None] * math.prod(label_image.numblocks)
    if image is not None:
        sources = list(map(reference, _flat_keys(image)))
        dependencies.append(image)
    box_of = zip(sources, _flat_keys(label_image), block_slices(label_image.chunks), strict=True)
    for block, (values, labels, box) in enumerate(box_of):
        tasks[split, block] = task(
            (split, block),
            split_block,
            values,
            reference(labels),
            reference(wanted),
            box,
            label_image.shape,
            partitions,
            shuffle,
        )
    finished, *columns = _columns(tasks, list(tasks), partitions, name, token)
    together = max(FOLLOWED_TOGETHER * len(finished) // len(sources), 1)
    some = (sequence(finished[i : i + together]) for i in range(0, len(finished), together))
    last = in_turn(tasks, f"{name}-follow-{token}", some)
    for number, pieces in enumerate(columns):
        tasks[partition, number] = task(
            (partition, number),
            apply_to_partition,
            sequence(pieces),
            reference(wanted),
            label_image.shape,
            number,
            partitions,
            shuffle,
            last,
        )
    results = sequence(reference((partition, number)) for number in range(partitions))
    tasks[joined, 0] = task((joined, 0), join_results, results, sequence(finished))
    meta = block_meta(1, shuffle.dtype)
    return new_array(joined, tasks, dependencies, (requested.shape,), meta)


def _columns(tasks, splits, partitions, name, token):
    """
    Return what is finished, and what each partition needs, as references to lists.

    Blocks are put together in groups first, so that a block has no more than so many pieces.
    """
    members = math.ceil(partitions / PIECES_A_BLOCK)
    columns = [[] for _ in range(1 + partitions)]
    for group, start in enumerate(range(0, len(splits), members)):
        source = splits[start]
        if members > 1:
            source = (f"{name}-group-{token}", group)
            parts = sequence(map(reference, splits[start : start + members]))
            tasks[source] = task(source, put_together, parts)
        for number, column in enumerate(columns):
            piece = (f"{name}-piece-{token}", group, number)
            tasks[piece] = task(piece, operator.getitem, reference(source), number)
            column.append(reference(piece))
    return columns


def _flat_keys(array):
    """Return the keys of all blocks, in raster order."""
    name = blocks_of(array)
    return [(name, *block) for block in np.ndindex(array.numblocks)]
