"""
SciPy's boundary modes, each one value: how an image goes on beyond its edges.

Everything that depends on a mode asks its `Mode`: the engines (where a halo comes from),
the filters (which pixel stands beyond the edge) and interpolation (which coordinate, and
which spline coefficient). Compiled kernels know a mode by its ``code``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CONSTANT, NEAREST, REFLECT, MIRROR, WRAP, GRID_WRAP, GRID_CONSTANT = range(7)

# Farther out a coordinate stands for no pixel but the edge: 64-bit indices end there.
FAR = 1e18

# Beyond this many pixels outside of the image no spline reaches into it.
OUT_OF_REACH = 8.0


@dataclass(frozen=True)
class Mode:
    """
    How an image goes on beyond its edges.

    Parameters
    ----------
    name : str
        SciPy's.
    code : int
        What compiled kernels know it by: one of the constants of this module. Names that
        interpolation does not tell apart have one code.
    as_filter : str
        The name among "constant", "nearest", "reflect", "mirror" and "wrap" under which
        filters extend an image in the same way.
    fold : callable
        ``fold(index, size)`` gives the pixel that filters find at each of an array of
        indices, -1 where there is none (``cval``). ``size`` is at least 1.
    fold_coordinate : callable
        ``fold_coordinate(x, size)`` gives for an array of coordinates those in the image
        that they stand for in interpolation, NaN where there is none (``cval``).
    coefficients : str
        The edge for which SciPy's recursive filter computes spline coefficients.
    padding : int, optional
        How many pixels are added before the filter runs, where `coefficients` is not the
        edge that the mode has.
    periodic : bool, optional
        Whether pixels beyond an edge come from the opposite side.
    skips_edge : bool, optional
        Whether mirroring leaves out the edge pixel itself.
    """

    name: str
    code: int
    as_filter: str
    fold: Callable[[Any, int], Any]
    fold_coordinate: Callable[[Any, int], Any]
    coefficients: str
    padding: int = 0
    periodic: bool = False
    skips_edge: bool = False

    @property
    def fold_coefficient(self) -> Callable[[Any, int], Any]:
        """
        As ``fold``, for the coefficients of a spline.

        They go on as the edge they were computed for does. Where the image was padded
        instead, they go on as the image.
        """
        return self.fold if self.padding else MODES[self.coefficients].fold

    def __reduce__(self) -> tuple[Callable[[str], Mode], tuple[str]]:
        return mode_named, (self.name,)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__name__, self.name


def mode_named(name: str) -> Mode:
    """Return the mode of a name that is known to be one."""
    return MODES[name]


# -- which pixel stands at an index ----------------------------------------------------------


def _inside_or_nothing(index, size):
    return np.where((index >= 0) & (index < size), index, -1)


def _edge_pixel(index, size):
    return np.clip(index, 0, size - 1)


def _around(index, size):
    return index % size


def _back_from_the_edge(index, size):
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _back_from_the_edge_pixel(index, size):
    # An axis of one pixel has no period: that pixel is everywhere.
    period = max(2 * size - 2, 1)
    index = index % period
    return np.minimum(index, period - index) if size > 1 else index


# -- which coordinate in the image another one stands for ------------------------------------
#
# Each formula takes SciPy's steps in SciPy's order, so that results are its to the last bit.


def _coordinate_inside_or_nothing(x, size):
    return np.where((x >= 0) & (x <= size - 1), x, np.nan)


def _coordinate_out_of_reach(x, size):
    # What lies outside is decided pixel by pixel; farther out nothing changes.
    return np.clip(x, -OUT_OF_REACH, size + OUT_OF_REACH)


def _folding(beyond: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``fold_coordinate`` from what happens beyond the edges of two pixels or more."""

    def fold_coordinate(x, size):
        x = np.where(np.abs(x) < FAR, x, np.nan)
        inside = (x >= 0) & (x <= size - 1)
        if size <= 1:
            return np.where(np.isnan(x), np.nan, 0.0)
        below, above = beyond(x, size)
        # Where a coordinate is so large that its place in the period is rounded away, it stays
        # near.
        turned = np.clip(np.where(x < 0, below, above), -1.0, size)
        return np.where(inside, x, turned)

    return fold_coordinate


@_folding
def _coordinate_around_the_pixels(x, size):
    below = x + size * (np.trunc((-1 - x) / size) + 1)
    return below, x - size * np.floor(x / size)


@_folding
def _coordinate_around_the_centres(x, size):
    # The last pixel lies upon the first one.
    period = size - 1.0
    return x + period * (np.floor(-x / period) + 1), x - period * np.floor(x / period)


@_folding
def _coordinate_back_from_the_edge(x, size):
    period = 2.0 * size
    below = np.where(x < -period, x + period * np.floor(-x / period), x)
    # A hair above -1, so that rounding down stays within reach of the image.
    flipped = np.where(below > -1e-15, 1e-15, -below) - 1
    below = np.where(below < -size, below + period, flipped)
    above = x - period * np.floor(x / period)
    return below, np.where(above >= size, period - above - 1, above)


@_folding
def _coordinate_back_from_the_edge_pixel(x, size):
    period = 2.0 * size - 2
    below = x + period * np.floor(-x / period)
    below = np.where(below <= 1 - size, below + period, -below)
    above = x - period * np.floor(x / period)
    return below, np.where(above >= size, period - above, above)


# The margin that SciPy adds in modes for which it has no prefilter.
PADDING = 12

MODES = {
    mode.name: mode
    for mode in (
        Mode(
            "constant", CONSTANT, "constant",
            _inside_or_nothing, _coordinate_inside_or_nothing, "mirror",
        ),
        Mode(
            "grid-constant", GRID_CONSTANT, "constant",
            _inside_or_nothing, _coordinate_out_of_reach, "mirror", PADDING,
        ),
        Mode(
            "nearest", NEAREST, "nearest",
            _edge_pixel, _coordinate_out_of_reach, "reflect", PADDING,
        ),
        Mode(
            "reflect", REFLECT, "reflect",
            _back_from_the_edge, _coordinate_back_from_the_edge, "reflect",
        ),
        Mode(
            "grid-mirror", REFLECT, "reflect",
            _back_from_the_edge, _coordinate_back_from_the_edge, "reflect",
        ),
        Mode(
            "mirror", MIRROR, "mirror",
            _back_from_the_edge_pixel, _coordinate_back_from_the_edge_pixel, "mirror",
            skips_edge=True,
        ),
        Mode(
            "wrap", WRAP, "wrap",
            _around, _coordinate_around_the_centres, "mirror",
            periodic=True,
        ),
        Mode(
            "grid-wrap", GRID_WRAP, "wrap",
            _around, _coordinate_around_the_pixels, "grid-wrap",
            periodic=True,
        ),
    )
}  # fmt: skip
