"""
Measure coins by the distance transform.

A local threshold and binary morphology tell the coins from the background, ``label`` numbers them.
The distance of a pixel to the background is greatest in the middle of its coin: there it is the
radius of the largest disk that fits inside.

Usage: ``python size_of_coins.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from skimage import data

import dask_image.ndimage as ndi
from dask_image.ndfilters import threshold_local

matplotlib.use("agg")
import matplotlib.pyplot as plt


def labels_of(image):
    """Return the labels of the coins, and how many there are."""
    smooth = ndi.gaussian_filter(image, sigma=1.5, output="float32")
    bright = smooth > threshold_local(smooth, block_size=101, offset=-4)
    return ndi.label(ndi.binary_opening(ndi.binary_fill_holes(bright), iterations=9))


def main(output):
    """Draw the coins, the distances, and the radius of each coin."""
    output.mkdir(parents=True, exist_ok=True)
    picture = data.coins()
    labels, count = labels_of(da.from_array(picture, chunks=(128, 128)))
    distance = ndi.distance_transform_edt(labels > 0)
    most = np.arange(1, 101)  # more coins than there can be: what is absent is dropped below
    radius = ndi.maximum(distance, labels, index=most)
    center = ndi.center_of_mass(labels > 0, labels, index=most)
    labels, count, distance, radius, center = dask.compute(labels, count, distance, radius, center)

    size_of_label = np.concatenate([[np.nan], radius])
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.5), layout="constrained")
    axes[0].imshow(picture, cmap="gray")
    axes[0].contour(labels > 0, [0.5], colors="gold", linewidths=1)
    axes[0].set_title(f"{count} coins")
    axes[1].imshow(distance, cmap="magma")
    axes[1].set_title("distance to the background")
    axes[2].imshow(picture, cmap="gray")
    axes[2].imshow(size_of_label[labels], cmap="viridis", alpha=0.75)
    for (row, column), size in zip(center[:count], radius[:count], strict=True):
        axes[2].text(column, row, f"{size:.0f}", color="white", ha="center", va="center")
    axes[2].set_title("radius in pixels")
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "size_of_coins.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
