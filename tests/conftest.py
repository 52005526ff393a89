"""Settings that every test shares."""

import contextlib

import dask
import hypothesis
import pytest

from dask_image._kernels._numba import use_numba
from tests.helpers import plain_kernels

# The same examples on every run and machine; a shared machine's speed decides nothing.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, max_examples=50, print_blob=False
)
hypothesis.settings.load_profile("repeatable")


# Compiled kernels work from the first block on, whatever a cache on disk holds.
dask.config.set({"dask-image.compile.wait": float("inf")})


@pytest.fixture
def set_option():
    """Return ``set_option(key, value)``, which sets an option of ours for one test."""
    with contextlib.ExitStack() as options:
        yield lambda key, value: options.enter_context(
            dask.config.set({f"dask-image.{key}": value})
        )


@pytest.fixture
def compiled_kernels():
    """Skip a test that compares compiled kernels with others, where there are none."""
    if not use_numba():
        pytest.skip("numba is not installed, or not wanted")


@pytest.fixture(params=["compiled", "plain"])
def either_kernel(request):
    """Run a test with compiled kernels, where numba is installed, and without."""
    if request.param == "compiled":
        if not use_numba():
            pytest.skip("numba is not installed")
        yield
    else:
        with plain_kernels():
            yield
