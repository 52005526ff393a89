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
from dask_image._kernels.memory import recycled, scratch
from dask_image._kernels.patience import patient
from dask_image._kernels.rows import cut, whole
from dask_image._kernels.stand_ins._calls import Call, stands_in_for
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, NUMBERS, each
from dask_image._kernels.stand_ins._separable import Symmetric, correlate_steps
from dask_image._kernels.stand_ins._three_weights import add_axes, fits
from dask_image._kernels.stand_ins._weights import Weights, add_windows
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


def computed(call, dtype, region, run):
    """Return what ``run(result)`` writes, in the call's ``output`` if that is an array."""
    image, output = call.input, call.output
    if call.counted is not None:
        run(call.counted.out)
        return call.counted.out
    shape = (
        image.shape
        if region is None
        else [stop - start for start, stop in whole(region, image.shape)]
    )
    given = isinstance(output, np.ndarray) and region is None
    usable = given and output.flags.c_contiguous and not np.may_share_memory(image, output)
    result = output if usable else recycled(shape, dtype)
    run(result)
    if given and not usable:
        output[...] = result
        return output
    return result


def converted(call, dtype, region):
    """Return the image as it is, for filters with nothing to do."""
    if call.counted is not None:
        return call.by_scipy(region)

    def run(result):
        result[...] = call.input if region is None else call.input[region]

    return computed(call, dtype, region, run)


def in_steps(call, steps, dtype, region):
    """Return what `Symmetric` steps one after another give."""
    return computed(
        call, dtype, region,
        lambda result: correlate_steps(call.input, steps, result, region, call.counted),
    )  # fmt: skip


def compiled_dtype(call):
    """Return the dtype to compute, or None where there is no numba or the case is SciPy's."""
    return result_dtype(call.input, call.output) if use_numba() else None


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


def _halved(weights):
    """Return the centre's weight and those before it, going outwards, and their sign behind it."""
    taps = np.asarray(weights)
    if taps.ndim != 1 or taps.dtype.kind not in "biuf":
        return None
    return _halves(taps.astype(np.float64).tobytes())


@functools.lru_cache(maxsize=128)
def _halves(taps):
    weights = np.frombuffer(taps)
    sign = _symmetry(weights) if weights.size else 0
    return (tuple(map(float, weights[weights.size // 2 :: -1])), sign) if sign else None


def _step(halved, axis, mode, cval, origin, ndim):
    """Return a `Symmetric` step, or None for weights that are not or what SciPy refuses."""
    if halved is None or mode not in CANONICAL_MODE:
        return None
    (weights, sign), axis = halved, operator.index(axis)
    half = len(weights) - 1
    if not (-half <= origin <= half and -ndim <= axis < ndim):
        return None
    return Symmetric(axis % ndim, half + origin, 2 * half, mode, float(cval), weights, sign)


@stands_in_for(ndimage.correlate1d, linear=True)
def correlate1d(call, region):
    return _correlate1d(call, region)


def _correlate1d(call, region):
    ndim, dtype, step = call.input.ndim, compiled_dtype(call), None
    if dtype:
        step = _step(_halved(call.weights), call.axis, call.mode, call.cval, call.origin, ndim)
    if step is not None:
        return in_steps(call, [step], dtype, region)
    if dtype and _is_plain(call):
        return _along_line(call, dtype, region)
    return call.by_scipy(region)


def _is_plain(call):
    """Tell whether SciPy would take the arguments of `correlate1d`."""
    taps, ndim = np.asarray(call.weights), call.input.ndim
    return (
        call.mode in CANONICAL_MODE
        and taps.ndim == 1
        and taps.dtype.kind in "biuf"
        and -(taps.size // 2) <= call.origin <= (taps.size - 1) // 2
        and -ndim <= operator.index(call.axis) < ndim
    )


def _along_line(call, dtype, region):
    """Correlate with weights that do not mirror themselves, as a window one pixel thick."""
    image, weights = call.input, np.asarray(call.weights, np.float64)
    axis = operator.index(call.axis) % image.ndim
    # SciPy begins with the product of the last weight.
    order = np.roll(np.arange(weights.size), 1)
    taps = np.zeros((weights.size, image.ndim), np.int64)
    taps[:, axis] = order
    shape, before = [1] * image.ndim, [0] * image.ndim
    shape[axis], before[axis] = weights.size, weights.size // 2 + call.origin
    modes = ["nearest"] * image.ndim
    modes[axis] = call.mode
    return _add_windows(call, Weights(taps, weights[order], before, shape, modes), dtype, region)


def _add_windows(call, window, dtype, region):
    return computed(
        call, dtype, region,
        lambda result: add_windows(call.input, window, call.cval, result, region, call.counted),
    )  # fmt: skip


@stands_in_for(ndimage.convolve1d, linear=True)
def convolve1d(call, region):
    weights = np.asarray(call.weights)
    if weights.ndim != 1 or weights.dtype.kind == "c":
        return call.by_scipy(region)
    # Reversed weights correlate; an even count has its centre one pixel to the other side.
    origin = -call.origin - (weights.size % 2 == 0)
    reverse = call.changed(ndimage.correlate1d, weights=weights[::-1], origin=origin)
    return _correlate1d(reverse, region)


# -- under windows of any shape --------------------------------------------------------------


@stands_in_for(ndimage.correlate, linear=True)
def correlate(call, region):
    return _correlate(call, region)


def _correlate(call, region):
    image, taps = call.input, np.asarray(call.weights)
    dtype, window = compiled_dtype(call), None
    known = isinstance(call.mode, str) and call.mode in CANONICAL_MODE
    if dtype and known and taps.dtype.kind in "biuf":
        window = along_axes(np.ones(taps.shape, bool), call.origin, call.axes, image.ndim)
    if window is None:
        return call.by_scipy(region)
    full, origins = window
    taps = taps.reshape(full.shape).astype(np.float64)
    used = np.abs(taps) > EPSILON  # SciPy passes over smaller ones
    window = Weights(
        np.argwhere(used), taps[used], reach(full, origins)[0], full.shape, [call.mode] * image.ndim
    )
    return _add_windows(call, window, dtype, region)


@stands_in_for(ndimage.convolve, linear=True)
def convolve(call, region):
    weights = np.asarray(call.weights)
    # Of axes out of order SciPy takes lengths and origins apart; leave that to it.
    axes = 0 if call.axes is None else call.axes
    order = list(np.atleast_1d(axes) % max(call.input.ndim, 1))
    if weights.dtype.kind == "c" or order != sorted(order):
        return call.by_scipy(region)
    # Reversed weights correlate; an even count has its centre one pixel to the other side.
    origins = [
        -shift - (size % 2 == 0)
        for shift, size in zip(each(call.origin, weights.ndim), weights.shape, strict=True)
    ]
    reverse = call.changed(ndimage.correlate, weights=np.flip(weights), origin=origins)
    return _correlate(reverse, region)


# -- Gaussians -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64, typed=True)
def _bell(sigma, order, truncate, radius):
    """Return half the weights of a Gaussian or a derivative of it, or None for SciPy's errors."""
    try:
        if radius is None:
            radius = int(truncate * float(sigma) + 0.5)
        order, radius = operator.index(order), operator.index(radius)
        # They are SciPy's answer to a unit impulse.
        impulse = np.zeros(2 * radius + 1)
        impulse[radius] = 1.0
        response = ndimage.gaussian_filter1d(
            impulse, sigma, order=order, mode="constant", radius=radius
        )
    except (TypeError, ValueError):
        return None
    return _halved(response[::-1])


@stands_in_for(ndimage.gaussian_filter1d, linear=True)
def gaussian_filter1d(call, region):
    dtype, step = compiled_dtype(call), None
    if dtype:
        bell = _bell(call.sigma, call.order, call.truncate, call.radius)
        step = _step(bell, call.axis, call.mode, call.cval, 0, call.input.ndim)
    return call.by_scipy(region) if step is None else in_steps(call, [step], dtype, region)


def _gaussian_steps(call):
    """Return the steps of a `gaussian_filter`, or None for what SciPy refuses."""
    ndim = call.input.ndim
    axes = range(ndim) if call.axes is None else np.atleast_1d(call.axes)
    arguments = (
        each(value, len(axes)) for value in (call.sigma, call.order, call.mode, call.radius)
    )
    steps = [
        _step(_bell(sigma, order, call.truncate, radius), int(axis), mode, call.cval, 0, ndim)
        for axis, sigma, order, mode, radius in zip(axes, *arguments, strict=True)
        if sigma > 1e-15
    ]
    placed = {int(axis) % ndim for axis in axes}
    return None if None in steps or len(placed) < len(axes) else steps


@stands_in_for(ndimage.gaussian_filter)
def gaussian_filter(call, region):
    dtype = compiled_dtype(call)
    steps = _gaussian_steps(call) if dtype else None
    if steps is None:
        return call.by_scipy(region)
    return in_steps(call, steps, dtype, region) if steps else converted(call, dtype, region)


# -- differences -----------------------------------------------------------------------------


def _derivative(call, smoothing, region):
    """Correlate with (-1, 0, 1) along an axis and with ``smoothing`` along the others."""
    ndim, axis = call.input.ndim, operator.index(call.axis)
    dtype, steps = compiled_dtype(call), [None]
    if dtype and -ndim <= axis < ndim:
        axis, modes = axis % ndim, each(call.mode, ndim)
        steps = [_step(_halved([-1, 0, 1]), axis, modes[axis], call.cval, 0, ndim)]
        steps += [
            _step(_halved(smoothing), other, modes[other], call.cval, 0, ndim)
            for other in range(ndim)
            if other != axis
        ]
    return call.by_scipy(region) if None in steps else in_steps(call, steps, dtype, region)


@stands_in_for(ndimage.prewitt)
def prewitt(call, region):
    return _derivative(call, [1, 1, 1], region)


@stands_in_for(ndimage.sobel)
def sobel(call, region):
    return _derivative(call, [1, 2, 1], region)


@stands_in_for(ndimage.laplace)
def laplace(call, region):
    image = call.input
    dtype, steps = compiled_dtype(call), [None]
    if dtype:
        axes = _chosen_axes(call)
        steps = [
            _step(_halved([1, -2, 1]), axis, mode, call.cval, 0, image.ndim)
            for axis, mode in zip(axes, each(call.mode, len(axes)), strict=True)
        ]
    if not steps or None in steps or len({step.axis for step in steps}) < len(steps):
        return call.by_scipy(region)
    if not all(fits(step, image.dtype, dtype) for step in steps):
        return _sum_of_terms(call, [[step] for step in steps], dtype, region)
    return computed(call, dtype, region, lambda result: add_axes(image, steps, result, region))


def _chosen_axes(call):
    if call.axes is None:
        return range(call.input.ndim)
    return [int(axis) for axis in np.atleast_1d(call.axes)]


def _sum_of_terms(call, terms, dtype, region, squares=False):
    """Add up results of several lists of steps, or their squares for the root of the sum."""
    image = call.input

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

    return computed(call, dtype, region, run)


def _of_derivatives(call, order, region):
    """Add up second Gaussian derivatives along axes, or take the length of the first ones."""
    dtype, terms = compiled_dtype(call), None
    if dtype and set(call.kwargs) <= {"truncate", "radius"}:
        terms = _derivative_terms(call, order)
    if not terms or None in terms:
        return call.by_scipy(region)
    return _sum_of_terms(call, terms, dtype, region, squares=order == 1)


def _derivative_terms(call, order):
    ndim, axes, sigma = call.input.ndim, _chosen_axes(call), call.sigma
    if any(not -ndim <= axis < ndim for axis in axes):
        return None
    # SciPy takes sigmas for a Laplacian in the order of the image's axes if there is one for
    # each of them.
    if order == 2 and len(axes) < ndim:
        sigmas = [0] * ndim
        for axis, width in zip(axes, each(sigma, len(axes)), strict=True):
            sigmas[axis] = width
        sigma = sigmas
    terms = []
    for axis, mode in zip(axes, each(call.mode, len(axes)), strict=True):
        orders = [0] * ndim
        orders[axis] = order
        term = Call(
            ndimage.gaussian_filter, call.input, sigma, orders, None, mode, call.cval, **call.kwargs
        )
        terms.append(_gaussian_steps(term))
    return terms


@stands_in_for(ndimage.gaussian_laplace)
def gaussian_laplace(call, region):
    return _of_derivatives(call, 2, region)


@stands_in_for(ndimage.gaussian_gradient_magnitude)
def gaussian_gradient_magnitude(call, region):
    return _of_derivatives(call, 1, region)


# -- what engines ask for --------------------------------------------------------------------


@patient
def _in_passes(block, passes, region, counted=None):
    """Run several 1-D correlations as few sweeps, or one after another."""
    first, steps = passes[0], [None]
    call = Call(ndimage.gaussian_filter, block, 0, output=first.keywords["output"], counted=counted)
    dtype = compiled_dtype(call)
    if dtype:
        steps = [_step_of_pass(each_pass, block.ndim) for each_pass in passes]
    if None not in steps:
        return in_steps(call, steps, dtype, region)
    if counted is not None:
        return call.by_scipy(region)
    found = block
    for step in passes:
        found = step.kernel(found, axis=step.axis, mode=step.mode, **step.keywords)
    return cut(found, region)


def _step_of_pass(step, ndim):
    keywords = step.keywords
    if step.kernel is correlate1d:
        halved = _halved(keywords["weights"])
    else:
        halved = _bell(*(keywords.get(name) for name in ("sigma", "order", "truncate", "radius")))
    origin = keywords.get("origin", 0)
    return _step(halved, step.axis, step.mode, keywords["cval"], origin, ndim)


correlate1d.in_passes = gaussian_filter1d.in_passes = _in_passes
