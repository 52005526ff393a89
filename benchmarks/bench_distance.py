"""Distance transforms on chunks, two threads, against SciPy on the whole array."""

import dask
import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndmorph

SHAPES_AND_CHUNKS = [((4096, 4096), 1024), ((160, 512, 512), (80, 256, 256))]


def masks(shape):
    """Yield named masks: blobs some ten pixels wide, and noise that is 30 % background."""
    random = np.random.default_rng(0)
    noise = random.standard_normal(shape, dtype=np.float32)
    yield "blobs", ndimage.gaussian_filter(noise, 6, truncate=2) > -0.01
    yield "noise", random.random(shape) > 0.3


def case(function, reference, mask, chunks, **keywords):
    """Return two calls of no arguments: ours, which builds and computes, and SciPy's."""
    image = da.from_array(mask, chunks=chunks)

    def ours():
        return dask.compute(function(image, **keywords), scheduler="threads", num_workers=2)

    return ours, lambda: reference(mask, **keywords)


def cases():
    """Yield the name, the ratio to reach, our call and SciPy's of every case."""
    for shape, chunks in SHAPES_AND_CHUNKS:
        size = "x".join(map(str, shape))
        for kind, mask in masks(shape):
            yield (
                f"distance_transform_edt {size} {kind}",
                0.4 if len(shape) == 2 else 0.3,
                *case(ndmorph.distance_transform_edt, ndimage.distance_transform_edt, mask, chunks),
            )
            yield (
                f"distance_transform_cdt {size} {kind}",
                1.0,
                *case(ndmorph.distance_transform_cdt, ndimage.distance_transform_cdt, mask, chunks),
            )
        yield (
            f"distance_transform_edt {size} {kind}, with indices",
            1.0,
            *case(
                ndmorph.distance_transform_edt,
                ndimage.distance_transform_edt,
                mask,
                chunks,
                return_indices=True,
            ),
        )
        yield (
            f"distance_transform_cdt {size} {kind}, with indices",
            1.0,
            *case(
                ndmorph.distance_transform_cdt,
                ndimage.distance_transform_cdt,
                mask,
                chunks,
                return_indices=True,
            ),
        )
