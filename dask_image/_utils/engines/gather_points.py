"""
Read an image at scattered places that are known only when a task runs.

Each block of places is sorted by the *cell* of the image (one block, or a few
neighbouring ones) that it needs; each pair of a block of places and a cell is a task
of its own; a last task puts a block's values back into order. No task sees more than
one cell, and what a place needs decides only how much a pair has to do.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, Protocol

from dask_image._utils.engines.graph import (
    blocks_of,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.typing import Array, Block, Chunks, Shape

# Cells grow, to save pairs, up to this size.
CELL_BYTES = 2**27


def cell_chunks(chunks: Chunks, itemsize: int, blocks_of_places: int) -> Chunks:
    """
    Return the cells of an image: its chunks, or runs of them where those are many.

    Parameters
    ----------
    chunks : tuple of tuple of int
        Of the image.
    itemsize : int
        Bytes of a pixel.
    blocks_of_places : int
        How many blocks of places are looked up in it.

    Returns
    -------
    tuple of tuple of int
    """
    cells = [tuple(size for size in sizes if size) or (0,) for sizes in chunks]
    blocks = math.prod(map(len, cells))
    enough = 16 * (blocks + blocks_of_places)
    while blocks_of_places * math.prod(map(len, cells)) > enough:
        axis = max(range(len(cells)), key=lambda axis: len(cells[axis]))
        merged = tuple(sum(cells[axis][k : k + 2]) for k in range(0, len(cells[axis]), 2))
        largest = [max(sizes) for sizes in (*cells[:axis], merged, *cells[axis + 1 :])]
        if len(cells[axis]) == 1 or math.prod(largest) * itemsize > CELL_BYTES:
            break
        cells[axis] = merged
    return tuple(cells)


class Lookup(Protocol):
    """How places find their cells, and what they find there; tokenised with its arguments."""

    def origin(self, index: Shape) -> Any:
        """Return where a cell begins in the image."""

    def sort(self, places: Block) -> Any:
        """Return a block of places as `evaluate` and `merge` take it."""

    def evaluate(self, places: Any, number: int, cell: Block, origin: Any) -> Any:
        """Return the values that a cell holds."""

    def merge(self, places: Any, values: list[Any]) -> Block:
        """Return a block of the result, from the values of all cells."""


def map_scattered(
    places: Array,
    cells: Array,
    lookup: Lookup,
    *,
    name: str,
    meta: Block,
) -> Array:
    """
    Evaluate every block of places in every cell.

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

    Returns
    -------
    dask.array.Array
    """
    all_cells = list(itertools.product(*map(range, cells.numblocks)))
    where = [lookup.origin(index) for index in all_cells]
    token = tokenize(places.name, cells.name, where, lookup, meta)
    sorted_name, pair_name, name = f"{name}-sort-{token}", f"{name}-read-{token}", f"{name}-{token}"
    tasks = {}
    places_name, cells_name = blocks_of(places), blocks_of(cells)
    for block in itertools.product(*map(range, places.numblocks[1:])):
        key = (sorted_name, *block)
        tasks[key] = task(key, lookup.sort, reference((places_name, 0, *block)))
        pairs = []
        for number, index in enumerate(all_cells):
            pair = (pair_name, *block, number)
            cell = reference((cells_name, *index))
            tasks[pair] = task(pair, lookup.evaluate, reference(key), number, cell, where[number])
            pairs.append(reference(pair))
        tasks[(name, *block)] = task((name, *block), lookup.merge, reference(key), sequence(pairs))
    return new_array(name, tasks, [places, cells], places.chunks[1:], meta)
