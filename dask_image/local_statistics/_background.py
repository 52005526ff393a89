"""Backgrounds: what is left of an image without its objects, and its noise."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import spatial

from dask_image._utils.arguments import normalize_number, normalize_sizes
from dask_image._utils.arrays import as_dask_array, block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.graph import in_one_block, map_blocks
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Real
from dask_image.local_statistics._functions import (
    DEFAULT_WINDOW,
    GridWindows,
    map_windows,
    mask_of,
    sampling_of,
)
from dask_image.local_statistics._gaps import Fill, Gaps
from dask_image.local_statistics._grid import tile_grid, window_grid
from dask_image.local_statistics._statistics import CLIPPED, Clipped
from dask_image.ndinterp._affine import stretch_image

# From so many boxes is a box without a result filled.
NEIGHBOURS = 10


@numpy_only
def local_sigma_clipped(
    source: ArrayLike,
    statistic: Literal["median", "mean", "std", "mode"] = "median",
    selem: PerAxis[Integer] | ArrayLike = DEFAULT_WINDOW,
    spacing: PerAxis[Integer] | None = None,
    sigma: Real = 3.0,
    maxiters: Integer | None = 10,
    interpolate: Integer | None = 1,
    mask: ArrayLike | None = None,
    *,
    step: PerAxis[Integer] | None = None,
    fill: Fill = "nearest",
    min_fraction: Real = 0.0,
) -> Array:
    """
    Compute a statistic of windows on a sub-grid, after outliers are clipped.

    Parameters
    ----------
    source : array_like
        Image of real numbers. NaN and infinities do not count.
    statistic : {"median", "mean", "std", "mode"}, optional
        "mode" is SExtractor's: 2.5 medians less 1.5 means; the median where the mean is 0.3
        standard deviations or more away from it, the mean where all values are equal.
    selem, spacing, interpolate, mask, step, fill, min_fraction : optional
        As in `apply_local_function`.
    sigma : float, optional
        Values farther from the median than this many standard deviations are dropped.
    maxiters : int, optional
        How often; None until no more are dropped.

    Returns
    -------
    dask.array.Array
        float64, as in `apply_local_function`; a window without values gives NaN.

    Raises
    ------
    ValueError
        If the statistic is unknown, ``sigma`` is not positive, or ``maxiters`` below 0; else
        as `apply_local_function`.
    TypeError
        For complex images.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.local_statistics import local_sigma_clipped
    >>> image = np.tile([5.0, 6.0, 7.0], 20)
    >>> image[3] = 1000
    >>> local_sigma_clipped(da.from_array(image, chunks=16), "mean", 30, interpolate=None).compute()
    array([6.03448276, 6.        ])
    """
    source = as_dask_array(source, "source")
    if statistic not in CLIPPED[:4]:
        raise ValueError(f"statistic must be one of {CLIPPED[:4]}, got {statistic!r}")
    clipped = _clipped(source, (statistic,), (), sigma, maxiters)
    gaps = Gaps(fill, min_fraction)
    grid = window_grid(source.shape, selem, spacing, step)
    if min_fraction > 0 and source.dtype.kind == "f":
        mask = _finite(source, mask)
    sampling = sampling_of(source, grid, interpolate, mask, False, gaps)
    return map_windows(clipped, (), source, sampling, "local_sigma_clipped")


def _finite(source, mask):
    """Return which pixels of an image of floats count."""
    masks = [] if mask is None else [mask_of(mask, source).rechunk(source.chunks)]
    return map_blocks(
        _finite_in_block, source, *masks, name="local_sigma_clipped-mask",
        meta=block_meta(source.ndim, bool),
    )  # fmt: skip


def _finite_in_block(block, mask=True):
    return np.isfinite(block) & mask


def _clipped(source, statistics, shape, sigma, maxiters):
    if source.dtype.kind == "c":
        raise TypeError(f"image must hold real numbers, got {source.dtype}")
    if not normalize_number(sigma, "sigma") > 0:
        raise ValueError(f"sigma must be positive, got {sigma!r}")
    rounds = None if maxiters is None else normalize_sizes(maxiters, 1, "maxiters", least=0)[0]
    return Clipped(statistics, shape, float(sigma), rounds, np.dtype(np.float64))


@numpy_only
def background(
    image: ArrayLike,
    box: PerAxis[Integer],
    filter_size: PerAxis[Integer] = 3,
    *,
    sigma: Real = 3.0,
    maxiters: Integer | None = 10,
    exclude_percentile: Real = 10.0,
    mask: ArrayLike | None = None,
    interpolate: bool = True,
) -> tuple[Array, Array]:
    """
    Estimate the background of an image, and the noise around it, in one pass.

    Boxes tile the image from its first pixel on. In each, outliers are clipped as by
    `local_sigma_clipped`; the background is the "mode" of what is left, the noise its standard
    deviation. Boxes of which too little is left are filled from their neighbours, both meshes
    go through a median filter, and a cubic spline brings them to the size of the image.

    Parameters
    ----------
    image : array_like
        Of real numbers and any number of axes. NaN and infinities do not count.
    box : int or sequence of int
        Size of the boxes in pixels: larger than the objects, smaller than what the
        background varies by. None is larger than the image.
    filter_size : int or sequence of int, optional
        Of the median filter, in boxes, odd; 1 leaves the mesh as it is.
    sigma, maxiters : optional
        As in `local_sigma_clipped`.
    exclude_percentile : float, optional
        Boxes of which so many per cent, or more, are clipped or masked are filled.
    mask : array_like of bool, optional
        Shape of ``image``; only pixels that are True count.
    interpolate : bool, optional
        Whether results have the size of the image; else one value for each box.

    Returns
    -------
    background, noise : dask.array.Array
        Of the image's shape and chunks: float32 for images of float32, else float64.

    Raises
    ------
    ValueError
        If an argument is out of range, ``mask`` has another shape, or the image no pixel.
    TypeError
        For complex images.

    See Also
    --------
    local_sigma_clipped

    Notes
    -----
    Meshes equal those of ``photutils.background.Background2D`` with its default estimators.
    They are small and go through one task, so all of the image is read before the first
    block of the result is there; none of it is kept. But of ``image - level`` each block
    waits until then, and Dask keeps all of the image, unless it is read twice:
    ``background(dask.graph_manipulation.clone(image), box)``, after
    ``import dask.graph_manipulation``.

    References
    ----------
    E. Bertin and S. Arnouts, "SExtractor: Software for source extraction", 1996.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.local_statistics import background
    >>> sky = np.random.default_rng(0).normal(100, 2, (200, 200))
    >>> sky[40:45, 60:64] += 500
    >>> level, noise = background(da.from_array(sky, chunks=80), 50)
    >>> level.mean().compute().round(), noise.mean().compute().round()
    (np.float64(100.0), np.float64(2.0))
    """
    image = as_dask_array(image)
    if not 0 <= normalize_number(exclude_percentile, "exclude_percentile") <= 100:
        raise ValueError(f"exclude_percentile must lie in [0, 100], got {exclude_percentile!r}")
    sizes = normalize_sizes(filter_size, image.ndim, "filter_size")
    if any(size % 2 == 0 for size in sizes):
        raise ValueError(f"filter_size must be odd, got {filter_size!r}")
    names = ("mode", "std", "count")
    clipped = _clipped(image, names, (len(names),), sigma, maxiters)
    grid = tile_grid(image.shape, box)
    windows = GridWindows.of(grid, image.chunks)
    images = [image] if mask is None else [image, mask_of(mask, image)]
    mesh = windows.map(clipped, (len(names),), images, "background")
    least = (1 - exclude_percentile / 100) * np.prod(grid.window)
    mesh = map_blocks(
        _smooth_meshes, in_one_block(mesh, "background"), name="background-fill", least=least,
        sizes=tuple(sizes), chunks=(*((size,) for size in mesh.shape[:-1]), (2,)),
        meta=block_meta(mesh.ndim, mesh.dtype),
    )  # fmt: skip
    dtype = np.dtype(np.float32 if image.dtype == np.float32 else np.float64)
    if not interpolate:
        return mesh[..., 0].astype(dtype), mesh[..., 1].astype(dtype)
    steps = [1 / size for size in grid.window]
    return tuple(at_full_size(mesh[..., n], image, steps, dtype, "background") for n in (0, 1))


def _smooth_meshes(mesh, least, sizes):
    """Return the meshes of background and noise, filled and filtered."""
    parts = []
    few = mesh[..., 2] <= least
    for number in (0, 1):
        part = np.where(few, np.nan, mesh[..., number])
        parts.append(_median(from_neighbours(part), sizes))
    return np.stack(parts, axis=-1)


def from_neighbours(mesh):
    """Fill NaN by means of the nearest boxes, weighted by their distances' inverses."""
    gaps = np.isnan(mesh)
    if not gaps.any() or gaps.all():
        return mesh
    points, values = np.argwhere(~gaps), mesh[~gaps]
    near = min(NEIGHBOURS, len(values))
    distances, places = spatial.cKDTree(points, leafsize=10).query(np.argwhere(gaps), k=near)
    weights = 1 / distances.reshape(-1, near)
    filled = mesh.copy()
    filled[gaps] = (weights * values[places.reshape(-1, near)]).sum(1) / weights.sum(1)
    return filled


def _median(mesh, sizes):
    if all(size == 1 for size in sizes) or np.isnan(mesh).all():
        return mesh
    padded = np.pad(mesh, [(size // 2, size // 2) for size in sizes], constant_values=np.nan)
    windows = sliding_window_view(padded, sizes).reshape(*mesh.shape, -1)
    return np.nanmedian(windows, axis=-1)


def at_full_size(mesh, image, steps, dtype, name, margin=0):
    """
    Bring a mesh to the size of an image, by a spline that stays within the mesh's range.

    The mesh goes ``margin`` boxes beyond the image; ``steps`` are the boxes a pixel.
    """
    limits = map_blocks(_limits, mesh, name=f"{name}-range", chunks=((1,),) * mesh.ndim,
                        meta=block_meta(mesh.ndim, object))  # fmt: skip
    chunks = tuple(tuple(size for size in sizes if size) for sizes in image.chunks)
    full = stretch_image(
        mesh, steps, margin, 3, chunks, mode="reflect", name=f"{name}-zoom", output=dtype
    ).rechunk(image.chunks)
    return map_blocks(_clip, full, limits, name=f"{name}-clip", meta=block_meta(image.ndim, dtype))


def _limits(mesh):
    limits = np.empty((1,) * mesh.ndim, object)
    limits[(0,) * mesh.ndim] = (mesh.min(), mesh.max())
    return limits


def _clip(block, limits):
    return np.clip(block, *limits.item()).astype(block.dtype)
