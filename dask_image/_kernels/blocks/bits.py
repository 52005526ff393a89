"""
Boolean lines as words: 64 pixels of the last axis a word, the first in the lowest bit.

What changes along a line is then found by ``word ^ (word << 1 | carry)``, 64 pixels at a time,
and the places of the changes by counting trailing zeros.
"""

import numpy as np

from dask_image._kernels._numba import intrinsic, jit, use_numba
from dask_image._kernels.memory import scratch
from dask_image._kernels.patience import patient


@patient
def pack_lines(mask):
    """
    Return the lines of ``mask`` along its last axis as words.

    Parameters
    ----------
    mask : numpy.ndarray of bool
        One axis at least.

    Returns
    -------
    numpy.ndarray of uint64
        Shape (lines, words a line); bits beyond the end of a line are 0.
    """
    length = mask.shape[-1]
    lines = mask.size // length if length else 0
    words = -(-length // 64)
    if length % 64 == 0 or lines <= 1:
        packed = np.packbits(mask.reshape(-1), bitorder="little")
        if packed.size < 8 * lines * words:
            packed = np.append(packed, np.zeros(8 * lines * words - packed.size, np.uint8))
    elif use_numba():
        packed = np.empty(lines * words, np.uint64)
        pack_rows(mask, np.arange(lines) * words, np.uint64(0), packed)
        return packed.reshape(lines, words)
    else:
        packed = np.zeros((lines, 8 * words), np.uint8)
        rows = np.packbits(mask.reshape(lines, length), axis=1, bitorder="little")
        packed[:, : rows.shape[1]] = rows
    return packed.view("<u8").astype(np.uint64, copy=False).reshape(lines, words)


def pack_rows(mask, starts, beyond, words):
    """
    Write the bits of the rows of a mask, one after another, to words from ``starts`` on.

    In the last word of a row ``beyond`` fills what it has no pixels for. NumPy holds the GIL where
    it packs short rows, for as long as a fast filter takes: here it packs all of them as one.
    """
    packed = np.packbits(mask.reshape(-1), bitorder="little")
    memory = scratch("packed rows", -(-packed.size // 8) * 8 + 8, np.uint8)
    memory[: packed.size] = packed
    flat = memory.view("<u8").astype(np.uint64, copy=False)
    _move_rows(flat, mask.shape[-1], starts, beyond, words)


@jit
def _move_rows(flat, length, starts, beyond, words):
    """Write rows of ``length`` bits, which follow each other in ``flat``, as `pack_rows` says."""
    for row in range(starts.size):
        bit, word = np.uint64(row * length), np.uint64(starts[row])
        for place in range(0, length, 64):
            first, shift = bit >> np.uint64(6), bit & np.uint64(63)
            bits = flat[first] >> shift
            if shift:
                bits |= flat[first + np.uint64(1)] << (np.uint64(64) - shift)
            if length - place < 64:
                outside = ~np.uint64(0) << np.uint64(length - place)
                bits = (bits & ~outside) | (beyond & outside)
            words[word] = bits
            word += np.uint64(1)
            bit += np.uint64(64)


def unpack_lines(words, shape):
    """Return the boolean array of that shape that `pack_lines` was given."""
    packed = words.astype("<u8", copy=False).view(np.uint8).reshape(len(words), 8 * words.shape[1])
    if shape[-1] % 64 == 0:
        return np.unpackbits(packed, bitorder="little").view(bool).reshape(shape)
    lines = np.unpackbits(packed, axis=1, count=shape[-1], bitorder="little")
    return lines.view(bool).reshape(shape)


@intrinsic(lambda word: (int(word) & -int(word)).bit_length() - 1)
def trailing_zeros(typing_context, word):
    """Count the zeros that a word, which is not 0, has below its lowest one."""
    from numba import boolean, uint64

    def generate(context, builder, signature, arguments):
        never_zero = context.get_constant(boolean, True)
        return builder.cttz(arguments[0], never_zero)

    return uint64(uint64), generate


@intrinsic(lambda word: int(word).bit_count())
def count_ones(typing_context, word):
    """Count the ones of a word."""
    from numba import uint64

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return uint64(uint64), generate


@jit
def count_changes(words):
    """
    Return how often all lines together change, from 0 before their first pixel to 0 at the end.
    """
    one, top = np.uint64(1), np.uint64(63)
    changes = np.uint64(0)
    for line in range(words.shape[0]):
        carry = np.uint64(0)
        for k in range(words.shape[1]):
            word = words[line, k]
            changes += count_ones(word ^ ((word << one) | carry))
            carry = word >> top
        changes += carry
    return np.int64(changes)


@jit
def count_all(words):
    """Return how many ones there are."""
    total = np.uint64(0)
    for line in range(words.shape[0]):
        for k in range(words.shape[1]):
            total += count_ones(words[line, k])
    return np.int64(total)
