"""
Flood an image that is held in blocks: the minimum spanning forest rooted in its markers.

A block is scanned: of its pixels only those of faces that touch another block matter to the
rest of the image, and the markers that can reach them. These are its terminals; what is handed
on is a graph of them, the least edges that span them, no more than there are pixels on its faces.
Neighbouring graphs are combined in a tree, in groups of blocks that form a box, and of each group
again only the pixels on its outer faces stay terminals. What takes each terminal in is kept. On
the way down from the root, where only markers are left, every terminal gets its label, and each
block is relabelled.

A block's forest drops an edge only if it is the greatest of a circle, and such an edge is in no
minimum spanning forest of the whole image either; the order of edges depends on the image and
the markers alone. So the result is the same for all chunks.

Where the ends of an axis meet, they are faces as those between blocks are, and are joined once a
box is as long as the image along that axis: from then on it is a ring.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import dask.array as da
import numpy as np

from dask_image._kernels.blocks.surfaces import (
    Box,
    Packed,
    combine,
    combine_levels,
    erode_inside,
    relabel,
    resolve,
    resolve_levels,
    scan_block,
    scan_levels,
)
from dask_image._utils import options
from dask_image._utils.engines.distances import BlockCosts
from dask_image._utils.engines.graph import (
    blocks_of,
    cloned,
    delayed_in,
    read_again,
    reference,
    sequence,
    tokenize,
    wait_for,
)
from dask_image._utils.engines.line_sweeps import rows_ahead
from dask_image._utils.engines.overlap import block_bounds
from dask_image._utils.engines.tasks import Tasks
from dask_image._utils.engines.two_pass import take
from dask_image._utils.spill import load, spill_object
from dask_image._utils.typing import Array, DTypeLike, Shape

# Blocks, and boxes of blocks, are combined in groups of so many: fewer tasks, and surfaces that
# shrink by as much as they can.
GROUP = {1: 8, 2: 3}
GROUP_OF_MORE = 2
# What is kept of a pixel of a face, its terminal and what takes that in.
BYTES_OF_FACE_PIXEL = 32
# So many rows of blocks (in 3-D planes) exchange by the same tasks what their distances need.
ROWS_TOGETHER = 4


def waits_on_disk(image: Array) -> bool:
    """Tell whether more may wait, until all of an image is scanned, than memory is to hold."""
    faces = sum(
        2 * (blocks - 1) * image.size // size
        for blocks, size in zip(image.numblocks, image.shape, strict=True)
    )
    return bool(image.size + BYTES_OF_FACE_PIXEL * faces > options.memory("waiting"))


def pack(
    markers: Array, mask: Array | None, summarize: Callable[..., Any], on_disk: bool, name: str
) -> Array:
    """
    Return markers as `flood` takes them.

    Parameters
    ----------
    markers : dask.array.Array
        Labels, 0 for no marker.
    mask : dask.array.Array of bool or None
        Of the same chunks. No pixel passes where it is False.
    summarize : callable
        ``summarize(unmarked, start)`` takes a boolean block, False at the markers, and its position
        along the first axis; it returns what distances need of it.
    on_disk : bool
        As `waits_on_disk` returns it.
    name : str
        Of the function that the user called.
    """
    sources = [markers] if mask is None else [markers, mask]
    packing = Tasks(name, tokenize([source.name for source in sources], summarize, on_disk))
    starts = block_bounds(markers.chunks)[0]
    for index in np.ndindex(markers.numblocks):
        blocks = _blocks_at(sources, index)
        packing.add("pack", index, _pack, summarize, on_disk, starts[index[0]], *blocks)
    return packing.array("pack", sources, markers.chunks, markers.dtype)


def _pack(summarize, on_disk, start, markers, mask=None):
    packed = Packed.within(markers, mask)
    block = summarize(packed.unmarked(), start), packed
    return spill_object(block) if on_disk else block


def flood(
    image: Array, packed: Array, distances: BlockCosts, steps: tuple[Shape, ...], name: str,
    wrap_axes: Shape = (), lines: bool = False, on_disk: bool = False,
) -> Array:  # fmt: skip
    """
    Flood an image from its markers.

    Parameters
    ----------
    image : dask.array.Array
        Real numbers, one axis and one pixel at least, no block without pixels; no pixel passes
        where it is NaN.
    packed : dask.array.Array
        The markers, of the chunks of the image and the dtype of labels: each block is a pair, of
        what ``distances`` needs of it, and `Packed` markers; on disk or not.
    distances : BlockCosts
        Of pixels that are equal in the image, the one that is nearer to a marker is flooded first.
    steps : tuple of tuple of int
        From a pixel to its neighbours: sorted, each with its opposite, none longer than 1.
    name : str
        Of the function that the user called.
    wrap_axes : tuple of int, optional
        Axes whose ends meet.
    lines : bool, optional
        Whether to part basins by lines: of two neighbours in different ones, the one that is
        higher is 0, or the later one if they are equal, unless it is marked.
    on_disk : bool, optional
        Whether what waits until all of the image is scanned lies in a temporary file.

    Returns
    -------
    dask.array.Array
        The label that floods each pixel, of the dtype of ``packed`` and the chunks of ``image``; 0
        for walls and where none gets to.
    """
    boxes = _boxes(image, wrap_axes)
    token = tokenize(packed.name, image.name, distances, steps, wrap_axes, lines, on_disk)
    flooding = Tasks(name, token)
    near, turn = _add_distances(flooding, distances, packed, on_disk)
    # A block has no need to wait in memory for markers elsewhere, nor for its own distances.
    again, reading = cloned(image, flooding.token, turn)
    flooding.tasks |= reading
    for index, box in boxes.items():
        blocks = reference((blocks_of(packed), *index)), reference((again, *index))
        how = box, (steps, lines), distances, on_disk
        scanned = flooding.add("scan", index, _scan, how, index, *blocks, *near[index])
        flooding.add("kept", index, take, scanned, 1)
    combine = functools.partial(_combine_surfaces, steps=steps, lines=lines, on_disk=on_disk)
    above = _add_tree(flooding, boxes, combine, _resolve)
    for index in np.ndindex(image.numblocks):
        flooding.add("relabel", index, _relabel, flooding.at("kept", index), *above[index])
    return flooding.array("relabel", [packed], image.chunks, packed.dtype)


def _scan(how, index, packed, image, *near):
    (box, (steps, lines), distances, on_disk), (summary, markers) = how, load(packed)
    costs = distances.costs(index, summary, *_of_row(index, near))
    surface, kept = scan_block(box, steps, markers, (image, costs), lines)
    return (surface.spilled(), spill_object(kept)) if on_disk else (surface, kept)


def _combine_surfaces(surfaces, steps, lines, on_disk):
    surface, handed = combine(surfaces, steps, lines)
    return (surface.spilled(), spill_object(handed)) if on_disk else (surface, handed)


def _resolve(handed, above, number):
    return resolve(load(handed), above, number)


def _relabel(kept, above, number):
    return relabel(load(kept), above, number)


def _add_distances(
    tasks: Tasks, distances: BlockCosts, packed: Array, on_disk: bool
) -> tuple[dict[Shape, list[Any]], Callable[[Shape], Any]]:
    """
    Add the tasks in which blocks exchange what they need for their distances.

    Returns
    -------
    near : dict
        What `_scan` needs of others, by the index of a block.
    turn : callable
        ``turn(index)`` returns the key of a task that has run when that is there.
    """
    blocks, (rows, *columns) = blocks_of(packed), packed.numblocks
    near: dict[Shape, list[Any]] = {}
    waits = []
    for column in np.ndindex(*columns):
        summaries = sequence(reference((blocks, row, *column)) for row in range(rows))
        carried = tasks.add("carry", column, _carry, distances, on_disk, summaries)
        waits.append(tasks.add("carry-wait", column, wait_for, carried))
        # Some rows are asked for sites by one task.
        near |= {(place, *column): [carried] for place in range(-(-rows // ROWS_TOGETHER))}
    known = tasks.add("wait", (), wait_for, *waits)
    after = _rows_in_turn(tasks, distances, packed, known)
    for axis in distances.shared:
        parts: dict[Shape, list[Any]] = {}
        for place, args in near.items():
            first, *column = place[0] * ROWS_TOGETHER, *place[1:]
            indices = [(row, *column) for row in range(first, min(first + ROWS_TOGETHER, rows))]
            some = sequence(reference((blocks, *index)) for index in indices)
            sites = tasks.add(
                f"sites-{axis}", place, _sites, distances, axis, indices, on_disk, after[place[0]],
                some, *args,
            )  # fmt: skip
            parts.setdefault(_beside(place, axis), []).append(sites)
        for rest, sites in parts.items():
            tasks.add(f"across-{axis}", rest, _across, distances, axis, on_disk, sequence(sites))
        for place, args in near.items():
            args.append(tasks.at(f"across-{axis}", _beside(place, axis)))
    near = {
        index: near[(index[0] // ROWS_TOGETHER, *index[1:])]
        for index in np.ndindex(packed.numblocks)
    }
    if not distances.shared:
        return near, lambda _: known.key
    for rest in parts:
        tasks.add("turn", rest, wait_for, tasks.at(f"across-{axis}", rest))

    def turn(index):
        place = index[0] // ROWS_TOGETHER, *index[1:]
        return tasks.at("turn", _beside(place, distances.shared[-1])).key

    return near, turn


def _beside(place, axis):
    """Return what all that lie along an axis have in common."""
    return (*place[:axis], *place[axis + 1 :])


def _rows_in_turn(tasks, distances, packed, known):
    """
    Return what some rows of blocks together wait for before they are asked for sites.

    All rows could be asked at once, and nothing but the order in which tasks happen to be run would
    keep all that they say from being there before the first block is scanned.
    """
    ahead = rows_ahead(packed.chunks, distances.metric.dtype.itemsize)
    group, (rows, *beside) = _group_size(packed.ndim), packed.numblocks
    after, gates = [], {-1: known}
    for first in range(0, rows, ROWS_TOGETHER):
        last = max((first - ahead + 1) // group - 1, -1)
        if last not in gates:
            places = [(last, *rest) for rest in np.ndindex(*(-(-size // group) for size in beside))]
            # Waited for directly, surfaces would all move to one worker.
            waits = [
                tasks.add("combine-wait", at, wait_for, tasks.at("combine", (0, *at)))
                for at in places
            ]
            gates[last] = tasks.add("gate", (last,), wait_for, *waits)
        after.append(gates[last])
    return after


def _group_size(ndim):
    return GROUP.get(ndim, GROUP_OF_MORE)


def _carry(distances, on_disk, blocks):
    return _kept(distances.carry([load(block)[0] for block in blocks]), on_disk)


def _kept(parts, on_disk):
    """Return what is for each of some blocks, on disk or not."""
    return [spill_object(part) if on_disk else part for part in parts]


def _sites(distances, axis, indices, on_disk, _, blocks, *near):
    """Return the sites of some blocks of a column."""
    sites = (
        distances.sites(axis, index, load(block)[0], *_of_row(index, near))
        for index, block in zip(indices, blocks, strict=True)
    )
    return _kept(sites, on_disk)


def _across(distances, axis, on_disk, sites):
    """Return, for each of some rows, what its blocks get from those beside them."""
    rows = (list(map(load, row)) for row in zip(*sites, strict=True))
    return [_kept(distances.lines[axis].carry(row), on_disk) for row in rows]


def _of_row(index, near):
    """Return what a block needs of others, out of what `_carry` and `_across` returned."""
    carried, *across = near
    return carried, *(rows[index[0] % ROWS_TOGETHER] for rows in across)


def reconstruct(
    images: Sequence[Array], prepare: Callable[..., Any], finish: Callable[..., Any],
    steps: tuple[Shape, ...], dtype: DTypeLike, name: str, wrap_axes: Shape = (),
) -> Array:  # fmt: skip
    """
    Erode a seed until a mask stops it.

    Parameters
    ----------
    images : list of dask.array.Array
        Of equal shapes and chunks, one axis at least. They are computed twice.
    prepare : callable
        ``prepare(*blocks)`` returns seed and mask, of one dtype, float32 or float64, seed nowhere
        below mask. Where one of them is NaN, so is what is eroded, and nothing passes.
    finish : callable
        ``finish(eroded, *blocks)`` returns a block of the result.
    steps : tuple of tuple of int
        From a pixel to its neighbours: sorted, each with its opposite, none longer than 1.
    dtype : dtype
        Of the result.
    name : str
        Of the function that the user called.
    wrap_axes : tuple of int, optional
        Axes whose ends meet.

    Returns
    -------
    dask.array.Array
        Of the chunks of the images.
    """
    if images[0].size == 0:
        return da.zeros_like(images[0], dtype=dtype)
    chunks, images = images[0].chunks, without_empty_blocks(images)
    token = tokenize([image.name for image in images], prepare, finish, steps, dtype, wrap_axes)
    scanning, finishing = Tasks(name, token), Tasks(name, token)
    boxes, again = _boxes(images[0], wrap_axes), images
    found = {index: (None, 0) for index in boxes}
    has_faces = len(boxes) > 1 or bool(wrap_axes)
    if has_faces:
        for index, box in boxes.items():
            scanning.add(
                "scan", index, scan_levels, box, steps, prepare, *_blocks_at(images, index)
            )
        combine = functools.partial(combine_levels, steps=steps)
        found = _add_tree(scanning, boxes, combine, resolve_levels)
        parts = {str(group): group for group, _ in found.values()}
        scanning.add("wait", (), wait_for, *parts.values())
    scanned = scanning.made("scan", images)
    if has_faces:
        after = delayed_in(scanned, scanning.at("wait", ()).key)
        again = [read_again(image, after) for image in images]
    for index, box in boxes.items():
        args = (*found[index], *_blocks_at(again, index))
        finishing.add("fill", index, erode_inside, box, steps, prepare, finish, *args)
    filled = finishing.array("fill", [scanned, *again], images[0].chunks, dtype)
    return filled.rechunk(chunks, method="tasks")


def without_empty_blocks(images: Sequence[Any]) -> list[Any]:
    """Return images, of which the first is one and others may be None, in chunks of some pixels."""
    filled = tuple(tuple(size for size in sizes if size) for sizes in images[0].chunks)
    return [image if image is None else image.rechunk(filled, method="tasks") for image in images]


def _boxes(image: Array, wrap_axes: Shape) -> dict[Shape, Box]:
    """Return the boxes that the blocks of an image are, by index."""
    bounds = block_bounds(image.chunks)
    return {
        index: Box(
            tuple(along[i] for along, i in zip(bounds, index)),
            tuple(along[i + 1] for along, i in zip(bounds, index)),
            image.shape,
            wrap_axes,
        )
        for index in np.ndindex(image.numblocks)
    }


def _blocks_at(arrays, index):
    return [reference((blocks_of(array), *index)) for array in arrays]


def _add_tree(tasks, boxes, combine, resolve):
    """
    Add the tasks that combine surfaces, and those that hand down what comes of it.

    Parameters
    ----------
    tasks : Tasks
        With a step "scan", whose tasks return a block's surface and something else.
    boxes : dict
        Those of all blocks, by index.
    combine : callable
        ``combine(surfaces)`` returns the surface of several, and what ``resolve`` needs.
    resolve : callable
        ``resolve(kept, above, number)`` returns a list: what becomes of each of those surfaces,
        given what this returned for the surfaces among which theirs is number ``number``; or None.

    Returns
    -------
    dict
        For each block, where to find what becomes of it: a reference and a number.
    """
    *_, (last, box) = boxes.items()
    group = _group_size(len(last))
    above, shape, level, below = {}, tuple(number + 1 for number in last), (), "scan"
    # What is in one block may still have ends to be joined.
    while math.prod(shape) > 1 or (box.wrap_axes and not level):
        groups = {}
        for index in np.ndindex(shape):
            groups.setdefault(tuple(i // group for i in index), []).append((*level, *index))
        level = (level[0] + 1,) if level else (0,)
        for index, members in groups.items():
            place = (*level, *index)
            # Surfaces come with what is kept of each, which has tasks of its own: tasks that take
            # the surfaces would be as many, to spare little that moves between machines.
            parts = sequence(tasks.at(below, member) for member in members)
            combined = tasks.add("combine", place, _combine, combine, parts)
            tasks.add("taken", place, take, combined, 1)
            above |= {member: (place, number) for number, member in enumerate(members)}
        shape, below = tuple(-(-count // group) for count in shape), "combine"
    for place in dict.fromkeys(place for place, _ in above.values()):
        up = _found(tasks, above, place)
        tasks.add("resolve", place, resolve, tasks.at("taken", place), *up)
    return {index: _found(tasks, above, index) for index in boxes}


def _combine(combine, parts):
    return combine([surface for surface, _ in parts])


def _found(tasks, above, place):
    """Return what handed down to a block or a group is found in, and its number there."""
    if place not in above:
        return None, 0
    group, number = above[place]
    return tasks.at("resolve", group), number
