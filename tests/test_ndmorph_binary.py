"""Binary morphology on chunks against SciPy on the whole array."""

import dask.array as da
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy import ndimage

from dask_image import ndmorph
from tests.helpers import assert_matches_scipy, assert_same, nothing_computes, seeded_image

FUNCTIONS = ["binary_erosion", "binary_dilation", "binary_opening", "binary_closing"]
CROSS = ndimage.generate_binary_structure(2, 1)
STRUCTURES = {
    "cross": CROSS,
    "box": np.ones((3, 3), bool),
    "even": np.ones((2, 4), bool),
    "even with holes": np.array([[1, 0], [1, 1]], bool),
    "line": np.array([[1, 1, 1, 0, 1]], bool),
    "off centre": np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0]], bool),
    "one pixel": np.array([[1]], bool),
    "none": np.zeros((3, 3), bool),
    "wide": np.hypot(*np.indices((9, 9)) - 4) <= 4,
}
CHUNKS = [-1, 3, ((1, 5, 1, 4), (2, 1, 4))]


def compare(name, image, chunks, **kwargs):
    assert_matches_scipy(
        getattr(ndmorph, name), getattr(ndimage, name), image, chunks=chunks, **kwargs
    )


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_structures_and_chunks(name, structure, chunks):
    image = seeded_image((11, 7), "?")
    structure = STRUCTURES[structure]
    compare(name, image, chunks, structure=structure)
    compare(name, image, chunks, structure=structure, border_value=1, iterations=2)


@pytest.mark.parametrize("name", [*FUNCTIONS, "binary_hit_or_miss"])
def test_chunks_of_one_pixel(name):
    compare(name, seeded_image((5, 6), "?"), 1)


@pytest.mark.parametrize("chunks", CHUNKS[1:], ids=str)
@pytest.mark.parametrize("iterations", range(-1, 8))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_iterations(name, iterations, chunks):
    image = seeded_image((11, 7), "?", seed=iterations + 1) ^ ("erosion" in name)
    compare(name, image, chunks, iterations=iterations)
    mask = seeded_image(image.shape, "?", seed=1)
    compare(name, image, chunks, iterations=iterations, mask=mask, border_value=1)


@pytest.mark.parametrize("origin", [(0, 1), (-1, 0), (1, -1), -1])
@pytest.mark.parametrize("structure", ["cross", "box", "even", "even with holes"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_origins(name, structure, origin):
    structure = STRUCTURES[structure]
    if any(
        shift > (size - 1) // 2
        for shift, size in zip(np.broadcast_to(origin, 2), structure.shape, strict=True)
    ):
        origin = -1
    image = seeded_image((11, 7), "?")
    for iterations in (1, 3):
        compare(
            name,
            image,
            (4, 3),
            structure=structure,
            origin=origin,
            iterations=iterations,
            brute_force=True,
        )


@pytest.mark.parametrize("shape", [(11,), (1, 9), (9, 1), (5, 6, 7), (1, 1, 1), (3, 4, 2, 5)])
@pytest.mark.parametrize("name", [*FUNCTIONS, "binary_hit_or_miss"])
def test_dimensions(name, shape):
    image = seeded_image(shape, "?")
    compare(name, image, 2)
    if name in FUNCTIONS:
        compare(name, image, 3, structure=np.ones((2,) * len(shape)))
    compare(name, image, -1, axes=(len(shape) - 1,))


@pytest.mark.parametrize("axes", [(2, 0), (-1, 1), (0, 2)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_of_three_axes(name, axes):
    image = seeded_image((7, 5, 6), "?")
    structure = [[1, 0, 0], [1, 1, 1]]
    compare(name, image, (2, 3, 2), axes=axes, structure=structure, iterations=2)


@pytest.mark.parametrize("shape", [(0,), (4, 0), ()])
@pytest.mark.parametrize("name", [*FUNCTIONS, "binary_hit_or_miss"])
def test_empty_and_scalar(name, shape):
    compare(name, np.ones(shape, bool), -1)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", ">i4"])
@pytest.mark.parametrize("name", [*FUNCTIONS, "binary_hit_or_miss"])
def test_dtypes(name, dtype):
    compare(name, seeded_image((9, 8), "?").astype(dtype) * 3, 4)


@hypothesis.given(st.data())
def test_any_combination(data):
    shape = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    image = seeded_image(shape, "?", seed=data.draw(st.integers(0, 9)))
    sizes = [data.draw(st.integers(1, 4)) for _ in shape]
    structure = seeded_image(sizes, "?", seed=data.draw(st.integers(0, 9)))
    compare(
        data.draw(st.sampled_from(FUNCTIONS)),
        image,
        tuple(data.draw(st.integers((size + 2) // 3, size)) for size in shape),
        structure=structure,
        origin=[data.draw(st.integers(-(size // 2), (size - 1) // 2)) for size in sizes],
        iterations=data.draw(st.integers(1, 7)),
        mask=data.draw(st.sampled_from([None, seeded_image(shape, "?", seed=11)])),
        border_value=data.draw(st.integers(0, 1)),
        brute_force=True,  # SciPy's other way writes out of bounds where an origin is not 0
    )


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_hit_or_miss(chunks):
    image = seeded_image((11, 7), "?")
    compare("binary_hit_or_miss", image, chunks)
    corner = np.array([[0, 1, 0], [0, 1, 1], [0, 0, 0]])
    compare("binary_hit_or_miss", image, chunks, structure1=corner)
    compare(
        "binary_hit_or_miss", image, chunks,
        structure1=corner, structure2=np.ones((2, 5)), origin1=(1, 0), origin2=(0, -2),
    )  # fmt: skip
    compare("binary_hit_or_miss", image, chunks, structure1=[1, 0, 1], origin1=1, axes=0)


def test_mask_of_every_kind():
    image, mask = seeded_image((9, 8), "?"), seeded_image((9, 8), "?", seed=5)
    lazy = da.from_array(image, chunks=4)
    expected = ndimage.binary_dilation(image, mask=mask)
    for given in (mask, mask.astype("u1"), da.from_array(mask, chunks=(2, 8)), mask.tolist()):
        with nothing_computes():
            result = ndmorph.binary_dilation(lazy, mask=given)
        assert_same(result, expected)
    assert_same(ndmorph.binary_dilation(lazy, mask=True), ndimage.binary_dilation(image))
    assert_same(ndmorph.binary_dilation(lazy, mask=False), image)


@pytest.mark.parametrize("name", [*FUNCTIONS, "binary_hit_or_miss"])
@pytest.mark.parametrize("wrap_axes", [0, 1, (0, 1)])
def test_periodic_axes(name, wrap_axes):
    image = seeded_image((7, 6), "?")
    reach = 12
    widths = [(reach, reach) if axis in np.atleast_1d(wrap_axes) else (0, 0) for axis in (0, 1)]
    inside = tuple(slice(low, low + size) for (low, _), size in zip(widths, image.shape))
    cases = [{}] if "hit" in name else [{}, {"iterations": 4}, {"border_value": 1}]
    for kwargs in cases:
        expected = getattr(ndimage, name)(np.pad(image, widths, mode="wrap"), **kwargs)[inside]
        for chunks in (3, ((1, 6), (4, 2))):
            lazy = da.from_array(image, chunks=chunks)
            with nothing_computes():
                result = getattr(ndmorph, name)(lazy, wrap_axes=wrap_axes, **kwargs)
            assert result.chunks == lazy.chunks
            assert_same(result, expected)


def test_periodic_axes_with_mask():
    image, mask = seeded_image((7, 6), "?"), seeded_image((7, 6), "?", seed=3)
    widths = [(0, 0), (12, 12)]
    expected = ndimage.binary_dilation(
        np.pad(image, widths, mode="wrap"), mask=np.pad(mask, widths, mode="wrap"), iterations=3
    )[:, 12:18]
    result = ndmorph.binary_dilation(
        da.from_array(image, chunks=2), mask=mask, iterations=3, wrap_axes=-1
    )
    assert_same(result, expected)


def test_iterations_share_halos():
    image = da.zeros((4096, 4096), chunks=512, dtype=bool)
    once = ndmorph.binary_erosion(image)
    many = ndmorph.binary_erosion(image, iterations=10)
    assert len(many.__dask_graph__()) == len(once.__dask_graph__())
    both = ndmorph.binary_opening(image, iterations=3)
    assert len(both.__dask_graph__()) == len(once.__dask_graph__())
    tiny = da.zeros((64, 64), chunks=4, dtype=bool)
    layers = ndmorph.binary_dilation(tiny, iterations=12).__dask_graph__().layers
    assert len(layers) <= 1 + 12 / 2


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"structure": np.ones(3)}, RuntimeError, "structure must have one axis"),
        ({"structure": np.ones((0, 3))}, RuntimeError, "structure must not be empty"),
        ({"iterations": 1.5}, TypeError, "iterations must be an integer"),
        ({"mask": np.ones((2, 2), bool)}, RuntimeError, "mask must have the shape"),
        ({"origin": 2}, ValueError, "origin must lie in"),
        ({"origin": (0, 0, 0)}, RuntimeError, "origin must be one value or one for each"),
        ({"axes": 5}, ValueError, "axes is wrong"),
        ({"axes": (0, 0)}, ValueError, "axes must be unique"),
        ({"output": np.zeros((4, 4))}, TypeError, "output must be a dtype"),
        ({"wrap_axes": 3}, ValueError, "axes is wrong"),
    ],
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bad_arguments(name, kwargs, error, message):
    with pytest.raises(error, match=message):
        getattr(ndmorph, name)(da.zeros((4, 4), chunks=2), **kwargs)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_complex_images_are_refused(name):
    with pytest.raises(TypeError, match="Complex"):
        getattr(ndmorph, name)(da.zeros((4, 4), chunks=2, dtype=complex))


def test_structures_are_those_of_scipy():
    for connectivity in (1, 2, 3):
        structure = ndmorph.generate_binary_structure(3, connectivity)
        np.testing.assert_array_equal(structure, ndimage.generate_binary_structure(3, connectivity))
        np.testing.assert_array_equal(
            ndmorph.iterate_structure(structure, 3), ndimage.iterate_structure(structure, 3)
        )
    found, origin = ndmorph.iterate_structure(CROSS, 2, origin=1)
    assert found.shape == (5, 5)
    assert origin == [2, 2]
