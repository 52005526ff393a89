"""
Connected components of an array that is held in blocks.

Every block is scanned once: its components are found, and a survey is kept of
how many there are, what is known of each, and the labels near its faces. A
link task compares a block's faces with those of every block it touches, in a
face, an edge or a corner. One task unites the components that touch and numbers
the unions. Each block then gets its slice of the numbers and is painted with
them. Local labels are never kept: a painted block is labelled again.

Links and numbers take a task for several blocks, so all that costs a little more than three
tasks a block, two where blocks are small, and one more where blocks are read again.
"""

import itertools
import math
from dataclasses import dataclass

import dask.array as da
import numpy as np
from dask._task_spec import List, Task, TaskRef
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from scipy import sparse

from dask_image._kernels.blocks.components import components_of, touching_pairs
from dask_image._utils.arrays import with_dtype
from dask_image._utils.engines.overlap import SLAB_WORTH_BYTES
from dask_image._utils.engines.recompute import read_again

# Up to here the packed foreground of the whole image (256 MiB at most) is kept between the
# scan and the painting, so that the image is read once. Larger images are read again.
KEPT_PIXELS = 2**31

# So many blocks are linked by one task, and take their numbers from one.
TOGETHER = 8


# ---------------------------------------------------------------------------------------
# Decisions: which pixels are connected, which blocks touch


@dataclass(frozen=True)
class Connectivity:
    """
    Which pixels are connected: the steps from a pixel to its neighbours.

    Parameters
    ----------
    displacements : tuple of tuples of int
        Each step with its opposite; the step to itself left out.
    wrap_axes : tuple of int
        Axes whose ends meet.
    """

    displacements: tuple
    wrap_axes: tuple = ()

    def reach(self, axis):
        """Return how many pixels the steps go along ``axis``."""
        return max((abs(displacement[axis]) for displacement in self.displacements), default=0)


def displacements_of(structure, origin=None):
    """
    Return the steps to the True elements of a structuring element.

    Parameters
    ----------
    structure : numpy.ndarray of bool
    origin : tuple of int, optional
        Where the middle lies, from the middle of the structure.

    Returns
    -------
    tuple of tuples of int
        Sorted; the step to itself is left out.
    """
    middle = np.array([size // 2 for size in structure.shape], int)
    if origin is not None:
        middle += np.array(origin, int)
    steps = (np.argwhere(structure) - middle).tolist()
    return tuple(tuple(step) for step in steps if any(step))


@dataclass(frozen=True)
class Neighbour:
    """
    A block that touches another one.

    Parameters
    ----------
    index : tuple of int
        Which block.
    shift : tuple of int
        From the origin of the other block to where this one begins, in pixels.
        Where an axis wraps, this is not the difference of their positions.
    """

    index: tuple
    shift: tuple


class BlockLattice:
    """
    Which blocks of an array touch, under a given connectivity.

    Every pair of touching blocks is found from one side only: the neighbours
    of a block are those that come before it in C order.

    Parameters
    ----------
    chunks : tuple of tuples of int
    connectivity : Connectivity
    """

    def __init__(self, chunks, connectivity):
        self.chunks = chunks
        self._along = [
            touching_along(sizes, connectivity.reach(axis), axis in connectivity.wrap_axes)
            for axis, sizes in enumerate(chunks)
        ]
        signs = {tuple(map(_sign, step)) for step in connectivity.displacements}
        # Block (0, -1) is met by every step with a negative second part: a step need not leave
        # the block along the other axes.
        self._directions = {
            tuple(sign * kept for sign, kept in zip(step, mask))
            for step in signs
            for mask in itertools.product((0, 1), repeat=len(chunks))
        }

    def indices(self):
        """Return an iterator over the blocks in C order."""
        return itertools.product(*(range(len(sizes)) for sizes in self.chunks))

    def shape(self, index):
        """Return the shape of a block."""
        return tuple(sizes[i] for sizes, i in zip(self.chunks, index))

    def neighbours(self, index):
        """Return the blocks before ``index`` that touch it, as a list of Neighbour."""
        middle = (0,) * len(index)
        found = []
        for parts in itertools.product(*(along[i] for along, i in zip(self._along, index))):
            steps = tuple(part[0] for part in parts)
            if steps < middle and tuple(map(_sign, steps)) in self._directions:
                found.append(
                    Neighbour(tuple(part[1] for part in parts), tuple(part[2] for part in parts))
                )
        return found


def _sign(number):
    return (number > 0) - (number < 0)


def touching_along(sizes, reach, wraps):
    """
    Return, for each block along one axis, the blocks within reach of it.

    Each as a tuple: the number of blocks in between plus one, negative for
    blocks before; which block; and the shift between their starts. The block
    itself is the first. Blocks without pixels touch nothing.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    filled = [i for i, size in enumerate(sizes) if size]
    touching = [[(0, i, 0)] if size else [] for i, size in enumerate(sizes)]
    for place, i in enumerate(filled):
        for direction in (-1, 1):
            for distance in itertools.count(1):
                turn, other = divmod(place + direction * distance, len(filled))
                if turn and not wraps:
                    break
                shift = starts[filled[other]] + turn * starts[-1] - starts[i]
                beyond = shift - sizes[i] if direction > 0 else -shift - sizes[filled[other]]
                if beyond >= reach:
                    break
                touching[i].append((direction * distance, filled[other], shift))
    return touching


# ---------------------------------------------------------------------------------------
# What tasks do


@dataclass(frozen=True)
class Survey:
    """
    What is kept of a scanned block.

    Parameters
    ----------
    shape : tuple of int
    facts : numpy.ndarray
        One value for each component: its first pixel, or whether it is chosen.
    faces : dict
        Labels near each face that can touch another block, by (axis, whether
        it is the low face).
    """

    shape: tuple
    facts: np.ndarray
    faces: dict


@dataclass(frozen=True)
class Place:
    """Which block of an array one is, and the position of its first pixel."""

    index: tuple
    start: tuple


@dataclass(frozen=True)
class Links:
    """A block's facts, and rows (block, label, other block, other label) of what touches."""

    facts: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Numbering:
    """The new numbers of the components of all blocks, and how many there are."""

    numbers: np.ndarray
    offsets: np.ndarray
    count: int

    def own(self, number):
        """Return the numbers of one block's labels, 0 for the background first."""
        own = self.numbers[self.offsets[number] : self.offsets[number + 1]]
        return np.concatenate([np.zeros(1, own.dtype), own])


def on_host(block):
    """Return a block as a NumPy array, wherever it is."""
    return block.get() if hasattr(block, "get") else np.asarray(block)


def off_host(array, like):
    """Return a NumPy array as one of the same kind as ``like``."""
    return np.asarray(array, like=like) if hasattr(like, "get") else array


def cut_faces(part, shape, reaches):
    """Return what ``Survey.faces`` is to hold; ``part`` returns the labels in a box."""
    faces = {}
    for axis, reach in enumerate(reaches):
        if reach:
            box = [slice(0, size) for size in shape]
            box[axis] = slice(0, min(reach, shape[axis]))
            faces[axis, True] = part(tuple(box))
            box[axis] = slice(max(shape[axis] - reach, 0), shape[axis])
            faces[axis, False] = part(tuple(box))
    return faces


def take(parts, number):
    """Return one element of a task's result (``operator.getitem``, but never inlined)."""
    return parts[number]


def link_by_steps(number, survey, neighbours, others, displacements):
    """
    Return the links of a block with the blocks before it that it touches.

    Parameters
    ----------
    number : int
        The number of this block.
    survey : Survey
    neighbours : tuple of (int, tuple of int)
        The number and the shift of each neighbour.
    others : list of Survey
        Theirs.
    displacements : tuple of tuples of int
    """
    rows = []
    for (other_number, shift), other in zip(neighbours, others):
        pairs = [
            touching_pairs(*sides)
            for displacement in displacements
            if (sides := _facing(survey, other, shift, displacement)) is not None
        ]
        rows.append(numbered_pairs(number, other_number, pairs))
    return Links(survey.facts, np.concatenate(rows) if rows else np.zeros((0, 4), np.int64))


def numbered_pairs(number, other_number, pairs):
    """Return rows for ``Links`` from arrays of pairs of labels, each pair once."""
    pairs = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    if len(pairs) > 1:
        span = pairs[:, 1].max() + 1
        keys = np.unique(pairs[:, 0] * span + pairs[:, 1])
        pairs = np.stack(np.divmod(keys, span), axis=1)
    rows = np.empty((len(pairs), 4), np.int64)
    rows[:, 0], rows[:, 2] = number, other_number
    rows[:, 1::2] = pairs
    return rows


def _facing(survey, other, shift, displacement):
    """Return the labels of two blocks at pixels that one step joins, or None."""
    here, there = [], []
    for size, other_size, offset, step in zip(survey.shape, other.shape, shift, displacement):
        low, high = max(0, offset - step), min(size, offset - step + other_size)
        if low >= high:
            return None
        here.append((low, high))
        there.append((low + step - offset, high + step - offset))
    axis = next(axis for axis, offset in enumerate(shift) if offset)
    before = shift[axis] < 0
    return (
        _from_face(survey.faces[axis, before], survey.shape[axis], axis, before, here),
        _from_face(other.faces[axis, not before], other.shape[axis], axis, not before, there),
    )


def _from_face(face, size, axis, low_side, box):
    """Return the part of a face in a box given in pixels of its block."""
    start = 0 if low_side else size - face.shape[axis]
    return face[
        tuple(
            slice(low - start, high - start) if number == axis else slice(low, high)
            for number, (low, high) in enumerate(box)
        )
    ]


def unite(links):
    """
    Unite the components that touch.

    Returns
    -------
    facts : numpy.ndarray
        Of the components of all blocks, in the order of the blocks.
    nodes, groups : numpy.ndarray of int
        Which components touch another one, and the union each belongs to.
    offsets : numpy.ndarray of int
        Where each block's components begin, and where the last one's end.
    """
    offsets = np.zeros(len(links) + 1, np.int64)
    np.cumsum([link.facts.size for link in links], out=offsets[1:])
    rows = np.concatenate([link.rows for link in links])
    nodes, edges = np.unique(offsets[rows[:, ::2]] + rows[:, 1::2] - 1, return_inverse=True)
    edges = edges.reshape(-1, 2)
    graph = sparse.coo_array(
        (np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(nodes.size, nodes.size)
    )
    _, groups = sparse.csgraph.connected_components(graph, directed=False)
    return np.concatenate([link.facts for link in links]), nodes, groups, offsets


def number_by_first_pixel(links, dtype):
    """Give the unions numbers from 1, in the order of their first pixels."""
    firsts, nodes, groups, offsets = unite(links)
    first_of_node = firsts[nodes]
    order = np.argsort(first_of_node)
    _, leader = np.unique(groups[order], return_index=True)
    leaders = nodes[order[leader]]
    speaks = firsts != UNNUMBERED
    speaks[nodes] = False
    speaks[leaders] = firsts[leaders] != UNNUMBERED
    owners = np.flatnonzero(speaks)
    numbers = np.zeros(firsts.size, dtype)
    numbers[owners[np.argsort(firsts[owners], kind="stable")]] = np.arange(1, owners.size + 1)
    numbers[nodes] = numbers[leaders[groups]]
    return Numbering(numbers, offsets, owners.size)


# The first pixel of a component that has no pixel of its own in the result.
UNNUMBERED = np.iinfo(np.int64).max


def choose_touched(links, dtype):
    """Choose all components of a union of which any is chosen."""
    chosen, nodes, groups, offsets = unite(links)
    chosen_groups = np.zeros(groups.max(initial=-1) + 1, bool)
    chosen_groups[groups[chosen[nodes]]] = True
    chosen[nodes] = chosen_groups[groups]
    return Numbering(chosen.astype(dtype), offsets, int(chosen.sum()))


def own_numbers(numbering, blocks):
    """Return what some blocks need of a numbering, as a list."""
    return [numbering.own(number) for number in blocks]


def paint_block(paint, kept, own, place, *blocks):
    """Paint a block with the numbers at one place of a list."""
    return paint(kept, own[place], *blocks)


def link_blocks(link, first, neighbours, surveys, displacements):
    """
    Link some blocks, numbered from ``first``, with their neighbours.

    Parameters
    ----------
    link : callable
        As ``link_by_steps``.
    first : int
    neighbours : tuple of tuple
        Of each block, as ``link`` takes them.
    surveys : list of list
        Each block's Survey and those of its neighbours, alone or with what is
        kept for painting.
    displacements : tuple of tuples of int

    Returns
    -------
    list of Links
    """
    links = []
    for number, (near, found) in enumerate(zip(neighbours, surveys), start=first):
        own, *others = (each[0] if isinstance(each, tuple) else each for each in found)
        links.append(link(number, own, near, others, displacements))
    return links


def number_links(number, groups, dtype):
    """Give numbers to the links of all blocks, which come in lists."""
    return number([links for group in groups for links in group], dtype)


def wait_for(tasks):
    """Do nothing, once the tasks have run."""


def count_of(numbering):
    """Return how many unions there are."""
    return np.int64(numbering.count)


# ---------------------------------------------------------------------------------------
# The graph


def component_graph(
    images,
    scan,
    paint,
    number,
    link,
    connectivity,
    dtype,
    prefix,
    token,
    reread=False,
    small=False,
    chunks=None,
):
    """
    Scan blocks, link what touches, number all at once, and paint the numbers.

    Parameters
    ----------
    images : list of dask.array.Array
        Of equal shapes and chunks.
    scan : callable
        ``scan(*blocks, place=…)`` of a block of each image, and its Place, returns a
        Survey and what is needed to paint the block.
    paint : callable
        ``paint(kept, numbers)``, where ``kept`` is what ``scan`` returned, or
        ``paint(None, numbers, *blocks)`` if ``reread``.
    number : callable
        ``number(links, dtype)`` returns a Numbering, or what has its ``count``
        and ``own(number)``, the numbers for one block.
    link : callable
        As ``link_by_steps``.
    connectivity : Connectivity
    dtype : numpy.dtype
        Of the result.
    prefix, token : str
        For names.
    reread : bool, optional
        Whether the images are computed a second time for the painting. Else an
        image that is read for the scan can be let go.
    small : bool, optional
        Whether what is kept of a block is so small that handing it to the
        neighbours beside the survey costs less than a task that parts them.
    chunks : tuple of tuples of int, optional
        Of the result, as many as the images have; theirs by default.

    Returns
    -------
    labels : dask.array.Array
    count : dask.array.Array
        0-d.
    """
    image = images[0]
    lattice = BlockLattice(chunks or image.chunks, connectivity)
    numbers = {index: n for n, index in enumerate(lattice.indices())}
    survey_name = f"{prefix}-survey-{token}"
    numbering = f"{prefix}-numbering-{token}"
    survey_layer = _survey_tasks(
        [array.name for array in images], lattice, numbers, scan, link, connectivity, survey_name,
        small,
    )  # fmt: skip
    firsts = range(0, len(numbers), TOGETHER)
    links = List(*(TaskRef((f"links-{survey_name}", first)) for first in firsts))
    survey_layer[numbering] = Task(numbering, number_links, number, links, np.dtype(dtype))
    owns = []
    for first in firsts:
        own = (f"own-{survey_name}", first)
        blocks = range(first, min(first + TOGETHER, len(numbers)))
        survey_layer[own] = Task(own, own_numbers, TaskRef(numbering), blocks)
        owns.append(TaskRef(own))
    numbered = f"{prefix}-numbered-{token}"
    if reread:
        survey_layer[numbered] = Task(numbered, wait_for, List(*owns))
    base = HighLevelGraph.from_collections(survey_name, survey_layer, dependencies=images)

    count_name = f"{prefix}-count-{token}"
    count_key = (count_name,)
    count_layer = {count_key: Task(count_key, count_of, TaskRef(numbering))}
    counted = _with_layer(base, count_name, count_layer, [survey_name], [])
    count = da.Array(counted, count_name, (), meta=np.empty((), np.int64))

    # A block that is read again is painted at once if its numbers are there by then.
    after = Delayed(numbered, base, layer=survey_name)
    again = [read_again(array, after) for array in images] if reread else []
    name = f"{prefix}-{token}"
    sources = [array.name for array in again]
    label_layer = _paint_tasks(name, sources, numbers, paint, owns, survey_name)
    graph = _with_layer(base, name, label_layer, [survey_name], again)
    meta = with_dtype(image, dtype)
    return da.Array(graph, name, lattice.chunks, meta=meta), count


def _survey_tasks(names, lattice, numbers, scan, link, connectivity, survey_name, small):
    scans, surveys, links = (f"{part}-{survey_name}" for part in ("scan", "faces", "links"))
    starts = [np.cumsum([0, *sizes]).tolist() for sizes in lattice.chunks]
    references = {index: TaskRef((scans if small else surveys, *index)) for index in numbers}
    layer = {}
    group, touching = [], []
    for index, number in numbers.items():
        place = Place(index, tuple(along[i] for along, i in zip(starts, index)))
        key = (scans, *index)
        blocks = [TaskRef((name, *index)) for name in names]
        layer[key] = Task(key, scan, *blocks, place=place)
        if not small:
            layer[(surveys, *index)] = Task((surveys, *index), take, TaskRef(key), 0)
        neighbours = lattice.neighbours(index)
        group.append(tuple((numbers[neighbour.index], neighbour.shift) for neighbour in neighbours))
        touching.append(List(*(references[each] for each in (index, *_indices(neighbours)))))
        if len(group) == TOGETHER or number == len(numbers) - 1:
            first = number + 1 - len(group)
            layer[(links, first)] = Task(
                (links, first), link_blocks, link, first, tuple(group), List(*touching),
                connectivity.displacements,
            )  # fmt: skip
            group, touching = [], []
    return layer


def _indices(neighbours):
    return [neighbour.index for neighbour in neighbours]


def _paint_tasks(name, again, numbers, paint, owns, survey_name):
    layer = {}
    for index, number in numbers.items():
        group, place = divmod(number, TOGETHER)
        key = (name, *index)
        kept = None if again else TaskRef((f"scan-{survey_name}", *index))
        blocks = [TaskRef((source, *index)) for source in again]
        layer[key] = Task(key, paint_block, paint, kept, owns[group], place, *blocks)
    return layer


def _with_layer(graph, name, tasks, depends_on, collections):
    """Return a graph with one more layer, on layers by name and on collections."""
    layers, dependencies = dict(graph.layers), dict(graph.dependencies)
    depends_on = set(depends_on)
    for collection in collections:
        layers.update(collection.dask.layers)
        dependencies.update(collection.dask.dependencies)
        depends_on |= set(collection.__dask_layers__())
    layers[name] = MaterializedLayer(tasks)
    dependencies[name] = depends_on
    return HighLevelGraph(layers, dependencies)


# ---------------------------------------------------------------------------------------
# Components of a foreground


@dataclass(frozen=True)
class ForegroundScan:
    """
    Scan blocks for the components of a foreground.

    Parameters
    ----------
    foreground : callable
        ``foreground(*blocks)`` returns a boolean array.
    seeds : callable or None
        ``seeds(*blocks, place=…)`` returns a boolean array, whose components are
        chosen, or None for no pixel. If given, ``choose_touched`` is to number
        the components, else ``number_by_first_pixel``.
    image_shape : tuple of int
    connectivity : Connectivity
    keep : bool
        Whether to keep the packed foreground for the painting.
    """

    foreground: object
    seeds: object
    image_shape: tuple
    connectivity: Connectivity
    keep: bool

    def __call__(self, *blocks, place):
        blocks = [on_host(block) for block in blocks]
        foreground = self.foreground(*blocks)
        components = components_of(foreground, self.connectivity.displacements)
        if self.seeds is None:
            facts = positions_in(
                self.image_shape, place, foreground.shape, components.first_pixels()
            )
        else:
            seeds = self.seeds(*blocks, place=place)
            none = np.zeros(components.count, bool)
            facts = none if seeds is None else components.touched_by(seeds)
        reaches = [self.connectivity.reach(axis) for axis in range(foreground.ndim)]
        faces = cut_faces(components.part, foreground.shape, reaches)
        packed = (np.packbits(foreground), foreground.shape) if self.keep else None
        return Survey(foreground.shape, facts, faces), packed


def positions_in(image_shape, place, shape, positions):
    """Return positions, in C order, in the image from those in a block."""
    local = np.unravel_index(positions, shape)
    return np.ravel_multi_index(
        [along + offset for along, offset in zip(local, place.start)], image_shape
    ).astype(np.int64)


@dataclass(frozen=True)
class ForegroundPaint:
    """
    Paint blocks with the numbers of their components.

    Parameters
    ----------
    scan : ForegroundScan
    like : array
        What kind of array to return.
    """

    scan: ForegroundScan
    like: object

    def __call__(self, kept, numbers, *blocks):
        if kept is None:
            foreground = self.scan.foreground(*map(on_host, blocks))
        else:
            packed, shape = kept[1]
            size = int(np.prod(shape))
            foreground = np.unpackbits(packed, count=size).view(bool).reshape(shape)
        components = components_of(foreground, self.scan.connectivity.displacements)
        return off_host(components.paint(numbers), self.like)


def foreground_components(images, foreground, connectivity, dtype, prefix, token, seeds=None):
    """
    Paint the components of a foreground with their numbers, or whether they are chosen.

    Parameters
    ----------
    images : list of dask.array.Array
        Of equal shapes and chunks, one axis at least.
    foreground, seeds : callable
        As for ForegroundScan.
    connectivity : Connectivity
    dtype : numpy.dtype
    prefix, token : str
        For names.

    Returns
    -------
    labels : dask.array.Array
    count : dask.array.Array
        0-d: the number of labels, or that of chosen components before they were united.
    """
    keep = images[0].size <= KEPT_PIXELS
    scan = ForegroundScan(foreground, seeds, images[0].shape, connectivity, keep)
    return component_graph(
        images,
        scan,
        ForegroundPaint(scan, images[0]._meta),
        number_by_first_pixel if seeds is None else choose_touched,
        link_by_steps,
        connectivity,
        dtype,
        prefix,
        token,
        reread=not keep,
        small=not keep or math.prod(map(max, images[0].chunks)) / 8 < SLAB_WORTH_BYTES,
    )
