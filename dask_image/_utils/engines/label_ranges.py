"""
Measure millions of labels without holding all in one task: cut the partials at ranges of labels.

Blocks are measured and merged in groups, as in `label_reduction`. A sample of the labels of each
group tells where to cut the labels above 0 into ranges that hold about as many each. A task a
range then merges what the groups have of its labels, and hands the rows to the function of the
caller. Ranges follow each other as labels do, so that rows ascend through all of them::

    measured = [measure_blocks(GEOMETRY, labels), measure_blocks(SUMS, labels, image)]
    ranges = merge_in_ranges(measured, count_ranges(labels, bytes_a_row), "table")
    parts = ranges.apply("table", function, *arguments)  # function((partial, partial), …)
    column = parts.array("table-column", meta)           # one chunk a range
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dask.delayed import Delayed

from dask_image._utils import options
from dask_image._utils.engines.graph import (
    Step,
    blocks_of,
    delayed_in,
    in_turn,
    new_array,
    reference,
    sequence,
    task,
    tokenize,
)
from dask_image._utils.engines.label_reduction import COUNTS, MeasuredBlocks, MergedPartial
from dask_image._utils.typing import Array, Block

# Objects are taken to be no smaller, 4 by 4 pixels. Where they are, ranges take more memory.
PIXELS_AN_OBJECT = 16
MOST_RANGES = 128

# Partials of blocks are merged until there are no more groups than this, and no more pieces than
# blocks; but not to less than a few groups, of which none holds most of the table.
MOST_GROUPS = 256
FEWEST_GROUPS = 4

SAMPLED_LABELS = 4096
"""How many labels of a group help to find where to cut."""


def count_ranges(labels: Array, row: int) -> int:
    """
    Return how many ranges to make.

    Parameters
    ----------
    labels : dask.array.Array
    row : int
        How many bytes the result has for a label.

    Returns
    -------
    int
        No more than there are blocks.
    """
    objects = labels.size / PIXELS_AN_OBJECT
    wanted = math.ceil(objects * row / max(options.memory("partition"), 1))
    return max(min(wanted, MOST_RANGES, math.prod(labels.numblocks)), 1)


@dataclass(frozen=True)
class LabelRanges:
    """
    Something of every range of labels, lazy.

    Attributes
    ----------
    keys : tuple
        A task for each range.
    step : Step
        The tasks behind them.
    """

    keys: tuple[Any, ...]
    step: Step

    def apply(
        self,
        name: str,
        function: Callable[..., Any],
        *arguments: Any,
        beside: LabelRanges | None = None,
    ) -> LabelRanges:
        """
        Call a function with what there is of each range.

        Parameters
        ----------
        name : str
            Of the function that the user called, and of the step if it has several.
        function : callable
            ``function(value, *arguments)``; it must not modify the value.
        *arguments
            Further arguments; nothing lazy.
        beside : LabelRanges, optional
            Something else of each range: ``function(value, other, *arguments)``.

        Returns
        -------
        LabelRanges
        """
        others = () if beside is None else (beside,)
        columns = zip(self.keys, *(other.keys for other in others), strict=True)
        name = f"{name}-{tokenize(self.keys, function, arguments, [each.keys for each in others])}"
        tasks = {
            (name, number): task((name, number), function, *map(reference, keys), *arguments)
            for number, keys in enumerate(columns)
        }
        return LabelRanges(
            tuple(tasks), Step(name, tasks, [self.step, *(other.step for other in others)])
        )

    def starts(self, name: str, length: Callable[[Any], int]) -> LabelRanges:
        """Return how many rows lie before each range, where ``length(value)`` counts its own."""
        name = f"{name}-{tokenize(self.keys, length)}"
        tasks: dict[Any, Any] = {(name, 0): task((name, 0), int)}
        for number, key in enumerate(self.keys[:-1]):
            here = (name, number + 1)
            before = reference((name, number))
            tasks[here] = task(here, _add_length, before, reference(key), length)
        return LabelRanges(tuple(tasks), Step(name, tasks, [self.step]))

    def array(self, name: str, meta: Block, take: str) -> Array:
        """
        Return an array out of the dict that there is of each range.

        Parameters
        ----------
        name : str
            Of the function that the user called, and of the step.
        meta : array
            An empty array of the dtype, 1-D.
        take : str
            Its key in the dict.

        Returns
        -------
        dask.array.Array
            1-D, a chunk of unknown length for each range.
        """
        name = f"{name}-{tokenize(self.keys, take)}"
        tasks = {
            (name, number): task((name, number), operator.getitem, reference(key), take)
            for number, key in enumerate(self.keys)
        }
        return new_array(name, tasks, [self.step], ((math.nan,) * len(tasks),), meta)

    def delayed(self) -> list[Delayed]:
        """Return what there is of each range as a list of delayed objects."""
        return [delayed_in(self.step, key) for key in self.keys]


def _all(keys):
    """Return the results of several tasks as one argument, a list."""
    return sequence(map(reference, keys))


def _add_length(before, value, length):
    return before + length(value)


def merge_in_ranges(measured: Sequence[MeasuredBlocks], ranges: int, name: str) -> LabelRanges:
    """
    Merge what was measured of blocks by ranges of labels.

    Parameters
    ----------
    measured : sequence of MeasuredBlocks
        Of one family each, all of the same blocks of labels.
    ranges : int
        How many, at least 1.
    name : str
        Of the function that the user called.

    Returns
    -------
    LabelRanges
        Of each, a tuple with a partial for each of ``measured``: rows of the labels above 0.
    """
    blocks = len(measured[0].keys)
    most = 1 if ranges == 1 else max(min(MOST_GROUPS, blocks // ranges), FEWEST_GROUPS)
    grouped = [each.groups(most) for each in measured]
    groups = list(zip(*(each.keys for each in grouped), strict=True))
    steps = [each.step for each in grouped]
    families = tuple((each.merge, each.finish) for each in measured)
    token = tokenize(groups, ranges, families)
    if ranges == 1:
        columns = [[_all(groups[0])]]
    else:
        tasks, columns = _cut_groups(groups, ranges, name, token)
        steps = [Step(f"{name}-cut-{token}", tasks, steps)]
    merged = {}
    for number, pieces in enumerate(columns):
        key = (f"{name}-merge-{token}", number)
        merged[key] = task(key, _merge_range, sequence(pieces), families)
    return LabelRanges(tuple(merged), Step(f"{name}-merge-{token}", merged, steps))


def _cut_groups(groups, ranges, name, token):
    """Return tasks that cut the partials of groups, and for each range references to its pieces."""
    tasks = {}
    sample, bounds, cut, piece = (
        f"{name}-{step}-{token}" for step in ("sample", "bounds", "cut", "piece")
    )
    for number, keys in enumerate(groups):
        # It needs no more than the first family; but waiting for all of them, a block is
        # measured once and for all, not kept until the labels of all others are there.
        tasks[sample, number] = task((sample, number), _sample, _all(keys))
    samples = [reference((sample, number)) for number in range(len(groups))]
    last = in_turn(tasks, f"{name}-follow-{token}", samples)
    tasks[bounds] = task(bounds, _find_bounds, sequence(samples), ranges, last)
    columns = [[] for _ in range(ranges)]
    for number, keys in enumerate(groups):
        tasks[cut, number] = task((cut, number), _cut, _all(keys), reference(bounds))
        for column, pieces in enumerate(columns):
            key = (piece, number, column)
            tasks[key] = task(key, operator.getitem, reference((cut, number)), column)
            pieces.append(reference(key))
    return tasks, columns


def _objects(partial):
    """Return the rows of the labels above 0."""
    # Labels ascend: views will do, and a table of millions is not held twice.
    first = np.searchsorted(partial["labels"], 0, side="right")
    return {field: values[first:] for field, values in partial.items()}


def _sample(partials):
    """Return some labels above 0, and how many each of them stands for."""
    labels = _objects(partials[0])["labels"]
    step = max(-(-labels.size // SAMPLED_LABELS), 1)
    return labels[step // 2 :: step].copy(), step


def _find_bounds(samples, ranges, _):
    """Return labels, one less than ranges: where the second range begins, and so on."""
    labels = np.concatenate([values for values, _ in samples])
    weights = np.concatenate([np.full(values.size, step) for values, step in samples])
    order = np.argsort(labels)
    if not order.size:
        return np.zeros(ranges - 1, labels.dtype)
    reached = np.cumsum(weights[order])
    wanted = reached[-1] * np.arange(1, ranges) // ranges
    return labels[order[np.searchsorted(reached, wanted, side="right")]]


def _cut(partials, bounds):
    """Return for each range a list of the rows of every partial."""
    partials = [_objects(partial) for partial in partials]
    cuts = [
        [0, *np.searchsorted(partial["labels"], bounds).tolist(), partial["labels"].size]
        for partial in partials
    ]
    # Copies: views would keep all rows until the last range is done.
    return [
        [
            {field: values[where[number] : where[number + 1]].copy() for field, values in rows}
            for rows, where in zip(map(dict.items, partials), cuts, strict=True)
        ]
        for number in range(len(bounds) + 1)
    ]


def _merge_range(pieces, families):
    """Merge the partials of each family from all groups."""
    return tuple(
        _merge_one([_objects(piece[number]) for piece in pieces], *family)
        for number, family in enumerate(families)
    )


def _merge_one(partials, merge, finish):
    there = [partial for partial in partials if partial["labels"].size] or partials[:1]
    merged = there[0] if len(there) == 1 else merge(there)
    return merged if finish is None else finish(merged)


# ---------------------------------------------------------------------------------------
# The labels themselves


def counts_in_ranges(
    ranges: LabelRanges, labels: Array, name: str
) -> tuple[LabelRanges, MergedPartial]:
    """
    Return how many pixels each label above 0 has, in ranges and as the partial of the image.

    Parameters
    ----------
    ranges : LabelRanges
        From `merge_in_ranges`; the first family has a ``count``.
    labels : dask.array.Array
        What was measured.
    name : str
        Of the function that the user called.

    Returns
    -------
    LabelRanges, MergedPartial
        Of the family ``COUNTS``.
    """
    parts = ranges.apply(f"{name}-count", _labels_and_counts)
    key = (f"{name}-counts-{tokenize(parts.keys)}", 0)
    step = Step(key[0], {key: task(key, _join_counts, _all(parts.keys))}, [parts.step])
    return parts, MergedPartial(key, step, COUNTS, labels.shape, labels.dtype)


def _labels_and_counts(partials):
    return {field: partials[0][field] for field in ("labels", "count")}


def _join_counts(parts):
    return {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}


def rows_in_ranges(
    counts: LabelRanges, whole: MergedPartial, rows: Array, name: str
) -> LabelRanges:
    """
    Cut rows of all labels above 0 at the ranges.

    Parameters
    ----------
    counts, whole : LabelRanges, MergedPartial
        From `counts_in_ranges`.
    rows : dask.array.Array
        A row for each label above 0, ascending, in one chunk.
    name : str
        Of the function that the user called.

    Returns
    -------
    LabelRanges
    """
    name = f"{name}-rows-{tokenize(counts.keys, rows)}"
    tasks = {}
    source = reference((blocks_of(rows), 0))
    for number, key in enumerate(counts.keys):
        here = (name, number)
        tasks[here] = task(here, _rows_of, source, reference(whole.key), reference(key))
    return LabelRanges(tuple(tasks), Step(name, tasks, [counts.step, whole.step, rows]))


def _rows_of(rows, whole, mine):
    labels = mine["labels"]
    first = np.searchsorted(whole["labels"], labels[0]) if labels.size else 0
    return rows[first : first + labels.size].copy()
