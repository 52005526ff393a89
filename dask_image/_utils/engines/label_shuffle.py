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

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.label_index import index_labels
from dask_image._utils import options
from dask_image._utils.arrays import block_meta, fits_memory
from dask_image._utils.engines.graph import (
    block_slices,
    blocks_of,
    new_array,
    new_delayed,
    read_again,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.engines.label_reduction import MergedPartial
from dask_image._utils.spill import load, spill
from dask_image._utils.typing import Array, NDArray, Shape, Slices

# A partition is about a block's size, but no smaller than where one more task stops to pay, and
# no larger than the option for its memory allows. The cap keeps graphs small: every block is cut this many times.
SMALLEST_PARTITION = 4 << 20
MOST_PARTITIONS = 128

# Blocks go in groups where there would be more pieces a block than this.
PIECES_A_BLOCK = 5


class Pixels(NamedTuple):
    """
    Pixels sorted by label, those of one label in raster order.

    Attributes
    ----------
    labels : numpy.ndarray
        The labels present, ascending.
    counts : numpy.ndarray
        How many pixels each of them has.
    values : numpy.ndarray or None
        The image's values, label after label, if they are wanted.
    positions : numpy.ndarray or None
        Where these pixels are in the raveled image, if that is wanted.
    box : tuple of slice, optional
        If given, where the block is whose raveled pixels ``positions`` refer to,
        rather than the whole image's.
    """

    labels: NDArray
    counts: NDArray
    values: NDArray | None
    positions: NDArray | None
    box: Slices | None = None

    def spans(self) -> list[slice]:
        """Return, for each label, the slice of its pixels."""
        ends = np.cumsum(self.counts)
        return list(map(slice, (ends - self.counts).tolist(), ends.tolist()))

    def select(self, pixels: Any, labels: NDArray, counts: NDArray) -> Pixels:
        """Return the pixels that ``pixels`` (a slice or an array) picks; they have ``labels``."""
        return self._replace(
            labels=labels,
            counts=counts,
            values=None if self.values is None else self.values[pixels],
            positions=None if self.positions is None else self.positions[pixels],
        )

    def spilled(self) -> Pixels:
        """Return these pixels with what is in arrays on disk instead, where nobody else spills."""
        return self._replace(values=spill(self.values), positions=spill(self.positions))

    def loaded(self) -> Pixels:
        """Return these pixels in memory."""
        return self._replace(values=load(self.values), positions=load(self.positions))

    def only(self, chosen: NDArray) -> Pixels:
        """Return the pixels of some labels, ``chosen`` by a boolean for each label."""
        if chosen.all():
            return self
        starts, counts = (np.cumsum(self.counts) - self.counts)[chosen], self.counts[chosen]
        return self._replace(
            labels=self.labels[chosen],
            counts=counts,
            values=take_segments(self.values, starts, counts),
            positions=take_segments(self.positions, starts, counts),
        )


NO_PIXELS = Pixels(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), None)


def stable_order(labels: NDArray) -> NDArray:
    """
    Return the order that sorts integers, equal ones as they stand.

    Parameters
    ----------
    labels : numpy.ndarray
        1-D, of any integer dtype.

    Returns
    -------
    numpy.ndarray
        As ``numpy.argsort(labels, kind="stable")``, int64.
    """
    if labels.size < 2 or labels.min() == labels.max():
        return np.arange(labels.size)
    place_bits = (labels.size - 1).bit_length()
    lowest = int(labels.min())
    if (int(labels.max()) - lowest).bit_length() + place_bits > 63:
        return np.argsort(labels, kind="stable")
    # Sorting one integer that holds label and place is several times faster than sorting
    # indirectly. Unsigned arithmetic wraps, so the difference is right for negative labels too.
    keys = labels.astype(np.uint64)
    keys -= np.uint64(lowest % 2**64)
    keys <<= np.uint64(place_bits)
    keys |= np.arange(labels.size, dtype=np.uint64)
    keys.sort()
    keys &= np.uint64((1 << place_bits) - 1)
    return keys.view(np.int64)


def run_lengths(labels: NDArray) -> tuple[NDArray, NDArray]:
    """Cut an array into runs of equal values: return the value and the length of each run."""
    if not labels.size:
        return labels, np.zeros(0, np.int64)
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    starts = np.concatenate([[0], changes])
    return labels[starts], np.diff(starts, append=labels.size)


def segment_indices(starts: NDArray, counts: NDArray) -> NDArray:
    """Return ``starts[0], starts[0] + 1, …`` for ``counts[0]`` places, then from ``starts[1]``."""
    ends = np.cumsum(counts)
    indices = np.repeat(starts - (ends - counts), counts)
    indices += np.arange(indices.size)
    return indices


def take_segments(values: NDArray | None, starts: NDArray, counts: NDArray) -> NDArray | None:
    """Return ``counts[0]`` values from ``starts[0]`` on, then from ``starts[1]``; None of None."""
    if values is None:
        return None
    unsigned = _as_unsigned(values) if use_numba() else None
    if unsigned is None:
        return values[segment_indices(starts, counts)]
    taken = np.empty(int(counts.sum()), unsigned.dtype)
    kernels.label_pixels.copy_segments(unsigned, starts, counts, taken)
    return taken.view(values.dtype)


def positions_in_image(places: NDArray, box: Slices, shape: Shape) -> NDArray:
    """
    Return where in the raveled image a block's pixels are.

    Parameters
    ----------
    places : numpy.ndarray
        Where they are in the raveled block.
    box : tuple of slice
        Where the block lies.
    shape : tuple of int
        The image's shape.

    Returns
    -------
    numpy.ndarray
        int64.
    """
    if not shape:
        return places.astype(np.int64)
    starts = np.zeros((1,) * len(shape), np.int64)
    for axis, (extent, size) in enumerate(zip(box, shape, strict=True)):
        stop = extent.stop if axis < len(shape) - 1 else extent.start + 1
        along = np.arange(extent.start, stop)
        starts = starts * size + along.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
    rows, columns = np.divmod(places, places.dtype.type(box[-1].stop - box[-1].start))
    positions = starts.ravel()[rows]
    positions += columns
    return positions


def group_block(
    values: NDArray | None,
    labels: NDArray,
    requested: NDArray | None,
    box: Slices,
    with_positions: bool,
) -> Pixels:
    """
    Sort the pixels of one block by label.

    Parameters
    ----------
    values : numpy.ndarray or None
        The image's block, if its values are wanted.
    labels : numpy.ndarray
        The label image's block, of an integer or boolean dtype.
    requested : numpy.ndarray or None
        The labels to keep, ascending; None keeps all.
    box : tuple of slice
        Where the block lies.
    with_positions : bool
        Whether positions are wanted; they are those in the block.

    Returns
    -------
    Pixels
    """
    if labels.dtype.kind == "b":
        labels = labels.view(np.uint8)
    if use_numba():
        return _group_by_counting(values, labels, requested, box, with_positions)
    labels = labels.ravel()
    # What holds for a run of equal labels need not be found out for each of its pixels.
    run_labels, lengths = run_lengths(labels)
    in_runs = 2 * lengths.size < labels.size
    if not in_runs:
        run_labels = labels
    wanted = _within(run_labels, requested)
    order = stable_order(run_labels[wanted])
    order = order if isinstance(wanted, slice) else wanted[order]
    present, counts = run_lengths(run_labels[order])
    if in_runs:
        starts, lengths = (np.cumsum(lengths) - lengths)[order], lengths[order]
        counts = _sum_runs(lengths, counts)
        order = segment_indices(starts, lengths)
    pixels = Pixels(
        present,
        counts,
        None if values is None else values.ravel()[order],
        order.astype(np.min_scalar_type(-labels.size)) if with_positions else None,
        box,
    )
    return pixels if requested is None else pixels.only(find_sorted(requested, present)[1])


def _group_by_counting(values, labels, requested, box, with_positions):
    """As `group_block`, by a counting sort."""
    index = index_labels(labels)
    codes, low = index.codes.reshape(-1), index.codes.dtype.type(index.low)
    counts = np.zeros(index.size, np.int64)
    kernels.label_pixels.count_pixels(codes, low, counts)
    rows = np.flatnonzero(counts)
    present = index.labels_of(rows)
    if requested is not None:
        found = find_sorted(requested, present)[1]
        rows, present = rows[found], present[found]
    counts = counts[rows]
    places = np.full(index.size, -1)
    places[rows] = np.cumsum(counts) - counts
    size = int(counts.sum())

    def sort(source):
        return _scatter(codes, low, places, source.ravel(), size)

    positions = None
    if with_positions:
        positions = sort(np.arange(labels.size, dtype=np.min_scalar_type(-labels.size)))
    return Pixels(present, counts, None if values is None else sort(values), positions, box)


def _scatter(codes, low, places, source, size):
    """Return what is in ``source``, by code; ``places`` tells where each code begins."""
    unsigned = _as_unsigned(source)
    if unsigned is None:
        order = np.empty(size, np.int64)
        kernels.label_pixels.scatter(codes, low, places.copy(), np.arange(source.size), order)
        return source[order]
    target = np.empty(size, unsigned.dtype)
    kernels.label_pixels.scatter(codes, low, places.copy(), unsigned, target)
    return target.view(source.dtype)


def _as_unsigned(values):
    """Return values as unsigned integers of their size, if kernels can move them so, or None."""
    if values.dtype.hasobject or values.dtype.itemsize not in (1, 2, 4, 8):
        return None
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


def _within(labels, requested):
    """Return what picks the labels between the first and the last requested one."""
    if requested is None:
        return slice(None)
    if not requested.size:
        return np.zeros(0, np.int64)
    inside = (labels >= requested[0]) & (labels <= requested[-1])
    return slice(None) if inside.all() else np.flatnonzero(inside)


def _sum_runs(values, lengths):
    """Return the sum of each run of values."""
    return np.add.reduceat(values, np.cumsum(lengths) - lengths) if values.size else values


def find_sorted(sorted_labels: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """
    Look labels up in a sorted array.

    Returns
    -------
    places : numpy.ndarray
        Where each label stands; a valid place even where it is absent, unless
        ``sorted_labels`` is empty.
    found : numpy.ndarray of bool
        Whether it stands there.
    """
    if not sorted_labels.size:
        return np.zeros(labels.shape, np.intp), np.zeros(labels.shape, bool)
    if np.array_equal(sorted_labels, labels):  # most often all labels are asked for
        return np.arange(labels.size), np.ones(labels.shape, bool)
    places = np.searchsorted(sorted_labels, labels)
    places = np.minimum(places, sorted_labels.size - 1)
    return places, sorted_labels[places] == labels


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
            mine = _in_image(mine, shape)
        finished.append((places[whole], shuffle.function(mine, mine.labels)))
        pixels = pixels.spilled()
    pieces = _cut(pixels, wanted.labels, partitions)
    # Most partitions get nothing from a block, and an empty piece would cost as much as a small one.
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


def merge(pieces: list[Pixels], shape: Shape, keep_positions: bool) -> Pixels:
    """
    Merge the pixels of several blocks.

    Parameters
    ----------
    pieces : list of Pixels
        In the raster order of the blocks. Without positions, the pixels of a
        label stay in the order of the blocks.
    shape : tuple of int
        The whole image's shape.
    keep_positions : bool
        Whether positions are wanted, or only the order that they tell.

    Returns
    -------
    Pixels
    """
    if pieces[0].positions is None:
        return _join(pieces)
    if keep_positions:
        return _in_raster_order(_join([_in_image(piece, shape) for piece in pieces]))
    labels = np.concatenate([piece.labels for piece in pieces])
    present, blocks = run_lengths(labels[stable_order(labels)])
    shared = [find_sorted(present[blocks > 1], piece.labels)[1] for piece in pieces]
    together = zip(pieces, shared, strict=True)
    united = _join([_in_image(piece.only(both), shape) for piece, both in together])
    alone = [
        piece._replace(positions=None).only(~both)
        for piece, both in zip(pieces, shared, strict=True)
    ]
    return _join([*alone, _in_raster_order(united)._replace(positions=None)])


def _in_image(piece, shape):
    """Replace positions in a block by positions in the whole image."""
    positions = positions_in_image(piece.positions, piece.box, shape)
    return piece._replace(positions=positions, box=None)


def _join(pieces):
    """Put the pixels of several pieces together; those of a label keep the pieces' order."""
    if len(pieces) == 1:
        return pieces[0]._replace(box=None)
    labels = np.concatenate([piece.labels for piece in pieces])
    counts = np.concatenate([piece.counts for piece in pieces])
    starts = np.cumsum(counts) - counts
    order = stable_order(labels)
    present, pieces_each = run_lengths(labels[order])
    counts, starts = counts[order], starts[order]
    totals = _sum_runs(counts, pieces_each)
    return Pixels(
        present,
        totals,
        take_segments(_concatenate([piece.values for piece in pieces]), starts, counts),
        take_segments(_concatenate([piece.positions for piece in pieces]), starts, counts),
    )


def _concatenate(arrays):
    return None if arrays[0] is None else np.concatenate(arrays)


def _in_raster_order(pixels):
    """Sort the pixels of each label by position, where they are not sorted already."""
    positions = pixels.positions
    ranks = np.repeat(np.arange(pixels.labels.size), pixels.counts)
    descents = (positions[1:] < positions[:-1]) & (ranks[1:] == ranks[:-1])
    unsorted = np.zeros(pixels.labels.size, bool)
    unsorted[ranks[1:][descents]] = True
    if not unsorted.any():
        return pixels
    # The labels that need sorting have the same places before and after.
    places = np.flatnonzero(unsorted[ranks])
    order = np.arange(ranks.size)
    order[places] = places[_order_by_rank_and_position(ranks[places], positions[places])]
    return pixels.select(order, pixels.labels, pixels.counts)


def _order_by_rank_and_position(ranks, positions):
    """Return the order that sorts by ``ranks``, which ascend, then by ``positions``."""
    position_bits = int(positions.max()).bit_length()
    if int(ranks[-1]).bit_length() + position_bits > 63:
        return np.lexsort((positions, ranks))
    return np.argsort((ranks << position_bits) | positions)


def apply_to_partition(
    groups: list[list[Pixels]],
    wanted: Wanted | NDArray,
    shape: Shape,
    number: int,
    partitions: int,
    shuffle: Shuffle,
) -> NDArray:
    """Call the shuffle's function on one partition and the labels asked of it."""
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
