"""Graphs that are cloned, and bound to others, give what they gave before."""

import dask
import dask.array as da
import numpy as np
import pytest
from dask.graph_manipulation import bind, clone

from dask_image import ndfilters, ndmeasure, ndmorph, segmentation
from dask_image._utils.engines.graph import QUERY_PLANNING
from dask_image.imread import imread
from tests.helpers import seeded_image

pytestmark = pytest.mark.skipif(QUERY_PLANNING, reason="Dask clones no expressions")

IMAGE = da.from_array(seeded_image((20, 17), "f8"), chunks=(7, 6))
RESULTS = {
    "gaussian_filter": lambda image: ndfilters.gaussian_filter(image, 1),
    "gaussian_filter-wide": lambda image: ndfilters.gaussian_filter(image, 4),
    "label": lambda image: ndmeasure.label(image > 0.5)[0],
    "median": lambda image: ndmeasure.median(image, ndmeasure.label(image > 0.5)[0], "all")[0],
    "distance": lambda image: ndmorph.distance_transform_edt(image > 0.2),
    "watershed": lambda image: segmentation.watershed(-image),
    "peaks": lambda image: segmentation.peak_local_max(image),
}


@pytest.mark.parametrize("name", RESULTS)
def test_clones_share_no_task(name):
    result = RESULTS[name](IMAGE)
    cloned = clone(result)
    assert not set(cloned.__dask_graph__()) & set(result.__dask_graph__())
    np.testing.assert_array_equal(cloned.compute(), result.compute())


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_bound_waits(name):
    order = []
    before = dask.delayed(order.append)("before")

    def look(block):
        order.append("block")
        return block

    image = da.map_blocks(look, IMAGE, dtype=IMAGE.dtype, meta=IMAGE._meta)
    bound = bind(RESULTS[name](image), before)
    np.testing.assert_array_equal(bound.compute(scheduler="sync"), RESULTS[name](IMAGE).compute())
    assert order[0] == "before" and order.count("before") == 1


def test_files_are_cloned(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", seeded_image((3, 8, 9), "u2"), photometric="minisblack")
    image = imread(tmp_path / "a.tif")
    cloned = clone(image)
    assert not set(cloned.__dask_graph__()) & set(image.__dask_graph__())
    np.testing.assert_array_equal(cloned, image)
