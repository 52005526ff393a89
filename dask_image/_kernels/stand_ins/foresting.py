"""
Watershed by the image foresting transform, with queues in a third of the memory of SciPy's.

The cost of a way from a marker is its largest step between neighbours, and pixels wait in one queue
for each cost (A. X. Falcão, J. Stolfi, R. de Alencar Lotufo, "The image foresting transform",
IEEE Transactions on Pattern Analysis and Machine Intelligence 26, 2004). Of ways that cost the same
the queues alone choose one, so that theirs are SciPy's ways, where these are odd too: objects stand
in line before, background behind all who wait; who waits alone goes to another queue without
leaving the first; and a row goes on where the next one begins.
"""

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_part, use_numba

# SciPy is done with fewer pixels before the kernel is compiled, and takes 160 MB for them.
FEW_PIXELS = 1 << 22
NOBODY = -1
FIRST, LAST = range(2)
BEFORE, BEHIND, COST = range(3)


def watershed_ift(input, markers, structure=None, output=None):
    """
    Stand in for :func:`scipy.ndimage.watershed_ift`, whose queues take 40 bytes a pixel, not 12.
    """
    plain = output is not None or not (input.dtype.isnative and markers.dtype.isnative)
    if plain or input.size < FEW_PIXELS or not use_numba():
        return ndimage.watershed_ift(input, markers, structure, output)
    if structure is None:
        structure = ndimage.generate_binary_structure(input.ndim, 1)
    labels = np.array(markers, order="C")
    strides = np.array(labels.strides) // labels.itemsize
    steps = (np.argwhere(structure) - 1) @ strides
    queues = np.full((int(input.max()) + 1, LAST + 1), NOBODY, np.int64)
    waiting = np.empty((input.size, COST + 1), np.int32 if input.size < 2**31 else np.int64)
    _flood(np.ascontiguousarray(input).ravel(), labels.ravel(), steps[steps != 0], queues, waiting)
    return labels


@jit
def _flood(image, labels, steps, queues, waiting):
    """
    Give each pixel the label that gets there at the least cost, in place.

    ``queues`` has the first and the last pixel of each queue; ``waiting``, of each pixel, who waits
    before it and behind it, and its cost: less than 0, its complement, once others were served.
    """
    for pixel in range(labels.size):
        waiting[pixel, BEFORE] = waiting[pixel, BEHIND] = NOBODY
        waiting[pixel, COST] = len(queues)
        if labels[pixel] != 0:
            waiting[pixel, COST] = 0
            _enter(queues, waiting, 0, pixel, labels[pixel] > 0)
    for level in range(len(queues)):
        while queues[level, FIRST] != NOBODY:
            pixel = queues[level, FIRST]
            later = waiting[pixel, BEHIND]
            queues[level, FIRST] = later
            if later != NOBODY:
                waiting[later, BEFORE] = NOBODY
            waiting[pixel, BEFORE] = waiting[pixel, BEHIND] = NOBODY
            so_far = waiting[pixel, COST]
            # Served before, it may stand in a second queue.
            so_far = max(so_far, ~so_far)
            waiting[pixel, COST] = ~so_far
            value, label = np.int64(image[pixel]), labels[pixel]
            for step in steps:
                other = pixel + step
                known = waiting[other, COST] if 0 <= other < labels.size else 0
                if known > so_far:
                    cost = max(so_far, abs(np.int64(image[other]) - value))
                    if cost < known:
                        _leave(queues, waiting, known, other)
                        waiting[other, COST], labels[other] = cost, label
                        _enter(queues, waiting, cost, other, label > 0)


@jit_part
def _enter(queues, waiting, cost, pixel, at_once):
    """Let a pixel wait in a queue: before all others, or behind them."""
    end, towards, away = (FIRST, BEHIND, BEFORE) if at_once else (LAST, BEFORE, BEHIND)
    beside = queues[cost, end]
    waiting[pixel, towards], waiting[pixel, away] = beside, NOBODY
    if beside != NOBODY:
        waiting[beside, away] = pixel
    queues[cost, end] = pixel
    if queues[cost, LAST - end] == NOBODY:
        queues[cost, LAST - end] = pixel


@jit_part
def _leave(queues, waiting, cost, pixel):
    """Take a pixel out of a queue, if others wait there beside it."""
    before, behind = waiting[pixel, BEFORE], waiting[pixel, BEHIND]
    if before == NOBODY and behind == NOBODY:
        return
    if queues[cost, FIRST] == pixel:
        queues[cost, FIRST] = behind
    if queues[cost, LAST] == pixel:
        queues[cost, LAST] = before
    if before != NOBODY:
        waiting[before, BEHIND] = behind
    if behind != NOBODY:
        waiting[behind, BEFORE] = before
