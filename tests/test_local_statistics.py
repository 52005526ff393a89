"""Local statistics against a loop over windows, written from their definition."""

import itertools
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from dask_image.local_statistics import (
    _statistics,
    apply_local_function,
    local_histogram,
    local_mean,
    local_percentile,
    local_sigma_clipped,
    local_standard_deviation,
)
from dask_image.local_statistics._grid import window_grid
from tests.helpers import assert_same, nothing_computes, plain_kernels, seeded_image


def as_tuple(value, ndim):
    return tuple(value) if np.iterable(value) else (value,) * ndim


def loop_over_windows(
    image, function, selem, spacing=None, step=None, mask=None, fshape=(), dtype=None
):
    """Return the results on the grid, and the centres: the definition, word for word."""
    footprint = selem if isinstance(selem, np.ndarray) else np.ones(as_tuple(selem, image.ndim))
    widths = footprint.shape
    spacing = widths if spacing is None else as_tuple(spacing, image.ndim)
    step = as_tuple(1 if step is None else step, image.ndim)
    axes = []
    for size, h in zip(image.shape, spacing):
        n = size // h
        first = (size - (n - 1) * h) // 2
        axes.append([first + i * h for i in range(n)])
    grid_shape = tuple(map(len, axes))
    result = np.zeros(grid_shape + fshape, image.dtype if dtype is None else dtype)
    centers = np.zeros((*grid_shape, image.ndim), int)
    for index in np.ndindex(*grid_shape):
        center = [axis[i] for axis, i in zip(axes, index)]
        ranges = []
        for c, w, size, by in zip(center, widths, image.shape, step):
            low = c - w // 2
            ranges.append([(i, i - low) for i in range(max(low, 0), min(low + w, size), by)])
        values = []
        for pixel in itertools.product(*ranges):
            position = tuple(i for i, _ in pixel)
            if footprint[tuple(j for _, j in pixel)] and (mask is None or mask[position]):
                values.append(image[position])
        result[index] = function(np.array(values, image.dtype))
        centers[index] = center
    return result, centers


def zoomed(grid, shape, order):
    """Bring each component of a grid to a shape."""
    result = np.zeros(shape + grid.shape[len(shape) :], grid.dtype)
    factors = [size / points for size, points in zip(shape, grid.shape)]
    for index in np.ndindex(*grid.shape[len(shape) :]):
        result[(..., *index)] = ndimage.zoom(grid[(..., *index)], factors, order=order)
    return result


def percentile_of(fraction):
    return lambda values: np.quantile(values, fraction) if values.size else np.zeros_like(fraction)


def mean_of(values):
    return values.astype(np.result_type(values.dtype, "f8")).mean() if values.size else 0


def deviation_of(values):
    return values.astype(np.result_type(values.dtype, "f8")).std() if values.size else 0


def counts_of(bins):
    return lambda values: np.bincount(values[values < bins].astype(int), minlength=bins)


def build(function, *args, **kwargs):
    """Call ``function`` twice: it must compute nothing, and give the same name."""
    with nothing_computes():
        first, second = function(*args, **kwargs), function(*args, **kwargs)
    assert first.name == second.name
    return first


# Shape, chunks, selem, spacing, step.
CASES = {
    "tiles": ((24, 18), 7, (6, 9), None, None),
    "tiles with a rest": ((23, 31), (5, 9), (6, 9), None, None),
    "overlap": ((30, 28), 11, (10, 8), (5, 4), None),
    "overlap unevenly": ((30, 28), ((3, 20, 7), (1, 1, 26)), (10, 7), (4, 3), None),
    "dense": ((9, 12), 5, 3, 1, None),
    "gaps": ((30, 28), 11, (3, 4), (10, 9), None),
    "wider than the image": ((11, 13), 4, 40, 5, None),
    "over many blocks": ((30, 28), 2, 20, 9, None),
    "single block": ((30, 28), -1, 8, 5, None),
    "blocks of one pixel": ((8, 7), 1, 4, 3, None),
    "steps": ((30, 28), 11, (10, 8), (5, 4), (2, 3)),
    "steps on one grid": ((30, 28), 11, (10, 8), (6, 4), (3, 2)),
    "steps over the window": ((30, 28), 11, 6, 4, 9),
    "line": ((50,), 8, 13, 6, None),
    "line with steps": ((50,), 8, 13, 6, 4),
    "volume": ((12, 14, 10), 5, (6, 4, 4), (3, 4, 3), None),
    "volume with steps": ((12, 14, 10), (5, 7, 10), 6, 3, (1, 2, 3)),
    "four axes": ((5, 6, 7, 6), 4, 3, (2, 3, 2, 4), None),
    "axes of length one": ((1, 14, 1), 5, (3, 4, 1), (1, 3, 1), None),
}
FOOTPRINT = np.array([[0, 1, 0, 0, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [1, 0, 0, 0, 0]], bool)


@pytest.fixture
def setting(case, masked):
    shape, chunks, selem, spacing, step = CASES[case]
    image = seeded_image(shape, "uint16") % 50
    mask = seeded_image(shape, "bool", seed=2) if masked else None
    lazy_mask = da.from_array(mask, chunks=-1) if masked else None
    windows = {"selem": selem, "spacing": spacing, "step": step}
    return image, da.from_array(image, chunks=chunks), mask, lazy_mask, windows


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_function_on_grids(setting):
    image, lazy, mask, lazy_mask, windows = setting

    # The order of the values matters to this one.
    def function(values):
        return np.dot(values.astype(float), np.arange(1.0, values.size + 1))

    expected, _ = loop_over_windows(image, function, mask=mask, dtype="f8", **windows)
    assert_same(
        build(
            apply_local_function, lazy, function, mask=lazy_mask, dtype="f8", interpolate=None,
            **windows,
        ),
        expected,
    )  # fmt: skip


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", CASES)
class TestGrids:
    def test_percentile(self, setting):
        image, lazy, mask, lazy_mask, windows = setting
        for fraction, dtype in ((0.5, None), ((0, 0.07, 0.9, 1), "f8")):
            expected, _ = loop_over_windows(
                image, percentile_of(fraction), mask=mask, fshape=np.shape(fraction), dtype=dtype,
                **windows,
            )  # fmt: skip
            result = build(
                local_percentile, lazy, fraction, mask=lazy_mask, interpolate=None, dtype=dtype,
                **windows,
            )  # fmt: skip
            assert_same(result, expected)

    def test_histogram(self, setting):
        image, lazy, mask, lazy_mask, windows = setting
        expected, _ = loop_over_windows(
            image, counts_of(40), mask=mask, fshape=(40,), dtype="i8", **windows
        )
        assert_same(build(local_histogram, lazy, 40, mask=lazy_mask, **windows), expected)

    @pytest.mark.parametrize(
        ("function", "reference"),
        [(local_mean, mean_of), (local_standard_deviation, deviation_of)],
    )
    def test_moments(self, setting, function, reference):
        image, lazy, mask, lazy_mask, windows = setting
        expected, centers = loop_over_windows(image, reference, mask=mask, dtype="f8", **windows)
        result = build(function, lazy, mask=lazy_mask, interpolate=None, **windows)
        assert_same(result, expected)
        _, lazy_centers = function(lazy, interpolate=None, return_centers=True, **windows)
        assert_same(lazy_centers, centers)


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("step", [None, (2, 1), 3])
@pytest.mark.parametrize("spacing", [None, 3])
class TestFootprints:
    def test_all(self, masked, step, spacing):
        image = seeded_image((15, 22), "uint8") % 30
        lazy = da.from_array(image, chunks=(4, 9))
        mask = seeded_image(image.shape, "bool", seed=2) if masked else None
        windows = {"selem": FOOTPRINT, "spacing": spacing, "step": step, "mask": mask}
        for function, args, reference, fshape, dtype in (
            (local_percentile, ((0.1, 0.5),), percentile_of((0.1, 0.5)), (2,), "f4"),
            (local_histogram, (20,), counts_of(20), (20,), "i8"),
            (local_mean, (), mean_of, (), "f8"),
            (local_standard_deviation, (), deviation_of, (), "f8"),
            (apply_local_function, (np.size,), np.size, (), "i2"),
        ):
            expected, _ = loop_over_windows(image, reference, fshape=fshape, dtype=dtype, **windows)
            result = build(function, lazy, *args, interpolate=None, dtype=dtype, **windows)
            assert_same(result, expected)


class TestDtypes:
    @pytest.mark.usefixtures("either_kernel")
    @pytest.mark.parametrize(
        "dtype",
        ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f4"],
    )
    def test_percentile(self, dtype):
        image = seeded_image((20, 23), np.dtype(dtype).newbyteorder("=")).astype(dtype)
        lazy = da.from_array(image, chunks=9)
        for fraction in (0.5, (0.2, 1.0)):
            reference = percentile_of(fraction)
            expected, _ = loop_over_windows(
                image.astype("u1") if dtype == "?" else image,
                reference, 8, 5, fshape=np.shape(fraction), dtype=image.dtype.newbyteorder("="),
            )  # fmt: skip
            result = local_percentile(lazy, fraction, 8, 5, interpolate=None)
            assert_same(result, expected, rtol=2e-3 if dtype == "f2" else None)

    @pytest.mark.parametrize("dtype", ["?", "u1", "i4", "f4", "f8", "c8", "c16"])
    def test_moments(self, dtype):
        image = seeded_image((20, 23), dtype)
        lazy = da.from_array(image, chunks=9)
        default = "c16" if dtype.startswith("c") else "f8"
        expected, _ = loop_over_windows(image, mean_of, 8, 5, dtype=default)
        assert_same(local_mean(lazy, 8, 5, interpolate=None), expected)
        expected, _ = loop_over_windows(image, deviation_of, 8, 5, dtype="f8")
        assert_same(local_standard_deviation(lazy, 8, 5, interpolate=None), expected)

    @pytest.mark.usefixtures("either_kernel")
    @pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8"])
    def test_histogram(self, dtype):
        image = seeded_image((20, 23), dtype)
        result = local_histogram(da.from_array(image, chunks=9), 200, 8, 5, dtype="u2")
        expected, _ = loop_over_windows(image, counts_of(200), 8, 5, fshape=(200,), dtype="u2")
        assert_same(result, expected)

    @pytest.mark.usefixtures("either_kernel")
    def test_counts_beyond_short_integers(self):
        image = da.ones((300, 300), chunks=100, dtype="u1")
        assert local_histogram(image, 3, 300).compute().tolist() == [[[0, 90_000, 0]]]

    @pytest.mark.usefixtures("either_kernel")
    def test_long_integers_stay_exact(self):
        image = np.array([2**63 - 3, 2**62 + 1, 2**63 - 1], "i8")
        lazy = da.from_array(image, chunks=1)
        assert local_percentile(lazy, 0.5, 3, interpolate=None).compute() == 2**63 - 3

    @pytest.mark.usefixtures("either_kernel")
    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("masked", [False, True])
    def test_nan_and_infinity(self, dtype, masked):
        image = seeded_image((20, 23), dtype)
        image[3, 4], image[12, 20], image[15, 3] = np.nan, np.inf, -np.inf
        mask = seeded_image(image.shape, "bool") | ~np.isfinite(image) if masked else None
        with np.errstate(invalid="ignore"):
            expected, _ = loop_over_windows(image, percentile_of(0.3), 8, 5, mask=mask)
        result = local_percentile(da.from_array(image, chunks=9), 0.3, 8, 5, None, None, mask)
        assert np.isnan(expected).any()
        assert_same(result, expected)

    def test_mean_of_integers_is_exact(self):
        image = np.full((30, 30), 42, "u2")
        assert (local_mean(image, 7, 4, dtype="u2", interpolate=None).compute() == 42).all()

    def test_deviation_does_not_cancel(self):
        image = 1e9 + seeded_image((40, 40), "f8")
        expected, _ = loop_over_windows(image, deviation_of, 9, 5)
        result = local_standard_deviation(da.from_array(image, chunks=7), 9, 5, interpolate=None)
        assert_same(result, expected, rtol=1e-6)

    @pytest.mark.usefixtures("either_kernel")
    @pytest.mark.parametrize("selem", [4, np.eye(4, dtype=bool)])
    def test_empty_windows_are_zero(self, selem):
        image = seeded_image((8, 12), "u1") + 1
        mask = np.ones(image.shape, bool)
        mask[:4, :4] = False
        for function, args in (
            (local_percentile, ((0.5, 1),)),
            (local_mean, ()),
            (local_standard_deviation, ()),
            (local_histogram, (255,)),
        ):
            result = function(
                da.from_array(image, chunks=5), *args, selem=selem, mask=mask, interpolate=None
            ).compute()
            assert not result[0, 0].any()
            if function is not local_standard_deviation:
                assert result[1, 1].any()


class TestInterpolation:
    @pytest.mark.parametrize("order", range(6))
    @pytest.mark.parametrize(
        ("shape", "chunks", "spacing"),
        [
            ((40, 37), 11, 4),
            ((40, 37), ((3, 30, 7), (36, 1)), (5, 37)),
            ((12, 14, 13), 5, 3),
            ((90,), 8, 2),
            ((6, 7, 8, 6), 4, 2),
        ],
    )
    def test_equals_zoom_of_the_grid(self, shape, chunks, spacing, order):
        image = seeded_image(shape, "f8")
        lazy = da.from_array(image, chunks=chunks)
        grid, _ = loop_over_windows(image, np.max, 5, spacing)
        result = build(apply_local_function, lazy, np.max, 5, spacing, interpolate=order)
        assert result.chunks == lazy.chunks
        assert_same(result, zoomed(grid, shape, order))

    @pytest.mark.parametrize("order", [0, 1, 3])
    @pytest.mark.parametrize("dtype", ["u1", "i4", "f4"])
    def test_each_component(self, order, dtype):
        image = seeded_image((40, 37), dtype)
        fractions = (0.1, 0.5, 0.8)
        lazy = da.from_array(image, chunks=11)
        grid, _ = loop_over_windows(image, percentile_of(fractions), 9, 4, fshape=(3,))
        result = build(local_percentile, lazy, fractions, 9, 4, interpolate=order)
        assert result.chunks[:2] == lazy.chunks
        assert_same(result, zoomed(grid, image.shape, order))

    def test_components_on_two_axes(self):
        image = seeded_image((20, 18), "f8")

        def function(values):
            return np.array([[values[0], 1, 2], [values.max(), values.min(), values.size]])

        grid, _ = loop_over_windows(image, function, 6, 3, fshape=(2, 3))
        lazy = da.from_array(image, chunks=7)
        result = build(apply_local_function, lazy, function, 6, 3, fshape=(2, 3), interpolate=2)
        assert_same(result, zoomed(grid, image.shape, 2))
        result = apply_local_function(lazy, function, 6, 3, fshape=(2, 3), interpolate=None)
        assert_same(result, grid)

    def test_histogram(self):
        image = seeded_image((20, 18), "u1") % 8
        grid, _ = loop_over_windows(image, counts_of(6), 6, 3, fshape=(6,), dtype="i8")
        result = local_histogram(da.from_array(image, chunks=7), 6, 6, 3, interpolate=1)
        assert_same(result, zoomed(grid, image.shape, 1))

    def test_default_orders(self):
        image = da.from_array(seeded_image((40, 37), "u1"), chunks=11)
        for function, args, order in (
            (apply_local_function, (np.max,), 2),
            (local_percentile, (0.5,), 1),
            (local_mean, (), 1),
            (local_standard_deviation, (), 1),
            (local_histogram, (3,), None),
        ):
            default = function(image, *args, selem=7)
            assert default.name == function(image, *args, selem=7, interpolate=order).name

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_any_combination(self, data):
        ndim = data.draw(st.integers(1, 3))
        shape = tuple(data.draw(st.lists(st.integers(1, 14), min_size=ndim, max_size=ndim)))
        chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
        spacing = tuple(data.draw(st.integers(1, size)) for size in shape)
        selem = data.draw(st.lists(st.integers(1, 9), min_size=ndim, max_size=ndim).map(tuple))
        step = data.draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim).map(tuple))
        order = data.draw(st.none() | st.integers(0, 5))
        image = seeded_image(shape, "f8", seed=data.draw(st.integers(0, 9)))
        mask = data.draw(st.none() | st.just(image > -0.5))
        lazy = da.from_array(image, chunks=chunks)
        grid, _ = loop_over_windows(image, percentile_of(0.4), selem, spacing, step, mask)
        expected = grid if order is None else zoomed(grid, shape, order)
        result = local_percentile(lazy, 0.4, selem, spacing, step, order, mask, fill=None)
        assert_same(result, expected)


class TestBlocks:
    def test_chunks_of_the_grid_follow_the_centres(self):
        image = da.zeros((100, 60), chunks=((30, 5, 65), 20))
        result = local_mean(image, 10, interpolate=None)
        # Centres along the first axis: 5, 15, …; none is in the block of five.
        assert result.chunks == ((3, 7), (2, 2, 2))

    def test_each_task_reads_what_its_windows_need(self):
        image = da.zeros((200, 200), chunks=20)
        result = local_percentile(image, 0.5, 30, 20, interpolate=None)
        graph = dict(result.dask)
        for key in itertools.chain.from_iterable(result.__dask_keys__()):
            assert len(graph[key].dependencies) <= 9
        assert len(result.dask) - len(image.dask) == 100

    @pytest.mark.parametrize("interpolate", [None, 1, 3])
    def test_number_of_tasks(self, interpolate):
        image = da.zeros((256,) * 3, chunks=32)
        result = local_percentile(image, 0.5, 16, 8, interpolate=interpolate)
        assert len(result.dask) <= 8 * image.npartitions

    def test_a_corner_does_not_need_the_whole_image(self):
        image = da.zeros((2000, 2000), chunks=50)
        corner = local_percentile(image, 0.5, 30, 15, interpolate=1)[:50, :50]
        graph, _ = corner.__dask_optimize__(corner.dask, corner.__dask_keys__()), None
        assert len(graph) < 40

    def test_worker_processes(self):
        image = seeded_image((20, 23), "u2")
        lazy = da.from_array(image, chunks=9)
        expected, _ = loop_over_windows(image, percentile_of(0.5), 8, 5)
        result = local_percentile(lazy, 0.5, 8, 5, interpolate=None)
        np.testing.assert_array_equal(
            result.compute(scheduler="processes", num_workers=1), expected
        )

    def test_names_depend_on_every_argument(self):
        image = da.from_array(seeded_image((40, 37), "u1"), chunks=11)
        other = da.from_array(seeded_image((40, 37), "u1", seed=1), chunks=11)
        calls = [
            ((image, 0.5, 8), {}),
            ((other, 0.5, 8), {}),
            ((image, 0.4, 8), {}),
            ((image, [0.5], 8), {}),
            ((image, 0.5, 9), {}),
            ((image, 0.5, np.tri(8, dtype=bool)), {}),
            ((image, 0.5, 8), {"spacing": 5}),
            ((image, 0.5, 8), {"step": 2}),
            ((image, 0.5, 8), {"interpolate": 2}),
            ((image, 0.5, 8), {"interpolate": None}),
            ((image, 0.5, 8), {"mask": image > 3}),
            ((image, 0.5, 8), {"dtype": "f4"}),
            # Blocks of so many windows that a token stands for them.
            ((image.rechunk(-1), 0.5, 2), {}),
            ((image.rechunk(-1), 0.5, 3), {"spacing": 2}),
        ]
        names = {local_percentile(*args, **keywords).name for args, keywords in calls}
        assert len(names) == len(calls)

    def test_batches(self, monkeypatch):
        monkeypatch.setattr(_statistics, "SAMPLES_AT_A_TIME", 100)
        image = seeded_image((30, 33), "u2")
        expected, _ = loop_over_windows(image, percentile_of(0.5), 8, 3)
        with plain_kernels():
            assert_same(local_percentile(image, 0.5, 8, 3, interpolate=None), expected)

    def test_other_arrays(self):
        xarray = pytest.importorskip("xarray")
        image = seeded_image((20, 23), "u2")
        expected = local_mean(da.from_array(image), 8).compute()
        assert_same(local_mean(xarray.DataArray(image), 8), expected)
        assert_same(local_mean(image.tolist(), 8), expected)


class TestBadArguments:
    image = da.zeros((30, 40), chunks=10, dtype="u2")

    @pytest.mark.parametrize(
        ("keywords", "message"),
        [
            ({"selem": (5, 5, 5)}, "selem has 3 axes, source has 2"),
            ({"selem": np.ones((3, 3, 3), bool)}, "selem has 3 axes, source has 2"),
            ({"selem": np.zeros((3, 3), bool)}, "selem must have a pixel that is True"),
            ({"selem": (5, 0)}, r"selem must be made of positive integers, got \(5, 0\)"),
            ({"selem": 2.5}, "selem must be made of positive integers, got 2.5"),
            ({}, r"spacing \(50, 50\) is larger than source, which has shape \(30, 40\)"),
            ({"selem": 5, "spacing": 31}, r"spacing \(31, 31\) is larger than .* \(30, 40\)"),
            ({"selem": 5, "spacing": (3,)}, "spacing has 1 axes, source has 2"),
            ({"selem": 5, "spacing": 0}, "spacing must be made of positive integers"),
            ({"selem": 5, "step": (1, 2, 3)}, "step has 3 axes, source has 2"),
            ({"selem": 5, "step": -1}, "step must be made of positive integers, got -1"),
            ({"selem": 5, "mask": np.ones((30, 41), bool)}, r"mask .*\(30, 41\).*\(30, 40\)"),
            ({"selem": 5, "interpolate": 6}, "interpolate must be an integer from 0 to 5, got 6"),
            ({"selem": 5, "interpolate": -1}, "interpolate"),
            ({"selem": 5, "interpolate": 1.5}, "interpolate"),
            ({"selem": 5, "interpolate": True}, "interpolate"),
        ],
    )
    def test_windows(self, keywords, message):
        for function, args in (
            (apply_local_function, (np.max,)),
            (local_percentile, (0.5,)),
            (local_histogram, ()),
            (local_mean, ()),
            (local_standard_deviation, ()),
        ):
            with nothing_computes(), pytest.raises(ValueError, match=message):
                function(self.image, *args, **keywords)

    def test_default_window_has_two_axes(self):
        with pytest.raises(ValueError, match="selem has 2 axes, source has 3"):
            local_mean(da.zeros((60, 60, 60)))

    @pytest.mark.parametrize("percentile", [-0.1, 1.01, [0.5, 2], np.nan, "x", None, [], [[0.5]]])
    def test_percentile(self, percentile):
        with pytest.raises(ValueError, match="percentile"):
            local_percentile(self.image, percentile, 5)

    def test_complex_percentile(self):
        with pytest.raises(TypeError, match="complex64"):
            local_percentile(self.image.astype("c8"), 0.5, 5)

    @pytest.mark.parametrize("dtype", ["i1", "i8", "f4", "c8", "?"])
    def test_histogram_of_other_dtypes(self, dtype):
        with pytest.raises(ValueError, match=f"unsigned integers.*{np.dtype(dtype)}"):
            local_histogram(self.image.astype(dtype), selem=5)

    @pytest.mark.parametrize("max_bin", [0, -1, 2.5, True, None])
    def test_max_bin(self, max_bin):
        with pytest.raises(ValueError, match="max_bin must be an integer from 1"):
            local_histogram(self.image, max_bin, selem=5)

    def test_function(self):
        with pytest.raises(TypeError, match="callable"):
            apply_local_function(self.image, 3, selem=5)

    @pytest.mark.parametrize("fshape", [-1, 1.5, (2, "3")])
    def test_fshape(self, fshape):
        with pytest.raises(ValueError, match="fshape must be an integer from 0"):
            apply_local_function(self.image, np.max, selem=5, fshape=fshape)

    @pytest.mark.parametrize(
        ("fshape", "given"), [(None, (2,)), ((3,), (2,)), (2, ()), ((2,), (1, 2))]
    )
    def test_result_of_another_shape(self, fshape, given):
        lazy = apply_local_function(
            self.image, lambda values: np.zeros(given), 5, fshape=fshape, interpolate=None
        )
        wanted = () if fshape is None else np.atleast_1d(fshape)
        message = f"{given}.*{tuple(int(size) for size in wanted)}"
        message = message.replace("(", r"\(").replace(")", r"\)")
        with pytest.raises(ValueError, match=message):
            lazy.compute()

    def test_unknown_chunks(self):
        image = da.arange(100, chunks=10)
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            local_mean(image[image > 4], 5)


class TestGeometry:
    def test_windows_and_centres(self):
        grid = window_grid((10,), 5, 3, None)
        # 10 // 3 windows; (10 - 2 * 3) // 2 is the first centre.
        assert grid.centers(0).tolist() == [2, 5, 8]
        assert [tuple(window) for window in grid.windows(0)] == [(0, 5, 0), (3, 8, 0), (6, 10, 0)]

    def test_even_window_reaches_farther_down(self):
        grid = window_grid((10,), 4, 5, None)
        assert grid.centers(0).tolist() == [2, 7]
        assert [tuple(window) for window in grid.windows(0)] == [(0, 4, 0), (5, 9, 0)]

    def test_what_is_cut_off(self):
        grid = window_grid((10,), 9, 5, None)
        assert [tuple(window) for window in grid.windows(0)] == [(0, 7, 2), (3, 10, 0)]


@pytest.mark.parametrize("selem", [np.eye(3) > 0, 2, 3])
def test_histograms_with_more_bins_than_values(selem):
    image = np.arange(64, dtype="u1").reshape(8, 8)
    result = local_histogram(image, selem=selem).compute()
    few = local_histogram(image, 256, selem=selem).compute()
    np.testing.assert_array_equal(result[..., :256], few)
    assert not result[..., 256:].any()


def test_percentiles_of_windows_clipped_to_nothing():
    selem = np.array([True, False, False])
    result = local_percentile(np.arange(6.0), 0.5, selem=selem, spacing=1, interpolate=None)
    np.testing.assert_array_equal(result.compute(), [0, 0, 1, 2, 3, 4])


@pytest.mark.parametrize("value", [2**63 - 1, 2**53 + 1])
def test_percentiles_of_equal_long_integers(value):
    result = local_percentile(np.full(32, value), 0.3, selem=16, interpolate=None)
    np.testing.assert_array_equal(result.compute(), [value, value])


def test_percentiles_from_a_generator():
    image = np.arange(64.0).reshape(8, 8)
    result = local_percentile(image, (each for each in [0.5, 0.6]), 3, interpolate=None)
    assert result.shape == result.compute().shape == (2, 2, 2)


def test_kernels_are_imported_by_the_first_block():
    program = (
        "import sys, dask.array as da; from dask_image.local_statistics import local_mean\n"
        "lazy = local_mean(da.ones((8, 8), chunks=4), 4, interpolate=None)\n"
        "name = 'dask_image._kernels.blocks.grid_windows'\n"
        "assert name not in sys.modules; lazy.compute(); assert name in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("dtype", ["u1", "i8"])
@pytest.mark.parametrize("mask_dtype", ["?", "f8"])
@pytest.mark.parametrize("worth", [0, 300, 3000])
def test_masks_of_other_itemsizes(dtype, mask_dtype, worth, monkeypatch):
    monkeypatch.setattr("dask_image._utils.engines.overlap.SLAB_WORTH_BYTES", worth)
    image, mask = seeded_image((40, 33), dtype), seeded_image((40, 33), mask_dtype, seed=1)
    whole, cut = (
        local_mean(
            da.from_array(image, chunks=chunks), 7, 5, interpolate=None,
            mask=da.from_array(mask, chunks=chunks),
        )
        for chunks in (-1, (13, 20))
    )  # fmt: skip
    np.testing.assert_allclose(cut.compute(), whole.compute(), rtol=1e-12)


FUNCTIONS = {
    "mean": lambda *args, **keywords: local_mean(*args, **keywords),
    "percentile": lambda *args, **keywords: local_percentile(args[0], 0.5, *args[1:], **keywords),
    "function": lambda *args, **keywords: apply_local_function(
        args[0], lambda values: np.median(values) if values.size else 0.0, *args[1:], **keywords
    ),
}


class TestGaps:
    """Windows in which nothing counts, or whose result is NaN."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    @pytest.mark.parametrize("order", [0, 1, 2, 3])
    def test_an_even_sky_with_a_hole(self, name, order):
        sky = np.full((200, 190), 1000.0)
        mask = np.ones(sky.shape, bool)
        mask[60:140, 50:130] = False
        lazy = da.from_array(sky, chunks=70)
        found = FUNCTIONS[name](lazy, 20, interpolate=order, mask=mask)
        np.testing.assert_allclose(found.compute(), 1000, rtol=1e-12)
        found = FUNCTIONS[name](lazy, 20, interpolate=order, mask=mask, fill="median")
        np.testing.assert_allclose(found.compute(), 1000, rtol=1e-12)
        # The reference's values, in which the hole is dark.
        found = FUNCTIONS[name](lazy, 20, interpolate=order, mask=mask, fill=None)
        assert found[100, 90].compute() < 50

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_one_nan_does_not_spread(self, name):
        sky = np.full((200, 190), 1000.0)
        sky[7, 8] = np.nan
        for chunks in (-1, 30):
            lazy = da.from_array(sky, chunks=chunks)
            found = FUNCTIONS[name](lazy, 20, interpolate=2).compute()
            np.testing.assert_allclose(found, 1000, rtol=1e-12)
            found = FUNCTIONS[name](lazy, 20, interpolate=2, fill=7.0).compute()
            assert np.isfinite(found).all()
            assert found[10, 10] < 600

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_no_wide_gap_spreads(self, name):
        sky = np.full((200, 190), 1000.0)
        sky[20:160, 30:150] = np.nan
        for chunks in (-1, 30):
            found = FUNCTIONS[name](da.from_array(sky, chunks=chunks), 5, interpolate=3).compute()
            np.testing.assert_allclose(found, 1000, rtol=1e-12)

    def test_functions_may_give_nan_of_integers(self):
        image = np.full((60, 50), 9, np.uint8)
        image[10:40, 20:40] = 1

        def bright(values):
            return values[values > 5].mean() if (values > 5).any() else np.nan

        for order in (0, 1, 3):
            found = apply_local_function(
                da.from_array(image, chunks=13), bright, 5, interpolate=order, dtype=float
            )
            np.testing.assert_allclose(found, 9, rtol=1e-12)

    def test_nothing_is_left_of_a_footprint(self):
        image, corner = np.full((20, 20), 9, np.uint8), np.zeros((7, 7), bool)
        corner[0, 0] = True
        found = local_sigma_clipped(da.from_array(image, chunks=8), "mean", corner, 3)
        np.testing.assert_allclose(found, 9, rtol=1e-14)  # SciPy's splines differ

    @pytest.mark.parametrize("fill", [7, 7.0, np.float32(7), np.int16(7)])
    def test_no_window_at_all(self, fill):
        image, mask = da.ones((20, 20), chunks=8), np.zeros((20, 20), bool)
        found = local_mean(image, 5, interpolate=1, mask=mask, fill=fill)
        np.testing.assert_allclose(found, 7, rtol=1e-14)  # SciPy's splines differ

    @pytest.mark.parametrize("fill", [-1, 256, 2.5, np.nan])
    def test_numbers_that_the_result_cannot_hold(self, fill):
        image = da.ones(8, dtype="u1")
        with pytest.raises(ValueError, match="fill must be a value of dtype uint8"):
            local_percentile(image, 0.5, 4, mask=np.ones(8, bool), fill=fill)

    @pytest.mark.parametrize("masked", [True, False])
    def test_the_nearest_window(self, masked):
        image = seeded_image((60, 50), "f8")
        holes = np.zeros(image.shape, bool)
        holes[10:30, 20:30] = holes[45:, :15] = True
        grid = image.reshape(12, 5, 10, 5).mean(axis=(1, 3))
        gaps = holes.reshape(12, 5, 10, 5).all(axis=(1, 3))
        for chunks in (-1, 7, ((13, 47), (20, 30))):
            lazy = da.from_array(image if masked else np.where(holes, np.nan, image), chunks=chunks)
            found = local_mean(lazy, 5, interpolate=0, mask=~holes if masked else None).compute()
            centres = found[2::5, 2::5]
            np.testing.assert_allclose(centres[~gaps], grid[~gaps], rtol=1e-12)
            # Of several windows as near, any may be taken.
            distance = ndimage.distance_transform_edt(gaps)
            for index in np.argwhere(gaps):
                near = np.hypot(*(np.indices(gaps.shape) - index[:, None, None]))
                candidates = grid[~gaps & np.isclose(near, distance[tuple(index)])]
                assert np.isclose(centres[tuple(index)], candidates, rtol=1e-12).any()
            assert np.isin(centres, found).all()

    def test_windows_of_which_too_little_counts(self):
        image = da.from_array(np.array([1.0, 1, 1, 1, 8, 2, 2, 2, 5, 5, 5, 5]), chunks=5)
        mask = np.array([1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1], bool)
        found = local_mean(image, 4, interpolate=0, mask=mask, min_fraction=0.5).compute()
        np.testing.assert_array_equal(found[[2, 6, 10]], [1, 1, 5])
        found = local_mean(image, 4, interpolate=None, mask=mask, min_fraction=0.5).compute()
        np.testing.assert_array_equal(found, [1, np.nan, 5])
        found = local_mean(image, 4, interpolate=None, mask=mask, min_fraction=0.25).compute()
        np.testing.assert_array_equal(found, [1, 8, 5])

    def test_several_percentiles_and_integers(self):
        image = da.from_array(np.repeat([3, 9, 4], 4).astype("u1"), chunks=5)
        mask = np.repeat([True, False, True], 4)
        found = local_percentile(image, [0.5, 1.0], 4, interpolate=0, mask=mask, fill=7).compute()
        np.testing.assert_array_equal(found[2::4], [[3, 3], [7, 7], [4, 4]])

    @pytest.mark.parametrize(
        ("keywords", "text"),
        [({"fill": "zero"}, "fill"), ({"min_fraction": 2}, "min_fraction")],
    )
    def test_errors(self, keywords, text):
        with pytest.raises(ValueError, match=text):
            local_mean(da.ones(8), 4, **keywords)
