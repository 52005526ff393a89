"""
Count cells in the regions of an atlas.

A volume of a light-sheet microscope shows the cells of a brain. ``blob_log`` finds them, whatever
their size; ``transform_points`` takes them to an atlas, by the matrix and the displacements that a
registration gave; ``count_points`` counts them by region. Positions stay lazy to the end: nobody
needs to know how many there are. With a larger volume nothing changes but the time.

Usage: ``python cells_by_region.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from scipy import ndimage

from dask_image.ndinterp import transform_points
from dask_image.ndmeasure import area, count_points, points_table
from dask_image.segmentation import blob_log

matplotlib.use("agg")
import matplotlib.pyplot as plt

SHAPE = (64, 160, 192)
REGIONS = [1, 2, 3, 4]


def made_up_atlas():
    """Return an atlas of half the volume's size: four layers of an ellipsoid."""
    grid = np.indices([size // 2 for size in SHAPE])
    middle = np.array(SHAPE)[:, None, None, None] / 4
    radius = np.sqrt((((grid - middle) / (middle * 0.95)) ** 2).sum(axis=0))
    return da.from_array(np.digitize(-radius, [-1, -0.8, -0.6, -0.4]), chunks=32)


def made_up_volume(atlas):
    """Return a volume with cells of two sizes, more of them in inner layers."""
    random = np.random.default_rng(0)
    chance = np.array([0, 1, 2, 4, 8])[np.kron(atlas.compute(), np.ones((2, 2, 2), int))]
    places = np.argwhere(random.random(SHAPE) < chance * 1e-4)
    volume = np.zeros(SHAPE, "float32")
    for sigma, some in zip((1.5, 2.5), np.array_split(random.permutation(places), 2)):
        cells = np.zeros(SHAPE, "float32")
        cells[tuple(some.T)] = sigma**3 * 15.7
        volume += ndimage.gaussian_filter(cells, sigma)
    return da.from_array(volume + random.normal(0, 0.03, SHAPE).astype("float32"), chunks=96)


def counted(volume, atlas):
    """Return a table of the cells, and how many lie in each region of the atlas, and how dense."""
    cells = blob_log(volume, 1.5, 2.5, 3, threshold=0.25)[:, :3]
    to_atlas = np.diag([0.5, 0.5, 0.5, 1])
    field = da.stack([0.5 * da.sin(da.indices(atlas.shape, chunks=32)[axis]) for axis in range(3)])
    there = transform_points(cells, to_atlas, displacement=field)
    counts = count_points(there, atlas, REGIONS)
    density = counts / area(atlas, atlas, REGIONS)
    return points_table(cells, intensity_image=volume), points_table(there, atlas), counts, density


def main(output):
    """Draw the cells over the volume, and counts by region."""
    output.mkdir(parents=True, exist_ok=True)
    atlas = made_up_atlas()
    volume = made_up_volume(atlas)
    found = dask.compute(volume.max(axis=0), atlas[atlas.shape[0] // 2], *counted(volume, atlas))
    seen, layers, cells, regions, counts, density = found
    print(dict(zip(REGIONS, counts.tolist())), f"of {len(regions['label'])} cells")

    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    axes[0].imshow(seen, cmap="gray", vmax=1)
    axes[0].scatter(
        cells["position-2"], cells["position-1"], s=6, c=regions["label"], cmap="viridis"
    )
    axes[0].set(title="cells, by the region they lie in", xticks=[], yticks=[])
    axes[1].imshow(layers, cmap="viridis")
    axes[1].set(title="the atlas", xticks=[], yticks=[])
    axes[2].bar(REGIONS, 1000 * density)
    axes[2].set(title="cells per 1,000 pixels of the atlas", xlabel="region", xticks=REGIONS)
    figure.savefig(output / "cells_by_region.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
