"""Memory that a thread uses again and again; imports no kernels."""

import math
import threading

import numpy as np

# Larger arrays are made anew each time: they cost more to keep than to make.
KEPT_BYTES = 1 << 26

_of_this_thread = threading.local()


def scratch(name, shape, dtype=np.float64):
    """
    Return an array to write to that this thread uses again and again.

    Fresh memory costs as much as a fast kernel. Nothing is known of the values; they
    last until the next call with this ``name`` in this thread, so no result may be a view
    of the array, and who calls another function gives its arrays names of its own.
    """
    length = math.prod(shape) if isinstance(shape, (tuple, list)) else shape
    size = int(length) * np.dtype(dtype).itemsize
    kept = getattr(_of_this_thread, "arrays", None)
    if kept is None:
        kept = _of_this_thread.arrays = {}
    memory = kept.get(name)
    if memory is None or memory.size < size:
        memory = _aligned(size)
        if size <= KEPT_BYTES:
            kept[name] = memory
    return memory[:size].view(dtype).reshape(shape)


def _aligned(size):
    """Return bytes that begin where a line of the cache does."""
    memory = np.empty(size + 63, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size]
