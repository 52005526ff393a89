"""Grey morphology on chunks against SciPy on the whole array."""

import dask.array as da
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy import ndimage

from dask_image import ndmorph
from dask_image._utils.arguments import FILTER_MODES
from tests.helpers import assert_matches_scipy, nothing_computes, seeded_image

FUNCTIONS = [
    "grey_erosion",
    "grey_dilation",
    "grey_opening",
    "grey_closing",
    "morphological_gradient",
    "morphological_laplace",
    "white_tophat",
    "black_tophat",
]
CHUNKS = [3, ((1, 5, 1, 4), (2, 1, 4))]
FOOTPRINT = np.array([[1, 0, 0], [1, 1, 1]], bool)
SLOPE = np.array([[0, 1, 2, 3], [-1, 0, 4, 2]])


def compare(name, image, chunks, **kwargs):
    assert_matches_scipy(
        getattr(ndmorph, name), getattr(ndimage, name), image, chunks=chunks, **kwargs
    )


@pytest.mark.parametrize("mode", FILTER_MODES)
@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_windows_modes_and_chunks(name, chunks, mode):
    image = seeded_image((11, 7), "i2")
    compare(name, image, chunks, size=(4, 3), mode=mode, cval=7)
    compare(name, image, chunks, footprint=FOOTPRINT, mode=mode, origin=(-1, 1))
    compare(name, image, chunks, structure=SLOPE, mode=mode, cval=-3)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i4", "u8", "f4", "f8", ">f4"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_dtypes(name, dtype):
    image = seeded_image((9, 8), dtype)
    if dtype == "?" and name.startswith("morphological"):
        with pytest.raises(TypeError, match="subtract"):
            getattr(ndmorph, name)(image, size=3)
        return
    compare(name, image, 4, size=3)
    compare(name, image, 4, footprint=FOOTPRINT, structure=SLOPE[:, :3])


@pytest.mark.parametrize("output", ["f4", np.float64, np.dtype("i8")])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_output(name, output):
    compare(name, seeded_image((9, 8), "u1"), 4, size=3, output=output)


@pytest.mark.parametrize("shape", [(11,), (1, 9), (9, 1), (5, 6, 7), (1, 1, 1), (3, 4, 2, 5)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_dimensions(name, shape):
    image = seeded_image(shape, "f4")
    compare(name, image, 2, size=3, mode="mirror")
    compare(name, image, -1, size=4, axes=-1, origin=1, mode="wrap")
    if len(shape) > 1:
        compare(name, image, 3, footprint=np.eye(3)[:2], axes=(0, 1))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_chunks_of_one_pixel(name):
    compare(name, seeded_image((5, 6), "f4"), 1, size=(3, 8))


@pytest.mark.parametrize("shape", [(0,), (4, 0)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_empty(name, shape):
    compare(name, np.ones(shape), -1, size=3)


@hypothesis.given(st.data())
def test_any_combination(data):
    shape = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    image = seeded_image(shape, data.draw(st.sampled_from(["u1", "i4", "f8"])))
    sizes = [data.draw(st.integers(1, 5)) for _ in shape]
    random = np.random.default_rng(data.draw(st.integers(0, 9)))
    footprint = random.random(sizes) < 0.5
    footprint.flat[0] = True
    kind = data.draw(st.sampled_from(["size", "footprint", "structure"]))
    window = {"size": sizes, "footprint": footprint, "structure": random.integers(-9, 9, sizes)}[
        kind
    ]
    modes = [data.draw(st.sampled_from(FILTER_MODES)) for _ in shape]
    compare(
        data.draw(st.sampled_from(FUNCTIONS)),
        image,
        tuple(data.draw(st.integers((size + 2) // 3, size)) for size in shape),
        mode=modes if kind == "size" else modes[0],
        origin=[data.draw(st.integers(-((size - 1) // 2), (size - 1) // 2)) for size in sizes],
        cval=2,
        **{kind: window},
    )


@pytest.mark.parametrize("axes", [(2, 0), (-1, 1), (0, 2)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_of_three_axes(name, axes):
    image = seeded_image((7, 5, 6), "i2")
    compare(name, image, (2, 3, 2), size=(2, 5), axes=axes, origin=(0, 1), mode="mirror")
    compare(name, image, (2, 3, 2), footprint=FOOTPRINT, axes=axes, mode="wrap")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_halo_a_call(name):
    image = da.zeros((1024, 1024, 64), chunks=(128, 128, 64), dtype="u1")
    with nothing_computes():
        result = getattr(ndmorph, name)(image, size=5)
    assert len(result.__dask_graph__()) <= 10 * image.npartitions


@pytest.mark.parametrize("name", FUNCTIONS)
def test_size_beside_a_footprint_is_warned_about_once(name):
    image = seeded_image((6, 6), "u1")
    with pytest.warns(UserWarning, match="ignoring size") as warned:
        getattr(ndmorph, name)(da.from_array(image, chunks=3), 3, FOOTPRINT).compute()
    assert len(warned) == 1
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({}, ValueError, "must be given"),
        ({"size": -1}, RuntimeError, "size must be"),
        ({"size": (3, 3, 3)}, RuntimeError, "size must be one value or one for each"),
        ({"footprint": np.ones(3)}, RuntimeError, "footprint must have one axis"),
        ({"footprint": np.zeros((3, 3))}, ValueError, "footprint"),
        ({"structure": np.ones(3)}, RuntimeError, "structure must have one axis"),
        (
            {"structure": np.ones((3, 3)), "footprint": np.ones((2, 2))},
            RuntimeError,
            "must have one shape",
        ),
        ({"size": 3, "origin": 2}, ValueError, "origin must lie in"),
        ({"size": 3, "mode": "bogus"}, RuntimeError, "mode"),
        ({"footprint": FOOTPRINT, "mode": ["wrap", "mirror"]}, RuntimeError, "mode"),
        ({"size": 3, "axes": 4}, ValueError, "axes is wrong"),
        ({"size": 3, "output": np.zeros((4, 4))}, TypeError, "output must be a dtype"),
    ],
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bad_arguments(name, kwargs, error, message):
    with pytest.raises(error, match=message):
        getattr(ndmorph, name)(da.zeros((4, 4), chunks=2), **kwargs)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_complex_images_are_refused(name):
    with pytest.raises(TypeError, match="Complex"):
        getattr(ndmorph, name)(da.zeros((4, 4), chunks=2, dtype=complex), size=3)


@pytest.mark.parametrize(
    "name",
    ["black_tophat", "grey_closing", "grey_dilation", "grey_erosion", "grey_opening",
     "morphological_gradient", "morphological_laplace", "white_tophat"],
)  # fmt: skip
@pytest.mark.parametrize("size", [0, (0, 3), (3, 0), (1, 0)], ids=str)
@pytest.mark.usefixtures("either_kernel")
def test_boxes_of_no_pixels_leave_their_axis_alone(name, size):
    image = seeded_image((8, 10), "i2")
    for origin in (0, -1):
        assert_matches_scipy(
            getattr(ndmorph, name), getattr(ndimage, name), image, chunks=3, size=size,
            origin=origin,
        )  # fmt: skip
