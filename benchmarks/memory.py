"""
Measure peak memory of jobs on images that are larger than it should be.

Run as ``python benchmarks/memory.py [NAME ...]``; each job gets a process of its own and two
threads. What the interpreter and libraries take is part of the peak.
"""

import resource
import subprocess
import sys
import tempfile
import time

import dask
import dask.array as da
import numpy as np
from scipy import ndimage


def pattern(shape, chunks, dtype):
    """Return a lazy image with structure at all scales, made block by block."""

    def fill(block_info=None):
        ranges = block_info[None]["array-location"]
        waves = [np.sin(np.arange(*each) / 7.3) + np.sin(np.arange(*each) / 331) for each in ranges]
        return (60 * sum(np.ix_(*waves)) + 128).clip(0, 255).astype(dtype)

    chunks = da.core.normalize_chunks(chunks, shape)
    return da.map_blocks(fill, chunks=chunks, dtype=dtype, meta=np.empty((0,) * len(shape), dtype))


def store(array):
    """Write an array to a temporary zarr store."""
    with tempfile.TemporaryDirectory() as folder:
        array.to_zarr(f"{folder}/result.zarr")


def gaussian():
    """gaussian_filter of 30,000² uint8 in blocks of 2048², to zarr: below 1 GB."""
    from dask_image import ndfilters

    store(ndfilters.gaussian_filter(pattern((30_000, 30_000), 2048, "u1"), sigma=3))


def distance_transform():
    """distance_transform_edt of 20,000² booleans in blocks of 2048², to zarr: below 3 GB."""
    from dask_image import ndmorph

    store(ndmorph.distance_transform_edt(pattern((20_000, 20_000), 2048, "u1") > 100))


def million_labels():
    """Measure all of a million labels on 16,384² in blocks of 2048²: below 2 GB."""
    from dask_image import ndmeasure

    def number(block_info=None):
        (top, bottom), (left, right) = block_info[None]["array-location"]
        rows, columns = np.arange(top, bottom) // 16, np.arange(left, right) // 16
        return (rows[:, None] * 1024 + columns + 1).astype(np.int32)

    shape, chunks = (16_384, 16_384), 2048
    image = pattern(shape, chunks, "f4")
    labels = da.map_blocks(
        number, chunks=image.chunks, dtype="i4", meta=np.empty((0, 0), dtype="i4")
    )
    index = np.arange(1, 1024 * 1024 + 1)
    dask.compute(
        ndmeasure.mean(image, labels, index),
        ndmeasure.standard_deviation(image, labels, index),
        ndmeasure.maximum_position(image, labels, index),
        ndmeasure.center_of_mass(image, labels, index),
    )


def table_of_cells():
    """Measure 10 million cells of 4² on 12,800² in blocks of 1024², to Parquet: below 2 GB."""
    from dask_image import ndmeasure

    def number(block_info=None):
        (top, bottom), (left, right) = block_info[None]["array-location"]
        rows, columns = np.arange(top, bottom) // 4, np.arange(left, right) // 4
        return (rows[:, None] * 3200 + columns + 1).astype(np.int32)

    image = pattern((12_800, 12_800), 1024, "f4")
    labels = da.map_blocks(
        number, chunks=image.chunks, dtype="i4", meta=np.empty((0, 0), dtype="i4")
    )
    properties = ["label", "area", "bbox", "centroid", "intensity_mean"]
    table = ndmeasure.regionprops_table(labels, image, properties, as_frame=True)
    with tempfile.TemporaryDirectory() as folder:
        table.to_parquet(f"{folder}/table")


def label_build():
    """Build the graph of label for 5120³ booleans in blocks of 128³: below 60 s and 2 GB."""
    from dask_image import ndmeasure

    ndmeasure.label(da.zeros((5120,) * 3, chunks=128, dtype=bool))


def cells(block_info=None):
    """Return the distances to the centres of 103,684 cells, and those centres as markers."""
    size, reach = 51, 102
    ranges = block_info[None]["array-location"]
    starts = [low // size - 2 for low, _ in ranges]
    counts = [high // size + 3 - start for (_, high), start in zip(ranges, starts)]
    rows, columns = np.mgrid[tuple(slice(a, a + n) for a, n in zip(starts, counts))]
    # Each cell's centre is moved in a way that depends on the cell alone.
    moved = [(rows * a + columns * b) % 31 for a, b in ((7919, 104729), (15485863, 32452843))]
    centers = [n * size + 10 + by for n, by in zip((rows, columns), moved)]
    wide = np.zeros([high - low + 2 * reach for low, high in ranges], np.int32)
    local = [at - low + reach for at, (low, _) in zip(centers, ranges)]
    inside = np.all([(at >= 0) & (at < n) for at, n in zip(local, wide.shape)], axis=0)
    across = -(-SIDE // size)
    inside &= (rows >= 0) & (rows < across) & (columns >= 0) & (columns < across)
    wide[tuple(at[inside] for at in local)] = (rows * across + columns + 1)[inside]
    inner = tuple(slice(reach, -reach) for _ in ranges)
    return ndimage.distance_transform_edt(wide == 0)[inner].astype("f4"), wide[inner].copy()


SIDE = 16_384


def _flooded(chunk):
    from dask_image import segmentation

    chunks = da.core.normalize_chunks(chunk, (SIDE, SIDE))
    image, markers = (
        da.map_blocks(
            lambda number=number, block_info=None: cells(block_info)[number],
            chunks=chunks, dtype=dtype, meta=np.empty((0, 0), dtype),
        )
        for number, dtype in enumerate(("f4", "i4"))
    )  # fmt: skip
    store(segmentation.watershed(image, markers))


def watershed():
    """Flood 16,384² float32 distances in blocks of 1024² from 10⁵ markers, to zarr: below 1.5 GB."""
    _flooded(1024)


def watershed_build():
    """Build the graph of watershed for 32,000² pixels in 10⁵ blocks: at most 12 tasks a block."""
    from dask_image import segmentation

    image = da.zeros((32_000, 32_000), chunks=(100, 102), dtype="f4")
    basins = segmentation.watershed(image, image.astype("i4"))
    (basins,) = dask.optimize(basins)
    print(f"  {len(basins.__dask_graph__()) / image.npartitions:.2f} tasks a block")


JOBS = {
    job.__name__: job
    for job in (
        gaussian,
        distance_transform,
        million_labels,
        table_of_cells,
        label_build,
        watershed,
        watershed_build,
    )
}


def main(names):
    if len(names) == 1 and names[0].startswith("--job="):
        start = time.perf_counter()
        with dask.config.set(scheduler="threads", num_workers=2):
            JOBS[names[0][len("--job=") :]]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"  peak {peak:.2f} GB, {time.perf_counter() - start:.0f} s")
        return
    for name in names or JOBS:
        print(f"{name}: {JOBS[name].__doc__}", flush=True)
        subprocess.run([sys.executable, __file__, f"--job={name}"], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
