"""Which pixels are connected, and so which blocks of an array touch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dask_image._utils.typing import Chunks, NDArray, Shape


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

    displacements: tuple[Shape, ...]
    wrap_axes: Shape = ()

    def reach(self, axis: int) -> int:
        """Return how many pixels the steps go along ``axis``."""
        return max((abs(displacement[axis]) for displacement in self.displacements), default=0)


def displacements_of(structure: NDArray, origin: Sequence[int] | None = None) -> tuple[Shape, ...]:
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

    index: Shape
    shift: Shape


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

    def __init__(self, chunks: Chunks, connectivity: Connectivity) -> None:
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

    def indices(self) -> Iterator[Shape]:
        """Return an iterator over the blocks in C order."""
        return itertools.product(*(range(len(sizes)) for sizes in self.chunks))

    def shape(self, index: Shape) -> Shape:
        """Return the shape of a block."""
        return tuple(sizes[i] for sizes, i in zip(self.chunks, index))

    def neighbours(self, index: Shape) -> list[Neighbour]:
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


def touching_along(
    sizes: Sequence[int], reach: int, wraps: bool
) -> list[list[tuple[int, int, int]]]:
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
