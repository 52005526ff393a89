"""Functions that calls hand on: importable, so that a printed call can be run."""

import numpy as np


def total(values):
    """Return the sum of values, in double precision so that their order matters little."""
    return float(np.sum(values, dtype=float))


def spread(values, scale=1.0):
    """Return the range of values."""
    return scale * float(np.max(values) - np.min(values))


def smooth_line(line, out):
    """Average three neighbours along a line, for ``generic_filter1d`` with a filter of 3."""
    out[...] = (line[:-2] + line[1:-1] + line[2:]) / 3


def squeeze(coordinates):
    """Map an output coordinate to an input coordinate, for ``geometric_transform``."""
    return tuple(0.7 * coordinate + 0.3 for coordinate in coordinates)


def spread_of_windows(windows, axis):
    """Return the range of windows, for ``vectorized_filter``."""
    return np.max(windows, axis=axis) - np.min(windows, axis=axis)


def fortran(block):
    """Return a block whose first axis is the fastest one."""
    return np.asfortranarray(block)


def strided(block):
    """Return a block every second pixel of whose memory is its own."""
    if not block.ndim:
        return block
    wide = np.repeat(block, 2, axis=-1)
    return wide[..., ::2]


def backwards(block):
    """Return a block whose memory counts downwards."""
    everywhere = (slice(None, None, -1),) * block.ndim
    return block[everywhere].copy()[everywhere]


def read_only(block):
    """Return a block that nobody may write to."""
    block = block.copy()
    block.flags.writeable = False
    return block


LAYOUTS = (fortran, strided, backwards, read_only)
"""How a block may lie in memory."""
