"""Propagation through a mask, and filling of holes."""

import contextlib
import warnings

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from dask_image.ndmorph import (
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    binary_propagation,
)
from tests.helpers import assert_matches_scipy, assert_same, nothing_computes, seeded_image
from tests.test_ndmeasure_label import SHAPES_AND_CHUNKS, spiral

CROSS = ndimage.generate_binary_structure(2, 1)
TO_THE_RIGHT = np.array([[0, 0, 0], [1, 1, 0], [0, 0, 0]], bool)


def seeds_and_mask(shape, seed=0):
    random = np.random.default_rng(seed)
    return random.random(shape) < 0.08, random.random(shape) < 0.6


def warns_unless_symmetric(structure, origin=0):
    """Expect the warning where steps lead one way."""
    if structure is None:
        return contextlib.nullcontext()
    reversed_too = np.array_equal(structure, np.flip(structure)) and not np.any(origin)
    if reversed_too and all(size % 2 for size in np.shape(structure)):
        return contextlib.nullcontext()
    return pytest.warns(da.PerformanceWarning, match="structure")


@pytest.mark.parametrize(("shape", "chunks"), SHAPES_AND_CHUNKS)
@pytest.mark.parametrize("border_value", [0, 1])
def test_propagation_agrees_with_scipy(shape, chunks, border_value, either_kernel):
    seeds, mask = seeds_and_mask(shape)
    for each in (mask, None):
        assert_matches_scipy(
            binary_propagation,
            ndimage.binary_propagation,
            seeds,
            chunks=chunks,
            mask=each,
            border_value=border_value,
        )


@pytest.mark.parametrize(("shape", "chunks"), SHAPES_AND_CHUNKS)
@pytest.mark.parametrize("density", [0.0, 0.5, 0.65, 1.0])
def test_fill_holes_agrees_with_scipy(shape, chunks, density, either_kernel):
    image = np.random.default_rng(0).random(shape) < density
    assert_matches_scipy(binary_fill_holes, ndimage.binary_fill_holes, image, chunks=chunks)


@pytest.mark.parametrize("value", [0, 1])
def test_images_without_axes(value):
    image = np.array(value)
    assert_same(binary_fill_holes(image), ndimage.binary_fill_holes(image))
    for border_value in (0, 1):
        assert_same(
            binary_propagation(image, border_value=border_value),
            ndimage.binary_propagation(image, border_value=border_value),
        )


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8", ">f4"])
def test_any_real_dtype(dtype):
    image = (seeded_image((9, 11), bool) * 3).astype(dtype)
    mask = (seeded_image((9, 11), bool, seed=1) * 2).astype(dtype)
    assert_same(binary_fill_holes(image), ndimage.binary_fill_holes(image))
    assert_same(
        binary_propagation(da.from_array(image, chunks=4), mask=mask),
        ndimage.binary_propagation(image.astype(bool), mask=mask.astype(bool)),
    )


def test_images_read_again(set_option):
    set_option("label.memory", 0)
    seeds, mask = seeds_and_mask((9, 11))
    assert_matches_scipy(binary_propagation, ndimage.binary_propagation, seeds, chunks=4, mask=mask)
    assert_matches_scipy(binary_fill_holes, ndimage.binary_fill_holes, mask, chunks=4)


@pytest.mark.parametrize("mask_chunks", [-1, 2, (5, 1)])
def test_mask_of_other_chunks(mask_chunks):
    seeds, mask = seeds_and_mask((9, 11))
    lazy = binary_propagation(
        da.from_array(seeds, chunks=4), mask=da.from_array(mask, chunks=mask_chunks)
    )
    assert_same(lazy, ndimage.binary_propagation(seeds, mask=mask))


@pytest.mark.parametrize(
    "structure",
    [
        np.ones((3, 3)),
        np.ones((5, 3)),
        np.ones((1, 7)),
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
        [[0, 0, 1], [0, 1, 0], [1, 0, 0]],
        [[1]],
        np.ones((2, 2)),
        np.ones((4, 3)),
        [[1, 1, 0], [0, 1, 0], [0, 0, 0]],
        TO_THE_RIGHT,
    ],
)
@pytest.mark.parametrize("chunks", [3, (1, 2), -1])
def test_any_structure(structure, chunks, either_kernel):
    seeds, mask = seeds_and_mask((9, 11))
    lazy = da.from_array(seeds, chunks=chunks)
    for border_value in (0, 1):
        with warns_unless_symmetric(structure), nothing_computes():
            propagated = binary_propagation(lazy, structure, mask, border_value)
        assert_same(
            propagated, ndimage.binary_propagation(seeds, structure, mask, None, border_value)
        )
    with warns_unless_symmetric(structure), nothing_computes():
        filled = binary_fill_holes(da.from_array(mask, chunks=chunks), structure)
    assert_same(filled, ndimage.binary_fill_holes(mask, structure))


def test_structure_without_its_middle_goes_to_scipy_whole():
    structure = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]], bool)
    seeds, mask = seeds_and_mask((9, 11))
    with pytest.warns(da.PerformanceWarning, match="middle"):
        lazy = binary_propagation(da.from_array(seeds, chunks=4), structure, mask)
    assert_same(lazy, ndimage.binary_propagation(seeds, structure, mask))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_structures_with_origins(data):
    ndim = data.draw(st.integers(1, 3))
    random = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    axes = sorted(data.draw(st.sets(st.integers(0, ndim - 1), min_size=1)))
    size = random.integers(1, 5, len(axes))
    origin = [int(random.integers(-(each // 2), (each - 1) // 2 + 1)) for each in size]
    structure = random.random(size) < 0.5
    structure[tuple(each // 2 + along for each, along in zip(size, origin))] = True
    shape, chunks = (8, 9, 5)[:ndim], tuple(random.integers(1, 6, ndim).tolist())
    seeds, mask = seeds_and_mask(shape, int(random.integers(100)))
    border_value = int(random.integers(2))
    for ours, scipys in [
        (binary_dilation, ndimage.binary_dilation),
        (binary_erosion, ndimage.binary_erosion),
    ]:
        image = seeds if ours is binary_dilation else ~seeds
        # Brute force, for SciPy 1.17 writes outside of its memory without it.
        expected = scipys(
            image, structure, -1, mask, None, border_value, origin, brute_force=True, axes=axes
        )
        lazy = da.from_array(image, chunks=chunks)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", da.PerformanceWarning)
            result = ours(lazy, structure, -1, mask, border_value, origin, axes=axes)
        assert result.chunks == lazy.chunks
        assert_same(result, expected)


@pytest.mark.parametrize("iterations", [0, -1])
@pytest.mark.parametrize("border_value", [0, 1])
def test_erosion_and_dilation_until_nothing_changes(iterations, border_value):
    seeds, mask = seeds_and_mask((9, 11))
    for ours, scipys, image in [
        (binary_dilation, ndimage.binary_dilation, seeds),
        (binary_erosion, ndimage.binary_erosion, ~seeds),
    ]:
        assert_matches_scipy(
            ours,
            scipys,
            image,
            chunks=(4, 3),
            iterations=iterations,
            mask=mask,
            border_value=border_value,
        )


def test_planes_are_filled_one_by_one():
    image = np.random.default_rng(0).random((4, 9, 11)) < 0.5
    assert_matches_scipy(
        binary_fill_holes, ndimage.binary_fill_holes, image, chunks=(2, 4, 4), axes=(1, 2)
    )


def tiled(function, image, repeats=5):
    """Compute a periodic result as the middle of many repetitions, far from any border."""
    rows, columns = image.shape
    result = function(np.tile(image, (repeats, repeats)))
    middle = repeats // 2
    return result[middle * rows : (middle + 1) * rows, middle * columns : (middle + 1) * columns]


@pytest.mark.parametrize("structure", [None, np.ones((3, 3)), np.ones((5, 5)), TO_THE_RIGHT])
@pytest.mark.parametrize("chunks", [-1, 3, (1, 4)])
def test_periodic_axes(structure, chunks):
    seeds, mask = seeds_and_mask((5, 7), seed=3)
    expected = tiled(
        lambda both: ndimage.binary_propagation(both & 1 > 0, structure, both & 2 > 0),
        seeds + 2 * mask,
        repeats=9,
    )
    lazy = da.from_array(seeds, chunks=chunks)
    with warns_unless_symmetric(structure):
        propagated = binary_propagation(lazy, structure, mask, wrap_axes=(0, 1))
    assert_same(propagated, expected)


def test_holes_across_periodic_axes():
    image = np.array([[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
    lazy = da.from_array(image, chunks=2)
    # A ring around the globe: the top has a border still, but not on its sides.
    assert_same(
        binary_fill_holes(lazy, wrap_axes=1),
        np.array([[0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool),
    )
    assert binary_fill_holes(lazy, wrap_axes=(0, 1)).all().compute()


@pytest.mark.parametrize("structure", [CROSS, [[0, 1, 0], [1, 1, 0], [0, 1, 0]]])
def test_a_spiral_through_every_block(structure):
    way = spiral(37)
    seed = np.zeros_like(way)
    seed[0, 0] = True
    with warns_unless_symmetric(structure):
        lazy = binary_propagation(da.from_array(seed, chunks=8), structure, way)
    assert_same(lazy, ndimage.binary_propagation(seed, structure, way))
    assert_same(binary_fill_holes(da.from_array(~way, chunks=8)), ndimage.binary_fill_holes(~way))


def test_tasks_grow_with_blocks_and_not_with_the_way():
    counts = {}
    for blocks in (4, 8):
        image = da.from_array(np.ones((8 * blocks, 8 * blocks), bool), chunks=8)
        filled = binary_fill_holes(image)
        counts[blocks] = len(filled.dask) / image.npartitions
    assert counts[8] <= counts[4] <= 12


def test_names_tell_arguments_apart():
    image = da.zeros((6, 6), chunks=3, dtype=bool)
    other = da.ones((6, 6), chunks=3, dtype=bool)
    results = [
        binary_propagation(image),
        binary_propagation(other),
        binary_propagation(image, mask=other),
        binary_propagation(other, mask=image),
        binary_propagation(image, np.ones((3, 3))),
        binary_propagation(image, border_value=1),
        binary_propagation(image, wrap_axes=0),
        binary_fill_holes(image),
        binary_fill_holes(image, np.ones((3, 3))),
        binary_fill_holes(image, axes=0),
        binary_erosion(image, iterations=-1),
    ]
    assert len({result.name for result in results}) == len(results)
    assert binary_fill_holes(image).name == binary_fill_holes(image).name


@pytest.mark.parametrize("function", [binary_propagation, binary_fill_holes])
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (dict(structure=np.ones(3)), RuntimeError, "structure"),
        (dict(structure=np.ones((0, 3))), RuntimeError, "structure must not be empty"),
        (dict(origin=(0, 0, 0)), RuntimeError, "origin"),
        (dict(origin=2), ValueError, "origin"),
        (dict(axes=(0, 0)), ValueError, "axes"),
        (dict(axes=5), ValueError, "axes"),
        (dict(wrap_axes=5), ValueError, "wrap_axes|axes"),
        (dict(output=np.zeros((4, 4))), TypeError, "output"),
    ],
)
def test_bad_arguments(function, arguments, error, match):
    with pytest.raises(error, match=match):
        function(da.zeros((4, 4), chunks=2, dtype=bool), **arguments)


def test_bad_arguments_of_propagation():
    image = da.zeros((4, 4), chunks=2, dtype=bool)
    with pytest.raises(RuntimeError, match="mask"):
        binary_propagation(image, mask=np.ones(4))
    with pytest.raises(TypeError, match="border_value"):
        binary_propagation(image, border_value=0.5)
    with pytest.raises(TypeError, match="complex"):
        binary_propagation(image.astype(complex))
    with pytest.raises(NotImplementedError, match="wrap_axes"):
        binary_propagation(image, [[0, 0, 0], [0, 0, 1], [0, 0, 0]], wrap_axes=0)
