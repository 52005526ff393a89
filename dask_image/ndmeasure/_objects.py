"""Bounding boxes of labels, as slices."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from dask.delayed import Delayed

from dask_image._utils.arguments import normalize_integer
from dask_image._utils.backend import numpy_only
from dask_image._utils.dataframes import frame_from_delayed, require_dataframe
from dask_image._utils.engines.label_ranges import count_ranges, merge_in_ranges
from dask_image._utils.engines.label_reduction import GEOMETRY, measure_blocks, reduce_labels
from dask_image._utils.labels import as_label_image
from dask_image._utils.typing import ArrayLike, Integer

if TYPE_CHECKING:
    from dask.dataframe import DataFrame

# A slice, its two numbers, and the reference to it.
BYTES_A_SLICE = 128


@numpy_only
def find_objects(label_image: ArrayLike) -> DataFrame:
    """
    Find the bounding box of every label.

    The lazy twin of `scipy.ndimage.find_objects`, as a table: labels may be
    sparse, and a table has no entries for those that are missing.

    Parameters
    ----------
    label_image : array_like
        Labels, integer or boolean; 0 and below are background.

    Returns
    -------
    dask.dataframe.DataFrame
        Indexed by the labels there are, ascending. Columns 0 … ndim - 1 hold
        ``slice`` objects: where the object lies along each axis. Large images give several
        partitions, each of a range of labels (option ``dask-image.partition.memory``).

    Raises
    ------
    TypeError
        If the labels are not integers or booleans.
    ImportError
        If ``dask.dataframe`` is missing (extra ``dataframe``).

    See Also
    --------
    regionprops_table, dask_image.ndimage.find_objects

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import find_objects
    >>> label_image = np.zeros((4, 6), int)
    >>> label_image[1:3, 1:5] = 7
    >>> found = find_objects(da.from_array(label_image, chunks=2))
    >>> found.columns.tolist()
    [0, 1]
    >>> found.compute().loc[7].tolist()
    [slice(1, 3, None), slice(1, 5, None)]
    """
    require_dataframe("find_objects")
    label_image = as_label_image(label_image)
    ranges = count_ranges(label_image, BYTES_A_SLICE * label_image.ndim)
    measured = [measure_blocks(GEOMETRY, label_image)]
    found = merge_in_ranges(measured, ranges, "find_objects")
    return frame_from_delayed(
        found.apply("find_objects", _frame_of_slices).delayed(),
        _as_frame(np.empty(0, label_image.dtype), [[]] * label_image.ndim),
    )


@functools.partial(numpy_only, name="find_objects")
def find_objects_list(label_image: ArrayLike, max_label: Integer = 0) -> Delayed:
    """
    Find the bounding box of every label, as SciPy returns them.

    Parameters
    ----------
    label_image : array_like
        Labels, integer or boolean.
    max_label : int, optional
        The last label to look for; all if it is below 1.

    Returns
    -------
    dask.delayed.Delayed
        Of a list with a tuple of slices for each label from 1, None where there
        is no such label.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``max_label`` is no integer.
    """
    max_label = normalize_integer(max_label, "max_label")
    merged = reduce_labels(GEOMETRY, as_label_image(label_image))
    return merged.apply("find_objects", _list_of_slices, max_label)


def _slices(partial, chosen):
    """Return a list of slices for each axis."""
    return [
        list(map(slice, lower.tolist(), upper.tolist()))
        for lower, upper in zip(partial["lower"][chosen].T, partial["upper"][chosen].T, strict=True)
    ]


def _frame_of_slices(partials):
    return _as_frame(partials[0]["labels"], _slices(partials[0], slice(None)))


def _as_frame(labels, columns):
    """Return the DataFrame that has the lists of objects ``columns``, indexed by ``labels``."""
    import pandas

    if labels.dtype.kind == "b":
        labels = labels.astype(np.uint8)
    filled = {}
    for number, values in enumerate(columns):
        filled[number] = np.empty(len(values), object)
        filled[number][:] = values
    return pandas.DataFrame(filled, index=labels, columns=range(len(columns)), dtype=object)


def _list_of_slices(partial, max_label):
    labels = partial["labels"]
    if max_label < 1:
        max_label = max(int(labels[-1]), 0) if labels.size else 0
    objects = (labels > 0) & (labels <= max_label)
    found = [None] * max_label
    slices = _slices(partial, objects)
    boxes = zip(*slices, strict=True) if slices else [()] * int(np.count_nonzero(objects))
    for label, box in zip(labels[objects].tolist(), boxes, strict=True):
        found[label - 1] = box
    return found
