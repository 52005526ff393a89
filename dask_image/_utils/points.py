"""Points: tables with a row a point and a column an axis, in pixels."""

from __future__ import annotations

import dask.array as da
import numpy as np

from dask_image._utils.arguments import ArgumentError
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.typing import Array, ArrayLike


def as_points(points: ArrayLike, ndim: int | None = None) -> Array:
    """
    Return points as a Dask array of shape (n, ndim) with one block along its last axis.

    Parameters
    ----------
    points : array_like or DataFrame
        Rows of real numbers; the number of rows may be unknown. Of a DataFrame, of Dask or
        pandas, the columns are the axes.
    ndim : int, optional
        How many columns there must be; any by default.

    Raises
    ------
    ValueError
        If the shape is another one.
    TypeError
        If there is anything but real numbers.
    """
    if hasattr(points, "to_dask_array"):
        points = points.to_dask_array()
    elif hasattr(points, "to_numpy"):
        points = points.to_numpy()
    if isinstance(points, (list, tuple)) and not len(points):
        points = np.empty((0, ndim or 0))
    array = as_dask_array(points, "points", known=False)
    if array.dtype.kind == "c":
        raise TypeError(f"points must be real numbers, got dtype {array.dtype}")
    if array.ndim != 2 or (ndim is not None and array.shape[1] != ndim):
        columns = "ndim" if ndim is None else ndim
        raise ArgumentError(
            f"points must have shape (n, {columns}), a row for each point and a column for each "
            f"axis, got {array.shape}"
        )
    return array if array.numblocks[1] == 1 else da.rechunk(array, {1: -1})
