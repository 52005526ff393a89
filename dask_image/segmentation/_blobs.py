"""Blobs: the peaks of an image in space and scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage, spatial

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_flag,
    normalize_integer,
    normalize_number,
    per_axis,
)
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import kernel_for, numpy_only
from dask_image._utils.engines.folding import fold
from dask_image._utils.engines.overlap import axis_window, block_bounds, map_boxes
from dask_image._utils.typing import Array, ArrayLike, Block, Integer, NDArray, PerAxis, Real, Shape
from dask_image.segmentation._arguments import border_width, float_type

# SciPy's Gaussians end after so many standard deviations.
TRUNCATE = 4.0


@numpy_only
def blob_log(
    image: ArrayLike, min_sigma: PerAxis[Real] = 1, max_sigma: PerAxis[Real] = 50,
    num_sigma: Integer = 10, threshold: Real | None = 0.2, overlap: Real = 0.5,
    log_scale: bool = False, *, threshold_rel: Real | None = None,
    exclude_border: bool | PerAxis[Integer] = False,
) -> Array:  # fmt: skip
    """
    Find bright blobs, and how large they are: peaks of the Laplacian of Gaussian over scales.

    As `skimage.feature.blob_log`.

    Parameters
    ----------
    image : array_like
        Floats; integers are divided by the greatest value of their dtype.
    min_sigma, max_sigma : float or sequence of float, optional
        The least and the greatest standard deviation, in pixels: for all axes or for each.
    num_sigma : int, optional
        How many standard deviations to try, evenly spaced.
    threshold : float or None, optional
        Peaks are above it, in the unit of the image; None for the least value there is.
    overlap : float, optional
        Of two blobs that overlap by a larger fraction of the smaller one, the smaller is
        left out: between 0 and 1.
    log_scale : bool, optional
        Whether the logarithms of the standard deviations are evenly spaced instead.
    threshold_rel : float or None, optional
        Peaks are above this fraction of the highest one, too.
    exclude_border : False, int or tuple of int, optional
        How many pixels from the edge of the image peaks must be away, along every axis or
        along each.

    Returns
    -------
    dask.array.Array
        One row a blob, their number unknown: its position, and the standard deviation, or one
        for each axis if either was given for each. The strongest first. Of float32 for images
        of float16 and float32, else of float64.

    Raises
    ------
    ValueError
        If a standard deviation is negative or ``num_sigma`` less than 1, or ``exclude_border``
        is True or of a wrong length.

    See Also
    --------
    skimage.feature.blob_log : The same on NumPy arrays.
    blob_dog : Faster, with fewer scales.
    peak_local_max : Spots of one size, after `dask_image.ndfilters.gaussian_laplace`.

    Notes
    -----
    The radius of a blob is about its standard deviation times the square root of the number of
    axes. No scale is stored: a block looks at one after another, with what lies within
    4 ``max_sigma`` + 1 pixels around it, so blocks should be larger than that. One task holds
    the rows of all peaks, and leaves out what overlaps.

    Lindeberg, T. (1998): Feature detection with automatic scale selection. International
    Journal of Computer Vision 30, 79-116.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> rows, columns = np.ogrid[:40, :60]
    >>> spots = [(12, 15, 2), (25, 40, 4)]
    >>> image = sum(
    ...     np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * s * s)) for y, x, s in spots
    ... )
    >>> blob_log(da.from_array(image, chunks=30), 1, 6, 6).compute()
    array([[25., 40.,  4.],
           [12., 15.,  2.]])
    """
    image = as_image(image)
    lowest, highest, alike = _limits(image, min_sigma, max_sigma)
    count = normalize_integer(num_sigma, "num_sigma", lowest=1)
    if normalize_flag(log_scale, "log_scale"):
        _above_zero(lowest, highest)
        sigmas = np.logspace(np.log10(lowest), np.log10(highest), count)
    else:
        sigmas = np.linspace(lowest, highest, count)
    scales = _Laplacians(sigmas, kernel_for(image, ndimage.gaussian_laplace))
    choice = _BlobChoice(sigmas, _fraction(overlap), threshold, threshold_rel, image.shape, alike)
    return _blobs(image, scales, choice, exclude_border, "blob_log")


@numpy_only
def blob_dog(
    image: ArrayLike, min_sigma: PerAxis[Real] = 1, max_sigma: PerAxis[Real] = 50,
    sigma_ratio: Real = 1.6, threshold: Real | None = 0.5, overlap: Real = 0.5, *,
    threshold_rel: Real | None = None, exclude_border: bool | PerAxis[Integer] = False,
) -> Array:  # fmt: skip
    """
    Find bright blobs, and how large they are: peaks of differences of Gaussians over scales.

    As `skimage.feature.blob_dog`, and `blob_log`.

    Parameters
    ----------
    image : array_like
        As in `blob_log`.
    min_sigma, max_sigma : float or sequence of float, optional
        The least and about the greatest standard deviation, for all axes or for each.
    sigma_ratio : float, optional
        Each standard deviation is so many times the one before it; above 1.
    threshold, overlap, threshold_rel, exclude_border : optional
        As in `blob_log`.

    Returns
    -------
    dask.array.Array
        As from `blob_log`.

    Raises
    ------
    ValueError
        As `blob_log`; if ``sigma_ratio`` is not above 1, or a standard deviation is 0.

    See Also
    --------
    skimage.feature.blob_dog : The same on NumPy arrays.
    blob_log : Any number of scales.

    Notes
    -----
    As for `blob_log`, with what lies within 4 ``sigma_ratio`` ``max_sigma`` pixels around.

    Lowe, D. G. (2004): Distinctive image features from scale-invariant keypoints.
    International Journal of Computer Vision 60, 91-110.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> rows, columns = np.ogrid[:40, :60]
    >>> image = np.exp(-((rows - 25) ** 2 + (columns - 40) ** 2) / 32)
    >>> blob_dog(da.from_array(image, chunks=30), 2, 8, 2, threshold=0.1).compute()
    array([[25., 40.,  2.]])
    """
    image = as_image(image)
    lowest, highest, alike = _limits(image, min_sigma, max_sigma)
    _above_zero(lowest, highest)
    if not normalize_number(sigma_ratio, "sigma_ratio") > 1:
        raise ArgumentError(f"sigma_ratio must be above 1, got {sigma_ratio!r}")
    steps = int(np.mean(np.log(highest / lowest) / np.log(sigma_ratio) + 1)) if image.ndim else 0
    if steps < 1:
        raise ArgumentError(f"max_sigma must be about min_sigma or more, got {max_sigma!r}")
    sigmas = np.array([lowest * sigma_ratio**power for power in range(steps + 1)])
    smooth = kernel_for(image, ndimage.gaussian_filter)
    scales = _Differences(sigmas, smooth, float(1 / (sigma_ratio - 1)))
    choice = _BlobChoice(sigmas, _fraction(overlap), threshold, threshold_rel, image.shape, alike)
    return _blobs(image, scales, choice, exclude_border, "blob_dog")


def _limits(image, min_sigma, max_sigma):
    """Return the least and greatest standard deviations per axis, and if axes are alike."""
    dtype = float_type(image.dtype)
    limits, alike = [], True
    for value, name in ((min_sigma, "min_sigma"), (max_sigma, "max_sigma")):
        each = [normalize_number(sigma, name) for sigma in per_axis(value, image.ndim, name)]
        if not all(0 <= sigma < math.inf for sigma in each):
            raise ArgumentError(f"{name} must be at least 0 and finite, got {value!r}")
        alike = alike and np.ndim(value) == 0
        limits.append(np.asarray(each, dtype))
    return *limits, alike


def _above_zero(lowest, highest):
    if not (np.all(lowest > 0) and np.all(highest > 0)):
        raise ArgumentError(
            f"min_sigma and max_sigma must be above 0, got {lowest.tolist()} and {highest.tolist()}"
        )


def _fraction(overlap):
    overlap = normalize_number(overlap, "overlap")
    if not 0 <= overlap <= 1:
        raise ArgumentError(f"overlap must lie between 0 and 1, got {overlap!r}")
    return overlap


def _as_floats(block):
    """Return a block as floats: integers as fractions of the greatest of their dtype."""
    dtype = float_type(block.dtype)
    if block.dtype.kind not in "iu":
        return block.astype(dtype)
    block = np.multiply(block, 1.0 / np.iinfo(block.dtype).max, dtype=dtype)
    return np.maximum(block, -1.0, out=block)


@dataclass(frozen=True)
class _Laplacians:
    """Gives a block's negative Laplacians of Gaussian, one scale after another."""

    sigmas: NDArray
    laplace: Callable[..., Any]

    def __call__(self, block: Block) -> Iterator[Block]:
        for sigma in self.sigmas:
            # The variance makes scales comparable.
            yield -self.laplace(block, sigma) * np.mean(sigma) ** 2


@dataclass(frozen=True)
class _Differences:
    """Gives a block's differences of Gaussians, one scale after another."""

    sigmas: NDArray
    smooth: Callable[..., Any]
    factor: float

    def __call__(self, block: Block) -> Iterator[Block]:
        smoothed = (self.smooth(block, sigma, mode="reflect") for sigma in self.sigmas)
        for finer, coarser in itertools.pairwise(smoothed):
            yield (finer - coarser) * self.factor


@dataclass(frozen=True)
class _Peaks:
    """
    Peaks in space and scale, in the order of their positions.

    Attributes
    ----------
    position : numpy.ndarray
        Raveled in the image with the scales as last axis.
    value : numpy.ndarray
        Of each.
    least, greatest : number
        Of all pixels of all scales.
    every : bool
        Whether all pixels of all scales are peaks, those that do not count among them.
    """

    position: NDArray
    value: NDArray
    least: Any
    greatest: Any
    every: bool


def _blobs(image, scales, choice, exclude_border, name):
    """Return the blobs of an image, lazily."""
    normalize_number(0 if choice.threshold is None else choice.threshold, "threshold")
    normalize_number(0 if choice.relative is None else choice.relative, "threshold_rel")
    border = border_width(exclude_border, image.ndim)
    maximum_filter = kernel_for(image, ndimage.maximum_filter)
    search = _Search(scales, maximum_filter, choice.threshold, image.shape, border)
    bounds = block_bounds(image.chunks)
    reach = [int(TRUNCATE * float(sigma) + 0.5) + 1 for sigma in scales.sigmas.max(axis=0)]

    def boxes(index):
        return [
            axis_window(along[i], along[i + 1], size, (far, far), "reflect")
            if along[i] < along[i + 1] else (0, 0)
            for along, i, size, far in zip(bounds, index, image.shape, reach)
        ]  # fmt: skip

    def places(index):
        within = tuple((along[i], along[i + 1]) for along, i in zip(bounds, index))
        return tuple(low for low, _ in boxes(index)), within

    chunks = tuple((1,) * count for count in image.numblocks)
    found = map_boxes(
        search, image, name=f"{name}-scan", boxes=boxes, block_arguments=places, chunks=chunks,
        dtype=np.dtype(object),
    )  # fmt: skip
    columns = image.ndim + (1 if choice.alike else image.ndim)
    peaks = fold([found], _only, _merge, name, "collect")
    return peaks.array(name, choice, float_type(image.dtype), (np.nan, columns))


def _only(start, block):
    return block.item()


@dataclass(frozen=True)
class _Search:
    """Finds the peaks of a block, holding three scales at a time."""

    scales: Any
    maximum_filter: Callable[..., Any]
    threshold: Real | None
    shape: Shape
    border: Shape

    def __call__(self, box: Block, start: Shape, within: Sequence[tuple[int, int]]) -> NDArray:
        """Return what was found, as an array of one object."""
        result = np.empty((1,) * box.ndim, object)
        if box.size:
            result[...] = self._peaks(_as_floats(box), start, within)
        return result

    def _peaks(self, box, start, within):
        # A pixel more on each side, where there is one, tells if those inside are peaks.
        known = [
            (max(low - 1, 0), min(high + 1, size)) for (low, high), size in zip(within, self.shape)
        ]
        region = tuple(slice(a - at, b - at) for (a, b), at in zip(known, start))
        inside = tuple(slice(low - a, high - a) for (low, high), (a, _) in zip(within, known))
        counts = np.ones((1,) * box.ndim, bool)
        for axis, ((low, high), size, width) in enumerate(zip(within, self.shape, self.border)):
            places = np.arange(low, high).reshape(-1, *(1,) * (box.ndim - 1 - axis))
            counts = counts & (places >= width) & (places < size - width)
        parts, least, greatest, every = [], [], [], True
        responses = (np.ascontiguousarray(each[region]) for each in self.scales(box))
        pairs = _with_highest_around(responses, self.maximum_filter)
        for scale, (response, highest) in enumerate(pairs):
            response = response[inside]
            peak = response == highest[inside]
            every = every and bool(peak.all())
            least.append(response.min())
            greatest.append(response.max())
            if self.threshold is not None:
                peak &= response > self.threshold
            at = np.nonzero(peak & counts)
            places = [along + low for along, (low, _) in zip(at, within)]
            position = np.ravel_multi_index(
                [*places, np.full(at[0].shape, scale)], (*self.shape, len(self.scales.sigmas))
            )
            parts.append((position, response[at]))
        return _in_order(*zip(*parts), np.min(least), np.max(greatest), every)


def _with_highest_around(responses, maximum_filter):
    """Give each scale with the highest values around its pixels in space and scale."""
    before = current = None
    for response in responses:
        following = maximum_filter(response, size=3, mode="nearest")
        if current is not None:
            yield current[0], np.maximum(before, np.maximum(current[1], following))
            before = current[1]
        else:
            before = following  # The first scale has none before it: one twice changes nothing.
        current = response, following
    yield current[0], np.maximum(before, current[1])


def _in_order(position, value, least, greatest, every):
    position, value = np.concatenate(position), np.concatenate(value)
    order = np.argsort(position)
    return _Peaks(position[order], value[order], least, greatest, every)


def _merge(parts):
    parts = [part for part in parts if part is not None]
    if not parts:
        return None
    return _in_order(
        [part.position for part in parts], [part.value for part in parts],
        np.min([part.least for part in parts]), np.max([part.greatest for part in parts]),
        all(part.every for part in parts),
    )  # fmt: skip


@dataclass(frozen=True)
class _BlobChoice:
    """Chooses among peaks: above the thresholds, and not within a larger blob."""

    sigmas: NDArray
    overlap: Real
    threshold: Real | None
    relative: Real | None
    shape: Shape
    alike: bool

    def __call__(self, peaks: _Peaks | None) -> NDArray:
        """Return the rows of blobs, the strongest first."""
        columns = 1 if self.alike else len(self.shape)
        # Where all is a peak, the image is even, and nothing is.
        if peaks is None or peaks.every or not (kept := peaks.value > self._threshold(peaks)).any():
            return np.empty((0, len(self.shape) + columns))
        position = peaks.position[kept]
        position = position[np.argsort(-peaks.value[kept], kind="stable")]
        *places, scale = np.unravel_index(position, (*self.shape, len(self.sigmas)))
        sigma = self.sigmas[scale][:, :columns]
        places = np.stack(places, axis=1).astype(self.sigmas.dtype)
        return _without_overlaps(places, sigma, self.overlap)

    def _threshold(self, peaks):
        threshold = peaks.least if self.threshold is None else self.threshold
        return (
            threshold if self.relative is None else max(threshold, self.relative * peaks.greatest)
        )


def _without_overlaps(places, sigmas, overlap):
    """
    Leave out the smaller of two blobs that overlap by more than a fraction, pair after pair.

    What is left depends on the order of pairs where blobs overlap in chains: it is that of the
    set that SciPy's tree gives, as in scikit-image.
    """
    rows = np.hstack([places, sigmas])
    ndim = places.shape[1]
    reach = 2 * sigmas.max() * math.sqrt(ndim)
    pairs = spatial.cKDTree(places).query_pairs(reach)
    if not pairs or ndim > 3:
        return rows
    first, second = np.array(list(pairs)).T
    overlapping = _overlaps(places, sigmas, first, second) > overlap
    last = sigmas[:, -1]
    left = last > 0
    for one, other in zip(first[overlapping].tolist(), second[overlapping].tolist()):
        if left[one] and left[other]:
            left[other if last[one] > last[other] else one] = False
    return rows[left]


def _overlaps(places, sigmas, first, second):
    """Return which fraction of the smaller blob of each pair lies in the larger one."""
    ndim = places.shape[1]
    smaller = np.where(sigmas[first, -1] > sigmas[second, -1], second, first)
    larger = first + second - smaller
    # In units in which the larger blob is a ball of radius 1.
    scale = sigmas[larger] * math.sqrt(ndim)
    radius = np.divide(sigmas[smaller, -1], sigmas[larger, -1], dtype=float)
    apart = np.sqrt(np.sum(((places[second] - places[first]) / scale) ** 2, axis=1), dtype=float)
    found = np.where(apart > 1 + radius, 0.0, 1.0)
    partly = (apart <= 1 + radius) & (apart > 1 - radius)
    lens = _lens_of_disks if ndim == 2 else _lens_of_balls
    found[partly] = lens(apart[partly], radius[partly])
    return found


def _lens_of_disks(apart, radius):
    """Return the area common to a disk of radius 1 and a smaller one, as a fraction of that."""
    cosine = (apart**2 + 1 - radius**2) / (2 * apart)
    other_cosine = (apart**2 + radius**2 - 1) / (2 * apart * radius)
    angle, other_angle = (np.arccos(np.clip(each, -1, 1)) for each in (cosine, other_cosine))
    corners = (1 + radius - apart) * (apart - radius + 1) * (apart + radius - 1)
    kite = 0.5 * np.sqrt(np.abs(corners * (apart + radius + 1)))
    return (angle + radius**2 * other_angle - kite) / (np.pi * radius**2)


def _lens_of_balls(apart, radius):
    """Return the volume common to a ball of radius 1 and a smaller one, as a fraction of that."""
    squares = apart**2 + 2 * apart * (1 + radius) - 3 * (1 + radius**2) + 6 * radius
    volume = np.pi / (12 * apart) * (1 + radius - apart) ** 2 * squares
    return volume / (4 / 3 * np.pi * radius**3)
