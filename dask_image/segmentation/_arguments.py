"""Arguments that several functions of segmentation share."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_array,
    normalize_integer,
    refuse_lazy,
)
from dask_image._utils.engines.block_lattice import displacements_of
from dask_image._utils.typing import Array, ModeName, NDArray, Shape


def in_chunks_of(image: Array, array: Array, name: str) -> Array:
    """Return an array of the shape of ``image`` in its chunks, or raise ValueError."""
    if array.shape != image.shape:
        raise ArgumentError(
            f"{name} must have the shape of the image, {image.shape}, got {array.shape}"
        )
    return array.rechunk(image.chunks, method="tasks")


def neighbour_structure(footprint: Any, connectivity: Any, ndim: int) -> NDArray:
    """
    Return which pixels around the one in the middle are its neighbours.

    Parameters
    ----------
    footprint : array_like or None
        Pixels that are not zero are the neighbours; of one or three pixels along every axis.
    connectivity : int or None
        Without a footprint: along how many axes at once a step may go; None for all.
    ndim : int

    Returns
    -------
    numpy.ndarray of bool
        Of three pixels along every axis, symmetric about its middle.

    Raises
    ------
    ValueError
        If the footprint is of another size, or not symmetric.
    """
    if footprint is None:
        reach = ndim if connectivity is None else connectivity
        return ndimage.generate_binary_structure(
            ndim, normalize_integer(reach, "connectivity", lowest=1)
        )
    structure = normalize_array(footprint, "footprint") != 0
    if structure.ndim != ndim or not set(structure.shape) <= {1, 3}:
        raise ArgumentError(
            f"a footprint must be of one or three pixels along each of {ndim} axes, "
            f"got shape {structure.shape}"
        )
    if not np.array_equal(structure, np.flip(structure)):
        raise ArgumentError("a footprint must be symmetric about its middle, got one that is not")
    return np.pad(structure, [(1 - size // 2,) * 2 for size in structure.shape])


def neighbour_steps(footprint: Any, connectivity: Any, ndim: int) -> tuple[Shape, ...]:
    """Return the steps from a pixel to its neighbours, sorted; arguments as above."""
    return displacements_of(neighbour_structure(footprint, connectivity, ndim))


def within_surroundings(
    kernel: Callable[..., Any], ndim: int, reach: Sequence[tuple[int, int]], wrap_axes: Shape
) -> tuple[Callable[..., Any], list[ModeName]]:
    """
    Return a kernel for blocks with their surroundings, to ``reach``, and how the image goes on.

    Axes whose ends meet have no edges; those of the others are edges of what the kernel gets.
    """
    modes: list[ModeName] = [
        "grid-wrap" if axis in wrap_axes else "nearest" for axis in range(ndim)
    ]
    if wrap_axes:
        # A block as long as the image has its halo within it; elsewhere this is beyond the halo.
        margins = [reach[axis] if axis in wrap_axes else (0, 0) for axis in range(ndim)]
        kernel = functools.partial(_on_rings, kernel, margins)
    return kernel, modes


def _on_rings(kernel, margins, *blocks, **keywords):
    result = kernel(*(np.pad(block, margins, mode="wrap") for block in blocks), **keywords)
    return result[
        tuple(slice(low, size - high) for (low, high), size in zip(margins, result.shape))
    ]


def float_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which scikit-image computes with an image of ``dtype``."""
    return np.dtype(np.float32 if dtype in (np.float16, np.float32) else np.float64)


def border_width(exclude_border: Any, ndim: int, if_true: int | None = None) -> Shape:
    """
    Return how many pixels to leave out at the edge of the image along each axis.

    Parameters
    ----------
    exclude_border : bool, int or tuple of int
    ndim : int
    if_true : int, optional
        What True stands for; without, True is refused.

    Raises
    ------
    ValueError, TypeError
        If ``exclude_border`` is none of what it may be.
    """
    refuse_lazy(exclude_border, "exclude_border", "a number")
    if isinstance(exclude_border, (bool, np.bool_)):
        exclude_border = if_true if exclude_border else 0
        if exclude_border is None:
            raise ArgumentError("exclude_border must be False or a number of pixels, got True")
    widths = exclude_border if isinstance(exclude_border, tuple) else (exclude_border,) * ndim
    widths = tuple(normalize_integer(each, "exclude_border", lowest=0) for each in widths)
    if len(widths) != ndim:
        raise ArgumentError(
            f"exclude_border must have a width for each of {ndim} axes, got {exclude_border!r}"
        )
    return widths
