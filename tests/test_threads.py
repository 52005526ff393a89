"""Every function on many threads at once, which share what kernels keep between blocks."""

import dask
import pytest

from tests.calls import ALL_CALLS
from tests.helpers import arrays_for_calls, assert_same_values

pytestmark = pytest.mark.every_function


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ALL_CALLS)
def test_eight_threads_give_what_one_gives(name):
    results = ALL_CALLS[name](*arrays_for_calls((40, 36), 8))
    (expected,) = dask.compute(results, scheduler="synchronous")
    (found,) = dask.compute(results, scheduler="threads", num_workers=8)
    assert_same_values(found, expected, tolerance=0)
