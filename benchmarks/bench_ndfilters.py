"""Filters against SciPy on the whole array, and the engine against `dask.array.map_overlap`."""

import functools

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndfilters

SIZE, CHUNK = 4096, 1024


def compute(function, *args, **kwargs):
    return function(*args, **kwargs).compute(scheduler="threads", num_workers=2)


def against_scipy(name, dtype, target, length=SIZE, **kwargs):
    random = np.random.default_rng(0)
    image = (random.random((length, length)) * 250).astype(dtype)
    lazy = da.from_array(image, chunks=CHUNK, name=f"image-{dtype}-{length}")
    arguments = ", ".join(f"{k}={v}" for k, v in kwargs.items() if k != "weights")
    return (
        f"{name}({arguments}) {dtype} {length}²",
        target,
        functools.partial(compute, getattr(ndfilters, name), lazy, **kwargs),
        functools.partial(getattr(ndimage, name), image, **kwargs),
    )


def overhead():
    """Small blocks, so that the time is that of the graph and its tasks."""
    image = da.zeros((128,) * 3, chunks=8, dtype="f4")

    def stock():
        lazy = image.map_overlap(ndimage.gaussian_filter, depth=4, boundary="reflect", sigma=1)
        lazy.compute(scheduler="threads", num_workers=2)

    ours = functools.partial(compute, ndfilters.gaussian_filter, image, sigma=1)
    return "gaussian_filter of 4096 blocks of 8³, against da.map_overlap", 0.25, ours, stock


def cases():
    yield overhead()
    yield against_scipy("gaussian_filter", "f4", 0.6, sigma=3)
    yield against_scipy("gaussian_filter", "u1", 0.6, sigma=1)
    yield against_scipy("gaussian_filter", "f4", 0.6, sigma=20)
    yield against_scipy("gaussian_laplace", "f4", 0.6, sigma=2)
    yield against_scipy("sobel", "f4", 0.6)
    yield against_scipy("convolve", "f4", 0.6, weights=np.ones((5, 5)) / 25)
    yield against_scipy("uniform_filter", "f4", 0.6, size=9)
    yield against_scipy("minimum_filter", "u1", 0.2, size=9)
    yield against_scipy("median_filter", "u1", 0.2, size=3)
    yield against_scipy("median_filter", "u2", 0.2, length=2048, size=9)
    yield against_scipy("median_filter", "f4", 0.6, size=5)
    yield against_scipy("percentile_filter", "u1", 0.6, percentile=20, size=7)
