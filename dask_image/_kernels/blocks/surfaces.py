"""
The surfaces of blocks in a flood, as tasks make them, join them, and hand labels down to them.

The surface of a block, or of a box of blocks, is the graph of its terminals: pixels on faces that
touch other blocks, and markers; see `dask_image._utils.engines.flooding`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels.blocks.runs import Ascending, Runs, Squeezed
from dask_image._utils.spill import load, spill
from dask_image._utils.steps import facing, forward
from dask_image._utils.typing import Block, NDArray, Shape

# Boxes are joined two by two if they have more pixels on their surfaces, which take, while they are
# joined, some 100 bytes each.
PIXELS_AT_A_TIME = 2**18


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

    def holds(self, positions: NDArray) -> NDArray:
        """Tell which of some pixels, given by their positions raveled in the image, it has."""
        found = np.ones(positions.shape, bool)
        along = np.unravel_index(positions, self.image_shape)
        for places, low, high in zip(along, self.lower, self.upper):
            found &= (places >= low) & (places < high)
        return found

    def positions(self, positions: NDArray) -> tuple[NDArray, ...]:
        """Return where in it pixels are that are given by their positions raveled in the image."""
        along = np.unravel_index(positions, self.image_shape)
        return tuple(places - low for places, low in zip(along, self.lower))

    def on_faces(self, positions: Sequence[NDArray]) -> NDArray:
        """Tell which of some pixels, given by their positions along each axis, lie on a face."""
        found = np.zeros(positions[0].shape, bool)
        for axis, place in self.faces():
            found |= positions[axis] == place
        return found


def _labels_by_number(markers: NDArray, terminals: NDArray) -> NDArray:
    """Return labels at 0, at terminals' numbers, and at markers', which count from the end."""
    return np.concatenate([markers[:1], terminals, markers[:0:-1]])


@dataclass(frozen=True)
class Surface:
    """
    What the rest of the image must know of a box.

    Attributes
    ----------
    box : Box
    count : int
        How many face terminals there are: pixels on a face without a marker.
    position : numpy.ndarray of int
        Of each pixel that is known, raveled in the image; in raster order. These are the pixels
        on the faces and those that an edge of the graph joins.
    image, distance : numpy.ndarray
        Its value; distances in the smallest dtype that holds them.
    marked : numpy.ndarray of bool
        Whether it is part of a marker.
    terminal : numpy.ndarray of int32
        Which face terminal holds it; or which marker, counted -1, -2 and so on.
    markers : numpy.ndarray
        The labels of these markers.
    edges : numpy.ndarray of int32
        The graph: shape (n, 2), which of these pixels are joined.
    """

    box: Box
    count: int
    position: np.ndarray
    image: np.ndarray
    distance: np.ndarray
    marked: np.ndarray
    terminal: np.ndarray
    markers: np.ndarray
    edges: np.ndarray

    def spilled(self) -> Surface:
        """Return the same with arrays that are kept on disk."""
        return self._with_arrays(spill)

    def loaded(self) -> Surface:
        """Return the same with arrays in memory."""
        return self._with_arrays(load)

    def _with_arrays(self, function):
        names = ("position", "image", "distance", "marked", "terminal", "markers", "edges")
        return replace(self, **{name: function(getattr(self, name)) for name in names})


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
    bits : Squeezed, optional
        What `bits_of` returned for a mask, outside of which is no marker.
    """

    def __init__(self, markers: Block, bits: Squeezed | None = None) -> None:
        self.labels, self.bits = Runs(markers), bits

    @classmethod
    def within(cls, markers: Block, mask: Block | None = None) -> Packed:
        """Return them without markers outside of a mask."""
        if mask is None:
            return cls(markers)
        markers = np.where(mask, markers, np.zeros((), markers.dtype))
        return cls(markers, cls.bits_of(mask))

    @staticmethod
    def bits_of(mask: Block) -> Squeezed:
        """Return a mask in little room."""
        return Squeezed(np.packbits(mask))

    def unmarked(self) -> NDArray:
        """Return where there is no marker."""
        return self.labels.with_values(self.labels.values == 0)

    def inside(self) -> NDArray | None:
        """Return where there is no wall, or None if there are none."""
        return None if self.bits is None else _unpacked(self.bits, self.labels.shape)


@dataclass(frozen=True)
class Lines:
    """
    Which of two neighbours in a block lies on the line between them, if their basins differ.

    Attributes
    ----------
    box : Box
    steps : tuple of tuple of int
        To later pixels.
    beyond : list of Squeezed
        For each step, whether it is the pixel that it leads to, a bit each.
    marked : Squeezed
        Which pixels are part of a marker, and so on no line.
    """

    box: Box
    steps: Sequence[Shape]
    beyond: list[Squeezed]
    marked: Squeezed

    @classmethod
    def of(cls, box: Box, steps: Sequence[Shape], image: Block, marked: NDArray) -> Lines:
        """Return what lines need to know of a block."""
        ahead = forward(steps)
        pairs = [facing(step) for step in ahead]
        beyond = [
            _is_beyond(*((image[side], marked[side]) for side in pair)).ravel() for pair in pairs
        ]
        squeezed = [Squeezed(np.packbits(each)) for each in (*beyond, marked.ravel())]
        return cls(box, ahead, squeezed[:-1], squeezed[-1])

    def draw(self, labels: NDArray, crossed: NDArray) -> None:
        """Draw the lines in a block, given pixels on lines that part it from others."""
        line = np.zeros(labels.shape, bool)
        line[self.box.positions(crossed)] = True
        for step, bits in zip(self.steps, self.beyond):
            here, there = facing(step)
            part = _parts(labels[here], labels[there])
            beyond = _unpacked(bits, part.shape)
            line[there] |= part & beyond
            line[here] |= part & ~beyond
        labels[line & ~_unpacked(self.marked, labels.shape)] = 0


def _is_beyond(here, there):
    """Tell whether of two neighbours, each an image and what is marked, the line is the other."""
    (image, marked), (image_there, marked_there) = here, there
    return ((image_there >= image) & ~marked_there) | marked


def _parts(label, other):
    """Tell whether two pixels lie in different basins."""
    return (label != other) & (label != 0) & (other != 0)


def _unpacked(bits, shape):
    return np.unpackbits(bits.array(), count=math.prod(shape)).view(bool).reshape(shape)


def scan_block(
    box: Box, steps: Sequence[Shape], packed: Packed, values: tuple[Block, Block],
    lines: bool = False,
) -> tuple[Surface, tuple[Runs, Ascending, Lines | None]]:  # fmt: skip
    """
    Flood a block.

    Parameters
    ----------
    box : Box
        Where it lies.
    steps : tuple of tuple of int
        From a pixel to its neighbours, sorted.
    packed : Packed
    values : tuple of numpy.ndarray
        The image, and the distances.
    lines : bool, optional
        Whether basins are to be parted by lines.

    Returns
    -------
    surface : Surface
    kept : tuple
        The terminals that take the pixels, as `Runs`, the labels of the markers, and what lines
        need.
    """
    image, distance = values
    image, labels, inside = as_comparable(image), packed.labels, packed.inside()
    markers = np.unique(labels.values)
    # Markers hold -1, -2 and so on; their labels are found again as ``markers[-number]``.
    markers = np.concatenate([np.zeros(1, markers.dtype), markers[markers != 0]])
    numbers = np.searchsorted(markers[1:], labels.values) + 1
    held = labels.with_values(np.where(labels.values != 0, -numbers, 0).astype(np.int32))
    marked = held < 0
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
    surface = _surface(box, (image, distance, marked), (taken, edges), faces, markers, free.size)
    taken[taken == kernels.flooding.WALL] = 0
    needed = Lines.of(box, steps, image, marked) if lines else None
    return surface, (Runs(taken), Ascending(markers), needed)


def _surface(box, values, scanned, faces, markers, count):
    """Return what of a block's pixels belongs to its surface."""
    taken, edges = scanned
    shape, taken = taken.shape, taken.ravel()
    faces = faces[taken[faces] != kernels.flooding.WALL]
    rows = np.unique(np.concatenate([faces, edges.ravel()]))
    local = np.unravel_index(rows, shape)
    position = np.ravel_multi_index(
        [along + low for along, low in zip(local, box.lower)], box.image_shape
    )
    number = np.int32 if math.prod(box.image_shape) < 2**31 else np.int64
    image, distance, marked = (each.ravel()[rows] for each in values)
    return Surface(
        box, count, position.astype(number), image, _narrow(distance), marked,
        *_parted(taken[rows], markers), np.searchsorted(rows, edges).astype(np.int32),
    )  # fmt: skip


def _narrow(distance: NDArray) -> NDArray:
    """Return distances in a small dtype if they are short."""
    most = distance.max(initial=0)
    fits = [kind for kind in (np.uint8, np.uint16) if most <= np.iinfo(kind).max]
    return distance.astype(fits[0]) if fits else distance


def _parted(taken: NDArray, markers: NDArray) -> tuple[NDArray, NDArray]:
    """Return what takes nodes, as `Surface` has it, and the labels of the markers among that."""
    terminal = (taken - 1).astype(np.int32)
    held = np.flatnonzero(taken <= 0)
    used = np.zeros(markers.size, bool)
    used[-taken[held]] = True
    terminal[held] = -np.cumsum(used)[-taken[held]]
    return terminal, markers[used]


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
    crossing : numpy.ndarray of int
        Shape (n, 2): which pixels are joined between boxes, the later one last.
    """

    surface: Surface
    starts: np.ndarray
    outer: np.ndarray
    crossing: np.ndarray

    def cut(self, records: NDArray, count: int, taken: NDArray, markers: NDArray) -> Surface:
        """
        Return the surface of the box that they form.

        Parameters
        ----------
        records : numpy.ndarray of int
            Which edges it has.
        count : int
            How many face terminals.
        taken : numpy.ndarray of int32
            What takes in what holds each pixel: a face terminal of it, from 1, or a marker, from
            -1.
        markers : numpy.ndarray
            0, and the labels of the markers.
        """
        whole, edges = self.surface, self.surface.edges[records]
        pixels = self.outer.copy()
        pixels[edges.ravel()] = True
        kept = np.flatnonzero(pixels)
        return Surface(
            whole.box, count, whole.position[kept], whole.image[kept],
            _narrow(whole.distance[kept]), whole.marked[kept], *_parted(taken[kept], markers),
            np.searchsorted(kept, edges).astype(np.int32),
        )  # fmt: skip


def join(surfaces: Sequence[Surface], steps: Sequence[Shape]) -> Graph:
    """Return the `Graph` of boxes that form a box."""
    first = surfaces[0].box
    joined = functools.reduce(set.intersection, (set(each.box.rings) for each in surfaces))
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
    # Compared by number, pixels must be in raster order.
    order = np.argsort(np.concatenate([each.position for each in surfaces]), kind="stable")
    order = order.astype(np.int32)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size, dtype=np.int32)
    # One after the other, lest all are there twice.
    position, image, distance, marked = (
        np.concatenate([getattr(each, name) for each in surfaces])[order]
        for name in ("position", "image", "distance", "marked")
    )
    markers = np.unique(np.concatenate([each.markers for each in surfaces]))
    terminal = np.concatenate(
        [_renumbered(each, first, markers) for each, first in zip(surfaces, terminals)]
    )[order]
    inner = [rank[each.edges + np.int32(first)] for each, first in zip(surfaces, pixels)]
    del order, rank
    along = _unraveled(position, box.image_shape)
    pairs: list[NDArray] = [np.zeros((0, 2), np.int32)]
    for axis in range(len(steps[0]) if steps else 0):
        places = {each.box.upper[axis] for each in surfaces} - {box.upper[axis]}
        if axis in set(rings) - joined:
            places.add(0)
        for place in sorted(places):
            pairs.append(crossing_edges(box, along, axis, place, steps))
    crossing = np.concatenate(pairs)
    edges = _sorted_ends([*inner, crossing])
    del inner, pairs
    if rings or any(np.count_nonzero(step) > 1 for step in steps):
        edges = _each_once(edges, position.size)
    outer = box.on_faces(along)
    surface = Surface(
        box, int(terminals[-1]), position, image, distance, marked, terminal, markers, edges
    )
    return Graph(surface, terminals[1:-1], outer, crossing)


def _renumbered(surface: Surface, first: int, markers: NDArray) -> NDArray:
    """Return what holds pixels, terminals numbered on from others, markers as among all."""
    numbers = -1 - np.searchsorted(markers, surface.markers).astype(np.int32)
    terminal = surface.terminal + np.int32(first)
    held = np.flatnonzero(surface.terminal < 0)
    terminal[held] = numbers[-1 - surface.terminal[held]]
    return terminal


def _unraveled(position: NDArray, shape: Shape) -> list[NDArray]:
    """Return positions along each axis, as `numpy.unravel_index`, in the dtype they come in."""
    along = []
    for size in shape[:0:-1]:
        position, rest = np.divmod(position, position.dtype.type(size))
        along.append(rest)
    return [position, *along[::-1]]


def _sorted_ends(parts: Sequence[NDArray]) -> NDArray:
    """Return edges, the lower row of each first; all first rows lie in memory before the others."""
    edges = np.empty((2, sum(map(len, parts))), np.int32).T
    start = 0
    for part in parts:
        end = start + len(part)
        edges[start:end, 0] = np.minimum(part[:, 0], part[:, 1])
        edges[start:end, 1] = np.maximum(part[:, 0], part[:, 1])
        start = end
    return edges


def _each_once(edges: NDArray, size: int) -> NDArray:
    """Return edges without doubles: a step across a corner crosses two planes."""
    keys = edges[:, 0].astype(np.int64)
    keys *= size
    keys += edges[:, 1]
    keys.sort()
    differs = np.ones(keys.size, bool)
    np.not_equal(keys[1:], keys[:-1], out=differs[1:])
    keys = keys[differs]
    once = np.empty((2, keys.size), np.int32)
    np.floor_divide(keys, max(size, 1), out=once[0], casting="unsafe")
    np.remainder(keys, max(size, 1), out=once[1], casting="unsafe")
    return once.T


def crossing_edges(
    box: Box, positions: Sequence[NDArray], axis: int, place: int, steps: Sequence[Shape]
) -> NDArray:
    """
    Return the pairs of pixels that a step joins across a plane, as an array of shape (n, 2).

    The second is the one that a step to a later pixel in raster order, or beyond the end, leads to.

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
        layer = np.full(shape, -1, np.int32)
        found = np.flatnonzero(positions[axis] == side)
        local = [along[found] - low for along, low in zip(positions, box.lower)]
        local[axis] = np.zeros_like(found)
        layer[tuple(local)] = found
        layers.append(np.pad(layer, margins, mode="wrap"))
    ahead = set(forward(steps))
    pairs: list[NDArray] = [np.zeros((0, 2), np.int32)]
    for step in steps:
        if step[axis] == 1:
            here, there = facing((*step[:axis], 0, *step[axis + 1 :]))
            found = np.stack([layers[0][here].ravel(), layers[1][there].ravel()], axis=1)
            known = (found >= 0).all(axis=1) & (found[:, 0] != found[:, 1])
            pairs.append(found[known] if step in ahead else found[known, ::-1])
    return np.concatenate(pairs)


@dataclass(frozen=True)
class Crossings:
    """
    Neighbours in different boxes of a group, which a line parts if their basins differ.

    Attributes
    ----------
    position : numpy.ndarray of int
        Of the one that is on the line then, raveled in the image.
    node, other : numpy.ndarray of int
        What holds it, and its neighbour: a terminal of the group, counted from box to box; or a
        marker, counted -1, -2 and so on.
    """

    position: np.ndarray
    node: np.ndarray
    other: np.ndarray

    @classmethod
    def of(
        cls, graph: Graph, node: NDArray, taken: NDArray, numbered: Callable[[NDArray], NDArray]
    ) -> Crossings:
        """Return those of a graph, given what holds pixels, and takes in what holds them."""
        whole, (here, there) = graph.surface, graph.crossing.T
        unknown = taken[node[here]] != taken[node[there]]
        unknown &= ~(whole.marked[here] & whole.marked[there])
        here, there = here[unknown], there[unknown]
        sides = ((whole.image[side], whole.marked[side]) for side in (here, there))
        beyond = _is_beyond(*sides)
        on, off = np.where(beyond, there, here), np.where(beyond, here, there)
        return cls(whole.position[on], numbered(node[on]), numbered(node[off]))

    def crossed(self, labels: Sequence[NDArray], markers: NDArray) -> NDArray:
        """
        Return the positions of pixels on lines.

        Parameters
        ----------
        labels : list of numpy.ndarray
            Those of each box's terminals.
        markers : numpy.ndarray
            Those of the markers.
        """
        table = np.concatenate([*labels, markers[::-1]])
        return self.position[_parts(table[self.node], table[self.other])]


@dataclass(frozen=True)
class Handed:
    """
    What is needed to hand labels down to the boxes of a group.

    Attributes
    ----------
    boxes : list of Box
    taken : list of numpy.ndarray of int32
        What takes each terminal of each box in: a terminal of the group, from 1, a marker, from
        -1, or nothing, 0.
    markers : numpy.ndarray
        0, and the labels of the markers.
    crossings : list of Crossings
        What lines need.
    """

    boxes: list[Box]
    taken: list[np.ndarray]
    markers: np.ndarray
    crossings: list[Crossings]


class _Combining:
    """
    Joins boxes, two by two if they are large, and keeps track of what takes their terminals in.

    Of two boxes nothing but the surface of both stays. So there never is, at a time, all that lies
    between the boxes of a group.
    """

    def __init__(self, surfaces, steps, lines):
        self.surfaces, self.steps, self.lines = surfaces, steps, lines
        # The terminals of each box, as they are numbered in the box it was joined to last.
        self.taken = [np.arange(1, each.count + 1, dtype=np.int32) for each in surfaces]
        self.firsts = np.cumsum([0, *(each.count for each in surfaces)])
        self.markers = []
        self.count = 0
        self.crossings = []

    def whole(self) -> Surface:
        """Return the surface of all of them."""
        everything = list(range(len(self.surfaces)))
        if len(everything) > 1:
            return self._row(everything, 0)[0]
        # Its own ends may have to be joined.
        return self._joined([self._row(everything, 0)])[0]

    def handed(self) -> Handed:
        """Return what is needed to hand down labels."""
        markers = np.concatenate(self.markers)
        markers = np.concatenate([np.zeros(1, markers.dtype), markers])
        return Handed([each.box for each in self.surfaces], self.taken, markers, self.crossings)

    def _row(self, numbers, axis):
        """
        Return the surface of some boxes, which box has which of its terminals, and their numbers.

        Those at one place along an axis are joined first, along the axes that follow.
        """
        pixels = sum(self.surfaces[number].position.shape[0] for number in numbers)
        if len(numbers) > 1 and pixels <= PIXELS_AT_A_TIME:
            axis = len(self.surfaces[0].box.shape)
            return self._joined([self._row([number], axis) for number in numbers])
        if axis == len(self.surfaces[0].box.shape):
            (number,) = numbers
            first, end = self.firsts[number : number + 2]
            return self.surfaces[number].loaded(), np.arange(first, end, dtype=np.int32), numbers
        parts = []
        for _, row in itertools.groupby(numbers, lambda n: self.surfaces[n].box.lower[axis]):
            parts.append(self._row(list(row), axis + 1))
            if len(parts) == 2:
                parts = [self._joined(parts)]
        return parts[0]

    def _joined(self, parts):
        """Return some parts as one, and let go of them: they are the only ones of their kind."""
        surfaces, origins, numbers = map(list, zip(*parts))
        parts.clear()
        graph = join(surfaces, self.steps)
        surfaces.clear()
        whole, markers, origin = graph.surface, graph.surface.markers, np.concatenate(origins)
        node = np.where(whole.terminal < 0, whole.count - 1 - whole.terminal, whole.terminal)
        held = np.zeros(whole.count + markers.size, np.int32)
        stays = node[graph.outer & (whole.terminal >= 0)]
        held[stays] = np.arange(1, stays.size + 1)
        held[whole.count :] = -np.arange(1, markers.size + 1)
        taken, _, records = _contracted(whole, node, held)
        if self.lines:

            def numbered(nodes):
                marks = nodes >= whole.count
                places = np.where(marks, whole.count - 1 - nodes, 0)
                return np.where(marks, self._marked(places, markers), origin[nodes * ~marks])

            self.crossings.append(Crossings.of(graph, node, taken, numbered))
        ends = np.split(self._marked(taken[: whole.count], markers), graph.starts)
        for some, end in zip(numbers, ends, strict=True):
            for number in some:
                own = self.taken[number]
                moved = own > 0
                own[moved] = end[own[moved] - 1]
        surface = graph.cut(
            records, stays.size, taken[node], np.concatenate([np.zeros(1, markers.dtype), markers])
        )
        return surface, origin[stays], [number for some in numbers for number in some]

    def _marked(self, taken, markers):
        """Return what takes terminals in, markers numbered on from those that did before."""
        marked = taken < 0
        places = -1 - taken[marked]
        used = np.zeros(markers.size, bool)
        used[places] = True
        taken = taken.copy()
        taken[marked] = -self.count - np.cumsum(used)[places]
        self.markers.append(markers[used])
        self.count += np.count_nonzero(used)
        return taken


def combine(
    surfaces: Sequence[Surface], steps: Sequence[Shape], lines: bool = False
) -> tuple[Surface, Handed]:
    """
    Combine the surfaces of boxes that form a box.

    Parameters
    ----------
    surfaces : list of Surface
        In raster order; each is loaded when it is needed.
    steps : tuple of tuple of int
    lines : bool, optional
        Whether basins are to be parted by lines.

    Returns
    -------
    surface : Surface
        That of all of them.
    handed : Handed
    """
    combining = _Combining(surfaces, steps, lines)
    whole = combining.whole()
    return whole, combining.handed()


def _contracted(whole, node, held):
    """Return what `contract` does, for nodes that hold something or not."""
    distance = whole.distance
    if distance.itemsize < 4:
        distance = distance.astype(np.int32)  # one of those that kernels are compiled for
    return kernels.flooding.contract(whole.image, distance, node, held, whole.edges)


Found = tuple[NDArray, NDArray]
"""What is handed down to a box: the labels of its terminals, and pixels on lines at its faces."""


def resolve(handed: Handed, above: Sequence[Found] | None, number: int) -> list[Found]:
    """
    Return what is handed down to each box of a group.

    Parameters
    ----------
    handed : Handed
        As `combine` returned it.
    above : list of Found or None
        What this returned for the group that holds this one; None for the whole image.
    number : int
        Which box of that group this group is.
    """
    markers = handed.markers
    labels, crossed = _nothing(markers) if above is None else above[number]
    table = _labels_by_number(markers, labels)
    found = [table[taken] for taken in handed.taken]
    if handed.crossings:
        crossings = (each.crossed(found, markers[1:]) for each in handed.crossings)
        crossed = np.unique(np.concatenate([crossed, *crossings]))
    return [(own, crossed[box.holds(crossed)]) for own, box in zip(found, handed.boxes)]


def _nothing(labels):
    return labels[:0], np.zeros(0, np.int64)


def relabel(
    kept: tuple[Runs, Ascending, Lines | None], above: Sequence[Found] | None, number: int
) -> NDArray:
    """Return the labels of a block's pixels, given those of its terminals."""
    runs, labels_of_markers, lines = kept
    markers = labels_of_markers.array()
    faces, crossed = _nothing(markers) if above is None else above[number]
    labels = runs.with_values(_labels_by_number(markers, faces)[runs.values])
    if lines is not None:
        lines.draw(labels, crossed)
    return labels


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
    values = mask, nothing, np.zeros(mask.shape, bool)
    surface = _surface(box, values, (taken, edges), faces, markers, faces.size)
    return (surface, levels), None


@dataclass(frozen=True)
class Leaks:
    """
    How levels get to the terminals of several boxes, one each.

    Attributes
    ----------
    levels : numpy.ndarray of float
        The least level from the seeds of all of them.
    into : numpy.ndarray of int32
        The terminal, of the box that they form, from which a flood need rise least to get there;
        -1 if that box has none. No other one can bring a lower level.
    weights : numpy.ndarray of float
        How high it must rise for that.
    starts : numpy.ndarray of int
        The number of each box's first terminal, but for the first box.
    """

    levels: np.ndarray
    into: np.ndarray
    weights: np.ndarray
    starts: np.ndarray


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
    """
    surfaces, levels = zip(*parts)
    graph = join(surfaces, steps)
    whole = graph.surface
    outer = whole.terminal[graph.outer]
    held = np.zeros(whole.count, np.int32)
    held[outer] = np.arange(1, outer.size + 1)
    taken, trees, records = _contracted(whole, whole.terminal, held)
    # Together they span all terminals, by least edges: levels need no other way.
    edges = whole.edges[np.concatenate([trees, records])]
    weights = whole.image[edges].max(axis=1, initial=-np.inf).astype(whole.image.dtype)
    lowest = functools.partial(
        kernels.reconstruction.lowest_levels_in_forest, whole.terminal[edges], weights
    )
    from_outside = np.where(held > 0, -np.inf, np.inf).astype(whole.image.dtype)
    into = taken - 1
    leaks = Leaks(lowest(np.concatenate(levels)), into, lowest(from_outside), graph.starts)
    markers = np.zeros(1, np.int32)
    surface = graph.cut(records, outer.size, taken[whole.terminal], markers)
    return (surface, leaks.levels[outer]), leaks


def resolve_levels(leaks: Leaks, above: Sequence[NDArray] | None, number: int) -> list[NDArray]:
    """Return the levels of the terminals of each box of a group; arguments as for `resolve`."""
    levels = leaks.levels
    if above is not None:
        levels = np.minimum(levels, np.maximum(above[number][leaks.into], leaks.weights))
    return np.split(levels, leaks.starts)


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
