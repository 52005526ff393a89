"""
Operations that see whole lines: graphs for what no halo of fixed reach can do.

Along the first axis a line may stay cut into blocks: each block hands on what
the others must know of it, a plane or two, and is finished once it has heard
from them (`carry_along_first_axis`, `sweep_along_first_axis`). Along any other
axis the blocks are joined to whole lines, within one strip of the first axis at
a time (`thin_strips`), so that no task sees more than a strip. Whatever comes next
takes its part out of the strips itself (`take_from`), or out of pieces as long as
some blocks: tasks that cut strips to blocks would be more the more blocks there are
in a line.

Between hearing and finishing, a summary of each block waits in memory instead
of the block; a bit per pixel is enough for distances (`PackedBackground`).
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dask_image._kernels import blocks as kernels
from dask_image._kernels.memory import recycled
from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import (
    Step,
    blocks_of,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
    wait_for,
)
from dask_image._utils.engines.overlap import block_bounds, map_boxes
from dask_image._utils.typing import Array, Block, Chunks, DTypeLike, NDArray, Shape

# A strip of whole lines is cut to this many pixels, 4 MiB at four bytes a pixel,
STRIP_PIXELS = 2**20
# but no block to more strips than this. Tasks that need the block read them all, so that together
# they are there at a time, however thin.
MOST_STRIPS = 8
# Lines that many blocks take a part of are cut into pieces for so many. Fewer would be more tasks;
# without, each worker of a cluster would get all lines.
BLOCKS_OF_PIECE = 16
# Slabs of a block, and blocks of a plane, of which a task may read each as they are.
FEW_SLABS = 16
# So many bytes may be there before what is needed first is finished (`rows_ahead`),
BYTES_AHEAD = 2**25
# but so many blocks at least, lest workers have nothing to do.
BLOCKS_AHEAD = 8


class PackedBackground:
    """
    Which pixels of a block are background (zero), a bit a pixel.

    Parameters
    ----------
    block : numpy.ndarray
    """

    def __init__(self, block: Block) -> None:
        self.shape = block.shape
        self.words = kernels.bits.pack_lines(np.logical_not(block))

    def unpack(self) -> npt.NDArray[np.bool_]:
        """Return the boolean array that is true at the background."""
        return kernels.bits.unpack_lines(self.words, self.shape)

    def rows(self, first: int, end: int) -> PackedBackground:
        """Return the same of some rows of the block; it has further axes, or these are all."""
        if (first, end) == (0, self.shape[0]):
            return self
        lines = math.prod(self.shape[1:-1])
        part = copy.copy(self)
        part.shape = (end - first, *self.shape[1:])
        part.words = self.words[first * lines : end * lines]
        return part


def thin_strips(image: Array) -> Chunks:
    """
    Return the chunks of strips so thin along the first axis that whole lines fit.

    Parameters
    ----------
    image : dask.array.Array

    Returns
    -------
    tuple of tuple of int
        Those of ``image``, without empty ones, and cut along the first axis only, only as far as
        needed: blocks joined to whole lines along any one of the further axes hold no more
        than ``STRIP_PIXELS``, unless they are one pixel thin, or a block lies in ``MOST_STRIPS``.
        Lines of an image of one axis are not cut.
    """
    inner = [tuple(size for size in sizes if size) for sizes in image.chunks[1:]]
    if not inner:
        return (tuple(size for size in image.chunks[0] if size),)
    widths = [max(sizes) for sizes in image.chunks]
    longest = max(
        math.prod(widths[1:axis]) * image.shape[axis] * math.prod(widths[axis + 1 :])
        for axis in range(1, image.ndim)
    )
    thickness = max(1, STRIP_PIXELS // longest, -(-widths[0] // MOST_STRIPS))
    return (_cut(image.chunks[0], thickness), *inner)


def thin_slabs(image: Array) -> Chunks:
    """Return chunks along the first axis only: slabs of eight strips' pixels, or one pixel thin."""
    # One waits for the other, and each reads all blocks that it cuts: they should not be many.
    thickness = max(1, 8 * STRIP_PIXELS // math.prod(image.shape[1:]))
    return (_cut(image.chunks[0], thickness), *((size,) for size in image.shape[1:]))


def between_blocks_and_slabs(image: Array, slabs: Chunks) -> Chunks | None:
    """
    Return chunks between those of an image and of its slabs, None if slabs and blocks are few.

    Every block has pixels in each of the slabs that cut it, and so many of these depend on as many
    blocks as a plane has. Boxes as large as a block, that are some blocks wide and as many times
    thinner, read some blocks each, and slabs some boxes.
    """
    thickest = max(image.chunks[0], default=1)
    count = -(-thickest // max(slabs[0], default=1))
    further = image.chunks[1:]
    if count <= FEW_SLABS or not further or math.prod(map(len, further)) <= FEW_SLABS:
        return None
    together = max(round(count ** (0.5 / len(further))), 2)
    wide = tuple(
        tuple(sum(sizes[first : first + together]) for first in range(0, len(sizes), together))
        for sizes in further
    )
    blocks = math.prod(min(together, len(sizes)) for sizes in further)
    return (_cut(image.chunks[0], -(-thickest // blocks)), *wide)


def _cut(sizes, largest):
    """Cut each of ``sizes`` into as few and as even parts as possible, none above ``largest``."""
    parts = []
    for size in sizes:
        count = -(-size // largest)
        parts += [(n + 1) * size // count - n * size // count for n in range(count)]
    return tuple(parts)


def rows_ahead(chunks: Chunks, itemsize: int) -> int:
    """
    Return how many rows of blocks (in 3-D planes) may be there at a time.

    Parameters
    ----------
    chunks : tuple of tuple of int
    itemsize : int
        Bytes of a pixel.

    Returns
    -------
    int
        As many as ``BYTES_AHEAD`` hold, or as ``BLOCKS_AHEAD`` blocks lie in.
    """
    row = itemsize * max(chunks[0]) * math.prod(map(sum, chunks[1:]))
    blocks = math.prod(map(len, chunks[1:]))
    return max(BYTES_AHEAD // row, -(-BLOCKS_AHEAD // blocks))


def join_lines(chunks: Chunks, axis: int) -> Chunks:
    """Return ``chunks``, but with one block along ``axis``."""
    return (*chunks[:axis], (sum(chunks[axis]),), *chunks[axis + 1 :])


def take_from(
    image: Array, chunks: Chunks, function: Callable[..., Any], dtype: DTypeLike, name: str,
    lead: Chunks = (), **keywords: Any,
) -> Array:  # fmt: skip
    """
    Compute blocks from the same pixels of an image that is cut otherwise.

    Parameters
    ----------
    image : dask.array.Array
        Of the axes of the result; there may be others before, each in one block.
    chunks : tuple of tuple of int
        Of the result.
    function : callable
        ``function(pixels, start, **keywords)`` returns a block that begins at the position
        ``start``, a tuple.
    dtype : dtype
        Of the result.
    name : str
        Of the function that the user called, and of the step.
    lead : tuple of tuple of int, optional
        Of the axes that the result has before those of ``chunks``: one block each.

    Returns
    -------
    dask.array.Array
        Of the chunks ``(*lead, *chunks)``.
    """
    image = in_pieces(image, chunks, name)
    bounds, first = block_bounds(chunks), len(lead)
    whole = [(0, size) for size in image.shape[: image.ndim - len(chunks)]]

    def boxes(index):
        return whole + [along[i : i + 2] for along, i in zip(bounds, index[first:], strict=True)]

    def place(index):
        return (tuple(along[i] for along, i in zip(bounds, index[first:], strict=True)),)

    return map_boxes(
        function, image, name=name, boxes=boxes, chunks=(*lead, *chunks), dtype=dtype,
        block_arguments=place, **keywords,
    )  # fmt: skip


def in_pieces(lines: Array, chunks: Chunks, name: str) -> Array:
    """Cut long lines, of which blocks of some chunks will each take a part, into pieces."""
    further = lines.ndim - len(chunks)
    pieces = lines.chunks[:further] + tuple(
        own if len(own) > 1 else _summed(wanted)
        for own, wanted in zip(lines.chunks[further:], chunks, strict=True)
    )
    if pieces == lines.chunks:
        return lines
    key = f"{name}-piece-{tokenize(lines.name, pieces)}"
    alike = [own == cut for own, cut in zip(lines.chunks, pieces, strict=True)]
    bounds, tasks = block_bounds(pieces), {}
    for index in itertools.product(*(range(len(sizes)) for sizes in pieces)):
        source = tuple(i if same else 0 for same, i in zip(alike, index, strict=True))
        cut = tuple(
            slice(None) if same else slice(*along[i : i + 2])
            for same, along, i in zip(alike, bounds, index, strict=True)
        )
        block = reference((blocks_of(lines), *source))
        tasks[(key, *index)] = task((key, *index), _cut_out, block, cut)
    return new_array(key, tasks, [lines], pieces, lines._meta)


def _cut_out(block, part):
    return block[part].copy()


def _summed(sizes):
    starts = range(0, len(sizes), BLOCKS_OF_PIECE)
    return tuple(sum(sizes[start : start + BLOCKS_OF_PIECE]) for start in starts)


def as_they_are(pixels: Block, *_: Any, **__: Any) -> Block:
    """Return pixels for `take_from` as they are."""
    # A copy lets go of what they are a part of.
    return pixels if pixels.base is None else pixels.copy()


def positions_of(start: Shape, shape: Shape) -> list[NDArray]:
    """
    Return the positions in the image of the pixels of a block, along each axis.

    Parameters
    ----------
    start : tuple of int
        Where the block begins. To work the positions out within a task,
        rather than to pass arrays of them to it, keeps tasks independent of one
        another, without which Dask finds no order in which to run them that
        frees memory early.
    shape : tuple of int
        The block's shape.

    Returns
    -------
    list of numpy.ndarray of int32
        One an axis, of length 1 along all other axes.
    """
    return [
        np.arange(begin, begin + size, dtype=np.int32).reshape(-1, *(1,) * (len(shape) - 1 - axis))
        for axis, (begin, size) in enumerate(zip(start, shape, strict=True))
    ]


def _starts(sizes):
    return [0, *itertools.accumulate(sizes)][:-1]


@dataclass(frozen=True)
class Carrying:
    """
    How blocks exchange what they must know of each other, along the first axis.

    Attributes
    ----------
    summarize : callable
        ``summarize(block, start)`` returns what is kept of a block that begins at position
        ``start`` of the first axis, instead of the block.
    carry : callable
        ``carry(summaries)`` takes those of a column in their order and returns a
        list: what goes to each block.
    finish : callable
        ``finish(summary, carried, start, first, end)`` returns what becomes of the rows from
        ``first`` to ``end`` of the block.
    along_lines : callable
        ``along_lines(lines, start)`` takes what becomes of all parts of a strip, joined to whole
        lines along the second axis, and the position of the strip, a tuple; it returns a block of
        the result.
    """

    summarize: Callable[..., Any]
    carry: Callable[..., Any]
    finish: Callable[..., Any]
    along_lines: Callable[..., Any]


def carry_along_first_axis(
    image: Array, strips: Chunks, carrying: Carrying, dtype: DTypeLike, name: str,
    lead: Chunks = (),
) -> Array:  # fmt: skip
    """
    Let blocks exchange what they must know along the first axis, and finish them in strips.

    The blocks of the result are joined to whole lines along the second axis
    where they are made, so that nothing but summaries waits for the last block.

    Parameters
    ----------
    image : dask.array.Array
    strips : tuple of tuple of int
        What `thin_strips` returns.
    carrying : Carrying
    dtype : dtype
        Of the result.
    name : str
        Of the function that the user called.
    lead : tuple of tuple of int, optional
        Of the axes that the result has before those of the image: one block each.

    Returns
    -------
    dask.array.Array
        Of the chunks ``strips``, but in one block along the second axis.
    """
    image = image.rechunk((tuple(filter(None, image.chunks[0])), *strips[1:]), method="tasks")
    token = tokenize(image.name, strips, carrying, dtype)
    finished, carried = f"{name}-sweep-{token}", f"{name}-carry-{token}"
    starts, rows, ndim = _starts(strips[0]), _starts(image.chunks[0]), image.ndim
    summarized, waited = _exchanged(image, carrying, rows, name, token)
    cuts = _strips_of_blocks(image.chunks[0], strips[0])
    tasks: dict[Any, Any] = {}
    for rest in np.ndindex(image.numblocks[2:]):
        columns = [(*second, *rest) for second in np.ndindex(image.numblocks[1:2])]
        carry = sequence(reference((carried, *column)) for column in columns)
        beside = (*(0,) * (ndim > 1), *(_starts(sizes)[i] for sizes, i in zip(strips[2:], rest)))
        for row, within in enumerate(cuts):
            blocks = sequence(reference((summarized.name, row, *column)) for column in columns)
            for strip in within:
                key = (finished, *(0,) * len(lead), strip, *(0,) * (ndim > 1), *rest)
                place = row, rows[row], starts[strip] - rows[row], strips[0][strip]
                tasks[key] = task(
                    key, _finish_lines, carrying, blocks, carry, place, (starts[strip], *beside),
                    reference(waited),
                )  # fmt: skip
    chunks = (*lead, *(join_lines(strips, 1) if ndim > 1 else strips))
    return new_array(finished, tasks, [summarized], chunks, block_meta(len(chunks), dtype))


def _exchanged(image, carrying, rows, name, token):
    """Return the tasks in which blocks exchange what they must know, and what waits for them."""
    summary, carried, waited = (f"{name}-{step}-{token}" for step in ("summary", "carry", "wait"))
    tasks, waits, source = {}, [], blocks_of(image)
    for column in np.ndindex(image.numblocks[1:]):
        summaries = []
        for row, start in enumerate(rows):
            found = reference((source, row, *column))
            key = (summary, row, *column)
            tasks[key] = task(key, carrying.summarize, found, start)
            summaries.append(reference(key))
        key = (carried, *column)
        tasks[key] = task(key, carrying.carry, sequence(summaries))
        waits.append(reference((waited, *column)))
        tasks[(waited, *column)] = task((waited, *column), wait_for, reference(key))
    # Nothing can be finished before all is read. To wait for that, rather than for a few
    # columns, lets Dask finish one line after another, and not begin on all of them at once.
    tasks[waited] = task(waited, wait_for, *waits)
    return Step(summary, tasks, [image]), waited


def _strips_of_blocks(sizes, strips):
    """Return for each block along an axis the numbers of the strips that it is cut into."""
    ends = np.searchsorted(np.cumsum(strips), np.cumsum(sizes), side="left") + 1
    return [range(begin, end) for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist())]


def _finish_lines(carrying, blocks, carried, place, start, _):
    """Return a strip, of which each of some blocks has a part."""
    return carrying.along_lines(_finished_parts(carrying, blocks, carried, *place), start)


def _finished_parts(carrying, blocks, carried, row, start, first, size):
    """Return, side by side, rows of some blocks; they are number ``row`` in their columns."""
    finished = [
        carrying.finish(block, column[row], start, first, first + size)
        for block, column in zip(blocks, carried, strict=True)
    ]
    if len(finished) == 1:
        return finished[0]
    shape = list(finished[0].shape)
    shape[1] = sum(part.shape[1] for part in finished)
    return np.concatenate(finished, axis=1, out=recycled(shape, finished[0].dtype))


def sweep_along_first_axis(
    image: Array,
    pack: Callable[..., Any],
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    finish: Callable[..., Any],
    dtypes: Sequence[DTypeLike],
    name: str,
) -> list[Array]:
    """
    Sweep over an image that is cut along its first axis only, to its end and back.

    Each way one slab follows another, for each needs the edge that the one
    before it leaves. Only edges are kept of both ways; with these, slabs can be
    swept once more, in any order, for the results.

    Parameters
    ----------
    image : dask.array.Array
        With one block along all axes but the first.
    pack : callable
        ``pack(block)`` returns what is kept of a slab.
    forward : callable
        ``forward(packed, edge, start)`` takes the edge that the slab before
        leaves (None for the first one), and returns that of this slab.
    backward : callable
        ``backward(packed, edge, later, start)`` takes also the edge that the
        slab after it leaves on the way back, and returns that of this slab.
    finish : callable
        Takes what ``backward`` takes, and returns the blocks of the results.
    dtypes : sequence of dtype
        Of the results.
    name : str
        Of the function that the user called.

    Returns
    -------
    list of dask.array.Array
        Of the shape and chunks of ``image``.
    """
    token = tokenize(image.name, pack, forward, backward, finish, dtypes)
    swept, packed, ahead, back, waited = (
        f"{name}-{step}-{token}" for step in ("sweep", "pack", "forward", "backward", "wait")
    )
    rows, starts = range(image.numblocks[0]), _starts(image.chunks[0])
    inner = (0,) * (image.ndim - 1)
    tasks = {}

    def add(kind, row, function, *args):
        tasks[kind, row] = task((kind, row), function, *args)
        return reference((kind, row))

    source = blocks_of(image)
    slabs = [add(packed, row, pack, reference((source, row, *inner))) for row in rows]
    edges = [None]
    for row in rows[:-1]:
        edges.append(add(ahead, row, forward, slabs[row], edges[row], starts[row]))
    laters = [None]
    for row in rows[:0:-1]:
        laters.append(add(back, row, backward, slabs[row], edges[row], laters[-1], starts[row]))
    # As above: slabs that all wait for the same are finished one after the other.
    known = add(waited, 0, wait_for, laters[-1])
    for row in rows:
        args = (slabs[row], edges[row], laters[-1 - row], starts[row])
        add(swept, row, _finish_slab, finish, *args, known)
    sweep = Step(swept, tasks, [image])
    results = []
    for number, dtype in enumerate(dtypes):
        part = f"{name}-part-{tokenize(swept, number)}"
        keys = {(part, row, *inner): reference((swept, row)) for row in rows}
        parts = {key: task(key, _part, slab, number) for key, slab in keys.items()}
        meta = block_meta(image.ndim, dtype)
        results.append(new_array(part, parts, [sweep], image.chunks, meta))
    return results


def _finish_slab(finish, packed, edge, later, start, _):
    return finish(packed, edge, later, start)


def _part(parts, number):
    return parts[number]
