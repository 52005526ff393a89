"""
Split touching nuclei in a picture of tissue: from many TIFF tiles to one OME-Zarr, out of core.

A stained section (it ships with scikit-image) is cut into sixteen TIFF files. They are read as one
lazy picture, which is written to OME-Zarr; its blue dye is smoothed, freed from its background and
thresholded; touching nuclei are split by a watershed of their distances to what is outside. Their
labels are written beside the picture, both in several sizes, and each nucleus is measured. No more
than a few blocks are in memory at a time, and no seam shows where files meet: in one block instead
of sixteen all files are the same, to the last byte.

Usage: ``python split_nuclei.py [OUTPUT_FOLDER [BLOCK_SIZE]]``; then ``napari nuclei.ome.zarr``
"""

import csv
import sys
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import tifffile
from skimage.color import rgb2hed

from dask_image import ngff
from dask_image.imread import ImageMetadata, imread
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
LEVELS = 3
SCREEN = 512  # so many pixels are enough for a look at the whole
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
    """Return how much of the dye of nuclei there is at each pixel, of channels that come first."""
    return rgb2hed(block, channel_axis=0)[0].astype("float32")


def split_nuclei(tissue):
    """Describe the way from the picture to the dye and to the labels of nuclei."""
    dye = tissue.map_blocks(blue_dye, dtype="float32", drop_axis=0)
    smooth = gaussian_filter(dye, sigma=2) - gaussian_filter(dye, sigma=12)
    nuclei = remove_small_objects(smooth > threshold_otsu(smooth), max_size=40)
    distance = distance_transform_edt(nuclei)
    markers, _ = label(h_maxima(distance, 0.75), np.ones((3, 3)))
    labels = watershed(-distance, markers, mask=nuclei)

    return dye, labels


def write_store(tiles, store, block_size):
    """Write the picture and the labels of its nuclei, in chunks of a tile and in several sizes."""
    picture = read(tiles)
    colours = ImageMetadata("YXS", picture.shape, picture.dtype)
    ngff.write_image(picture, store, colours, levels=LEVELS, overwrite=True)
    # From here on the store is read, which has the channels first.
    tissue = ngff.read_image(store)[0].rechunk((3, block_size, block_size))
    _, labels = split_nuclei(tissue)
    # Blocks that are not those of the store must not write to the same one at the same time.
    ngff.write_labels(labels.rechunk((TILE, TILE)), store, "nuclei")


def measure(store):
    """Measure all nuclei: what was computed already is read."""
    dye = ngff.read_image(store)[0].map_blocks(blue_dye, dtype="float32", drop_axis=0)
    labels, _ = ngff.read_image(f"{store}/labels/nuclei")
    return dask.compute(regionprops_table(labels, dye, COLUMNS_OF_TABLE))[0]


def write_table(path, table):
    """Write the measurements as CSV, a nucleus a row."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows([f"{value:.6g}" for value in row] for row in zip(*table.values()))


def of_the_whole(store):
    """Return an image in the largest of its sizes that is as small as a screen."""
    sizes = (ngff.read_image(store, level)[0] for level in range(LEVELS))
    return next(image for image in sizes if max(image.shape[-2:]) <= SCREEN).compute()


def draw(path, store, table):
    """Save the picture, the nuclei, a close look at four tiles' corner, and the sizes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    whole, nuclei = of_the_whole(store), of_the_whole(f"{store}/labels/nuclei")
    # Where four tiles meet, at full size: no more of it than is looked at.
    part = slice(TILE + 47, 3 * TILE - 49)
    near = np.moveaxis(ngff.read_image(store)[0][:, part, part].compute(), 0, -1)
    outlines = find_boundaries(ngff.read_image(f"{store}/labels/nuclei")[0], mode="inner")
    near[outlines[part, part].compute()] = (255, 235, 0)
    colors = np.random.default_rng(1).uniform(0, 0.85, (table["label"].max() + 1, 3))
    colors[0] = 1
    figure, axes = plt.subplots(2, 2, figsize=(12, 12), layout="constrained")
    (picture, label_image), (corner, sizes) = axes
    size = COLUMNS * TILE, ROWS * TILE
    extent = (-0.5, size[0] - 0.5, size[1] - 0.5, -0.5)
    picture.imshow(np.moveaxis(whole, 0, -1), extent=extent)
    picture.set_title(f"Stained tissue, read from {ROWS * COLUMNS} TIFF files")
    label_image.imshow(colors[nuclei], interpolation="nearest")
    label_image.set_title(f"{len(table['label'])} nuclei")
    edges = part.start - 0.5, part.stop - 0.5
    corner.imshow(near, interpolation="nearest", extent=(*edges, *edges[::-1]))
    corner.set_title("Where tiles meet: no seam")
    for axis in (picture, corner):
        limits = axis.axis()
        for edge in range(1, ROWS):
            axis.axhline(edge * TILE - 0.5, color="black", alpha=0.5, lw=0.8)
            axis.axvline(edge * TILE - 0.5, color="black", alpha=0.5, lw=0.8)
        axis.axis(limits)
    for axis in (picture, label_image, corner):
        axis.set(xticks=[], yticks=[])
    sizes.hist(table["area"], 40, color="#7fb2e5", edgecolor="black")
    sizes.set(xlabel="area in pixels", ylabel="number of nuclei", title="Sizes", box_aspect=1)
    sizes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(output, block_size=TILE):
    """Run the whole job and say what was found."""
    store = output / "nuclei.ome.zarr"
    write_tiles(output / "tiles")
    write_store(f"{output / 'tiles'}/*.tif", store, block_size)
    table = measure(store)
    write_table(output / "nuclei.csv", table)
    draw(output / "split_nuclei.png", store, table)
    print(f"{len(table['label'])} nuclei; median area {np.median(table['area']):.0f} pixels")
    print(f"results in {output}: nuclei.csv, nuclei.ome.zarr, split_nuclei.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "nuclei-output"), *map(int, sys.argv[2:]))
