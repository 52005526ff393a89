"""Thresholds that a histogram of the whole image gives."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_flag,
    normalize_integer,
    normalize_number,
)
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.folding import block_limits, fold, merge_limits
from dask_image._utils.typing import Array, ArrayLike, Integer, Real

# A table of so many values (of all of uint16) is kept for each block; wider ranges are looked
# for first.
NARROW_BITS = 16
# Of floats so many different values are told apart, and bins used if there are more.
DISTINCT = 2**16
# A table of so many integers is counted for each block: 128 MiB.
LONGEST_TABLE = 2**24


@numpy_only
def threshold_otsu(image: ArrayLike, nbins: Integer = 256) -> Array:
    """
    Find the threshold that parts two classes of pixels best, by Otsu's method.

    The value of `skimage.filters.threshold_otsu`, lazy.

    Parameters
    ----------
    image : array_like
        Integers or floats, all finite.
    nbins : int, optional
        Bins of the histogram. Integers have a bin for each value, whatever this is.

    Returns
    -------
    dask.array.Array
        0-d: pixels above it are foreground. Of int64 if the image holds integers, else of the
        image's dtype, or float64 for booleans.

    Raises
    ------
    ValueError
        If the image has no pixels; when it is computed, if it holds NaN or infinite values, or
        integers that lie more than 16,777,216 apart.

    See Also
    --------
    skimage.filters.threshold_otsu : The same on NumPy arrays.

    Notes
    -----
    The threshold is the one that makes the variance between the two classes
    largest [1]_. Images of 16 bits or fewer are read once, all others once more
    before, for their range.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE
       Transactions on Systems, Man, and Cybernetics 9, 1979, 62-66.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 2, 1, 9], [2, 8, 9, 1]]), chunks=2)
    >>> threshold = threshold_otsu(image)
    >>> threshold.compute()
    array(2)
    >>> (image > threshold).compute().astype(int)
    array([[0, 0, 0, 1],
           [0, 1, 1, 0]])
    """
    return _threshold(image, nbins, _otsu, "threshold_otsu")


@numpy_only
def threshold_yen(image: ArrayLike, nbins: Integer = 256) -> Array:
    """
    Find the threshold that leaves the two classes of pixels most correlated, by Yen's method.

    The value of `skimage.filters.threshold_yen`, lazy.

    Parameters
    ----------
    image, nbins
        As in `threshold_otsu`.

    Returns
    -------
    dask.array.Array
        As from `threshold_otsu`.

    Raises
    ------
    ValueError
        As `threshold_otsu`.

    See Also
    --------
    skimage.filters.threshold_yen : The same on NumPy arrays.

    Notes
    -----
    After J.-C. Yen, F.-J. Chang, S. Chang, "A new criterion for automatic
    multilevel thresholding", IEEE Transactions on Image Processing 4, 1995, 370-378.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 2, 1, 9], [2, 8, 9, 1]]), chunks=2)
    >>> threshold_yen(image).compute()
    array(2)
    """
    return _threshold(image, nbins, _yen, "threshold_yen")


@numpy_only
def threshold_triangle(image: ArrayLike, nbins: Integer = 256) -> Array:
    """
    Find the threshold at the foot of the histogram's peak, by the triangle method.

    The value of `skimage.filters.threshold_triangle`, lazy.

    Parameters
    ----------
    image, nbins
        As in `threshold_otsu`.

    Returns
    -------
    dask.array.Array
        As from `threshold_otsu`.

    Raises
    ------
    ValueError
        As `threshold_otsu`.

    See Also
    --------
    skimage.filters.threshold_triangle : The same on NumPy arrays.

    Notes
    -----
    The threshold is where the histogram lies farthest below the line from its peak
    to the end of its longer tail: G. W. Zack, W. E. Rogers, S. A. Latt, "Automatic
    measurement of sister chromatid exchange frequency", Journal of Histochemistry
    and Cytochemistry 25, 1977, 741-753.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 2, 1, 9], [2, 8, 1, 1]]), chunks=2)
    >>> threshold_triangle(image).compute()
    array(3)
    """
    return _threshold(image, nbins, _triangle, "threshold_triangle")


@numpy_only
def threshold_isodata(image: ArrayLike, nbins: Integer = 256, return_all: bool = False) -> Array:
    """
    Find the threshold that lies midway between the means of the two classes of pixels.

    The value of `skimage.filters.threshold_isodata`, lazy.

    Parameters
    ----------
    image, nbins
        As in `threshold_otsu`.
    return_all : bool, optional
        Whether to return all such thresholds, rather than the lowest.

    Returns
    -------
    dask.array.Array
        0-d, or 1-d of unknown length if ``return_all``: pixels above it are foreground. Of int64
        if the image holds integers, else of the image's dtype, or float64 for booleans.

    Raises
    ------
    ValueError
        If the image has no pixels; when it is computed, if it holds NaN or infinite values, or
        integers that lie more than 16,777,216 apart.

    See Also
    --------
    skimage.filters.threshold_isodata : The same on NumPy arrays.

    Notes
    -----
    After T. W. Ridler, S. Calvard, "Picture thresholding using an iterative selection
    method", IEEE Transactions on Systems, Man, and Cybernetics 8, 1978, 630-632.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 2, 1, 9], [2, 8, 9, 1]]), chunks=2)
    >>> threshold_isodata(image).compute()
    array(5)
    """
    return_all = normalize_flag(return_all, "return_all")
    shape = (np.nan,) if return_all else ()
    finish = functools.partial(_isodata, return_all=return_all)
    return _threshold(image, nbins, finish, "threshold_isodata", shape)


@numpy_only
def threshold_multiotsu(image: ArrayLike, classes: Integer = 3, nbins: Integer = 256) -> Array:
    """
    Find the thresholds that part several classes of pixels best, by Otsu's method.

    The values of `skimage.filters.threshold_multiotsu`, lazy.

    Parameters
    ----------
    image : array_like
        Integers or floats, all finite.
    classes : int, optional
        How many classes; from 2.
    nbins : int, optional
        Bins of the histogram. Integers have a bin for each value, whatever this is.

    Returns
    -------
    dask.array.Array
        The ``classes - 1`` thresholds, rising. Of int64 if the image holds integers, else of the
        image's dtype, or float64 for booleans.

    Raises
    ------
    ValueError
        If the image has no pixels, or ``classes`` is less than 2; when it is computed, if fewer
        bins than classes hold a pixel, or it holds NaN or infinite values, or integers that lie
        more than 16,777,216 apart.

    See Also
    --------
    skimage.filters.threshold_multiotsu : The same on NumPy arrays.

    Notes
    -----
    The thresholds make the variance between the classes largest, as in P.-S. Liao,
    T.-S. Chen, P.-C. Chung, "A fast algorithm for multilevel thresholding",
    Journal of Information Science and Engineering 17, 2001, 713-727; they are found
    by dynamic programming, in a time that grows with ``classes`` times the square of the
    number of bins. As in scikit-image, variances are float32, and the first bin counts as
    if it lay where the second does, for nothing if it is a class alone.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 2, 1, 9], [5, 5, 9, 1]]), chunks=2)
    >>> threshold_multiotsu(image).compute()
    array([2, 5])
    """
    classes = normalize_integer(classes, "classes", lowest=2)
    finish = functools.partial(_multiotsu, classes=classes)
    return _threshold(image, nbins, finish, "threshold_multiotsu", (classes - 1,))


@numpy_only
def threshold_li(
    image: ArrayLike, *, tolerance: Real | None = None, initial_guess: Real | None = None
) -> Array:
    """
    Find the threshold of least cross entropy between an image and its two classes, by Li's method.

    The value of `skimage.filters.threshold_li`, lazy.

    Parameters
    ----------
    image : array_like
        Integers or floats; values that are not finite are left out.
    tolerance : float, optional
        The search ends when the threshold changes by no more than this. By default
        half the least difference between two values, 0.5 for integers.
    initial_guess : float, optional
        Where the search begins: at the mean by default.

    Returns
    -------
    dask.array.Array
        0-d float64: pixels above it are foreground. NaN if all pixels are.

    Raises
    ------
    ValueError
        If the image has no pixels; when it is computed, if ``initial_guess`` is out of range.

    See Also
    --------
    skimage.filters.threshold_li : The same on NumPy arrays.

    Notes
    -----
    After C. H. Li, P. K. S. Tam, "An iterative algorithm for minimum cross entropy
    thresholding", Pattern Recognition Letters 19, 1998, 771-776. Of an image that takes
    more than 65,536 different values as many bins are told apart first, then the values near
    the threshold, so that it is scikit-image's but for rounding. Floats, and integers of more
    than 16 bits, are read three times.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 2, 1, 9], [2, 8, 9, 1]]), chunks=2)
    >>> threshold_li(image).compute().round(3)
    np.float64(3.461)
    """
    image = _as_countable(image)
    # Nothing changes by less than 0: the search would not end.
    if tolerance is not None and not normalize_number(tolerance, "tolerance") >= 0:
        raise ArgumentError(f"tolerance must be at least 0, got {tolerance!r}")
    if initial_guess is not None:
        initial_guess = normalize_number(initial_guess, "initial_guess")
    finish = functools.partial(
        _li, tolerance=tolerance, initial_guess=initial_guess, kind=image.dtype.kind
    )
    name = "threshold_li"
    if image.dtype.kind == "b":
        image = image.astype(np.uint8)
    if image.dtype.kind != "f" and image.dtype.itemsize * 8 <= NARROW_BITS:
        table = _histogram(image, 1, name)
        return table.array(name, finish, np.float64)
    limits = fold([image], _finite_limits, merge_limits, name, "range")
    coarse = fold([limits.again(image)], _tabulate, _merge_tables, name, "histogram", after=limits)
    fine = fold(
        [coarse.again(image)],
        functools.partial(_tabulate_near, find=finish),
        _merge_near,
        name,
        "refine",
        after=coarse,
    )
    return fine.array(name, finish, np.float64)


def _as_countable(image):
    image = as_image(image)
    if image.size == 0:
        raise ArgumentError(f"image must have pixels, got shape {image.shape}")
    return image


def _threshold(image, nbins, finish, name, shape=()):
    """Return what a function makes of the histogram of an image."""
    image = _as_countable(image)
    nbins = normalize_integer(nbins, "nbins", lowest=1)
    if image.dtype.kind in "iu":
        dtype = np.dtype(np.int64)
    else:
        dtype = image.dtype if image.dtype.kind == "f" else np.dtype(np.float64)
    histogram = _histogram(image, nbins, name)
    return histogram.array(name, finish, dtype, shape)


def _histogram(image, nbins, name):
    """Count the values of an image, in bins if they are floats."""
    if image.dtype.kind in "iu" and image.dtype.itemsize * 8 <= NARROW_BITS:
        return fold([image], _count_narrow, _merge_counts, name, "histogram")
    limits = fold([image], block_limits, merge_limits, name, "range")
    measure = functools.partial(_count_in_range, nbins=nbins)
    return fold([limits.again(image)], measure, _merge_counts, name, "histogram", after=limits)


# ---------------------------------------------------------------------------------------
# Histograms: counts and the values that they count, without empty ends


def _count_narrow(start, block):
    """Count the values of a block: all that the dtype has."""
    lowest = int(np.iinfo(block.dtype).min)
    shifted = block.ravel().astype(np.int32) - np.int32(lowest)
    return np.bincount(shifted, minlength=2 ** (8 * block.dtype.itemsize)), lowest


def _count_in_range(start, block, limits, nbins):
    """Count the values of a block, integers each by itself and floats in bins of the range."""
    if block.dtype.kind in "iu":
        low, high = (int(limit) for limit in limits)
        if high - low >= LONGEST_TABLE:
            raise ValueError(
                f"image must hold integers of at most {LONGEST_TABLE} values in a row, as each has "
                f"a bin, got {low} to {high}; image.astype(float) has nbins bins"
            )
        if high >= 2**63:
            raise ValueError(
                f"image must hold integers below 2**63, as thresholds are int64, got {high}; "
                "image.astype(float) has nbins bins"
            )
        shifted = (block.ravel() - block.dtype.type(low)).astype(np.int64, copy=False)
        return np.bincount(shifted, minlength=high - low + 1), low
    if not np.isfinite(limits).all():
        raise ValueError(f"image must hold finite values, got {limits[0]} to {limits[1]}")
    if block.dtype.kind == "b":
        block, limits = block.view(np.uint8), tuple(np.uint8(limit) for limit in limits)
    counts, edges = np.histogram(block, bins=nbins, range=limits)
    return counts, edges, *limits


def _merge_counts(parts):
    return sum(part[0] for part in parts), *parts[0][1:]


def _trimmed(histogram):
    """Return counts and the values that they count, the middles of bins of floats."""
    counts, edges = histogram[:2]
    if np.ndim(edges):
        return counts, (edges[:-1] + edges[1:]) / 2.0
    filled = np.flatnonzero(counts)
    first, last = filled[0], filled[-1]
    return counts[first : last + 1], np.arange(edges + first, edges + last + 1)


# ---------------------------------------------------------------------------------------
# Thresholds, in single precision where scikit-image computes so


def _is_constant(histogram):
    """Tell whether bins of floats were made for one value, which is the middle of none."""
    return len(histogram) > 2 and histogram[2] == histogram[3]


def _otsu(histogram):
    counts, values = _trimmed(histogram)
    if _is_constant(histogram):
        return histogram[2]
    if counts.size == 1:
        return values[0]
    counts = counts.astype(np.float32)
    weighted = counts * values
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(weighted) / below
    mean_above = (np.cumsum(weighted[::-1]) / above[::-1])[::-1]
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return values[np.argmax(between)]


def _yen(histogram):
    counts, values = _trimmed(histogram)
    if values.size == 1:
        return values[0]
    counts = counts.astype(np.float32)
    share = counts / counts.sum()
    below = np.cumsum(share)
    squares_below = np.cumsum(share**2)
    squares_above = np.cumsum(share[::-1] ** 2)[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.log(
            ((squares_below[:-1] * squares_above[1:]) ** -1)
            * (below[:-1] * (1.0 - below[:-1])) ** 2
        )
    return values[np.argmax(correlation)]


def _triangle(histogram):
    counts, values = _trimmed(histogram)
    peak = int(np.argmax(counts))
    low, high = np.flatnonzero(counts)[[0, -1]]
    if low == high:
        return histogram[2] if _is_constant(histogram) else values[low]
    flipped = peak - low < high - peak
    if flipped:
        counts = counts[::-1]
        low, peak = counts.size - high - 1, counts.size - peak - 1
    along = np.arange(peak - low)
    norm = np.sqrt(counts[peak] ** 2 + along.size**2)
    distance = counts[peak] / norm * along - along.size / norm * counts[along + low]
    level = int(np.argmax(distance)) + low
    return values[counts.size - level - 1 if flipped else level]


def _isodata(histogram, return_all):
    counts, values = _trimmed(histogram)
    if _is_constant(histogram):
        values = np.array([histogram[2]])
    if values.size == 1:
        return values if return_all else values[0]
    counts = counts.astype(np.float32)
    below = np.cumsum(counts)
    above = below[-1] - below
    weighted = np.cumsum(counts * values)
    mean_below = weighted[:-1] / below[:-1]
    mean_above = (weighted[-1] - weighted[:-1]) / above[:-1]
    beyond = (mean_below + mean_above) / 2.0 - values[:-1]
    found = values[:-1][(beyond >= 0) & (beyond < values[1] - values[0])]
    return found if return_all else found[0]


def _multiotsu(histogram, classes):
    counts, values = _trimmed(histogram)
    filled = np.flatnonzero(counts)
    if filled.size < classes:
        raise ValueError(
            f"image must have values in at least {classes} bins, one for each class, "
            f"got {filled.size}"
        )
    if filled.size == classes:
        return values[filled[:-1]]
    # As scikit-image has it: in float32, the first bin lies where the second does, and is worth
    # nothing alone.
    shares = np.insert(counts / counts.sum(), 0, 0).astype(np.float32)
    positions = np.maximum(np.arange(-1, counts.size), 1).astype(np.float32)
    share, moment = np.cumsum(shares), np.cumsum(shares * positions)
    # The most that the last classes can contribute, if they begin at each of the bins.
    best, cuts = _between(share, moment, np.arange(counts.size), counts.size), []
    for _ in range(classes - 1):
        following, cut = np.full(counts.size, -np.inf, np.float32), np.zeros(counts.size, int)
        for first in range(counts.size - 1):
            ends = np.arange(first + 1, counts.size)
            total = _between(share, moment, first, ends) + best[ends]
            cut[first] = first + 1 + np.argmax(total)
            following[first] = total.max()
        best = following
        cuts.append(cut)
    thresholds, first = [], 0
    for cut in reversed(cuts):
        first = cut[first]
        thresholds.append(first - 1)
    return values[thresholds]


def _between(share, moment, first, end):
    """Return what a class of bins ``[first, end)`` adds to the variance between classes."""
    weight = share[end] - share[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (moment[end] - moment[first]) ** 2 / weight
    return np.where((weight > 0) & (np.asarray(end) > 1), variance, 0)


# ---------------------------------------------------------------------------------------
# Li's method


@dataclass(frozen=True)
class Table:
    """
    The values of an image, or of bins of it, their number and their sum.

    Attributes
    ----------
    values, counts, sums : numpy.ndarray
        Values rise.
    odd : frozenset
        Which infinite values there are.
    limits : tuple or None
        The least and the greatest finite value.
    exact : bool
        Whether all values are told apart.
    """

    values: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    odd: frozenset[float] = frozenset()
    limits: tuple[Any, Any] | None = None
    exact: bool = True

    def in_bins(self):
        """Return the table with values in one bin put together, if there are too many."""
        if self.values.size <= DISTINCT:
            return self
        low, high = (float(limit) for limit in self.limits)
        bins = np.floor((self.values - low) * (DISTINCT / (high - low))).clip(0, DISTINCT - 1)
        _, starts = np.unique(bins, return_index=True)
        counts, sums = (np.add.reduceat(each, starts) for each in (self.counts, self.sums))
        values = (sums / counts).astype(self.values.dtype)
        return replace(self, values=values, counts=counts, sums=sums, exact=False)


def _finite_limits(start, block):
    """Return the range of the finite values; None if there are none."""
    block = block[np.isfinite(block)]
    return (block.min(), block.max()) if block.size else None


def _tabulate(start, block, limits):
    finite = np.isfinite(block)
    odd = frozenset(block[~finite & ~np.isnan(block)].tolist())
    values, counts = np.unique(block[finite], return_counts=True)
    return Table(values, counts, values.astype(np.float64) * counts, odd, limits).in_bins()


def _merge_tables(tables):
    values, inverse = np.unique(
        np.concatenate([table.values for table in tables]), return_inverse=True
    )
    counts, sums = (
        np.bincount(
            inverse, np.concatenate([getattr(table, name) for table in tables]), values.size
        )
        for name in ("counts", "sums")
    )
    odd = frozenset().union(*(table.odd for table in tables))
    exact = all(table.exact for table in tables)
    return Table(values, counts, sums, odd, tables[0].limits, exact).in_bins()


def _tabulate_near(start, block, coarse, find):
    """
    Tell values apart that lie close to the threshold that a coarse table gives.

    All those below them are put together in one row of the table, and all those above.
    """
    if coarse.exact:
        return coarse
    middle, width = find(coarse), 8 * (float(coarse.limits[1]) - float(coarse.limits[0])) / DISTINCT
    block = block[np.isfinite(block)].ravel()
    below, above = block < middle - width, block > middle + width
    values, counts = np.unique(block[~(below | above)], return_counts=True)
    sums = values.astype(np.float64) * counts
    ends = [np.array([part.sum()]) for part in (below, above)]
    totals = [np.array([block[part].sum(dtype=np.float64)]) for part in (below, above)]
    lowest, highest = (np.array([limit], block.dtype) for limit in coarse.limits)
    return Table(
        np.concatenate([lowest, values, highest]), np.concatenate([ends[0], counts, ends[1]]),
        np.concatenate([totals[0], sums, totals[1]]), coarse.odd, coarse.limits, exact=False,
    )  # fmt: skip


def _merge_near(tables):
    return tables[0] if tables[0].exact else _merge_tables(tables)


def _li(table, tolerance, initial_guess, kind):
    if not isinstance(table, Table):
        counts, values = _trimmed(table)
        table = Table(values[counts > 0], counts[counts > 0], (counts * values)[counts > 0])
    values, odd = table.values, sorted(table.odd)
    if values.size == 0:
        return np.nan if not odd else odd[0] if len(odd) == 1 else 0.0
    if values.size == 1:
        return values[0]
    lowest = float(values[0])
    levels, sums = values.astype(np.float64) - lowest, table.sums - table.counts * lowest
    if not tolerance:
        tolerance = 0.5 if kind in "iu" else np.diff(levels).min() / 2
    below, count = np.cumsum(sums), np.cumsum(table.counts)
    following = below[-1] / count[-1]
    if initial_guess is not None:
        following = initial_guess - lowest
        if not 0 < following < levels[-1]:
            raise ValueError(
                f"initial_guess must lie within the range of the image, {values[0]} to "
                f"{values[-1]}, got {initial_guess}"
            )
    current = -2 * tolerance
    while abs(following - current) > tolerance:
        current = following
        last = np.searchsorted(levels, current, side="right") - 1
        mean_below = below[last] / count[last]
        mean_above = (below[-1] - below[last]) / (count[-1] - count[last])
        if mean_below == 0:
            break
        following = (mean_below - mean_above) / (np.log(mean_below) - np.log(mean_above))
    return following + lowest
