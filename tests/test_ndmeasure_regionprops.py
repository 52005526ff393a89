"""regionprops_table: names and values are scikit-image's."""

import dask
import dask.array as da
import numpy as np
import pytest

from dask_image.ndmeasure import regionprops_table
from dask_image.ndmeasure._regionprops import PROPERTIES
from tests.helpers import nothing_computes, seeded_image

measure = pytest.importorskip("skimage.measure")

SHAPES = [(31, 40), (12, 15, 16)]

# Roots of differences, whose rounding errors show where the difference should be 0.
ROOTS = {"axis_major_length", "axis_minor_length", "eccentricity"}


def blobs(shape, seed=0):
    """Return labels of connected and scattered objects of irregular shape, some missing."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 9, tuple(size // 5 + 1 for size in shape))
    labels = np.kron(coarse, np.ones((5,) * len(shape), int))[tuple(map(slice, shape))]
    labels[(random.random(shape) < 0.2) | (labels == 3)] = 0
    return labels


def properties_for(ndim):
    return [name for name, kind in PROPERTIES.items() if ndim in (kind.dimensions or (ndim,))]


def compare(table, expected, rtol=1e-9):
    """Compare a table with scikit-image's, which may have more columns."""
    (computed,) = dask.compute(table)
    for name, column in computed.items():
        tolerance = max(rtol, 1e-6) if name in ROOTS else rtol
        assert table[name].dtype == column.dtype == expected[name].dtype
        scale = np.abs(expected[name][np.isfinite(expected[name])]).max(initial=1)
        np.testing.assert_allclose(
            column, expected[name], rtol=tolerance, atol=tolerance * scale, err_msg=name
        )


@pytest.mark.parametrize("spacing", [None, 0.5, (2.0, 3.0, 0.5)])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("either_kernel")
def test_table_equals_scikit_image(shape, dtype, spacing):
    labels, image = blobs(shape), seeded_image(shape, dtype)
    image = np.abs(image) + 1  # weights
    properties = properties_for(len(shape))
    if isinstance(spacing, tuple):
        spacing = spacing[: len(shape)]
        properties = [name for name in properties if name != "perimeter"]
    with nothing_computes():
        table = regionprops_table(
            da.from_array(labels, chunks=7),
            da.from_array(image, chunks=6),
            properties,
            spacing=spacing,
        )
    scikit_spacing = (spacing,) * len(shape) if spacing == 0.5 else spacing
    expected = measure.regionprops_table(
        labels, image, properties=properties, spacing=scikit_spacing
    )
    compare(table, expected, rtol=1e-5 if dtype == "f4" else 1e-9)
    kept = [name for name in expected if name in table]
    assert list(table) == kept
    moments = [name for name in set(expected) - set(table) if "moments_central" not in name]
    assert not moments, "only central moments beyond order 2 may be missing"


@pytest.mark.parametrize("chunks", [-1, (1, 40), (7, 9), ((10, 1, 20), (15, 25))])
def test_chunks_do_not_matter(chunks):
    labels, image = blobs((31, 40)), seeded_image((31, 40), "f8") + 9
    properties = properties_for(2)
    table = regionprops_table(
        da.from_array(labels, chunks=chunks), da.from_array(image, chunks=-1), properties
    )
    compare(table, measure.regionprops_table(labels, image, properties=properties))


@pytest.mark.usefixtures("either_kernel")
def test_simple_shapes_have_the_directions_of_scikit_image():
    labels = np.zeros((40, 60), int)
    labels[3, 4] = 1  # a pixel
    labels[5:9, 5:9] = 2  # a square over four blocks
    labels[12, 3:30] = 3  # lines
    labels[15:33, 5] = 4
    labels[range(20, 35), range(20, 35)] = 5  # diagonals
    labels[range(20, 35), range(54, 39, -1)] = 6
    labels[2:5, 30:50] = 7
    properties = properties_for(2)
    properties = [name for name in properties if not PROPERTIES[name].intensity]
    table = regionprops_table(da.from_array(labels, chunks=7), properties=properties)
    expected = measure.regionprops_table(labels, properties=properties)
    compare(table, expected, rtol=1e-6)


def test_moments_of_far_away_objects_are_exact():
    labels = da.zeros((2**20, 2**20), chunks=2**20, dtype="u1")[-8:, -9:]
    corner = np.zeros((8, 9), "u1")
    corner[1:4, 2:8] = 1
    corner[4, 2:5] = 1
    near = regionprops_table(da.from_array(corner, chunks=3), properties="moments_central")
    far = da.concatenate([da.zeros((2**16, 9), dtype="u1", chunks=2**14), labels + corner])
    far = regionprops_table(far, properties="moments_central")
    near, far = dask.compute(near, far)
    for name in near:
        np.testing.assert_allclose(far[name], near[name], rtol=1e-12, atol=1e-12)


def test_labels_are_sorted_and_background_left_out():
    labels = np.array([[-4, 0, 9], [2, 0, 2**62]])
    table = regionprops_table(da.from_array(labels, chunks=2), properties=["label", "num_pixels"])
    (table,) = dask.compute(table)
    assert table["label"].tolist() == [2, 9, 2**62]
    assert table["num_pixels"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(("dtype", "advertised"), [("?", "i8"), ("u1", "i8"), ("u8", "u8")])
def test_labels_keep_their_values(dtype, advertised):
    labels = np.array([[0, np.iinfo(dtype).max if dtype != "?" else 1]], dtype)
    table = regionprops_table(da.from_array(labels, chunks=1), properties="label")
    column = table["label"].compute()
    assert table["label"].dtype == column.dtype == np.dtype(advertised)
    assert column.tolist() == [labels.max()]


@pytest.mark.parametrize("shape", [(0, 3), (4, 4)])
def test_background_alone_gives_empty_columns(shape):
    labels, image = da.zeros(shape, dtype=int, chunks=2), da.zeros(shape, chunks=2)
    (table,) = dask.compute(regionprops_table(labels, image, properties_for(2)))
    for name, column in table.items():
        assert column.shape == (0,), name


def test_nan_spreads_to_the_extremes_as_in_numpy():
    labels = np.array([[1, 1, 2, 2]])
    image = np.array([[np.nan, 3.0, 4.0, 5.0]])
    properties = ["intensity_min", "intensity_max", "intensity_mean"]
    table = regionprops_table(da.from_array(labels, chunks=3), image, properties)
    compare(table, measure.regionprops_table(labels, image, properties=properties))


def test_other_separators():
    table = regionprops_table(da.ones((4, 4), dtype=int), properties="bbox", separator="_")
    assert list(table) == ["bbox_0", "bbox_1", "bbox_2", "bbox_3"]


def test_four_axes_have_inertia():
    labels = np.zeros((4, 4, 4, 4), int)
    labels[1:3, :, 2, 1:] = 1
    (table,) = dask.compute(
        regionprops_table(da.from_array(labels, chunks=3), properties="inertia_tensor_eigvals")
    )
    where = np.stack(np.nonzero(labels))
    covariance = np.cov(where, bias=True)
    inertia = np.trace(covariance) * np.eye(4) - covariance
    expected = np.linalg.eigvalsh(inertia)[::-1]
    np.testing.assert_allclose(np.concatenate(list(table.values())), expected)


@pytest.mark.parametrize("with_image", [False, True])
def test_frame_has_the_columns_of_the_dict(with_image):
    pytest.importorskip("dask.dataframe")
    labels = da.from_array(blobs((31, 40)), chunks=16)
    image = da.from_array(seeded_image((31, 40), "f8"), chunks=16) if with_image else None
    properties = ["label", "bbox", "centroid"] + ["intensity_mean"] * with_image
    with nothing_computes():
        frame = regionprops_table(labels, image, properties, as_frame=True)
        table = regionprops_table(labels, image, properties)
    computed, (table,) = frame.compute(), dask.compute(table)
    assert frame.columns.tolist() == computed.columns.tolist() == list(table)
    assert (frame.dtypes == computed.dtypes).all()
    for name, column in table.items():
        np.testing.assert_array_equal(computed[name], column)


def test_blocks_are_read_once():
    reads = []

    def read(block, block_info=None):
        reads.append(block_info[0]["chunk-location"])
        return block

    labels, image = blobs((31, 40)), seeded_image((31, 40), "f8")
    lazy_labels = da.from_array(labels, chunks=16).map_blocks(read, dtype=labels.dtype, meta=labels)
    lazy_image = da.from_array(image, chunks=16).map_blocks(read, dtype=image.dtype, meta=image)
    table = regionprops_table(lazy_labels, lazy_image, properties_for(2))
    dask.compute(table, scheduler="synchronous")
    assert len(reads) == lazy_labels.npartitions + lazy_image.npartitions

    # Functions of objects need the counts of pixels first, where objects are not held.
    for memory, times in ((10**6, 1), (0, 2)):
        reads.clear()
        with dask.config.set({"dask-image.median.memory": memory}):
            table = regionprops_table(lazy_labels, lazy_image, "area", extra_properties=[spread])
        dask.compute(table, scheduler="synchronous")
        assert len(reads) == times * lazy_labels.npartitions + lazy_image.npartitions


def test_same_call_same_names():
    labels = da.from_array(blobs((31, 40)), chunks=16)
    first, second = regionprops_table(labels), regionprops_table(labels)
    assert {name: column.name for name, column in first.items()} == {
        name: column.name for name, column in second.items()
    }
    other = regionprops_table(labels, spacing=2)
    assert other["area"].name != first["area"].name


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"properties": ["area", "foo"]}, ValueError, "properties must be among .*'area'.*'foo'"),
        ({"properties": "intensity_max"}, ValueError, "needs an intensity_image"),
        (
            {"label_image": da.zeros((4, 4), dtype="c8")},
            TypeError,
            "label_image must hold integers",
        ),
        ({"intensity_image": da.zeros((4, 5, 3))}, ValueError, "shape of label_image"),
        ({"intensity_image": da.zeros((4, 4, 3, 1))}, ValueError, "shape of label_image"),
        ({"intensity_image": da.zeros((4, 4), dtype="c8")}, TypeError, "real numbers"),
        ({"spacing": (1, 2, 3)}, ValueError, "spacing"),
        (
            {"label_image": da.zeros((4, 4, 4), dtype=int), "properties": "eccentricity"},
            NotImplementedError,
            "eccentricity",
        ),
    ],
)
def test_table_refuses(arguments, error, message):
    with nothing_computes(), pytest.raises(error, match=message):
        regionprops_table(**{"label_image": da.zeros((4, 4), dtype=int)} | arguments)


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_have_columns_of_their_own(shape):
    labels = blobs(shape)
    image = np.random.default_rng(1).random((*shape, 3))
    properties = properties_for(len(shape))
    expected = measure.regionprops_table(labels, image, properties=properties)
    for chunks in (-1, 7, 5):
        cut = da.from_array(image, chunks=(5,) * len(shape) + (2,))
        table = regionprops_table(da.from_array(labels, chunks=chunks), cut, properties)
        assert list(table) == [name for name in expected if name in table]
        assert {"intensity_mean-2", "centroid_weighted-1-0"} <= set(table)
        compare(table, expected)


def test_channels_that_do_not_fit_are_refused():
    labels = da.zeros((4, 4), dtype=int)
    with pytest.raises(ValueError, match="one more axis for channels"):
        regionprops_table(labels, da.zeros((3, 4, 4)), "intensity_mean")
    with pytest.raises(ValueError, match="a channel at least"):
        regionprops_table(labels, da.zeros((4, 4, 0)), "intensity_mean")
    with pytest.raises(NotImplementedError, match="equal spacing"):
        regionprops_table(labels, properties="perimeter", spacing=(1, 2))
    with pytest.raises(ValueError, match=r"among \[.*'euler_number'.*got 'solidity'"):
        regionprops_table(labels, properties="solidity")


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_do_not_depend_on_chunks(shape):
    labels = blobs(shape, seed=2)
    properties = ["euler_number", *["perimeter"] * (len(shape) == 2)]
    expected = measure.regionprops_table(labels, properties=properties)
    whole = None
    for chunks in (-1, 1, 2, tuple(range(3, 3 + len(shape)))):
        if chunks == 1 and len(shape) == 3:
            continue
        (table,) = dask.compute(
            regionprops_table(da.from_array(labels, chunks=chunks), properties=properties)
        )
        whole = table if whole is None else whole
        for name in properties:
            np.testing.assert_array_equal(table[name], whole[name])
            np.testing.assert_allclose(table[name], expected[name], rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_across_the_ends_of_periodic_axes(shape):
    labels = np.zeros(shape, int)
    labels[tuple(slice(2, -2) for _ in shape)] = blobs(shape, 3)[tuple(slice(2, -2) for _ in shape)]
    properties = ["euler_number", *["perimeter"] * (len(shape) == 2)]
    expected = measure.regionprops_table(labels, properties=properties)
    rolled = np.roll(labels, [size // 2 + 1 for size in shape], tuple(range(len(shape))))
    for chunks in (-1, 7):
        table = regionprops_table(
            da.from_array(rolled, chunks=chunks), properties=properties,
            wrap_axes=tuple(range(len(shape))),
        )  # fmt: skip
        compare(table, expected)


def spread(mask, intensity):
    return np.ptp(intensity[mask])


def corner(mask, intensity):
    return intensity.ravel()[[0, -1]]


def holes(mask, ndigits=0):
    return np.count_nonzero(~mask)


def outline(mask):
    return mask.shape


def places(mask):
    return np.flatnonzero(mask)


EXTRA = (spread, corner, holes, outline)


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("either_kernel")
def test_extra_properties_equal_scikit_image(shape, channels, held):
    labels, image = blobs(shape), seeded_image((*shape, *channels), "f4")
    properties = ("label", "area", "intensity_mean")
    memory = {"dask-image.median.memory": image.nbytes if held else 0}
    with nothing_computes(), dask.config.set(memory):
        table = regionprops_table(
            da.from_array(labels, chunks=7),
            da.from_array(image, chunks=6),
            properties,
            extra_properties=EXTRA,
        )
    expected = measure.regionprops_table(
        labels, image, properties=properties, extra_properties=EXTRA
    )
    assert list(table) == list(expected)
    compare(table, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "u8"])
def test_extra_properties_of_masks_alone(dtype):
    labels = blobs((31, 40)).astype(dtype)
    if dtype == "i8":
        labels[:3] = -5  # is background
    arguments = dict(properties=("label",), extra_properties=(holes, places))
    for memory in (0, 10**6):
        with dask.config.set({"dask-image.median.memory": memory}):
            table = regionprops_table(da.from_array(labels, chunks=(7, 9)), **arguments)
        (table,) = dask.compute(table)
        expected = measure.regionprops_table(np.maximum(labels, 0).astype(int), **arguments)
        np.testing.assert_array_equal(table["holes"], expected["holes"])
        assert table["places"].dtype == object
        for ours, theirs in zip(table["places"], expected["places"], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_extra_properties_of_background_alone_and_of_frames():
    empty = da.zeros((5, 6), int, chunks=3)
    (table,) = dask.compute(regionprops_table(empty, extra_properties=[holes]))
    assert table["holes"].shape == (0,)
    assert table["holes"].dtype == int
    labels = da.from_array(blobs((31, 40)), chunks=9)
    frame = regionprops_table(labels, extra_properties=[outline], as_frame=True).compute()
    assert list(frame.columns[-2:]) == ["outline-0", "outline-1"]
    np.testing.assert_array_equal(frame["outline-0"], frame["bbox-2"] - frame["bbox-0"])


def sometimes_more(mask):
    return 1 if mask.sum() < 9 else 0.5


def area(mask):
    return mask.sum()


@pytest.mark.parametrize(
    ("functions", "error", "message"),
    [
        ([spread], ValueError, "'spread' needs an intensity_image"),
        (["spread"], TypeError, "functions with a name, got 'spread'"),
        ([lambda: 1], TypeError, "must take .mask. or .mask, intensity."),
        ([area], ValueError, "names of their own, got 'area'"),
        ([holes, holes], ValueError, "names of their own, got 'holes'"),
    ],
)
def test_extra_properties_refuse(functions, error, message):
    with pytest.raises(error, match=message):
        regionprops_table(np.ones((4, 4), int), extra_properties=functions)


def test_extra_properties_keep_their_kind():
    table = regionprops_table(np.ones((4, 4), int), extra_properties=[sometimes_more])
    with pytest.raises(ValueError, match="'sometimes_more' must return values of one shape"):
        dask.compute(table)


def test_objects_in_one_block_stay_there():
    labels = np.kron(np.arange(1, 17).reshape(4, 4), np.ones((5, 5), int))
    seen = []

    def look(mask):
        seen.append(mask.shape)
        return 0

    with dask.config.set({"dask-image.median.memory": 0}):
        table = regionprops_table(da.from_array(labels, chunks=5), extra_properties=[look])
    pieces = [key for key in dict(table["look"].__dask_graph__()) if "piece" in str(key)]
    assert len(pieces) <= 5 * 16
    dask.compute(table)
    assert seen == [(2, 2), (3, 3)] + [(5, 5)] * 16


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_channels_may_be_any_axis(channel_axis):
    labels, image = blobs((20, 21)), seeded_image((20, 21, 3), "f4")
    moved = np.moveaxis(image, -1, channel_axis)
    names = ("label", "intensity_mean", "centroid_weighted")
    expected = regionprops_table(labels, image, names)
    table = regionprops_table(labels, moved, names, channel_axis=channel_axis)
    expected, table = dask.compute(expected, table)
    assert list(table) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(table[name], values)
    with pytest.raises(ValueError, match="one axis more than label_image, for channel_axis=0"):
        regionprops_table(labels, image[..., 0], channel_axis=0)


# ---------------------------------------------------------------------------------------
# Ranges of labels


RANGES = {
    "no object": lambda labels: labels * 0,
    "one object": lambda labels: labels // 8 * 7,
    "a boolean": lambda labels: labels > 4,
    "more ranges than labels": lambda labels: labels.astype("u1"),
    "background below 0": lambda labels: labels - 4,
    "far apart": lambda labels: labels.astype("i8") * (2**62 // 9),
    "up to the end": lambda labels: np.where(labels > 2, ~labels.astype("u8"), 0),
}


@pytest.mark.parametrize("case", RANGES)
def test_ranges_do_not_matter(case):
    pytest.importorskip("dask.dataframe")
    labels = da.from_array(RANGES[case](blobs((31, 40))), chunks=16)
    image = da.from_array(seeded_image((31, 40), "f4"), chunks=(15, 16))
    arguments = dict(
        properties=[*PROPERTIES],
        extra_properties=[corner] if "object" in case else [],
        wrap_axes=1 if "object" in case or "background" in case else None,
    )
    whole = regionprops_table(labels, image, **arguments)
    with nothing_computes(), dask.config.set({"dask-image.partition.memory": 1}):
        parts = regionprops_table(labels, image, **arguments)
        frame = regionprops_table(labels, image, **arguments, as_frame=True)
    assert frame.npartitions == parts["label"].npartitions >= 6
    assert frame.partitions[4].compute().columns.tolist() == list(parts)
    rows, (whole, parts) = frame.compute(), dask.compute(whole, parts)
    assert rows.index.tolist() == list(range(len(whole["label"])))
    assert len(frame) == len(rows)
    for name, column in whole.items():
        np.testing.assert_allclose(parts[name], column, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(rows[name], parts[name])
        assert rows[name].dtype == parts[name].dtype == column.dtype


@pytest.mark.parametrize("memory", [0, 10**6])
@pytest.mark.parametrize("shape", SHAPES)
def test_extra_properties_across_the_ends_of_periodic_axes(shape, memory):
    # Small objects, whose widest gap is the one through the ends.
    middle = (slice(5, 12),) * len(shape)
    labels, image = np.zeros(shape, int), seeded_image(shape, "f8")
    labels[middle] = blobs(shape)[middle]
    edges = tuple(range(len(shape)))
    arguments = dict(properties=("label",), extra_properties=EXTRA)
    expected = measure.regionprops_table(labels, image, **arguments)
    steps = [size // 2 + 3 for size in shape]
    with dask.config.set({"dask-image.median.memory": memory, "dask-image.partition.memory": 1}):
        table = regionprops_table(
            da.from_array(np.roll(labels, steps, edges), chunks=7),
            np.roll(image, steps, edges), wrap_axes=edges, **arguments,
        )  # fmt: skip
    compare(table, expected)
