"""The watershed, against SciPy's."""

import warnings

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image._kernels.stand_ins import foresting
from dask_image.ndmorph._watershed import watershed_ift
from tests.helpers import assert_same, nothing_computes


def seeded_flood(shape, dtype=np.uint8, marker_dtype=np.int32, seed=0):
    random = np.random.default_rng(seed)
    image = random.integers(0, 30, shape).astype(dtype)
    markers = random.integers(-2, 4, shape) * (random.random(shape) < 0.2)
    return image, markers.astype(marker_dtype)


def flood(image, markers, chunks, marker_chunks=None, **keywords):
    lazy_image = da.from_array(image, chunks=chunks)
    lazy_markers = da.from_array(markers, chunks=marker_chunks or chunks)
    with nothing_computes(), warnings.catch_warnings():
        warnings.simplefilter("ignore", da.PerformanceWarning)
        result = watershed_ift(lazy_image, lazy_markers, **keywords)
        again = watershed_ift(lazy_image, lazy_markers, **keywords)
    assert result.name == again.name
    assert result.chunks == lazy_image.chunks
    return result


@pytest.mark.parametrize(
    "shape, chunks",
    [
        ((13,), 4),
        ((9, 11), (4, (1, 2, 8))),
        ((9, 11), 1),
        ((5, 6, 7), 3),
        ((3, 1, 4, 2), 2),
        ((0, 3), 2),
        ((), -1),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2"])
def test_equals_scipy(shape, chunks, dtype):
    image, markers = seeded_flood(shape, dtype)
    expected = ndimage.watershed_ift(image, markers)
    assert_same(flood(image, markers, chunks), expected)


@pytest.mark.parametrize("marker_dtype", [np.int8, np.int16, np.int32, np.int64])
def test_has_the_dtype_of_the_markers(marker_dtype):
    image, markers = seeded_flood((8, 9), marker_dtype=marker_dtype)
    expected = ndimage.watershed_ift(image, markers, output=np.int32)
    assert_same(flood(image, markers, 4, output=np.int32), expected)


@pytest.mark.parametrize("rank", [1, 2])
def test_takes_a_structure_and_markers_of_other_chunks(rank):
    image, markers = seeded_flood((8, 9))
    structure = ndimage.generate_binary_structure(2, rank).astype(int)
    expected = ndimage.watershed_ift(image, markers, structure)
    assert_same(flood(image, markers, 4, marker_chunks=(3, 9), structure=structure), expected)


@pytest.mark.parametrize("highest", [3, 30, 255, 65535])
@pytest.mark.parametrize("shape", [(40,), (17, 23), (1, 30), (5, 9, 13)])
def test_large_images_are_flooded_as_by_scipy(shape, highest, monkeypatch):
    monkeypatch.setattr(foresting, "FEW_PIXELS", 1)
    random = np.random.default_rng(highest)
    image = random.integers(0, highest + 1, shape).astype("u1" if highest < 256 else "u2")
    image[(0,) * image.ndim] = highest
    square = random.random((3,) * image.ndim) < 0.5
    for share in (0.02, 0.3):
        markers = random.integers(-2, 4, shape) * (random.random(shape) < share)
        for structure in (None, ndimage.generate_binary_structure(image.ndim, image.ndim), square):
            expected = ndimage.watershed_ift(image, markers, structure)
            assert_same(flood(image, markers, 4, structure=structure), expected)


def test_warns_of_one_task_for_the_whole_image():
    image, markers = seeded_flood((8, 9))
    with pytest.warns(da.PerformanceWarning, match="in one task"):
        watershed_ift(da.from_array(image, chunks=4), markers)
    watershed_ift(image, markers)  # one block: nothing to warn of


def test_markers_may_be_whole_floats():
    random = np.random.default_rng(3)
    image = random.integers(0, 255, (9, 8), np.uint8)
    markers = random.integers(-1, 3, (9, 8))
    floats = np.where(markers == 0, np.nan, markers).astype("f4")
    result = watershed_ift(image, floats)
    assert result.dtype == np.int64
    np.testing.assert_array_equal(result, ndimage.watershed_ift(image, markers))
    with pytest.raises(ValueError, match="markers must hold whole numbers .* got 0.5"):
        watershed_ift(image, np.full((9, 8), 0.5)).compute()


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"image": np.zeros((4, 4), np.int32)}, TypeError, "uint8 or uint16, got int32"),
        ({"image": np.zeros((4, 4), bool)}, TypeError, "uint8 or uint16, got bool"),
        ({"markers": np.zeros((4, 4), np.uint8)}, RuntimeError, "signed integer dtype, got uint8"),
        ({"markers": np.zeros((4, 3), np.int8)}, RuntimeError, r"\(4, 4\), got \(4, 3\)"),
        ({"structure": np.ones((3, 3, 3))}, RuntimeError, "size 3 along each of 2 axes"),
        ({"structure": np.ones((3, 5))}, RuntimeError, r"got shape \(3, 5\)"),
        ({"output": np.zeros((4, 4))}, TypeError, "output must be a dtype"),
    ],
)
def test_refuses_at_call_time(change, error, message):
    arguments = {"image": np.zeros((4, 4), np.uint8), "markers": np.zeros((4, 4), np.int32)}
    with pytest.raises(error, match=message):
        watershed_ift(**{**arguments, **change})
