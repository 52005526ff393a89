"""
Print, as the tables of ``docs/holes.txt``, how exact and how fast images with holes are worked on.

Run as ``python benchmarks/holes.py``; rows of peers that are not installed (astropy, photutils,
scikit-image) are left out. Errors are the largest of all pixels, relative to a constant sky or
to the peer's largest value. Costs are seconds of the thread's processor, on one thread and in one
block, with ``where=`` divided by those without: the best of several by turns.
"""

import functools
import importlib
import itertools
import time

import dask
import dask.array as da
import numpy as np

from dask_image import local_statistics, ndfilters

SIDE, CHUNKS, TURNS = 1000, 500, 3
PLANE, VOLUME = (2048, 2048), (96, 200, 200)
DTYPES = ("float32", "uint16", "uint8")


def picture():
    """Return a sky with a slope and noise, and which of its pixels are there."""
    random = np.random.default_rng(0)
    image = random.normal(1000 + 0.1 * np.indices((SIDE, SIDE)).sum(0), 5)
    counted = random.random(image.shape) > 0.02
    counted[300:380, 500:580] = False
    return image, counted


def lazy(array):
    """Return an array in blocks."""
    return da.from_array(array, chunks=CHUNKS)


def constant_sky(counted):
    """Yield calls on a constant sky of 1000, and their largest relative errors."""
    sky = lazy(np.where(counted, 1000.0, np.nan))
    calls = {
        "gaussian_filter(σ=3)": ndfilters.gaussian_filter(sky, 3, nan_policy="omit"),
        "uniform_filter(9)": ndfilters.uniform_filter(sky, 9, nan_policy="omit"),
        "median_filter(9)": ndfilters.median_filter(sky, 9, nan_policy="omit"),
        "background(50)": local_statistics.background(sky, 50)[0],
        "local_mean(50)": local_statistics.local_mean(
            sky, 50, interpolate=1, mask=lazy(counted), dtype=float
        ),
        **{
            f"fill_missing({method!r})": ndfilters.fill_missing(sky, method=method)
            for method in ("nearest", "smooth", "inpaint")
        },
    }
    for name, result in calls.items():
        # Where no pixel of a window counts, there is no value.
        yield f"``{name}``", f"{np.nanmax(abs(result.compute() / 1000 - 1)):.0e}"


def module(name):
    """Return a peer, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def beside_peers(image, counted):
    """Yield peers and the largest difference from theirs."""
    holes = np.where(counted, image, np.nan)
    if (astropy := module("astropy.convolution")) is not None:
        kernel = astropy.Gaussian2DKernel(3, x_size=25, y_size=25)
        theirs = astropy.convolve(holes, kernel, boundary="extend", nan_treatment="interpolate")
        ours = ndfilters.gaussian_filter(lazy(holes), 3, mode="nearest", nan_policy="omit")
        yield "``gaussian_filter``", "astropy ``convolve``", largest(ours.compute(), theirs)
    if (photutils := module("photutils.background")) is not None:
        theirs = photutils.Background2D(image, 50, mask=~counted)
        ours = local_statistics.background(lazy(image), 50, mask=lazy(counted), interpolate=False)
        for mesh, their_mesh in zip(ours, (theirs.background_mesh, theirs.background_rms_mesh)):
            yield (
                "``background``",
                "photutils ``Background2D``",
                largest(mesh.compute(), their_mesh),
            )
    if (restoration := module("skimage.restoration")) is not None:
        theirs = restoration.inpaint_biharmonic(image, ~counted)
        ours = ndfilters.fill_missing(lazy(image), counted, "inpaint")
        yield "``fill_missing``", "scikit-image", largest(ours.compute(), theirs)


def largest(ours, theirs):
    """Return the largest difference, relative to the largest value."""
    return f"{np.nanmax(abs(ours - theirs)) / np.nanmax(abs(theirs)):.0e}"


def masks(shape):
    """Return masks by what is missing in them."""
    random = np.random.default_rng(1)
    scattered = random.random(shape)
    holes, stripes = np.ones((2, *shape), bool)
    for corner in random.integers(0, shape, (12, len(shape))):
        holes[tuple(slice(at, at + size // 6) for at, size in zip(corner, shape))] = False
    stripes[..., ::8] = stripes[..., 1::8] = False
    return {
        "1 %": scattered > 0.01, "20 %": scattered > 0.2, "60 %": scattered > 0.6,
        "large holes": holes, "stripes": stripes,
    }  # fmt: skip


FILTERS = {
    "gaussian_filter(σ=3)": (ndfilters.gaussian_filter, 3),
    "gaussian_filter(σ=1)": (ndfilters.gaussian_filter, 1),
    "uniform_filter(9)": (ndfilters.uniform_filter, 9),
    "correlate(5²)": (ndfilters.correlate, np.arange(1.0, 26).reshape(5, 5)),
    "minimum_filter(9)": (ndfilters.minimum_filter, 9),
    "maximum_filter(3)": (ndfilters.maximum_filter, 3),
    "median_filter(3)": (ndfilters.median_filter, 3),
    "median_filter(5)": (ndfilters.median_filter, 5),
    "median_filter(9)": (ndfilters.median_filter, 9),
    "median_filter(15)": (ndfilters.median_filter, 15),
    "percentile_filter(20, 9)": (ndfilters.percentile_filter, 20, 9),
    "rank_filter(2, 5)": (ndfilters.rank_filter, 2, 5),
}
OF_VOLUMES = {
    "gaussian_filter(σ=1), 3-D": (ndfilters.gaussian_filter, 1),
    "uniform_filter(5), 3-D": (ndfilters.uniform_filter, 5),
    "minimum_filter(5), 3-D": (ndfilters.minimum_filter, 5),
    "median_filter(3), 3-D": (ndfilters.median_filter, 3),
    "median_filter(5), 3-D": (ndfilters.median_filter, 5),
}


def costs():
    """Yield filters, what a pixel costs them in nanoseconds, and what ``where`` costs."""
    for shape, filters in ((PLANE, FILTERS), (VOLUME, OF_VOLUMES)):
        level = np.random.default_rng(0).normal(120, 20, shape).clip(1, 250)
        wheres = [da.from_array(each, chunks=-1) for each in masks(shape).values()]
        for (name, (function, *arguments)), dtype in itertools.product(filters.items(), DTYPES):
            image = da.from_array(level.astype(dtype), chunks=-1)
            call = functools.partial(function, image, *arguments)
            # Where no pixel counts an image of integers has no NaN.
            fill = None if dtype == "float32" else 0
            masked = [functools.partial(call, where=each, fill_value=fill) for each in wheres]
            plain, *others = seconds(call, *masked)
            shares = (f"{each / plain:.1f}" for each in others)
            yield f"``{name}``", dtype, f"{1e9 * plain / level.size:.1f}", *shares


def seconds(*calls):
    """Return the least processor time of each call, after a first one that may compile."""
    times = np.full((TURNS + 1, len(calls)), np.inf)
    for turn in times:
        for number, call in enumerate(calls):
            start = time.thread_time()
            call().compute()
            turn[number] = time.thread_time() - start
    return times[1:].min(axis=0).tolist()


def show(title, header, rows):
    """Print a table as reStructuredText."""
    print(f"{title}\n{'-' * len(title)}\n\n.. list-table::\n   :header-rows: 1\n")
    for cells in (header, *rows):
        for number, cell in enumerate(cells):
            print(f"   {'*' if number == 0 else ' '} - {cell}")
    print()


def main():
    """Print all tables."""
    image, counted = picture()
    with dask.config.set(scheduler="synchronous"), np.errstate(all="ignore"):
        show(
            "A constant sky with holes", ("2 % of the pixels and 80² missing", "largest error"),
            constant_sky(counted),
        )  # fmt: skip
        show("Beside peers", ("here", "there", "largest difference"), beside_peers(image, counted))
        show(
            "What ``where=`` costs",
            ("filter", "dtype", "plain, ns a pixel", *masks((8, 8))),
            costs(),
        )  # fmt: skip


if __name__ == "__main__":
    main()
