"""
Windows of any shape over a block, as shifts of one flat array.

A block is padded once. In the flat padded array every pixel of a window lies at
a fixed distance from the window's first corner, so an operation on all windows
at once is one on shifted views of a vector; what it computes in the padding is
thrown away.
"""

import functools
from dataclasses import dataclass

import numpy as np

from dask_image._kernels.row_programs import Axis
from dask_image._kernels.rows import whole
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, each, is_sequence
from dask_image._utils.modes import MODES
from dask_image._utils.typing import Shape


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
                positions = MODES[mode].fold(np.arange(start - low, stop - low), size) + low
                padded[strip] = padded[(*filled, positions, *rest)]
    return padded


def flat_offsets(footprint, padded_shape):
    """Return how far each pixel of ``footprint`` lies from its corner in the flat padded array."""
    strides = np.cumprod([1, *padded_shape[:0:-1]])[::-1]
    return np.argwhere(footprint) @ strides


@dataclass(frozen=True)
class PlacedWindow:
    """A footprint, its origins, and how the image goes on, each along all axes of an image."""

    footprint: np.ndarray
    key: bytes
    origins: Shape
    modes: tuple[str, ...]

    @property
    def is_box(self):
        """Whether the footprint has no holes."""
        return bool(self.footprint.all())

    def axes(self, shape, region=None):
        """Return what there is to compute along each axis for a region of an image."""
        return [
            Axis(length, *bounds, size, size // 2 + origin, mode)
            for length, bounds, size, origin, mode in zip(
                shape, whole(region, shape), self.footprint.shape, self.origins, self.modes,
                strict=True,
            )
        ]  # fmt: skip


def names_a_window(call):
    """Tell whether there is a size or a footprint, and not both."""
    return (call.size is None) != (call.footprint is None)


def window_of(call, ndim, separable=False):
    """
    Return the `PlacedWindow` that the arguments of a `Call` describe; None if SciPy refuses.

    ``separable`` tells that SciPy filters by boxes one axis after another.
    """
    size, footprint, mode, origin, axes = (
        call.size, call.footprint, call.mode, call.origin, call.axes
    )  # fmt: skip
    axes = range(ndim) if axes is None else axes if is_sequence(axes) else (axes,)
    chosen = tuple(axis % ndim for axis in axes)
    if footprint is None:
        sizes = each(size, len(chosen))
        if not all(length == int(length) and length > 0 for length in sizes):
            return None
        shape, pixels = tuple(map(int, sizes)), None
    else:
        footprint = np.asarray(footprint, bool)
        shape, pixels = footprint.shape, footprint.tobytes()
        if len(shape) != len(chosen) or not footprint.any():
            return None
        if footprint.all():
            pixels = None
    modes, origins = tuple(each(mode, len(chosen))), tuple(each(origin, len(chosen)))
    if not all(isinstance(name, str) and name in CANONICAL_MODE for name in modes):
        return None
    if is_sequence(mode) and not (separable and pixels is None):
        return None
    return _window(shape, pixels, modes, origins, chosen, ndim, separable)


@functools.lru_cache(maxsize=128)
def _window(shape, pixels, modes, origins, chosen, ndim, separable):
    if pixels is None and separable:
        # Each axis is filtered by itself, so their order is of no importance.
        order = np.argsort(chosen)
        chosen, modes, origins, shape = (
            tuple(values[i] for i in order) for values in (chosen, modes, origins, shape)
        )
    footprint = np.ones(shape, bool) if pixels is None else np.frombuffer(pixels, bool)
    footprint = footprint.reshape(shape)
    placed = along_axes(footprint, origins, chosen, ndim)
    if placed is None:
        return None
    footprint, origins = placed
    mode_of = dict(zip(chosen, modes, strict=True))
    modes = tuple(mode_of.get(axis, "nearest") for axis in range(ndim))
    return PlacedWindow(footprint, footprint.tobytes(), tuple(origins), modes)
