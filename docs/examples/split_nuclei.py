"""
Split touching nuclei in a picture of tissue that is stored as many tiles.

A stained section (it ships with scikit-image) is cut into sixteen TIFF files. They are read as one
lazy picture; its blue dye is smoothed, freed from its background and thresholded; touching nuclei
are split by a watershed of their distances to what is outside; each is measured. No seam shows
where files meet: in one block instead of sixteen the results are the same, to the last byte.

Usage: ``python split_nuclei.py [OUTPUT_FOLDER [BLOCK_SIZE]]``
"""

import csv
import sys
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import tifffile
import zarr
from skimage.color import rgb2hed

from dask_image.imread import imread
from dask_image.ndfilters import gaussian_filter
from dask_image.ndmeasure import label, regionprops_table
from dask_image.ndmorph import distance_transform_edt
from dask_image.segmentation import (
    find_boundaries,
    h_maxima,
    remove_small_objects,
    threshold_otsu,
    watershed,
)

ROWS = COLUMNS = 4
TILE = 128
COLUMNS_OF_TABLE = (
    "label", "area", "centroid", "perimeter", "eccentricity", "euler_number", "intensity_mean",
)  # fmt: skip


def write_tiles(folder):
    """Cut the picture into a folder of TIFF files, as a slide scanner would deliver it."""
    from skimage import data

    folder.mkdir(parents=True, exist_ok=True)
    for row, strip in enumerate(np.split(data.immunohistochemistry(), ROWS)):
        for column, tile in enumerate(np.split(strip, COLUMNS, axis=1)):
            tifffile.imwrite(folder / f"tile-{row * COLUMNS + column}.tif", tile)


def read(pattern):
    """Put the tiles together, lazily: a block a file."""
    tiles = imread(pattern)
    return da.block([[[tiles[COLUMNS * row + column]] for column in range(4)] for row in range(4)])


def blue_dye(block):
    """Return how much of the dye of nuclei there is at each pixel."""
    return rgb2hed(block)[..., 0].astype("float32")


def split_nuclei(tissue):
    """Describe the way from the picture to the dye and to the labels of nuclei."""
    dye = tissue.map_blocks(blue_dye, dtype="float32", drop_axis=2)
    smooth = gaussian_filter(dye, sigma=2) - gaussian_filter(dye, sigma=12)
    nuclei = remove_small_objects(smooth > threshold_otsu(smooth), max_size=40)
    distance = distance_transform_edt(nuclei)
    markers, _ = label(h_maxima(distance, 0.75), np.ones((3, 3)))
    labels = watershed(-distance, markers, mask=nuclei)

    return dye, labels


def write_table(path, table):
    """Write the measurements as CSV, a nucleus a row."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows([f"{value:.6g}" for value in row] for row in zip(*table.values()))


def draw(path, tissue, labels, table):
    """Save the picture, the nuclei, a close look at four tiles' corner, and the sizes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    outlined = tissue.copy()
    outlined[find_boundaries(labels, mode="inner").compute()] = (255, 235, 0)
    colors = np.random.default_rng(1).uniform(0, 0.85, (labels.max() + 1, 3))
    colors[0] = 1
    figure, axes = plt.subplots(2, 2, figsize=(12, 12), layout="constrained")
    (picture, label_image), (corner, sizes) = axes
    picture.imshow(tissue)
    picture.set_title(f"Stained tissue, read from {ROWS * COLUMNS} TIFF files")
    label_image.imshow(colors[labels], interpolation="nearest")
    label_image.set_title(f"{len(table['label'])} nuclei")
    corner.imshow(outlined, interpolation="nearest")
    corner.set(xlim=(175, 335), ylim=(335, 175))
    corner.set_title("Where tiles meet: no seam")
    for axis in (picture, corner):
        for edge in range(1, ROWS):
            axis.axhline(edge * TILE - 0.5, color="black", alpha=0.5, lw=0.8)
            axis.axvline(edge * TILE - 0.5, color="black", alpha=0.5, lw=0.8)
    for axis in (picture, label_image, corner):
        axis.set(xticks=[], yticks=[])
    sizes.hist(table["area"], 40, color="#7fb2e5", edgecolor="black")
    sizes.set(xlabel="area in pixels", ylabel="number of nuclei", title="Sizes", box_aspect=1)
    sizes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(output, block_size=TILE):
    """Run the whole job and say what was found."""
    write_tiles(output / "tiles")
    tissue = read(f"{output / 'tiles'}/*.tif").rechunk((block_size, block_size, 3))
    dye, labels = split_nuclei(tissue)
    table = regionprops_table(labels, dye, COLUMNS_OF_TABLE)
    store = zarr.create_array(
        output / "nuclei.zarr", shape=labels.shape, chunks=(TILE, TILE), dtype=labels.dtype,
        overwrite=True,
    )  # fmt: skip
    # Blocks that are not those of the store must not write to the same one at the same time.
    stored = da.store(labels.rechunk((TILE, TILE)), store, compute=False)
    tissue, table, _ = dask.compute(tissue, table, stored)

    write_table(output / "nuclei.csv", table)
    draw(output / "split_nuclei.png", tissue, store[:], table)
    print(f"{len(table['label'])} nuclei; median area {np.median(table['area']):.0f} pixels")
    print(f"results in {output}: nuclei.csv, nuclei.zarr, split_nuclei.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "nuclei-output"), *map(int, sys.argv[2:]))
