"""Where windows lie: their centres on a sub-grid, and what is left of them at the edges."""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dask_image._utils.arguments import ArgumentError, normalize_integer, refuse_lazy
from dask_image._utils.typing import NDArray

# Of so many boxes along an axis in a block, those between blocks are worth tasks of their own.
MANY_BOXES = 4


class ClippedWindow(NamedTuple):
    """A window along one axis, clipped to the image; ``cut`` pixels of it lie before the image."""

    start: int
    stop: int
    cut: int


@dataclass(frozen=True)
class WindowGrid:
    """
    Windows on a grid over an image of ``shape``.

    Parameters
    ----------
    shape, window, spacing, step : tuple of int
        One value an axis.
    footprint : numpy.ndarray of bool or None
        Which pixels of a window count; None for all.
    """

    shape: tuple[int, ...]
    window: tuple[int, ...]
    spacing: tuple[int, ...]
    step: tuple[int, ...]
    footprint: NDArray | None

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    def centers(self, axis):
        """Return the positions of the centres along an axis."""
        size, spacing = self.shape[axis], self.spacing[axis]
        count = size // spacing
        # What is left over is shared between both ends.
        return (size - (count - 1) * spacing) // 2 + spacing * np.arange(count)

    def windows(self, axis):
        """Return the windows along an axis, in the order of their centres."""
        size, width = self.shape[axis], self.window[axis]
        windows = []
        for center in self.centers(axis).tolist():
            start = center - width // 2
            windows.append(ClippedWindow(max(start, 0), min(start + width, size), max(-start, 0)))
        return windows

    def chunks(self, image_chunks):
        """
        Return chunks of the grid: the centres that lie in each block of the image.

        Blocks without a centre have no counterpart.
        """
        chunks = []
        for axis, sizes in enumerate(image_chunks):
            bounds = np.cumsum([0, *sizes])
            counts = np.diff(np.searchsorted(self.centers(axis), bounds))
            chunks.append(tuple(counts[counts > 0].tolist()))
        return tuple(chunks)

    def block_windows(self, grid_chunks):
        """Return, per axis, the windows of each block of the grid, as `BlockWindows`."""
        blocks = []
        for axis, sizes in enumerate(grid_chunks):
            windows = self.windows(axis)
            bounds = itertools.accumulate(sizes, initial=0)
            blocks.append(
                [_block_windows(windows[start:stop]) for start, stop in itertools.pairwise(bounds)]
            )
        return blocks


@dataclass(frozen=True)
class TileGrid(WindowGrid):
    """Boxes side by side from the first pixel on; the last ones hold what is left."""

    def centers(self, axis):
        """Return a position in each box along an axis."""
        size, width = self.shape[axis], self.window[axis]
        return np.minimum(np.arange(0, size, width) + width // 2, size - 1)

    def windows(self, axis):
        """Return the boxes along an axis."""
        size, width = self.shape[axis], self.window[axis]
        return [
            ClippedWindow(start, min(start + width, size), 0) for start in range(0, size, width)
        ]

    def chunks(self, image_chunks):
        """
        Return chunks of the grid: the boxes that lie in each block of the image, and those between.

        So a block that holds many boxes need not wait for its neighbours.
        """
        chunks = []
        for axis, (sizes, usual) in enumerate(zip(image_chunks, super().chunks(image_chunks))):
            if max(sizes) < MANY_BOXES * self.window[axis]:
                chunks.append(usual)
                continue
            bounds = np.cumsum(sizes)
            ends = np.array([(start, stop - 1) for start, stop, _ in self.windows(axis)])
            first, last = np.searchsorted(bounds, ends, side="right").T
            # A box over three blocks has the sum of the one within the middle, which then is none.
            _, counts = np.unique(first + last, return_counts=True)
            chunks.append(tuple(counts.tolist()))
        return tuple(chunks)


@dataclass(frozen=True)
class EvenGrid(TileGrid):
    """Boxes side by side, as many as of ``window`` pixels, but all about as large."""

    def edges(self, axis):
        """Return where boxes along an axis begin and, at last, end."""
        size = self.shape[axis]
        count = -(-size // self.window[axis])
        return np.arange(count + 1) * size // count

    def centers(self, axis):
        """Return a position in each box along an axis."""
        edges = self.edges(axis)
        return (edges[:-1] + edges[1:]) // 2

    def windows(self, axis):
        """Return the boxes along an axis."""
        edges = self.edges(axis).tolist()
        return [ClippedWindow(start, stop, 0) for start, stop in itertools.pairwise(edges)]


def tile_grid(shape, box, kind=TileGrid):
    """
    Return boxes of ``box`` pixels, one number or one an axis, for an image of ``shape``.

    None is larger than the image, so that what should be in it may be.
    """
    if not shape or 0 in shape:
        raise ArgumentError(f"an image must have an axis and a pixel to lay boxes on, got {shape}")
    sizes = tuple(map(min, _positive(box, len(shape), "box"), shape))
    return kind(tuple(shape), sizes, sizes, (1,) * len(shape), None)


class BlockWindows(NamedTuple):
    """The interval of an axis that a block's windows span, and the windows counted from there."""

    interval: tuple[int, int]
    windows: tuple[ClippedWindow, ...]


def _block_windows(windows):
    start = min(window.start for window in windows)
    stop = max(window.stop for window in windows)
    return BlockWindows(
        (start, stop),
        tuple(ClippedWindow(one.start - start, one.stop - start, one.cut) for one in windows),
    )


def window_grid(shape, selem, spacing, step):
    """
    Normalise ``selem``, ``spacing`` and ``step`` for an image of ``shape``.

    Returns
    -------
    WindowGrid

    Raises
    ------
    ValueError
        If dimensions do not match, a value is no positive integer, or a
        spacing is larger than the image, which must have an axis.
    """
    if not shape:
        raise ValueError("source must have at least one axis, got an array without axes")
    window, footprint = _window(selem, len(shape))
    spacing = window if spacing is None else _positive(spacing, len(shape), "spacing")
    step = (1,) * len(shape) if step is None else _positive(step, len(shape), "step")
    if any(distance > size for distance, size in zip(spacing, shape)):
        raise ValueError(f"spacing {spacing} is larger than source, which has shape {shape}")
    return WindowGrid(tuple(shape), window, spacing, step, footprint)


def _window(selem, ndim):
    if isinstance(selem, np.ndarray) or np.iterable(selem):
        array = np.asarray(selem)
        if array.dtype == bool or array.ndim > 1:
            if array.ndim != ndim:
                raise ValueError(f"selem has {array.ndim} axes, source has {ndim}")
            footprint = array.astype(bool)
            if not footprint.any():
                raise ValueError("selem must have a pixel that is True, got none")
            return footprint.shape, None if footprint.all() else footprint
    return _positive(selem, ndim, "selem"), None


def _positive(value, ndim, name):
    """Return one positive integer for each axis."""
    refuse_lazy(value, name, "integers")
    values = list(value) if np.iterable(value) else [value] * ndim
    if len(values) != ndim:
        raise ValueError(f"{name} has {len(values)} axes, source has {ndim}: {name}={value!r}")
    try:
        numbers = tuple(normalize_integer(each, name) for each in values)
    except TypeError:
        numbers = (0,)
    if any(number < 1 for number in numbers):
        raise ValueError(f"{name} must be made of positive integers, got {value!r}")
    return numbers
