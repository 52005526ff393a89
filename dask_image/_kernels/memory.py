"""Memory that is used again and again; imports no kernels."""

import collections
import math
import threading
import weakref

import numpy as np

# Larger arrays are made anew each time: they cost more to keep than to make.
KEPT_BYTES = 1 << 26

# Smaller results lie in memory that C's allocator keeps. At most so many, and so many bytes of
# them, are kept for others.
LEAST_BYTES, MOST_LEFT, MOST_BYTES_LEFT = 1 << 22, 8, KEPT_BYTES

_of_this_thread = threading.local()
_left_over: collections.deque[np.ndarray] = collections.deque(maxlen=MOST_LEFT)


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


class _Lent:
    """Memory that arrays are views of."""

    def __init__(self, memory):
        self.memory = memory
        self.__array_interface__ = memory.__array_interface__


def recycled(shape, dtype=np.float64):
    """
    Return an array for a result, if it is large in memory that another result has left.

    The system clears fresh memory page by page, which takes as long as a fast kernel does, and
    longer where threads ask for it at once. Unlike that of `scratch`, the memory is nobody else's
    as long as there is a view of it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not LEAST_BYTES <= size <= KEPT_BYTES:
        return np.empty(shape, dtype)
    memory = _left(size)
    lent = _Lent(memory)
    weakref.finalize(lent, _leave, memory).atexit = False
    return np.asarray(lent)[:size].view(dtype).reshape(shape)


def _leave(memory):
    """
    Leave memory to others; free what was left longest if it is too much.

    No other thread comes in between what a deque does, nor Python's collector of garbage, which
    may call this anywhere.
    """
    _left_over.append(memory)
    while sum(each.size for each in tuple(_left_over)) > MOST_BYTES_LEFT:
        try:
            _left_over.popleft()
        except IndexError:
            break


def _left(size):
    """
    Return memory that is left over and not much too large, or else fresh one.

    Each is taken out before it is looked at, so that no other thread gets the same.
    """
    for _ in range(len(_left_over)):
        try:
            memory = _left_over.popleft()
        except IndexError:
            break
        if size <= memory.size <= size + size // 4:
            return memory
        _left_over.append(memory)
    return np.empty(size, np.uint8)
