"""Grey morphology with a flat footprint: minimum and maximum filters with SciPy's reflections."""

import numpy as np
from scipy import ndimage

from dask_image._kernels.stand_ins._lines import each
from dask_image._kernels.stand_ins.extrema import maximum_filter, minimum_filter


def grey_erosion(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_erosion`."""
    if structure is not None or (size is None) == (footprint is None):
        return ndimage.grey_erosion(
            input, size, footprint, structure, output, mode, cval, origin, axes=axes
        )
    return minimum_filter(input, size, footprint, output, mode, cval, origin, axes=axes)


def grey_dilation(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_dilation`."""
    if structure is not None or (size is None) == (footprint is None):
        return ndimage.grey_dilation(
            input, size, footprint, structure, output, mode, cval, origin, axes=axes
        )
    image = np.asarray(input)
    count = image.ndim if axes is None else np.size(axes)
    if footprint is not None:
        footprint = np.flip(footprint)
    lengths = each(size, count) if footprint is None else footprint.shape
    # The centre of a reflected window of even size lies one pixel to the other side.
    origins = [
        -shift - (length % 2 == 0)
        for shift, length in zip(each(origin, count), lengths, strict=False)
    ]
    return maximum_filter(image, size, footprint, output, mode, cval, origins, axes=axes)


def grey_opening(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_opening`."""
    window = (size, footprint, structure)
    eroded = grey_erosion(input, *window, None, mode, cval, origin, axes=axes)
    return grey_dilation(eroded, *window, output, mode, cval, origin, axes=axes)


def grey_closing(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.grey_closing`."""
    window = (size, footprint, structure)
    dilated = grey_dilation(input, *window, None, mode, cval, origin, axes=axes)
    return grey_erosion(dilated, *window, output, mode, cval, origin, axes=axes)


def morphological_gradient(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.morphological_gradient`."""
    arguments = (size, footprint, structure, None, mode, cval, origin)
    if isinstance(output, np.ndarray) or np.asarray(input).dtype == bool:
        return ndimage.morphological_gradient(
            input, size, footprint, structure, output, mode, cval, origin, axes=axes
        )
    dilated = grey_dilation(input, *arguments, axes=axes)
    return np.subtract(dilated, grey_erosion(input, *arguments, axes=axes), out=dilated)


def morphological_laplace(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.morphological_laplace`."""
    image = np.asarray(input)
    arguments = (size, footprint, structure, None, mode, cval, origin)
    if isinstance(output, np.ndarray) or image.dtype == bool:
        return ndimage.morphological_laplace(
            input, size, footprint, structure, output, mode, cval, origin, axes=axes
        )
    total = grey_dilation(image, *arguments, axes=axes)
    total += grey_erosion(image, *arguments, axes=axes)
    total -= image
    total -= image
    return total


def white_tophat(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.white_tophat`."""
    image = np.asarray(input)
    if output is not None:
        return ndimage.white_tophat(
            image, size, footprint, structure, output, mode, cval, origin, axes=axes
        )
    opened = grey_opening(image, size, footprint, structure, None, mode, cval, origin, axes=axes)
    difference = np.bitwise_xor if image.dtype == bool else np.subtract
    return difference(image, opened, out=opened)


def black_tophat(
    input, size=None, footprint=None, structure=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.black_tophat`."""
    image = np.asarray(input)
    if output is not None:
        return ndimage.black_tophat(
            image, size, footprint, structure, output, mode, cval, origin, axes=axes
        )
    closed = grey_closing(image, size, footprint, structure, None, mode, cval, origin, axes=axes)
    difference = np.bitwise_xor if image.dtype == bool else np.subtract
    return difference(closed, image, out=closed)
