"""
Chamfer distances: two sweeps over the image, in raster order and against it.

Each sweep lets a pixel step to those of its neighbours that the sweep has
passed (Rosenfeld & Pfaltz, "Sequential operations in digital picture
processing", 1966). Blocks are slabs of whole planes, and a slab needs one plane
of the slab before it; so the result, ties included, is that of a sweep over the
whole image.
"""

import numpy as np

from dask_image._kernels._numba import jit, use_numba

# Distances below zero: no background found yet, and outside of the image.
UNKNOWN, OUTSIDE = -1, -2


class Sweep:
    """
    A slab on its way through the sweeps, with a margin of pixels that are not the image's.

    Parameters
    ----------
    background : numpy.ndarray of bool
        Whole planes of the image.
    start : int
        Raster index of the slab's first pixel in the whole image.
    metric : numpy.ndarray of bool
        The pixels one step away, in a neighbourhood of three pixels an axis;
        only those before the centre in raster order count, and their mirror
        images.
    want_indices : bool
        Whether to note which background pixel is the nearest.
    index_dtype : dtype
        Of raster indices.
    """

    def __init__(self, background, start, metric, want_indices, index_dtype):
        shape = background.shape
        margins = [(1, 1)] * background.ndim
        distances = np.where(background, np.int32(0), np.int32(UNKNOWN))
        self.distances = np.pad(distances, margins, constant_values=OUTSIDE)
        self.indices = np.empty(0, dtype=index_dtype)
        if want_indices:
            indices = np.arange(start, start + background.size, dtype=index_dtype)
            self.indices = np.pad(indices.reshape(shape), margins)
        self.steps = _raster_steps(metric, self.distances.shape)
        self.inner = (slice(1, -1),) * background.ndim

    def run(self, edge, backwards=False):
        """Sweep, given what the slab before leaves as its ``edge`` (None: nothing)."""
        plane = -1 if backwards else 0
        if edge is not None:
            self.distances[plane] = edge[0]
            if self.indices.size:
                self.indices[plane] = edge[1]
        distances, indices = self.distances.ravel(), self.indices.ravel()
        shape = self.distances.shape
        if use_numba():
            margin = distances.size // shape[0]
            _sweep(distances, indices, self.steps, margin, backwards)
        else:
            way = slice(None, None, -1 if backwards else 1)
            _sweep_numpy(distances[way], indices[way], self.steps.tolist(), shape)

    def edge(self, backwards=False):
        """Return what the next slab has to know."""
        plane = 1 if backwards else -2
        indices = self.indices[plane].copy() if self.indices.size else None
        return self.distances[plane].copy(), indices

    def results(self):
        """Return the distances, and the raster indices if wanted, of the slab's pixels."""
        found = (np.ascontiguousarray(self.distances[self.inner]),)
        if self.indices.size:
            found += (np.ascontiguousarray(self.indices[self.inner]),)
        return found


def _raster_steps(metric, shape):
    """Return the steps to the neighbours that come before the centre, in raster order."""
    strides = np.cumprod((1, *shape[:0:-1]), dtype=np.int64)[::-1]
    neighbours = np.argwhere(metric) - 1
    steps = neighbours @ strides
    return steps[np.flatnonzero(metric) < metric.size // 2]


@jit
def _sweep(distances, indices, steps, margin, backwards):
    """Sweep over all planes but the first and the last one, which are margin."""
    count = distances.size
    for number in range(margin, count - margin):
        here = count - 1 - number if backwards else number
        distance = distances[here]
        if distance == 0 or distance == OUTSIDE:
            continue
        best = here
        for step in steps:
            there = here - step if backwards else here + step
            candidate = distances[there]
            if candidate >= 0 and (distance < 0 or candidate + 1 < distance):
                distance = candidate + 1
                best = there
        distances[here] = distance
        if indices.size > 0:
            indices[here] = indices[best]


def _sweep_numpy(distances, indices, steps, shape):
    """Do the same line by line; both arrays are turned round for the way back."""
    width = shape[-1]
    margin = distances.size // shape[0] if len(shape) > 1 else 0
    for first in range(margin + 1, distances.size - margin, width):
        if distances[first] == OUTSIDE:
            continue
        line = slice(first, first + width - 2)
        for step in steps:
            if step == -1:
                _sweep_line(distances, indices, slice(line.start - 1, line.stop))
                continue
            there = slice(line.start + step, line.stop + step)
            distance, candidate = distances[line], distances[there]
            closer = (candidate >= 0) & ((distance < 0) | (candidate + 1 < distance))
            distance[closer] = candidate[closer] + 1
            if indices.size:
                indices[line][closer] = indices[there][closer]


def _sweep_line(distances, indices, line):
    """Step along one line, which begins with the pixel before it."""
    distance = distances[line]
    x = np.arange(distance.size)
    # How far away a pixel is from the start if it steps from here: less is closer.
    lead = np.where(distance < 0, np.iinfo(np.int32).max, distance.astype(np.int64)) - x
    source = np.maximum.accumulate(np.where(lead == np.minimum.accumulate(lead), x, 0))
    stepped = source != x
    distance[stepped] = (distance[source] + x - source)[stepped]
    if indices.size:
        indices[line][stepped] = indices[line][source][stepped]
