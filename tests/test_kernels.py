"""Every faster kernel against the SciPy function it stands in for."""

import ast
import functools
import inspect
import pathlib
import pickle

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy import ndimage

from dask_image import _kernels
from dask_image._kernels.stand_ins import STAND_INS, stand_in
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE
from dask_image._utils import modes
from tests.helpers import RELATIVE_TOLERANCE, plain_kernels, seeded_image

MODES = sorted(CANONICAL_MODE)
INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
DTYPES = ["?", *INTEGERS, "f4", "f8"]
SHAPES = st.lists(st.integers(1, 9), min_size=1, max_size=4)
SETTINGS = hypothesis.settings(deadline=None, max_examples=50)


def check(scipy_function, *args, rounding=False, **kwargs):
    """
    Compare both on the same arguments: the same array to the last bit, or the same error.

    Floats may differ by the rounding that is promised if ``rounding`` says so.
    """
    try:
        expected = scipy_function(*args, **kwargs)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        with pytest.raises(type(error)):
            stand_in(scipy_function)(*args, **kwargs)
        return
    found = stand_in(scipy_function)(*args, **kwargs)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if rounding and expected.dtype.kind == "f":
        rtol = RELATIVE_TOLERANCE[expected.dtype.str[1:]]
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)
    else:
        np.testing.assert_array_equal(found, expected)


@st.composite
def images(draw, dtypes=DTYPES):
    shape = draw(SHAPES)
    return seeded_image(shape, draw(st.sampled_from(dtypes)), seed=draw(st.integers(0, 99)))


def origins(size):
    return st.integers(-(size // 2), (size - 1) // 2)


@pytest.mark.parametrize("scipy_function", STAND_INS, ids=lambda function: function.__name__)
def test_signature_and_pickle(scipy_function):
    kernel = stand_in(scipy_function)
    assert kernel.__name__ == scipy_function.__name__
    assert inspect.signature(kernel) == inspect.signature(scipy_function)
    assert pickle.loads(pickle.dumps(kernel)) is kernel


@pytest.mark.parametrize("mode", sorted(set(CANONICAL_MODE.values()) - {"constant"}))
@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_fold_as_numpy_pads(length, mode):
    names = {"nearest": "edge", "wrap": "wrap", "reflect": "symmetric", "mirror": "reflect"}
    padded = np.pad(np.arange(length), (20, 25), mode=names[mode])
    found = modes.MODES[mode].fold(np.arange(-20, length + 25), length)
    np.testing.assert_array_equal(found, padded)


@SETTINGS
@hypothesis.given(st.data())
def test_correlate1d(data):
    image = data.draw(images())
    count = data.draw(st.integers(1, 12))
    weights = np.random.default_rng(count).standard_normal(count)
    symmetry = data.draw(st.sampled_from([0, 1, -1]))
    weights = weights + symmetry * weights[::-1]
    check(
        data.draw(st.sampled_from([ndimage.correlate1d, ndimage.convolve1d])),
        image,
        weights,
        axis=data.draw(st.integers(-image.ndim, image.ndim - 1)),
        output=data.draw(st.sampled_from([None, *DTYPES])),
        mode=data.draw(st.sampled_from(MODES)),
        cval=data.draw(st.sampled_from([0.0, -2.5, 300.0])),
        origin=data.draw(origins(count)),
    )


@SETTINGS
@hypothesis.given(st.data())
def test_correlate(data):
    image = data.draw(images())
    footprint, origin = data.draw(windows(image.ndim))
    weights = np.random.default_rng(footprint.size).standard_normal(footprint.shape) * footprint
    check(
        data.draw(st.sampled_from([ndimage.correlate, ndimage.convolve])),
        image,
        weights,
        output=data.draw(st.sampled_from([None, *DTYPES])),
        mode=data.draw(st.sampled_from(MODES)),
        cval=data.draw(st.sampled_from([0.0, -2.5, 300.0])),
        origin=origin,
    )
    check(ndimage.convolve, image, [1, 2, 5, 0], axes=image.ndim - 1, output="f8")


@pytest.mark.parametrize("axes", [(2, 0), (-1, 1), (0, 2)])
@pytest.mark.parametrize(
    ("function", "kwargs"),
    [
        (ndimage.convolve, {"weights": np.arange(6).reshape(2, 3), "origin": (0, 1)}),
        (ndimage.correlate, {"weights": np.arange(6).reshape(2, 3), "origin": (0, 1)}),
        (ndimage.gaussian_filter, {"sigma": (1, 2)}),
        (ndimage.gaussian_laplace, {"sigma": (1, 2)}),
        (ndimage.uniform_filter, {"size": (2, 5), "origin": (0, 1)}),
        (ndimage.minimum_filter, {"size": (2, 5), "origin": (0, 1)}),
        (ndimage.maximum_filter, {"footprint": [[1, 0, 0], [1, 1, 1]], "origin": (0, 1)}),
        (ndimage.median_filter, {"size": (2, 5)}),
        (ndimage.percentile_filter, {"footprint": [[1, 0, 0], [1, 1, 1]], "percentile": 60}),
        (ndimage.grey_dilation, {"size": (2, 3), "origin": (0, 1)}),
        (ndimage.grey_closing, {"footprint": [[1, 0, 0], [1, 1, 1]]}),
        (ndimage.binary_dilation, {"structure": [[1, 0, 0], [1, 1, 1]]}),
        (ndimage.binary_opening, {"structure": [[1, 0, 0], [1, 1, 1]], "iterations": 2}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_two_of_three_axes(function, kwargs, axes):
    check(function, seeded_image((7, 8, 6), "f4"), axes=axes, **kwargs)


@SETTINGS
@hypothesis.given(st.data())
def test_gaussian_filters(data):
    image = data.draw(images())
    arguments = {
        "output": data.draw(st.sampled_from([None, "f4", "f8", "i2"])),
        "mode": data.draw(st.sampled_from(MODES)),
        "cval": 1.5,
    }
    sigma = data.draw(st.sampled_from([0, 0.3, 1, 2.5]))
    order = data.draw(st.integers(0, 3))
    radius = data.draw(st.sampled_from([None, 0, 1, 4]))
    check(ndimage.gaussian_filter, image, sigma, order=order, radius=radius, **arguments)
    axes = tuple(range(image.ndim))[data.draw(st.integers(0, image.ndim - 1)) :][::-1]
    check(ndimage.gaussian_filter, image, sigma, axes=axes, truncate=2.0, **arguments)
    if sigma:
        check(ndimage.gaussian_filter1d, image, sigma, axis=0, order=order, **arguments)
        if image.dtype != bool:
            check(ndimage.gaussian_laplace, image, sigma, truncate=3.0, **arguments)
            check(ndimage.gaussian_laplace, image, sigma, axes=axes, **arguments)
            check(ndimage.gaussian_gradient_magnitude, image, sigma, **arguments)


@SETTINGS
@hypothesis.given(st.data())
def test_derivatives(data):
    image = data.draw(images(DTYPES[1:]))
    mode = [data.draw(st.sampled_from(MODES)) for _ in range(image.ndim)]
    for function in (ndimage.sobel, ndimage.prewitt):
        axis = data.draw(st.integers(-image.ndim, image.ndim - 1))
        check(function, image, axis=axis, mode=mode, cval=3.0)
        check(function, image, axis=axis, mode=mode[0], output="f8")
    check(ndimage.laplace, image, mode=mode)
    check(ndimage.laplace, image, axes=(image.ndim - 1,), output="f4")


@SETTINGS
@hypothesis.given(st.data())
def test_uniform(data):
    image = data.draw(images())
    size = data.draw(st.integers(1, 12))
    arguments = {
        "output": data.draw(st.sampled_from([None, *DTYPES])),
        "cval": data.draw(st.sampled_from([0.0, 2.5])),
        "origin": data.draw(origins(size)),
    }
    mode = data.draw(st.sampled_from(MODES))
    axis = data.draw(st.integers(-image.ndim, image.ndim - 1))
    check(ndimage.uniform_filter1d, image, size, axis=axis, mode=mode, rounding=True, **arguments)
    check(ndimage.uniform_filter, image, size, mode=[mode] * image.ndim, rounding=True, **arguments)
    check(ndimage.uniform_filter, image, size, mode=mode, axes=(axis,), rounding=True, **arguments)


@SETTINGS
@hypothesis.given(st.data())
def test_extrema_of_boxes(data):
    image = data.draw(images())
    size = data.draw(st.integers(1, 12))
    arguments = {
        "output": data.draw(st.sampled_from([None, "f8", "i8", "u1"])),
        "cval": data.draw(st.sampled_from([0.0, 1, -2.5, 300.0])),
        "origin": data.draw(origins(size)),
    }
    mode = data.draw(st.sampled_from(MODES))
    axis = data.draw(st.integers(-image.ndim, image.ndim - 1))
    check(ndimage.minimum_filter1d, image, size, axis=axis, mode=mode, **arguments)
    check(ndimage.maximum_filter1d, image, size, axis=axis, mode=mode, **arguments)
    check(ndimage.minimum_filter, image, size, mode=mode, **arguments)
    check(ndimage.maximum_filter, image, size, mode=[mode] * image.ndim, **arguments)
    check(ndimage.maximum_filter, image, size, mode=mode, axes=(axis,), **arguments)


@st.composite
def windows(draw, ndim, largest=4):
    """Draw a footprint or structure and origins it allows."""
    shape = draw(st.lists(st.integers(1, largest), min_size=ndim, max_size=ndim))
    footprint = np.random.default_rng(draw(st.integers(0, 99))).random(shape) < 0.6
    footprint.flat[draw(st.integers(0, footprint.size - 1))] = True
    return footprint, [draw(origins(size)) for size in shape]


@SETTINGS
@hypothesis.given(st.data())
def test_extrema_of_footprints(data):
    image = data.draw(images())
    footprint, origin = data.draw(windows(image.ndim))
    arguments = {
        "footprint": footprint,
        "origin": origin,
        "mode": data.draw(st.sampled_from(MODES)),
        "cval": 1,
    }
    check(ndimage.minimum_filter, image, **arguments)
    check(ndimage.maximum_filter, image, **arguments)


@SETTINGS
@hypothesis.given(st.data())
def test_rank(data):
    image = data.draw(images())
    footprint, origin = data.draw(windows(image.ndim, largest=5))
    count = np.count_nonzero(footprint)
    arguments = {
        "footprint": footprint,
        "origin": origin,
        "mode": data.draw(st.sampled_from(MODES)),
        "cval": data.draw(st.sampled_from([0.0, 1, -2.5])),
        "output": data.draw(st.sampled_from([None, "f8"])),
    }
    if image.ndim == 1:
        # SciPy's one-dimensional filter knows no holes, and its older versions write out of
        # bounds where the window is long against the image.
        footprint[...] = True
        count = footprint.size
        hypothesis.assume(image.size > 2 * count)
    check(ndimage.rank_filter, image, data.draw(st.integers(-count, count - 1)), **arguments)
    check(ndimage.percentile_filter, image, data.draw(st.integers(-100, 100)), **arguments)
    check(ndimage.median_filter, image, **arguments)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [3, 5, (4, 6), 9, (2, 17)])
def test_median_of_boxes(dtype, size):
    image = seeded_image((37, 23), dtype)
    check(ndimage.median_filter, image, size)
    check(ndimage.percentile_filter, image, 15, size=size, mode="mirror", axes=(0, 1))


@SETTINGS
@hypothesis.given(st.data())
def test_binary(data):
    image = data.draw(images(["?", "u1", "f8"]))
    structure, origin = data.draw(windows(image.ndim))
    mask = data.draw(st.sampled_from([None, seeded_image(image.shape, "?", seed=7)]))
    arguments = {
        "iterations": data.draw(st.integers(0, 5)),
        "mask": mask,
        "border_value": data.draw(st.integers(0, 1)),
        # SciPy's other way writes out of bounds where an origin is not 0.
        "brute_force": any(origin) or data.draw(st.booleans()),
    }
    if not structure[tuple(np.array(structure.shape) // 2 + origin)]:
        arguments["iterations"] = max(arguments["iterations"], 1)  # else SciPy may never stop
    for function in (
        ndimage.binary_erosion,
        ndimage.binary_dilation,
        ndimage.binary_opening,
        ndimage.binary_closing,
    ):
        check(function, image, structure=structure, origin=origin, **arguments)
        check(function, image, **arguments)
        check(function, image, axes=(image.ndim - 1,), **arguments)
    check(ndimage.binary_hit_or_miss, image, structure1=structure, origin1=origin)
    check(ndimage.binary_hit_or_miss, image)
    check(ndimage.binary_hit_or_miss, image, structure, np.flip(structure), origin2=0)


GREY = [
    ndimage.grey_erosion,
    ndimage.grey_dilation,
    ndimage.grey_opening,
    ndimage.grey_closing,
    ndimage.morphological_gradient,
    ndimage.morphological_laplace,
    ndimage.white_tophat,
    ndimage.black_tophat,
]


@SETTINGS
@hypothesis.given(st.data())
def test_grey(data):
    image = data.draw(images())
    footprint, origin = data.draw(windows(image.ndim))
    structure = np.random.default_rng(0).integers(-3, 3, footprint.shape)
    boundary = {"mode": data.draw(st.sampled_from(MODES)), "cval": 1}
    for function in GREY:
        check(function, image, footprint=footprint, origin=origin, **boundary)
        check(function, image, size=footprint.shape, origin=origin, **boundary)
        check(function, image, size=3, axes=(0,), **boundary)
        check(function, image, structure=structure, origin=origin, **boundary)
        check(function, image, size=2, output="f8", **boundary)


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_wide_integers_are_rounded_as_scipy_rounds_them(dtype):
    limits = np.iinfo(dtype)
    image = np.random.default_rng(0).integers(limits.min, limits.max, (9, 12), dtype=dtype)
    footprint = [[1, 1, 0], [0, 1, 1]]
    check(ndimage.minimum_filter, image, 3)
    check(ndimage.maximum_filter, image, footprint=footprint)
    check(ndimage.median_filter, image, 3)


@pytest.mark.parametrize("size", [3, 9])
def test_nan_as_in_scipy(size):
    image = seeded_image((20, 20), "f8")
    image[3, 5] = np.nan
    check(ndimage.minimum_filter, image, size)
    check(ndimage.median_filter, image, size)
    check(ndimage.gaussian_filter, image, 1)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (ndimage.correlate1d, {"weights": [1, 2], "mode": "bogus"}),
        (ndimage.correlate1d, {"weights": [1, 2], "origin": 4}),
        (ndimage.correlate1d, {"weights": []}),
        (ndimage.gaussian_filter, {"sigma": [1, 2, 3]}),
        (ndimage.gaussian_filter, {"sigma": 1, "order": -1}),
        (ndimage.gaussian_filter, {"sigma": 1, "radius": -1}),
        (ndimage.uniform_filter, {"size": 3, "origin": 5}),
        (ndimage.minimum_filter, {}),
        (ndimage.minimum_filter, {"footprint": np.zeros((3, 3))}),
        (ndimage.minimum_filter, {"footprint": np.ones(3)}),
        (ndimage.median_filter, {}),
        (ndimage.rank_filter, {"rank": 30, "size": 3}),
        (ndimage.percentile_filter, {"percentile": 130, "size": 3}),
        (ndimage.binary_erosion, {"structure": np.ones(3)}),
        (ndimage.grey_dilation, {}),
        (ndimage.grey_erosion, {"size": (3, 3, 3)}),
    ],
)
def test_errors_as_in_scipy(function, arguments):
    image = seeded_image((8, 9), "f4")
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        function(image, **arguments)
    check(function, image, **arguments)


@pytest.mark.parametrize("shape", [(0,), (3, 0), ()])
@pytest.mark.parametrize(
    "function",
    [
        functools.partial(check, ndimage.gaussian_filter, sigma=1),
        functools.partial(check, ndimage.uniform_filter, size=3),
        functools.partial(check, ndimage.maximum_filter, size=3),
        functools.partial(check, ndimage.binary_dilation),
    ],
    ids=lambda partial: partial.args[0].__name__,
)
def test_empty_and_scalar(shape, function):
    function(np.ones(shape))


@pytest.mark.parametrize("shape", [(45, 310), (5, 44, 311), (2, 5, 43, 312)])
@pytest.mark.parametrize("sigma", [8, 2])
def test_sweeps_of_large_planes_one_after_another(shape, sigma, monkeypatch):
    """
    Large images go down a few planes at a time, and their last axes apart if windows are wide.
    """
    from dask_image._kernels.stand_ins import _separable, _steps

    monkeypatch.setattr(_separable, "LEAST_PLANES", 3 * shape[-1])
    monkeypatch.setattr(_separable, "PLANES_BYTES", 12 * shape[-1])
    monkeypatch.setattr(_separable, "RING_BYTES", 1)
    _steps._plan.cache_clear()
    image, axes = seeded_image(shape, "f4"), range(len(shape))
    check(ndimage.gaussian_filter, image, sigma)
    check(ndimage.gaussian_filter, image, sigma, axes=axes[::-1])
    # The first axis has to be swept by rows then, so that a sweep of planes reads what that wrote.
    check(ndimage.gaussian_filter, image, sigma, mode=["constant", *["reflect"] * (len(shape) - 1)])
    region = tuple(slice(size // 4, size - 1) for size in shape)
    found = stand_in(ndimage.gaussian_filter).in_region(image, sigma, region=region)
    np.testing.assert_array_equal(found, ndimage.gaussian_filter(image, sigma)[region])
    _steps._plan.cache_clear()


def test_without_numba():
    image = seeded_image((40, 50), "u2")
    with plain_kernels():
        check(ndimage.gaussian_filter, image, 2)
        check(ndimage.uniform_filter, image, 5)
        check(ndimage.median_filter, image, 7)
        check(ndimage.median_filter, image, 13)


LINEAR = {
    ndimage.convolve1d: {"weights": [1.0, 3.0, -2.0], "axis": 0, "origin": 1},
    ndimage.correlate1d: {"weights": [1, 2, 2, 1], "axis": -1, "origin": -1},
    ndimage.gaussian_filter: {"sigma": 1.1},
    ndimage.gaussian_filter1d: {"sigma": 0.8, "axis": 0, "order": 1},
    ndimage.gaussian_gradient_magnitude: {"sigma": 0.7},
    ndimage.gaussian_laplace: {"sigma": 0.9},
    ndimage.laplace: {},
    ndimage.prewitt: {"axis": 0},
    ndimage.sobel: {"axis": -1},
    ndimage.uniform_filter: {"size": 4, "origin": 1},
    ndimage.uniform_filter1d: {"size": 3, "axis": 0},
}


@SETTINGS
@hypothesis.given(data=st.data(), function=st.sampled_from(list(LINEAR)))
def test_regions(data, function):
    """A companion gives the region of what SciPy gives, in memory of its own."""
    shape = data.draw(SHAPES)
    dtype = data.draw(st.sampled_from(["f4", "f8", "u1", "i2", "u2", "i4"]))
    image = seeded_image(shape, dtype, data.draw(st.integers(0, 9)))
    starts = [data.draw(st.integers(0, size - 1)) for size in shape]
    region = tuple(
        slice(start, data.draw(st.integers(start + 1, size)))
        for start, size in zip(starts, shape, strict=True)
    )
    mode = data.draw(st.sampled_from(MODES))
    arguments = LINEAR[function] | {"mode": mode, "cval": data.draw(st.sampled_from([0.0, 7.5]))}
    with np.errstate(invalid="ignore"):
        expected = function(image, **arguments)[region]
        found = stand_in(function).in_region(image.copy(), region=region, **arguments)
    assert found.base is None or found.base.size == found.size
    if expected.dtype.kind == "f":
        rtol = RELATIVE_TOLERANCE[expected.dtype.str[1:]]
        scale = np.abs(expected).max(initial=0)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)
    else:
        np.testing.assert_array_equal(found, expected)


def test_averages_of_equal_pixels_are_those_pixels():
    uniform_filter = stand_in(ndimage.uniform_filter)
    for size in (2, 3, 7, 10):
        image = np.full((30, 25), 3.0)  # sums are exact
        np.testing.assert_array_equal(uniform_filter(image, size), image)


@pytest.mark.usefixtures("compiled_kernels")  # SciPy's running sums do not forget them
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_averages_far_from_what_is_not_finite(value):
    image = seeded_image((40, 41), "f8")
    expected = ndimage.uniform_filter(image, 5)
    image[20, 30] = value
    found = stand_in(ndimage.uniform_filter)(image, 5)
    spoiled = np.zeros(image.shape, bool)
    spoiled[18:23, 28:33] = True
    assert not np.isfinite(found[spoiled]).any()
    np.testing.assert_allclose(found[~spoiled], expected[~spoiled], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4"])
@pytest.mark.parametrize("size", [9, 40, 300])
def test_averages_of_integers_at_their_limits(dtype, size):
    limits = np.iinfo(dtype)
    image = np.random.default_rng(0).choice([limits.min, limits.max], (50, 61)).astype(dtype)
    check(ndimage.uniform_filter, image, size)


def compiled_as(node):
    """Return the names of a function's decorators."""
    return {name.id for name in getattr(node, "decorator_list", ()) if isinstance(name, ast.Name)}


def test_parts_are_called_by_compiled_functions_alone():
    # Who calls one from the interpreter makes it crash.
    folder = pathlib.Path(_kernels.__file__).parent
    parts, called = {}, []
    modules = {
        ".".join(file.relative_to(folder.parents[1]).with_suffix("").parts): ast.parse(
            file.read_text()
        )
        for file in sorted(folder.rglob("*.py"))
    }
    for name, module in modules.items():
        of_module = [node for node in module.body if isinstance(node, ast.FunctionDef)]
        parts[name] = {
            node.name for node in of_module if compiled_as(node) & {"jit_part", "jit_contract_part"}
        }
    for name, module in modules.items():
        known = set(parts[name])
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom):
                origin = parts.get(node.module, set())
                known |= origin & {alias.name for alias in node.names}
        interpreted = [
            node for node in module.body if not any("jit" in word for word in compiled_as(node))
        ]
        for top in interpreted:
            names = [node.id for node in ast.walk(top) if isinstance(node, ast.Name)]
            called += [(name, used) for used in names if used in known]
    assert sum(map(len, parts.values())) > 50
    assert not called
