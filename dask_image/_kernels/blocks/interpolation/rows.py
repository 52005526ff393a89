"""Which pixels kernels read as they are, and rows of doubles rounded to a result of any dtype."""

import numpy as np

from dask_image._kernels._numba import jit

# Each of them is a compilation of a kernel: others are converted by NumPy.
KINDS = ("f8", "f4", "u1", "u2", "i4")


def kind_of(dtype):
    """Return the dtype that kernels read an image as; truth values are bytes."""
    name = f"{dtype.kind}{dtype.itemsize}"
    return "u1" if name == "b1" else name if name in KINDS else "f8"


@jit
def store(total, length, limits, out):
    """
    Write a row, rounded to the nearest integer, halves away from zero, where there are limits.
    """
    if limits is None:
        for k in range(length):
            out[k] = total[k]
    else:
        low, high, missing = limits
        if low < 0:
            for k in range(length):
                value = total[k] + 0.5 if total[k] > 0 else total[k] - 0.5
                value = max(min(value, high), low) if value == value else missing
                out[k] = np.int32(value)
        else:
            # NaN, like what is below 0, becomes 0.
            for k in range(length):
                value = total[k] + 0.5 if total[k] > 0 else 0.0
                out[k] = np.int32(min(high, value))
