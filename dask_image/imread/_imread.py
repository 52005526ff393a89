"""From the names of files to a lazy array of their frames."""

from __future__ import annotations

import contextlib
import itertools
import math
import operator
import os
from collections.abc import Sequence
from typing import Literal

import numpy as np

from dask_image._utils.engines.graph import new_array, reading_task, tokenize
from dask_image._utils.typing import Array, ChunksLike, Integer
from dask_image.imread._blocks import Block, plane_chunks
from dask_image.imread._files import expand_grid, expand_names
from dask_image.imread._pictures import describe_picture
from dask_image.imread._tiff import TiffDescriber, is_tiff


def imread(
    fname: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    nframes: Integer = 1,
    *,
    arraytype: Literal["numpy", "cupy"] = "numpy",
    chunks: ChunksLike = "auto",
    level: Integer = 0,
    series: Integer = 0,
) -> Array:
    """
    Read images from files, as a lazy array of frames.

    Parameters
    ----------
    fname : str, os.PathLike or list of these
        Name of a file, pattern such as ``"cells/*.tif"``, or list of names.
        Matches of a pattern come in natural order (``frame2`` before
        ``frame10``), names in the order they are given in. Placeholders for numbers,
        ``"tile_r{row}_c{column}_z{z}.tif"``, make an axis each, see below.
    nframes : int, optional
        Frames in a chunk, counted through all files: a chunk may span several
        of them. ``-1`` puts all frames in one chunk, as does any number larger
        than theirs. The values do not depend on it.
    arraytype : {"numpy", "cupy"}, optional
        Kind of the array's blocks.
    chunks : "auto", int or pair, optional
        Rows and columns of a block: sizes, ``-1`` or None for all of an axis, or a tuple of
        the sizes of all blocks along it. By default, a frame larger than Dask's
        ``array.chunk-size`` is cut along the tiles or strips that it is stored in, so
        that none of them is unpacked twice, into blocks of 16 MiB (or that size, if it is
        less), or of one tile or strip; smaller frames stay whole.
    level : int, optional
        Which resolution of a pyramid, 0 being the full one and -1 the coarsest. Only
        TIFF files have others: SubIFDs, as in OME files, or the pages of whole-slide scanners.
    series : int, optional
        Which series of pictures of a TIFF file that has several, as
        ``tifffile.TiffFile(fname).series`` counts them.

    Returns
    -------
    dask.array.Array
        Shape ``(frames, y, x)``; for colours ``(frames, y, x, samples)``, or
        ``(frames, samples, y, x)`` where a TIFF file stores them as separate planes.
        The frames of all files follow one another along the first axis, which
        is there for a single picture too. The dtype is that of the files, in
        native byte order. Of names with placeholders: one axis for each of these, in their
        order, as long as there are numbers and sorted by them; then the frames of each file,
        if it holds more than one.

    Raises
    ------
    FileNotFoundError
        If a name or pattern matches no file, or the numbers in the names leave a gap.
    PermissionError
        If a file or its folder may not be read, now or while computing.
    ValueError
        If a file cannot be read, frames of different shapes or dtypes meet, there is no
        such level or series, or ``nframes``, ``chunks`` or ``arraytype`` are out of range.
    TypeError
        If ``fname`` is no name, or ``level`` or ``series`` no integer.
    OSError
        While computing, if a file has changed since, or cannot be read to its
        end. The message names the file.

    Notes
    -----
    Headers are read at once, pixels when the array is computed; of a file that
    is not a TIFF, the first frame is read for its shape. A task opens each of
    the files its frames come from once, and closes it.

    TIFF files (BigTIFF, tiled, compressed, ImageJ, OME, …) are read with
    ``tifffile``. All axes before rows and columns are one
    sequence of frames, in the order of the file's metadata: an OME image of
    axes TCZYX has T × C × Z frames, which
    ``.reshape(times, channels, planes, *image.shape[1:])`` takes apart again.
    Samples stay where the file has them, as with ``tifffile.imread``:
    ``tifffile.imwrite`` stores an array of shape ``(3, y, x)`` or ``(4, y, x)`` as one
    picture of so many planes, unless it is given ``photometric="minisblack"``. The
    colour map of a palette is not applied. Some compressions need ``imagecodecs``
    to be installed.

    A single OME file with companion files is read with these; if several files
    are named, each is read for the pages it holds.

    Other formats are opened with ``pims``, but for animations (GIF, PNG, WebP), which Pillow
    reads. JPEG 2000, XR and XL and PNG of 16-bit colours need ``imagecodecs``, films (AVI, MP4,
    Matroska, QuickTime) ``av``: both come with the extra ``formats``.

    Of a name with placeholders, the numbers that occur in the names of files span a grid, which
    must be complete; where they count something, no number may be left out either;
    ``{row}`` and ``{row:03}`` mean the same, and a placeholder that comes twice
    stands for the same text. `assemble` makes one image of tiles.

    One selection that follows at once, such as ``imread(name)[0, :512, :512]``, reads no more of
    a TIFF file than the tiles or strips under it; Dask merges no second one, ``[0][:512, :512]``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np, tifffile
    >>> from dask_image.imread import imread
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for time in range(12):
    ...     tifffile.imwrite(folder / f"cells{time}.tif", np.full((4, 6), time, "uint8"))
    >>> images = imread(folder / "cells*.tif", nframes=5)
    >>> images.chunks
    ((5, 5, 2), (4,), (6,))
    >>> images[:, 0, 0].compute()
    array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11], dtype=uint8)
    """
    nframes = _frames_per_chunk(nframes)
    module, array_module = _array_module(arraytype)
    numbers, paths = expand_grid(fname) or ({}, expand_names(fname))
    grid = tuple(map(len, numbers.values()))
    sources = _describe_all(paths, integer(series, "series"), integer(level, "level"))
    if grid:
        _check_counts(sources, paths)
    groups = [[source] for source in sources] if grid else [sources]
    first = sources[0]
    total = sum(source.count for source in groups[0])
    has_frames = not grid or total > 1
    nframes = total if nframes == -1 else min(nframes, total)
    shape, segment_shape, pixel_bytes = _of_plane(first)
    plane = plane_chunks(chunks, shape, segment_shape, pixel_bytes, nframes)
    files = [file for source in sources for file in source.files]
    # One text takes tokenize a tenth of the time that it needs for a list of objects.
    name = "imread-" + tokenize(
        repr(files), first.frame_shape, first.dtype, grid, nframes, plane, series, level, arraytype
    )
    # One task a chunk, which holds its own part of the plan only: with a public call, every task
    # would carry the whole plan, a second one the slices, and the scheduler costs more than
    # reading a small file.
    tasks = {}
    for place, group in zip(np.ndindex(grid), groups):
        for number, parts in enumerate(_chunks_of_frames(group, nframes)):
            for index, rows, columns in _planes(plane):
                key = (name, *place, *(number,) * has_frames, *_block_index(first, index))
                plan = tuple(part.select(start, stop, rows, columns) for part, start, stop in parts)
                tasks[key] = reading_task(key, Block(plan, module, len(grid), has_frames))
    frame_chunks = [(size,) for size in first.frame_shape]
    frame_chunks[first.plane_axis : first.plane_axis + 2] = plane
    of_frames = [
        sum(stop - start for _, start, stop in parts)
        for parts in _chunks_of_frames(groups[0], nframes)
    ]
    axes = (*((1,) * size for size in grid), *(tuple(of_frames),) * has_frames, *frame_chunks)
    meta = array_module.zeros((0,) * len(axes), first.dtype)
    return new_array(name, tasks, [], axes, meta)


def _check_counts(sources, paths):
    """Fail if files that make up a grid hold different numbers of frames."""
    for source, path in zip(sources, paths):
        if source.count != sources[0].count:
            raise ValueError(
                f"files in a grid must hold equally many frames; {path} holds {source.count}, "
                f"{paths[0]} {sources[0].count}"
            )


def _of_plane(source):
    """Return rows and columns of a frame and of a segment of it, and the bytes of a pixel."""
    axis = source.plane_axis
    shape = source.frame_shape[axis : axis + 2]
    samples = math.prod(source.frame_shape) // max(math.prod(shape), 1)
    return shape, source.segment_shape, samples * source.dtype.itemsize


def _planes(plane):
    """Yield, for each block of a frame, its index, rows and columns."""
    rows, columns = map(_ranges, plane)
    for row, column in np.ndindex(len(rows), len(columns)):
        yield (row, column), rows[row], columns[column]


def _ranges(sizes):
    stops = list(itertools.accumulate(sizes))
    return [range(stop - size, stop) for size, stop in zip(sizes, stops)]


def _block_index(source, index):
    """Return the index of a block of a frame, samples included."""
    behind = len(source.frame_shape) - 2 - source.plane_axis
    return (0,) * source.plane_axis + index + (0,) * behind


def _frames_per_chunk(nframes):
    try:
        # NumPy warns of its booleans as numbers.
        number = 0 if isinstance(nframes, (bool, np.bool_)) else operator.index(nframes)
    except TypeError:
        number = 0
    if number < 1 and number != -1:
        raise ValueError(f"nframes must be a positive integer, or -1 for all, got {nframes!r}")
    return number


def integer(value, name):
    """Return an integer argument as an int."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None


def _array_module(arraytype):
    """Return the name and the module of the arrays that blocks are to be."""
    if arraytype == "numpy":
        return "numpy", np
    if arraytype == "cupy":
        import cupy

        return "cupy", cupy
    raise ValueError(f'arraytype must be "numpy" or "cupy", got {arraytype!r}')


def _describe_all(paths, series, level):
    """Return the frames of every file; all must agree in shape and dtype."""
    describer = TiffDescriber(alone=len(paths) == 1, series=series, level=level)
    sources = []
    for path in paths:
        source = _describe(path, describer)
        sources.append(source)
        first = sources[0]
        if source.frame_shape != first.frame_shape or source.dtype != first.dtype:
            raise ValueError(
                f"all frames must have one shape and dtype; {path} has {source.frame_shape} "
                f"of {source.dtype}, {paths[0]} has {first.frame_shape} of {first.dtype}"
            )
    return sources


def _describe(path, describer):
    with reading(path):
        with open(path, "rb") as file:
            if is_tiff(file):
                return describer.describe(file)
        if describer.series or describer.level:
            raise ValueError(
                "only TIFF files have more than series 0 and level 0, got series="
                f"{describer.series} and level={describer.level}"
            )
        return describe_picture(path)


@contextlib.contextmanager
def reading(path):
    """Let errors say which file cannot be read."""
    try:
        yield
    except Exception as error:  # readers raise whatever their formats' libraries do
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise ValueError(f"cannot read {path}: {error}") from error


def _chunks_of_frames(sources, nframes):
    """Return, for each chunk, which frames of which sources make it up: (source, start, stop)."""
    chunks = [[]]
    free = nframes
    for source in sources:
        start = 0
        while start < source.count:
            if not free:
                chunks.append([])
                free = nframes
            stop = min(source.count, start + free)
            chunks[-1].append((source, start, stop))
            free -= stop - start
            start = stop
    return chunks
