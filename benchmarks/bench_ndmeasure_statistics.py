"""
Statistics of labels against SciPy on the whole array.

Two kinds of labels: *cells*, squares of 13 pixels as segmented images have them, and
*noise*, a random label in every pixel, the hardest case there is.
"""

import functools
import resource
import time

import dask
import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndmeasure

LABELS = 100_000
CELL = 13


@functools.cache
def inputs(kind, shape=(4096, 4096), labels=LABELS, chunks=1024):
    """Return image, labels and index as NumPy arrays, and the two Dask arrays."""
    random = np.random.default_rng(0)
    image = random.random(shape, dtype=np.float32)
    if kind == "cells":
        rows, columns = (np.arange(size) // CELL for size in shape)
        numbers = (rows[:, None] * (columns[-1] + 1) + columns).astype(np.int32)
    else:
        numbers = random.integers(0, labels, shape, dtype=np.int32)
    lazy = da.from_array(image, chunks=chunks), da.from_array(numbers, chunks=chunks)
    return image, numbers, np.arange(labels), *lazy


def computed(*lazy):
    """Compute with two threads."""
    return dask.compute(*lazy, scheduler="threads", num_workers=2)


def case(name, target, kind, scipys=None):
    """Return one comparison of a function with its SciPy twin."""
    image, numbers, index, lazy_image, lazy_numbers = inputs(kind)
    function, twin = getattr(ndmeasure, name), getattr(ndimage, scipys or name)
    return (
        f"{name}, 1e5 labels, {kind}",
        target,
        lambda: computed(function(lazy_image, lazy_numbers, index)),
        lambda: twin(image, numbers, index),
    )


def cases():
    """Yield name, target ratio, our call and SciPy's."""
    for kind in ("cells", "noise"):
        yield case("mean", 1.5, kind)
        for name in ("variance", "center_of_mass", "minimum", "maximum", "extrema"):
            yield case(name, 0.6, kind)
        for name in ("minimum_position", "maximum_position"):
            yield case(name, 0.2, kind)
    yield from together()
    yield small_stack()


def together():
    """Compare four measurements in one go with the dearest of them alone: all ours."""
    *_, index, image, numbers = inputs("cells")

    def table(*properties, values=None):
        return computed(ndmeasure.regionprops_table(numbers, values, properties))

    def dearest():
        return computed(ndmeasure.mean(image, numbers, index))

    yield (
        "area, mean, centroid, bbox in a table, against mean alone",
        1.3,
        lambda: table("area", "intensity_mean", "centroid", "bbox", values=image),
        dearest,
    )
    for name in ("area", "centroid", "bbox"):
        yield f"{name} alone, against mean alone", 1.0, functools.partial(table, name), dearest


def small_stack():
    """Compare the case of a public report: 6,667 labels on 19 x 512 x 512."""
    random = np.random.default_rng(0)
    image = random.random((19, 512, 512), dtype=np.float32)
    planes, rows, columns = np.ogrid[:19, :512, :512]
    numbers = ((planes // 4 * 40 + rows // CELL) * 40 + columns // CELL).astype(np.int32)
    index = np.unique(numbers)[:6667]
    lazy = [da.from_array(array, chunks=(19, 256, 256)) for array in (image, numbers)]
    return (
        "mean, 6,667 labels, 19 x 512 x 512",
        1.0,
        lambda: computed(ndmeasure.mean(*lazy, index)),
        lambda: ndimage.mean(image, numbers, index),
    )


def million_labels(size=16384, chunks=2048, cell=16):
    """Measure a million labels of a lazy image; return seconds and peak memory in GiB."""

    def numbers(block_info=None):
        (top, bottom), (left, right) = block_info[None]["array-location"]
        rows, columns = np.arange(top, bottom) // cell, np.arange(left, right) // cell
        return (rows[:, None] * (size // cell) + columns + 1).astype(np.int32)

    blocks = ((chunks,) * (size // chunks),) * 2
    labels = da.map_blocks(numbers, chunks=blocks, dtype=np.int32)
    image = da.random.default_rng(0).random((size, size), chunks=chunks)
    index = np.arange(1, (size // cell) ** 2 + 1)
    start = time.perf_counter()
    computed(ndmeasure.mean(image, labels, index), ndmeasure.maximum(image, labels, index))
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    print("a million labels on 16k x 16k: {:.1f} s, peak {:.2f} GiB".format(*million_labels()))
