"""
Measure galaxies in a mosaic with gaps.

A mosaic of the sky has no values where no detector was, and along the columns of one that is
broken; the sky itself is brighter on one side. What is missing is NaN. ``background`` leaves it
out, and so do filters with ``nan_policy="omit"``; a label of 0 leaves it out of measurements.

Usage: ``python mosaic_with_gaps.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from skimage import data

from dask_image.local_statistics import background
from dask_image.ndfilters import fill_missing, gaussian_filter
from dask_image.ndmeasure import center_of_mass, label, sum_labels
from dask_image.segmentation import remove_small_objects

matplotlib.use("agg")
import matplotlib.pyplot as plt


def mosaic_with_gaps():
    """Return a picture of the sky, its gaps NaN."""
    sky = data.hubble_deep_field()[:800, :960].mean(axis=-1, dtype="float32")
    sky += np.linspace(0, 60, sky.shape[1], dtype="float32")
    sky[390:412] = sky[:, 470:495] = np.nan  # between detectors
    sky[412:, 700:703] = sky[600:, :140] = np.nan  # broken columns; never seen
    return da.from_array(sky, chunks=256)


def galaxies(sky):
    """Return the sky without its background, labels of galaxies, and a table of these."""
    level, noise = background(sky, 64)
    flat = sky - level
    smooth = gaussian_filter(flat, 1.5, nan_policy="omit")
    bright = (smooth > 1.5 * noise) & ~da.isnan(sky)
    labels, _ = label(remove_small_objects(bright, max_size=12))
    light, numbers = sum_labels(flat, labels, "all")
    places, _ = center_of_mass(flat, labels, "all")
    return flat, labels, {"label": numbers, "light": light, "place": places}


def main(output):
    """Draw the mosaic, and its brightest galaxies on a complete picture."""
    output.mkdir(parents=True, exist_ok=True)
    sky = mosaic_with_gaps()
    flat, _, table = galaxies(sky)
    # For the eye, or for what takes no NaN: Fourier transforms, splines.
    complete = fill_missing(flat, method="smooth")
    sky, complete, table = dask.compute(sky, complete, table)
    brightest = np.argsort(table["light"])[::-1][:12]
    print(f"{len(table['label'])} galaxies; gaps are {np.isnan(sky).mean():.0%} of the mosaic")

    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    axes[0].imshow(sky, cmap="magma", vmax=150)
    axes[0].set_title("the mosaic: gaps, and a sky that grows brighter")
    axes[1].imshow(complete, cmap="magma", vmin=-10, vmax=90)
    axes[1].scatter(*table["place"][brightest].T[::-1], s=160, ec="cyan", fc="none")
    axes[1].set_title("without the sky, complete, and the brightest galaxies")
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "mosaic_with_gaps.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
