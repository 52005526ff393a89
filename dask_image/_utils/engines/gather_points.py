"""
Read an image at scattered places that are known only when a task runs.

Each block of places is sorted by the *cell* of the image (one block) that it needs. What belongs
to a cell is brought to it from all blocks of places, looked up there, and brought back, so that
no task sees more than one cell and one block of places. What is under way lies in a temporary
file, if it is much.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dask_image._utils.arrays import fits_memory, with_dtype, without_idle_chunks
from dask_image._utils.engines.exchange import exchange
from dask_image._utils.engines.graph import (
    blocks_of,
    new_array,
    reference,
    task,
    tokenize,
)
from dask_image._utils.engines.overlap import block_bounds, map_boxes
from dask_image._utils.spill import load, spill
from dask_image._utils.typing import Array, Block, Chunks, DTypeLike, NDArray, Shape


class Lookup(Protocol):
    """How places find their cells, and what they find there; tokenised with its arguments."""

    def origin(self, index: Shape) -> Any:
        """Return where a cell begins in the image."""

    def sort(self, places: Block) -> tuple[tuple[Any, ...], Mapping[int, NDArray]]:
        """Return what `merge` needs of a block of places, and by cell the places to look up."""

    def evaluate(self, places: NDArray, cell: Block, origin: Any) -> NDArray:
        """Return the values, 1-D, that a cell holds at some places."""

    def merge(self, kept: tuple[Any, ...], values: Mapping[int, NDArray]) -> Block:
        """Return a block of the result, from its values by cell, ascending."""


def map_scattered(
    places: Array,
    map_cells: Callable[..., Array],
    chunks: Chunks,
    lookup: Lookup,
    *,
    name: str,
    meta: Block,
    on_disk: bool = False,
) -> Array:
    """
    Look every place up in its cell.

    Parameters
    ----------
    places : dask.array.Array
        Not chunked along its first axis, which the result lacks.
    map_cells : callable
        ``map_cells(kernel, chunks=chunks, **keywords)`` computes something of each cell, as
        `overlap.map_boxes` does of boxes. Cells overlap as far as they need to.
    chunks : tuple of tuple of int
        As many as there are cells.
    lookup : Lookup
    name : str
        Of the function that the user called.
    meta : array
        Empty array of the kind and dtype of the result.
    on_disk : bool, optional
        Whether places and values that wait lie in a temporary file.

    Returns
    -------
    dask.array.Array
        Any block of it needs all places and all cells.
    """
    all_cells = list(itertools.product(*map(range, map(len, chunks))))
    all_blocks = list(itertools.product(*map(range, places.numblocks[1:])))
    token = tokenize(places.name, chunks, lookup, meta, on_disk)
    sorted_name, kept = (f"{name}-{step}-{token}" for step in ("sort", "keep"))
    tasks: dict[Any, Any] = {}
    places_name = blocks_of(places)
    for number, block in enumerate(all_blocks):
        source, key = reference((places_name, 0, *block)), (sorted_name, number)
        tasks[key] = task(key, _sort, lookup, source, on_disk)
        tasks[kept, number] = task((kept, number), _first, reference(key))
        tasks[sorted_name, number, 1] = task((sorted_name, number, 1), _second, reference(key))
    senders = [(sorted_name, number, 1) for number in range(len(all_blocks))]
    received = exchange(tasks, senders, all_cells, f"{name}-places", token)
    # What comes for each cell is, to the engine that reads these, a block beside it.
    wanted = new_array(received, tasks, [places], chunks, meta)
    found = map_cells(
        _read, chunks=chunks, name=f"{name}-read", dtype=object, beside=wanted,
        block_arguments=lambda index: (lookup.origin(index),), lookup=lookup, on_disk=on_disk,
    )  # fmt: skip
    senders = [(blocks_of(found), *index) for index in all_cells]
    tasks, token = {}, tokenize(found.name)
    received = exchange(tasks, senders, all_blocks, f"{name}-values", token)
    name = f"{name}-{token}"
    for number, block in enumerate(all_blocks):
        of_block = reference((kept, number)), reference((received, *block))
        tasks[(name, *block)] = task((name, *block), _merge, lookup, *of_block)
    return new_array(name, tasks, [wanted, found], places.chunks[1:], meta)


def _sort(lookup, places, on_disk):
    kept, by_cell = lookup.sort(places)
    if not on_disk:
        return kept, by_cell
    return tuple(map(_put_away, kept)), {cell: _put_away(some) for cell, some in by_cell.items()}


def _first(pair):
    return pair[0]


def _second(pair):
    return pair[1]


def _read(cell, wanted, origin, lookup, on_disk):
    """Return the values in a cell, by block of places."""
    values = {}
    for block, places in wanted.items():
        found = lookup.evaluate(load(places), cell, origin)
        values[block] = _put_away(found) if on_disk else found
    return values


def _merge(lookup, kept, found):
    values = {cell: load(some) for cell, some in found.items()}
    return lookup.merge(tuple(map(load, kept)), values)


def _put_away(value):
    """Put an array on disk. What is not is copied, to let go of what it is a view of."""
    if not isinstance(value, np.ndarray):
        return value
    away = spill(value)
    return value.copy() if away is value else away


def pixels_at(image: Array, places: Array, outside: Any, dtype: DTypeLike, name: str) -> Array:
    """
    Return the pixels that places lie in; the cell of each is its block.

    Parameters
    ----------
    image : dask.array.Array
    places : dask.array.Array
        Shape (``image.ndim``, n), n known or not, in one block along the first axis: positions
        in pixels, which lie in the middle of theirs.
    outside : scalar
        The value for places outside of the image, and NaN.
    dtype : dtype
        Of the result.
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.array.Array
        Of shape (n,).
    """
    image = without_idle_chunks(image)
    starts = block_bounds(image.chunks)

    def block_of(index):
        return [along[block : block + 2] for along, block in zip(starts, index, strict=True)]

    return map_scattered(
        places,
        functools.partial(map_boxes, image=image, boxes=block_of),
        image.chunks,
        _NearestPixel(image.chunks, np.dtype(dtype), outside),
        name=name,
        meta=with_dtype(image, dtype, ndim=1),
        on_disk=not fits_memory(places, "coordinates"),
    )


@dataclass(frozen=True)
class _NearestPixel:
    """Looks up the pixel that each place lies in."""

    chunks: Chunks
    dtype: np.dtype[Any]
    outside: Any

    def origin(self, index):
        """Return where a cell begins."""
        return tuple(sum(sizes[:block]) for sizes, block in zip(self.chunks, index, strict=True))

    def sort(self, places):
        """Sort pixels by cell; what is kept tells where each of them stood."""
        shape = np.array([sum(sizes) for sizes in self.chunks]).reshape(-1, 1)
        nearest = np.floor(np.asarray(places, np.float64) + 0.5)
        inside = np.flatnonzero(((nearest >= 0) & (nearest < shape)).all(axis=0))
        pixels = nearest[:, inside].astype(np.int64)
        cells = np.zeros(inside.size, np.int64)
        for along, sizes in zip(pixels, self.chunks, strict=True):
            cells = cells * len(sizes) + np.repeat(np.arange(len(sizes)), sizes)[along]
        count = math.prod(map(len, self.chunks))
        # NumPy sorts short integers by their digits, in a tenth of the time.
        order = np.argsort(cells.astype(np.min_scalar_type(count)), kind="stable")
        bounds = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=count))])
        groups = {
            int(cell): pixels[:, order[bounds[cell] : bounds[cell + 1]]]
            for cell in np.flatnonzero(np.diff(bounds))
        }
        return (nearest.shape[1], inside[order]), groups

    def evaluate(self, places, cell, origin):
        """Return the pixels of one cell."""
        found = cell[tuple(along - first for along, first in zip(places, origin, strict=True))]
        return np.broadcast_to(found, places.shape[1:])  # all lie in an image without axes

    def merge(self, kept, values):
        """Put all pixels where their places stood."""
        count, order = kept
        result = np.full(count, self.outside, self.dtype)
        if values:
            result[order] = np.concatenate(list(values.values()))
        return result

    def __dask_tokenize__(self):
        return (type(self).__name__, self.chunks, str(self.dtype), repr(self.outside))
