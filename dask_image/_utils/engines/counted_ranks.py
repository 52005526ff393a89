"""
Ranks among the pixels that count.

A rank is another one wherever another number of pixels counts: `RankKernel` counts them first.
Where there is a compiled kernel, it finds each window its own; otherwise the plain filter runs
once for each rank that many pixels need: few, as it fills the pixels that do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.engines.counted import Counted, differs_beyond, extreme_of, strips
from dask_image._utils.engines.overlap import BlockKernel
from dask_image._utils.modes import MODES
from dask_image._utils.typing import Block, ModeName, NDArray, Slices

# Of a rank that few pixels need, their windows are gathered: so many pixels of windows take the
# time that the plain filter takes for one pixel of the block.
GATHERED_PER_PIXEL = 0.5

# How many pixels of windows are gathered at a time.
GATHERED_AT_A_TIME = 1 << 20

# Sums of two numbers of at most so many bits are looked up in a table.
TABLE_BITS = 6


@dataclass(frozen=True)
class RankKernel:
    """
    The value of a rank among the counted pixels of a window.

    Pixels that do not count get the largest value or the least: a rank among those that do is then
    one among all, greater by how many of the window's have the least. Their shares are such that
    it is much the same rank everywhere (half of each for a median), and the plain filter finds it;
    it runs again for each of the few others, or their windows are gathered.

    Attributes
    ----------
    rank_filter, mean_filter : callable
        `scipy.ndimage.rank_filter`, and `uniform_filter` or `correlate`, or what stands for them.
    footprint : numpy.ndarray of bool
        The window, with an axis for each of the image.
    origins : tuple of int
    mode : str
    cval : number
    rank_of : callable
        ``rank_of(counts)`` gives the rank for each number of counted pixels; what lies out of
        range is none.
    counted : Counted
        Without its mask, which comes with the block.
    fill : number
    dtype : dtype
    """

    rank_filter: Callable[..., Any]
    mean_filter: Callable[..., Any]
    footprint: NDArray
    origins: tuple[int, ...]
    mode: ModeName
    cval: Any
    rank_of: Callable[[Any], Any]
    counted: Counted
    fill: Any
    dtype: np.dtype[Any]

    def __call__(self, block: Block, where: Block | None = None) -> Block:
        """Filter all of a block."""
        return self.in_region(block, where)

    def in_region(
        self, block: Block, where: Block | None = None, region: Slices | None = None
    ) -> Block:
        """Filter a block, and return the pixels of a region."""
        mask = self.counted.in_block(block, where)
        if not block.ndim:
            return self._filter(block, mask, region)
        region = region or tuple(slice(0, size) for size in block.shape)
        shape = [along.stop - along.start for along in region]
        result = np.empty(shape, self.dtype)
        before = len(self.footprint) // 2 + self.origins[0]
        reach = before, len(self.footprint) - 1 - before
        for rows, inner, written in strips(block, region, reach, self.mode, block.itemsize):
            result[written] = self._filter(block[rows], mask[rows], inner)
        return result

    def _filter(self, block, mask, region):
        total = int(np.count_nonzero(self.footprint))
        long = _is_long(block)
        if not long and self._takes_all(mask):
            value = self._filtered(block, region, int(self.rank_of(np.array([total]))[0]))
            return value.astype(self.dtype, copy=False)
        share = 1 if long else self._share_below(total)
        found = None if long else self._by_value(block, mask, region, total)
        if found is None and not long:
            found = self._compiled(block, mask, region, share)
        if found is not None:
            return found
        below = _spread(mask, share)
        ranks = self._ranks(mask, below, total, region)
        pixels = np.bincount(1 + ranks.ravel(), minlength=1)[1:]
        filled = np.where(mask, block, extreme_of(block.dtype, True))
        np.copyto(filled, extreme_of(block.dtype, False), where=below)
        result = np.full(ranks.shape, self.fill, self.dtype)
        for rank in np.flatnonzero(pixels).tolist():
            wanted = ranks == rank
            if long or pixels[rank] * total < GATHERED_PER_PIXEL * result.size:
                result[wanted] = self._gathered(filled, region, wanted, rank)
                continue
            value = self._filtered(filled, region, rank)
            np.copyto(result, value, where=wanted, casting="unsafe")
        return result

    def _takes_all(self, mask):
        """Tell whether all pixels of all windows count, so that the plain filter does."""
        total = int(np.count_nonzero(self.footprint))
        if not (mask.all() and 0 <= self.rank_of(np.array([total]))[0] < total):
            return False
        constant = MODES[self.mode].as_filter == "constant"
        return not constant or bool(self.counted.beyond_edges(self.cval))

    def _by_value(self, block, mask, region, total):
        """
        Return what the plain filter finds, or None where windows do not share one rank.

        Where it finds the value of those that do not count, a window has too few pixels.
        """
        counts, neutral = np.arange(total + 1), extreme_of(block.dtype, True)
        ranks = self.rank_of(counts)
        has_rank = (ranks >= 0) & (ranks < counts)
        ranks = np.unique(ranks[has_rank])
        beyond = self.counted.beyond_edges(self.cval)
        known = not beyond or differs_beyond(neutral, self.cval, [self.mode])
        if not known or ranks.size != 1 or self.dtype != block.dtype:
            return None
        if not np.array_equal(has_rank, counts > ranks):
            return None
        filled, distinct = kernels.counted.fill_in(block, mask, neutral)
        if not distinct:
            return None
        value = self._filtered(filled, region, int(ranks[0]))
        kernels.counted.put_unless(value, neutral, self.fill, value)
        return value

    def _compiled(self, block, mask, region, share):
        """Return what the compiled kernel finds, or None where there is none that is faster."""
        return kernels.counted_ranks.counted_ranks(
            block, mask, region, rank_of=self.rank_of, share=share,
            beyond=self.counted.beyond_edges(self.cval), fill=self.fill, dtype=self.dtype,
            footprint=self.footprint, origin=self.origins, mode=self.mode,
            cval=self._beyond(block.dtype),
        )  # fmt: skip

    def _share_below(self, total):
        """Return which share of the pixels that do not count must be low, lest ranks change."""
        half = total // 2
        few, many = self.rank_of(np.array([half, total])).tolist()
        return (many - few) / (total - half)

    def _beyond(self, dtype):
        return self.cval if self.counted.beyond_edges(self.cval) else extreme_of(dtype, True)

    def _ranks(self, mask, below, total, region):
        """
        Return the rank of each window's pixel among all of the window, -1 where there is none.
        """
        keywords = {"origin": self.origins, "mode": self.mode, "output": np.float64}
        keywords["cval"] = self.counted.beyond_edges(self.cval)
        scale = 1
        if self.footprint.all():
            keywords["size"], scale = self.footprint.shape, self.footprint.size
        else:
            keywords["weights"] = self.footprint.astype(np.float64)
        # One sum holds how many pixels count, and above these bits how many have the least value.
        bits = total.bit_length()
        kind = np.int32 if 2 * bits < 31 else np.int64
        both = np.where(below, kind(1 << bits), mask)
        shares = BlockKernel(self.mean_filter, keywords).on_boxes([both], region)
        shares *= scale
        shares += 0.5
        sums = shares.astype(kind)
        counts = np.arange(total + 1)
        ranks = self.rank_of(counts)
        # Where there is none, it stays below 0 whatever is added.
        ranks = np.where((ranks >= 0) & (ranks < counts), ranks, -1 - total).astype(kind)
        codes = sums if bits > TABLE_BITS else np.arange(1 << 2 * bits, dtype=kind)
        counts = np.minimum(codes & kind((1 << bits) - 1), kind(total))
        found = np.maximum(ranks[counts] + (codes >> kind(bits)), kind(-1))
        return found if codes is sums else found.astype(np.int16)[sums]

    def _filtered(self, filled, region, rank):
        """Return the rank of all windows, by the plain filter."""
        keywords = {
            "rank": rank, "footprint": self.footprint, "origin": self.origins, "mode": self.mode,
            "cval": self._beyond(filled.dtype),
        }  # fmt: skip
        return BlockKernel(self.rank_filter, keywords).on_boxes([filled], region)

    def _gathered(self, filled, region, wanted, rank):
        """Return the rank of a few windows."""
        pixels = np.nonzero(wanted)
        begin = [0] * filled.ndim if region is None else [along.start for along in region]
        offsets = np.nonzero(self.footprint)
        middle = [size // 2 + along for size, along in zip(self.footprint.shape, self.origins)]
        beyond = np.asarray(self._beyond(filled.dtype)).astype(filled.dtype)
        values = np.empty(pixels[0].size, filled.dtype)
        batch = max(1, GATHERED_AT_A_TIME // offsets[0].size)
        for first in range(0, values.size, batch):
            places, outside = 0, False
            for axis, size in enumerate(filled.shape):
                along = pixels[axis][first : first + batch, None] + begin[axis] - middle[axis]
                along = MODES[MODES[self.mode].as_filter].fold(along + offsets[axis], size)
                outside = outside | (along < 0)
                places = places * size + along
            rows = np.where(outside, beyond, filled.ravel()[np.where(outside, 0, places)])
            values[first : first + batch] = np.partition(rows, rank, axis=1)[:, rank]
        return values


def _spread(mask, share):
    """Choose this share of the pixels that do not count, as evenly along rows as may be."""
    missing = ~mask
    if share in (0, 1) or not missing.any():
        return missing if share == 1 else np.zeros_like(missing)
    place = np.flatnonzero(missing)
    chosen = np.floor(np.arange(1, len(place) + 1) * share + 0.5)
    missing.ravel()[place] = np.diff(chosen, prepend=0) > 0
    return missing


def _is_long(block):
    """Tell whether a block holds integers that float64, which SciPy's filters use, rounds."""
    if block.dtype.kind not in "iu" or block.dtype.itemsize < 8 or not block.size:
        return False
    return bool(block.max() > 2**53 or block.min() < -(2**53))


@dataclass(frozen=True)
class MedianRank:
    """The rank of the median among a number of pixels, as SciPy takes it."""

    def __call__(self, counts: Any) -> Any:
        """Return the rank, for each count."""
        return counts // 2


@dataclass(frozen=True)
class PercentileRank:
    """The rank of a percentile among a number of pixels, as SciPy takes it."""

    percentile: float

    def __call__(self, counts: Any) -> Any:
        """Return the rank, for each count."""
        share = self.percentile + 100.0 if self.percentile < 0 else self.percentile
        return counts - 1 if share == 100 else (counts * share / 100.0).astype(np.int32)


@dataclass(frozen=True)
class FixedRank:
    """A rank counted from the smallest, or from the largest if it is negative."""

    rank: int

    def __call__(self, counts: Any) -> Any:
        """Return the rank, for each count."""
        return np.full_like(counts, self.rank) if self.rank >= 0 else counts + self.rank
