"""What the package promises to type checkers."""

import ast
import dataclasses
import importlib
import inspect
import itertools
import pkgutil
import re
import sys
import typing
from pathlib import Path

import pytest

import dask_image
from dask_image._utils import engines
from dask_image._utils import typing as aliases
from dask_image._utils.backend import numpy_only
from dask_image._utils.modes import MODES
from tests.test_package import ADAPTERS, MODULES, public_functions

pytestmark = pytest.mark.every_function

ROOT = Path(__file__).parents[1]
ENGINES = sorted(
    f"{engines.__name__}.{module.name}" for module in pkgutil.iter_modules(engines.__path__)
)
# What adapters hold is said by stubs.
FAMILIES = sorted(set(MODULES) - set(ADAPTERS))


@pytest.mark.parametrize("function", public_functions(FAMILIES))
def test_public_functions_are_annotated(function):
    # All names in annotations are there when a program runs, but for those of an extra.
    hints = typing.get_type_hints(function, localns={"DataFrame": object})
    assert hints.keys() == {*inspect.signature(function).parameters, "return"}


@pytest.mark.parametrize("name", ENGINES)
def test_engines_are_annotated(name):
    module = ast.parse(inspect.getsource(importlib.import_module(name)))
    classes = (each for each in module.body if isinstance(each, ast.ClassDef))
    bodies = [module.body, *(each.body for each in classes if not each.name.startswith("_"))]
    for function in itertools.chain(*bodies):
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
            parameters = function.args
            every = [*parameters.args, *parameters.kwonlyargs, parameters.vararg, parameters.kwarg]
            missing = [each.arg for each in every if each and each.annotation is None]
            assert set(missing) <= {"self", "cls"}, function.name
            assert function.returns, function.name


def test_values_that_engines_share_say_what_they_hold():
    for name in ENGINES:
        module = importlib.import_module(name)
        for value in vars(module).values():
            if inspect.isclass(value) and dataclasses.is_dataclass(value):
                held = {field.name for field in dataclasses.fields(value)}
                assert held <= typing.get_type_hints(value).keys()


def test_modes_have_one_list_of_names():
    assert set(typing.get_args(aliases.ModeName)) == set(MODES)


def test_decorators_keep_signatures():
    def public(image: aliases.Array, *, size: int = 3) -> aliases.Array:
        return image

    assert inspect.signature(numpy_only(public, "mean")) == inspect.signature(public)


def test_package_names_its_areas_to_type_checkers():
    stub = ast.parse((ROOT / "dask_image/__init__.pyi").read_text())
    named = {alias.asname for line in stub.body[:-1] for alias in line.names}
    assert {name.rpartition(".")[2] for name in MODULES} <= named
    assert all(hasattr(dask_image, name) for name in named)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="overloads cannot be asked for")
@pytest.mark.parametrize("name", ["ndimage", "xarray"])
def test_stub_is_what_signatures_say(name):
    from tests.stubs import stub

    def content(text):
        """Return what a stub says, however it is laid out."""
        lines = ast.parse(text).body
        imports = [line for line in lines if isinstance(line, (ast.Import, ast.ImportFrom))]
        return set(map(ast.dump, imports)), list(map(ast.dump, lines[len(imports) :]))

    written = (ROOT / f"dask_image/{name}.pyi").read_text()
    assert content(written) == content(stub(name)), "make stubs has not been run"


# -- a program of a user's -------------------------------------------------------------------

PROGRAM = """\
import numpy as np
import xarray

import dask_image
import dask_image.ndimage as ndi
import dask_image.xarray as xndi
from dask_image import ndfilters, ndinterp, ndmeasure, ndmorph, segmentation
from dask_image.imread import imread
from dask_image.local_statistics import local_percentile

image = imread("cells/*.tif")
values = np.zeros((4, 5))
stacked = ndfilters.gaussian_filter([image, image], sigma=(0, 1.5, np.float32(2)), mode="wrap")
smooth = dask_image.ndfilters.gaussian_filter(values.tolist(), np.int64(2), output="f4")
edges = ndfilters.sobel(smooth, mode=["reflect", "grid-wrap"])
labels, count = ndmeasure.label(smooth, np.ones((3, 3), bool))
reveal_type(edges)  # dask.array.core.Array
reveal_type(ndmeasure.mean(smooth, labels, [1, 2]))  # dask.array.core.Array
reveal_type(ndmeasure.mean(smooth, labels))  # dask.array.core.Array
reveal_type(ndmeasure.mean(smooth, labels, "all"))  # tuple[dask.array.core.Array, ...]
reveal_type(ndi.extrema(smooth)[0])  # dask.array.core.Array
reveal_type(ndmorph.distance_transform_edt(smooth))  # dask.array.core.Array
found = ndi.distance_transform_edt(smooth, return_indices=True)
reveal_type(found)  # tuple[dask.array.core.Array, ...]
reveal_type(local_percentile(smooth, 0.5, return_centers=True))  # tuple[dask.array.core.Array, ...]
reveal_type(ndmeasure.regionprops_table(labels)["area"])  # dask.array.core.Array
reveal_type(dask_image.__version__)  # str
moved = ndi.affine_transform(values, np.eye(2), (1, 2), None, np.float32, 3, "mirror", -1)
ndi.gaussian_laplace(values, 2, truncate=3)
ndinterp.rotate(values, 30, output_chunks=(2, "auto"))
field = xarray.DataArray(values, dims=("lat", "lon"))
reveal_type(segmentation.threshold_otsu(smooth))  # dask.array.core.Array
reveal_type(segmentation.local_maxima(smooth, indices=True))  # tuple[dask.array.core.Array, ...]
reveal_type(xndi.gaussian_filter(field, {"lat": 2.0}))  # xarray.core.dataarray.DataArray
reveal_type(xndi.mean(field, labels))  # xarray.core.dataset.Dataset
xndi.gaussian_filter(field, sigma="2 h", dims="lat", units="coordinates")
ndfilters.gaussian_filter(values, sigme=1)  # call-arg
ndfilters.gaussian_filter(values)  # call-arg
ndfilters.gaussian_filter(values, "2")  # arg-type
ndfilters.sobel(values, mode="mirrored")  # arg-type
ndfilters.sobel("cells.tif")  # arg-type
ndmeasure.mean(values, label=labels)  # call-overload
ndmeasure.mean(values, labels, "each")  # call-overload
ndmorph.distance_transform_edt(values, indices=True)  # call-overload
ndi.gaussian_filter(values, 1, cut=3)  # call-arg
ndi.gaussian_laplace(values, 2, cut=3)  # call-arg
ndi.uniform_filter(image=values)  # call-arg
ndi.mean(values, label_image=labels)  # call-overload
ndi.no_such_filter(values)  # attr-defined
dask_image.no_such_area  # attr-defined
segmentation.threshold_otsu(smooth, bins=3)  # call-arg
xndi.gaussian_filter(field, 2, axes=0)  # call-arg
xndi.gaussian_filter(values, 2)  # type-var
smooth + edges.no_such_method()  # attr-defined
"""


def test_type_checker_reads_a_program_of_a_user(tmp_path):
    api = pytest.importorskip("mypy.api", reason="mypy comes with the extra lint")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    # What is installed is not checked itself, only what the program does with it.
    output, errors, _ = api.run(
        ["--strict", "--follow-imports=silent", "--config-file=", "--hide-error-context",
         "--no-error-summary", f"--cache-dir={ROOT / '.mypy_cache/program'}", str(program)]
    )  # fmt: skip
    assert not errors
    found = {}
    for number, text in re.findall(r"program\.py:(\d+): (?:error|note): (.*)", output):
        what = re.search(r'Revealed type is "(.*)"$|\[([\w-]+)\]$', text)
        found.setdefault(int(number), []).append(what and (what[1] or what[2]) or text)
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        expected = line.partition("  # ")[2]
        expected = re.escape(expected).replace(r"\.\.\.", ".*")
        said = found.get(number, [])
        assert bool(said) == bool(expected), (line, said)
        assert not said or re.fullmatch(expected, said[0]), (line, said)
