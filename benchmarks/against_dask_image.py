"""
Print how long jobs take here and in the public dask-image package, in one run.

Run as ``python benchmarks/against_dask_image.py PYTHON [JOB ...]``, where PYTHON is the
interpreter of a virtual environment that has the public package from PyPI (it has this one's
import name, so both cannot be in one). ``make benchmark-peer`` makes that environment. Each
job runs in each interpreter in a process of its own; only its own time is printed, graph
building included, imports and the compilation of kernels not.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import dask
import dask.array as da
import numpy as np
from scipy import ndimage


def image_and_labels(size, chunk, labels):
    """Return a random image, and labels in a grid of equal squares, both lazy."""
    image = np.random.default_rng(0).random((size, size), dtype="f4")
    side = int(labels**0.5)
    along = np.arange(size) * side // size
    label_image = (along[:, None] * side + along + 1).astype("i4")
    return da.from_array(image, chunks=chunk), da.from_array(label_image, chunks=chunk)


def gaussian_filter():
    """gaussian_filter, sigma 3, of 4096² float32 in blocks of 1024²."""
    from dask_image.ndfilters import gaussian_filter

    image, _ = image_and_labels(4096, 1024, 1)
    return lambda: [gaussian_filter(image, 3)]


def median_filter():
    """median_filter, 3 by 3, of 2048² uint8 in blocks of 512²."""
    from dask_image.ndfilters import median_filter

    image, _ = image_and_labels(2048, 512, 1)
    return lambda: [median_filter((image * 255).astype("u1"), size=3)]


def label():
    """Label 4096² pixels of smoothed noise, 40 % foreground, in blocks of 512²."""
    from dask_image.ndmeasure import label

    noise = ndimage.gaussian_filter(np.random.default_rng(0).random((4096, 4096), "f4"), 2)
    image = da.from_array(noise > np.quantile(noise, 0.6), chunks=512)
    return lambda: label(image)


def mean_of_100():
    """Mean of 100 labels on 1024² in blocks of 256²."""
    from dask_image.ndmeasure import mean

    image, labels = image_and_labels(1024, 256, 100)
    return lambda: [mean(image, labels, np.arange(1, 101))]


def mean_of_1000():
    """Mean of 961 labels on 1024² in blocks of 256²."""
    from dask_image.ndmeasure import mean

    image, labels = image_and_labels(1024, 256, 1000)
    return lambda: [mean(image, labels, np.arange(1, 962))]


def find_objects():
    """Find 100 objects on 1024² in blocks of 256²."""
    from dask_image.ndmeasure import find_objects

    _, labels = image_and_labels(1024, 256, 100)
    return lambda: [find_objects(labels)]


def imread():
    """Read 400 TIFF files of 128²."""
    import tifffile

    from dask_image.imread import imread

    folder = pathlib.Path(tempfile.gettempdir()) / f"dask-image-benchmark-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    for number in range(400):
        tifffile.imwrite(folder / f"{number:03}.tif", np.full((128, 128), number, "u2"))
    return lambda: [imread(str(folder / "*.tif"))]


JOBS = {
    job.__name__: job
    for job in (gaussian_filter, median_filter, label, mean_of_100, mean_of_1000, find_objects,
                imread)
}  # fmt: skip


def run(name):
    """Return the seconds of a job; what does not take long runs twice, to load kernels."""
    work = JOBS[name]()
    with dask.config.set(scheduler="threads", num_workers=2):
        for _ in range(2):
            start = time.perf_counter()
            dask.compute(*work())
            seconds = time.perf_counter() - start
            if seconds > 20:
                break
    return seconds


def main(peer, names):
    print(f"{'job':62}{'here':>9}{'public':>9}{'times':>8}")
    for name in names or JOBS:
        seconds = [
            json.loads(
                subprocess.run(
                    [python, "-E", __file__, "--job", name],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout.splitlines()[-1]
            )
            for python in (sys.executable, peer)
        ]
        here, public = seconds
        print(f"{JOBS[name].__doc__:62}{here:8.2f}s{public:8.2f}s{public / here:8.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        print(json.dumps(run(sys.argv[2])))
    else:
        main(sys.argv[1], sys.argv[2:])
