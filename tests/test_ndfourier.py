"""Fourier filters against SciPy, and the way there and back with dask.array.fft."""

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from dask_image import ndfourier
from tests.helpers import assert_matches_scipy, assert_same, nothing_computes, seeded_image

NAMES = ndfourier.__all__
SHAPES = [(7,), (8,), (5, 6), (1, 6), (3, 4, 5), (1, 1), (0, 3), (2, 3, 1, 4)]
DTYPES = ["f4", "f8", "c8", "c16", "i4", "u1", "?"]


def both(name):
    return getattr(ndfourier, name), getattr(ndimage, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_matches_scipy(name, shape, dtype):
    if name == "fourier_ellipsoid" and len(shape) > 3:
        return
    image = seeded_image(shape, dtype)
    for parameter in (0.0, 1.0, 2.5, -2.0, tuple(np.linspace(0.3, 4, len(shape)))):
        assert_matches_scipy(*both(name), image, parameter, chunks=3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(6,), (5, 6), (3, 4, 5)])
@pytest.mark.parametrize("n, axis", [(10, -1), (11, -1), (5, 0), (3, 0), (0, -1)])
def test_real_transforms(name, shape, n, axis):
    image = seeded_image(shape, "c16")
    assert_matches_scipy(*both(name), image, 2.5, n=n, axis=axis, chunks=2)


@given(
    name=st.sampled_from(NAMES),
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    chunk=st.integers(1, 10),
    n=st.integers(-1, 12),
    data=st.data(),
)
def test_any_combination(name, shape, chunk, n, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parameter = data.draw(st.lists(st.floats(-5, 5), min_size=len(shape), max_size=len(shape)))
    image = seeded_image(shape, "c16")
    function, reference = both(name)
    expected = reference(image, parameter, n, axis)
    assert_same(function(da.from_array(image, chunks=chunk), parameter, n, axis), expected)


@pytest.mark.parametrize("name", NAMES)
def test_output_dtypes(name):
    function, reference = both(name)
    allowed = ["c8", "c16"] if name == "fourier_shift" else ["f4", "f8", "c8", "c16"]
    image = seeded_image((4, 5), "f8")
    for dtype in allowed:
        expected = reference(image, 1.5, output=np.dtype(dtype).type)
        assert_same(function(da.from_array(image, chunks=2), 1.5, output=dtype), expected)
    with pytest.raises(RuntimeError, match="output"):
        function(da.ones((4, 5), dtype="c8"), 1.5, output="f4")
    with pytest.raises(RuntimeError, match="output"):
        function(da.ones((4, 5)), 1.5, output=np.int32)
    with pytest.raises(TypeError, match="output"):
        function(da.ones((4, 5)), 1.5, output=np.empty((4, 5)))


def test_infinities_stay_where_they_are():
    image = np.array([np.inf + 1j, 2 - np.inf * 1j, 3.0])
    assert_matches_scipy(*both("fourier_gaussian"), image, 0.5, chunks=1)


@pytest.mark.parametrize("name", NAMES)
def test_bad_arguments(name):
    function, _ = both(name)
    image = da.ones((4, 5), chunks=2)
    parameter = {"fourier_gaussian": "sigma", "fourier_shift": "shift"}.get(name, "size")
    with pytest.raises(RuntimeError, match=parameter):
        function(image, (1, 2, 3))
    with pytest.raises(ValueError):
        function(image, "a")
    with pytest.raises(np.exceptions.AxisError):
        function(image, 1, axis=2)
    with pytest.raises(np.exceptions.AxisError):
        function(da.ones(()), 1)
    with pytest.raises(TypeError):
        function(image, 1, 2.5)
    with pytest.raises(RuntimeError, match="float16"):
        function(image.astype("f2"), 1)


def test_ellipsoid_refuses_four_axes():
    with pytest.raises(NotImplementedError, match="three"):
        ndfourier.fourier_ellipsoid(da.ones((2, 2, 2, 2)), 1)


def test_names_tell_arguments_apart():
    image = da.ones((6, 8), chunks=3)
    with nothing_computes():
        names = [
            function(image, *arguments).name
            for function in (getattr(ndfourier, name) for name in NAMES)
            for arguments in [(1,), (2,), (1, 8), (1, 9), (1, 8, 0), ((1, 2),), ((2, 1),)]
        ]
        assert len(set(names)) == len(names)
        names = {
            ndfourier.fourier_gaussian(image, 1, output=output).name for output in ("f4", "f8")
        }
        assert len(names) == 2


def test_one_task_a_block_after_optimisation():
    image = da.ones((40, 40, 40), chunks=10)
    (optimised,) = dask.optimize(ndfourier.fourier_gaussian(image, 2))
    assert len(dict(optimised.__dask_graph__())) <= 64 * 2


@pytest.mark.parametrize("shape", [(32,), (16, 20), (8, 10, 12)])
def test_round_trip_with_dask_fft(shape):
    image = seeded_image(shape, "f8")
    lazy = da.from_array(image, chunks=-1)
    axes = tuple(range(len(shape)))
    spectrum = da.fft.fftn(lazy, axes=axes).rechunk(5)
    half = da.fft.rfftn(lazy, axes=axes).rechunk(5)
    moved = ndfourier.fourier_shift(spectrum, 3).rechunk(-1)
    expected = np.roll(image, (3,) * len(shape), axes)
    assert_same(da.fft.ifftn(moved, axes=axes).real, expected, rtol=1e-10)
    moved = ndfourier.fourier_shift(half, 3, n=shape[-1]).rechunk(-1)
    assert_same(da.fft.irfftn(moved, s=shape, axes=axes), expected, rtol=1e-10)
    for name in NAMES:
        function, reference = both(name)
        whole = da.fft.ifftn(function(spectrum, 2.0).rechunk(-1), axes=axes).real
        short = function(half, 2.0, n=shape[-1]).rechunk(-1)
        expected = np.fft.ifftn(reference(np.fft.fftn(image), 2.0)).real
        assert_same(whole, expected, rtol=1e-10)
        assert_same(da.fft.irfftn(short, s=shape, axes=axes), expected, rtol=1e-10)
