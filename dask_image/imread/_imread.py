"""From the names of files to a lazy array of their frames."""

import operator

import numpy as np

from dask_image._utils.engines.graph import new_array, task, tokenize
from dask_image.imread._files import expand_names
from dask_image.imread._pims import describe_pims
from dask_image.imread._tiff import TiffDescriber, is_tiff


def imread(fname, nframes=1, *, arraytype="numpy"):
    """
    Read images from files, as a lazy array of frames.

    Parameters
    ----------
    fname : str, os.PathLike or list of these
        Name of a file, pattern such as ``"cells/*.tif"``, or list of names.
        Matches of a pattern come in natural order (``frame2`` before
        ``frame10``), names in the order they are given in.
    nframes : int, optional
        Frames in a chunk, counted through all files: a chunk may span several
        of them. ``-1`` puts all frames in one chunk, as does any number larger
        than theirs. The values do not depend on it.
    arraytype : {"numpy", "cupy"}, optional
        Kind of the array's blocks.

    Returns
    -------
    dask.array.Array
        Shape ``(frames, y, x)``; for colours ``(frames, y, x, samples)``, or
        ``(frames, samples, y, x)`` where a TIFF file stores them as separate planes.
        The frames of all files follow one another along the first axis, which
        is there for a single picture too. The dtype is that of the files, in
        native byte order.

    Raises
    ------
    FileNotFoundError
        If a name or pattern matches no file.
    PermissionError
        If a file or its folder may not be read, now or while computing.
    ValueError
        If a file cannot be read, frames of different shapes or dtypes meet, or
        ``nframes`` or ``arraytype`` are out of range.
    OSError
        While computing, if a file has changed since, or cannot be read to its
        end. The message names the file.

    Notes
    -----
    Headers are read at once, pixels when the array is computed; of a file that
    is not a TIFF, the first frame is read for its shape. A task opens each of
    the files its frames come from once, and closes it.

    TIFF files (BigTIFF, tiled, compressed, ImageJ, OME, …) are read with
    ``tifffile``. Of a file with several series of pictures the first one counts,
    of a pyramid the full resolution. All axes before rows and columns are one
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

    Other formats (PNG, GIF, films, …) are opened with ``pims``, and need what
    its reader for them needs.

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
    sources = _describe_all(expand_names(fname))
    first = sources[0]
    chunks = _chunks_of_frames(sources, nframes)
    files = [file for source in sources for file in source.files]
    # One text takes tokenize a tenth of the time that it needs for a list of objects.
    name = "imread-" + tokenize(repr(files), first.frame_shape, first.dtype, nframes, arraytype)
    # One task a chunk, which holds its own part of the plan only: with a public call, a second
    # task would have to carry the plan, and the scheduler costs more than reading a small file.
    origin = (0,) * len(first.frame_shape)
    tasks = {
        (name, i, *origin): task((name, i, *origin), _read_chunk, plan, module)
        for i, plan in enumerate(chunks)
    }
    sizes = tuple(sum(source.count for source in plan) for plan in chunks)
    axes = (sizes, *((size,) for size in first.frame_shape))
    meta = array_module.zeros((0,) * len(axes), first.dtype)
    return new_array(name, tasks, [], axes, meta)


def _frames_per_chunk(nframes):
    try:
        # NumPy warns of its booleans as numbers.
        number = 0 if isinstance(nframes, (bool, np.bool_)) else operator.index(nframes)
    except TypeError:
        number = 0
    if number < 1 and number != -1:
        raise ValueError(f"nframes must be a positive integer, or -1 for all, got {nframes!r}")
    return number


def _array_module(arraytype):
    """Return the name and the module of the arrays that blocks are to be."""
    if arraytype == "numpy":
        return "numpy", np
    if arraytype == "cupy":
        import cupy

        return "cupy", cupy
    raise ValueError(f'arraytype must be "numpy" or "cupy", got {arraytype!r}')


def _describe_all(paths):
    """Return the frames of every file; all must agree in shape and dtype."""
    describer = TiffDescriber(alone=len(paths) == 1)
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
    try:
        with open(path, "rb") as file:
            if is_tiff(file):
                return describer.describe(file)
        return describe_pims(path)
    except Exception as error:  # readers raise whatever their formats' libraries do
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise ValueError(f"cannot read {path}: {error}") from error


def _chunks_of_frames(sources, nframes):
    """Return, for each chunk, the parts of the sources that make up its frames."""
    total = sum(source.count for source in sources)
    room = total if nframes == -1 else nframes
    chunks = [[]]
    free = room
    for source in sources:
        start = 0
        while start < source.count:
            if not free:
                chunks.append([])
                free = room
            stop = min(source.count, start + free)
            chunks[-1].append(source.select(start, stop))
            free -= stop - start
            start = stop
    return [tuple(chunk) for chunk in chunks]


def _read_chunk(sources, arraytype):
    """Read the frames of one chunk."""
    first = sources[0]
    frames = np.empty((sum(source.count for source in sources), *first.frame_shape), first.dtype)
    position = 0
    for source in sources:
        try:
            source.read_into(frames[position : position + source.count])
        except Exception as error:  # as above
            if isinstance(error, OSError) and error.filename is not None:
                raise
            names = ", ".join(file.path for file in source.files)
            raise OSError(f"cannot read {names}: {error}") from error
        position += source.count
    if arraytype == "cupy":
        import cupy

        return cupy.asarray(frames)
    return frames
