"""Distance transforms on chunks against SciPy on the whole array."""

import dask.array as da
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from dask_image import ndmorph
from dask_image._kernels import blocks
from dask_image._utils import metrics
from dask_image._utils.engines import line_sweeps
from dask_image.ndmorph._distance import (
    distance_transform_bf,
    distance_transform_cdt,
    distance_transform_edt,
)
from tests.helpers import assert_same, nothing_computes, seeded_image

TRANSFORMS = {
    "edt": (distance_transform_edt, ndimage.distance_transform_edt, {}),
    "cdt": (distance_transform_cdt, ndimage.distance_transform_cdt, {}),
    "cdt taxicab": (
        distance_transform_cdt,
        ndimage.distance_transform_cdt,
        {"metric": "taxicab"},
    ),
    "bf": (distance_transform_bf, ndimage.distance_transform_bf, {}),
    "bf taxicab": (
        distance_transform_bf,
        ndimage.distance_transform_bf,
        {"metric": "cityblock"},
    ),
    "bf chessboard": (
        distance_transform_bf,
        ndimage.distance_transform_bf,
        {"metric": "Chessboard"},
    ),
}
SHAPES_AND_CHUNKS = [
    ((17,), ((5, 1, 11),)),
    ((17,), (1,)),
    ((9, 13), (-1, -1)),
    ((9, 13), ((4, 5), (1, 10, 2))),
    ((6, 5), (1, 1)),
    ((1, 13), (1, 4)),
    ((13, 1), (4, 1)),
    ((5, 7, 6), (2, 3, 4)),
    ((3, 1, 6), (2, 1, 6)),
    ((3, 4, 2, 5), (2, 3, 1, 2)),
    ((1, 1, 1, 1), (1, 1, 1, 1)),
    ((70, 60), (33, 25)),
]
FUNCTIONS = [each[0] for each in list(TRANSFORMS.values())[::2]]


def seeded_mask(shape, background=0.1, seed=0):
    return np.random.default_rng(seed).random(shape) > background


def as_tuple(results):
    return results if isinstance(results, tuple) else (results,)


def assert_nearest(indices, image, metric):
    """Check that indices point to background pixels at the distances SciPy finds."""
    expected = ndimage.distance_transform_bf(image, metric)
    computed = indices.compute()
    steps = np.abs(computed - np.indices(image.shape))
    assert not image[tuple(computed)].any()
    assert metric.lower() == "chessboard"
    np.testing.assert_array_equal(steps.max(axis=0), expected)


def compare(name, image, chunks, **keywords):
    """Compare both results, asked for together and each alone, with SciPy's."""
    ours, reference, metric = TRANSFORMS[name]
    keywords = {**metric, **keywords}
    lazy_image = da.from_array(image, chunks=chunks)
    expected = reference(image, return_indices=True, **keywords)
    with nothing_computes():
        both = ours(lazy_image, return_indices=True, **keywords)
        again = ours(lazy_image, return_indices=True, **keywords)
        alone = (
            ours(lazy_image, **keywords),
            ours(lazy_image, return_distances=False, return_indices=True, **keywords),
        )
    assert [each.name for each in both] == [each.name for each in again]
    assert both[0].chunks == lazy_image.chunks
    assert both[1].chunks == ((image.ndim,), *lazy_image.chunks)
    assert alone[1].name == both[1].name
    assert_same(both[0], expected[0], rtol=1e-14)
    assert_same(alone[0], expected[0], rtol=1e-14)
    if name == "bf chessboard":
        assert_nearest(both[1], image, keywords["metric"])
    else:
        assert_same(both[1], expected[1])


@pytest.mark.parametrize("shape, chunks", SHAPES_AND_CHUNKS, ids=str)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_shapes_and_chunks(name, shape, chunks, either_kernel):
    image = seeded_mask(shape)
    image.flat[image.size // 2] = False
    compare(name, image, chunks)


@pytest.mark.parametrize("background", [0.001, 0.02, 0.5, 0.95])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_background_rare_and_common(name, background, either_kernel):
    image = seeded_mask((45, 52), background, seed=1)
    image[11, 30] = False
    compare(name, image, (20, 17))


@pytest.mark.parametrize("shape", [(6,), (5, 6), (3, 4, 5)])
@pytest.mark.parametrize("name", [each for each in TRANSFORMS if each != "bf chessboard"])
def test_no_background_and_no_foreground(name, shape, either_kernel):
    compare(name, np.ones(shape, bool), 2)
    compare(name, np.zeros(shape, bool), 2)


def test_no_background_with_sampling():
    compare("edt", np.ones((4, 5), bool), 3, sampling=(2, 3))
    compare("bf", np.ones((4, 5), bool), 3, sampling=(2, 3))


@pytest.mark.parametrize("sampling", [2, 0.5, (1, 3), (0.25, 2), (-1, 2), np.array([4, 1])])
@pytest.mark.parametrize("name", ["edt", "bf", "bf taxicab"])
def test_sampling(name, sampling, either_kernel):
    compare(name, seeded_mask((12, 34), 0.05), (5, 30), sampling=sampling)


@pytest.mark.parametrize("sampling", [(0.7, 1.3), 1.1])
def test_distances_of_sampling_that_ties_by_rounding(sampling, either_kernel):
    image = seeded_mask((12, 34), 0.05)
    lazy = distance_transform_edt(da.from_array(image, chunks=(5, 30)), sampling)
    assert_same(lazy, ndimage.distance_transform_edt(image, sampling))
    indices = distance_transform_edt(image, sampling, return_distances=False, return_indices=True)
    steps = (indices.compute() - np.indices(image.shape)).astype(float)
    steps *= np.broadcast_to(sampling, 2).reshape(2, 1, 1)
    assert_same(da.sqrt(da.from_array(steps**2).sum(axis=0)), lazy.compute())


@pytest.mark.parametrize(
    "image",
    [
        np.array([[0, 3, -2, 200, 0, 7]], dtype=np.int16),
        np.array([[0, 0.2, np.nan, np.inf, -0.0, 1]]),
        np.array([[0, 1j, 1, 1 + 1j, 2j, 0]]),
        np.array([[0, 256, 512, 0, 1, 1]], dtype=">u2"),
    ],
    ids=lambda image: image.dtype.name,
)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_dtypes(name, image):
    compare(name, image, (1, 4))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_no_pixels(name, shape):
    ours, reference, metric = TRANSFORMS[name]
    image = np.ones(shape, bool)
    expected = reference(image, return_indices=True, **metric)
    for lazy, result in zip(ours(image, return_indices=True, **metric), expected, strict=True):
        assert_same(lazy, result)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("name", ["edt", "bf", "bf taxicab"])
def test_no_axes(name, value):
    ours, reference, metric = TRANSFORMS[name]
    expected = reference(np.array(value), return_indices=True, **metric)
    results = ours(np.array(value), return_indices=True, **metric)
    for lazy, result in zip(results, expected, strict=True):
        assert_same(lazy, result)


def test_chunks_of_no_pixels():
    image = seeded_mask((9, 8))
    lazy_image = da.from_array(image, chunks=((4, 0, 5), (3, 5, 0)))
    for ours, reference, metric in TRANSFORMS.values():
        expected = reference(image, return_indices=True, **metric)
        results = ours(lazy_image, return_indices=True, **metric)
        assert results[0].chunks == lazy_image.chunks
        assert_same(results[0], expected[0])
        np.testing.assert_array_equal(results[1].compute().shape, expected[1].shape)


@pytest.mark.parametrize("pixels", [1, 20])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_thin_strips(name, pixels, monkeypatch):
    monkeypatch.setattr(line_sweeps, "STRIP_PIXELS", pixels)
    compare(name, seeded_mask((9, 13)), (-1, 4))
    compare(name, seeded_mask((7, 5, 6)), (4, 3, 2))


@pytest.mark.parametrize("pixels", [1, 2])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_boxes_between_blocks_and_slabs(name, pixels, monkeypatch):
    monkeypatch.setattr(line_sweeps, "STRIP_PIXELS", pixels)
    monkeypatch.setattr(line_sweeps, "FEW_SLABS", 2)
    compare(name, seeded_mask((9, 13)), (-1, 2))
    compare(name, seeded_mask((9, 5, 6)), (4, 3, 2))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_lines_in_pieces(name, monkeypatch):
    monkeypatch.setattr(line_sweeps, "BLOCKS_OF_PIECE", 2)
    compare(name, seeded_mask((9, 13)), (4, 2))
    compare(name, seeded_mask((7, 5, 6)), (3, 2, 1))


@pytest.mark.parametrize(
    "metric",
    [
        [[0, 1, 0], [0, 0, 0], [0, 0, 0]],
        [[1, 0, 1], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
        [[0, 0, 1], [1, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 1, 1], [1, 1, 1]],
        np.zeros((3, 3)),
        np.ones((3, 3)),
    ],
    ids=str,
)
def test_custom_metrics(metric, either_kernel):
    image = seeded_mask((11, 23), 0.05)
    expected = ndimage.distance_transform_cdt(
        image, np.array(metric, dtype=bool), return_indices=True
    )
    lazy = distance_transform_cdt(
        da.from_array(image, chunks=(4, 7)), metric=metric, return_indices=True
    )
    for result, reference in zip(lazy, expected, strict=True):
        assert_same(result, reference)


@st.composite
def masks_and_chunks(draw):
    shape = draw(hnp.array_shapes(max_dims=4, max_side=7))
    image = draw(hnp.arrays(bool, shape))
    return image, tuple(draw(st.integers(1, size)) for size in shape)


@hypothesis.given(masks_and_chunks(), st.data())
def test_any_mask_any_metric(case, data):
    image, chunks = case
    metric = data.draw(hnp.arrays(bool, (3,) * image.ndim))
    lazy_image = da.from_array(image, chunks=chunks)
    expected = ndimage.distance_transform_cdt(image, metric, return_indices=True)
    lazy = distance_transform_cdt(lazy_image, metric, return_indices=True)
    for result, reference in zip(lazy, expected, strict=True):
        assert_same(result, reference)


@hypothesis.given(masks_and_chunks(), st.sampled_from(["edt", "bf", "bf taxicab"]))
def test_any_mask(case, name):
    compare(name, *case)


def test_blocks_are_read_once():
    reads = []

    def read(block, block_info):
        reads.append(block_info[0]["chunk-location"])
        return block

    image = seeded_mask((12, 15))
    lazy_image = da.from_array(image, chunks=5).map_blocks(read, dtype=bool, meta=image[:0, :0])
    for ours, _, metric in TRANSFORMS.values():
        for indices in (False, True):
            reads.clear()
            distances = as_tuple(ours(lazy_image, return_indices=indices, **metric))[-1]
            distances.compute(scheduler="threads")
            assert sorted(reads) == sorted(np.ndindex(3, 3))


@pytest.mark.parametrize("length", [16_370, 16_390])  # as int16, and as int32
@pytest.mark.parametrize("metric", ["chessboard", "taxicab"])
def test_cdt_of_the_longest_lines_in_two_bytes(either_kernel, metric, length):
    image = np.ones((2, length), bool)
    image[0, 0] = image[1, 40:43] = False
    for array in (image, image[:, ::-1], image.T):
        expected = ndimage.distance_transform_cdt(array, metric)
        lazy = distance_transform_cdt(da.from_array(array, chunks=10_000), metric)
        assert_same(lazy, expected)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_few_tasks_a_block(name):
    ours, _, metric = TRANSFORMS[name]
    image = da.zeros((128, 128, 128), chunks=16, dtype=bool)
    for indices in (False, True):
        results = as_tuple(ours(image, return_indices=indices, **metric))
        for result in results:
            assert len(result.__dask_graph__()) <= 8 * image.npartitions


@pytest.mark.parametrize("shape", [(128 * 32,) * 2, (128 * 12,) * 3])
def test_tasks_a_block_do_not_grow_with_the_image(shape, monkeypatch):
    monkeypatch.setattr(line_sweeps, "STRIP_PIXELS", 1)
    for times in (1, 2):
        image = da.zeros([size * times // 2 for size in shape], chunks=128, dtype=bool)
        result = distance_transform_edt(image)
        assert len(result.__dask_graph__()) <= (5 if image.ndim == 2 else 7) * image.npartitions


def test_distances_follow_from_indices_by_brute_force():
    image = da.zeros((512, 512, 512), chunks=64, dtype=bool)
    distances, indices = distance_transform_bf(image, "taxicab", return_indices=True)
    both = {**distances.__dask_graph__(), **indices.__dask_graph__()}
    assert len(both) <= 9 * image.npartitions


def test_arguments_change_the_name():
    image = da.from_array(seeded_mask((6, 8)), chunks=3)
    box, line = np.ones((3, 3)), [[0, 1, 0]] * 3
    names = {
        distance_transform_edt(image).name,
        distance_transform_edt(image, sampling=2).name,
        distance_transform_edt(image, sampling=(1, 2)).name,
        distance_transform_edt(image, return_indices=True)[1].name,
        distance_transform_cdt(image).name,
        distance_transform_cdt(image, "taxicab").name,
        distance_transform_cdt(image, box).name,
        distance_transform_cdt(image, line).name,
        distance_transform_bf(image, "taxicab").name,
        distance_transform_bf(image, "chessboard").name,
    }
    assert len(names) == 10


@pytest.mark.parametrize("function", FUNCTIONS)
def test_refuses_to_return_nothing(function):
    with pytest.raises(RuntimeError, match="return_distances and return_indices"):
        function(np.ones((3, 3)), return_distances=False)


@pytest.mark.parametrize("function", [distance_transform_edt, distance_transform_bf])
@pytest.mark.parametrize(
    "sampling, error, message",
    [
        ([1], RuntimeError, "each of 2 axes"),
        ((1, 2, 3), RuntimeError, "each of 2 axes"),
        ("a", ValueError, "could not convert"),
        ((1, np.nan), ValueError, "sampling must be finite"),
        ((1, 1j), TypeError, "complex"),
    ],
)
def test_refuses_samplings(function, sampling, error, message):
    with pytest.raises(error, match=message):
        function(np.ones((3, 3)), sampling=sampling)


@pytest.mark.parametrize(
    "metric", ["euclidean", "Chessboard", None, 3, np.ones(3), np.ones((2, 3)), [[1, 2], [3]]]
)
def test_cdt_refuses_metrics(metric):
    with pytest.raises(ValueError, match="metric must be"):
        distance_transform_cdt(np.ones((3, 3)), metric=metric)


@pytest.mark.parametrize("metric", ["taxi", None, 3])
def test_bf_refuses_metrics(metric):
    with pytest.raises(RuntimeError, match="metric must be one of"):
        distance_transform_bf(np.ones((3, 3)), metric=metric)


def test_cdt_refuses_images_without_axes():
    with pytest.raises(TypeError, match="at least one axis"):
        distance_transform_cdt(np.array(1))


def test_an_axis_that_positions_cannot_span_is_refused():
    """The longest axis is measured right, the next one refused at the call."""
    longest = metrics.LONGEST_AXIS
    image = da.ones(longest + 1, chunks=2**27, dtype=bool)
    for function in (
        ndmorph.distance_transform_edt,
        ndmorph.distance_transform_cdt,
        ndmorph.distance_transform_bf,
    ):
        with pytest.raises(ValueError, match="no axis longer than"):
            function(image)
        function(image[1:])


@pytest.mark.usefixtures("either_kernel")
def test_the_ends_of_the_longest_axis():
    size = metrics.LONGEST_AXIS
    nothing, first, last = (np.full(1, each, np.int32) for each in (-1, 0, size - 1))
    foreground = np.ones(4, bool)
    for before, after in [(nothing, nothing), (first, nothing), (nothing, last), (first, last)]:
        for start in (1, size // 2 - 2, size - 5):
            found = blocks.distance.nearest_on_first_axis(~foreground, start, before, after)
            here = np.arange(start, start + 4)
            to_first = np.where(before[0] < 0, np.inf, here)
            to_last = np.where(after[0] < 0, np.inf, size - 1 - here)
            expected = np.where(to_last < to_first, size - 1, before[0])
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("metric", ["euclidean", "taxicab"])
def test_indices_of_brute_force_over_empty_chunks(metric):
    # Dask itself loses the pixels of such an axis where it is turned round.
    image = seeded_image((6, 2, 3), "?", seed=4)
    lazy = da.from_array(image).rechunk(((3, 0, 3), (0, 1, 0, 1, 0), (2, 0, 1)))
    found = ndmorph.distance_transform_bf(lazy, metric, return_indices=True)
    expected = ndimage.distance_transform_bf(image, metric, return_indices=True)
    assert found[1].chunks == ((3,), *lazy.chunks)
    for ours, theirs in zip(found, expected, strict=True):
        assert_same(ours, theirs)


def on_a_ring(image, steps, wrap_axes):
    """Return differences of positions, of shape (ndim, ...), the shorter way round."""
    steps = np.abs(steps).astype(float)
    for axis in wrap_axes:
        steps[axis] = np.minimum(steps[axis], image.shape[axis] - steps[axis])
    return steps


PERIODIC = [
    ("edt", lambda steps: np.sqrt((steps**2).sum(axis=0)), {}),
    ("edt", lambda steps: np.sqrt((steps**2).sum(axis=0)), {"sampling": 0.5}),
    ("cdt", lambda steps: steps.max(axis=0), {}),
    ("cdt taxicab", lambda steps: steps.sum(axis=0), {}),
    ("bf", lambda steps: np.sqrt((steps**2).sum(axis=0)), {}),
    ("bf chessboard", lambda steps: steps.max(axis=0), {}),
]


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("name, norm, keywords", PERIODIC)
@pytest.mark.parametrize(
    "shape, chunks, wrap_axes",
    [
        ((17,), ((5, 1, 11),), (0,)),
        ((9, 13), ((4, 5), (1, 10, 2)), (0,)),
        ((9, 13), (2, 13), (1,)),
        ((1, 8), (1, 3), (0, 1)),
        ((4, 5, 6), (2, 3, 4), (0, 2)),
    ],
)
def test_distances_where_ends_meet(name, norm, keywords, shape, chunks, wrap_axes):
    image = seeded_mask(shape, background=0.06, seed=5)
    image.flat[image.size // 2] = False
    here, found = np.indices(shape), np.argwhere(image == 0).T
    scale = keywords.get("sampling", 1)
    steps = here[..., np.newaxis] - found.reshape(len(shape), *(1,) * len(shape), -1)
    expected = norm(on_a_ring(image, steps.reshape(len(shape), *shape, -1), wrap_axes) * scale)
    expected = expected.min(axis=-1)
    ours, _, metric = TRANSFORMS[name]
    keywords = {**metric, **keywords, "wrap_axes": wrap_axes}
    lazy_image = da.from_array(image, chunks=chunks)
    with nothing_computes():
        distances, indices = ours(lazy_image, return_indices=True, **keywords)
        alone = ours(lazy_image, **keywords)
    assert_same(distances, expected.astype(distances.dtype), rtol=1e-14)
    assert_same(alone, expected.astype(distances.dtype), rtol=1e-14)
    whole = ours(image, return_distances=False, return_indices=True, **keywords)
    assert_same(indices, whole.compute())
    assert not image[tuple(indices.compute())].any()
    steps = on_a_ring(image, indices.compute() - here, wrap_axes) * scale
    np.testing.assert_allclose(norm(steps), expected, rtol=1e-14)


def test_where_ends_meet_and_there_is_no_background():
    image = da.ones((3, 4), chunks=2)
    assert (distance_transform_cdt(image, wrap_axes=0).compute() == -1).all()
    distances, indices = distance_transform_cdt(image, return_indices=True, wrap_axes=0)
    assert (distances.compute() == -1).all()
    assert_same(indices, np.indices((3, 4)).astype(np.int32))
    distances, indices = distance_transform_edt(image, return_indices=True, wrap_axes=1)
    assert (indices.compute() == [[[-1]], [[0]]]).all()
    assert_same(distances, distance_transform_edt(image, wrap_axes=1).compute())
    distances, indices = distance_transform_cdt(
        image, np.ones((3, 3)), return_indices=True, wrap_axes=0
    )
    assert (distances.compute() == -1).all()
    assert_same(indices, np.indices((3, 4)).astype(np.int32))


def walked(image, metric, wrap_axes):
    """Return how many steps away the background is on a ring, found one step after another."""
    before = np.argwhere(metric)[np.flatnonzero(metric) < metric.size // 2] - 1
    pad = [(0, 0) if axis in wrap_axes else (1, 1) for axis in range(image.ndim)]
    inner = tuple(slice(low, low + size) for (low, _), size in zip(pad, image.shape))
    reached, distances = np.pad(image == 0, pad), np.full(image.shape, -1, np.int32)
    inside = np.pad(np.ones(image.shape, bool), pad)
    for steps in range(image.size):
        distances[(distances < 0) & reached[inner]] = steps
        axes, last = tuple(range(image.ndim)), reached
        for step in (*before, *-before):
            reached = reached | (np.roll(last, tuple(step), axes) & inside)
    return distances


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize(
    "shape, chunks, wrap_axes, dropped",
    [
        ((9, 13), ((4, 5), (1, 10, 2)), (0,), (0, 0)), ((3, 11), (2, 4), (0, 1), (0, 2)),
        ((12,), ((5, 1, 6),), (0,), (1,)), ((4, 5, 3), (3, 2, 3), (1,), (0, 0, 0)),
        ((6, 5), (6, 2), (1,), (2, 2)),
    ],
)  # fmt: skip
def test_steps_of_any_structure_where_ends_meet(shape, chunks, wrap_axes, dropped):
    metric = np.ones((3,) * len(shape), bool)
    metric[dropped] = False
    image = seeded_mask(shape, background=0.05, seed=7)
    image.flat[image.size // 3] = False
    lazy = da.from_array(image, chunks=chunks)
    with nothing_computes():
        distances, indices = distance_transform_cdt(
            lazy, metric, return_indices=True, wrap_axes=wrap_axes
        )
    assert distances.chunks == lazy.chunks and indices.chunks[1:] == lazy.chunks
    # Sweeps take a step there and one back in one order only, and none beyond an edge.
    margin = [sum(shape) * (axis in wrap_axes) for axis in range(image.ndim)]
    going_on = np.pad(image, [(size, size) for size in margin], mode="wrap")
    middle = tuple(slice(low, low + size) for low, size in zip(margin, shape))
    expected = ndimage.distance_transform_cdt(going_on, metric)[middle]
    assert_same(distances, expected)
    if set(wrap_axes) == set(range(image.ndim)):
        assert_same(distances, walked(image, metric, wrap_axes))
    assert not image[tuple(indices.compute())].any()
    alone = distance_transform_cdt(image, metric, False, True, wrap_axes=wrap_axes)
    assert_same(indices, alone.compute())


def test_structures_that_wind_round():
    with pytest.raises(NotImplementedError, match="a step along each axis, got none along 1"):
        distance_transform_cdt(np.ones((3, 4)), [[1, 1, 1], [0, 1, 0], [1, 1, 1]], wrap_axes=0)
