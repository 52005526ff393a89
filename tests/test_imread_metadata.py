"""`read_metadata`: what a file says of its picture besides the pixels."""

import dataclasses

import numpy as np
import pytest
import tifffile
from PIL import Image

from dask_image.imread import imread, read_metadata
from tests.helpers import nothing_computes


def test_ome(tmp_path):
    name = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        name,
        np.zeros((2, 3, 4, 5, 6), "u2"),
        metadata={
            "axes": "TCZYX",
            "PhysicalSizeX": 0.65, "PhysicalSizeY": 500, "PhysicalSizeYUnit": "nm",
            "PhysicalSizeZ": 3, "PhysicalSizeZUnit": "pixel",
            "TimeIncrement": 2.5, "TimeIncrementUnit": "min",
            "Channel": {"Name": ["DAPI", "GFP", "RFP"]},
            "Plane": {"PositionX": [0.5] * 24, "PositionXUnit": ["mm"] * 24},
        },
    )  # fmt: skip
    with nothing_computes():
        metadata = read_metadata(str(name))
    assert metadata.axes == "TCZYX"
    assert metadata.shape == (2, 3, 4, 5, 6)
    assert metadata.dtype == "u2"
    assert metadata.pixel_size == {"X": 0.65, "Y": pytest.approx(0.5), "Z": 3}
    assert metadata.unit == {"X": "µm", "Y": "µm", "Z": "pixel"}
    assert metadata.channel_names == ("DAPI", "GFP", "RFP")
    assert metadata.time_step == 150
    assert metadata.position == {"X": 500}
    assert imread(name).reshape(metadata.shape).shape == metadata.shape
    with pytest.raises(dataclasses.FrozenInstanceError):
        metadata.axes = "X"
    with pytest.raises(TypeError):
        metadata.unit["X"] = "nm"


def test_ome_series_and_levels(tmp_path):
    name = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(name) as tiff:
        tiff.write(
            np.zeros((64, 32), "u1"), subifds=1, tile=(16, 16), metadata={"PhysicalSizeX": 0.25}
        )
        tiff.write(np.zeros((32, 16), "u1"), subfiletype=1, tile=(16, 16))
        tiff.write(np.zeros((3, 8, 9), "u2"), metadata={"axes": "ZYX", "PhysicalSizeX": 7})
    assert read_metadata(name).pixel_size == {"X": 0.25}
    assert read_metadata(name, level=1).pixel_size == {"X": 0.5}
    assert read_metadata(name, level=-1).shape == (32, 16)
    other = read_metadata(name, series=1)
    assert (other.axes, other.shape, other.pixel_size) == ("ZYX", (3, 8, 9), {"X": 7})
    with pytest.raises(ValueError, match=r"a\.ome\.tif: there is no series 2"):
        read_metadata(name, series=2)
    with pytest.raises(TypeError, match="level must be an integer"):
        read_metadata(name, level="fine")


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej(tmp_path, unit):
    name = tmp_path / "a.tif"
    metadata = {"axes": "TZYX", "spacing": 2, "unit": unit, "finterval": 3.5}
    tifffile.imwrite(
        name, np.zeros((2, 3, 4, 5), "u2"), imagej=True, resolution=(2, 4), metadata=metadata
    )
    metadata = read_metadata(name)
    assert metadata.axes == "TZYX"
    assert metadata.pixel_size == {"X": 0.5, "Y": 0.25, "Z": 2}
    assert metadata.unit == dict.fromkeys("ZYX", "µm")
    assert metadata.time_step == 3.5


def test_imagej_that_says_nothing(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 4, 5), "u2"), imagej=True)
    metadata = read_metadata(tmp_path / "a.tif")
    assert metadata.pixel_size == metadata.unit == {}
    assert metadata.time_step is None


@pytest.mark.parametrize(("unit", "expected"), [("CENTIMETER", 5), ("INCH", 12.7), ("NONE", None)])
def test_resolution_tags(tmp_path, unit, expected):
    name = tmp_path / "a.tif"
    tifffile.imwrite(
        name, np.zeros((4, 5), "u2"), resolution=(2000, 1000), resolutionunit=unit, metadata=None
    )
    metadata = read_metadata(name)
    sizes = {"X": pytest.approx(expected), "Y": pytest.approx(2 * expected)} if expected else {}
    assert metadata.pixel_size == sizes
    assert metadata.unit == dict.fromkeys(sizes, "µm")


def test_slide(tmp_path):
    name = tmp_path / "a.svs"
    text = "Aperio Image Library v1\r\n|AppMag = 20|MPP = 0.5"
    tifffile.imwrite(name, np.zeros((32, 32), "u1"), tile=(16, 16), description=text, metadata=None)
    assert read_metadata(name).pixel_size == {"X": 0.5, "Y": 0.5}


def test_other_formats(tmp_path):
    Image.fromarray(np.zeros((4, 5, 3), "u1")).save(tmp_path / "a.png")
    metadata = read_metadata(tmp_path / "*.png")
    assert (metadata.axes, metadata.shape, metadata.dtype) == ("YXS", (4, 5, 3), "u1")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_metadata(tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes(b"II*\0")
    with pytest.raises(ValueError, match=r"cannot read .*b\.tif"):
        read_metadata(tmp_path / "b.tif")
