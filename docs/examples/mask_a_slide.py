"""
Find the tissue on a whole slide, and work where there is some.

Slides hold a pyramid: the same picture in smaller and smaller sizes. A mask comes from a small
one, in no time; ``zoom`` brings it to the blocks of the full size, of which only those with tissue
are computed. Opening reads headers alone.

Usage: ``python mask_a_slide.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
import tifffile
from skimage import data

import dask_image.ndimage as ndi
from dask_image.imread import imread
from dask_image.segmentation import remove_small_objects, threshold_otsu

matplotlib.use("agg")
import matplotlib.pyplot as plt

BLOCK, FACTOR = 256, 4


def write_slide(path):
    """Write a slide of 2048², mostly glass, as scanners do: tiles, and levels in SubIFDs."""
    tissue = np.tile(data.immunohistochemistry(), (2, 2, 1))
    slide = np.full((2048, 2048, 3), 243, "uint8")
    rows, columns = np.ogrid[:1024, :1024]
    shape = ((rows - 512) / 330) ** 2 + ((columns - 512) / 500) ** 2 < 1
    for row, column in ((80, 300), (950, 900)):
        here = slide[row : row + 1024, column : column + 1024]
        here[shape] = tissue[shape]
    with tifffile.TiffWriter(path) as file:
        options = dict(tile=(BLOCK, BLOCK), photometric="rgb", compression="zlib")
        file.write(slide, subifds=2, **options)
        for step in (2, FACTOR):
            file.write(slide[::step, ::step], subfiletype=1, **options)


def tissue_of(slide):
    """Return where the slide is not glass."""
    saturation = slide.max(axis=-1).astype("f4") - slide.min(axis=-1)
    smooth = ndi.gaussian_filter(saturation, sigma=3)
    mask = remove_small_objects(smooth > threshold_otsu(smooth) / 2, max_size=500)
    return ndi.binary_fill_holes(ndi.binary_closing(mask, iterations=3))


def main(output):
    """Mask a slide, and count what is left to do."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / "slide.tif"
    write_slide(path)
    slide = imread(path, chunks=(BLOCK, BLOCK))[0]
    small = imread(path, level=2)[0]
    mask = tissue_of(small).rechunk(BLOCK // FACTOR)
    # Nearest neighbours; then a block of the mask is one of the slide.
    large = ndi.zoom(mask, FACTOR, order=0, grid_mode=True, mode="nearest").rechunk(BLOCK)
    blocks = mask.map_blocks(lambda block: block.any(keepdims=True), chunks=(1, 1), dtype=bool)
    preview, mask, has_tissue = dask.compute(small, mask, blocks)

    places = [tuple(place) for place in np.argwhere(has_tissue)]
    colors = [
        da.where(large.blocks[place][..., np.newaxis], slide.blocks[place], 0).sum(axis=(0, 1))
        / large.blocks[place].sum()
        for place in places
    ]
    mean = np.mean(dask.compute(*colors), axis=0)
    print(f"{len(places)} of {has_tissue.size} blocks hold tissue, of mean color {mean.round()}")

    figure, axes = plt.subplots(1, 2, figsize=(11, 5.6), layout="constrained")
    axes[0].imshow(preview)
    axes[0].contour(mask, [0.5], colors="crimson", linewidths=1.2)
    axes[0].set_title("level 2 of the slide, and its tissue")
    axes[1].imshow(preview)
    size = BLOCK // FACTOR
    for row, column in places:
        box = plt.Rectangle((column * size, row * size), size, size, fill=False, edgecolor="teal")
        axes[1].add_patch(box)
    axes[1].set_title(f"{len(places)} of {has_tissue.size} blocks are computed in full size")
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "mask_a_slide.png", dpi=90)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
