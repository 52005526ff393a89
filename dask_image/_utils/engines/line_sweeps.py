"""
Operations that see whole lines: graphs for what no halo of fixed reach can do.

Along the first axis a line may stay cut into blocks: each block hands on what
the others must know of it, a plane or two, and is finished once it has heard
from them (`carry_along_first_axis`, `sweep_along_first_axis`). Along any other
axis the blocks are joined to whole lines (`join_lines`), within one strip of
the first axis at a time (`thin_strips`), so that no task sees more than a strip.

Between hearing and finishing, a summary of each block waits in memory instead
of the block; a bit per pixel is enough for distances (`PackedBackground`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from dask.delayed import Delayed

from dask_image._kernels import blocks as kernels
from dask_image._kernels.memory import recycled
from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import (
    Step,
    blocks_of,
    delayed_in,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
    wait_for,
)
from dask_image._utils.typing import Array, Block, Chunks, DTypeLike, NDArray, Shape

# A strip of whole lines is cut to this many pixels: 32 MiB at four bytes a pixel.
STRIP_PIXELS = 2**23


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
        than ``STRIP_PIXELS``, unless they are one pixel thin.
    """
    inner = [tuple(size for size in sizes if size) for sizes in image.chunks[1:]]
    widths = [max(sizes) for sizes in image.chunks]
    longest = max(
        (
            math.prod(widths[1:axis]) * image.shape[axis] * math.prod(widths[axis + 1 :])
            for axis in range(1, image.ndim)
        ),
        default=1,
    )
    thickness = max(1, STRIP_PIXELS // longest)
    return (_cut(image.chunks[0], thickness), *inner)


def thin_slabs(image: Array) -> Array:
    """Return ``image`` cut along its first axis only, into slabs of ``STRIP_PIXELS`` at most."""
    thickness = max(1, STRIP_PIXELS // math.prod(image.shape[1:]))
    rows = _cut(image.chunks[0], thickness)
    return image.rechunk((rows, *((size,) for size in image.shape[1:])), method="tasks")


def _cut(sizes, largest):
    """Cut each of ``sizes`` into as few and as even parts as possible, none above ``largest``."""
    parts = []
    for size in sizes:
        count = -(-size // largest)
        parts += [(n + 1) * size // count - n * size // count for n in range(count)]
    return tuple(parts)


def join_lines(image: Array, axis: int, chunks: Chunks) -> Array:
    """Return ``image`` in ``chunks``, but with one block along ``axis``."""
    whole = (*chunks[:axis], (sum(chunks[axis]),), *chunks[axis + 1 :])
    return image.rechunk(whole, method="tasks")


def block_starts(image: Array) -> Chunks:
    """Return, for each axis, the positions at which the blocks of ``image`` begin."""
    return tuple(tuple(_starts(sizes)) for sizes in image.chunks)


def positions_in_block(
    starts: Sequence[Sequence[int]], block_id: Shape, shape: Shape
) -> list[NDArray]:
    """
    Return the positions in the image of the pixels of a block, along each axis.

    Parameters
    ----------
    starts : sequence of sequence of int
        What `block_starts` returns. To work the positions out within a task,
        rather than to pass arrays of them to it, keeps tasks independent of one
        another, without which Dask finds no order in which to run them that
        frees memory early.
    block_id : tuple of int
        Which block it is.
    shape : tuple of int
        The block's shape.

    Returns
    -------
    list of numpy.ndarray of int32
        One an axis, of length 1 along all other axes.
    """
    positions = []
    for axis, (begins, number, size) in enumerate(zip(starts, block_id, shape, strict=True)):
        line = np.arange(begins[number], begins[number] + size, dtype=np.int32)
        positions.append(line.reshape(-1, *(1,) * (len(shape) - 1 - axis)))
    return positions


def _starts(sizes):
    return [0, *itertools.accumulate(sizes)][:-1]


@dataclass(frozen=True)
class Barrier:
    """
    What an array waits for.

    Attributes
    ----------
    after : dask.delayed.Delayed
        Is there once all is read that the array is made from.
    rows : tuple of int
        Sizes along the first axis of the strips that it is then made in. The key of what makes a
        part of a strip begins with a name and the number of the strip.
    """

    after: Delayed
    rows: tuple[int, ...]


def carry_along_first_axis(
    image: Array,
    strips: Chunks,
    summarize: Callable[..., Any],
    carry: Callable[..., Any],
    finish: Callable[..., Any],
    dtype: DTypeLike,
    name: str,
) -> tuple[Array, Barrier]:
    """
    Let the strips of an image exchange what they must know, block by block along the first axis.

    The blocks of the result are joined to whole lines along the second axis
    where they are made, so that nothing but summaries waits for the last block.

    Parameters
    ----------
    image : dask.array.Array
    strips : tuple of tuple of int
        What `thin_strips` returns. A task makes the summaries of all strips of a block.
    summarize : callable
        ``summarize(part, start)`` returns what is kept of a block's part in a strip that
        begins at position ``start`` of the first axis, instead of the part.
    carry : callable
        ``carry(summaries)`` takes those of a column in their order and returns a
        list: what goes to each part.
    finish : callable
        ``finish(summary, carried, start)`` returns what becomes of the part.
    dtype : dtype
        Of the result.
    name : str
        Of the function that the user called.

    Returns
    -------
    finished : dask.array.Array
        Of the chunks ``strips``, but in one block along the second axis.
    barrier : Barrier
        What its blocks wait for.
    """
    image = image.rechunk((tuple(filter(None, image.chunks[0])), *strips[1:]), method="tasks")
    token = tokenize(image.name, strips, summarize, carry, finish, dtype)
    finished, summary, carried, waited = (
        f"{name}-{step}-{token}" for step in ("sweep", "summary", "carry", "wait")
    )
    starts, tasks, waits = _starts(strips[0]), {}, []
    source, cuts = blocks_of(image), _strips_of_blocks(image.chunks[0], strips[0])

    def add(key, function, *args):
        tasks[key] = task(key, function, *args)
        return reference(key)

    for column in np.ndindex(image.numblocks[1:]):
        summaries = [
            add(
                (summary, row, *column), _summarize, summarize, reference((source, row, *column)),
                [starts[strip] for strip in within],
            )
            for row, within in enumerate(cuts)
        ]  # fmt: skip
        carry_task = add((carried, *column), _carry, carry, sequence(summaries))
        waits.append(add((waited, *column), wait_for, carry_task))
    # Nothing can be finished before all is read. To wait for that, rather than for a few
    # columns, lets Dask finish one line after another, and not begin on all of them at once.
    everything = add(waited, wait_for, *waits)
    for rest in np.ndindex(image.numblocks[2:]):
        columns = [(*second, *rest) for second in np.ndindex(image.numblocks[1:2])]
        for row, within in enumerate(cuts):
            for place, strip in enumerate(within):
                add(
                    (finished, strip, 0, *rest)[: image.ndim + 1], _finish_lines, finish,
                    sequence(reference((summary, row, *column)) for column in columns), place,
                    sequence(reference((carried, *column)) for column in columns), strip,
                    starts[strip], everything,
                )  # fmt: skip
    chunks = (strips[0], *((size,) for size in image.shape[1:2]), *strips[2:])
    meta = block_meta(image.ndim, dtype)
    step = Step(finished, tasks, [image])
    barrier = Barrier(delayed_in(step, waited), strips[0])
    return new_array(finished, tasks, [image], chunks, meta), barrier


def _strips_of_blocks(sizes, strips):
    """Return for each block along an axis the numbers of the strips that it is cut into."""
    ends = np.searchsorted(np.cumsum(strips), np.cumsum(sizes), side="left") + 1
    return [range(begin, end) for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist())]


def _summarize(summarize, block, starts):
    """Return the summaries of the parts of a block that begin at some positions of the image."""
    ends = [*starts[1:], starts[0] + len(block)]
    return [
        summarize(block[start - starts[0] : end - starts[0]], start)
        for start, end in zip(starts, ends, strict=True)
    ]


def _carry(carry, summaries):
    return carry([each for block in summaries for each in block])


def _finish_lines(finish, summaries, place, carried, strip, start, _):
    """Return a strip, of which parts are number ``place`` of those of blocks."""
    blocks = [
        finish(summary[place], column[strip], start)
        for summary, column in zip(summaries, carried, strict=True)
    ]
    if len(blocks) == 1:
        return blocks[0]
    shape = list(blocks[0].shape)
    shape[1] = sum(block.shape[1] for block in blocks)
    return np.concatenate(blocks, axis=1, out=recycled(shape, blocks[0].dtype))


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
