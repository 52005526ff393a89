"""
What the suite of scale builds graphs of: a call of every public function, and of their other ways.

Those of `tests/calls.py` serve here too, so a new function is counted without being named. What
needs another call at scale, or is counted in several ways, stands here.
"""

import functools
import itertools
import os
import tempfile

import dask.array as da
import numpy as np
import tifffile
from scipy import ndimage

from dask_image import (
    imread,
    local_statistics,
    ndfilters,
    ndinterp,
    ndmeasure,
    ndmorph,
    segmentation,
)
from tests import calls

# These return no lazy array, or compute what they store at once, region by region.
WITHOUT_GRAPH = {*calls.WITHOUT_IMAGE, "read_metadata", "store", "to_zarr"}
TILE = 16


def _drawn(image):
    """Return coordinates of all pixels as a Dask array, without making them."""
    return da.zeros((image.ndim, *image.shape), chunks=(image.ndim, *image.chunks))


def _halved(index):
    return tuple(position / 2 for position in index)


def _perimeter(region):
    return region.sum() - ndimage.binary_erosion(region).sum()


def _rotation(ndim):
    turn = np.eye(ndim)
    turn[:2, :2] = [[0.8, 0.6], [-0.6, 0.8]]
    return turn


def _file(folder, blocks):
    """Write so many tiles to one file, and return its name."""
    shape = (TILE * blocks, TILE)
    name = os.path.join(folder, "tiles.tif")
    tiles = itertools.repeat(np.zeros((TILE, TILE), np.uint8), blocks)
    tifffile.imwrite(name, tiles, shape=shape, dtype=np.uint8, tile=(TILE, TILE))
    return name


def _read_tiles(image, *_):
    """Read one file, a tile a block."""
    with tempfile.TemporaryDirectory() as folder:
        return imread.imread(_file(folder, image.npartitions), chunks=TILE)


def _read_files(image, *_):
    """Read as many files as there are blocks."""
    with tempfile.TemporaryDirectory() as folder:
        first = _file(folder, 1)
        names = [os.path.join(folder, f"{number}.tif") for number in range(image.npartitions)]
        for name in names:
            os.symlink(first, name)
        return imread.imread(names)


def _assembled(image, *_, overlap, blend):
    """Assemble as many tiles as there are blocks."""
    across = image.numblocks[0]
    chunks = ((1,) * across**2, (1,) * across, (128,), (128,))
    tiles = da.zeros((across**2, across, 128, 128), chunks=chunks, dtype=image.dtype)
    return imread.assemble(tiles, overlap=overlap, blend=blend)


# Each gets a real image x, and of the same shape labels y, booleans b, uint8 u.
FURTHER = {
    "imread.imread": _read_tiles,
    "imread.imread, files": _read_files,
    "imread.assemble": functools.partial(_assembled, overlap=0, blend="none"),
    "imread.assemble, linear": functools.partial(_assembled, overlap=16, blend="linear"),
    "ndfilters.threshold_multiotsu": lambda x, y, b, u: ndfilters.threshold_multiotsu(x),
    "ndfilters.fill_missing, inpaint": lambda x, y, b, u: ndfilters.fill_missing(x, b, "inpaint"),
    "ndfilters.fill_missing, smooth": lambda x, y, b, u: ndfilters.fill_missing(x, b, "smooth"),
    "ndfilters.gaussian_filter, sigma 5": lambda x, y, b, u: ndfilters.gaussian_filter(x, 5),
    "ndfilters.uniform_filter, where= 41": lambda x, y, b, u: ndfilters.uniform_filter(
        x, 41, where=b
    ),
    "ndfilters.minimum_filter, where= 41": lambda x, y, b, u: ndfilters.minimum_filter(
        x, 41, where=b
    ),
    "ndinterp.affine_transform, oblique": lambda x, y, b, u: ndinterp.affine_transform(
        x, _rotation(x.ndim)
    ),
    "ndinterp.map_coordinates": lambda x, y, b, u: ndinterp.map_coordinates(x, _drawn(x), order=1),
    "ndinterp.map_coordinates_again": lambda x, y, b, u: ndinterp.map_coordinates(x, _drawn(x)),
    "ndinterp.map_coordinates, reach=3": lambda x, y, b, u: ndinterp.map_coordinates(
        x, _drawn(x), order=1, reach=3
    ),
    "ndinterp.geometric_transform, reach=3": lambda x, y, b, u: ndinterp.geometric_transform(
        x, _halved, reach=3
    ),
    "ndmeasure.value_indices, ignored": lambda x, y, b, u: ndmeasure.value_indices(
        y, ignore_value=0
    ),
    "ndmeasure.regionprops_table, extra": lambda x, y, b, u: ndmeasure.regionprops_table(
        y, x, ["label", "centroid"], extra_properties=[_perimeter]
    ),
    "ndmorph.distance_transform_edt, sampled": lambda x, y, b, u: ndmorph.distance_transform_edt(
        b, sampling=(2, 1, 1)
    ),
    "ndmorph.grey_opening, 41": lambda x, y, b, u: ndmorph.grey_opening(x, 41),
    "ndmorph.binary_dilation, 10 times": lambda x, y, b, u: ndmorph.binary_dilation(
        b, iterations=10
    ),
    "segmentation.watershed, mask": lambda x, y, b, u: segmentation.watershed(x, mask=b),
    "segmentation.watershed, wrap_axes": lambda x, y, b, u: segmentation.watershed(
        x, y, wrap_axes=tuple(range(x.ndim))
    ),
    "segmentation.peak_local_max, footprint": lambda x, y, b, u: segmentation.peak_local_max(
        x, footprint=np.ones((5,) * x.ndim)
    ),
    "local_statistics.local_mean, grid": lambda x, y, b, u: local_statistics.local_mean(
        x, 32, interpolate=None
    ),
}


def graph_calls():
    """
    Return by name ``call(image, labels, booleans, counts)``, of all functions and their ways.

    A function that stands in two families is there once.
    """
    found, seen = dict(FURTHER), set()
    for name, call in calls.ALL_CALLS.items():
        function = call.args[0]
        again = name.endswith("_again")
        if again or function not in seen:
            found.setdefault(name, call)
        seen.add(function)
    return dict(sorted(found.items()))
