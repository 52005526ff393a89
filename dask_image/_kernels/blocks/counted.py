"""What filters that leave out pixels do to each pixel, in one loop each."""

import math

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.counted_ranks import sum_program
from dask_image._kernels.memory import scratch
from dask_image._kernels.patience import patient
from dask_image._kernels.row_programs import Axis, as_planes, run
from dask_image._kernels.stand_ins._calls import Call, Counted
from dask_image._kernels.stand_ins._lines import NUMBERS
from dask_image._kernels.stand_ins._steps import by_way_of
from dask_image._kernels.stand_ins._windows import window_of

# Sums of so many pixels of 16 bits and, above them, their number are one number of 32 bits.
MOST_PACKED, PIXEL_BITS = 255, 24

# Of a mean that is a whole number, rounding must not leave the number below, to which it is cut:
# the sums that it is the quotient of are more accurate than this, and other means farther away.
NUDGE = 1 + 2.0**-43


@patient
def fill_in(block, mask, neutral):
    """
    Return a block with ``neutral`` where the mask is not set.

    And whether no counted pixel is NaN or ``neutral``. The block, which lies in memory that the
    thread uses again, is None if it is not compiled for that.
    """
    flags = block.dtype == bool
    block = block.view(np.uint8) if flags else block
    if not use_numba() or block.dtype not in NUMBERS:
        return None, False
    filled = scratch("filled", block.shape, block.dtype)
    distinct = _fill_in(
        np.ascontiguousarray(block).reshape(-1),
        np.ascontiguousarray(mask).view(np.uint8).reshape(-1), block.dtype.type(neutral),
        filled.reshape(-1),
    )  # fmt: skip
    return filled.view(bool) if flags else filled, distinct


@jit
def _fill_in(block, mask, neutral, filled):
    odd = False
    for i in range(np.uint64(block.size)):
        value, counts = block[i], mask[i] != 0
        odd |= counts & (not (value < neutral or value > neutral))
        filled[i] = value if counts else neutral
    return not odd


def average(linear, block, mask, region, out, **counted):
    """
    Let a linear filter write the weighted means of the counted pixels to ``out``.

    Parameters
    ----------
    linear : BlockKernel
        Its kernel takes a `Counted`, to which all other arguments belong.
    block, mask : numpy.ndarray
    region : tuple of slice
        The pixels wanted.
    """
    nudge = NUDGE if out.dtype.kind in "iu" else 1.0
    counted = Counted(mask=mask, nudge=nudge, out=out, **counted)
    linear.kernel.in_region(block, region=region, counted=counted, **linear.keywords)


@patient
def divide(total, weight, least, fill, out):
    """
    Write quotients to ``out``, ``fill`` where weights are no larger than ``least``.

    Returns False, and writes nothing, where it is not compiled for that.
    """
    known = out.dtype in NUMBERS and out.dtype != np.uint64 and total.dtype.kind == "f"
    if not (use_numba() and known and out.flags.c_contiguous and total.dtype == weight.dtype):
        return False
    _divide(
        np.ascontiguousarray(total).reshape(-1), np.ascontiguousarray(weight).reshape(-1),
        total.dtype.type(least), total.dtype.type(NUDGE if out.dtype.kind in "iu" else 1),
        out.dtype.type(fill), by_way_of(out.dtype), out.reshape(-1),
    )  # fmt: skip
    return True


# As operators do, they look out for zero, and no vector instruction is made of that: `np.divide`
# does not.


@jit
def _divide(total, weight, least, nudge, fill, via, out):
    one = weight.dtype.type(1)
    for i in range(np.uint64(total.size)):
        share = weight[i]
        nothing = share <= least
        value = out.dtype.type(
            via.dtype.type(np.divide(total[i], one if nothing else share) * nudge)
        )
        out[i] = fill if nothing else value


@patient
def put(values, present, fill, out):
    """As `divide`, of values to be written to ``out`` where ``present`` is not 0."""
    plain = isinstance(values, np.ndarray) and out.flags.c_contiguous
    if not (use_numba() and plain and values.dtype == out.dtype):
        return False
    if out.dtype == bool:
        values, out, fill = values.view(np.uint8), out.view(np.uint8), np.uint8(fill)
    if out.dtype not in NUMBERS or present.dtype not in (np.uint8, out.dtype):
        return False
    _put(
        np.ascontiguousarray(values).reshape(-1), np.ascontiguousarray(present).reshape(-1),
        out.dtype.type(fill), out.reshape(-1),
    )  # fmt: skip
    return True


@jit
def _put(values, present, fill, out):
    for i in range(np.uint64(values.size)):
        value = values[i]
        out[i] = value if present[i] else fill


def put_unless(values, neutral, fill, out):
    """Write values to ``out``, of their dtype, ``fill`` for those that are ``neutral``."""
    if not (use_numba() and values.dtype in NUMBERS and out.flags.c_contiguous):
        np.copyto(out, np.where(values == neutral, fill, values))
        return
    _put_unless(
        np.ascontiguousarray(values).reshape(-1), out.dtype.type(neutral), out.dtype.type(fill),
        out.reshape(-1),
    )  # fmt: skip


@jit
def _put_unless(values, neutral, fill, out):
    for i in range(np.uint64(values.size)):
        value = values[i]
        out[i] = fill if value == neutral else value


def average_boxes(block, mask, region, out, *, cval, fill, beyond, **box):
    """
    Write the means of the counted pixels in boxes, ``fill`` where none counts.

    Sums, and how many pixels are in them, are added up as one number.

    Parameters
    ----------
    block, mask : numpy.ndarray
    region : tuple of slice
        The pixels wanted.
    out : numpy.ndarray
    cval, fill : number
    beyond : int
        1 if pixels beyond the edges count in mode "constant", else 0.
    **box
        ``size``, ``axes``, ``mode`` and ``origin`` as SciPy takes them.

    Returns
    -------
    bool
        False, with nothing written, where there is no such way or it is not compiled.
    """
    block = block.view(np.uint8) if block.dtype == bool else block
    short = block.dtype.kind in "iu" and block.dtype.itemsize <= 2 and block.size > 0
    if not (use_numba() and short and math.prod(box["size"]) <= MOST_PACKED):
        return False
    least, most = np.iinfo(block.dtype).min, np.iinfo(block.dtype).max
    if beyond and not (least <= cval <= most and float(cval).is_integer()):
        return False
    if out.dtype not in NUMBERS or out.dtype == np.uint64 or not out.flags.c_contiguous:
        return False
    window = window_of(Call(ndimage.minimum_filter, block, **box), block.ndim, separable=True)
    if window is None:
        return False
    packed = scratch("packed", block.shape, np.uint32)
    _pack(
        np.ascontiguousarray(block).reshape(-1),
        np.ascontiguousarray(mask).view(np.uint8).reshape(-1), np.int32(least), packed.reshape(-1),
    )  # fmt: skip
    axes = window.axes(block.shape, region)
    sums = scratch("packed sums", out.shape, np.uint32)
    if block.ndim == 1:
        axes = [Axis(1, 0, 1), *axes]
    outside = (1 << PIXEL_BITS) + int(cval) - least if beyond else 0
    program = sum_program(tuple(axis.size for axis in axes), window.key)
    run(program, as_planes(packed), axes, outside, as_planes(sums))
    # Quotients of whole numbers below 2**24 come out right in single precision where 24 bits, or
    # the whole part of a quotient below 2**16, are asked for.
    narrow = out.dtype == np.float32 or (out.dtype.kind in "iu" and out.dtype.itemsize <= 2)
    _divide_packed(
        sums.reshape(-1), np.int32(least), out.dtype.type(fill),
        np.empty(0, np.float32 if narrow else np.float64), by_way_of(out.dtype), out.reshape(-1),
    )  # fmt: skip
    return True


@jit
def _pack(block, mask, least, packed):
    for i in range(np.uint64(block.size)):
        value = np.uint32(np.int32(block[i]) - least) + np.uint32(1 << PIXEL_BITS)
        packed[i] = value if mask[i] else np.uint32(0)


@jit
def _divide_packed(sums, least, fill, work, via, out):
    bits, pixels = np.uint32(PIXEL_BITS), np.uint32((1 << PIXEL_BITS) - 1)
    for i in range(np.uint64(sums.size)):
        count = np.int32(sums[i] >> bits)
        total = work.dtype.type(np.int32(sums[i] & pixels) + count * least)
        mean = np.divide(total, work.dtype.type(max(count, np.int32(1))))
        value = out.dtype.type(via.dtype.type(mean))
        out[i] = value if count > 0 else fill
