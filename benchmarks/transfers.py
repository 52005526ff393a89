"""
Measure what the overlap engine moves between the workers of a cluster, with slabs and without.

Run as ``python benchmarks/transfers.py``. The halo is what must be moved if every pair of
neighbouring blocks lies on different workers. Blocks that are moved beside slabs are those
which the scheduler gave to another worker than the one that held them, to keep both busy.
"""

import time

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, wait

from dask_image import ndfilters
from dask_image._utils.engines import overlap


def received(dask_worker):
    """Return the megabytes a worker has received so far: of slabs, and of whole blocks."""
    sizes = {True: 0.0, False: 0.0}
    for transfer in dask_worker.transfer_incoming_log:
        for key, size in transfer["keys"].items():
            sizes["slab" in str(key)] += size / 1e6
    return sizes[True], sizes[False]


def measure(client, image, sigma, threshold):
    """Return seconds, and megabytes of slabs and blocks that workers received for one filter."""
    overlap.SLAB_WORTH_BYTES = threshold
    before = np.sum(list(client.run(received).values()), axis=0)
    start = time.perf_counter()
    result = ndfilters.gaussian_filter(image, sigma).persist()
    wait(result)
    seconds = time.perf_counter() - start
    return seconds, *(np.sum(list(client.run(received).values()), axis=0) - before)


def halo_megabytes(image, reach):
    """Return the size of all pixels within reach of a block that lie in another block."""
    extended = 1
    for sizes in image.chunks:
        edges = 2 * reach * (len(sizes) - 1)
        extended *= (sum(sizes) + edges) / sum(sizes)
    return (extended - 1) * image.nbytes / 1e6


def main():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        for shape, chunks, sigma in (
            ((384, 384, 384), 128, 1),
            ((384, 384, 384), 128, 4),
            ((6000, 6000), 1000, 3),
        ):
            image = da.random.default_rng(0).random(shape, chunks=chunks, dtype="f4").persist()
            wait(image)
            print(f"{shape} in blocks of {chunks}, sigma {sigma}: {image.nbytes / 1e6:.0f} MB, "
                  f"halo {halo_megabytes(image, int(4 * sigma + 0.5)):.0f} MB")  # fmt: skip
            wait(ndfilters.gaussian_filter(image[:chunks], sigma).persist())  # loads the kernels
            for name, threshold in (("slabs", 100_000), ("whole neighbours", 1 << 60)):
                seconds, slabs, blocks = measure(client, image, sigma, threshold)
                print(
                    f"  {name:17} {slabs:5.0f} MB of slabs moved, "
                    f"{blocks:5.0f} MB of blocks, {seconds:5.1f} s"
                )


if __name__ == "__main__":
    main()
