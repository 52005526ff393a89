"""Blocks of labels, kept in little room: as runs of equal ones."""

import zlib

import numpy as np


class Runs:
    """
    A block of integers or booleans as runs of equal values in raster order.

    Where runs take more room than pixels, every pixel is kept instead.

    Parameters
    ----------
    block : numpy.ndarray
    """

    def __init__(self, block):
        self.shape, self._dtype = block.shape, block.dtype
        flat = block.ravel()
        starts = run_starts(flat)
        lengths = _small(np.diff(starts, append=flat.size))
        values = _small(flat[starts])
        self._lengths = self._values = None
        if starts.size * (values.itemsize + lengths.itemsize) < flat.size * values.itemsize:
            # Runs are much alike from line to line.
            self._lengths, self._values = Squeezed(lengths), Squeezed(values)
        else:
            self._pixels = flat.astype(values.dtype)

    @property
    def values(self):
        """The value of each run, in the dtype of the block."""
        kept = self._pixels if self._values is None else self._values.array()
        return kept.astype(self._dtype)

    def with_values(self, values):
        """Return the block with other values, one for each run."""
        if self._lengths is not None:
            values = np.repeat(values, self._lengths.array())
        return values.reshape(self.shape)

    def block(self):
        """Return the block."""
        return self.with_values(self.values)


class Squeezed:
    """
    An array of one axis, compressed.

    Parameters
    ----------
    array : numpy.ndarray
    """

    def __init__(self, array):
        self._dtype = array.dtype
        self._bytes = zlib.compress(np.ascontiguousarray(array).view(np.uint8), 1)

    def array(self):
        """Return the array; it cannot be written to."""
        return np.frombuffer(zlib.decompress(self._bytes), self._dtype)


def run_starts(flat):
    """Return where a value follows another one, and the first place."""
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return np.concatenate([np.zeros(min(flat.size, 1), np.intp), changes])


def _small(values):
    """Return integers in the smallest dtype that holds them; others as they are."""
    if not values.size or values.dtype.kind not in "iu":
        return values
    limits = (np.min_scalar_type(int(limit)) for limit in (values.min(), values.max()))
    kind = np.result_type(*limits)
    return values.astype(kind) if kind.itemsize < values.itemsize else values


def compact(labels):
    """Return the labels present, 0 not among them, and a block of their ranks from 1."""
    flat = labels.ravel()
    starts = run_starts(flat)
    # What is sorted is a label a run.
    present, ranks = np.unique(flat[starts], return_inverse=True)
    background = np.searchsorted(present, 0)
    if background == present.size or present[background] != 0:
        ranks = ranks + 1
    else:
        # What is below 0 moves up by one, and 0 makes room for it.
        moved = np.arange(present.size)
        moved[:background] += 1
        moved[background] = 0
        present, ranks = np.delete(present, background), moved[ranks]
    return present, np.repeat(ranks, np.diff(starts, append=flat.size)).reshape(labels.shape)
