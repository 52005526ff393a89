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
from collections.abc import Callable
from typing import Any

from dask_image._utils.engines.graph import (
    blocks_of,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.typing import Array, Block, Chunks, DTypeLike, Shape

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


def map_scattered(
    places: Array,
    cells: Array,
    origins: Callable[[Shape], Any],
    *,
    name: str,
    sort: Callable[..., Any],
    evaluate: Callable[..., Any],
    merge: Callable[..., Any],
    dtype: DTypeLike,
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
    origins : callable
        ``origins(index)`` gives where a cell begins in the image.
    name : str
        Of the function that the user called.
    sort : callable
        ``sort(block_of_places)`` gives what the other two take first.
    evaluate : callable
        ``evaluate(sorted_places, number_of_cell, cell, origin)`` gives the values
        that the cell holds.
    merge : callable
        ``merge(sorted_places, list_of_values)`` gives the block of the result.
    dtype : dtype
        Of the result.
    meta : array
        Empty array of the kind of the result.

    Returns
    -------
    dask.array.Array
    """
    all_cells = list(itertools.product(*map(range, cells.numblocks)))
    where = [origins(index) for index in all_cells]
    token = tokenize(places.name, cells.name, where, sort, evaluate, merge, dtype, meta)
    sorted_name, pair_name, name = f"{name}-sort-{token}", f"{name}-read-{token}", f"{name}-{token}"
    tasks = {}
    places_name, cells_name = blocks_of(places), blocks_of(cells)
    for block in itertools.product(*map(range, places.numblocks[1:])):
        key = (sorted_name, *block)
        tasks[key] = task(key, sort, reference((places_name, 0, *block)))
        pairs = []
        for number, index in enumerate(all_cells):
            pair = (pair_name, *block, number)
            cell = reference((cells_name, *index))
            tasks[pair] = task(pair, evaluate, reference(key), number, cell, where[number])
            pairs.append(reference(pair))
        tasks[(name, *block)] = task((name, *block), merge, reference(key), sequence(pairs))
    return new_array(name, tasks, [places, cells], places.chunks[1:], meta.astype(dtype))
