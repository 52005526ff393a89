"""What the package as a whole promises: documented names, types, a full reference."""

import ast
import configparser
import functools
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import dask_image
from dask_image._utils import engines

pytestmark = pytest.mark.every_function

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dask_image"
PROGRAMS = {"dask_image.warm_up"}
MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(dask_image.__path__, "dask_image.")
    if module.name not in PROGRAMS and not module.name.rpartition(".")[2].startswith("_")
)

# Their functions hand their arguments on to others, at which their pages point.
ADAPTERS = ["dask_image.ndimage", "dask_image.xarray"]


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


def test_one_module_knows_the_private_parts_of_dask():
    private = re.compile(
        r"dask\._|_task_spec|_array_expr|dask\.(array\.)?core\b|\bda\.core\b|highlevelgraph"
    )
    knowing = [path.name for path in PACKAGE.rglob("*.py") if private.search(path.read_text())]
    assert knowing == ["graph.py"]


@functools.cache
def parsed():
    """List the modules of the package with their syntax trees."""
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in PACKAGE.rglob("*.py")]


def test_imports_have_one_style():
    whole, names = set(), {}
    for path, tree in parsed():
        for node in tree.body:
            if isinstance(node, ast.Import):
                whole.update(each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                for each in node.names:
                    known_as = names.setdefault((node.module, each.name), set())
                    known_as.add(each.asname or each.name)
                assert node.level == 0, path
    assert {name: known_as for name, known_as in names.items() if len(known_as) > 1} == {}
    assert whole & {module for module, _ in names} == set()


def test_compiled_code_lies_among_the_kernels():
    compiled = re.compile(
        r"^\s*(import|from) numba|\bn?jit\b|_numba import (?!use_numba$)", re.MULTILINE
    )
    for path in PACKAGE.rglob("*.py"):
        if "_kernels" not in path.parts:
            assert not compiled.search(path.read_text(encoding="utf-8")), path


# Other packages import from these.
FOR_OTHERS = ("dispatch", "ndfilters/_utils.py", "ndmeasure/_utils")


def test_nothing_is_left_that_nobody_refers_to():
    known = {"calls_of_functions", "__getattr__", "__dir__"}  # benchmarks and Python call these
    for _, tree in parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                known.add(node.id)
            elif isinstance(node, ast.ImportFrom):
                known.update(each.name for each in node.names)
            elif isinstance(node, ast.Attribute):
                known.add(node.attr)
            elif isinstance(node, ast.Constant):
                known.add(node.value)  # getattr, and __all__
    for path, tree in parsed():
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name not in known:
                for_others = path.relative_to(PACKAGE).as_posix().startswith(FOR_OTHERS)
                registered = any("register" in ast.unparse(each) for each in node.decorator_list)
                assert for_others or registered, f"{path}: {node.name}"


PARTS = {"jit_part", "jit_contract_part", "jit_inline"}


def test_few_arguments_go_by_position():
    """As CONTRIBUTING.rst has it."""
    for path, tree in parsed():
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            names = [each.arg for each in node.args.args if each.arg not in ("self", "cls")]
            part = PARTS & {ast.unparse(each) for each in node.decorator_list}
            public = "_kernels" not in path.parts and not node.name.startswith("_")
            assert public or len(names) <= (14 if part else 7), f"{path.name}: {node.name}"


def test_tools_have_one_version():
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    pinned = set(metadata["options.extras_require"]["lint"].split())
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"[\w-]+==[\w.]+", hooks)) == pinned


def test_every_python_is_named():
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    named = re.findall(r"Python :: (3\.\d+)", metadata["metadata"]["classifiers"])
    workflow = (ROOT / ".github/workflows/tests.yml").read_text()
    assert named == re.findall(r"3\.\d+", re.search(r"python: (\[.*\])", workflow)[1])
    assert f">={named[0]}" == metadata["options"]["python_requires"]


@pytest.mark.parametrize(("target", "status"), [(1e9, 0), (0.0, 1)])
def test_a_missed_target_is_a_failure(tmp_path, target, status):
    (tmp_path / "ratios.py").write_text((ROOT / "benchmarks/ratios.py").read_text())
    (tmp_path / "bench_nothing.py").write_text(
        f"def cases():\n    yield 'nothing', {target}, dict, dict\n"
        "    yield 'no target', None, dict, dict\n"
    )
    command = [sys.executable, tmp_path / "ratios.py", "nothing"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert ("1 missed: nothing" in done.stdout) == bool(status)


def test_lines_of_the_documentation_are_short():
    pages = [
        *ROOT.glob("*.rst"),
        *(ROOT / "docs").glob("*.rst"),
        *(ROOT / "docs/api").glob("*.rst"),
        *(ROOT / "docs/guide").glob("*.rst"),
    ]
    long = [
        f"{page.name}:{number}"
        for page in pages
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 100 and " " in line.strip()
    ]
    assert long == []


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
    "function", public_functions(name for name in MODULES if name not in ADAPTERS)
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


@pytest.mark.parametrize("function", public_functions(ADAPTERS))
def test_scipy_names_point_at_what_does_the_work(function):
    documentation = inspect.getdoc(function)
    areas = r"dask_image\.(nd\w+|segmentation|local_statistics)\.\w+"
    assert re.search(rf"{areas}|\n>>> ", documentation)


def test_page_of_design_names_every_engine():
    page = (ROOT / "docs/design.rst").read_text()
    for engine in pkgutil.iter_modules(engines.__path__):
        assert f"   * - ``{engine.name}``\n" in page


@pytest.mark.parametrize(
    "word",
    ["touching", "flat-field", "local maxima", "LocalCluster", "Client", "µm", "memmap",
     "sigma clip", "masked", "compute_chunk_sizes", "map_blocks"],
)  # fmt: skip
def test_guide_has_the_words_that_newcomers_look_for(word):
    pages = (ROOT / "docs/guide").glob("*.rst")
    assert any(word.lower() in page.read_text().lower() for page in pages)


def test_guide_names_no_page_that_is_not_there():
    folder = ROOT / "docs/guide"
    for page in folder.glob("*.rst"):
        for target in re.findall(r":doc:`(?:[^`<]*<)?([^`>]+)>?`", page.read_text()):
            assert (folder / f"{target}.rst").resolve().exists(), (page.name, target)
