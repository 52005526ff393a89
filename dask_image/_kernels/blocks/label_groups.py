"""
The pixels of a block sorted by label, and those of several blocks merged.

These are the `Pixels` that the engine `label_shuffle` sends around.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.label_index import bits_of_booleans, index_labels
from dask_image._utils.spill import load, spill
from dask_image._utils.typing import NDArray, Shape, Slices


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
    labels = bits_of_booleans(labels)
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
        return _in_raster_order(_join([in_image(piece, shape) for piece in pieces]))
    labels = np.concatenate([piece.labels for piece in pieces])
    present, blocks = run_lengths(labels[stable_order(labels)])
    shared = [find_sorted(present[blocks > 1], piece.labels)[1] for piece in pieces]
    together = zip(pieces, shared, strict=True)
    united = _join([in_image(piece.only(both), shape) for piece, both in together])
    alone = [
        piece._replace(positions=None).only(~both)
        for piece, both in zip(pieces, shared, strict=True)
    ]
    return _join([*alone, _in_raster_order(united)._replace(positions=None)])


def in_image(piece, shape):
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
