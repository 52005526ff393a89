"""Blocks of labels, kept in little room: as runs of equal ones."""

import math
import zlib

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.patience import LONG, patient


class Runs:
    """
    A block of integers or booleans as runs of equal values in raster order.

    Where these take more room, pixels are kept that differ from the ones before them along every
    axis, and for all others along which axis they are equal; or simply every pixel.

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
        self._lengths = self._pixels = self._axes = None
        room = starts.size * (values.itemsize + lengths.itemsize)
        planes = block.ndim.bit_length()  # of bits, which hold the number of an axis or none
        if room < flat.size * planes / 8:
            # Runs are much alike from line to line.
            self._lengths, self._values = Squeezed(lengths), Squeezed(values)
            return
        axes = _equal_along(block)
        own = axes == block.ndim
        if flat.size * planes / 8 + np.count_nonzero(own) * values.itemsize < min(
            room, flat.size * values.itemsize
        ):
            bits = [np.packbits(axes >> plane & 1) for plane in range(planes)]
            self._axes = [Squeezed(each) for each in bits]
            self._values = Squeezed(block[own].astype(values.dtype))
        elif room < flat.size * values.itemsize:
            self._lengths, self._values = Squeezed(lengths), Squeezed(values)
        else:
            self._pixels = flat.astype(values.dtype)

    @property
    def values(self):
        """The value of each run, or of each pixel that is kept, in the dtype of the block."""
        kept = self._values.array() if self._pixels is None else self._pixels
        return kept.astype(self._dtype)

    def with_values(self, values):
        """Return the block with other values, one for each of ``values``."""
        if self._lengths is not None:
            values = np.repeat(values, self._lengths.array())
        elif self._axes is not None:
            values = self._spread(values)
        return values.reshape(self.shape)

    def block(self):
        """Return the block."""
        return self.with_values(self.values)

    def _spread(self, values):
        """Give values to the pixels that have one of their own, and theirs to all others."""
        size = math.prod(self.shape)
        axes = np.zeros(size, np.uint8)
        for plane, bits in enumerate(self._axes):
            axes |= np.unpackbits(bits.array(), count=size) << np.uint8(plane)
        strides = [math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))]
        return _spread_along(axes, np.array(strides, np.int64), values)


def _equal_along(block):
    """Return the last axis along which each pixel equals the one before it; else their number."""
    axes = np.full(block.shape, block.ndim, np.uint8)
    for axis in range(block.ndim):
        later, earlier = (
            (slice(None),) * axis + (part,) for part in (slice(1, None), slice(None, -1))
        )
        axes[later][block[later] == block[earlier]] = axis
    return axes


@patient(nanoseconds=LONG)
def _spread_along(axes, strides, values):
    """Return pixels that equal the ones before them along an axis, or have a value of their own."""
    if use_numba():
        block = np.empty(axes.size, values.dtype)
        _copy_along(axes, strides, values, block)
        return block
    origin = np.arange(axes.size) - np.append(strides, 0)[axes]
    while (origin != (before := origin[origin])).any():
        origin = before
    return values[np.cumsum(axes == strides.size)[origin] - 1]


@jit
def _copy_along(axes, strides, values, block):
    count = 0
    for i in range(block.size):
        axis = axes[i]
        if axis < strides.size:
            block[i] = block[i - strides[axis]]
        else:
            block[i] = values[count]
            count += 1


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


class Ascending:
    """
    Integers that ascend, or mostly do, compressed.

    Parameters
    ----------
    array : numpy.ndarray

    Attributes
    ----------
    size : int
    dtype : numpy.dtype
    """

    def __init__(self, array):
        self.size, self.dtype, self._first = array.size, array.dtype, array[:1].copy()
        # Beyond the limits of the dtype differences wrap around, and so do their sums.
        self._differences = Squeezed(_small(np.diff(array)))

    def array(self):
        """Return the array."""
        array = np.empty(self.size, self.dtype)
        array[:1] = self._first
        np.cumsum(self._differences.array(), dtype=self.dtype, out=array[1:])
        array[1:] += self._first
        return array


class Bits:
    """
    Booleans, compressed.

    Parameters
    ----------
    array : numpy.ndarray of bool
        Of one axis.
    """

    dtype = np.dtype(bool)

    def __init__(self, array):
        self.size, self._bits = array.size, Squeezed(np.packbits(array))

    def array(self):
        """Return the array."""
        return np.unpackbits(self._bits.array(), count=self.size).view(bool)


class Numbers:
    """
    Integers, compressed, of which those that are not 0 mostly ascend.

    Parameters
    ----------
    array : numpy.ndarray of int
        Of one axis.
    """

    def __init__(self, array):
        there = array != 0
        self._there, self._numbers = Bits(there), Ascending(array[there])

    def array(self):
        """Return the array."""
        there = self._there.array()
        array = np.zeros(there.size, self._numbers.dtype)
        array[there] = self._numbers.array()
        return array


def as_array(values):
    """Return what may be compressed as an array."""
    return values if isinstance(values, np.ndarray) else values.array()


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
