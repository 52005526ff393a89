"""Labels of connected components, made whole or block by block."""

import itertools
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, sparse
from skimage import segmentation

from dask_image.ndmeasure import (
    label,
    merge_labels_across_chunk_boundaries,
    relabel_sequential,
)
from dask_image.ndmeasure._utils._label import (
    _across_block_label_grouping,
    connected_components_delayed,
    label_adjacency_graph,
    relabel_blocks,
)
from tests.helpers import assert_same, nothing_computes, seeded_image

SHAPES_AND_CHUNKS = [
    ((13,), (4,)),
    ((13,), (1,)),
    ((9, 11), (4, 3)),
    ((9, 11), ((1, 5, 3), (2, 1, 8))),
    ((9, 11), ((0, 5, 0, 4), (11, 0))),
    ((9, 11), (1, 1)),
    ((9, 11), -1),
    ((1, 7), (1, 2)),
    ((7, 1), (2, 1)),
    ((0, 4), -1),
    ((6, 5, 7), (2, 3, 4)),
    ((4, 5, 3, 6), (2, 2, 3, 4)),
]


@pytest.fixture(params=["read once", "read again"])
def either_way(request, set_option):
    if request.param == "read again":
        set_option("label.memory", 0)


def pairs_of_neighbours(ndim):
    """Return half of the steps to neighbouring pixels: each stands for itself and its opposite."""
    return [step for step in itertools.product((-1, 0, 1), repeat=ndim) if step < (0,) * ndim]


def structure_of(steps, ndim):
    structure = np.zeros((3,) * ndim, bool)
    structure[(1,) * ndim] = True
    for step in steps:
        structure[tuple(part + 1 for part in step)] = True
    return structure | np.flip(structure)


def assert_labelled_as_scipy(image, chunks, structure=None):
    expected, expected_count = ndimage.label(image, structure)
    lazy = da.from_array(image, chunks=chunks)
    with nothing_computes():
        labels, count = label(lazy, structure)
        assert label(lazy, structure)[0].name == labels.name
    assert labels.chunks == lazy.chunks
    assert labels.dtype == expected.dtype
    assert count.shape == ()
    computed, computed_count = dask.compute(labels, count, scheduler="synchronous")
    assert computed.dtype == expected.dtype
    assert computed_count == expected_count
    np.testing.assert_array_equal(computed, expected)


@pytest.mark.parametrize(("shape", "chunks"), SHAPES_AND_CHUNKS)
@pytest.mark.parametrize("density", [0.0, 0.2, 0.45, 0.7, 1.0])
def test_label_agrees_with_scipy(shape, chunks, density, either_kernel, either_way):
    image = np.random.default_rng(0).random(shape) < density
    assert_labelled_as_scipy(image, chunks)
    assert_labelled_as_scipy(image, chunks, np.ones((3,) * len(shape)))


@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "u8", "f4", "f8", ">f4", ">i2"])
def test_label_of_any_real_dtype(dtype):
    image = seeded_image((9, 11), np.dtype(dtype).newbyteorder("="))
    image = image.astype(dtype) * (seeded_image((9, 11), bool, seed=1))
    expected, _ = ndimage.label(image != 0)
    assert_same(label(da.from_array(image, chunks=4))[0], expected)


def test_nan_is_foreground():
    image = np.array([[0, np.nan, 1], [0, 0, -1]])
    assert_labelled_as_scipy(image, 2)


def test_image_without_axes():
    for value in (0, 5):
        assert_labelled_as_scipy(np.array(value), ())


@pytest.mark.parametrize("subset", range(16))
def test_every_symmetric_structure_in_two_dimensions(subset, either_kernel):
    steps = [step for bit, step in enumerate(pairs_of_neighbours(2)) if subset >> bit & 1]
    structure = structure_of(steps, 2)
    for density, seed in [(0.3, 0), (0.6, 1)]:
        image = np.random.default_rng(seed).random((10, 12)) < density
        assert_labelled_as_scipy(image, (4, 5), structure)
        assert_labelled_as_scipy(image[:6, :6], 1, structure)


@pytest.mark.parametrize("seed", range(12))
def test_symmetric_structures_in_three_dimensions(seed, either_kernel):
    random = np.random.default_rng(seed)
    steps = [step for step in pairs_of_neighbours(3) if random.random() < 0.3]
    image = random.random((6, 7, 8)) < random.choice([0.2, 0.5])
    assert_labelled_as_scipy(image, (2, 3, 3), structure_of(steps, 3))


def test_middle_of_the_structure_does_not_matter():
    structure = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert_labelled_as_scipy(seeded_image((8, 8), bool), 3, structure)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_label_agrees_with_scipy_for_any_chunks(data):
    ndim = data.draw(st.integers(1, 3))
    chunks = tuple(
        tuple(data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))) for _ in range(ndim)
    )
    steps = data.draw(st.sets(st.sampled_from(pairs_of_neighbours(ndim))))
    seed, density = data.draw(st.integers(0, 100)), data.draw(st.sampled_from([0.2, 0.5, 0.8]))
    image = np.random.default_rng(seed).random([sum(sizes) for sizes in chunks]) < density
    assert_labelled_as_scipy(image, chunks, structure_of(steps, ndim))


def labels_of_periodic_image(image, structure, wrap_axes):
    """Label by brute force: a graph of all pixels, numbered by first pixel."""
    on = np.argwhere(image)
    number = np.cumsum(image).reshape(image.shape) - 1
    edges = [np.zeros((0, 2), int)]
    for step in np.argwhere(structure) - 1:
        other = on + step
        for axis in wrap_axes:
            other[:, axis] %= image.shape[axis]
        inside = ((other >= 0) & (other < image.shape)).all(axis=1)
        pairs = np.stack([number[tuple(on[inside].T)], number[tuple(other[inside].T)]], axis=1)
        edges.append(pairs[image[tuple(other[inside].T)]])
    row, column = np.concatenate(edges).T
    graph = sparse.coo_array((np.ones(row.size), (row, column)), shape=(len(on),) * 2)
    _, groups = sparse.csgraph.connected_components(graph, directed=False)
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    labels = np.zeros(image.shape, np.int32)
    labels[image] = np.argsort(np.argsort(first))[groups] + 1
    return labels


@pytest.mark.parametrize("wrap_axes", [(0,), (1,), (0, 1), (-1,), 1])
@pytest.mark.parametrize("chunks", [-1, (4, 3), (9, 4), (1, 1), ((1, 7, 1), (11,))])
@pytest.mark.parametrize("seed", range(4))
def test_periodic_axes(wrap_axes, chunks, seed):
    random = np.random.default_rng(seed)
    image = random.random((9, 11)) < 0.35
    structure = structure_of([step for step in pairs_of_neighbours(2) if random.random() < 0.7], 2)
    expected = labels_of_periodic_image(image, structure, np.atleast_1d(wrap_axes))
    labels, count = label(da.from_array(image, chunks=chunks), structure, wrap_axes)
    assert_same(labels, expected)
    assert count.compute() == expected.max()


def test_periodic_axes_in_three_dimensions():
    image = np.random.default_rng(0).random((5, 1, 6)) < 0.3
    for wrap_axes in [(0,), (1,), (0, 2), (0, 1, 2)]:
        expected = labels_of_periodic_image(image, np.ones((3, 3, 3)), wrap_axes)
        labels, _ = label(da.from_array(image, chunks=(2, 1, 3)), np.ones((3, 3, 3)), wrap_axes)
        assert_same(labels, expected)


def test_corners_meet_where_two_axes_are_periodic():
    image = np.zeros((6, 6), bool)
    image[0, 0] = image[5, 5] = True
    lazy = da.from_array(image, chunks=3)
    assert label(lazy, np.ones((3, 3)), wrap_axes=(0, 1))[1].compute() == 1
    assert label(lazy, np.ones((3, 3)), wrap_axes=(0,))[1].compute() == 2
    assert label(lazy, wrap_axes=(0, 1))[1].compute() == 2


def spiral(size):
    """Return a line one pixel wide that winds inward to the centre, with gaps of one pixel."""
    image = np.zeros((size + 4, size + 4), bool)
    # A margin of what counts as taken, two pixels wide: the line looks two pixels ahead.
    image[[0, -1]] = image[:, [0, -1]] = True
    position, step = np.array([2, 2]), np.array([0, 1])
    image[2, 2] = True
    for _ in range(4 * size):
        while not image[tuple(position + 2 * step)]:
            position = position + step
            image[tuple(position)] = True
        step = np.array([step[1], -step[0]])
    return image[2:-2, 2:-2]


def test_a_spiral_is_one_component():
    image = spiral(40)
    labels, count = label(da.from_array(image, chunks=7))
    assert count.compute() == 1
    assert_same(labels, image.astype(np.int32))


@pytest.mark.parametrize(
    ("shape", "chunks", "limit"), [((512, 512), 64, 12), ((32, 32, 32), 8, 12)]
)
def test_tasks_per_block(shape, chunks, limit, either_way):
    image = da.ones(shape, chunks=chunks, dtype=bool)
    labels, count = label(image, np.ones((3,) * len(shape)))
    graph = dict(labels.dask) | dict(count.dask)
    assert len(graph) <= limit * image.npartitions


def test_image_is_read_once_and_let_go():
    reads = []

    def read(block_info=None):
        reads.append(block_info[None]["chunk-location"])
        return np.ones((4, 4), bool)

    image = da.map_blocks(read, chunks=((4,) * 6, (4,) * 6), dtype=bool)
    labels, count = label(image)
    dask.compute(labels, count, scheduler="synchronous")
    assert len(reads) == len(set(reads)) == 36


@pytest.mark.parametrize("kept", [0, 2**31])
def test_blocks_of_the_image_do_not_pile_up(kept, set_option):
    set_option("label.memory", kept)
    image = da.map_blocks(Counted.of_ones, chunks=((8,) * 8, (8,) * 8), dtype=bool)
    labels, _ = label(image)
    Counted.alive, Counted.most = 0, 0
    totals = labels.map_blocks(lambda block: block.sum(keepdims=True), chunks=(1, 1), dtype=int)
    totals.compute(scheduler="synchronous")
    # Of 64 blocks; a few wait for their turn.
    assert 0 < Counted.most <= 4


class Counted(np.ndarray):
    """An array that counts how many like it are alive."""

    alive = most = 0

    @classmethod
    def of_ones(cls, block_info=None):
        """Return a block of ones."""
        cls.alive += 1
        cls.most = max(cls.most, cls.alive)
        return np.ones((8, 8), bool).view(cls)

    def __del__(self):
        if self.base is not None and type(self.base) is np.ndarray:
            Counted.alive -= 1


def test_large_images_get_wide_labels_and_build_fast():
    image = da.zeros((50_000, 50_000), chunks=5_000, dtype=bool)
    with nothing_computes():
        labels, _ = label(image)
    assert labels.dtype == np.int64
    assert label(image[:46_000, :46_000])[0].dtype == np.int32


def test_names_tell_arguments_apart():
    image = da.zeros((6, 6), chunks=3, dtype=bool)
    calls = [
        label(image),
        label(image, np.ones((3, 3))),
        label(image, wrap_axes=(0,)),
        label(image, wrap_axes=(1,)),
        label(da.ones((6, 6), chunks=3, dtype=bool)),
    ]
    assert len({labels.name for labels, _ in calls}) == len(calls)
    assert len({count.name for _, count in calls}) == len(calls)
    assert label(image)[1].name == label(image)[1].name


@pytest.mark.parametrize(
    ("structure", "error"),
    [
        (np.ones((3, 3, 3)), RuntimeError),
        (np.ones((5, 5)), ValueError),
        (np.ones((3, 1)), ValueError),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 0]], AssertionError),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 0]], ValueError),
    ],
)
def test_bad_structures(structure, error):
    with pytest.raises(error, match="structure"):
        label(da.zeros((4, 4), chunks=2), structure)


def test_other_bad_arguments():
    with pytest.raises(TypeError, match="complex"):
        label(da.zeros((4, 4), chunks=2, dtype=complex))
    with pytest.raises(ValueError, match="axes"):
        label(da.zeros((4, 4), chunks=2), wrap_axes=(2,))


# ---------------------------------------------------------------------------------------
# Labels made block by block


def shuffled(block):
    """Renumber a block's labels at random, as a model of its own might number them."""
    present, ranks = np.unique(block, return_inverse=True)
    numbers = np.random.default_rng(block.size).permutation(present.size * 3)[: present.size] + 1
    numbers = np.where(present == 0, 0, numbers)
    return numbers[ranks].reshape(block.shape)


@pytest.mark.parametrize(("shape", "chunks"), SHAPES_AND_CHUNKS)
@pytest.mark.parametrize("whole", [False, True])
def test_parts_that_touch_are_merged(shape, chunks, whole):
    structure = ndimage.generate_binary_structure(len(shape), len(shape) if whole else 1)
    image = np.random.default_rng(0).random(shape) < 0.4
    blocks = da.from_array(image, chunks=chunks).map_blocks(
        lambda block: shuffled(ndimage.label(block, structure)[0]), dtype=np.int64
    )
    with nothing_computes():
        merged = merge_labels_across_chunk_boundaries(blocks, structure=structure)
        again = merge_labels_across_chunk_boundaries(blocks, structure=structure)
    assert merged.name == again.name
    assert merged.chunks == blocks.chunks
    assert_same(merged, ndimage.label(image, structure)[0])


def test_parts_that_touch_across_periodic_axes_are_merged():
    image = np.random.default_rng(0).random((9, 11)) < 0.35
    blocks = da.from_array(image, chunks=4).map_blocks(
        lambda block: shuffled(ndimage.label(block)[0]), dtype=np.int64
    )
    merged = merge_labels_across_chunk_boundaries(blocks, wrap_axes=(0, 1))
    structure = ndimage.generate_binary_structure(2, 1)
    assert_same(merged, labels_of_periodic_image(image, structure, (0, 1)))


def test_objects_that_touch_within_a_block_stay_apart():
    labels = da.from_array(np.array([[1, 2, 2, 1], [1, 2, 0, 1]]), chunks=2)
    merged = merge_labels_across_chunk_boundaries(labels)
    assert_same(merged, np.array([[1, 2, 2, 3], [1, 2, 0, 3]], np.int32))


@pytest.mark.parametrize(("shape", "chunks"), [((20, 23), 8), ((12, 14, 10), 6)])
@pytest.mark.parametrize("boundary", ["none", "periodic"])
def test_parts_that_agree_on_overlaps_are_merged(shape, chunks, boundary):
    image = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 1.0, mode="wrap") > 0.52
    truth = labels_of_periodic_image(
        image,
        ndimage.generate_binary_structure(len(shape), 1),
        range(len(shape)) if boundary == "periodic" else (),
    )
    overlapping = da.overlap.overlap(
        da.from_array(truth, chunks=chunks), 2, boundary, allow_rechunk=False
    )
    blocks = overlapping.map_blocks(shuffled, dtype=np.int64)
    wrap_axes = tuple(range(len(shape))) if boundary == "periodic" else None
    with nothing_computes():
        merged = merge_labels_across_chunk_boundaries(
            blocks, overlap_depth=2, iou_threshold=1.0, wrap_axes=wrap_axes
        )
    assert merged.shape == shape
    assert_same(merged, truth)


def test_threshold_of_intersection_over_union():
    # Two views of the same four pixels: 3 in common of 4 that either sees.
    blocks = np.array([[0, 7, 7, 7, 7, 0, 9, 9, 9, 0]])
    labels = da.from_array(blocks, chunks=(1, 5))
    joined = merge_labels_across_chunk_boundaries(labels, (0, 2), iou_threshold=0.75)
    apart = merge_labels_across_chunk_boundaries(labels, (0, 2), iou_threshold=0.76)
    assert_same(joined, np.array([[0, 1, 1, 1, 1, 0]], np.int32))
    assert_same(apart, np.array([[0, 1, 1, 2, 2, 0]], np.int32))


def test_models_run_once_for_merging():
    runs = []

    def model(block_info=None):
        runs.append(block_info[None]["chunk-location"])
        return np.ones((4, 4), int)

    labels = da.map_blocks(model, chunks=((4,) * 4, (4,) * 4), dtype=int)
    assert merge_labels_across_chunk_boundaries(labels).compute(scheduler="sync").max() == 1
    assert len(runs) == 16


def test_bad_arguments_for_merging():
    labels = da.ones((8, 8), chunks=4, dtype=int)
    with pytest.raises(TypeError, match="labels must hold integers"):
        merge_labels_across_chunk_boundaries(labels.astype(complex))
    with pytest.raises(ValueError, match="labels must hold whole numbers .* got 0.5"):
        merge_labels_across_chunk_boundaries(labels / 2).compute()
    with pytest.raises(ValueError, match="iou_threshold"):
        merge_labels_across_chunk_boundaries(labels, 1, iou_threshold=0)
    with pytest.raises(ValueError, match="overlap_depth"):
        merge_labels_across_chunk_boundaries(labels, -1)
    with pytest.raises(ValueError, match="overlap_depth"):
        merge_labels_across_chunk_boundaries(labels, 3)


@pytest.mark.parametrize("dtype", ["u1", "i4", "u8", "?"])
@pytest.mark.parametrize("chunks", [-1, 3, ((1, 0, 7), (5, 4))])
def test_relabel_sequential_agrees_with_scikit_image(dtype, chunks):
    labels = np.random.default_rng(0).integers(0, 250, (8, 9)) * seeded_image((8, 9), bool)
    labels = labels.astype(dtype)
    with warnings.catch_warnings():
        # Of NumPy 2.5, about how scikit-image 0.26 gives an array another shape.
        warnings.simplefilter("ignore", DeprecationWarning)
        expected, _, _ = segmentation.relabel_sequential(labels.astype(np.int64))
    lazy = da.from_array(labels, chunks=chunks)
    with nothing_computes():
        relabeled = relabel_sequential(lazy)
    assert relabeled.chunks == lazy.chunks
    assert_same(relabeled, expected.astype(dtype))


@pytest.mark.parametrize("chunks", [-1, 3, ((1, 0, 7), (5, 4))])
def test_relabel_sequential_from_an_offset(chunks):
    labels = np.random.default_rng(0).integers(0, 40, (8, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected, _, _ = segmentation.relabel_sequential(labels, offset=5)
    lazy = da.from_array(labels, chunks=chunks)
    with nothing_computes():
        relabeled = relabel_sequential(lazy, offset=5)
    assert_same(relabeled, expected.astype(labels.dtype))
    assert_same(relabel_sequential(np.array(7), 5), np.array(5))


def test_relabel_sequential_refuses_an_offset_that_does_not_fit():
    with pytest.raises(ValueError, match="offset"):
        relabel_sequential(np.array([1, 2]), 0)
    with pytest.raises(ValueError, match="uint8 cannot be numbered up to 256"):
        relabel_sequential(np.array([1, 2], "u1"), 256)
    with pytest.raises(ValueError, match="uint8 cannot be numbered up to 256"):
        relabel_sequential(np.array([1, 2], "u1"), 255).compute()


def test_relabel_sequential_of_little():
    assert_same(relabel_sequential(np.zeros((3, 3), int)), np.zeros((3, 3), int))
    assert_same(relabel_sequential(np.zeros((0, 3), int)), np.zeros((0, 3), int))
    assert_same(relabel_sequential(np.array(7)), np.array(1))


def test_relabel_sequential_refuses_what_are_no_labels():
    with pytest.raises(TypeError, match="label_field must hold integers"):
        relabel_sequential(np.zeros((3, 3), complex))
    with pytest.raises(ValueError, match="label_field must hold whole numbers .* got 0.5"):
        relabel_sequential(np.full((3, 3), 0.5)).compute()
    with pytest.raises(ValueError, match="negative"):
        relabel_sequential(np.array([1, -1])).compute()


# ---------------------------------------------------------------------------------------
# What other packages import


def test_steps_of_joining_labels():
    image = np.random.default_rng(0).random((12, 13)) < 0.5
    blocks = np.zeros(image.shape, int)
    count = 0
    for rows, columns in itertools.product(range(0, 12, 4), range(0, 13, 5)):
        part = np.s_[rows : rows + 4, columns : columns + 5]
        found, more = ndimage.label(image[part])
        blocks[part] = np.where(found, found + count, 0)
        count += more
    labels = da.from_array(blocks, chunks=(4, 5))
    structure = ndimage.generate_binary_structure(2, 1)
    for total in (count, dask.delayed(count), labels.max()):
        with nothing_computes():
            groups = connected_components_delayed(label_adjacency_graph(labels, structure, total))
            joined = relabel_blocks(labels, groups)
        assert groups.compute().dtype == groups.dtype == np.int32
        joined = joined.compute()
        assert joined.dtype == np.int32
        expected, _ = ndimage.label(image)
        pairs = np.unique(np.stack([joined[image], expected[image]]), axis=1)
        assert pairs.shape[1] == expected.max() == joined.max()
        assert not joined[~image].any()
    assert_same(relabel_blocks(labels, groups.compute()), joined)


def test_adjacency_across_periodic_axes():
    labels = da.from_array(np.array([[1, 0, 2, 0, 0, 3]]), chunks=(1, 2))
    graph = label_adjacency_graph(labels, None, 3, wrap_axes=(1,)).compute()
    assert graph.shape == (4, 4)
    assert graph.todok().keys() == {(1, 3)}
    assert graph[1, 3] == 1


def test_grouping_on_a_face():
    face = np.array([[3, 3, 0, 1, 0, 9], [0, 5, 5, 5, 0, 9]], np.int32)
    grouped = _across_block_label_grouping(face, np.ones((3, 3)))
    np.testing.assert_array_equal(grouped, [[1, 3], [3, 5]])
    assert grouped.dtype == np.int32
    assert _across_block_label_grouping(np.zeros((2, 3), int), np.ones((3, 3))).shape == (2, 0)


def test_large_images_may_have_any_graph(set_option):
    set_option("label.memory", 0)
    image = seeded_image((12, 14), "?")
    lazy = da.from_array(image, chunks=5).rechunk(4)[::-1].map_blocks(np.copy)
    labels, count = label(lazy)
    expected, number = ndimage.label(image[::-1])
    assert_same(labels, expected)
    assert count.compute() == number


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("chunks", [-1, 37])
def test_runs_short_and_long(either_kernel, share, chunks):
    noise = np.random.default_rng(3).random((23, 211))
    for mask in (noise < share, ndimage.gaussian_filter(noise, 3) < np.quantile(noise, 0.5)):
        expected, count = ndimage.label(mask)
        labels, found = label(da.from_array(mask, chunks=chunks))
        np.testing.assert_array_equal(labels.compute(), expected)
        assert found.compute() == count


@pytest.mark.parametrize(("depth", "least"), [(32, 0.998), (64, 0.9998)])
def test_a_segmenter_on_overlapping_blocks_agrees_with_itself_on_the_whole(depth, least):
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((768, 768)), 5)

    def segment(block):
        distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(block > 0.5), 1)
        peaks = (ndimage.maximum_filter(distance, 11) == distance) & (block > 0.5)
        markers, _ = ndimage.label(peaks)
        return segmentation.watershed(-distance, markers, mask=block > 0.5)

    whole = segment(image)
    blocks = da.overlap.overlap(da.from_array(image, chunks=256), depth, "none")
    blocks = blocks.map_blocks(segment, dtype=whole.dtype)
    found = merge_labels_across_chunk_boundaries(blocks, overlap_depth=depth).compute()
    pairs = np.zeros((whole.max() + 1, found.max() + 1), int)
    np.add.at(pairs, (whole, found), 1)
    assert np.mean(found == pairs.argmax(axis=1)[whole]) >= least
