"""
The surfaces of blocks in a flood, as tasks make them, join them, and hand labels down to them.

The surface of a block, or of a box of blocks, is the graph of its terminals: pixels on faces that
touch other blocks, and markers; see `dask_image._utils.engines.flooding`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels.blocks.runs import Runs, Squeezed
from dask_image._utils.steps import facing
from dask_image._utils.typing import Block, NDArray, Shape


@dataclass(frozen=True)
class Box:
    """
    Pixels of an image, a block or several blocks that form a box.

    Parameters
    ----------
    lower, upper : tuple of int
        Its first pixel, and the one after its last.
    image_shape : tuple of int
    wrap_axes : tuple of int
        Axes of the image whose ends meet.
    rings : tuple of int
        Those of them along which the ends of this box are joined.
    """

    lower: Shape
    upper: Shape
    image_shape: Shape
    wrap_axes: Shape = ()
    rings: Shape = ()

    @property
    def shape(self) -> Shape:
        """How many pixels it has along each axis."""
        return tuple(high - low for low, high in zip(self.lower, self.upper))

    def faces(self) -> list[tuple[int, int]]:
        """Return (axis, position) of each layer of pixels that touches pixels beyond the box."""
        open_axes = set(self.wrap_axes) - set(self.rings)
        low = [(axis, low) for axis, low in enumerate(self.lower) if low > 0 or axis in open_axes]
        sizes = enumerate(zip(self.upper, self.image_shape))
        return low + [
            (axis, high - 1) for axis, (high, size) in sizes if high < size or axis in open_axes
        ]

    def face_pixels(self) -> NDArray:
        """Return the pixels on its faces, as positions in the block in raster order."""
        found = np.zeros(self.shape, bool)
        for axis, place in self.faces():
            found[(slice(None),) * axis + (place - self.lower[axis],)] = True
        return np.flatnonzero(found)

    def on_faces(self, positions: Sequence[NDArray]) -> NDArray:
        """Tell which of some pixels, given by their positions along each axis, lie on a face."""
        found = np.zeros(positions[0].shape, bool)
        for axis, place in self.faces():
            found |= positions[axis] == place
        return found


@dataclass(frozen=True)
class Terminals:
    """
    What becomes of the face terminals of a box.

    Attributes
    ----------
    into : numpy.ndarray of int
        The terminal, of a box that holds this one, which takes each in; -1 for none.
    label : numpy.ndarray
        Where there is none: the label of the marker that takes it, or 0.
    """

    into: np.ndarray
    label: np.ndarray

    def labels(self, above: NDArray) -> NDArray:
        """Return the label of each, given those of the terminals that take them in."""
        label = self.label.copy()
        label[self.into >= 0] = above[self.into[self.into >= 0]]
        return label


@dataclass(frozen=True)
class Surface:
    """
    What the rest of the image must know of a box.

    Attributes
    ----------
    box : Box
    count : int
        How many face terminals there are: pixels on a face without a marker.
    position : numpy.ndarray of int64
        Of each pixel that is known, raveled in the image; in raster order. These are the pixels
        on the faces and those that an edge of the graph joins.
    image, distance : numpy.ndarray
        Its value.
    terminal : numpy.ndarray of int32
        Which face terminal holds it; -1 if a marker does.
    label : numpy.ndarray
        The label of the marker that does, or 0.
    edges : numpy.ndarray of int32
        The graph: shape (n, 2), which of these pixels are joined.
    """

    box: Box
    count: int
    position: np.ndarray
    image: np.ndarray
    distance: np.ndarray
    terminal: np.ndarray
    label: np.ndarray
    edges: np.ndarray


def as_comparable(image: Block) -> Block:
    """Return pixels in one of the few dtypes that kernels are compiled for; no order changes."""
    kind, size = image.dtype.kind, image.dtype.itemsize
    if kind == "f":
        return image.astype(np.float32 if size < 8 else np.float64, copy=False)
    if size == 8 or (kind == "u" and size == 4):
        return image.astype(np.uint64 if kind == "u" and size == 8 else np.int64, copy=False)
    return image.astype(np.int32, copy=False)


class Packed:
    """
    The markers of a block, and where there is no wall, in little room.

    Parameters
    ----------
    markers : numpy.ndarray
        Labels, 0 for none.
    mask : numpy.ndarray of bool, optional
        Markers outside of it are left out.
    """

    def __init__(self, markers: Block, mask: Block | None = None) -> None:
        self.bits = None
        if mask is not None:
            self.bits = Squeezed(np.packbits(mask))
            markers = np.where(mask, markers, np.zeros((), markers.dtype))
        self.labels = Runs(markers)

    def unmarked(self) -> NDArray:
        """Return where there is no marker."""
        return self.labels.with_values(self.labels.values == 0)

    def inside(self) -> NDArray | None:
        """Return where there is no wall, or None if there are none."""
        if self.bits is None:
            return None
        shape = self.labels.shape
        return np.unpackbits(self.bits.array(), count=math.prod(shape)).view(bool).reshape(shape)


def scan_block(
    box: Box, steps: Sequence[Shape], packed: Packed, image: Block, distance: Block
) -> tuple[Surface, tuple[Runs, NDArray]]:
    """
    Flood a block.

    Parameters
    ----------
    box : Box
        Where it lies.
    steps : tuple of tuple of int
        From a pixel to its neighbours, sorted.
    packed : Packed
    image, distance : numpy.ndarray

    Returns
    -------
    surface : Surface
    kept : tuple
        The terminals that take the pixels, as `Runs`, and the labels of the markers.
    """
    image, labels, inside = as_comparable(image), packed.labels, packed.inside()
    markers = np.unique(labels.values)
    # Markers hold -1, -2 and so on; their labels are found again as ``markers[-number]``.
    markers = np.concatenate([np.zeros(1, markers.dtype), markers[markers != 0]])
    numbers = np.searchsorted(markers[1:], labels.values) + 1
    held = labels.with_values(np.where(labels.values != 0, -numbers, 0).astype(np.int32))
    if image.dtype.kind == "f":
        walls = np.isnan(image)
        inside = ~walls if inside is None else inside & ~walls
    if inside is not None:
        held[~inside] = kernels.flooding.WALL
    faces = box.face_pixels()
    held = held.ravel()
    free = faces[held[faces] == 0]
    held[free] = np.arange(1, free.size + 1)
    held = held.reshape(image.shape)
    taken, edges = kernels.flooding.scan(image, distance, held, steps)
    surface = _surface(box, (image, distance), (taken, edges), faces, markers, free.size)
    taken[taken == kernels.flooding.WALL] = 0
    return surface, (Runs(taken), markers)


def _surface(box, values, scanned, faces, markers, count):
    """Return what of a block's pixels belongs to its surface."""
    (image, distance), (taken, edges) = values, scanned
    taken = taken.ravel()
    faces = faces[taken[faces] != kernels.flooding.WALL]
    rows = np.unique(np.concatenate([faces, edges.ravel()]))
    local = np.unravel_index(rows, image.shape)
    position = np.ravel_multi_index(
        [along + low for along, low in zip(local, box.lower)], box.image_shape
    )
    terminal, label = _parted(taken[rows], markers)
    return Surface(
        box, count, position.astype(np.int64), image.ravel()[rows], distance.ravel()[rows],
        terminal, label, np.searchsorted(rows, edges).astype(np.int32),
    )  # fmt: skip


def _parted(taken: NDArray, markers: NDArray) -> tuple[NDArray, NDArray]:
    """Return what takes nodes as numbers of face terminals, else -1, and labels, else 0."""
    terminal = np.maximum(taken - 1, -1).astype(np.int32)
    return terminal, markers[np.maximum(-taken, 0)]


@dataclass(frozen=True)
class Graph:
    """
    The surfaces of several boxes that form a box, joined by the edges between them.

    Attributes
    ----------
    surface : Surface
        Of pixels as they were in the boxes, in raster order, but with terminals numbered on from
        box to box; ``count`` is their number.
    starts : numpy.ndarray of int
        The number of each box's first terminal, but for the first box.
    outer : numpy.ndarray of bool
        Which pixels lie on a face of the box that they form.
    """

    surface: Surface
    starts: np.ndarray
    outer: np.ndarray

    def cut(
        self, pixels: NDArray, edges: NDArray, count: int, terminal: NDArray, label: NDArray
    ) -> Surface:
        """Return a surface of some pixels and edges of this one."""
        kept = np.flatnonzero(pixels)
        whole = self.surface
        return Surface(
            whole.box, count, whole.position[kept], whole.image[kept], whole.distance[kept],
            terminal[kept], label[kept], np.searchsorted(kept, whole.edges[edges]).astype(np.int32),
        )  # fmt: skip

    def pixels_with(self, edges: NDArray) -> NDArray:
        """Tell which pixels lie on a face of the box, or are joined by one of some edges."""
        pixels = self.outer.copy()
        pixels[self.surface.edges[edges].ravel()] = True
        return pixels


def join(surfaces: Sequence[Surface], steps: Sequence[Shape]) -> Graph:
    """Return the `Graph` of boxes that form a box."""
    first = surfaces[0].box
    lower = tuple(map(min, zip(*(each.box.lower for each in surfaces))))
    upper = tuple(map(max, zip(*(each.box.upper for each in surfaces))))
    rings = tuple(
        axis for axis in first.wrap_axes if upper[axis] - lower[axis] == first.image_shape[axis]
    )
    box = replace(first, lower=lower, upper=upper, rings=rings)
    pixels, terminals = (
        np.cumsum([0, *counts])
        for counts in zip(*((each.position.size, each.count) for each in surfaces))
    )
    arrays = {
        name: np.concatenate([getattr(each, name) for each in surfaces])
        for name in ("position", "image", "distance", "label")
    }
    numbers = [
        np.where(each.terminal < 0, -1, each.terminal + first)
        for each, first in zip(surfaces, terminals)
    ]
    edges = np.concatenate([each.edges + first for each, first in zip(surfaces, pixels)])
    # Compared by number, pixels must be in raster order.
    order = np.argsort(arrays["position"], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    arrays = {name: values[order] for name, values in arrays.items()}
    positions = np.unravel_index(arrays["position"], box.image_shape)
    edges = [np.sort(rank[edges], axis=1)]
    for axis in range(len(steps[0]) if steps else 0):
        places = {each.box.upper[axis] for each in surfaces} - {box.upper[axis]}
        if axis in set(rings) - set(first.rings):
            places.add(0)
        for place in sorted(places):
            edges.append(crossing_edges(box, positions, axis, place, steps))
    # A step across a corner crosses two planes.
    keys = np.unique(np.concatenate(edges) @ np.array([order.size, 1]))
    edges = np.stack(np.divmod(keys, max(order.size, 1)), axis=1).astype(np.int32)
    surface = Surface(
        box=box, count=int(terminals[-1]), terminal=np.concatenate(numbers)[order],
        edges=edges, **arrays,
    )  # fmt: skip
    return Graph(surface, terminals[1:-1], box.on_faces(positions))


def crossing_edges(
    box: Box, positions: Sequence[NDArray], axis: int, place: int, steps: Sequence[Shape]
) -> NDArray:
    """
    Return the pairs of pixels that a step joins across a plane, as an array of shape (n, 2).

    Parameters
    ----------
    box : Box
    positions : tuple of numpy.ndarray of int
        Of all pixels, those in the layers on both sides of the plane among them.
    axis, place : int
        The plane lies before this position along this axis; 0 is where the ends meet.
    steps : tuple of tuple of int
    """
    shape = (*box.shape[:axis], 1, *box.shape[axis + 1 :])
    # A step along a ring may lead across the place where its ends meet, too.
    margins = [
        (1, 1) if ring in box.rings and ring != axis else (0, 0) for ring in range(len(shape))
    ]
    layers = []
    for side in ((place - 1) % box.image_shape[axis], place):
        layer = np.full(shape, -1, np.int64)
        found = np.flatnonzero(positions[axis] == side)
        local = [along[found] - low for along, low in zip(positions, box.lower)]
        local[axis] = np.zeros_like(found)
        layer[tuple(local)] = found
        layers.append(np.pad(layer, margins, mode="wrap"))
    pairs = [np.zeros((0, 2), np.int64)]
    for step in steps:
        if step[axis] == 1:
            here, there = facing((*step[:axis], 0, *step[axis + 1 :]))
            found = np.stack([layers[0][here].ravel(), layers[1][there].ravel()], axis=1)
            known = (found >= 0).all(axis=1) & (found[:, 0] != found[:, 1])
            pairs.append(np.sort(found[known], axis=1))
    return np.concatenate(pairs)


def combine(surfaces: Sequence[Surface], steps: Sequence[Shape]) -> tuple[Surface, list[Terminals]]:
    """
    Combine the surfaces of boxes that form a box.

    Returns
    -------
    surface : Surface
        That of all of them.
    terminals : list of Terminals
        What takes in those of each.
    """
    graph = join(surfaces, steps)
    whole = graph.surface
    marked = whole.terminal < 0
    markers, numbers = np.unique(whole.label[marked], return_inverse=True)
    node = whole.terminal.copy()
    node[marked] = whole.count + numbers
    held = np.zeros(whole.count + markers.size, np.int32)
    stays = node[graph.outer & ~marked]
    held[stays] = np.arange(1, stays.size + 1)
    held[whole.count :] = -np.arange(1, markers.size + 1)
    taken, _, records = kernels.flooding.contract(
        whole.image, whole.distance, node, held, whole.edges
    )
    markers = np.concatenate([np.zeros(1, markers.dtype), markers])
    terminal, label = _parted(taken[node], markers)
    surface = graph.cut(graph.pixels_with(records), records, stays.size, terminal, label)
    parts = (np.split(part, graph.starts) for part in _parted(taken[: whole.count], markers))
    return surface, [Terminals(into, label) for into, label in zip(*parts)]


def resolve(
    terminals: Sequence[Terminals], above: Sequence[NDArray] | None, number: int
) -> list[NDArray]:
    """
    Return the labels of the terminals of each box of a group.

    Parameters
    ----------
    terminals : list of Terminals
    above : list of numpy.ndarray or None
        What this returned for the group that holds this one; None for the whole image.
    number : int
        Which box of that group this group is.

    Returns
    -------
    list of numpy.ndarray
    """
    nothing = np.zeros(0, terminals[0].label.dtype)
    labels = nothing if above is None else above[number]
    return [each.labels(labels) for each in terminals]


def relabel(kept: tuple[Runs, NDArray], above: Sequence[NDArray] | None, number: int) -> NDArray:
    """Return the labels of a block's pixels, given those of its terminals."""
    runs, markers = kept
    faces = markers[:0] if above is None else above[number]
    # A run's value is 0, a face terminal from 1, or a marker from -1: counted from the end.
    table = np.concatenate([markers[:1], faces, markers[:0:-1]])
    return runs.with_values(table[runs.values])


# ---------------------------------------------------------------------------------------
# The same for levels: every pixel of a face is a terminal, and has the least level known so far


def scan_levels(
    box: Box, steps: Sequence[Shape], prepare: Callable[..., Any], *blocks: Block
) -> tuple[tuple[Surface, NDArray], None]:
    """
    Erode a seed within a block, and find how its faces hang together.

    Returns
    -------
    part : tuple of Surface and numpy.ndarray
        With the levels of its terminals, from the seeds of the block alone.
    kept : None
    """
    seed, mask, _ = _walled(*prepare(*blocks))
    faces = box.face_pixels()
    levels = kernels.reconstruction.erode(seed, mask, steps).ravel()[faces]
    held = np.zeros(mask.shape, np.int32)
    held.ravel()[faces] = np.arange(1, faces.size + 1)
    nothing = np.zeros(mask.shape, np.int32)
    taken, edges = kernels.flooding.scan(mask, nothing, held, steps)
    markers = np.zeros(1, np.int32)
    surface = _surface(box, (mask, nothing), (taken, edges), faces, markers, faces.size)
    return (surface, levels), None


@dataclass(frozen=True)
class Leaks:
    """
    How levels pass between the terminals of several boxes.

    Attributes
    ----------
    edges, weights, levels : numpy.ndarray
        As for `dask_image._kernels.blocks.reconstruction.lowest_levels`.
    outer : numpy.ndarray of int
        The terminals that the box they form has, in the order in which it has them.
    starts : numpy.ndarray of int
        The number of each box's first terminal, but for the first box.
    """

    edges: np.ndarray
    weights: np.ndarray
    levels: np.ndarray
    outer: np.ndarray
    starts: np.ndarray

    def lowest(self) -> NDArray:
        """Return the least level of each terminal."""
        return kernels.reconstruction.lowest_levels(self.edges, self.weights, self.levels)


def combine_levels(
    parts: Iterable[tuple[Surface, NDArray]], steps: Sequence[Shape]
) -> tuple[tuple[Surface, NDArray], Leaks]:
    """
    Combine the surfaces of boxes that form a box, and their terminals' levels.

    Returns
    -------
    part : tuple of Surface and numpy.ndarray
        Those of all of them.
    leaks : Leaks
        With the least levels from the seeds of all of them.
    """
    surfaces, levels = zip(*parts)
    graph = join(surfaces, steps)
    whole = graph.surface
    outer = whole.terminal[graph.outer]
    held = np.zeros(whole.count, np.int32)
    held[outer] = np.arange(1, outer.size + 1)
    taken, trees, records = kernels.flooding.contract(
        whole.image, whole.distance, whole.terminal, held, whole.edges
    )
    # Together they span all terminals, by least edges: levels need no other way.
    edges = whole.edges[np.concatenate([trees, records])]
    weights = whole.image[edges].max(axis=1, initial=-np.inf).astype(whole.image.dtype)
    leaks = Leaks(whole.terminal[edges], weights, np.concatenate(levels), outer, graph.starts)
    leaks = replace(leaks, levels=leaks.lowest())
    terminal = taken[whole.terminal] - 1
    surface = graph.cut(graph.pixels_with(records), records, outer.size, terminal, whole.label)
    return (surface, leaks.levels[outer]), leaks


def resolve_levels(leaks: Leaks, above: Sequence[NDArray] | None, number: int) -> list[NDArray]:
    """Return the levels of the terminals of each box of a group; arguments as for `resolve`."""
    if above is not None:
        levels = leaks.levels.copy()
        levels[leaks.outer] = above[number]
        leaks = replace(leaks, levels=levels)
    return np.split(leaks.lowest(), leaks.starts)


def erode_inside(
    box: Box, steps: Sequence[Shape], prepare: Callable[..., Any], finish: Callable[..., Any],
    above: Sequence[NDArray] | None, number: int, *blocks: Block,
) -> Block:  # fmt: skip
    """Erode a seed within a block, given the levels of the pixels on its faces."""
    seed, mask, walls = _walled(*prepare(*blocks))
    if above is not None:
        seed = seed.copy()
        seed.ravel()[box.face_pixels()] = above[number]
    eroded = kernels.reconstruction.erode(seed, mask, steps)
    eroded[walls] = np.nan
    return finish(eroded, *blocks)


def _walled(seed, mask):
    """
    Return seed and mask without NaN, and where there was one.

    Nothing low passes where the mask is infinite. Comparisons with NaN give no order, without
    which a forest has circles that are followed for ever.
    """
    walls = np.isnan(seed) | np.isnan(mask)
    if walls.any():
        seed, mask = (np.where(walls, seed.dtype.type(np.inf), each) for each in (seed, mask))
    return seed, mask, walls
