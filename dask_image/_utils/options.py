"""
Options that a user may need: keys of Dask's configuration under ``dask-image``.

They are documented in ``docs/options.rst``. What only tunes an algorithm stays where it is used.
"""

from __future__ import annotations

from typing import Any

import dask
import numpy as np
from dask.utils import parse_bytes

from dask_image._utils.arguments import ArgumentError

DEFAULTS = {
    "kernels": "numba",
    "compile": {"wait": 0.5},
    "coordinates": {"memory": "256 MiB"},
    "label": {"memory": "256 MiB"},
    "median": {"memory": "256 MiB"},
    "partition": {"memory": "64 MiB"},
    "store": {"memory": None},
    "waiting": {"memory": "256 MiB"},
}

KERNELS = ("numba", "scipy")

dask.config.update_defaults({"dask-image": DEFAULTS})


def kernels() -> str:
    """
    Return which kernels to use: "numba", where it is installed, or "scipy".

    Raises
    ------
    ValueError
        If the option is neither.
    """
    chosen = dask.config.get("dask-image.kernels")
    if chosen not in KERNELS:
        raise ValueError(f"option dask-image.kernels must be one of {KERNELS}, got {chosen!r}")
    return chosen


def compile_wait() -> float:
    """
    Return how many seconds a block waits at most for a kernel before SciPy computes it.

    Raises
    ------
    ValueError
        If the option is no number of seconds.
    """
    value = dask.config.get("dask-image.compile.wait")
    try:
        seconds = float(value)
    except (ValueError, TypeError):
        seconds = -1.0
    if not seconds >= 0:
        raise ValueError(
            f"option dask-image.compile.wait must be a number of seconds, got {value!r}"
        )
    return seconds


def memory(key: str) -> int:
    """
    Return how many bytes something may take.

    Parameters
    ----------
    key : str
        What: "coordinates", "label", "median", "partition", "store" or "waiting".

    Raises
    ------
    ValueError
        If the option is no size.
    """
    return as_bytes(dask.config.get(f"dask-image.{key}.memory"), f"option dask-image.{key}.memory")


def store_memory() -> int | None:
    """Return how many bytes `dask_image.store` may hold; None makes it a part of what there is."""
    return None if dask.config.get("dask-image.store.memory") is None else memory("store")


def as_bytes(value: Any, name: str) -> int:
    """Return a size such as "64 MiB" in bytes, or raise ValueError."""
    plain = value.item() if isinstance(value, np.number) else value
    try:
        size = -1 if isinstance(plain, bool) else parse_bytes(plain)
    except (ValueError, AttributeError, TypeError, OverflowError):
        size = -1
    if size < 0:
        raise ArgumentError(f"{name} must be a size such as '64 MiB', got {value!r}")
    return size
