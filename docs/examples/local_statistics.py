"""
Take uneven illumination out of a photograph and of a 3-D stack, and map the local contrast.

A lamp on one side leaves a scanned page dark in a corner, so that no single threshold finds all of
the text. Paper is the brightest thing nearby: a high percentile of each neighborhood, computed
on a coarse grid and interpolated back, is an image of the light alone, and dividing by it
evens out the page. In a stack, windows reach through several planes, where light also fades with
depth. Where there is something to read, the local standard deviation is high.

Usage: ``python local_statistics.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from skimage import data
from skimage.filters import threshold_otsu

from dask_image.local_statistics import local_percentile, local_standard_deviation

matplotlib.use("agg")
import matplotlib.pyplot as plt


def stack_of(picture, depth):
    """Return planes that the light of the picture reaches less and less, from a moving side."""
    random = np.random.default_rng(0)
    z, y, x = np.ogrid[:depth, : picture.shape[0], : picture.shape[1]]
    center = picture.shape[1] * (0.15 + 0.7 * z / depth)
    light = np.exp(-(((x - center) / 220) ** 2) - ((y - 90) / 190) ** 2 - 0.9 * z / depth)
    photons = random.poisson(picture * light * 8)
    return photons.astype("uint16")


def show(axis, image, title, cmap="gray", **limits):
    """Draw an image without ticks."""
    axis.imshow(image, cmap=cmap, interpolation="nearest", **limits)
    axis.set(xticks=[], yticks=[], title=title)


def photograph(output):
    """Even out a page of text, and show where it can be read."""
    picture = data.page()
    image = da.from_array(picture, chunks=(96, 128))
    light = local_percentile(
        image, 0.8, selem=(40, 40), spacing=(20, 20), interpolate=3, dtype="float32"
    )
    even = image / light
    contrast = local_standard_deviation(even, selem=(12, 12), spacing=(4, 4), interpolate=1)
    light, even, contrast = dask.compute(light, even, contrast)

    figure, axes = plt.subplots(3, 2, figsize=(11, 8.5), layout="constrained")
    show(axes[0, 0], picture, "a page under a lamp")
    show(axes[0, 1], picture > threshold_otsu(picture), "one threshold for all of it")
    show(axes[1, 0], light, "the light: 80th percentile of windows of 40²", cmap="inferno")
    show(axes[1, 1], contrast, "local contrast: standard deviation", cmap="viridis")
    show(axes[2, 0], even, "page / light", vmin=0.3, vmax=1.15)
    show(axes[2, 1], even > threshold_otsu(even), "the same threshold after that")
    figure.savefig(output / "local_statistics.png", dpi=100)


def stack(output):
    """Even out a stack in which light fades with depth."""
    planes = stack_of(data.page(), depth=48)
    volume = da.from_array(planes, chunks=(16, 96, 128))
    light = local_percentile(
        volume, 0.8, selem=(6, 40, 40), spacing=(3, 20, 20), interpolate=1, dtype="float32"
    )
    even = volume / light
    chosen = [2, 24, 45]
    light, even = dask.compute(light[chosen], even[chosen])

    figure, axes = plt.subplots(3, 3, figsize=(14, 7.5), layout="constrained")
    for column, z in enumerate(chosen):
        show(axes[0, column], planes[z], f"plane {z} of {len(planes)}", vmin=0, vmax=planes.max())
        show(axes[1, column], light[column], "its light", "inferno", vmin=0, vmax=light.max())
        show(axes[2, column], even[column], "plane / light", vmin=0.2, vmax=1.2)
    figure.savefig(output / "local_statistics_stack.png", dpi=100)


def main(output):
    """Draw both figures."""
    output.mkdir(parents=True, exist_ok=True)
    photograph(output)
    stack(output)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
