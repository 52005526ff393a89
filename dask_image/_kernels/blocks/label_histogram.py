"""Count the values of each label of one block into bins."""

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.label_index import find_runs, merge_labels
from dask_image._kernels.blocks.label_intensity import VALUE_TYPES

# Counters for every label and bin replace sorting, up to this many times the pixels.
DENSE_CELLS = 4


def bins_of(values, edges):
    """
    Return the bin each value falls in, as ``np.histogram`` with these edges.

    Parameters
    ----------
    values : numpy.ndarray
        Real values.
    edges : numpy.ndarray
        Ascending edges of the bins; the last bin includes its upper edge.

    Returns
    -------
    numpy.ndarray of int
        Of the shape of ``values``; -1 for what lies in no bin, NaN included.
    """
    if values.dtype.kind in "bui" and values.dtype.itemsize <= 2 and values.size > 1 << 16:
        low = int(np.iinfo(values.dtype).min) if values.dtype.kind == "i" else 0
        every = np.arange(low, low + (1 << 8 * values.dtype.itemsize))
        return _search_bins(every, edges)[values.astype(np.intp) - low]
    with np.errstate(all="ignore"):
        even = 0 < (edges.size - 1) / (edges[-1] - edges[0]) < np.inf
    if even and use_numba() and values.dtype.str[1:] in VALUE_TYPES:
        values = values.astype(VALUE_TYPES[values.dtype.str[1:]], copy=False)
        return kernels.label_loops.even_bins(values.reshape(-1), edges).reshape(values.shape)
    return _search_bins(values, edges)


def _search_bins(values, edges):
    found = np.searchsorted(edges, values, side="right") - 1
    found[values == edges[-1]] = edges.size - 2
    found[found == edges.size - 1] = -1
    return found


def histogram_partial(edges, index, image, location):
    """
    Count the values of each label of a block.

    Parameters
    ----------
    edges : numpy.ndarray
        Edges of the bins.
    index : LabelIndex
        The block's labels.
    image : numpy.ndarray
        The block's values, of the same shape.
    location : BlockLocation
        Where the block lies in the image; makes no difference here.

    Returns
    -------
    dict of numpy.ndarray
        ``labels``, those present; ``cells``, ascending, ``row * bins + bin`` for every
        row of ``labels`` and bin that a value falls in; ``counts``, how many do.
    """
    if index.alone:
        values = image.view(np.uint8) if image.dtype == bool else image
        counts, _ = np.histogram(values, edges)
        cells = np.flatnonzero(counts)
        labels = index.labels_of(np.zeros(1, np.intp))
        return {"labels": labels, "cells": cells, "counts": counts[cells].astype(np.int64)}
    bins, runs = edges.size - 1, find_runs(index)
    found = bins_of(image.reshape(-1), edges)
    cells = np.repeat(runs.slots, np.diff(runs.starts)).astype(np.int64) * bins + found
    return {"labels": runs.labels, **_count_cells(cells[found >= 0], runs.labels.size * bins)}


def _count_cells(cells, size, weights=None):
    """Return the distinct cells of ``size`` and how often, or with what weight, each occurs."""
    if size <= DENSE_CELLS * cells.size:
        counts = np.bincount(cells, weights, size)
        cells = np.flatnonzero(counts)
        return {"cells": cells, "counts": counts[cells].astype(np.int64)}
    cells, inverse = np.unique(cells, return_inverse=True)
    counts = np.bincount(inverse, weights, cells.size)
    return {"cells": cells, "counts": counts.astype(np.int64)}


def merge_histograms(edges, partials):
    """
    Merge partials of `histogram_partial` over the pixels of all.

    Parameters
    ----------
    edges : numpy.ndarray
        Edges of the bins.
    partials : list of dict
        Partials of blocks that share no pixel.

    Returns
    -------
    dict
        As `histogram_partial` gives it for all those blocks at once.
    """
    bins = edges.size - 1
    labels, slots = merge_labels(partials)
    cells = [
        where[partial["cells"] // bins].astype(np.int64) * bins + partial["cells"] % bins
        for partial, where in zip(partials, slots, strict=True)
    ]
    counts = np.concatenate([partial["counts"] for partial in partials])
    return {"labels": labels, **_count_cells(np.concatenate(cells), labels.size * bins, counts)}


def pool_histogram(edges, partial, chosen):
    """
    Put several labels together into one group.

    Parameters
    ----------
    edges : numpy.ndarray
        Edges of the bins.
    partial : dict
        As from `histogram_partial` or `merge_histograms`.
    chosen : numpy.ndarray of bool
        Which of its labels are meant.

    Returns
    -------
    numpy.ndarray of int64
        The counts of the group, one a bin.
    """
    bins = edges.size - 1
    meant = chosen[partial["cells"] // bins]
    cells, counts = partial["cells"][meant] % bins, partial["counts"][meant]
    return np.bincount(cells, counts, bins).astype(np.int64)


def pick_histograms(edges, partial, rows):
    """
    Return the counts of some labels.

    Parameters
    ----------
    edges : numpy.ndarray
        Edges of the bins.
    partial : dict
        As from `histogram_partial` or `merge_histograms`.
    rows : numpy.ndarray of int
        Rows of its ``labels``, in any order, possibly repeated.

    Returns
    -------
    list of numpy.ndarray of int64
        For each row its counts, one a bin.
    """
    bins = edges.size - 1
    starts = np.searchsorted(partial["cells"], rows * bins)
    stops = np.searchsorted(partial["cells"], (rows + 1) * bins)
    histograms = []
    for row, start, stop in zip(rows, starts, stops, strict=True):
        counts = np.zeros(bins, np.int64)
        counts[partial["cells"][start:stop] - row * bins] = partial["counts"][start:stop]
        histograms.append(counts)
    return histograms
