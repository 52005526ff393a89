"""Which pixels of a block no neighbour is higher than, and which of those lie on plateaus."""

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.patience import patient
from dask_image._utils.steps import facing, forward

# What a pixel is: one with a higher neighbour, one without whose plateau is not yet known, one
# without whose plateau is known to be no maximum all the same, one that is higher than all.
LOWER, CANDIDATE, SPOILED, PEAK = 0, 1, 2, 3
# What that becomes at the edge of an image where no maximum may touch it.
WITHOUT_BORDER = np.array([LOWER, SPOILED, SPOILED, LOWER], np.uint8)


@patient
def plateau_states(image, steps, highest):
    """
    Tell of each pixel what it is, as far as its neighbours and theirs can tell.

    Parameters
    ----------
    image : numpy.ndarray
        Integers, booleans or floats. NaN is lower, and higher than nothing.
    steps : tuple of tuples of int
        From a pixel to its neighbours, with each its opposite; -1, 0 or 1 along an axis.
    highest : bool
        Whether to look for maxima; else for minima.

    Returns
    -------
    numpy.ndarray of uint8
        ``LOWER``, ``CANDIDATE``, ``SPOILED`` or ``PEAK``.
    """
    if not use_numba() or image.dtype.itemsize > 8:
        return _plain_states(image, steps, highest)
    padded = _padded(image, highest)
    # Steps in the raveled array; the last one is repeated, so that they come in fours.
    offsets = np.array(steps, np.int64) @ np.array(padded.strides) // padded.itemsize
    fours = np.append(offsets, np.repeat(offsets[-1:], -offsets.size % 4)).reshape(-1, 4)
    reach = int(np.abs(offsets).max(initial=0))
    states = np.zeros(padded.shape, np.uint8)
    _drop_lower(padded.ravel(), fours, reach, states.ravel())
    inner = (slice(1, -1),) * image.ndim
    _look_at_plateaus(padded.ravel(), offsets, reach, states.ravel())
    return states[inner]


def _padded(image, highest):
    """
    Return an image whose maxima are asked for, of a type that can be compiled for, in a frame.

    No pixel is lower than the frame, which holds NaN or the least integer. To an integer that is
    as small it looks level, but a plateau of those that has no higher neighbour is no maximum.
    """
    dtype = {"e": "f", "?": "B"}.get(image.dtype.char, image.dtype.newbyteorder("="))
    padded = np.empty([size + 2 for size in image.shape], dtype)
    least = np.nan if padded.dtype.kind == "f" else np.iinfo(dtype).min
    for axis in range(image.ndim):
        for edge in (0, -1):
            padded[(slice(None),) * axis + (edge,)] = least
    inner = padded[(slice(1, -1),) * image.ndim]
    if highest:
        inner[...] = image
    else:
        reverse = np.negative if padded.dtype.kind == "f" else np.invert
        reverse(image.astype(dtype, copy=False), out=inner)
    return padded


def _plain_states(image, steps, highest):
    candidate = np.ones(image.shape, bool)
    pairs = [facing(step) for step in forward(steps)]
    for here, there in pairs:
        lower = image[here] < image[there]
        higher = image[here] > image[there]
        candidate[here] &= ~(lower if highest else higher)
        candidate[there] &= ~(higher if highest else lower)
    if image.dtype.kind == "f":
        candidate &= ~np.isnan(image)
    level, spoiled = np.zeros((2, *image.shape), bool)
    for here, there in pairs:
        equal = image[here] == image[there]
        level[here] |= equal
        level[there] |= equal
        spoiled[here] |= equal & ~candidate[there]
        spoiled[there] |= equal & ~candidate[here]
    states = np.where(level, np.where(spoiled, np.uint8(SPOILED), np.uint8(CANDIDATE)), PEAK)
    return np.where(candidate, states, LOWER).astype(np.uint8)


# So many pixels are compared with all of their neighbours before the next ones: states stay in
# the cache.
AT_ONCE = 2048


@jit
def _drop_lower(image, fours, reach, states):
    """
    Mark the pixels that have no higher neighbour with 1, all others with 0.

    To end at the first higher neighbour would cost more than to compare with all, many pixels at
    a time: nobody can foresee which it is. Pixels of the frame are compared with whatever is there,
    as long as it is in memory; ``reach`` is that of the longest step.
    """
    for start in range(reach, image.size - reach, AT_ONCE):
        stop = min(start + AT_ONCE, image.size - reach)
        here, kept = image[start:stop], states[start:stop]
        for pixel in range(here.size):
            kept[pixel] = here[pixel] == here[pixel]
        for four in fours:
            first, second = image[start + four[0] :], image[start + four[1] :]
            third, fourth = image[start + four[2] :], image[start + four[3] :]
            for pixel in range(here.size):
                lower = here[pixel] < first[pixel]
                lower |= here[pixel] < second[pixel]
                lower |= here[pixel] < third[pixel]
                lower |= here[pixel] < fourth[pixel]
                kept[pixel] &= not lower


@jit
def _look_at_plateaus(image, offsets, reach, states):
    """Tell the pixels without a higher neighbour apart."""
    for pixel in range(reach, image.size - reach):
        if states[pixel] == LOWER:
            continue
        level, spoiled = False, False
        for offset in offsets:
            equal = image[pixel + offset] == image[pixel]
            level |= equal
            spoiled |= equal and states[pixel + offset] == LOWER
        states[pixel] = SPOILED if spoiled else CANDIDATE if level else PEAK
