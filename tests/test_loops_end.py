"""Loops that end by comparing values end for every value: NaN, infinities, and equal ones."""

import subprocess
import sys

import numpy as np
import pytest

from dask_image._kernels._numba import use_numba

# In a process of its own: a compiled loop that does not end cannot be interrupted.
CHILD = """
import sys, warnings
import dask, dask.array as da, numpy as np
from tests.calls import ALL_CALLS
from tests.helpers import assert_same, collections_in
from tests.test_loops_end import IMAGES

warnings.simplefilter("ignore")
dask.config.set({"dask-image.kernels": sys.argv[1], "scheduler": "synchronous"})
chosen = [name for place, name in enumerate(ALL_CALLS) if place % 2 == int(sys.argv[2])]
for kind, image in IMAGES.items():
    labels = np.arange(image.size).reshape(image.shape) % 3
    with np.errstate(all="ignore"):
        counts = np.nan_to_num(abs(image) * 4, posinf=200).clip(0, 200).astype(np.uint8)
    arrays = [da.from_array(each, chunks=9) for each in (image, labels, image > 0, counts)]
    for name in chosen:
        print(kind, name, flush=True)
        for array in collections_in(ALL_CALLS[name](*arrays)):
            array.compute()
"""


def _images():
    random = np.random.default_rng(0)
    noise = random.standard_normal((16, 14))
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0])
    return {
        "equal": np.ones((16, 14)),
        "NaN": np.full((16, 14), np.nan),
        "10 % NaN": np.where(random.random(noise.shape) < 0.1, np.nan, noise),
        "45 % NaN": np.where(random.random(noise.shape) < 0.45, np.nan, noise).astype("f4"),
        "infinite": np.where(noise > 0, np.inf, -np.inf),
        "a continent of NaN": np.where(np.indices(noise.shape).sum(0) < 12, np.nan, noise),
        "all kinds": values[random.integers(0, len(values), noise.shape)],
    }


IMAGES = _images()


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("kernels", ["numba", "scipy"])
def test_every_public_function_ends(kernels, half):
    if kernels == "numba" and not use_numba():
        pytest.skip("numba is not installed")
    run_in_child(CHILD, kernels, str(half))


def run_in_child(program, *arguments, seconds=300):
    """Run Python code in a process of its own; fail if it raises, or does not end in time."""
    command = [sys.executable, "-c", program, *arguments]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode().strip().splitlines()
        pytest.fail(f"did not end: {said[-1:]}")
    assert run.returncode == 0, run.stdout[-200:] + run.stderr[-2000:]


PERCENTILES = """
import sys
import dask, dask.array as da, numpy as np
from dask_image.local_statistics import local_percentile
from tests.test_loops_end import percentiles_of_windows

dask.config.set({"dask-image.kernels": sys.argv[1]})
lone = np.zeros((20, 20)); lone[0, 0] = np.nan
print("one NaN", flush=True)
assert np.isnan(local_percentile(da.from_array(lone), 1.0, 20, interpolate=None).compute()).all()
values = {"few values": [-7.0, -1.0, -0.0, 0.0, 2.0], "infinities": [-np.inf, 0.0, 1.0, np.inf]}
random = np.random.default_rng(0)
for kind in ("normal", "few values", "infinities"):
    for share in (0.0, 0.001, 0.1, 0.45, 1.0):
        for dtype in ("f8", "f4"):
            for masked in (False, True):
                print(kind, share, dtype, masked, flush=True)
                image = random.standard_normal((64, 60))
                if kind in values:
                    image = random.choice(values[kind], image.shape)
                image[random.random(image.shape) < share] = np.nan
                image = image.astype(dtype)
                mask = random.random(image.shape) < 0.5 if masked else None
                fractions = [0.0, 0.25, 0.95, 1.0]
                lazy = local_percentile(
                    da.from_array(image, chunks=33), fractions, 20, 10, mask=mask, interpolate=None
                )
                found = lazy.compute()
                expected = percentiles_of_windows(image, mask, fractions)
                if kind == "infinities":  # NumPy interpolates between equal ones, which is NaN
                    found, expected = found[~np.isnan(expected)], expected[~np.isnan(expected)]
                np.testing.assert_allclose(found, expected, rtol=1e-6)
"""


def percentiles_of_windows(image, mask, fractions):
    """Return the percentiles of windows of 20 pixels, 10 apart: NaN where there is any."""
    centers = [(size - (size // 10 - 1) * 10) // 2 + 10 * np.arange(size // 10)
               for size in image.shape]  # fmt: skip
    result = np.empty((*map(len, centers), len(fractions)))
    for index in np.ndindex(result.shape[:-1]):
        where = tuple(
            slice(max(axis[place] - 10, 0), axis[place] + 10) for axis, place in zip(centers, index)
        )
        values = image[where] if mask is None else image[where][mask[where]]
        with np.errstate(invalid="ignore"):
            result[index] = np.percentile(values.astype(float), [100 * part for part in fractions])
    return result


@pytest.mark.parametrize("kernels", ["numba", "scipy"])
def test_percentiles_of_windows_with_nan(kernels):
    if kernels == "numba" and not use_numba():
        pytest.skip("numba is not installed")
    run_in_child(PERCENTILES, kernels)
