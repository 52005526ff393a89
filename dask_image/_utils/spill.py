"""Keep arrays on disk until they are needed, where no cluster does so."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import sys
import tempfile
import threading
import weakref
from typing import Any

import dask
import numpy as np

# Arrays of no more bytes are no trouble.
SMALLEST = 1 << 12

# A file of this many bytes is written to no more: a new one is begun, lest the room of arrays that
# are gone is never used again. Files grow with all that is kept, lest they become too many.
LARGEST, SHARES = 1 << 28, 16

_lock = threading.Lock()
_current: weakref.ref[SpillFile] | None = None
_files: weakref.WeakSet[SpillFile] = weakref.WeakSet()


class SpillFile:
    """A file without a name, written at its end; it is gone when no array refers to it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        # Without a buffer, nothing is left that could fail when it is closed.
        with self._naming_the_folder():
            self.file = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115  # lives on
        weakref.finalize(self, self.file.close)
        self.size = 0
        self.lock = threading.Lock()

    def write(self, array: np.ndarray[Any, Any]) -> int:
        """Append an array, and return where it begins."""
        with self.lock, self._naming_the_folder():
            offset = self.size
            left = array.data.cast("B")
            self.file.seek(offset)
            while left:  # a system may write less at a time
                left = left[self.file.write(left) :]
            self.size += array.nbytes
        return offset

    def read(self, offset: int, nbytes: int) -> np.ndarray[Any, Any]:
        """Return what is written from ``offset`` on, as bytes."""
        data = np.empty(nbytes, np.uint8)
        left = data.data
        while left:
            count = self._read_into(left, offset + nbytes - len(left))
            if not count:
                raise OSError(f"a temporary file in {self.folder} lost what it held")
            left = left[count:]
        return data

    def _read_into(self, buffer, offset):
        """Read some bytes, and return how many."""
        if hasattr(os, "preadv"):
            # A process that was forked has the same position in the file, so none is set.
            return os.preadv(self.file.fileno(), [buffer], offset)
        with self.lock:
            self.file.seek(offset)
            return self.file.readinto(buffer)

    @contextlib.contextmanager
    def _naming_the_folder(self):
        """Let errors tell which folder it is, and who chose it."""
        try:
            yield
        except OSError as error:
            raise OSError(
                error.errno,
                f"cannot keep pixels in a temporary file in {self.folder}, chosen by Dask's "
                f"configuration temporary-directory: {error.strerror}",
            ) from error


class SpilledArray:
    """
    An array that lies in a file; slices of it along the first axis do, too.

    Another process gets the array itself.
    """

    def __init__(
        self, file: SpillFile, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.file, self.offset, self.shape, self.dtype = file, offset, shape, dtype

    def __getitem__(self, extent: slice) -> SpilledArray:
        start, stop, _ = extent.indices(self.shape[0])
        offset = self.offset + start * self.dtype.itemsize * math.prod(self.shape[1:])
        return SpilledArray(self.file, offset, (max(stop - start, 0), *self.shape[1:]), self.dtype)

    def load(self) -> np.ndarray[Any, Any]:
        """Return the array."""
        data = self.file.read(self.offset, self.dtype.itemsize * math.prod(self.shape))
        return data.view(self.dtype).reshape(self.shape)

    def __reduce__(self) -> tuple[Any, ...]:
        return (np.array, (self.load(),))


class SpilledObject:
    """What lies in a file, of any kind. Another process gets it itself."""

    def __init__(self, data: SpilledArray) -> None:
        self.data = data

    def load(self) -> Any:
        """Return it."""
        return pickle.loads(self.data.load().data)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_same, (self.load(),))


def _same(value):
    return value


def spill_object(value: Any) -> Any:
    """Return anything that can be pickled on disk; what was given, as `spill` does."""
    if _on_worker():
        return value
    data = spill(np.frombuffer(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), np.uint8))
    return SpilledObject(data) if isinstance(data, SpilledArray) else value


def spill(array: Any) -> Any:
    """
    Return an array on disk.

    Parameters
    ----------
    array : numpy.ndarray or None
        Of one axis or more.

    Returns
    -------
    SpilledArray or numpy.ndarray or None
        What was given, where it is small or holds objects, and on a worker of ``distributed``,
        which has its own way to spill and must know how much it holds.
    """
    if array is None or array.dtype.hasobject or array.nbytes <= SMALLEST or _on_worker():
        return array
    file = _open_file()
    return SpilledArray(file, file.write(np.ascontiguousarray(array)), array.shape, array.dtype)


def load(array: Any) -> Any:
    """Return an array, or an object, in memory, wherever it is; None of None."""
    return array.load() if isinstance(array, (SpilledArray, SpilledObject)) else array


def _open_file():
    """
    Return the file of this process.

    It is a new one where nothing refers to the last, or it is long, or another folder is chosen:
    after an error of a full disk, the traceback refers to the last file.
    """
    global _current
    folder = dask.config.get("temporary-directory", None) or tempfile.gettempdir()
    with _lock:
        file = _current() if _current is not None else None
        enough = max(LARGEST, sum(each.size for each in _files) // SHARES)
        if file is None or file.size > enough or file.folder != folder:
            file = SpillFile(folder)
            _current = weakref.ref(file)
            _files.add(file)
        return file


def _begin_anew():
    """Let a process that was forked write to a file of its own, whoever held a lock before."""
    global _lock, _current
    _lock, _current = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def _on_worker():
    if "distributed" not in sys.modules:
        return False
    try:
        sys.modules["distributed"].get_worker()
    except ValueError:
        return False
    return True
