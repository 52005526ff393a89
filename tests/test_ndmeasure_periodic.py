"""Labels on axes whose ends meet, beside the same measurements of rolled images."""

import dask
import dask.array as da
import numpy as np
import pytest

from dask_image.ndmeasure import center_of_mass, label, regionprops_table
from tests.helpers import nothing_computes

RNG = np.random.default_rng(7)
FIELD = RNG.normal(size=(23, 31))
BLOBS = label(np.roll(np.cumsum(FIELD, axis=1), 9, axis=1) > 0.5, wrap_axes=(0, 1))[0].compute()
# Labels of many pieces each, and gaps of all widths.
NOISE = RNG.integers(0, 12, (23, 31)) * (RNG.random((23, 31)) < 0.07)
FAR = np.where(NOISE > 0, NOISE * 10_000_000 - 3, 0)  # too far apart for a table
WEIGHTS = RNG.random((23, 31)) + 0.5
PROPERTIES = (
    "label", "area", "bbox", "area_bbox", "extent", "centroid", "centroid_weighted",
    "moments_central", "inertia_tensor", "orientation", "axis_major_length", "intensity_max",
)  # fmt: skip
CHUNKS = [(23, 31), (5, 7), (1, 31), (23, 1), ((20, 3), (1, 29, 1))]


def begin_of(positions, size):
    """Return where the smallest stretch begins that holds all positions on a ring."""
    present = np.isin(np.arange(size), positions)
    gaps = []  # negative width, begin of what follows
    for begin in np.flatnonzero(present & ~np.roll(present, 1)):
        width = 1
        while not present[(begin - width) % size]:
            width += 1
        gaps.append((1 - width, begin))
    return min(gaps)[1] if gaps else 0


def rolled_table(labels, weights, axes, properties=PROPERTIES):
    """Measure label by label, each in an image that is rolled so that it begins at 0."""
    rows = []
    for wanted in np.unique(labels[labels > 0]):
        where = np.nonzero(labels == wanted)
        begin = [
            begin_of(where[axis], labels.shape[axis]) if axis in axes else 0
            for axis in range(labels.ndim)
        ]
        alone = np.where(labels == wanted, wanted, 0)
        shifts = [-first for first in begin]
        both = [np.roll(image, shifts, range(labels.ndim)) for image in (alone, weights)]
        (row,) = dask.compute(regionprops_table(*both, properties))
        for axis in axes:
            for side in (axis, axis + labels.ndim):
                row[f"bbox-{side}"] = row[f"bbox-{side}"] + begin[axis]
            for name in ("centroid", "centroid_weighted"):
                row[f"{name}-{axis}"] = (row[f"{name}-{axis}"] + begin[axis]) % labels.shape[axis]
        rows.append(row)
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("axes", [(1,), (0,), (0, 1)])
@pytest.mark.parametrize("labels", [BLOBS, NOISE, FAR], ids=["blobs", "noise", "far"])
def test_table_is_that_of_rolled_images(labels, axes):
    expected = rolled_table(labels, WEIGHTS, axes)
    for chunks in CHUNKS:
        lazy = da.from_array(labels, chunks=chunks)
        with nothing_computes():
            table = regionprops_table(lazy, WEIGHTS, PROPERTIES, wrap_axes=axes)
        (found,) = dask.compute(table)
        assert list(found) == list(expected)
        for name, values in expected.items():
            assert found[name].dtype == values.dtype
            if name == "orientation":  # of what has none, rounding decides
                apart = np.abs(expected["inertia_tensor-0-0"] - expected["inertia_tensor-1-1"])
                some = (apart > 1e-6) | (np.abs(expected["inertia_tensor-0-1"]) > 1e-6)
                turn = np.abs(found[name] - values)[some]
                assert np.minimum(turn, np.pi - turn).max(initial=0) < 1e-6
            elif values.dtype.kind == "i":
                np.testing.assert_array_equal(found[name], values, err_msg=name)
            else:
                np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-6, err_msg=name)


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("chunks", CHUNKS)
def test_center_of_mass(chunks):
    expected = rolled_table(
        NOISE, WEIGHTS, (1,), ("label", "bbox", "centroid", "centroid_weighted")
    )
    index = expected["label"]
    centers = np.stack([expected["centroid_weighted-0"], expected["centroid_weighted-1"]], axis=1)
    lazy = da.from_array(NOISE, chunks=chunks)
    found = center_of_mass(WEIGHTS, lazy, index, wrap_axes=1)
    np.testing.assert_allclose(found.compute(), centers, rtol=1e-10)
    one = center_of_mass(WEIGHTS, lazy, index[3], wrap_axes=-1)
    np.testing.assert_allclose(one.compute(), centers[3], rtol=1e-10)
    everything, names = dask.compute(center_of_mass(WEIGHTS, lazy, "all", wrap_axes=(1,)))[0]
    np.testing.assert_allclose(everything, centers, rtol=1e-10)
    np.testing.assert_array_equal(names, index)
    absent = center_of_mass(WEIGHTS, lazy, 77, wrap_axes=1)
    assert np.isnan(absent.compute()).all()


@pytest.mark.parametrize("chunks", [3, 10, ((1, 6, 1),)])
def test_all_labels_together_are_one_object(chunks):
    ring = np.array([2, 0, 0, 0, 0, 0, 3, 1])
    lazy = da.from_array(ring, chunks=chunks)
    centre = center_of_mass(np.ones(8), lazy, wrap_axes=0)
    np.testing.assert_allclose(centre.compute(), [7])
    assert center_of_mass(lazy, wrap_axes=0).shape == (1,)


def test_what_fills_the_ring_stays_as_it_is():
    full = np.ones((2, 5), int)
    full[0, 1] = 0
    (table,) = dask.compute(regionprops_table(da.from_array(full, chunks=2), wrap_axes=1))
    assert [int(table[f"bbox-{i}"][0]) for i in range(4)] == [0, 0, 2, 5]
    np.testing.assert_allclose(table["centroid-1"], np.nonzero(full)[1].mean())


def test_of_gaps_alike_the_ends_are_the_cut():
    (table,) = dask.compute(regionprops_table(np.array([0, 1, 0, 0, 1, 0]), wrap_axes=0))
    assert (table["bbox-0"], table["bbox-1"]) == (1, 5)


def test_objects_of_a_volume():
    volume = np.roll(
        np.pad(np.ones((3, 4, 5), np.uint8), ((0, 4), (0, 3), (0, 2))), (-1, 6, -2), (0, 1, 2)
    )
    lazy = da.from_array(volume, chunks=(2, 3, 4))
    (table,) = dask.compute(regionprops_table(lazy, wrap_axes=(0, 2), spacing=(2, 1, 0.5)))
    assert [int(table[f"bbox-{i}"][0]) for i in range(6)] == [6, 0, 5, 9, 7, 10]
    np.testing.assert_allclose(table["centroid-0"], 0.0)
    np.testing.assert_allclose(table["centroid-2"], 0.0)
    assert table["area"] == 60


def test_no_pixels_and_no_labels():
    for labels in (np.zeros((4, 5), int), np.zeros((0, 5), int), np.zeros((4, 0), bool)):
        (table,) = dask.compute(regionprops_table(labels, wrap_axes=1))
        assert table["label"].size == 0
        assert np.isnan(center_of_mass(labels, labels, 1, wrap_axes=1).compute()).all()


def test_arguments():
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        center_of_mass(WEIGHTS, NOISE, 1, wrap_axes=2)
    with pytest.raises(TypeError, match="image must hold real numbers on wrapped axes"):
        center_of_mass(WEIGHTS + 1j, NOISE, 1, wrap_axes=1)
    assert (
        center_of_mass(WEIGHTS, NOISE, 1).name
        != center_of_mass(WEIGHTS, NOISE, 1, wrap_axes=0).name
    )
