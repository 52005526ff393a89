"""
Print how long the first call of a function takes in a new process, on a cold and a warm cache.

Run as ``python benchmarks/first_calls.py [FUNCTION ...]``. Every call is made in a process of its
own, on an image of 1024² float32 in four blocks, on two threads, after the imports. Printed are
seconds until the result is there, by the clock, and seconds of processor of the whole
process until it ends, compiling in the background included; SciPy's are those of the same call.
*all* is the sum of one call of each function in one process.
"""

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
    "median_filter", "grey_opening", "binary_erosion", "binary_fill_holes", "label",
    "distance_transform_edt", "distance_transform_cdt", "mean", "extrema", "median",
    "center_of_mass", "find_objects", "affine_transform", "zoom", "map_coordinates",
    "spline_filter", "fourier_gaussian",
)  # fmt: skip


def first_calls(names):
    """Make one call of each function; return seconds of ours and of SciPy's."""
    import dask
    import dask.array as da
    import numpy as np
    from scipy import ndimage

    import dask_image.ndimage
    from dask_image._utils.usual_calls import usual_calls

    image = np.random.default_rng(0).random((1024, 1024), dtype="f4") * 200
    calls = {call.name: call for call in reversed(list(usual_calls(image)))}
    ours = scipys = 0
    warnings.simplefilter("ignore")
    for name in names:
        call = calls[name]
        lazy = [da.from_array(array, chunks=512) for array in call.arrays]
        start = time.perf_counter()
        result = getattr(dask_image.ndimage, name)(*lazy, **call.keywords)
        dask.compute(result, scheduler="threads", num_workers=2)
        between = time.perf_counter()
        getattr(ndimage, name)(*call.arrays, **call.keywords)
        ours, scipys = ours + between - start, scipys + time.perf_counter() - between
    return ours, scipys


def in_new_process(names, cache):
    """Return seconds of ours, of SciPy's, and of the processor beyond the imports."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, __file__, "--here", *names]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main(names):
    print(f"{'':28}{'cold':>8}{'CPU':>8}{'warm':>8}{'CPU':>8}{'SciPy':>8}")
    for some in [[name] for name in names] + [list(names)] * (len(names) > 1):
        with tempfile.TemporaryDirectory() as folder:
            cold = in_new_process(some, pathlib.Path(folder))
            warm = in_new_process(some, pathlib.Path(folder))
        title = some[0] if len(some) == 1 else "all"
        print(
            f"{title:28}{cold[0]:8.2f}{cold[2]:8.2f}{warm[0]:8.2f}{warm[2]:8.2f}{warm[1]:8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        import threading

        import dask_image.ndimage  # noqa: F401

        begin = time.process_time()
        ours, scipys = first_calls(sys.argv[2:])
        for thread in threading.enumerate():
            if thread.name == "dask-image-compile":
                thread.join()
        print(json.dumps([ours, scipys, time.process_time() - begin]))
    else:
        main(sys.argv[1:] or FUNCTIONS)
