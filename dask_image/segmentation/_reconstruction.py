"""Grey reconstruction, and the maxima and minima of a given height."""

from __future__ import annotations

import functools
from typing import Literal

import dask.array as da
import numpy as np

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_choice,
    normalize_number,
    normalize_wrap_axes,
)
from dask_image._utils.arrays import as_image
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.flooding import reconstruct
from dask_image._utils.engines.folding import value_range
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Real
from dask_image._utils.warnings import warn
from dask_image.segmentation._arguments import float_type, in_chunks_of, neighbour_steps

METHODS = ("dilation", "erosion")


@numpy_only
def reconstruction(
    seed: ArrayLike, mask: ArrayLike, method: Literal["dilation", "erosion"] = "dilation",
    footprint: ArrayLike | None = None, *, wrap_axes: PerAxis[Integer] | None = None,
) -> Array:  # fmt: skip
    """
    Let the pixels of a seed spread as far as a mask lets them.

    As `skimage.morphology.reconstruction`, exact over any chunks. By
    dilation, high pixels of the seed spread to their neighbours, but rise above the
    mask nowhere: the seed is dilated and cut off at the mask, until nothing
    changes. By erosion low pixels spread, and sink below the mask nowhere.

    Parameters
    ----------
    seed : array_like
        Where to begin: nowhere above ``mask`` (nowhere below it, by erosion).
    mask : array_like
        How high, or how low, each pixel may come; of the shape of ``seed``.
    method : {"dilation", "erosion"}, optional
        Whether high or low pixels spread.
    footprint : array_like of bool, optional
        Which pixels are the neighbours of the one in the middle: symmetric, of one or
        three pixels along every axis. All those around it by default.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet: pixels at one end are neighbours of those at the other.

    Returns
    -------
    dask.array.Array
        Of float32 if ``mask`` is of a float dtype of 32 bits at most, else of
        float64, as in scikit-image; with the shape and chunks of ``mask``. Where seed or mask is
        NaN, so is the result, and nothing spreads through.

    Raises
    ------
    ValueError
        If the shapes differ, ``method`` is unknown, or ``footprint`` has a wrong size or is not
        symmetric. When it is computed, if ``seed`` is above ``mask`` (or below, by erosion).

    See Also
    --------
    skimage.morphology.reconstruction : The same on NumPy arrays.
    h_maxima : What stands out from an image by a given height.
    dask_image.ndmorph.binary_propagation : The same for booleans.

    Notes
    -----
    A block is reconstructed by two sweeps and a queue [1]_. Before, the levels
    of pixels on its faces must be known: they follow from a graph of all faces, in
    which an edge stands for the best way through a block, and which is made and
    solved in a tree as that of `watershed` is. Seed and mask are therefore computed
    twice, and of each block no more than its surface is kept in between.

    References
    ----------
    .. [1] L. Vincent, "Morphological grayscale reconstruction in image analysis:
       applications and efficient algorithms", IEEE Transactions on Image
       Processing 2, 1993, 176-201.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> mask = da.from_array(np.array([[1, 5, 4, 5, 1, 7, 1]]), chunks=3)
    >>> seed = da.from_array(np.array([[0, 0, 0, 5, 0, 0, 0]]), chunks=3)
    >>> reconstruction(seed, mask).compute()
    array([[1., 4., 4., 5., 1., 1., 1.]])
    """
    normalize_choice(method, "method", METHODS)
    mask = as_image(mask, "mask")
    seed = in_chunks_of(mask, as_image(seed, "seed"), "seed")
    steps = neighbour_steps(footprint, None, mask.ndim)
    dtype = float_type(mask.dtype)
    prepare = functools.partial(_as_seed_and_mask, method=method, dtype=dtype)
    finish = functools.partial(_as_reconstruction, method=method)
    wrap_axes = normalize_wrap_axes(wrap_axes, mask.ndim)
    return reconstruct([seed, mask], prepare, finish, steps, dtype, "reconstruction", wrap_axes)


@numpy_only
def h_maxima(
    image: ArrayLike, h: Real, footprint: ArrayLike | None = None, *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:  # fmt: skip
    """
    Find the maxima that stand out by a height of ``h`` or more.

    As `skimage.morphology.h_maxima`: plateaus from which every way to a
    pixel that is higher leads down by ``h`` or more, and the highest ones.

    Parameters
    ----------
    image : array_like
        Integers or floats. NaN and infinite pixels are left out.
    h : float
        Above 0. If ``image`` holds integers and ``h`` is not whole, floats are compared.
    footprint, wrap_axes : optional
        As in `reconstruction`.

    Returns
    -------
    dask.array.Array
        Of uint8, 1 at the maxima and 0 elsewhere, with the shape and chunks of
        ``image``. All 0 if ``h`` is more than the whole range of values.

    Raises
    ------
    ValueError
        If ``h`` is not above 0, or ``footprint`` has a wrong size or is not symmetric.

    Warns
    -----
    UserWarning
        If ``image`` holds integers and ``h`` is not whole.

    See Also
    --------
    skimage.morphology.h_maxima : The same on NumPy arrays.
    local_maxima : All maxima.
    reconstruction : What this is made of; ``image`` is computed twice, as there.

    Notes
    -----
    As in scikit-image, floats stand out if they do by a little less than ``h``, to
    allow for rounding.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[0, 3, 2, 9, 8, 9, 5, 7, 1]]), chunks=3)
    >>> h_maxima(image, 2).compute()
    array([[0, 0, 0, 1, 0, 1, 0, 1, 0]], dtype=uint8)
    """
    return _by_height(image, h, footprint, wrap_axes, "h_maxima")


@numpy_only
def h_minima(
    image: ArrayLike, h: Real, footprint: ArrayLike | None = None, *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:  # fmt: skip
    """
    Find the minima that are deeper than what is around them by ``h`` or more.

    As `skimage.morphology.h_minima`, and `h_maxima`.

    Parameters
    ----------
    image, h, footprint, wrap_axes
        As in `h_maxima`.

    Returns
    -------
    dask.array.Array
        Of uint8, 1 at the minima and 0 elsewhere, with the shape and chunks of
        ``image``. All 0 if ``h`` is more than the whole range of values.

    Raises
    ------
    ValueError
        As `h_maxima`.

    Warns
    -----
    UserWarning
        As `h_maxima`.

    See Also
    --------
    skimage.morphology.h_minima : The same on NumPy arrays.
    local_minima : All minima.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[9, 6, 7, 0, 1, 0, 4, 2, 8]]), chunks=3)
    >>> h_minima(image, 2).compute()
    array([[0, 0, 0, 1, 0, 1, 0, 1, 0]], dtype=uint8)
    """
    return _by_height(image, h, footprint, wrap_axes, "h_minima")


def _by_height(image, h, footprint, wrap_axes, name):
    image = as_image(image)
    wrap_axes = normalize_wrap_axes(wrap_axes, image.ndim)
    steps = neighbour_steps(footprint, None, image.ndim)
    if not normalize_number(h, "h") > 0:
        raise ArgumentError(f"h must be above 0, got {h!r}")
    if image.dtype.kind == "b":
        raise TypeError("image must hold integers or floats, got dtype bool")
    if image.dtype.kind != "f" and isinstance(h, (float, np.floating)):
        if h % 1:
            warn("integers are compared as floats, since h is not whole")
            image = image.astype(np.float64)
        else:
            h = int(h)
    if image.size == 0 or image.dtype.kind != "f" and h > np.iinfo(image.dtype).max:
        return da.zeros_like(image, dtype=np.uint8)
    sign = 1 if name == "h_maxima" else -1
    found = reconstruct(
        [image], functools.partial(_as_shifted, h=h, sign=sign),
        functools.partial(_as_tall, h=h, sign=sign), steps,
        np.uint8, name, wrap_axes,
    )  # fmt: skip
    limits = value_range(image, name)
    return map_blocks(_unless_flat, found, *limits, h, name=name, meta=found._meta)


def _unless_flat(found, least, most, h):
    """Return nothing of an image that is not higher than ``h`` anywhere."""
    return np.zeros_like(found) if most - least < h else found


def _as_shifted(image, h, sign):
    """Return an image that is lowered by ``h``, and the image, to erode: both upside down."""
    if image.dtype.kind == "f":
        image = np.where(np.isfinite(image), image, image.dtype.type(np.nan))  # to be left out
        rounding = 2 * np.finfo(image.dtype).resolution * np.abs(image)
        shifted = image - sign * h - sign * rounding
    else:
        h = image.dtype.type(h)
        limits = np.iinfo(image.dtype)
        # Where the dtype holds no such value, it is the last that it holds.
        if sign > 0:
            shifted = np.where(image < limits.min + int(h), limits.min, image - h)
        else:
            shifted = np.where(image > limits.max - int(h), limits.max, image + h)
    dtype = float_type(image.dtype)
    return -sign * shifted.astype(dtype), -sign * image.astype(dtype)


def _as_tall(eroded, image, h, sign):
    """Tell where an image rises above its lowered self, once that has spread, by ``h``."""
    return (sign * (image + sign * eroded) >= h).astype(np.uint8)


def _as_seed_and_mask(seed, mask, method, dtype):
    """Return blocks to erode; those to dilate, upside down."""
    if (seed > mask if method == "dilation" else seed < mask).any():
        above = "above" if method == "dilation" else "below"
        raise ValueError(f"seed must be nowhere {above} mask for a reconstruction by {method}")
    seed, mask = seed.astype(dtype, copy=False), mask.astype(dtype, copy=False)
    return (-seed, -mask) if method == "dilation" else (seed, mask)


def _as_reconstruction(eroded, seed, mask, method):
    return -eroded if method == "dilation" else eroded
