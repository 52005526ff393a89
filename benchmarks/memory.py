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
    """Write an array to a temporary zarr store, as Dask does."""
    with tempfile.TemporaryDirectory() as folder:
        array.to_zarr(f"{folder}/result.zarr")


def store_in_order(array):
    """Write an array to a temporary zarr store, as this package does."""
    from dask_image import storage

    with tempfile.TemporaryDirectory() as folder:
        storage.to_zarr(array, f"{folder}/result.zarr")


def squares(shape, chunks, side):
    """Return lazy labels of squares, from 1 on."""
    across = -(-shape[1] // side)

    def number(block_info=None):
        rows, columns = (np.arange(*each) // side for each in block_info[None]["array-location"])
        return (rows[:, None] * across + columns + 1).astype(np.int32)

    chunks = da.core.normalize_chunks(chunks, shape)
    return da.map_blocks(number, chunks=chunks, dtype="i4", meta=np.empty((0, 0), dtype="i4"))


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

    shape, chunks = (16_384, 16_384), 2048
    image, labels = pattern(shape, chunks, "f4"), squares(shape, chunks, 16)
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

    shape, chunks = (12_800, 12_800), 1024
    image, labels = pattern(shape, chunks, "f4"), squares(shape, chunks, 4)
    properties = ["label", "area", "bbox", "centroid", "intensity_mean"]
    table = ndmeasure.regionprops_table(labels, image, properties, as_frame=True)
    with tempfile.TemporaryDirectory() as folder:
        table.to_parquet(f"{folder}/table")


def _plane(dtype="f4"):
    return pattern((24_000, 24_000), 2048, dtype)


def median_of_cells():
    """Median of 1.4 million cells of 20² on 24,000² float32 in 2048² (2.3 GB): below 0.8 GB."""
    from dask_image import ndmeasure

    labels = squares((24_000, 24_000), 2048, 20)
    ndmeasure.median(_plane(), labels, np.arange(1, 1200**2 + 1)).compute()


def function_of_cells():
    """Call a function of each of these cells, by labeled_comprehension: below 0.8 GB."""
    from dask_image import ndmeasure

    labels = squares((24_000, 24_000), 2048, 20)
    index = np.arange(1, 1200**2 + 1)
    ndmeasure.labeled_comprehension(_plane(), labels, index, np.ptp, np.float32, 0).compute()


def coordinates():
    """map_coordinates of 24,000² float32 at as many lazy coordinates (2.3 and 4.6 GB), to zarr."""
    from dask_image import ndinterp

    image = _plane()
    grid = [da.arange(24_000, chunks=image.chunks[axis], dtype="f4") for axis in (0, 1)]
    rows, columns = da.meshgrid(*grid, indexing="ij")
    bent = da.stack([rows + 30 * da.sin(columns / 500), columns + 30 * da.cos(rows / 500)])
    store_in_order(ndinterp.map_coordinates(image, bent.rechunk({0: 2}), order=1))


def rotation():
    """Rotate 24,000² float32 in blocks of 2048² (2.3 GB) by 30°, order 3, to zarr."""
    from dask_image import ndinterp

    store_in_order(ndinterp.rotate(_plane(), 30, order=3))


def flood_in_one_task():
    """watershed_ift of 24,000² uint8 (0.6 GB), which is one task; SciPy's takes 23 GB."""
    from dask_image import ndmorph

    image = _plane("u1")
    labels = squares(image.shape, 2048, 600)
    centres = da.map_blocks(
        lambda block, block_info=None: np.where(
            np.logical_and.outer(
                *(np.arange(*each) % 600 == 300 for each in block_info[0]["array-location"])
            ),
            block,
            0,
        ).astype("i4"),
        labels, dtype="i4", meta=labels._meta,
    )  # fmt: skip
    store_in_order(ndmorph.watershed_ift(image, centres))


def percentiles():
    """local_percentile of 200² every 100² on 24,000² float32 in blocks of 2048² (2.3 GB)."""
    from dask_image import local_statistics, storage

    found = local_statistics.local_percentile(_plane(), 0.1, 200, step=100, interpolate=None)
    storage.store(found, np.empty(found.shape, found.dtype))


def gaussian_of_volume():
    """gaussian_filter of 1024³ float32 in blocks of 128³ (4.3 GB), to zarr."""
    from dask_image import ndfilters

    store_in_order(ndfilters.gaussian_filter(pattern((1024,) * 3, 128, "f4"), sigma=1))


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
    """
    Flood 16,384² float32 distances in blocks of 1024² from 10⁵ markers, to zarr: below 1.5 GB.
    """
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
        median_of_cells,
        function_of_cells,
        coordinates,
        rotation,
        flood_in_one_task,
        percentiles,
        gaussian_of_volume,
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
