"""
Choose among the connected components of equal labels, by what is measured of them.

As in `dask_image._utils.engines.components` a block's components are found twice and never kept;
but pixels are connected only if their labels are equal, and any number can be measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.engines.block_lattice import Connectivity
from dask_image._utils.engines.components import (
    LABEL,
    OTHER_BLOCK,
    OTHER_LABEL,
    Links,
    Numbering,
    Scanned,
    cut_faces,
    link_by_steps,
    unite,
)
from dask_image._utils.engines.two_pass import Place, TwoPass, map_two_pass
from dask_image._utils.typing import Array, Block, NDArray, Shape


@dataclass(frozen=True)
class ScannedLabels(Scanned):
    """What is learnt of a block; ``labels`` has the label of each component."""

    labels: NDArray


@dataclass(frozen=True)
class LabelledComponents(TwoPass):
    """
    Keep the components that are chosen.

    Parameters
    ----------
    measure : callable
        ``measure(components, count, place, *blocks)`` returns a number for each component of a
        block, given the array of their numbers from 1, in one dtype.
    merge : numpy.ufunc
        How the numbers of parts of a component are put together.
    choose : callable
        ``choose(numbers)`` tells which components stay.
    background : object
        What the pixels of the others become.
    connectivity : Connectivity
    dtype : numpy.dtype
    scans_again : bool
        Whether labels are computed twice, instead of keeping them.
    """

    measure: Callable[..., NDArray]
    merge: np.ufunc
    choose: Callable[[NDArray], NDArray]
    background: object
    connectivity: Connectivity
    dtype: np.dtype[Any]
    scans_again: bool = True

    finish_step = "relabel"

    def scan(self, place: Place, *blocks: Block) -> tuple[ScannedLabels, None]:
        """Find the components of a block, and measure them."""
        labels = blocks[0]
        components, owners = equal_components(labels, self.connectivity.displacements)
        values = self.measure(components, owners.size, place, *blocks)
        reaches = [self.connectivity.reach(axis) for axis in range(labels.ndim)]
        faces = cut_faces(components.__getitem__, labels.shape, reaches)
        faces = {face: part.copy() for face, part in faces.items()}
        return ScannedLabels(labels.shape, values, faces, owners), None

    def link(
        self,
        number: int,
        summary: ScannedLabels,
        neighbours: Sequence[tuple[int, Shape]],
        summaries: Sequence[ScannedLabels],
    ) -> Links:
        """Find the components that touch those of other blocks of the same label."""
        links = link_by_steps(
            number, summary, neighbours, summaries, self.connectivity.displacements
        )
        rows = links.rows
        owners = {each: other.labels for (each, _), other in zip(neighbours, summaries)}
        ours = summary.labels[rows[:, LABEL] - 1]
        theirs = np.zeros_like(ours)
        for each, labels in owners.items():
            from_it = rows[:, OTHER_BLOCK] == each
            theirs[from_it] = labels[rows[from_it, OTHER_LABEL] - 1]
        return Links(links.values, rows[ours == theirs])

    def combine(self, linked: Sequence[Links]) -> Numbering:
        """Measure the unions of components, and choose among them."""
        values, nodes, groups, offsets = unite(linked)
        totals = np.full(groups.max(initial=-1) + 1, self.merge.identity, values.dtype)
        self.merge.at(totals, groups, values[nodes])
        values[nodes] = totals[groups]
        chosen = self.choose(values)
        return Numbering(np.split(chosen, offsets[1:-1]), int(chosen.sum()))

    def finish(self, kept: Any, combined: NDArray, *blocks: Block) -> NDArray:
        """Keep the labels of chosen components, and the background."""
        labels = blocks[0]
        components, _ = equal_components(labels, self.connectivity.displacements)
        combined[0] = True
        background = labels.dtype.type(self.background)
        return np.where(combined[components], labels, background).astype(self.dtype, copy=False)


def equal_components(labels: Block, displacements: Sequence[Shape]) -> tuple[NDArray, NDArray]:
    """
    Return the components of equal labels of a block, 0 being none.

    Returns
    -------
    components : numpy.ndarray of int
        Their numbers, from 1.
    owners : numpy.ndarray
        The label of each.
    """
    if labels.dtype.kind == "b":
        found = kernels.components.components_of(labels, displacements)
        everything = tuple(slice(0, size) for size in labels.shape)
        return found.part(everything), np.ones(found.count, bool)
    return kernels.equal_components.equal_components(labels, displacements)


def choose_components(images: Sequence[Array], algorithm: LabelledComponents, name: str) -> Array:
    """
    Return labels without the components that are not chosen.

    Parameters
    ----------
    images : list of dask.array.Array
        The labels, and what else is measured, of equal shapes and chunks.
    algorithm : LabelledComponents
    name : str
        Of the function that the user called.
    """
    return map_two_pass(algorithm, images, name)[0]
