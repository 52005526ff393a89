"""
Read one large page, tiled and compressed, beside tifffile's own store.

Run as ``python benchmarks/large_page.py [SIDE]``: a page of SIDE² (default 40,000) uint8 in
tiles of 512². Every reading has a process of its own, with two threads; time is that of the
reading, the peak that of the process, libraries included, above the same after imports.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TILE = 512


def write(name, side):
    """Write the page, tile by tile."""
    import tifffile

    random = np.random.default_rng(0)
    some = [
        (np.add.outer(np.arange(TILE), np.arange(TILE)) // 4 + random.integers(0, 4, (TILE, TILE)))
        .astype("u1")
        for _ in range(16)
    ]  # fmt: skip
    count = (-(-side // TILE)) ** 2
    tifffile.imwrite(
        name, (some[number * 7 % 16] for number in range(count)), shape=(side, side), dtype="u1",
        tile=(TILE, TILE), compression="zlib", photometric="minisblack", bigtiff=True,
    )  # fmt: skip


def ours(name):
    """Open the page as `imread` does."""
    from dask_image.imread import imread

    return imread(name)[0]


def store(name):
    """Open the page by tifffile's store, in the chunks that `imread` takes."""
    import dask.array as da
    import tifffile
    import zarr

    chunks = ours(name).chunks
    return da.from_zarr(zarr.open(tifffile.imread(name, aszarr=True), mode="r"), chunks=chunks)


def read(who, part, name):
    """Print how long a reading takes, and its peak of memory."""
    import dask
    import dask.array
    import tifffile
    import zarr  # noqa: F401 - so that both start from the same

    import dask_image.imread  # noqa: F401

    dask.config.set(scheduler="threads", num_workers=2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, processor = time.perf_counter(), time.process_time()
    page = {"imread": ours, "store": store}[who](name)
    if part == "corner":
        page[-TILE:, -TILE:].compute()
    else:
        page.max().compute()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    version = tifffile.__version__
    print(
        f"{who:7}{part:8}{wall:7.2f} s, {processor:7.2f} s of processors, {peak:6.0f} MiB"
        f"  (tifffile {version})"
    )


def main(side):
    """Write the page and read it, a process a reading, three times each."""
    with tempfile.TemporaryDirectory() as folder:
        name = str(Path(folder) / "page.tif")
        write(name, side)
        for part in ("corner", "all") * 3:
            for who in ("imread", "store"):
                subprocess.run([sys.executable, __file__, who, part, name], check=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        read(*sys.argv[1:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
