"""
Binary morphology on bits, 64 pixels a word.

A block is packed into rows of words with a border around it, which keeps its value. In that
flat array every pixel of a structure lies at a fixed distance, so one iteration is a few shifts
of words, combined by "or"; erosion is the dilation of the complement. Any number of iterations
runs between packing and unpacking. Boxes of any width take a few steps along each axis.
"""

import functools
import math
import operator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_inline, use_numba
from dask_image._kernels.blocks.bits import pack_rows
from dask_image._kernels.memory import recycled, scratch
from dask_image._kernels.rows import whole
from dask_image._kernels.stand_ins._calls import stands_in_for
from dask_image._kernels.stand_ins._lines import each
from dask_image._kernels.stand_ins._windows import along_axes, reach
from dask_image._utils.typing import NDArray, Shape

ALL = np.uint64(2**64 - 1)

# Words of the result that are combined at a time: they stay in the first-level cache.
WORDS_AT_A_TIME = 1024


@dataclass(frozen=True)
class _Words:
    """
    Where the bits of an image are in a flat array of words, with their border.

    ``shape`` is that of the array of rows, the last axis in words; the image lies in it from
    ``before`` on. ``margin`` words stand before and after, so that no shift leaves the memory.
    """

    image: Shape
    before: Shape
    shape: Shape
    margin: int

    @property
    def words(self):
        """How many words the array has."""
        return math.prod(self.shape)

    def rows(self, words):
        """Return the words of the image's rows, as an array of bytes that shares memory."""
        array = words[self.margin : self.margin + self.words].reshape(self.shape)
        inside = tuple(
            slice(low, low + size) for low, size in zip(self.before, self.image[:-1], strict=False)
        )
        return array[inside].view(np.uint8)[..., 8 * self.before[-1] :]

    def new(self, name, value):
        """Return an array of words for this layout, ``value`` all over the border."""
        words = scratch(name, self.words + 2 * self.margin, np.uint64)
        value = ALL if value else 0
        array = words[self.margin : self.margin + self.words].reshape(self.shape)
        words[: self.margin] = words[self.margin + self.words :] = value
        for axis, low in enumerate(self.before):
            along = (slice(None),) * axis
            array[(*along, slice(0, low))] = value
            if axis < len(self.shape) - 1:
                array[(*along, slice(low + self.image[axis], None))] = value
            elif self.image[-1] % 64:
                array[..., -1] = value
        return words

    def starts(self, bounds):
        """Return the words in which the rows of a region begin, given by its bounds."""
        starts = np.array([self.margin + self.before[-1]])
        for axis, (start, stop) in enumerate(bounds):
            rows = np.arange(start, stop) + self.before[axis]
            stride = math.prod(self.shape[axis + 1 :])
            starts = (starts[:, None] + rows * stride).reshape(-1)
        return starts

    def pack(self, pixels, words):
        """Write the bits of an image where they belong; ``True`` is an image of nothing else."""
        if pixels is not True and use_numba():
            pack_rows(pixels, self.starts(whole(None, self.image[:-1])), words[0], words)
            return
        whole_bytes, bits = divmod(self.image[-1], 8)
        rows = self.rows(words)[..., : whole_bytes + (bits > 0)]
        if pixels is True:
            rows[...] = 255
        else:
            rows[...] = np.packbits(pixels, axis=-1, bitorder="little")
        if bits:
            # The last bytes of the rows have part in the border.
            rows[..., -1] &= (1 << bits) - 1
            rows[..., -1] |= (255 << bits) & 255 if words[0] else 0

    def unpack(self, words, region=None):
        """Return the image, or a region of it, as an array of its own."""
        bounds = whole(region, self.image)
        if bounds[-1][0] == 0 or not use_numba():
            packed = self.rows(words)[tuple(slice(*ends) for ends in bounds[:-1])]
            image = np.unpackbits(packed, axis=-1, count=bounds[-1][1], bitorder="little")
            return np.ascontiguousarray(image[..., bounds[-1][0] :].view(bool))
        starts = self.starts(bounds[:-1]) + bounds[-1][0] // 64
        image = recycled([stop - start for start, stop in bounds], np.uint8)
        shift = np.uint64(bounds[-1][0] % 64)
        _unpack(words, starts, shift, image.reshape(-1), image.shape[-1])
        return image.view(bool)


@functools.lru_cache(maxsize=4)
def _inside(layout):
    """Return the words in which all of the image is set, and nothing else; to be read only."""
    words = np.zeros(layout.words + 2 * layout.margin, np.uint64)
    layout.pack(True, words)
    return words


def _layout(shape, windows):
    """Return the layout for an image and all windows that are going to be used on it."""
    reaches = [reach(structure, origins) for structure, origins in windows]
    before = [max(values) for values in zip(*(low for low, _ in reaches), strict=True)]
    after = [max(values) for values in zip(*(high for _, high in reaches), strict=True)]
    # The words after a row stand before the next one too.
    words = -(-shape[-1] // 64)
    before[-1] = -(-max(before[-1], after[-1]) // 64)
    after[-1] = 0
    padded = [
        low + size + high
        for low, size, high in zip(before, [*shape[:-1], words], after, strict=True)
    ]
    strides = [math.prod(padded[axis + 1 :]) for axis in range(len(padded))]
    margin = 2 + sum(
        (low + high + 1) * stride for low, high, stride in zip(before, after, strides, strict=True)
    )
    return _Words(tuple(shape), tuple(before), tuple(padded), margin)


def _steps(structure, origins, layout):
    """
    Return the distances to combine in each of one or more steps, as ``(words, bits)``.

    A box takes steps that double it, along one axis after the other.
    """
    before, _ = reach(structure, origins)
    strides = [64 * math.prod(layout.shape[axis + 1 :]) for axis in range(structure.ndim)]
    strides[-1] = 1
    if structure.all():
        corner = -sum(low * stride for low, stride in zip(before, strides, strict=True))
        distances = []
        for size, stride in zip(structure.shape, strides, strict=True):
            span = 1
            while span < size:
                step = min(span, size - span)
                distances.append([0, step * stride])
                span += step
        distances = distances or [[0]]
        distances[-1] = [corner + distance for distance in distances[-1]]
    else:
        distances = [(np.argwhere(structure) - before) @ strides]
    return [
        np.array([divmod(int(distance), 64) for distance in step], np.int64) for step in distances
    ]


@jit_inline
def _combine(source, first, bits, target, begin, count):
    """Combine bits some distance away with those of the target."""
    if bits == 0:
        for word in range(count):
            target[begin + word] |= source[first + word]
    else:
        rest = np.uint64(64) - bits
        following = first + np.uint64(1)
        for word in range(count):
            target[begin + word] |= (source[first + word] >> bits) | (
                source[following + word] << rest
            )


@jit
def _spread(source, distances, target, start, stop):
    """Write to ``target`` which words have a bit set at any of the distances in ``source``."""
    for begin in range(start, stop, WORDS_AT_A_TIME):
        count = min(WORDS_AT_A_TIME, stop - begin)
        target[begin : begin + count] = 0
        for step in range(distances.shape[0]):
            _combine(
                source, np.uint64(begin + distances[step, 0]), np.uint64(distances[step, 1]),
                target, np.uint64(begin), np.uint64(count),
            )  # fmt: skip


@jit
def _keep(source, changing, target, start, stop):
    """Take bits that must not change from ``source``."""
    for word in range(np.uint64(start), np.uint64(stop)):
        may = changing[word]
        target[word] = (target[word] & may) | (source[word] & ~may)


@jit
def _unpack(words, starts, shift, pixels, count):
    """Write rows of ``count`` pixels, whose bits begin at the bit ``shift`` of words."""
    for row in range(starts.size):
        word, to = np.uint64(starts[row]), np.uint64(row * count)
        for place in range(0, count, 64):
            bits = words[word] >> shift
            word += np.uint64(1)
            if shift:
                bits |= words[word] << (np.uint64(64) - shift)
            first = to + np.uint64(place)
            for bit in range(np.uint64(min(64, count - place))):
                pixels[first + bit] = (bits >> bit) & np.uint64(1)


def _plain_spread(source, distances, target, start, stop):
    """Do what `_spread` does with NumPy."""
    target[start:stop] = 0
    for words, bits in distances.tolist():
        near = source[start + words : stop + words]
        if bits == 0:
            target[start:stop] |= near
            continue
        target[start:stop] |= near >> np.uint64(bits)
        target[start:stop] |= source[start + words + 1 : stop + words + 1] << np.uint64(64 - bits)


def _plain_keep(source, changing, target, start, stop):
    inside = slice(start, stop)
    target[inside] ^= (target[inside] ^ source[inside]) & ~changing[inside]


class _Bits:
    """An image as bits, and what is done to it."""

    def __init__(self, image, layout, mask, border):
        self.layout = layout
        names = ("bits", "spread bits", "more bits")
        self.buffers = [self.layout.new(name, border) for name in names]
        self.state = self.buffers[0]
        self.layout.pack(image, self.state)
        self.changing = _inside(layout)
        if mask is not None:
            self.changing = layout.new("changing bits", False)
            layout.pack(mask, self.changing)

    def dilate(self, steps, iterations):
        """Set what has a set bit under the structure, some times or until nothing changes."""
        start = self.layout.margin
        stop = start + self.layout.words
        spread, keep = (_spread, _keep) if use_numba() else (_plain_spread, _plain_keep)
        while True:
            found = self.state
            for step in steps:
                source = found
                used = (id(source), id(self.state))
                found = next(words for words in self.buffers if id(words) not in used)
                spread(source, step, found, start, stop)
            keep(self.state, self.changing, found, start, stop)
            stable = iterations < 1 and np.array_equal(found, self.state)
            self.state = found
            iterations -= 1
            if stable or iterations == 0:
                return

    def erode(self, steps, iterations):
        """Keep what has no unset bit under the structure."""
        self.complement()
        self.dilate(steps, iterations)
        self.complement()

    def complement(self):
        """Turn every bit round, those of the border included."""
        for words in self.buffers:
            np.invert(words, out=words)

    def image(self, region=None):
        """Return the image, or a region of it, as an array of its own."""
        return self.layout.unpack(self.state, region)


EROSION, DILATION = "erosion", "dilation"


@dataclass(frozen=True)
class _MorphologyPlan:
    """The layout for images of one shape, and the steps of operations on them."""

    layout: _Words
    steps: tuple[list[NDArray], ...]
    has_centre: bool


@functools.lru_cache(maxsize=64)
def _plan(shape, axes, windows):
    """Plan operations by ``windows``: shape, bytes, origins of a structure; None if SciPy must."""
    placed = [
        along_axes(np.frombuffer(pixels, bool).reshape(lengths), origins, axes, len(shape))
        for lengths, pixels, origins in windows
    ]
    if any(window is None or not window[0].any() for window in placed):
        return None
    layout = _layout(shape, placed)
    steps = tuple(_steps(structure, origins, layout) for structure, origins in placed)
    has_centre = all(
        structure[tuple(reach(structure, origins)[0])] for structure, origins in placed
    )
    return _MorphologyPlan(layout, steps, has_centre)


def _plan_for(image, axes, windows):
    """Return the plan for structures and their origins on an image, None if SciPy must."""
    if image.ndim == 0 or image.size == 0 or image.dtype.kind not in "biuf":
        return None
    axes = None if axes is None else tuple(np.atleast_1d(axes).tolist())
    return _plan(
        image.shape, axes,
        tuple(
            (structure.shape, structure.tobytes(), tuple(each(origin, structure.ndim)))
            for structure, origin in windows
        ),
    )  # fmt: skip


def _as_bits(image):
    """Return an image of bytes, which NumPy packs fast, set where it is."""
    return image if image.dtype.kind in "biu" and image.itemsize == 1 else image != 0


def _transform(call, operations, region):
    """Return the image after some operations, or None for a case that is left to SciPy."""
    image, iterations = call.input, operator.index(call.iterations)
    structure = _structure_for(image, call.structure, call.axes)
    # The centre of a reflected window of even size lies one pixel to the other side.
    reflected = [
        -shift - (size % 2 == 0)
        for shift, size in zip(each(call.origin, structure.ndim), structure.shape, strict=True)
    ]
    windows = {EROSION: (structure, call.origin), DILATION: (np.flip(structure), reflected)}
    plan = _plan_for(image, call.axes, [windows[operation] for operation in operations])
    # What has no centre may never come to an end.
    if plan is None or (iterations < 1 and not plan.has_centre):
        return None
    mask = call.mask
    if mask is not None:
        mask = np.asarray(mask)
        if mask.shape != image.shape:
            return None
        mask = _as_bits(mask)
    bits = _Bits(_as_bits(image), plan.layout, mask, int(bool(call.border_value)))
    for operation, steps in zip(operations, plan.steps, strict=True):
        (bits.erode if operation == EROSION else bits.dilate)(steps, iterations)
    return bits.image(region)


def _structure_for(image, structure, axes):
    """Return the structure, SciPy's default where there is none."""
    if structure is not None:
        return np.asarray(structure, dtype=bool)
    return ndimage.generate_binary_structure(image.ndim if axes is None else np.size(axes), 1)


def _morphology(call, operations, region):
    found = None
    if not isinstance(call.output, np.ndarray):
        found = _transform(call, operations, region)
    return call.by_scipy(region) if found is None else found


@stands_in_for(ndimage.binary_erosion)
def binary_erosion(call, region):
    return _morphology(call, [EROSION], region)


@stands_in_for(ndimage.binary_dilation)
def binary_dilation(call, region):
    return _morphology(call, [DILATION], region)


@stands_in_for(ndimage.binary_opening)
def binary_opening(call, region):
    return _morphology(call, [EROSION, DILATION], region)


@stands_in_for(ndimage.binary_closing)
def binary_closing(call, region):
    return _morphology(call, [DILATION, EROSION], region)


@stands_in_for(ndimage.binary_hit_or_miss)
def binary_hit_or_miss(call, region):
    if isinstance(call.output, np.ndarray):
        return call.by_scipy(region)
    image, origin2 = call.input, call.origin1 if call.origin2 is None else call.origin2
    hit = _structure_for(image, call.structure1, call.axes)
    miss = ~hit if call.structure2 is None else np.asarray(call.structure2, dtype=bool)
    windows = [(hit, call.origin1), (miss, origin2)]
    if call.structure2 is None and call.origin2 is None and hit.all():
        windows = windows[:1]  # nothing can be missed
    plan = _plan_for(image, call.axes, windows)
    if plan is None:
        return call.by_scipy(region)
    bits = _Bits(_as_bits(image), plan.layout, None, 0)
    bits.erode(plan.steps[0], 1)
    hits = bits.image(region)
    if len(windows) == 1:
        return hits
    bits = _Bits(_as_bits(image), plan.layout, None, 0)
    bits.dilate(plan.steps[1], 1)
    return np.greater(hits, bits.image(region), out=hits)
