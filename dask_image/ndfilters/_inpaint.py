"""
Inpainting: a hole in one block is solved there, one in several is brought together.

All blocks are read twice: first to learn the equations of pixels in holes that several blocks
share, and the range of what is known; then, once these are solved, to fill each block.
"""

from __future__ import annotations

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.engines.graph import delayed_blocks, delayed_call, read_again
from dask_image._utils.engines.overlap import block_bounds, map_boxes
from dask_image._utils.typing import Array


def inpaint(image: Array, missing: Array) -> Array:
    """Return an image whose missing pixels solve the biharmonic equation."""
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
        _learn, image, missing, name="fill_missing-scan", boxes=boxes,
        chunks=tuple((1,) * blocks for blocks in image.numblocks), dtype=object,
        block_arguments=place, shape=image.shape,
    )  # fmt: skip
    shared = delayed_call("fill_missing-combine", _solve_shared, delayed_blocks(found), image.shape)
    return map_boxes(
        _fill, read_again(image, shared), read_again(missing, shared), name="fill_missing",
        boxes=boxes, chunks=image.chunks, dtype=image.dtype, block_arguments=place,
        for_all=shared, shape=image.shape,
    )  # fmt: skip


def _learn(box, missing, first, core, shape):
    """Return the equations of holes that go on in other blocks, and the range of known pixels."""
    holes = kernels.holes
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


def _fill(box, missing, shared, first, core, shape):
    """Return a block in which the pixels that are missing have got values."""
    holes = kernels.holes
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
    """Return values in the dtype of an image: the nearest integers, 0 for NaN, where it has integers."""
    if dtype.kind in "biu" and values.dtype.kind == "f":
        values = np.rint(np.nan_to_num(values))
    return values.astype(dtype, copy=False)
