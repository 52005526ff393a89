"""What filters that leave out pixels do to each pixel, in one loop each."""

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.memory import scratch
from dask_image._kernels.patience import patient
from dask_image._kernels.stand_ins._lines import NUMBERS
from dask_image._kernels.stand_ins._steps import by_way_of


@patient
def fill_in(block, mask, neutral):
    """
    Return a block with ``neutral`` where the mask is not set; None if it is not compiled for that.

    It lies in memory that the thread uses again.
    """
    block = block.view(np.uint8) if block.dtype == bool else block
    if not use_numba() or block.dtype not in NUMBERS:
        return None
    filled = scratch("filled", block.shape, block.dtype)
    _fill_in(
        np.ascontiguousarray(block).reshape(-1), np.ascontiguousarray(mask).view(np.uint8).reshape(-1),
        block.dtype.type(neutral), filled.reshape(-1),
    )  # fmt: skip
    return filled.view(bool) if isinstance(neutral, np.bool_) else filled


@jit
def _fill_in(block, mask, neutral, filled):
    for i in range(np.uint64(block.size)):
        value = block[i]
        filled[i] = value if mask[i] else neutral


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
        total.dtype.type(least), out.dtype.type(fill), by_way_of(out.dtype), out.reshape(-1),
    )  # fmt: skip
    return True


@jit
def _divide(total, weight, least, fill, via, out):
    one = weight.dtype.type(1)
    for i in range(np.uint64(total.size)):
        share = weight[i]
        nothing = share <= least
        value = out.dtype.type(via.dtype.type(total[i] / (one if nothing else share)))
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
