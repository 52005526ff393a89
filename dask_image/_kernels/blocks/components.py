"""
Connected components of one block: label it, look at parts of it, relabel it.

With numba, components are joined run by run: a line of pixels is cut into runs
of foreground, and runs of neighbouring lines are united in a disjoint-set
forest (He, Chao and Suzuki, "A run-based two-scan labeling algorithm", IEEE
Transactions on Image Processing 17, 2008). Runs are found in raster order and
the smaller root always wins, so components come out numbered by their first
pixel, as SciPy numbers them. Without numba, SciPy labels the block.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from dask_image._kernels._numba import jit, jit_inline, jit_part, use_numba
from dask_image._kernels.blocks.bits import (
    count_all,
    count_changes,
    pack_lines,
    trailing_zeros,
    unpack_lines,
)
from dask_image._kernels.blocks.runs import Ascending, as_array
from dask_image._kernels.memory import recycled, scratch
from dask_image._kernels.patience import patient
from dask_image._utils.typing import Shape


def _every_method(foreground, displacements, shape=None):
    """Do with the components of a block all that can be done with them."""
    components = RunComponents(foreground, displacements, shape)
    components.first_pixels()
    components.part((slice(0, 1),) * len(components.shape))
    components.touched_by(np.ones(components.shape, bool))


def _pixels(foreground, displacements, shape=None):
    return foreground.size if shape is None else math.prod(shape)


@patient(rehearsal=_every_method, pixels=_pixels)
def components_of(foreground, displacements, shape=None):
    """
    Return the connected components of one block.

    Parameters
    ----------
    foreground : numpy.ndarray
        Of bool, one axis at least; or of uint64, as `pack_lines` makes it.
    displacements : tuple of tuples of int
        The steps from a pixel to those it is connected with: with each step
        its opposite, without the step to itself.
    shape : tuple of int, optional
        Of the block, if the foreground is packed.

    Returns
    -------
    RunComponents or ArrayComponents
        Both have the same methods.
    """
    if use_numba():
        return RunComponents(foreground, displacements, shape)
    if shape is not None:
        foreground = unpack_lines(foreground, shape)
    return ArrayComponents(foreground, displacements)


class ArrayComponents:
    """Components held as an array of labels (the way without numba)."""

    def __init__(self, foreground, displacements):
        self._displacements = displacements
        if any(abs(step) > 1 for displacement in displacements for step in displacement):
            self._labels, self.count = _label_by_graph(foreground, displacements)
        else:
            structure = np.zeros((3,) * foreground.ndim, bool)
            for displacement in displacements:
                structure[tuple(step + 1 for step in displacement)] = True
            self._labels, self.count = ndimage.label(foreground, structure)

    def first_pixels(self, start=None, image_shape=None):
        """
        Return the position in C order of every component's first pixel.

        Parameters
        ----------
        start, image_shape : tuple of int, optional
            Where the block begins in an image, of which shape: positions are those in
            the image. Without them those in the block.

        Returns
        -------
        numpy.ndarray of int64
        """
        labels = self._labels.ravel()
        firsts = np.zeros(self.count + 1, np.int64)
        # Labels count up in raster order, so a first pixel follows a smaller label (or is the
        # very first pixel). Of values assigned to one element the last stays: reverse them.
        candidates = np.flatnonzero(labels[1:] > labels[:-1])[::-1] + 1
        firsts[labels[candidates]] = candidates
        if labels.size and labels[0]:
            firsts[1] = 0
        lines, columns = np.divmod(firsts[1:], max(self._labels.shape[-1], 1))
        return _line_starts(self._labels.shape, start, image_shape)[lines] + columns

    def touched_by(self, seeds):
        """Return which components contain a True pixel of ``seeds``."""
        touched = np.zeros(self.count + 1, bool)
        touched[self._labels[seeds]] = True
        return touched[1:]

    def part(self, box):
        """Return the labels in ``box``, a tuple of slices with step 1."""
        return self._labels[box].astype(np.int32 if self.count < 2**31 else np.int64)

    def relabel(self, table):
        """Return ``table[label]`` of every pixel; the first of the table is for background."""
        return table[self._labels]

    def keep(self, most_bytes):
        """Return what can `relabel` as well, with a bit a pixel if labels take more than that."""
        if self._labels.nbytes <= most_bytes:
            return self
        words = pack_lines(self._labels != 0)
        return PackedForeground(words, self._displacements, self._labels.shape)


class RunComponents:
    """
    Components held as runs of pixels along the last axis.

    Parameters
    ----------
    foreground, displacements, shape
        As for `components_of`.
    """

    def __init__(self, foreground, displacements, shape=None):
        self.shape = foreground.shape if shape is None else shape
        self._displacements = displacements
        self._words = pack_lines(foreground) if shape is None else foreground
        self._adjacent = any(step[-1] == 1 and not any(step[:-1]) for step in displacements)
        links = _line_links(displacements, self._adjacent, len(self.shape))
        # Counted first, for in a worker thread large new arrays cost more than another look.
        runs = count_changes(self._words) // 2 if self._adjacent else count_all(self._words)
        self._bounds = np.empty(2 * runs, np.int32)
        self._pointer = np.zeros(len(self._words) + 1, np.int64)
        _find_runs(self._words, self.shape[-1], self._adjacent, self._bounds, self._pointer)
        self._labels = np.arange(runs, dtype=np.int32 if runs < 2**31 else np.int64)
        outer_shape = np.array(self.shape[:-1], np.int64)
        most = int(np.diff(self._pointer).max(initial=0))
        memory = np.zeros_like(outer_shape), np.empty((2 * most + 1, 2), np.int64)
        _unite_runs((self._bounds, self._pointer, outer_shape), *links, memory, self._labels)
        self.count = int(_number_roots(self._labels))

    def first_pixels(self, start=None, image_shape=None):
        """Return where every component's first pixel is, as that of `ArrayComponents` does."""
        starts = _line_starts(self.shape, start, image_shape)
        firsts = np.empty(self.count + 1, np.int64)
        _first_pixels(self._bounds, self._pointer, self._labels, starts, firsts)
        return firsts[:-1]

    def touched_by(self, seeds):
        """Return which components contain a True pixel of ``seeds``."""
        touched = np.zeros(self.count + 1, np.bool_)
        if self.count:
            _touch(self._bounds, self._pointer, self._labels, pack_lines(seeds), touched)
        return touched[1:]

    def part(self, box):
        """Return the labels in ``box``, a tuple of slices with step 1."""
        identity = np.arange(self.count + 1, dtype=self._labels.dtype)
        return self._relabel(box, identity)

    def relabel(self, table):
        """Return ``table[label]`` of every pixel; the first of the table is for background."""
        return self._relabel((slice(None),) * len(self.shape), table)

    def keep(self, most_bytes):
        """
        Return what can `relabel` as well: with the runs, or if they take more, with a bit a pixel.
        """
        if self._bounds.nbytes + self._labels.nbytes <= most_bytes:
            self._words = None
            # Of thin lines it would take as much as they do in bits.
            self._pointer = Ascending(self._pointer)
            return self
        return PackedForeground(self._words, self._displacements, self.shape)

    def _relabel(self, box, table):
        ranges = [range(size)[part] for size, part in zip(self.shape, box)]
        shape = [len(part) for part in ranges]
        size = int(np.prod(shape, dtype=np.int64))
        relabelled = recycled((size + WRITTEN_AT_ONCE,), table.dtype)
        if size:
            lines = np.zeros((), np.int64)
            for along, part in zip(self.shape[:-1], ranges[:-1]):
                lines = lines[..., None] * along + np.array(part, np.int64)
            runs = self._bounds, as_array(self._pointer), self._labels
            most = int(np.diff(runs[1]).max(initial=0))
            long = scratch("long runs", 4 * most + 4, np.int64)
            start, width = ranges[-1].start, shape[-1]
            _relabel_lines(runs, lines.ravel(), start, width, table, long, relabelled)
        return relabelled[:size].reshape(shape)


@dataclass(frozen=True)
class PackedForeground:
    """
    The foreground of a block, a bit a pixel, to find its components again.

    Parameters
    ----------
    words : numpy.ndarray of uint64
        As `pack_lines` makes it.
    displacements : tuple of tuples of int
        As for `components_of`.
    shape : tuple of int
        Of the block.
    """

    words: np.ndarray
    displacements: tuple[Shape, ...]
    shape: Shape

    def relabel(self, table):
        """Return ``table[label]`` of every pixel; the first of the table is for background."""
        return components_of(self.words, self.displacements, self.shape).relabel(table)


def _line_starts(shape, start, image_shape):
    """Return where in an image each line of a block begins, in C order."""
    image_shape = shape if image_shape is None else image_shape
    start = (0,) * len(shape) if start is None else start
    starts = np.zeros((), np.int64)
    for size, first, whole in zip(shape[:-1], start, image_shape):
        starts = starts[..., None] * whole + np.arange(first, first + size)
    return starts.ravel() * image_shape[-1] + start[-1]


@patient
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


# Columns of the steps that lead from one line to another: where they begin and end, and whether
# `_unite_lines` will do.
LOW, HIGH, SIMPLE = range(3)


@functools.lru_cache
def _line_links(displacements, adjacent, ndim):
    """
    Group the backward displacements by the line they lead to.

    Returns the steps between lines, shape (n, ndim - 1); the smallest and the largest step
    within the line, and whether `_unite_lines` will do for them, shape (n, 3); and for
    each line a running count of the steps within it, so that two look-ups tell whether an
    interval of steps holds any; None if none needs it.
    """
    reach = max((abs(step[-1]) for step in displacements), default=0)
    links = sorted(backward_half(displacements))
    grouped = {
        outer: {step[-1] for step in group}
        for outer, group in itertools.groupby(links, key=lambda step: step[:-1])
    }
    this_line = (0,) * (ndim - 1)
    # Adjacent pixels of one line share a run already.
    if adjacent and grouped[this_line] == {-1}:
        del grouped[this_line]
    outer = np.array(list(grouped), np.int64).reshape(len(grouped), ndim - 1)
    # Runs that may touch, single pixels, must not be widened.
    few = 3 if adjacent else 1
    reaches = [
        (min(steps), max(steps), len(steps) == max(steps) - min(steps) + 1 <= few)
        for steps in grouped.values()
    ]
    reaches = np.array(reaches, np.int64).reshape(-1, 3)
    if reaches[:, SIMPLE].all():
        return outer, reaches, None
    allowed = np.zeros((len(grouped), 2 * reach + 2), np.int64)
    for row, steps in zip(allowed, grouped.values()):
        row[[step + reach + 1 for step in steps]] = 1
    return outer, reaches, allowed.cumsum(axis=1)


# Places are unsigned where many are read: a signed one may count from the end, and it takes a fifth
# of the time to see that it does not.
ONE = np.uint64(1)


@jit
def _find_runs(words, length, adjacent, bounds, pointer):
    """Write where each run of ones starts and ends; if not ``adjacent``, each one is a run."""
    one, top = np.uint64(1), np.uint64(63)
    written = 0
    for line in range(words.shape[0]):
        carry = np.uint64(0)
        for k in range(words.shape[1]):
            word = words[line, k]
            first = 64 * k
            if adjacent:
                changes = word ^ ((word << one) | carry)
                carry = word >> top
                while changes:
                    bounds[np.uint64(written)] = first + np.int64(trailing_zeros(changes))
                    written += 1
                    changes &= changes - one
            else:
                while word:
                    bounds[written] = first + np.int64(trailing_zeros(word))
                    bounds[written + 1] = bounds[written] + 1
                    written += 2
                    word &= word - one
        if carry:
            bounds[written] = length
            written += 1
        pointer[line + 1] = written // 2


@jit_part
def _unite(parent, left, right):
    """
    Unite two trees, of which no node's parent comes after it.

    Both paths are climbed at once, and spliced on the way (M. Rem's algorithm; Dijkstra,
    "A Discipline of Programming", 1976, ch. 23).
    """
    above, other = parent[np.uint64(left)], parent[np.uint64(right)]
    while above != other:
        if above < other:
            left, right, above, other = right, left, other, above
        parent[np.uint64(left)] = other
        if above == left:
            break
        left, above = np.int64(above), parent[np.uint64(above)]


@jit_inline
def _unite_lines(bounds, here, here_end, there, there_end, low, before, after, pairs, parent):
    """
    Unite the runs of two lines of which steps from ``low`` to ``low + before + after`` lead.

    Runs of one line are a pixel apart at least: with up to one pixel more at their ends they
    still do not overlap, and a merge of both sorted lists finds all that meet.
    """
    found = 0
    while here < here_end and there < there_end:
        ours, theirs = np.uint64(2 * here), np.uint64(2 * there)
        begin, end = bounds[ours] + low, bounds[ours + ONE] + low + after
        other_begin, other_end = bounds[theirs] - before, bounds[theirs + ONE]
        # Written always, and kept if they meet: a branch would be mispredicted.
        pairs[np.uint64(found), 0] = here
        pairs[np.uint64(found), 1] = there
        found += (begin < other_end) & (other_begin < end)
        here += end <= other_end
        there += other_end <= end
    for pair in range(np.uint64(found)):
        _unite(parent, pairs[pair, 0], pairs[pair, 1])


@jit_inline
def _unite_lines_by_steps(bounds, here, here_end, there, there_end, low, high, allowed, parent):
    """Unite the runs of two lines that any of the steps marked in ``allowed`` joins."""
    reach = allowed.size // 2 - 1
    for run in range(here, here_end):
        lowest, highest = bounds[2 * run] + low, bounds[2 * run + 1] - 1 + high
        while there < there_end and bounds[2 * there + 1] <= lowest:
            there += 1
        candidate = there
        while candidate < there_end and bounds[2 * candidate] <= highest:
            # The steps from this run to the candidate are all those in an interval.
            first = bounds[2 * candidate] - bounds[2 * run + 1] + 1
            first = first + reach if first > -reach else 0
            last = bounds[2 * candidate + 1] - 1 - bounds[2 * run]
            last = (last if last < reach else reach) + reach + 1
            if first < last and allowed[last] > allowed[first]:
                _unite(parent, run, candidate)
            candidate += 1


@jit
def _unite_runs(runs, outer, reaches, allowed, memory, parent):
    """
    Unite the runs of lines that touch; a run's ``parent`` is itself at first.

    ``allowed`` is None where all steps are simple: what is None is not compiled. ``memory`` is an
    index of zeros and two pairs of runs for each run of a line, and one more.
    """
    bounds, pointer, outer_shape = runs
    index, pairs = memory
    for line in range(pointer.size - 1):
        here, here_end = pointer[line], pointer[line + 1]
        for link in range(len(outer)):
            inside, other = here < here_end, 0
            for axis in range(index.size):
                position = index[axis] + outer[link, axis]
                inside &= 0 <= position < outer_shape[axis]
                other = other * outer_shape[axis] + position
            if not inside:
                continue
            there, there_end = pointer[other], pointer[other + 1]
            low, high = reaches[link, LOW], reaches[link, HIGH]
            if allowed is None or reaches[link, SIMPLE]:
                after = (high - low + 1) // 2
                before = high - low - after
                _unite_lines(
                    bounds, here, here_end, there, there_end, low, before, after, pairs, parent
                )
            else:
                _unite_lines_by_steps(
                    bounds, here, here_end, there, there_end, low, high, allowed[link], parent
                )
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
            parent[run] = parent[np.uint64(parent[run])]
    return count


@jit
def _first_pixels(bounds, pointer, labels, line_starts, firsts):
    """Write where each component begins; ``firsts`` has an entry more than there are components."""
    known = 0
    for line in range(pointer.size - 1):
        start = line_starts[line]
        for run in range(pointer[line], pointer[line + 1]):
            # Written always, and kept if the label is a new one: a branch would be mispredicted.
            firsts[np.uint64(known)] = start + bounds[np.uint64(2 * run)]
            known += labels[np.uint64(run)] > known


@jit
def _touch(bounds, pointer, labels, seeds, touched):
    every = ~np.uint64(0)
    for line in range(pointer.size - 1):
        for run in range(pointer[line], pointer[line + 1]):
            if touched[labels[run]]:
                continue
            begin, last = np.uint64(bounds[2 * run]), np.uint64(bounds[2 * run + 1] - 1)
            word, last_word = np.int64(begin >> np.uint64(6)), np.int64(last >> np.uint64(6))
            found = seeds[line, word] & (every << (begin & np.uint64(63)))
            while word < last_word and not found:
                word += 1
                found = seeds[line, word]
            if word == last_word:
                found &= every >> (np.uint64(63) - (last & np.uint64(63)))
            touched[labels[run]] = found != 0


# So many pixels are written at a time, branch or not.
WRITTEN_AT_ONCE = 12


@jit
def _relabel_lines(runs, lines, first, width, table, long, relabelled):
    """
    Relabel ``width`` pixels of some lines, from column ``first`` on, into ``relabelled``.

    ``runs`` are their bounds, which of them lie in each line, and their labels. Of each run, and of
    the background before it, some pixels are written, too many as a rule, and what follows is
    written over them: no branch depends on how short it is. What is longer is noted in ``long``,
    which has room for all of a line, and completed when the line has been gone through. The
    last line may leave up to `WRITTEN_AT_ONCE` pixels beyond its end.
    """
    bounds, pointer, labels = runs
    background = table[0]
    for number in range(lines.size):
        line = lines[number]
        base, stop = number * width, (number + 1) * width
        run, run_end = pointer[line], pointer[line + 1]
        if first:  # a face at the end of the lines: it meets the last runs
            run = run_end
            while run > pointer[line] and bounds[2 * run - 1] > first:
                run -= 1
        at, noted = base, 0 * base
        shift = base - first
        for each in range(run, run_end):
            bound = np.uint64(2 * each)
            begin, end = bounds[bound] + shift, bounds[bound + ONE] + shift
            begin, end = begin if begin > base else base, end if end < stop else stop
            if begin >= stop:
                break
            noted = _begin(relabelled, at, begin, background, long, noted)
            value = table[np.uint64(labels[np.uint64(each)])]
            noted = _begin(relabelled, begin, end, value, long, noted)
            at = end
        noted = _begin(relabelled, at, stop, background, long, noted)
        for each in range(noted):
            place, last = long[2 * each], long[2 * each + 1] - WRITTEN_AT_ONCE
            value = relabelled[place]
            place += WRITTEN_AT_ONCE
            while place < last:
                _write(relabelled, place, value)
                place += WRITTEN_AT_ONCE
            _write(relabelled, last, value)


@jit_part
def _begin(relabelled, start, stop, value, long, noted):
    """Write the first pixels of what has one value, and note from where to where it is if long."""
    _write(relabelled, start, value)
    at = np.uint64(2 * noted)
    long[at], long[at + ONE] = start, stop
    return noted + (stop - start > WRITTEN_AT_ONCE)


@jit_part
def _write(relabelled, start, value):
    for step in range(WRITTEN_AT_ONCE):
        relabelled[np.uint64(start + step)] = value


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
