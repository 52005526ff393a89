"""Arguments that all interpolating functions share, with SciPy's rules and exceptions."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._utils import arguments
from dask_image._utils.arguments import (
    ArgumentError,
    normalize_choice,
    normalize_flag,
    normalize_integer,
    normalize_number,
    per_axis,
    refuse_lazy,
)
from dask_image._utils.arrays import as_dask_array, output_dtype
from dask_image._utils.engines.graph import normalize_chunks
from dask_image._utils.modes import MODES, Mode
from dask_image._utils.splines import Spline
from dask_image._utils.typing import Array, ArrayLike, Chunks, DTypeLike, Integer, Number, Shape

SUPPORTED = frozenset("?bBhHiIlLqQfdFD")


@dataclass(frozen=True)
class Interpolation:
    """
    What all transforms share, as arguments of the caller's or as what their blocks need.

    Parameters
    ----------
    spline : Spline
    dtype : numpy.dtype
        Of the result.
    prefilter : bool
        Whether images hold pixels rather than coefficients.
    """

    spline: Spline
    dtype: np.dtype[Any]
    prefilter: bool


def normalize_interpolation(
    image: Array, order: Integer, mode: str, cval: Number, output: DTypeLike | None,
    prefilter: bool,
) -> Interpolation:  # fmt: skip
    """Check what all transforms share."""
    order = normalize_order(order)
    checked = normalize_mode(mode)
    dtype = normalize_output(output, image)
    spline = Spline(order, checked, normalize_cval(cval, image.dtype))
    return Interpolation(spline, dtype, normalize_flag(prefilter, "prefilter"))


def normalize_image(image: ArrayLike, name: str = "image") -> Array:
    """Return ``image`` as a Dask array of a dtype that SciPy interpolates."""
    image = as_dask_array(image, name)
    if image.dtype.char not in SUPPORTED:
        raise ArgumentError(f"{name} has dtype {image.dtype}, which is not supported")
    return image


def normalize_order(order: Integer, lowest: int = 0) -> int:
    """Return a spline order, or raise."""
    order = normalize_integer(order, "order")
    if not lowest <= order <= 5:
        raise ArgumentError(f"order must be from {lowest} to 5, got {order!r}")
    return order


def normalize_mode(mode: str) -> Mode:
    """Return a boundary mode, or raise."""
    return MODES[normalize_choice(mode, "mode", sorted(MODES))]


def normalize_cval(cval: Any, dtype: np.dtype[Any]) -> complex:
    """Return the value outside of the image: complex only for complex images."""
    cval = arguments.normalize_cval(cval, dtype)
    return complex(cval) if dtype.kind == "c" else float(cval)


def normalize_output(output: DTypeLike | None, image: Array) -> np.dtype[Any]:
    """
    Return the dtype of a result.

    A complex image gives a complex result: SciPy promotes a real type given as
    ``output`` and refuses its name; so does this.
    """
    dtype = output_dtype(output, image.dtype)
    if image.dtype.kind == "c" and dtype.kind != "c":
        if isinstance(output, str):
            raise ArgumentError(f"output must be complex for a complex image, got {output!r}")
        dtype = np.promote_types(dtype, np.complex64)
    refused = image.dtype.kind != "c" and dtype.kind == "c"
    if dtype.char not in SUPPORTED or refused or (isinstance(output, str) and dtype.kind == "b"):
        raise ArgumentError(f"output {output!r} is not supported for an image of {image.dtype}")
    return dtype


def normalize_sequence(value: Any, ndim: int, name: str) -> tuple[float, ...]:
    """Return one float for each axis."""
    return tuple(float(normalize_number(one, name)) for one in per_axis(value, ndim, name))


def normalize_shape(shape: Iterable[Any], name: str = "output_shape") -> Shape:
    """Return a shape as a tuple of int; floats may be given for whole numbers."""
    refuse_lazy(shape, name, "whole numbers")
    if isinstance(shape, str) or not np.iterable(shape):
        raise TypeError(f"{name} must be a tuple of whole numbers, got {shape!r}")
    shape = tuple(_whole_number(size, name) for size in shape)
    if any(size < 0 for size in shape):
        raise ValueError(f"{name} must not be negative, got {shape}")
    if any(size > np.iinfo(np.intp).max for size in shape):
        raise ValueError(f"{name} must be smaller, got {shape}")
    return shape


def normalize_output_chunks(chunks: Any, shape: Shape, dtype: np.dtype[Any]) -> Chunks:
    """Return ``output_chunks``, as Dask takes chunks, for each axis, or raise."""
    refuse_lazy(chunks, "output_chunks", "chunks")
    try:
        found: Chunks = normalize_chunks(chunks, shape, dtype=dtype)
        fit = all(isinstance(size, int) and size >= 0 for sizes in found for size in sizes)
    except (ArithmeticError, TypeError, ValueError):
        fit = False
    if not fit:
        raise ArgumentError(
            f"output_chunks must be chunks of Dask that fit the shape {shape}, got {chunks!r}"
        )
    return found


def in_output_chunks(array: Array, chunks: Any) -> Array:
    """Return an array in ``output_chunks``, or as it is if they are None."""
    if chunks is None:
        return array
    if isinstance(chunks, dict):
        chunks = tuple(chunks.get(axis, sizes) for axis, sizes in enumerate(array.chunks))
    return array.rechunk(normalize_output_chunks(chunks, array.shape, array.dtype))


def _whole_number(size, name):
    refuse_lazy(size, name, "whole numbers")
    if isinstance(size, (float, np.floating)) and not float(size).is_integer():
        raise ArgumentError(f"{name} must be made of whole numbers, got {size!r}")
    try:
        return int(size) if isinstance(size, (float, np.floating)) else operator.index(size)
    except TypeError:
        raise TypeError(f"{name} must be made of whole numbers, got {size!r}") from None


def need_axes(*ranks: int) -> None:
    """Raise unless input and output have an axis at least."""
    if min(ranks) < 1:
        raise ArgumentError(f"input and output rank must be > 0, got {ranks}")
