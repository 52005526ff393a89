"""
Read an image at scattered places that are known only when a task runs.

Each block of places is sorted by the *cell* of the image (one block) that it needs. What belongs
to a cell is brought to it from all blocks of places, looked up there, and brought back, so that
no task sees more than one cell and one block of places. What is under way lies in a temporary
file, if it is much.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from dask_image._utils.engines.exchange import exchange
from dask_image._utils.engines.graph import (
    blocks_of,
    new_array,
    reference,
    task,
    tokenize,
)
from dask_image._utils.spill import load, spill
from dask_image._utils.typing import Array, Block, NDArray, Shape


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
    cells: Array,
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
    cells : dask.array.Array
        Its blocks are the cells, overlapping as far as they need to.
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
    all_cells = list(itertools.product(*map(range, cells.numblocks)))
    all_blocks = list(itertools.product(*map(range, places.numblocks[1:])))
    where = [lookup.origin(index) for index in all_cells]
    token = tokenize(places.name, cells.name, where, lookup, meta, on_disk)
    sorted_name, kept, read = (f"{name}-{step}-{token}" for step in ("sort", "keep", "read"))
    tasks: dict[Any, Any] = {}
    places_name, cells_name = blocks_of(places), blocks_of(cells)
    for number, block in enumerate(all_blocks):
        source, key = reference((places_name, 0, *block)), (sorted_name, number)
        tasks[key] = task(key, _sort, lookup, source, on_disk)
        tasks[kept, number] = task((kept, number), _first, reference(key))
        tasks[sorted_name, number, 1] = task((sorted_name, number, 1), _second, reference(key))
    senders = [(sorted_name, number, 1) for number in range(len(all_blocks))]
    wanted = exchange(tasks, senders, len(all_cells), f"{name}-places", token)
    for number, index in enumerate(all_cells):
        tasks[read, number] = task(
            (read, number), _read, lookup, reference(wanted[number]),
            reference((cells_name, *index)), where[number], on_disk,
        )  # fmt: skip
    senders = [(read, number) for number in range(len(all_cells))]
    found = exchange(tasks, senders, len(all_blocks), f"{name}-values", token)
    name = f"{name}-{token}"
    for number, block in enumerate(all_blocks):
        of_block = reference((kept, number)), reference(found[number])
        tasks[(name, *block)] = task((name, *block), _merge, lookup, *of_block)
    return new_array(name, tasks, [places, cells], places.chunks[1:], meta)


def _sort(lookup, places, on_disk):
    kept, by_cell = lookup.sort(places)
    if not on_disk:
        return kept, by_cell
    return tuple(map(_put_away, kept)), {cell: _put_away(some) for cell, some in by_cell.items()}


def _first(pair):
    return pair[0]


def _second(pair):
    return pair[1]


def _read(lookup, wanted, cell, origin, on_disk):
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
