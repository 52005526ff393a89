"""What image, label_image and index are turned into."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dask_image._utils.labels import (
    align_chunks,
    as_label_image,
    as_labelled_image,
    as_selection,
    check_labels_fit,
    locate_labels,
)
from tests.helpers import nothing_computes

LABELS = as_labelled_image(np.zeros((4, 5)), np.zeros((4, 5), int))


def test_labels_are_integers_or_booleans():
    with pytest.raises(TypeError, match="markers must hold .* got dtype complex64"):
        as_label_image(np.zeros(3, "c8"), name="markers")
    for floats in ("f2", "f4", "f8"):
        assert as_label_image(np.zeros(3, floats)).dtype == np.int64
    for allowed in ("?", "i1", "u8", ">i4"):
        assert as_label_image(np.zeros(3, allowed)).dtype == np.dtype(allowed).newbyteorder("=")


def test_no_labels_are_one_group():
    labelled = as_labelled_image(da.zeros((4, 6), chunks=(3, 4)))
    assert labelled.whole
    assert labelled.labels.chunks == labelled.image.chunks == ((3, 1), (4, 2))
    assert (labelled.labels.compute() == 1).all()


@pytest.mark.parametrize(
    ("image", "labels"), [((4, 5), (5,)), ((5,), (4, 5)), ((4, 1), (1, 5)), ((), (4, 5))]
)
def test_broadcasting(image, labels):
    values, groups = np.ones(image), np.arange(int(np.prod(labels))).reshape(labels)
    with nothing_computes():
        labelled = as_labelled_image(values, da.from_array(groups, chunks=2))
    assert labelled.image.shape == labelled.labels.shape == (4, 5)
    assert labelled.image.chunks == labelled.labels.chunks
    assert labelled.image_shape == image
    np.testing.assert_array_equal(labelled.labels.compute(), np.broadcast_to(groups, (4, 5)))


def test_a_broadcast_axis_takes_the_chunks_of_the_other():
    image = da.zeros((1000, 6), chunks=(10, 3))
    labels = as_labelled_image(image, da.arange(6, chunks=3)).labels
    assert labels.chunks == image.chunks


def test_chunks_are_cut_where_either_is():
    first, second = da.zeros(12, chunks=5), da.zeros(12, chunks=4)
    aligned = align_chunks(first, second)
    assert [each.chunks for each in aligned] == [((4, 1, 3, 2, 2),)] * 2
    assert align_chunks(first, first + 1)[0] is first


def test_kinds_of_selection():
    assert as_selection(None, LABELS).pooled
    assert as_selection("all", LABELS).everything
    assert as_selection(3, LABELS).single
    assert as_selection(np.int8(3), LABELS).shape == ()
    assert not as_selection(np.array(3), LABELS).single
    assert as_selection([[1, 2]], LABELS).shape == (1, 2)
    assert as_selection(da.ones((4, 2), chunks=1), LABELS).index.npartitions == 1
    whole = as_labelled_image(np.zeros(3))
    assert as_selection([1, 2], whole).pooled


def test_fit():
    check_labels_fit(as_selection([0, 255.0], LABELS), np.dtype("u1"))
    check_labels_fit(as_selection([True], LABELS), np.dtype("?"))
    check_labels_fit(as_selection(None, LABELS), np.dtype("u1"))
    for index in ([256], [-1], [0.5], [2]):
        with pytest.raises(ValueError, match="got "):
            check_labels_fit(as_selection(index, LABELS), np.dtype("?" if index == [2] else "u1"))


def test_nothing_present():
    where, found = locate_labels(np.empty(0, int), np.array([[1, 2]]))
    assert where.shape == found.shape == (1, 2)
    assert not found.any()


def test_labels_beyond_the_precision_of_floats():
    present = np.array([2**63, 2**64 - 2, 2**64 - 1], np.uint64)
    where, found = locate_labels(present, np.array([2**64 - 1, 2**63 + 1], np.uint64))
    assert where[0] == 2 and found.tolist() == [True, False]
    where, found = locate_labels(present, np.array([2.0**63, -5.0, 1e300, np.nan]))
    assert where[0] == 0 and found.tolist() == [True, False, False, False]
    signed = np.array([-(2**63), 2**63 - 1])
    assert locate_labels(signed, np.array([2**63 - 1]))[1].all()
    assert not locate_labels(signed, np.array([2**63], np.uint64))[1].any()
    assert not locate_labels(signed, np.array([2.0**63]))[1].any()


@given(
    dtype=st.sampled_from(["u1", "i1", "i2", "u4", "i8", "u8"]),
    index_dtype=st.sampled_from(["u1", "i1", "i2", "u4", "i8", "u8"]),
    seed=st.integers(0, 999),
)
def test_locating_compares_as_integers(dtype, index_dtype, seed):
    random = np.random.default_rng(seed)
    present = np.unique(random.integers(0, 120, 9) - (60 if dtype[0] == "i" else 0)).astype(dtype)
    index = (random.integers(0, 120, (3, 4)) - (60 if index_dtype[0] == "i" else 0)).astype(
        index_dtype
    )
    where, found = locate_labels(present, index)
    values = present.tolist()
    for place, is_found, label in zip(where.flat, found.flat, index.ravel().tolist(), strict=True):
        assert is_found == (label in values)
        assert not is_found or values[place] == label
