"""What the package as a whole promises: documented names, types, a full reference."""

import importlib
import inspect
import pkgutil
import re
from importlib import resources
from pathlib import Path

import pytest

import dask_image

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(dask_image.__path__, "dask_image.")
    if not module.name.rpartition(".")[2].startswith("_")
)


def public_functions(modules):
    """List the functions that modules offer, for parametrize."""
    return [
        pytest.param(getattr(module, name), id=f"{module.__name__}.{name}")
        for module in map(importlib.import_module, modules)
        for name in module.__all__
    ]


def test_version_is_that_of_the_distribution():
    metadata = importlib.import_module("importlib.metadata")
    assert metadata.version("dask-image") == dask_image.__version__


def test_type_marker_is_shipped():
    assert resources.files(dask_image).joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_what_they_offer(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, function) for function in module.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_api_reference_lists_every_module(name):
    assert re.search(
        rf"^ +{re.escape(name)}$", (ROOT / "docs/api/index.rst").read_text(), re.MULTILINE
    )


@pytest.mark.parametrize(
    "function", public_functions(name for name in MODULES if name != "dask_image.ndimage")
)
def test_functions_describe_every_parameter(function):
    documentation = inspect.getdoc(function)
    assert documentation
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.kind is not parameter.VAR_KEYWORD
        described = rf"^(.*, )?\*?{parameter.name}(, .*)?( : .*)?$"
        assert re.search(described, documentation, re.MULTILINE), parameter.name
    assert "\nReturns\n-------\n" in documentation
    assert "\nExamples\n--------\n" in documentation
    assert "\n>>> " in documentation


@pytest.mark.parametrize("function", public_functions(["dask_image.ndimage"]))
def test_scipy_names_point_at_what_does_the_work(function):
    documentation = inspect.getdoc(function)
    assert re.search(r"dask_image\.nd\w+\.\w+|\n>>> ", documentation)
