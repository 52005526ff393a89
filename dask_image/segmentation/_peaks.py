"""Coordinates of the highest pixels around."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from scipy import ndimage, spatial

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_array,
    normalize_finite,
    normalize_integer,
    normalize_number,
    normalize_wrap_axes,
)
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import kernel_for, numpy_only
from dask_image._utils.engines.folding import block_limits, fold, fold_measured, merge_limits
from dask_image._utils.engines.overlap import block_bounds, map_neighborhood
from dask_image._utils.labels import as_label_image
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Real, Shape
from dask_image._utils.warnings import warn
from dask_image.segmentation._arguments import border_width, in_chunks_of, within_surroundings

# What a pixel is: none, or higher than all around; with labels also one that an opening removes.
PEAK, ISOLATED = 1, 2

FILTERED_AS = {"b1": np.uint8, "f2": np.float32}


@numpy_only
def peak_local_max(
    image: ArrayLike, min_distance: Integer = 1, threshold_abs: Real | None = None,
    threshold_rel: Real | None = None, exclude_border: bool | PerAxis[Integer] = True,
    num_peaks: Real = np.inf, footprint: ArrayLike | None = None, labels: ArrayLike | None = None,
    num_peaks_per_label: Real = np.inf, p_norm: Real = np.inf, *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:  # fmt: skip
    """
    Find the coordinates of peaks: pixels that are highest in a window around them.

    As `skimage.feature.peak_local_max`; of peaks that are too close to
    each other, the choice is its own.

    Parameters
    ----------
    image : array_like
        Integers, floats or booleans.
    min_distance : int, optional
        The window reaches so many pixels each way, and peaks are at least so far apart.
    threshold_abs : float, optional
        Peaks are above it; by default above the least value of the image.
    threshold_rel : float, optional
        Peaks are above this times the greatest value, too.
    exclude_border : bool, int or tuple of int, optional
        How many pixels from the edge of the image peaks must be away, along every axis or
        along each; ``min_distance`` if True.
    num_peaks : int, optional
        The most peaks to return: the highest.
    footprint : array_like of bool, optional
        The window, instead of one that ``min_distance`` gives.
    labels : array_like of int, optional
        Each label above 0 is searched by itself; 0 not at all.
    num_peaks_per_label : int, optional
        The most peaks in one label.
    p_norm : float, optional
        Which norm measures how far peaks are apart: from 1 to infinity, the chessboard's.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet: there is no edge there, and peaks at both ends may be too close.

    Returns
    -------
    dask.array.Array
        Of int64 and shape (n, ``image.ndim``), n unknown: the highest peak first, peaks of one
        height in raster order; with ``labels``, in the order of labels first.

    Raises
    ------
    ValueError
        If ``exclude_border`` is negative or of a wrong length, or the shapes differ.
    TypeError
        If ``exclude_border`` is none of what it may be, or the image does not hold real numbers.

    Warns
    -----
    RuntimeWarning
        If ``min_distance`` is less than 1: then all pixels above the thresholds are returned.

    See Also
    --------
    skimage.feature.peak_local_max : The same on NumPy arrays.
    local_maxima : Plateaus of any height, as an image.

    Notes
    -----
    The image is computed twice: its range is needed first. One task holds the coordinates of
    all peaks.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = np.zeros((7, 7))
    >>> image[3, 4], image[3, 2] = 1, 1.5
    >>> peak_local_max(da.from_array(image, chunks=4)).compute()
    array([[3, 2],
           [3, 4]])
    >>> peak_local_max(da.from_array(image, chunks=4), min_distance=2).compute()
    array([[3, 2]])
    """
    image = as_image(image)
    # Maxima of a window are found among no half floats, and booleans have no least value.
    image = image.astype(FILTERED_AS.get(image.dtype.str[1:], image.dtype))
    window = None if footprint is None else normalize_array(footprint, "footprint") != 0
    min_distance = normalize_integer(min_distance, "min_distance", lowest=0)
    if (window is None or window.size == 1) and min_distance < 1:
        warn("min_distance below 1 returns all pixels above the thresholds", RuntimeWarning)
    wrap_axes = normalize_wrap_axes(wrap_axes, image.ndim)
    border = border_width(exclude_border, image.ndim, min_distance)
    border = tuple(0 if axis in wrap_axes else width for axis, width in enumerate(border))
    if window is None:
        window = np.ones((2 * min_distance + 1,) * image.ndim, bool)
    if window.ndim != image.ndim or not window.any():
        raise ArgumentError(
            f"footprint must have {image.ndim} axes and a pixel that is not zero, got {footprint!r}"
        )
    for value, name in ((threshold_abs, "threshold_abs"), (threshold_rel, "threshold_rel")):
        if value is not None:
            normalize_number(value, name)
    collect = _Collect(_Thresholds(threshold_abs, threshold_rel), image.shape, border)
    most = _as_count(num_peaks, "num_peaks")
    most_per_label = _as_count(num_peaks_per_label, "num_peaks_per_label")
    periods = tuple(size * (axis in wrap_axes) for axis, size in enumerate(image.shape))
    choice = _PeakChoice(min_distance, p_norm, most, most_per_label, periods, labels is not None)
    if image.size == 0:
        return da.zeros((0, image.ndim), dtype=np.int64)
    name = "peak_local_max"
    limits = fold([image], block_limits, merge_limits, name, "range")
    if labels is not None:
        labels = in_chunks_of(image, as_label_image(labels, "labels"), "labels")
    images = [limits.again(each) for each in ([image] if labels is None else [image, labels])]
    measured = _peaks(images, window, wrap_axes, collect, limits)
    found = fold_measured(measured, _merge_peaks, name, "merge")
    return found.array(name, choice, np.int64, (np.nan, image.ndim))


def _as_count(number, name):
    """Return a most number as an integer, or None if there is none."""
    if normalize_number(number, name) == math.inf:
        return None
    return int(normalize_finite(number, name))


@dataclass(frozen=True)
class _Thresholds:
    """Above what value peaks lie."""

    absolute: Real | None
    relative: Real | None

    def of(self, limits):
        """Return the threshold, given the range of the image."""
        low, high = limits
        threshold = low if self.absolute is None else self.absolute
        return threshold if self.relative is None else max(threshold, self.relative * high)


def _inside(start, shape, image_shape, border):
    """Tell which pixels of a box lie off the border of the image, where it has one."""
    found = np.ones(shape, bool)
    for axis, (first, size, whole, width) in enumerate(zip(start, shape, image_shape, border)):
        if not width:
            continue  # a box may go on beyond ends that meet
        places = np.arange(first, first + size)
        near = (places >= width) & (places < whole - width)
        found &= near.reshape(-1, *(1,) * (len(shape) - 1 - axis))
    return found


def _window_reach(shape):
    return [(size // 2, size - 1 - size // 2) for size in shape]


def _peaks(images, window, wrap_axes, collect, limits):
    """Return what `_Collect` finds in each block."""
    image, *labels = images
    reach = _window_reach(window.shape)
    if labels:
        reach = [(max(before, 2), max(after, 2)) for before, after in reach]
        mark = functools.partial(_mark_in_labels, footprint=window)
    elif window.size == 1 or image.size == 1:
        reach, mark = [(0, 0)] * image.ndim, _all_pixels
    else:
        highest = kernel_for(image, ndimage.maximum_filter)
        mark = functools.partial(_mark, maximum_filter=highest, footprint=window)
    mark, modes = within_surroundings(mark, image.ndim, reach, wrap_axes)
    bounds = block_bounds(image.chunks)
    return map_neighborhood(
        _PeaksOfBlock(mark, collect), *images, name="peak_local_max-collect", reach=reach,
        modes=modes, dtype=object, for_all=limits.delayed,
        block_arguments=lambda index: (tuple(along[i] for along, i in zip(bounds, index)),),
    )  # fmt: skip


def _all_pixels(block):
    return np.full(block.shape, PEAK | ISOLATED, np.uint8)


def _mark(image, maximum_filter, footprint):
    """Return which pixels are the highest in a window."""
    return (image == maximum_filter(image, footprint=footprint, mode="nearest")).view(np.uint8)


def _mark_in_labels(image, labels, footprint):
    """Return which pixels are the highest of their label in a window, and which are isolated."""
    if footprint.size == 1:
        return np.where(labels > 0, np.uint8(PEAK | ISOLATED), np.uint8(0))
    state = np.zeros(image.shape, np.uint8)
    limits = np.finfo(image.dtype) if image.dtype.kind == "f" else np.iinfo(image.dtype)
    numbers = np.unique(labels[labels > 0])
    ranks = np.where(labels > 0, np.searchsorted(numbers, labels) + 1, 0)
    for rank, box in enumerate(ndimage.find_objects(ranks), start=1):
        mask = ranks[box] == rank
        values = np.where(mask, image[box], image.dtype.type(limits.min))
        highest = ndimage.maximum_filter(values, footprint=footprint, mode="nearest")
        state[box] |= PEAK * (mask & (values == highest)).view(np.uint8)
        state[box] |= ISOLATED * (mask & ~ndimage.binary_opening(mask)).view(np.uint8)
    return state


@dataclass(frozen=True)
class _Found:
    """
    Peaks above a threshold.

    Attributes
    ----------
    position : numpy.ndarray
        Raveled in the image.
    value, label, isolated : numpy.ndarray
        Of each.
    labels, pixels, peaks : numpy.ndarray
        How many pixels each label has, and how many peaks, those below the threshold among them.
    image_shape : tuple of int
    """

    position: np.ndarray
    value: np.ndarray
    label: np.ndarray
    isolated: np.ndarray
    labels: np.ndarray
    pixels: np.ndarray
    peaks: np.ndarray
    image_shape: Shape


@dataclass(frozen=True)
class _Collect:
    """Collects the peaks of a block that lie off the border of the image, above a threshold."""

    thresholds: _Thresholds
    image_shape: Shape
    border: Shape

    def without_border(self, start, labels):
        """Return the labels of a box without those near the edge of the image."""
        return np.where(_inside(start, labels.shape, self.image_shape, self.border), labels, 0)

    def __call__(self, start, state, image, labels, limits):
        """Return the peaks of a block; labels are those off the border, or None."""
        if labels is None:
            labels = np.ones(image.shape, np.uint8)
            inside = _inside(start, image.shape, self.image_shape, self.border)
        else:
            inside = labels > 0
        peak = (state & PEAK) != 0
        numbers, inverse = np.unique(labels, return_inverse=True)
        inverse = inverse.ravel()
        pixels = np.bincount(inverse, minlength=numbers.size)
        peaks = np.bincount(inverse[peak.ravel()], minlength=numbers.size)
        places = np.nonzero(peak & inside & (image > self.thresholds.of(limits)))
        position = np.ravel_multi_index(
            [at + first for at, first in zip(places, start)], self.image_shape
        )
        isolated = (state[places] & ISOLATED) != 0
        return _Found(
            position.astype(np.int64), image[places], labels[places], isolated, numbers, pixels,
            peaks, self.image_shape,
        )  # fmt: skip


@dataclass(frozen=True)
class _PeaksOfBlock:
    """Marks the peaks of a block with its surroundings, and collects those of the block."""

    mark: Callable[..., Any]
    collect: _Collect

    def in_region(self, image, *arguments, region):
        """Return the peaks of a region, which begins at ``start`` in the image."""
        *labels, limits, start = arguments
        region = region or tuple(slice(0, size) for size in image.shape)
        first = [at - along.start for at, along in zip(start, region)]
        labels = [self.collect.without_border(first, each) for each in labels]
        state = self.mark(image, *labels)
        inner = [each[region] for each in labels] or [None]
        return self.collect(start, state[region], image[region], *inner, limits)


def _merge_peaks(parts):
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("position", "value", "label", "isolated", "labels", "pixels", "peaks")
    }
    labels, inverse = np.unique(joined["labels"], return_inverse=True)
    for name in ("pixels", "peaks"):
        joined[name] = np.bincount(inverse, joined[name], labels.size).astype(np.int64)
    joined["labels"] = labels
    order = np.argsort(joined["position"])
    for name in ("position", "value", "label", "isolated"):
        joined[name] = joined[name][order]
    return _Found(**joined, image_shape=parts[0].image_shape)


@dataclass(frozen=True)
class _PeakChoice:
    """Chooses among peaks: the highest, if they are not too close to a higher one."""

    min_distance: int
    p_norm: Real
    most: int | None
    most_per_label: int | None
    periods: Shape
    labelled: bool

    def __call__(self, found):
        """Return the coordinates of the peaks that are chosen."""
        if not self.labelled:
            trivial = found.pixels.sum() == found.peaks.sum()
            kept = found.isolated if trivial else np.ones(found.position.size, bool)
            chosen = self._highest(found, np.flatnonzero(kept), self.most)
            return self._coordinates(found, chosen)
        trivial = found.pixels == found.peaks
        kept = found.isolated | ~trivial[np.searchsorted(found.labels, found.label)]
        order = np.flatnonzero(kept)
        order = order[np.argsort(found.label[order], kind="stable")]
        ends = np.flatnonzero(np.diff(found.label[order])) + 1
        parts = [self._highest(found, part, self.most_per_label) for part in np.split(order, ends)]
        chosen = np.concatenate(parts)
        if self.most is not None and chosen.size > self.most:
            chosen = self._highest(found, np.sort(chosen), self.most)
        return self._coordinates(found, chosen)

    def _coordinates(self, found, chosen):
        places = np.unravel_index(found.position[chosen], found.image_shape)
        return np.stack(places, axis=1).reshape(-1, len(self.periods))

    def _highest(self, found, peaks, most):
        """Return the highest of some peaks, given in raster order."""
        # Backwards, since the negative of an unsigned value, or of the least, is none.
        backwards = peaks[::-1]
        peaks = backwards[np.argsort(found.value[backwards], kind="stable")][::-1]
        if self.min_distance > 1 and peaks.size:
            coordinates = self._coordinates(found, peaks)
            peaks = peaks[_spaced(coordinates, self.min_distance, self.p_norm, self.periods)]
        return peaks[:most]


def _spaced(coordinates, spacing, p_norm, periods):
    """
    Return which points are left, if each in turn removes those closer to it than ``spacing``.

    ``periods`` are the lengths of axes whose ends meet, 0 for the others.
    """
    tree = spatial.cKDTree(coordinates, boxsize=periods if any(periods) else None)
    removed = np.zeros(len(coordinates), bool)
    together = 4096
    for first in range(0, len(coordinates), together):
        some = first + np.flatnonzero(~removed[first : first + together])
        near = tree.query_ball_point(coordinates[some], r=spacing, p=p_norm)
        for point, others in zip(some.tolist(), near):
            if not removed[point] and len(others) > 1:
                others = np.array(others)
                others = others[others != point]
                steps = np.abs(coordinates[others] - coordinates[point])
                steps = np.where(periods, np.minimum(steps, np.abs(periods - steps)), steps)
                here = np.zeros((1, len(periods)))
                apart = spatial.distance.cdist(here, steps, "minkowski", p=p_norm)[0]
                removed[others[apart < spacing]] = True
    return np.flatnonzero(~removed)
