"""
Chamfer distances: two sweeps over the image, in raster order and against it.

Each sweep lets a pixel step to those of its neighbours that the sweep has
passed (Rosenfeld & Pfaltz, "Sequential operations in digital picture
processing", 1966). Blocks are slabs of whole planes, and a slab needs one plane
of the slab before it; so the result, ties included, is that of a sweep over the
whole image.
"""

import numpy as np

from ._numba import HAVE_NUMBA, jit

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
        if HAVE_NUMBA:
            _sweep(distances, indices, self.steps, -1 if backwards else 1)
        else:
            way = slice(None, None, -1 if backwards else 1)
            _sweep_numpy(distances[way], indices[way], self.steps, self.distances.shape[-1])

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
    """Return the steps to neighbours that come earlier, as differences of raster index."""
    steps = [
        np.ravel_multi_index(where, shape) for where in np.argwhere(metric) if max(shape) > 0
    ]
    return steps


@jit
def _sweep(distances, indices, steps, direction):
    count = distances.size
    for number in range(count):
        here = number if direction > 0 else count - 1 - number
        distance = distances[here]
        if distance == 0 or distance == OUTSIDE:
            continue
        best = here
        for step in steps:
            there = here + direction * step
            if there < 0 or there >= count:
                continue
            candidate = distances[there]
            if candidate >= 0 and (distance < 0 or candidate + 1 < distance):
                distance = candidate + 1
                best = there
        distances[here] = distance
        if indices.size > 0:
            indices[here] = indices[best]
