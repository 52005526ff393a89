"""Interpolation against SciPy on the whole image."""

import functools
import operator
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import LowLevelCallable, ndimage

import dask_image.ndimage as flat
from dask_image import ndinterp, ndmeasure
from dask_image._utils.modes import MODES as ALL_MODES
from tests.helpers import assert_matches_scipy, assert_same, nothing_computes, seeded_image

MODES = sorted(ALL_MODES)
ORDERS = range(6)
SHAPES = [(23,), (1,), (11, 13), (1, 9), (3, 2), (5, 1, 7)]
CHUNKS = {1: (5, 1, 17), 2: 4, 3: 3}
# A complex image is taken apart, one of integers rounded, one of singles kept in singles.
DTYPES = ["f8", "f4", "u1", "c16"]
TOLERANCE = {"f4": 2e-6}


def tolerance(dtype):
    return TOLERANCE.get(dtype, 1e-10)


def chunks_for(shape):
    if shape == (23,):
        return (CHUNKS[1],)
    return 4


def cval_for(dtype):
    return 2 - 3j if dtype == "c16" else 7.25


# Weights of the basis spline at whole distances from its centre (Unser, Splines, IEEE SPM 1999).
BASIS = {
    2: np.array([1, 6, 1]) / 8,
    3: np.array([1, 4, 1]) / 6,
    4: np.array([1, 76, 230, 76, 1]) / 384,
    5: np.array([1, 26, 66, 26, 1]) / 120,
}


def reflected_coefficients(image, order, axes):
    """Return the coefficients whose spline, reflected at the edges, runs through all pixels."""
    coefficients = image.astype("c16" if image.dtype.kind == "c" else "f8")
    for axis in axes:
        size = image.shape[axis]
        pixels = ALL_MODES["reflect"].fold(np.arange(-2, size + 2), size)
        system = np.zeros((size, size))
        for row in range(size):
            for distance, weight in enumerate(BASIS[order], -(len(BASIS[order]) // 2)):
                system[row, pixels[row + distance + 2]] += weight
        lines = np.moveaxis(coefficients, axis, 0)
        solved = np.linalg.solve(system, lines.reshape(size, -1)).reshape(lines.shape)
        coefficients = np.moveaxis(solved, 0, axis)
    return coefficients


def exactly(function):
    """
    Return a function of SciPy that interpolates, with the right prefilter in mode "reflect".

    SciPy's own is wrong there for short axes: a constant image does not stay constant.
    """

    @functools.wraps(function)
    def reference(image, *args, order=3, mode="constant", prefilter=True, **keywords):
        if mode in ("reflect", "grid-mirror") and prefilter and order > 1 and image.size:
            keywords.setdefault("output", image.dtype)
            axes = args[1] if function is ndimage.rotate else range(image.ndim)
            image = reflected_coefficients(image, order, axes)
            prefilter = False
        return function(image, *args, order=order, mode=mode, prefilter=prefilter, **keywords)

    return reference


def exact_spline_filter(image, order, output, mode):
    if ALL_MODES[mode].coefficients == "reflect":
        return reflected_coefficients(image, order, range(image.ndim)).astype(output)
    return ndimage.spline_filter(image, order, output, mode)


def exact_spline_filter1d(image, order, axis, output, mode):
    if ALL_MODES[mode].coefficients == "reflect":
        return reflected_coefficients(image, order, [axis]).astype(output)
    return ndimage.spline_filter1d(image, order, axis, output, mode)


def transforms(shape, random):
    """Return every transform that fits a shape, as (name, arguments)."""
    ndim = len(shape)
    cases = [
        ("affine_transform", (random.normal(size=(ndim, ndim)), random.normal(size=ndim) * 5)),
        ("affine_transform", (random.normal(size=ndim), random.normal(size=ndim) * 5)),
        ("shift", (random.normal(size=ndim) * 6,)),
        ("zoom", (random.uniform(0.3, 2.5, size=ndim),)),
    ]
    if ndim > 1:
        cases.append(("rotate", (random.uniform(-200, 200), (ndim - 2, ndim - 1))))
    return cases


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", ORDERS)
def test_transforms_match_scipy(order, mode):
    random = np.random.default_rng(MODES.index(mode) * 10 + order)
    # Every shape meets every mode and every order, and a third of the pairs of them.
    for position, shape in enumerate(SHAPES):
        if (position + order + MODES.index(mode)) % 3:
            continue
        dtype = DTYPES[(position + order) % 4]
        image = seeded_image(shape, dtype)
        for prefilter in (True, False) if order > 1 else (True,):
            for name, arguments in transforms(shape, random):
                if (name, order) == ("rotate", 0):
                    # The centre of an even image lies halfway between pixels: which of them is
                    # nearest hangs on the last bit, and that on how SciPy was compiled.
                    continue
                assert_matches_scipy(
                    getattr(ndinterp, name),
                    exactly(getattr(ndimage, name)),
                    image,
                    *arguments,
                    order=order,
                    mode=mode,
                    cval=cval_for(dtype),
                    prefilter=prefilter,
                    chunks=chunks_for(shape),
                    rtol=tolerance(dtype),
                )


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", ORDERS)
def test_map_coordinates_matches_scipy(order, mode):
    random = np.random.default_rng(MODES.index(mode) * 10 + order)
    # Every shape meets every mode and every order, and a third of the pairs of them.
    for position, shape in enumerate(SHAPES):
        if (position + order + MODES.index(mode)) % 3:
            continue
        dtype = DTYPES[(position + order) % 4]
        image = seeded_image(shape, dtype)
        coordinates = np.stack(
            [
                np.concatenate(
                    [
                        random.uniform(-3 * size - 3, 4 * size + 3, 20),
                        random.integers(-3 * size, 4 * size, 20),
                        random.integers(-3 * size, 4 * size, 20) + 0.5,
                    ]
                ).reshape(6, 10)
                for size in shape
            ]
        )
        lazy_coordinates = da.from_array(coordinates, chunks=(1, 4, 7))
        for prefilter in (True, False) if order > 1 else (True,):
            keywords = {
                "order": order,
                "mode": mode,
                "cval": cval_for(dtype),
                "prefilter": prefilter,
            }
            expected = exactly(ndimage.map_coordinates)(image, coordinates, **keywords)
            lazy = da.from_array(image, chunks=chunks_for(shape))
            with nothing_computes():
                result = ndinterp.map_coordinates(lazy, lazy_coordinates, **keywords)
                again = ndinterp.map_coordinates(lazy, lazy_coordinates, **keywords)
            assert result.name == again.name
            assert result.chunks == lazy_coordinates.chunks[1:]
            assert_same(result, expected, rtol=tolerance(dtype))
            eager = ndinterp.map_coordinates(lazy, coordinates, **keywords)
            assert_same(eager, expected, rtol=tolerance(dtype))


def tilt(index, factor, move=0.0):
    return tuple(factor * place + move for place in index)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reach", [None, 6.5])
def test_geometric_transform_matches_scipy(mode, reach):
    for order, dtype in zip((0, 1, 2, 3), DTYPES):
        image = seeded_image((11, 13), dtype)
        keywords = {
            "order": order,
            "mode": mode,
            "cval": cval_for(dtype),
            "extra_arguments": (0.9,),
            "extra_keywords": {"move": 2.25},
        }
        expected = ndimage.geometric_transform(image, tilt, **keywords)
        lazy = da.from_array(image, chunks=4)
        with nothing_computes():
            result = ndinterp.geometric_transform(lazy, tilt, reach=reach, **keywords)
        assert result.chunks == lazy.chunks
        assert_same(result, expected, rtol=tolerance(dtype))


def test_geometric_transform_to_other_axes():
    image = seeded_image((11, 13), "f8")

    def diagonal(index):
        return index[0], index[0] + 0.5

    expected = ndimage.geometric_transform(image, diagonal, (9,))
    result = ndinterp.geometric_transform(da.from_array(image, chunks=4), diagonal, (9,))
    assert_same(result, expected, rtol=1e-10)


def test_geometric_transform_takes_tuples_alone():
    image = da.ones((5, 6), chunks=3)

    def fails(index):
        raise ValueError("not here")

    for mapping, error, message in (
        (list, TypeError, r"mapping must return a tuple of 2 coordinates, got \[\d, \d\]"),
        (lambda index: index[:1], TypeError, r"a tuple of 2 coordinates, got \(\d,\)"),
        (lambda index: 0.5, TypeError, "a tuple of 2 coordinates, got 0.5"),
        (lambda index: ("a", "b"), ValueError, "could not convert string to float"),
        (fails, ValueError, "not here"),
    ):
        result = ndinterp.geometric_transform(image, mapping)
        with pytest.raises(error, match=message):
            result.compute()
    longer = ndinterp.geometric_transform(image, lambda index: (*index, 7), order=1)
    assert_same(longer, image.compute())


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("mode", ["constant", "reflect", "grid-wrap", "nearest"])
def test_map_coordinates_within_reach(mode, order):
    image = np.random.default_rng(1).random((23, 31))
    shift = np.random.default_rng(2).uniform(-2.5, 2.5, (2, 20, 33))
    coordinates = np.indices((20, 33)) + shift
    keywords = {"order": order, "mode": mode, "cval": 0.5}
    lazy = ndinterp.map_coordinates(
        da.from_array(image, chunks=(7, 9)), da.from_array(coordinates, chunks=(1, 6, 8)),
        reach=(2.5, 3), **keywords,
    )  # fmt: skip
    expected = ndimage.map_coordinates(image, coordinates, **keywords)
    np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12, atol=1e-12)
    assert lazy.chunks == ((6, 6, 6, 2), (8, 8, 8, 8, 1))


@pytest.mark.parametrize("value", [9.5, np.nan, np.inf])
def test_map_coordinates_beyond_its_reach(value):
    coordinates = np.indices((8, 8)).astype(float)
    coordinates[1, 5, 6] = value
    lazy = ndinterp.map_coordinates(
        da.ones((8, 8), chunks=4), da.from_array(coordinates, chunks=(2, 4, 4)), reach=2
    )
    with pytest.raises(ValueError, match=rf"got \(5.0, {value}\) at index \(5, 6\)"):
        lazy.compute()


def test_map_coordinates_refuses_a_reach_it_cannot_use():
    image = da.ones((8, 8), chunks=4)
    with pytest.raises(RuntimeError, match="reach needs"):
        ndinterp.map_coordinates(image, np.zeros((2, 5)), reach=2)
    with pytest.raises(RuntimeError, match="reach must be at least 0, got"):
        ndinterp.map_coordinates(image, np.zeros((2, 8, 8)), reach=-1)


def test_geometric_transform_beyond_its_reach():
    result = ndinterp.geometric_transform(da.ones((8, 8), chunks=4), tilt, reach=1,
                                          extra_arguments=(2.0,))  # fmt: skip
    with pytest.raises(ValueError, match="reach"):
        result.compute()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", range(2, 6))
def test_spline_filters_match_scipy(order, mode):
    for shape, dtype in [((130,), "f8"), ((1, 70), "u1"), ((9, 60), "c16"), ((3, 4, 5), "f4")]:
        image = seeded_image(shape, dtype)
        output = "c16" if dtype == "c16" else "f8"
        for chunks in (7, 64, -1):
            assert_matches_scipy(
                ndinterp.spline_filter, exact_spline_filter, image, order, output, mode,
                chunks=chunks, rtol=1e-12,
            )  # fmt: skip
            assert_matches_scipy(
                ndinterp.spline_filter1d, exact_spline_filter1d, image, order, 0, output, mode,
                chunks=chunks, rtol=1e-12,
            )  # fmt: skip


@pytest.mark.parametrize("output", ["f4", "i4"])
def test_spline_filters_keep_intermediates_in_the_output_dtype(output):
    image = seeded_image((30, 40), "f8") * 100
    assert_matches_scipy(
        ndinterp.spline_filter, ndimage.spline_filter, image, output=output, chunks=13
    )


@pytest.mark.parametrize("order", [0, 1])
def test_low_orders_need_no_filter(order):
    image = seeded_image((4, 5), "u1")
    assert_matches_scipy(
        ndinterp.spline_filter1d, ndimage.spline_filter1d, image, order=order, chunks=2
    )


@given(
    matrix=st.lists(st.floats(-4, 4), min_size=4, max_size=4),
    offset=st.lists(st.floats(-30, 30), min_size=2, max_size=2),
    chunks=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    output_chunks=st.integers(2, 9),
    order=st.integers(0, 5),
    mode=st.sampled_from(MODES),
)
def test_any_affine_transform(matrix, offset, chunks, output_chunks, order, mode):
    image = seeded_image((8, 9), "f8")
    matrix = np.reshape(matrix, (2, 2))
    keywords = {
        "output_shape": (10, 6),
        "order": order,
        "mode": mode,
        "prefilter": True,
    }
    expected = exactly(ndimage.affine_transform)(image, matrix, offset, **keywords)
    result = ndinterp.affine_transform(
        da.from_array(image, chunks=chunks), matrix, offset, output_chunks=output_chunks, **keywords
    )
    assert_same(result, expected, rtol=1e-9)


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((2, 2)),
        [[1, 1], [1, 1]],
        [[-1, 0], [0, -1]],
        [[0, 1], [1, 0]],
        [[17.0, 0.3], [0.1, 23.0]],
        [[0.01, 0], [0, 0.02]],
        [2.0, 0.5],
        [[1, 0.2, 3], [0.1, 1, -2]],
        [[1, 0.2, 3], [0.1, 1, -2], [0, 0, 1]],
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", MODES)
def test_special_matrices(matrix, mode):
    image = seeded_image((20, 30), "f8")
    for order in (0, 1, 3):
        assert_matches_scipy(
            ndinterp.affine_transform, ndimage.affine_transform, image, matrix, 5.0,
            order=order, mode=mode, prefilter=True, chunks=7, rtol=1e-10,
        )  # fmt: skip


def test_a_zero_on_a_diagonal_is_all_outside_as_in_scipy():
    image = seeded_image((6, 6), "f8")
    result = ndinterp.affine_transform(da.from_array(image, chunks=3), [0.0, 1.0], 1.0, cval=7.0)
    assert_same(result, np.full((6, 6), 7.0))


@pytest.mark.parametrize("mode", MODES)
def test_integers_are_rounded_as_scipy_does(mode):
    image = seeded_image((40, 40), "u1")
    for order in ORDERS:
        assert_matches_scipy(
            ndinterp.zoom, ndimage.zoom, image, 2, order=order, mode=mode, chunks=16
        )
    for output in ("i1", "u1", "i2", "i8", "u8", np.bool_, "f4"):
        assert_matches_scipy(
            ndinterp.shift, ndimage.shift, image, 0.5, order=1, mode=mode, output=output, chunks=16
        )


@pytest.mark.parametrize("step", [0.3, 0.5, 0.7, 1.1, 7.3])
@pytest.mark.parametrize("dtype", ["u1", "i4", "i8"])
def test_sums_at_a_half_are_rounded_as_scipy_does(dtype, step):
    """Whether they are a little more or less is decided by the order of summation."""
    image = seeded_image((60, 300), dtype)
    for order in (1, 3):
        for mode in ("grid-constant", "reflect"):
            assert_matches_scipy(
                ndinterp.affine_transform, ndimage.affine_transform, image, [0.2, step], [0.3, 3.3],
                order=order, mode=mode, chunks=-1,
            )  # fmt: skip


@pytest.mark.parametrize("cval", [300.0, -5.0, 0.5, -0.5, np.nan, 1e30])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "i8", "?", "f4"])
def test_any_value_beyond_the_edges(dtype, cval):
    image = seeded_image((4, 5), dtype)
    assert_matches_scipy(ndinterp.shift, ndimage.shift, image, 2, order=1, cval=cval, chunks=2)


@pytest.mark.parametrize("grid_mode", [True, False])
def test_zoom_with_grid_mode(grid_mode):
    image = seeded_image((9, 14), "f8")
    for factor in (2, 0.5, (1.7, 1), (0.1, 3), 1, 0):
        for mode in ("grid-constant", "grid-wrap", "mirror"):
            assert_matches_scipy(
                ndinterp.zoom, ndimage.zoom, image, factor, mode=mode, grid_mode=grid_mode,
                chunks=4, rtol=1e-10,
            )  # fmt: skip
    with pytest.warns(UserWarning, match="grid-constant"):
        ndinterp.zoom(da.ones((4, 4)), 2, grid_mode=True)


def test_rotate_is_a_stack_of_planes():
    image = seeded_image((5, 6, 7, 4), "f8")
    for axes in [(1, 0), (0, 3), (-1, -2), (2, 0)]:
        assert_matches_scipy(
            ndinterp.rotate, ndimage.rotate, image, 33.0, axes, order=3, prefilter=True,
            chunks=(2, 6, 3, 4), rtol=1e-10,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["affine_transform", "shift", "zoom", "rotate"])
def test_empty_images(name):
    arguments = {"affine_transform": (np.eye(2), 0.0, (3, 2))}.get(name, (2.0,))
    image = np.ones((0, 3))
    assert_matches_scipy(
        getattr(ndinterp, name), getattr(ndimage, name), image, *arguments, order=1, cval=7.0
    )


def test_points_that_are_no_numbers():
    image = da.arange(12.0, chunks=4).reshape(4, 3)
    points = np.array([[np.nan, np.inf, -np.inf, 1e300, 1.0]] * 2)
    result = ndinterp.map_coordinates(image, points, order=1, cval=-1.0)
    assert_same(result, [-1.0, -1.0, -1.0, -1.0, 4.0])
    for mode in set(MODES) - {"constant"}:
        result = ndinterp.map_coordinates(image, points, order=1, mode=mode).compute()
        assert result[4] == 4.0


@pytest.mark.parametrize("dtype", ["i4", "?", "f4", ">f8"])
def test_coordinates_of_any_dtype(dtype):
    image = seeded_image((4, 5), "f8")
    points = np.array([[0, 1, 1, 0], [1, 1, 0, 0]]).astype(dtype)
    result = ndinterp.map_coordinates(da.from_array(image, chunks=2), points)
    assert_same(result, ndimage.map_coordinates(image, points), rtol=1e-12)


def test_dtypes_of_results():
    image = da.ones((4, 4), chunks=2, dtype="c8")
    assert ndinterp.shift(image, 1).dtype == "c8"
    assert ndinterp.shift(image, 1, output=np.float64).dtype == "c16"
    assert ndinterp.spline_filter(image).dtype == "c16"
    with pytest.raises(RuntimeError, match="output"):
        ndinterp.shift(image, 1, output="f4")
    with pytest.raises(RuntimeError, match="output"):
        ndinterp.shift(image.real, 1, output="c8")
    with pytest.raises(TypeError, match="output"):
        ndinterp.shift(image, 1, output=np.empty((4, 4)))


def recording(shape, chunks):
    """Return a lazy image and the list of its blocks that get computed."""
    seen = []

    def block(block_info=None):
        place = tuple(block_info[None]["chunk-location"])
        seen.append(place)
        return np.ones(block_info[None]["chunk-shape"])

    return da.map_blocks(block, chunks=da.core.normalize_chunks(chunks, shape), dtype=float), seen


def test_a_block_reads_its_footprint_alone():
    cases = [
        (lambda image: ndinterp.affine_transform(image, np.eye(2), order=0), 1),
        (lambda image: ndinterp.affine_transform(image, np.eye(2), 7.0, order=1), 4),
        (lambda image: ndinterp.shift(image, (0, 25), order=0, mode="grid-wrap"), 2),
        (lambda image: ndinterp.rotate(image, 90, order=0), 1),
        (lambda image: ndinterp.affine_transform(image, np.eye(2), 1e6), 0),
        (lambda image: ndinterp.geometric_transform(image, tilt, order=1, reach=3,
                                                    extra_arguments=(1.0, 2.0)), 4),
    ]  # fmt: skip
    for call, most in cases:
        image, seen = recording((200, 200), 20)
        call(image).blocks[0, 0].compute(scheduler="synchronous")
        assert len(seen) <= most


def test_no_output_block_is_larger_than_those_of_the_input():
    image = da.zeros((20_000, 20_000), chunks=2048, dtype="u1")
    with nothing_computes():
        for result in [
            ndinterp.rotate(image, 30),
            ndinterp.zoom(image, 3, order=1),
            ndinterp.zoom(image, 0.01, order=1),
            ndinterp.affine_transform(image, np.eye(2) * 0.5, output_shape=(40_000, 40_000)),
            ndinterp.affine_transform(image, [[1.0], [1.0]], output_shape=(20_000,)),
        ]:
            largest = np.prod([max(sizes) for sizes in result.chunks])
            assert largest <= 2048 * 2048
    assert ndinterp.rotate(image, 30, reshape=False).chunks == image.chunks


def test_shrinking_reads_a_few_blocks_at_a_time():
    image, seen = recording((400, 400), 20)
    ndinterp.zoom(image, 0.05, order=1).blocks[3, 3].compute(scheduler="synchronous")
    assert len(seen) <= 16


@pytest.mark.parametrize("chunks", [5, (3, 7), ((4, 6), (2, 8))])
def test_output_chunks(chunks):
    image = da.ones((10, 10), chunks=4)
    expected = da.core.normalize_chunks(chunks, (10, 10))
    assert ndinterp.affine_transform(image, np.eye(2), output_chunks=chunks).chunks == expected
    assert ndinterp.shift(image, 1, output_chunks=chunks).chunks == expected
    assert ndinterp.zoom(image, 1, output_chunks=chunks).chunks == expected
    assert ndinterp.rotate(image, 10, reshape=False, output_chunks=chunks).chunks == expected
    assert ndinterp.spline_filter(image, output_chunks=chunks).chunks == expected
    assert ndinterp.geometric_transform(image, tilt, output_chunks=chunks).chunks == expected


def test_names_tell_arguments_apart():
    image = da.ones((8, 8), chunks=4)
    points = np.ones((2, 3))
    with nothing_computes():
        results = [
            ndinterp.affine_transform(image, np.eye(2)),
            ndinterp.affine_transform(image, np.eye(2) * 1.001),
            ndinterp.affine_transform(image, np.eye(2), 0.25),
            ndinterp.affine_transform(image, np.eye(2), cval=1),
            ndinterp.affine_transform(image, np.eye(2), order=0),
            ndinterp.affine_transform(image, np.eye(2), mode="wrap"),
            ndinterp.affine_transform(image, np.eye(2), output="f4"),
            ndinterp.affine_transform(image, np.eye(2), order=3),
            ndinterp.affine_transform(image, np.eye(2), order=3, prefilter=False),
            ndinterp.shift(image, 0.25),
            ndinterp.shift(image, 0.5),
            ndinterp.zoom(image, 2),
            ndinterp.zoom(image, 2, mode="grid-wrap"),
            ndinterp.zoom(image, 2, mode="grid-wrap", grid_mode=True),
            ndinterp.rotate(image, 10),
            ndinterp.rotate(image, 10, reshape=False),
            ndinterp.rotate(image, 20),
            ndinterp.map_coordinates(image, points),
            ndinterp.map_coordinates(image, points * 2),
            ndinterp.map_coordinates(image, points, cval=1),
            ndinterp.map_coordinates(image, points, mode="wrap"),
            ndinterp.map_coordinates(image, points, order=1),
            ndinterp.map_coordinates(image, points, output="f4"),
            ndinterp.geometric_transform(image, tilt, extra_arguments=(1,)),
            ndinterp.geometric_transform(image, tilt, extra_arguments=(2,)),
            ndinterp.geometric_transform(image, tilt, extra_arguments=(2,), reach=3),
            ndinterp.geometric_transform(image, tilt, extra_arguments=(2,), reach=4),
            ndinterp.spline_filter(image),
            ndinterp.spline_filter(image, 2),
            ndinterp.spline_filter(image, mode="reflect"),
            ndinterp.spline_filter(image, output="f4"),
            ndinterp.spline_filter1d(image, axis=0),
            ndinterp.spline_filter1d(image, axis=1),
        ]
    assert len({result.name for result in results}) == len(results)


IMAGE = da.ones((4, 3), chunks=2)
EYE = np.eye(2)
BAD_CALLS = [
    (RuntimeError, "order", lambda: ndinterp.affine_transform(IMAGE, EYE, order=6)),
    (RuntimeError, "order", lambda: ndinterp.shift(IMAGE, 1, order=-1)),
    (TypeError, None, lambda: ndinterp.zoom(IMAGE, 2, order=2.5)),
    (TypeError, None, lambda: ndinterp.zoom(IMAGE, 2, order="a")),
    (RuntimeError, "order", lambda: ndinterp.spline_filter(IMAGE, 1)),
    (RuntimeError, "order", lambda: ndinterp.spline_filter1d(IMAGE, 6)),
    (RuntimeError, "mode", lambda: ndinterp.affine_transform(IMAGE, EYE, mode="bogus")),
    (RuntimeError, "mode", lambda: ndinterp.map_coordinates(IMAGE, [[1], [1]], mode="bogus")),
    (RuntimeError, "mode", lambda: ndinterp.spline_filter(IMAGE, mode="bogus")),
    (RuntimeError, "matrix", lambda: ndinterp.affine_transform(IMAGE, np.eye(4))),
    (RuntimeError, "matrix", lambda: ndinterp.affine_transform(IMAGE, [1, 2, 3])),
    (RuntimeError, "matrix", lambda: ndinterp.affine_transform(IMAGE, np.ones((2, 1)))),
    (RuntimeError, "matrix", lambda: ndinterp.affine_transform(IMAGE, 3.0)),
    (RuntimeError, "matrix", lambda: ndinterp.affine_transform(IMAGE, [1, 1], 0, (3, 2, 2))),
    (ValueError, "homogeneous", lambda: ndinterp.affine_transform(IMAGE, np.ones((3, 3)))),
    (RuntimeError, "offset", lambda: ndinterp.affine_transform(IMAGE, EYE, [1, 2, 3])),
    (TypeError, None, lambda: ndinterp.affine_transform(IMAGE, EYE, 1j)),
    (ValueError, "output_shape", lambda: ndinterp.affine_transform(IMAGE, EYE, 0, (-1, 2))),
    (TypeError, "cval", lambda: ndinterp.affine_transform(IMAGE, EYE, cval=1j)),
    (RuntimeError, "rank", lambda: ndinterp.shift(da.ones(()), 1)),
    (RuntimeError, "shift", lambda: ndinterp.shift(IMAGE, [1, 2, 3])),
    (RuntimeError, "zoom", lambda: ndinterp.zoom(IMAGE, [1, 2, 3])),
    (ValueError, "zoom", lambda: ndinterp.zoom(IMAGE, -1)),
    (ValueError, None, lambda: ndinterp.zoom(IMAGE, np.nan)),
    (ValueError, "input_arr", lambda: ndinterp.rotate(da.ones(3), 30)),
    (ValueError, "axes", lambda: ndinterp.rotate(IMAGE, 30, (0,))),
    (ValueError, "axes", lambda: ndinterp.rotate(IMAGE, 30, (0, 3))),
    (ValueError, "axes", lambda: ndinterp.rotate(IMAGE, 30, (0, 1.5))),
    (TypeError, None, lambda: ndinterp.rotate(IMAGE, "a")),
    (RuntimeError, "coordinates", lambda: ndinterp.map_coordinates(IMAGE, np.ones((3, 4)))),
    (RuntimeError, "rank", lambda: ndinterp.map_coordinates(IMAGE, np.ones(2))),
    (TypeError, "coordinates", lambda: ndinterp.map_coordinates(IMAGE, np.ones((2, 4)) + 0j)),
    (RuntimeError, "coordinates", lambda: ndinterp.map_coordinates(IMAGE, np.ones((2, 4), "f2"))),
    (RuntimeError, "float16", lambda: ndinterp.shift(IMAGE.astype("f2"), 1)),
    (RuntimeError, "mapping", lambda: ndinterp.geometric_transform(IMAGE, None)),
    (ValueError, "chunk", lambda: ndinterp.shift(IMAGE[IMAGE[:, 0] > 0], 1)),
]


@pytest.mark.parametrize("error, match, call", BAD_CALLS, ids=map(str, range(len(BAD_CALLS))))
def test_bad_arguments(error, match, call):
    with nothing_computes(), pytest.raises(error, match=match):
        call()


def test_mapping_must_be_python():
    low_level = LowLevelCallable(np.ctypeslib.ctypes.CFUNCTYPE(None)(operator.index))
    with pytest.raises(RuntimeError, match="mapping"):
        ndinterp.geometric_transform(IMAGE, low_level)


def test_any_scheduler():
    image = da.from_array(seeded_image((20, 20), "f8"), chunks=7)
    points = da.from_array(np.random.default_rng(0).uniform(-2, 22, (2, 50)), chunks=(2, 13))
    result = ndinterp.map_coordinates(image, points, prefilter=True)
    expected = result.compute(scheduler="synchronous")
    np.testing.assert_array_equal(result.compute(scheduler="processes", num_workers=1), expected)


def test_values_that_cannot_pad_an_integer_image_refused():
    image = da.from_array(np.arange(12, dtype="i2").reshape(3, 4), chunks=2)
    with pytest.raises(ValueError, match="NaN"):
        ndinterp.zoom(image, 2, order=3, mode="grid-constant", cval=np.nan)


FAR_POINTS = np.array([np.nan, np.inf, -np.inf, 1e18, -1e18, 1e19, -1e19, 1e300])


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["f8", "u1"])
def test_far_and_undefined_coordinates(dtype, order, mode):
    """They give cval, or in mode "nearest" the pixel at the edge, however they come about."""
    image = np.arange(30.0, 38.0).astype(dtype)
    expected = np.full(len(FAR_POINTS), 7, dtype)
    if mode == "nearest":
        known = ~np.isnan(FAR_POINTS)
        edges = ndimage.map_coordinates(image, [[-100, 100]], order=order, mode=mode)
        expected[known] = np.where(FAR_POINTS[known] > 0, edges[1], edges[0])
    lazy = da.from_array(image, chunks=3)
    keywords = {"order": order, "mode": mode, "cval": 7}
    result = ndinterp.map_coordinates(lazy, FAR_POINTS[np.newaxis], **keywords)
    assert_same(result, expected)
    for point, value in zip(FAR_POINTS, expected):
        row = np.full(8, value)
        assert_same(ndinterp.shift(lazy, -point, **keywords), row)
        for matrix in ([1.0], [[1.0]]):
            moved = ndinterp.affine_transform(lazy, matrix, point, **keywords)
            assert_same(moved, row)
        moved = ndinterp.geometric_transform(lazy, lambda at, x=point: (x,), **keywords)
        assert_same(moved, row)


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("mode", MODES)
def test_transforms_with_infinite_factors(mode):
    """Pixel 0 goes to NaN, all others to infinity; no block reads beyond what it has."""
    image = np.arange(1.0, 31.0).reshape(6, 5)
    row, column = np.mgrid[:6, :5]
    for factor in (np.inf, -np.inf):
        for slope in (0.0, 0.25):  # on a grid, and point by point
            result = ndinterp.affine_transform(
                da.from_array(image, chunks=(2, 3)), [[factor, 0.0], [slope, 1.0]], order=1,
                mode=mode, cval=7.0,
            )  # fmt: skip
            expected = np.full((6, 5), 7.0)
            if mode == "nearest":
                points = [np.sign(factor) * 1000.0 * row, slope * row + column]
                expected = ndimage.map_coordinates(image, points, order=1, mode=mode)
                expected[0] = 7
            assert_same(result, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", range(2, 6))
def test_constant_images_have_constant_coefficients(order, mode):
    for size in (*range(1, 26), 60):
        image = np.full(size, 1e8)
        for chunks in (2, -1):
            lazy = da.from_array(image, chunks=chunks)
            assert_same(ndinterp.spline_filter1d(lazy, order, mode=mode), image, rtol=1e-14)
        assert_same(ndinterp.spline_filter(lazy, order, mode=mode), image, rtol=1e-14)
        if ALL_MODES[mode].as_filter != "constant":
            moved = ndinterp.shift(lazy, 0.3, order, mode=mode)
            assert_same(moved, image, rtol=1e-14)


def saturated(values, dtype):
    """Return doubles as integers; what is beyond the largest is the largest, not wrapped round."""
    limits = np.iinfo(dtype)
    result = [int(min(max(float(value), limits.min), limits.max)) for value in values.flat]
    return np.array(result, dtype).reshape(values.shape)


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("dtype", "?bBhHiIlLqQ")
def test_integers_at_their_limits(dtype, order):
    dtype = np.dtype(dtype)
    low, high = (
        (0, 1) if dtype.kind == "b" else map(int, (np.iinfo(dtype).min, np.iinfo(dtype).max))
    )
    values = [low, high, high, low, low + 1, high - 1, low, high // 2 + 1]
    values = np.array(values, dtype=int if dtype.kind == "b" else dtype).astype(dtype)
    image = np.random.default_rng(5).permuted(np.tile(values, 7)).reshape(8, 7)
    points = np.random.default_rng(6).uniform(-1, 8, (2, 40))
    points[:, :12] = np.round(points[:, :12])
    calls = {
        # No point lies half way between pixels, where rounding would decide.
        "affine_transform": ([[0.9, 0.15], [-0.1, 1.05]], 0.317),
        "shift": ((1.0, -2.0),),
        "zoom": (1.7,),
        "map_coordinates": (points,),
    }
    for mode in ("constant", "mirror", "nearest"):
        keywords = {"order": order, "mode": mode}
        for name, arguments in calls.items():
            ours, scipys = getattr(ndinterp, name), getattr(ndimage, name)
            if dtype.itemsize < 8:
                assert_matches_scipy(ours, scipys, image, *arguments, chunks=3, **keywords)
                continue
            # SciPy lets what reaches 2**63 or 2**64 overflow.
            doubles = scipys(image, *arguments, output=float, **keywords)
            result = ours(da.from_array(image, chunks=3), *arguments, **keywords).compute()
            assert result.dtype == dtype
            if order == 0:
                np.testing.assert_array_equal(result, saturated(doubles, dtype))
            doubles = np.clip(doubles, low, high)
            np.testing.assert_allclose(result.astype(float), doubles, atol=1e-15 * high * 8)


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("dtype", "?bBhHiIlLqQ")
def test_coefficients_of_integers_at_their_limits(dtype, order):
    dtype = np.dtype(dtype)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    image = np.where(
        np.random.default_rng(5).random((8, 17)) < 0.5, dtype.type(low), dtype.type(high)
    )
    for mode in MODES:
        assert_matches_scipy(
            ndinterp.spline_filter, exact_spline_filter, image, order, np.float64, mode, chunks=3
        )


@pytest.mark.usefixtures("either_kernel")
def test_coordinates_of_unknown_length():
    image = seeded_image((9, 8), "f8")
    points = np.random.default_rng(3).uniform(0, 7, (2, 20))
    lazy_points = da.from_array(points, chunks=(1, 6))
    some = lazy_points[:, lazy_points[0] > 3]
    expected = ndimage.map_coordinates(image, points[:, points[0] > 3])
    with nothing_computes():
        result = ndinterp.map_coordinates(da.from_array(image, chunks=4), some)
    assert result.numblocks == some.numblocks[1:]
    assert np.isnan(result.shape).all()
    np.testing.assert_allclose(result.compute(), expected, rtol=1e-12)
    with nothing_computes():
        apart = ndinterp.map_coordinates(da.from_array(image, chunks=4), [some[0], some[1]])
    np.testing.assert_allclose(apart.compute(), expected, rtol=1e-12)
    nothing = ndinterp.map_coordinates(da.ones((0, 3)), some, cval=2.0)
    np.testing.assert_array_equal(nothing.compute(), np.full(len(expected), 2.0))
    with pytest.raises(ValueError, match="output_chunks"):
        ndinterp.map_coordinates(da.from_array(image, chunks=4), some, output_chunks=3)


def test_coordinates_of_all_labels():
    image = seeded_image((12, 10), "f8")
    labels, count = ndimage.label(image > 0.5)
    index = np.arange(1, count + 1)
    centres = ndmeasure.center_of_mass(
        da.ones((12, 10), chunks=5), da.from_array(labels, chunks=5), "all"
    )[0]
    expected = ndimage.center_of_mass(np.ones((12, 10)), labels, index)
    result = ndinterp.map_coordinates(da.from_array(image, chunks=5), centres.T)
    found = result.compute()
    assert len(found) == count
    np.testing.assert_allclose(
        np.sort(found), np.sort(ndimage.map_coordinates(image, np.transpose(expected))), rtol=1e-12
    )


def test_output_chunks_under_scipys_names():
    image = da.ones((8, 6), chunks=4)
    for result in (
        flat.affine_transform(image, EYE, output_chunks=3),
        flat.shift(image, 1, output_chunks=3),
        flat.zoom(image, 1.0, output_chunks=3),
        flat.zoom(image, (1.1, 1), output_chunks=3),
        flat.rotate(image, 30, output_chunks=3),
        flat.geometric_transform(image, tilt, extra_arguments=(1,), output_chunks=3),
        flat.map_coordinates(image, np.ones((2, 8, 6)), output_chunks=3),
        flat.spline_filter(image, output_chunks=3),
        flat.spline_filter1d(image, output_chunks=3),
    ):
        assert all(max(sizes) == 3 for sizes in result.chunks)


@pytest.mark.parametrize("zoom", [np.nan, np.inf, 1e300, -1])
def test_zoom_refuses_what_no_image_can_have(zoom):
    with pytest.raises(ValueError, match="zoom.* must "):
        ndinterp.zoom(IMAGE, (1, zoom))


def test_output_shape_may_be_made_of_whole_floats():
    result = ndinterp.affine_transform(IMAGE, EYE, output_shape=(3.0, np.float32(2)))
    assert result.shape == (3, 2)
    assert all(type(size) is int for size in result.shape)
    for shape, error in [((3.5, 2), ValueError), ((np.nan, 2), ValueError), (("3", 2), TypeError)]:
        with pytest.raises(error, match="output_shape must be made of whole numbers"):
            ndinterp.affine_transform(IMAGE, EYE, output_shape=shape)


def test_prefilter_is_the_default():
    image = seeded_image((8, 9), "f8")
    lazy = da.from_array(image, chunks=4)
    points = np.random.default_rng(0).uniform(0, 7, (2, 9))
    assert_same(
        ndinterp.affine_transform(lazy, [1.1, 0.9], order=3),
        ndimage.affine_transform(image, [1.1, 0.9], order=3),
    )
    assert_same(ndinterp.rotate(lazy, 20, order=3), ndimage.rotate(image, 20, order=3))
    assert_same(ndinterp.map_coordinates(lazy, points), ndimage.map_coordinates(image, points))


def test_importing_needs_no_numba():
    names = ("ndinterp", "ndfourier", "ndmorph")
    code = "; ".join([*(f"import dask_image.{name}" for name in names), "import sys"])
    code += "; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("mode", ["mirror", "reflect", "grid-wrap"])
@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(150,), (150, 33), (3, 150, 2), (90, 100, 3)])
def test_coefficients_are_scipys_to_the_last_bit(shape, order, mode):
    # Integers are rounded from them: a last place decides at halves.
    image = np.random.default_rng(order).integers(0, 255, shape, np.uint8)
    for axis in range(len(shape)):
        if mode == "reflect" and shape[axis] < 60:
            continue  # SciPy starts short lines wrongly
        expected = ndimage.spline_filter1d(image, order, axis, mode=mode)
        got = ndinterp.spline_filter1d(da.from_array(image, chunks=-1), order, axis, mode=mode)
        np.testing.assert_array_equal(got.compute(), expected)


@pytest.mark.parametrize("mode", ["constant", "wrap", "grid-wrap", "nearest", "reflect"])
def test_order_0_beyond_the_edge_by_less_than_half_a_pixel(either_kernel, mode):
    image = np.arange(12).reshape(3, 4)
    coordinates = np.array([[-0.3, 2.3, 1, 1, 2.4], [1, 1, -0.4, 3.4, 3.4]])
    expected = ndimage.map_coordinates(image, coordinates, order=0, mode=mode, cval=-1)
    got = ndinterp.map_coordinates(
        da.from_array(image, chunks=-1), coordinates, order=0, mode=mode, cval=-1
    )
    np.testing.assert_array_equal(got.compute(), expected)
