"""
What is held at a time: no more than a stated number of blocks of an image of 256.

A counting scheduler runs one task after another, in Dask's order, and adds up the results that
are still needed after each. With more threads at most one further task each comes on top.
"""

import dask
import dask.array as da
import numpy as np
import pytest
from dask.callbacks import Callback
from dask.sizeof import sizeof
from packaging.version import Version

from dask_image import (
    local_statistics,
    ndfilters,
    ndinterp,
    ndmeasure,
    ndmorph,
    segmentation,
    store,
)
from dask_image._utils.spill import SpilledArray

pytestmark = pytest.mark.every_function

BLOCKS, SIDE = 16, 64
CHUNKS = ((SIDE,) * BLOCKS,) * 2

# What says where an array lies in a file, with its attributes.
SLAB_BYTES = 600


class Peak(Callback):
    """Measures how many bytes of results the scheduler holds at the most."""

    def __init__(self):
        self.bytes = 0
        super().__init__(posttask=self._look)

    def _look(self, key, result, graph, state, worker):
        held = _size(state["cache"], set())
        self.bytes = max(self.bytes, held)


def _size(value, seen):
    """Return the bytes of results, each array in them or in their attributes once."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, SpilledArray):
        return SLAB_BYTES
    if isinstance(value, dict):
        value = list(value.values())
    if hasattr(value, "__dict__") and not callable(value):
        value = list(vars(value).values())
    if isinstance(value, (list, tuple)):
        return sum(_size(each, seen) for each in value)
    return sizeof(value)


def image(dtype):
    """Return an image whose blocks are made when they are needed, and held no longer."""

    def make(block_info=None):
        random = np.random.default_rng(block_info[None]["chunk-location"])
        if dtype == "?":  # objects of some pixels
            return np.kron(random.random((SIDE // 8, SIDE // 8)) > 0.5, np.ones((8, 8), bool))
        return (random.random((SIDE, SIDE)) * 20).astype(dtype)

    return da.map_blocks(make, chunks=CHUNKS, dtype=dtype, meta=np.empty((0, 0), dtype))


def coordinates():
    def make(block_info=None):
        spans = block_info[None]["array-location"][1:]
        lines = [np.arange(*span) + 0.5 for span in spans]
        return np.stack(np.meshgrid(*lines, indexing="ij"))

    meta = np.empty((0, 0, 0))
    return da.map_blocks(make, chunks=((2,), *CHUNKS), dtype=float, meta=meta)


def total(block):
    return np.full((1,) * block.ndim, block.sum(), float)


# With the order of the oldest Dask; later ones need two thirds of it.
# Bytes of the unit that counts, the call, and how many such units it may hold.
CALLS = {
    # A bit a pixel, the labels at faces, and some blocks.
    "label": (4, lambda: ndmeasure.label(image("?"))[0], 32),
    # A bit a pixel and two lines a block; a row of blocks of costs.
    "edt": (8, lambda: ndmorph.distance_transform_edt(image("?")), 24),
    "propagation": (
        1, lambda: ndmorph.binary_propagation(image("?"), mask=image("?").astype(bool)), 128,
    ),
    # The pixels of the labels that are asked for: a twentieth of the image.
    "median": (8, lambda: ndmeasure.median(image("f8"), image("i4"), [3]), 24),
    "mean": (8, lambda: ndmeasure.mean(image("f8"), image("i4"), np.arange(1, 20)), 6),
    # Any coordinate may lie in any block; what waits is in a file. Some rows of the image's blocks,
    # 56 to 136 in fourteen runs: Dask breaks ties by names.
    "map_coordinates": (
        8, lambda: ndinterp.map_coordinates(image("f8"), coordinates(), order=1), 176,
    ),
    "median_filter": (8, lambda: ndfilters.median_filter(image("f8"), 3), 160),
    "affine_transform": (8, lambda: ndinterp.affine_transform(image("f8"), [1, 1], 0.5), 80),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_blocks_that_are_held(name):
    itemsize, call, limit = CALLS[name]
    # Two bits a pixel: more of what labels are made of is not kept for the second pass.
    few = {"dask-image.label.memory": (BLOCKS * SIDE) ** 2 // 4, "dask-image.coordinates.memory": 0}
    with dask.config.set(few):
        result = call()
    if result.numblocks == (BLOCKS, BLOCKS):  # what is asked for is let go of, block by block
        result = result.map_blocks(total, chunks=(1, 1), dtype=float)
    with Peak() as peak:
        result.compute(scheduler="synchronous")
    blocks = peak.bytes / (itemsize * SIDE**2)
    assert blocks <= limit, f"{name} holds {blocks:.1f} blocks"
    assert blocks > 0.5, "the scheduler was not counted"


class Nowhere:
    """Takes what is written, and keeps nothing."""

    shape = (BLOCKS * SIDE,) * 2

    def __setitem__(self, where, block):
        pass


@pytest.mark.skipif(Version(dask.__version__) < Version("2025.9"), reason="orders blocks otherwise")
def test_blocks_that_are_held_by_store():
    # Where one task waits for all blocks, as in `dask.array.store`, it is 103 and 163.
    calls = {
        "median_filter": lambda: ndfilters.median_filter(image("f8"), 3),
        "map_coordinates in reach": lambda: ndinterp.map_coordinates(
            image("f8"), coordinates(), order=1, reach=1
        ),
    }
    for name, call in calls.items():
        with Peak() as peak, dask.config.set(scheduler="synchronous"):
            store(call(), Nowhere(), memory="1 GB")
        blocks = peak.bytes / (8 * SIDE**2)
        assert 8 < blocks <= 48, f"{name} holds {blocks:.1f} blocks"


@pytest.mark.skipif(Version(dask.__version__) < Version("2025.9"), reason="orders blocks otherwise")
@pytest.mark.parametrize(
    "name", ["mean", "histogram", "median", "table", "otsu", "peaks", "background"]
)
def test_blocks_that_measurements_of_filtered_images_hold(name):
    # Without a chain that leads Dask along the blocks it is 70 to 204.
    smooth, labels = ndfilters.gaussian_filter(image("f8"), 1), image("i4")
    properties = ["label", "intensity_mean"]
    calls = {
        "mean": lambda: [ndmeasure.mean(smooth, labels, np.arange(1, 20))],
        "histogram": lambda: [ndmeasure.histogram(smooth, 0, 20, 10, labels)],
        # Beside rows of blocks the pixels asked for, a twentieth.
        "median": lambda: [ndmeasure.median(smooth, labels, [3])],
        "table": lambda: [*ndmeasure.regionprops_table(labels, smooth, properties).values()],
        "otsu": lambda: [ndfilters.threshold_otsu(smooth)],
        "peaks": lambda: [segmentation.peak_local_max(smooth, min_distance=3)],
        "background": lambda: list(local_statistics.background(smooth, 32, interpolate=False)),
    }
    small = {"dask-image.partition.memory": "64 KiB", "dask-image.median.memory": 1}
    with dask.config.set(small), Peak() as peak:
        dask.compute(calls[name](), scheduler="synchronous")
    blocks = peak.bytes / (8 * SIDE**2)
    limit = 96 if name == "peaks" else 64  # of which blocks have to wait for neighbours twice
    assert 8 < blocks <= limit, f"{name} holds {blocks:.1f} blocks"


def test_bytes_of_an_object_in_a_table():
    def cells(block_info=None):
        down, right = (np.arange(*span) // 4 for span in block_info[None]["array-location"])
        return (down[:, None] * (BLOCKS * SIDE // 4) + right + 1).astype(np.int32)

    labels = da.map_blocks(cells, chunks=CHUNKS, dtype="i4", meta=np.empty((0, 0), "i4"))
    properties = ["label", "area", "bbox", "centroid", "intensity_mean"]
    with dask.config.set({"dask-image.partition.memory": "256 KiB"}):
        table = ndmeasure.regionprops_table(labels, image("f4"), properties)
    # What is handed on may be let go of, as when it is written.
    sums = [column.map_blocks(total, dtype=float) for column in table.values()]
    with Peak() as peak:
        dask.compute(sums, scheduler="synchronous")
    objects = (BLOCKS * SIDE // 4) ** 2
    # Rows of 64 bytes until all labels are known, and then of 72 in a few ranges.
    assert 64 < peak.bytes / objects < 110
