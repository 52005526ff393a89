"""The types of arguments that many functions share, under the names that annotations use."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import dask.array as da
import numpy as np
import numpy.typing as npt

__all__ = [
    "AllLabels",
    "Array",
    "ArrayLike",
    "Block",
    "Chunks",
    "ChunksLike",
    "DTypeLike",
    "Dimensions",
    "Extrema",
    "Function",
    "Index",
    "Integer",
    "Labels",
    "Length",
    "Lengths",
    "ModeName",
    "NDArray",
    "NanPolicy",
    "Number",
    "PerAxis",
    "PerDimension",
    "PerLabel",
    "Range",
    "Reach",
    "Real",
    "Shape",
    "Slices",
    "SupportsArray",
]

T = TypeVar("T")

Array: TypeAlias = da.Array
"""What functions return, and engines work on."""


class SupportsArray(Protocol):
    """What NumPy makes an array of: its own arrays and scalars, Dask, xarray, zarr, HDF5."""

    def __array__(self) -> npt.NDArray[Any]:
        """Return the values in memory."""


Integer: TypeAlias = int | np.integer[Any]
Real: TypeAlias = float | np.floating[Any] | np.integer[Any]
Number: TypeAlias = complex | np.number[Any] | np.bool_

ArrayLike: TypeAlias = Array | SupportsArray | complex | list[Any] | tuple[Any, ...]
"""What stands for an image: an array of any kind, numbers in lists, a list of arrays."""

PerAxis: TypeAlias = T | Sequence[T] | npt.NDArray[Any]
"""One value for all axes, or one for each of them."""

ModeName: TypeAlias = Literal[
    "reflect",
    "constant",
    "nearest",
    "mirror",
    "wrap",
    "grid-mirror",
    "grid-constant",
    "grid-wrap",
]
"""How an image goes on beyond its edges: the keys of `dask_image._utils.modes.MODES`."""

NanPolicy: TypeAlias = Literal["propagate", "omit"]
"""What filters make of NaN: a value like others, or no value."""

DTypeLike: TypeAlias = npt.DTypeLike

Sizes: TypeAlias = Integer | str | Sequence[Integer] | None
ChunksLike: TypeAlias = Sizes | Sequence[Sizes] | Mapping[int, Sizes]
"""What Dask makes chunks of."""

Chunks: TypeAlias = tuple[tuple[int, ...], ...]
"""The sizes of the blocks along each axis."""

Shape: TypeAlias = tuple[int, ...]
"""One number for each axis: a shape, a position, the index of a block."""

Slices: TypeAlias = tuple[slice, ...]
"""One slice for each axis: a part of an array."""

Reach: TypeAlias = Sequence[tuple[int, int]]
"""How many pixels are read before and after each one, for each axis."""

NDArray: TypeAlias = npt.NDArray[Any]

Block: TypeAlias = Any
"""An array in memory: NumPy's, or CuPy's."""

Labels: TypeAlias = ArrayLike | None
"""None makes the whole image one group."""

Index: TypeAlias = ArrayLike | None
"""The labels to measure; None pools all of them."""

AllLabels: TypeAlias = Literal["all"]
"""An index that stands for every label there is."""

PerLabel: TypeAlias = tuple[Array, Array]
"""What was measured, and the labels it belongs to."""

Extrema: TypeAlias = tuple[Array, Array, Array, Array]
"""Least and greatest values, and the positions of either."""

Function: TypeAlias = Callable[..., Any]
"""Of the caller's."""

Dimensions: TypeAlias = Hashable | Sequence[Hashable]
"""Names of dimensions of arrays of xarray: one, or several."""

PerDimension: TypeAlias = PerAxis[T] | Mapping[Any, T]
"""The same by the names of dimensions."""

Length: TypeAlias = Real | str | timedelta | np.timedelta64
"""In pixels, or in the unit of a coordinate: of times too."""

Lengths: TypeAlias = PerDimension[Length]
"""One length for all dimensions, or one for each."""

Range: TypeAlias = DTypeLike | tuple[Real | Array, Real | Array] | list[Real | Array]
"""A range of values: a name, a dtype or both its ends."""
