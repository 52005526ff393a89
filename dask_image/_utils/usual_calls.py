"""
Two usual calls of every public function, on any image.

`dask_image.warm_up` makes them so that kernels are compiled, ``benchmarks/slower.py`` to
see what SciPy does faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from dask_image._utils.typing import NDArray

DTYPES = ("uint8", "uint16", "int32", "float32", "float64")
"""The usual dtypes of images."""


@dataclass(frozen=True)
class UsualCall:
    """
    A call of a public function.

    Attributes
    ----------
    name : str
        Of a function of `scipy.ndimage`, or of a module of this package and a function there.
    arrays : tuple of numpy.ndarray
        The first arguments, which may become Dask arrays.
    keywords : dict
        The others; arrays of the image's shape among them may become Dask arrays, too.
    """

    name: str
    arrays: tuple[NDArray, ...]
    keywords: dict[str, Any]


Calls = Iterator[UsualCall]


def usual_calls(image: NDArray) -> Calls:
    """
    Yield two calls of every function that mirrors one of SciPy's and works by itself.

    Parameters
    ----------
    image : numpy.ndarray
        Of two axes or more. It, or a mask or labels of its shape, is the argument.
    """
    for calls in (_filters, _ranks, _binary, _distances, _statistics, _interpolation, _fourier):
        yield from calls(image)


def calls_of_functions(image: NDArray) -> Calls:
    """
    Yield two calls of every function that calls a function of the user's.

    Parameters
    ----------
    image : numpy.ndarray
        Of two axes or more.
    """
    yield from _each("generic_filter", (image,), dict(function=np.max, size=3),
                     dict(function=np.sum, size=5))  # fmt: skip
    yield from _each("generic_filter1d", (image,), dict(function=_double_line, filter_size=3),
                     dict(function=_double_line, filter_size=3, axis=0))  # fmt: skip
    yield from _each("generic_laplace", (image,), dict(derivative2=_difference),
                     dict(derivative2=_difference, mode="wrap"))  # fmt: skip
    yield from _each("generic_gradient_magnitude", (image,), dict(derivative=_difference),
                     dict(derivative=_difference, mode="wrap"))  # fmt: skip
    if hasattr(ndimage, "vectorized_filter"):  # new in SciPy 1.16
        yield from _each("vectorized_filter", (image,), dict(function=np.mean, size=3),
                         dict(function=np.max, size=5))  # fmt: skip
    yield from _each("geometric_transform", (image,), dict(mapping=_halved, order=1),
                     dict(mapping=_halved, order=3))  # fmt: skip
    labels, index = _labels(image)
    measured = dict(func=np.mean, out_dtype=float, default=0.0)
    yield from _each("labeled_comprehension", (image, labels), dict(index=index, **measured),
                     dict(index=index[:3], **measured))  # fmt: skip


def calls_beyond_scipy(image: NDArray) -> Calls:
    """
    Yield calls of functions that SciPy has not and whose kernels serve no other function.

    Parameters
    ----------
    image : numpy.ndarray
        Of two axes or more.
    """
    labels, _ = _labels(image)
    measured = dict(properties=["label", "area", "intensity_mean", "intensity_max"])
    yield from _each("ndfilters.threshold_local", (image,), dict(block_size=15))
    yield from _each("local_statistics.local_mean", (image,), dict(selem=8, step=4))
    yield from _each(
        "local_statistics.local_percentile", (image,), dict(percentile=0.5, selem=8, step=4)
    )
    yield from _each("ndmeasure.regionprops_table", (labels, image), measured)
    yield from _each("segmentation.watershed", (image, labels * (labels % 2)), {})
    yield from _each("segmentation.reconstruction", (image // 2, image), {})
    yield from _each("segmentation.peak_local_max", (image,), dict(min_distance=3))


def _each(names: str, arrays: tuple[NDArray, ...], *settings: dict[str, Any]) -> Calls:
    for name in names.split():
        for keywords in settings:
            yield UsualCall(name, arrays, keywords)


def _difference(image: NDArray, axis: int, *_: Any, **__: Any) -> NDArray:
    """Return the differences of neighbours, as derivatives for the generic filters."""
    return np.asarray(np.roll(image, 1, axis) - image)


def _double_line(line: NDArray, result: NDArray) -> None:
    result[...] = 2 * line[1 : 1 + result.size]


def _halved(coordinates: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(position / 2 for position in coordinates)


# -- what the arguments are made of ----------------------------------------------------------


def _mask(image: NDArray) -> NDArray:
    """Return where the image is bright, as 0 and 1 of its own dtype."""
    return (image > np.median(image)).astype(image.dtype)


def _labels(image: NDArray) -> tuple[NDArray, NDArray]:
    """Return boxes with labels from 1 on, a thousand or fewer, and all the labels."""
    side = int(1000 ** (1 / image.ndim))
    labels: NDArray = np.zeros(image.shape, np.int32)
    for axis, size in enumerate(image.shape):
        along = (np.arange(size) * side // size).astype(np.int32)
        labels = labels * side + along.reshape([-1 if a == axis else 1 for a in range(image.ndim)])
    return labels + 1, np.arange(1, side**image.ndim + 1)


def _cross(image: NDArray) -> NDArray:
    """Return a window that is no box."""
    offsets = np.indices((5,) * image.ndim) - 2
    return np.asarray(np.abs(offsets).sum(0) <= 2)


# -- the calls -------------------------------------------------------------------------------


def _filters(image: NDArray) -> Calls:
    sides = (3,) * image.ndim
    slope, even = np.arange(3.0**image.ndim).reshape(sides), np.ones(sides)
    line = [1.0, 2.0, 4.0, 1.0, 0.5]
    one = (image,)
    yield from _each("convolve correlate", one, dict(weights=slope), dict(weights=even))
    yield from _each("convolve1d correlate1d", one, dict(weights=line, axis=0),
                     dict(weights=[1.0, 2.0, 1.0]))  # fmt: skip
    yield from _each(
        "gaussian_filter gaussian_filter1d gaussian_laplace gaussian_gradient_magnitude",
        one, dict(sigma=1), dict(sigma=4, mode="wrap"),
    )  # fmt: skip
    yield from _each("laplace", one, {}, dict(mode="constant"))
    yield from _each("sobel prewitt", one, {}, dict(axis=0, mode="nearest"))
    yield from _each("uniform_filter uniform_filter1d", one, dict(size=3), dict(size=9))


def _ranks(image: NDArray) -> Calls:
    one, cross = (image,), _cross(image)
    box, odd = dict(size=3), dict(footprint=cross)
    yield from _each(
        "maximum_filter minimum_filter median_filter grey_closing grey_dilation grey_erosion "
        "grey_opening morphological_gradient morphological_laplace black_tophat white_tophat",
        one, box, odd,
    )  # fmt: skip
    yield from _each("maximum_filter1d minimum_filter1d", one, box, dict(size=9, axis=0))
    yield from _each("percentile_filter", one, dict(percentile=20, **box),
                     dict(percentile=80, **odd))  # fmt: skip
    yield from _each("rank_filter", one, dict(rank=1, **box), dict(rank=-2, **odd))


def _binary(image: NDArray) -> Calls:
    one, full = (_mask(image),), np.ones((3,) * image.ndim, bool)
    yield from _each(
        "binary_closing binary_dilation binary_erosion binary_opening",
        one, {}, dict(structure=full, iterations=3),
    )  # fmt: skip
    yield from _each("binary_hit_or_miss", one, {}, dict(structure1=full))
    yield from _each("binary_fill_holes label", one, {}, dict(structure=full))
    seeds = one[0].copy()
    seeds[::7] = 0
    yield from _each("binary_propagation", (seeds,), dict(mask=one[0]),
                     dict(mask=one[0], structure=full))  # fmt: skip


def _distances(image: NDArray) -> Calls:
    mask = (_mask(image),)
    yield from _each("distance_transform_edt", mask, {}, dict(sampling=[1.5] * image.ndim))
    yield from _each("distance_transform_cdt", mask, {}, dict(metric="taxicab"))
    few = np.ones_like(image)  # brute force: the background should be small
    few.flat[:: image.size // 5 + 1] = 0
    yield from _each("distance_transform_bf", (few,), {}, dict(metric="chessboard"))
    if image.dtype.kind == "u":
        markers, _ = _labels(image)
        yield from _each("watershed_ift", (image, markers), {},
                         dict(structure=np.ones((3,) * image.ndim)))  # fmt: skip


def _statistics(image: NDArray) -> Calls:
    labels, index = _labels(image)
    yield from _each(
        "center_of_mass extrema maximum maximum_position mean median minimum minimum_position "
        "standard_deviation sum_labels variance",
        (image, labels), {}, dict(index=index),
    )  # fmt: skip
    bins = dict(min=0, max=200, bins=20, labels=labels)
    yield from _each("histogram", (image,), bins, dict(index=index, **bins))
    yield from _each("find_objects", (labels,), {}, dict(max_label=10))
    yield from _each("value_indices", (labels,), {}, dict(ignore_value=1))


def _interpolation(image: NDArray) -> Calls:
    one, axes = (image,), image.ndim
    matrix = np.eye(axes)
    matrix[0, 1], matrix[1, 0] = 0.1, -0.1
    first, third = dict(order=1), dict(order=3, mode="mirror")
    yield from _each("affine_transform", one, dict(matrix=matrix, order=1),
                     dict(matrix=np.full(axes, 0.9), order=3))  # fmt: skip
    yield from _each("rotate", one, dict(angle=20, reshape=False, **first),
                     dict(angle=20, reshape=False, **third))  # fmt: skip
    yield from _each("shift", one, dict(shift=1.5, **first), dict(shift=1.5, **third))
    yield from _each("zoom", one, dict(zoom=0.5, **first), dict(zoom=0.5, **third))
    yield from _each("spline_filter", one, {}, dict(order=2, mode="reflect"))
    yield from _each("spline_filter1d", one, {}, dict(order=5, axis=0))
    places = np.indices(image.shape, dtype=np.float64) + 0.3
    yield from _each("map_coordinates", (image, places), first, third)


def _fourier(image: NDArray) -> Calls:
    # Transforms keep the precision of floating-point images.
    single = image.dtype == np.float32
    spectrum = (image.astype(np.complex64 if single else np.complex128),)
    yield from _each("fourier_gaussian", spectrum, dict(sigma=1), dict(sigma=3, n=9))
    yield from _each("fourier_uniform fourier_ellipsoid", spectrum, dict(size=3),
                     dict(size=5, n=9))  # fmt: skip
    yield from _each("fourier_shift", spectrum, dict(shift=1.5), dict(shift=2, n=9))
