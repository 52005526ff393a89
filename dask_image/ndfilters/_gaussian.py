"""Gaussian smoothing and what is made of its derivatives."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axes,
    normalize_axis,
    normalize_cval,
    normalize_finite,
    normalize_integer,
    normalize_mode,
    normalize_sigmas,
    on_axes,
    per_axis,
    spatial_axes,
)
from dask_image._utils.arrays import as_dask_array, with_dtype
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.counted import (
    average_passes,
    counted_output,
    counted_pixels,
)
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.overlap import Pass, map_neighborhood, map_passes
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    DTypeLike,
    Integer,
    ModeName,
    NanPolicy,
    Number,
    PerAxis,
    Real,
)
from dask_image._utils.windows import edges_of
from dask_image.ndfilters._derivative import add_terms, combined, magnitude_of_terms

# Other packages look for these here.
from dask_image.ndfilters._utils import (  # noqa: F401
    _get_border,
    _get_sigmas,
    dispatch_gaussian_filter,
)

# SciPy leaves an axis alone whose sigma is not larger than this.
NEGLIGIBLE_SIGMA = 1e-15

# Single precision holds products of smaller weights and pixels with less than all of its digits.
LEAST_WEIGHT = 1e-30


def gaussian_filter(
    image: ArrayLike,
    sigma: PerAxis[Real],
    order: PerAxis[Integer] = 0,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
    channel_axis: Integer | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array:
    """
    Smooth an image with a Gaussian; the lazy twin of `scipy.ndimage.gaussian_filter`.

    Parameters
    ----------
    image : array_like
        Real or complex image of any number of axes.
    sigma : float or sequence of float
        Standard deviation in pixels, per axis; an axis with 0 is left alone.
    order : int or sequence of int, optional
        Which derivative of the Gaussian; 0 smooths.
    mode : str or sequence of str, optional
        How the image goes on beyond its edges, per axis: "reflect" (also
        "grid-mirror"), "constant" ("grid-constant"), "nearest", "mirror",
        "wrap" ("grid-wrap").
    cval : scalar, optional
        Value beyond the edges in mode "constant".
    truncate : float, optional
        Cut the Gaussian off after this many standard deviations.
    radius : int or sequence of int, optional
        Cut it off after this many pixels instead, per axis.
    output : dtype, optional
        Of the result; by default that of the image. As in SciPy, values are
        rounded to it after each axis.
    axes : int or tuple of int, optional
        Filter along these axes only; ``sigma``, ``order``, ``mode`` and
        ``radius`` then hold one value for each of them.
    channel_axis : int, optional
        Filter along all axes but this one: scikit-image's word for the same.
    where : array_like of bool, optional
        Which pixels count, an image of the same shape; by default all do. The
        weights that fall on counted pixels are made to sum to one.
    nan_policy : {"propagate", "omit"}, optional
        "omit" leaves out NaN, beside what ``where`` leaves out.
    fill_value : scalar, optional
        Where no pixel of the window counts; by default NaN. Images of integers give
        float64 then, or with a ``fill_value`` their own dtype.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks. Where the halo is thick against the
        chunks, each axis is filtered in tasks of its own.

    Raises
    ------
    ValueError
        If a mode is unknown or a sequence has the wrong length (also a
        RuntimeError, as SciPy's), ``radius`` is negative, or a derivative is asked
        for of an image in which some pixels do not count.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import gaussian_filter
    >>> smooth = gaussian_filter(da.eye(6, chunks=3), sigma=1)
    >>> smooth.chunks
    ((3, 3), (3, 3))
    >>> smooth.compute().round(2)[0]
    array([0.5 , 0.32, 0.13, 0.03, 0.01, 0.  ])
    """
    image = as_dask_array(image)
    axes = spatial_axes(axes, channel_axis, image.ndim)
    edges = edges_of(image, mode, cval, normalize_axes(axes, image.ndim))
    counted = counted_pixels(image, where, nan_policy, fill_value)
    gaussian = Gaussian(sigma, order, truncate, radius, axes)
    return smooth(image, gaussian, edges, output, counted, name="gaussian_filter")


@dataclass(frozen=True)
class Gaussian:
    """
    A Gaussian on some axes of an image, as SciPy is told of it.

    Attributes
    ----------
    sigma, order, truncate, radius, axes
        As of `gaussian_filter`, which checks them.
    """

    sigma: PerAxis[Real]
    order: PerAxis[Integer] = 0
    truncate: Real = 4.0
    radius: PerAxis[Integer] | None = None
    axes: PerAxis[Integer] | None = None

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments of SciPy's functions of derivatives."""
        truncate = normalize_finite(self.truncate, "truncate")
        return {"sigma": self.sigma, "truncate": truncate} | _given(self.radius, self.axes)


def smooth(image, gaussian, edges, output=None, counted=None, *, name):
    """Smooth as `gaussian_filter`, in tasks called ``name``."""
    which = normalize_axes(gaussian.axes, image.ndim)
    count = len(which)
    orders = per_axis(gaussian.order, count, "order")
    settings = zip(
        which,
        normalize_sigmas(gaussian.sigma, count),
        [normalize_integer(each, "order", lowest=0) for each in orders],
        per_axis(gaussian.radius, count, "radius"),
        strict=True,
    )
    settings = [setting for setting in settings if setting[1] > NEGLIGIBLE_SIGMA]
    keywords = gaussian.keywords | {"order": gaussian.order} | edges.keywords
    output = counted_output(image, counted, output)
    dtype = result_dtype(ndimage.gaussian_filter, image, output=output, **keywords)
    if counted is not None and any(setting[2] for setting in settings):
        raise ValueError(f"order must be 0 where some pixels do not count, got {gaussian.order!r}")
    kernel = kernel_for(image, ndimage.gaussian_filter1d)
    truncate = gaussian.truncate
    passes = [
        Pass(
            kernel,
            axis,
            _gaussian_reach(sigma, truncate, radius),
            edges.modes[axis],
            {"sigma": sigma, "order": order, "cval": edges.cval, "truncate": truncate}
            | {"output": dtype}
            | _given(radius),
        )
        for axis, sigma, order, radius in settings
    ]
    if counted is not None:
        return _smooth_counted(image, counted, passes, dtype, name)
    return map_passes(image, passes, dtype, name)


def _smooth_counted(image, counted, passes, dtype, name):
    """Smooth the pixels that count, in float64 where single precision has no such small weights."""
    least = math.prod(_least_weight(step.keywords["sigma"], *step.reach) for step in passes)
    wide = dtype.kind in "fc" and least < LEAST_WEIGHT
    work = np.result_type(dtype, np.float64) if wide else dtype
    result = average_passes(image, counted, passes, least=0.0, dtype=work, name=name)
    if work == dtype:
        return result
    return map_blocks(_cast, result, into=dtype, name=name, meta=with_dtype(result, dtype))


def _least_weight(sigma, before, after):
    return math.exp(-((max(before, after) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def _cast(block, into):
    return block.astype(into)


def gaussian(
    image: ArrayLike,
    sigma: PerAxis[Real],
    order: PerAxis[Integer] = 0,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
    channel_axis: Integer | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array:
    """
    Smooth an image with a Gaussian: another name for `gaussian_filter`.

    Parameters
    ----------
    image, sigma, order, mode, cval, truncate, radius, output, axes, channel_axis
        As for `gaussian_filter`.
    where, nan_policy, fill_value
        As for `gaussian_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import gaussian
    >>> gaussian(da.ones((4, 4), chunks=2), sigma=1).sum().compute().round(6)
    np.float64(16.0)
    """
    return gaussian_filter(
        image, sigma, order, mode, cval, truncate, radius=radius, output=output, axes=axes,
        channel_axis=channel_axis, where=where, nan_policy=nan_policy, fill_value=fill_value,
    )  # fmt: skip


def gaussian_filter1d(
    image: ArrayLike,
    sigma: Real,
    axis: Integer = -1,
    order: Integer = 0,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Integer | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Smooth an image along one axis, as `scipy.ndimage.gaussian_filter1d`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    sigma : float
        Standard deviation in pixels.
    axis : int, optional
        Along which to filter.
    order : int, optional
        Which derivative of the Gaussian; 0 smooths.
    mode, cval, truncate : optional
        As in `gaussian_filter`.
    radius : int, optional
        Cut it off after this many pixels instead.
    output : dtype, optional
        Of the result; by default that of the image.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If the mode is unknown or ``radius`` negative.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import gaussian_filter1d
    >>> gaussian_filter1d(da.arange(6.0, chunks=3), sigma=1, order=1).compute().round(2)
    array([0.36, 0.85, 0.98, 0.98, 0.85, 0.36])
    """
    image = as_dask_array(image)
    axis = normalize_axis(axis, image.ndim)
    keywords = {
        "sigma": _above_zero(normalize_sigmas([sigma], 1)[0]),
        "order": normalize_integer(order, "order", lowest=0),
        "cval": normalize_cval(cval, image.dtype),
        "truncate": normalize_finite(truncate, "truncate"),
    } | _given(radius)
    mode = normalize_mode(mode)
    dtype = result_dtype(
        ndimage.gaussian_filter1d, image, axis=axis, mode=mode, output=output, **keywords
    )
    step = Pass(
        kernel_for(image, ndimage.gaussian_filter1d),
        axis,
        _gaussian_reach(sigma, truncate, radius),
        mode,
        keywords | {"output": dtype},
    )
    return map_passes(image, [step], dtype, "gaussian_filter1d")


def gaussian_laplace(
    image: ArrayLike,
    sigma: PerAxis[Real],
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
    channel_axis: Integer | None = None,
) -> Array:
    """
    Sum the second Gaussian derivatives; the lazy twin of `scipy.ndimage.gaussian_laplace`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    sigma : float or sequence of float
        Standard deviation in pixels, per axis of ``axes``.
    mode : str or sequence of str, optional
        How the image goes on beyond its edges, as in `gaussian_filter`. As in
        SciPy, the mode of an axis holds on all axes while the derivative along
        that axis is taken.
    cval, truncate : optional
        As in `gaussian_filter`.
    radius : int or sequence of int, optional
        Cut it off after this many pixels instead, per axis of the image.
    output : dtype, optional
        Of the result; by default that of the image.
    axes : int or tuple of int, optional
        Smooth and sum along these axes only.
    channel_axis : int, optional
        Filter along all axes but this one: scikit-image's word for the same.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        As `gaussian_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import gaussian_laplace
    >>> bump = da.from_array([0.0, 0, 0, 1, 0, 0, 0], chunks=4)
    >>> gaussian_laplace(bump, sigma=1).compute().round(2)
    array([ 0.04,  0.16,  0.  , -0.4 ,  0.  ,  0.16,  0.04])
    """
    image = as_dask_array(image)
    axes = spatial_axes(axes, channel_axis, image.ndim)
    which = normalize_axes(axes, image.ndim)
    sigmas = normalize_sigmas(sigma, len(which))
    # SciPy takes them in the order of the image's axes if there is one for each of them.
    if len(which) < image.ndim:
        sigmas = on_axes(sigmas, which, image.ndim, default=0)
    edges = edges_of(image, mode, cval, which)
    gaussian = Gaussian(sigma, 2, truncate, radius, axes)
    return _from_derivatives(
        ndimage.gaussian_laplace, add_terms, image, gaussian, sigmas, edges, output
    )


def gaussian_gradient_magnitude(
    image: ArrayLike,
    sigma: PerAxis[Real],
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
    channel_axis: Integer | None = None,
) -> Array:
    """
    Length of the Gaussian gradient; twin of `scipy.ndimage.gaussian_gradient_magnitude`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    sigma : float or sequence of float
        Standard deviation in pixels, per axis of the image (as in SciPy, every
        axis is smoothed, whatever ``axes`` are).
    mode : str or sequence of str, optional
        How the image goes on beyond its edges, as in `gaussian_laplace`.
    cval, truncate : optional
        As in `gaussian_filter`.
    radius, output : optional
        As in `gaussian_laplace`.
    axes : int or tuple of int, optional
        Take derivatives along these axes only.
    channel_axis : int, optional
        Filter along all axes but this one: scikit-image's word for the same.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        As `gaussian_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import gaussian_gradient_magnitude
    >>> ramp = da.arange(8.0, chunks=4)
    >>> gaussian_gradient_magnitude(ramp, sigma=0.5).compute().round(2)
    array([0.43, 0.86, 0.86, 0.86, 0.86, 0.86, 0.86, 0.43])
    """
    image = as_dask_array(image)
    axes = spatial_axes(axes, channel_axis, image.ndim)
    sigmas = normalize_sigmas(sigma, image.ndim)
    edges = edges_of(image, mode, cval, normalize_axes(axes, image.ndim))
    gaussian = Gaussian(sigma, 1, truncate, radius, axes)
    return _from_derivatives(
        ndimage.gaussian_gradient_magnitude,
        magnitude_of_terms,
        image,
        gaussian,
        sigmas,
        edges,
        output,
    )


def _from_derivatives(scipy_function, combine, image, gaussian, sigmas, edges, output):
    """Run SciPy's function, or combine derivatives where each axis has a mode of its own."""
    name = scipy_function.__name__
    which = normalize_axes(gaussian.axes, image.ndim)
    keywords = gaussian.keywords
    dtype = result_dtype(scipy_function, image, output=output, **keywords, **edges.keywords)
    modes = [edges.modes[axis] for axis in which] or ["nearest"]
    if len(set(modes)) > 1:
        terms = []
        for axis, mode in zip(which, modes):
            order = on_axes([gaussian.order], [axis], image.ndim, default=0)
            derivative = Gaussian(sigmas, order, gaussian.truncate, gaussian.radius)
            terms.append(smooth(image, derivative, edges.all_round(mode), dtype, name=name))
        return combined(combine, terms, name)
    radii = per_axis(gaussian.radius, image.ndim, "radius")
    edges = edges.all_round(modes[0])
    return map_neighborhood(
        kernel_for(image, scipy_function),
        image,
        name=name,
        reach=[
            _gaussian_reach(sigma, gaussian.truncate, radius)
            for sigma, radius in zip(sigmas, radii)
        ],
        modes=edges.modes,
        dtype=dtype,
        output=dtype,
        **keywords,
        **edges.keywords,
    )


def _gaussian_reach(sigma, truncate, radius):
    """Return how far SciPy lets a Gaussian reach; what is no valid radius is left to SciPy."""
    if radius is None:
        radius = int(truncate * sigma + 0.5) if sigma > NEGLIGIBLE_SIGMA else 0
    elif not isinstance(radius, numbers.Integral):
        return 0, 0
    return radius, radius


def _above_zero(sigma):
    """Return what SciPy divides by, as it does not for several axes, or raise."""
    if sigma == 0:
        raise ArgumentError(f"sigma must be above 0, got {sigma!r}")
    return sigma


def _given(radius=None, axes=None):
    """Return the arguments that were given; CuPy and older SciPy do not know them all."""
    given = {"radius": radius, "axes": axes}
    return {name: value for name, value in given.items() if value is not None}
