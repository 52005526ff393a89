"""
What blocks are computed with until a kernel is compiled.

A kernel takes a second or so to compile, and a thirtieth of that to load once it is cached on
disk, after numba itself has taken a second to start. Where it gives the same bits as SciPy, nobody
need wait: a thread of its own makes the call once more, which imports numba and compiles what
it needs, and SciPy computes blocks until that is done. Blocks that take SciPy long wait for
cached kernels to load; jobs that are small altogether start no compilation at all. What comes out
does not depend on who computes.
"""

import contextlib
import functools
import queue
import threading
import time
from typing import Any

import numpy as np

from dask_image._kernels._numba import garbage_kept, might_use_numba, plainly
from dask_image._utils import options

# Jobs of fewer pixels in all take SciPy less time than compiling or loading takes.
FEW_PIXELS = 1 << 18

# What a pixel takes without compiled kernels, in nanoseconds: by most of SciPy's functions, more or
# less, and where blocks take long.
USUAL, LONG = 50, 1000


class _Progress:
    """How far a kernel is for arguments of some dtypes."""

    def __init__(self):
        self.pixels = 0
        self.deadline = None  # when blocks stop to wait; None: nothing has begun
        self.ready = threading.Event()


_all_progress: dict[Any, Any] = {}
_lock = threading.Lock()


def patient(kernel=None, *, rehearsal=None, pixels=None, nanoseconds=USUAL):
    """
    Let a kernel compile in the background, while SciPy does its work.

    Blocks wait for it about as long as SciPy would take for the first of them, and no longer than
    the option says.

    The result is called as the kernel is. Without numba (`use_numba`) the kernel has to give
    the same bits as with it; an array that it writes to is never written twice.

    Parameters
    ----------
    kernel : callable
        Of a block and other arguments. None makes this a decorator with arguments.
    rehearsal : callable, optional
        What the background calls with the kernel's arguments, if that is more than the kernel.
    pixels : callable, optional
        Returns from the kernel's arguments how many pixels it is for, if not the block's size.
    nanoseconds : float or callable
        What a pixel takes without it, or what returns that from the kernel's arguments.
    """
    if kernel is None:
        return functools.partial(
            patient, rehearsal=rehearsal, pixels=pixels, nanoseconds=nanoseconds
        )

    @functools.wraps(kernel)
    def called(block, *args, **keywords):
        wait = options.compile_wait()
        if wait == float("inf") or not might_use_numba():
            return kernel(block, *args, **keywords)
        progress = _progress_of(kernel, block, args, keywords)
        if not progress.ready.is_set():
            size = block.size if pixels is None else pixels(block, *args, **keywords)
            if _takes_long(progress, size):
                if progress.deadline is None:
                    each = nanoseconds
                    if callable(each):
                        each = each(block, *args, **keywords)
                    call = _rehearsed(rehearsal or kernel, block, *args, **keywords)
                    _begin(progress, call, min(wait, each * size * 1e-9))
                progress.ready.wait(max(0, progress.deadline - time.monotonic()))
        if progress.ready.is_set():
            return kernel(block, *args, **keywords)
        with plainly():
            return kernel(block, *args, **keywords)

    return called


def _rehearsed(kernel, *args, **keywords):
    """
    Return a call that has arrays of its own.

    Those that are given may lie in memory that the thread will use for the next block; and a
    result that is written to them would be so once more, when it may have been changed already.
    """
    own = {name: _own(value) for name, value in keywords.items()}
    return functools.partial(kernel, *map(_own, args), **own)


def _own(value):
    """Return a value with copies of the arrays that it is or, as a tuple, holds."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if not isinstance(value, tuple):
        return value
    parts = map(_own, value)
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


def _arrays(values):
    """Return the arrays among values, and in those that are tuples."""
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, tuple):
            yield from _arrays(value)


def _progress_of(kernel, block, args, keywords):
    arrays = _arrays([block, *args, *keywords.values()])
    types = [(array.dtype, array.ndim) for array in arrays]
    output = keywords.get("output")
    key = (kernel, *types, output if isinstance(output, np.dtype) else str(output))
    found = _all_progress.get(key)
    if found is None:
        with _lock:
            found = _all_progress.setdefault(key, _Progress())
    return found


def _takes_long(progress, pixels):
    """Tell whether there has been work enough to pay for a kernel."""
    with _lock:
        progress.pixels += pixels
        return progress.pixels >= FEW_PIXELS


def _begin(progress, call, wait):
    """Let the call be made in the background, if it is not yet."""
    with _lock:
        if progress.deadline is not None:
            return
        # One kernel after the other: who comes second would wait for the first one as well.
        progress.deadline = time.monotonic() + (wait if _worker is None else 0)
    _jobs.put((progress, call))
    _work_off_jobs()


_jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
_worker = None


def _work_off_jobs():
    """Start the thread that compiles, unless it runs; it ends when nothing is left to do."""
    global _worker
    with _lock:
        if _worker is None:
            _worker = threading.Thread(target=_compile_all, name="dask-image-compile")
            _worker.start()


def _compile_all():
    global _worker
    while True:
        with _lock:
            # The interpreter waits for this thread before it ends: not for more than a kernel.
            if _jobs.empty() or not threading.main_thread().is_alive():
                _worker = None
                return
            progress, call = _jobs.get()
        # The same call raises it again where it is seen.
        with contextlib.suppress(Exception), garbage_kept():
            call()
        progress.ready.set()
