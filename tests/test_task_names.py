"""Tasks are named after the function that the user called and the step, as dashboards show them."""

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from dask.utils import key_split
from packaging.version import Version

from dask_image import ndfilters, ndmeasure
from tests.calls import ALL_CALLS
from tests.helpers import arrays_for_calls

pytestmark = pytest.mark.every_function

STEPS = {
    # of filters and interpolation
    "halo", "prefilter", "pad", "zoom", "zoom-prefilter", "zoom-pad", "sort", "read",
    "coordinates", "affine", "move", "mask", "totals", "weights", "halve", "double",
    "means", "clip",
    "mesh", "keep",
    *(f"{what}-{step}" for what in ("places", "values")
      for step in ("send", "pass", "sort-out", "receive")),
    # of labels and unions of components
    "scan", "summary", "link", "follow", "number", "number-part", "relabel", "count", "cast",
    "combine",
    "combine-part", "finish", "wait",
    # of measurements
    "measure", "merge", "split", "piece", "partition", "join", "index", "group", "frame",
    "column", "settle", "centers",
    # of distances
    "carry", "lines", "sweep", "slab", "pack", "forward", "backward", "part", "turn",
    "carry-wait", "sites", "across", "along",
    # of floods
    "gate", "kept", "taken", "resolve", "fill", "combine-wait",
    # of folds
    "range", "histogram", "refine", "mark", "collect", "border", "strong", "weak",
    # of mappings between labels
    "first", "second",
}  # fmt: skip

# What the measurements of one pair of image and labels share, whichever function measures.
SHARED = {
    f"label_statistics-{step}"
    for step in ("omit", "index", "measure", "merge", "follow", "labels")
}  # fmt: skip

# What Dask's and NumPy's functions call their tasks.
OF_DASK = {
    "add", "and_", "arange", "array", "astype", "broadcast_to", "chunk_max", "chunk_max-partial",
    "chunk_min", "chunk_min-partial", "delayed-container", "eq", "from-value", "fromdelayed",
    "getitem", "gt", "invert", "logical_not", "lt", "max-aggregate", "min-aggregate", "mul", "ne",
    "ones_like", "rechunk-merge", "rechunk-split", "reshape", "sqrt", "stack", "sub", "sum",
    "sum-aggregate", "sum-partial", "transpose", "unique-aggregate", "unique_internal", "where",
}  # fmt: skip

# The function that the user hands over calls one of ours; one function is another name of one.
OTHER_NAMES = {
    "gaussian": {"gaussian_filter"},
    "generic_gradient_magnitude": {"correlate1d"},
    "generic_laplace": {"correlate1d"},
}

# What is made of other public functions has their tasks too.
COMPOSED = {
    "apply_hysteresis_threshold": ("binary_propagation",),
    "subtract_background": ("gaussian_filter", "grey_erosion", "white_tophat"),
    "watershed": ("local_minima",),
}


def names_of_tasks(result, *inputs):
    """Return what a dashboard calls the tasks of a result, without those of its inputs."""
    collections, _ = dask.base.unpack_collections(result)
    keys = {key for each in collections for key in each.__dask_graph__()}
    given = {key for each in inputs for key in each.__dask_graph__()}
    return {key_split(key) for key in keys - given}


def check(name, names):
    function = name.partition(".")[2].removesuffix("_again")
    understood = {function, *SHARED, *OF_DASK, *OTHER_NAMES.get(function, ())}
    parts = COMPOSED.get(function, ())
    understood |= {f"{each}-{step}" for each in (function, *parts) for step in STEPS} | {*parts}
    assert names <= understood
    own = any(each.partition("-")[0] in (function, *parts) for each in names)
    # A data frame of an older Dask has names of its own.
    assert own or "fromdelayed" in names or function in OTHER_NAMES


def test_page_of_design_tells_what_every_step_does():
    page = (Path(__file__).parents[1] / "docs/design.rst").read_text(encoding="utf-8")
    steps = re.findall(r"``\w*-([\w-]+)``", page.partition("\nNames of tasks\n")[2])
    sent = ("places-", "values-")  # by the engine `exchange`, which has one row for both
    assert {step.removeprefix(sent[0]).removeprefix(sent[1]) for step in STEPS} <= {
        step.removeprefix(sent[0]) for step in steps
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ALL_CALLS)
def test_every_task_says_which_function_and_step(name):
    lazy = arrays_for_calls((12, 10), (5, 4))
    check(name, names_of_tasks(ALL_CALLS[name](*lazy), *lazy))


def names_of_results():
    """Return the keys of the results of all calls."""
    lazy = arrays_for_calls((12, 10), (5, 4))
    keys = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, call in ALL_CALLS.items():
            collections, _ = dask.base.unpack_collections(call(*lazy))
            keys[name] = [str(each.__dask_keys__()) for each in collections]
    return keys


@pytest.mark.skipif(Version(dask.__version__) < Version("2025.9"), reason="sorts dicts by hashes")
def test_results_have_the_same_names_in_another_process():
    # A journal goes on only with arrays of these names.
    code = f"import json, {__name__} as here; print(json.dumps(here.names_of_results()))"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    root = Path(__file__).parents[1]
    others = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, check=True, capture_output=True
    )
    theirs, ours = json.loads(others.stdout.splitlines()[-1]), names_of_results()
    assert {name for name in ours if ours[name] != theirs[name]} == set()


def test_halos_of_large_blocks(monkeypatch):
    monkeypatch.setattr("dask_image._utils.engines.overlap.SLAB_WORTH_BYTES", 0)
    image = da.ones((20, 20), chunks=10)
    names = names_of_tasks(ndfilters.gaussian_filter(image, 0.5), image)
    assert names == {"gaussian_filter", "gaussian_filter-halo"}


@pytest.mark.parametrize(
    ("method", "param"), [("gaussian", None), ("mean", None), ("median", None), ("generic", np.max)]
)
def test_each_method_of_a_threshold(method, param):
    image = da.ones((20, 20), chunks=10)
    result = ndfilters.threshold_local(image, 3, method, param=param)
    assert names_of_tasks(result, image) == {"threshold_local"}


@pytest.mark.parametrize("dtype", ["u1", "f8"])
def test_the_median_of_all_pixels(dtype):
    image = da.ones((20, 20), chunks=10, dtype=dtype)
    names = names_of_tasks(ndmeasure.median(image), image)
    check("ndmeasure.median", names - {"gt", "from-value", "ones"})


def test_derivatives_whose_axes_differ_in_mode():
    image = da.ones((20, 20), chunks=10)
    result = ndfilters.gaussian_laplace(image, 1, mode=["wrap", "nearest"])
    assert names_of_tasks(result, image) == {"gaussian_laplace"}
