"""Kernels on one thread against the SciPy functions they stand in for."""

import functools

import numpy as np
from scipy import ndimage

from dask_image._kernels.stand_ins import stand_in


def _case(name, target, function, image, *args, **kwargs):
    ours = functools.partial(stand_in(function), image, *args, **kwargs)
    return name, target, ours, functools.partial(function, image, *args, **kwargs)


def cases():
    """Yield ``(name, target ratio, ours, SciPy's)``; the last two are called to be timed."""
    random = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(random.standard_normal((1024, 1024), dtype=np.float32), 1.5)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    small = (smooth * 255).astype(np.uint8)
    wide = (smooth * 20_000).astype(np.uint16)
    cross = ndimage.generate_binary_structure(2, 1)
    yield _case("gaussian, sigma 3, float32", 12 / 34, ndimage.gaussian_filter, smooth, 3)
    yield _case("sobel float32", 0.5, ndimage.sobel, smooth)
    yield _case("uniform 9 x 9 float32", 8 / 23, ndimage.uniform_filter, smooth, 9)
    yield _case("minimum 9 x 9 uint8", 1.8 / 29.5, ndimage.minimum_filter, small, 9)
    yield _case("minimum 9 x 9 float32", 0.3, ndimage.minimum_filter, smooth, 9)
    yield _case("maximum, cross, uint8", 0.3, ndimage.maximum_filter, small, footprint=cross)
    yield _case("median 3 x 3 uint8", 8 / 148, ndimage.median_filter, small, 3)
    yield _case("median 5 x 5 float32", 0.15, ndimage.median_filter, smooth, 5)
    yield _case("median 9 x 9 uint8", 60 / 1141, ndimage.median_filter, small, 9)
    yield _case("median 9 x 9 uint16", 0.15, ndimage.median_filter, wide, 9)
    yield _case("percentile 9 x 9 float32", 0.4, ndimage.percentile_filter, smooth, 20, 9)
    yield _case("dilation by a cross", 2 / 13.4, ndimage.binary_dilation, small > 127)
    yield _case(
        "dilation by a cross, 10 times", 0.3, ndimage.binary_dilation, small > 127, iterations=10
    )
