"""
Where the labels of a block lie: counts, boxes, and moments of coordinates.

A block of labels is cut into runs: stretches of a row (the last axis) that hold one label.
What is measured then costs a step a run rather than a pixel.
"""

from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.label_columns import (
    FIRST,
    LOWER,
    OFFSETS,
    PIXELS,
    UPPER,
    BlockLocation,
)
from dask_image._kernels.blocks.label_index import find_runs, merge_labels, row_coordinates
from dask_image._kernels.patience import patient


class Geometry(NamedTuple):
    """What a partial of `geometry_partial` has of each label, as kernels take it."""

    count: Any
    lower: Any
    upper: Any
    coordinates: Any
    products: Any

    @classmethod
    def of(cls, partial):
        """Return the arrays of a partial."""
        return cls(*(partial[field] for field in cls._fields))


def geometry_partial(index, location, moments=False):
    """
    Measure where each label of a block lies.

    Parameters
    ----------
    index : LabelIndex
        The block's labels.
    location : BlockLocation
        Where the block lies in the image.
    moments : bool, optional
        Whether ``products`` are wanted. Without them there are no columns.

    Returns
    -------
    dict of numpy.ndarray
        One row a label: ``labels``; ``count``, its pixels (int64); ``lower`` and ``upper``,
        the bounding box (``upper`` excluded; int32 if coordinates fit); ``coordinates``, the
        sum of the coordinates on each axis (int64), all in the whole image; ``products``,
        sums over its pixels of products of coordinates about their mean, for the pairs of
        axes (0, 0), (0, 1), …, (1, 1), … (float64).
    """
    runs = find_runs(index)
    count, ndim = runs.labels.size, len(runs.shape)
    boxes = np.zeros((count, 3, ndim), np.int64)  # LOWER, UPPER, FIRST
    # Relative to the first pixel sums stay small, and exact, as integers are.
    pairs = OFFSETS + ndim
    sums = np.zeros((count, pairs + ndim * (ndim + 1) // 2), np.int64)
    if count:
        rows = row_coordinates(runs.shape, BlockLocation((0,) * ndim, runs.shape))
        columns = runs.shape[-1] if ndim else 1
        _measure_runs(runs.slots, runs.starts, columns, rows, boxes, sums)
    boxes += np.array(location.origin, np.int64)
    pixels, relative = sums[:, PIXELS, None], sums[:, OFFSETS:pairs]
    products = np.empty((count, 0))
    if moments:
        products = sums[:, pairs:].astype(np.float64)
        first, second = np.triu_indices(ndim)
        products -= relative[:, first] / np.maximum(pixels, 1) * relative[:, second]
    corner = _corner_type(location.image_shape)
    return {
        "labels": runs.labels,
        "count": sums[:, PIXELS].copy(),
        "lower": boxes[:, LOWER].astype(corner),
        "upper": boxes[:, UPPER].astype(corner),
        "coordinates": relative + pixels * boxes[:, FIRST],
        "products": products,
    }


def _corner_type(shape):
    """
    Return the dtype of corners of boxes: there may be one for each of many millions of labels.
    """
    # On axes whose ends meet, boxes may reach over the end of the image.
    small = 2 * max(shape, default=0) <= np.iinfo(np.int32).max
    return np.int32 if small else np.int64


def counts_partial(index, location):
    """Count the pixels of each label of a block: ``labels`` and ``count``, int64."""
    runs = find_runs(index)
    # Sums of whole numbers are exact in double precision, as far as memory reaches.
    count = np.bincount(runs.slots, np.diff(runs.starts), runs.labels.size)
    return {"labels": runs.labels, "count": count.astype(np.int64)}


def merge_counts(partials):
    """Merge partials of `counts_partial`."""
    labels, slots = merge_labels(partials)
    count = np.zeros(labels.size, np.int64)
    for partial, where in zip(partials, slots, strict=True):
        count[where] += partial["count"]  # a partial has each label once
    return {"labels": labels, "count": count}


def pool_counts(partial, chosen):
    """Put several labels together: no row if nothing is chosen."""
    count = partial["count"][chosen]
    return {"count": count.sum(keepdims=True) if count.size else count}


@patient
def _measure_runs(slots, starts, columns, rows, boxes, sums):
    """Write the boxes of labels, and sums over their pixels; what sums hold are whole numbers."""
    ndim = boxes.shape[2]
    if use_numba():
        kernels.label_loops.measure_runs(slots, starts, columns, rows, boxes, sums)
        return
    starts, length = starts[:-1], np.diff(starts)
    np.add.at(sums[:, PIXELS], slots, length)
    if ndim == 0:
        return
    lower = np.column_stack([rows[starts // columns], starts % columns])
    upper = lower + 1
    upper[:, -1] += length - 1
    for side, boxed, corner in ((LOWER, np.minimum, lower), (UPPER, np.maximum, upper)):
        boxes[slots, side] = corner
        for axis in range(ndim):
            boxed.at(boxes[:, side, axis], slots, corner[:, axis])
    boxes[slots[::-1], FIRST] = lower[::-1]  # the first run is written last, and stays
    apart = lower - boxes[slots, FIRST]
    along = length * apart[:, -1] + length * (length - 1) // 2
    for axis in range(ndim - 1):
        np.add.at(sums[:, OFFSETS + axis], slots, length * apart[:, axis])
    np.add.at(sums[:, OFFSETS + ndim - 1], slots, along)
    for pair, (first, second) in enumerate(zip(*np.triu_indices(ndim), strict=True)):
        if second < ndim - 1:
            product = length * apart[:, first] * apart[:, second]
        elif first < ndim - 1:
            product = along * apart[:, first]
        else:
            squares = (length - 1) * length * (2 * length - 1) // 6
            product = (2 * along - length * apart[:, -1]) * apart[:, -1] + squares
        np.add.at(sums[:, OFFSETS + ndim + pair], slots, product)


def merge_geometry(partials):
    """
    Merge partials of `geometry_partial` over the pixels of all.

    Parameters
    ----------
    partials : list of dict
        Partials of blocks that share no pixel.

    Returns
    -------
    dict
        As `geometry_partial` gives it for all those blocks at once.
    """
    labels, slots = merge_labels(partials)
    merged = {"labels": labels}
    for field, values in partials[0].items():
        if field != "labels":
            merged[field] = np.zeros((labels.size,) + values.shape[1:], values.dtype)
    merged["lower"] += np.iinfo(merged["lower"].dtype).max
    target = Geometry.of(merged)
    for partial, where in zip(partials, slots, strict=True):
        _merge_boxes(where, target, Geometry.of(partial))
    return merged


@patient
def _merge_boxes(where, merged, new):
    if use_numba():
        kernels.label_loops.merge_boxes(where, merged, new)
        return
    if merged.products.shape[1]:
        before, more = merged.count[where][:, None], new.count[:, None]
        apart = new.coordinates / more - merged.coordinates[where] / np.maximum(before, 1)
        first, second = np.triu_indices(apart.shape[1])
        weight = before.astype(np.float64) * more / (before + more)
        merged.products[where] += new.products + weight * apart[:, first] * apart[:, second]
    merged.count[where] += new.count
    merged.coordinates[where] += new.coordinates
    merged.lower[where] = np.minimum(merged.lower[where], new.lower)
    merged.upper[where] = np.maximum(merged.upper[where], new.upper)


def pool_geometry(partial, chosen):
    """
    Put several labels together into one group.

    Parameters
    ----------
    partial : dict
        As from `geometry_partial` or `merge_geometry`.
    chosen : numpy.ndarray of bool
        Which of its labels are meant.

    Returns
    -------
    dict
        The same measurements of a single group; no row if nothing is chosen.
    """
    rows = {field: values[chosen] for field, values in partial.items() if field != "labels"}
    if len(rows["count"]) == 0:
        return rows
    count = rows["count"].sum()
    coordinates = rows["coordinates"].sum(axis=0)
    products = rows["products"]
    if products.shape[1]:
        apart = rows["coordinates"] / rows["count"][:, None] - coordinates / count
        first, second = np.triu_indices(apart.shape[1])
        products = products + rows["count"][:, None] * apart[:, first] * apart[:, second]
    return {
        "count": np.array([count]),
        "lower": rows["lower"].min(axis=0)[None],
        "upper": rows["upper"].max(axis=0)[None],
        "coordinates": coordinates[None],
        "products": products.sum(axis=0)[None],
    }


def shift_geometry(partial, distances):
    """
    Move the pixels of each label.

    Parameters
    ----------
    partial : dict
        As from `geometry_partial` or `merge_geometry`.
    distances : numpy.ndarray of int64
        (n, ndim), how far along each axis.

    Returns
    -------
    dict
    """
    steps = distances.astype(partial["lower"].dtype)
    return partial | {
        "lower": partial["lower"] + steps,
        "upper": partial["upper"] + steps,
        "coordinates": partial["coordinates"] + partial["count"][:, None] * distances,
    }
