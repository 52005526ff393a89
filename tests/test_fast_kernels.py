"""Where there is a faster kernel it does the work: SciPy's loops are not called in a block."""

import types

import dask
import pytest
from scipy.ndimage import _nd_image

from dask_image._kernels._numba import Deferred, use_numba, wide_vectors
from tests.calls import ALL_CALLS
from tests.helpers import arrays_for_calls

pytestmark = [
    pytest.mark.every_function,
    pytest.mark.skipif(not use_numba(), reason="numba is not installed, or not wanted"),
]

LOOPS = [name for name in dir(_nd_image) if callable(getattr(_nd_image, name)) and name[0] != "_"]

# Which loops of SciPy a function may call; others call none. `gaussian_filter` and its like
# leave short lines, wide kernels and some modes to SciPy, as `uniform_filter` does double
# precision.
BY_SCIPY = {
    "gaussian": {"correlate1d"},
    "gaussian_filter": {"correlate1d"},
    "gaussian_gradient_magnitude": {"correlate1d"},
    "gaussian_laplace": {"correlate1d"},
    "threshold_local": {"correlate1d", "generic_filter"},
    "estimate_illumination": {"correlate1d"},  # of a value a box
    "subtract_background": {"min_or_max_filter"},  # of a ball, whose surface is not flat
    "uniform_filter": {"uniform_filter1d"},
    "uniform_filter1d": {"uniform_filter1d"},
    "grey_dilation": {"min_or_max_filter"},
    "fourier_gaussian": {"fourier_filter"},  # of one line
    "fourier_uniform": {"fourier_filter"},
    "fourier_shift": {"fourier_shift"},
    "geometric_transform": {"spline_filter1d"},
    "map_coordinates": {"spline_filter1d"},
    "shift": {"spline_filter1d"},
    "spline_filter": {"spline_filter1d"},
    "spline_filter1d": {"spline_filter1d"},
    "zoom": {"spline_filter1d"},
    "blob_dog": {"correlate1d"},
    "blob_log": {"correlate1d"},
    # They call functions of the user's, or are SciPy's.
    "generic_filter": {"generic_filter"},
    "generic_filter1d": {"generic_filter1d"},
    "generic_laplace": {"correlate1d"},
    "generic_gradient_magnitude": {"correlate1d"},
    "apply_local_function": {"spline_filter1d"},
    "watershed_ift": {"watershed_ift"},
    # The nearest label, with its place; grids of windows, far fewer than pixels; single labels.
    "expand_labels": {"euclidean_feature_transform"},
    "local_mean": {"euclidean_feature_transform"},
    "local_sigma_clipped": {"euclidean_feature_transform"},
    "peak_local_max": {"binary_erosion", "find_objects", "min_or_max_filter1d"},
}


def noting(name, loop, called):
    def noted(*args, **keywords):
        called.add(name)
        return loop(*args, **keywords)

    return noted


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ALL_CALLS)
def test_scipys_loops_are_not_called(name, monkeypatch):
    function = name.partition(".")[2].removesuffix("_again")
    if function in ("geometric_transform", "vectorized_filter", "apply_local_function"):
        pytest.skip("calls a slow function of the user's for each pixel")
    result = ALL_CALLS[name](*arrays_for_calls((200, 180), 100))
    called = set()
    for loop in LOOPS:
        monkeypatch.setattr(_nd_image, loop, noting(loop, getattr(_nd_image, loop), called))
    dask.compute(result, scheduler="synchronous")
    assert called <= BY_SCIPY.get(function, set())


def test_a_function_asks_for_the_widest_vectors():
    numba = pytest.importorskip("numba")

    def function():
        wide_vectors()

    compiled = Deferred(function, numba.njit)
    compiled()
    (code,) = compiled.made().inspect_llvm().values()
    assert '"prefer-vector-width"="512"' in code


def test_threads_find_all_of_a_module_made_or_nothing():
    """A thread that found one function made compiled it while those that it calls still waited."""

    def first():
        return last()  # noqa: F821

    modules, found = [{}, {}], []

    def make(function):
        found.append([type(each) for names in modules for each in names.values()])
        return function

    def waiting_in(module, code):
        return Deferred(types.FunctionType(code, module), make)

    for name in ("first", "other"):
        modules[0][name] = waiting_in(modules[0], first.__code__)
    modules[0]["last"] = modules[1]["last"] = waiting_in(modules[1], (lambda: 3).__code__)
    waiting = [type(each) for names in modules for each in names.values()]
    assert modules[0]["first"]() == 3
    assert found == [waiting] * 3
    assert not any(isinstance(each, Deferred) for names in modules for each in names.values())
