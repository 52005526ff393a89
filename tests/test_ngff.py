"""OME-Zarr, written and read again, and beside what the package ``ome-zarr`` reads."""

import csv
import importlib.util
import inspect
from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from dask_image import ngff
from dask_image.imread import ImageMetadata
from dask_image.segmentation import pyramid
from tests.helpers import nothing_computes

SCALE = {"Z": 2.0, "Y": 0.5, "X": 0.25}
CELLS = np.random.default_rng(0).integers(0, 900, (2, 3, 50, 71), dtype=np.uint16)
FACTS = ImageMetadata(
    "CZYX", CELLS.shape, CELLS.dtype, SCALE, dict.fromkeys("ZYX", "µm"), ("DAPI", "GFP"),
    position={"Y": 100.0},
)  # fmt: skip


def test_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ome_zarr.writer", None)
    with pytest.raises(ImportError, match=r"dask-image\[ngff\]"):
        ngff.read_image("nothing.zarr")


class TestWithOmeZarr:
    @pytest.fixture(autouse=True)
    def ome_zarr(self):
        pytest.importorskip("ome_zarr")

    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "cells.ome.zarr"

    @pytest.mark.parametrize("version", ngff.VERSIONS)
    def test_round_trip(self, path, version):
        image = da.from_array(CELLS, chunks=(1, 2, (20, 30), 32))  # uneven, unlike the file's
        ngff.write_image(image, path, FACTS, levels=3, version=version)
        for level, expected in enumerate(pyramid(CELLS, 3, (1, 1, 2, 2))):
            with nothing_computes():
                found, facts = ngff.read_image(path, level)
            np.testing.assert_array_equal(found.compute(), expected.compute())
            assert found.dtype == CELLS.dtype
            assert dict(facts.pixel_size) == {"Z": 2, "Y": 0.5 * 2**level, "X": 0.25 * 2**level}
            # The middle of the first pixel of a level is that of the pixels it stands for.
            assert facts.position["Y"] == 100 + 0.5 * (2**level - 1) / 2
            assert facts.axes == "CZYX"
            assert facts.channel_names == ("DAPI", "GFP")
            assert set(facts.unit.values()) == {"µm"}
        with pytest.raises(ValueError, match="level must be one of 0 to 2, got 3"):
            ngff.read_image(path, 3)

    @pytest.mark.parametrize("version", ngff.VERSIONS)
    def test_others_open_it(self, path, version):
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader

        ngff.write_image(CELLS, path, FACTS, levels=2, version=version)
        ngff.write_labels(CELLS[0].astype(int), path, "nuclei")
        nodes = list(Reader(parse_url(str(path)))())
        assert [len(node.data) for node in nodes if node.data] == [2, 2]
        assert nodes[0].metadata["channel_names"] == ["DAPI", "GFP"]
        assert [axis["name"] for axis in nodes[0].metadata["axes"]] == list("czyx")
        assert nodes[0].metadata["axes"][1]["unit"] == "micrometer"
        np.testing.assert_array_equal(nodes[-1].data[0].compute(), CELLS[0])

    def test_is_valid_by_the_models_of_the_format(self, path):
        models = pytest.importorskip("ome_zarr_models.v05")
        import zarr

        ngff.write_image(CELLS, path, FACTS, levels=2)
        ngff.write_labels(CELLS[0].astype(int), path, "nuclei")
        found = models.Image.from_zarr(zarr.open_group(path, mode="r"))
        assert len(found.attributes.ome.multiscales[0].datasets) == 2
        models.ImageLabel.from_zarr(zarr.open_group(path / "labels/nuclei", mode="r"))

    def test_labels_have_the_place_and_the_sizes_of_their_image(self, path):
        ngff.write_image(CELLS, path, FACTS, levels=2)
        labels = CELLS[0].astype(np.int32)
        ngff.write_labels(labels, path, "nuclei")
        ngff.write_labels(labels + 1, path, "cells")
        with pytest.raises(FileExistsError, match="overwrite=True"):
            ngff.write_labels(labels, path, "cells")
        ngff.write_labels(labels + 2, path, "cells", overwrite=True)
        ngff.write_labels((labels + 2) * 1.0, path, "cells", overwrite=True)
        found, facts = ngff.read_image(path / "labels/cells", 1)
        np.testing.assert_array_equal(found.compute(), (labels + 2)[:, ::2, ::2])
        assert facts.axes == "ZYX"
        assert facts.pixel_size["X"] == 0.5
        import zarr

        assert zarr.open_group(path / "labels", mode="r").attrs["ome"]["labels"] == [
            "nuclei",
            "cells",
        ]
        with pytest.raises(TypeError, match="labels must be integers, got complex128"):
            ngff.write_labels(labels * 1j, path, "wrong")

    def test_what_is_there_stays(self, path):
        ngff.write_image(CELLS, path, FACTS, levels=2)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            ngff.write_image(CELLS, path, FACTS)
        ngff.write_image(CELLS[0, 0], path, overwrite=True)
        found, facts = ngff.read_image(path)
        np.testing.assert_array_equal(found.compute(), CELLS[0, 0])
        assert facts.axes == "YX"
        assert dict(facts.unit) == {}

    @pytest.mark.parametrize(
        ("error", "match", "wrong"),
        [
            (ValueError, "levels must be at least 1", {"levels": 0}),
            (ValueError, "method must be one of", {"method": "median"}),
            (ValueError, "version must be one of", {"version": "0.1"}),
            (ValueError, "memory must be a size", {"memory": "much"}),
            (TypeError, "metadata must be ImageMetadata", {"metadata": "zyx"}),
        ],
        ids=str,
    )
    def test_what_is_wrong_leaves_what_is_there_alone(self, path, error, match, wrong):
        with pytest.raises(error, match=match):
            ngff.write_image(CELLS, path, **wrong)
        assert not path.exists()
        ngff.write_image(CELLS[0, 0], path, levels=1)
        with pytest.raises(error, match=match):
            ngff.write_image(CELLS, path, **wrong, overwrite=True)
        np.testing.assert_array_equal(ngff.read_image(path)[0], CELLS[0, 0])

    def test_labels_fit_their_image(self, path):
        ngff.write_image(CELLS[0, 0], path, levels=1)
        for name in ("", "..", "a/b", 5):
            with pytest.raises(ValueError, match="name must be that of a folder, got"):
                ngff.write_labels(CELLS[0, 0], path, name)
        with pytest.raises(ValueError, match="labels must have the sizes of the image"):
            ngff.write_labels(CELLS[0, 0, ::2, ::2], path)
        assert not (path / "labels").exists()
        half = ImageMetadata("YX", (25, 36), CELLS.dtype, {"Y": 2.0, "X": 2.0})
        ngff.write_labels(CELLS[0, 0, ::2, ::2], path, metadata=half)
        assert dict(ngff.read_image(path / "labels/labels")[1].pixel_size) == {"Y": 2, "X": 2}

    def test_axes_come_in_the_order_of_the_format(self, path):
        colours = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
        facts = ImageMetadata("YXS", colours.shape, colours.dtype)
        ngff.write_image(colours, path, facts)
        found, facts = ngff.read_image(path)
        assert facts.axes == "CYX"
        np.testing.assert_array_equal(found.compute(), np.moveaxis(colours, -1, 0))
        with pytest.raises(ValueError, match="different ones of 'TCZYX', got 'IYX'"):
            ngff.write_image(CELLS[0], path, replace(facts, axes="IYX"))
        with pytest.raises(ValueError, match="an axis for each of 'CYX', got shape"):
            ngff.write_image(CELLS, path, facts)

    def test_units_become_micrometres_and_seconds(self, path):
        from ome_zarr.writer import write_image

        if "axes_units" not in inspect.signature(write_image).parameters:
            pytest.skip("this version of ome-zarr is not told units so")
        write_image(
            CELLS, str(path), scale_factors=[], axes="tzyx",
            scale={"t": 2, "z": 1, "y": 650, "x": 0.5},
            axes_units={"t": "minute", "y": "nanometer", "x": "parsec"},
        )  # fmt: skip
        _, facts = ngff.read_image(path)
        assert facts.time_step == 120
        assert facts.pixel_size["Y"] == pytest.approx(0.65)
        assert facts.pixel_size["X"] == 0.5
        assert dict(facts.unit) == {"Y": "µm", "X": "parsec"}

    def test_what_is_no_image(self, path):
        import zarr

        with pytest.raises(FileNotFoundError, match="no zarr group"):
            ngff.read_image(path)
        zarr.open_group(path, mode="w")
        with pytest.raises(ValueError, match="without an image of OME-Zarr"):
            ngff.read_image(path)
        with pytest.raises(ValueError, match="version must be one of"):
            ngff.write_image(CELLS, path / "a", version="0.1")

    def test_data_arrays(self, path):
        xndi = pytest.importorskip("dask_image.xarray")
        import xarray

        image = xarray.DataArray(
            CELLS[:, 0], dims=("c", "y", "x"),
            coords={
                "c": ["DAPI", "GFP"],
                "y": ("y", 10 + 0.5 * np.arange(50), {"units": "µm"}),
                "x": ("x", 0.25 * np.arange(71), {"units": "µm"}),
            },
        )  # fmt: skip
        ngff.write_image(image, path, levels=2)
        ngff.write_labels(image.sel(c="GFP", drop=True), path, "cells")
        xarray.testing.assert_identical(xndi.read_ome_zarr(path).compute(), image)
        small = xndi.read_ome_zarr(path, 1)
        np.testing.assert_allclose(small.x[:2], [0.125, 0.625])
        labels = xndi.read_ome_zarr(path / "labels/cells")
        xarray.testing.assert_equal(labels.compute(), image.sel(c="GFP", drop=True))
        with pytest.raises(ValueError, match=r"got \['lat'\]: rename them"):
            ngff.write_image(image.rename(y="lat"), path, overwrite=True)


def load_script():
    path = Path(__file__).parents[1] / "docs/guide/tiffs_to_ome_zarr.py"
    specification = importlib.util.spec_from_file_location("tiffs_to_ome_zarr", path)
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    return path, script


def test_script_of_the_guide(tmp_path, capsys):
    pytest.importorskip("ome_zarr")
    pytest.importorskip("pandas")
    import tifffile

    row, column = np.indices((80, 120))
    facts = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    for frame in range(3):
        nuclei = (row - 40) ** 2 + (column - 30 - frame) ** 2 < 200
        nuclei |= (row - 40) ** 2 + (column - 53 - frame) ** 2 < 200  # touching the first one
        nuclei |= (row - 20) ** 2 + (column - 100) ** 2 < 100
        picture = (nuclei * 1000 + 50).astype("uint16")
        tifffile.imwrite(tmp_path / f"t{frame}.ome.tif", picture, metadata=facts)
    path, script = load_script()
    assert len(path.read_text().splitlines()) < 40
    script.main(str(tmp_path / "t{t}.ome.tif"), str(tmp_path / "nuclei.ome.zarr"))

    assert capsys.readouterr().out.startswith("9 nuclei of")
    with (tmp_path / "nuclei.ome.zarr.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(float(each["centroid_x"]) for each in rows if each["centroid_t"] == "0.0") == (
        pytest.approx([15, 26.5, 50], abs=0.5)
    )
    assert min(float(each["area"]) for each in rows) == pytest.approx(np.pi * 100 / 4, rel=0.1)
    labels, facts = ngff.read_image(tmp_path / "nuclei.ome.zarr/labels/nuclei")
    assert facts.axes == "TYX"
    assert facts.pixel_size["X"] == 0.5
    assert int(labels.max().compute()) == 9
