"""Connected components, and what spreads through them, against SciPy on the whole array."""

import time
import tracemalloc

import dask
import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image.ndmeasure import label
from dask_image.ndmorph import binary_fill_holes, binary_propagation


def blobs(shape, share=0.4, seed=0):
    """Return smoothed noise, the brightest ``share`` of its pixels True."""
    noise = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    smooth = ndimage.gaussian_filter(noise, 2)
    return smooth > np.quantile(smooth, 1 - share)


def compute(*lazy):
    """Compute on two threads."""
    return dask.compute(*lazy, scheduler="threads", num_workers=2)


def cases():
    """Yield (name, target ratio, ours, SciPy's)."""
    plane = blobs((4096, 4096))
    for size in (512, 1024):
        chunked = da.from_array(plane, chunks=size)
        yield (
            f"label 4096² at {size}²",
            1.5,
            lambda chunked=chunked: compute(*label(chunked)),
            lambda: ndimage.label(plane),
        )
        yield (
            f"binary_fill_holes 4096² at {size}²",
            0.5,
            lambda chunked=chunked: compute(binary_fill_holes(chunked)),
            lambda: ndimage.binary_fill_holes(plane),
        )
    seeds = plane & (np.random.default_rng(1).random(plane.shape) < 0.001)
    yield (
        "binary_propagation 4096² at 1024²",
        0.5,
        lambda: compute(binary_propagation(da.from_array(seeds, chunks=1024), mask=plane)),
        lambda: ndimage.binary_propagation(seeds, mask=plane),
    )
    volume = blobs((160, 512, 512))
    chunked_volume = da.from_array(volume, chunks=(80, 256, 256))
    yield (
        "label 160×512×512",
        1.5,
        lambda: compute(*label(chunked_volume)),
        lambda: ndimage.label(volume),
    )
    yield (
        "binary_fill_holes 160×512×512",
        0.5,
        lambda: compute(binary_fill_holes(chunked_volume)),
        lambda: ndimage.binary_fill_holes(volume),
    )


def building():
    """Print what it takes to build ``label`` of 5120³ pixels in 64,000 blocks."""
    image = da.zeros((5120,) * 3, chunks=128, dtype=bool)
    started = time.perf_counter()
    labels, _ = label(image)
    seconds = time.perf_counter() - started
    print(f"label 5120³ at 128³: built in {seconds:.1f} s (target 60 s)")
    tracemalloc.start()
    labels, _ = label(image)
    print(f"  {tracemalloc.get_traced_memory()[1] / 1e9:.2f} GB (target 2 GB)")
    print(f"  {len(labels.dask) / image.npartitions:.1f} tasks a block (target 12)")


if __name__ == "__main__":
    building()
