"""Many small TIFF files against a plain loop of tifffile, large pages against its own store."""

import os
import tempfile

import dask.array as da
import numpy as np
import tifffile

from dask_image.imread import imread

FILES = 1000
SHAPE = (64, 64)


def write_files(folder, compression):
    """Write the files and return their names."""
    random = np.random.default_rng(0)
    names = [os.path.join(folder, f"frame{number}.tif") for number in range(FILES)]
    for name in names:
        frame = random.integers(0, 60_000, SHAPE, dtype="uint16")
        tifffile.imwrite(name, frame, compression=compression)
    return names


def write_page(folder):
    """Write a page of 8192² in compressed tiles, and return its name."""
    name = os.path.join(folder, "page.tif")
    random = np.random.default_rng(0)
    page = random.integers(0, 4000, (1024, 1024), "u2").repeat(8, 0).repeat(8, 1)
    page += random.integers(0, 8, page.shape, "u2")
    tifffile.imwrite(name, page, tile=(256, 256), compression="zlib")
    return name


def cases():
    """Yield (name, ratio to reach, ours, the loop or the store)."""
    yield from small_files()
    yield from large_page()


def large_page():
    """Yield the cases of a large page."""
    import zarr

    folder = tempfile.TemporaryDirectory(prefix="bench-imread-")
    name = write_page(folder.name)

    def opened(chunks):
        store = zarr.open(tifffile.imread(name, aszarr=True), mode="r")
        return da.from_zarr(store, chunks=chunks)

    def ours():
        return imread(name, chunks=2048).max().compute(scheduler="threads", num_workers=2)

    def store():
        return opened(2048).max().compute(scheduler="threads", num_workers=2)

    yield "imread, page of 8192² in tiles, all", 1.1, ours, store

    def our_corner(folder=folder):
        return imread(name)[0, -512:, -512:].compute(scheduler="threads", num_workers=2)

    def corner_of_store():
        return opened(-1)[-512:, -512:].compute(scheduler="threads", num_workers=2)

    yield "imread, page of 8192² in tiles, a corner of 512²", 1.1, our_corner, corner_of_store


def small_files():
    """Yield the cases of many files."""
    for compression in (None, "zlib"):
        folder = tempfile.TemporaryDirectory(prefix="bench-imread-")
        names = write_files(folder.name, compression)

        def ours(folder=folder):
            images = imread(os.path.join(folder.name, "frame*.tif"))
            return images.compute(scheduler="threads", num_workers=2)

        def loop(names=names):
            return np.stack([tifffile.imread(name) for name in names])

        yield f"imread, {FILES} TIFFs of {SHAPE}, {compression or 'plain'}", 1.5, ours, loop
