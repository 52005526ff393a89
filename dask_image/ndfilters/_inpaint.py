"""
Inpainting: a hole in one block is solved there, one in several is brought together.

All blocks are read twice: first to learn the equations of pixels in holes that several blocks
share, and the range of what is known; then, once these are solved, to fill each block.
"""

from __future__ import annotations

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.engines.counted import Counted
from dask_image._utils.engines.graph import (
    block_key,
    new_delayed,
    read_again,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.engines.overlap import block_bounds, map_boxes
from dask_image._utils.typing import Array


def inpaint(image: Array, counted: Counted) -> Array:
    """Return an image whose pixels that do not count solve the biharmonic equation."""
    bounds, reach = block_bounds(image.chunks), kernels.holes.REACH

    def boxes(index):
        return [
            (max(along[i] - reach, 0), min(along[i + 1] + reach, size))
            for along, i, size in zip(bounds, index, image.shape)
        ]

    def place(index):
        first = tuple(start for start, _ in boxes(index))
        core = tuple(
            slice(along[i] - start, along[i + 1] - start)
            for along, i, start in zip(bounds, index, first)
        )
        return first, core

    found = map_boxes(
        _learn, image, *counted.masks, name="fill_missing-scan", boxes=boxes,
        chunks=tuple((1,) * blocks for blocks in image.numblocks), dtype=object,
        block_arguments=place, counted=counted.for_blocks, shape=image.shape,
    )  # fmt: skip
    learnt = sequence(reference(block_key(found, at)) for at in np.ndindex(found.numblocks))
    key = f"fill_missing-combine-{tokenize(found.name, image.shape)}"
    shared = new_delayed(key, {key: task(key, _solve_shared, learnt, image.shape)}, [found])
    again = [read_again(each, shared) for each in (image, *counted.masks)]
    return map_boxes(
        _fill, *again, name="fill_missing", boxes=boxes, chunks=image.chunks, dtype=image.dtype,
        block_arguments=place, for_all=shared, counted=counted.for_blocks, shape=image.shape,
    )  # fmt: skip


def _learn(box, *arguments, counted, shape):
    """Return the equations of holes that go on in other blocks, and the range of known pixels."""
    holes = kernels.holes
    *where, first, core = arguments
    missing = ~counted.in_block(box, *where)
    system = holes.couple(holes.equations_of(box, missing, first, core, shape), shape)
    known = box[core][~missing[core]]
    limits = (known.min(), known.max()) if known.size else None
    learnt = np.empty((1,) * box.ndim, object)
    learnt[(0,) * box.ndim] = (holes.open_equations(system, box.ndim), limits)
    return learnt


def _solve_shared(learnt, shape):
    """Return positions and values of the pixels of shared holes, and the range of known pixels."""
    holes = kernels.holes
    equations, limits = zip(*(part.item() for part in learnt))
    together = [np.concatenate(parts) for parts in zip(*equations)]
    order = np.argsort(together[0], kind="stable")
    system = holes.couple(holes.Equations(*(part[order] for part in together)), shape)
    ranges = [each for each in limits if each is not None]
    limits = (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None
    return system.equations.positions, holes.solve(system, shape), limits


def _fill(box, *arguments, counted, shape):
    """Return a block in which the pixels that are missing have got values."""
    holes = kernels.holes
    *where, shared, first, core = arguments
    missing = ~counted.in_block(box, *where)
    filled = box[core].copy()
    equations = holes.equations_of(box, missing, first, core, shape)
    if not equations.positions.size:
        return filled
    values = holes.solve(holes.couple(equations, shape), shape)
    positions, solved, limits = shared
    if positions.size:
        places = np.searchsorted(positions, equations.positions)
        places[places == positions.size] = 0
        there = positions[places] == equations.positions
        values[there] = solved[places[there]]
    if limits is not None:
        values = np.clip(values, *limits)
    filled[missing[core]] = as_dtype_of(values, filled.dtype)
    return filled


def as_dtype_of(values, dtype):
    """
    Return values in the dtype of an image: the nearest integers, 0 for NaN, where it has integers.
    """
    if dtype.kind in "biu" and values.dtype.kind == "f":
        values = np.rint(np.nan_to_num(values))
    return values.astype(dtype, copy=False)
