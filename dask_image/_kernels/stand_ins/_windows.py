"""
Windows of any shape over a block, as shifts of one flat array.

A block is padded once. In the flat padded array every pixel of a window lies at
a fixed distance from the window's first corner, so an operation on all windows
at once is one on shifted views of a vector; what it computes in the padding is
thrown away.
"""

import numpy as np

from dask_image._kernels.stand_ins._lines import each, fold

# What the views of one run of vector operations may take together: most of a second-level cache.
CACHE_BYTES = 1 << 20


def along_axes(footprint, origin, axes, ndim):
    """
    Return ``footprint`` and its origins for all ``ndim`` axes, or None for what SciPy refuses.

    Axes that are not filtered get a length of 1.
    """
    axes = tuple(range(ndim)) if axes is None else tuple(np.atleast_1d(axes) % ndim)
    footprint = np.asarray(footprint, dtype=bool)
    # SciPy takes footprint and origins apart when axes are out of order; leave that to it.
    if footprint.ndim != len(axes) or axes != tuple(sorted(set(axes))) or not footprint.size:
        return None
    shape, origins = [1] * ndim, [0] * ndim
    for axis, length, shift in zip(axes, footprint.shape, each(origin, len(axes)), strict=True):
        if not 0 <= length // 2 + shift < length:
            return None
        shape[axis], origins[axis] = length, shift
    return footprint.reshape(shape), origins


def reach(footprint, origins):
    """Return how far a window stretches before and after its pixel along each axis."""
    before = [size // 2 + origin for size, origin in zip(footprint.shape, origins, strict=True)]
    after = [size - 1 - low for size, low in zip(footprint.shape, before, strict=True)]
    return before, after


def pad(image, before, after, modes, cval):
    """
    Return ``image`` extended along every axis by SciPy's canonical ``modes``.

    A corner of ``"constant"`` and another mode is constant, as in SciPy.
    """
    padded = np.empty(
        [size + low + high for size, low, high in zip(image.shape, before, after, strict=True)],
        image.dtype,
    )
    inside = tuple(slice(low, low + size) for size, low in zip(image.shape, before, strict=True))
    padded[inside] = image
    # Axis by axis, each over all that the axes before have filled in.
    for axis, (size, low, high, mode) in enumerate(
        zip(image.shape, before, after, modes, strict=True)
    ):
        filled = (slice(None),) * axis
        rest = inside[axis + 1 :]
        for start, stop in ((0, low), (low + size, low + size + high)):
            if start == stop:
                continue
            strip = (*filled, slice(start, stop), *rest)
            if mode == "constant":
                padded[strip] = cval
            else:
                positions = fold(np.arange(start - low, stop - low), size, mode) + low
                padded[strip] = padded[(*filled, positions, *rest)]
    return padded


def flat_offsets(footprint, padded_shape):
    """Return how far each pixel of ``footprint`` lies from its corner in the flat padded array."""
    strides = np.cumprod([1, *padded_shape[:0:-1]])[::-1]
    return np.argwhere(footprint) @ strides


def segments(shape, padded_shape, bytes_each):
    """Yield ``(start, stop)`` of runs that cover every window's corner in the flat array."""
    strides = np.cumprod([1, *padded_shape[:0:-1]])[::-1]
    last = int((np.array(shape) - 1) @ strides) + 1
    step = max(CACHE_BYTES // bytes_each, 512)
    for start in range(0, last, step):
        yield start, min(start + step, last)


def trimmed(padded, shape):
    """Return the part of a padded result that windows with their corner in the image gave."""
    return padded[tuple(slice(size) for size in shape)]
