"""
Measure labels on axes whose ends meet.

Along such an axis a label is cut where it leaves the widest gap, and what lies before the cut
counts as lying behind the end: as if the image had been rolled until no label crosses its edge.
Where that is depends on all blocks, so partials are kept by pieces until then: a row for each
stretch of positions, along each of these axes, that a label holds without a gap. Since a cut
lies in a gap, it never goes through a piece.
"""

import math

import numpy as np

from dask_image._kernels.blocks.label_columns import BEGIN, END
from dask_image._kernels.blocks.label_index import find_runs, index_labels


def piece_partial(measure, axes, index, *inputs):
    """
    Measure the pieces of each label of a block.

    Parameters
    ----------
    measure : callable
        Measures labels: ``measure(index, [block,] location)``.
    axes : tuple of int
        The axes whose ends meet.
    index : LabelIndex
        The block's labels.
    *inputs
        The block of values, if it is read, and where the block lies.

    Returns
    -------
    dict of numpy.ndarray
        What ``measure`` returns, with a row a piece, labels ascending; and ``spans``
        (n, number of axes, 2), where it begins and ends (excluded) along each of the axes, in the
        whole image.
    """
    runs = find_runs(index)
    along = [_united(runs.slots, _spans_of_runs(runs, axis)) for axis in axes]
    if all(len(bounds) == runs.labels.size for _, bounds in along):
        partial = measure(index, *inputs)
        rows = [np.arange(runs.labels.size)] * len(axes)
    else:
        # Pieces are numbered by label first, so that labels stay in order.
        rows, pieces = _distinct_columns(np.stack([numbers for numbers, _ in along]))
        pixels = np.repeat(pieces, np.diff(runs.starts)).reshape(index.shape)
        partial = measure(index_labels(pixels), *inputs)
        owners = np.empty(rows.shape[1], np.intp)
        owners[pieces] = runs.slots
        partial["labels"] = runs.labels[owners]
    origin = inputs[-1].origin
    spans = [
        bounds[there] + origin[axis]
        for (_, bounds), there, axis in zip(along, rows, axes, strict=True)
    ]
    return partial | {"spans": np.stack(spans, axis=1)}


def _spans_of_runs(runs, axis):
    """Return where each run begins and ends along an axis, in the block."""
    columns = max(runs.shape[-1], 1)
    starts, lengths = runs.starts[:-1], np.diff(runs.starts)
    if axis == len(runs.shape) - 1:
        begins = starts % columns
        return np.stack([begins, begins + lengths], axis=1)
    begins = starts // (columns * math.prod(runs.shape[axis + 1 : -1])) % runs.shape[axis]
    return np.stack([begins, begins + 1], axis=1)


def _distinct_columns(numbers):
    """Return the columns there are, in lexical order, and which of them each column is."""
    keys = np.zeros(numbers.shape[1], np.int64)
    for along in numbers:
        # Ranked after each step, keys stay below the number of columns, and products small.
        keys = np.unique(keys * (int(along.max(initial=0)) + 1) + along, return_inverse=True)[1]
    _, first, keys = np.unique(keys, return_index=True, return_inverse=True)
    return numbers[:, first], keys


def merge_pieces(merge, partials):
    """
    Merge partials of `piece_partial`: pieces of a label that touch become one.

    Parameters
    ----------
    merge : callable
        Merges partials of labels.
    partials : list of dict
        Partials of blocks that share no pixel.

    Returns
    -------
    dict
        As `piece_partial` gives it for all those blocks at once.
    """
    labels = np.concatenate([partial["labels"] for partial in partials])
    spans = np.concatenate([partial["spans"] for partial in partials])
    along = [_united(labels, spans[:, axis]) for axis in range(spans.shape[1])]
    rows, keys = _distinct_columns(np.stack([numbers for numbers, _ in along]))
    merged = _merged_by(merge, partials, keys)
    first = np.zeros(rows.shape[1], np.int64)
    first[keys] = np.arange(keys.size)
    united = [bounds[row] for (_, bounds), row in zip(along, rows, strict=True)]
    return merged | {"labels": labels[first], "spans": np.stack(united, axis=1)}


def _united(labels, spans):
    """
    Return the union of spans of equal labels that touch: which one each is in, and their bounds.
    """
    order = np.lexsort((spans[:, BEGIN], labels))
    labels = labels[order]
    new = np.ones(order.size, bool)
    new[1:] = labels[1:] != labels[:-1]
    owner = np.cumsum(new)
    begin, end = spans[order].T
    # Positions of each label lie beyond all those of the ones before it.
    beyond = int(end.max(initial=0)) + 1
    reached = np.maximum.accumulate(owner * beyond + end)
    begins = new
    begins[1:] |= (owner * beyond + begin)[1:] > reached[:-1]
    numbers = np.empty(order.size, np.int64)
    numbers[order] = np.cumsum(begins) - 1
    last = np.append(begins[1:], np.ones(min(order.size, 1), bool))
    bounds = np.stack([begin[begins], reached[last] - owner[last] * beyond], axis=1)
    return numbers, bounds


def _merged_by(merge, partials, keys):
    """Merge rows of equal keys, of which a partial may hold several."""
    parts, start = [], 0
    for partial in partials:
        rows = {name: values for name, values in partial.items() if name != "spans"}
        left = keys[start : start + partial["labels"].size]
        start += left.size
        places = np.arange(left.size)
        while True:
            found, first = np.unique(left, return_index=True)
            chosen = places[first]
            parts.append(
                {name: values[chosen] for name, values in rows.items()} | {"labels": found}
            )
            left, places = np.delete(left, first), np.delete(places, first)
            if not left.size:
                break
    return merge(parts)


def unwrap_pieces(merge, shift, axes, shape, partial):
    """
    Put the pieces of each label together, on the side of the ends where they belong.

    Parameters
    ----------
    merge : callable
        Merges partials of labels.
    shift : callable
        ``shift(partial, distances)`` moves the pixels of each row by so many positions along
        each axis of the image.
    axes : tuple of int
        The axes whose ends meet.
    shape : tuple of int
        Of the image.
    partial : dict
        Of `piece_partial` or `merge_pieces`, for the whole image.

    Returns
    -------
    dict
        A row for each label, without ``spans``. Along ``axes`` positions begin in the image,
        and may lie behind its end.
    """
    labels, spans = partial["labels"], partial["spans"]
    rows = {name: values for name, values in partial.items() if name != "spans"}
    distances = np.zeros((labels.size, len(shape)), np.int64)
    for place, axis in enumerate(axes):
        begins = _beginning(labels, spans[:, place], shape[axis])
        distances[:, axis] = np.where(spans[:, place, BEGIN] < begins, shape[axis], 0)
    present, keys = np.unique(labels, return_inverse=True)
    return _merged_by(merge, [shift(rows, distances)], keys) | {"labels": present}


def _beginning(labels, spans, size):
    """Return, for each row, where its label begins: behind the widest gap."""
    numbers, bounds = _united(labels, spans)
    owner = np.empty(len(bounds), labels.dtype)
    owner[numbers] = labels
    first = np.append(True, owner[1:] != owner[:-1])[: owner.size]
    heads = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    tails = np.append(heads[1:], owner.size)[: heads.size] - 1
    # The gap before each; before the first one it goes through the ends of the axis.
    before = np.roll(bounds[:, END], 1)
    before[heads] = bounds[tails, END] - size
    gaps = bounds[:, BEGIN] - before
    # Of gaps alike the first counts, so that what need not cross the ends does not.
    widest = np.lexsort((np.arange(gaps.size), -gaps, group))[heads]
    return bounds[widest, BEGIN][group[numbers]]


def beginning(places, size):
    """
    Return where an object begins along an axis whose ends meet: behind the widest gap.

    Parameters
    ----------
    places : numpy.ndarray of int
        Of its pixels along the axis; at least one.
    size : int
        Of the image along the axis.

    Returns
    -------
    int
    """
    return int(_beginning(np.zeros(places.size, bool), np.stack([places, places + 1], 1), size)[0])
