"""Labels that were made block by block: joined across blocks, and numbered anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from dask_image._kernels import blocks as kernels
from dask_image._utils.arguments import normalize_integer, per_axis
from dask_image._utils.engines.block_lattice import Connectivity, displacements_of
from dask_image._utils.engines.components import (
    UNNUMBERED,
    Links,
    Scanned,
    cut_faces,
    link_by_steps,
    number_by_first_pixel,
    numbered_pairs,
    off_host,
    on_host,
    positions_in,
)
from dask_image._utils.engines.two_pass import UNLINKED, TwoPass, map_two_pass
from dask_image._utils.labels import as_label_image
from dask_image._utils.typing import Array, ArrayLike, Integer, NDArray, PerAxis, Real, Shape
from dask_image.ndmeasure._label import label_connectivity, label_structure


def merge_labels_across_chunk_boundaries(
    labels: ArrayLike,
    overlap_depth: PerAxis[Integer] = 0,
    iou_threshold: Real = 0.8,
    structure: ArrayLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Join objects that were labelled in each block by itself.

    For segmentation by a model that is run on one block at a time: its
    objects are cut at the faces of blocks. Here the parts become one object
    again, either where they touch, or, if blocks were segmented with some of
    their surroundings, where they agree on those.

    Parameters
    ----------
    labels : array_like of int
        0 is background. A number stands for one object within a block; whether
        another block uses it too does not matter.
    overlap_depth : int or tuple of int, optional
        How many pixels of its neighbours each block holds on every side, except
        at the border of the image: what `dask.array.overlap.overlap` gives with
        this ``depth`` and ``boundary="none"``. 0 if blocks do not overlap; then
        objects are joined that touch.
    iou_threshold : float, optional
        If blocks overlap: two objects are joined if their intersection over
        union is at least this much, of what two blocks that share a face both
        see of them.
    structure : array_like of bool, optional
        If blocks do not overlap: which pixels touch, as in `label`. By default
        those that share a face.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet. Blocks that overlap do so there, too
        (``boundary="periodic"``).

    Returns
    -------
    dask.array.Array
        The labels of the whole image without what blocks held of their
        neighbours, numbered from 1 in the order of their first pixels in C
        order. int32, or int64 if there may be more than 2**31 - 1.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If a block is not larger than its overlap, or a threshold is not in
        (0, 1].

    Notes
    -----
    Each block of labels is computed once, so that a model runs once. What is
    kept until all of them have been seen is their runs of equal labels.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import merge_labels_across_chunk_boundaries
    >>> labels = np.array([[1, 1, 0, 1, 1, 1], [0, 0, 2, 2, 0, 3]])
    >>> merge_labels_across_chunk_boundaries(da.from_array(labels, chunks=(2, 3))).compute()
    array([[1, 1, 0, 2, 2, 2],
           [0, 0, 3, 3, 0, 4]], dtype=int32)
    """
    labels = as_label_image(labels, "labels")
    depth = _overlap_depth(overlap_depth, labels.ndim)
    if any(depth) and not 0 < iou_threshold <= 1:
        raise ValueError(f"iou_threshold must lie in (0, 1], got {iou_threshold!r}")
    structure = label_structure(structure, labels.ndim)
    if labels.ndim == 0:
        return (labels != 0).astype(np.int32)
    connectivity = label_connectivity(structure, wrap_axes, labels.ndim)
    if any(depth):
        faces = ndimage.generate_binary_structure(labels.ndim, 1)
        connectivity = Connectivity(displacements_of(faces), connectivity.wrap_axes)
    trim = Trim(labels.numblocks, depth, connectivity.wrap_axes)
    chunks = trim.chunks(labels.chunks)
    shape = tuple(sum(sizes) for sizes in chunks)
    dtype = np.dtype(np.int32 if np.prod(shape, dtype=object) < 2**31 else np.int64)
    algorithm = MergeLabels(
        trim, shape, connectivity, float(iou_threshold) if any(depth) else None, dtype,
        labels._meta,
    )  # fmt: skip
    merged, _ = map_two_pass(algorithm, [labels], "merge_labels_across_chunk_boundaries", chunks)
    return merged


def relabel_sequential(label_field: ArrayLike, offset: Integer = 1) -> Array:
    """
    Renumber the labels that an image has, without gaps, from ``offset`` on.

    Their order stays: the smallest becomes ``offset``, as with
    `skimage.segmentation.relabel_sequential`. 0 stays 0.

    Parameters
    ----------
    label_field : array_like of int
        Not negative.
    offset : int, optional
        The number of the first label, from 1.

    Returns
    -------
    dask.array.Array
        Of the same chunks and dtype. Nothing is computed until this is; each
        block of the input is then computed once.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If ``offset`` is less than 1 or more than the dtype holds; when computed,
        if a label is negative or the dtype does not hold the last number.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import relabel_sequential
    >>> relabel_sequential(da.from_array(np.array([[7, 0, 90], [7, 3, 3]]), chunks=2)).compute()
    array([[2, 0, 3],
           [2, 1, 1]])
    """
    labels = as_label_image(label_field, "label_field")
    offset = normalize_integer(offset, "offset", 1)
    _check_that_holds(labels.dtype, offset)
    if labels.ndim == 0:
        return ((labels != 0) * offset).astype(labels.dtype)
    algorithm = RelabelSequential(labels.dtype, labels._meta, offset)
    relabeled, _ = map_two_pass(algorithm, [labels], "relabel_sequential")
    return relabeled


def _check_that_holds(dtype, number):
    """Raise ValueError if labels of a dtype cannot be as large as a number."""
    largest = 1 if dtype == bool else np.iinfo(dtype).max
    if number > largest:
        raise ValueError(f"labels of dtype {dtype} cannot be numbered up to {number}")


def _overlap_depth(overlap_depth, ndim):
    """Return how many pixels blocks overlap along each axis."""
    depth = tuple(per_axis(overlap_depth, ndim, "overlap_depth"))
    if not all(isinstance(each, (int, np.integer)) and each >= 0 for each in depth):
        raise ValueError(f"overlap_depth must be made of integers from 0, got {overlap_depth!r}")
    return tuple(int(each) for each in depth)


@dataclass(frozen=True)
class Trim:
    """
    How much of each block belongs to its neighbours.

    Parameters
    ----------
    numblocks, depth : tuple of int
        Per axis.
    wrap_axes : tuple of int
    """

    numblocks: Shape
    depth: Shape
    wrap_axes: Shape

    def sides(self, axis, i):
        """Return how many pixels to take off before and after, along one axis."""
        depth, wraps = self.depth[axis], axis in self.wrap_axes
        return (
            depth if i > 0 or wraps else 0,
            depth if i < self.numblocks[axis] - 1 or wraps else 0,
        )

    def chunks(self, chunks):
        """Return the chunks of what is left."""
        trimmed = tuple(
            tuple(size - sum(self.sides(axis, i)) for i, size in enumerate(sizes))
            for axis, sizes in enumerate(chunks)
        )
        for axis, (sizes, depth) in enumerate(zip(trimmed, self.depth, strict=True)):
            # A smaller block would leave part of an overlap to the block behind it.
            if depth and len(sizes) > 1 and min(sizes) < depth:
                raise ValueError(
                    f"blocks must keep {depth} pixels at least along axis {axis} without their "
                    f"overlap, got chunks {chunks[axis]} at overlap_depth {self.depth}"
                )
        return trimmed

    def inner(self, index, shape):
        """Return the slices of a block without what it holds of its neighbours."""
        return tuple(
            slice(before, size - after)
            for size, (before, after) in zip(shape, map(self.sides, range(len(shape)), index))
        )


@dataclass(frozen=True)
class MergeLabels(TwoPass):
    """
    Join objects across blocks.

    Parameters
    ----------
    trim : Trim
    shape : tuple of int
        Of the result.
    connectivity : Connectivity
    iou_threshold : float or None
        How much two views must agree; None if blocks do not overlap.
    dtype : numpy.dtype
    like : array
        What kind of array to return.
    """

    trim: Trim
    shape: Shape
    connectivity: Connectivity
    iou_threshold: float | None
    dtype: np.dtype[Any]
    like: object

    scans_again = False
    combine_step = "number"
    finish_step = "relabel"

    def scan(self, place, block):
        """Find the labels of a block, their first pixels, and those near its faces."""
        present, ranks = kernels.runs.compact(on_host(block))
        ranks = ranks.astype(np.int64, copy=False)
        inner = ranks[self.trim.inner(place.index, ranks.shape)]
        firsts = np.full(present.size + 1, UNNUMBERED)
        flat = inner.ravel()
        if flat.size:
            # Of values assigned to one element the last stays: reverse them.
            candidates = np.flatnonzero(np.diff(flat, prepend=flat[0] - 1))[::-1]
            firsts[flat[candidates]] = positions_in(self.shape, place, inner.shape, candidates)
        if self.iou_threshold is not None:
            reaches = [2 * depth for depth in self.trim.depth]
            faces = cut_faces(ranks.__getitem__, ranks.shape, reaches)
        else:
            reaches = map(self.connectivity.reach, range(inner.ndim))
            faces = cut_faces(inner.__getitem__, inner.shape, reaches)
        faces = {side: face.astype(np.int32) for side, face in faces.items()}
        return Scanned(inner.shape, firsts[1:], faces), kernels.runs.Runs(inner)

    def link(self, number, summary, neighbours, summaries):
        """Find the objects that touch, or that two blocks see alike."""
        if self.iou_threshold is None:
            steps = self.connectivity.displacements
            return link_by_steps(number, summary, neighbours, summaries, steps)
        rows = [np.zeros((0, 4), np.int64)]
        for (other_number, shift), other in zip(neighbours, summaries, strict=True):
            axis = next(axis for axis, offset in enumerate(shift) if offset)
            before = shift[axis] < 0
            if (axis, before) in summary.faces:
                alike = self._alike(summary.faces[axis, before], other.faces[axis, not before])
                rows.append(numbered_pairs(number, other_number, [alike]))
        return Links(summary.values, np.concatenate(rows))

    def _alike(self, ours, theirs):
        """Return the pairs of labels of two views of the same pixels that agree."""
        ours, theirs = ours.ravel().astype(np.int64), theirs.ravel().astype(np.int64)
        span = theirs.max(initial=0) + 1
        pairs, common = np.unique(ours * span + theirs, return_counts=True)
        our, their = np.divmod(pairs, span)
        union = np.bincount(ours)[our] + np.bincount(theirs)[their] - common
        chosen = (our > 0) & (their > 0) & (common >= self.iou_threshold * union)
        return np.stack([our[chosen], their[chosen]], axis=1)

    def combine(self, linked):
        """Give the objects numbers in the order of their first pixels."""
        return number_by_first_pixel(linked, self.dtype)

    def finish(self, kept, combined):
        """Return a block with the new numbers."""
        return off_host(kept.with_values(combined[kept.values]), self.like)


@dataclass(frozen=True)
class RelabelSequential(TwoPass):
    """Number labels by their values."""

    dtype: np.dtype[Any]
    like: object
    offset: int

    connectivity = UNLINKED
    scans_again = False
    combine_step = "number"
    finish_step = "relabel"

    def scan(self, place, block):
        """Find the labels of a block."""
        present, ranks = kernels.runs.compact(on_host(block))
        if present.size and present[0] < 0:
            raise ValueError(f"labels must not be negative, got {present[0]}")
        return present, kernels.runs.Runs(ranks)

    def combine(self, linked):
        """Rank the labels of all blocks."""
        present = np.unique(np.concatenate(linked))
        _check_that_holds(self.dtype, self.offset + present.size - 1)
        return Ranks(linked, present, self.dtype, self.offset)

    def finish(self, kept, combined):
        """Return a block with the new numbers."""
        return off_host(kept.with_values(combined[kept.values]), self.like)


@dataclass(frozen=True)
class Ranks:
    """The labels of each block, and all of them sorted."""

    blocks: list[Any]
    present: NDArray
    dtype: np.dtype[Any]
    offset: int

    def of_block(self, number):
        """Return the new numbers of one block's labels, 0 for the background first."""
        ranks = np.searchsorted(self.present, self.blocks[number]) + self.offset
        return np.concatenate([np.zeros(1, int), ranks]).astype(self.dtype)
