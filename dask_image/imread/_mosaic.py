"""One image of many tiles that lie side by side, or overlap."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dask.array as da
import numpy as np

from dask_image._utils.arguments import (
    normalize_choice,
    normalize_fill,
    normalize_integer,
    normalize_sizes,
    per_axis,
    refuse_lazy,
)
from dask_image._utils.engines.graph import (
    block_key,
    blocks_of,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.typing import Array, ArrayLike, Integer, Number, PerAxis
from dask_image.imread._metadata import ImageMetadata

BLENDS = ("none", "linear")


def assemble(
    tiles: ArrayLike,
    grid: Sequence[Integer] | None = None,
    *,
    positions: ArrayLike | Sequence[ImageMetadata] | None = None,
    overlap: PerAxis[Integer] = 0,
    blend: Literal["none", "linear"] = "none",
    axes: Sequence[Integer] = (-2, -1),
    fill_value: Number = 0,
) -> Array:
    """
    Put tiles together to one image.

    Parameters
    ----------
    tiles : dask.array.Array or array
        All tiles, which are of one shape. The first axes count them, those of a tile
        follow.
    grid : tuple of int, optional
        How many tiles lie along each of ``axes``. The first axes of ``tiles`` must be these, or
        one axis counts the tiles, row by row. Without it, and without ``positions``, the
        first axes of ``tiles``, as many as ``axes``, are the grid.
    positions : sequence, optional
        Where the first pixel of each tile lies, instead of a grid: shape (tiles, axes), in
        pixels, rounded to whole ones; the least one along each axis is where the
        image starts. Or for each tile what `read_metadata` says of its file: its place on the
        stage, whose axes run as those of pixels do. The first axis of ``tiles`` counts them.
    overlap : int or sequence of int, optional
        Pixels that neighbours in a grid have in common, along each of ``axes``.
    blend : {"none", "linear"}, optional
        What counts where tiles overlap: the last of them, or all of them, weighted by the distance
        to the edge of the tile (along several axes: the product of the distances).
    axes : tuple of int, optional
        Axes of a tile along which tiles lie, counted from the end: rows and columns. Of
        colour images with their samples last, ``(-3, -2)``.
    fill_value : scalar, optional
        Of pixels that no tile covers.

    Returns
    -------
    dask.array.Array
        Of the tiles' dtype; blends of integers are rounded to the nearest one. Chunks are as
        large as a tile along ``axes``, and the tiles' own along other axes.

    Raises
    ------
    ValueError
        If grid, positions, overlap, blend or axes do not fit the tiles, or a place on the stage
        is not known.
    TypeError
        If ``positions`` are lazy.

    Notes
    -----
    Lazy: a block of the image is one task, which reads the blocks of the tiles under it
    and no others. Nothing is registered: tiles lie where they are said to.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.imread import assemble
    >>> tiles = da.arange(6, chunks=1).reshape((2, 3, 1, 1)) * da.ones((4, 5), dtype=int)
    >>> image = assemble(tiles)
    >>> image.shape, image.chunks
    ((8, 15), ((4, 4), (5, 5, 5)))
    >>> image[::4, ::5].compute()
    array([[0, 1, 2],
           [3, 4, 5]])
    >>> assemble(tiles[0], grid=(1, 3), overlap=(0, 2), blend="linear")[0].compute()
    array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    """
    try:
        tiles = da.asanyarray(tiles)
    except ValueError as error:
        raise ValueError(f"tiles must be of one shape: {error}") from None
    axes = _negative_axes(axes, tiles.ndim)
    normalize_choice(blend, "blend", BLENDS)
    if positions is None:
        starts, counting = _in_grid(tiles, grid, overlap, axes)
    elif grid is not None:
        raise ValueError("either grid or positions say where tiles lie, got both")
    else:
        starts, counting = _at_positions(tiles, positions, axes), 1
    if any(axis + tiles.ndim < counting for axis in axes):
        raise ValueError(f"axes {axes} count the tiles of shape {tiles.shape}")
    if not len(starts):
        raise ValueError(f"tiles must be at least one, got none: shape {tiles.shape}")
    fill_value = normalize_fill(fill_value, "fill_value", tiles.dtype)
    return _assembled(_Placement(tiles, counting, axes, starts, blend, fill_value))


def _negative_axes(axes, ndim):
    try:
        numbers = tuple(operator.index(axis) for axis in axes)
    except TypeError:
        numbers = ()
    if (
        not numbers
        or len(set(numbers)) != len(numbers)
        or not all(-ndim <= axis < 0 for axis in numbers)
    ):
        raise ValueError(
            f"axes must be different negative integers, counted from the end of {ndim} axes, "
            f"got {axes!r}"
        )
    return numbers


def _in_grid(tiles, grid, overlap, axes):
    """Return where the tiles of a grid start, and how many axes count them."""
    refuse_lazy(grid, "grid", "integers")
    counts = tuple(tiles.shape[: len(axes)])
    if grid is not None:
        counts = tuple(normalize_sizes(grid, len(axes), "grid")) if np.iterable(grid) else ()
    if len(counts) != len(axes):
        raise ValueError(f"grid must have a number for each of {len(axes)} axes, got {grid!r}")
    sizes = [tiles.shape[axis] for axis in axes]
    overlaps = [
        normalize_integer(one, "overlap") for one in per_axis(overlap, len(axes), "overlap")
    ]
    if not all(0 <= one < size for one, size in zip(overlaps, sizes)):
        raise ValueError(f"overlap must be less than a tile, {tuple(sizes)}, got {overlap!r}")
    if tiles.shape[: len(counts)] == counts:
        counting = len(counts)
    elif tiles.shape[0] == np.prod(counts):
        counting = 1
    else:
        raise ValueError(f"grid {counts} does not fit the first axes of tiles {tiles.shape}")
    steps = np.subtract(sizes, overlaps)
    places = np.indices(counts).reshape(len(counts), -1).T
    return places * steps, counting


def _at_positions(tiles, positions, axes):
    """Return where tiles at these positions start in the image."""
    refuse_lazy(positions, "positions", "an array of numbers")
    if np.iterable(positions) and any(isinstance(each, ImageMetadata) for each in positions):
        positions = [_on_stage(number, each, axes) for number, each in enumerate(positions)]
    places = np.asarray(positions)
    fits = places.shape == (tiles.shape[0], len(axes)) and places.dtype.kind in "iuf"
    if not fits or not (abs(places) < 2**53).all():  # nor NaN
        raise ValueError(
            f"positions must be numbers of shape {(tiles.shape[0], len(axes))}, one row a tile, "
            f"got {positions!r}"
        )
    places = np.rint(places).astype(int)
    return places - places.min(axis=0)


def _on_stage(number, metadata, axes):
    """Return where on the stage the first pixel of a tile lies, in pixels."""
    letters = [metadata.axes[axis] for axis in axes]
    known = set(metadata.position) & set(metadata.pixel_size)
    if any(metadata.unit.get(letter) != "µm" for letter in known):
        known = set()
    if not known.issuperset(letters):
        raise ValueError(
            f"positions must be known, with the size of pixels, along {letters} for all tiles; "
            f"that of tile {number} is known along {sorted(known)} only"
        )
    return [metadata.position[letter] / metadata.pixel_size[letter] for letter in letters]


@dataclass
class _Placement:
    """
    Tiles, and where each of them starts along ``axes``.

    The first ``counting`` axes of ``tiles`` count them, in C order.
    """

    tiles: Any
    counting: int
    axes: tuple[int, ...]
    starts: np.ndarray
    blend: str
    fill_value: Any


@dataclass(frozen=True)
class _Piece:
    """
    A part of a block of tiles that belongs to a block of the image.

    ``source`` and ``target`` are what it is of the one and of the other, ``offsets``, for each of
    the axes along which tiles lie, how far into its tile the part starts.
    """

    block: int
    source: tuple[Any, ...]
    target: tuple[slice, ...]
    offsets: tuple[int, ...]


def _assembled(plan):
    tiles = plan.tiles
    tile_shape = tiles.shape[plan.counting :]
    axes = [axis + len(tile_shape) for axis in plan.axes]
    chunks = list(tiles.chunks[plan.counting :])
    for axis, start in zip(axes, plan.starts.max(axis=0)):
        chunks[axis] = _even(int(start) + tile_shape[axis], tile_shape[axis])
    name = "assemble-" + tokenize(
        blocks_of(tiles), plan.counting, axes, plan.starts, plan.blend, plan.fill_value
    )
    meta = np.empty_like(tiles._meta, shape=(0,) * len(chunks))
    lengths = tuple(tile_shape[axis] for axis in axes)
    pieces = _pieces(plan, axes, chunks)
    tasks = {}
    for index in np.ndindex(*map(len, chunks)):
        shape = tuple(sizes[number] for sizes, number in zip(chunks, index))
        blocks, parts = pieces.get(index, ({}, []))
        inputs = sequence([reference(block_key(tiles, block)) for block in blocks])
        key = (name, *index)
        tasks[key] = task(
            key, _put_together, inputs, tuple(parts), shape, meta, plan.fill_value,
            lengths if plan.blend == "linear" else None, tuple(axes),
        )  # fmt: skip
    return new_array(name, tasks, [tiles], tuple(chunks), meta)


def _even(size, most):
    """Return the sizes of as many blocks as there would be of ``most``, all about as large."""
    return (most,) * (size // most) + ((size % most,) if size % most else ())


def _spans(sizes):
    """Return start and stop of each block."""
    stops = list(itertools.accumulate(sizes))
    return [(stop - size, stop) for size, stop in zip(sizes, stops)]


def _pieces(plan, axes, chunks):
    """Return, for each block of the image, the blocks of tiles it needs, and their parts."""
    counting = plan.counting
    spans = [_spans(sizes) for sizes in plan.tiles.chunks]
    places = [
        [(number, inside) for number, size in enumerate(sizes) for inside in range(size)]
        for sizes in plan.tiles.chunks[:counting]
    ]
    pieces = {}
    for start, tile in zip(plan.starts.tolist(), itertools.product(*places)):
        begin = dict(zip(axes, start))
        along = [
            list(_crossings(spans[counting + axis], sizes, begin.get(axis)))
            for axis, sizes in enumerate(chunks)
        ]
        for crossing in itertools.product(*along):
            target_block, tile_block, inside, target, offset = zip(*crossing)
            blocks, parts = pieces.setdefault(target_block, ({}, []))
            block = tuple(number for number, _ in tile) + tile_block
            number = blocks.setdefault(block, len(blocks))
            source = tuple(place for _, place in tile) + inside
            parts.append(_Piece(number, source, target, tuple(offset[axis] for axis in axes)))
    return pieces


def _crossings(spans, sizes, start):
    """
    Yield what blocks of a tile and blocks of the image have in common along one axis.

    As: number of the image's block, of the tile's block, slices of the tile's and the image's
    block, offset in the tile. Axes along which no tiles lie have no start: blocks are the same.
    """
    if start is None:
        for number, (low, high) in enumerate(spans):
            whole = slice(0, high - low)
            yield number, number, whole, whole, low
        return
    step = sizes[0]  # all but the last are as large
    for number, (low, high) in enumerate(spans):
        for target in range((start + low) // step, -(-(start + high) // step)):
            origin = target * step
            first = max(start + low, origin)
            last = min(start + high, origin + sizes[target])
            inside = slice(first - start - low, last - start - low)
            yield target, number, inside, slice(first - origin, last - origin), first - start


def _put_together(blocks, pieces, shape, meta, fill_value, lengths, axes):
    """Return a block of the image; ``meta`` is an empty array of its kind."""
    if lengths is None or len(pieces) < 2:
        image = np.full_like(meta, fill_value, shape=shape)
        for piece in pieces:
            image[piece.target] = blocks[piece.block][piece.source]
        return image
    # Weights do not vary along the other axes, of which each part fills a block.
    total = np.zeros([size if axis in axes else 1 for axis, size in enumerate(shape)])
    weighted = []
    for piece in pieces:
        place = tuple(
            part if axis in axes else slice(None) for axis, part in enumerate(piece.target)
        )
        weighted.append((piece, place, _weights(piece, lengths, axes)))
        total[place] += weighted[-1][-1]
    image = np.zeros_like(meta, np.result_type(meta.dtype, np.float64), shape=shape)
    for piece, place, weight in weighted:
        # Where a tile is alone, its weight over the total is one, and its values stay exact.
        share = np.asarray(weight / total[place], like=meta)
        image[piece.target] += blocks[piece.block][piece.source] * share
    if meta.dtype.kind in "iub":
        np.rint(image, out=image)
    return np.where(np.asarray(total == 0, like=meta), fill_value, image).astype(meta.dtype)


def _weights(piece, lengths, axes):
    """Return the product of the distances to the edges of the tile."""
    ndim = len(piece.target)
    weight = np.ones((1,) * ndim)
    for axis, length, offset in zip(axes, lengths, piece.offsets):
        part = piece.target[axis]
        place = np.arange(offset, offset + part.stop - part.start)
        distance = np.minimum(place + 1, length - place).astype(float)
        weight = weight * distance.reshape([-1 if one == axis else 1 for one in range(ndim)])
    return weight
