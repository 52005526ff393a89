"""Dask DataFrames of measurements, if the extra ``dataframe`` is installed."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import dask
from dask.delayed import Delayed

if TYPE_CHECKING:
    from dask.dataframe import DataFrame


def require_dataframe(function: str) -> ModuleType:
    """
    Return the module ``dask.dataframe``.

    Parameters
    ----------
    function : str
        What needs it, for the error message.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it, or what it needs, is not installed.
    """
    try:
        import dask.dataframe
        import pandas  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{function} makes a Dask DataFrame, which needs the extra 'dataframe': "
            f"pip install 'dask-image[dataframe]' ({error})"
        ) from error
    return dask.dataframe


def frame_from_delayed(delayed: Delayed | list[Delayed], meta: Any) -> DataFrame:
    """
    Return a Dask DataFrame of one partition, or of several.

    Parameters
    ----------
    delayed : dask.delayed.Delayed or list of them
        A pandas DataFrame, or one for each partition.
    meta : pandas.DataFrame
        An empty one with the same columns and dtypes.

    Returns
    -------
    dask.dataframe.DataFrame
    """
    # Where pyarrow is installed, Dask turns columns of objects, such as slices, into strings.
    with dask.config.set({"dataframe.convert-string": False}):
        parts = delayed if isinstance(delayed, list) else [delayed]
        return dask.dataframe.from_delayed(parts, meta=meta, verify_meta=False)
