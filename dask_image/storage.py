"""Write large results region by region, so that memory does not grow with the image."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import mmap
import os
import pathlib
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dask
import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.diagnostics import ProgressBar

from dask_image._utils import options
from dask_image._utils.arguments import ArgumentError
from dask_image._utils.arrays import block_meta, check_sizes_known
from dask_image._utils.engines.graph import (
    block_key,
    block_slices,
    in_turn,
    new_array,
    reference,
    sequence,
    share_of_roots,
    task,
)
from dask_image._utils.typing import Array

__all__ = ["store", "to_zarr"]

# Planes of blocks that a halo operation holds at a time, in the column that is being computed:
# the one that is worked at, its neighbours, and as much of results that wait to be written.
PLANES = 4

# Without a limit that is set or found, a column of blocks may take this share of the memory.
SHARE = 1 / 8

# So few blocks may all be neighbours of one.
FEW = 16

# Arguments of zarr.create_array that `to_zarr` has its own for, or sets.
OWN_OPTIONS = {"chunks", "dtype", "name", "overwrite", "shape", "store"}

# How many blocks are written before the next ones are led to.
TOGETHER = 4


def store(
    arrays: Array | Sequence[Array],
    targets: Any,
    *,
    memory: int | str | None = None,
    journal: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> None:
    """
    Compute arrays and write them, one region after another.

    Dask walks blocks in raster order, so a halo keeps whole rows (2-D) or planes (3-D) of
    blocks in memory, however few are being worked at. Here the image is cut into columns of
    blocks along its first axis, just so thick that what they hold fits ``memory``, and computed
    column after column. Pixels near the border of a column are computed for both its sides.

    Parameters
    ----------
    arrays : dask.array.Array or sequence of dask.array.Array
        What to compute. Several arrays of one shape share what they have in common; those of
        other shapes (a table, a count) are written last, each as a whole.
    targets : array_like or sequence of array_like
        Where each array goes: anything with a shape that takes slices, as arrays of zarr and
        HDF5, and `numpy.memmap`, do. Values are cast to its dtype as in any assignment: floats
        lose their fractions in integers. Where it has chunks, only whole ones are written.
        Where other processes compute, those of a cluster say, it must be a file that they reach.
    memory : int or str, optional
        Bytes that may be used at a time, such as ``"2 GiB"``. By default the configuration
        ``dask-image.store.memory``; without that, an eighth of the memory of the workers.
    journal : str or path, optional
        A file that lists the regions that are finished. If it is there, an earlier call with
        the same arrays was interrupted: what it lists is not computed again. It is deleted at
        the end, so that an output without one is whole. Dask before 2025.9 gives most arrays the
        same names in two processes only where ``PYTHONHASHSEED`` is set.
    progress : bool, optional
        Whether to print which region is being written, and how far it is.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If an array and its target differ in shape, if no array is given or its sizes are unknown,
        if other processes compute and a target lies in the memory of this one, or if ``journal``
        was written for other arrays or is a file of another kind, which is left as it is.

    See Also
    --------
    to_zarr : Make the target, too.

    Notes
    -----
    Regions are written one at a time; where a ``distributed.Client`` is active, as many at once
    as fit the memory of its workers. A result that no halo connects (a projection, say) gains
    nothing by this; `dask.array.store` does as well. Where a block needs most of the image, as
    those of labels do, there is one region: each would compute most of the image anew.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import dask_image
    >>> from dask_image.ndfilters import gaussian_filter
    >>> image = da.ones((8, 64, 64), chunks=(4, 16, 16))
    >>> target = np.empty(image.shape)
    >>> dask_image.store(gaussian_filter(image, 1), target, memory="64 kiB")
    >>> bool((abs(target - 1) < 1e-12).all())
    True
    """
    arrays, targets = _paired(arrays, targets)
    journal = None if journal is None else _as_path(journal, "journal")
    if _in_other_processes():
        targets = [_reachable(target) for target in targets]
    budget = _budget(memory)
    main = arrays[0].shape
    together = [pair for pair in zip(arrays, targets) if pair[0].shape == main]
    apart = [pair for pair in zip(arrays, targets) if pair[0].shape != main]
    together = [(_aligned(array, target), target) for array, target in together]
    if any(_needs_most(array) for array, _ in together):
        regions = [tuple(slice(0, size) for size in main)]
    else:
        regions = column_regions(
            [array.chunks for array, _ in together],
            sum(array.dtype.itemsize for array, _ in together),
            budget.region,
        )
    token = tokenize([array.name for array in arrays])
    with _Journal.open(journal, token, regions) as finished:
        steps = [_Write(together, region) for region in finished.regions] + [
            _Write([pair], (slice(None),) * pair[0].ndim) for pair in apart
        ]
        _run(steps, finished, budget.at_once, progress)


def to_zarr(
    array: Array,
    url: str | os.PathLike[str],
    *,
    component: str | None = None,
    memory: int | str | None = None,
    progress: bool = False,
    overwrite: bool = False,
    zarr_options: dict[str, Any] | None = None,
) -> None:
    """
    Write an array to a new zarr array, region by region.

    As `dask.array.to_zarr`, with memory that does not grow with the image, and going on where
    an interrupted call has stopped.

    Parameters
    ----------
    array : dask.array.Array
        Its chunks become those of the zarr array; along each axis all but the last are alike.
    url : str or path
        The folder of the zarr array or group. Beside it, ``<url>.journal`` lists what is
        finished until all is.
    component : str, optional
        The name of the array in a group.
    memory, progress
        As for `store`.
    overwrite : bool, optional
        Whether to replace what is there. An interrupted call is gone on with either way.
    zarr_options : dict, optional
        More arguments of `zarr.create_array`: compressors, for instance.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If chunks are uneven, or ``url`` is not a folder but an object store.
    FileExistsError
        If there is something already, and neither a journal nor ``overwrite``.
    OSError
        If the disk is full, say: it names what could not be written. The journal stays, which
        tells that the array is not whole; a further call goes on there.

    Examples
    --------
    >>> import tempfile
    >>> import dask.array as da
    >>> import dask_image
    >>> folder = tempfile.mkdtemp()
    >>> dask_image.to_zarr(da.ones((6, 6), chunks=4), folder + "/ones.zarr")
    >>> float(da.from_zarr(folder + "/ones.zarr").sum())
    36.0
    """
    import zarr

    if not isinstance(array, da.Array):
        raise TypeError(f"array must be a Dask array, got {type(array).__name__}")
    check_sizes_known(array, "array")
    if taken := OWN_OPTIONS & set(zarr_options or {}):
        raise ArgumentError(f"zarr_options must leave to to_zarr what it sets, got {sorted(taken)}")
    if component is not None and not isinstance(component, str):
        raise TypeError(f"component must be a name, got {component!r}")
    if "://" in str(url):
        raise ArgumentError(
            f"url must be a folder, got {str(url)!r}: make an array of an object store with "
            "zarr.create_array, and pass it to dask_image.store with a journal"
        )
    url = _as_path(url, "url")
    chunks = tuple(max(sizes[0], 1) for sizes in array.chunks)
    for axis, sizes in enumerate(array.chunks):
        if any(size != sizes[0] for size in sizes[:-1]) or sizes[-1] > sizes[0]:
            raise ValueError(
                f"array must have even chunks, got {sizes} along axis {axis}: rechunk it first"
            )
    path = url if component is None else url / component
    journal = path.with_name(path.name + ".journal")
    begun = journal.exists()
    if _Journal.lines(journal) and path.exists():
        target = zarr.open_array(str(url), path=component, mode="r+")
    elif path.exists() and not overwrite and not begun:
        raise FileExistsError(f"there is something at {path}: pass overwrite=True to replace it")
    else:
        create = functools.partial(
            zarr.create_array, name=component, shape=array.shape, chunks=chunks, dtype=array.dtype,
            **(zarr_options or {}),
        )  # fmt: skip
        # What zarr refuses, it refuses here, where there is nothing that it could remove.
        create({})
        # The journal comes first, so that there is never an unfinished array without one.
        _Journal.begin(journal)
        with _naming(path):
            target = create(str(url), overwrite=overwrite or begun)
    store(array, target, memory=memory, journal=journal, progress=progress)


# ---------------------------------------------------------------------------------------
# Decisions


@dataclass(frozen=True)
class Budget:
    """
    What may be in memory.

    Attributes
    ----------
    region : float
        Bytes that one region may take.
    at_once : int
        How many regions are worked at.
    """

    region: float
    at_once: int


def column_regions(all_chunks, pixel_bytes, budget):
    """
    Cut an image into columns of blocks along its first axis.

    Parameters
    ----------
    all_chunks : sequence of tuple of tuple of int
        Chunks of each array that is written; of equal shapes.
    pixel_bytes : int
        How many bytes a pixel of all arrays has.
    budget : float
        How many bytes a column may hold while it is computed.

    Returns
    -------
    list of tuple of slice
        They cover the image; their borders are borders of blocks in all arrays.
    """
    if not all_chunks[0]:
        return [()]
    bounds = [_common_bounds(axis) for axis in zip(*all_chunks)]
    depth = max(stop - start for start, stop in itertools.pairwise(bounds[0]))
    widths = [max(stop - start for start, stop in itertools.pairwise(axis)) for axis in bounds]
    plane = PLANES * depth * pixel_bytes
    # As thick as fits, and as square as the blocks allow: then least is computed twice.
    blocks = [1] * len(bounds)
    growing = set(range(1, len(bounds)))
    while growing:
        axis = min(growing, key=lambda axis: (blocks[axis] * widths[axis], axis))
        blocks[axis] += 1
        area = math.prod(count * width for count, width in zip(blocks[1:], widths[1:], strict=True))
        if area * plane > budget or blocks[axis] >= len(bounds[axis]):
            blocks[axis] -= 1
            growing.discard(axis)
    starts = [
        [slice(axis[i], axis[min(i + step, len(axis) - 1)]) for i in range(0, len(axis) - 1, step)]
        for axis, step in zip(bounds[1:], blocks[1:], strict=True)
    ]
    return [(slice(0, bounds[0][-1]), *column) for column in itertools.product(*starts)]


def _common_bounds(axis):
    """Return where blocks of all arrays begin or end, along one axis."""
    bounds = [{0, *itertools.accumulate(sizes)} for sizes in axis]
    return sorted(set.intersection(*bounds)) if len(bounds[0]) > 1 else [0, 0]


def _needs_most(array):
    """Return whether one block, the last, needs more than half of what the array is made of."""
    last = tuple(count - 1 for count in array.numblocks)
    return math.prod(array.numblocks) > FEW and share_of_roots(array, last) > 1 / 2


def _paired(arrays, targets):
    arrays = list(arrays) if isinstance(arrays, (list, tuple)) else [arrays]
    targets = list(targets) if isinstance(targets, (list, tuple)) else [targets]
    if not arrays:
        raise ArgumentError("arrays must be one or more Dask arrays, got none")
    if len(arrays) != len(targets):
        raise ArgumentError(
            f"targets must be as many as arrays, got {len(targets)} for {len(arrays)}"
        )
    for array, target in zip(arrays, targets):
        if not isinstance(array, da.Array):
            raise TypeError(f"arrays must be Dask arrays, got {type(array).__name__}")
        check_sizes_known(array, "arrays")
        if isinstance(target, da.Array):
            raise TypeError("targets must be arrays that can be written, got a Dask array")
        if not hasattr(target, "shape") or not hasattr(target, "__setitem__"):
            raise TypeError(
                f"targets must be arrays that can be written, got {type(target).__name__}"
            )
        if tuple(target.shape) != array.shape:
            raise ArgumentError(
                f"a target must have the shape of its array {array.shape}, got {target.shape}"
            )
    return arrays, targets


def _as_path(value, name):
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise TypeError(f"{name} must be a path, got {value!r}")
    return pathlib.Path(value)


def _aligned(array, target):
    """Return the array in blocks that hold whole chunks of the target."""
    unit = getattr(target, "shards", None) or getattr(target, "chunks", None)
    if not unit or not all(isinstance(size, int) for size in unit):
        return array
    chunks = []
    for sizes, step in zip(array.chunks, unit, strict=True):
        bounds = [0, *itertools.accumulate(sizes)]
        inner = sorted({bound // step * step for bound in bounds[1:-1]} - {0})
        chunks.append(tuple(b - a for a, b in itertools.pairwise([0, *inner, bounds[-1]])))
    return array.rechunk(tuple(chunks))


def _budget(memory):
    limit = options.store_memory() if memory is None else options.as_bytes(memory, "memory")
    if limit == 0:
        raise ArgumentError(f"memory must be above 0, got {memory!r}")
    client = _active_client()
    if client is None:
        return Budget(limit or SHARE * _local_memory(), 1)
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    each = [worker["memory_limit"] or _local_memory() for worker in workers]
    at_once = max(len(each), 1)
    return Budget((limit or SHARE * sum(each)) / at_once, at_once)


def _active_client():
    if "distributed" not in sys.modules:
        return None
    # A client that becomes the default one names itself here.
    if dask.config.get("scheduler", None) not in (None, "dask.distributed", "distributed"):
        return None
    with contextlib.suppress(ValueError):
        return sys.modules["distributed"].default_client()
    return None


def _in_other_processes():
    """Return whether other processes than this one write."""
    client = _active_client()
    if client is not None:
        return not client.scheduler.address.startswith("inproc://")
    return dask.base.get_scheduler() is dask.base.named_schedulers["processes"]


def _reachable(target):
    """Return what other processes write to, or raise: their copies of memory would be lost."""
    if isinstance(target, np.memmap) and _is_whole_file(target):
        return _Mapped.of(target)
    in_memory = isinstance(target, np.ndarray)
    if "zarr" in sys.modules:
        memory = sys.modules["zarr"].storage.MemoryStore
        in_memory |= isinstance(getattr(target, "store", None), memory)
    if in_memory:
        raise ArgumentError(
            "a target must be a file that other processes reach, since they compute, got "
            f"{type(target).__name__} in the memory of this one"
        )
    return target


def _is_whole_file(array):
    """Return whether an array is a file that has a name, rather than a view or a copy of it."""
    named = isinstance(array.base, mmap.mmap) and array.filename is not None
    return named and array.mode in ("r+", "w+")


def _local_memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such question on this system
        return 8 * 2**30


# ---------------------------------------------------------------------------------------
# Writing


@dataclass(frozen=True)
class _Mapped:
    """A file that each process maps into its memory for itself, as `numpy.memmap` does."""

    filename: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    @classmethod
    def of(cls, array):
        """Return the file of an array that is all of a map."""
        order = "C" if array.flags.c_contiguous else "F"
        return cls(str(array.filename), array.dtype, array.offset, array.shape, order)

    def __setitem__(self, where, block):
        array = np.memmap(self.filename, self.dtype, "r+", self.offset, self.shape, self.order)
        array[where] = block
        array.flush()


@dataclass(frozen=True)
class _Write:
    """One region of some arrays, and where it goes."""

    pairs: Sequence[tuple[da.Array, Any]]
    region: tuple[slice, ...]

    def written(self):
        """
        Return the writing of the region as an array of one element, which is there in the end.

        What waits for a few blocks waits for those before them as well: so Dask is led along the
        blocks, and holds few for their neighbours. `dask.array.store` has one task that waits
        for all, with which it walks them in another order. With none, it needs time and memory
        by the product of how many blocks are read and written, where each needs all of the image.
        """
        arrays = [_written(array[self.region], target, self.region) for array, target in self.pairs]
        most = max(math.prod(array.numblocks) for array in arrays)
        groups = [[] for _ in range(-(-most // TOGETHER))]
        for array in arrays:
            for number, index in enumerate(np.ndindex(array.numblocks)):
                group = groups[number * len(groups) // math.prod(array.numblocks)]
                group.append(reference(block_key(array, index)))
        token, tasks = uuid.uuid4().hex, {}
        last = in_turn(tasks, f"store-wait-{token}", map(sequence, groups))
        name = f"store-written-{token}"
        tasks[name, 0] = task((name, 0), _all_written, last)
        return new_array(name, tasks, arrays, ((1,),), block_meta(1, bool))


def _all_written(_):
    return np.ones(1, bool)


def _written(part, target, region):
    """Return the writing of an array to a region of a target, an element for each block."""
    name = f"store-{uuid.uuid4().hex}"
    # The target is in each task: a task of its own, that all need, would spoil the order, too.
    tasks = {}
    starts = [extent.start or 0 for extent in region]
    places = np.ndindex(part.numblocks)
    for index, extents in zip(places, block_slices(part.chunks), strict=True):
        where = tuple(
            slice(start + extent.start, start + extent.stop)
            for start, extent in zip(starts, extents, strict=True)
        )
        block = reference(block_key(part, index))
        tasks[(name, *index)] = task((name, *index), _write_block, block, target, where)
    ones = tuple((1,) * count for count in part.numblocks)
    return new_array(name, tasks, [part], ones, block_meta(part.ndim, bool))


def _write_block(block, target, where):
    """Write a block where there is something to write; return an array of one element."""
    if block.size:
        with _naming(_name_of(target)):
            target[where or ...] = np.asarray(block)
    return np.ones((1,) * block.ndim, bool)


@contextlib.contextmanager
def _naming(path):
    """Let errors of the system that name no file, or not its folder, tell what was not written."""
    try:
        yield
    except OSError as error:
        if os.path.isabs(str(error.filename)):
            raise
        raise OSError(error.errno, f"cannot write to {path}: {error}") from error


def _name_of(target):
    """Return where a target lies, if it says so."""
    path = getattr(target, "store_path", None) or getattr(target, "filename", None)
    return type(target).__name__ if path is None else str(path)


class _Journal:
    """Which regions there are, and which are finished: a line each, after one with all of them."""

    def __init__(self, path, regions, finished):
        self.path = path
        self.regions = regions
        self.finished = finished

    def add(self, number):
        """Write down that a region is finished."""
        if self.path is not None:
            with _naming(self.path), open(self.path, "a") as file:
                file.write(f"{number}\n")
                file.flush()
                os.fsync(file.fileno())

    @staticmethod
    def begin(path):
        """Write down that something has begun, of which nothing is known yet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    @staticmethod
    def lines(path):
        """Return what is written down, without a last line that a crash has cut off."""
        text = path.read_text(errors="replace") if path.exists() else ""
        begins = '{"result": '
        if not text.startswith(begins) and not begins.startswith(text):
            raise ArgumentError(
                f"journal must be a file that an earlier call has left, or none, got {path}"
            )
        return text.split("\n")[:-1]

    @classmethod
    @contextlib.contextmanager
    def open(cls, path, token, regions):
        """Read a journal, or begin one for ``regions``; delete it if all that follows succeeds."""
        if path is None:
            yield cls(None, regions, set())
            return
        lines = cls.lines(path)
        if lines:
            begun = json.loads(lines[0])
            if begun["result"] != token:
                raise ArgumentError(
                    f"journal {path} was written for other arrays: delete it, and what was "
                    "written, to begin anew"
                )
            # Regions stay those of the interrupted call, whatever memory there is now.
            regions = [tuple(slice(*ends) for ends in region) for region in begun["regions"]]
            os.truncate(path, sum(len(line) + 1 for line in lines))
        else:
            ends = [[(part.start, part.stop) for part in region] for region in regions]
            with _naming(path):
                path.write_text(json.dumps({"result": token, "regions": ends}) + "\n")
        yield cls(path, regions, {int(line) for line in lines[1:]})
        path.unlink()


def _run(steps, journal, at_once, progress):
    waiting = [number for number in range(len(steps)) if number not in journal.finished]
    if _active_client() is None:
        for number in waiting:
            with _shown(progress, number, steps):
                dask.persist(steps[number].written())
            journal.add(number)
        return
    _run_on_cluster(steps, waiting, journal, at_once, progress)


def _run_on_cluster(steps, waiting, journal, at_once, progress):
    """Keep some regions in flight."""
    from distributed import as_completed, futures_of

    queue = iter(waiting)
    region_of = {}

    def submit(count):
        for number in itertools.islice(queue, count):
            (future,) = futures_of(_active_client().persist(steps[number].written()))
            region_of[future.key] = number
            yield future

    running = as_completed(submit(at_once))
    for future in running:
        future.result()
        number = region_of.pop(future.key)
        journal.add(number)
        if progress:
            print(f"region {number + 1} of {len(steps)} is written", flush=True)
        running.update(list(submit(1)))


@contextlib.contextmanager
def _shown(progress, number, steps):
    if not progress:
        yield
        return
    print(f"region {number + 1} of {len(steps)}", flush=True)
    with ProgressBar():
        yield
