"""
Connected components of one block: label it, look at parts of it, paint it.

With numba, components are joined run by run: a line of pixels is cut into runs
of foreground, and runs of neighbouring lines are united in a disjoint-set
forest (He, Chao and Suzuki, "A run-based two-scan labeling algorithm", IEEE
Transactions on Image Processing 17, 2008). Runs are found in raster order and
the smaller root always wins, so components come out numbered by their first
pixel, as SciPy numbers them. Without numba, SciPy labels the block.
"""

import functools
import itertools

import numpy as np
from scipy import ndimage, sparse

from dask_image._kernels._numba import jit, use_numba


def components_of(foreground, displacements):
    """
    Return the connected components of one block.

    Parameters
    ----------
    foreground : numpy.ndarray of bool
        One axis at least.
    displacements : tuple of tuples of int
        The steps from a pixel to those it is connected with: with each step
        its opposite, without the step to itself.

    Returns
    -------
    RunComponents or ArrayComponents
        Both have the same methods.
    """
    return (RunComponents if use_numba() else ArrayComponents)(foreground, displacements)


class ArrayComponents:
    """Components held as an array of labels (the way without numba)."""

    def __init__(self, foreground, displacements):
        if any(abs(step) > 1 for displacement in displacements for step in displacement):
            self._labels, self.count = _label_by_graph(foreground, displacements)
        else:
            structure = np.zeros((3,) * foreground.ndim, bool)
            for displacement in displacements:
                structure[tuple(step + 1 for step in displacement)] = True
            self._labels, self.count = ndimage.label(foreground, structure)

    def first_pixels(self):
        """Return the position in C order of every component's first pixel."""
        labels = self._labels.ravel()
        firsts = np.zeros(self.count + 1, np.int64)
        # Labels count up in raster order, so a first pixel follows a smaller label (or is the
        # very first pixel). Of values assigned to one element the last stays: reverse them.
        candidates = np.flatnonzero(labels[1:] > labels[:-1])[::-1] + 1
        firsts[labels[candidates]] = candidates
        if labels.size and labels[0]:
            firsts[1] = 0
        return firsts[1:]

    def touched_by(self, seeds):
        """Return which components contain a True pixel of ``seeds``."""
        touched = np.zeros(self.count + 1, bool)
        touched[self._labels[seeds]] = True
        return touched[1:]

    def part(self, box):
        """Return the labels in ``box``, a tuple of slices with step 1."""
        return self._labels[box].astype(np.int32 if self.count < 2**31 else np.int64)

    def paint(self, table):
        """Return ``table[label]`` of every pixel; the first of the table, for background, is 0."""
        return table[self._labels]


class RunComponents:
    """Components held as runs of pixels along the last axis."""

    def __init__(self, foreground, displacements):
        self._shape = foreground.shape
        length = self._shape[-1]
        lines = np.zeros((0, length), np.uint8)
        if foreground.size:
            lines = np.ascontiguousarray(foreground).view(np.uint8).reshape(-1, length)
        adjacent = any(step[-1] == 1 and not any(step[:-1]) for step in displacements)
        outer, reaches, allowed = _line_links(displacements, adjacent, len(self._shape))
        # Counted first, for in a worker thread large new arrays cost more than another look. Two
        # more for what is written and then passed over.
        self._bounds = np.empty(_count_bounds(lines, adjacent) + 2, np.int32)
        self._pointer = np.zeros(lines.shape[0] + 1, np.int64)
        runs = _find_runs(lines, adjacent, self._bounds, self._pointer)
        self._labels = np.empty(runs, np.int32 if runs < 2**31 else np.int64)
        outer_shape = np.array(self._shape[:-1], np.int64)
        strides = np.cumprod(np.append(1, outer_shape[:0:-1]))[::-1][: outer_shape.size]
        _unite_runs(
            self._bounds, self._pointer, outer_shape, outer, outer @ strides, reaches, allowed,
            self._labels,
        )  # fmt: skip
        self.count = int(_number_roots(self._labels))

    def first_pixels(self):
        """Return the position in C order of every component's first pixel."""
        firsts = np.empty(self.count, np.int64)
        _first_pixels(self._bounds, self._pointer, self._labels, self._shape[-1], firsts)
        return firsts

    def touched_by(self, seeds):
        """Return which components contain a True pixel of ``seeds``."""
        touched = np.zeros(self.count + 1, np.bool_)
        if self.count:
            lines = np.ascontiguousarray(seeds).reshape(-1, self._shape[-1])
            _touch(self._bounds, self._pointer, self._labels, lines, touched)
        return touched[1:]

    def part(self, box):
        """Return the labels in ``box``, a tuple of slices with step 1."""
        identity = np.arange(self.count + 1, dtype=self._labels.dtype)
        return self._paint(box, identity)

    def paint(self, table):
        """Return ``table[label]`` of every pixel; the first of the table, for background, is 0."""
        return self._paint((slice(None),) * len(self._shape), table)

    def _paint(self, box, table):
        ranges = [range(size)[part] for size, part in zip(self._shape, box)]
        painted = np.empty([len(part) for part in ranges], table.dtype)
        if painted.size:
            lines = np.zeros((), np.int64)
            for size, part in zip(self._shape[:-1], ranges[:-1]):
                lines = lines[..., None] * size + np.array(part, np.int64)
            _paint_lines(
                lines.ravel(), ranges[-1].start, self._bounds, self._pointer, self._labels, table,
                painted.reshape(-1, len(ranges[-1])),
            )  # fmt: skip
        return painted


def touching_pairs(ours, theirs):
    """
    Return the pairs of labels at equal positions of two arrays, background left out.

    Parameters
    ----------
    ours, theirs : numpy.ndarray of int
        Labels, 0 for background; equal shapes.

    Returns
    -------
    numpy.ndarray
        Shape (number of pairs, 2). A pair may come more than once, but hardly
        ever when it did in the position before.
    """
    ours, theirs = ours.ravel(), theirs.ravel()
    if use_numba():
        pairs = np.empty((ours.size, 2), np.int64)
        return pairs[: _collect_pairs(ours, theirs, pairs)]
    both = (ours != 0) & (theirs != 0)
    pairs = np.stack([ours[both], theirs[both]], axis=1).astype(np.int64)
    fresh = np.ones(len(pairs), bool)
    fresh[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[fresh]


def backward_half(displacements):
    """Return the displacements that lead to a pixel earlier in raster order."""
    return tuple(step for step in displacements if step < (0,) * len(step))


def _label_by_graph(foreground, displacements):
    """Label a block under a structure of any size, as a graph of its pixels."""
    number = np.cumsum(foreground.ravel(), dtype=np.int64).reshape(foreground.shape) * foreground
    count = int(foreground.sum())
    edges = [np.zeros((0, 2), np.int64)]
    for displacement in backward_half(displacements):
        here, there = [], []
        for step, size in zip(displacement, foreground.shape):
            here.append(slice(max(-step, 0), max(size - max(step, 0), 0)))
            there.append(slice(max(step, 0), max(size - max(-step, 0), 0)))
        edges.append(touching_pairs(number[tuple(here)], number[tuple(there)]))
    row, column = np.concatenate(edges).T - 1
    graph = sparse.coo_array((np.ones(row.size, bool), (row, column)), shape=(count, count))
    _, group = sparse.csgraph.connected_components(graph, directed=False)
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first)) + 1
    labels = np.zeros(foreground.shape, np.int64)
    labels[foreground] = rank[group]
    return labels, first.size


@functools.lru_cache
def _line_links(displacements, adjacent, ndim):
    """
    Group the backward displacements by the line they lead to.

    Returns the steps between lines, shape (n, ndim - 1); the smallest and the
    largest step within the line, shape (n, 2); and per line a running count of
    the steps within it, so that two look-ups tell whether an interval of steps
    holds any.
    """
    reach = max((abs(step[-1]) for step in displacements), default=0)
    links = sorted(backward_half(displacements))
    grouped = {
        outer: {step[-1] for step in group}
        for outer, group in itertools.groupby(links, key=lambda step: step[:-1])
    }
    own_line = (0,) * (ndim - 1)
    # Adjacent pixels of one line share a run already.
    if adjacent and grouped[own_line] == {-1}:
        del grouped[own_line]
    outer = np.array(list(grouped), np.int64).reshape(len(grouped), ndim - 1)
    reaches = np.array([(min(steps), max(steps)) for steps in grouped.values()], np.int64)
    allowed = np.zeros((len(grouped), 2 * reach + 2), np.int64)
    for row, steps in zip(allowed, grouped.values()):
        row[[step + reach + 1 for step in steps]] = 1
    return outer, reaches.reshape(-1, 2), allowed.cumsum(axis=1)


@jit
def _count_bounds(lines, adjacent):
    """Return how many starts and ends ``_find_runs`` will write."""
    count, length = lines.shape
    bounds = 0
    for line in range(count):
        row = lines[line]
        changes = np.int64(0)
        if adjacent:
            for column in range(1, length):
                changes += row[column] ^ row[column - 1]
            if length:
                changes += row[0] + np.int64(row[length - 1])
        else:
            for column in range(length):
                changes += 2 * np.int64(row[column])
        bounds += changes
    return bounds


@jit
def _find_runs(lines, adjacent, bounds, pointer):
    """
    Write where each run of ones starts and ends; return how many there are.

    No branch depends on a pixel, for a processor guesses those wrong: a bound
    is always written, and stays if it was one. Unsigned numbers spare the check
    for negative indices.
    """
    count, length = lines.shape
    written = np.uint64(0)
    for line in range(count):
        row = lines[line]
        if adjacent:
            previous = np.uint8(0)
            for column in range(length):
                bounds[written] = column
                written += np.uint64(row[column] ^ previous)
                previous = row[column]
            bounds[written] = length
            written += np.uint64(previous)
        else:
            for column in range(length):
                bounds[written] = column
                bounds[written + np.uint64(1)] = column + 1
                written += np.uint64(2 * row[column])
        pointer[line + 1] = np.int64(written) // 2
    return np.int64(written) // 2


@jit
def _unite(parent, left, right):
    while parent[left] != left:
        parent[left] = parent[parent[left]]
        left = parent[left]
    while parent[right] != right:
        parent[right] = parent[parent[right]]
        right = parent[right]
    if left < right:
        parent[right] = left
    else:
        parent[left] = right


@jit
def _unite_runs(bounds, pointer, outer_shape, outer, line_steps, reaches, allowed, parent):
    for run in range(parent.size):
        parent[run] = run
    reach = allowed.shape[1] // 2 - 1
    index = np.zeros(outer_shape.size, np.int64)
    for line in range(pointer.size - 1):
        for link in range(line_steps.size):
            inside = True
            for axis in range(index.size):
                position = index[axis] + outer[link, axis]
                inside &= 0 <= position < outer_shape[axis]
            if not inside:
                continue
            other = pointer[line + line_steps[link]]
            other_end = pointer[line + line_steps[link] + 1]
            for run in range(pointer[line], pointer[line + 1]):
                lowest = bounds[2 * run] + reaches[link, 0]
                highest = bounds[2 * run + 1] - 1 + reaches[link, 1]
                while other < other_end and bounds[2 * other + 1] <= lowest:
                    other += 1
                candidate = other
                while candidate < other_end and bounds[2 * candidate] <= highest:
                    # The steps from this run to the candidate are all those in an interval.
                    low = max(bounds[2 * candidate] - bounds[2 * run + 1] + 1, -reach) + reach
                    high = min(bounds[2 * candidate + 1] - 1 - bounds[2 * run], reach) + reach + 1
                    if low < high and allowed[link, high] > allowed[link, low]:
                        _unite(parent, run, candidate)
                    candidate += 1
        for axis in range(index.size - 1, -1, -1):
            index[axis] += 1
            if index[axis] < outer_shape[axis]:
                break
            index[axis] = 0


@jit
def _number_roots(parent):
    """Replace each run's parent, never a later run, by the number of its component from 1."""
    count = 0
    for run in range(parent.size):
        if parent[run] == run:
            count += 1
            parent[run] = count
        else:
            parent[run] = parent[parent[run]]
    return count


@jit
def _first_pixels(bounds, pointer, labels, length, firsts):
    known = 0
    for line in range(pointer.size - 1):
        for run in range(pointer[line], pointer[line + 1]):
            if labels[run] > known:
                firsts[known] = line * length + bounds[2 * run]
                known += 1


@jit
def _touch(bounds, pointer, labels, seeds, touched):
    for line in range(pointer.size - 1):
        for run in range(pointer[line], pointer[line + 1]):
            if not touched[labels[run]]:
                for column in range(bounds[2 * run], bounds[2 * run + 1]):
                    if seeds[line, column]:
                        touched[labels[run]] = True
                        break


@jit
def _paint_lines(lines, first, bounds, pointer, labels, table, painted):
    width = painted.shape[1]
    for number in range(lines.size):
        line = lines[number]
        row = painted[number]
        for column in range(width):
            row[column] = 0
        for run in range(pointer[line], pointer[line + 1]):
            value = table[labels[run]]
            start = max(bounds[2 * run] - first, 0)
            end = min(bounds[2 * run + 1] - first, width)
            for column in range(start, end):
                row[np.uint64(column)] = value


@jit
def _collect_pairs(ours, theirs, pairs):
    count = 0
    for position in range(ours.size):
        our, their = ours[position], theirs[position]
        if our == 0 or their == 0:
            continue
        if count and pairs[count - 1, 0] == our and pairs[count - 1, 1] == their:
            continue
        pairs[count, 0] = our
        pairs[count, 1] = their
        count += 1
    return count
