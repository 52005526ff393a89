"""Segmentation is scikit-image's, on real and random images, however they are cut."""

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image import ndfilters, ndmeasure, segmentation
from dask_image._kernels import blocks
from dask_image._utils.engines.block_lattice import displacements_of
from tests.helpers import nothing_computes, plain_kernels

skimage = pytest.importorskip("skimage")
data = pytest.importorskip("skimage.data")
from skimage import exposure, feature, filters, morphology, transform
from skimage import segmentation as theirs

SHAPES = [(23,), (13, 11), (5, 6, 4)]
pytestmark = pytest.mark.filterwarnings("ignore:.*(color image|RGB|Only one label).*")


def random_labels(shape, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 4, shape) * (random.random(shape) < 0.6)


def cuttings(*arrays):
    """
    Yield arrays and chunks for them: one block, uneven ones, and ones of a pixel.

    A corner says as much about blocks of a pixel as all of an image, and has fewer of them.
    """
    shape = arrays[0].shape
    uneven = np.random.default_rng(len(shape)).integers(2, 6, len(shape))
    corner = tuple(slice(size) for size in [(23,), (5, 5), (3, 4, 3)][len(shape) - 1])
    yield arrays, -1
    yield arrays, tuple(uneven.tolist())
    yield tuple(None if array is None else array[corner] for array in arrays), 1


def check(function, reference, *arrays, exact_dtype=True, rtol=0, **keywords):
    """Compare with scikit-image for several chunkings; arrays come first."""
    for cut, chunks in cuttings(*arrays):
        expected = reference(*(array.copy() for array in cut), **keywords)
        lazy = [da.from_array(array, chunks=chunks) for array in cut]
        with nothing_computes():
            result = function(*lazy, **keywords)
            assert function(*lazy, **keywords).name == result.name
        computed = result.compute(scheduler="synchronous")
        assert computed.dtype == result.dtype
        if result.shape == lazy[0].shape:
            assert result.chunks == lazy[0].chunks
        if exact_dtype:
            assert result.dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(computed, expected, rtol=rtol, err_msg=f"chunks {chunks}")


# ---------------------------------------------------------------------------------------
# Extrema and reconstruction


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "?"])
@pytest.mark.parametrize("name", ["local_maxima", "local_minima"])
def test_local_extrema(name, dtype, shape):
    image = np.random.default_rng(0).integers(0, 3, shape).astype(dtype)
    for connectivity in (None, *range(1, len(shape) + 1)):
        for allow_borders in (True, False):
            check(
                getattr(segmentation, name), getattr(morphology, name), image,
                connectivity=connectivity, allow_borders=allow_borders,
            )  # fmt: skip


@pytest.mark.parametrize("dtype", ["?", "u1", ">i2", "f2", "f4", "g"])
def test_kernels_agree_on_plateaus_and_components(dtype):
    random = np.random.default_rng(1)
    for shape in [(1,), (19,), (1, 7), (12, 9), (4, 5, 6), (2, 3, 2, 3)]:
        image = random.integers(0, 3, shape).astype(dtype)
        if image.dtype.kind == "f":
            image[random.random(shape) < 0.1] = np.nan
            image[random.random(shape) < 0.1] = -np.inf
        calls = [(blocks.plateaus.plateau_states, True), (blocks.plateaus.plateau_states, False)]
        if image.dtype.kind in "iu":
            calls.append((blocks.equal_components.equal_components,))
        for connectivity in range(1, len(shape) + 1):
            structure = ndimage.generate_binary_structure(len(shape), connectivity)
            steps = tuple(displacements_of(structure))
            for function, *arguments in calls:
                found = function(image, steps, *arguments)
                with plain_kernels():
                    expected = function(image, steps, *arguments)
                both = zip(found, expected) if isinstance(found, tuple) else [(found, expected)]
                for ours, plain in both:
                    np.testing.assert_array_equal(ours, plain)


@pytest.mark.parametrize("name", ["local_maxima", "local_minima"])
def test_plateaus_over_many_blocks(name):
    image = np.zeros((20, 20), int)
    image[2:18, 3] = image[17, 3:15] = image[5:18, 14] = 4
    image[4, 14] = 9
    function, reference = getattr(segmentation, name), getattr(morphology, name)
    check(function, reference, image)
    check(function, reference, -image)
    check(function, reference, np.ones((9, 9)))
    check(function, reference, image, footprint=np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], bool))
    found = function(da.from_array(image, chunks=3), indices=True)
    for ours, expected in zip(found, reference(image, indices=True)):
        np.testing.assert_array_equal(ours, expected)


def test_extrema_off_the_border_of_narrow_images():
    with pytest.warns(UserWarning, match="no extremum"):
        found = segmentation.local_maxima(da.ones((2, 9)), allow_borders=False)
    assert not found.compute().any()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8"])
def test_reconstruction(dtype, shape, either_kernel):
    random = np.random.default_rng(1)
    mask = random.integers(5, 15, shape).astype(dtype)
    seed = (mask - random.integers(0, 5, shape)).astype(dtype)
    for connectivity in range(1, len(shape) + 1):
        footprint = ndimage.generate_binary_structure(len(shape), connectivity)
        check(
            segmentation.reconstruction, morphology.reconstruction, seed, mask, footprint=footprint
        )
        check(
            segmentation.reconstruction, morphology.reconstruction, mask, seed, method="erosion",
            footprint=footprint,
        )  # fmt: skip
    check(segmentation.reconstruction, morphology.reconstruction, seed, mask)


def test_reconstruction_along_a_spiral():
    mask = np.zeros((19, 19))
    step, place = [(0, 1), (1, 0), (0, -1), (-1, 0)], np.array([0, 0])
    turn, mask[0, 0] = 0, 9
    for _ in range(180):
        ahead = place + 2 * np.array(step[turn])
        beyond = (
            not ((ahead >= 0) & (ahead < 19)).all()
            and not ((place + step[turn] >= 0) & (place + step[turn] < 19)).all()
        )
        if beyond or (((ahead >= 0) & (ahead < 19)).all() and mask[tuple(ahead)]):
            turn = (turn + 1) % 4
        place = place + step[turn]
        if not ((place >= 0) & (place < 19)).all():
            break
        mask[tuple(place)] = 9
    seed = np.zeros_like(mask)
    seed[0, 0] = 7
    cross = ndimage.generate_binary_structure(2, 1)
    check(segmentation.reconstruction, morphology.reconstruction, seed, mask, footprint=cross)


def reconstructed(seed, mask):
    """Return a reconstruction by dilation, step by step; nothing passes a NaN."""
    walls = np.isnan(seed) | np.isnan(mask)
    found, mask = np.where(walls, -np.inf, seed), np.where(walls, -np.inf, mask)
    while True:
        spread = np.minimum(ndimage.grey_dilation(found, size=(3,) * found.ndim), mask)
        if np.array_equal(spread, found):
            return np.where(walls, np.nan, found)
        found = spread


@pytest.mark.parametrize("share", [0.05, 0.4, 1.0])
@pytest.mark.parametrize("method", ["dilation", "erosion"])
def test_reconstruction_does_not_pass_nan(share, method, either_kernel):
    random = np.random.default_rng(5)
    mask = random.integers(0, 9, (21, 23)).astype(float)
    seed = np.where(random.random(mask.shape) < 0.1, mask, 0.0)
    mask[random.random(mask.shape) < share] = np.nan
    seed[random.random(mask.shape) < share / 2] = np.nan
    sign = 1 if method == "dilation" else -1
    for chunks in ((21, 23), (5, 4)):
        lazy = [da.from_array(sign * each, chunks=chunks) for each in (seed, mask)]
        found = segmentation.reconstruction(*lazy, method=method).compute()
        np.testing.assert_array_equal(sign * found, reconstructed(seed, mask))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_heights_leave_out_what_is_not_finite(value, either_kernel):
    image = np.array([[0, 3, 2, 9, 8, 9, value, 7, 1.0]])
    found = segmentation.h_maxima(da.from_array(image, chunks=2), 2).compute()
    np.testing.assert_array_equal(found, [[0, 0, 0, 1, 0, 1, 0, 1, 0]])


def test_reconstruction_refuses_what_is_above():
    seed, mask = da.full((4, 4), 2, chunks=2), da.ones((4, 4), chunks=2)
    with pytest.raises(ValueError, match="nowhere above mask"):
        segmentation.reconstruction(seed, mask).compute()
    with pytest.raises(ValueError, match="method must be one of"):
        segmentation.reconstruction(mask, mask, method="opening")
    with pytest.raises(ValueError, match="symmetric"):
        segmentation.reconstruction(mask, mask, footprint=[[1, 0, 0], [0, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize("name", ["h_maxima", "h_minima"])
@pytest.mark.parametrize(
    ("dtype", "h"), [("u1", 2), ("i2", 3.0), ("f4", 1.5), ("f8", 2), ("u1", 99)]
)
def test_extrema_by_height(name, dtype, h):
    for shape in SHAPES:
        image = np.random.default_rng(2).integers(0, 9, shape).astype(dtype)
        check(getattr(segmentation, name), getattr(morphology, name), image, h=h)


@pytest.mark.filterwarnings("ignore:.*(precision loss|not whole).*")
@pytest.mark.parametrize("name", ["h_maxima", "h_minima"])
def test_heights_that_are_not_whole(name):
    image = np.random.default_rng(3).integers(0, 9, (12, 12))
    check(getattr(segmentation, name), getattr(morphology, name), image, h=1.5)
    with pytest.raises(ValueError, match="h must be above 0"):
        getattr(segmentation, name)(image, 0)


# ---------------------------------------------------------------------------------------
# Thresholds

METHODS = ["otsu", "yen", "triangle", "isodata", "li", "multiotsu"]
PICTURES = {
    "coins": lambda: data.coins()[:120, :150],
    "signed": lambda: data.coins()[:90, :90].astype("i2") - 100,
    "wide": lambda: data.coins()[:90, :90].astype("i8") * 3,
    "float": lambda: data.coins()[:90, :90] / 255,
    "single": lambda: (data.coins()[:90, :90] / 255).astype("f4"),
    "normal": lambda: np.random.default_rng(0).normal(size=(300, 300)),
    "constant": lambda: np.full((9, 9), 7.0),
    "two": lambda: np.array([[1, 1, 5, 5]], "u1"),
}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # those of scikit-image
def test_thresholds(method, picture):
    image = PICTURES[picture]()
    if method == "multiotsu" and picture in ("wide", "constant", "two"):
        pytest.skip("takes scikit-image long, or has too few values")
    if method == "isodata" and picture == "constant":
        pytest.skip("scikit-image finds no threshold, and raises")
    function = getattr(segmentation, f"threshold_{method}")
    expected = getattr(filters, f"threshold_{method}")(image.copy())
    for chunks in (-1, (41, 77), 100):
        with nothing_computes():
            threshold = function(da.from_array(image, chunks=chunks))
        assert threshold.shape == np.shape(expected)
        computed = threshold.compute()
        assert computed.dtype == threshold.dtype
        tolerance = 1e-6 if method == "li" else 0
        np.testing.assert_allclose(computed, expected, rtol=tolerance)


def test_thresholds_with_options():
    image = PICTURES["float"]()
    lazy = da.from_array(image, chunks=31)
    np.testing.assert_array_equal(
        segmentation.threshold_isodata(lazy, 64, True),
        filters.threshold_isodata(image, 64, True),
    )
    np.testing.assert_array_equal(
        segmentation.threshold_multiotsu(lazy, 4, 32), filters.threshold_multiotsu(image, 4, 32)
    )
    few = np.array([[6, 7, 0, 7, 4, 4]], "u1")  # where the first bin counts for less, as there
    np.testing.assert_array_equal(
        segmentation.threshold_multiotsu(few, 2), filters.threshold_multiotsu(few, 2)
    )
    np.testing.assert_allclose(
        segmentation.threshold_li(lazy, tolerance=0.01, initial_guess=0.7),
        filters.threshold_li(image, tolerance=0.01, initial_guess=0.7),
    )


def test_isodata_of_one_value_is_that_value():
    image = da.full((9, 9), 0.1, chunks=4)
    assert segmentation.threshold_isodata(image).compute() == 0.1
    assert segmentation.threshold_isodata(image, return_all=True).compute() == [0.1]


def test_li_leaves_out_what_is_not_finite():
    image = PICTURES["float"]()
    image[::7] = np.nan
    image[3, 3] = np.inf
    expected = filters.threshold_li(image.copy())
    np.testing.assert_allclose(segmentation.threshold_li(da.from_array(image, chunks=40)), expected)
    nothing = da.full((4, 4), np.nan, chunks=2)
    assert np.isnan(segmentation.threshold_li(nothing).compute())


def test_integers_too_far_apart_to_count_each_are_refused():
    image = da.from_array(np.array([-(2**63), 0, 2**63 - 1]), chunks=2)
    for method in ("otsu", "yen", "triangle", "isodata", "multiotsu"):
        threshold = getattr(segmentation, f"threshold_{method}")(image)
        with pytest.raises(ValueError, match=r"got -9223372036854775808 to 9223372036854775807"):
            threshold.compute()


def test_li_tells_any_integers_apart():
    values = np.array([0, 2**31, 2**32 - 1, 5, 9, 2**31 + 7, 11, 2**32 - 9], "u4")
    threshold = segmentation.threshold_li(da.from_array(values, chunks=3))
    np.testing.assert_allclose(threshold, segmentation.threshold_li(values.astype(float)))


def test_thresholds_refuse_what_has_none():
    with pytest.raises(ValueError, match="must have pixels"):
        segmentation.threshold_otsu(da.zeros((0, 3)))
    with pytest.raises(ValueError, match="image must hold finite values, got nan to nan"):
        segmentation.threshold_otsu(da.full((4, 4), np.nan)).compute()
    with pytest.raises(ValueError, match="integers below 2\\*\\*63, as thresholds are int64, got"):
        segmentation.threshold_otsu(da.full((4, 4), 2**63, dtype="u8")).compute()
    with pytest.raises(ValueError, match="at least 3 bins"):
        segmentation.threshold_multiotsu(da.zeros((4, 4), dtype="u1")).compute()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_hysteresis(shape):
    image = np.random.default_rng(4).integers(0, 9, shape)
    check(
        lambda x: segmentation.apply_hysteresis_threshold(x, 3, 6),
        lambda x: filters.apply_hysteresis_threshold(x, 3, 6), image,
    )  # fmt: skip
    low = np.random.default_rng(5).integers(2, 8, shape)
    check(
        lambda x, y: segmentation.apply_hysteresis_threshold(x, y, da.asarray(6)),
        lambda x, y: filters.apply_hysteresis_threshold(x, y, 6), image, low,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------
# Objects


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_small_objects_and_holes(shape):
    labels = random_labels(shape)
    for connectivity in range(1, len(shape) + 1):
        options = {"max_size": 4, "connectivity": connectivity}
        for image in (labels, labels > 0):
            check(
                segmentation.remove_small_objects, morphology.remove_small_objects, image, **options
            )
        check(segmentation.remove_small_holes, morphology.remove_small_holes, labels > 0, **options)


def test_small_objects_refuse_negative_labels():
    labels = da.from_array(np.array([1, -1, 2]))
    with pytest.raises(ValueError, match="negative"):
        segmentation.remove_small_objects(labels).compute()
    with pytest.raises(TypeError, match="integers or booleans"):
        segmentation.remove_small_objects(labels * 1j)
    with pytest.warns(UserWarning, match="boolean array"):
        segmentation.remove_small_holes(labels)


@pytest.mark.parametrize(
    "function",
    [
        segmentation.clear_border,
        segmentation.expand_labels,
        segmentation.find_boundaries,
        segmentation.remove_small_objects,
        segmentation.join_segmentations,
        segmentation.relabel_sequential,
    ],
)
def test_labels_may_be_whole_floats(function):
    def results(labels):
        labels = da.from_array(labels, chunks=5)
        pair = (labels, labels) if function is segmentation.join_segmentations else (labels,)
        found = function(*pair)
        return found[0] if isinstance(found, tuple) else found

    labels = random_labels((13, 11))
    floats = np.where(labels == 0, np.nan, labels).astype("f4")
    np.testing.assert_array_equal(results(floats), results(labels))
    with pytest.raises(ValueError, match="must hold whole numbers .* got .+[.]5"):
        results(floats + 0.5).compute()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_clear_border(shape):
    labels = random_labels(shape)
    mask = np.random.default_rng(6).random(shape) < 0.9
    for image in (labels, labels > 0):
        check(segmentation.clear_border, theirs.clear_border, image)
        check(segmentation.clear_border, theirs.clear_border, image, buffer_size=1)
        check(
            lambda x, m: segmentation.clear_border(x, mask=m),
            lambda x, m: theirs.clear_border(x, mask=m), image, mask,
        )  # fmt: skip
    check(segmentation.clear_border, theirs.clear_border, labels, bgval=7)
    with pytest.raises(ValueError, match="buffer_size must be less"):
        segmentation.clear_border(labels, buffer_size=99)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("distance", [0, 1, 1.5, 4])
def test_expand_labels(distance, shape):
    labels = random_labels(shape) * (np.random.default_rng(7).random(shape) < 0.2)
    check(segmentation.expand_labels, theirs.expand_labels, labels, distance=distance)
    spacing = (1.0, 0.5, 2.0)[: len(shape)]
    check(
        segmentation.expand_labels, theirs.expand_labels, labels, distance=distance, spacing=spacing
    )


@pytest.mark.parametrize("mode", ["thick", "inner", "outer", "subpixel"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_find_boundaries(shape, mode):
    labels = random_labels(shape).astype("i4")
    for connectivity in range(1, len(shape) + 1):
        options = {"connectivity": connectivity, "mode": mode}
        check(segmentation.find_boundaries, theirs.find_boundaries, labels, **options)
    check(segmentation.find_boundaries, theirs.find_boundaries, labels > 0, mode=mode)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_join_segmentations(shape):
    one, other = random_labels(shape), random_labels(shape, seed=1)
    check(segmentation.join_segmentations, theirs.join_segmentations, one, other)


def test_joined_labels_beyond_signed_integers():
    labels = np.array([[0, 2**63 + 5, 2**64 - 1], [2**63 + 5, 0, 3]], "u8")
    joined, mapping, _ = dask.compute(
        *segmentation.join_segmentations(da.from_array(labels, chunks=1), labels > 0, True)
    )
    np.testing.assert_array_equal(joined, [[0, 2, 3], [2, 0, 1]])
    np.testing.assert_array_equal(mapping[joined], labels)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mappings_of_joined_segmentations(shape):
    one, other = 7 * random_labels(shape).astype("u1"), random_labels(shape, seed=1).astype("i4")
    some = np.where(one + other == 0, 2, other)  # nowhere are both 0
    for pair in ((one, other), (one, some), (one * 0, other), (one * 0, other * 0)):
        for cut, chunks in cuttings(*pair):
            expected = theirs.join_segmentations(*cut, return_mapping=True)
            lazy = [da.from_array(array, chunks=chunks) for array in cut]
            with nothing_computes():
                found = segmentation.join_segmentations(*lazy, return_mapping=True)
            joined, *mappings = dask.compute(*found, scheduler="synchronous")
            np.testing.assert_array_equal(joined, expected[0])
            for labels, mapping, whole in zip(cut, mappings, expected[1:]):
                np.testing.assert_array_equal(mapping, np.asarray(whole))
                np.testing.assert_array_equal(mapping[joined], labels)
                assert mapping.dtype == labels.dtype


def test_mappings_without_pixels():
    empty = da.zeros((0, 3), dtype=int, chunks=2)
    joined, *mappings = segmentation.join_segmentations(empty, empty, return_mapping=True)
    assert joined.compute().shape == (0, 3)
    for mapping in mappings:
        np.testing.assert_array_equal(mapping, [0])
    with pytest.raises(ValueError, match="labels must not be negative, got -1"):
        segmentation.join_segmentations([1, -1], [0, 0], return_mapping=True)[1].compute()


def test_names_that_other_areas_have_too():
    assert segmentation.relabel_sequential is ndmeasure.relabel_sequential
    assert segmentation.regionprops_table is ndmeasure.regionprops_table
    for name in segmentation.__all__:
        if name.startswith("threshold_"):
            assert getattr(segmentation, name) is getattr(ndfilters, name)


# ---------------------------------------------------------------------------------------
# Peaks


def check_peaks(whole, whole_labels=None, **keywords):
    for (image, labels), chunks in cuttings(whole, whole_labels):
        expected = feature.peak_local_max(image.copy(), labels=labels, **keywords)
        lazy_labels = None if labels is None else da.from_array(labels, chunks=chunks)
        with nothing_computes():
            peaks = segmentation.peak_local_max(
                da.from_array(image, chunks=chunks), labels=lazy_labels, **keywords
            )
        computed = peaks.compute(scheduler="synchronous")
        assert computed.dtype == np.int64
        np.testing.assert_array_equal(computed, expected.reshape(-1, image.ndim))


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {}, {"min_distance": 2}, {"min_distance": 3, "exclude_border": False, "p_norm": 2},
        {"threshold_abs": 5, "exclude_border": 1}, {"threshold_rel": 0.7, "num_peaks": 3},
        {"min_distance": 2, "exclude_border": 0, "num_peaks": 4},
    ],
    ids=str,
)  # fmt: skip
def test_peaks(options, shape, dtype):
    image = np.random.default_rng(8).integers(0, 20, shape).astype(dtype)
    check_peaks(image, **options)
    check_peaks(image, random_labels(shape), **options)
    stripes = (np.arange(image.size) // max(image.size // 4, 1)).reshape(shape)
    check_peaks(image, stripes, num_peaks_per_label=2, **options)


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u4", "i4", "f2", "f4", bool])
def test_the_highest_peak_comes_first_whatever_its_dtype(dtype, labelled):
    low, high = (
        (0, 1) if dtype in (bool, "f2", "f4") else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    )
    image = np.full((3, 9), low, dtype)
    image[1, 6] = high
    labels = np.ones(image.shape, int) if labelled else None
    peaks = segmentation.peak_local_max(
        da.from_array(image, chunks=4), threshold_abs=float(low) - 1, exclude_border=False,
        labels=labels, num_peaks=1,
    )  # fmt: skip
    np.testing.assert_array_equal(peaks.compute(), [[1, 6]])


def test_peaks_of_images_without_any():
    check_peaks(np.ones((8, 8)))
    check_peaks(np.ones((8, 8)), np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4), int)))
    check_peaks(data.coins()[:30, :25], min_distance=10)


def test_peaks_refuse_wrong_borders():
    with pytest.raises(ValueError, match="a width for each of 2 axes"):
        segmentation.peak_local_max(da.zeros((5, 5)), exclude_border=(1,))
    with pytest.raises(ValueError, match="at least 0"):
        segmentation.peak_local_max(da.zeros((5, 5)), exclude_border=-1)


# ---------------------------------------------------------------------------------------
# Scaling

RANGES = ["image", "dtype", (10, 100), "uint8", np.uint16]


@pytest.mark.parametrize("in_range", RANGES, ids=str)
@pytest.mark.parametrize("out_range", [*RANGES, "uint12", "float", np.int16], ids=str)
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_rescale_intensity(dtype, out_range, in_range):
    image = (data.coins()[:20, :30] - 20.0).astype(dtype)
    check(
        segmentation.rescale_intensity, exposure.rescale_intensity, image, in_range=in_range,
        out_range=out_range,
    )  # fmt: skip


def test_ranges_that_are_wrong_or_lazy():
    image = da.from_array(np.array([1.0, 2, 3]))
    with pytest.raises(ValueError, match="in_range must be"):
        segmentation.rescale_intensity(image, "nonsense")
    lazy = segmentation.rescale_intensity(image, (image.min(), image.max()), (0, 1))
    np.testing.assert_array_equal(lazy, [0, 0.5, 1])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("factors", [1, 2, 3, 9])
def test_downscale_local_mean(factors, shape):
    for dtype in ("u1", "f4", "f8"):
        image = np.random.default_rng(9).integers(0, 99, shape).astype(dtype)
        check(
            lambda x: segmentation.downscale_local_mean(x, factors, cval=2),
            lambda x: transform.downscale_local_mean(x, factors, cval=2), image, rtol=1e-6,
        )  # fmt: skip


@pytest.mark.parametrize("method", ["mean", "mode", "nearest"])
def test_levels_of_a_pyramid(method):
    image = np.random.default_rng(10).integers(0, 4, (11, 1300), dtype="u2")
    expected = [image]
    while len(expected) < 3:
        rows, columns = (-(-size // 2) for size in expected[-1].shape)
        cells = [
            [expected[-1][2 * y : 2 * y + 2, 2 * x : 2 * x + 2] for x in range(columns)]
            for y in range(rows)
        ]
        choose = {
            "mean": lambda cell: np.rint(cell.mean()),
            "mode": lambda cell: np.bincount(cell.ravel()).argmax(),
            "nearest": lambda cell: cell[0, 0],
        }[method]
        expected.append(np.array([[choose(cell) for cell in row] for row in cells], "u2"))
    for chunks in (-1, (4, 333), (5, (1,) * 9 + (1291,))):
        levels = segmentation.pyramid(da.from_array(image, chunks=chunks), method=method)
        assert len(levels) == 3
        for level, whole in zip(levels, expected):
            assert level.dtype == image.dtype
            np.testing.assert_array_equal(level, whole)


def test_pyramids_of_wrong_arguments():
    with pytest.raises(ValueError, match="levels must be given"):
        segmentation.pyramid(da.zeros((4, 4)), factors=1)
    with pytest.raises(ValueError, match="method must be one of"):
        segmentation.pyramid(da.zeros((4, 4)), method="median")
    levels = segmentation.pyramid(da.zeros((3, 64, 64)), levels=2, factors=(1, 2, 2))
    assert [level.shape for level in levels] == [(3, 64, 64), (3, 32, 32)]
