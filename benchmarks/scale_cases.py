"""
What the suite of scale runs: for each case ours on a lazy image, and what it must come to.

Images are formulas of a pixel's position. So any window of them can be made anew, and SciPy's
answer on it be compared, however large the image is. Where an answer depends on all of the image,
the formula repeats itself, or keeps apart what lies apart.
"""

import functools
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import tifffile
from scipy import ndimage

from dask_image import (
    imread,
    local_statistics,
    ndfilters,
    ndfourier,
    ndinterp,
    ndmeasure,
    ndmorph,
    segmentation,
)

PITCH, SQUARE, PERIOD = 24, 20, 64
# So many squares there may be along an axis, for their labels to tell them apart.
ACROSS = {2: 100_000, 3: 1000}
MULTIPLIERS = (2654435761, 2246822519, 3266489917)


def _apart(arrays):
    """Return arrays of one axis, each along an axis of its own."""
    return np.meshgrid(*arrays, indexing="ij", sparse=True)


def _mixed(*axes):
    """Return anything: values without structure, below 2**24."""
    mixed = sum(
        along * np.uint32(multiplier)
        for along, multiplier in zip(_apart(axes), MULTIPLIERS, strict=False)
    )
    return ((mixed ^ (mixed >> np.uint32(15))) >> np.uint32(8)).astype(np.float32)


def _within(axes, low, high):
    """Return which pixels lie between two places of each square, along all axes."""
    places = (axis % PITCH for axis in axes)
    return functools.reduce(
        np.logical_and, _apart((low <= place) & (place < high) for place in places)
    )


def _in_order(axes, across):
    """Return the number of each pixel's square, where so many lie along an axis."""
    return functools.reduce(
        lambda number, along: number * across + along,
        _apart((axis // PITCH).astype(np.int64) for axis in axes),
    )


def _objects(*axes):
    """Return labels of squares, or cubes, of 20 pixels, a gap of 4 between them."""
    names = _in_order(axes, ACROSS[len(axes)]) + 1
    return (names * _within(axes, 0, SQUARE)).astype(np.int32)


def _cores(*axes):
    return _objects(*axes) * _within(axes, 8, 12)


def _corners(*axes):
    return _within(axes, 0, 4)


def _rings(*axes):
    return _within(axes, 0, SQUARE) & ~_within(axes, 6, 14)


def _whole(*axes):
    """Return a mask with a hole of 3 by 3 pixels in each square."""
    return ~_within(axes, 8, 11)


def _ridges(*axes):
    """Return an image that rises from the squares to the middle of the gaps between them."""
    away = (np.maximum(0, np.minimum(axis % PITCH - 19.0, PITCH - axis % PITCH)) for axis in axes)
    return (sum(_apart(away)) + _mixed(*axes) / 2**25).astype(np.float32)


def _few(rows, columns):
    """Return values of 8 bits that repeat themselves along both axes."""
    period = _mixed(*(np.arange(PERIOD, dtype=np.uint32),) * 2) % 251
    return period.astype(np.uint8)[rows % PERIOD][:, columns % PERIOD]


def _strayed(rows, columns):
    """Return coordinates that stray by up to 3 pixels from those of a grid."""
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij")).astype(float)
    return grid + 3 * np.sin(grid / 50)


FORMULAS = {
    "image": (_mixed, np.float32),
    "objects": (_objects, np.int32),
    "cores": (_cores, np.int32),
    "corners": (_corners, np.uint8),
    "rings": (_rings, bool),
    "whole": (_whole, bool),
    "ridges": (_ridges, np.float32),
    "few": (_few, np.uint8),
}


@dataclass(frozen=True)
class Window:
    """Pixels at some places along each axis of the images, by name, as arrays."""

    axes: tuple[np.ndarray, ...]
    side: int

    def __getattr__(self, name):
        return FORMULAS[name][0](*self.axes)

    @property
    def rows(self):
        """The places along the first axis."""
        return self.axes[0]

    @property
    def columns(self):
        """The places along the last axis."""
        return self.axes[-1]

    @property
    def positions(self):
        """The position of each pixel: shape (2, rows, columns)."""
        return np.stack(np.meshgrid(self.rows, self.columns, indexing="ij")).astype(float)

    def image_at(self, coordinates, order=1):
        """Return the image interpolated at places anywhere in it, 0 beyond its edges."""
        low = np.maximum(np.floor(coordinates.min(axis=(1, 2))).astype(int) - 32, 0)
        high = np.minimum(np.ceil(coordinates.max(axis=(1, 2))).astype(int) + 33, self.side)
        if (low >= high).any():
            return np.zeros(coordinates.shape[1:])
        box = _mixed(*(np.arange(*span, dtype=np.uint32) for span in zip(low, high)))
        return ndimage.map_coordinates(box, coordinates - low[:, None, None], order=order)


@dataclass(frozen=True)
class Images:
    """The images, by name, as Dask arrays whose blocks are made when they are needed."""

    side: int
    block: int
    folder: str = ""
    ndim: int = 2

    def __getattr__(self, name):
        return self.made(*FORMULAS[name])

    def made(self, formula, dtype, first=()):
        """Return an array of a formula, with further first axes in one chunk."""

        def one(block_info=None):
            spans = block_info[None]["array-location"][len(first) :]
            return formula(*(np.arange(*span, dtype=np.uint32) for span in spans)).astype(dtype)

        chunks = da.core.normalize_chunks(self.block, (self.side,) * self.ndim)
        chunks = (*((size,) for size in first), *chunks)
        return da.map_blocks(
            one, chunks=chunks, dtype=dtype, meta=np.empty((0,) * len(chunks), dtype)
        )

    @property
    def coordinates(self):
        """Strayed coordinates for each pixel."""
        return self.made(_strayed, float, first=(2,))

    def tiles(self, overlap):
        """
        Return square tiles of the image, which have pixels in common, of shape (n, n, size, size).
        """
        step = self.block - overlap
        count = self.side // step

        def one(block_info=None):
            place = block_info[None]["chunk-location"][:2]
            spans = [np.arange(step * n, step * n + self.block, dtype=np.uint32) for n in place]
            return _mixed(*spans)[None, None]

        chunks = ((1,) * count, (1,) * count, (self.block,), (self.block,))
        return da.map_blocks(one, chunks=chunks, dtype="f4", meta=np.empty((0,) * 4, "f4"))

    def file(self):
        """Write the image to a TIFF file, tile by tile, and return its name."""
        name = os.path.join(self.folder, f"{self.side}.tif")
        starts = range(0, self.side, self.block)
        tiles = (
            _mixed(*(np.arange(n, n + self.block, dtype=np.uint32) for n in place))
            for place in itertools.product(starts, starts)
        )
        tifffile.imwrite(
            name, tiles, shape=(self.side, self.side), dtype="f4", tile=(self.block, self.block)
        )
        return name


@dataclass(frozen=True)
class Case:
    """
    One function at scale.

    Attributes
    ----------
    ours : callable
        ``ours(images)`` returns a lazy result; of labels, also the labels.
    theirs : callable
        ``theirs(window)`` returns what it is there; of labels, ``theirs(pixels)`` of one of them;
        of a single number, ``theirs(side)``.
    pixel : int
        Bytes a pixel of what is read.
    short : bool
        Whether it is in the short part, in which what is the same for every image counts most.
    ndim : int
        Axes of the images.
    caps : int
        How many times the cap it may take, if it needs more, see ``docs/scale.rst``.
    numbered : bool
        Whether labels are numbered in an order that no window knows: what counts is which pixels
        have the same.
    """

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    pixel: int = 4
    short: bool = False
    ndim: int = 2
    caps: int = 1
    numbered: bool = False


def _averaged(window):
    weights = ndimage.gaussian_filter(window.whole.astype(float), 2)
    return ndimage.gaussian_filter(window.image * window.whole, 2, output=float) / weights


def _rotated(window):
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    middle = (window.side - 1) / 2
    rows, columns = window.positions - middle
    turned = np.stack([cosine * rows + sine * columns, cosine * columns - sine * rows]) + middle
    return window.image_at(turned)


def _in_fourier_space(window):
    rows, columns = (
        ndimage.fourier_gaussian(np.ones(window.side), 2)[places]
        for places in (window.rows, window.columns)
    )
    return window.image * np.outer(rows, columns)


def _numbered(window):
    across = -(-window.side // PITCH)
    return np.where(window.objects, _in_order(window.axes, across) + 1, 0)


def _reconstructed(window):
    mask = window.image * (window.objects > 0)
    before, seed = None, np.where(window.cores, mask, 0)
    while before is None or (seed != before).any():
        before, seed = seed, np.minimum(ndimage.grey_dilation(seed, size=3), mask)
    return seed


def _filled(window):
    _, nearest = ndimage.distance_transform_edt(~window.whole, return_indices=True)
    return window.image[tuple(nearest)]


def _filled_between(window):
    _, nearest = ndimage.distance_transform_edt(window.objects == 0, return_indices=True)
    return window.image[tuple(nearest)]


def _descended(image, marked):
    """
    Return where steps to the lowest neighbour lead from each pixel, as raveled positions.

    They end at what is marked and at minima: so a flood goes, if it begins in all minima.
    """
    positions = np.arange(image.size).reshape(image.shape)
    lowest = np.where(marked, -np.inf, image)
    target = positions.copy()
    for axis in range(image.ndim):
        for step in (1, -1):
            here, there = (
                (slice(None),) * axis + (part,)
                for part in (slice(1, None), slice(None, -1))[::step]
            )
            lower = image[there] < lowest[here]
            lowest[here] = np.where(lower, image[there], lowest[here])
            target[here] = np.where(lower, positions[there], target[here])
    target = target.ravel()
    while ((further := target[target]) != target).any():
        target = further
    return target.reshape(image.shape)


def _flooded(window):
    labels = window.objects
    return labels.ravel()[_descended(window.ridges, labels > 0)]


def _basins(window):
    return _descended(window.image, np.zeros((), bool))


def _mean_of_boxes(window):
    columns = np.arange(64 * window.columns[0], 64 * window.columns[-1] + 64, dtype=np.uint32)
    means = []
    for row in window.rows.tolist():  # all boxes at once would take more memory than ours may
        strip = _mixed(np.arange(64 * row, 64 * row + 64, dtype=np.uint32), columns)
        means.append(strip.reshape(64, -1, 64).mean(axis=(0, 2), dtype=float))
    return np.stack(means)


def _is_greatest(window):
    return window.image == ndimage.maximum_filter(window.image, 3)


def _otsu(_):
    """Return the value that parts a period best: the variance between both classes is largest."""
    values = _few(*(np.arange(PERIOD, dtype=np.uint32),) * 2).ravel().astype(float)
    levels = np.unique(values)[:-1]
    between = [
        np.mean(values <= level) * np.mean(values > level)
        * (values[values <= level].mean() - values[values > level].mean()) ** 2
        for level in levels
    ]  # fmt: skip
    return levels[int(np.argmax(between))]


def _histogram(side):
    values = _few(*(np.arange(PERIOD, dtype=np.uint32),) * 2)
    return np.histogram(values, 16, (0, 256))[0] * (side // PERIOD) ** 2


WEIGHTS = np.random.default_rng(0).random((5, 5))
FULL = np.ones((3, 3), bool)

WINDOWED = {
    "gaussian_filter, sigma 2": Case(
        lambda v: ndfilters.gaussian_filter(v.image, 2),
        lambda w: ndimage.gaussian_filter(w.image, 2), short=True,
    ),
    "gaussian_filter, where=": Case(
        lambda v: ndfilters.gaussian_filter(v.image, 2, where=v.whole), _averaged
    ),
    "correlate, 5 × 5": Case(
        lambda v: ndfilters.correlate(v.image, WEIGHTS),
        lambda w: ndimage.correlate(w.image, WEIGHTS),
    ),
    "sobel": Case(lambda v: ndfilters.sobel(v.image), lambda w: ndimage.sobel(w.image)),
    "median_filter, 3 × 3": Case(
        lambda v: ndfilters.median_filter(v.image, 3), lambda w: ndimage.median_filter(w.image, 3),
        short=True,
    ),
    "percentile_filter, 5 × 5": Case(
        lambda v: ndfilters.percentile_filter(v.image, 30, 5),
        lambda w: ndimage.percentile_filter(w.image, 30, 5),
    ),
    "grey_opening, 5 × 5": Case(
        lambda v: ndmorph.grey_opening(v.image, size=5),
        lambda w: ndimage.grey_opening(w.image, size=5),
    ),
    "binary_opening, 3 times": Case(
        lambda v: ndmorph.binary_opening(v.objects, FULL, iterations=3),
        lambda w: ndimage.binary_opening(w.objects, FULL, iterations=3),
    ),
    "binary_propagation": Case(
        lambda v: ndmorph.binary_propagation(v.cores, mask=v.objects > 0),
        lambda w: ndimage.binary_propagation(w.cores, mask=w.objects > 0),
    ),
    "binary_fill_holes": Case(
        lambda v: ndmorph.binary_fill_holes(v.rings.astype("i4")),
        lambda w: ndimage.binary_fill_holes(w.rings),
    ),
    "distance_transform_edt": Case(
        lambda v: ndmorph.distance_transform_edt(v.objects),
        lambda w: ndimage.distance_transform_edt(w.objects),
    ),
    "distance_transform_cdt": Case(
        lambda v: ndmorph.distance_transform_cdt(v.objects),
        lambda w: ndimage.distance_transform_cdt(w.objects),
    ),
    "label": Case(lambda v: ndmeasure.label(v.objects > 0)[0], _numbered),
    "merge_labels": Case(
        lambda v: ndmeasure.merge_labels_across_chunk_boundaries(v.objects), _numbered
    ),
    "relabel_sequential": Case(lambda v: ndmeasure.relabel_sequential(v.objects), _numbered),
    "join_segmentations": Case(
        lambda v: segmentation.join_segmentations(v.objects, v.corners),
        lambda w: np.where(w.objects, 2 * _numbered(w) - 1 + w.corners, 0),
    ),
    "watershed": Case(
        lambda v: segmentation.watershed(v.image, v.cores, mask=v.objects > 0),
        lambda w: np.where(ndimage.binary_propagation(w.cores, mask=w.objects > 0), w.objects, 0),
    ),
    "reconstruction": Case(
        lambda v: segmentation.reconstruction(
            da.where(v.cores > 0, v.image, 0), da.where(v.objects > 0, v.image, 0)
        ),
        _reconstructed,
    ),
    "local_maxima": Case(lambda v: segmentation.local_maxima(v.image), _is_greatest),
    "map_coordinates, reach=3": Case(
        lambda v: ndinterp.map_coordinates(v.image, v.coordinates, order=1, reach=3),
        lambda w: w.image_at(_strayed(w.rows, w.columns)), pixel=20, short=True,
    ),
    "map_coordinates": Case(
        lambda v: ndinterp.map_coordinates(v.image, v.coordinates, order=1),
        lambda w: w.image_at(_strayed(w.rows, w.columns)), pixel=20,
    ),
    "shift, order 3": Case(
        lambda v: ndinterp.shift(v.image, 0.5, order=3), lambda w: ndimage.shift(w.image, 0.5)
    ),
    "rotate by 30°": Case(lambda v: ndinterp.rotate(v.image, 30, reshape=False), _rotated),
    "zoom by a half": Case(
        lambda v: ndinterp.zoom(v.image, 0.5, order=1),
        lambda w: w.image_at(w.positions * ((w.side - 1) / (w.side // 2 - 1))),
    ),
    "spline_filter": Case(
        lambda v: ndinterp.spline_filter(v.image, output="f4"),
        lambda w: ndimage.spline_filter(w.image),
    ),
    "fourier_gaussian": Case(lambda v: ndfourier.fourier_gaussian(v.image, 2), _in_fourier_space),
    "local_mean, 64 × 64": Case(
        lambda v: local_statistics.local_mean(v.image, 64, interpolate=None), _mean_of_boxes,
    ),
    "subtract_background": Case(
        lambda v: local_statistics.subtract_background(v.image, 5, "white_tophat"),
        lambda w: ndimage.white_tophat(w.image, size=5),
    ),
    "fill_missing": Case(lambda v: ndfilters.fill_missing(v.image, v.whole), _filled),
    "imread": Case(lambda v: imread.imread(v.file())[0], lambda w: w.image),
    "assemble": Case(
        lambda v: imread.assemble(v.tiles(16), overlap=16, blend="linear"), lambda w: w.image
    ),
}  # fmt: skip


def _of_labels(function, *args, **keywords):
    return lambda v: function(v.image, v.objects, "all", *args, **keywords)


def _table(v):
    table = ndmeasure.regionprops_table(v.objects, v.image, ["label", "area", "intensity_mean"])
    return table["intensity_mean"], table["label"]


LABELLED = {
    "mean by label": Case(_of_labels(ndmeasure.mean), np.mean, short=True),
    "standard_deviation by label": Case(_of_labels(ndmeasure.standard_deviation), np.std),
    "maximum by label": Case(_of_labels(ndmeasure.maximum), np.max),
    "median by label": Case(_of_labels(ndmeasure.median), np.median, short=True),
    "labeled_comprehension": Case(
        _of_labels(ndmeasure.labeled_comprehension, np.ptp, float, 0), np.ptp
    ),
    "regionprops_table": Case(_table, np.mean),
}

VOLUMES = {
    "gaussian_filter, 3-D": Case(
        lambda v: ndfilters.gaussian_filter(v.image, 1),
        lambda w: ndimage.gaussian_filter(w.image, 1), ndim=3,
    ),
    "label, 3-D": Case(lambda v: ndmeasure.label(v.objects > 0)[0], _numbered, ndim=3),
    "local_maxima, 3-D": Case(
        lambda v: segmentation.local_maxima(v.image), _is_greatest, ndim=3
    ),
    "fill_missing, 3-D": Case(
        lambda v: ndfilters.fill_missing(v.image, v.objects > 0), _filled_between, ndim=3
    ),
    "watershed, 3-D": Case(
        lambda v: segmentation.watershed(v.ridges, v.objects), _flooded, ndim=3
    ),
    "watershed of noise, 3-D": Case(
        lambda v: segmentation.watershed(v.image), _basins, ndim=3, caps=2, numbered=True
    ),
}  # fmt: skip

# Of these there is one result for all of the image.
SINGLE = {
    "threshold_otsu": Case(lambda v: segmentation.threshold_otsu(v.few), _otsu, pixel=1),
    "histogram": Case(lambda v: ndmeasure.histogram(v.few, 0, 256, 16), _histogram, pixel=1),
}

CASES = WINDOWED | LABELLED | SINGLE | VOLUMES
