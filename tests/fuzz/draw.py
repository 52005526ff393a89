"""Draw what calls are made of: arrays at the limits of their dtypes, chunks, windows, modes."""

from collections.abc import Callable
from dataclasses import dataclass, field

import dask.array as da
import numpy as np

from tests.fuzz import functions

INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
FLOATS = ("f4", "f8")
FILTER_MODES = ("reflect", "constant", "nearest", "mirror", "wrap")
GRID_MODES = ("grid-mirror", "grid-constant", "grid-wrap")


@dataclass
class Chunked:
    """An array that is given to SciPy as it is, and to the function under test in chunks."""

    array: np.ndarray
    chunks: tuple
    layout: Callable | None = None  # how blocks lie in memory

    def lazy(self):
        """Return the Dask array."""
        lazy = da.from_array(self.array, chunks=self.chunks)
        return lazy if self.layout is None else lazy.map_blocks(self.layout, meta=lazy._meta)


@dataclass
class Case:
    """
    A call of one function.

    Attributes
    ----------
    name : str
        Of a function of `scipy.ndimage`.
    arguments : dict
        By SciPy's names; arrays to be chunked are `Chunked`.
    compare : str, optional
        How results are compared; see ``check.py``. "whole" compares with the same call
        of one block, for functions that SciPy does not have.
    loose : float, optional
        The tolerance, where the promised one does not apply.
    bad : str, optional
        The argument that has a value that must be refused.
    oracle : dict
        Arguments of SciPy that differ from those of the function under test.
    """

    name: str
    arguments: dict
    compare: str = "array"
    loose: float | None = None
    bad: str | None = None
    oracle: dict = field(default_factory=dict)


class Draw:
    """Choices of one case, from one seed."""

    def __init__(self, *seed):
        self.random = np.random.default_rng(seed)

    def chance(self, probability):
        """Return True with a probability."""
        return self.random.random() < probability

    def integer(self, low, high):
        """Return an integer from ``low`` to ``high``, both included."""
        return int(self.random.integers(low, high, endpoint=True))

    def choice(self, *options):
        """Return one of the options."""
        return options[self.integer(0, len(options) - 1)]

    def maybe(self, value, probability=0.5, otherwise=None):
        """Return ``value()``, or ``otherwise``."""
        return value() if self.chance(probability) else otherwise

    # -----------------------------------------------------------------------------------
    # Arrays

    def shape(self, ndim=None, low=1, empty=0.04):
        """Return a shape of at most a few hundred pixels."""
        ndim = self.choice(1, 1, 2, 2, 2, 2, 3, 3, 4) if ndim is None else ndim
        longest = {0: 0, 1: 23, 2: 11, 3: 6}.get(ndim, 4)
        shape = [self.integer(low, longest) for _ in range(ndim)]
        if shape and self.chance(0.1):
            shape[self.integer(0, ndim - 1)] = low
        if shape and self.chance(empty):
            shape[self.integer(0, ndim - 1)] = 0
        return tuple(shape)

    def chunks(self, shape):
        """Return chunks: whole axes, single pixels, uneven ones and ones of no length."""
        chunks = []
        for size in shape:
            kind = self.integer(0, 5)
            if kind == 0:
                sizes = [size]
            elif kind == 1 and size <= 12:
                sizes = [1] * size or [0]
            else:
                cuts = self.random.integers(0, size, self.integer(0, 4), endpoint=True)
                cuts = np.sort(cuts) if self.chance(0.4) else np.unique(cuts)
                sizes = np.diff(np.concatenate([[0], cuts, [size]])).tolist()
                if not self.chance(0.15):  # chunks of no length are rare, and hard
                    sizes = [each for each in sizes if each] or [size]
            chunks.append(tuple(sizes))
        return tuple(chunks)

    def values(self, shape, dtype, limits=0.3, wild=0.0):
        """
        Return an array.

        ``limits`` is the chance of values at the limits of an integer dtype, ``wild`` that
        of NaN and infinities.
        """
        dtype = np.dtype(dtype)
        if dtype.kind == "b":
            return self.random.random(shape) < self.choice(0.1, 0.4, 0.6, 0.9)
        if dtype.kind in "iu":
            return self._integers(shape, dtype, limits)
        values = np.round(self.random.standard_normal(shape) * self.choice(1, 10, 1000), 3)
        if self.chance(0.3):
            values = np.round(values)
        if dtype.kind == "c":
            values = values + 1j * np.round(self.random.standard_normal(shape), 3)
        values = values.astype(dtype)
        if self.chance(wild) and values.size:
            special = [np.nan, np.inf, -np.inf, 0.0, -0.0][: self.integer(1, 5)]
            where = self.random.random(shape) < self.choice(0.03, 0.2, 0.7)
            values[where] = self.random.choice(special, int(where.sum()))
        return values

    def _integers(self, shape, dtype, limits):
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        if self.chance(limits):
            near = [low, low + 1, high, high - 1, high // 2 + 1, 0, 1]
            return self.random.choice(np.array(near, dtype), shape).reshape(shape)
        reach = self.choice(2, 9, 100, 1000)
        return self.random.integers(
            max(low, -reach), min(high, reach), shape, dtype=dtype, endpoint=True
        )

    def image(
        self, kinds="biuf", ndim=None, limits=0.3, wild=0.0, shape=None, empty=0.04, swapped=0.04
    ):
        """Return a chunked image of a dtype of these kinds, now and then of swapped bytes."""
        dtypes = {"b": ("?",), "i": INTEGERS[::2], "u": INTEGERS[1::2]}
        dtypes |= {"f": FLOATS, "c": ("c8", "c16")}
        dtype = self.choice(*dtypes[self.choice(*kinds)])
        shape = self.shape(ndim, empty=empty) if shape is None else shape
        values = self.values(shape, dtype, limits, wild)
        if self.chance(swapped):
            values = values.astype(values.dtype.newbyteorder())
        return self.chunked(values)

    def chunked(self, array):
        """Return an array with chunks, whose blocks may lie in memory in any way."""
        layout = self.choice(*functions.LAYOUTS) if self.chance(0.2) else None
        return Chunked(array, self.chunks(array.shape), layout)

    # -----------------------------------------------------------------------------------
    # Arguments

    def axes(self, ndim):
        """Return None, one axis or several, in any order."""
        if self.chance(0.6) or ndim == 0:
            return None
        count = self.integer(1, ndim)
        axes = [int(axis) for axis in self.random.permutation(ndim)[:count]]
        # SciPy pairs axes that do not rise with other sizes in one function than in another.
        axes = sorted(axes)
        return axes[0] if count == 1 and self.chance(0.5) else tuple(axes)

    def each(self, count, value):
        """Return one value, or one for each axis."""
        return value() if self.chance(0.5) or not count else [value() for _ in range(count)]

    def lengths(self, image, count, every_pixel=True):
        """
        Return lengths of a window along axes.

        ``every_pixel`` tells that SciPy takes time for every pixel of the window.
        """
        lengths = [self.integer(1, 4) for _ in range(count)]
        longer = self.chance(0.08) and count < 4  # than the image
        return [2 * length + 7 for length in lengths] if longer else lengths

    def scale(self, *options):
        """Return how wide a Gaussian is."""
        return self.choice(*options)

    def spacing(self, shape):
        """Return spacings of a grid, along each axis."""
        return tuple(self.integer(1, size) for size in shape)

    def mode(self, count=0, modes=FILTER_MODES):
        """Return a mode, or one for each axis."""
        return self.each(count, lambda: self.choice(*modes))

    def cval(self, array=None):
        """Return a value for what lies outside."""
        if array is not None and array.dtype.kind == "u":
            return self.choice(0, 0.0, 1, 3)
        if array is not None and array.dtype.kind in "bi":
            return self.choice(0, 0.0, 1, 3, -2)
        return self.choice(0, 0.0, 1, 2.5, -3, 1e3)

    def origin(self, size):
        """Return an origin that leaves the centre in a window of this size."""
        return self.integer(-(size // 2), (size - 1) // 2) if self.chance(0.5) else 0

    def footprint(self, shape):
        """Return a boolean array with at least one pixel."""
        footprint = self.random.random(shape) < 0.6
        footprint.flat[self.integer(0, footprint.size - 1)] = True
        return footprint

    def output(self, array):
        """Return a dtype that holds what the image's does."""
        if array.dtype.kind == "c":
            return self.choice(None, None, "c16")
        return self.choice(None, None, None, "f4", "f8", array.dtype.name)

    def structure(self, shape, symmetric=False):
        """Return a structure for binary operations, no longer than the image."""
        structure = self.random.random(shape) < 0.6
        structure.flat[structure.size // 2] = True
        return structure | np.flip(structure) if symmetric else structure
