"""Into which blocks a frame is cut."""

import math
import operator

import dask
import numpy as np
from dask.utils import parse_bytes

AUTO = "auto"


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
    pixels = limit // (pixel_bytes * frames)
    rows, columns = segment_shape
    most = [-(-size // part) for size, part in zip(shape, segment_shape)]
    segments = max(pixels // (rows * columns), 1)
    down = min(max(math.isqrt(pixels) // rows, 1), most[0], segments)
    along = min(segments // down, most[1])
    down = min(segments // along, most[0])
    # As many blocks, as even as whole segments can make them.
    down, along = (-(-count // -(-count // part)) for count, part in zip(most, (down, along)))
    return down * rows, along * columns
