"""Uneven light: its shape from many tiles, images divided by it, and backgrounds taken away."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axis,
    normalize_choice,
    normalize_finite,
    normalize_number,
    normalize_sigmas,
    normalize_sizes,
)
from dask_image._utils.arrays import as_image, block_meta, output_dtype
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.graph import in_one_block, map_blocks
from dask_image._utils.typing import Array, ArrayLike, DTypeLike, Integer, PerAxis, Real
from dask_image.local_statistics._background import at_full_size, from_neighbours
from dask_image.local_statistics._functions import GridWindows
from dask_image.local_statistics._gaps import Gaps
from dask_image.local_statistics._grid import EvenGrid, tile_grid
from dask_image.local_statistics._statistics import Percentiles
from dask_image.ndfilters import gaussian_filter
from dask_image.ndinterp._affine import stretch_image
from dask_image.ndmorph import grey_erosion, grey_opening

# Boxes beyond the edges of a tile between which the spline goes on.
MARGIN = 2
METHODS = ("percentile", "rolling_ball", "white_tophat", "gaussian")


@numpy_only
def estimate_illumination(
    tiles: ArrayLike,
    box: PerAxis[Integer] = 32,
    percentile: Real = 50.0,
    sigma: PerAxis[Real] = 1.0,
    *,
    axis: Integer | None = 0,
    dark: Real = 0.0,
) -> Array:
    """
    Estimate how unevenly a field of view is lit, from many tiles or from one image.

    Tiles are cut into boxes; of each box the median is taken in every tile, then a percentile over
    the tiles. Where most tiles show background in a box, objects do not matter. What is found is
    smoothed, made to have a mean of 1, and brought to the size of a tile by a cubic spline.

    Parameters
    ----------
    tiles : array_like
        Real numbers: pictures of one field of view along ``axis``, as `imread` gives them for many
        files. A box that holds NaN does not count; one that counts in no tile is filled from
        its neighbours.
    box : int or sequence of int, optional
        Size of the boxes in pixels, along the axes of one tile; all of them are about as large, so
        as many fit in.
    percentile : float, optional
        Over the tiles, from 0 to 100: low ones where objects cover much of them.
    sigma : float or sequence of float, optional
        Of the Gaussian that smooths, in boxes.
    axis : int or None, optional
        Along which the tiles lie; None for one image, of which all boxes are taken as they are.
    dark : float, optional
        What the camera gives without light.

    Returns
    -------
    dask.array.Array
        float64, of the shape of one tile: divide by it, or hand it to `correct_illumination`.

    Raises
    ------
    ValueError
        If an argument is out of range.
    TypeError
        If ``tiles`` does not hold real numbers.

    See Also
    --------
    correct_illumination
    background : Of one image with few objects in it, and the noise.

    Notes
    -----
    All tiles are read before the first block of the result is there; only a value a box is kept.
    The mean of 1 is that of the boxes. Correcting by an average over many fields of view
    is the retrospective method; see T. Peng et al., "A BaSiC tool for background and shading
    correction of optical microscopy images", Nature Communications 8, 2017, 14836.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.local_statistics import correct_illumination, estimate_illumination
    >>> light = np.linspace(0.5, 1.5, 64) * np.ones((64, 1))
    >>> tiles = da.from_array(np.array([100, 200, 300])[:, None, None] * light, chunks=(1, 64, 64))
    >>> flat = estimate_illumination(tiles, box=4, sigma=0)
    >>> even = correct_illumination(tiles, flat)
    >>> even[:, 5:-5, 5:-5].std(axis=(1, 2)).compute().round()
    array([0., 0., 0.])
    """
    tiles = as_image(tiles, "tiles")
    fraction = _fraction(percentile)
    dark = normalize_number(dark, "dark")
    place = None
    if axis is None:
        tile = tiles
    else:
        place = normalize_axis(axis, tiles.ndim)
        if tiles.shape[place] == 0:
            raise ArgumentError(f"tiles must be at least one along axis {axis}, got none")
        tile = tiles[(slice(None),) * place + (0,)]
    if tile.ndim == 0:
        raise ArgumentError(
            f"tiles must have axes besides the one along which they lie (axis), got shape "
            f"{tiles.shape}, axis {axis}"
        )
    boxes = tile_grid(tile.shape, box).window
    sigmas = tuple(normalize_sigmas(sigma, tile.ndim))
    whole = boxes if place is None else (*boxes[:place], 1, *boxes[place:])
    windows = GridWindows.of(tile_grid(tiles.shape, whole, EvenGrid), tiles.chunks)
    middle = Percentiles((0.5,), (), np.dtype(np.float64))
    mesh = windows.map(middle, (), [tiles], "estimate_illumination")
    mesh = in_one_block(mesh, "estimate_illumination")
    counts = [size for at, size in enumerate(mesh.shape) if at != place]
    sizes = tuple((count + 2 * MARGIN,) for count in counts)
    mesh = map_blocks(
        _typical, mesh, name="estimate_illumination-mesh", axis=place, fraction=fraction,
        sigmas=sigmas, dark=dark, drop_axis=[] if place is None else place, chunks=sizes,
        meta=block_meta(len(sizes), np.float64),
    )  # fmt: skip
    steps = [count / size for count, size in zip(counts, tile.shape)]
    return at_full_size(mesh, tile, steps, np.dtype(np.float64), "estimate_illumination", MARGIN)


def _fraction(percentile):
    if not 0 <= normalize_number(percentile, "percentile") <= 100:
        raise ArgumentError(f"percentile must lie in [0, 100], got {percentile!r}")
    return percentile / 100


def _typical(mesh, axis, fraction, sigmas, dark):
    """Return a smooth mesh of mean 1 from those of all tiles."""
    if axis is not None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
            mesh = np.nanquantile(mesh, fraction, axis=axis)
    mesh = from_neighbours(mesh)
    reaches = [int(4 * sigma + 0.5) for sigma in sigmas]
    continued = _continued(mesh - dark, [reach + MARGIN for reach in reaches])
    smooth = ndimage.gaussian_filter(continued, sigmas, mode="nearest")
    smooth = smooth[tuple(slice(n, size - n) for n, size in zip(reaches, smooth.shape))]
    return smooth / smooth[(slice(MARGIN, -MARGIN),) * smooth.ndim].mean()


def _continued(mesh, widths):
    """Return a mesh that goes on as it ends, where a mirror image would level it."""
    for axis, width in enumerate(widths):
        pads = [(0, 0)] * mesh.ndim
        pads[axis] = (width, width)
        if mesh.shape[axis] == 1:
            mesh = np.pad(mesh, pads, "edge")
        else:
            mesh = np.pad(mesh, pads, "reflect", reflect_type="odd")
    return mesh


@numpy_only
def correct_illumination(
    image: ArrayLike,
    flat: ArrayLike,
    dark: ArrayLike = 0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Divide an image by the light that fell on it: ``(image - dark) / flat``.

    Parameters
    ----------
    image : array_like
        Real numbers: one image, or many of the shape of ``flat`` along axes before its own.
    flat : array_like
        How much light there is in each pixel, as from `estimate_illumination`.
    dark : float or array_like, optional
        What the camera gives without light: a number, or an image of the shape of ``flat``.
    output : dtype, optional
        Of the result. Of integers results are rounded, and end at the limits of the dtype.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks. By default float32 for images of float32 and of integers of
        16 bits or fewer, else float64. Where ``flat`` is 0 it is infinite or NaN; integers are the
        largest, or 0, there.

    Raises
    ------
    ValueError
        If ``flat`` or ``dark`` does not have the shape of the image's last axes.

    See Also
    --------
    estimate_illumination

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.local_statistics import correct_illumination
    >>> image = da.from_array(np.array([[60, 110, 210]], np.uint8), chunks=2)
    >>> correct_illumination(image, [0.5, 1, 2], dark=10).compute()
    array([[100., 100., 100.]], dtype=float32)
    >>> correct_illumination(image, [0.1, 1, 2], dark=10, output=image.dtype).compute()
    array([[255, 100, 100]], dtype=uint8)
    """
    image = as_image(image)
    flat = _beside(flat, image, "flat")
    dark = _beside(dark, image, "dark")
    dtype = _real_dtype(output, _float_dtype(image.dtype))
    return map_blocks(
        _divide, image, flat, dark, name="correct_illumination", into=dtype,
        meta=block_meta(image.ndim, dtype),
    )  # fmt: skip


def _beside(array, image, name):
    """Return a number, or an array of the image's last axes in blocks of the image's."""
    if getattr(array, "ndim", None) == 0 or np.isscalar(array):
        return normalize_number(array, name)
    array = as_image(array, name)
    if array.ndim > image.ndim or array.shape != image.shape[-array.ndim :]:
        raise ArgumentError(
            f"{name} must be of the shape of the image's last axes, {image.shape}, "
            f"got {array.shape}"
        )
    return array.rechunk(image.chunks[-array.ndim :])


def _float_dtype(dtype):
    """Return the dtype that images are computed in: float32 where it holds all of their values."""
    short = dtype.kind in "biu" and dtype.itemsize <= 2
    return np.dtype(np.float32 if short or dtype == np.float32 else np.float64)


def _divide(image, flat, dark, into):
    work = _float_dtype(image.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.subtract(image, dark, dtype=work)
        result /= np.asarray(flat, work)
    return _to_dtype(result, into)


def _to_dtype(values, dtype):
    """Return values in a dtype: integers rounded, within its limits, 0 for NaN."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    values = np.rint(values)
    above, below = values >= float(limits.max), values <= float(limits.min)
    result = np.where(above | below | np.isnan(values), 0, values).astype(dtype)
    result[above], result[below] = limits.max, limits.min
    return result


def _real_dtype(output, default):
    """Return the dtype of real numbers that is asked for, or the default."""
    dtype = output_dtype(output, default)
    if dtype.kind not in "iuf":
        raise ArgumentError(f"output must be a dtype of integers or floats, got {output!r}")
    return dtype


@numpy_only
def subtract_background(
    image: ArrayLike,
    size: PerAxis[Real],
    method: Literal["percentile", "rolling_ball", "white_tophat", "gaussian"] = "percentile",
    *,
    percentile: Real = 10.0,
    output: DTypeLike | None = None,
) -> Array:
    """
    Take the background away: what varies slowly, over more than the size of the objects.

    Parameters
    ----------
    image : array_like
        Real numbers.
    size : float or sequence of float
        Larger than the objects, in pixels: the width of boxes ("percentile", "white_tophat"), the
        radius of the ball, one number ("rolling_ball"), the standard deviation ("gaussian").
    method : str, optional
        What the background is:

        - "percentile": a low percentile of boxes that tile the image, linear between their middles;
        - "rolling_ball": what a ball reaches that rolls below the image, as
          `skimage.restoration.rolling_ball`;
        - "white_tophat": the grey opening by a box;
        - "gaussian": a blurred image.
    percentile : float, optional
        Of the boxes, from 0 to 100; for "percentile" alone.
    output : dtype, optional
        Of the result. Of integers results are rounded, and end at the limits of the dtype:
        unsigned ones at 0 where the image is darker than its background.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks. By default float32 for images of float32 and of integers of
        16 bits or fewer, else float64, so that differences may be negative.

    Raises
    ------
    ValueError
        If the method is unknown, or ``size`` or ``percentile`` out of range.

    See Also
    --------
    background : The background alone, without objects, and the noise.

    Notes
    -----
    A ball looks at all pixels of its disk around each: a radius of 50 takes 8,000
    comparisons a pixel. S. R. Sternberg, "Biomedical image processing", Computer 16, 1983, 22-34.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.local_statistics import subtract_background
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[20, 20] = 130
    >>> for method in ("percentile", "rolling_ball", "white_tophat"):
    ...     objects = subtract_background(da.from_array(image, chunks=16), 10, method)
    ...     print(objects.min().compute(), objects.max().compute().round())
    0.0 30.0
    0.0 30.0
    0.0 30.0
    """
    image = as_image(image)
    normalize_choice(method, "method", METHODS)
    work = _float_dtype(image.dtype)
    dtype = _real_dtype(output, work)
    values, fraction = image.astype(work), _fraction(percentile)
    if method == "gaussian":
        level = gaussian_filter(values, normalize_sigmas(size, image.ndim, "size"), mode="nearest")
    elif method == "rolling_ball":
        level = _rolled(values, size)
    else:
        sizes = normalize_sizes(size, image.ndim)
        if method == "white_tophat":
            level = grey_opening(values, sizes)
        else:
            level = _percentiles(values, fraction, tuple(sizes))
    return map_blocks(
        _less, values, level, name="subtract_background", into=dtype,
        meta=block_meta(image.ndim, dtype),
    )  # fmt: skip


def _percentiles(image, fraction, box):
    """Return a percentile of boxes, in between interpolated linearly from middle to middle."""
    grid, name = tile_grid(image.shape, box, EvenGrid), "subtract_background"
    percentile = Percentiles((fraction,), (), image.dtype)
    mesh = GridWindows.of(grid, image.chunks).map(percentile, (), [image], f"{name}-measure")
    mesh = Gaps("nearest", 0).fill_in(mesh, None, grid, 1, True, name)
    steps = [count / size for count, size in zip(mesh.shape, image.shape)]
    return stretch_image(
        mesh, steps, 0, 1, image.chunks, mode="nearest", name=f"{name}-zoom", output=image.dtype
    )


def _rolled(image, radius):
    """Return what a ball reaches from below, whose centre is as low as the ball is high."""
    radius = normalize_finite(radius, "size")
    if not radius > 0:
        raise ArgumentError(f"size must be positive, got {radius!r}")
    line = np.arange(-np.ceil(radius), np.ceil(radius) + 1)
    squares = sum(np.meshgrid(*[line**2] * image.ndim, indexing="ij", sparse=True))
    inside = np.sqrt(squares) <= radius
    depth = np.sqrt(np.clip(radius**2 - squares, 0, None)) - radius
    return grey_erosion(
        image, footprint=inside, structure=np.where(inside, depth, 0), mode="constant", cval=np.inf
    )


def _less(image, level, into):
    return _to_dtype(np.subtract(image, level, dtype=image.dtype), into)
