"""
Every function on arrays of Dask's query planning: ``make test-query-planning``.

Dask chooses between two classes of arrays when it is imported, so these tests run in a process
of their own.
"""

import dask
import dask.array as da
import numpy as np
import pytest

from dask_image import ndmeasure, segmentation, store, to_zarr
from dask_image._utils.engines.graph import QUERY_PLANNING
from tests.calls import ALL_CALLS
from tests.helpers import arrays_for_calls, assert_same_values

pytestmark = pytest.mark.skipif(
    not QUERY_PLANNING, reason="needs the configuration array.query-planning"
)

# Their results have several axes, one of unknown length, which Dask (2026.8) itself cannot compute
# of such arrays; other functions work on them.
OF_UNKNOWN_LENGTH = {
    "segmentation.blob_dog": "blob_dog",
    "segmentation.blob_log": "blob_log",
    "segmentation.peak_local_max": "peak_local_max",
    "segmentation.peak_local_max_again": "peak_local_max",
    "ndmeasure.minimum_position_again": "minimum_position",
}

# Further: labels and images that are broadcast against each other (`dask.array.broadcast_to`),
# results that are taken apart by a mask, and NumPy's functions called on lazy arrays.


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_UNKNOWN_LENGTH)
def test_refused_when_called(name):
    message = f"^{OF_UNKNOWN_LENGTH[name]}: .* several axes and an unknown length; set "
    with pytest.raises(NotImplementedError, match=message):
        ALL_CALLS[name](*arrays_for_calls((12, 10), (5, 4)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in ALL_CALLS if name not in OF_UNKNOWN_LENGTH])
def test_blocks_do_not_show(name):
    results = [
        dask.compute(ALL_CALLS[name](*arrays_for_calls((12, 10), chunks)), scheduler="synchronous")[
            0
        ]
        for chunks in ((5, 4), -1)
    ]
    if name.startswith("ndmeasure.merge_labels"):  # which depends on the blocks
        return
    assert_same_values(*results)


def test_no_step_takes_the_place_of_another():
    """Dask names what it finds without a name by its address, which may be used again."""
    image = np.random.default_rng(0).normal(size=(12, 10))
    for _ in range(30):
        threshold = segmentation.threshold_li(da.from_array(image, chunks=(5, 4)))
        assert np.isfinite(threshold.compute(scheduler="synchronous"))


def test_tables_of_channels_in_ranges_of_labels():
    """Without a warning, too."""
    labels, image = np.arange(12).reshape(3, 4), np.random.default_rng(0).normal(size=(2, 3, 4))
    with dask.config.set({"dask-image.partition.memory": 1}):
        frame = ndmeasure.regionprops_table(
            da.from_array(labels, chunks=2), da.from_array(image, chunks=3),
            ["label", "intensity_max"], channel_axis=0, as_frame=True,
        )  # fmt: skip
    assert frame.npartitions == 6  # as many as there are blocks cut where either is cut
    table = frame.compute()
    assert table["label"].tolist() == list(range(1, 12))
    np.testing.assert_array_equal(table["intensity_max-1"], image[1].ravel()[1:])


def test_arrays_are_stored(tmp_path):
    image = np.random.default_rng(0).normal(size=(12, 10))
    lazy = da.from_array(image, chunks=2)
    targets = np.zeros((2, 12, 10))
    store([lazy, segmentation.local_maxima(lazy)], list(targets))
    np.testing.assert_array_equal(targets[0], image)
    np.testing.assert_array_equal(targets[1], segmentation.local_maxima(image).compute())
    zarr = pytest.importorskip("zarr")
    to_zarr(lazy, str(tmp_path / "image"))
    np.testing.assert_array_equal(zarr.open(str(tmp_path / "image"), mode="r")[:], image)
