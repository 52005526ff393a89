"""Statistics after clipping, and backgrounds, against a loop over boxes."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage, spatial

from dask_image.local_statistics import background, local_sigma_clipped
from tests.helpers import assert_same, nothing_computes

CHUNKS = [-1, ((90, 3, 72), (61, 82)), 50]


def field(shape=(165, 143), dtype="f8"):
    """Return a sky with a slope, noise and stars, and a mask with a hole."""
    random = np.random.default_rng(0)
    image = random.normal(100 + 0.05 * np.indices(shape).sum(0), 3)
    for _ in range(25):
        row, column = (random.integers(0, size) for size in shape)
        image[row : row + 7, column : column + 7] += random.exponential(200)
    mask = np.ones(shape, bool)
    mask[40:80, 20:70] = False
    return image.astype(dtype), mask


def clipped(values, sigma=3.0, maxiters=10):
    values = values[np.isfinite(values)].astype(float)
    for _ in range(maxiters):
        middle, spread = np.median(values), values.std()
        kept = values[np.abs(values - middle) <= sigma * spread]
        if kept.size == values.size:
            break
        values = kept
    return values


def mode_of(values):
    mean, median, std = values.mean(), np.median(values), values.std()
    if std == 0:
        return mean
    return median if abs(mean - median) / std >= 0.3 else 2.5 * median - 1.5 * mean


STATISTICS = {"median": np.median, "mean": np.mean, "std": np.std, "mode": mode_of}


def meshes(image, mask, box, sizes=(3, 3), exclude=10):
    """Return the meshes of background and noise, box by box."""
    shape = tuple(-(-size // width) for size, width in zip(image.shape, box))
    found = np.full((2, *shape), np.nan)
    for index in np.ndindex(*shape):
        where = tuple(slice(i * width, (i + 1) * width) for i, width in zip(index, box))
        values = clipped(image[where][mask[where]]) if mask[where].any() else np.empty(0)
        if values.size > (1 - exclude / 100) * np.prod(box):
            found[(0, *index)], found[(1, *index)] = mode_of(values), values.std()
    for mesh in found:
        gaps = np.isnan(mesh)
        tree = spatial.cKDTree(np.argwhere(~gaps), leafsize=10)
        filled = mesh.copy()
        for index in np.argwhere(gaps):
            distance, place = tree.query(index, k=10)
            filled[tuple(index)] = np.average(mesh[~gaps][place], weights=1 / distance)
        mesh[...] = ndimage.generic_filter(
            filled, np.nanmedian, size=sizes, mode="constant", cval=np.nan
        )
    return found


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("masked", [False, True])
def test_statistics_of_clipped_windows(statistic, masked):
    image, mask = field((120, 90))
    image[5, 7], image[100, 80] = np.nan, np.inf
    mask = mask if masked else np.ones(image.shape, bool)
    expected = np.full((4, 3), np.nan)
    for index in np.ndindex(4, 3):
        where = tuple(slice(30 * i, 30 * i + 30) for i in index)
        values = image[where][mask[where]]
        if values.size:
            expected[index] = STATISTICS[statistic](clipped(values))
    for chunks in (-1, ((50, 1, 69), (40, 50))):
        lazy = da.from_array(image, chunks=chunks)
        with nothing_computes():
            found = local_sigma_clipped(
                lazy, statistic, 30, interpolate=None, mask=mask if masked else None
            )
        assert_same(found, expected, rtol=1e-11)


@pytest.mark.parametrize("maxiters", [0, 1, 2, None])
@pytest.mark.parametrize("sigma", [1.5, 3])
def test_how_much_is_clipped(sigma, maxiters):
    image = field((40, 40))[0].ravel()
    values = clipped(image, sigma, 1600 if maxiters is None else maxiters)
    lazy = da.from_array(image, chunks=700)
    found = local_sigma_clipped(lazy, "std", 1600, None, sigma, maxiters, None)
    np.testing.assert_allclose(found.compute(), [values.std()], rtol=1e-10)


def test_equal_values_and_integers():
    image = np.full(100, 7, "u1")
    image[50] = 255
    lazy = da.from_array(image, chunks=30)
    for statistic, value in {"median": 7, "mean": 7, "std": 0, "mode": 7}.items():
        found = local_sigma_clipped(lazy, statistic, 100, interpolate=None)
        np.testing.assert_array_equal(found.compute(), [value])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("box", [(30, 25), (20, 20)])
def test_meshes_of_the_background(masked, box):
    image, mask = field()
    mask = mask if masked else np.ones(image.shape, bool)
    expected = meshes(image, mask, box)
    for chunks in CHUNKS:
        lazy = da.from_array(image, chunks=chunks)
        with nothing_computes():
            found = background(lazy, box, mask=mask if masked else None, interpolate=False)
        for one, other in zip(found, expected):
            assert_same(one, other, rtol=1e-11)


def test_no_block_waits_for_its_neighbours():
    random = np.random.default_rng(1)
    image = random.normal(100, 3, (640, 600))
    mask = random.random(image.shape) > 0.2
    lazy = da.from_array(image, chunks=((310, 330), (210, 390)))
    found = background(lazy, 50, exclude_percentile=30, mask=mask, interpolate=False)
    for one, expected in zip(found, meshes(image, mask, (50, 50), exclude=30)):
        assert_same(one, expected, rtol=1e-11)
    graph = dict(found[0].__dask_graph__())
    blocks = {key for key in graph if isinstance(key, tuple) and key[0] == lazy.name}
    needs = [getattr(task, "dependencies", ()) for task in graph.values()]
    assert max(len(blocks.intersection(each)) for each in needs) == 1


def test_backgrounds_at_full_size():
    image, mask = field()
    expected = []
    for mesh in meshes(image, mask, (12, 11)):
        full = ndimage.zoom(mesh, (12, 11), order=3, mode="reflect", grid_mode=True)
        expected.append(np.clip(full[:165, :143], mesh.min(), mesh.max()))
    for chunks in CHUNKS:
        lazy = da.from_array(image, chunks=chunks)
        found = background(lazy, (12, 11), mask=mask)
        for one, other in zip(found, expected):
            assert one.chunks == lazy.chunks
            assert_same(one, other, rtol=1e-10)
    assert background(lazy.astype("f4"), 30)[0].dtype == np.float32


def test_a_constant_sky_with_holes():
    sky = np.full((200, 190), 1000.0)
    sky[60:140, 50:130] = np.nan
    level, noise = background(da.from_array(sky, chunks=70), 20)
    np.testing.assert_allclose(level.compute(), 1000, rtol=1e-12)
    np.testing.assert_array_equal(noise.compute(), 0)


def test_volumes():
    image = np.random.default_rng(0).normal(50, 2, (30, 40, 20))
    level, noise = background(da.from_array(image, chunks=15), 10)
    assert level.shape == noise.shape == image.shape
    assert abs(level - 50).max().compute() < 1


def test_boxes_are_no_larger_than_the_image():
    image = np.random.default_rng(0).normal(50, 2, (28, 20))
    for box, cut in ((64, (28, 20)), ((14, 64), (14, 20))):
        found = [
            part.compute() for each in (box, cut) for part in background(da.from_array(image), each)
        ]
        assert np.isfinite(found[0]).all()
        np.testing.assert_array_equal(found[:2], found[2:])


def test_values_that_are_none_are_not_counted():
    image = np.random.default_rng(0).normal(50, 2, (30, 30))
    image[:10, :10] = np.nan
    image[0, 0], image[20, :10] = 7, np.inf
    mask = np.ones(image.shape, bool)
    mask[20:24, 20:] = False
    counts = (np.isfinite(image) & mask).reshape(3, 10, 3, 10).sum(axis=(1, 3))
    for chunks in (-1, 7):
        found = local_sigma_clipped(
            da.from_array(image, chunks=chunks), "mean", 10, interpolate=None, mask=mask,
            min_fraction=0.9,
        )  # fmt: skip
        np.testing.assert_array_equal(np.isnan(found.compute()), counts < 90)


def test_footprints_of_which_nothing_is_left_at_the_edge():
    image = np.arange(36.0).reshape(6, 6)
    corner = np.zeros((5, 5), bool)
    corner[0, 0] = True
    found = local_sigma_clipped(da.from_array(image, chunks=3), "mean", corner, 1, interpolate=None)
    expected = np.full((6, 6), np.nan)
    expected[2:, 2:] = image[:-2, :-2]
    np.testing.assert_array_equal(found.compute(), expected)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: background(x, 0), "box"),
        (lambda x: background(x[:0], 4), "pixel"),
        (lambda x: background(x, 4, 2), "filter_size"),
        (lambda x: background(x, 4, exclude_percentile=101), "exclude_percentile"),
        (lambda x: background(x, 4, sigma=0), "sigma"),
        (lambda x: background(x, 4, mask=np.ones(3, bool)), "mask"),
        (lambda x: local_sigma_clipped(x, "sum"), "statistic"),
        (lambda x: local_sigma_clipped(x, maxiters=-1), "maxiters"),
        (lambda x: local_sigma_clipped(x, maxiters="3"), "maxiters"),
    ],
)
def test_errors(call, text):
    with pytest.raises(ValueError, match=text):
        call(da.ones((60, 60), chunks=30))
