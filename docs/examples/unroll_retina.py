"""
Unroll the retina of an eye.

``map_coordinates`` reads a picture where an array of coordinates says. Here the coordinates run
around the optic disk, so that the vessels which leave it run downwards. Both the picture and the
coordinates are lazy and in chunks.

Usage: ``python unroll_retina.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from skimage import data

import dask_image.ndimage as ndi

matplotlib.use("agg")
import matplotlib.pyplot as plt

DISK = (665, 225)  # row and column of the middle of the optic disk
RADII = (40, 800)  # pixels
ANGLES = (-1.9, 1.9)  # radians, 0 is to the right


def unroll(image, height, width):
    """Sample rings around the optic disk: a row for each radius, a column for each angle."""
    radius = da.linspace(*RADII, height, chunks=250)[:, np.newaxis]
    angle = da.linspace(*ANGLES, width, chunks=250)
    coordinates = da.stack([DISK[0] + radius * da.sin(angle), DISK[1] + radius * da.cos(angle)])
    return ndi.map_coordinates(image, coordinates, order=3, cval=0)


def main(output):
    """Draw the retina and what it looks like unrolled, before and after vessels are drawn out."""
    output.mkdir(parents=True, exist_ok=True)
    picture = data.retina()
    green = da.from_array(picture[..., 1], chunks=(300, 300)).astype("float32")
    vessels = ndi.black_tophat(ndi.gaussian_filter(green, sigma=2), size=25)
    straight, lines = dask.compute(unroll(green, 500, 1000), unroll(vessels, 500, 1000))

    figure, axes = plt.subplot_mosaic("AB;AC", figsize=(12, 5.2), layout="constrained")
    axes["A"].imshow(picture)
    axes["A"].plot(DISK[1], DISK[0], "+", color="black", markersize=14)
    axes["A"].set_title("retina")
    axes["B"].imshow(straight, cmap="gray", vmax=160)
    axes["B"].set_title("unrolled around the optic disk")
    axes["C"].imshow(lines, cmap="magma", vmax=35)
    axes["C"].set_title("vessels: black top-hat")
    for axis in axes.values():
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "unroll_retina.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
