"""Watershed by flooding."""

import numpy as np

from dask_image._utils.arrays import as_dask_array, block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.flooding import flood
from dask_image._utils.labels import as_label_image
from dask_image.ndmorph import distance_transform_edt
from dask_image.segmentation._arguments import in_chunks_of, neighbour_steps


@numpy_only
def watershed(
    image, markers=None, connectivity=1, mask=None, *, compactness=0, watershed_line=False
):
    """..."""
    image = as_dask_array(image)
    markers = as_label_image(markers, "markers")
    markers = in_chunks_of(image, markers, "markers")
    if mask is not None:
        mask = in_chunks_of(image, as_dask_array(mask, "mask"), "mask").astype(bool)
    steps = neighbour_steps(connectivity, image.ndim)
    return flood(image, markers, mask, squared_distances, steps, "watershed")


def squared_distances(unmarked):
    """Return the squared distance to the nearest pixel that is False."""
    farthest = sum(size**2 for size in unmarked.shape)
    dtype = np.int32 if farthest < 2**31 else np.int64
    return distance_transform_edt(unmarked).map_blocks(
        _squared, dtype, dtype=dtype, meta=block_meta(unmarked.ndim, dtype)
    )


def _squared(distance, dtype):
    return np.rint(distance * distance).astype(dtype)
