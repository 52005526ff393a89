"""Until a kernel is compiled SciPy computes the blocks, and nobody sees it in the values."""

import threading
import time

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

import dask_image.ndimage
from dask_image._kernels import patience, row_programs
from dask_image._kernels._numba import plainly, use_numba
from dask_image._kernels.blocks import components
from dask_image._kernels.blocks.label_columns import BlockLocation
from dask_image._kernels.blocks.label_geometry import geometry_partial, merge_geometry
from dask_image._kernels.blocks.label_index import index_labels
from dask_image._kernels.blocks.label_intensity import extremes_partial, sums_partial
from dask_image._kernels.patience import FEW_PIXELS, patient
from dask_image._kernels.stand_ins import STAND_INS, stand_in, uniform
from dask_image._utils.usual_calls import usual_calls

pytestmark = pytest.mark.skipif(not use_numba(), reason="numba is not installed, or not wanted")

LARGE = np.zeros(FEW_PIXELS, "u1")
LONG = 60


def slow_to_compile(seconds=0.0, error=None, nanoseconds=1e9):
    """Return a patient kernel that tells who computed, and waits for ``seconds`` at first."""
    compiled = threading.Event()

    @patient(nanoseconds=nanoseconds)
    def kernel(block, output=None):
        if not use_numba():
            return "SciPy"
        if not compiled.is_set():
            time.sleep(seconds)
            compiled.set()
        if error is not None:
            raise error
        return "compiled"

    return kernel, compiled


def test_small_jobs_compile_nothing(set_option):
    set_option("compile.wait", LONG)
    kernel, compiled = slow_to_compile()
    assert [kernel(LARGE[:99]) for _ in range(20)] == ["SciPy"] * 20
    assert not compiled.is_set()


def test_many_small_blocks_compile(set_option):
    set_option("compile.wait", LONG)
    kernel, _ = slow_to_compile()
    found = [kernel(LARGE[: FEW_PIXELS // 4]) for _ in range(5)]
    assert found == ["SciPy"] * 3 + ["compiled"] * 2


def test_a_large_block_waits_a_moment(set_option):
    set_option("compile.wait", LONG)
    kernel, _ = slow_to_compile()
    assert kernel(LARGE) == "compiled"


def test_blocks_wait_no_longer_than_that(set_option):
    set_option("compile.wait", 0.01)
    kernel, compiled = slow_to_compile(seconds=0.5)
    assert [kernel(LARGE), kernel(LARGE)] == ["SciPy"] * 2
    assert compiled.wait(LONG)
    deadline = time.monotonic() + LONG
    while kernel(LARGE) != "compiled":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("nanoseconds", [10, lambda block, output=None: 10])
def test_blocks_wait_no_longer_than_scipy_takes(set_option, nanoseconds):
    set_option("compile.wait", LONG)
    kernel, compiled = slow_to_compile(seconds=0.5, nanoseconds=nanoseconds)
    assert kernel(LARGE) == "SciPy"
    assert compiled.wait(LONG)


def test_large_windows_are_known_to_take_long(set_option, monkeypatch):
    def begin(progress, call, wait):
        progress.deadline = 0
        waited.append(wait)

    image = np.random.default_rng(0).integers(0, 255, (600, 600), "u1")
    waited = []
    monkeypatch.setattr(patience, "_begin", begin)
    set_option("compile.wait", LONG)
    for size in (3, 7):
        monkeypatch.setattr(patience, "_all_progress", {})
        stand_in(ndimage.median_filter)(image, size)
    assert waited[0] < 0.1 < waited[1] < 1


def test_another_dtype_is_another_kernel(set_option):
    set_option("compile.wait", LONG)
    kernel, _ = slow_to_compile()
    assert kernel(LARGE) == "compiled"
    assert kernel(LARGE[:9]) == "compiled"
    assert kernel(LARGE[:9].astype("f4")) == "SciPy"
    assert kernel(LARGE[:9], output="f4") == "SciPy"


def test_what_compiles_writes_to_no_array_that_was_given(set_option):
    set_option("compile.wait", 0)
    image, out, beside = np.ones(FEW_PIXELS, "f4"), np.empty(FEW_PIXELS, "f4"), np.zeros(1)
    changed, done = threading.Event(), threading.Event()

    @patient
    def kernel(block, out, *, beside):
        compiled = use_numba()
        if compiled:
            changed.wait(LONG)
        out[:], beside[:] = block, 1
        if compiled:
            done.set()

    kernel(image, out, beside=beside)
    out[:], beside[:] = 2, 2
    changed.set()
    assert done.wait(LONG)
    assert (out == 2).all()
    assert beside == 2


def test_errors_are_seen(set_option):
    set_option("compile.wait", LONG)
    kernel, _ = slow_to_compile(error=ValueError("no such mode"))
    with pytest.raises(ValueError, match="no such mode"):
        kernel(LARGE)


def test_waiting_for_ever_compiles_at_once(set_option):
    set_option("compile.wait", "inf")
    assert slow_to_compile()[0](LARGE[:9]) == "compiled"


@pytest.mark.parametrize("value", ["soon", -1, None, float("nan")])
def test_wait_must_be_seconds(set_option, value):
    set_option("compile.wait", value)
    with pytest.raises(ValueError, match="compile.wait must be a number of seconds"):
        slow_to_compile()[0](LARGE)


# Means of floating-point pixels are rounded in another order than SciPy's.
NOT_EXACT = {"uniform_filter", "uniform_filter1d"}


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_patient_kernels_give_the_same_bits(dtype):
    image = (np.random.default_rng(0).random((40, 70)) * 200).astype(dtype)
    names = {function.__name__: function for function in STAND_INS}
    for call in usual_calls(image):
        if call.name not in names or (call.name in NOT_EXACT and image.dtype.kind == "f"):
            continue
        in_region = getattr(stand_in(names[call.name]), "in_region", None)
        if in_region is None:
            continue
        arguments = dict(region=(slice(3, 37), slice(0, 60)), **call.keywords)
        compiled = in_region(*call.arrays, **arguments)
        with plainly():
            by_scipy = in_region(*call.arrays, **arguments)
        assert compiled.dtype == by_scipy.dtype
        assert compiled.tobytes() == by_scipy.tobytes(), call


@pytest.mark.parametrize(("dtype", "waits"), [("u2", False), ("f4", True)])
def test_only_means_of_integers_do_not_wait(dtype, waits, set_option, monkeypatch):
    set_option("compile.wait", 0)
    monkeypatch.setattr(patience, "_all_progress", {})
    monkeypatch.setattr(patience, "_work_off_jobs", lambda: None)
    image = np.ones((600, 700), dtype)
    compiled = []
    monkeypatch.setattr(uniform, "_sweep", lambda *arguments: compiled.append(arguments))
    stand_in(ndimage.uniform_filter).in_region(image, 3, region=None)
    assert bool(compiled) == waits


@pytest.mark.parametrize("name", ["minimum_filter", "median_filter", "grey_opening"])
def test_many_calls_of_numpy_do_not_wait_for_the_compiler(name, monkeypatch):
    """It holds Python's lock, for which each of them would wait."""
    monkeypatch.setattr(row_programs, "_plain_sweep", None)
    image = np.random.default_rng(0).random((40, 400), dtype="f4")
    with plainly():
        found = stand_in(getattr(ndimage, name))(image, 3)
    np.testing.assert_array_equal(found, getattr(ndimage, name)(image, 3))


IN_ENGINES = (
    "label", "binary_fill_holes", "binary_propagation", "distance_transform_edt",
    "distance_transform_cdt",
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_patient_engines_give_the_same_bits(dtype, set_option):
    image = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(60, 70)), 1)
    image = (image > 0).astype(dtype)
    for call in usual_calls(image):
        if call.name in IN_ENGINES:
            found = [np.asarray(one).tobytes() for one in both_ways(call, set_option)]
            assert found[0] == found[1], call


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(60, 70), (5, 9, 11), (40,)])
def test_patient_measurements_give_the_same_bits(dtype, shape):
    random = np.random.default_rng(0)
    image = random.integers(-3, 4, (2, *shape)).astype(dtype)
    if image.dtype.kind == "f":
        image *= random.choice(
            [1, -1, np.nan], image.shape, p=[0.5, 0.4, 0.1]
        )  # and zeros of both signs
    labels = random.integers(0, 30, image.shape, "i4") ** 5
    location = BlockLocation((3,) * len(shape), (100,) * len(shape))

    def measured():
        index = [index_labels(each) for each in labels]
        yield merge_geometry([geometry_partial(each, location, moments=True) for each in index])
        for each, values in zip(index, image, strict=True):
            yield extremes_partial(each, values, location)
            if values.dtype.kind != "f":
                yield sums_partial(each, values, location)

    compiled = list(measured())
    with plainly():
        by_numpy = list(measured())
    for found, expected in zip(compiled, by_numpy, strict=True):
        for field, values in expected.items():
            assert found[field].dtype == values.dtype
            assert found[field].tobytes() == values.tobytes(), field


def both_ways(call, set_option):
    """Return the results of a call with compiled kernels, and with SciPy's."""
    function = getattr(dask_image.ndimage, call.name)
    for kernels in ("numba", "scipy"):
        set_option("kernels", kernels)
        arrays = [da.from_array(array, chunks=(30, 40)) for array in call.arrays]
        result = function(*arrays, **call.keywords)
        yield dask.compute(result[0] if isinstance(result, tuple) else result)


def test_components_compile_all_their_methods(set_option):
    set_option("compile.wait", LONG)
    patience._all_progress.clear()
    steps = ((0, 1), (0, -1), (1, 0), (-1, 0))
    small, large = np.ones((9, 9), bool), np.ones((600, 700), bool)
    assert isinstance(components.components_of(small, steps), components.ArrayComponents)
    deadline = time.monotonic() + LONG
    while isinstance(found := components.components_of(large, steps), components.ArrayComponents):
        assert time.monotonic() < deadline
    kept = found.keep(0)
    assert kept.relabel(np.array([0, 7])).tolist() == [[7] * 700] * 600


def test_what_compiles_writes_to_no_array_in_a_tuple(set_option):
    set_option("compile.wait", LONG)
    out = np.zeros(1)

    @patient
    def kernel(block, outputs):
        outputs[0][:] += 1

    kernel(LARGE, (out, 3))
    assert out == 1


@pytest.mark.parametrize("wait", [0, 1e-3])
def test_public_functions_do_not_tell(set_option, wait):
    image = np.random.default_rng(0).random((600, 700), dtype="f4")
    expected = dask_image.ndimage.gaussian_filter(image, 1.25).compute()
    set_option("compile.wait", wait)
    for _ in range(2):
        found = dask_image.ndimage.gaussian_filter(image, 1.25).compute()
        np.testing.assert_array_equal(found, expected)
