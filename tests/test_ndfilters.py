"""Every filter against SciPy, over shapes, chunks, modes, dtypes and arguments."""

import ctypes
import inspect

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import LowLevelCallable, ndimage

from dask_image import ndfilters
from tests.helpers import assert_matches_scipy, assert_same, nothing_computes, seeded_image

MODES = (
    "reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "wrap", "grid-wrap",
)  # fmt: skip
UNEVEN = ((2, 5, 1), (3, 4, 3))
SHAPE = (8, 10)

HOLES = np.array([[1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 0]], dtype=bool)
WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])


def forward_difference(line, result):
    result[:] = line[1:] - line[:-1]


def weighted_range(values, weight, offset=0):
    return weight * (values.max() - values.min()) + offset


def second_difference(block, axis, output, mode, cval):
    return ndimage.correlate1d(block, [1, -2, 1], axis, output, mode, cval)


# One entry per function: its arguments. Every test below that takes `name` runs all of them.
CALLS = {
    "convolve": {"weights": WEIGHTS},
    "convolve1d": {"weights": [1, 2, 3, -1], "axis": 0},
    "correlate": {"weights": WEIGHTS},
    "correlate1d": {"weights": [1, 2, 3, -1], "axis": 1},
    "gaussian_filter": {"sigma": (0.7, 1.3)},
    "gaussian_filter1d": {"sigma": 1.1, "axis": 0, "order": 1},
    "gaussian_gradient_magnitude": {"sigma": (0.8, 1.1)},
    "gaussian_laplace": {"sigma": 0.9},
    "generic_filter": {"function": np.ptp, "footprint": HOLES},
    "generic_filter1d": {"function": forward_difference, "filter_size": 2, "axis": 0},
    "laplace": {},
    "maximum_filter": {"footprint": HOLES},
    "maximum_filter1d": {"size": 4, "axis": 0},
    "median_filter": {"size": (3, 4)},
    "minimum_filter": {"size": (5, 2)},
    "minimum_filter1d": {"size": 3},
    "percentile_filter": {"percentile": 30, "footprint": HOLES},
    "prewitt": {"axis": 0},
    "rank_filter": {"rank": -3, "size": 3},
    "sobel": {},
    "uniform_filter": {"size": (4, 3)},
    "uniform_filter1d": {"size": 5, "axis": 0},
}
TAKES_COMPLEX = {
    "convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d",
    "laplace", "prewitt", "sobel", "uniform_filter", "uniform_filter1d",
    "gaussian_gradient_magnitude", "gaussian_laplace",
}  # fmt: skip
HAS_ORIGIN = [
    name for name in CALLS if "origin" in inspect.signature(getattr(ndfilters, name)).parameters
]
HAS_AXES = [
    name for name in CALLS if "axes" in inspect.signature(getattr(ndfilters, name)).parameters
]


def check(name, image, /, **kwargs):
    assert_matches_scipy(getattr(ndfilters, name), getattr(ndimage, name), image, **kwargs)


def test_every_filter_of_scipy_is_called_here():
    beyond = {
        "gaussian", "vectorized_filter", "generic_laplace", "generic_gradient_magnitude",
        "fill_missing", *(name for name in ndfilters.__all__ if name.startswith("threshold_")),
    }  # fmt: skip
    assert set(CALLS) | beyond == set(ndfilters.__all__)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CALLS)
def test_modes(name, mode):
    check(name, seeded_image(SHAPE, "f8"), chunks=UNEVEN, mode=mode, cval=1.5, **CALLS[name])


@pytest.mark.parametrize("chunks", [1, -1, (8, 1), (3, 10)])
@pytest.mark.parametrize("name", CALLS)
def test_chunks(name, chunks):
    check(name, seeded_image(SHAPE, "f8"), chunks=chunks, mode="mirror", **CALLS[name])


# Squares that do not fit into small integers are SciPy's to warn about.
@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u4", "i8", "f4", ">f4", ">i2"])
@pytest.mark.parametrize("name", CALLS)
def test_dtypes(name, dtype):
    image = seeded_image(SHAPE, np.dtype(dtype).newbyteorder("=")).astype(dtype)
    check(name, image, chunks=UNEVEN, **CALLS[name])


@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("name", sorted(TAKES_COMPLEX))
def test_complex_images(name, dtype):
    check(name, seeded_image(SHAPE, dtype), chunks=UNEVEN, **CALLS[name])


@pytest.mark.parametrize("name", sorted(set(CALLS) - TAKES_COMPLEX))
def test_complex_images_refused_as_scipy_does(name):
    with pytest.raises(TypeError):
        getattr(ndfilters, name)(da.ones(SHAPE, dtype="c8"), **CALLS[name])


@pytest.mark.parametrize("weights_dtype", ["f8", "c16"])
@pytest.mark.parametrize("image_dtype", ["f4", "c8"])
@pytest.mark.parametrize("name", ["convolve", "correlate", "convolve1d", "correlate1d"])
def test_complex_weights(name, image_dtype, weights_dtype):
    shape = (3,) if name.endswith("1d") else (2, 3)
    weights = seeded_image(shape, weights_dtype, seed=2)
    check(name, seeded_image(SHAPE, image_dtype), chunks=UNEVEN, weights=weights, mode="wrap")


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("output", ["u1", np.float32, np.dtype("i2"), float])
@pytest.mark.parametrize("name", CALLS)
def test_output_is_a_dtype(name, output):
    image = seeded_image(SHAPE, "u1")
    check(name, image, chunks=UNEVEN, output=output, **CALLS[name])


@pytest.mark.parametrize("name", [*CALLS, "generic_laplace", "vectorized_filter"])
def test_output_array_refused(name):
    if name == "vectorized_filter" and not hasattr(ndimage, name):
        pytest.skip("needs SciPy 1.16")
    arguments = CALLS.get(name, {"size": 3, "function": np.mean})
    if name == "generic_laplace":
        arguments = {"derivative2": second_difference}
    with pytest.raises(TypeError, match="output must be a dtype"):
        getattr(ndfilters, name)(da.ones(SHAPE), output=np.ones(SHAPE), **arguments)


@pytest.mark.parametrize("origin", [-1, 0])
@pytest.mark.parametrize("name", HAS_ORIGIN)
def test_origins(name, origin):
    for mode in ("reflect", "mirror", "wrap"):
        check(name, seeded_image(SHAPE, "f8"), chunks=2, origin=origin, mode=mode, **CALLS[name])


@pytest.mark.parametrize("name", HAS_ORIGIN)
def test_origin_off_the_window_refused(name):
    with pytest.raises(ValueError, match="origin"):
        getattr(ndfilters, name)(da.ones(SHAPE), origin=7, **CALLS[name])


AXES_CALLS = {
    "convolve": {"weights": [1.0, 2, 5]}, "correlate": {"weights": [1.0, 2, 5]},
    "gaussian_filter": {"sigma": 1.5}, "gaussian_gradient_magnitude": {"sigma": 1},
    "gaussian_laplace": {"sigma": 1}, "generic_filter": {"function": np.ptp, "size": 3},
    "laplace": {}, "maximum_filter": {"footprint": [1, 0, 1]}, "median_filter": {"size": 3},
    "minimum_filter": {"size": 4}, "percentile_filter": {"percentile": 70, "size": 3},
    "rank_filter": {"rank": 1, "footprint": [1, 1, 1, 0]}, "uniform_filter": {"size": 3},
}  # fmt: skip


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", HAS_AXES)
def test_one_of_the_axes(name, axis):
    check(name, seeded_image(SHAPE, "f8"), chunks=UNEVEN, axes=(axis,), **AXES_CALLS[name])


@pytest.mark.parametrize("axes", [(0, 2), (2, 0), (-1, 1)])
@pytest.mark.parametrize("name", HAS_AXES)
def test_two_of_three_axes(name, axes):
    image = seeded_image((5, 4, 6), "f8")
    arguments = CALLS[name]
    if name == "gaussian_gradient_magnitude":  # SciPy wants a sigma for all axes
        arguments = {"sigma": (0.5, 0.8, 1.1)}
    for mode in ("reflect", "wrap"):
        check(name, image, chunks=(2, 3, 2), axes=axes, mode=mode, **arguments)


@pytest.mark.parametrize("name", HAS_AXES)
@pytest.mark.parametrize("axes", [(0, 0), (2,), 1.5])
def test_bad_axes_refused(name, axes):
    with pytest.raises((ValueError, TypeError)):
        getattr(ndfilters, name)(da.ones(SHAPE), axes=axes, **AXES_CALLS[name])


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", [(1, 7), (7, 1), (1, 1)])
def test_axes_of_length_one(name, shape):
    image = seeded_image(shape, "f8")
    for mode in ("reflect", "constant", "wrap"):
        check(name, image, chunks=3, mode=mode, **CALLS[name])


@pytest.mark.parametrize("name", CALLS)
def test_images_without_pixels(name):
    empty = da.ones((0, 4), chunks=2, dtype="f4")
    assert_same(getattr(ndfilters, name)(empty, **CALLS[name]), np.ones((0, 4), dtype="f4"))


FULL_RANK = {
    "gaussian_filter": {"sigma": 0.8}, "median_filter": {"size": 3}, "uniform_filter": {"size": 2},
    "minimum_filter": {"size": 3}, "laplace": {}, "sobel": {"axis": 0},
}  # fmt: skip


@pytest.mark.parametrize("shape", [(13,), (5, 4, 6), (3, 4, 2, 5)])
@pytest.mark.parametrize("name", FULL_RANK)
def test_other_numbers_of_axes(name, shape):
    for mode in ("reflect", "mirror", "wrap"):
        check(name, seeded_image(shape, "i4"), chunks=2, mode=mode, **FULL_RANK[name])


MIXED = ["gaussian_filter", "gaussian_laplace", "gaussian_gradient_magnitude", "laplace", "sobel",
         "prewitt", "uniform_filter", "minimum_filter"]  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("dtype", ["f8", "i2"])
@pytest.mark.parametrize("modes", [("wrap", "mirror"), ["constant", "wrap"]])
@pytest.mark.parametrize("name", MIXED)
def test_a_mode_for_each_axis(name, modes, dtype):
    check(name, seeded_image(SHAPE, dtype), chunks=3, mode=modes, cval=2, **CALLS[name])


@pytest.mark.parametrize("name", ["convolve", "median_filter", "generic_filter"])
def test_a_mode_for_each_axis_refused_as_scipy_does(name):
    with pytest.raises(RuntimeError):
        getattr(ndfilters, name)(da.ones(SHAPE), mode=["wrap", "mirror"], **CALLS[name])


@pytest.mark.parametrize("name", CALLS)
def test_unknown_mode_refused(name):
    with pytest.raises(RuntimeError, match="mode must be one of .*, got 'wave'"):
        getattr(ndfilters, name)(da.ones(SHAPE), mode="wave", **CALLS[name])


@pytest.mark.parametrize("name", CALLS)
def test_names_differ_with_the_mode_and_the_value_beyond(name):
    image = da.ones(SHAPE, chunks=3)
    function = getattr(ndfilters, name)
    names = {function(image, mode=mode, **CALLS[name]).name for mode in ("wrap", "nearest")}
    names |= {function(image, mode="constant", cval=c, **CALLS[name]).name for c in (1, 2)}
    assert len(names) == 4


def test_unknown_chunks_refused():
    image = da.ones(10, chunks=5)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        ndfilters.uniform_filter(image[image > 0])


@pytest.mark.parametrize("keywords", [{"radius": 2}, {"radius": [1, 3]}, {"truncate": 2.5}])
@pytest.mark.parametrize("name", ["gaussian_filter", "gaussian_laplace"])
def test_where_a_gaussian_ends(name, keywords):
    check(name, seeded_image(SHAPE, "f8"), chunks=3, sigma=1.2, **keywords)
    check("gaussian_gradient_magnitude", seeded_image(SHAPE, "f8"), chunks=3, sigma=1, **keywords)


@pytest.mark.parametrize("order", [0, 1, 2, 3, (1, 0), (0, 2)])
def test_orders_of_a_gaussian(order):
    check("gaussian_filter", seeded_image(SHAPE, "f8"), chunks=3, sigma=1.2, order=order)


@pytest.mark.parametrize("sigma", [0, (0, 2), 6])
def test_sigmas_of_nothing_and_wider_than_the_image(sigma):
    for mode in MODES:
        check("gaussian_filter", seeded_image(SHAPE, "f4"), chunks=3, sigma=sigma, mode=mode)


@pytest.mark.parametrize("radius", [-1, 1.5])
def test_bad_radius_refused(radius):
    with pytest.raises(ValueError, match="[Rr]adius"):
        ndfilters.gaussian_filter(da.ones(SHAPE), 1, radius=radius)


@given(
    sigma=st.tuples(st.floats(0, 5), st.floats(0, 5)),
    chunks=st.tuples(st.integers(1, 13), st.integers(1, 9)),
    mode=st.tuples(st.sampled_from(MODES), st.sampled_from(MODES)),
    dtype=st.sampled_from(["u1", "i4", "f4", "f8"]),
)
def test_gaussians_of_any_kind(sigma, chunks, mode, dtype):
    image = seeded_image((13, 9), dtype)
    check("gaussian_filter", image, sigma=sigma, chunks=chunks, mode=mode)


@pytest.mark.parametrize("name", ["minimum_filter", "median_filter", "generic_filter"])
def test_windows_wrongly_given(name):
    function = getattr(ndfilters, name)
    first = (np.ptp,) if name == "generic_filter" else ()
    with pytest.raises(RuntimeError, match="size or footprint"):
        function(da.ones(SHAPE), *first)
    with pytest.raises(RuntimeError, match="size"):
        function(da.ones(SHAPE), *first, size=(1, 2, 3))
    with pytest.raises(RuntimeError, match="footprint"):
        function(da.ones(SHAPE), *first, footprint=[1, 1])
    with pytest.warns(UserWarning, match="ignoring size"):
        function(da.ones(SHAPE), *first, size=3, footprint=HOLES)


@pytest.mark.parametrize("percentile", [-20, 0, 12.5, 100])
def test_percentiles(percentile):
    check("percentile_filter", seeded_image(SHAPE, "u1"), chunks=3, percentile=percentile, size=3)


@pytest.mark.parametrize("rank", [0, 3, -1])
def test_ranks(rank):
    check("rank_filter", seeded_image(SHAPE, "u1"), chunks=3, rank=rank, footprint=HOLES)
    check("rank_filter", seeded_image((17,), "f4"), chunks=3, rank=rank, size=5, mode="mirror")


def test_bad_ranks_refused():
    with pytest.raises(RuntimeError):
        ndfilters.percentile_filter(da.ones(5), 101, size=3)
    with pytest.raises(RuntimeError):
        ndfilters.rank_filter(da.ones(5), 3, size=3)


def test_generic_filter_hands_on_arguments():
    check(
        "generic_filter", seeded_image(SHAPE, "f8"), chunks=3, function=weighted_range, size=3,
        extra_arguments=(2,), extra_keywords={"offset": 1},
    )  # fmt: skip


def test_low_level_function():
    @ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_ssize_t,
        ctypes.POINTER(ctypes.c_double), ctypes.c_void_p,
    )  # fmt: skip
    def last_value(values, size, result, data):
        result[0] = values[size - 1]
        return 1

    function = LowLevelCallable(last_value, signature="int (double *, npy_intp, double *, void *)")
    check("generic_filter", seeded_image(SHAPE, "f8"), chunks=3, function=function, size=3)


@pytest.mark.parametrize("name", ["generic_laplace", "generic_gradient_magnitude"])
@pytest.mark.parametrize("mode", ["wrap", ("mirror", "wrap")])
def test_derivatives_of_the_caller(name, mode):
    image = seeded_image(SHAPE, "f8")
    expected = getattr(ndimage, name)(image, second_difference, mode=mode)
    with nothing_computes():
        lazy = getattr(ndfilters, name)(
            da.from_array(image, chunks=3), second_difference, mode=mode, depth=1
        )
    assert lazy.chunks == da.from_array(image, chunks=3).chunks
    assert_same(lazy, expected)


@pytest.mark.parametrize("name", ["generic_laplace", "generic_gradient_magnitude"])
def test_derivatives_of_unknown_reach_see_the_whole_image(name):
    image = seeded_image(SHAPE, "f8")
    with pytest.warns(da.PerformanceWarning, match="whole image"):
        lazy = getattr(ndfilters, name)(da.from_array(image, chunks=3), second_difference)
    assert_same(lazy, getattr(ndimage, name)(image, second_difference))
    # Sobel's reach is known.
    check(name, image, **{"derivative2" if name == "generic_laplace" else "derivative": None}
          | {"derivative2" if name == "generic_laplace" else "derivative": ndimage.sobel},
          chunks=3, axes=(1,))  # fmt: skip


def test_depth_below_zero_refused():
    with pytest.raises(ValueError, match="depth"):
        ndfilters.generic_laplace(da.ones(5), second_difference, depth=-1)


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="needs SciPy 1.16")
@pytest.mark.parametrize("mode", [*MODES, "valid"])
@pytest.mark.parametrize("window", [{"size": (3, 4)}, {"footprint": HOLES}])
def test_vectorized_filter(mode, window):
    image = seeded_image(SHAPE, "i4")
    check("vectorized_filter", image, chunks=UNEVEN, function=np.mean, mode=mode, **window)


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="needs SciPy 1.16")
def test_vectorized_filter_of_no_pixel_has_the_asked_dtype():
    empty = da.zeros((0, 4))
    assert ndfilters.vectorized_filter(empty, np.mean, size=3, output="f4").dtype == np.float32


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="needs SciPy 1.16")
def test_vectorized_filter_along_some_axes():
    image = seeded_image((5, 6, 4), "f8")
    check(
        "vectorized_filter", image, chunks=2, function=np.median, size=(4, 3), axes=(2, 0),
        origin=(1, -1), mode="constant", cval=3.0,
    )  # fmt: skip
    with pytest.raises(ValueError, match="size or footprint"):
        ndfilters.vectorized_filter(da.ones(4), np.mean)
    with pytest.raises(ValueError, match="origin"):
        ndfilters.vectorized_filter(da.ones(4), np.mean, size=3, mode="valid", origin=1)


def reference_threshold(image, size, method, offset, param, **edges):
    image = image.astype(float)
    if method == "gaussian":
        sigma = (np.asarray(size) - 1) / 6 if param is None else param
        return ndimage.gaussian_filter(image, sigma, **edges) - offset
    if method == "generic":
        return ndimage.generic_filter(image, param, size, **edges) - offset
    average = {"mean": ndimage.uniform_filter, "median": ndimage.median_filter}[method]
    return average(image, size, **edges) - offset


@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize(
    ("method", "param"),
    [("gaussian", None), ("gaussian", 2.0), ("mean", None), ("median", None), ("generic", np.max)],
)
def test_threshold_local(method, param, dtype, mode):
    image = seeded_image(SHAPE, dtype)
    lazy = ndfilters.threshold_local(
        da.from_array(image, chunks=3), (3, 5), method, 1.5, mode, param, 2.5
    )
    assert lazy.chunks == da.from_array(image, chunks=3).chunks
    assert_same(lazy, reference_threshold(image, (3, 5), method, 1.5, param, mode=mode, cval=2.5))


def test_threshold_local_refuses():
    with pytest.raises(ValueError, match="method must be one of"):
        ndfilters.threshold_local(da.ones(5), 3, "otsu")
    with pytest.raises(TypeError, match="param"):
        ndfilters.threshold_local(da.ones(5), 3, "generic")
    with pytest.raises(RuntimeError, match="block_size"):
        ndfilters.threshold_local(da.ones(5), (3, 3))


def test_gaussian_is_gaussian_filter():
    image = da.ones(SHAPE, chunks=3)
    assert ndfilters.gaussian(image, 2).name == ndfilters.gaussian_filter(image, 2).name


def test_arrays_of_other_kinds():
    import xarray

    image = seeded_image(SHAPE, "f8")
    expected = ndimage.uniform_filter(image, 3)
    assert_same(ndfilters.uniform_filter(image, 3), expected)
    assert_same(ndfilters.uniform_filter(image.tolist(), 3), expected)
    assert_same(ndfilters.uniform_filter(xarray.DataArray(image), 3), expected)


@pytest.mark.parametrize("output", [None, "f4", np.int32])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("uniform_filter", {"size": 1}),
        ("uniform_filter", {"size": 3, "axes": ()}),
        ("gaussian_filter", {"sigma": 0}),
        ("maximum_filter", {"size": 1}),
        ("minimum_filter", {"size": 3, "axes": ()}),
    ],
)
def test_output_where_nothing_is_filtered(name, arguments, output):
    check(name, seeded_image(SHAPE, "f8") * 9, chunks=3, output=output, **arguments)


@pytest.mark.parametrize("name", ["uniform_filter", "minimum_filter", "median_filter"])
def test_sizes_as_arrays_without_axes(name):
    check(name, seeded_image(SHAPE, "f8"), chunks=3, size=np.array(3))


@pytest.mark.parametrize("mode", ["reflect", ["wrap", "mirror"]])
def test_sigmas_of_axes_in_falling_order(mode):
    check(
        "gaussian_laplace", seeded_image(SHAPE, "f8"), chunks=3, sigma=[3, 0.5], axes=(1, 0),
        mode=mode,
    )  # fmt: skip


def test_name_of_a_real_dtype_refused_for_complex_images():
    with pytest.raises(RuntimeError, match="complex"):
        ndfilters.uniform_filter(da.ones(SHAPE, dtype="c16"), output="f8")


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="needs SciPy 1.16")
def test_window_larger_than_the_image_refused():
    with pytest.raises(ValueError, match="fit into the image"):
        ndfilters.vectorized_filter(da.ones(SHAPE), np.mean, size=9, mode="valid")


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="SciPy 1.16")
@pytest.mark.parametrize("chunks", [(3, 4), (8, 10), ((2, 5, 1), (9, 1))])
@pytest.mark.parametrize(
    "window", [{"size": 3}, {"size": (2, 3), "axes": (1, 0)}, {"size": 3, "axes": 1}], ids=str
)
def test_least_batch_memory_is_known_at_the_call(chunks, window):
    image = seeded_image((8, 10), "f8")
    lazy = da.from_array(image, chunks=chunks)
    with pytest.raises(ValueError, match="batch_memory must be at least") as caught:
        ndfilters.vectorized_filter(lazy, np.mean, batch_memory=100, **window)
    least = int(str(caught.value).split("at least ")[1].split()[0])
    expected = ndimage.vectorized_filter(image, np.mean, **window)
    lazy = ndfilters.vectorized_filter(lazy, np.mean, batch_memory=least, **window)
    assert_same(lazy, expected)


@pytest.mark.parametrize("name", ["uniform_filter", "minimum_filter", "maximum_filter"])
@pytest.mark.parametrize("size", [0, (0, 3), (3, 0), (1, 0)], ids=str)
@pytest.mark.usefixtures("either_kernel")
def test_boxes_of_no_pixels_leave_their_axis_alone(name, size):
    image = seeded_image((8, 10), "f8")
    check(name, image, chunks=3, size=size)
    check(name, image, chunks=3, size=size, origin=1, mode="wrap")
    with pytest.raises(ValueError, match="size must be made of whole numbers from 0, got -1"):
        getattr(ndfilters, name)(da.from_array(image), -1)


@pytest.mark.parametrize("name", ["median_filter", "uniform_filter1d", "maximum_filter1d"])
def test_other_windows_have_pixels(name):
    with pytest.raises(ValueError, match="size must be made of whole numbers from 1, got 0"):
        getattr(ndfilters, name)(da.ones((8, 10), chunks=3), size=0)


@pytest.mark.parametrize("name, arguments", [
    ("gaussian", (1,)), ("gaussian_filter", (1,)), ("gaussian_laplace", (1,)),
    ("gaussian_gradient_magnitude", (1,)), ("uniform_filter", (3,)), ("minimum_filter", (3,)),
    ("maximum_filter", (3,)), ("median_filter", (3,)), ("percentile_filter", (30, 3)),
    ("rank_filter", (1, 3)),
])  # fmt: skip
def test_channels_are_an_axis_that_is_left_out(name, arguments):
    function = getattr(ndfilters, name)
    image = da.from_array(seeded_image((9, 3, 8), "f8"), chunks=(4, 2, 5))
    by_axes = function(image, *arguments, axes=(0, 2))
    assert function(image, *arguments, channel_axis=1).name == by_axes.name
    assert function(image, *arguments, channel_axis=-2).name == by_axes.name
    with pytest.raises(ValueError, match="axes or channel_axis must be given, not both"):
        function(image, *arguments, axes=0, channel_axis=1)
    with pytest.raises(np.exceptions.AxisError, match="channel_axis is wrong"):
        function(image, *arguments, channel_axis=3)


@pytest.mark.parametrize("channel_axis", [0, -1])
def test_channels_are_smoothed_as_by_scikit_image(channel_axis):
    filters = pytest.importorskip("skimage.filters")
    image = seeded_image((9, 8, 5), "f8")
    smooth = ndfilters.gaussian(
        da.from_array(image, chunks=4), 1.5, mode="nearest", channel_axis=channel_axis
    )
    assert_same(smooth, filters.gaussian(image, 1.5, channel_axis=channel_axis))
