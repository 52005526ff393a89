"""What the stand-ins share: the dtypes that they take, SciPy's names of modes, and its casts."""

import numpy as np

from dask_image._utils.modes import MODES

# The dtypes that SciPy's C code and these kernels both know, in native byte order.
NUMBERS = tuple(np.dtype(code) for code in "bBhHiIlLqQfd")

CANONICAL_MODE = {name: mode.as_filter for name, mode in MODES.items()}
"""SciPy's names for the same extension, under one of them."""


def is_sequence(value):
    """Tell whether there is a value for each axis; NumPy's answer takes longer for lists."""
    return isinstance(value, (list, tuple)) or not isinstance(value, str) and np.ndim(value) > 0


def each(value, count):
    """Return one value an axis; SciPy's error if there are too many or too few."""
    values = list(value) if is_sequence(value) else [value] * count
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
