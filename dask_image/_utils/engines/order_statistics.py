"""
Find the middle of all values of an image by counting, never sorting it as a whole.

Values become unsigned integers of the same order, and are settled 16 bits at a time, from the
highest: a pass counts the next digit of the values whose higher digits are settled, as a radix
sort would. Integers of up to 16 bits take one pass, double precision takes four. Each pass reads
the image again, so that no more than a few blocks are held.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from dask.delayed import Delayed

from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import delayed_blocks, delayed_call, map_blocks, read_again
from dask_image._utils.typing import Array, NDArray

DIGIT_BITS = 16

# So many values are counted at a time, that what is made of them stays in a cache.
PIECE = 1 << 17


class Middle(NamedTuple):
    """
    Values at the middle and at the end of the sorted values of an image.

    Attributes
    ----------
    count : int
        How many values there are; if none, the other attributes have no meaning.
    lower, upper : numpy.generic
        The middle values: the same one if ``count`` is odd.
    last : numpy.generic
        The greatest, or NaN if there is any.
    """

    count: int  # type: ignore[assignment]  # a tuple's own method of this name is not missed
    lower: Any
    upper: Any
    last: Any


class Settled(NamedTuple):
    """
    What is known of the values that are looked for.

    Attributes
    ----------
    count : int
        How many values the image has.
    prefixes : list of int
        The digits that are settled, of each value that is looked for.
    ranks : list of int
        Which one it is, in sorted order, among those that share these digits.
    """

    count: int  # type: ignore[assignment]  # a tuple's own method of this name is not missed
    prefixes: list[int]
    ranks: list[int]


def can_select(dtype: np.dtype[Any]) -> bool:
    """Tell whether values of ``dtype`` can be settled digit by digit."""
    return dtype.kind in "biu" or (dtype.kind == "f" and dtype.itemsize <= 8)


def middle_values(image: Array, group: Array, name: str) -> Delayed:
    """
    Find the middle values of a part of an image.

    Parameters
    ----------
    image : dask.array.Array
        Of a dtype that :func:`can_select` takes.
    group : dask.array.Array
        True for the pixels that count; shape and chunks as ``image``.
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.delayed.Delayed
        A :class:`Middle`.
    """
    bits = image.dtype.itemsize * 8
    digit_bits = min(bits, DIGIT_BITS)
    settled: Any = None
    source = image, group
    for number, shift in enumerate(range(bits - digit_bits, -1, -digit_bits)):
        if number:
            source = read_again(image, settled), read_again(group, settled)
        counts = map_blocks(
            count_digits,
            *source,
            shift,
            digit_bits,
            settled=settled,
            name=f"{name}-count",
            dtype=np.int64,
            new_axis=(image.ndim, image.ndim + 1),
            chunks=(*((1,) * blocks for blocks in image.numblocks), (3,), (1 << digit_bits,)),
            meta=block_meta(image.ndim + 2, np.int64),
        ).sum(axis=tuple(range(image.ndim)), split_every=4)
        (counts,) = delayed_blocks(counts)
        settled = delayed_call(f"{name}-settle", settle, counts, settled, digit_bits)
    return delayed_call(f"{name}-settle", _as_middle, settled, image.dtype)


def ordered_integers(values: NDArray) -> NDArray:
    """
    Return unsigned integers in the order of the values, NaN greatest.

    Parameters
    ----------
    values : numpy.ndarray
        Booleans, integers, or floats of up to 64 bits.

    Returns
    -------
    numpy.ndarray
        Of the same itemsize.
    """
    unsigned = np.dtype(f"u{values.itemsize}")
    keys = values.view(unsigned)
    if values.dtype.kind in "bu":
        return keys
    sign = unsigned.type(1 << (8 * values.itemsize - 1))
    if values.dtype.kind == "i":
        return keys ^ sign
    # Of negative floats, those with the smaller bits are the greater: all bits are turned.
    turned = (values.view(f"i{values.itemsize}") >> (8 * values.itemsize - 1)).view(unsigned)
    turned |= sign
    turned ^= keys
    missing = np.isnan(values)
    if missing.any():
        turned[missing] = np.iinfo(unsigned).max
    return turned


def _from_ordered_integers(keys, dtype):
    """Return the values that :func:`ordered_integers` made ``keys`` of."""
    sign = keys.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        keys = keys ^ sign
    if dtype.kind == "f":
        keys = np.where(keys & sign, keys ^ sign, ~keys)
    return keys.view(dtype)


def count_digits(
    values: NDArray, group: NDArray, shift: int, digit_bits: int, settled: Settled | None
) -> NDArray:
    """
    Count the values of a block by their next digit, for each value that is looked for.

    Parameters
    ----------
    values, group : numpy.ndarray
        Blocks of the image and of the pixels that count.
    shift : int
        How many bits come after the digit.
    digit_bits : int
        How many bits the digit has.
    settled : Settled or None
        What is known.

    Returns
    -------
    numpy.ndarray
        Counts (…, 3, digits), with an axis of length 1 for each of the block's.
    """
    values = values.ravel() if group.all() else values.ravel()[group.ravel()]
    prefixes = [0, 0, 0] if settled is None else settled.prefixes
    found = dict.fromkeys(prefixes, np.zeros(1 << digit_bits, np.int64))
    for begin in range(0, values.size, PIECE):
        keys = ordered_integers(values[begin : begin + PIECE])
        digits = keys >> keys.dtype.type(shift)
        for prefix in found:
            chosen = digits
            if settled is not None:
                chosen = digits[digits >> digit_bits == keys.dtype.type(prefix)]
            chosen = chosen & keys.dtype.type((1 << digit_bits) - 1)
            counts = np.bincount(chosen.astype(np.intp), minlength=1 << digit_bits)
            found[prefix] = found[prefix] + counts
    return np.stack([found[prefix] for prefix in prefixes]).reshape(
        *(1,) * group.ndim, len(prefixes), 1 << digit_bits
    )


def settle(counts: NDArray, settled: Settled | None, digit_bits: int) -> Settled:
    """Settle one digit more, from the counts of the whole image: a new :class:`Settled`."""
    counts = counts.reshape(3, -1)
    if settled is None:
        count = int(counts[0].sum())
        settled = Settled(count, [0, 0, 0], [(count - 1) // 2, count // 2, count - 1])
    if settled.count == 0:
        return settled
    prefixes, ranks = [], []
    for row, prefix, rank in zip(counts, settled.prefixes, settled.ranks, strict=True):
        through = np.cumsum(row)
        digit = int(np.searchsorted(through, rank, side="right"))
        prefixes.append(prefix << digit_bits | digit)
        ranks.append(rank - int(through[digit] - row[digit]))
    return Settled(settled.count, prefixes, ranks)


def _as_middle(settled, dtype):
    keys = np.array(settled.prefixes, f"u{dtype.itemsize}")
    return Middle(settled.count, *_from_ordered_integers(keys, dtype))
