"""What SciPy's tutorial of ndimage teaches runs with only the import changed."""

import dask
import numpy as np
import pytest
from scipy import ndimage as scipy_ndimage

import dask_image.ndimage as dask_ndimage

SQUARES = np.zeros((6, 6), dtype=int)
SQUARES[2:4, 2:4] = 1
SQUARES[4, 4] = 1
SQUARES[:2, :3] = 2
SQUARES[0, 5] = 3
RAMP = np.arange(12.0).reshape(4, 3)
STRUCTURE = scipy_ndimage.generate_binary_structure(2, 1)


def one_dimension(ndi):
    values = [0, 0, 0, 1, 0, 0, 0]
    yield ndi.correlate1d(values, [1, 1, 1])
    yield ndi.correlate1d(values, [1, 1, 1], origin=-1)
    yield ndi.correlate1d(values, [-1, 1])
    yield ndi.correlate1d(values, [-1, 1], origin=-1)
    yield ndi.correlate1d([0.0, 0, 1, 0, 0], [0, -1, 1], output=np.float32)
    yield ndi.convolve([[0, 1, 0]], [[1, 2, 3]], mode="constant", cval=1.0)


def smoothing_and_ranks(ndi):
    yield ndi.gaussian_filter(RAMP, [1, 0.5], order=[0, 1])
    yield ndi.uniform_filter(RAMP, 3, mode=["wrap", "nearest"])
    yield ndi.minimum_filter(RAMP, footprint=[[0, 1], [1, 1]], origin=[0, -1])
    yield ndi.percentile_filter(RAMP, 25, (2, 2))
    yield ndi.rank_filter(RAMP, -1, size=2)


def second_derivatives(ndi):
    image = np.zeros((5, 5))
    image[2, 2] = 1

    def second(input, axis, output, mode, cval):
        return ndi.correlate1d(input, [1, -2, 1], axis, output, mode, cval, 0)

    def weighted(input, axis, output, mode, cval, weights):
        return ndi.correlate1d(input, weights, axis, output, mode, cval, 0)

    yield ndi.generic_laplace(image, second)
    yield ndi.generic_laplace(image, weighted, extra_arguments=([1, -2, 1],))
    yield ndi.generic_laplace(image, weighted, extra_keywords={"weights": [1, -2, 1]})
    yield ndi.generic_gradient_magnitude(image, ndi.sobel)
    yield ndi.gaussian_gradient_magnitude(image, 1.0)


def filters_of_the_user(ndi):
    def difference(line, result):
        result[...] = line[:-2] + 2 * line[1:-1] + 3 * line[2:]

    def scaled(line, result, first, second):
        result[...] = first * line[:-1] + second * line[1:]

    def weigh(values, weights):
        return (values * weights).sum()

    yield ndi.generic_filter1d(RAMP, difference, 3)
    yield ndi.generic_filter1d(RAMP, scaled, 2, extra_arguments=(1,), extra_keywords={"second": 3})
    yield ndi.generic_filter(RAMP, weigh, footprint=[[1, 0], [0, 1]], extra_arguments=([1.0, 3],))


def fourier(ndi):
    spectrum = np.fft.fft2(RAMP)
    yield ndi.fourier_gaussian(spectrum, sigma=1)
    yield ndi.fourier_shift(spectrum, 1.5)
    yield ndi.fourier_uniform(spectrum, 2)
    yield ndi.fourier_ellipsoid(spectrum, 2)


def transforms(ndi):
    def shifted(position):
        return position[0] - 0.5, position[1] - 0.5

    def by(position, rows, columns):
        return position[0] - rows, position[1] - columns

    yield ndi.geometric_transform(RAMP, shifted)
    yield ndi.geometric_transform(
        RAMP, by, extra_arguments=(0.5,), extra_keywords={"columns": 0.25}
    )
    yield ndi.map_coordinates(RAMP, [[0.5, 2], [0.5, 1]])
    yield ndi.affine_transform(RAMP, [[2, 0.5], [0.5, 2]], 0.5, output=np.float32)
    yield ndi.shift(RAMP, 0.5, mode="nearest")
    yield ndi.zoom(RAMP, 1.5, order=1)
    yield ndi.rotate(RAMP, 20)


def binary_morphology(ndi):
    yield ndi.iterate_structure(STRUCTURE, 2)
    image = np.zeros((5, 6))
    image[2, 3] = 1
    mask = np.array([[0, 1, 0, 0, 0, 1]] * 5)
    yield ndi.binary_dilation(image, STRUCTURE, 2)
    yield ndi.binary_dilation(np.zeros((5, 6)), STRUCTURE, -1, mask, border_value=1)
    yield ndi.binary_erosion(mask, STRUCTURE)
    yield ndi.binary_hit_or_miss(mask, [[1]], [[0]])
    yield ndi.binary_propagation(image, STRUCTURE, image + mask)
    yield ndi.binary_fill_holes(mask, STRUCTURE)


def grey_morphology(ndi):
    yield ndi.grey_erosion(RAMP, (2, 3))
    yield ndi.grey_dilation(RAMP, structure=[[0, 1], [1, 0]], footprint=[[1, 1], [1, 0]])
    yield ndi.white_tophat(RAMP, 3)
    yield ndi.morphological_gradient(RAMP, 3)


def distances(ndi):
    image = np.array([[0, 1, 1, 1, 1], [0, 0, 1, 1, 1], [0, 1, 1, 1, 1], [0, 1, 1, 1, 0]])
    yield ndi.distance_transform_edt(image)
    yield ndi.distance_transform_edt(image, sampling=[2, 1])
    yield ndi.distance_transform_cdt(image, "taxicab")
    yield ndi.distance_transform_bf(image, metric="chessboard")


def segmentation(ndi):
    mask = np.array(
        [[0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 0]]
    )
    labels, count = ndi.label(mask)
    yield from (labels, count)
    yield ndi.label(mask, [[1, 1, 1], [1, 1, 1], [1, 1, 1]])[0]
    image = np.arange(24).reshape(4, 6)
    yield ndi.sum_labels(image, labels, [0, 2])
    yield ndi.mean(image, labels, range(1, count + 1))
    yield ndi.maximum(image, labels, [1, 2])
    yield ndi.center_of_mass(image, labels, [1, 2])
    yield from ndi.extrema(image, labels, [1, 2])
    yield ndi.histogram(image, 0, 24, 4, labels, 1)


@pytest.mark.parametrize(
    "lesson",
    [
        one_dimension, smoothing_and_ranks, second_derivatives, filters_of_the_user, fourier,
        transforms, binary_morphology, grey_morphology, distances, segmentation,
    ],
)  # fmt: skip
def test_lesson(lesson):
    ours, theirs = list(lesson(dask_ndimage)), list(lesson(scipy_ndimage))
    assert len(ours) == len(theirs)
    for own, other in zip(dask.compute(*ours), theirs):
        np.testing.assert_allclose(own, np.asarray(other), rtol=1e-10, atol=1e-12)


def test_objects_are_found_lazily():
    objects = dask_ndimage.find_objects(SQUARES)
    expected = scipy_ndimage.find_objects(SQUARES)
    assert objects.compute() == expected
    assert objects[0].compute() == expected[0]
    assert dask_ndimage.find_objects(SQUARES, max_label=2).compute() == expected[:2]
