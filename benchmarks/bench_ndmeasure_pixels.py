"""median, labeled_comprehension and value_indices against SciPy on the whole array."""

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndmeasure

SIDE = 4096
CHUNK = 1024


def cases():
    """Yield ``(name, target_ratio, ours, scipys)``."""
    random = np.random.default_rng(0)
    values = random.random((SIDE, SIDE))
    index = np.arange(1, 10**5 + 1)
    tiles = np.arange(SIDE) // 13
    objects = {
        "tiles": (tiles[:, None] * 316 + tiles + 1).astype(np.int32),
        "scattered": random.integers(1, 10**5 + 1, (SIDE, SIDE), dtype=np.int32),
    }
    for name, labels in objects.items():
        for image in (values, values.astype(np.float32), (values * 255).astype(np.uint8)):
            yield _median(f"median, 1e5 {name}, {image.dtype}", 0.5, image, labels, index)
        yield _comprehension(f"labeled_comprehension np.mean, 1e5 {name}", values, labels, index)
    for image in (values, (values * 255).astype(np.uint8)):
        yield _median(f"median, pooled, {image.dtype}", 1.0, image, objects["tiles"], None)
    yield _value_indices("value_indices, 1e5 tiles", objects["tiles"])
    volume = random.random((19, 512, 512))
    labels = (np.arange(volume.size) * 6667 // volume.size + 1).reshape(volume.shape)
    index = np.arange(1, 6668)
    yield _median("median, 6667 labels on 19x512x512", 1.0, volume, labels, index, (19, 128, 128))


def _compute(lazy):
    return lazy.compute(scheduler="threads", num_workers=2)


def _median(name, target, image, labels, index, chunks=CHUNK):
    def ours():
        return _compute(
            ndmeasure.median(
                da.from_array(image, chunks=chunks), da.from_array(labels, chunks=chunks), index
            )
        )

    return name, target, ours, lambda: ndimage.median(image, labels, index)


def _comprehension(name, image, labels, index):
    arguments = index, np.mean, np.float64, 0

    def ours():
        lazy_image, lazy_labels = (da.from_array(each, chunks=CHUNK) for each in (image, labels))
        return _compute(ndmeasure.labeled_comprehension(lazy_image, lazy_labels, *arguments))

    return name, 1.0, ours, lambda: ndimage.labeled_comprehension(image, labels, *arguments)


def _value_indices(name, labels):
    def ours():
        return _compute(ndmeasure.value_indices(da.from_array(labels, chunks=CHUNK)))

    return name, 1.0, ours, lambda: ndimage.value_indices(labels)
