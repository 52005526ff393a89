"""The suite of scale counts every function, and what it counts stays small."""

import pkgutil

import pytest
from scipy import ndimage

import dask_image
from benchmarks.scale import MOST_TASKS, graph_of
from benchmarks.scale_graphs import WITHOUT_GRAPH, graph_calls
from dask_image import imread
from tests.calls import FAMILIES

pytestmark = pytest.mark.every_function
SIDE = 5


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="SciPy before 1.16")
def test_graphs_of_every_public_function_are_counted():
    counted = {name.split(",")[0].removesuffix("_again") for name in graph_calls()}
    seen = set()
    for family in (*FAMILIES, imread):
        place = family.__name__.rpartition(".")[2]
        for name in set(family.__all__) - WITHOUT_GRAPH:
            function = getattr(family, name)
            if f"{place}.{name}" in counted:
                seen.add(function)
    for family in (*FAMILIES, imread):
        for name in set(family.__all__) - WITHOUT_GRAPH:
            assert getattr(family, name) in seen, f"{family.__name__}.{name}"


def test_all_areas_are_counted():
    modules = pkgutil.iter_modules(dask_image.__path__)
    areas = {each.name for each in modules if each.ispkg and not each.name.startswith("_")}
    counted = {each.__name__.rpartition(".")[2] for each in (*FAMILIES, imread)}
    assert areas - {"dispatch"} == counted


@pytest.mark.parametrize("name", graph_calls())
@pytest.mark.filterwarnings("ignore::dask.array.PerformanceWarning", "ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*sum_labels:DeprecationWarning")
def test_a_block_takes_few_tasks(name):
    # With so few blocks, what groups of them take counts more than at scale.
    assert len(graph_of(graph_calls()[name], SIDE)) / SIDE**3 <= MOST_TASKS + 1.5
