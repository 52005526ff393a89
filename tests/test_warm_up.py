"""Compiling kernels ahead of time."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from dask_image._kernels._numba import use_numba
from dask_image._utils.usual_calls import (
    DTYPES,
    calls_beyond_scipy,
    calls_of_functions,
    usual_calls,
)
from dask_image.warm_up import warm_up

needs_numba = pytest.mark.skipif(not use_numba(), reason="numba is not installed, or not wanted")

# Prints how many kernels a call has used, and how many it had to compile.
COUNT_MISSES = """
import numba, numpy as np, dask.array as da
from numba.core.dispatcher import Dispatcher
from dask_image.ndfilters import sobel
made = []
make = Dispatcher.__init__
def noting(self, *args, **keywords):
    made.append(self)
    make(self, *args, **keywords)
Dispatcher.__init__ = noting
sobel(da.zeros((64, 500), dtype="u1", chunks=-1)).compute()
used = [one.stats for one in made if one.signatures]
print(len(used), sum(sum(stats.cache_misses.values()) for stats in used))
"""


def start(cache, *arguments):
    more = {"NUMBA_CACHE_DIR": str(cache), "DASK_DASK_IMAGE__COMPILE__WAIT": "inf"}
    environment = {**os.environ, **more}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@needs_numba
def test_two_processes_fill_the_cache_for_a_third(tmp_path):
    arguments = "-m", "dask_image.warm_up", "sobel", "--dtypes", "uint8"
    for process in [start(tmp_path, *arguments), start(tmp_path, *arguments)]:
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        assert printed.startswith("sobel ")
    printed, _ = start(tmp_path, "-c", COUNT_MISSES).communicate(timeout=300)
    used, missed = map(int, printed.split())
    assert used > 0
    assert missed == 0


@needs_numba
def test_what_has_no_kernel_is_named(tmp_path):
    process = start(tmp_path, "-m", "dask_image.warm_up", "soebel")
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "got ['soebel']" in printed


def test_without_numba_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    process = start(tmp_path, "-m", "dask_image.warm_up")
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "nothing to compile" in printed


def test_every_function_is_called_on_images_of_every_dtype():
    without_image = {"generate_binary_structure", "iterate_structure"}
    names = {
        name for name in ndimage.__all__ if callable(getattr(ndimage, name))
    } - without_image - {"sum"}  # fmt: skip
    image = np.arange(48).reshape(6, 8)
    for dtype in DTYPES:
        pixels = image.astype(dtype)
        found = {call.name for calls in (usual_calls, calls_of_functions) for call in calls(pixels)}
        assert names - found <= {"watershed_ift"}  # SciPy's takes uint8 and uint16 only
        assert found <= names


# An image of so few pixels leaves labels without any.
@pytest.mark.filterwarnings("ignore")
def test_usual_calls_are_ones_that_scipy_takes():
    image = np.random.default_rng(0).integers(0, 9, (12, 14)).astype("u1")
    for calls in (usual_calls, calls_of_functions):
        for call in calls(image):
            getattr(ndimage, call.name)(*call.arrays, **call.keywords)


def test_what_scipy_has_not_is_called(capsys):
    image = np.arange(48, dtype="f4").reshape(6, 8)
    names = {call.name.rpartition(".")[2] for call in calls_beyond_scipy(image)}
    warm_up(["local_mean"], ("float32",))
    assert "local_mean" in names
    assert "local_mean" in capsys.readouterr().out
