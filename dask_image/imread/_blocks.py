"""Into which blocks frames are cut, and how one is read."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
from dask.utils import parse_bytes

AUTO = "auto"

# Of a frame that is cut. Larger blocks are not read faster, and functions hold several a thread.
BLOCK_BYTES = 16 << 20


def plane_chunks(chunks, shape, segment_shape, pixel_bytes, frames):
    """
    Return the sizes of the blocks along rows and columns.

    Parameters
    ----------
    chunks : "auto", int or pair of "auto", int, None or tuple of int
        What the user asked for.
    shape : tuple of int
        Rows and columns of a frame.
    segment_shape : tuple of int
        Rows and columns of what is read or unpacked at once.
    pixel_bytes : int
        Bytes of a pixel of one frame, all samples counted.
    frames : int
        In a block.

    Returns
    -------
    tuple of tuple of int

    Raises
    ------
    ValueError
        If ``chunks`` is none of these, or does not add up to the shape.
    """
    wanted = tuple(chunks) if isinstance(chunks, (list, tuple)) else (chunks, chunks)
    if len(wanted) != 2:
        raise ValueError(
            "chunks must be 'auto', a number, or one entry for the rows and one for the columns, "
            f"got {chunks!r}"
        )
    automatic = _automatic(shape, segment_shape, pixel_bytes, frames)
    return tuple(
        _sizes(one, size, auto, chunks) for one, size, auto in zip(wanted, shape, automatic)
    )


def _sizes(wanted, size, automatic, chunks):
    """Return the sizes of the blocks along one axis."""
    if isinstance(wanted, (list, tuple)):
        if all(isinstance(one, int) and one > 0 for one in wanted) and sum(wanted) == size:
            return tuple(wanted)
        raise ValueError(f"chunks must be positive and add up to {size}, got {wanted!r}")
    if wanted is None:
        return (size,)
    if isinstance(wanted, str) and wanted == AUTO:
        step = automatic
    else:
        try:
            step = 0 if isinstance(wanted, (bool, np.bool_)) else operator.index(wanted)
        except TypeError:
            step = 0
    if step == -1:
        return (size,)
    if step < 1:
        raise ValueError(
            "chunks must be made of 'auto', positive integers, -1 for all, or tuples of sizes, "
            f"got {chunks!r}"
        )
    step = min(step, size)
    return (step,) * (size // step) + ((size % step,) if size % step else ())


def _automatic(shape, segment_shape, pixel_bytes, frames):
    """Return rows and columns of a block: whole segments, as square as they allow."""
    limit = parse_bytes(dask.config.get("array.chunk-size"))
    if math.prod(shape) * pixel_bytes <= limit:
        return shape
    pixels = min(limit, BLOCK_BYTES) // (pixel_bytes * frames)
    rows, columns = segment_shape
    most = [-(-size // part) for size, part in zip(shape, segment_shape)]
    segments = max(pixels // (rows * columns), 1)
    down = min(max(math.isqrt(pixels) // rows, 1), most[0], segments)
    along = min(segments // down, most[1])
    down = min(segments // along, most[0])
    # As many blocks, as even as whole segments can make them.
    down, along = (-(-count // -(-count // part)) for count, part in zip(most, (down, along)))
    return down * rows, along * columns


@dataclass(frozen=True)
class Block:
    """
    The frames of one block, or rows and columns of them, of some sources after one another.

    Indexing reads: an integer, slice or list for each axis. ``before`` axes of length one
    come first, then that of the frames, unless there is one frame, without an axis.
    """

    sources: tuple[Any, ...]
    arraytype: str
    before: int = 0
    has_frames: bool = True

    @property
    def shape(self):
        """Length of every axis."""
        count = sum(source.count for source in self.sources)
        return (1,) * self.before + (count,) * self.has_frames + self.sources[0].frame_shape

    def __getitem__(self, index):
        covers, rest = zip(*map(_cover, index, self.shape), strict=True)
        rows = self.before + self.has_frames + self.sources[0].plane_axis
        cut = {rows, rows + 1} | ({self.before} if self.has_frames else set())
        frames = covers[self.before] if self.has_frames else range(1)
        block = self._read(frames, covers[rows], covers[rows + 1])
        block = block.reshape((1,) * self.before + block.shape[1 - self.has_frames :])
        # Other axes are read all of them, so that theirs is the whole of the index.
        return block[
            tuple(rest[axis] if axis in cut else given for axis, given in enumerate(index))
        ]

    def _read(self, frames, rows, columns):
        """Return a range of frames, of rows and of columns, counted in the block."""
        first = self.sources[0]
        shape = list(first.frame_shape)
        shape[first.plane_axis : first.plane_axis + 2] = len(rows), len(columns)
        out = np.empty((len(frames), *shape), first.dtype)
        position = 0
        for source in self.sources if out.size else ():
            low = max(frames.start - position, 0)
            high = min(frames.stop - position, source.count)
            if low < high:
                part = source.select(
                    low, high, source.rows[rows.start : rows.stop],
                    source.columns[columns.start : columns.stop],
                )  # fmt: skip
                begin = position + low - frames.start
                _read_source(part, out[begin : begin + high - low])
            position += source.count
        if self.arraytype == "cupy":
            import cupy

            return cupy.asarray(out)
        return out


def _read_source(source, out):
    """Fill ``out`` from one source; an error names its files."""
    try:
        source.read_into(out)
    except Exception as error:  # readers raise whatever their formats' libraries do
        if isinstance(error, OSError) and error.filename is not None:
            raise
        names = ", ".join(file.path for file in source.files)
        raise OSError(f"cannot read {names}: {error}") from error


def _cover(index, size):
    """Return the range that the index of an axis lies in, and the index in that range."""
    if isinstance(index, slice):
        picked = range(size)[index]
        if not picked:
            return range(0), slice(0)
        low, high = sorted((picked[0], picked[-1]))
        return range(low, high + 1), slice(None, None, picked.step)
    if isinstance(index, list):
        if not index:
            return range(0), index
        low = min(index)
        return range(low, max(index) + 1), [one - low for one in index]
    return range(index, index + 1), 0
