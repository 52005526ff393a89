"""Grey and binary morphology against SciPy, at every edge of what the kernels take."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from dask_image._kernels.blocks import bits
from dask_image._kernels.stand_ins import binary, stand_in
from tests.helpers import plain_kernels, seeded_image
from tests.test_kernels_order import MODES, any_kernel, check, disk, origins_of

__all__ = ["any_kernel"]  # a fixture

GREY = [
    ndimage.grey_erosion,
    ndimage.grey_dilation,
    ndimage.grey_opening,
    ndimage.grey_closing,
    ndimage.morphological_gradient,
    ndimage.morphological_laplace,
    ndimage.white_tophat,
    ndimage.black_tophat,
]
BINARY = [
    ndimage.binary_erosion,
    ndimage.binary_dilation,
    ndimage.binary_opening,
    ndimage.binary_closing,
]


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u8", "f4"])
@pytest.mark.parametrize("function", GREY, ids=lambda function: function.__name__)
@pytest.mark.usefixtures("any_kernel")
def test_grey_of_all_modes(function, dtype):
    if dtype == "?" and function.__name__.startswith("morphological"):
        dtype = "i1"  # SciPy has no difference of booleans
    for seed, mode in enumerate(MODES):
        shape = [(9,), (7, 8), (1, 5), (4, 5, 6)][seed % 4]
        image = seeded_image(shape, dtype, seed)
        lengths = [2 + (seed + axis) % 4 for axis in range(len(shape))]
        boundary = {"mode": mode, "cval": 1, "origin": origins_of(lengths, seed)}
        check(function, image, lengths, **boundary)
        footprint = np.random.default_rng(seed).random(lengths) < 0.6
        footprint.flat[seed % footprint.size] = True
        check(function, image, footprint=footprint, **boundary)


@pytest.mark.parametrize("function", GREY, ids=lambda function: function.__name__)
@pytest.mark.usefixtures("any_kernel")
def test_grey_where_values_are_special(function):
    image = seeded_image((9, 12), "f8")
    image[4, 4] = np.nan
    check(function, image, 3)
    limits = np.iinfo("u8")
    image = np.random.default_rng(0).choice(
        np.array([0, 5, 2**53 + 1, limits.max - 1, limits.max], "u8"), (9, 12)
    )
    check(function, image, 3)
    check(function, image, footprint=[[0, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize("size", [0, 1, 5, 7, 8, 9, 63, 64, 65, 130])
@pytest.mark.usefixtures("any_kernel")
def test_binary_of_all_widths(size):
    """Rows that end anywhere in a byte or a word."""
    if size == 0:
        image = np.zeros((3, 0), bool)
        assert stand_in(ndimage.binary_dilation)(image).shape == (3, 0)
        return
    image = np.random.default_rng(size).random((9, size)) < 0.6
    for function, border in itertools.product(BINARY, [0, 1]):
        check(function, image, iterations=2, border_value=border)
        check(function, image[0], iterations=3, border_value=border)
        check(function, image, structure=np.ones((3, 4)), border_value=border)


STRUCTURES = [
    np.ones((1, 1)),
    np.ones((2, 2)),
    np.ones((3, 9)),
    np.ones((1, 70)),
    np.ones((15, 1)),
    disk(4),
    np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1]]),
    np.array([[0, 1], [0, 0]]),
    np.random.default_rng(0).random((5, 200)) < 0.1,
]


@pytest.mark.parametrize("number", range(len(STRUCTURES)))
@pytest.mark.parametrize("border", [0, 1])
@pytest.mark.usefixtures("any_kernel")
def test_binary_of_any_structure(number, border):
    structure = STRUCTURES[number]
    image = np.random.default_rng(number).random((20, 150)) < 0.7
    mask = np.random.default_rng(1).random(image.shape) < 0.8
    for function, iterations in itertools.product(BINARY, [1, 3]):
        # SciPy's other way to iterate writes out of bounds for long structures and origins.
        arguments = {"iterations": iterations, "border_value": border, "brute_force": True}
        check(function, image, structure, **arguments)
        check(function, image, structure, mask=mask, **arguments)
        check(function, image, structure, origin=origins_of(structure.shape, 1), **arguments)


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8"])
@pytest.mark.usefixtures("any_kernel")
def test_binary_of_numbers_and_axes(dtype):
    image = seeded_image((4, 5, 6, 7), dtype) * (seeded_image((4, 5, 6, 7), "?", 1))
    structure = np.random.default_rng(0).random((3, 2, 3, 3)) < 0.4
    for function in BINARY:
        check(function, image)
        check(function, image, structure, mask=image > 1)
        check(function, image, axes=(1, 3), iterations=2)
        check(function, image.transpose(3, 1, 0, 2), border_value=1)
    check(ndimage.binary_hit_or_miss, image)
    check(ndimage.binary_hit_or_miss, image, np.ones(4 * [2], bool), origin1=-1)
    check(ndimage.binary_hit_or_miss, image, structure, ~structure)
    check(ndimage.binary_hit_or_miss, image, axes=(0, 2))


@pytest.mark.parametrize("border", [0, 1])
@pytest.mark.usefixtures("any_kernel")
def test_binary_until_nothing_changes(border):
    image = np.random.default_rng(0).random((15, 70)) < 0.05
    mask = np.random.default_rng(1).random((15, 70)) < 0.7
    for function in BINARY:
        check(function, image, iterations=0, mask=mask, border_value=border)
        check(function, image, np.ones((3, 5)), iterations=-1, mask=mask)


def test_more_iterations_than_pixels():
    """SciPy writes out of bounds where the structure is longer than the image."""
    image = np.zeros(16, bool)
    image[3] = True
    assert stand_in(ndimage.binary_dilation)(image, np.ones(21), iterations=2).all()
    found = stand_in(ndimage.binary_erosion)(image, np.ones(21), iterations=2, border_value=1)
    assert not found.any()


def test_bits_of_one_image_are_not_those_of_the_next():
    """The words are memory that is used again."""
    for seed, shape in enumerate([(30, 100), (3, 5), (30, 100), (8, 64), (2, 3, 4)]):
        image = np.random.default_rng(seed).random(shape) < 0.5
        for border in (1, 0):
            check(ndimage.binary_closing, image, iterations=2, border_value=border)


def test_steps_of_boxes_double():
    plan = binary._plan((64, 64), None, (((30, 30), bytes([1]) * 900, (0, 0)),))
    assert len(plan.steps[0]) == 10


@pytest.mark.parametrize("length", [1, 63, 64, 65, 130, 500])
def test_packed_lines_are_the_same_by_numpy(length):
    mask = np.random.default_rng(0).random((5, 2 * length))[:, :length] < 0.4
    found = bits.pack_lines(mask)
    with plain_kernels():
        np.testing.assert_array_equal(found, bits.pack_lines(mask))
    np.testing.assert_array_equal(bits.unpack_lines(found, mask.shape), mask)
