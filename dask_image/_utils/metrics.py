"""Metrics of distance transforms, as distances and compiled kernels know them."""

from __future__ import annotations

from typing import Any

import numpy as np

EUCLIDEAN, TAXICAB, CHESSBOARD = range(3)

# Kernels hold positions as int32, and for "none" one that lies three times as far out.
LONGEST_AXIS = 2**29


def unreachable(dtype: Any) -> Any:
    """
    Return the cost, of ``dtype``, of a pixel that has found no background yet.

    Half of what an integer holds: to add to it what another axis costs overflows nothing.
    """
    dtype = np.dtype(dtype)
    return dtype.type(np.inf if dtype.kind == "f" else np.iinfo(dtype).max // 2)
