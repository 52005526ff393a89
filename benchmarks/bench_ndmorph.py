"""Morphology with two threads against SciPy on the whole array."""

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndmorph

SHAPES = {"2-D": ((4096, 4096), 1024), "3-D": ((160, 512, 512), (80, 128, 256))}


def _case(name, target, function, reference, image, chunks, **kwargs):
    lazy = da.from_array(image, chunks=chunks)

    def ours():
        return function(lazy, **kwargs).compute(scheduler="threads", num_workers=2)

    def scipys():
        return reference(image, **kwargs)

    return name, target, ours, scipys


def cases():
    """Yield ``(name, target ratio, ours, SciPy's)``; the last two are called to be timed."""
    random = np.random.default_rng(0)
    for kind, (shape, chunks) in SHAPES.items():
        smooth = ndimage.gaussian_filter(random.standard_normal(shape, dtype=np.float32), 3)
        binary = smooth > 0
        grey = ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)
        for name in ("binary_erosion", "binary_dilation"):
            pair = getattr(ndmorph, name), getattr(ndimage, name)
            for iterations in (1, 10):
                label = f"{name} {kind}, {iterations} iterations"
                yield _case(label, 0.4, *pair, binary, chunks, iterations=iterations)
        for name in ("grey_erosion", "grey_dilation", "grey_opening", "white_tophat"):
            pair = getattr(ndmorph, name), getattr(ndimage, name)
            yield _case(f"{name} {kind}, box of 9", 0.2, *pair, grey, chunks, size=9)
