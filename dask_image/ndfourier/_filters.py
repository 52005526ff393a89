"""The four Fourier filters: a factor for each frequency, worked out where it is needed."""

from __future__ import annotations

import functools

import numpy as np
from scipy import ndimage, special

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.memory import recycled
from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axis,
    normalize_finite,
    normalize_integer,
    per_axis,
)
from dask_image._utils.arrays import as_dask_array, output_dtype, with_dtype
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.overlap import block_bounds
from dask_image._utils.typing import Array, ArrayLike, DTypeLike, Integer, PerAxis, Real

REAL = tuple(map(np.dtype, ("f4", "f8")))
COMPLEX = tuple(map(np.dtype, ("c8", "c16")))

# Frequencies that are multiplied at a time.
BAND = 1 << 15


def fourier_gaussian(
    image: ArrayLike,
    sigma: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Multiply a Fourier transform with that of a Gaussian kernel.

    The Dask form of :func:`scipy.ndimage.fourier_gaussian`. Blocks are worked on
    one by one and the chunks are kept.

    Parameters
    ----------
    image : array_like
        The transform, with its zero frequency first, as :mod:`dask.array.fft` has it.
    sigma : float or sequence of float
        Standard deviation of the kernel in pixels of the image, for all axes or
        for each.
    n : int, optional
        Negative (default): the transform is a complex one. Else it is a real one,
        and the image was ``n`` pixels long along ``axis``.
    axis : int, optional
        The axis of the real transform.
    output : dtype, optional
        ``float32``, ``float64``, ``complex64`` or ``complex128``. Default: that of
        ``image``, or ``float64`` for integers and booleans.

    Returns
    -------
    dask.array.Array
        Lazy, of the shape and chunks of ``image``.

    Raises
    ------
    RuntimeError
        If ``sigma`` has not one value for each axis, or a dtype is not supported.

    Examples
    --------
    >>> import dask.array as da
    >>> spectrum = da.fft.fft2(da.random.default_rng(0).random((8, 8), chunks=8))
    >>> fourier_gaussian(spectrum, sigma=1.5).shape
    (8, 8)
    """
    spectrum = _Spectrum(image, sigma, "sigma", n, axis)
    line = functools.partial(_line_of_scipy, ndimage.fourier_gaussian)
    return spectrum.filter("fourier_gaussian", _multiply, line, spectrum.dtype(output))


def fourier_uniform(
    image: ArrayLike,
    size: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Multiply a Fourier transform with that of a box.

    The Dask form of :func:`scipy.ndimage.fourier_uniform`. Blocks are worked on one
    by one and the chunks are kept.

    Parameters
    ----------
    image : array_like
        The transform, with its zero frequency first, as :mod:`dask.array.fft` has it.
    size : float or sequence of float
        Length of the box in pixels of the image, for all axes or for each.
    n, axis, output : optional
        As in `fourier_gaussian`.

    Returns
    -------
    dask.array.Array
        Lazy, of the shape and chunks of ``image``.

    Raises
    ------
    RuntimeError
        If ``size`` has not one value for each axis, or a dtype is not supported.

    Examples
    --------
    >>> import dask.array as da
    >>> fourier_uniform(da.ones(4, chunks=2), size=2).compute().round(3) + 0.0
    array([1.   , 0.637, 0.   , 0.637])
    """
    spectrum = _Spectrum(image, size, "size", n, axis)
    line = functools.partial(_line_of_scipy, ndimage.fourier_uniform)
    return spectrum.filter("fourier_uniform", _multiply, line, spectrum.dtype(output))


def fourier_shift(
    image: ArrayLike,
    shift: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Multiply a Fourier transform so that the image moves by ``shift`` pixels.

    The Dask form of :func:`scipy.ndimage.fourier_shift`. Blocks are worked on one by
    one and the chunks are kept.

    Parameters
    ----------
    image : array_like
        The transform, with its zero frequency first, as :mod:`dask.array.fft` has it.
    shift : float or sequence of float
        How far the image moves, in pixels, along all axes or along each.
    n, axis : optional
        As in `fourier_gaussian`.
    output : dtype, optional
        ``complex64`` or ``complex128``. Default: that of ``image``, or
        ``complex128`` for anything real.

    Returns
    -------
    dask.array.Array
        Lazy, of the shape and chunks of ``image``.

    Raises
    ------
    RuntimeError
        If ``shift`` has not one value for each axis, or a dtype is not supported.

    Examples
    --------
    >>> import dask.array as da
    >>> spectrum = da.fft.fft(da.arange(5, chunks=5))
    >>> da.fft.ifft(fourier_shift(spectrum, 2)).real.compute().round(6) + 0.0
    array([3., 4., 0., 1., 2.])
    """
    spectrum = _Spectrum(image, shift, "shift", n, axis)
    line = functools.partial(_line_of_scipy, ndimage.fourier_shift)
    return spectrum.filter(
        "fourier_shift", _multiply, line, spectrum.dtype(output, complex_only=True)
    )


def fourier_ellipsoid(
    image: ArrayLike,
    size: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Multiply a Fourier transform with that of an ellipsoid.

    The Dask form of :func:`scipy.ndimage.fourier_ellipsoid`. Blocks are worked on one
    by one and the chunks are kept.

    Parameters
    ----------
    image : array_like
        The transform, with its zero frequency first, as :mod:`dask.array.fft` has
        it; one to three axes.
    size : float or sequence of float
        Full lengths of the ellipsoid's axes in pixels of the image, for all axes or
        for each.
    n, axis, output : optional
        As in `fourier_gaussian`.

    Returns
    -------
    dask.array.Array
        Lazy, of the shape and chunks of ``image``.

    Raises
    ------
    NotImplementedError
        If ``image`` has more than three axes.
    RuntimeError
        If ``size`` has not one value for each axis, or a dtype is not supported.

    Examples
    --------
    >>> import dask.array as da
    >>> fourier_ellipsoid(da.ones((4, 4), chunks=2), size=2).compute()[:2, :2].round(3)
    array([[1.   , 0.722],
           [0.722, 0.498]])
    """
    image = as_dask_array(image)
    if image.ndim > 3:
        raise NotImplementedError(
            f"image must have one to three axes for fourier_ellipsoid, got {image.ndim}"
        )
    spectrum = _Spectrum(image, size, "size", n, axis)
    return spectrum.filter(
        "fourier_ellipsoid", _multiply_ellipsoid, _squared_radius, spectrum.dtype(output)
    )


class _Spectrum:
    """A transform, and what the caller says about the axes it was taken along."""

    def __init__(self, image, parameters, name, n, axis):
        self.image = image = as_dask_array(image)
        if image.dtype not in REAL + COMPLEX and image.dtype.kind not in "biu":
            raise ArgumentError(f"image has dtype {image.dtype}, which is not supported")
        axis = normalize_axis(axis, image.ndim)
        self.lengths = [-1] * image.ndim
        self.lengths[axis] = normalize_integer(n, "n")
        self.parameters = [
            float(normalize_finite(value, name)) for value in per_axis(parameters, image.ndim, name)
        ]

    def dtype(self, output, complex_only=False):
        """Return the dtype of the result by SciPy's rules."""
        kept = COMPLEX if complex_only else (np.dtype("f4"), *COMPLEX)
        default = self.image.dtype if self.image.dtype in kept else kept[-1]
        if not complex_only and default is kept[-1] and self.image.dtype not in kept:
            default = np.dtype("f8")
        dtype = output_dtype(output, default)
        allowed = COMPLEX if complex_only or self.image.dtype.kind == "c" else REAL + COMPLEX
        if dtype not in allowed:
            names = ", ".join(str(one) for one in allowed)
            raise ArgumentError(f"output must be one of {names} for this image, got {dtype}")
        return dtype

    def filter(self, name, kernel, line, dtype):
        """Run ``kernel(block, *factors)`` on each block, with ``line`` giving the factors."""
        image = self.image
        return map_blocks(
            _filtered, image, kernel=kernel, line=line,
            axes=tuple(zip(self.parameters, self.lengths, image.shape, strict=True)),
            bounds=block_bounds(image.chunks), out_dtype=dtype, name=name,
            dtype=dtype, meta=with_dtype(image, dtype),
        )  # fmt: skip


def _filtered(block, kernel, line, axes, bounds, out_dtype, block_id=None):
    """Return what a kernel makes of a block and of the parts of the axes' lines beside it."""
    places = [slice(*along[i : i + 2]) for along, i in zip(bounds, block_id, strict=True)]
    factors = [line(*axis)[place] for axis, place in zip(axes, places, strict=True)]
    return kernel(block, *factors, out_dtype=out_dtype)


# Blocks have lines in common.
@functools.lru_cache(maxsize=16)
def _line_of_scipy(scipy_filter, parameter, n, size):
    """
    Return the factors along one axis of a separable filter.

    SciPy's filter on a line of ones gives them with each of its rules for odd
    parameters.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return scipy_filter(np.ones(size), parameter, n=n)


@functools.lru_cache(maxsize=16)
def _squared_radius(parameter, n, size):
    """Return the squares of what each frequency adds to the radius in an ellipsoid."""
    frequency = np.arange(size, dtype=float)
    if n < 0:
        frequency[(size + 1) // 2 :] -= size
    with np.errstate(divide="ignore", invalid="ignore"):
        return (frequency * (np.pi * parameter / np.float64(size if n < 0 else n))) ** 2


def _multiply(block, *factors, out_dtype):
    """
    Multiply ``block`` with one factor for each place along each axis.

    Some rows at a time, so that what is worked out on the way stays in a cache.
    """
    outer = functools.reduce(np.multiply.outer, factors[:-1], np.ones(()))
    outer, last = outer.reshape(-1, 1), factors[-1]
    rows = block.reshape(len(outer), len(last))
    result = _result_like(block, out_dtype)
    target = result.reshape(rows.shape)
    in_parts = block.dtype == out_dtype and outer.dtype.kind == last.dtype.kind == "f"
    if in_parts and block.dtype.kind == "c":
        # Real and imaginary parts lie side by side, each multiplied with the same factor.
        rows = rows if rows.flags.c_contiguous else rows.copy(order="C")
        rows, target = rows.view(block.real.dtype), target.view(block.real.dtype)
        last = np.repeat(last, 2)
    if in_parts and isinstance(block, np.ndarray) and use_numba():
        kernels.spectra.multiply(rows, outer.ravel(), last, target)
        return result
    for band in _bands(rows):
        if in_parts:
            factor = (outer[band] * last).astype(rows.dtype)
            np.multiply(rows[band], np.asarray(factor, like=block), out=target[band])
        else:
            target[band] = _product(rows[band], outer[band] * last, out_dtype)
    return result


def _result_like(block, dtype):
    """Return an array of the shape of a block, on its device, to be written to."""
    if isinstance(block, np.ndarray):
        return recycled(block.shape, dtype)
    return np.empty_like(block, dtype=dtype, order="C")


def _multiply_ellipsoid(block, *squares, out_dtype):
    """Multiply ``block`` with the transform of the unit ball at the radius of each place."""
    outer = functools.reduce(np.add.outer, squares[:-1], np.zeros(()))
    # A frequency and its negative have one square, and the Bessel function is what costs.
    (heights, height), (widths, width) = (
        np.unique(one.ravel(), return_inverse=True) for one in (outer, squares[-1])
    )
    ball = _unit_ball(np.sqrt(heights[:, None] + widths), block.ndim)
    rows = block.reshape(len(height), len(width))
    result = _result_like(block, out_dtype)
    target = result.reshape(rows.shape)
    for band in _bands(rows):
        target[band] = _product(rows[band], ball[height[band]][:, width], out_dtype)
    return result


def _unit_ball(radius, ndim):
    """Return the transform of the unit ball in some dimensions at a radius."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if ndim == 1:
            factor = np.sin(radius) / radius
        elif ndim == 2:
            factor = 2.0 * special.j1(radius) / radius
        else:
            factor = 3.0 * (np.sin(radius) - radius * np.cos(radius)) / radius**3
    # In two and three dimensions a radius of NaN (n = 0) counts as none in SciPy.
    factor[radius == 0 if ndim == 1 else ~(radius > 0)] = 1.0
    return factor


def _bands(rows):
    """Return slices of as many rows at a time as stay in a cache with what is made of them."""
    # On a GPU it is the number of calls that costs.
    count = max(BAND // max(rows.shape[1], 1), 1)
    count = count if isinstance(rows, np.ndarray) else len(rows) + 1
    return [slice(begin, begin + count) for begin in range(0, len(rows), count)]


def _product(block, factor, out_dtype):
    """Multiply in double precision, whatever the result is kept in."""
    factor = np.asarray(factor, like=block)
    if factor.dtype.kind == "c" or block.dtype.kind != "c":
        return (block * factor).astype(out_dtype, copy=False)
    # Part by part: a complex product would turn an infinite part into NaN.
    result = np.empty_like(block, dtype=out_dtype)
    result.real = block.real * factor
    result.imag = block.imag * factor
    return result
