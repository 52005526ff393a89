"""Names with placeholders, and one image of many tiles."""

import re

import dask.array as da
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from dask_image.imread import assemble, imread, read_metadata
from tests.helpers import nothing_computes, seeded_image


class TestPlaceholders:
    def write(self, folder, frames=(), compression=None):
        image = seeded_image((2, 11, 3, *frames, 8, 9), "u2")
        for row, column, z in np.ndindex(2, 11, 3):
            name = folder / f"tile_r{row}_c{column}_z{z:03}.tif"
            tifffile.imwrite(
                name, image[row, column, z], compression=compression, photometric="minisblack"
            )
        (folder / "tile_r0_c0_zlast.tif").write_bytes(b"")  # no number
        return image

    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_axes_in_the_order_of_the_name(self, tmp_path, compression):
        image = self.write(tmp_path, compression=compression)
        with nothing_computes():
            lazy = imread(tmp_path / "tile_r{row}_c{column}_z{z}.tif")
        assert lazy.chunks == ((1,) * 2, (1,) * 11, (1,) * 3, (8,), (9,))
        np.testing.assert_array_equal(lazy.compute(), image)
        np.testing.assert_array_equal(lazy[1, ::2, 2, 3:, 4].compute(), image[1, ::2, 2, 3:, 4])

    def test_files_of_several_frames(self, tmp_path):
        image = self.write(tmp_path, frames=(5,))
        lazy = imread(str(tmp_path / "tile_r{row}_c{column}_z{z}.tif"), nframes=2, chunks=(4, -1))
        assert lazy.chunks[3:] == ((2, 2, 1), (4, 4), (9,))
        np.testing.assert_array_equal(lazy.compute(), image)
        np.testing.assert_array_equal(lazy[1, 2, 0, 3, :, 1].compute(), image[1, 2, 0, 3, :, 1])

    def test_a_placeholder_twice(self, tmp_path):
        image = seeded_image((3, 8, 9), "u2")
        for number, frame in enumerate(image):
            (tmp_path / f"run{number}").mkdir()
            tifffile.imwrite(tmp_path / f"run{number}" / f"r{number}.tif", frame)
            tifffile.imwrite(tmp_path / f"run{number}" / f"r{number + 1}.tif", frame * 0)
        lazy = imread(tmp_path / "run{run}" / "r{run}.tif")
        np.testing.assert_array_equal(lazy.compute(), image)

    def test_missing_file(self, tmp_path):
        self.write(tmp_path)
        (tmp_path / "tile_r1_c7_z002.tif").unlink()
        message = "2 × 11 × 3 numbers but 1 of them missing; the first is that for r=1, c=7, z=2"
        with pytest.raises(FileNotFoundError, match=message + r".*tile_r1_c7_z002\.tif'"):
            imread(tmp_path / "tile_r{r}_c{c}_z{z}.tif")

    def test_a_number_that_is_left_out_everywhere(self, tmp_path):
        self.write(tmp_path)
        for name in tmp_path.glob("tile_r*_c7_*"):
            name.unlink()
        message = r"2 × 11 × 3 numbers but 6 of them missing.*tile_r0_c7_z000\.tif'"
        with pytest.raises(FileNotFoundError, match=message):
            imread(tmp_path / "tile_r{r}_c{c}_z{z}.tif")

    @pytest.mark.parametrize(
        "numbers", [(405, 488, 561), (0, 10, 20), (20240101, 20240102, 20240301)]
    )
    def test_numbers_that_do_not_count(self, tmp_path, numbers):
        for number in numbers:
            tifffile.imwrite(tmp_path / f"a{number}.tif", np.zeros((8, 9), "u1"))
        assert imread(tmp_path / "a{number}.tif").shape == (3, 8, 9)

    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"no file matches .*r\{r\}"):
            imread(tmp_path / "r{r}.tif")

    def test_the_same_number_twice(self, tmp_path):
        for name in ("a1.tif", "a01.tif"):
            tifffile.imwrite(tmp_path / name, np.zeros((8, 9), "u1"))
        with pytest.raises(ValueError, match=r"a01\.tif and .*a1\.tif have the same numbers"):
            imread(tmp_path / "a{number}.tif")

    def test_other_counts_of_frames(self, tmp_path):
        tifffile.imwrite(tmp_path / "a1.tif", np.zeros((5, 8, 9), "u1"), metadata=None)
        tifffile.imwrite(tmp_path / "a2.tif", np.zeros((2, 8, 9), "u1"), metadata=None)
        with pytest.raises(ValueError, match=r"a2\.tif holds 2, .*a1\.tif 5"):
            imread(tmp_path / "a{number}.tif")

    def test_no_other_signs(self, tmp_path):
        with pytest.raises(ValueError, match=re.escape("the signs * and ?")):
            imread(tmp_path / "*_{number}.tif")

    def test_braces_in_a_name(self, tmp_path):
        tifffile.imwrite(tmp_path / "a{b}.tif", np.zeros((8, 9), "u1"))
        assert imread(tmp_path / "a{b}.tif").shape == (1, 8, 9)


def pasted(tiles, starts, fill_value=0):
    """Return what it is to paste tiles (n, ..., y, x) one after another."""
    shape = np.max(starts, axis=0) + tiles.shape[-2:]
    image = np.full((*tiles.shape[1:-2], *shape), fill_value, tiles.dtype)
    for tile, (y, x) in zip(tiles, starts):
        image[..., y : y + tile.shape[-2], x : x + tile.shape[-1]] = tile
    return image


def blended(tiles, starts):
    """Return the mean of tiles (n, ..., y, x), weighted by the distance to their edges."""
    shape = np.max(starts, axis=0) + tiles.shape[-2:]
    total = np.zeros(shape)
    image = np.zeros((*tiles.shape[1:-2], *shape))
    along = [np.minimum(np.arange(n) + 1, n - np.arange(n)) for n in tiles.shape[-2:]]
    weight = np.multiply.outer(*along)
    for tile, (y, x) in zip(tiles, starts):
        place = np.s_[..., y : y + tile.shape[-2], x : x + tile.shape[-1]]
        image[place] += tile * weight
        total[place] += weight
    image = image / np.where(total, total, 1)
    return np.rint(image).astype(tiles.dtype) if tiles.dtype.kind in "iu" else image


class TestAssemble:
    @settings(max_examples=60)
    @given(
        count=st.integers(1, 7),
        depth=st.sampled_from([(), (3,)]),
        size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
        chunks=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)),
        dtype=st.sampled_from(["u1", "i4", "f8"]),
        seed=st.integers(0, 99),
    )
    def test_positions(self, count, depth, size, chunks, dtype, seed):
        tiles = seeded_image((count, *depth, *size), dtype, seed=seed)
        starts = np.random.default_rng(seed).integers(-9, 9, (count, 2))
        lazy_tiles = da.from_array(tiles, chunks=(chunks[0], *(2,) * len(depth), *chunks[1:]))
        starts_at_zero = starts - starts.min(axis=0)
        with nothing_computes():
            lazy = assemble(lazy_tiles, positions=starts, fill_value=7)
            blend = assemble(lazy_tiles, positions=starts, blend="linear")
        expected = pasted(tiles, starts_at_zero, 7)
        assert lazy.dtype == expected.dtype
        assert lazy.shape == expected.shape
        np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)
        expected = blended(tiles, starts_at_zero)
        computed = blend.compute(scheduler="sync")
        assert blend.dtype == computed.dtype == expected.dtype
        np.testing.assert_allclose(computed, expected, atol=1e-12 if dtype == "f8" else 1)

    @pytest.mark.parametrize("blend", ["none", "linear"])
    def test_a_cut_picture_comes_back(self, blend):
        picture = seeded_image((3, 40, 50), "f8")
        tiles = np.stack([
            [picture[:, y : y + 16, x : x + 14] for x in range(0, 37, 12)] for y in (0, 12, 24)
        ])  # fmt: skip
        assert tiles.shape == (3, 4, 3, 16, 14)
        for source in (da.from_array(tiles, chunks=(1, 2, 2, 16, 9)), tiles):
            lazy = assemble(source, overlap=(4, 2), blend=blend)
            assert lazy.chunks[1:] == ((16, 16, 8), (14, 14, 14, 8))
            np.testing.assert_allclose(lazy.compute(), picture, rtol=1e-14)
        flat = tiles.reshape(12, 3, 16, 14)
        lazy = assemble(flat, grid=(3, 4), overlap=(4, 2), blend=blend)
        np.testing.assert_allclose(lazy.compute(), picture, rtol=1e-14)

    def test_colours(self):
        picture = seeded_image((20, 30, 3), "u1")
        tiles = picture.reshape(2, 10, 3, 10, 3).swapaxes(1, 2)
        lazy = assemble(tiles, axes=(-3, -2))
        assert lazy.chunks == ((10, 10), (10, 10, 10), (3,))
        np.testing.assert_array_equal(lazy.compute(), picture)

    def test_a_block_reads_the_tiles_under_it_only(self, tmp_path):
        for row, column in np.ndindex(5, 6):
            tifffile.imwrite(
                tmp_path / f"r{row}c{column}.tif", np.full((16, 16), 6 * row + column, "u1")
            )
        image = assemble(imread(tmp_path / "r{row}c{column}.tif"), overlap=4)
        for row, column in np.ndindex(5, 6):
            if not (row in (2, 3) and column in (2, 3)):
                (tmp_path / f"r{row}c{column}.tif").unlink()
        assert image.shape == (64, 76)
        assert image[40:48, 40:48].compute().tolist() == [[21] * 8] * 8

    def test_places_on_the_stage(self, tmp_path):
        picture, names = seeded_image((30, 40), "u2"), []
        starts = [(0, 0), (0, 21), (13, 0), (14, 20)]
        for number, (y, x) in enumerate(starts):
            place = {"PositionX": [5 + x * 0.0005], "PositionXUnit": ["mm"]}
            place |= {"PositionY": [y * 0.25 - 7], "PositionYUnit": ["µm"]}
            names.append(tmp_path / f"tile{number}.ome.tif")
            facts = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "Plane": place}
            tifffile.imwrite(names[-1], picture[y : y + 16, x : x + 19], metadata=facts)
        tiles, said = imread(names), [read_metadata(name) for name in names]
        expected = assemble(tiles, positions=starts)
        found = assemble(tiles, positions=said)
        assert found.name == expected.name
        np.testing.assert_array_equal(found.compute()[:16, :19], picture[:16, :19])
        tifffile.imwrite(names[-1], picture[:16, :19], metadata={"axes": "YX"})
        said[-1] = read_metadata(names[-1])
        with pytest.raises(ValueError, match=r"that of tile 3 is known along \[\] only"):
            assemble(tiles, positions=said)
        with pytest.raises(TypeError, match="positions must be an array of numbers in memory"):
            assemble(tiles, positions=da.zeros((4, 2)))

    def test_names(self):
        tiles = da.zeros((2, 2, 8, 8), chunks=(1, 1, 8, 8))
        assert assemble(tiles).name == assemble(tiles).name
        assert assemble(tiles).name != assemble(tiles, overlap=1).name

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"blend": "mean"}, "blend must be one of"),
            ({"grid": (3, 2)}, r"grid \(3, 2\) does not fit"),
            ({"grid": (4,)}, "grid must be one value or one for each of 2 axes"),
            ({"grid": 4}, "grid must have a number for each"),
            ({"positions": [["a", 0]] * 2}, "positions must be numbers"),
            ({"positions": [[1e30, 0]] * 2}, "positions must be numbers"),
            ({"grid": (2, 2), "positions": [[0, 0]] * 2}, "got both"),
            ({"positions": [[0, 0]] * 3}, r"positions must be numbers of shape \(2, 2\)"),
            ({"positions": [[0, np.nan]] * 2}, "positions must be numbers"),
            ({"overlap": 8}, "overlap must be less than a tile"),
            ({"overlap": (1, 2, 3)}, "overlap"),
            ({"axes": (0, 1)}, "axes must be different negative"),
            ({"axes": (-1, -1)}, "axes must be different negative"),
            ({"axes": (-4, -3)}, "count the tiles"),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            assemble(da.zeros((2, 2, 8, 8)), **arguments)

    @pytest.mark.parametrize("fill_value", [300, -1, np.nan, 0.5])
    def test_pixels_that_the_dtype_cannot_hold(self, fill_value):
        tiles = da.zeros((2, 2, 8, 8), dtype="u1")
        with pytest.raises(ValueError, match="fill_value must be a value of dtype uint8"):
            assemble(tiles, fill_value=fill_value)
        with pytest.raises(TypeError, match="fill_value must be a real number"):
            assemble(tiles, fill_value="0")

    def test_numbers_that_are_named(self):
        with pytest.raises(TypeError, match="overlap must be an integer"):
            assemble(da.zeros((2, 2, 8, 8)), overlap=1.5)
        with pytest.raises(ValueError, match="tiles must be at least one"):
            assemble(da.zeros((0, 2, 8, 8)))

    def test_tiles_of_several_shapes(self):
        with pytest.raises(ValueError, match="tiles must be of one shape"):
            assemble([np.ones((4, 5)), np.ones((4, 6))], (1, 2))
