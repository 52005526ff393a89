"""Floods over blocks are those of a plain Kruskal on the whole array, however it is cut."""

import collections
import contextlib
import itertools
import pickle

import dask
import dask.array as da
import numpy as np
import pytest
from dask.callbacks import Callback
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from dask_image import segmentation
from dask_image._kernels.blocks import flooding, reconstruction, surfaces
from dask_image._kernels.blocks.runs import Ascending, Bits, Numbers, Runs
from dask_image._kernels.blocks.surfaces import Box, Packed, scan_block
from dask_image._utils import spill
from dask_image._utils.engines import line_sweeps
from dask_image._utils.engines.block_lattice import displacements_of
from dask_image.segmentation import watershed
from tests.helpers import nothing_computes, plain_kernels


def steps_of(ndim, connectivity):
    return displacements_of(ndimage.generate_binary_structure(ndim, connectivity))


def squared_distances(marked, wrap_axes=()):
    """Return the squared distance to the nearest marked pixel, 0 if there is none."""
    if not marked.any():
        return np.zeros(marked.shape, int)
    turns = [size * (axis in wrap_axes) for axis, size in enumerate(marked.shape)]
    around = np.pad(~marked, [(turn, turn) for turn in turns], mode="wrap")
    inner = tuple(slice(turn, turn + size) for turn, size in zip(turns, marked.shape))
    return np.rint(ndimage.distance_transform_edt(around)[inner] ** 2).astype(int)


def neighbour(pixel, step, shape, wrap_axes):
    """Return where a step leads from a pixel, maybe out of the image."""
    there = zip(pixel, step, shape)
    return tuple(
        (at + by) % size if axis in wrap_axes else at + by
        for axis, (at, by, size) in enumerate(there)
    )


def kruskal(image, markers, steps, mask=None, wrap_axes=()):
    """
    Return the watershed of a whole array, by sorting all of its edges.

    Two trees that hold different markers are never joined.
    """
    inside = np.ones(image.shape, bool) if mask is None else mask
    marked = (markers != 0) & inside
    distance = squared_distances(marked, wrap_axes)
    inside = inside & (image == image)
    parent = {tuple(p): tuple(p) for p in np.argwhere(inside).tolist()}
    label = {p: int(markers[p]) for p in parent}
    first = {}
    for p in parent:
        if label[p]:
            parent[p] = first.setdefault(label[p], p)

    def find(p):
        while parent[p] != p:
            p = parent[p]
        return p

    edges = []
    for p, step in itertools.product(
        list(parent), [step for step in steps if step > (0,) * image.ndim]
    ):
        q = neighbour(p, step, image.shape, wrap_axes)
        p, q = min(p, q), max(p, q)
        if q in parent and p in parent:
            low, high = sorted((image[each], distance[each]) for each in (p, q))
            edges.append((high, low, p, q))
    for *_, p, q in sorted(edges):
        a, b = find(p), find(q)
        if a != b and not (label[a] and label[b]):
            parent[a if label[b] else b] = b if label[b] else a
    basins = np.zeros(image.shape, markers.dtype)
    for p in parent:
        basins[p] = label[find(p)]
    return basins


def assert_floods(image, markers, connectivity=1, mask=None, chunkings=(-1, 1, 2, 3)):
    """Compare basins with Kruskal's, for several chunkings."""
    expected = kruskal(image, markers, steps_of(image.ndim, connectivity), mask)
    for chunks in chunkings:
        arrays = [da.from_array(each, chunks=chunks) for each in (image, markers)]
        lazy_mask = None if mask is None else da.from_array(mask, chunks=chunks)
        with nothing_computes():
            basins = watershed(*arrays, connectivity, lazy_mask)
            again = watershed(*arrays, connectivity, lazy_mask)
        assert basins.name == again.name
        assert basins.chunks == arrays[0].chunks
        assert basins.dtype == markers.dtype
        computed = basins.compute(scheduler="synchronous")
        assert computed.dtype == markers.dtype
        np.testing.assert_array_equal(computed, expected, err_msg=f"chunks {chunks}")


SHAPES = [(17,), (7, 8), (1, 9), (3, 5, 4), (2, 3, 2, 3)]


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [*((shape, "u1") for shape in SHAPES), ((7, 8), "f4"), ((7, 8), "f8")],
    ids=str,
)
def test_any_chunks_give_what_kruskal_gives(shape, dtype, either_kernel):
    random = np.random.default_rng(len(shape))
    image = random.integers(0, 4, shape).astype(dtype)
    markers = (random.random(shape) < 0.15) * random.integers(-2, 6, shape)
    mask = random.random(shape) < 0.9
    for connectivity in range(1, len(shape) + 1):
        assert_floods(image, markers, connectivity)
        assert_floods(image, markers, connectivity, mask)


TEN = [
    -1, 1, 3, ((1, 2, 4), (3, 5)), ((7,), (1, 6, 1)), ((3, 4), (8,)), ((2, 2, 3), (4, 4)),
    ((6, 1), (2, 1, 5)), ((1,) * 7, (8,)), ((0, 3, 0, 4), (5, 0, 3)),
]  # fmt: skip


def test_ten_chunkings_give_the_same(either_kernel):
    random = np.random.default_rng(0)
    image = random.random((7, 8)).round(1)
    markers = (random.random((7, 8)) < 0.1) * random.integers(1, 9, (7, 8), dtype=np.int32)
    assert_floods(image, markers, chunkings=TEN)
    assert_floods(image, markers, 2, chunkings=TEN)


@pytest.mark.parametrize(
    "places",
    [
        [], [(0, 0)], [(3, 3)], [(2, 3), (3, 2)], [(0, 0), (0, 7), (6, 0), (6, 7)],
        [(3, 4), (3, 3), (4, 4)],
    ],
    ids=str,
)  # fmt: skip
def test_markers_on_corners_and_faces_and_none(places):
    image = np.random.default_rng(1).integers(0, 3, (7, 8))
    for values in (itertools.count(1), itertools.repeat(4)):
        markers = np.zeros((7, 8), np.int32)
        for place, value in zip(places, values):
            markers[place] = value
        assert_floods(image, markers, 1, chunkings=TEN)
        assert_floods(np.zeros_like(image), markers, 2, chunkings=TEN)


small_shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)


@given(st.data())
def test_images_full_of_ties(data):
    shape = data.draw(small_shapes)
    image = data.draw(hnp.arrays(np.int8, shape, elements=st.integers(-1, 1)))
    labels = st.sampled_from([0, 0, 0, 1, 2, -3])
    markers = data.draw(hnp.arrays(np.int16, shape, elements=labels))
    mask = data.draw(st.none() | hnp.arrays(bool, shape))
    connectivity = data.draw(st.integers(1, len(shape)))
    chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
    assert_floods(image, markers, connectivity, mask, [-1, chunks])
    with plain_kernels():
        assert_floods(image, markers, connectivity, mask, [chunks])


def test_nan_is_a_wall_and_infinity_is_not(either_kernel):
    random = np.random.default_rng(2)
    image = random.choice([np.nan, np.inf, -np.inf, 0.0, 1.0], (9, 9))
    markers = (random.random((9, 9)) < 0.2) * random.integers(1, 9, (9, 9))
    assert_floods(image, markers)
    assert_floods(image.astype("f4"), markers, 2)


@pytest.mark.parametrize("dtype", ["?", "u2", "u4", "u8", "i1", "i8", "f2"])
def test_no_dtype_loses_its_order(dtype, either_kernel):
    random = np.random.default_rng(3)
    image = random.integers(0, 2, (6, 6)).astype(dtype)
    if dtype[0] in "ui":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        image = random.choice(np.array([low, low + 1, high - 1, high], dtype), (6, 6))
    markers = (random.random((6, 6)) < 0.2) * random.integers(1, 9, (6, 6))
    assert_floods(image, markers)


def test_a_surface_holds_no_more_than_the_faces():
    random = np.random.default_rng(4)
    image = random.integers(0, 256, (64, 64)).astype("u1")
    markers = (random.random((64, 64)) < 0.2) * random.integers(1, 9999, (64, 64))
    distance = squared_distances(markers != 0)
    box = Box((64, 64), (128, 128), (192, 192))
    surface, (runs, labels, _) = scan_block(
        box, steps_of(2, 1), Packed(markers), (image, distance.astype(np.int32))
    )
    faces = 4 * 63
    assert surface.count <= faces
    assert len(surface.edges) <= surface.count
    assert surface.position.size <= 3 * faces
    assert runs.block().min() == 1 - labels.array().size


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("markers", [False, True])
@pytest.mark.parametrize("wrap_axes", [(), (0,), (0, 2)])
def test_where_parts_wait_and_are_joined_changes_nothing(
    markers, lines, wrap_axes, set_option, monkeypatch
):
    random = np.random.default_rng(6)
    image = da.from_array(random.integers(0, 9, (13, 12, 11)).astype("f4"), chunks=(5, 4, 6))
    mask = da.from_array(random.random(image.shape) < 0.9, chunks=5)
    marked = random.integers(1, 99, image.shape) * (random.random(image.shape) < 0.02)
    arguments = image, da.from_array(marked, chunks=5) if markers else None, len(image.shape), mask
    basins = watershed(*arguments, watershed_line=lines, wrap_axes=wrap_axes)
    set_option("waiting.memory", 0)
    monkeypatch.setattr(spill, "SMALLEST", 0)
    monkeypatch.setattr(surfaces, "PIXELS_AT_A_TIME", 0)
    again = watershed(*arguments, watershed_line=lines, wrap_axes=wrap_axes)
    assert again.name != basins.name
    np.testing.assert_array_equal(again.compute(), basins.compute())


def test_large_floods_wait_on_disk(set_option, monkeypatch):
    held = []
    monkeypatch.setattr(spill, "SMALLEST", 0)
    set_option("waiting.memory", "1 MiB")
    with Callback(posttask=lambda key, value, *_: held.append((key[0], value))):
        watershed(da.zeros((200, 100, 100), chunks=50, dtype="f4")).compute()
    waiting = {name.rpartition("-")[0]: value for name, value in held}
    for step in ("local_minima-pack", "watershed-kept", "watershed-taken"):
        assert isinstance(waiting[step], spill.SpilledObject)
    surface, _ = waiting["watershed-scan"]
    assert isinstance(surface.position, spill.SpilledArray)


def test_tasks_are_few_and_named_after_the_function():
    image = da.zeros((640, 640), chunks=32)
    basins = watershed(image, da.zeros((640, 640), chunks=32, dtype=np.int32))
    (graph,) = dask.optimize(basins)
    tasks = dict(graph.__dask_graph__())
    assert len(tasks) <= 12 * image.npartitions
    steps = {str(key[0] if isinstance(key, tuple) else key) for key in tasks}
    assert any(step.startswith("watershed-scan-") for step in steps)
    assert any(step.startswith("watershed-combine-") for step in steps)


def test_runs_hold_a_block_as_it_was():
    for block in (np.zeros((0, 3), int), np.ones((2, 2), int), np.arange(12).reshape(3, 4) // 5):
        runs = Runs(block)
        np.testing.assert_array_equal(runs.block(), block)
        np.testing.assert_array_equal(runs.with_values(runs.values * 2), block * 2)


@pytest.mark.parametrize("kernels", [contextlib.nullcontext, plain_kernels])
@pytest.mark.parametrize("shape", [(900,), (30, 30), (9, 10, 10), (5, 6, 6, 5)])
def test_small_regions_take_little_room(shape, kernels):
    random = np.random.default_rng(2)
    seeds = random.random(shape) > 0.1
    _, place = ndimage.distance_transform_edt(seeds, return_indices=True)
    regions = np.ravel_multi_index(tuple(place), shape).astype(np.int32) - 40
    kept = Runs(regions)
    with kernels():
        np.testing.assert_array_equal(kept.block(), regions)
        np.testing.assert_array_equal(kept.with_values(kept.values * 2.5), regions * 2.5)
    assert len(pickle.dumps(kept)) < 1.5 * regions.size + 500


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint64])
def test_ascending_labels_come_back(dtype):
    limits = np.iinfo(dtype)
    for labels in ([], [0], [0, limits.min, 3, 9, limits.max], [0, 5, 6, 100]):
        found = Ascending(np.array(labels, dtype)).array()
        np.testing.assert_array_equal(found, np.array(labels, dtype))
        assert found.dtype == dtype


def test_booleans_and_numbers_come_back():
    for there in ([], [True], [False] * 9, [True, False, True] * 5):
        there = np.array(there, bool)
        np.testing.assert_array_equal(Bits(there).array(), there)
        for dtype in (np.int32, np.int64):
            numbers = (there * np.arange(there.size, 0, -1)).astype(dtype)
            found = Numbers(numbers).array()
            np.testing.assert_array_equal(found, numbers)
            assert found.dtype == dtype


def test_kernels_agree_on_graphs():
    random = np.random.default_rng(5)
    for _ in range(50):
        rows, nodes = random.integers(2, 30, 2)
        image, distance = random.integers(0, 3, (2, rows))
        node = random.integers(0, nodes, rows)
        held = np.where(random.random(nodes) < 0.3, random.permutation(nodes) - nodes // 2, 0)
        pairs = np.sort(random.integers(0, rows, (40, 2)), axis=1)
        edges = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0).astype(np.int32)
        arguments = image, distance, node, held.astype(np.int32), edges
        taken, trees, records = flooding.contract(*arguments)
        with plain_kernels():
            expected = flooding.contract(*arguments)
        np.testing.assert_array_equal(taken, expected[0])
        np.testing.assert_array_equal(np.sort(trees), np.sort(expected[1]))
        np.testing.assert_array_equal(np.sort(records), np.sort(expected[2]))


def test_levels_are_the_least_over_all_ways():
    edges = np.array([[0, 1], [1, 2], [2, 3]])
    weights = np.array([5.0, 1.0, 9.0])
    levels = np.array([2.0, 8.0, 7.0, np.inf])
    lowest = reconstruction.lowest_levels(edges, weights, levels)
    np.testing.assert_array_equal(lowest, [2, 5, 5, 9])


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40))
def test_levels_in_a_forest(seed, count):
    random = np.random.default_rng(seed)
    names, nodes = random.permutation(count), np.arange(1, count)
    edges = np.stack([nodes, random.integers(0, nodes)], axis=1)[random.random(count - 1) < 0.8]
    weights, levels = random.integers(0, 9, len(edges)) * 1.0, random.integers(0, 9, count) * 1.0
    np.testing.assert_array_equal(
        reconstruction.lowest_levels_in_forest(names[edges], weights, levels),
        reconstruction.lowest_levels(names[edges], weights, levels),
    )


def test_sites_are_exchanged_as_they_are_needed(monkeypatch):
    monkeypatch.setattr(line_sweeps, "BYTES_AHEAD", 1)
    monkeypatch.setattr(line_sweeps, "BLOCKS_AHEAD", 4)
    markers = da.from_array(np.eye(40, 4, dtype=int), chunks=(4, 2))
    basins = watershed(da.zeros((40, 4), chunks=(4, 2)), markers)
    finished = []
    with Callback(posttask=lambda key, *_: finished.append(key)):
        basins.compute(scheduler="synchronous")
    at = {
        step: [place for place, key in enumerate(finished) if f"watershed-{step}" in key[0]]
        for step in ("sites", "scan")
    }
    # Of four rows together, after those that lie two before them in groups of three.
    assert len(at["sites"]) == 6
    assert at["sites"][2] > at["scan"][2 * 3 - 1]
    assert at["sites"][4] > at["scan"][2 * 6 - 1]
    np.testing.assert_array_equal(
        basins, kruskal(np.zeros((40, 4)), markers.compute(), steps_of(2, 1))
    )


def eroded(seed, mask, steps, wrap_axes):
    """Return the reconstruction of a seed by erosion, pixel by pixel until nothing changes."""
    levels, before = np.maximum(seed, mask), None
    inside = list(np.ndindex(mask.shape))
    while before is None or (levels != before).any():
        before = levels.copy()
        for p, step in itertools.product(inside, steps):
            q = neighbour(p, step, mask.shape, wrap_axes)
            if all(0 <= at < size for at, size in zip(q, mask.shape)):
                levels[p] = max(min(levels[p], levels[q]), mask[p])
    return levels


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize(
    "shape, wrap_axes, connectivity",
    [
        ((9,), (0,), 1),
        ((7, 8), (1,), 1),
        ((7, 8), (0, 1), 2),
        ((1, 6), (0, 1), 2),
        ((2, 5), (0,), 2),
        ((3, 4, 5), (0, 2), 3),
    ],
)
def test_ends_meet(shape, wrap_axes, connectivity):
    random = np.random.default_rng(len(shape) + connectivity)
    image = random.integers(0, 4, shape)
    markers = np.where(random.random(shape) < 0.15, random.integers(1, 5, shape), 0)
    mask = random.random(shape) > 0.15
    seed = np.where(random.random(shape) < 0.85, 9, image)
    steps = steps_of(len(shape), connectivity)
    basins = kruskal(image, markers, steps, mask, wrap_axes)
    levels = eroded(seed, image, steps, wrap_axes)
    footprint = ndimage.generate_binary_structure(len(shape), connectivity)
    for chunks in (-1, 2, 3):
        lazy = [da.from_array(each, chunks=chunks) for each in (image, markers, mask, seed)]
        with nothing_computes():
            flooded = watershed(*lazy[:2], connectivity, lazy[2], wrap_axes=wrap_axes)
            low = segmentation.reconstruction(
                lazy[3], lazy[0], "erosion", footprint, wrap_axes=wrap_axes
            )
        np.testing.assert_array_equal(flooded.compute(), basins)
        np.testing.assert_array_equal(low.compute(), levels)


@pytest.mark.parametrize("function", [
    lambda image: segmentation.local_maxima(image, wrap_axes=1),
    lambda image: segmentation.local_minima(image, allow_borders=False, wrap_axes=(0, 1)),
    lambda image: segmentation.h_maxima(image, 2, wrap_axes=1),
    lambda image: watershed(-image, watershed_line=True, wrap_axes=1) == 0,
    lambda image: watershed(image, 2 * (image < 20) - (image < 16), wrap_axes=1) == 1,
    lambda image: label_peaks(image, 2, wrap_axes=1),
    lambda image: label_peaks(image, 1, labels=(image > 3).astype(int), wrap_axes=1),
])  # fmt: skip
def test_rings_have_no_beginning(function):
    image = np.random.default_rng(3).permutation(72).reshape(8, 9)
    image = ndimage.uniform_filter(image, 2, mode="wrap")
    expected = [function(np.roll(image, shift, axis=1)) for shift in (0, 4)]
    np.testing.assert_array_equal(np.roll(expected[0], 4, axis=1), expected[1])
    assert 0 < np.count_nonzero(np.asarray(expected[0])) < image.size
    for chunks in ((8, 4), (3, 9), 2):
        found = function(da.from_array(image, chunks=chunks))
        np.testing.assert_array_equal(found, expected[0])


def label_peaks(image, *args, **keywords):
    """Return an image that is True at the peaks."""
    found = np.zeros(image.shape, bool)
    found[tuple(segmentation.peak_local_max(image, *args, **keywords).compute().T)] = True
    return found


def test_each_block_of_one_file_waits_for_its_distances():
    class File:
        shape, ndim, dtype = (40, 4), 2, np.dtype(float)

        def __getitem__(self, slices):
            return np.zeros(self.shape)[slices]

    image = da.from_array(File(), chunks=(4, 2), asarray=False)
    markers = da.from_array(np.eye(40, 4, dtype=int), chunks=(4, 2))
    waiting = collections.Counter(
        needed
        for task in dict(watershed(image, markers).__dask_graph__()).values()
        for needed in getattr(task, "dependencies", ())
        if "watershed-turn" in needed[0]
    )
    # Blocks of the first rows wait where the file does.
    assert sorted(waiting.values()) == [1, 4, 8]
