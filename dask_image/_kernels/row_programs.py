"""
Minima, maxima and ranks of windows as programs over rows of an image.

A program is a list of comparisons between rows. It runs once for every turn: some rows of
the image, extended at their ends, go into a small pool that stays in the cache; the
comparisons combine rows of the pool, each read from some shift on; the results are rows of
the output. What an operation gave in earlier turns can be read again, so nothing is computed
twice that windows above one another have in common, and shifts do the same along a row.

`Recorder` writes programs down, `sweep` runs them over an image. One small compiled loop
serves every window, footprint and rank, so there is one to compile for each dtype.
"""

import functools
import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, jit_part, use_numba, wide_vectors
from dask_image._kernels.memory import scratch
from dask_image._kernels.rows import places

LOWER, UPPER, MIDDLE, BOTH, SORTED, SUM, CHOICE = range(7)

# What becomes of a result: it is stored as it is, or its difference to another array.
AS_IT_IS, TAKEN_FROM, LESS = range(3)

# What the rows of a program take together should stay in the first-level cache, most of the
# second-level one at worst; and a loop should be long enough to pay for being started.
POOL_BYTES = 36_000
SHORTEST_BYTES = 2048
# Of a few comparisons for each row of the result most time is spent on fetching and writing
# pixels. That goes faster in long stretches, for which most of the second-level cache is close
# enough.
FEW_STEPS = 12
POOL_BYTES_OF_FEW_STEPS = 144_000

# Columns of what a program loads, where what it loads goes; columns of its steps, the first of
# three operands, of four each, and of three targets, of two; columns of what it stores, with the
# operand.
PLANE, ROW, LOADED = 0, 1, 2
KIND, ONE, LONGER, LOWEST = 0, 1, 13, 14
LINE, STORED = 0, 1


class Program(NamedTuple):
    """
    What to do in every turn, as arrays that compiled code reads.

    Attributes
    ----------
    loads : numpy.ndarray
        Rows to put into the pool, a line each: which of the planes around the output's,
        which row (counted from the turn's first), where in the pool, and its mask: a row that is
        read again in later turns has several places, used in turn.
    steps : numpy.ndarray
        Comparisons, a line each: LOWER, UPPER, MIDDLE, BOTH (the first two of two operands) or
        SORTED (all three of three), SUM (of two), or CHOICE + limit (the third where the first is
        at least ``limit``, else the second); for each of three operands its place, turn, mask and
        shift (two may be the same); how much longer than a run of pixels the result is; place and
        mask of the smallest, the largest and the middle result, or of the only one.
    stores : numpy.ndarray
        Rows of the result, a line each: which row of the output (counted from the turn's
        first), place, turn, mask and shift.
    rows : int
        Rows of the output that a turn is for.
    places : int
        Rows in the pool.
    """

    loads: np.ndarray
    steps: np.ndarray
    stores: np.ndarray
    rows: int
    places: int


class _ImageRows(NamedTuple):
    """Where a program finds the image's pixels, and what stands beyond its edges."""

    flat: Any
    planes: Any
    rows: Any
    edges: Any
    stretch: tuple[int, int, int]
    reach: int
    filler: Any


class _Pool(NamedTuple):
    """
    Memory for rows of the image, cut into tiles of columns.

    Attributes
    ----------
    pixels : numpy.ndarray
    tile : int
        How many columns of the result are computed at a time.
    loads, steps, stores : numpy.ndarray of uint64
        Where in the pool a program's lines read and write, in each of as many turns as pass
        until all stands where it stood: (turns, lines), or for steps (turns, lines, 6), three
        operands and three results.
    """

    pixels: Any
    tile: int
    loads: Any
    steps: Any
    stores: Any


class _Target(NamedTuple):
    """Planes of results, and after how many turns they are complete."""

    out: Any
    height: int
    width: int
    turns: int


class _Other(NamedTuple):
    """What becomes of a result, and the array that it may be subtracted from, or that from it."""

    how: int
    flat: Any
    planes: Any
    step: int


# Instead of the number of a value that is not wanted.
NOWHERE = -1


class Recorder:
    """
    Write comparisons of rows down, each one only once however often it is asked for.

    A value is ``(number, turn, shift)``: a row of the image or a result, as it was ``-turn``
    turns ago, read from ``shift`` on. ``inputs`` are the loads of a turn, as
    ``(plane, row)``; the value of the first is ``(0, 0, 0)``.
    """

    def __init__(self, inputs):
        self.inputs = list(inputs)
        self.known = {}

    def compare(self, kind, *values):
        """Return the value of the smallest, largest or MIDDLE one of two or three values."""
        values = sorted(set(values))
        return values[0] if len(values) == 1 else self._record(kind, values)

    def add(self, one, other):
        """Return the sum of two values; a program that has sums compares nothing."""
        return self._record(SUM, sorted([one, other]))

    def choose(self, limit, number, value, other):
        """Return ``other`` where ``number``, which nothing compares, is at least ``limit``."""
        return self._record(CHOICE + limit, [number, value, other])

    def _record(self, kind, values):
        turn, shift = max(value[1] for value in values), min(value[2] for value in values)
        operands = tuple((value[0], value[1] - turn, value[2] - shift) for value in values)
        number = self.known.setdefault((operands, kind), len(self.inputs) + len(self.known))
        return number, turn, shift

    def extremum(self, kind, values):
        """Return the smallest or largest of any number of values."""
        while len(values) > 1:
            values = [self.compare(kind, *values[i : i + 3]) for i in range(0, len(values), 3)]
        return values[0]

    def program(self, results, rows=1):
        """
        Return the program that computes ``results``, leaving out what they do not depend on.

        ``results`` are pairs of a row of the output and a value.
        """
        wanted, turns, longer = set(), {}, {}

        def use(value, extra):
            number, turn, shift = value
            wanted.add(number)
            turns[number] = max(turns.get(number, 0), -turn)
            longer[number] = max(longer.get(number, 0), shift + extra)

        for _, value in results:
            use(value, 0)
        needed = {}  # operands -> {kind: number}, last first
        for (operands, kind), number in reversed(self.known.items()):
            if number in wanted:
                needed.setdefault(operands, {})[kind] = number
                for value in operands:
                    use(value, longer[number])
        return _allocate(self.inputs, needed, results, turns, longer, rows)


def _allocate(inputs, needed, results, turns, longer, rows):
    """Give every value its places in the pool, and use those again that are free."""
    # The first of two results of a comparison may have been recorded long before the second.
    order = sorted(needed.items(), key=lambda item: min(item[1].values()))
    last_use = {}
    for position, (operands, _) in enumerate(order):
        for number, _, _ in operands:
            last_use[number] = position
    kept = {number for number, turn in turns.items() if turn} | {value[0] for _, value in results}
    places, free, count = {}, [], 0

    def place(number):
        nonlocal count
        if number in places:
            return places[number]
        mask = (1 << turns.get(number, 0).bit_length()) - 1
        if mask == 0 and free:
            places[number] = free.pop(), 0
        else:
            places[number] = count, mask
            count += mask + 1
        return places[number]

    loads = [(*row, *place(number)) for number, row in enumerate(inputs) if number in turns]
    steps = []
    for position, (operands, numbers) in enumerate(order):
        extra = max(longer[number] for number in numbers.values())
        kind = min(numbers)
        if len(numbers) > 1:
            kind = BOTH if len(operands) == 2 else SORTED
        # A result that nobody reads goes to a place of its own.
        targets = [
            place(numbers.get(result, NOWHERE)) if kind in (result, BOTH, SORTED) else (0, 0)
            for result in (kind if kind > SORTED else LOWER, UPPER, MIDDLE)
        ]
        reads = [(places[n][0], turn, places[n][1], shift) for n, turn, shift in operands]
        reads = [number for read in (reads[0], reads[1], reads[-1]) for number in read]
        steps.append((kind, *reads, extra, *(number for target in targets for number in target)))
        free += [
            places[number][0]
            for number in {number for number, _, _ in operands}
            if last_use[number] == position and number not in kept
        ]
    stores = [
        (row, places[number][0], turn, places[number][1], shift)
        for row, (number, turn, shift) in results
    ]
    return Program(
        np.array(loads, np.int64).reshape(-1, 4), np.array(steps, np.int64).reshape(-1, 20),
        np.array(stores, np.int64), rows, count,
    )  # fmt: skip


# Offsets below are unsigned: a signed one may count from the end, and the check for that keeps
# loops from becoming vector instructions; a slice instead would count references, which takes
# longer than the loop does.


@jit_part
def _run(pool, steps, places, phase, width):
    """Run all comparisons of a turn."""
    wide_vectors()
    for step in range(steps.shape[0]):
        kind = steps[step, KIND]
        length = np.uint64(width + steps[step, LONGER])
        one, two, three = places[phase, step, 0], places[phase, step, 1], places[phase, step, 2]
        lower, upper, middle = (
            places[phase, step, 3],
            places[phase, step, 4],
            places[phase, step, 5],
        )
        if kind == LOWER:
            for pixel in range(length):
                value, other, third = pool[one + pixel], pool[two + pixel], pool[three + pixel]
                value = min(other, value)
                pool[lower + pixel] = min(third, value)
        elif kind == UPPER:
            for pixel in range(length):
                value, other, third = pool[one + pixel], pool[two + pixel], pool[three + pixel]
                value = max(other, value)
                pool[upper + pixel] = max(third, value)
        elif kind == MIDDLE:
            for pixel in range(length):
                value, other, third = pool[one + pixel], pool[two + pixel], pool[three + pixel]
                pool[middle + pixel] = max(min(other, value), min(max(other, value), third))
        elif kind == SORTED:
            for pixel in range(length):
                value, other, third = pool[one + pixel], pool[two + pixel], pool[three + pixel]
                low, high = min(other, value), max(other, value)
                pool[lower + pixel] = min(third, low)
                pool[upper + pixel] = max(third, high)
                pool[middle + pixel] = max(low, min(high, third))
        elif kind == BOTH:
            for pixel in range(length):
                value, other = pool[one + pixel], pool[two + pixel]
                pool[lower + pixel] = min(other, value)
                pool[upper + pixel] = max(other, value)
        elif kind == SUM:
            for pixel in range(length):
                pool[lower + pixel] = pool[one + pixel] + pool[two + pixel]
        else:
            limit = pool.dtype.type(kind - CHOICE)
            for pixel in range(length):
                value, other = pool[two + pixel], pool[three + pixel]
                pool[lower + pixel] = other if pool[one + pixel] >= limit else value


@jit_part
def _copy(source, start, target, begin, length):
    """Copy pixels, and tell whether one is NaN."""
    wide_vectors()
    odd = False
    for pixel in range(length):
        value = source[start + pixel]
        target[begin + pixel] = value
        odd |= value != value
    return odd


@jit_part
def _subtract(minuend, first, subtrahend, second, target, begin, length):
    wide_vectors()
    for pixel in range(length):
        target[begin + pixel] = minuend[first + pixel] - subtrahend[second + pixel]


@jit_part
def _read(flat, start, edges, stretch, begin, end, filler, pool, target):
    """
    Write columns ``begin`` to ``end`` of an extended row of the image to the pool.

    Returns whether there is a NaN among those within the image's own row.
    """
    odd = False
    first, last, pixel = stretch
    inner, outer = max(first, begin), min(last, end)
    if outer > inner:
        odd = _copy(
            flat, np.uint64(start + pixel + inner - first), pool,
            np.uint64(target + inner - begin), np.uint64(outer - inner),
        )  # fmt: skip
    for edge in range(edges.size):
        column = edge if edge < first else edge - first + last
        if begin <= column < end:
            place = edges[edge]
            pool[target + column - begin] = flat[start + place] if place >= 0 else filler
    return odd


@jit
def _sweep(program, source, memory, target, other):
    """Run a program over all planes, tiles of columns, and turns; tell whether a NaN was seen."""
    wide_vectors()
    loads, steps, stores, per_turn, _ = program
    flat, planes, rows, edges, stretch, reach, filler = source
    pool, tile, load_places, step_places, store_places = memory
    last_phase = load_places.shape[0] - 1
    out, height, width, turns = target
    how, others, other_planes, other_step = other
    odd = False
    for plane in range(planes.shape[0]):
        for begin in range(0, width, tile):
            count = min(tile, width - begin)
            for turn in range(turns):
                phase = turn & last_phase
                for load in range(loads.shape[0]):
                    start = planes[plane, loads[load, PLANE]]
                    row = rows[turn * per_turn + loads[load, ROW]]
                    place = np.int64(load_places[phase, load])
                    if start < 0 or row < 0:
                        pool[place : place + count + reach] = filler
                    else:
                        odd |= _read(
                            flat, start + row, edges, stretch, begin, begin + count + reach,
                            filler, pool, place,
                        )  # fmt: skip
                _run(pool, steps, step_places, phase, count)
                for store in range(stores.shape[0]):
                    row = turn * per_turn + stores[store, LINE]
                    if 0 <= row < height:
                        found = store_places[phase, store]
                        begun = np.uint64((plane * height + row) * width + begin)
                        first = np.uint64(other_planes[plane] + row * other_step + begin)
                        if how == AS_IT_IS:
                            _copy(pool, found, out, begun, np.uint64(count))
                        else:
                            # One loop for both, since each takes long to compile.
                            minuend, subtrahend = others, pool
                            if how == LESS:
                                minuend, subtrahend = pool, others
                                first, found = found, first
                            _subtract(
                                minuend, first, subtrahend, found, out, begun, np.uint64(count)
                            )
    return odd


def _plain_sweep(program, source, memory, target, other):
    """Do what `_sweep` does row by row with NumPy."""
    flat, planes, rows, edges, (begin, end, pixel), _, filler = source
    out, height, width, turns = target
    how, others, other_planes, other_step = other
    columns = np.concatenate([edges[:begin], pixel + np.arange(end - begin), edges[begin:]])
    pool = np.empty((program.places + 1, len(columns)), flat.dtype)
    out, outside, odd = out.reshape(-1, height, width), columns < 0, False
    loads, steps, stores = (table.tolist() for table in program[:3])
    per_turn = program.rows
    for plane, turn in itertools.product(range(len(planes)), range(turns)):
        for place, row, line, mask in loads:
            start, row = planes[plane, place], rows[turn * per_turn + row]
            line += turn & mask
            if start < 0 or row < 0:
                pool[line] = filler
            else:
                np.take(flat, start + row + columns, mode="clip", out=pool[line])
                pool[line, outside] = filler
                odd |= pool.dtype.kind == "f" and bool(np.isnan(np.min(pool[line])))
        _plain_run(pool, steps, turn, width)
        for row, place, back, mask, shift in stores:
            row += turn * per_turn
            if 0 <= row < height:
                found = pool[place + ((turn + back) & mask), shift : shift + width]
                if how == AS_IT_IS:
                    out[plane, row] = found
                else:
                    first = other_planes[plane] + row * other_step
                    values = found, others[first : first + width]
                    np.subtract(*(values if how == LESS else values[::-1]), out=out[plane, row])
    return odd


def _plain_run(pool, steps, turn, width):
    for kind, *operands, longer, lower, lower_mask, upper, upper_mask, middle, middle_mask in steps:
        length = width + longer
        one, two, three = (
            pool[place + ((turn + back) & mask), shift : shift + length]
            for place, back, mask, shift in zip(*(operands[i::4] for i in range(4)), strict=True)
        )
        if kind >= SUM:
            target = pool[lower + (turn & lower_mask), :length]
            values = one + two if kind == SUM else np.where(one >= kind - CHOICE, three, two)
            target[...] = values
        if kind in (LOWER, BOTH, SORTED):
            target = np.minimum(one, two, out=pool[lower + (turn & lower_mask), :length])
            np.minimum(target, three, out=target) if kind != BOTH else None
        if kind in (UPPER, BOTH, SORTED):
            target = np.maximum(one, two, out=pool[upper + (turn & upper_mask), :length])
            np.maximum(target, three, out=target) if kind != BOTH else None
        if kind in (MIDDLE, SORTED):
            target = np.maximum(one, two, out=pool[middle + (turn & middle_mask), :length])
            np.minimum(target, three, out=target)
            np.maximum(target, np.minimum(one, two), out=target)


@dataclass(frozen=True)
class Axis:
    """
    A window along one axis of ``length``; pixels ``start`` to ``stop`` of the result are wanted.

    Of the axis, the pixels before ``first`` may have been left out.
    """

    length: int
    start: int
    stop: int
    size: int = 1
    before: int = 0
    mode: str = "nearest"
    first: int = 0

    @property
    def reads(self):
        """The first of the positions that the windows read, and how many these are."""
        return self.start - self.before, self.stop - self.start + self.size - 1

    def table(self, begin=0, end=None):
        """
        Return which pixels the windows of the result read, in order; -1 for ``cval``.

        ``begin`` and ``end`` cut out part of the table.
        """
        first, count = self.reads
        end = count if end is None else end
        table = places(first + begin, first + end, self.length, self.mode)
        return table if self.first == 0 else np.where(table < 0, -1, table - self.first)

    def stretch(self):
        """Return ``(begin, end, pixel)``: the part of the table that needs none, and its start."""
        first, count = self.reads
        begin, end = max(-first, 0), min(count, self.length - first)
        return begin, end, first + begin - self.first

    def edges(self):
        """Return the rest of the table: what comes before the stretch, and what after."""
        begin, end, _ = self.stretch()
        return np.concatenate([self.table(0, begin), self.table(end)])

    def extent(self):
        """Return ``(low, high)``: the windows read pixels from ``low`` to before ``high``."""
        begin, end, pixel = self.stretch()
        edges = self.edges()
        low = min(int(min(edges[edges >= 0], default=pixel)), pixel)
        high = max(int(max(edges, default=-1)) + 1, pixel + end - begin)
        return self.first + low, self.first + high


def run(program, image, axes, cval, out, how=AS_IT_IS, other=None):
    """
    Run a program over an image.

    Parameters
    ----------
    program : Program
        Its planes are those that the window touches along all axes but the last two, in C
        order of the window.
    image : numpy.ndarray
        Of at least two axes.
    axes : sequence of Axis
    cval : scalar
        Stands beyond the edges in mode "constant".
    out : numpy.ndarray
        Takes the result; C-contiguous, of the image's dtype.
    how : int
        TAKEN_FROM or LESS: ``out`` becomes the result taken from ``other``, or less ``other``.
    other : numpy.ndarray, optional
        Of the shape and dtype of ``out``.

    Returns
    -------
    bool
        Whether there is a NaN in what was read, so that the result is worth nothing.
    """
    flat, strides = _flat(image)
    other_flat, other_strides = (flat, strides) if other is None else _flat(other)
    height, width = out.shape[-2:]
    delay = max(-int(program.stores[0, LINE]), 0)
    turns = -(-(height + delay) // program.rows)
    last = (turns - 1) * program.rows + int(program.loads[:, ROW].max())
    planes, rows, edges, stretch = _offsets(tuple(axes), strides, last + 1)
    reach = axes[-1].size - 1
    few = len(program.steps) <= FEW_STEPS * program.rows
    most = POOL_BYTES_OF_FEW_STEPS if few else POOL_BYTES
    tile = most // (image.itemsize * program.places) - reach
    tile = min(max(tile, SHORTEST_BYTES // image.itemsize, reach), width)
    pitch = tile + reach
    pitch += -pitch % (64 // image.itemsize)
    in_pool = _places_in_pool(*(table.tobytes() for table in program[:3]), pitch)
    return (_sweep if use_numba() else _plain_sweep)(
        program,
        _ImageRows(flat, planes, rows, edges, stretch, reach, image.dtype.type(cval)),
        _Pool(scratch("pool", program.places * pitch, image.dtype), tile, *in_pool),
        _Target(out.reshape(-1), height, width, turns),
        _Other(how, other_flat, _first_of_planes(out.shape[:-2], other_strides), other_strides[-2]),
    )


@functools.lru_cache(maxsize=128)
def _places_in_pool(loads, steps, stores, pitch):
    """
    Return what `_Pool` has of a program whose rows are ``pitch`` pixels apart in the pool.

    The program's tables are given as bytes.
    """
    loads, steps, stores = (np.frombuffer(table, np.int64) for table in (loads, steps, stores))
    loaded, stored = loads.reshape(-1, 1, 4)[..., LOADED:], stores.reshape(-1, 1, 5)[..., STORED:]
    read = steps.reshape(-1, 20)[:, ONE:LONGER].reshape(-1, 3, 4)
    written = steps.reshape(-1, 20)[:, LOWEST:].reshape(-1, 3, 2)
    # A place is used in turn with as many others as a mask says: a power of two, less one.
    masks = loaded[..., 1], read[..., 2], written[..., 1], stored[..., 2]
    turns = np.arange(1 + max(int(mask.max(initial=0)) for mask in masks))[:, None, None]

    def rows(place, mask, back=0, shift=0):
        return ((place + ((turns + back) & mask)) * pitch + shift).astype(np.uint64)

    def operands(table):
        place, back, mask, shift = np.moveaxis(table, -1, 0)
        return rows(place, mask, back, shift)

    return (
        rows(*np.moveaxis(loaded, -1, 0))[..., 0],
        np.concatenate([operands(read), rows(*np.moveaxis(written, -1, 0))], axis=2),
        operands(stored)[..., 0],
    )


@functools.lru_cache(maxsize=128)
def _first_of_planes(shape, strides):
    """Return where each plane of an array begins in its memory."""
    places = np.zeros(1, np.int64)
    for length, stride in zip(shape, strides, strict=False):
        places = (places[:, None] + np.arange(length) * stride).reshape(-1)
    return places


@functools.lru_cache(maxsize=128)
def _offsets(axes, strides, count):
    """
    Return tables of the planes that each plane of the result reads, and of rows and columns.

    They say where a plane begins, where in it ``count`` rows begin, and which pixels of a row
    stand beyond its edges; last comes the stretch between these. Places that ``cval`` stands
    for are -1.
    """
    offsets = []
    for axis, stride in zip(axes[:-1], strides, strict=False):
        table = axis.table()
        offsets.append(np.where(table < 0, -1, table * stride))
    planes = np.zeros((1, 1), np.int64)
    for axis, offset in zip(axes[:-2], offsets, strict=False):
        windows = np.lib.stride_tricks.sliding_window_view(offset, axis.size)
        sums = planes[:, None, :, None] + windows[None, :, None, :]
        sums[(planes < 0)[:, None, :, None] | (windows < 0)[None, :, None, :]] = -1
        planes = sums.reshape(len(planes) * len(windows), -1)
    # The last turn may compute rows beyond the image: of any pixels, for nobody reads them.
    rows = np.pad(offsets[-1], (0, max(count - len(offsets[-1]), 0)), "edge")
    return planes, rows, axes[-1].edges(), axes[-1].stretch()


def as_planes(image):
    """Return an array of at least two axes, and of numbers, that shares the image's memory."""
    if image.dtype == bool:
        image = image.view(np.uint8)
    return image[None] if image.ndim == 1 else image


class _Memory:
    """Lends an array's memory as a vector, to be written to in the eyes of a compiler."""

    def __init__(self, image, extent):
        self.image = image
        self.__array_interface__ = {
            "version": 3,
            "data": (image.__array_interface__["data"][0], False),
            "typestr": image.dtype.str,
            "shape": (extent,),
        }


def _flat(image):
    """Return the memory that ``image`` lies in as a vector, and how far its axes step in it."""
    size, flags = image.itemsize, image.flags
    if flags.c_contiguous and flags.writeable:
        return image.reshape(-1), tuple(step // size for step in image.strides)
    if image.strides[-1] != size or any(step < 0 or step % size for step in image.strides):
        image = np.ascontiguousarray(image)
    strides = tuple(step // size for step in image.strides)
    extent = 1 + sum((length - 1) * step for length, step in zip(image.shape, strides))
    # Blocks may be read-only, which would take another version of the compiled code.
    return np.asarray(_Memory(image, extent)), strides
