"""find_objects: a table of slices, and SciPy's list."""

import builtins

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from dask_image.ndmeasure import find_objects
from dask_image.ndmeasure._objects import find_objects_list
from tests.helpers import labels_like, nothing_computes

pandas = pytest.importorskip("pandas")
pytest.importorskip("dask.dataframe")


def assert_finds_what_scipy_finds(labels, chunks):
    """Compare the table and the list with SciPy's list, from labels of moderate size."""
    expected = ndimage.find_objects(labels.astype("i8")) if labels.size else []
    with nothing_computes():
        table = find_objects(da.from_array(labels, chunks=chunks))
        objects = find_objects_list(da.from_array(labels, chunks=chunks))
    assert objects.compute() == expected
    computed = table.compute()
    present = [number for number, box in enumerate(expected, 1) if box is not None]
    assert computed.index.tolist() == present
    assert table.columns.tolist() == computed.columns.tolist() == list(range(labels.ndim))
    assert computed.index.dtype == table.index.dtype
    assert (computed.dtypes == object).all()
    assert (table.dtypes == object).all()
    rows = [tuple(computed.iloc[row]) for row in range(len(computed))]
    assert rows == [expected[number - 1] for number in present]


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("chunks", [-1, 1, 3])
@pytest.mark.parametrize("shape", [(13,), (1, 6), (7, 9), (3, 1, 5), (2, 3, 4, 2), (), (0, 3)])
def test_objects_equal_scipy(shape, chunks):
    assert_finds_what_scipy_finds(labels_like(shape), chunks)


@pytest.mark.usefixtures("either_kernel")
@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i8", "u8"])
def test_objects_of_any_integer_dtype(dtype):
    assert_finds_what_scipy_finds(labels_like((7, 9)).astype(dtype), 4)


@pytest.mark.parametrize("value", [0, -3])
def test_background_alone_gives_an_empty_table(value):
    assert_finds_what_scipy_finds(np.full((6, 8), value), 4)


def test_objects_in_a_single_block_of_many():
    labels = np.zeros((20, 20), int)
    labels[3:5, 17] = 40
    assert_finds_what_scipy_finds(labels, 4)


def test_sparse_labels_take_no_room():
    labels = np.array([[0, 2**64 - 1, 0], [7, 0, 2**64 - 1]], np.uint64)
    table = find_objects(da.from_array(labels, chunks=2)).compute()
    assert [int(label) for label in table.index] == [7, 2**64 - 1]
    assert table.loc[2**64 - 1].tolist() == [slice(0, 2), slice(1, 3)]


@pytest.mark.parametrize("max_label", [0, -1, 1, 3, 5, 9])
def test_max_label_as_in_scipy(max_label):
    labels = labels_like((7, 9))
    labels[labels == 2] = 0
    lazy = find_objects_list(da.from_array(labels, chunks=4), max_label)
    assert lazy.compute() == ndimage.find_objects(labels, max_label)


@pytest.mark.parametrize("dtype", ["?", "u1", "i8"])
def test_large_images_give_several_partitions(dtype):
    labels = (labels_like((13, 14), low=-3, high=40)).astype(dtype)
    whole = find_objects(da.from_array(labels, chunks=4))
    with dask.config.set({"dask-image.partition.memory": 1}):
        parts = find_objects(da.from_array(labels, chunks=4))
    assert (whole.npartitions, parts.npartitions) == (1, 16)
    assert parts.compute().equals(whole.compute())
    assert parts.partitions[3].compute().index.dtype == whole.compute().index.dtype


@pytest.mark.parametrize("convert", [True, False])
def test_slices_stay_slices(convert):
    with dask.config.set({"dataframe.convert-string": convert}):
        table = find_objects(da.from_array(labels_like((7, 9)), chunks=4))
        assert isinstance(table[0].compute().iloc[0], slice)
        assert isinstance(table.persist().loc[3].compute().iloc[0, 1], slice)
        assert len(table) == 5


def test_same_call_same_name():
    labels = da.from_array(labels_like((7, 9)), chunks=4)
    assert find_objects_list(labels).key == find_objects_list(labels).key
    assert find_objects_list(labels).key != find_objects_list(labels, 3).key
    assert find_objects(labels)._name == find_objects(labels)._name


@pytest.mark.parametrize("count", [3, 3000])
def test_tasks_do_not_grow_with_the_labels(count):
    labels = da.from_array(labels_like((64, 64), high=count), chunks=16)
    assert len(find_objects_list(labels).dask) <= 4 * labels.npartitions + 10


@pytest.mark.parametrize("function", [find_objects, find_objects_list])
def test_objects_refuse_labels_that_are_no_integers(function):
    with pytest.raises(TypeError, match="label_image must hold integers"):
        function(da.zeros((4, 4), dtype="c8"))
    with pytest.raises(ValueError, match="label_image must hold whole numbers .* got 0.5"):
        function(da.full((4, 4), 0.5, dtype="f4")).compute()


def test_max_label_must_be_an_integer():
    with pytest.raises(TypeError, match="max_label must be an integer, got 2.5"):
        find_objects_list(da.zeros((4, 4), dtype=int), 2.5)


def test_missing_dataframe_names_the_extra(monkeypatch):
    original = builtins.__import__

    def import_without_dataframe(name, *args, **kwargs):
        if name.startswith("dask.dataframe"):
            raise ImportError("No module named 'pandas'")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_without_dataframe)
    with pytest.raises(ImportError, match=r"dask-image\[dataframe\]"):
        find_objects(da.zeros((4, 4), dtype=int))
    assert find_objects_list(da.ones((4, 4), dtype=int)).compute() == [(slice(0, 4),) * 2]


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    chunks=st.integers(1, 6),
    low=st.integers(-2, 1),
    high=st.integers(2, 30),
    seed=st.integers(0, 99),
)
def test_objects_property(shape, chunks, low, high, seed):
    assert_finds_what_scipy_finds(labels_like(shape, seed=seed, low=low, high=high), chunks)
