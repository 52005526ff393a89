"""
Print how long the first call of a function takes in a new process, on a cold and a warm cache.

Run as ``python benchmarks/first_calls.py [FUNCTION ...]``. Every call is made in a process of its
own, on an image of 1024² float32 in four blocks, on two threads, after the imports and after
Dask has computed anything: the first time it imports distributed, if that is installed. Printed
are seconds until the result is there, by the clock, and seconds of processor of the whole
process until it ends, compiling in the background included; SciPy's are those of the same call.
*all* is the sum of one call of each function of SciPy's in one process. *numba itself* is what
a function of one line takes: the time that numba needs to start.
"""

import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

FUNCTIONS = (
    "gaussian_filter", "sobel", "laplace", "convolve", "uniform_filter", "minimum_filter",
    "median_filter", "rank_filter", "percentile_filter", "grey_opening", "binary_erosion",
    "binary_fill_holes", "label", "distance_transform_edt", "distance_transform_cdt", "mean",
    "extrema", "median", "center_of_mass", "find_objects", "affine_transform", "rotate", "shift",
    "zoom", "map_coordinates", "spline_filter", "fourier_gaussian",
)  # fmt: skip
BEYOND_SCIPY = (
    "segmentation.watershed", "segmentation.reconstruction", "segmentation.peak_local_max",
    "ndmeasure.regionprops_table", "local_statistics.local_mean",
    "local_statistics.local_percentile", "gaussian_filter where=",
)  # fmt: skip
NUMBA_ITSELF = "numba itself"


def first_calls(names):
    """Make one call of each function; return seconds of ours and of SciPy's."""
    import dask
    import dask.array as da

    calls = calls_by_name()
    ours = scipys = 0
    warnings.simplefilter("ignore")
    for name in names:
        if name == NUMBA_ITSELF:
            ours += start_of_numba()
            continue
        call = calls[name]
        lazy = [da.from_array(array, chunks=512) for array in call.arrays]
        start = time.perf_counter()
        result = function(call.name)(*lazy, **call.keywords)
        dask.compute(result, scheduler="threads", num_workers=2)
        between = time.perf_counter()
        if name in FUNCTIONS:
            function(call.name, "scipy.ndimage")(*call.arrays, **call.keywords)
        ours, scipys = ours + between - start, scipys + time.perf_counter() - between
    return ours, scipys


def calls_by_name():
    """Return a call for each name of a function."""
    import numpy as np

    from dask_image._utils.usual_calls import UsualCall, calls_beyond_scipy, usual_calls

    image = np.random.default_rng(0).random((1024, 1024), dtype="f4") * 200
    calls = [*usual_calls(image), *calls_beyond_scipy(image)]
    found = {call.name: call for call in reversed(calls)}
    known = dict(sigma=1, where=image > 20)
    found["gaussian_filter where="] = UsualCall("ndfilters.gaussian_filter", (image,), known)
    return found


def function(name, module="dask_image.ndimage"):
    """Return the function of that name, which may be that of a module of dask_image."""
    if "." in name:
        module, name = f"dask_image.{name}".rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def start_of_numba():
    """Return how long it takes to call a function of one line that is cached or compiled."""
    start = time.perf_counter()
    import numba
    import numpy as np

    @numba.njit(cache=True)
    def first(array):
        return array[0]

    first(np.zeros(1))
    return time.perf_counter() - start


def in_new_process(names, cache):
    """Return seconds of ours, of SciPy's, and of the processor beyond the imports."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, __file__, "--here", *names]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main(names):
    print(f"{'':34}{'cold':>8}{'CPU':>8}{'warm':>8}{'CPU':>8}{'SciPy':>8}")
    several = [name for name in names if name in FUNCTIONS]
    for some in [[name] for name in names] + [several] * (len(several) > 1):
        with tempfile.TemporaryDirectory() as folder:
            cold = in_new_process(some, pathlib.Path(folder))
            warm = in_new_process(some, pathlib.Path(folder))
        title = some[0] if len(some) == 1 else "all"
        print(
            f"{title:34}{cold[0]:8.2f}{cold[2]:8.2f}{warm[0]:8.2f}{warm[2]:8.2f}{warm[1]:8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        import threading

        import dask.array

        import dask_image.ndimage  # noqa: F401

        dask.compute(dask.array.zeros(1), scheduler="threads", num_workers=2)
        begin = time.process_time()
        ours, scipys = first_calls(sys.argv[2:])
        for thread in threading.enumerate():
            if thread.name == "dask-image-compile":
                thread.join()
        print(json.dumps([ours, scipys, time.process_time() - begin]))
    else:
        main(sys.argv[1:] or (NUMBA_ITSELF, *FUNCTIONS, *BEYOND_SCIPY))
