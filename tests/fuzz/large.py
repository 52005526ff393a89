"""Draw arrays, chunks and windows of real sizes: kernels go other ways where blocks are large."""

import math

import numpy as np

from tests.fuzz.draw import Draw

PIXELS = 1_500_000
# What the oracle takes a microsecond or more for, a pixel.
FEWER_PIXELS = {
    "apply_local_function": 100_000,
    "background": 300_000,
    "distance_transform_bf": 2500,
    "estimate_illumination": 300_000,
    "fill_missing": 300_000,
    "generic_filter": 30_000,
    "geometric_transform": 100_000,
    "labeled_comprehension": 300_000,
    "local_histogram": 300_000,
    "local_mean": 300_000,
    "local_percentile": 300_000,
    "local_sigma_clipped": 300_000,
    "local_standard_deviation": 300_000,
    "map_coordinates": 500_000,
    "subtract_background": 300_000,
    "value_indices": 300_000,
    "vectorized_filter": 100_000,
    "watershed_ift": 500_000,
    "zoom": 300_000,
}
# As many pixels of windows SciPy looks at in a second or two.
TAPS = 150_000_000
MOST_BLOCKS = 60


class LargeDraw(Draw):
    """Choices of one case whose images have as many pixels as the function can be waited for."""

    def __init__(self, name, *seed):
        super().__init__(*seed)
        self.pixels = FEWER_PIXELS.get(name.removesuffix(" where"), PIXELS)

    def shape(self, ndim=None, low=1, empty=0.0):
        """Return a shape: even or flat, of odd lengths mostly."""
        ndim = self.choice(1, 2, 2, 2, 2, 3, 3, 4) if ndim is None else ndim
        shape, left = [], self.pixels * self.choice(1, 0.5, 0.1, 0.02)
        for others in range(ndim - 1, 0, -1):
            even, kind = left ** (1 / (others + 1)), self.random.random()
            if kind < 0.7:
                size = even * self.random.uniform(0.6, 1.4)
            elif kind < 0.85:
                size = self.integer(low, 5)
            else:
                size = even * self.random.uniform(2, 6)
            shape.append(math.floor(max(low, min(size, left))))
            left = max(left / max(shape[-1], 1), 1)
        shape += [math.floor(left)] * (ndim > 0)
        return tuple(int(size) for size in self.random.permutation(shape))

    def chunks(self, shape):
        """Return chunks: one block, few even ones, uneven ones, single pixels at the ends."""
        if self.chance(0.35):
            return tuple((size,) for size in shape)
        most, chunks = MOST_BLOCKS, []
        for size in shape:
            kind = self.integer(0, 3)
            if kind == 0 or size < 4:
                sizes = [size]
            elif kind == 1:
                step = -(-size // self.integer(2, 4))
                sizes = [step] * (size // step) + [size % step]
            elif kind == 2:
                sizes = [1, size - 2, 1]
            else:
                cuts = np.unique(self.random.integers(1, size, self.integer(1, 4)))
                sizes = np.diff(np.concatenate([[0], cuts, [size]])).tolist()
            sizes = [each for each in sizes if each] if len(sizes) <= most else [size]
            chunks.append(tuple(sizes))
            most //= len(sizes)
        return tuple(chunks)

    def lengths(self, image, count, every_pixel=True):
        """Return lengths of a window, from one pixel to longer than the image."""
        lengths = [self.integer(1, self.choice(4, 4, 9, 30, 120, 1500)) for _ in range(count)]
        while every_pixel and max(lengths, default=1) > 1 and (
            math.prod(lengths) * image.size > TAPS):  # fmt: skip
            longest = lengths.index(max(lengths))
            lengths[longest] = -(-lengths[longest] // 2)
        if every_pixel:
            # In mode "reflect" SciPy reads beyond images that are much shorter than the window.
            return [min(length, 4 * max(min(image.shape), 1)) for length in lengths]
        return lengths

    def scale(self, *options):
        """Return a scale, larger than blocks sometimes."""
        return self.choice(*options, *options, 7.5, 20.0, 60.0)

    def spacing(self, shape):
        """Return spacings of a grid of some thousands of windows."""
        least = [math.ceil(size / 3000 ** (1 / len(shape))) for size in shape]
        return tuple(self.integer(low, max(low, size)) for low, size in
                     zip(least, shape, strict=True))  # fmt: skip
