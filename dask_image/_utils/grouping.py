"""
Bring together the pixels of every label, wherever the blocks have put them.

Each block sorts its pixels by label and cuts them at ranges of the requested labels; a partition
gathers one range from all blocks, merges it back into raster order and applies a function. This
takes (blocks × partitions) small tasks however many labels there are.
"""

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask._task_spec import List, Task, TaskRef
from dask.array.core import slices_from_chunks
from dask.base import tokenize
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

# A partition is about a block's size, within limits where one more task stops to pay, and where
# one task takes too much memory. The cap keeps graphs small: every block is cut this many times.
SMALLEST_PARTITION = 4 << 20
LARGEST_PARTITION = 64 << 20
MOST_PARTITIONS = 128


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
        Where in the raveled whole image these pixels are, if that is wanted.
    """

    labels: np.ndarray
    counts: np.ndarray
    values: np.ndarray | None
    positions: np.ndarray | None

    def spans(self):
        """Return, for each label, the slice of its pixels."""
        ends = np.cumsum(self.counts)
        return list(map(slice, (ends - self.counts).tolist(), ends.tolist()))

    def select(self, pixels, labels, counts):
        """Return the pixels that ``pixels`` (a slice or an array) picks; they have ``labels``."""
        return Pixels(
            labels,
            counts,
            None if self.values is None else self.values[pixels],
            None if self.positions is None else self.positions[pixels],
        )


def stable_order(labels):
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


def run_lengths(sorted_labels):
    """Return the distinct values of a sorted array, and how often each occurs."""
    if not sorted_labels.size:
        return sorted_labels, np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(sorted_labels, prepend=sorted_labels[:1]) != 0)
    starts = np.concatenate([[0], starts])
    return sorted_labels[starts], np.diff(starts, append=sorted_labels.size)


def segment_indices(starts, counts):
    """Return ``starts[0], starts[0] + 1, …`` for ``counts[0]`` places, then from ``starts[1]``."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def positions_of(box, shape):
    """
    Return the raster indices, in the whole image, of a block's pixels.

    Parameters
    ----------
    box : tuple of slice
        Where the block lies.
    shape : tuple of int
        The whole image's.

    Returns
    -------
    numpy.ndarray
        int64, of the block's shape.
    """
    positions = np.zeros((1,) * len(shape), np.int64)
    for axis, (extent, size) in enumerate(zip(box, shape, strict=True)):
        along = np.arange(extent.start, extent.stop).reshape(
            [-1 if other == axis else 1 for other in range(len(shape))]
        )
        positions = positions * size + along
    return positions.reshape([extent.stop - extent.start for extent in box])


def group_block(values, labels, requested, box, shape, with_positions):
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
    shape : tuple of int
        The whole image's shape.
    with_positions : bool
        Whether positions are wanted.

    Returns
    -------
    Pixels
    """
    labels = labels.ravel()
    if labels.dtype.kind == "b":
        labels = labels.view(np.uint8)
    inside = _in_range(labels, requested)
    order = stable_order(labels[inside])
    order = order if isinstance(inside, slice) else inside[order]
    present, counts = run_lengths(labels[order])
    if requested is not None:
        wanted = find_sorted(requested, present)[1]
        if not wanted.all():
            starts = np.cumsum(counts) - counts
            present, counts = present[wanted], counts[wanted]
            order = order[segment_indices(starts[wanted], counts)]
    return Pixels(
        present,
        counts,
        None if values is None else values.ravel()[order],
        positions_of(box, shape).ravel()[order] if with_positions else None,
    )


def _in_range(labels, requested):
    """Return what picks the labels between the first and the last requested one."""
    if requested is None or not labels.size:
        return slice(None)
    if not requested.size:
        return np.zeros(0, np.int64)
    inside = (labels >= requested[0]) & (labels <= requested[-1])
    return slice(None) if inside.all() else np.flatnonzero(inside)


def find_sorted(sorted_labels, labels):
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
    places = np.searchsorted(sorted_labels, labels)
    if not sorted_labels.size:
        return places, np.zeros(places.shape, bool)
    places = np.minimum(places, sorted_labels.size - 1)
    return places, sorted_labels[places] == labels


def partition_bounds(size, partitions):
    """Return where to cut ``size`` labels into partitions, as evenly as possible."""
    return [size * number // partitions for number in range(partitions + 1)]


def split_block(values, labels, requested, box, shape, with_positions, partitions):
    """Sort one block's pixels by label and cut them at the partitions' bounds: a list."""
    pixels = group_block(values, labels, requested, box, shape, with_positions)
    if partitions == 1:
        return [pixels]
    bounds = partition_bounds(requested.size, partitions)
    # A bound at the very end has no label of its own: nothing lies beyond it.
    cuts = [np.searchsorted(pixels.labels, requested[bound]) for bound in bounds[:-1]]
    cuts.append(pixels.labels.size)
    ends = np.concatenate([[0], np.cumsum(pixels.counts)])
    return [
        pixels.select(
            slice(ends[start], ends[stop]), pixels.labels[start:stop], pixels.counts[start:stop]
        )
        for start, stop in itertools.pairwise(cuts)
    ]


def merge(pieces):
    """
    Merge the pixels of several blocks.

    Parameters
    ----------
    pieces : list of Pixels
        In the raster order of the blocks. Without positions, the pixels of a
        label stay in the order of the blocks.

    Returns
    -------
    Pixels
    """
    labels = np.concatenate([piece.labels for piece in pieces])
    counts = np.concatenate([piece.counts for piece in pieces])
    starts = np.cumsum(counts) - counts
    order = stable_order(labels)
    pixels = segment_indices(starts[order], counts[order])
    present, pieces_each = run_lengths(labels[order])
    totals = np.add.reduceat(counts[order], np.cumsum(pieces_each) - pieces_each)
    merged = Pixels(
        labels,
        counts,
        _concatenate([piece.values for piece in pieces]),
        _concatenate([piece.positions for piece in pieces]),
    ).select(pixels, present, totals if present.size else counts)
    return merged if merged.positions is None else _in_raster_order(merged)


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
    order = places[_order_by_rank_and_position(ranks[places], positions[places])]
    values, positions = pixels.values, positions.copy()
    positions[places] = pixels.positions[order]
    if values is not None:
        values = values.copy()
        values[places] = pixels.values[order]
    return pixels._replace(values=values, positions=positions)


def _order_by_rank_and_position(ranks, positions):
    """Return the order that sorts by ``ranks``, which ascend, then by ``positions``."""
    position_bits = int(positions.max()).bit_length()
    if int(ranks[-1]).bit_length() + position_bits > 63:
        return np.lexsort((positions, ranks))
    return np.argsort((ranks << position_bits) | positions)


def apply_to_partition(pieces, requested, number, partitions, function):
    """Call ``function(pixels, labels)`` on one partition and the labels asked of it."""
    bounds = partition_bounds(requested.size, partitions)
    return function(merge(pieces), requested[bounds[number] : bounds[number + 1]])


def count_partitions(image, label_image, labels, with_positions):
    """
    Return how many partitions to make.

    Parameters
    ----------
    image, label_image : dask.array.Array
        Same shape and chunks. The image may be None.
    labels : int or float
        How many labels are requested, NaN if unknown.
    with_positions : bool
        Whether positions travel along.

    Returns
    -------
    int
    """
    itemsize = (0 if image is None else image.dtype.itemsize) + (8 if with_positions else 0)
    block = itemsize * math.prod(max(sizes, default=0) for sizes in label_image.chunks)
    partition = min(max(block, SMALLEST_PARTITION), LARGEST_PARTITION)
    partitions = min(math.ceil(itemsize * label_image.size / partition), MOST_PARTITIONS)
    return max(1, partitions if math.isnan(labels) else min(partitions, labels))


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
    """

    function: Callable[[Pixels, np.ndarray], np.ndarray]
    dtype: Any
    in_raster_order: bool = False
    with_positions: bool = False


def apply_by_label(image, label_image, requested, shuffle):
    """
    Shuffle pixels by label and apply a function to each label's.

    Parameters
    ----------
    image, label_image : dask.array.Array
        Same shape and chunks; integer or boolean labels.
    requested : dask.array.Array
        The labels, 1-D, ascending, without repeats, in one chunk (its length
        may be unknown).
    shuffle : Shuffle
        What to apply, and what it needs.

    Returns
    -------
    dask.array.Array
        1-D, in one chunk: one value for each requested label.

    Notes
    -----
    All partitions wait for all blocks, so until then the pixels of the requested
    labels are held (on a cluster: by all workers together, who spill them to
    disk), without the rest of the image. A task holds no more than one partition.
    """
    # Blocks that follow each other in raster order need no positions to be merged.
    split_axes = [axis for axis, blocks in enumerate(label_image.numblocks) if blocks > 1]
    interleaved = any(size > 1 for size in label_image.shape[: max(split_axes, default=0)])
    with_positions = shuffle.with_positions or (shuffle.in_raster_order and interleaved)
    partitions = count_partitions(image, label_image, requested.size, with_positions)
    token = tokenize(image, label_image, requested, shuffle, partitions)
    (wanted,) = requested.__dask_keys__()
    graph = _split_tasks(image, label_image, wanted, with_positions, partitions, token)
    results = []
    for number in range(partitions):
        blocks = range(label_image.npartitions)
        pieces = List(*(TaskRef((f"piece-{token}", block, number)) for block in blocks))
        key = (f"partition-{token}", number)
        graph[key] = Task(
            key, apply_to_partition, pieces, TaskRef(wanted), number, partitions, shuffle.function
        )
        results.append(TaskRef(key))
    name = f"apply-by-label-{token}"
    graph[name, 0] = Task((name, 0), np.concatenate, List(*results))
    graph = HighLevelGraph.from_collections(name, graph, [image, label_image, requested])
    return da.Array(graph, name, (requested.shape,), dtype=shuffle.dtype)


def _split_tasks(image, label_image, wanted, with_positions, partitions, token):
    """Return the tasks that cut every block into a piece for each partition."""
    graph = {}
    boxes = slices_from_chunks(label_image.chunks)
    keys = zip(_flat_keys(image), _flat_keys(label_image), boxes, strict=True)
    for block, (values, labels, box) in enumerate(keys):
        split = (f"split-{token}", block)
        graph[split] = Task(
            split,
            split_block,
            TaskRef(values),
            TaskRef(labels),
            TaskRef(wanted),
            box,
            label_image.shape,
            with_positions,
            partitions,
        )
        for number in range(partitions):
            piece = (f"piece-{token}", block, number)
            graph[piece] = Task(piece, operator.getitem, TaskRef(split), number)
    return graph


def _flat_keys(array):
    """Return the keys of all blocks, in raster order."""
    return [(array.name, *block) for block in np.ndindex(array.numblocks)]


def gather_by_label(label_image, function, *args):
    """
    Bring the positions of all pixels together, by label.

    Parameters
    ----------
    label_image : dask.array.Array
        Of an integer dtype.
    function : callable
        ``function(pixels, *args)`` gets the :class:`Pixels` of the whole image,
        with positions and without values.
    *args : object
        More arguments.

    Returns
    -------
    dask.delayed.Delayed
        What ``function`` returns, in the one task that holds all positions.
    """
    token = tokenize(label_image, function, *args)
    graph, pieces = {}, []
    boxes = slices_from_chunks(label_image.chunks)
    for block, (labels, box) in enumerate(zip(_flat_keys(label_image), boxes, strict=True)):
        key = (f"group-{token}", block)
        graph[key] = Task(
            key, group_block, None, TaskRef(labels), None, box, label_image.shape, True
        )
        pieces.append(TaskRef(key))
    name = f"gather-by-label-{token}"
    graph[name] = Task(name, _merge_and_call, function, List(*pieces), *args)
    return Delayed(name, HighLevelGraph.from_collections(name, graph, [label_image]))


def _merge_and_call(function, pieces, *args):
    return function(merge(pieces), *args)
