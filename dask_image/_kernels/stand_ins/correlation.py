"""
Correlation, and the filters made of it.

SciPy adds the products of a pixel in float64 and in one fixed order; these kernels keep that
order for every pixel and run over many pixels at once, so results are equal to the last bit.
"""

import functools
import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import use_numba
from dask_image._kernels.memory import scratch
from dask_image._kernels.patience import patient
from dask_image._kernels.rows import companion, cut, whole
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, NUMBERS, each
from dask_image._kernels.stand_ins._separable import Symmetric, correlate_steps
from dask_image._kernels.stand_ins._three_weights import add_axes, fits
from dask_image._kernels.stand_ins._weights import add_windows
from dask_image._kernels.stand_ins._windows import along_axes, reach

EPSILON = np.finfo(np.float64).eps


# -- what all kernels here do with their first and last arguments ---------------------------


def result_dtype(image, output):
    """Return the dtype to compute, or None where the case is left to SciPy."""
    if image.dtype not in NUMBERS and image.dtype != bool or image.ndim == 0 or image.size == 0:
        return None
    if isinstance(output, np.ndarray):
        dtype = output.dtype if output.shape == image.shape else None
    else:
        try:
            dtype = np.dtype(image.dtype if output is None else output)
        except TypeError:
            return None
    # Booleans as output keep SciPy's raw bytes, which NumPy would normalise; it converts to
    # uint64 in more than one way.
    return dtype if dtype in NUMBERS and dtype != np.uint64 else None


def computed(image, dtype, output, region, run):
    """Return what ``run(result)`` writes, in ``output`` if that is an array."""
    shape = (
        image.shape
        if region is None
        else [stop - start for start, stop in whole(region, image.shape)]
    )
    given = isinstance(output, np.ndarray) and region is None
    usable = given and output.flags.c_contiguous and not np.may_share_memory(image, output)
    result = output if usable else np.empty(shape, dtype)
    run(result)
    if given and not usable:
        output[...] = result
        return output
    return result


def converted(image, dtype, output, region):
    """Return the image as it is, for filters with nothing to do."""

    def run(result):
        result[...] = image if region is None else image[region]

    return computed(image, dtype, output, region, run)


# -- along one axis --------------------------------------------------------------------------


def _symmetry(weights):
    """Return 1 for symmetric, -1 for antisymmetric, 0 for other weights, by SciPy's rule."""
    if len(weights) % 2 == 0:
        return 0
    mirrored = weights[::-1]
    half = len(weights) // 2 + 1
    if np.all(np.abs(weights - mirrored)[half:] <= EPSILON):
        return 1
    if np.all(np.abs(weights + mirrored)[half:] <= EPSILON):
        return -1
    return 0


@functools.lru_cache(maxsize=128)
def _mirrored(taps):
    """Return the weights from the centre to the first, and what `_symmetry` says of all."""
    weights = np.frombuffer(taps)
    sign = _symmetry(weights) if weights.size else 0
    return tuple(map(float, weights[weights.size // 2 :: -1])), sign


def _step(weights, axis, mode, cval, origin, ndim):
    """Return a `Symmetric` step, or None for weights that are not or what SciPy refuses."""
    taps = np.asarray(weights)
    if mode not in CANONICAL_MODE or taps.ndim != 1 or taps.dtype.kind not in "biuf":
        return None
    half = taps.size // 2
    weights, sign = _mirrored(taps.astype(np.float64).tobytes())
    if sign == 0 or not -half <= origin <= half:
        return None
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        return None
    return Symmetric(axis % ndim, half + origin, 2 * half, mode, float(cval), weights, sign)


def _correlate1d(input, weights, axis, output, mode, cval, origin, *, region=None):
    image = np.asarray(input)
    dtype = result_dtype(image, output)
    step = _step(weights, axis, mode, cval, origin, image.ndim) if dtype and use_numba() else None
    if step is not None:
        return computed(
            image, dtype, output, region,
            lambda result: correlate_steps(image, [step], result, region),
        )  # fmt: skip
    taps = np.asarray(weights)
    if dtype and use_numba() and _is_plain(taps, axis, mode, origin, image.ndim):
        return _along_line(
            image, taps.astype(np.float64), axis, dtype, output, mode, cval, origin, region
        )
    return cut(ndimage.correlate1d(image, weights, axis, output, mode, cval, origin), region)


def _is_plain(taps, axis, mode, origin, ndim):
    """Tell whether SciPy would take the arguments of `correlate1d`."""
    return (
        mode in CANONICAL_MODE
        and taps.ndim == 1
        and taps.dtype.kind in "biuf"
        and -(taps.size // 2) <= origin <= (taps.size - 1) // 2
        and -ndim <= operator.index(axis) < ndim
    )


def _along_line(image, weights, axis, dtype, output, mode, cval, origin, region):
    """Correlate with weights that do not mirror themselves, as a window one pixel thick."""
    axis = operator.index(axis) % image.ndim
    # SciPy begins with the product of the last weight.
    order = np.roll(np.arange(weights.size), 1)
    taps = np.zeros((weights.size, image.ndim), np.int64)
    taps[:, axis] = order
    shape, before = [1] * image.ndim, [0] * image.ndim
    shape[axis], before[axis] = weights.size, weights.size // 2 + origin
    modes = ["nearest"] * image.ndim
    modes[axis] = mode
    return computed(
        image, dtype, output, region,
        lambda result: add_windows(
            image, taps, weights[order], before, shape, modes, cval, result, region
        ),
    )  # fmt: skip


def correlate1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.correlate1d`."""
    return _correlate1d(input, weights, axis, output, mode, cval, origin)


def _convolve1d(input, weights, axis, output, mode, cval, origin, *, region=None):
    weights = np.asarray(weights)
    if weights.ndim != 1 or weights.dtype.kind == "c":
        found = ndimage.convolve1d(input, weights, axis, output, mode, cval, origin)
        return cut(found, region)
    # Reversed weights correlate; an even count has its centre one pixel to the other side.
    origin = -origin - (weights.size % 2 == 0)
    return _correlate1d(input, weights[::-1], axis, output, mode, cval, origin, region=region)


def convolve1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.convolve1d`."""
    return _convolve1d(input, weights, axis, output, mode, cval, origin)


# -- under windows of any shape --------------------------------------------------------------


def _correlate(input, weights, output, mode, cval, origin, axes, *, region=None):
    image, taps = np.asarray(input), np.asarray(weights)
    dtype = result_dtype(image, output)
    window = None
    if (
        dtype and use_numba() and taps.dtype.kind in "biuf"
        and isinstance(mode, str) and mode in CANONICAL_MODE
    ):  # fmt: skip
        window = along_axes(np.ones(taps.shape, bool), origin, axes, image.ndim)
    if window is None:
        found = ndimage.correlate(image, weights, output, mode, cval, origin, axes=axes)
        return cut(found, region)
    full, origins = window
    taps = taps.reshape(full.shape).astype(np.float64)
    used = np.abs(taps) > EPSILON  # SciPy passes over smaller ones
    return computed(
        image, dtype, output, region,
        lambda result: add_windows(
            image, np.argwhere(used), taps[used], reach(full, origins)[0], full.shape,
            [mode] * image.ndim, cval, result, region,
        ),
    )  # fmt: skip


def correlate(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    """Stand in for `scipy.ndimage.correlate`."""
    return _correlate(input, weights, output, mode, cval, origin, axes)


def _convolve(input, weights, output, mode, cval, origin, axes, *, region=None):
    weights = np.asarray(weights)
    # Of axes out of order SciPy takes lengths and origins apart; leave that to it.
    order = list(np.atleast_1d(0 if axes is None else axes) % max(np.ndim(input), 1))
    if weights.dtype.kind == "c" or order != sorted(order):
        found = ndimage.convolve(input, weights, output, mode, cval, origin, axes=axes)
        return cut(found, region)
    # Reversed weights correlate; an even count has its centre one pixel to the other side.
    origins = [
        -shift - (size % 2 == 0)
        for shift, size in zip(each(origin, weights.ndim), weights.shape, strict=True)
    ]
    return _correlate(input, np.flip(weights), output, mode, cval, origins, axes, region=region)


def convolve(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    """Stand in for `scipy.ndimage.convolve`."""
    return _convolve(input, weights, output, mode, cval, origin, axes)


# -- Gaussians -------------------------------------------------------------------------------


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


@functools.lru_cache(maxsize=256, typed=True)
def _gaussian_step(sigma, axis, order, mode, cval, truncate, radius, ndim):
    """Return the step that SciPy's arguments describe, or None for what it refuses."""
    try:
        if radius is None:
            radius = int(truncate * float(sigma) + 0.5)
        weights = _gaussian_weights(sigma, operator.index(order), operator.index(radius))
    except (TypeError, ValueError):
        return None
    return _step(weights, axis, mode, cval, 0, ndim)


def _gaussian_filter1d(
    input, sigma, axis, order, output, mode, cval, truncate, radius, *, region=None
):
    image = np.asarray(input)
    dtype, step = result_dtype(image, output), None
    if dtype and use_numba():
        step = _gaussian_step(sigma, axis, order, mode, cval, truncate, radius, image.ndim)
    if step is None:
        found = ndimage.gaussian_filter1d(
            image, sigma, axis, order, output, mode, cval, truncate, radius=radius
        )
        return cut(found, region)
    return computed(
        image, dtype, output, region, lambda result: correlate_steps(image, [step], result, region)
    )


def gaussian_filter1d(
    input, sigma, axis=-1, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0,
    *, radius=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.gaussian_filter1d`."""
    return _gaussian_filter1d(input, sigma, axis, order, output, mode, cval, truncate, radius)


def _gaussian_steps(image, sigma, order, mode, cval, truncate, radius, axes):
    """Return the steps of a Gaussian filter along several axes, or None for what SciPy refuses."""
    axes = range(image.ndim) if axes is None else np.atleast_1d(axes)
    steps = [
        _gaussian_step(width, int(axis), derivative, boundary, cval, truncate, reach, image.ndim)
        for axis, width, derivative, boundary, reach in zip(
            axes, *(each(value, len(axes)) for value in (sigma, order, mode, radius)), strict=True
        )
        if width > 1e-15
    ]
    placed = {int(axis) % image.ndim for axis in axes}
    return None if None in steps or len(placed) < len(axes) else steps


def _gaussian_filter(
    input, sigma, order, output, mode, cval, truncate, radius, axes, *, region=None
):
    image = np.asarray(input)
    dtype, steps = result_dtype(image, output), None
    if dtype and use_numba():
        steps = _gaussian_steps(image, sigma, order, mode, cval, truncate, radius, axes)
    if steps is None:
        found = ndimage.gaussian_filter(
            image, sigma, order, output, mode, cval, truncate, radius=radius, axes=axes
        )
        return cut(found, region)
    if not steps:
        return converted(image, dtype, output, region)
    return computed(
        image, dtype, output, region, lambda result: correlate_steps(image, steps, result, region)
    )


def gaussian_filter(
    input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0,
    *, radius=None, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.gaussian_filter`."""
    return _gaussian_filter(input, sigma, order, output, mode, cval, truncate, radius, axes)


# -- differences -----------------------------------------------------------------------------


def _derivative(scipy_function, smoothing, input, axis, output, mode, cval, *, region=None):
    """Correlate with (-1, 0, 1) along ``axis`` and with ``smoothing`` along the others."""
    image = np.asarray(input)
    dtype, steps = result_dtype(image, output), [None]
    if dtype and use_numba() and -image.ndim <= operator.index(axis) < image.ndim:
        axis = operator.index(axis) % image.ndim
        modes = each(mode, image.ndim)
        steps = [_step([-1, 0, 1], axis, modes[axis], cval, 0, image.ndim)]
        steps += [
            _step(smoothing, other, modes[other], cval, 0, image.ndim)
            for other in range(image.ndim)
            if other != axis
        ]
    if None in steps:
        return cut(scipy_function(image, axis, output, mode, cval), region)
    return computed(
        image, dtype, output, region, lambda result: correlate_steps(image, steps, result, region)
    )


_prewitt = functools.partial(_derivative, ndimage.prewitt, [1, 1, 1])
_sobel = functools.partial(_derivative, ndimage.sobel, [1, 2, 1])


def prewitt(input, axis=-1, output=None, mode="reflect", cval=0.0):
    """Stand in for `scipy.ndimage.prewitt`."""
    return _prewitt(input, axis, output, mode, cval)


def sobel(input, axis=-1, output=None, mode="reflect", cval=0.0):
    """Stand in for `scipy.ndimage.sobel`."""
    return _sobel(input, axis, output, mode, cval)


def _laplace(input, output, mode, cval, axes, *, region=None):
    image = np.asarray(input)
    dtype, steps = result_dtype(image, output), [None]
    if dtype and use_numba():
        chosen = range(image.ndim) if axes is None else [int(axis) for axis in np.atleast_1d(axes)]
        steps = [
            _step([1, -2, 1], axis, boundary, cval, 0, image.ndim)
            for axis, boundary in zip(chosen, each(mode, len(chosen)), strict=True)
        ]
    if not steps or None in steps or len({step.axis for step in steps}) < len(steps):
        return cut(ndimage.laplace(image, output, mode, cval, axes=axes), region)
    if not all(fits(step, image.dtype, dtype) for step in steps):
        return _sum_of_terms(image, [[step] for step in steps], dtype, output, region)
    return computed(
        image, dtype, output, region, lambda result: add_axes(image, steps, result, region)
    )


def laplace(input, output=None, mode="reflect", cval=0.0, *, axes=None):
    """Stand in for `scipy.ndimage.laplace`."""
    return _laplace(input, output, mode, cval, axes)


def _sum_of_terms(image, terms, dtype, output, region, squares=False):
    """Add up results of several lists of steps, or their squares for the root of the sum."""

    def run(result):
        term = scratch("term", result.shape, dtype)
        for number, steps in enumerate(terms):
            target = term if number else result
            if steps:
                correlate_steps(image, steps, target, region)
            else:
                target[...] = image if region is None else image[region]
            if squares:
                np.multiply(target, target, target)
            if number:
                result += term
        if squares:
            np.sqrt(result, result, casting="unsafe")

    return computed(image, dtype, output, region, run)


def _of_derivatives(
    scipy_function, order, squares, input, sigma, output, mode, cval, axes, kwargs, *, region=None
):
    """Combine Gaussian derivatives along several axes as SciPy does."""
    image = np.asarray(input)
    dtype, terms = result_dtype(image, output), None
    if dtype and use_numba() and set(kwargs) <= {"truncate", "radius"}:
        terms = _derivative_terms(image, order, sigma, mode, cval, axes, **kwargs)
    if not terms or None in terms:
        return cut(scipy_function(image, sigma, output, mode, cval, axes=axes, **kwargs), region)
    return _sum_of_terms(image, terms, dtype, output, region, squares)


def _derivative_terms(image, order, sigma, mode, cval, axes, truncate=4.0, radius=None):
    chosen = range(image.ndim) if axes is None else [int(axis) for axis in np.atleast_1d(axes)]
    if any(not -image.ndim <= axis < image.ndim for axis in chosen):
        return None
    # SciPy takes sigmas for a Laplacian in the order of the image's axes if there is one for
    # each of them.
    if order == 2 and len(chosen) < image.ndim:
        sigmas = [0] * image.ndim
        for axis, width in zip(chosen, each(sigma, len(chosen)), strict=True):
            sigmas[axis] = width
        sigma = sigmas
    terms = []
    for axis, boundary in zip(chosen, each(mode, len(chosen)), strict=True):
        orders = [0] * image.ndim
        orders[axis] = order
        terms.append(_gaussian_steps(image, sigma, orders, boundary, cval, truncate, radius, None))
    return terms


def gaussian_laplace(input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **kwargs):
    """Stand in for `scipy.ndimage.gaussian_laplace`."""
    return _gaussian_laplace(input, sigma, output, mode, cval, axes, kwargs)


def gaussian_gradient_magnitude(
    input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **kwargs
):
    """Stand in for `scipy.ndimage.gaussian_gradient_magnitude`."""
    return _gaussian_gradient_magnitude(input, sigma, output, mode, cval, axes, kwargs)


_gaussian_laplace = functools.partial(_of_derivatives, ndimage.gaussian_laplace, 2, False)
_gaussian_gradient_magnitude = functools.partial(
    _of_derivatives, ndimage.gaussian_gradient_magnitude, 1, True
)


# -- what engines ask for --------------------------------------------------------------------


@patient
def _in_passes(block, passes, region):
    """Run several 1-D correlations as few sweeps, or one after another."""
    dtype, steps = result_dtype(block, passes[0].keywords["output"]), [None]
    if dtype and use_numba():
        steps = [_step_of_pass(each_pass, block.ndim) for each_pass in passes]
    if None not in steps:
        return computed(
            block, dtype, None, region, lambda result: correlate_steps(block, steps, result, region)
        )
    found = block
    for step in passes:
        found = step.kernel(found, axis=step.axis, mode=step.mode, **step.keywords)
    return cut(found, region)


def _step_of_pass(step, ndim):
    keywords = step.keywords
    if step.kernel is correlate1d:
        return _step(
            keywords["weights"], step.axis, step.mode, keywords["cval"],
            keywords.get("origin", 0), ndim,
        )  # fmt: skip
    return _gaussian_step(
        keywords["sigma"], step.axis, keywords["order"], step.mode, keywords["cval"],
        keywords["truncate"], keywords.get("radius"), ndim,
    )  # fmt: skip


correlate1d.in_region = companion(correlate1d, _correlate1d)
convolve1d.in_region = companion(convolve1d, _convolve1d)
correlate.in_region = companion(correlate, _correlate)
convolve.in_region = companion(convolve, _convolve)
gaussian_filter1d.in_region = companion(gaussian_filter1d, _gaussian_filter1d)
gaussian_filter.in_region = companion(gaussian_filter, _gaussian_filter)
prewitt.in_region = companion(prewitt, _prewitt)
sobel.in_region = companion(sobel, _sobel)
laplace.in_region = companion(laplace, _laplace)
gaussian_laplace.in_region = companion(gaussian_laplace, _gaussian_laplace)
gaussian_gradient_magnitude.in_region = companion(
    gaussian_gradient_magnitude, _gaussian_gradient_magnitude
)
correlate1d.in_passes = gaussian_filter1d.in_passes = _in_passes
