"""find_objects against SciPy, and regionprops_table against scikit-image, on the whole array."""

import dask
import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndmeasure
from dask_image.ndmeasure._objects import find_objects_list

SIDE = 4096
CHUNK = 1024


def cases():
    """Yield ``(name, target_ratio, ours, scipys)``."""
    labels = squares(280)
    yield (
        "find_objects, table of 78400",
        2.0,
        lambda: _compute(ndmeasure.find_objects(da.from_array(labels, chunks=CHUNK))),
        lambda: ndimage.find_objects(labels),
    )
    yield (
        "find_objects, list of 78400",
        2.0,
        lambda: _compute(find_objects_list(da.from_array(labels, chunks=CHUNK))),
        lambda: ndimage.find_objects(labels),
    )
    try:
        from skimage.measure import regionprops_table
    except ImportError:
        return
    few = squares(50)
    image = np.random.default_rng(0).random(few.shape)
    properties = ("label", "area", "bbox", "centroid", "intensity_mean", "axis_major_length")
    yield (
        "regionprops_table of 2500, against scikit-image",
        1.0,
        lambda: _table(few, image, properties),
        lambda: regionprops_table(few, image, properties=properties),
    )


def squares(count):
    """Return labels of ``count`` by ``count`` separate squares, numbered from 1."""
    tiles = np.arange(SIDE) * count // SIDE
    labels = (tiles[:, None] * count + tiles + 1).astype(np.int32)
    gaps = np.append(True, np.diff(tiles) > 0)
    labels[gaps] = 0
    labels[:, gaps] = 0
    return labels


def _compute(lazy):
    return lazy.compute(scheduler="threads", num_workers=2)


def _table(labels, image, properties):
    table = ndmeasure.regionprops_table(
        da.from_array(labels, chunks=CHUNK), da.from_array(image, chunks=CHUNK), properties
    )
    return dask.compute(table, scheduler="threads", num_workers=2)
