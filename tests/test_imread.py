"""`imread`: every frame of every file, whatever the format and the chunks."""

import gc
import importlib.util
import os
import pathlib
import pickle
import re
import sys
import tempfile

import dask
import dask.array as da
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dask_image.imread import _tiff, imread, read_metadata
from dask_image.imread._files import natural_key
from tests.helpers import nothing_computes, seeded_image


def check(lazy, expected):
    """Compare advertised and computed shape, dtype and values with ``expected``."""
    computed = lazy.compute(scheduler="threads")
    assert lazy.shape == computed.shape == expected.shape
    assert lazy.dtype == computed.dtype == expected.dtype.newbyteorder("=")
    assert lazy.dtype.isnative
    np.testing.assert_array_equal(computed, expected)


def write(path, array, **options):
    tifffile.imwrite(path, array, **{"photometric": "minisblack", **options})
    return str(path)


NFRAMES = [1, 2, 3, 4, 5, 12, 13, -1]


class TestFramesAndChunks:
    @pytest.mark.parametrize("nframes", NFRAMES)
    def test_one_file_of_many_pages(self, tmp_path, nframes):
        image = seeded_image((12, 5, 7), "uint16")
        lazy = imread(write(tmp_path / "a.tif", image), nframes)
        assert set(lazy.chunks[0][:-1]) <= {nframes}
        check(lazy, image)

    @pytest.mark.parametrize("nframes", NFRAMES)
    def test_many_files_of_one_page(self, tmp_path, nframes):
        image = seeded_image((12, 5, 7), "uint16")
        for number, frame in enumerate(image):
            write(tmp_path / f"a{number}.tif", frame)
        check(imread(str(tmp_path / "a*.tif"), nframes), image)

    @pytest.mark.parametrize("nframes", NFRAMES)
    def test_files_of_different_numbers_of_pages(self, tmp_path, nframes):
        image = seeded_image((12, 5, 7), "float32")
        for name, part in zip("abc", np.split(image, [5, 6])):
            write(tmp_path / f"{name}.tif", part)
        lazy = imread(tmp_path / "*.tif", nframes=nframes)
        size = 12 if nframes == -1 else min(nframes, 12)
        assert lazy.chunks[0] == (size,) * (12 // size) + ((12 % size,) if 12 % size else ())
        check(lazy, image)

    def test_one_picture_has_an_axis_of_frames(self, tmp_path):
        image = seeded_image((5, 7), "uint8")
        check(imread(write(tmp_path / "a.tif", image)), image[np.newaxis])

    def test_building_reads_no_pixels(self, tmp_path):
        name = write(tmp_path / "a.tif", seeded_image((4, 5, 7), "uint8"))
        with nothing_computes():
            imread(name, nframes=3)

    def test_one_task_a_chunk(self, tmp_path):
        name = write(tmp_path / "a.tif", seeded_image((12, 5, 7), "uint8"))
        assert len(imread(name, nframes=5).dask) == 3

    def test_a_task_carries_its_own_pages_only(self, tmp_path):
        name = tmp_path / "a.tif"
        with tifffile.TiffWriter(name) as tiff:
            for frame in seeded_image((300, 5, 7), "uint8"):
                tiff.write(frame, compression="zlib", metadata=None)
        lazy = imread(name)
        assert max(len(pickle.dumps(task)) for task in dict(lazy.dask).values()) < 4000
        check(lazy, tifffile.imread(name))

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        counts=st.lists(st.integers(1, 4), min_size=1, max_size=4),
        nframes=st.integers(1, 9) | st.just(-1),
        samples=st.sampled_from([(), (3,)]),
        compressed=st.booleans(),
        step=st.integers(1, 3),
    )
    def test_any_combination(self, tmp_path, counts, nframes, samples, compressed, step):
        image = seeded_image((sum(counts), 16, 17, *samples), "uint8", seed=1)
        names = []
        for number, part in enumerate(np.split(image, np.cumsum(counts)[:-1])):
            names.append(tmp_path / f"{number}.tif")
            photometric = "rgb" if samples else "minisblack"
            compression = "zlib" if compressed and number % 2 else None
            write(names[-1], part, photometric=photometric, compression=compression)
        lazy = imread(names, nframes)
        check(lazy, image)
        check(lazy[::step], image[::step])


LAYOUTS = {
    "plain": {},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
    "bigtiff-big-endian": {"bigtiff": True, "byteorder": ">", "compression": "zlib"},
    "strips": {"rowsperstrip": 7},
    "zlib": {"compression": "zlib"},
    "zlib-strips": {"compression": "zlib", "rowsperstrip": 7},
    "tiles": {"tile": (16, 16)},
    "zlib-tiles": {"tile": (16, 32), "compression": "zlib"},
    "tiles-big-endian": {"tile": (16, 16), "byteorder": ">"},
    "pages": {"metadata": None},
    "imagej": {"imagej": True},
    "ome": {"ome": True},
    "ome-zlib": {"ome": True, "compression": "zlib"},
    "volume": {"volumetric": True},
    "volume-tiles": {"volumetric": True, "tile": (2, 16, 16)},
    "volume-zlib": {"volumetric": True, "tile": (2, 16, 16), "compression": "zlib"},
}


class TestTiff:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("nframes", [1, 3, -1])
    def test_layouts(self, tmp_path, layout, nframes):
        image = seeded_image((5, 40, 37), "uint16")
        options = LAYOUTS[layout]
        name = write(tmp_path / "a.tif", image, **options)
        check(imread(name, nframes), image)

    @pytest.mark.parametrize(
        "dtype", ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8", "c8", "c16"]
    )
    @pytest.mark.parametrize("byteorder", "<>")
    def test_dtypes(self, tmp_path, dtype, byteorder):
        image = seeded_image((3, 8, 9), dtype)
        name = write(tmp_path / "a.tif", image, byteorder=byteorder)
        check(imread(name, 2), image)

    @pytest.mark.parametrize("samples", [3, 4])
    @pytest.mark.parametrize("compression", [None, "zlib"])
    @pytest.mark.parametrize("frames", [(), (4,)])
    def test_colours(self, tmp_path, samples, compression, frames):
        image = seeded_image((*frames, 20, 18, samples), "uint8")
        name = write(tmp_path / "a.tif", image, photometric="rgb", compression=compression)
        expected = image.reshape(-1, *image.shape[-3:])
        for nframes in (1, 3, -1):
            check(imread(name, nframes), expected)

    @pytest.mark.parametrize("compression", [None, "zlib"])
    @pytest.mark.parametrize("frames", [(), (4,), (2, 5)])
    @pytest.mark.parametrize("samples", [2, 3, 4])
    def test_separate_planes_stay_before_rows_and_columns(
        self, tmp_path, compression, frames, samples
    ):
        image = seeded_image((*frames, samples, 20, 18), "u2")
        name = write(
            tmp_path / "a.tif",
            image,
            photometric="minisblack" if samples == 2 else "rgb",
            planarconfig="separate",
            compression=compression,
            byteorder=">",
        )
        np.testing.assert_array_equal(tifffile.imread(name), image)
        for nframes in (1, 3, -1):
            check(imread(name, nframes), image.reshape(-1, samples, 20, 18))

    @pytest.mark.parametrize("shape", [(3, 20, 18), (4, 20, 18), (6, 3, 20, 18), (5, 20, 18)])
    @pytest.mark.parametrize("dtype", ["u1", "f4"])
    @pytest.mark.filterwarnings("ignore:.*stored as RGB:DeprecationWarning")
    def test_what_tifffile_writes_by_default(self, tmp_path, shape, dtype):
        image = seeded_image(shape, dtype)
        tifffile.imwrite(tmp_path / "a.tif", image)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), image)
        # Three or four planes are the samples of one picture, so far; other numbers are frames.
        with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
            samples = shape[-3:-2] if "S" in tiff.series[0].axes else ()
        check(imread(tmp_path / "a.tif"), image.reshape(-1, *samples, 20, 18))

    def test_separate_planes_of_a_volume(self, tmp_path):
        volume = seeded_image((3, 5, 32, 32), "u1")
        name = write(
            tmp_path / "a.tif", volume, photometric="rgb", planarconfig="separate",
            volumetric=True, tile=(2, 16, 16), compression="zlib",
        )  # fmt: skip
        for nframes in (1, 3, -1):
            check(imread(name, nframes), volume.swapaxes(0, 1))

    @pytest.mark.parametrize("axes", ["TCZYX", "ZCYX", "TZYX"])
    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_leading_ome_axes_become_frames(self, tmp_path, axes, compression):
        image = seeded_image((2, 3, 4)[: len(axes) - 2] + (16, 17), "uint16")
        name = write(
            tmp_path / "a.ome.tif", image, metadata={"axes": axes}, compression=compression
        )
        check(imread(name, 5), image.reshape(-1, 16, 17))

    def test_first_series_counts(self, tmp_path):
        first, second = seeded_image((4, 16, 17), "uint8"), seeded_image((2, 8, 9), "uint16")
        with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
            tiff.write(first, metadata={"axes": "ZYX"})
            tiff.write(second, metadata={"axes": "ZYX"})
        check(imread(tmp_path / "a.ome.tif", 3), first)

    def test_full_resolution_of_a_pyramid(self, tmp_path):
        image = seeded_image((64, 64), "uint8")
        with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
            tiff.write(image, subifds=1, tile=(16, 16))
            tiff.write(image[::2, ::2], subfiletype=1, tile=(16, 16))
        check(imread(tmp_path / "a.ome.tif"), image[np.newaxis])

    def test_pages_with_other_strips(self, tmp_path):
        image = seeded_image((6, 32, 33), "uint8")
        with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
            for frame, rows in zip(image, [32, 8, 3, 32, 5, 8]):
                tiff.write(frame, rowsperstrip=rows, compression="zlib", metadata=None)
        check(imread(tmp_path / "a.tif", 4), tifffile.imread(tmp_path / "a.tif"))

    def test_files_with_the_same_size_but_other_headers(self, tmp_path):
        image = seeded_image((2, 16, 16), "uint16")
        write(tmp_path / "a.tif", image[0], byteorder="<")
        write(tmp_path / "b.tif", image[1], byteorder=">")
        assert os.path.getsize(tmp_path / "a.tif") == os.path.getsize(tmp_path / "b.tif")
        check(imread(tmp_path / "*.tif"), image)

    def test_same_sized_files_of_other_shapes_are_told_apart(self, tmp_path):
        write(tmp_path / "a.tif", np.zeros((16, 32), "uint8"))
        write(tmp_path / "b.tif", np.zeros((32, 16), "uint8"))
        assert os.path.getsize(tmp_path / "a.tif") == os.path.getsize(tmp_path / "b.tif")
        with pytest.raises(ValueError, match=r"b\.tif has \(32, 16\)"):
            imread(tmp_path / "*.tif")

    @pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"])
    def test_written_by_another_library(self, tmp_path, compression):
        image = seeded_image((64, 48), "uint8")
        name = str(tmp_path / "a.tif")
        Image.fromarray(image).save(name, compression=compression)
        with_codec = importlib.util.find_spec("imagecodecs") is not None
        if with_codec or compression in ("packbits", "tiff_adobe_deflate"):
            check(imread(name), tifffile.imread(name)[np.newaxis])
        else:
            with pytest.raises(ValueError, match=r"a\.tif.*imagecodecs"):
                imread(name)

    def test_ome_companions(self, tmp_path):
        image = seeded_image((2, 3, 16, 16), "uint8")
        names = write_ome_set(tmp_path, image)
        check(imread(names[0], 2), image.reshape(-1, 16, 16))
        check(imread(names, 2), image.reshape(-1, 16, 16))

    def test_missing_ome_companion(self, tmp_path):
        names = write_ome_set(tmp_path, seeded_image((2, 3, 16, 16), "uint8"))
        os.remove(names[1])
        with pytest.raises(ValueError, match=r"part0\.ome\.tif.*pages that no file holds"):
            imread(names[0])


def write_ome_set(folder, image):
    """Write an OME image of axes TZYX into one file a time, which refer to each other."""
    identifiers = [f"urn:uuid:00000000-0000-0000-0000-00000000000{time}" for time in range(2)]
    times, planes, rows, columns = image.shape
    planes_of = "".join(
        f'<TiffData FirstT="{time}" FirstZ="{plane}" IFD="{plane}" PlaneCount="1">'
        f'<UUID FileName="part{time}.ome.tif">{identifiers[time]}</UUID></TiffData>'
        for time in range(times)
        for plane in range(planes)
    )
    names = []
    for time in range(times):
        description = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{identifiers[time]}"><Image ID="Image:0"><Pixels ID="Pixels:0" '
            f'DimensionOrder="XYZTC" Type="uint8" SizeX="{columns}" SizeY="{rows}" '
            f'SizeZ="{planes}" SizeT="{times}" SizeC="1"><Channel ID="Channel:0:0"/>'
            f"{planes_of}</Pixels></Image></OME>"
        )
        names.append(str(folder / f"part{time}.ome.tif"))
        with tifffile.TiffWriter(names[-1]) as tiff:
            for plane in range(planes):
                tiff.write(
                    image[time, plane],
                    description=description if plane == 0 else None,
                    metadata=None,
                    contiguous=False,
                )
    return names


def segments_read(monkeypatch):
    """Return a list that fills with (file, offset) of each strip or tile read from now on."""
    read = []
    plain = _tiff._read_exactly

    def counting(file, offset, out):
        read.append((file.name, offset))
        plain(file, offset, out)

    monkeypatch.setattr(_tiff, "_read_exactly", counting)
    return read


LARGE_LAYOUTS = {
    "tiles": {"tile": (32, 16)},
    "zlib-tiles": {"tile": (32, 16), "compression": "zlib"},
    "tiles-big-endian": {"tile": (16, 16), "byteorder": ">", "compression": "zlib"},
    "predictor": {"tile": (16, 32), "compression": "zlib", "predictor": True},
    "strips": {"rowsperstrip": 7},
    "zlib-strips": {"rowsperstrip": 7, "compression": "zlib"},
    "one-strip": {},
    "one-strip-big-endian": {"byteorder": ">"},
    "one-zlib-strip": {"compression": "zlib", "rowsperstrip": 1000},
    "zlib-rows": {"compression": "zlib", "rowsperstrip": 1},
}


class TestLargePages:
    """Pages larger than Dask's array.chunk-size are cut along their tiles or strips."""

    @pytest.fixture(autouse=True)
    def small_chunks(self):
        with dask.config.set({"array.chunk-size": "4 kiB"}):
            yield

    @pytest.mark.parametrize("layout", LARGE_LAYOUTS)
    @pytest.mark.parametrize("samples", [(), (3,)])
    def test_whole_segments(self, tmp_path, layout, samples, monkeypatch):
        image = seeded_image((2, 100, 75, *samples), "uint16")
        options = {"photometric": "rgb" if samples else "minisblack", **LARGE_LAYOUTS[layout]}
        name = write(tmp_path / "a.tif", image, **options)
        lazy = imread(name)
        check(lazy, image)
        with tifffile.TiffFile(name) as tiff:
            key = tiff.pages.first
            rows, columns = key.chunks[:2]
            raw = key.is_final
        if raw:
            rows = 1
        assert all(size % rows == 0 for size in lazy.chunks[1][:-1])
        assert all(size % columns == 0 for size in lazy.chunks[2][:-1])
        segment = rows * columns * image.itemsize * (samples or (1,))[0]
        block = lazy.chunks[1][0] * lazy.chunks[2][0] * image.itemsize * (samples or (1,))[0]
        assert block <= max(4096, segment)
        # Each is read once.
        read = segments_read(monkeypatch)
        lazy.compute(scheduler="sync")
        assert len(read) == len(set(read))

    @pytest.mark.parametrize("layout", LARGE_LAYOUTS)
    @settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_any_chunks(self, tmp_path, layout, data):
        image = seeded_image((3, 50, 47), "int16")
        name = write(tmp_path / "a.tif", image, **LARGE_LAYOUTS[layout])
        # Blocks of single pixels are 7,000 tasks, and no other case than those of seven pixels.
        entry = st.one_of(st.integers(7, 60), st.sampled_from(["auto", -1, None]))
        chunks = data.draw(st.one_of(entry, st.tuples(entry, entry)))
        nframes = data.draw(st.sampled_from([1, 2, -1]))
        check(imread(name, nframes, chunks=chunks), image)

    @pytest.mark.parametrize("compression", [None, "zlib"])
    @pytest.mark.parametrize("nframes", [1, 3, -1])
    @pytest.mark.parametrize("separate", [False, True])
    def test_volumes(self, tmp_path, compression, nframes, separate, monkeypatch):
        shape = (3, 5, 70, 66) if separate else (9, 70, 66)
        volume = seeded_image(shape, "u1")
        options = {"photometric": "rgb", "planarconfig": "separate"} if separate else {}
        name = write(
            tmp_path / "a.tif", volume, volumetric=True, tile=(2, 16, 16),
            compression=compression, **options,
        )  # fmt: skip
        expected = volume.swapaxes(0, 1) if separate else volume
        check(imread(name, nframes), expected)
        check(imread(name, nframes, chunks=(33, 20)), expected)
        if nframes == -1:
            read = segments_read(monkeypatch)
            imread(name, nframes).compute(scheduler="sync")
            assert len(read) == len(set(read))

    @pytest.mark.parametrize("compression", [None, "zlib"])
    @pytest.mark.parametrize("nframes", [1, 3, -1])
    def test_separate_planes(self, tmp_path, compression, nframes):
        image = seeded_image((4, 3, 70, 58), "u2")
        name = write(
            tmp_path / "a.tif", image, photometric="rgb", planarconfig="separate",
            compression=compression, tile=(16, 16), byteorder=">",
        )  # fmt: skip
        lazy = imread(name, nframes)
        assert lazy.numblocks[1] == 1 < lazy.numblocks[2]
        check(lazy, image)
        check(imread(name, nframes, chunks=(33, 20)), image)

    def test_frames_that_fit_stay_whole(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((9, 64, 64), "u1"), tile=(16, 16))
        assert imread(name).chunks == ((1,) * 9, (64,), (64,))
        assert imread(name, -1).chunks == ((9,), (64,), (64,))

    def test_frames_in_a_block_make_it_smaller(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((9, 64, 80), "u1"), tile=(16, 16))
        assert max(imread(name).chunks[1]) * max(imread(name).chunks[2]) > 2048
        lazy = imread(name, 4)
        assert 4 * max(lazy.chunks[1]) * max(lazy.chunks[2]) <= 4096

    def test_several_files(self, tmp_path):
        image = seeded_image((4, 100, 75), "uint16")
        for number, (frame, layout) in enumerate(zip(image, LARGE_LAYOUTS.values())):
            write(tmp_path / f"a{number}.tif", frame, **layout)
        check(imread(tmp_path / "*.tif", 3), image)

    def test_a_block_carries_and_reads_its_own_tiles_only(self, tmp_path, monkeypatch):
        image = seeded_image((1600, 1600), "u1")
        name = write(tmp_path / "a.tif", image, tile=(16, 16), compression="zlib")
        lazy = imread(name)
        assert max(len(pickle.dumps(task)) for task in dict(lazy.dask).values()) < 2000
        read = segments_read(monkeypatch)
        corner = lazy[0, -50:, -50:].compute()
        np.testing.assert_array_equal(corner, image[-50:, -50:])
        assert len(read) < 40

    @pytest.mark.parametrize("layout", ["zlib-tiles", "zlib-strips", "one-strip-big-endian"])
    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_any_part(self, tmp_path, layout, data):
        image = seeded_image((3, 50, 47, 3), "int16")
        options = {"photometric": "rgb", **LARGE_LAYOUTS[layout]}
        name = write(tmp_path / "a.tif", image, **options)
        index = []
        for size in image.shape:
            numbers = st.integers(-size, size - 1)
            ends = st.integers(-size - 2, size + 2) | st.none()
            steps = st.sampled_from([None, 1, 2, 7, -1, -3])
            index.append(data.draw(numbers | st.builds(slice, ends, ends, steps)))
        if data.draw(st.booleans()):
            axis = data.draw(st.integers(0, 3))
            index[axis] = data.draw(st.lists(st.integers(0, image.shape[axis] - 1), max_size=5))
        elif data.draw(st.booleans()):
            index.insert(data.draw(st.integers(0, 4)), None)
        lazy = imread(name, data.draw(st.sampled_from([1, 2, -1])))
        expected = da.from_array(image)[tuple(index)].compute()
        np.testing.assert_array_equal(lazy[tuple(index)].compute(scheduler="sync"), expected)

    def test_only_what_is_selected_is_read(self, tmp_path, monkeypatch):
        image = seeded_image((9, 160, 160), "u1")
        name = write(tmp_path / "a.tif", image, tile=(16, 16), compression="zlib")
        lazy = imread(name, 4, chunks=-1)
        read = segments_read(monkeypatch)
        np.testing.assert_array_equal(lazy[3, 20:30, 40:50].compute(), image[3, 20:30, 40:50])
        assert len(read) == 2

    def test_tiles_that_are_not_in_the_file(self, tmp_path):
        image = np.zeros((1, 100, 100), "u1")
        image[0, :16, 40:] = 3
        name = str(tmp_path / "a.tif")
        tiles = [image[0, :16, column : column + 16] for column in range(0, 96, 16)] + [
            np.pad(image[0, :16, 96:], ((0, 0), (0, 12)))
        ]
        tifffile.imwrite(
            name, iter(tiles + [None] * 42), shape=(100, 100), dtype="u1", tile=(16, 16),
            compression="zlib", photometric="minisblack",
        )  # fmt: skip
        check(imread(name), image)

    def test_pictures_of_other_formats(self, tmp_path):
        image = seeded_image((1, 90, 70, 3), "u1")
        Image.fromarray(image[0]).save(tmp_path / "a.png")
        check(imread(tmp_path / "a.png"), image)
        check(imread(tmp_path / "a.png", chunks=(33, 20)), image)

    def test_from_worker_processes(self, tmp_path):
        image = seeded_image((1, 100, 75), "uint16")
        name = write(tmp_path / "a.tif", image, **LARGE_LAYOUTS["predictor"])
        lazy = pickle.loads(pickle.dumps(imread(name)))
        check(lazy, image)

    @pytest.mark.parametrize(
        "chunks", [0, -2, 1.5, True, "all", (3,), (3, 4, 5), (3, (40, 11)), ((0, 50), 3), ()]
    )
    def test_bad_chunks(self, tmp_path, chunks):
        name = write(tmp_path / "a.tif", np.zeros((50, 60), "u1"))
        with pytest.raises(ValueError, match="chunks must be"):
            imread(name, chunks=chunks)

    def test_given_sizes(self, tmp_path):
        image = seeded_image((1, 50, 60), "u1")
        lazy = imread(write(tmp_path / "a.tif", image[0]), chunks=((20, 30), -1))
        assert lazy.chunks == ((1,), (20, 30), (60,))
        check(lazy, image)


def write_pyramid(name, image):
    """Write frames in three resolutions, as one of several programs does, and return these."""
    levels = [image, image[:, ::2, ::2], image[:, ::4, ::4]]
    options = {"tile": (16, 16), "compression": "zlib", "photometric": "minisblack"}
    with tifffile.TiffWriter(name, bigtiff=True) as tiff:
        if str(name).endswith("ome.tif"):
            tiff.write(levels[0], subifds=2, metadata={"axes": "ZYX"}, **options)
            for level in levels[1:]:
                tiff.write(level, subfiletype=1, **options)
        elif str(name).endswith(".svs"):
            text = "Aperio Image Library v1\r\n|AppMag = 20|MPP = 0.5"
            options.update(metadata=None, description=text)
            tiff.write(levels[0][0], **options)
            tiff.write(image[0, ::8, ::8], metadata=None, description=text)
            for level in levels[1:]:
                tiff.write(level[0], **options)
        else:
            options["metadata"] = None
            for frame in image:
                tiff.write(frame, subifds=2, **options)
                tiff.write(frame[::2, ::2], subfiletype=1, **options)
                tiff.write(frame[::4, ::4], subfiletype=1, **options)
    return levels


class TestLevelsAndSeries:
    @pytest.mark.parametrize("name", ["a.ome.tif", "a.tif"])
    @pytest.mark.parametrize("level", [0, 1, 2, -1, np.int64(1)])
    def test_levels_of_subifds(self, tmp_path, name, level):
        levels = write_pyramid(tmp_path / name, seeded_image((3, 80, 64), "u1"))
        check(imread(tmp_path / name, 2, level=level), levels[level])
        check(imread(tmp_path / name, 2, level=level, chunks=20), levels[level])

    @pytest.mark.parametrize("level", [0, 1, 2])
    def test_levels_of_a_slide(self, tmp_path, level):
        levels = write_pyramid(tmp_path / "a.svs", seeded_image((1, 80, 64), "u1"))
        check(imread(tmp_path / "a.svs", level=level), levels[level])

    @pytest.mark.parametrize("compression", [None, "zlib"])
    @pytest.mark.parametrize("series", [0, 1, -1])
    def test_series(self, tmp_path, compression, series):
        images = [seeded_image((4, 16, 17), "uint8"), seeded_image((2, 8, 9), "uint16")]
        with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
            for image in images:
                tiff.write(image, metadata={"axes": "ZYX"}, compression=compression)
        check(imread(tmp_path / "a.ome.tif", 3, series=series), images[series])

    def test_levels_have_names_of_their_own(self, tmp_path):
        write_pyramid(tmp_path / "a.tif", np.zeros((1, 64, 64), "u1"))
        assert imread(tmp_path / "a.tif").name != imread(tmp_path / "a.tif", level=1).name

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"level": 3}, r"a\.tif: there is no level 3: it has level 0 to 2"),
            ({"level": -4}, "there is no level -4"),
            ({"series": 1}, "there is no series 1: its only series is 0"),
        ],
    )
    def test_no_such_thing(self, tmp_path, arguments, message):
        write_pyramid(tmp_path / "a.tif", np.zeros((2, 64, 64), "u1"))
        with pytest.raises(ValueError, match=message):
            imread(tmp_path / "a.tif", **arguments)

    def test_no_such_level_of_a_single_page(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((64, 64), "u1"), compression="zlib")
        with pytest.raises(ValueError, match="its only level is 0"):
            imread(name, level=1)

    def test_other_formats_have_one(self, tmp_path):
        Image.fromarray(np.zeros((4, 5), "u1")).save(tmp_path / "a.png")
        with pytest.raises(ValueError, match="only TIFF files"):
            imread(tmp_path / "a.png", level=1)

    @pytest.mark.parametrize("argument", ["level", "series"])
    def test_no_number(self, tmp_path, argument):
        name = write(tmp_path / "a.tif", np.zeros((64, 64), "u1"))
        with pytest.raises(TypeError, match=argument):
            imread(name, **{argument: "first"})


class TestNames:
    def test_natural_order(self):
        names = ["a10", "a9", "b1", "a1b10", "a1b9", "a01", "a1"]
        assert sorted(names, key=natural_key) == ["a01", "a1", "a1b9", "a1b10", "a9", "a10", "b1"]

    def test_pattern_in_natural_order(self, tmp_path):
        image = np.arange(12, dtype="uint8")[:, None, None] * np.ones((1, 4, 5), "uint8")
        for number, frame in enumerate(image):
            write(tmp_path / f"t{number}.tif", frame)
        check(imread(str(tmp_path / "t*.tif")), image)
        check(imread(tmp_path / "**" / "*.tif"), image)

    def test_list_keeps_its_order(self, tmp_path):
        image = seeded_image((3, 4, 5), "uint8")
        names = [tmp_path / f"{letter}.tif" for letter in "cab"]
        for name, frame in zip(names, image):
            write(name, frame)
        check(imread(names), image)
        check(imread(tuple(map(str, names))), image)
        check(imread(name for name in names), image)

    def test_name_that_looks_like_a_pattern(self, tmp_path):
        image = seeded_image((1, 4, 5), "uint8")
        write(tmp_path / "a[1].tif", image[0])
        write(tmp_path / "a1.tif", np.zeros((4, 5), "uint8"))
        check(imread(tmp_path / "a[1].tif"), image)

    def test_relative_names_survive_a_change_of_folder(self, tmp_path, monkeypatch):
        image = seeded_image((1, 4, 5), "uint8")
        write(tmp_path / "a.tif", image[0])
        monkeypatch.chdir(tmp_path)
        lazy = imread("a.tif")
        monkeypatch.chdir("/")
        check(lazy, image)

    @pytest.mark.parametrize("fname", ["nothing*.tif", "nothing.tif"])
    def test_no_match(self, tmp_path, fname):
        with pytest.raises(FileNotFoundError, match=re.escape(fname)):
            imread(tmp_path / fname)

    def test_no_match_in_a_list(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
        with pytest.raises(FileNotFoundError, match="b.tif"):
            imread([name, str(tmp_path / "b.tif")])

    def test_empty_list(self):
        with pytest.raises(ValueError, match="at least one file"):
            imread([])

    def test_folder(self, tmp_path):
        with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
            imread(tmp_path)

    @pytest.mark.parametrize("fname", [3, None, [3], [None]])
    def test_no_name(self, fname):
        with pytest.raises(TypeError, match="fname"):
            imread(fname)


class TestBadArguments:
    @pytest.mark.parametrize("nframes", [0, -2, 1.5, 2.0, True, "1", None, np.bool_(True)])
    def test_nframes(self, tmp_path, nframes):
        name = write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
        with pytest.raises(ValueError, match=re.escape(repr(nframes))):
            imread(name, nframes)

    def test_numpy_integer_nframes(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((4, 4, 5), "uint8"))
        assert imread(name, np.int64(3)).chunks[0] == (3, 1)

    def test_arraytype(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
        with pytest.raises(ValueError, match="'torch'"):
            imread(name, arraytype="torch")

    def test_arraytype_cupy(self, tmp_path):
        name = write(tmp_path / "a.tif", np.ones((4, 5), "uint8"))
        if importlib.util.find_spec("cupy") is None:
            with pytest.raises(ImportError, match="cupy"):
                imread(name, arraytype="cupy")
        else:
            assert type(imread(name, arraytype="cupy")._meta).__module__.startswith("cupy")

    @pytest.mark.parametrize("other", [np.zeros((4, 6), "u1"), np.zeros((4, 5), "u2")])
    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_mixed_files(self, tmp_path, other, compression):
        for number in range(3):
            write(tmp_path / f"a{number}.tif", np.zeros((4, 5), "u1"), compression=compression)
        write(tmp_path / "a3.tif", other, compression=compression)
        with pytest.raises(ValueError, match=r"a3\.tif has"):
            imread(tmp_path / "*.tif")

    @pytest.mark.parametrize("content", [b"", b"II*\0", b"MM\0*\0\0\0\x08", b"hello" * 100])
    @pytest.mark.parametrize("ending", ["tif", "png"])
    # PIMS tries one library after another, not all of which close what they cannot read.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_no_image(self, tmp_path, content, ending):
        name = tmp_path / f"a.{ending}"
        name.write_bytes(content)
        with pytest.raises(ValueError, match=rf"a\.{ending}"):
            imread(name)
        gc.collect()  # here, where the warnings are let go, and not in the next test

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_truncated_before_the_call(self, tmp_path, layout):
        image = seeded_image((5, 40, 37), "uint16")
        name = str(tmp_path / "a.tif")
        write(name, image, **LAYOUTS[layout])
        with tifffile.TiffFile(name) as tiff:
            last = tiff.series[0].pages[-1]
            ends = max(map(sum, zip(last.dataoffsets, last.databytecounts)))
            ends = max(ends, (tiff.series[0].dataoffset or 0) + image.nbytes * (ends == 0))
        size = os.path.getsize(name)
        for kept in {min(ends, size) - 1, size // 2, 200, 5}:
            write(name, image, **LAYOUTS[layout])
            os.truncate(name, kept)
            with pytest.raises(ValueError, match=r"a\.tif"):
                imread(name)

    @pytest.mark.parametrize("cut", [2, 3, 4])
    def test_chain_of_pages_broken(self, tmp_path, cut):
        image = seeded_image((6, 40, 37), "uint16")
        name = str(tmp_path / "a.tif")
        with tifffile.TiffWriter(name) as tiff:
            for frame in image:
                tiff.write(frame, metadata=None, contiguous=False)
        with tifffile.TiffFile(name) as tiff:
            offset = tiff.pages[cut].offset
        os.truncate(name, offset)
        with pytest.raises(ValueError, match=r"a\.tif.*chain of its pages"):
            imread(name)


class TestChangesBeforeCompute:
    @pytest.fixture(params=[None, "zlib"])
    def images(self, request, tmp_path):
        image = seeded_image((6, 20, 20), "uint16")
        for number, frame in enumerate(image):
            write(tmp_path / f"a{number}.tif", frame, compression=request.param)
        return imread(tmp_path / "*.tif", nframes=2), image, tmp_path

    def test_gone(self, images):
        lazy, image, folder = images
        os.remove(folder / "a3.tif")
        with pytest.raises(FileNotFoundError, match=r"a3\.tif"):
            lazy.compute()
        check(lazy[:2], image[:2])

    @pytest.mark.parametrize("lost", [1, 100, 700])
    def test_truncated(self, images, lost):
        lazy, image, folder = images
        os.truncate(folder / "a3.tif", os.path.getsize(folder / "a3.tif") - lost)
        with pytest.raises(OSError, match=r"a3\.tif"):
            lazy.compute()
        check(lazy[4:], image[4:])

    def test_written_anew(self, images):
        lazy, image, folder = images
        write(folder / "a3.tif", image[3].T)
        os.utime(folder / "a3.tif", ns=(0, 0))
        with pytest.raises(OSError, match=r"a3\.tif has changed since"):
            lazy.compute()

    def test_damaged_pixels(self, tmp_path):
        name = write(tmp_path / "a.tif", seeded_image((40, 40), "uint16"), compression="zlib")
        status = os.stat(name)
        with open(name, "r+b") as file:
            file.seek(status.st_size // 2)
            file.write(bytes(200))
        with pytest.raises(OSError, match=r"cannot read .*a\.tif"):
            imread(name).compute()

    def test_replaced(self, images):
        lazy, image, folder = images
        write(folder / "b.tif", image[3] // 2)
        os.replace(folder / "b.tif", folder / "a3.tif")
        with pytest.raises(OSError, match=r"a3\.tif has changed since"):
            lazy.compute()

    def test_replaced_by_a_folder(self, images):
        lazy, _, folder = images
        os.remove(folder / "a3.tif")
        os.mkdir(folder / "a3.tif")
        with pytest.raises(OSError, match=r"a3\.tif"):
            lazy.compute()

    def test_error_from_a_worker_process(self, images):
        lazy, _, folder = images
        os.remove(folder / "a3.tif")
        with pytest.raises(FileNotFoundError, match=r"a3\.tif"):
            lazy.compute(scheduler="processes", num_workers=1)


@pytest.fixture
def folder_for_all():
    """Give a folder of a user without privileges, who runs the test."""
    if not hasattr(os, "seteuid"):
        pytest.skip("permissions are those of POSIX")
    folder = tempfile.TemporaryDirectory()
    path = pathlib.Path(folder.name)
    root = os.geteuid() == 0
    if root:
        os.chown(path, 65534, 65534)
        os.seteuid(65534)
    try:
        yield path
    finally:
        if root:
            os.seteuid(0)
        path.chmod(0o700)
        folder.cleanup()


class TestPermissions:
    @pytest.fixture(params=["a.tif", "a.png"])
    def name(self, request, folder_for_all):
        name = folder_for_all / request.param
        picture = seeded_image((20, 20), "uint8")
        write(name, picture) if name.suffix == ".tif" else Image.fromarray(picture).save(name)
        return name

    def test_file_at_the_call(self, name):
        name.chmod(0)
        with pytest.raises(PermissionError, match=re.escape(str(name))):
            imread(name)

    @pytest.mark.parametrize("pattern", ["{}", "*"])
    def test_folder_at_the_call(self, name, pattern):
        name.parent.chmod(0)
        pattern = name.parent / pattern.format(name.name)
        with pytest.raises(PermissionError, match=re.escape(str(pattern))):
            imread(pattern)

    @pytest.mark.parametrize("closed", ["name", "folder"])
    def test_while_computing(self, name, closed):
        lazy = imread(name)
        (name if closed == "name" else name.parent).chmod(0)
        with pytest.raises(PermissionError, match=re.escape(str(name))):
            lazy.compute(scheduler="sync")


class TestNaming:
    def test_same_files_same_name(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
        assert imread(name).name == imread(tmp_path / "a.tif").name

    def test_arguments_count(self, tmp_path):
        a = write(tmp_path / "a.tif", np.zeros((4, 4, 5), "uint8"))
        b = write(tmp_path / "b.tif", np.zeros((4, 4, 5), "uint8"))
        names = [imread(a), imread(a, 2), imread(b), imread([a, b]), imread([b, a])]
        assert len({lazy.name for lazy in names}) == 5

    def test_changed_file_has_another_name(self, tmp_path):
        name = write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
        before = imread(name).name
        os.utime(name, ns=(1, 1))
        assert imread(name).name != before


class TestOtherFormats:
    @pytest.mark.parametrize("samples", [(), (3,), (4,)])
    @pytest.mark.parametrize("nframes", [1, 2, -1])
    def test_pictures(self, tmp_path, samples, nframes):
        image = seeded_image((11, 9, 8, *samples), "uint8")
        for number, frame in enumerate(image):
            Image.fromarray(frame).save(tmp_path / f"p{number}.png")
        check(imread(tmp_path / "p*.png", nframes), image)
        check(imread(tmp_path / "p3.png", nframes), image[3:4])

    def test_film(self, tmp_path):
        image = seeded_image((5, 16, 16), "uint8") // 128 * 255
        frames = [Image.fromarray(frame) for frame in image]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
        for nframes in (1, 2, -1):
            lazy = imread(tmp_path / "a.gif", nframes)
            computed = lazy.compute()
            assert computed.shape == lazy.shape
            assert computed.dtype == lazy.dtype
            np.testing.assert_array_equal(computed[..., 0], image)

    @pytest.mark.parametrize("name", ["a.webp", "a.png"])
    @pytest.mark.parametrize("count", [1, 2, 4])
    @pytest.mark.parametrize("nframes", [1, 3, -1])
    def test_animation_in_colour(self, tmp_path, name, count, nframes):
        image = seeded_image((count, 16, 20, 3), "uint8")
        first, *others = map(Image.fromarray, image)
        first.save(tmp_path / name, save_all=True, append_images=others, lossless=True)
        check(imread(tmp_path / name, nframes), image)
        check(imread([tmp_path / name] * 2, nframes), np.concatenate([image] * 2))

    @pytest.mark.parametrize("nframes", [1, 2, -1])
    def test_every_frame_of_a_gif(self, tmp_path, nframes):
        shades = np.arange(0, 250, 50, dtype="u1")[:, None, None, None]
        image = np.broadcast_to(shades, (5, 16, 20, 3))
        first, *others = map(Image.fromarray, image)
        first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
        check(imread(tmp_path / "a.gif", nframes), image)
        assert read_metadata(tmp_path / "a.gif").time_step == 0.1

    @pytest.mark.parametrize("dtype", ["u1", "u2"])
    def test_png_of_16_bits(self, tmp_path, dtype):
        image = seeded_image((20, 18), dtype)
        Image.fromarray(image).save(tmp_path / "a.png")
        check(imread(tmp_path / "a.png"), image[np.newaxis])

    @pytest.mark.parametrize(
        ("encode", "dtype", "samples"),
        [
            ("jpeg2k", "u2", ()),
            ("jpeg2k", "u1", (3,)),
            ("jpegxr", "u2", ()),
            ("png", "u2", (3,)),
            ("png", "u2", (4,)),
        ],
    )
    def test_codecs(self, tmp_path, encode, dtype, samples):
        imagecodecs = pytest.importorskip("imagecodecs")
        image = seeded_image((32, 48, *samples), dtype)
        options = {"reversible": True, "level": 0} if encode == "jpeg2k" else {}
        data = getattr(imagecodecs, f"{encode}_encode")(image, **options)
        (tmp_path / "a.bin").write_bytes(data)
        check(imread(tmp_path / "a.bin"), image[np.newaxis])

    def test_real_films(self, tmp_path):
        av = pytest.importorskip("av")
        with av.open(str(tmp_path / "a.avi"), "w") as film:
            stream = film.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "bgr0"
            for shade in range(12):
                picture = np.full((64, 96, 3), 20 * shade, "u1")
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    film.mux(packet)
            for packet in stream.encode():
                film.mux(packet)
        shades = np.arange(0, 240, 20, dtype="u1")[:, None, None, None]
        check(imread(tmp_path / "a.avi", 5), np.broadcast_to(shades, (12, 64, 96, 3)))
        assert read_metadata(tmp_path / "a.avi").time_step == 0.1

    @pytest.mark.parametrize(
        ("head", "message"),
        [
            (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000, which imagecodecs reads"),
            (b"\xff\x0a", "JPEG XL, which imagecodecs reads"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x10\2", "PNG of 16-bit colours"),
            (b"RIFF\0\0\0\0AVI ", "a film, which av reads"),
            (b"\0\0\0\x20ftypisom", "a film, which av reads"),
        ],
    )
    def test_what_is_to_be_installed(self, tmp_path, monkeypatch, head, message):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        (tmp_path / "a.bin").write_bytes(head + bytes(100))
        with pytest.raises(ValueError, match=rf"a\.bin: it is {message}.*dask-image\[formats\]"):
            imread(tmp_path / "a.bin")

    @pytest.mark.parametrize(
        ("announced", "given", "expected"),
        [
            ((8, 9), (8, 9), (5, 8, 9)),
            ((8, 9), (8, 9, 3), (5, 8, 9, 3)),  # samples are left out
            ((9, 8), (8, 9), (5, 8, 9)),  # columns first
            ((8, 9), (5, 8, 9), (5, 8, 9)),  # all of it for each frame
            ((8, 9, 3), (5, 8, 9, 3), (5, 8, 9, 3)),
            ((6, 8, 9), (6, 8, 9), (30, 8, 9)),  # a frame is a volume
            ((5, 8, 9), (5, 8, 9), (25, 8, 9)),
            ((8, 9), (6, 8, 9), None),
            ((8, 9), (8, 7), None),
            ((6, 8, 9), (8, 9), None),
        ],
    )
    def test_readers_keep_their_word(self, tmp_path, monkeypatch, announced, given, expected):
        import pims

        class Reader(pims.FramesSequence):
            frame_shape = announced
            pixel_type = np.dtype("uint8")

            def __len__(self):
                return 5

            def get_frame(self, i):
                return pims.Frame(np.full(given, i, "uint8"))

        monkeypatch.setattr(pims, "open", lambda path: Reader())
        (tmp_path / "a.xyz").write_bytes(b"")
        if expected is None:
            message = f"announces 5 frames of shape {announced}, and gives {given}"
            with pytest.raises(ValueError, match=re.escape(message)):
                imread(tmp_path / "a.xyz")
            return
        lazy = imread(tmp_path / "a.xyz", nframes=2)
        assert lazy.shape == lazy.compute(scheduler="sync").shape == expected

    def test_tiff_with_another_ending(self, tmp_path):
        image = seeded_image((2, 5, 7), "uint16")
        write(tmp_path / "a.stack", image)
        check(imread(tmp_path / "a.stack"), image)

    def test_mixed_with_tiff(self, tmp_path):
        image = seeded_image((2, 9, 8), "uint8")
        write(tmp_path / "a.tif", image[0])
        Image.fromarray(image[1]).save(tmp_path / "b.png")
        check(imread(tmp_path / "*.*", -1), image)

    def test_mixed_shapes(self, tmp_path):
        Image.fromarray(np.zeros((4, 5), "uint8")).save(tmp_path / "a.png")
        Image.fromarray(np.zeros((4, 5, 3), "uint8")).save(tmp_path / "b.png")
        with pytest.raises(ValueError, match=r"b\.png has \(4, 5, 3\)"):
            imread(tmp_path / "*.png")

    def test_changed(self, tmp_path):
        Image.fromarray(seeded_image((40, 50), "uint8")).save(tmp_path / "a.png")
        lazy = imread(tmp_path / "a.png")
        os.truncate(tmp_path / "a.png", 1000)
        with pytest.raises(OSError, match=r"a\.png has changed"):
            lazy.compute()
        os.remove(tmp_path / "a.png")
        with pytest.raises(FileNotFoundError, match=r"a\.png"):
            lazy.compute()

    def test_pims_is_not_imported_for_tiff(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pims", None)  # an import would fail
        image = seeded_image((2, 5, 7), "uint16")
        check(imread(write(tmp_path / "a.tif", image)), image)


def open_files(folder):
    """Files in `folder` that this process has open; those of other tests' threads do not count."""
    opened = (os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd"))
    return [path for path in opened if path.startswith(os.path.realpath(folder))]


class TestResources:
    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a list of open files")
    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_no_file_stays_open(self, tmp_path, compression):
        image = seeded_image((60, 8, 9), "uint8")
        for number, frame in enumerate(image):
            write(tmp_path / f"{number}.tif", frame, compression=compression)
        lazy = imread(tmp_path / "*.tif", 7)
        assert open_files(tmp_path) == []
        lazy.compute()
        assert open_files(tmp_path) == []

    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_a_task_opens_each_file_once(self, tmp_path, compression, monkeypatch):
        image = seeded_image((6, 8, 9), "uint8")
        for name, part in zip("ab", np.split(image, 2)):
            write(tmp_path / f"{name}.tif", part, compression=compression)
        lazy = imread(tmp_path / "*.tif", -1)
        opened = []

        def counting_open(path, *args, **kwargs):
            opened.append(path)
            return open(path, *args, **kwargs)

        monkeypatch.setattr("dask_image.imread._tiff.open", counting_open, raising=False)
        monkeypatch.setattr(tifffile, "TiffFile", None)  # no header is read again
        check(lazy, image)
        assert opened == [str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]

    @pytest.mark.parametrize("layout", ["plain", "volume-zlib"])
    def test_worker_processes(self, tmp_path, layout):
        image = seeded_image((4, 40, 37), "uint16")
        name = write(tmp_path / "a.tif", image, **LAYOUTS[layout])
        lazy = imread(name, 3)
        restored = pickle.loads(pickle.dumps(lazy))
        check(restored, image)
        with dask.config.set(scheduler="processes", num_workers=1):
            np.testing.assert_array_equal(lazy.compute(), image)
