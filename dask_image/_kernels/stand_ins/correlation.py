"""
Correlation along one axis, and the filters made of it.

SciPy adds the products of a line in float64 and in one fixed order; these
kernels keep that order for every pixel and run over many pixels at once, so
results are equal to the last bit.
"""

import functools
import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.stand_ins._lines import (
    CANONICAL_MODE,
    NUMBERS,
    each,
    line_tiles,
    new_output,
    store,
)
from dask_image._kernels.stand_ins._windows import (
    CACHE_BYTES,
    along_axes,
    flat_offsets,
    pad,
    reach,
    segments,
    trimmed,
)


def _symmetry(weights):
    """Return 1 for symmetric, -1 for antisymmetric, 0 for other weights, by SciPy's rule."""
    if len(weights) % 2 == 0:
        return 0
    epsilon = np.finfo(np.float64).eps
    mirrored = weights[::-1]
    half = len(weights) // 2 + 1
    if np.all(np.abs(weights - mirrored)[half:] <= epsilon):
        return 1
    if np.all(np.abs(weights + mirrored)[half:] <= epsilon):
        return -1
    return 0


@jit
def _add_products(line, weight, total):
    for pixel in range(total.size):
        total[pixel] += line[pixel] * weight


@jit
def _add_symmetric(left, right, weight, total):
    for pixel in range(total.size):
        total[pixel] += (left[pixel] + right[pixel]) * weight


@jit
def _add_two_symmetric(left, right, weight, next_left, next_right, next_weight, total):
    for pixel in range(total.size):
        total[pixel] = (total[pixel] + (left[pixel] + right[pixel]) * weight) + (
            next_left[pixel] + next_right[pixel]
        ) * next_weight


@jit
def _add_antisymmetric(left, right, weight, total):
    for pixel in range(total.size):
        total[pixel] += (left[pixel] - right[pixel]) * weight


@jit
def _compiled_sums(extended, stride, weights, symmetry, sums):
    """Fill ``sums`` with the weighted sums of each row of ``extended``, in SciPy's order."""
    count = weights.size
    half = count // 2
    centre = count - 1 if symmetry == 0 else half
    for row in range(sums.shape[0]):
        line = extended[row]
        for start in range(0, sums.shape[1], 1024):
            total = sums[row, start : start + 1024]
            first = line[start + centre * stride :]
            for pixel in range(total.size):
                total[pixel] = first[pixel] * weights[centre]
            tap = 0
            while tap < centre:
                left = line[start + tap * stride :]
                right = line[start + (count - 1 - tap) * stride :]
                if symmetry == 0:
                    _add_products(left, weights[tap], total)
                elif symmetry < 0:
                    _add_antisymmetric(left, right, weights[tap], total)
                elif tap + 1 < centre:
                    # Two at once halve the traffic of the sums.
                    next_left = line[start + (tap + 1) * stride :]
                    next_right = line[start + (count - 2 - tap) * stride :]
                    _add_two_symmetric(
                        left, right, weights[tap], next_left, next_right, weights[tap + 1], total
                    )
                    tap += 1
                else:
                    _add_symmetric(left, right, weights[tap], total)
                tap += 1


def correlate1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.correlate1d`."""
    image = np.asarray(input)
    taps = np.asarray(weights)
    result = _result_for(image, output)
    if (
        result is None
        or not use_numba()
        or mode not in CANONICAL_MODE
        or taps.ndim != 1
        or taps.dtype.kind not in "biuf"
        or not -(taps.size // 2) <= origin <= (taps.size - 1) // 2
    ):
        return ndimage.correlate1d(image, weights, axis, output, mode, cval, origin)
    axis = operator.index(axis) % image.ndim
    taps = np.ascontiguousarray(taps, dtype=np.float64)
    before = taps.size // 2 + origin
    symmetry = _symmetry(taps)
    tiles = line_tiles(
        image, result, axis, before, taps.size - 1 - before,
        CANONICAL_MODE[mode], cval, np.float64,
    )  # fmt: skip
    for extended, stride, target in tiles:
        sums = np.empty((target.shape[0], target.shape[1] * stride))
        _compiled_sums(extended, stride, taps, symmetry, sums)
        store(sums.reshape(target.shape), target)
    return result


def _result_for(image, output):
    """Return the array to write to, or None where the case is left to SciPy."""
    if image.dtype not in NUMBERS and image.dtype != bool or image.ndim == 0 or image.size == 0:
        return None
    result = new_output(image, output)
    # Booleans as output keep SciPy's raw bytes, which NumPy would normalise.
    return result if result is not None and result.dtype in NUMBERS else None


def convolve1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.convolve1d`."""
    weights = np.asarray(weights)
    if weights.ndim != 1 or weights.dtype.kind == "c":
        return ndimage.convolve1d(input, weights, axis, output, mode, cval, origin)
    # Reversed weights correlate; an even count has its centre one pixel to the other side.
    origin = -origin - (weights.size % 2 == 0)
    return correlate1d(input, weights[::-1], axis, output, mode, cval, origin)


@jit
def _compiled_window_sums(flat, offsets, weights, sums):
    """Fill ``sums`` with what windows at the first pixels of ``flat`` add up to."""
    for start in range(0, sums.size, 1024):
        total = sums[start : start + 1024]
        total[:] = 0.0
        for tap in range(offsets.size):
            _add_products(flat[start + offsets[tap] :], weights[tap], total)


def _store_sums(sums, target):
    """Convert as SciPy does for windows: a negative sum to uint64 by its magnitude."""
    if target.dtype != np.uint64:
        store(sums, target)
        return
    store(np.abs(sums), target)
    np.negative(target, where=sums < 0, out=target)


def correlate(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    """Stand in for `scipy.ndimage.correlate`."""
    image, taps = np.asarray(input), np.asarray(weights)
    result = _result_for(image, output)
    window = None
    if (
        use_numba()
        and result is not None
        and result is not image
        and taps.dtype.kind in "biuf"
        and isinstance(mode, str)
        and CANONICAL_MODE.get(mode, "grid") == mode  # SciPy's grid modes are its own matter here
    ):
        window = along_axes(np.ones(taps.shape, bool), origin, axes, image.ndim)
    if window is None:
        return ndimage.correlate(image, weights, output, mode, cval, origin, axes=axes)
    full, origins = window
    taps = taps.reshape(full.shape).astype(np.float64)
    used = np.abs(taps) > np.finfo(np.float64).eps  # SciPy passes over smaller ones
    dtype = image.dtype if mode != "constant" or cval == 0 else np.float64
    padded = pad(image.astype(dtype, copy=False), *reach(full, origins),
                 (mode,) * image.ndim, cval)  # fmt: skip
    offsets = flat_offsets(used, padded.shape)
    farthest = int(offsets.max(initial=0))
    found = np.empty(padded.shape, result.dtype)
    flat, values = padded.ravel(), found.ravel()
    # Runs that are long against the window seldom convert a pixel twice.
    share = CACHE_BYTES // max(CACHE_BYTES // 16, 4 * farthest) or 1
    for start, stop in segments(image.shape, padded.shape, share):
        sums = np.empty(stop - start)
        run = flat[start : stop + farthest].astype(np.float64)
        _compiled_window_sums(run, offsets, taps[used], sums)
        _store_sums(sums, values[start:stop])
    result[...] = trimmed(found, image.shape)
    return result


def convolve(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    """Stand in for `scipy.ndimage.convolve`."""
    weights = np.asarray(weights)
    # Of axes out of order SciPy takes lengths and origins apart; leave that to it.
    places = list(np.atleast_1d(0 if axes is None else axes) % max(np.ndim(input), 1))
    if weights.dtype.kind == "c" or places != sorted(places):
        return ndimage.convolve(input, weights, output, mode, cval, origin, axes=axes)
    # Reversed weights correlate; an even count has its centre one pixel to the other side.
    origins = [
        -shift - (size % 2 == 0)
        for shift, size in zip(each(origin, weights.ndim), weights.shape, strict=True)
    ]
    return correlate(input, np.flip(weights), output, mode, cval, origins, axes=axes)


@functools.lru_cache(maxsize=64, typed=True)
def _gaussian_weights(sigma, order, radius):
    """Return the weights SciPy correlates with, read off its answer to a unit impulse."""
    impulse = np.zeros(2 * radius + 1)
    impulse[radius] = 1.0
    response = ndimage.gaussian_filter1d(
        impulse, sigma, order=order, mode="constant", radius=radius
    )
    weights = response[::-1].copy()
    weights.setflags(write=False)
    return weights


def gaussian_filter1d(
    input, sigma, axis=-1, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0,
    *, radius=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.gaussian_filter1d`."""
    if radius is None:
        radius = int(truncate * float(sigma) + 0.5)
    try:
        weights = _gaussian_weights(sigma, operator.index(order), operator.index(radius))
    except (TypeError, ValueError):  # SciPy says what is wrong with the argument
        return ndimage.gaussian_filter1d(
            input, sigma, axis, order, output, mode, cval, truncate, radius=radius
        )
    return correlate1d(input, weights, axis, output, mode, cval, 0)


def gaussian_filter(
    input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0,
    *, radius=None, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.gaussian_filter`."""
    image = np.asarray(input)
    result = _result_for(image, output)
    if result is None:
        return ndimage.gaussian_filter(
            image, sigma, order, output, mode, cval, truncate, radius=radius, axes=axes
        )
    axes = range(image.ndim) if axes is None else np.atleast_1d(axes)
    steps = zip(
        axes, *(each(value, len(axes)) for value in (sigma, order, mode, radius)), strict=True
    )
    current = image
    for axis, sd, derivative, boundary, half_width in steps:
        if sd > 1e-15:
            gaussian_filter1d(
                current, sd, axis, derivative, result, boundary, cval, truncate, radius=half_width
            )
            current = result
    if current is image:
        result[...] = image
    return result


def _derivative(scipy_function, smoothing, input, axis, output, mode, cval):
    """Correlate with (-1, 0, 1) along ``axis`` and with ``smoothing`` along the others."""
    image = np.asarray(input)
    result = _result_for(image, output)
    if result is None:
        return scipy_function(image, axis, output, mode, cval)
    axis = operator.index(axis) % image.ndim
    modes = each(mode, image.ndim)
    correlate1d(image, [-1, 0, 1], axis, result, modes[axis], cval)
    for other in range(image.ndim):
        if other != axis:
            correlate1d(result, smoothing, other, result, modes[other], cval)
    return result


def prewitt(input, axis=-1, output=None, mode="reflect", cval=0.0):
    """Stand in for `scipy.ndimage.prewitt`."""
    return _derivative(ndimage.prewitt, [1, 1, 1], input, axis, output, mode, cval)


def sobel(input, axis=-1, output=None, mode="reflect", cval=0.0):
    """Stand in for `scipy.ndimage.sobel`."""
    return _derivative(ndimage.sobel, [1, 2, 1], input, axis, output, mode, cval)


def _second_difference(input, axis, output, mode, cval):
    return correlate1d(input, [1, -2, 1], axis, output, mode, cval)


def laplace(input, output=None, mode="reflect", cval=0.0, *, axes=None):
    """Stand in for `scipy.ndimage.laplace`."""
    return ndimage.generic_laplace(input, _second_difference, output, mode, cval, axes=axes)


def _gaussian_derivative(input, axis, output, mode, cval, sigma, order, **kwargs):
    orders = [0] * np.ndim(input)
    orders[axis] = order
    return gaussian_filter(input, sigma, orders, output, mode, cval, **kwargs)


def gaussian_laplace(input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **kwargs):
    """Stand in for `scipy.ndimage.gaussian_laplace`."""
    # SciPy takes sigmas in the order of the image's axes if there is one for each of them.
    if axes is not None and np.size(axes) < np.ndim(input):
        chosen = np.atleast_1d(axes) % np.ndim(input)
        sigmas = [0] * np.ndim(input)
        for axis, width in zip(chosen, each(sigma, len(chosen)), strict=True):
            sigmas[axis] = width
        sigma = sigmas
    return ndimage.generic_laplace(
        input, _gaussian_derivative, output, mode, cval, (sigma, 2), kwargs, axes=axes
    )


def gaussian_gradient_magnitude(
    input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **kwargs
):
    """Stand in for `scipy.ndimage.gaussian_gradient_magnitude`."""
    return ndimage.generic_gradient_magnitude(
        input, _gaussian_derivative, output, mode, cval, (sigma, 1), kwargs, axes=axes
    )
