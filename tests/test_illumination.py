"""Uneven light and backgrounds, against scikit-image and what was made to be found."""

import dask.array as da
import numpy as np
import pytest

from dask_image.local_statistics import (
    correct_illumination,
    estimate_illumination,
    subtract_background,
)
from dask_image.ndfilters import gaussian_filter
from dask_image.ndmorph import white_tophat
from tests.helpers import nothing_computes, seeded_image

CHUNKS = [(1, 30, 30), (5, 17, 40), (20, 60, 80), ((1, 0, 19), (11, 0, 49), 33)]


def lit_tiles():
    """Return tiles with objects in some, and the light that fell on them."""
    random = np.random.default_rng(0)
    y, x = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 80), indexing="ij")
    light = 1.3 - 0.4 * (x**2 + y**2)
    objects = np.where(random.random((20, 60, 80)) < 0.02, 3000, 0)
    tiles = (200 + objects + random.normal(0, 2, objects.shape)) * light + 100
    return tiles.round().astype(np.uint16), light / light.mean()


def test_light_is_found_whatever_lies_in_the_tiles():
    tiles, light = lit_tiles()
    flats = []
    for chunks in CHUNKS:
        with nothing_computes():
            flat = estimate_illumination(da.from_array(tiles, chunks=chunks), 4, dark=100)
        assert flat.shape == light.shape
        flats.append(flat.compute())
    for flat in flats:
        np.testing.assert_allclose(flat, flats[0], rtol=1e-12)
        assert abs(flat / light - 1).max() < 0.04
    last = np.moveaxis(tiles, 0, -1)
    np.testing.assert_allclose(
        estimate_illumination(da.from_array(last, chunks=25), 4, dark=100, axis=-1), flats[0]
    )


def test_missing_pixels_spoil_their_boxes_only():
    tiles, light = lit_tiles()
    tiles = tiles.astype(float)
    tiles[3, 20, 30] = tiles[:, 41, 50] = np.nan  # one in a single tile, one in all
    flats = [
        estimate_illumination(da.from_array(tiles, chunks=chunks), 4, dark=100).compute()
        for chunks in CHUNKS[:2]
    ]
    np.testing.assert_allclose(flats[0], flats[1], rtol=1e-12)
    assert abs(flats[0] / light - 1).max() < 0.04


def test_light_of_one_image():
    _, light = lit_tiles()
    flat = estimate_illumination(da.from_array(light * 500, chunks=31), 4, sigma=0, axis=None)
    assert abs(flat.compute() / light - 1).max() < 0.04


@pytest.mark.parametrize("box", [6, 7, 9, 11, (59, 79), 100])
def test_boxes_need_not_divide_a_tile(box):
    """A narrow box at the end would stand for one whose middle is beyond the edge."""
    y, x = np.meshgrid(np.arange(60) / 60, np.arange(80) / 80, indexing="ij")
    light = 1 + 0.5 * y - 0.4 * x
    found = estimate_illumination(da.from_array(light, chunks=31), box, sigma=0, axis=None)
    if box != 100:  # a slope needs two boxes
        np.testing.assert_allclose(found, light / light.mean(), atol=0.01)
    assert abs(found.mean().compute() - 1) < 0.005


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u8", "i8", "f4", "f8"])
def test_corrected_images_neither_wrap_nor_truncate(dtype):
    image = seeded_image((3, 8, 9), dtype)
    flat, dark = np.linspace(0.5, 2, 9) * np.ones((8, 1)), np.full((8, 9), 3)
    expected = (image.astype(np.float64) - dark) / flat
    for chunks in (-1, (1, 3, 4)):
        lazy = da.from_array(image, chunks=chunks)
        with nothing_computes():
            result = correct_illumination(lazy, da.from_array(flat, chunks=5), dark)
        short = dtype in ("u1", "i2", "u2", "f4")
        assert result.dtype == (np.float32 if short else np.float64)
        assert result.chunks == lazy.chunks
        np.testing.assert_allclose(result, expected, rtol=1e-5)
        for output in ("u1", "i2"):
            limits = np.iinfo(output)
            rounded = correct_illumination(lazy, flat, dark, output=output).compute()
            assert rounded.dtype == output
            wanted = np.rint(expected.astype(result.dtype)).clip(limits.min, limits.max)
            assert abs(rounded - wanted).max() <= (dtype == "f4")


def test_limits_of_long_integers():
    image = np.array([2**63, 2**64 - 1, 0, 5], np.uint64)
    result = correct_illumination(da.from_array(image, chunks=3), [1, 0.5, 0, 1], output="u8")
    assert result.compute().tolist() == [2**63, 2**64 - 1, 0, 5]
    result = correct_illumination(da.from_array(image, chunks=3), [1, 1, 1, -1], output="i8")
    assert result.compute().tolist() == [2**63 - 1, 2**63 - 1, 0, -5]


@pytest.mark.parametrize("radius", [1, 2.5, 6])
@pytest.mark.parametrize("shape", [(40, 33), (12, 11, 10), (50,)])
def test_the_ball_is_that_of_scikit_image(radius, shape):
    restoration = pytest.importorskip("skimage.restoration")
    image = seeded_image(shape, "f8")
    expected = image - restoration.rolling_ball(image, radius=radius)
    for chunks in (-1, 7):
        lazy = subtract_background(da.from_array(image, chunks=chunks), radius, "rolling_ball")
        np.testing.assert_allclose(lazy, expected, atol=1e-9 * abs(image).max())


def test_other_backgrounds():
    image = seeded_image((40, 33), "u1")
    lazy = da.from_array(image, chunks=13)
    floats = image.astype(np.float32)
    hats = subtract_background(lazy, 5, "white_tophat", output="u1")
    np.testing.assert_array_equal(hats, white_tophat(image, 5))
    np.testing.assert_array_equal(
        subtract_background(lazy, 3, "gaussian"),
        floats - gaussian_filter(floats, 3, mode="nearest"),
    )
    sky = np.full((40, 33), 1000, np.uint16)
    assert not subtract_background(da.from_array(sky, chunks=13), 8).any().compute()
    sky[3, 4] = 900  # a dark pixel neither wraps nor is lost
    assert subtract_background(da.from_array(sky, chunks=13), 8).min().compute() == -100
    assert subtract_background(da.from_array(sky, chunks=13), 8, output="u2")[3, 4].compute() == 0


@pytest.mark.parametrize("size", [7, 10, (8, 30)])
def test_slopes_are_background(size):
    y, x = np.meshgrid(np.arange(60.0), np.arange(80.0), indexing="ij")
    slope = 3 * y + x
    for chunks in (-1, 13, ((0, 20, 40), (1, 79))):
        lazy = da.from_array(slope, chunks=chunks)
        with nothing_computes():
            found = subtract_background(lazy, size, percentile=50)
        assert found.chunks == lazy.chunks
        # Half a box from the edges it goes on as it is.
        inner = (slice(5, -5), slice(15, -15))
        np.testing.assert_allclose(found.compute()[inner], 0, atol=2)
    slope[20:30, 40:60] = np.nan
    found = subtract_background(da.from_array(slope, chunks=13), size, percentile=50).compute()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(slope))


def test_windows_may_be_larger_than_the_image():
    image = np.arange(12.0).reshape(3, 4)
    found = subtract_background(da.from_array(image, chunks=2), 50, percentile=50)
    np.testing.assert_allclose(found, image - 5.5, rtol=1e-14)  # SciPy's splines differ


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: estimate_illumination(x, percentile=101), "percentile"),
        (lambda x: estimate_illumination(x, axis=3), "axis"),
        (lambda x: estimate_illumination(x.ravel()), "tiles must have axes besides"),
        (lambda x: estimate_illumination(x, 0), "box"),
        (lambda x: estimate_illumination(x, sigma=-1), "sigma"),
        (lambda x: correct_illumination(x, np.ones(4)), "flat"),
        (lambda x: correct_illumination(x, 1, np.ones(4)), "dark"),
        (lambda x: correct_illumination(x, 1, output=bool), "output"),
        (lambda x: subtract_background(x, 3, "median"), "method"),
        (lambda x: subtract_background(x, 0, "rolling_ball"), "size"),
        (lambda x: subtract_background(x, 3, percentile=-1), r"percentile must lie in \[0, 100\]"),
        (lambda x: subtract_background(x, 0), "size"),
        (lambda x: subtract_background(x, 2.5, "white_tophat"), "size"),
        (lambda x: subtract_background(x, -1, "gaussian"), "size"),
        (lambda x: subtract_background(x, (3, 4), "rolling_ball"), "size"),
        (lambda x: correct_illumination(x, np.ones((6, 8)) * 1j), "flat must hold real"),
    ],
)
def test_errors(call, text):
    with nothing_computes(), pytest.raises((ValueError, TypeError), match=text):
        call(da.zeros((6, 8), chunks=3))
