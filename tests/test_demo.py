"""Real pictures, from files through filters and labels to a table, beside SciPy in memory."""

import csv
import importlib.util
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import dask
import numpy as np
import pytest
import tifffile
from scipy import ndimage

from dask_image.imread import imread
from dask_image.ndfilters import gaussian_filter, minimum_filter, threshold_local
from dask_image.ndmeasure import area, center_of_mass, label, maximum, mean, sum_labels
from tests.helpers import nothing_computes

ROOT = Path(__file__).parents[1]
skimage_data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def demo():
    """Import the script of ``make demo``."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("zarr")
    return import_example("count_objects")


def import_example(name):
    """Import a script of the documentation."""
    path = ROOT / f"docs/examples/{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def labels_in_memory(image, window, sigma, offset):
    """Do with SciPy, on the whole array, what the pictures below go through."""
    background = ndimage.gaussian_filter(ndimage.minimum_filter(image, window), window / 2)
    smooth = ndimage.gaussian_filter(image - background, sigma)
    local = ndimage.gaussian_filter(smooth, (2 * window) / 6) - offset
    return image - background, ndimage.label(smooth > local)


def test_demo_does_what_scipy_does_in_memory(demo, tmp_path, capsys):
    demo.main(tmp_path)
    printed = capsys.readouterr().out

    brightness = skimage_data.hubble_deep_field().mean(axis=-1, dtype="float32")
    background = ndimage.gaussian_filter(ndimage.minimum_filter(brightness, 41), 20)
    smooth = ndimage.gaussian_filter(brightness - background, 1.2)
    objects = smooth > ndimage.gaussian_filter(smooth, (101 - 1) / 6) + 8
    labels, count = ndimage.label(objects)

    import zarr

    np.testing.assert_array_equal(zarr.open_array(tmp_path / "labels.zarr", mode="r")[:], labels)
    with (tmp_path / "objects.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["label"]))
    assert len(rows) == count
    table = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    index = np.arange(1, count + 1)
    light = brightness - background
    np.testing.assert_array_equal(table["label"], index)
    np.testing.assert_array_equal(table["area"], np.bincount(labels.ravel())[1:])
    np.testing.assert_allclose(table["total"], ndimage.sum_labels(light, labels, index), rtol=1e-5)
    np.testing.assert_allclose(table["peak"], ndimage.maximum(light, labels, index), rtol=1e-5)
    centers = np.array(ndimage.center_of_mass(light, labels, index))
    np.testing.assert_allclose(table["row"], centers[:, 0], rtol=1e-5)
    np.testing.assert_allclose(table["column"], centers[:, 1], rtol=1e-5)
    assert (tmp_path / "count_objects.png").stat().st_size > 100_000
    assert f"{count} objects" in printed
    assert "100% Completed" in printed
    for stage in ("write the tiles", "background", "labels", "table and figure"):
        assert re.search(rf"\d\.\d\d  {stage}", printed)


def test_demo_is_lazy_and_reads_each_tile_once(demo, tmp_path, monkeypatch):
    demo.write_tiles(tmp_path)
    with nothing_computes():
        stages = demo.find_objects(f"{tmp_path}/*.tif")
        image = stages["brightness"] - stages["background"]
        table = demo.measure(image, stages["labels"])
    from dask.diagnostics import Profiler

    with Profiler() as profiler:
        dask.compute(stages["read"], table, stages["labels"])
    reads = [task for task in profiler.results if "imread" in str(task.key)]
    assert len(reads) == demo.ROWS * demo.COLUMNS


def blocks_of_readme():
    blocks = re.findall(
        r"code-block:: python\n\n((?: {4}.*\n|\n)+)", (ROOT / "README.rst").read_text()
    )
    return [textwrap.dedent(block) for block in blocks]


def test_readme_runs_as_pasted_into_empty_sessions(tmp_path):
    # One process imports once; each block has names of its own.
    session = "import sys\nfor block in sys.argv[1:]:\n    exec(block, {'__name__': '__main__'})"
    blocks = blocks_of_readme()
    assert len(blocks) > 1
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", session, *blocks], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("objects;") == ran.stdout.count("nuclei") == 1


def test_readme_begins_with_all_one_needs():
    first, *_ = blocks_of_readme()
    assert "import dask_image.ndimage as ndi" in first
    screen = (ROOT / "README.rst").read_text().partition("Objects that touch")[0]
    for part in (".. image::", "pip install", "make demo", "make test"):
        assert part in screen
    assert len(screen.splitlines()) < 60


def test_nuclei_are_split_the_same_in_one_block_and_in_many(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("ome_zarr")
    from dask_image.ngff import read_image

    example = import_example("split_nuclei")
    contents = []
    for size in (512, 200):  # one block; blocks of two sizes, other than those of tiles and store
        folder = tmp_path / str(size)
        example.main(folder, size)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert {"nuclei.csv", "split_nuclei.png"} <= {str(path) for path in contents[0]}

    store = tmp_path / "200/nuclei.ome.zarr"
    tissue = np.moveaxis(skimage_data.immunohistochemistry(), -1, 0)
    np.testing.assert_array_equal(read_image(store)[0], tissue)
    labels = np.asarray(read_image(f"{store}/labels/nuclei")[0])
    for level in range(1, example.LEVELS):
        assert read_image(store, level)[0].shape == (3, 512 >> level, 512 >> level)
        smaller, _ = read_image(f"{store}/labels/nuclei", level)
        np.testing.assert_array_equal(smaller, labels[:: 1 << level, :: 1 << level])
    with (tmp_path / "200/nuclei.csv").open(newline="") as file:
        areas = [int(row["area"]) for row in csv.DictReader(file)]
    np.testing.assert_array_equal(areas, np.bincount(labels.ravel())[1:])
    assert len(areas) > 300
    # Each nucleus is whole: cutting it into tiles would have left a label on one side only.
    for edge in (128, 256, 384):
        for pair in (labels[edge - 1 : edge + 1], labels[:, edge - 1 : edge + 1].T):
            inside = (pair != 0).all(axis=0)
            assert (pair[0] == pair[1])[inside].mean() > 0.9


@pytest.mark.parametrize(
    ("picture", "window", "offset"),
    [("coins", 41, 0), ("cell", 61, -2), ("microaneurysms", 21, -1), ("page", 31, -8)],
)
def test_grey_pictures_through_the_pipeline(picture, window, offset, tmp_path):
    image = getattr(skimage_data, picture)()
    height = image.shape[0] // 2
    tifffile.imwrite(tmp_path / "part-9.tif", image[:height])
    tifffile.imwrite(tmp_path / "part-10.tif", image[height : 2 * height])
    image = image[: 2 * height].astype("float32")
    light, (labels, count) = labels_in_memory(image, window, sigma=1, offset=offset)
    index = np.arange(1, count + 1)

    with nothing_computes():
        lazy = imread(tmp_path / "part-*.tif").reshape(image.shape).astype("float32")
        lazy = lazy.rechunk((97, 113))
        background = gaussian_filter(minimum_filter(lazy, size=window), sigma=window / 2)
        smooth = gaussian_filter(lazy - background, sigma=1)
        local = threshold_local(smooth, 2 * window + 1, offset=offset)
        lazy_labels, lazy_count = label(smooth > local)
        measured = [
            lazy_count,
            lazy_labels,
            *area(lazy - background, lazy_labels, index="all"),
            mean(lazy - background, lazy_labels, index),
            sum_labels(lazy - background, lazy_labels, index),
            maximum(lazy - background, lazy_labels, index),
            center_of_mass(lazy - background, lazy_labels, index),
        ]
    found, found_labels, areas, names, means, sums, maxima, centers = dask.compute(*measured)
    assert found == count
    np.testing.assert_array_equal(found_labels, labels)
    np.testing.assert_array_equal(names, index)
    np.testing.assert_array_equal(areas, np.bincount(labels.ravel())[1:])
    np.testing.assert_allclose(means, ndimage.mean(light, labels, index), rtol=1e-6)
    np.testing.assert_allclose(sums, ndimage.sum_labels(light, labels, index), rtol=1e-6)
    np.testing.assert_array_equal(maxima, ndimage.maximum(light, labels, index))
    np.testing.assert_allclose(centers, ndimage.center_of_mass(light, labels, index), rtol=1e-6)


def test_pages_of_the_shipped_stack():
    path = Path(skimage_data.__file__).parent / "multipage.tif"
    stack = imread(path)
    expected = tifffile.imread(path)
    np.testing.assert_array_equal(stack.compute(), expected)
    labels, count = label(stack > stack.mean())
    scipy_labels, scipy_count = ndimage.label(expected > expected.mean())
    np.testing.assert_array_equal(labels.compute(), scipy_labels)
    assert count.compute() == scipy_count
