"""
What filters look through, normalised once.

A window around a pixel (a size, a footprint, a structure or weights), and what it sees beyond
the edges of the image.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_array,
    normalize_axes,
    normalize_cval,
    normalize_mode,
    normalize_modes,
    normalize_origins,
    normalize_sizes,
    on_axes,
    window_reach,
)
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Integer,
    ModeName,
    NDArray,
    PerAxis,
    Reach,
    Shape,
)
from dask_image._utils.warnings import warn


@dataclass(frozen=True, eq=False)
class Window:
    """
    A window on some axes of an image; its arguments are valid.

    Attributes
    ----------
    described : dict
        What it is to SciPy: ``size``, ``footprint``, ``structure`` or ``weights``.
    shape : tuple of int
        Its extent along each of its axes.
    origins : tuple of int
        How far its centre is moved along each of them.
    axes : tuple of int
        Which axes of the image they are.
    ndim : int
        How many axes the image has.
    names_axes : bool
        Whether SciPy is told the axes.
    """

    described: dict[str, Any]
    shape: Shape
    origins: Shape
    axes: Shape
    ndim: int
    names_axes: bool

    def __post_init__(self):
        window_reach(self.shape, self.origins)

    @functools.cached_property
    def paired_reach(self) -> Reach:
        """How many pixels are read before and after the centre, for each axis of the image."""
        reach = window_reach(self.shape, self.origins)
        reach = [(before, max(after, 0)) for before, after in reach]
        return on_axes(reach, self.axes, self.ndim, default=(0, 0))

    @functools.cached_property
    def reach(self) -> Reach:
        """
        As `paired_reach`, wide enough for whichever way axes are paired with sizes and origins.

        SciPy pairs axes that are not in rising order in one way in some functions and in
        another way in others.
        """
        if list(self.axes) == sorted(self.axes):
            return self.paired_reach
        widest = (max(self.shape),) * 2
        return on_axes([widest] * len(self.axes), self.axes, self.ndim, default=(0, 0))

    @property
    def reach_from_behind(self) -> Reach:
        """What is read where the window is looked through from behind (convolution, dilation)."""
        return [(after, before) for before, after in self.reach]

    @property
    def keywords(self) -> dict[str, Any]:
        """
        The arguments that describe the window to SciPy, in which a box has one origin an axis.
        """
        keywords = self.described | {"origin": list(self.origins)}
        return keywords | {"axes": self.axes} if self.names_axes else keywords

    @property
    def line_keywords(self) -> dict[str, Any]:
        """The arguments that describe a window on one axis to SciPy's functions of lines."""
        described = {name: value for name, value in self.described.items() if name != "size"}
        described = described or {"size": self.shape[0]}
        return described | {"axis": self.axes[0], "origin": self.origins[0]}

    @property
    def is_box(self) -> bool:
        """Whether all pixels of the window count, and alike."""
        return "size" in self.described or bool(self.described.get("footprint", np.False_).all())

    @property
    def spread_footprint(self) -> NDArray:
        """Which pixels count, with an axis for each of the image."""
        footprint = self.described.get("footprint")
        footprint = np.ones(self.shape, bool) if footprint is None else footprint
        # The axes in rising order, and one pixel along those that the window does not have.
        footprint = footprint.transpose(np.argsort(self.axes))
        return np.expand_dims(footprint, tuple(sorted({*range(self.ndim)} - {*self.axes})))

    def widened(self, steps: int) -> Reach:
        """
        Return the reach of several steps, each through the same window.

        Dilation looks through the window from behind. A second step mirrored at an edge of the
        image turns before into after: the halo is as wide on both sides.
        """
        return [
            (before, after) if steps == 1 and before == after else (max(before, after) * steps,) * 2
            for before, after in self.reach
        ]


def sized(
    size: Any,
    origin: Any,
    axes: PerAxis[Integer] | None,
    ndim: int,
    least: int = 1,
    name: str = "size",
) -> Window:
    """
    Return a box; where sizes may be 0, SciPy leaves alone axes along which it has 0 or 1 pixels.
    """
    chosen = normalize_axes(axes, ndim)
    sizes = normalize_sizes(size, len(chosen), name, least)
    origins = normalize_origins(origin, len(chosen))
    if least == 0:
        origins = [0 if size < 2 else along for size, along in zip(sizes, origins, strict=True)]
    return _window({"size": sizes}, sizes, origins, axes, ndim)


def sized_or_footprint(
    size: Any,
    footprint: ArrayLike | None,
    origin: Any,
    axes: PerAxis[Integer] | None,
    ndim: int,
    least: int = 1,
) -> Window:
    """
    Return the window that ``size`` or ``footprint`` stand for.

    Parameters
    ----------
    size : int, sequence of int or None
    footprint : array_like of bool or None
        Takes precedence; a size beside it is warned about, as SciPy does.
    origin : int or sequence of int
    axes : int, tuple of int or None
        The axes that the window has.
    ndim : int
        How many axes the image has.
    least : int, optional
        The least size.

    Returns
    -------
    Window
    """
    if footprint is None:
        if size is None:
            raise ArgumentError("size or footprint must be given, got neither")
        return sized(size, origin, axes, ndim, least)
    if size is not None:
        warn("ignoring size because footprint is set")
    footprint = _checked(normalize_array(footprint, "footprint", bool), "footprint", axes, ndim)
    return _window({"footprint": footprint}, footprint.shape, origin, axes, ndim)


def grey_window(
    size: Any,
    footprint: ArrayLike | None,
    structure: ArrayLike | None,
    origin: Any,
    axes: PerAxis[Integer] | None,
    ndim: int,
) -> Window:
    """Return the window of grey morphology, whose structure is added to pixels."""
    if size is None and footprint is None and structure is None:
        raise ValueError("size, footprint or structure must be given, got none of them")
    described = {}
    if structure is not None:
        structure = normalize_array(structure, "structure")
        if structure.dtype.kind not in "biuf":
            raise TypeError(f"structure must hold real numbers, got dtype {structure.dtype}")
        described = {"structure": _checked(structure, "structure", axes, ndim)}
    if footprint is not None:
        if size is not None:
            warn("ignoring size because footprint is set")
        footprint = _checked(normalize_array(footprint, "footprint", bool), "footprint", axes, ndim)
        described["footprint"] = footprint
        if structure is not None and footprint.shape != structure.shape:
            raise ArgumentError(
                f"footprint and structure must have one shape, got {footprint.shape} "
                f"and {structure.shape}"
            )
    if not described:
        return sized(size, origin, axes, ndim, least=0)
    shape = next(iter(described.values())).shape
    return _window(described, shape, origin, axes, ndim)


def binary_window(
    structure: ArrayLike | None,
    origin: Any,
    axes: PerAxis[Integer] | None,
    ndim: int,
    name: str = "structure",
) -> Window:
    """
    Return the window of binary morphology.

    Parameters
    ----------
    structure : array_like of bool or None
        By default the centre and the pixels that share a face with it.
    origin, axes, ndim
        As for `sized_or_footprint`.
    name : str, optional
        What the caller calls the structure.

    Returns
    -------
    Window
    """
    chosen = normalize_axes(axes, ndim)
    if structure is None:
        structure = ndimage.generate_binary_structure(len(chosen), 1)
    structure = _checked(normalize_array(structure, name, bool), name, axes, ndim)
    # SciPy pays no heed to the order of axes where they are all there are.
    axes = chosen if len(chosen) < ndim else None
    origins = tuple(normalize_origins(origin, len(chosen)))
    described = {"structure": structure}
    return Window(described, structure.shape, origins, chosen, ndim, axes is not None)


def weighted(weights: ArrayLike, origin: Any, axes: PerAxis[Integer] | None, ndim: int) -> Window:
    """Return the window that weights of a correlation have."""
    weights = _checked(weights, "weights", axes, ndim)
    return _window({"weights": weights}, weights.shape, origin, axes, ndim)


def _checked(array, name, axes, ndim):
    """Return an array that describes a window on some axes, or raise."""
    count = len(normalize_axes(axes, ndim))
    if array.ndim != count:
        raise ArgumentError(
            f"{name} must have one axis for each of {count} axes, got {array.ndim} axes"
        )
    if name == "footprint" and not array.any():
        raise ValueError("footprint must have a pixel that is True, got none")
    if array.size == 0:
        raise ArgumentError(f"{name} must not be empty, got shape {array.shape}")
    return array


def _window(described, shape, origin, axes, ndim):
    chosen = normalize_axes(axes, ndim)
    origins = normalize_origins(origin, len(chosen))
    return Window(described, tuple(shape), tuple(origins), chosen, ndim, axes is not None)


@dataclass(frozen=True)
class Edges:
    """
    How an image goes on beyond its edges; valid.

    Attributes
    ----------
    mode : str or sequence of str
        As SciPy is told.
    modes : tuple of str
        For each axis of the image.
    cval : number
        The value beyond in mode "constant".
    """

    mode: PerAxis[ModeName]
    modes: tuple[ModeName, ...]
    cval: Any

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments that describe the edges to SciPy."""
        return {"mode": self.mode, "cval": self.cval}

    def all_round(self, mode: ModeName) -> Edges:
        """Return edges of one mode along all axes."""
        return Edges(mode, (mode,) * len(self.modes), self.cval)


def edges_of(image: Array, mode: PerAxis[ModeName], cval: Any, axes: Shape | None = None) -> Edges:
    """
    Return the edges that ``mode`` and ``cval`` stand for.

    Parameters
    ----------
    image : dask.array.Array
    mode : str or sequence of str
        With ``axes``, one for all of them or for each.
    cval : number
    axes : tuple of int, optional
        Along which the filter looks; without, ``mode`` is one that holds for all axes.

    Returns
    -------
    Edges

    Raises
    ------
    ValueError, TypeError
        If a mode is unknown, or ``cval`` no number.
    """
    if axes is None:
        modes = [normalize_mode(mode)] * image.ndim
    else:
        modes = on_axes(normalize_modes(mode, len(axes)), axes, image.ndim, default="nearest")
    return Edges(mode, tuple(modes), normalize_cval(cval, image.dtype))
