"""Grey morphology with a flat footprint: minimum and maximum filters with SciPy's reflections."""

import dataclasses
import functools

import numpy as np
from scipy import ndimage

from dask_image._kernels.memory import scratch
from dask_image._kernels.row_programs import AS_IT_IS, LESS, LOWER, TAKEN_FROM, UPPER
from dask_image._kernels.rows import companion, cut
from dask_image._kernels.stand_ins._lines import each
from dask_image._kernels.stand_ins._windows import Arguments, window_of
from dask_image._kernels.stand_ins.extrema import apply, finish, is_wide, pays, result_dtype


def _windows(arguments, ndim):
    """Return the windows of erosion (LOWER) and dilation (UPPER), or None for SciPy's errors."""
    size, footprint, origin = arguments.size, arguments.footprint, arguments.origin
    if (size is None) == (footprint is None):
        return None
    count = ndim if arguments.axes is None else np.size(arguments.axes)
    reflected = None if footprint is None else np.flip(footprint)
    lengths = each(size, count) if footprint is None else np.shape(footprint)
    # The centre of a reflected window of even size lies one pixel to the other side.
    origins = [
        -shift - (length % 2 == 0)
        for shift, length in zip(each(origin, count), lengths, strict=False)
    ]
    windows = {
        LOWER: window_of(arguments, ndim, separable=True),
        UPPER: window_of(
            arguments._replace(footprint=reflected, origin=origins), ndim, separable=True
        ),
    }
    return windows if all(windows.values()) else None


def _steps(kinds, image, windows, cval, region, *last):
    """
    Run one or two filters one after the other; None where that is left to SciPy.

    ``last`` is how the result is stored, and another array for that.
    """
    axes = windows[kinds[-1]].axes(image.shape, region)
    source = image
    if len(kinds) == 2:
        extents = [axis.extent() for axis in axes]
        axes = [
            dataclasses.replace(axis, first=low)
            for axis, (low, _) in zip(axes, extents, strict=True)
        ]
        shape = tuple(high - low for low, high in extents)
        source = scratch("morphology", shape, image.dtype)
        window = windows[kinds[0]]
        before = window.axes(image.shape, [slice(*extent) for extent in extents])
        if apply(kinds[0], image, window, before, cval, source):
            return None
        # SciPy rounds long integers between the steps.
        finish(source, image.dtype, None, window)
    out = np.empty([axis.stop - axis.start for axis in axes], image.dtype)
    odd = apply(kinds[-1], source, windows[kinds[-1]], axes, cval, out, *last)
    return None if odd else out


def _prepared(image, structure, arguments):
    """Return the result's dtype and the windows, or None twice where SciPy sees to the case."""
    dtype = result_dtype(image, arguments.output, arguments.cval)
    if dtype is None or structure is not None or not pays(image):
        return None, None
    windows = _windows(arguments, image.ndim)
    return (dtype, windows) if windows else (None, None)


def _sequence(scipy_function, kinds, input, size, footprint, structure, *others, region=None):
    """Erosion, dilation, opening or closing."""
    image, arguments = np.asarray(input), Arguments(size, footprint, *others)
    dtype, windows = _prepared(image, structure, arguments)
    if windows:
        found = _steps(kinds, image, windows, arguments.cval, region)
        if found is not None:
            return finish(found, dtype, arguments.output, windows[kinds[-1]])
    return _by_scipy(scipy_function, image, structure, arguments, region)


def _combined(scipy_function, combine, input, size, footprint, structure, *others, region=None):
    """Combine several results, in the image's dtype."""
    image, arguments = np.asarray(input), Arguments(size, footprint, *others)
    _, windows = _prepared(image, structure, arguments)
    if windows and arguments.output is None:
        found = combine(image, windows, arguments.cval, region)
        if found is not None:
            return found
    return _by_scipy(scipy_function, image, structure, arguments, region)


def _by_scipy(scipy_function, image, structure, arguments, region):
    size, footprint, *others, axes = arguments
    return cut(scipy_function(image, size, footprint, structure, *others, axes=axes), region)


def _inside(image, region):
    return image if region is None else image[region]


def _top_hat(kinds, how, image, windows, cval, region):
    image_there = _inside(image, region)
    if image.dtype != bool and not is_wide(image.dtype):
        return _steps(kinds, image, windows, cval, region, how, image_there)
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
        return _steps([UPPER], image, windows, cval, region, how, eroded)
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


def grey_erosion(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_erosion`."""
    return _erode(input, size, footprint, structure, output, mode, cval, origin, axes)


def grey_dilation(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_dilation`."""
    return _dilate(input, size, footprint, structure, output, mode, cval, origin, axes)


def grey_opening(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_opening`."""
    return _open(input, size, footprint, structure, output, mode, cval, origin, axes)


def grey_closing(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_closing`."""
    return _close(input, size, footprint, structure, output, mode, cval, origin, axes)


def morphological_gradient(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.morphological_gradient`."""
    return _find_gradient(input, size, footprint, structure, output, mode, cval, origin, axes)


def morphological_laplace(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.morphological_laplace`."""
    return _find_laplace(input, size, footprint, structure, output, mode, cval, origin, axes)


def white_tophat(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.white_tophat`."""
    return _white(input, size, footprint, structure, output, mode, cval, origin, axes)


def black_tophat(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.black_tophat`."""
    return _black(input, size, footprint, structure, output, mode, cval, origin, axes)


_partial = functools.partial
OPENING, CLOSING = [LOWER, UPPER], [UPPER, LOWER]

_erode = _partial(_sequence, ndimage.grey_erosion, [LOWER])
_dilate = _partial(_sequence, ndimage.grey_dilation, [UPPER])
_open = _partial(_sequence, ndimage.grey_opening, OPENING)
_close = _partial(_sequence, ndimage.grey_closing, CLOSING)
_find_gradient = _partial(_combined, ndimage.morphological_gradient, _partial(_both_ways, LESS))
_find_laplace = _partial(_combined, ndimage.morphological_laplace, _laplace)
_white = _partial(_combined, ndimage.white_tophat, _partial(_top_hat, OPENING, TAKEN_FROM))
_black = _partial(_combined, ndimage.black_tophat, _partial(_top_hat, CLOSING, LESS))

grey_erosion.in_region = companion(grey_erosion, _erode)
grey_dilation.in_region = companion(grey_dilation, _dilate)
grey_opening.in_region = companion(grey_opening, _open)
grey_closing.in_region = companion(grey_closing, _close)
morphological_gradient.in_region = companion(morphological_gradient, _find_gradient)
morphological_laplace.in_region = companion(morphological_laplace, _find_laplace)
white_tophat.in_region = companion(white_tophat, _white)
black_tophat.in_region = companion(black_tophat, _black)
