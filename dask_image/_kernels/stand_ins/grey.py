"""Grey morphology with a flat footprint: minimum and maximum filters with SciPy's reflections."""

import functools
from dataclasses import replace

import numpy as np
from scipy import ndimage

from dask_image._kernels.memory import recycled, scratch
from dask_image._kernels.row_programs import AS_IT_IS, LESS, LOWER, TAKEN_FROM, UPPER
from dask_image._kernels.stand_ins._calls import stands_in_for
from dask_image._kernels.stand_ins._lines import each
from dask_image._kernels.stand_ins._windows import names_a_window, window_of
from dask_image._kernels.stand_ins.extrema import apply, finish, is_wide, pays, result_dtype


def _windows(call, ndim):
    """Return the windows of erosion (LOWER) and dilation (UPPER), or None for SciPy's errors."""
    if not names_a_window(call):
        return None
    size, footprint = call.size, call.footprint
    count = ndim if call.axes is None else np.size(call.axes)
    reflected = None if footprint is None else np.flip(footprint)
    lengths = each(size, count) if footprint is None else np.shape(footprint)
    # The centre of a reflected window of even size lies one pixel to the other side.
    origins = [
        -shift - (length % 2 == 0)
        for shift, length in zip(each(call.origin, count), lengths, strict=False)
    ]
    mirrored = call.changed(footprint=reflected, origin=origins)
    windows = {
        LOWER: window_of(call, ndim, separable=True),
        UPPER: window_of(mirrored, ndim, separable=True),
    }
    return windows if all(windows.values()) else None


def _steps(kinds, image, windows, cval, region, last=()):
    """
    Run one or two filters one after the other; None where that is left to SciPy.

    ``last`` may be how the result is stored, and another array for that.
    """
    axes = windows[kinds[-1]].axes(image.shape, region)
    source = image
    if len(kinds) == 2:
        extents = [axis.extent() for axis in axes]
        axes = [replace(axis, first=low) for axis, (low, _) in zip(axes, extents, strict=True)]
        shape = tuple(high - low for low, high in extents)
        source = scratch("morphology", shape, image.dtype)
        window = windows[kinds[0]]
        before = window.axes(image.shape, [slice(*extent) for extent in extents])
        if apply(kinds[0], image, window, before, cval, source):
            return None
        # SciPy rounds long integers between the steps.
        finish(source, image.dtype, None, window)
    out = recycled([axis.stop - axis.start for axis in axes], image.dtype)
    odd = apply(kinds[-1], source, windows[kinds[-1]], axes, cval, out, last)
    return None if odd else out


def _prepared(call):
    """Return the result's dtype and the windows, or None twice where SciPy sees to the case."""
    image = call.input
    dtype = result_dtype(image, call.output, call.cval)
    if dtype is None or call.structure is not None or not pays(image):
        return None, None
    windows = _windows(call, image.ndim)
    return (dtype, windows) if windows else (None, None)


def _sequence(call, kinds, region):
    """Erosion, dilation, opening or closing."""
    dtype, windows = _prepared(call)
    if windows:
        found = _steps(kinds, call.input, windows, call.cval, region)
        if found is not None:
            return finish(found, dtype, call.output, windows[kinds[-1]])
    return call.by_scipy(region)


def _combined(call, combine, region):
    """Combine several results, in the image's dtype."""
    _, windows = _prepared(call)
    if windows and call.output is None:
        found = combine(call.input, windows, call.cval, region)
        if found is not None:
            return found
    return call.by_scipy(region)


def _inside(image, region):
    return image if region is None else image[region]


def _top_hat(kinds, how, image, windows, cval, region):
    image_there = _inside(image, region)
    if image.dtype != bool and not is_wide(image.dtype):
        return _steps(kinds, image, windows, cval, region, (how, image_there))
    found = _steps(kinds, image, windows, cval, region)
    if found is None:
        return None
    found = finish(found, image.dtype, None, windows[LOWER])
    if image.dtype == bool:
        return np.bitwise_xor(image_there, found, out=found)
    return np.subtract(*((image_there, found)[:: 1 if how == TAKEN_FROM else -1]), out=found)


def _both_ways(how, image, windows, cval, region):
    """Return the dilated image and the eroded one: two arrays, or their difference."""
    axes = windows[LOWER].axes(image.shape, region)
    eroded = scratch("eroded", tuple(axis.stop - axis.start for axis in axes), image.dtype)
    if image.dtype == bool or apply(LOWER, image, windows[LOWER], axes, cval, eroded):
        return None
    if how == LESS and not is_wide(image.dtype):
        return _steps([UPPER], image, windows, cval, region, (how, eroded))
    dilated = _steps([UPPER], image, windows, cval, region)
    for found in (dilated, eroded):
        finish(found, image.dtype, None, windows[LOWER])
    return np.subtract(dilated, eroded, out=dilated) if how == LESS else (dilated, eroded)


def _laplace(image, windows, cval, region):
    found = _both_ways(AS_IT_IS, image, windows, cval, region)
    if found is None:
        return None
    total, eroded = found
    image = _inside(image, region)
    for combine, other in ((np.add, eroded), (np.subtract, image), (np.subtract, image)):
        combine(total, other, out=total)
    return total


OPENING, CLOSING = [LOWER, UPPER], [UPPER, LOWER]


@stands_in_for(ndimage.grey_erosion)
def grey_erosion(call, region):
    return _sequence(call, [LOWER], region)


@stands_in_for(ndimage.grey_dilation)
def grey_dilation(call, region):
    return _sequence(call, [UPPER], region)


@stands_in_for(ndimage.grey_opening)
def grey_opening(call, region):
    return _sequence(call, OPENING, region)


@stands_in_for(ndimage.grey_closing)
def grey_closing(call, region):
    return _sequence(call, CLOSING, region)


@stands_in_for(ndimage.morphological_gradient)
def morphological_gradient(call, region):
    return _combined(call, functools.partial(_both_ways, LESS), region)


@stands_in_for(ndimage.morphological_laplace)
def morphological_laplace(call, region):
    return _combined(call, _laplace, region)


@stands_in_for(ndimage.white_tophat)
def white_tophat(call, region):
    return _combined(call, functools.partial(_top_hat, OPENING, TAKEN_FROM), region)


@stands_in_for(ndimage.black_tophat)
def black_tophat(call, region):
    return _combined(call, functools.partial(_top_hat, CLOSING, LESS), region)
