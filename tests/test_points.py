"""Tables of points: measured where they lie, counted by region, moved with their image."""

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image.ndinterp import transform_points
from dask_image.ndmeasure import count_points, points_table
from dask_image.segmentation import peak_local_max
from tests.helpers import assert_same, nothing_computes

RANDOM = np.random.default_rng(4)
SHAPE = (13, 17, 9)
# Beyond what a float holds, so that none may come through one.
LABELS = RANDOM.integers(0, 6, SHAPE).astype(np.uint64)
LABELS[LABELS > 0] += np.uint64(2**63)
IMAGE = RANDOM.random(SHAPE).astype(np.float32)
POINTS = np.concatenate([
    RANDOM.uniform(-2, 18, (80, 3)), RANDOM.integers(0, 9, (20, 3)),
    [[np.nan, 1, 1], [np.inf, 0, 0], [-0.5, 0, 0], [-0.51, 0, 0], [12.49, 16, 8], [12.5, 16, 8]],
])  # fmt: skip


def pixels_of(image, outside, points=POINTS):
    """Look up the pixel of each point, one by one."""
    found = []
    for point in points:
        nearest = [np.floor(each + 0.5) for each in point]
        inside = all(0 <= at < size for at, size in zip(nearest, image.shape))
        found.append(image[tuple(map(int, nearest))] if inside else outside)
    return np.array(found, np.result_type(image, type(outside)) if outside else image.dtype)


def frames():
    pandas = pytest.importorskip("pandas")
    dataframe = pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame(POINTS, columns=["z", "y", "x"])
    return {"pandas": frame, "frame": dataframe.from_pandas(frame, npartitions=3)}


def of_unknown_length():
    every = da.ones(len(POINTS), dtype=bool, chunks=40)
    return da.from_array(POINTS, chunks=(40, 2))[every]


KINDS = {
    "numpy": lambda: POINTS,
    "dask": lambda: da.from_array(POINTS, chunks=(33, 2)),
    "unknown": of_unknown_length,
    "pandas": lambda: frames()["pandas"],
    "frame": lambda: frames()["frame"],
}


@pytest.mark.parametrize("chunks", [-1, (4, 5, 9), (1, 17, 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_points_are_where_they_lie(kind, chunks):
    points = KINDS[kind]()
    labels, image = (da.from_array(each, chunks=chunks) for each in (LABELS, IMAGE))
    with nothing_computes():
        table = points_table(points, labels, image)
        counts, present = count_points(points, labels, "all")
        some = count_points(points, labels, [2**63 + 1, 7, 2**63 + 3])
        inside = count_points(points, labels)
    assert points_table(points, labels, image)["label"].name == table["label"].name
    at = pixels_of(LABELS, 0)
    expected, numbers = np.unique(at[at > 0], return_counts=True)
    found, counts, present = dask.compute(table, counts, present)
    for axis in range(3):
        np.testing.assert_array_equal(found[f"position-{axis}"], POINTS[:, axis])
    np.testing.assert_array_equal(found["label"], at)
    assert found["label"].dtype == table["label"].dtype == np.uint64
    np.testing.assert_array_equal(found["intensity"], pixels_of(IMAGE.astype(float), np.nan))
    np.testing.assert_array_equal(present, expected)
    np.testing.assert_array_equal(counts, numbers)
    np.testing.assert_array_equal(some.compute(), [numbers[0], 0, numbers[2]])
    assert inside.compute() == numbers.sum()
    assert some.dtype == inside.dtype == np.int64


def test_channels_have_columns():
    pytest.importorskip("dask.dataframe")
    image = np.stack([IMAGE, 2 * IMAGE])
    points = da.from_array(POINTS, chunks=(50, 3))
    frame = points_table(points, LABELS, image, channel_axis=0, as_frame=True)
    last = points_table(points, None, np.moveaxis(image, 0, -1), separator="_")
    assert frame.npartitions == 3
    names = ["position-0", "position-1", "position-2", "label", "intensity-0", "intensity-1"]
    found = frame.compute()
    assert list(found.columns) == list(frame.columns) == names
    assert (found.dtypes == frame.dtypes).all()
    np.testing.assert_array_equal(found["intensity-1"], last["intensity_1"].compute())
    np.testing.assert_array_equal(found["intensity-0"], pixels_of(IMAGE.astype(float), np.nan))
    np.testing.assert_array_equal(found["label"], pixels_of(LABELS, 0))


def test_peaks_need_not_be_counted_first():
    image = da.from_array(IMAGE, chunks=5)
    peaks = peak_local_max(image)
    found = peaks.compute()
    assert len(found) > 5
    table = points_table(peaks, LABELS, image)
    np.testing.assert_array_equal(table["intensity"].compute(), IMAGE[tuple(found.T)])
    assert count_points(peaks, LABELS).compute() == np.count_nonzero(LABELS[tuple(found.T)])


@pytest.mark.parametrize("points", [[], np.empty((0, 3)), da.zeros((0, 3))])
def test_no_points(points):
    table = points_table(points, LABELS, IMAGE)
    assert [column.compute().shape for column in table.values()] == [(0,)] * 5
    assert count_points(points, LABELS, [2**63 + 1]).compute() == 0
    assert transform_points(np.empty((0, 3)), np.eye(3)).compute().shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_points_move(kind):
    matrix, offset = RANDOM.normal(size=(3, 3)), [1.0, 2.0, 3.0]
    field = RANDOM.normal(size=(3, *SHAPE))
    whole = np.isfinite(POINTS).all(axis=1)
    lazy = da.from_array(field, chunks=(1, 4, 5, 9))
    with nothing_computes():
        moved = transform_points(KINDS[kind](), matrix, offset, lazy)
    found = moved.compute()
    assert found.dtype == moved.dtype == np.float64
    there = POINTS[whole] @ matrix.T + offset
    steps = [ndimage.map_coordinates(each, there.T, order=1, mode="nearest") for each in field]
    np.testing.assert_allclose(found[whole], there + np.transpose(steps), rtol=1e-12)
    assert np.isnan(found[np.isnan(POINTS[:, 0])]).all()


def test_matrices_are_those_of_affine_transform():
    points = da.from_array(POINTS[:20, :2], chunks=(7, 2))
    homogeneous = np.array([[1.0, 2, 3], [4, 5, 6], [0, 0, 1]])
    expected = POINTS[:20, :2] @ homogeneous[:2, :2].T + homogeneous[:2, 2]
    for matrix in (homogeneous, homogeneous[:2]):
        assert_same(transform_points(points, matrix), expected)
    assert_same(transform_points(points, homogeneous[:2, :2], homogeneous[:2, 2]), expected)
    assert_same(transform_points(points, [2, 3]), POINTS[:20, :2] * [2, 3])
    assert_same(transform_points(points, offset=1), POINTS[:20, :2] + 1)
    assert_same(transform_points(points), POINTS[:20, :2])
    assert transform_points(points).chunks == points.chunks


@pytest.mark.parametrize(
    "call, error, match",
    [
        (lambda: points_table(POINTS), ValueError, "needs a label_image or an intensity_image"),
        (lambda: points_table(POINTS[:, :2], LABELS), ValueError, r"points must have shape"),
        (lambda: points_table(POINTS[0], LABELS), ValueError, r"points must have shape \(n, 3\)"),
        (lambda: points_table(POINTS[:9] * 1j, LABELS), TypeError, "points must be real"),
        (lambda: points_table(POINTS, IMAGE * 1j), TypeError, "label_image must hold integers"),
        (lambda: points_table(POINTS, None, IMAGE * 1j), TypeError, "must hold real numbers"),
        (lambda: points_table(POINTS, None, IMAGE[0]), ValueError, "the axes of points"),
        (lambda: points_table(POINTS, None, IMAGE, channel_axis=0), ValueError, "axes of points"),
        (lambda: count_points(POINTS, LABELS, "none"), ValueError, "index must be None"),
        (lambda: transform_points(POINTS, np.eye(2)), ValueError, "matrix must have 3 rows"),
        (lambda: transform_points(POINTS, None, 0, IMAGE), ValueError, "displacement must have"),
    ],
)
def test_wrong_arguments(call, error, match):
    with pytest.raises(error, match=match):
        call()
