"""Windows of 50³ pixels every 25 pixels, against a plain loop over windows."""

import resource
import time

import dask.array as da
import numpy as np

from dask_image.local_statistics import (
    local_histogram,
    local_mean,
    local_percentile,
    local_standard_deviation,
)

SHAPE = (200, 300, 300)
WINDOW, SPACING = (50, 50, 50), (25, 25, 25)


def volume(shape, chunks=100):
    """Return a lazy image of noise on a slow trend, as cleared tissue has it."""
    random = da.random.default_rng(0)
    noise = random.integers(0, 600, size=shape, chunks=chunks, dtype="uint16")
    trend = (da.arange(shape[-1], chunks=noise.chunks[-1]) * 3).astype("uint16")
    return noise + trend


def loop(image, function, dtype):
    """Apply ``function`` to one window after another."""
    axes = []
    for size, spacing, width in zip(image.shape, SPACING, WINDOW):
        count = size // spacing
        first = (size - (count - 1) * spacing) // 2
        starts = first + spacing * np.arange(count) - width // 2
        axes.append([slice(max(start, 0), start + width) for start in starts])
    results = [function(image[i, j, k]) for i in axes[0] for j in axes[1] for k in axes[2]]
    return np.asarray(results, dtype).reshape(*map(len, axes), *np.shape(results[0]))


def _count(values):
    return np.bincount(values[values < 4096], minlength=4096)


def cases():
    """Yield (name, ratio to reach, ours, the loop); a ratio of 0.1 is ten times as fast."""
    image = volume(SHAPE).compute()
    lazy = da.from_array(image, chunks=100)

    def computed(function, *args):
        def compute():
            result = function(lazy, *args, selem=WINDOW, spacing=SPACING, interpolate=None)
            return result.compute(scheduler="threads", num_workers=2)

        return compute

    for name, ours, theirs in (
        (
            "local_percentile",
            computed(local_percentile, 0.5),
            lambda: loop(image, lambda values: np.percentile(values, 50), "uint16"),
        ),
        (
            "local_histogram",
            computed(local_histogram, 4096),
            lambda: loop(image, lambda values: _count(values.ravel()), "int64"),
        ),
        ("local_mean", computed(local_mean), lambda: loop(image, np.mean, float)),
        (
            "local_standard_deviation",
            computed(local_standard_deviation),
            lambda: loop(image, np.std, float),
        ),
    ):
        # Sorting and counting are what takes long in a loop; a mean takes little.
        target = 0.1 if name in ("local_percentile", "local_histogram") else None
        yield f"{name}, {SHAPE} uint16", target, ours, theirs


def whole_volume():
    """Run both on 512×1024×1024 pixels that are made on the way; print time and peak memory."""
    for function, args in ((local_percentile, (0.5,)), (local_histogram, (4096,))):
        for chunks in (128, (64, 256, 256)):
            image = volume((512, 1024, 1024), chunks)
            result = function(image, *args, selem=WINDOW, spacing=SPACING, interpolate=None)
            start = time.perf_counter()
            # The histograms are 1 GB: keep one number of each.
            result = result if function is local_percentile else result.sum(axis=-1)
            result.compute(scheduler="threads", num_workers=2)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            tasks = len(result.dask)
            print(f"{function.__name__}, chunks {chunks}: {seconds:.1f} s, peak {peak:.2f} GB, "
                  f"{tasks} tasks for {image.npartitions} blocks")  # fmt: skip


if __name__ == "__main__":
    whole_volume()
