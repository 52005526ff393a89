"""Reading many small TIFF files against a plain loop of tifffile."""

import os
import tempfile

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


def cases():
    """Yield (name, ratio to reach, ours, the loop)."""
    for compression in (None, "zlib"):
        folder = tempfile.TemporaryDirectory(prefix="bench-imread-")
        names = write_files(folder.name, compression)

        def ours(folder=folder):
            images = imread(os.path.join(folder.name, "frame*.tif"))
            return images.compute(scheduler="threads", num_workers=2)

        def loop(names=names):
            return np.stack([tifffile.imread(name) for name in names])

        yield f"imread, {FILES} TIFFs of {SHAPE}, {compression or 'plain'}", 1.5, ours, loop
