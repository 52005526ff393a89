"""
Watersheds of images in chunks, on one thread and on two, against scikit-image on the whole array.
"""

import dask
import dask.array as da
import numpy as np
from scipy import ndimage
from skimage import morphology, segmentation

from dask_image import segmentation as lazy

SHAPES_AND_CHUNKS = [((4096, 4096), 1024), ((256, 256, 256), 128)]
LIMITS = {1: 0.6, 2: 0.35}
"""Ratio to reach, by number of threads."""


def pictures(shape):
    """Yield named images: distances within blobs, smooth hills, noise, and all equal."""
    random = np.random.default_rng(0)
    noise = random.standard_normal(shape, dtype=np.float32)
    blobs = ndimage.gaussian_filter(noise, 4, truncate=2) > -0.01
    yield "distances", -ndimage.distance_transform_edt(blobs).astype("f4")
    yield "smooth", ndimage.gaussian_filter(noise, 3, truncate=2)
    yield "noise", random.integers(0, 256, shape, dtype="u1")


def markers_of(image):
    """Return the pixels that are lowest within some distance, labelled."""
    random = np.random.default_rng(1)
    soft = ndimage.gaussian_filter(image.astype("f4"), 2, truncate=2)
    soft += random.random(image.shape, dtype=np.float32) * 1e-6
    labels, _ = ndimage.label(soft == ndimage.minimum_filter(soft, 15))
    return labels


def case(ours, theirs, arrays, chunks, threads):
    """Return two calls of no arguments: ours, which builds and computes, and scikit-image's."""
    cut = [da.from_array(array, chunks=chunks) for array in arrays]
    scheduler = {"scheduler": "synchronous"}
    if threads > 1:
        scheduler = {"scheduler": "threads", "num_workers": threads}
    return lambda: dask.compute(ours(*cut), **scheduler), lambda: theirs(*arrays)


def cases():
    """Yield the name, the ratio to reach, our call and scikit-image's of every case."""
    for shape, chunks in SHAPES_AND_CHUNKS:
        size = "x".join(map(str, shape))
        for kind, image in pictures(shape):
            arrays = image, markers_of(image)
            for threads, limit in LIMITS.items():
                yield (
                    f"watershed {size} {kind}, threads: {threads}", limit,
                    *case(lazy.watershed, segmentation.watershed, arrays, chunks, threads),
                )  # fmt: skip
    image = next(pictures((2048, 2048)))[1]
    for name, arguments in (("h_maxima", (1.0,)), ("local_maxima", ())):
        yield (
            f"{name} 2048x2048 distances, threads: 2", None,
            *case(
                lambda x, name=name, more=arguments: getattr(lazy, name)(x, *more),
                lambda x, name=name, more=arguments: getattr(morphology, name)(x, *more),
                [-image], 512, 2,
            ),
        )  # fmt: skip
