"""What the kernels share: SciPy's boundary modes, its casts, and tiles that stay in the cache."""

import numpy as np

# The dtypes that SciPy's C code and these kernels both know, in native byte order.
NUMBERS = tuple(np.dtype(code) for code in "bBhHiIlLqQfd")

# SciPy's names for the same extension, under one of them.
CANONICAL_MODE = {
    "nearest": "nearest",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "mirror": "mirror",
    "constant": "constant",
    "grid-constant": "constant",
}

# A tile and its intermediate results should fit the second-level cache of one core together.
TILE_BYTES = 1 << 19


def fold(positions, length, mode):
    """
    Return which element of an axis stands at ``positions``, some of them outside the axis.

    ``mode`` is canonical and not ``"constant"``; ``length`` is at least 1.
    """
    if mode == "nearest":
        return np.clip(positions, 0, length - 1)
    if mode == "wrap":
        return positions % length
    if mode == "reflect":
        positions = positions % (2 * length)
        return np.minimum(positions, 2 * length - 1 - positions)
    period = max(2 * length - 2, 1)
    positions = positions % period
    return np.minimum(positions, period - positions) if length > 1 else positions * 0


def each(value, count):
    """Return one value an axis; SciPy's error if there are too many or too few."""
    values = [value] * count if isinstance(value, str) or np.ndim(value) == 0 else list(value)
    if len(values) != count:
        raise RuntimeError("sequence argument must have length equal to input rank")
    return values


def store(values, target):
    """Write float64 ``values`` to ``target`` with the conversion that C gives SciPy."""
    with np.errstate(invalid="ignore", over="ignore"):
        if target.dtype.kind in "fc":
            target[...] = values
        elif target.dtype.itemsize < 4 or target.dtype == np.int32:
            # Narrow integers wrap around from 32 bits, as the processor's conversion does.
            target[...] = values.astype(np.int32)
        elif target.dtype == np.uint64:
            high = values >= 2.0**63
            target[...] = np.where(high, values - 2.0**63, values).astype(np.int64)
            target[high] += np.uint64(2**63)
        else:
            target[...] = values.astype(np.int64)


def hand_over(values, target):
    """
    Write ``values`` to ``target`` with what SciPy's way through float64 does to long integers.

    Its filters hold every value as float64 until they convert it to the dtype of
    the output. Rounding is monotonic, so it may follow a minimum, a maximum or a rank.
    """
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        store(values.astype(np.float64), target)
    else:
        target[...] = values


def holds_nan(image):
    """Tell whether there is any NaN, for which SciPy's comparisons have no one order."""
    return image.dtype.kind == "f" and image.size > 0 and bool(np.isnan(np.min(image)))


def new_output(image, output):
    """Return the array to write to, or None where SciPy had better see to it."""
    if output is None:
        return np.empty(image.shape, image.dtype)
    if isinstance(output, np.ndarray):
        usable = output.shape == image.shape and output.flags.c_contiguous
        return output if usable else None
    try:
        return np.empty(image.shape, np.dtype(output))
    except TypeError:
        return None


def line_tiles(image, output, axis, before, after, mode, cval, dtype, tile_bytes=TILE_BYTES):
    """
    Cut both arrays into tiles of whole lines along ``axis``, extended at their ends.

    Yields ``(extended, stride, target)``: ``extended`` is a new 2-D array of
    ``dtype`` whose rows hold lines side by side, neighbours along the axis
    being ``stride`` apart; ``target`` is a view of ``output`` of shape
    ``(rows, length, stride)``. All of a tile is read before it is yielded, so
    ``output`` may be ``image``.
    """
    length = image.shape[axis]
    outer = int(np.prod(image.shape[:axis], dtype=np.intp))
    inner = int(np.prod(image.shape[axis + 1 :], dtype=np.intp))
    source = image.reshape(outer, length, inner)
    result = output.reshape(outer, length, inner)
    extended_length = length + before + after
    lines = max(tile_bytes // (extended_length * np.dtype(dtype).itemsize), 16)
    stride = min(inner, lines)
    rows = max(lines // stride, 1)
    edges = [np.arange(-before, 0), np.arange(length, length + after)]
    if mode != "constant":
        edges = [fold(edge, length, mode) for edge in edges]
    for first_row in range(0, outer, rows):
        for first_line in range(0, inner, stride):
            window = np.s_[first_row : first_row + rows, :, first_line : first_line + stride]
            block = source[window]
            extended = np.empty((block.shape[0], extended_length, block.shape[2]), dtype)
            extended[:, before : before + length] = block
            if mode == "constant":
                extended[:, :before] = cval
                extended[:, before + length :] = cval
            else:
                extended[:, :before] = block[:, edges[0]]
                extended[:, before + length :] = block[:, edges[1]]
            yield extended.reshape(block.shape[0], -1), block.shape[2], result[window]
