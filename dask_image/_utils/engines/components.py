"""
Connected components of an array that is held in blocks, in two passes.

The scan finds the components of a block, and keeps how many there are, a value of each, and the
labels near its faces. Links compare a block's faces with those of every block that it touches.
One task unites the components that touch and numbers the unions. Each block then gets its part
of the numbers and is relabelled. Local labels are kept as runs where these take no more than
the block's part of the option ``dask-image.label.memory``; else a block is labelled again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from dask_image._kernels import blocks as kernels
from dask_image._kernels.blocks.runs import Ascending, Bits, Numbers, as_array
from dask_image._utils import options
from dask_image._utils.engines.block_lattice import Connectivity
from dask_image._utils.engines.two_pass import Place, TwoPass, map_two_pass
from dask_image._utils.typing import Array, Block, DTypeLike, NDArray, Shape, Slices

# The first pixel of a component that has no pixel in the result.
UNNUMBERED = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Scanned:
    """
    What is learnt of a block.

    Parameters
    ----------
    shape : tuple of int
    values : numpy.ndarray, Ascending or Bits
        One for each component: its first pixel, or whether it is chosen.
    faces : dict
        Labels near each face that can touch another block, by (axis, whether
        it is the low face).
    """

    shape: Shape
    values: NDArray | Ascending | Bits
    faces: dict[tuple[int, bool], NDArray]


# Columns of pairs of components: of what blocks they are, and their labels there.
BLOCK, LABEL, OTHER_BLOCK, OTHER_LABEL = range(4)
BLOCKS, LABELS = slice(BLOCK, None, 2), slice(LABEL, None, 2)


@dataclass(frozen=True)
class Links:
    """A block's values, and a row for each two components that touch."""

    values: NDArray | Ascending | Bits
    rows: NDArray


@dataclass(frozen=True)
class Numbering:
    """The new numbers of each block's components, compressed if they are many, and how many."""

    blocks: Sequence[NDArray | Numbers | Bits]
    count: int

    def of_block(self, number: int) -> NDArray:
        """Return the numbers of one block's labels, 0 for the background first."""
        numbers = as_array(self.blocks[number])
        return np.concatenate([np.zeros(1, numbers.dtype), numbers])


def on_host(block: Block) -> NDArray:
    """Return a block as a NumPy array, wherever it is."""
    return block.get() if hasattr(block, "get") else np.asarray(block)


def off_host(array: NDArray, like: Block) -> Block:
    """Return a NumPy array as one of the same kind as ``like``."""
    return np.asarray(array, like=like) if hasattr(like, "get") else array


def cut_faces(
    part: Callable[[Slices], NDArray], shape: Shape, reaches: Sequence[int]
) -> dict[tuple[int, bool], NDArray]:
    """Return the labels near the faces of a block; ``part`` returns those in a box."""
    faces = {}
    for axis, reach in enumerate(reaches):
        if reach:
            box = [slice(0, size) for size in shape]
            box[axis] = slice(0, min(reach, shape[axis]))
            faces[axis, True] = part(tuple(box))
            box[axis] = slice(max(shape[axis] - reach, 0), shape[axis])
            faces[axis, False] = part(tuple(box))
    return faces


def link_by_steps(
    number: int,
    scanned: Scanned,
    neighbours: Sequence[tuple[int, Shape]],
    others: Sequence[Scanned],
    displacements: Sequence[Shape],
) -> Links:
    """
    Return the links of a block with the blocks before it that it touches.

    Parameters
    ----------
    number : int
        The number of this block.
    scanned : Scanned
    neighbours : tuple of (int, tuple of int)
        The number and the shift of each neighbour.
    others : list of Scanned
        Theirs.
    displacements : tuple of tuples of int
    """
    rows = []
    for (other_number, shift), other in zip(neighbours, others):
        pairs = [
            kernels.components.touching_pairs(*sides)
            for displacement in displacements
            if (sides := facing_parts(scanned, other, shift, displacement)) is not None
        ]
        rows.append(numbered_pairs(number, other_number, pairs))
    return Links(scanned.values, np.concatenate(rows) if rows else np.zeros((0, 4), np.int64))


def numbered_pairs(number: int, other_number: int, pairs: list[NDArray]) -> NDArray:
    """Return rows for ``Links`` from arrays of pairs of labels, each pair once."""
    pairs = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    if len(pairs) > 1:
        span = pairs[:, 1].max() + 1
        keys = np.unique(pairs[:, 0] * span + pairs[:, 1])
        pairs = np.stack(np.divmod(keys, span), axis=1)
    rows = np.empty((len(pairs), 4), np.int64)
    rows[:, BLOCK], rows[:, OTHER_BLOCK] = number, other_number
    rows[:, LABELS] = pairs
    return rows


def facing_parts(
    scanned: Scanned, other: Scanned, shift: Shape, displacement: Shape
) -> tuple[NDArray, NDArray] | None:
    """Return what faces of two blocks hold at pixels that one step joins, or None."""
    here, there = [], []
    for size, other_size, offset, step in zip(scanned.shape, other.shape, shift, displacement):
        low, high = max(0, offset - step), min(size, offset - step + other_size)
        if low >= high:
            return None
        here.append((low, high))
        there.append((low + step - offset, high + step - offset))
    axis = next(axis for axis, offset in enumerate(shift) if offset)
    before = shift[axis] < 0
    return (
        _from_face(scanned.faces[axis, before], scanned.shape[axis], axis, before, here),
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


def unite(links: Sequence[Links]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """
    Unite the components that touch.

    Returns
    -------
    values : numpy.ndarray
        Of the components of all blocks, in the order of the blocks.
    nodes, groups, offsets : numpy.ndarray of int
        As `unions` returns them.
    """
    nodes, groups, offsets = unions(links)
    values = np.empty(offsets[-1], links[0].values.dtype)
    for link, start, end in zip(links, offsets, offsets[1:]):
        values[start:end] = as_array(link.values)
    return values, nodes, groups, offsets


def unions(links: Sequence[Links]) -> tuple[NDArray, NDArray, NDArray]:
    """
    Find the components that touch.

    Returns
    -------
    nodes, groups : numpy.ndarray of int
        Which components touch another one, ascending, and the union each belongs to.
    offsets : numpy.ndarray of int
        Where each block's components begin, and where the last one's end.
    """
    offsets = np.zeros(len(links) + 1, np.int64)
    np.cumsum([link.values.size for link in links], out=offsets[1:])
    rows = np.concatenate([link.rows for link in links])
    if not len(rows):
        nothing = np.zeros(0, np.intp)
        return nothing, nothing, offsets
    nodes, edges = np.unique(offsets[rows[:, BLOCKS]] + rows[:, LABELS] - 1, return_inverse=True)
    edges = edges.reshape(-1, 2)
    graph = sparse.coo_array(
        (np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(nodes.size, nodes.size)
    )
    _, groups = sparse.csgraph.connected_components(graph, directed=False)
    return nodes, groups, offsets


def number_by_first_pixel(links: Sequence[Links], dtype: DTypeLike) -> Numbering:
    """Give the unions numbers from 1, in the order of their first pixels."""
    return number_unions(lambda number: as_array(links[number].values), *unions(links), dtype)


# So many components are put in order at a time.
SORTED_AT_ONCE = 2**18
# The numbers of more components are compressed.
MOST_LOOSE = 2**22


def number_unions(
    first_pixels: Callable[[int], NDArray], nodes: NDArray, groups: NDArray, offsets: NDArray,
    dtype: DTypeLike,
) -> Numbering:  # fmt: skip
    """
    Give the unions numbers from 1, in the order of their first pixels.

    Parameters
    ----------
    first_pixels : callable
        ``first_pixels(number)`` returns those of a block's components, `UNNUMBERED` for one that
        gets no number; of a union all components get one, or none.
    nodes, groups, offsets : numpy.ndarray of int
        As `unions` returns them.
    dtype : dtype
        Of the numbers.
    """
    blocks = offsets.size - 1
    lowest, highest = np.full(blocks, UNNUMBERED), np.full(blocks, -1)
    of_blocks = np.searchsorted(nodes, offsets)
    first_of_node = np.empty(nodes.size, np.int64)
    for number in range(blocks):
        firsts = first_pixels(number)
        own = slice(*of_blocks[number : number + 2])
        first_of_node[own] = firsts[nodes[own] - offsets[number]]
        lowest[number] = firsts.min(initial=UNNUMBERED)
        highest[number] = firsts.max(initial=-1, where=firsts != UNNUMBERED)
    order = np.argsort(first_of_node)
    _, leader = np.unique(groups[order], return_index=True)
    leads = np.zeros(nodes.size, bool)
    leads[order[leader]] = True
    number_of_group = np.zeros(leader.size, dtype)
    packed: list[NDArray | Numbers] = []
    count = 0
    for start, stop in _in_order(lowest, highest):
        roots, owns = [], []
        for number in range(start, stop):
            firsts = first_pixels(number)
            own = slice(*of_blocks[number : number + 2])
            numbered = firsts != UNNUMBERED
            numbered[nodes[own][~leads[own]] - offsets[number]] = False
            roots.append(_Roots(firsts, numbered, lowest[start:stop].min()))
            owns.append(own)
        count = _number_in_order(roots, count, dtype)
        # The one that leads a union comes in this part or in one before.
        for each, own, offset in zip(roots, owns, offsets[start:stop], strict=True):
            led = leads[own]
            if led.any():
                number_of_group[groups[own][led]] = each.numbers()[nodes[own][led] - offset]
        for each, own, offset in zip(roots, owns, offsets[start:stop], strict=True):
            numbers = each.numbers()
            numbers[nodes[own] - offset] = number_of_group[groups[own]]
            packed.append(numbers if offsets[-1] <= MOST_LOOSE else Numbers(numbers))
    return Numbering(packed, count)


class _Roots:
    """The components of a block that get a number of their own; first pixels count from a place."""

    def __init__(self, firsts, numbered, start):
        self.numbered = numbered
        firsts = firsts[numbered] - start
        firsts = firsts.astype(np.min_scalar_type(int(firsts.max(initial=0))))
        self.order = None
        if (firsts[1:] < firsts[:-1]).any():
            self.order = np.argsort(firsts)
            firsts = firsts[self.order]
        self.firsts, self.given = firsts, None

    def numbers(self):
        """Return the numbers of all components, 0 for the others."""
        given = self.given
        if self.order is not None:
            given = np.empty_like(self.given)
            given[self.order] = self.given
        numbers = np.zeros(self.numbered.size, self.given.dtype)
        numbers[self.numbered] = given
        return numbers


def _number_in_order(roots, count, dtype):
    """Count on through the roots of some blocks, in the order of their first pixels."""
    total = sum(each.firsts.size for each in roots)
    if len(roots) == 1:  # nothing comes in between
        roots[0].given = np.arange(count + 1, count + 1 + total, dtype=dtype)
        return count + total
    for each in roots:
        each.given = np.empty(each.firsts.size, dtype)
    if not total:
        return count
    last = max(int(each.firsts[-1]) for each in roots if each.firsts.size)
    # All that lie between two of these places are put in order, and numbered.
    places = np.linspace(0, last + 1, 1 + -(-total // SORTED_AT_ONCE)).astype(np.int64)
    cuts = [np.searchsorted(each.firsts, places) for each in roots]
    for window in range(places.size - 1):
        spans = [slice(*cut[window : window + 2]) for cut in cuts]
        firsts = np.concatenate([each.firsts[span] for each, span in zip(roots, spans)])
        order = np.argsort(firsts, kind="stable")
        numbers = np.empty(firsts.size, dtype)
        numbers[order] = np.arange(count + 1, count + 1 + firsts.size)
        count += firsts.size
        ends = np.cumsum([span.stop - span.start for span in spans])
        for each, span, part in zip(roots, spans, np.split(numbers, ends[:-1])):
            each.given[span] = part
    return count


def _in_order(lowest, highest):
    """
    Cut the blocks into parts of which each comes, as a whole, after those before it.

    Blocks side by side in a row of the image are such a part, since first pixels are counted in
    raster order: no more than their components are there at a time.

    Parameters
    ----------
    lowest, highest : numpy.ndarray of int
        The first and the last of each block's first pixels; `UNNUMBERED` and -1 for none.
    """
    later = np.minimum.accumulate(lowest[::-1])[::-1][1:]
    ends = 1 + np.flatnonzero(np.maximum.accumulate(highest)[:-1] < later)
    return itertools.pairwise([0, *ends, lowest.size])


def choose_touched(links: Sequence[Links], dtype: DTypeLike) -> Numbering:
    """Choose all components of a union of which any is chosen."""
    chosen, nodes, groups, offsets = unite(links)
    chosen_groups = np.zeros(groups.max(initial=-1) + 1, bool)
    chosen_groups[groups[chosen[nodes]]] = True
    chosen[nodes] = chosen_groups[groups]
    return Numbering(np.split(chosen.astype(dtype), offsets[1:-1]), int(chosen.sum()))


def positions_in(image_shape: Shape, place: Place, shape: Shape, positions: NDArray) -> NDArray:
    """Return positions, in C order, in the image from those in a block."""
    local = np.unravel_index(positions, shape)
    return np.ravel_multi_index(
        [along + offset for along, offset in zip(local, place.start)], image_shape
    ).astype(np.int64)


@dataclass(frozen=True)
class ForegroundComponents(TwoPass):
    """
    Give the components of a foreground their numbers, or tell whether they are chosen.

    Parameters
    ----------
    foreground : callable
        ``foreground(*blocks)`` returns a boolean array.
    seeds : callable or None
        ``seeds(*blocks, place=…)`` returns a boolean array, whose components are
        chosen, or None for no pixel. Without it components are numbered by first pixel.
    connectivity : Connectivity
    dtype : numpy.dtype
        Of the result.
    image_shape : tuple of int
    like : array
        What kind of array to return.
    memory : int
        How many bytes may be kept of all blocks between both passes.
    elsewhere : bool
        Whether True are the pixels that are in no chosen component.
    """

    foreground: Callable[..., Any]
    seeds: Callable[..., Any] | None
    connectivity: Connectivity
    dtype: np.dtype[Any]
    image_shape: Shape
    like: Block
    memory: int
    elsewhere: bool

    @property
    def scans_again(self) -> bool:  # type: ignore[override]
        """Whether images are computed twice: not even a bit a pixel can be kept."""
        return math.prod(self.image_shape) > 8 * self.memory

    combine_step = "number"
    finish_step = "relabel"

    def scan(self, place: Place, *blocks: Block) -> tuple[Scanned, Any]:
        """Find the components of a block."""
        blocks = [on_host(block) for block in blocks]
        foreground = self.foreground(*blocks)
        components = self._components(foreground)
        if self.seeds is None and place.alone:
            values = np.arange(components.count)  # which come in the order of their first pixels
        elif self.seeds is None:
            values = Ascending(components.first_pixels(place.start, self.image_shape))
        else:
            seeds = self.seeds(*blocks, place=place)
            none = np.zeros(components.count, bool)
            values = none if seeds is None else components.touched_by(seeds)
        reaches = [self.connectivity.reach(axis) for axis in range(foreground.ndim)]
        faces = {} if place.alone else cut_faces(components.part, foreground.shape, reaches)
        part = self.memory * foreground.size / max(math.prod(self.image_shape), 1)
        kept = None if self.scans_again else components.keep(part)
        return Scanned(foreground.shape, values, faces), kept

    def link(
        self,
        number: int,
        summary: Scanned,
        neighbours: Sequence[tuple[int, Shape]],
        summaries: Sequence[Scanned],
    ) -> Links:
        """Find the components that touch those of other blocks."""
        return link_by_steps(
            number, summary, neighbours, summaries, self.connectivity.displacements
        )

    def combine(self, linked: Sequence[Links]) -> Numbering:
        """Give numbers to all components, or choose among them."""
        number = number_by_first_pixel if self.seeds is None else choose_touched
        return number(linked, self.dtype)

    def finish(self, kept: Any, combined: NDArray, *blocks: Block) -> Block:
        """Label a block once more, with the numbers of its components."""
        if self.scans_again:
            kept = self._components(self.foreground(*map(on_host, blocks)))
        return off_host(kept.relabel(~combined if self.elsewhere else combined), self.like)

    def kept_bytes(self, shape: Shape) -> float:
        """Return the size of a packed block: runs take more in noise only."""
        return math.inf if self.scans_again else math.prod(shape) / 8

    def _components(self, foreground):
        return kernels.components.components_of(foreground, self.connectivity.displacements)


def foreground_components(
    images: Sequence[Array],
    foreground: Callable[..., Any],
    connectivity: Connectivity,
    dtype: DTypeLike,
    name: str,
    seeds: Callable[..., Any] | None = None,
    elsewhere: bool = False,
) -> tuple[Array, Array]:
    """
    Relabel the components of a foreground.

    Parameters
    ----------
    images : list of dask.array.Array
        Of equal shapes and chunks, one axis at least.
    foreground, seeds, elsewhere
        As for `ForegroundComponents`.
    connectivity : Connectivity
    dtype : numpy.dtype
    name : str
        Of the function that the user called.

    Returns
    -------
    labels : dask.array.Array
    count : dask.array.Array
        0-d: the number of labels, or that of chosen components before they were united.
    """
    image = images[0]
    algorithm = ForegroundComponents(
        foreground, seeds, connectivity, np.dtype(dtype), image.shape, image._meta,
        memory=options.memory("label"), elsewhere=elsewhere,
    )  # fmt: skip
    labels, combined = map_two_pass(algorithm, images, name)
    return labels, combined.array("count", _count)


def _count(numbering):
    return np.int64(numbering.count)
