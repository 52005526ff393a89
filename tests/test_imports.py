"""What an import costs and touches, and where the package can be imported at all."""

import os
import pickle
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dask_image
from dask_image._kernels._numba import use_numba

ROOT = Path(__file__).parents[1]
AREAS = sorted(
    module.name
    for module in pkgutil.iter_modules(dask_image.__path__)
    if not module.name.startswith("_")
)
needs_numba = pytest.mark.skipif(not use_numba(), reason="numba is not installed, or not wanted")


def run(code, *, timeout=120, **options):
    """Run code in a process of its own and return what it prints."""
    options.setdefault("cwd", ROOT)
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=timeout, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_areas_are_imported_by_attribute():
    run(
        "import sys, dask_image\n"
        f"for area in {AREAS}:\n"
        "    assert area in dir(dask_image)\n"
        "    assert getattr(dask_image, area) is sys.modules[f'dask_image.{area}']"
    )


def test_other_names_are_none():
    for name in ("no_such_area", "_no_such_area", "__wrapped__"):
        assert not hasattr(dask_image, name)
    with pytest.raises(AttributeError, match="'dask_image' has no attribute 'gaussian'"):
        dask_image.gaussian()
    with pytest.raises(ImportError, match="gaussian"):
        from dask_image import gaussian  # noqa: F401


def test_the_package_alone_imports_nothing():
    new = run(
        "import dask.array, sys; before = set(sys.modules)\n"
        "import dask_image; print(*(set(sys.modules) - before))"
    )
    assert new.split() == ["dask_image"]


@pytest.mark.parametrize("area", AREAS)
def test_imports_leave_alone_what_only_calls_need(area):
    unwanted = {"numba", "pims", "matplotlib", "skimage", "dask.dataframe"}
    assert run(f"import sys, dask_image.{area}; print(*{unwanted} & set(sys.modules))") == "\n"


SMALL_JOBS = """
import sys, numpy as np, dask.array as da
import dask_image.ndimage as ndi
image = da.from_array(np.random.default_rng(0).random((60, 70)), chunks=40)
labels, number = ndi.label(image > 0.8)
for lazy in (
    ndi.gaussian_filter(image, 2), ndi.median_filter(image, 3), ndi.binary_fill_holes(image > 0.5),
    ndi.distance_transform_edt(image > 0.5), labels, number,
):
    lazy.compute()
print("numba" in sys.modules)
"""


def test_numba_is_not_imported_for_small_jobs():
    environment = {name: value for name, value in os.environ.items() if "COMPILE" not in name}
    assert run(SMALL_JOBS, env=environment) == "False\n"


A_FILTER = """
import numpy as np, dask, dask.array as da
from scipy import ndimage
import dask_image.ndimage as ndi
dask.config.set(scheduler="sync")
image = np.random.default_rng(0).random((300, 300)).astype("f4")
lazy = da.from_array(image, chunks=150)
labels = (image > 0.9).astype("i4")
def check(name, *args, on=(image, lazy)):
    theirs, ours = getattr(ndimage, name)(on[0], *args), getattr(ndi, name)(on[1], *args)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=name)
check("gaussian_filter", 3)
"""

OTHER_FAMILIES = """
check("median_filter", 5)
check("uniform_filter", 9)
check("maximum_filter", 9)
mask = (image > 0.4, lazy > 0.4)
check("binary_dilation", on=mask)
check("distance_transform_edt", on=mask)
check("shift", 0.5)
np.testing.assert_array_equal(ndi.label(mask[1])[0], ndimage.label(mask[0])[0])
np.testing.assert_allclose(
    ndi.mean(lazy, labels, [0, 1]), ndimage.mean(image, labels, [0, 1]), rtol=1e-5
)
"""


@needs_numba
@pytest.mark.parametrize("setting", ["NUMBA_DISABLE_JIT", "file"])
def test_interpreted_loops_are_never_run(tmp_path, setting):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    if setting == "file":
        (tmp_path / ".numba_config.yaml").write_text("disable_jit: 1")
        del environment["NUMBA_DISABLE_JIT"]
        environment["PYTHONPATH"] = str(ROOT)
        pytest.importorskip("yaml")
    folder = tmp_path if setting == "file" else ROOT
    # Interpreted, these loops take minutes; what they stand in for takes less than a second.
    run(A_FILTER + OTHER_FAMILIES, env=environment, cwd=folder, timeout=60)


UNWRITABLE = """
import logging, numpy as np
logging.basicConfig(level="DEBUG")
logging.getLogger("numba").setLevel("ERROR")
import dask_image
for area in dir(dask_image):
    getattr(dask_image, area)  # imports it
from dask_image._kernels._numba import use_numba
assert use_numba()
assert dask_image.__path__ == [PACKAGE], dask_image.__path__
"""


@pytest.fixture
def read_only_installation():
    """Copy the package to where the user who imports it can write nothing."""
    if not hasattr(os, "fork"):
        pytest.skip("permissions are those of POSIX")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        shutil.copytree(
            Path(dask_image.__path__[0]),
            site / "dask_image",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        folders = [Path(folder), site, *filter(Path.is_dir, site.rglob("*"))]
        for path in folders:
            path.chmod(0o555)
        try:
            yield site
        finally:
            for path in folders:
                path.chmod(0o755)


@needs_numba
def test_nothing_can_be_written(read_only_installation):
    site = read_only_installation
    code = UNWRITABLE.replace("PACKAGE", repr(str(site / "dask_image"))) + A_FILTER
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NUMBA_", "XDG_", "PYTHON"))
    }
    environment |= {"HOME": "/nonexistent", "PYTHONPATH": str(site)}
    environment["DASK_DASK_IMAGE__COMPILE__WAIT"] = "1e999"  # or SciPy would do so small a job
    # Another user where the interpreter lets one: permissions do not bind root.
    options = {"cwd": "/", "env": environment}
    command = [sys.executable, "-c", code]
    if os.geteuid() == 0:
        # The interpreter's own files may be for root alone: import all that is imported first.
        prepare = (
            "import os, sys, numba, dask_image\n"
            "for area in dir(dask_image): getattr(dask_image, area)\n"
            "for name in [*sys.modules]:\n"
            "    if name.startswith('dask_image'): del sys.modules[name]\n"
            "os.setgid(65534); os.setuid(65534)\n"
        )
        command = [sys.executable, "-B", "-c", prepare + code]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300, **options
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "is compiled without a cache on disk" in done.stderr


@needs_numba
def test_two_processes_compile_at_once(tmp_path):
    # However small the job is, and however long it takes: 1e999 is infinite.
    environment = {**os.environ, "DASK_DASK_IMAGE__COMPILE__WAIT": "1e999"}
    environment["NUMBA_CACHE_DIR"] = str(tmp_path)
    command = [sys.executable, "-c", A_FILTER]
    children = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for child in children:
        _, errors = child.communicate(timeout=300)
        assert child.returncode == 0, errors
    assert list(tmp_path.rglob("*.nbi"))
    run(A_FILTER, env=environment)  # and what they left can be read


@needs_numba
def test_a_cache_of_another_version_is_compiled_anew(tmp_path):
    environment = {**os.environ, "DASK_DASK_IMAGE__COMPILE__WAIT": "1e999"}
    environment["NUMBA_CACHE_DIR"] = str(tmp_path)
    run(A_FILTER, env=environment)
    indices = list(tmp_path.rglob("*.nbi"))
    for index in indices:
        with index.open("rb") as file:
            version = pickle.load(file)
        # The rest names a class that this version has no more.
        index.write_bytes(pickle.dumps(version) + b"cdask_image\nGone\n.")
    run(A_FILTER, env=environment)
    run(A_FILTER, env=environment)  # and what that left can be read
