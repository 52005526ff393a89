"""
Compile the kernels ahead of time: ``python -m dask_image.warm_up [FUNCTION ...]``.

With numba, kernels compile when they are first needed, a second or so for each family and
dtype, and stay in numba's cache on disk. This program fills it, so that an image of a container
or the workers of a cluster begin at full speed. It makes two usual calls of every function, or of
those named, on small images of two and three axes in each of the usual dtypes.

The cache lies beside the package, or where it may not write in the user's directory for
caches; ``NUMBA_CACHE_DIR`` names another place, for this program and for those to come. It holds
for one kind of processor: ``NUMBA_CPU_NAME=generic`` makes it hold for all of an architecture.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Iterator

import dask
import dask.array as da
import numpy as np

from dask_image._kernels._numba import use_numba
from dask_image._utils.usual_calls import DTYPES, UsualCall, calls_beyond_scipy, usual_calls

# Large enough that no kernel leaves the image to SciPy for being small.
SHAPES = ((96, 400), (12, 48, 128))


def warm_up(functions: list[str] | None = None, dtypes: tuple[str, ...] = DTYPES) -> None:
    """
    Compile the kernels of functions, and print how long each of them took.

    Parameters
    ----------
    functions : list of str, optional
        Names, all by default.
    dtypes : tuple of str, optional
        Of images.

    Raises
    ------
    ValueError
        If a name is that of no function with a kernel.
    """
    calls: dict[str, list[UsualCall]] = {}
    for call in _calls(dtypes):
        calls.setdefault(call.name.rpartition(".")[2], []).append(call)
    unknown = set(functions or ()) - set(calls)
    if unknown:
        raise ValueError(f"functions must be among {sorted(calls)}, got {sorted(unknown)}")
    for name in functions or calls:
        start = time.perf_counter()
        for call in calls[name]:
            _make(call)
        print(f"{name:40}{time.perf_counter() - start:6.1f} s", flush=True)


def _calls(dtypes: tuple[str, ...]) -> Iterator[UsualCall]:
    for shape in SHAPES:
        for dtype in dtypes:
            pixels = np.random.default_rng(0).random(shape) * 200
            yield from usual_calls(pixels.astype(dtype))
            yield from calls_beyond_scipy(pixels.astype(dtype))


def _make(call: UsualCall) -> None:
    """Make a call on one block, and one on several, whose results have to be put together."""
    module, _, name = call.name.rpartition(".")
    function = getattr(importlib.import_module(f"dask_image.{module or 'ndimage'}"), name)
    for parts in (1, 2):
        arrays = [
            da.from_array(array, chunks=tuple(-(-size // parts) for size in array.shape))
            for array in call.arrays
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with dask.config.set({"dask-image.compile.wait": float("inf")}):
                dask.compute(function(*arrays, **call.keywords), scheduler="synchronous")


def main() -> None:
    """Compile what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m dask_image.warm_up", description="Compile the kernels ahead of time."
    )
    parser.add_argument("functions", nargs="*", metavar="FUNCTION")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES, metavar="DTYPE")
    options = parser.parse_args()
    if not use_numba():
        sys.exit("numba is not installed, or turned off: there is nothing to compile")
    try:
        warm_up(options.functions, tuple(options.dtypes))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
