"""One way to ask SciPy, the oracle, whether a lazy result is right."""

import contextlib

import dask
import dask.array as da
import numpy as np

RELATIVE_TOLERANCE = {"f4": 1e-6, "c8": 1e-6, "f8": 1e-12, "c16": 1e-12}


def _refuse_to_compute(graph, keys, **options):
    raise AssertionError(f"something computed {keys} while the graph was being built")


@contextlib.contextmanager
def nothing_computes():
    """Fail if anything is computed inside the block."""
    with dask.config.set(scheduler=_refuse_to_compute):
        yield


def seeded_image(shape, dtype, seed=0):
    """Return an array of random values that fill a good part of the range of ``dtype``."""
    random = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return random.random(shape) < 0.4
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        low, high = max(limits.min, -1000), min(limits.max, 1000)
        return random.integers(low, high, shape, dtype=dtype, endpoint=True)
    values = random.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * random.standard_normal(shape)
    return values.astype(dtype)


def labels_like(shape, dtype="i4", seed=1, low=0, high=6):
    """Return an array of random labels."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def arrays_for_calls(shape, chunks=None):
    """Return what `tests.calls` call functions with, as Dask arrays if ``chunks`` are given."""
    random = np.random.default_rng(0)
    arrays = [
        random.normal(size=shape), random.integers(0, 4, shape),
        random.random(shape) > 0.5, random.integers(0, 3, shape, dtype="u1"),
    ]  # fmt: skip
    return arrays if chunks is None else [da.from_array(each, chunks=chunks) for each in arrays]


def collections_in(result):
    """Return what can be computed in what a function returned."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (tuple, list)):
        return [each for part in result for each in collections_in(part)]
    return [result] if hasattr(result, "compute") else []


def flat(result):
    """Return the arrays of a result, which may hold tuples, dicts and tables of them."""
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, (tuple, list)):
        return [each for part in result for each in flat(part)]
    if isinstance(result, np.ndarray) and result.dtype == object and result.ndim:
        return flat(result.tolist())
    return [result.to_numpy() if hasattr(result, "to_numpy") else result]


def assert_same_values(results, expected, tolerance=1e-10):
    """Compare what was computed: arrays, and tuples, dicts and tables of them."""
    for ours, right in zip(flat(results), flat(expected), strict=True):
        if getattr(right, "dtype", np.dtype("O")).kind in "fc":
            np.testing.assert_allclose(ours, right, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(ours, right)


def assert_same(lazy, expected, rtol=None):
    """
    Compare a lazy array with the array it must compute to.

    Advertised and computed dtype and shape must agree. Values are compared
    bitwise for integers and booleans, else to ``rtol`` of the largest value
    (default: by dtype), NaN equal to NaN.
    """
    expected = np.asarray(expected)
    assert isinstance(lazy, da.Array)
    computed = lazy.compute(scheduler="synchronous")
    assert lazy.dtype == expected.dtype, f"advertised {lazy.dtype}, SciPy gives {expected.dtype}"
    assert lazy.shape == expected.shape, f"advertised {lazy.shape}, SciPy gives {expected.shape}"
    computed = np.asarray(computed)
    assert computed.dtype == lazy.dtype
    assert computed.shape == lazy.shape
    if expected.dtype.kind in "fc":
        if rtol is None:
            rtol = RELATIVE_TOLERANCE[expected.dtype.str[1:]]
        finite = np.abs(expected[np.isfinite(expected)])
        scale = finite.max() if finite.size else 0
        np.testing.assert_allclose(computed, expected, rtol=rtol, atol=rtol * scale)
    else:
        np.testing.assert_array_equal(computed, expected)


def assert_matches_scipy(
    function, reference, image, /, *args, chunks=-1, rtol=None, same_chunks=True, **kwargs
):
    """
    Check ``function`` on a chunked ``image`` against ``reference`` on the whole one.

    Both are called as ``f(image, *args, **kwargs)``. The lazy call must compute
    nothing while it is built, give the same name twice, and keep the input's
    chunks when the shape is unchanged (``same_chunks=False`` waives that).
    """
    expected = reference(image, *args, **kwargs)
    lazy_image = da.from_array(image, chunks=chunks)
    with nothing_computes():
        lazy = function(lazy_image, *args, **kwargs)
        again = function(lazy_image, *args, **kwargs)
    assert lazy.name == again.name, "the same call got two names"
    if same_chunks and lazy.shape == lazy_image.shape:
        assert lazy.chunks == lazy_image.chunks
    assert_same(lazy, expected, rtol=rtol)


def plain_kernels():
    """Let NumPy and SciPy do inside the block what compiled kernels do elsewhere."""
    return dask.config.set({"dask-image.kernels": "scipy"})
