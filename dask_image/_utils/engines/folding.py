"""
Fold an image: measure every block, merge what was measured in a tree, finish in one task.

For what is small whatever the size of a block: ranges, histograms, lists of points. A fold may
use the result of one before it; then the image is read again, so that no block waits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dask.delayed import Delayed

from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import (
    Step,
    block_key,
    blocks_of,
    call_after,
    delayed_in,
    in_turn,
    new_array,
    read_again,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.engines.overlap import block_bounds
from dask_image._utils.typing import Array, Block, DTypeLike, NDArray, Shape

# So many results are merged by one task.
TOGETHER = 16


@dataclass(frozen=True)
class Folded:
    """The result of a fold, that of the task ``key`` among those of ``step``."""

    step: Step
    key: str

    @property
    def delayed(self) -> Delayed:
        """The result as a delayed object."""
        return delayed_in(self.step, self.key)

    def again(self, image: Array) -> Array:
        """Return an image that is computed, once more, when the result is there."""
        return read_again(image, self.delayed)

    def array(
        self,
        name: str,
        finish: Callable[[Any], Any],
        dtype: DTypeLike,
        shape: tuple[float, ...] = (),
    ) -> Array:
        """
        Return what ``finish`` makes of the result, as an array of one block.

        Parameters
        ----------
        name : str
            Of the function that the user called.
        finish : callable
            ``finish(result)`` returns an array.
        dtype : dtype
        shape : tuple of int or nan
        """
        name = f"{name}-{tokenize(self.key, finish, dtype, shape)}"
        key = (name, *(0 for _ in shape))
        tasks = {key: task(key, _finished, finish, np.dtype(dtype), reference(self.key))}
        chunks = tuple((size,) for size in shape)
        return new_array(name, tasks, [self.step], chunks, block_meta(len(shape), dtype))


def _finished(finish: Callable[[Any], Any], dtype: np.dtype[Any], folded: Any) -> NDArray:
    return np.asarray(finish(folded), dtype)


def fold(
    images: Sequence[Array],
    measure: Callable[..., Any],
    merge: Callable[[list[Any]], Any],
    name: str,
    step: str,
    after: Folded | None = None,
) -> Folded:
    """
    Measure every block, and merge the results.

    Parameters
    ----------
    images : list of dask.array.Array
        Of equal shapes and chunks. Blocks without pixels are left out.
    measure : callable
        ``measure(start, *blocks)``, with the position of the block's first pixel; if there is
        a fold before this one, ``measure(start, *blocks, result)``.
    merge : callable
        ``merge(results)`` merges several, in the order of their blocks, at least one.
    name : str
        Of the function that the user called.
    step : str
        What this measures, for the names of tasks.
    after : Folded, optional
        A fold before this one, which images made by its `again` do not have to wait for.

    Returns
    -------
    Folded
    """
    token = tokenize([image.name for image in images], measure, merge, after and after.key)
    name = f"{name}-{step}-{token}"
    known, needed = [], list(images)
    if after is not None:
        known = [reference(after.key)]
        needed = [*images, after.step]
    tasks: dict[Any, Any] = {}
    level: list[Any] = []
    bounds = block_bounds(images[0].chunks)
    for index in _with_pixels(images[0]):
        start = tuple(along[i] for along, i in zip(bounds, index))
        blocks = [reference((blocks_of(image), *index)) for image in images]
        key = (f"{name}-measure", *index)
        tasks[key] = task(key, measure, start, *blocks, *known)
        level.append(key)
    _merge_in_a_tree(tasks, level, merge, name)
    return Folded(Step(name, tasks, needed), name)


def fold_measured(
    measured: Array, merge: Callable[[list[Any]], Any], name: str, step: str
) -> Folded:
    """
    Merge what was measured of blocks already.

    Parameters
    ----------
    measured : dask.array.Array
        Of the chunks of an image; its blocks are anything that ``merge`` takes. Those without
        pixels are left out.
    merge, name, step
        As for `fold`.

    Returns
    -------
    Folded
    """
    name = f"{name}-{step}-{tokenize(measured.name, merge)}"
    tasks: dict[Any, Any] = {}
    level = [block_key(measured, index) for index in _with_pixels(measured)]
    _merge_in_a_tree(tasks, level, merge, name)
    return Folded(Step(name, tasks, [measured]), name)


def _with_pixels(image: Array) -> Iterator[Shape]:
    """Yield the indices of blocks that have pixels."""
    for index in np.ndindex(image.numblocks):
        if all(sizes[i] for sizes, i in zip(image.chunks, index)):
            yield index


def _merge_in_a_tree(
    tasks: dict[Any, Any], level: list[Any], merge: Callable[[list[Any]], Any], name: str
) -> None:
    """Add tasks that merge the results of others; the key of the last is ``name``."""
    depth = 0
    follow: list[Any] = []
    while len(level) > 1 or not depth:
        groups = [level[i : i + TOGETHER] for i in range(0, len(level), TOGETHER)] or [[]]
        last = len(groups) == 1
        level = [name if last else (f"{name}-merge", depth, i) for i in range(len(groups))]
        for key, group in zip(level, groups):
            parts = sequence(reference(each) for each in group)
            tasks[key] = task(key, call_after, merge, parts, *(follow if last else []))
        if not depth and not last:
            follow = [in_turn(tasks, f"{name}-follow", map(reference, level))]
        depth += 1


def value_range(image: Array, name: str) -> tuple[Array, Array]:
    """
    Return the least and the greatest value of an image, lazily, as `dask.array.min` and max do.

    Those refuse blocks without pixels. NaN is both, if there is any.
    """
    limits = fold([image], block_limits, merge_limits, name, "range")
    low, high = (limits.array(f"{name}-range", end, image.dtype) for end in (_least, _greatest))
    return low, high


def block_limits(start: Shape, block: Block) -> tuple[Any, Any]:
    """Return the least and the greatest value of a block."""
    return block.min(), block.max()


def merge_limits(parts: Sequence[tuple[Any, Any] | None]) -> tuple[Any, Any] | None:
    """Merge what `block_limits` returned for several; None stands for none."""
    limits = [part for part in parts if part is not None]
    lows, highs = zip(*limits) if limits else ((), ())
    return (np.min(lows), np.max(highs)) if limits else None


def _least(limits: tuple[Any, Any]) -> Any:
    return limits[0]


def _greatest(limits: tuple[Any, Any]) -> Any:
    return limits[1]
