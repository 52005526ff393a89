"""`dask_image.xarray`: the functions on xarray's arrays, by names of dimensions."""

import inspect

import dask
import dask.array as da
import numpy as np
import pytest
import tifffile
import xarray

import dask_image.xarray as xndi
from dask_image import (
    local_statistics,
    ndfilters,
    ndfourier,
    ndinterp,
    ndmeasure,
    ndmorph,
    segmentation,
)
from tests.calls import FAMILIES
from tests.helpers import nothing_computes, seeded_image

LATITUDES = np.linspace(10, -8, 10)  # steps of -2
LONGITUDES = np.arange(0, 12, 0.5)
TIMES = np.array(["2000-01-01", "2000-01-02", "2000-01-03", "2000-01-04"], "M8[ns]")


@pytest.fixture
def field():
    return xarray.DataArray(
        da.from_array(seeded_image((4, 10, 24), "f8"), chunks=(2, 5, 7)),
        {
            "time": TIMES,
            "lat": ("lat", LATITUDES, {"units": "degrees_north"}),
            "lon": LONGITUDES,
            "height": 2.0,
        },
        ("time", "lat", "lon"),
        "temperature",
        {"units": "K"},
    )


def same(result, expected, image):
    """Check values, and that all but these is the image's."""
    assert isinstance(result.data, da.Array)
    xarray.testing.assert_identical(result, image.copy(data=np.asarray(expected)))
    assert result.chunks == image.chunks


class TestPixelsStay:
    @pytest.mark.parametrize("dims", ["lat", ("lat", "lon"), ["lon", "lat"], None])
    def test_dims_stand_for_axes(self, field, dims):
        axes = {"lat": (1,), ("lat", "lon"): (1, 2), None: None}.get(
            tuple(dims) if isinstance(dims, list) else dims, (2, 1)
        )
        with nothing_computes():
            result = xndi.uniform_filter(field, 3, mode="nearest", dims=dims)
        same(result, ndfilters.uniform_filter(field.data, 3, mode="nearest", axes=axes), field)

    def test_dims_stand_for_axis(self, field):
        same(xndi.sobel(field, dims="lat"), ndfilters.sobel(field.data, axis=1), field)
        same(xndi.sobel(field), ndfilters.sobel(field.data), field)
        expected = ndfilters.gaussian_filter1d(field.data, 2, axis=1)
        same(xndi.gaussian_filter1d(field, 2, dims="lat"), expected, field)
        same(xndi.gaussian_filter1d(field, {"lat": 2}, dims="lat"), expected, field)

    def test_numbers_by_dimension(self, field):
        expected = ndfilters.gaussian_filter(field.data, 2, axes=(1,))
        same(xndi.gaussian_filter(field, {"lat": 2}), expected, field)
        expected = ndfilters.gaussian_filter(field.data, (1, 2), axes=(1, 2))
        same(xndi.gaussian_filter(field, {"lon": 2, "lat": 1}), expected, field)
        expected = ndfilters.gaussian_filter(
            field.data, 2, mode=("nearest", "wrap"), axes=(1, 2), order=(0, 1)
        )
        result = xndi.gaussian_filter(
            field, 2, {"lon": 1}, {"lon": "wrap", "lat": "nearest"}, dims=("lat", "lon")
        )
        same(result, expected, field)
        same(xndi.shift(field, {"lon": 1.5}), ndinterp.shift(field.data, (0, 0, 1.5)), field)

    def test_units_of_coordinates(self, field):
        expected = ndfilters.gaussian_filter(field.data, (1.5, 6), axes=(1, 2))
        same(
            xndi.gaussian_filter(field, {"lat": 3, "lon": 3}, units="coordinates"), expected, field
        )
        result = xndi.gaussian_filter(field, 3, dims=("lat", "lon"), units="coordinates")
        same(result, expected, field)
        result = xndi.gaussian_filter(field, {"time": "12h"}, units="coordinates")
        same(result, ndfilters.gaussian_filter(field.data, 0.5, axes=(0,)), field)
        result = xndi.median_filter(field, {"lat": 4, "lon": 2}, units="coordinates")
        same(result, ndfilters.median_filter(field.data, (3, 5), axes=(1, 2)), field)
        # Latitudes fall: to the north is to lower indices.
        result = xndi.shift(field, {"lat": 4, "lon": 1}, units="coordinates")
        same(result, ndinterp.shift(field.data, (0, -2, 2)), field)
        wet = field > 0
        expected = ndmorph.distance_transform_edt(wet.data[0], sampling=(2, 0.5))
        same(xndi.distance_transform_edt(wet[0], units="coordinates"), expected, wet[0])

    def test_weights_with_dimensions(self, field):
        weights = xarray.DataArray(seeded_image((3, 5), "f8"), dims=("lon", "lat"))
        expected = ndfilters.convolve(field.data, weights.data.T, axes=(1, 2))
        same(xndi.convolve(field, weights), expected, field)

    def test_other_images(self, field):
        wet = field > 0
        mask = (field[0] < 1).transpose("lon", "lat").drop_vars("time")
        result = xndi.binary_dilation(wet, mask=mask, wrap="lon")
        expected = ndmorph.binary_dilation(
            wet.data, mask=np.broadcast_to(mask.data.T, wet.shape), wrap_axes=(2,)
        )
        same(result, expected, wet)
        with pytest.raises(ValueError, match="mask has other coordinates"):
            xndi.binary_dilation(wet, mask=mask.assign_coords(lon=LONGITUDES + 1))
        with pytest.raises(ValueError, match="mask must have dimensions"):
            xndi.binary_dilation(wet, mask=mask.rename(lon="x"))

    def test_dimension_without_coordinate(self, field):
        bare = field.drop_vars(["lat", "lon"])
        same(xndi.sobel(bare, dims="lat"), ndfilters.sobel(field.data, axis=1), bare)

    def test_several_results(self, field):
        wet = field[0] > 0
        distances, indices = xndi.distance_transform_edt(wet, return_indices=True)
        expected = ndmorph.distance_transform_edt(wet.data, return_indices=True)
        same(distances, expected[0], wet)
        assert indices.dims == ("dim", "lat", "lon")
        np.testing.assert_array_equal(indices.sel(dim="lon"), expected[1][1])

    def test_spectrum(self, field):
        expected = ndfourier.fourier_gaussian(field.data, (0, 2, 1), 46, 2)
        same(
            xndi.fourier_gaussian(field, {"time": 0, "lat": 2, "lon": 1}, 46, dims="lon"),
            expected, field,
        )  # fmt: skip

    def test_dataset(self, field):
        mean = field.mean("time").rename("mean")
        dataset = xarray.Dataset(
            {"a": field, "b": mean, "c": field.mean(("lat", "lon"))}, attrs={"title": "x"}
        )
        result = xndi.gaussian_filter(dataset, 2, dims=("lat", "lon"))
        expected = dataset.assign(
            {
                "a": xndi.gaussian_filter(field, 2, dims=("lat", "lon")),
                "b": xndi.gaussian_filter(dataset["b"], 2),
            }
        )
        xarray.testing.assert_identical(result, expected)
        result = xndi.gaussian_filter(dataset, {"time": 1})
        assert result["b"].identical(dataset["b"])
        assert not result["c"].identical(dataset["c"])

    def test_data_in_memory(self, field):
        in_memory = field.compute()
        result = xndi.uniform_filter(in_memory, 3)
        assert isinstance(result.data, da.Array)
        xarray.testing.assert_allclose(result, xndi.uniform_filter(field, 3))


class TestSegmentation:
    """What scikit-image has, on arrays with coordinates."""

    def test_nuclei_are_parted_by_dimension_names(self, field):
        mask = field > field.mean()
        distance = xndi.distance_transform_edt(mask)
        markers, _ = xndi.label(xndi.h_maxima(distance, 0.5))
        within = xarray.DataArray(np.ones((3, 3, 3)), dims=("lat", "lon", "time"))
        with nothing_computes():
            basins = xndi.watershed(-distance, markers, within, mask=mask)
        expected = segmentation.watershed(
            -distance.data, markers.data, np.ones((3, 3, 3)), mask=mask.data
        )
        same(basins, expected, distance)
        xarray.testing.assert_identical(
            xndi.watershed(-distance, markers.transpose("lon", ...), within, mask=mask), basins
        )

    def test_basins_meet_over_the_ends_of_longitude(self, field):
        image = field.isel(time=0)
        basins = xndi.watershed(image, wrap="lon")
        expected = segmentation.watershed(image.data, wrap_axes=1)
        same(basins, expected, image)

    def test_labels_grow_by_a_distance_in_the_coordinates_unit(self, field):
        labels = xndi.label(field.isel(time=0) > 0.99 * field.max())[0]
        grown = xndi.expand_labels(labels, 2, units="coordinates")
        same(grown, segmentation.expand_labels(labels.data, 2, spacing=(2, 0.5)), labels)

    def test_light_of_a_frame_divides_all(self, field):
        flat = field.isel(time=0, drop=True) ** 2 + 1
        result = xndi.correct_illumination(field, flat)
        expected = local_statistics.correct_illumination(
            field.data, np.broadcast_to(flat.to_numpy(), field.shape)
        )
        same(result, expected, field)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"sigma": 1, "dims": "x"}, "dims must be different ones of"),
            ({"sigma": 1, "dims": ("lat", "lat")}, "dims must be different ones of"),
            ({"sigma": {"x": 1}}, "dimensions must be different ones of"),
            ({"sigma": {"lat": 1}, "dims": ("lat", "lon")}, "sigma says nothing of 'lon'"),
            ({"sigma": 1, "units": "degrees"}, "units must be 'pixels' or 'coordinates'"),
            ({"sigma": (1, 2), "units": "coordinates"}, "sigma must be one value or one for each"),
            ({"sigma": {"y": 1}, "units": "coordinates"}, "dimensions must be different"),
        ],
    )
    def test_arguments(self, field, arguments, message):
        with pytest.raises(ValueError, match=message):
            xndi.gaussian_filter(field, **arguments)

    def test_unequal_steps(self, field):
        crooked = field.assign_coords(lat=LATITUDES**2)
        with pytest.raises(ValueError, match="needs equal steps along 'lat', got steps from"):
            xndi.gaussian_filter(crooked, {"lat": 1}, units="coordinates")
        with pytest.raises(ValueError, match="needs a coordinate of two values or more along"):
            xndi.gaussian_filter(field.drop_vars("lat"), {"lat": 1}, units="coordinates")
        words = field.assign_coords(lat=list("abcdefghij"))
        with pytest.raises(ValueError, match="needs numbers or times along 'lat'"):
            xndi.gaussian_filter(words, {"lat": 1}, units="coordinates")
        single = field.assign_coords(lat=LATITUDES.astype("f4"))
        xndi.gaussian_filter(single, {"lat": 1}, units="coordinates")

    def test_one_dimension_only(self, field):
        with pytest.raises(ValueError, match="dims must be one dimension"):
            xndi.sobel(field, dims=("lat", "lon"))

    def test_no_xarray(self, field):
        with pytest.raises(TypeError, match="gaussian_filter .* takes a DataArray"):
            xndi.gaussian_filter(field.data, 1)
        with pytest.raises(
            TypeError, match="gaussian_filter: .*axes.*; arguments are image, sigma"
        ):
            xndi.gaussian_filter(field, 1, axes=(1,))
        with pytest.raises(TypeError, match="label takes one DataArray"):
            xndi.label(field.to_dataset())


class TestLabels:
    def test_wrapped(self, field):
        wet = field[0] > 0
        with nothing_computes():
            labels, count = xndi.label(wet, wrap="lon")
        expected, number = ndmeasure.label(wet.data, wrap_axes=(1,))
        assert labels.name == "label"
        assert labels.attrs == {}
        xarray.testing.assert_equal(labels, wet.copy(data=expected.compute()))
        assert count.compute() == number.compute()

    @pytest.fixture
    def labels(self, field):
        return xndi.label(field[0] > 0)[0].drop_vars("time")

    def test_measurements(self, field, labels):
        image = field[0]
        index = [3, 1]
        with nothing_computes():
            mean = xndi.mean(image, labels, index)
            center = xndi.center_of_mass(image**2, labels, index)
            extrema = xndi.extrema(image, labels, index)
        extrema = extrema.compute()
        assert set(mean) == {"mean"}
        assert mean["mean"].attrs == {"units": "K"}
        assert mean["label"].to_numpy().tolist() == index
        expected = ndmeasure.mean(image.data, labels.data, index)
        np.testing.assert_array_equal(mean["mean"], expected)
        pixels = ndmeasure.center_of_mass(image.data**2, labels.data, index).compute()
        assert set(center) == {"centroid_lat", "centroid_lon"}
        np.testing.assert_allclose(center["centroid_lat"], 10 - 2 * pixels[:, 0])
        np.testing.assert_allclose(center["centroid_lon"], 0.5 * pixels[:, 1])
        assert center["centroid_lat"].attrs == {"units": "degrees_north"}
        highest = image.where(labels == 3).compute()
        place = extrema.sel(label=3)
        value = image.sel(lat=place["maximum_position_lat"], lon=place["maximum_position_lon"])
        assert place["maximum"].item() == highest.max().item() == value.compute().item()
        assert place["minimum"].item() == highest.min().item()

    def test_all_labels(self, field, labels):
        mean = xndi.mean(field[0], labels, "all")
        assert mean["label"].to_numpy().tolist() == list(range(1, int(labels.max()) + 1))

    def test_pooled(self, field, labels):
        mean = xndi.mean(field[0], labels)
        assert mean["mean"].ndim == 0
        assert "label" not in mean.coords
        assert xndi.mean(field[0], labels, 2)["label"].item() == 2
        np.testing.assert_allclose(xndi.mean(field)["mean"], field.mean())

    def test_labels_that_lack_a_dimension(self, field, labels):
        result = xndi.maximum_position(field, labels, [1, 2])
        expected = ndmeasure.maximum_position(
            field.data, da.broadcast_to(labels.data, field.shape), [1, 2]
        ).compute()
        np.testing.assert_array_equal(result["maximum_position_time"], TIMES[expected[:, 0]])

    def test_dataset(self, field, labels):
        dataset = xarray.Dataset({"a": field[0], "b": -field[0]})
        result = xndi.mean(dataset, labels, [1, 2])
        assert set(result) == {"a_mean", "b_mean"}
        np.testing.assert_allclose(result["a_mean"], -result["b_mean"])

    def test_labels_that_are_absent(self, field, labels):
        center = xndi.center_of_mass(field[0], labels, [1, 999])
        assert np.isnan(center["centroid_lat"].to_numpy()[1])

    @pytest.mark.parametrize("units", ["pixels", "coordinates"])
    def test_table(self, field, labels, units):
        properties = ("area", "bbox", "centroid", "centroid_weighted", "inertia_tensor")
        table = xndi.regionprops_table(
            labels, abs(field[0]).drop_vars("time"), properties, units=units
        )
        spacing = (2, 0.5) if units == "coordinates" else None
        (expected,) = dask.compute(
            ndmeasure.regionprops_table(
                labels.data, abs(field[0].data), ("label", *properties), spacing=spacing
            )
        )
        assert table.sizes == {"label": len(expected["label"])}
        np.testing.assert_array_equal(table["label"], expected["label"])
        np.testing.assert_array_equal(table["area"], expected["area"])
        np.testing.assert_array_equal(table["bbox_lon_start"], expected["bbox-1"])
        np.testing.assert_array_equal(table["bbox_lat_stop"], expected["bbox-2"])
        np.testing.assert_array_equal(
            table["inertia_tensor_lat_lon"], expected["inertia_tensor-0-1"]
        )
        size = 1 if units == "coordinates" else 2
        np.testing.assert_allclose(table["centroid_lat"], 10 - size * expected["centroid-0"])
        np.testing.assert_allclose(
            table["centroid_weighted_lat"], 10 - size * expected["centroid_weighted-0"]
        )

    def test_table_by_dimension(self, labels):
        table = xndi.regionprops_table(labels, properties="area", spacing={"lat": 3})
        np.testing.assert_array_equal(
            table["area"], 3 * xndi.regionprops_table(labels, properties="area")["area"]
        )


class TestFiles:
    def test_axes_and_coordinates(self, tmp_path):
        image = seeded_image((3, 2, 4, 5), "u1")
        metadata = {
            "axes": "TCYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 250, "PhysicalSizeYUnit": "nm",
            "TimeIncrement": 1, "TimeIncrementUnit": "min", "Channel": {"Name": ["DAPI", "GFP"]},
            "Plane": {"PositionX": [10.0] * 6, "PositionXUnit": ["µm"] * 6},
        }  # fmt: skip
        tifffile.imwrite(tmp_path / "a.ome.tif", image, metadata=metadata)
        with nothing_computes():
            lazy = xndi.imread(tmp_path / "a.ome.tif")
        expected = xarray.DataArray(
            image,
            {
                "t": ("t", [0.0, 60, 120], {"units": "s"}),
                "c": ["DAPI", "GFP"],
                "y": ("y", 0.25 * np.arange(4), {"units": "µm"}),
                "x": ("x", 10 + 0.5 * np.arange(5), {"units": "µm"}),
            },
            ("t", "c", "y", "x"),
        )
        xarray.testing.assert_identical(lazy.compute(), expected)

    def test_placeholders(self, tmp_path):
        for well, z in np.ndindex(2, 3):
            tifffile.imwrite(tmp_path / f"w{well + 5}_z{z}.tif", np.full((4, 5), 10 * well + z))
        image = xndi.imread(tmp_path / "w{well}_z{z}.tif")
        assert image.dims == ("well", "z", "y", "x")
        assert image.sel(well=6, z=2).compute().to_numpy().tolist() == [[12] * 5] * 4

    def test_several_files(self, tmp_path):
        for number in range(3):
            tifffile.imwrite(tmp_path / f"{number}.tif", np.zeros((4, 5, 3), "u1"))
        assert xndi.imread(tmp_path / "*.tif").dims == ("frame", "y", "x", "s")


class TestZoom:
    @pytest.mark.parametrize("grid_mode", [False, True])
    def test_coordinates_follow(self, field, grid_mode):
        result = xndi.zoom(field, {"lon": 2}, order=1, mode="nearest", grid_mode=grid_mode)
        expected = ndinterp.zoom(
            field.data, (1, 1, 2), order=1, mode="nearest", grid_mode=grid_mode
        )
        np.testing.assert_array_equal(result, expected)
        assert result["lat"].identical(field["lat"])
        assert result.attrs == field.attrs
        assert result.name == field.name
        ends = (-0.125, 11.625) if grid_mode else (0, 11.5)
        np.testing.assert_allclose(result["lon"], np.linspace(*ends, 48))

    def test_dataset(self, field):
        assert xndi.zoom(field.rename(None), {"time": 0.5}).name is None
        result = xndi.zoom(field.to_dataset(), {"time": 0.5})
        assert result.sizes == {"time": 2, "lat": 10, "lon": 24}
        assert result["time"].to_numpy().tolist() == TIMES[[0, 3]].tolist()


def test_every_function_of_the_families_is_here_or_has_a_reason():
    other_pixels = {
        "affine_transform", "rotate", "geometric_transform", "map_coordinates",
        "downscale_local_mean", "pyramid", "estimate_illumination",
    }  # fmt: skip
    coarse_grid = {"apply_local_function", "background"}
    coarse_grid |= {name for name in local_statistics.__all__ if name.startswith("local_")}
    rows = {"blob_dog", "blob_log", "peak_local_max"}
    no_arrays = {"find_objects", "value_indices", "histogram", "labeled_comprehension"}
    no_image = {"generate_binary_structure", "iterate_structure"}
    no_image |= {"count_points", "points_table", "transform_points"}  # but points
    one_number = {name for name in ndfilters.__all__ if name.startswith("threshold_")}
    one_number.remove("threshold_local")
    missing = {name for family in FAMILIES for name in family.__all__ if not hasattr(xndi, name)}
    assert missing == other_pixels | coarse_grid | rows | no_arrays | no_image | one_number


@pytest.mark.parametrize("name", xndi.__all__)
def test_signatures_name_dimensions(name):
    function = getattr(xndi, name)
    reads = name in ("imread", "read_ome_zarr")
    assert reads or function.__doc__.lstrip().startswith("`dask_image.")
    assert not {"axes", "axis", "wrap_axes"} & set(inspect.signature(function).parameters)
    assert "See Also" in inspect.getdoc(function)


def test_objects_over_the_ends_of_longitude():
    depth = xarray.DataArray(
        [[1, 1, 0, 0, 0, 0, 0, 2]], {"lon": np.arange(8) * 45.0}, ("lat", "lon")
    )
    labels, _ = xndi.label(depth > 0, wrap="lon")
    table = xndi.regionprops_table(labels, depth, ("area", "bbox", "centroid"), wrap="lon")
    assert table["area"].item() == 3
    assert (table["bbox_lon_start"].item(), table["bbox_lon_stop"].item()) == (7, 10)
    assert table["centroid_lon"].item() == 0
    weighted = xndi.center_of_mass(depth, labels, "all", wrap="lon")
    assert weighted["centroid_lon"].item() == 315 + 0.75 * 45  # goes on behind the last column
