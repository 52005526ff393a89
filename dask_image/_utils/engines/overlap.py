"""
The overlap engine: give every output block the input pixels that it needs.

Two entry points share one graph builder:

- `map_neighborhood` for filters and morphology: the input block, extended by a
  *reach*, goes through a kernel that may treat its argument as a whole image;
  the halo is trimmed off again and the chunks stay.
- `map_boxes` for everything else (interpolation, windows on a sub-grid): each
  output block names the box of input pixels it reads.

What a block needs is decided by pure functions (`axis_window`, `cover`); only
`_block_tasks` makes tasks. A block that is large against its halo hands its
neighbours thin slabs, so that little moves between machines; a small block is
passed whole, because a task costs more than the bytes.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dask.array as da
import numpy as np
from dask.base import normalize_token
from dask.delayed import Delayed

from dask_image._kernels.memory import scratch
from dask_image._utils.arrays import with_dtype
from dask_image._utils.engines.graph import (
    blocks_of,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.modes import MODES
from dask_image._utils.typing import Array, Block, Chunks, DTypeLike, ModeName, Reach, Shape, Slices
from dask_image._utils.warnings import warn

# A slab costs a task (about 0.1 ms); moving fewer bytes than this costs less.
SLAB_WORTH_BYTES = 100_000
# All slabs of a block are cut by one task, and travel together, while they are this small.
TOGETHER_BYTES = 250_000


@dataclass(frozen=True)
class Piece:
    """Pixels ``start`` to ``stop`` of one input block, along one axis."""

    block: int
    start: int
    stop: int
    size: int

    @property
    def whole(self) -> bool:
        """Whether this is all of the block."""
        return self.start == 0 and self.stop == self.size

    @property
    def cut(self) -> slice:
        """The slice that takes these pixels from the block."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class AxisWindow:
    """What one output block reads along one axis, and what of it is no halo."""

    pieces: tuple[Piece, ...]
    trim: slice

    @functools.cached_property
    def extents(self) -> Shape:
        """How many pixels each piece holds."""
        return tuple(piece.stop - piece.start for piece in self.pieces)

    @functools.cached_property
    def blocks(self) -> Shape:
        """Which blocks the pieces are of."""
        return tuple(piece.block for piece in self.pieces)

    @functools.cached_property
    def cuts(self) -> Slices:
        """The slices that take the pieces from their blocks."""
        return tuple(piece.cut for piece in self.pieces)

    @functools.cached_property
    def spans(self) -> tuple[Shape, ...]:
        """Of each piece where it begins and ends, and how long its block is."""
        return tuple((piece.start, piece.stop, piece.size) for piece in self.pieces)


def axis_window(
    start: int, stop: int, size: int, reach: tuple[int, int], mode: ModeName
) -> tuple[int, int]:
    """
    Return the interval of an axis that a kernel must see to get ``[start, stop)`` right.

    Parameters
    ----------
    start, stop : int
        The pixels wanted.
    size : int
        Length of the axis.
    reach : tuple of int
        How many pixels before and after each output pixel the kernel reads.
    mode : str
        How the kernel extends the image beyond its edges.

    Returns
    -------
    tuple of int
        ``(low, high)``; outside of ``[0, size)`` only for the periodic modes,
        where pixels come from the opposite side.
    """
    low, high = start - reach[0], stop + reach[1]
    if MODES[mode].periodic:
        # A whole period at hand lets the kernel wrap as often as it needs to.
        return (0, size) if high - low >= size else (low, high)
    # The kernel reflects pixels inwards over a true edge: as many as it reads beyond it must
    # be there, and one more where mirroring skips the edge pixel itself. (Modes that look at no
    # such pixels are served too: only blocks thinner than the reach read more for it.)
    # SciPy's vectorized_filter takes "grid-mirror" for "mirror", its other filters for "reflect".
    extra = 1 if MODES[mode].skips_edge or mode == "grid-mirror" else 0
    below, above = -low, high - size
    if below > 0:
        high = max(high, below + extra)
    if above > 0:
        low = min(low, size - above - extra)
    return max(low, 0), min(high, size)


def cover(bounds: Shape, low: int, high: int) -> tuple[Piece, ...]:
    """
    Return the pieces of blocks that make up the pixels ``[low, high)`` of an axis.

    Parameters
    ----------
    bounds : tuple of int
        Where the blocks begin, and where the last one ends.
    low, high : int
        The interval; pixels outside of the axis are taken from the opposite
        side, any number of times around.

    Returns
    -------
    tuple of Piece
        In the order of the pixels; empty for an empty interval.
    """
    size = bounds[-1]
    pieces = []
    while low < high:
        turn, position = divmod(low, size)
        block = int(np.searchsorted(bounds, position, side="right")) - 1
        begin, end = bounds[block], bounds[block + 1]
        stop = min(end, high - turn * size)
        pieces.append(Piece(block, position - begin, stop - begin, end - begin))
        low = turn * size + stop
    return tuple(pieces)


def block_bounds(chunks: Chunks) -> Chunks:
    """Return, for each axis, where its blocks begin and where the last one ends."""
    return tuple((0, *itertools.accumulate(sizes)) for sizes in chunks)


def neighborhood_windows(
    chunks: Chunks, reach: Reach, modes: Sequence[ModeName]
) -> list[list[AxisWindow]]:
    """
    Return for every axis what each of its blocks reads.

    Parameters
    ----------
    chunks : tuple of tuple of int
        Chunks of the image.
    reach : sequence of (int, int)
        Per axis, pixels needed before and after.
    modes : sequence of str
        Per axis, how the kernel extends the image.

    Returns
    -------
    list of list of AxisWindow
    """
    windows = []
    for sizes, bounds, axis_reach, mode in zip(
        chunks, block_bounds(chunks), reach, modes, strict=True
    ):
        axis = []
        for start, stop in itertools.pairwise(bounds):
            if start == stop:  # an empty block reads nothing
                axis.append(AxisWindow((), slice(0, 0)))
                continue
            low, high = axis_window(start, stop, sum(sizes), axis_reach, mode)
            axis.append(AxisWindow(cover(bounds, low, high), slice(start - low, stop - low)))
        windows.append(axis)
    return windows


def largest_box(chunks: Chunks, reach: Reach, modes: Sequence[ModeName]) -> Shape:
    """Return the largest extent, per axis, that a block is given by `map_neighborhood`."""
    return tuple(
        max((sum(window.extents) for window in axis), default=0)
        for axis in neighborhood_windows(chunks, reach, modes)
    )


@dataclass(frozen=True)
class BlockKernel:
    """
    A kernel with the arguments that are the same in every block.

    A kernel that can leave out the halo says so by an attribute:
    ``kernel.in_region(box, *others, region=slices, **keywords)`` gives those pixels of what
    the kernel itself gives, as a new array (``region`` is None for all of them). It is no
    view of a box, because boxes are pasted into memory that the thread uses again.
    """

    kernel: Callable[..., Any]
    keywords: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self,
        extents: Sequence[Shape],
        cuts: Sequence[Sequence[Slices]],
        trim: Slices | None,
        extra: tuple[Any, ...],
        like: Sequence[Block],
        *blocks: Block,
    ) -> Block:
        """Assemble what the block reads from each image, run the kernel, trim."""
        reused = hasattr(self.kernel, "in_region")
        remaining = iter(blocks)
        boxes = [
            _assemble(
                extents, image_cuts, list(itertools.islice(remaining, len(image_cuts))), meta,
                f"box {number}" if reused else None,
            )
            for number, (image_cuts, meta) in enumerate(zip(cuts, like, strict=True))
        ]  # fmt: skip
        return self.on_boxes([*boxes, *extra], trim)

    def on_boxes(self, arguments: Sequence[Any], region: Slices | None) -> Block:
        """Run the kernel; return the pixels of ``region``, or all if that is None."""
        in_region = getattr(self.kernel, "in_region", None)
        if in_region is not None:
            return in_region(*arguments, region=region, **self.keywords)
        result = self.kernel(*arguments, **self.keywords)
        # A copy lets go of the halo.
        return result if region is None else result[region].copy()


def _assemble(extents, cuts, blocks, like, scratch_name=None):
    """Paste ``blocks[i][cuts[i]]`` together into one array, which the thread may use again."""
    if len(blocks) == 1:
        return _pixels(blocks[0], cuts[0])
    shape, places = _places(tuple(extents))
    if scratch_name is None or type(like) is not np.ndarray or like.dtype.hasobject:
        box = np.empty_like(like, shape=shape)
    else:
        box = scratch(scratch_name, shape, like.dtype)
    for place, cut, block in zip(places, cuts, blocks):
        box[place] = _pixels(block, cut)
    return box


@functools.lru_cache(maxsize=128)
def _places(extents):
    """Return the shape of what pieces make up, and where each of them goes."""
    along = [
        [slice(stop - extent, stop) for extent, stop in zip(axis, itertools.accumulate(axis))]
        for axis in extents
    ]
    return tuple(map(sum, extents)), list(itertools.product(*along))


def _pixels(block, cut):
    """Take part of a block, or of the one of its slabs that the first of ``cut`` names."""
    return block[cut[0]][cut[1:]] if isinstance(block, dict) else block[cut]


def _cut(block, where):
    """Copy part of a block, so that the rest of it can be freed."""
    return block[where].copy()


def _cut_all(names, places, *blocks):
    """Copy several parts of the blocks of images, by the number of the image and the face."""
    return {
        (number, face): _cut(blocks[number], where)
        for (number, face), where in zip(names, places, strict=True)
    }


@dataclass(frozen=True)
class Slab:
    """Pixels ``start`` to ``stop`` of a block along one axis, a ``share`` of the block."""

    axis: int
    start: int
    stop: int
    share: float

    @property
    def cut(self) -> Slices:
        """The slices that take these pixels from the block."""
        return (slice(None),) * self.axis + (slice(self.start, self.stop),)


class _Source:
    """Where pieces of an image's blocks are found: in the blocks themselves."""

    def __init__(self, image, cut_key=()):
        self.name = blocks_of(image)
        self.chunks = image.chunks
        self.itemsize = image.dtype.itemsize
        self.cut_key = cut_key
        self.tasks = {}
        # Tasks share their references: Python's garbage collector walks all that there are, and
        # takes longer for it than the rest of the building.
        self.references = {}
        self.cuts = {}

    def places(self, windows):
        """
        Return, for each image, where the pieces of windows, one an axis, are found.

        References to what holds them, and how to cut them out of it.
        """
        # Blocks whose windows lie alike share how to cut.
        kinds = tuple(window.spans for window in windows)
        cuts = self.cuts.get(kinds)
        if cuts is None:
            cuts = tuple(itertools.product(*(window.cuts for window in windows)))
            self.cuts[kinds] = cuts
        indices = itertools.product(*(window.blocks for window in windows))
        return [([self.reference((self.name, *index)) for index in indices], cuts)]

    def reference(self, key):
        """Return the reference to a key that all share."""
        found = self.references.get(key)
        if found is None:
            found = self.references[key] = reference(key)
        return found


class _SlabSource(_Source):
    """
    Slabs of blocks, which several neighbours read, have tasks that cut them off.

    A task cuts those of all images, of the same chunks, that a kernel reads.
    """

    def __init__(self, images, cut_key, windows):
        super().__init__(images[0], cut_key)
        self.names = [blocks_of(image) for image in images]
        self.itemsize = sum(image.dtype.itemsize for image in images)
        self.ends = [_slab_ends(axis) for axis in windows]
        self.plans = {}
        self.slabs = {}

    def places(self, windows):
        """Return what `_Source.places` does."""
        # Blocks whose windows lie alike in blocks that hand out the same slabs read alike.
        kinds = tuple(
            (window.spans, *map(ends.get, window.blocks))
            for window, ends in zip(windows, self.ends)
        )
        plan = self.plans.get(kinds)
        if plan is None:
            pieces = list(itertools.product(*(window.pieces for window in windows)))
            plan = self.plans[kinds] = [
                _apart(self._place(each, number) for each in pieces)
                for number in range(len(self.names))
            ]
        indices = list(itertools.product(*(window.blocks for window in windows)))
        return [
            (
                [
                    self.reference((name, *index)) if faces is None else self._slab(faces, index)
                    for faces, index in zip(of_pieces, indices, strict=True)
                ],
                cuts,
            )
            for name, (of_pieces, cuts) in zip(self.names, plan, strict=True)
        ]

    def _place(self, pieces, number):
        """
        Return which slabs hold pieces of an image, one an axis, and how to cut them out.

        None are the slabs where the block itself does; the empty tuple stands for all of them.
        """
        cut = tuple(piece.cut for piece in pieces)
        if all(piece.whole for piece in pieces):
            return None, cut
        slabs, together = self._slabs_of(tuple(piece.block for piece in pieces))
        faces = [
            2 * axis + (piece.start > 0)
            for axis, piece in enumerate(pieces)
            if not piece.whole and (piece.start == 0 or piece.stop == piece.size)
        ]
        shares = [(slabs[face].share, face) for face in faces if face in slabs]
        if not shares:
            return None, cut
        _, face = min(shares)
        axis, begin = face // 2, slabs[face].start
        piece = pieces[axis]
        cut = cut[:axis] + (slice(piece.start - begin, piece.stop - begin),) + cut[axis + 1 :]
        if together or len(self.names) > 1:
            cut = ((number, face), *cut)
        return () if together else (face,), cut

    def _slab(self, faces, index):
        """Return the reference to slabs of blocks, cut by a task: of one face, or () all."""
        key = (*self.cut_key, *faces, *index)
        if key not in self.tasks:
            slabs, _ = self._slabs_of(index)
            cuts = {
                (number, face): slabs[face].cut
                for number in range(len(self.names))
                for face in faces or slabs
            }
            blocks = [self.reference((name, *index)) for name in self.names]
            if len(cuts) == 1:
                self.tasks[key] = task(key, _cut, *blocks, *cuts.values())
            else:
                self.tasks[key] = task(key, _cut_all, (*cuts,), (*cuts.values(),), *blocks)
        return self.reference(key)

    def _slabs_of(self, index):
        """
        Return by face (two an axis) the slabs of a block that save enough to pay a task.

        Last comes whether one task cuts all of them.
        """
        sizes = tuple(along[block] for along, block in zip(self.chunks, index))
        ends = tuple(along.get(block) for along, block in zip(self.ends, index))
        if (sizes, ends) in self.slabs:
            return self.slabs[sizes, ends]
        size = self.itemsize * math.prod(sizes)
        slabs = {}
        for axis, (length, between) in enumerate(zip(sizes, ends)):
            low, high = between or (0, length)
            for face, start, stop in ((2 * axis, 0, low), (2 * axis + 1, high, length)):
                share = (stop - start) / length
                if 0 < share <= 0.5 and (1 - share) * size >= SLAB_WORTH_BYTES:
                    slabs[face] = Slab(axis, start, stop, share)
        together = sum(slab.share for slab in slabs.values()) * size <= TOGETHER_BYTES
        found = self.slabs[sizes, ends] = slabs, together and len(slabs) > 1
        return found


class _ThinSource(_Source):
    """Small parts of blocks have tasks of their own."""

    def places(self, windows):
        """Return what `_Source.places` does."""
        pieces = itertools.product(*(window.pieces for window in windows))
        return [_apart(map(self._place, pieces))]

    def _place(self, pieces):
        index = tuple(piece.block for piece in pieces)
        cut = tuple(piece.cut for piece in pieces)
        size = self.itemsize * math.prod(piece.size for piece in pieces)
        part = self.itemsize * math.prod(piece.stop - piece.start for piece in pieces)
        block = self.reference((self.name, *index))
        if part > size / 2 or size - part < SLAB_WORTH_BYTES:
            return block, cut
        key = (*self.cut_key, len(self.tasks))
        self.tasks[key] = task(key, _cut, block, cut)
        return reference(key), tuple(slice(0, along.stop - along.start) for along in cut)


def _apart(pairs):
    """Return the first of each of some pairs, and the second of each; there may be no pair."""
    pairs = tuple(pairs)
    return tuple(first for first, _ in pairs), tuple(second for _, second in pairs)


def _slab_ends(axis_windows):
    """Return per block where the slab at its beginning must end and the one at its end begin."""
    ends = {}
    for window in axis_windows:
        for piece in window.pieces:
            if not piece.whole:
                low, high = ends.get(piece.block, (0, piece.size))
                if piece.start == 0:
                    low = max(low, piece.stop)
                elif piece.stop == piece.size:
                    high = min(high, piece.start)
                ends[piece.block] = low, high
    return ends


def _block_tasks(
    name, call, sources, windows_of, like, numblocks, *, extra_of=None, dropped=0
):  # fmt: skip
    """
    Make the tasks of one layer, one a block besides those that cut slabs.

    ``windows_of(index)`` gives one AxisWindow per input axis for an output
    block, ``extra_of(index)`` further arguments for its kernel. The result lacks as many first
    axes as are ``dropped``.
    """
    tasks = {}
    for index in itertools.product(*map(range, numblocks)):
        windows = windows_of(index)
        places = [each for source in sources for each in source.places(windows)]
        references = [each for found, _ in places for each in found]
        cuts = tuple(cut for _, cut in places)
        extents = tuple(window.extents for window in windows)
        trims = tuple(window.trim for window in windows)
        untrimmed = all(trim == slice(0, sum(extent)) for trim, extent in zip(trims, extents))
        key = (name, *index[dropped:])
        tasks[key] = task(
            key,
            call,
            extents,
            cuts,
            None if untrimmed else trims,
            extra_of(index) if extra_of else (),
            like,
            *references,
        )
    for source in sources:
        tasks.update(source.tasks)
    return tasks


def map_whole(
    kernel: Callable[..., Any], image: Array, *, name: str, dtype: DTypeLike, **keywords: Any
) -> Array:
    """
    Run ``kernel`` on the whole image in one task, for what no chunked algorithm can do.

    Warns with `dask.array.PerformanceWarning`. Arguments as for `map_neighborhood`.
    """
    warn(
        f"{name} needs the whole image of shape {image.shape} in one task",
        da.PerformanceWarning,
    )
    nothing = [(0, 0)] * image.ndim
    whole = map_neighborhood(
        kernel, image.rechunk(-1), name=name, reach=nothing, modes=["nearest"] * image.ndim,
        dtype=dtype, **keywords,
    )  # fmt: skip
    return whole.rechunk(image.chunks)


def _new_array(name, tasks, images, chunks, dtype):
    return new_array(name, tasks, images, chunks, with_dtype(images[0], dtype, ndim=len(chunks)))


def map_neighborhood(
    kernel: Callable[..., Any],
    image: Array,
    *others: Array,
    name: str,
    reach: Reach,
    modes: Sequence[ModeName],
    dtype: DTypeLike,
    slabs: bool = True,
    drop_axes: int = 0,
    block_arguments: Callable[[Shape], tuple[Any, ...]] | None = None,
    for_all: Delayed | None = None,
    **keywords: Any,
) -> Array:
    """
    Run ``kernel`` on every block of ``image`` as if on the whole image.

    Parameters
    ----------
    kernel : callable
        ``kernel(block, *other_blocks, **keywords)`` must give an array of the
        block's shape, in which a pixel depends on no pixel farther away than
        ``reach``. It treats the edges of its argument as edges of the image.
    image : dask.array.Array
    *others : dask.array.Array
        Further arrays of the same shape, rechunked to match ``image``.
    name : str
        Of the function that the user called, and of the step if it has several.
    reach : sequence of (int, int)
        Per axis, how many pixels before and after an output pixel are read.
    modes : sequence of str
        Per axis, how the kernel extends the image beyond its edges. For
        "wrap" and "grid-wrap" the halo comes from the opposite side.
    dtype : dtype
        Of the result.
    slabs : bool, optional
        Whether large blocks hand their neighbours slabs. An array that is small against the
        image, as results on a grid are, is better handed on as a whole.
    drop_axes : int, optional
        How many first axes of the image, each in one chunk, the kernel's result lacks.
    block_arguments : callable, optional
        As for `map_boxes`.
    for_all : dask.delayed.Delayed, optional
        Its result goes to the kernel of every block, ahead of the ``block_arguments``.
    **keywords
        For the kernel.

    Returns
    -------
    dask.array.Array
        Of the chunks of ``image``, along the axes that are left.
    """
    chunks = image.chunks[drop_axes:]
    if image.size == 0:
        shape = image.shape[drop_axes:]
        return da.zeros_like(image, dtype=dtype, shape=shape, chunks=chunks)
    images = [image, *(other.rechunk(image.chunks) for other in others)]
    reach = [(max(before, 0), max(after, 0)) for before, after in reach]
    extras = (
        {index: block_arguments(index) for index in np.ndindex(image.numblocks)}
        if block_arguments
        else {}
    )
    token = tokenize(
        kernel, [array.name for array in images], reach, modes, dtype, drop_axes,
        _printed(list(extras.values())), None if for_all is None else for_all.key, keywords,
    )  # fmt: skip
    halo, name = f"{name}-halo-{token}", f"{name}-{token}"
    windows = neighborhood_windows(image.chunks, reach, modes)
    sources = [_SlabSource(images, (halo,), windows)] if slabs else [*map(_Source, images)]
    tasks = _block_tasks(
        name,
        BlockKernel(kernel, keywords),
        sources,
        lambda index: [axis[block] for axis, block in zip(windows, index)],
        [array._meta for array in images],
        image.numblocks,
        extra_of=functools.partial(_further_arguments, for_all, None, extras),
        dropped=drop_axes,
    )
    tasks |= _empty_blocks(name, image, chunks, dtype)
    needed = images if for_all is None else [*images, for_all]
    return _new_array(name, tasks, needed, chunks, dtype)


def _empty_blocks(name, image, chunks, dtype):
    """Return tasks for the blocks without pixels, which no kernel need see."""
    empty = [[block for block, size in enumerate(sizes) if size == 0] for sizes in chunks]
    tasks = {}
    for index in itertools.product(*(range(len(sizes)) for sizes in chunks)):
        if any(block in axis for block, axis in zip(index, empty)):
            shape = tuple(sizes[block] for sizes, block in zip(chunks, index))
            key = (name, *index)
            tasks[key] = task(key, np.empty_like, image._meta, dtype=dtype, shape=shape)
    return tasks


def map_boxes(
    kernel: Callable[..., Any],
    image: Array,
    *others: Array,
    name: str,
    boxes: Callable[[Shape], Iterable[tuple[Any, Any]]],
    chunks: Chunks,
    dtype: DTypeLike,
    block_arguments: Callable[[Shape], tuple[Any, ...]] | None = None,
    beside: Array | None = None,
    for_all: Delayed | None = None,
    **keywords: Any,
) -> Array:
    """
    Compute every output block from the box of input pixels that it names.

    Parameters
    ----------
    kernel : callable
        ``kernel(box, *other_boxes, *block_arguments(index), **keywords)`` gives
        the output block.
    image : dask.array.Array
    *others : dask.array.Array
        Further arrays of the same shape, rechunked to match ``image``; the
        same box of each is read.
    name : str
        Of the function that the user called, and of the step if it has several.
    boxes : callable
        ``boxes(index)`` gives, for the index of an output block, ``(start, stop)``
        for each axis of the image. Pixels outside of the image are taken from
        the opposite side; an interval may be empty.
    chunks : tuple of tuple of int
        Of the result, which may have any number of axes.
    dtype : dtype
        Of the result.
    block_arguments : callable, optional
        ``block_arguments(index)`` gives a tuple of further arguments for the
        kernel, such as where the box begins: of numbers, slices, and tuples and dataclasses
        of such.
    beside : dask.array.Array, optional
        In the chunks of the result, but for first axes in one chunk. Its block goes to the
        kernel ahead of the ``block_arguments``.
    for_all : dask.delayed.Delayed, optional
        Its result goes to the kernel of every block, ahead of ``beside``.
    **keywords
        For the kernel.

    Returns
    -------
    dask.array.Array
        One task a block; each depends only on the input blocks its box touches. Where boxes
        lie in blocks but for some between them, the parts of those are cut off by further tasks,
        so that no block waits for its neighbours.
    """
    images = [image, *(other.rechunk(image.chunks) for other in others)]
    bounds = block_bounds(image.chunks)
    numblocks = tuple(map(len, chunks))

    @functools.lru_cache(maxsize=4096)
    def window(axis, start, stop):
        return AxisWindow(cover(bounds[axis], start, stop), slice(0, stop - start))

    needs = {
        index: tuple((int(start), int(stop)) for start, stop in boxes(index))
        for index in itertools.product(*map(range, numblocks))
    }
    windows = {
        index: [window(axis, *interval) for axis, interval in enumerate(box)]
        for index, box in needs.items()
    }
    extras = {index: block_arguments(index) for index in needs} if block_arguments else {}
    token = tokenize(
        kernel, [array.name for array in images], _printed(list(needs.values())), chunks, dtype,
        _printed(list(extras.values())), None if beside is None else beside.name,
        None if for_all is None else for_all.key, keywords,
    )  # fmt: skip
    name = f"{name}-{token}"
    more = [each for each in (for_all, beside) if each is not None]
    source = _ThinSource if _lie_in_blocks(windows.values(), image.size) else _Source
    part = f"{name.removesuffix(token)}part-{token}"
    tasks = _block_tasks(
        name,
        BlockKernel(kernel, keywords),
        [source(array, (part, position)) for position, array in enumerate(images)],
        windows.__getitem__,
        [array._meta for array in images],
        numblocks,
        extra_of=functools.partial(_further_arguments, for_all, beside, extras),
    )
    return _new_array(name, tasks, [*images, *more], chunks, dtype)


def _further_arguments(for_all, beside, extras, index):
    """Return what the kernel of a block gets besides boxes, as `map_boxes` says."""
    extra = extras.get(index, ())
    if for_all is None and beside is None:
        return extra
    first = [] if for_all is None else [reference(for_all.key)]
    if beside is not None:
        whole = (0,) * (beside.ndim - len(index))
        first.append(reference((blocks_of(beside), *whole, *index)))
    return sequence([*first, *extra])


def _printed(values: list[tuple[Any, ...]]) -> str:
    """
    Return what tuples, of numbers and of such tuples, print: Dask's tokens take far longer.

    Long ones, which many may hold, are printed once and then stand as numbers.
    """
    long: dict[int, int] = {}
    texts: list[str] = []

    def shortened(value):
        if type(value) is not tuple:
            return value
        if len(value) <= 8:
            return tuple(map(shortened, value))
        if id(value) not in long:
            long[id(value)] = len(texts)
            texts.append(repr(value))
        return "long", long[id(value)]

    return repr((list(map(shortened, values)), texts))


def _lie_in_blocks(boxes, size):
    """Tell whether most pixels of boxes, which overlap nowhere, are in boxes within one block."""
    within = together = 0
    for box in boxes:
        pixels = math.prod(sum(window.extents) for window in box)
        together += pixels
        if all(len(window.pieces) == 1 for window in box):
            within += pixels
    return together <= size and 2 * within > together


@dataclass(frozen=True)
class Pass:
    """One step of a separable operation: a 1-D kernel run along one axis."""

    kernel: Callable[..., Any]
    axis: int
    reach: tuple[int, int]
    mode: ModeName
    keywords: dict[str, Any]
    again: dict[str, Any] | None = None
    """Keywords instead where the block is the result of a pass before: it may be overwritten."""

    def __dask_tokenize__(self) -> Any:
        # Of a dataclass, Dask asks all fields for their meaning, a third of what a call takes.
        return normalize_token((type(self).__name__, *vars(self).values()))


def map_passes(image: Array, passes: Sequence[Pass], dtype: DTypeLike, name: str) -> Array:
    """
    Run 1-D kernels one after another, each along its own axis.

    Parameters
    ----------
    image : dask.array.Array
    passes : sequence of Pass
        Kernels are called as ``kernel(block, axis=axis, mode=mode, **keywords)``.
    dtype : dtype
        Of the result, and of what goes from one pass to the next.
    name : str
        Of the function that the user called, and of the step if it has several.

    Returns
    -------
    dask.array.Array
        Of the chunks of ``image``. Where the halos are thin, a block does all
        passes in one task; where they are thick, each pass exchanges its own
        halo along one axis, so that no pixel is computed twice.
    """
    if not passes:
        return image.astype(dtype)
    if run_apart(image, passes):
        for step in passes:
            image = _map_together(image, [step], dtype, name)
        return image
    return _map_together(image, passes, dtype, name)


def run_apart(image: Array, passes: Sequence[Pass]) -> bool:
    """Tell whether each pass has tasks of its own: together, thick halos would cost too much."""
    return image.size > 0 and bool(passes) and _redundancy(image.chunks, passes) > 1.5


def _redundancy(chunks, passes):
    """Return how much more work halos make when all passes run on extended blocks."""
    size = [max(sizes) for sizes in chunks]
    halo = [0] * len(chunks)
    for step in passes:
        halo[step.axis] += sum(step.reach)
    shares = [
        (extent + min(extra, sum(sizes) - extent)) / max(extent, 1)
        for extent, extra, sizes in zip(size, halo, chunks)
    ]
    apart = sum(shares[step.axis] for step in passes)
    return len(passes) * math.prod(shares) / apart


def passes_reach(passes: Sequence[Pass], ndim: int) -> tuple[Reach, list[ModeName]]:
    """Return how far passes reach together, and how the image goes on, along each axis."""
    before, after = [0] * ndim, [0] * ndim
    modes: list[ModeName] = ["nearest"] * ndim
    for step in passes:
        before[step.axis] += step.reach[0]
        after[step.axis] += step.reach[1]
        modes[step.axis] = step.mode
    return list(zip(before, after, strict=True)), modes


def _map_together(image, passes, dtype, name):
    reach, modes = passes_reach(passes, image.ndim)
    return map_neighborhood(
        run_passes, image, name=name, reach=reach, modes=modes, dtype=dtype, passes=tuple(passes)
    )


def run_passes(
    block: Block, passes: Sequence[Pass], region: Slices | None = None, **others: Any
) -> Block:
    """
    Run the passes in their order on one block; return the pixels of ``region``, or all.

    Kernels that can do so in one go have a function for it in common, their attribute
    ``kernel.in_passes(block, passes, region)``, which returns a new array and may take ``others``.
    """
    together: set[Any] = {getattr(step.kernel, "in_passes", None) for step in passes}
    if len(together) == 1 and None not in together:
        return together.pop()(block, passes, region, **others)
    keywords = [step.again if n and step.again else step.keywords for n, step in enumerate(passes)]
    for step, more in zip(passes[:-1], keywords[:-1], strict=True):
        block = step.kernel(block, axis=step.axis, mode=step.mode, **more)
    last = passes[-1]
    call = BlockKernel(last.kernel, {"axis": last.axis, "mode": last.mode, **keywords[-1]})
    return call.on_boxes([block], region)


# Several passes are one kernel to the engine.
run_passes.in_region = run_passes  # type: ignore[attr-defined]
