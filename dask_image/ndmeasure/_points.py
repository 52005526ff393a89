"""Measure an image at points, and count points by region."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from dask_image._utils.arguments import normalize_flag, normalize_string
from dask_image._utils.arrays import as_dask_array, channels_last
from dask_image._utils.backend import numpy_only
from dask_image._utils.dataframes import frame_from_delayed, require_dataframe
from dask_image._utils.engines.gather_points import pixels_at
from dask_image._utils.engines.graph import delayed_blocks, delayed_call
from dask_image._utils.engines.label_reduction import (
    COUNTS,
    gather,
    labels_present,
    reduce_labels,
)
from dask_image._utils.labels import LabelledImage, as_label_image, as_selection
from dask_image._utils.points import as_points
from dask_image._utils.typing import (
    AllLabels,
    Array,
    ArrayLike,
    Index,
    Integer,
    PerLabel,
)
from dask_image.ndmeasure._catalogue import AREA

# Positions of points in their table mean nothing.
COUNT = replace(AREA, family=COUNTS)

if TYPE_CHECKING:
    from dask.dataframe import DataFrame


@overload
def points_table(
    points: ArrayLike, label_image: ArrayLike | None = ..., intensity_image: ArrayLike | None = ...,
    *, channel_axis: Integer | None = ..., separator: str = ..., as_frame: Literal[False] = ...,
) -> dict[str, Array]: ...  # fmt: skip
@overload
def points_table(
    points: ArrayLike, label_image: ArrayLike | None = ..., intensity_image: ArrayLike | None = ...,
    *, channel_axis: Integer | None = ..., separator: str = ..., as_frame: Literal[True],
) -> DataFrame: ...  # fmt: skip
@numpy_only
def points_table(
    points: ArrayLike,
    label_image: ArrayLike | None = None,
    intensity_image: ArrayLike | None = None,
    *,
    channel_axis: Integer | None = None,
    separator: str = "-",
    as_frame: bool = False,
) -> dict[str, Array] | DataFrame:
    """
    Tell of each point where it lies: its position, the label there, and the intensity.

    What `regionprops_table` is for objects, for points: those that
    `dask_image.segmentation.peak_local_max` or ``blob_log`` find, or that come from elsewhere.

    Parameters
    ----------
    points : array_like or DataFrame
        Shape (n, ndim), a row a point, in pixels: NumPy, pandas or Dask, of known or unknown
        length. A pixel reaches half a pixel around its whole number.
    label_image : array_like, optional
        Labels, integer or boolean.
    intensity_image : array_like, optional
        Real values, of the same axes; or with one more, the last, for channels, each of which
        then has a column: ``intensity-0`` is that of the first.
    channel_axis : int, optional
        Which axis of ``intensity_image`` has the channels, if it is not the last.
    separator : str, optional
        Stands between a name and a number in names like ``position-0``.
    as_frame : bool, optional
        Return a Dask DataFrame rather than a dict of arrays.

    Returns
    -------
    dict of dask.array.Array, or dask.dataframe.DataFrame
        One row for each point, in their order and chunks, of unknown length if theirs is.
        ``position-0`` and so on, of the dtype of ``points``; ``label``, of that of the labels,
        0 outside of them; ``intensity``, float64, NaN outside. The partitions of a frame
        each count their rows from 0; it needs the extra ``dataframe``.

    Raises
    ------
    ValueError
        If there is neither image, or shapes do not fit.
    TypeError
        If the labels are not integers or booleans, points or intensities are complex.
    ImportError
        If a DataFrame is wanted and ``dask.dataframe`` is missing.

    See Also
    --------
    count_points : How many points lie in each region.
    regionprops_table : The same for objects.
    dask_image.ndinterp.map_coordinates : Interpolate between pixels, at ``points.T``.
    dask_image.ndinterp.transform_points : Move points to where another image has them.

    Notes
    -----
    Which blocks of the images points need is found out when their tasks run: any part of a
    column waits for all points, and each block is read once.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import points_table
    >>> atlas = da.from_array(np.array([[1, 1, 2], [1, 2, 2]]), chunks=2)
    >>> (table,) = dask.compute(points_table([[0, 0.4], [1.2, 2], [5, 0]], atlas, atlas / 2))
    >>> {name: column.tolist() for name, column in table.items()}
    {'position-0': [0.0, 1.2, 5.0], 'position-1': [0.4, 2.0, 0.0], 'label': [1, 2, 0],
     'intensity': [0.5, 1.0, nan]}
    """
    labels = None if label_image is None else as_label_image(label_image)
    points = as_points(points, None if labels is None else labels.ndim)
    channels = _as_channels(intensity_image, channel_axis, points.shape[1], separator)
    if labels is None and not channels:
        raise ValueError("points_table needs a label_image or an intensity_image, got neither")
    normalize_string(separator, "separator")
    as_frame = normalize_flag(as_frame, "as_frame")
    if as_frame:
        require_dataframe("points_table(as_frame=True)")
    columns = {f"position{separator}{axis}": points[:, axis] for axis in range(points.shape[1])}
    if labels is not None:
        columns["label"] = pixels_at(labels, points.T, 0, labels.dtype, "points_table")
    for name, image in channels.items():
        columns[name] = pixels_at(image, points.T, np.nan, np.float64, "points_table")
    return _frame(columns) if as_frame else columns


def _as_channels(intensity_image, channel_axis, ndim, separator):
    """Return the images of all channels by the name of their columns."""
    if intensity_image is None:
        return {}
    image = as_dask_array(intensity_image, "intensity_image")
    if image.dtype.kind == "c":
        raise TypeError(f"intensity_image must hold real numbers, got dtype {image.dtype}")
    image = channels_last(image, channel_axis)
    if image.ndim not in (ndim, ndim + 1) or (channel_axis is not None and image.ndim == ndim):
        raise ValueError(
            "intensity_image must have the axes of points, and may have one more for channels, "
            f"got shape {image.shape} for points of {ndim} coordinates"
        )
    if image.ndim == ndim:
        return {"intensity": image}
    return {f"intensity{separator}{each}": image[..., each] for each in range(image.shape[-1])}


def _frame(columns):
    """Return a Dask DataFrame of columns, one partition a block of points."""
    parts = zip(*(delayed_blocks(column) for column in columns.values()), strict=True)
    names = list(columns)
    frames = [delayed_call("points_table-frame", _as_frame, names, *part) for part in parts]
    return frame_from_delayed(
        frames, _as_frame(names, *(np.empty(0, column.dtype) for column in columns.values()))
    )


def _as_frame(names, *columns):
    import pandas

    return pandas.DataFrame(dict(zip(names, columns, strict=True)))


@overload
def count_points(points: ArrayLike, label_image: ArrayLike, index: AllLabels) -> PerLabel: ...
@overload
def count_points(points: ArrayLike, label_image: ArrayLike, index: Index = ...) -> Array: ...
@numpy_only
def count_points(
    points: ArrayLike, label_image: ArrayLike, index: Index | AllLabels = None
) -> Array | PerLabel:
    """
    Count the points that lie in each region.

    Parameters
    ----------
    points : array_like or DataFrame
        As in `points_table`.
    label_image : array_like
        Labels of the regions, integer or boolean: objects, or an atlas.
    index : None, int, array_like or "all", optional
        As in `mean`: the labels to count for. None counts the points in all regions together.

    Returns
    -------
    dask.array.Array
        int64, of the shape of ``index``; 0 for labels without points.
    If ``index="all"``, a tuple: the above, of unknown length, for all regions in which there
    are points, and their labels.

    Raises
    ------
    TypeError, ValueError
        As `points_table`, and `mean`.

    See Also
    --------
    points_table : In which region each point lies.
    area : How large each region is.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import count_points
    >>> atlas = da.from_array(np.array([[1, 1, 2], [1, 2, 2]]), chunks=2)
    >>> count_points([[0, 0], [0, 1], [1, 2], [9, 9]], atlas, [1, 2, 3]).compute()
    array([2, 1, 0])
    """
    labels = as_label_image(label_image)
    points = as_points(points, labels.ndim)
    found = pixels_at(labels, points.T, 0, labels.dtype, "count_points")
    selection = as_selection(index, LabelledImage(found, found, found.shape))
    merged = reduce_labels(COUNTS, found, pooled=selection.pooled)
    counts = gather(merged, COUNT, selection, "count_points")
    return (counts, labels_present(merged)) if selection.everything else counts
