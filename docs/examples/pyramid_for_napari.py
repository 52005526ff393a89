"""
Write an OME-Zarr pyramid with labels, for napari and Fiji.

A retina, with pixels of 8 µm, becomes an OME-Zarr: the picture, its labels and smaller sizes of
both, with names of axes and units. Any level is read back lazily, with its own size of pixels.

Usage: ``python pyramid_for_napari.py [OUTPUT_FOLDER]``; then ``napari retina.ome.zarr``
"""

import sys
from pathlib import Path

import dask.array as da
import matplotlib
import numpy as np
import xarray
from skimage import data

import dask_image.xarray as xndi
from dask_image import ngff
from dask_image.segmentation import remove_small_objects

matplotlib.use("agg")
import matplotlib.pyplot as plt

PIXEL = 8  # µm


def retina():
    """Return the green channel of a retina, with coordinates in µm."""
    green = da.from_array(data.retina()[..., 1], chunks=(400, 400))
    places = {
        dim: (dim, np.arange(size) * float(PIXEL), {"units": "µm"})
        for dim, size in zip("yx", green.shape)
    }
    return xarray.DataArray(green, places, ("y", "x"), "green")


def vessels_of(image):
    """Return labels of the vessels: dark lines narrower than 200 µm."""
    smooth = xndi.gaussian_filter(image, {"y": 16, "x": 16}, units="coordinates", output="float32")
    lines = xndi.black_tophat(smooth, size=25)
    mask = lines.copy(data=remove_small_objects(lines.data > 9, max_size=400))
    labels, _ = xndi.label(mask)
    return labels


def main(output):
    """Write the pyramid, and draw its levels."""
    output.mkdir(parents=True, exist_ok=True)
    image = retina()
    store = output / "retina.ome.zarr"
    ngff.write_image(image, store, overwrite=True, levels=4)
    ngff.write_labels(vessels_of(image), store, "vessels")

    figure, axes = plt.subplots(2, 4, figsize=(14, 7.4), layout="constrained", squeeze=False)
    for level in range(4):
        picture = xndi.read_ome_zarr(store, level)
        labels = xndi.read_ome_zarr(f"{store}/labels/vessels", level)
        part = dict(y=slice(2600, 7800), x=slice(600, 5800))  # µm, alike in every level
        picture, labels = picture.sel(part), labels.sel(part)
        step = float(picture["x"][1] - picture["x"][0])
        axes[0, level].imshow(picture, cmap="gray", interpolation="nearest")
        axes[0, level].set_title(f"level {level}: pixels of {step:g} µm")
        axes[1, level].imshow(np.ma.masked_equal(labels, 0), cmap="prism", interpolation="nearest")
        axes[1, level].set_title(f"labels, {labels.shape[0]} × {labels.shape[1]}")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "pyramid_for_napari.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
