"""
From tiles of three channels to a table of nuclei.

A microscope has taken a slide tile by tile, in three channels, under a lamp that lights the middle
of a tile more than its corners. The light is estimated from all tiles and taken out, the tiles
become one image, nuclei that touch are split, and each is measured in all channels in one pass.

Usage: ``python tiles_of_three_channels.py [OUTPUT_FOLDER]``
"""

import sys
import tempfile
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
import tifffile
from scipy import ndimage

from dask_image.imread import assemble, imread
from dask_image.local_statistics import correct_illumination, estimate_illumination
from dask_image.ndfilters import gaussian, threshold_otsu
from dask_image.ndmeasure import label, regionprops_table
from dask_image.ndmorph import distance_transform_edt
from dask_image.segmentation import h_maxima, watershed

matplotlib.use("agg")
import matplotlib.pyplot as plt

SIDE, OVERLAP, DARK = 200, 40, 100
ROWS, COLUMNS = 3, 4


def write_tiles(folder):
    """Write the tiles of a made-up slide, a file each."""
    random = np.random.default_rng(0)
    shape = np.array([ROWS, COLUMNS]) * (SIDE - OVERLAP) + OVERLAP
    slide = np.full((3, *shape), 60.0)
    row, column = np.indices(shape)
    places = np.zeros((0, 2))
    for place in random.uniform(0, shape, (300, 2)):
        if (np.hypot(*(places - place).T) < 19).any():
            continue  # nuclei may touch, but not lie on each other
        places = np.append(places, [place], axis=0)
        nucleus = np.hypot(row - place[0], column - place[1]) < random.uniform(9, 12)
        for channel, brightness in enumerate((600, *random.choice([80, 500], 2))):
            slide[channel, nucleus] = brightness
    slide = ndimage.gaussian_filter(slide, (0, 1.5, 1.5))
    middle = (SIDE - 1) / 2
    light = 1.2 - 0.6 * sum(((np.indices((SIDE, SIDE)) - middle) / SIDE) ** 2)
    for r, c in np.ndindex(ROWS, COLUMNS):
        y, x = r * (SIDE - OVERLAP), c * (SIDE - OVERLAP)
        seen = random.poisson(slide[:, y : y + SIDE, x : x + SIDE] * light**3) + DARK
        name = folder / f"tile_r{r}_c{c}.tif"
        tifffile.imwrite(name, seen.astype("uint16"), photometric="minisblack")


def even(tiles):
    """Return tiles of one channel without what the lamp does to them."""
    flat = estimate_illumination(tiles, box=20, percentile=25, dark=DARK)
    return correct_illumination(tiles, flat, dark=DARK)


def mosaic(folder):
    """Return the tiles as they are in one image, and evened out and blended."""
    tiles = imread(folder / "tile_r{row}_c{column}.tif")
    raw = assemble(tiles, overlap=OVERLAP)
    tiles = tiles.reshape(-1, *tiles.shape[2:])
    corrected = da.stack([even(tiles[:, channel]) for channel in range(3)], axis=1)
    return raw, assemble(corrected, (ROWS, COLUMNS), overlap=OVERLAP, blend="linear")


def nuclei(image):
    """Return labels of the nuclei in the first channel, and a table of all channels."""
    smooth = gaussian(image, 2, channel_axis=0)[0]
    mask = smooth > threshold_otsu(smooth)
    distance = distance_transform_edt(mask)
    markers, _ = label(h_maxima(distance, 0.75))
    labels = watershed(-distance, markers, mask=mask)
    properties = ("label", "area", "centroid", "intensity_mean")
    return labels, regionprops_table(labels, image, properties, channel_axis=0)


def main(output):
    """Draw the mosaic before and after, and what each nucleus shows in two channels."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_tiles(Path(folder))
        raw, image = mosaic(Path(folder))
        raw, image, (labels, table) = dask.compute(raw, image, nuclei(image))
    print(f"{len(table['label'])} nuclei, {np.mean(table['area']):.0f} pixels on average")

    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for axis, picture, title in zip(axes, (raw, image), ("as taken", "evened out and blended")):
        colours = np.moveaxis(np.clip(picture / np.percentile(picture, 99.5), 0, 1), 0, -1)
        axis.imshow(colours[..., [1, 2, 0]])
        axis.set(xticks=[], yticks=[], title=title)
    axes[1].contour(labels != ndimage.minimum_filter(labels, 3), [0.5], colors="w", linewidths=0.5)
    axes[2].scatter(table["intensity_mean-1"], table["intensity_mean-2"], s=table["area"] / 20)
    axes[2].set(xlabel="second channel", ylabel="third channel", title="each nucleus")
    figure.savefig(output / "tiles_of_three_channels.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
