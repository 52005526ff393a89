"""
Regional maxima or minima of an image that is held in blocks: plateaus without a higher neighbour.

Pixels without a higher neighbour make up components, each of one value. One of them is an extremum
unless it is spoiled: unless a pixel as high as it, next to it, has a higher neighbour. A block
tells so of its own pixels; links compare the pixels of faces that touch, and find what unites
components, and what spoils them. So no block reads more of the image than itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels.blocks.runs import Ascending, Bits, as_array
from dask_image._kernels.blocks.surfaces import Packed
from dask_image._utils import options
from dask_image._utils.engines.block_lattice import Connectivity
from dask_image._utils.engines.components import (
    UNNUMBERED,
    Links,
    Numbering,
    Scanned,
    cut_faces,
    facing_parts,
    number_unions,
    numbered_pairs,
    unions,
)
from dask_image._utils.engines.two_pass import Place, TwoPass
from dask_image._utils.spill import load, spill_object
from dask_image._utils.typing import Array, Block, NDArray, Shape


@dataclass(frozen=True)
class ScannedPlateaus(Scanned):
    """
    What is learnt of a block; its values tell which of its plateaus are spoiled.

    Parameters
    ----------
    pixels : dict
        The image near each face, as ``faces`` has the labels of plateaus.
    lowest : object
        The value that is farthest from extreme, NaN if there is any.
    at_lowest : Bits
        Which plateaus have it.
    parts : Parts or None
    """

    pixels: dict[tuple[int, bool], NDArray]
    lowest: Any
    at_lowest: Bits
    parts: Parts | None

    def of_pixels(self) -> Scanned:
        """Return the same with pixels instead of labels."""
        return Scanned(self.shape, self.values, self.pixels)


@dataclass(frozen=True)
class Parts:
    """
    The components to be numbered: plateaus, or what a mask leaves of them.

    Parameters
    ----------
    scanned : Scanned
        With their first pixels.
    plateaus : numpy.ndarray of int or None
        On which plateau each lies; None if they are the plateaus.
    """

    scanned: Scanned
    plateaus: NDArray | None


@dataclass(frozen=True)
class LinkedPlateaus(Links):
    """
    What is learnt of a block and its neighbours.

    Parameters
    ----------
    spoiled : numpy.ndarray of int
        Shape (n, 2): blocks, and the plateaus in them, that a pixel of another block spoils.
    lowest, at_lowest
        As `ScannedPlateaus` has them.
    parts : Links or None
    plateaus : numpy.ndarray of int or None
    """

    spoiled: NDArray
    lowest: Any
    at_lowest: Bits
    parts: Links | None
    plateaus: NDArray | None


@dataclass(frozen=True)
class Plateaus(TwoPass):
    """
    Tell which pixels are regional extrema.

    Parameters
    ----------
    connectivity : Connectivity
    dtype : numpy.dtype
        Of the result.
    image_shape : tuple of int
    highest : bool
        Whether to look for maxima; else for minima.
    memory : int
        How many bytes may be kept of all blocks between both passes.
    edges : tuple of int
        Along which axes no extremum may touch the edge of the image.
    on_disk : bool
        Whether what waits lies in a temporary file.
    """

    connectivity: Connectivity
    dtype: np.dtype[Any]
    image_shape: Shape
    highest: bool
    memory: int
    edges: Shape
    on_disk: bool

    scans_again = False
    combine_step = "combine"
    finish_step = "fill"

    @classmethod
    def of(
        cls, image: Array, connectivity: Connectivity, highest: bool, edges: Shape = (), **more: Any
    ) -> Plateaus:
        """Return how to find those of an image; further arguments are those of the class."""
        # To find them anew costs more than to keep two bits a pixel, however many there are.
        memory = max(options.memory("label"), -(-image.size // 8))
        return cls(
            connectivity,
            image_shape=image.shape,
            highest=highest,
            memory=memory,
            edges=edges,
            **more,
        )

    def scan(self, place: Place, *blocks: Block) -> tuple[ScannedPlateaus, Any]:
        """Find the plateaus of a block, and which are spoiled."""
        image, steps = blocks[0], self.connectivity.displacements
        states = kernels.plateaus.plateau_states(image, steps, self.highest)
        self._leave_out_edges(place, states)
        plateaus = kernels.components.components_of(self._foreground(states), steps)
        spoiled = plateaus.touched_by(states == kernels.plateaus.SPOILED)
        lowest, at_lowest = self._at_lowest(image, states, plateaus)
        faces = self._faces(plateaus.part, image.shape)
        pixels = self._faces(lambda box: image[box].copy(), image.shape)
        spoiled, at_lowest = Bits(spoiled), Bits(at_lowest)
        scanned = Scanned(image.shape, spoiled, faces)
        parts, kept = self._keep(place, states, plateaus, scanned, *blocks[1:])
        summary = ScannedPlateaus(image.shape, spoiled, faces, pixels, lowest, at_lowest, parts)
        return summary, kept

    def _leave_out_edges(self, place, states):
        """Let pixels at the edge of the image spoil what they lie on, where none may touch it."""
        for axis in self.edges:
            start, size = place.start[axis], self.image_shape[axis]
            for edge in (-start, size - 1 - start):
                if 0 <= edge < states.shape[axis]:
                    face = (slice(None),) * axis + (edge,)
                    states[face] = kernels.plateaus.WITHOUT_BORDER[states[face]]

    def _foreground(self, states):
        """Return the pixels on plateaus; one that is higher than all is on none, but on a face."""
        foreground = (states == kernels.plateaus.CANDIDATE) | (states == kernels.plateaus.SPOILED)
        for axis in range(states.ndim):
            if self.connectivity.reach(axis):
                for edge in (0, -1):
                    face = (slice(None),) * axis + (edge,)
                    foreground[face] = states[face] != kernels.plateaus.LOWER
        return foreground

    def _at_lowest(self, image, states, plateaus):
        """
        Return the least value (of minima, the greatest) of a block, and the plateaus that have it.
        """
        lowest = (np.min if self.highest else np.max)(image)
        steps = self.connectivity.displacements
        if self.edges or not steps:
            return lowest, np.zeros(plateaus.count, bool)
        if set(map(tuple, np.eye(image.ndim, dtype=int).tolist())) <= set(steps):
            # Steps lead everywhere: it is an extremum only if all of the image is one plateau.
            return lowest, np.full(plateaus.count, states.all())
        return lowest, plateaus.touched_by(image == lowest)

    def _faces(self, part, shape):
        reaches = [self.connectivity.reach(axis) for axis in range(len(shape))]
        return cut_faces(part, shape, reaches)

    def _keep(self, place, states, plateaus, scanned):
        """Return the parts to be numbered, None here, and what `finish` needs."""
        peaks = (states == kernels.plateaus.PEAK) & ~self._foreground(states)
        words = kernels.bits.pack_lines(peaks)
        return None, self._waiting((states.shape, words, self._kept(plateaus, states)))

    def _waiting(self, kept):
        """Return what has to wait."""
        return spill_object(kept) if self.on_disk else kept

    def _kept(self, components, block):
        share = self.memory * block.size / max(math.prod(self.image_shape), 1)
        return components.keep(share)

    def link(
        self,
        number: int,
        summary: ScannedPlateaus,
        neighbours: Sequence[tuple[int, Shape]],
        summaries: Sequence[ScannedPlateaus],
    ) -> LinkedPlateaus:
        """Find the plateaus that reach into other blocks, and those that others spoil."""
        rows, spoiled = [np.zeros((0, 4), np.int64)], [np.zeros((0, 2), np.int64)]
        parts, rows_of_parts = summary.parts, [np.zeros((0, 4), np.int64)]
        for (other_number, shift), other in zip(neighbours, summaries):
            pairs, pairs_of_parts = [], []
            for step in self.connectivity.displacements:
                sides = facing_parts(summary, other, shift, step)
                values = facing_parts(summary.of_pixels(), other.of_pixels(), shift, step)
                if sides is None or values is None:
                    continue
                level = values[0] == values[1]
                pairs.append(_level_pairs(sides, level))
                ours, theirs = self._spoiled_by(sides, values)
                spoiled += [_in_block(number, ours), _in_block(other_number, theirs)]
                if parts is not None and other.parts is not None:
                    sides = facing_parts(parts.scanned, other.parts.scanned, shift, step)
                    pairs_of_parts.append(_level_pairs(sides, level))
            rows.append(numbered_pairs(number, other_number, pairs))
            rows_of_parts.append(numbered_pairs(number, other_number, pairs_of_parts))
        linked = None
        if parts is not None:
            linked = Links(parts.scanned.values, np.concatenate(rows_of_parts))
        return LinkedPlateaus(
            summary.values, np.concatenate(rows), np.concatenate(spoiled), summary.lowest,
            summary.at_lowest, linked, None if parts is None else parts.plateaus,
        )  # fmt: skip

    def _spoiled_by(self, labels, values):
        """Return which plateaus of two faces pixels of the other face spoil."""
        (ours, theirs), (here, there) = labels, values
        level, higher, lower = here == there, here > there, here < there
        if not self.highest:
            higher, lower = lower, higher
        return ours[lower | (level & (theirs == 0))], theirs[higher | (level & (ours == 0))]

    def combine(self, linked: Sequence[LinkedPlateaus]) -> Numbering:
        """Choose the plateaus that are spoiled nowhere."""
        spoiled = self._spoiled(linked)
        return Numbering([Bits(~spoiled(number)) for number in range(len(linked))], 0)

    def _spoiled(self, linked):
        """Return a function that tells, by its number, which plateaus of a block are spoiled."""
        nodes, groups, offsets = unions(linked)
        block, label = np.concatenate([each.spoiled for each in linked]).T
        # A plateau of the image's least value is no maximum.
        lowest = (np.min if self.highest else np.max)([each.lowest for each in linked])

        def in_block(number):
            each = linked[number]
            spoiled = each.values.array().copy()
            return spoiled | each.at_lowest.array() if each.lowest == lowest else spoiled

        by_others = np.unique(offsets[block] + label - 1)
        spoiled = np.zeros(nodes.size, bool)
        for number, (first, end) in enumerate(itertools.pairwise(np.searchsorted(nodes, offsets))):
            if first < end:
                spoiled[first:end] = in_block(number)[nodes[first:end] - offsets[number]]
        spoiled |= np.isin(nodes, by_others)
        spoiled_groups = np.zeros(groups.max(initial=-1) + 1, bool)
        spoiled_groups[groups[spoiled]] = True
        all_spoiled = np.union1d(by_others, nodes[spoiled_groups[groups]])
        starts = np.searchsorted(all_spoiled, offsets)

        def of_block(number):
            found = in_block(number)
            found[all_spoiled[slice(*starts[number : number + 2])] - offsets[number]] = True
            return found

        return of_block

    def finish(self, kept: Any, combined: NDArray, *_: Block) -> Block:
        """Return the peaks and the chosen plateaus of a block."""
        shape, peaks, components = load(kept)
        found = kernels.bits.unpack_lines(peaks, shape)
        found |= components.relabel(combined)
        return found

    def kept_bytes(self, shape: Shape) -> float:
        """Return the size of a block packed twice: its plateaus, and its peaks or a mask."""
        return math.prod(shape) / 4


def _level_pairs(sides, level):
    """Return the pairs of labels of two faces at pixels that are level."""
    return kernels.components.touching_pairs(*(side * level for side in sides))


def _in_block(number, labels):
    """Return a row for each of some plateaus of a block, 0 being none."""
    labels = np.unique(labels[labels != 0])
    return np.stack([np.full(labels.size, number), labels], axis=1)


@dataclass(frozen=True)
class NumberedPlateaus(Plateaus):
    """
    Number the regional extrema, or what a mask leaves of them, as `ndimage.label` does.

    Blocks are those that `Packed` markers and their summary make up, see
    `dask_image._utils.engines.flooding.flood`.

    Parameters
    ----------
    summarize : callable
        ``summarize(unmarked, start)`` returns what distances need of a block.
    """

    summarize: Callable[..., Any]

    combine_step = "number"
    finish_step = "pack"

    def _foreground(self, states):
        return states != kernels.plateaus.LOWER

    def _keep(self, place, states, plateaus, scanned, mask=None):
        """Return the parts of plateaus inside of a mask, and what `finish` needs."""
        components, owners, faces, bits = (
            plateaus,
            None,
            scanned.faces,
            None,
        )
        if mask is not None:
            inside = self._foreground(states) & mask
            steps = self.connectivity.displacements
            components = kernels.components.components_of(inside, steps)
            everything = (slice(None),) * states.ndim
            owners = np.zeros(components.count + 1, np.int64)
            owners[components.part(everything)[inside]] = plateaus.part(everything)[inside]
            owners = owners[1:]
            faces, bits = self._faces(components.part, states.shape), Packed.bits_of(mask)
        firsts = Ascending(components.first_pixels(place.start, self.image_shape))
        parts = Parts(Scanned(states.shape, firsts, faces), owners)
        kept = self._kept(components, states), bits, place.start[0]
        return parts, self._waiting(kept)

    def combine(self, linked: Sequence[LinkedPlateaus]) -> Numbering:
        """Give numbers to the parts of plateaus that are spoiled nowhere."""
        spoiled, parts = self._spoiled(linked), [each.parts for each in linked if each.parts]

        def first_pixels(number):
            firsts, owners = as_array(parts[number].values).copy(), linked[number].plateaus
            of_plateaus = spoiled(number)
            firsts[of_plateaus if owners is None else of_plateaus[owners - 1]] = UNNUMBERED
            return firsts

        return number_unions(first_pixels, *unions(parts), self.dtype)

    def finish(self, kept: Any, combined: NDArray, *_: Block) -> Any:
        """Return what distances need of a block, and its markers, packed."""
        components, bits, start = load(kept)
        packed = Packed(components.relabel(combined), bits)
        block = self.summarize(packed.unmarked(), start), packed
        return self._waiting(block)
