"""
One-dimensional filters one after another, as few sweeps over the rows of an image.

SciPy runs a separable filter axis by axis, and rounds to the output's dtype in between. Steps
along the last two axes are one sweep here; along another axis a step is a sweep over planes,
seen as long rows. What a sweep needs besides images is planned once for blocks of one shape.

Where some pixels count alone (`_calls.Counted`), a sweep takes the sums of pixels and those of
weights at once: a row of it is one of both, one behind the other, and the last sweep divides.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, jit_part
from dask_image._kernels.memory import scratch
from dask_image._kernels.rows import inside, places, whole


@dataclass(frozen=True)
class LineFilter:
    """
    A filter along one axis.

    ``before`` is how many pixels before a pixel its window begins, ``width`` how many the
    window takes beyond one.
    """

    axis: int
    before: int
    width: int
    mode: str
    cval: float


@dataclass(frozen=True)
class ExtendedAxis:
    """
    Which pixel stands at each place of an axis that is lengthened by a window.

    Attributes
    ----------
    table : numpy.ndarray of int64
        The pixels, -1 for ``cval``.
    stretch : tuple of int
        ``(first, last, shift)``: from the place ``first`` until before ``last`` stands the
        pixel of that place plus ``shift``, and compiled code looks at no table.
    cval : float
    """

    table: np.ndarray
    stretch: tuple[int, int, int]
    cval: float

    @classmethod
    def of(cls, table, cval):
        """Return the axis of what `rows.places` gave."""
        first, last, pixel = inside(table)
        return cls(table, (first, last, pixel - first), float(cval))


def extended_axis(step, length, cut):
    """Return the `ExtendedAxis` of an axis of which the step is to fill ``cut`` (None: all)."""
    if step is None:
        return ExtendedAxis(np.empty(0, np.int64), (0, length, 0), 0.0)
    start, stop = cut or (0, length)
    start, stop = start - step.before, stop - step.before + step.width
    return ExtendedAxis.of(places(start, stop, length, step.mode), step.cval)


@dataclass(frozen=True)
class SweepLayout:
    """How a sweep sees an image, and the result: as planes of rows, one step down, one across."""

    height: int
    width: int
    rows: int
    columns: int
    down: LineFilter | None
    across: LineFilter | None
    down_axis: ExtendedAxis
    across_axis: ExtendedAxis
    across_first: bool
    dtype: np.dtype

    @property
    def rounds(self):
        """Whether SciPy rounds what the first step gives for the second."""
        return self.down is not None and self.across is not None and self.dtype != np.float64

    def planes(self, size):
        """Return how many planes there are of ``size`` pixels, and the size of each."""
        return size // (self.height * self.width), self.height, self.width, self.columns

    def size_of_result(self, size):
        """Return how many pixels a sweep gives for as many, which may be some of the planes."""
        return self.planes(size)[0] * self.rows * self.columns


class Stage(NamedTuple):
    """
    What a sweep does with pixels that count, see `_calls.Counted`.

    Attributes
    ----------
    parts : int
        2 if there are sums of weights behind those of pixels, else 1.
    beyond : float
    quotients : tuple or None
        For `divide`; None if the result has all parts.
    """

    parts: int = 1
    beyond: float = 0.0
    quotients: Any = None


ALL_COUNT = Stage()


def stage_of(counted, last=True):
    """Return what the last sweep, or another one, does with a `Counted`, if there is one."""
    if counted is None:
        return ALL_COUNT
    work, dtype, quotients = counted.work.type, counted.out.dtype, None
    if last:
        quotients = (
            np.empty(0, work), work(counted.least), work(counted.nudge), dtype.type(counted.fill),
            by_way_of(dtype),
        )  # fmt: skip
    return Stage(2, float(counted.beyond), quotients)


def parts_of(image, counted):
    """Return the pixels of an image; of one that is `_calls.Counted` those parts that it has."""
    if counted is None:
        return image.reshape(-1)
    return take_apart(image, counted.mask, image.dtype.type(0), image.size)[0]


def take_apart(image, mask, neutral, apart):
    """
    Return two parts, one behind the other, and whether a pixel that counts is NaN.

    The first has ``neutral`` for what does not count, the second the numbers of the mask. They are
    ``apart``, at least as far as the image, which is contiguous, has pixels.
    """
    parts = scratch("pixels and mask", 2 * apart, image.dtype)
    numbers = np.ascontiguousarray(mask).view(np.uint8).reshape(-1)
    return parts, _take_apart(image.reshape(-1), numbers, neutral, parts, apart)


def layout(shape, target_shape, group, cuts, dtype):
    """Return the `SweepLayout` of one or two steps that one sweep takes."""
    last = len(shape) - 1
    down = next((step for step in group if step.axis != last), None)
    across = next((step for step in group if step.axis == last), None)
    axis = max(last - 1, 0) if down is None else down.axis
    below = axis + 1 if last else 0
    height, width = shape[axis] if last else 1, math.prod(shape[below:])
    return SweepLayout(
        height, width, target_shape[axis] if last else 1, math.prod(target_shape[below:]),
        down, across, extended_axis(down, height, cuts.get(axis)),
        extended_axis(across, width, cuts.get(last)), group[0] is across, dtype,
    )  # fmt: skip


def run_steps(image, steps, result, region, sweeps, counted=None):
    """
    Run one step after another, and write ``region`` of the outcome to ``result``.

    Parameters
    ----------
    image : numpy.ndarray
        Of a dtype in `_lines.NUMBERS` or bool; not empty.
    steps : sequence of LineFilter
        At least one.
    result : numpy.ndarray
        C-contiguous, of the region's shape; shares no memory with ``image``. Its dtype (not
        uint64) is what values are rounded to between the steps.
    region : tuple of slice or None
    sweeps : Sweeps
        What runs them.
    counted : Counted, optional
    """
    if region is not None:
        # Along axes of no step nothing beyond the region is looked at.
        filtered = {step.axis for step in steps}
        everything = slice(None)
        looked_at = tuple(
            everything if axis in filtered else cut for axis, cut in enumerate(region)
        )
        image = image[looked_at]
        counted = counted and counted._replace(mask=counted.mask[looked_at])
        region = tuple(cut if axis in filtered else everything for axis, cut in enumerate(region))
    image = as_source(image, result.dtype)
    bounds = tuple(whole(region, image.shape))
    dtype = counted.work if counted else result.dtype
    plan = _plan(image.shape, tuple(steps), bounds, dtype, sweeps)
    _run(parts_of(image, counted), plan, result, counted)


def as_source(image, dtype):
    """
    Return the image as compiled sweeps take it whose result has that dtype.

    Loops are compiled for each pair of dtypes; what is no usual pair becomes float64 first.
    """
    image = np.ascontiguousarray(image)
    if image.dtype == bool:
        image = image.view(np.uint8)
    return image if image.dtype == dtype or dtype.kind == "f" else image.astype(np.float64)


@dataclass(frozen=True)
class Sweeps:
    """
    The sweeps of a family of filters.

    Attributes
    ----------
    rows : type
        ``rows(layout)`` makes what is called with an image and the array for the result.
    planes : type or None
        As `_WeightedPlanes`, for steps that ``planes.suits``.
    together : callable
        ``together(first, second)`` tells whether one sweep had better take two steps along
        the last axes.
    """

    rows: type
    planes: type | None
    together: object


@functools.lru_cache(maxsize=64)
def _plan(shape, steps, bounds, dtype, sweeps):
    """Return the sweeps of steps over an image of one shape."""
    groups, plan = _groups(steps, len(shape), sweeps.together), []
    for number, group in enumerate(groups):
        later = {step.axis for rest in groups[number + 1 :] for step in rest}
        # An axis is cut to the region when it is filtered for the last time.
        cuts = {step.axis: bounds[step.axis] for step in group if step.axis not in later}
        target_shape = tuple(
            cuts[axis][1] - cuts[axis][0] if axis in cuts else size
            for axis, size in enumerate(shape)
        )
        seen = layout(shape, target_shape, group, cuts, dtype)
        # The sweeps that follow run on parts of its axis, and on all of those that come after it.
        leads = bool(later) and group[0].axis < min(len(shape) - 2, *later)
        planes = sweeps.planes
        kind = planes if leads and planes and planes.suits(seen) else sweeps.rows
        plan.append(kind(seen))
        shape = target_shape
    return plan


def _groups(steps, ndim, together):
    """Pair steps along the last two axes that one sweep can take together."""
    groups = []
    for step in steps:
        last = groups[-1] if groups else []
        axes = [*(each.axis for each in last), step.axis]
        if sorted(axes) == [ndim - 2, ndim - 1] and together(last[0], step):
            last.append(step)
        else:
            groups.append([step])
    return groups


def _run(image, plan, result, counted):
    """Run one sweep, and the others on what it gives."""
    sweep, *rest = plan
    stage = stage_of(counted, last=not rest)
    # Of its own for each sweep: one of planes reads its image until the last of those that follow
    # has run.
    name = f"between {len(rest)}"
    if not rest:
        sweep(image, result.reshape(-1), stage)
    elif hasattr(sweep, "parts"):
        for part, target in sweep.parts(image, result, name, stage):
            _run(part, rest, target, counted)
    else:
        size = sweep.layout.size_of_result(image.size // stage.parts)
        between = scratch(name, stage.parts * size, sweep.layout.dtype)
        sweep(image, between, stage)
        _run(between, rest, result, counted)


# -- compiled parts of sweeps ----------------------------------------------------------------
#
# Rows are stretches of flat arrays. Where they begin is unsigned in the inner loops, so that
# numba looks for no negative index and loops become vector instructions.


@jit_part
def read(pixels, start, table, begin, count, stretch, cval, row, to):
    """
    Write to ``row`` from ``to`` what stands at the places ``begin`` to ``begin + count``.

    ``start`` is where a row of the block begins in ``pixels``; see `ExtendedAxis`.
    """
    first = stretch[0] if stretch[0] > begin else begin
    last = stretch[1] if stretch[1] < begin + count else begin + count
    place = begin
    while place < begin + count:
        if place == first and last > first:
            source, target = np.uint64(start + first + stretch[2]), np.uint64(to + first - begin)
            for i in range(np.uint64(last - first)):
                row[target + i] = pixels[source + i]
            place = last
            continue
        known = table[place] >= 0
        row[to + place - begin] = pixels[start + table[place]] if known else cval
        place += 1


@jit
def _take_apart(image, mask, neutral, parts, apart):
    odd, behind = False, np.uint64(apart)
    for i in range(np.uint64(image.size)):
        value, counts = image[i], mask[i]
        value = value if counts else neutral
        odd |= value != value
        parts[i] = value
        parts[behind + i] = counts
    return odd


# As operators do, they look out for zero, and no vector instruction is made of that: `np.divide`
# does not.


@jit_part
def divide(total, start, share, quotients, pixels, to, count):
    """
    Write to ``pixels`` what is at ``start``, each by what is at ``share``; see `_calls.Counted`.

    ``quotients`` begins with an array of the dtype that they are taken in.
    """
    work, least, nudge, fill, by_way_of = quotients
    s, w, t, one = np.uint64(start), np.uint64(share), np.uint64(to), work.dtype.type(1)
    for i in range(np.uint64(count)):
        weight = work.dtype.type(total[w + i])
        nothing = weight <= least
        mean = np.divide(work.dtype.type(total[s + i]), one if nothing else weight)
        value = pixels.dtype.type(by_way_of.dtype.type(mean * nudge))
        pixels[t + i] = fill if nothing else value


@jit_part
def write(row, start, by_way_of, pixels, to, count):
    """Convert a row to pixels as C gives SciPy: by way of the dtype of an array of that name."""
    s, t = np.uint64(start), np.uint64(to)
    for i in range(np.uint64(count)):
        pixels[t + i] = by_way_of.dtype.type(row[s + i])


@jit_part
def fill(row, start, count, table, begin, stretch, cval):
    """Write ``cval`` where the table says that no pixel stands."""
    place = 0
    while place < count:
        if begin + place == stretch[0] and stretch[1] > stretch[0]:
            place = stretch[1] - begin
            continue
        if table[begin + place] < 0:
            row[start + place] = cval
        place += 1


def by_way_of(dtype):
    """Return an array of the dtype that C converts float64 to on its way to ``dtype``."""
    if dtype.kind == "f":
        return np.empty(0, dtype)
    # Narrow integers wrap around from 32 bits, as the processor's conversion does.
    return np.empty(0, np.int32 if dtype.itemsize < 4 or dtype == np.int32 else np.int64)
