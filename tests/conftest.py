"""Settings that every test shares."""

import collections
import contextlib
import zlib

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


def pytest_addoption(parser):
    parser.addoption(
        "--sample", type=int, metavar="N",
        help="of each test with more than N sets of parameters, run N, the same at each run",
    )  # fmt: skip


def pytest_collection_modifyitems(config, items):
    sample = config.getoption("sample")
    if not sample:
        return
    of_test = collections.defaultdict(list)
    for item in items:
        kernel = item.callspec.params.get("either_kernel") if hasattr(item, "callspec") else None
        of_test[item.nodeid.partition("[")[0], kernel].append(item)
    chosen = {item for item in items if item.get_closest_marker("every_function")}
    for cases in of_test.values():
        chosen.update(sorted(cases, key=lambda case: zlib.crc32(case.nodeid.encode()))[:sample])
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


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
