"""
Register tiles of a mosaic, and put them together.

A stage brought the tiles of a picture to places that are known to some pixels only, and the lens
bends each of them. Where neighbours overlap, phase correlation finds how far they are apart;
``map_coordinates`` reads each tile where a pixel of the mosaic says, lens and shift at once, so
that pixels are interpolated only once.

Usage: ``python register_tiles.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from scipy import ndimage
from skimage import data
from skimage.registration import phase_cross_correlation

import dask_image.ndimage as ndi

matplotlib.use("agg")
import matplotlib.pyplot as plt

SIDE, STEP = 300, 212  # pixels of a tile, and from tile to tile as the stage says
BEND = 0.03


def bent(row, column, sign):
    """Return where the lens draws a point of a tile, or (sign=-1) the reverse, nearly."""
    middle = (SIDE - 1) / 2
    y, x = (row - middle) / middle, (column - middle) / middle
    factor = 1 + sign * BEND * (x * x + y * y)
    return middle * (1 + y * factor), middle * (1 + x * factor)


def scanned(picture):
    """Return four tiles, and where they really are."""
    random = np.random.default_rng(2)
    tiles, places = {}, {}
    for number in np.ndindex(2, 2):
        place = np.array(number) * STEP + (0 if number == (0, 0) else random.integers(-9, 10, 2))
        places[number] = np.clip(place, 0, np.array(picture.shape) - SIDE)
        row, column = bent(*np.indices((SIDE, SIDE)), sign=1)
        coordinates = np.stack([row, column]) + places[number][:, None, None]
        tiles[number] = ndimage.map_coordinates(picture, coordinates, order=3, mode="nearest")
    return tiles, places


def straight(tile):
    """Return a lazy tile without the bend of the lens."""
    row, column = bent(*np.indices(tile.shape), sign=-1)
    return ndi.map_coordinates(tile, da.from_array(np.stack([row, column]), chunks=(2, 100, 100)))


def found_places(tiles):
    """Return where the tiles are, from where they overlap: each beside the first one."""
    places = {(0, 0): np.zeros(2)}
    # The middle of a tile is bent least: strips of its overlap do.
    width = SIDE - STEP
    for before, after, axis in (((0, 0), (0, 1), 1), ((0, 0), (1, 0), 0), ((0, 1), (1, 1), 0)):
        last = np.take(tiles[before], range(STEP, SIDE), axis)
        first = np.take(tiles[after], range(width), axis)
        shift, *_ = phase_cross_correlation(last, first, upsample_factor=10)
        places[after] = places[before] + shift + np.eye(2)[axis] * STEP
    return places


def mosaic(tiles, places, shape):
    """Return the tiles put together: each pixel is read from all tiles that have it."""
    grid = da.stack(da.meshgrid(*[da.arange(size, chunks=128) for size in shape], indexing="ij"))
    total = weight = 0
    for number, place in places.items():
        row, column = grid - place[:, None, None]
        inside = (row >= 0) & (row <= SIDE - 1) & (column >= 0) & (column <= SIDE - 1)
        # Less towards the border of a tile, so that no edge shows.
        fade = inside * da.minimum(
            da.minimum(row, SIDE - 1 - row), da.minimum(column, SIDE - 1 - column)
        ).clip(0.1, None)
        coordinates = da.stack(bent(row, column, sign=-1))
        total += fade * ndi.map_coordinates(tiles[number], coordinates, mode="nearest")
        weight += fade
    return total / da.maximum(weight, 1e-9)  # nothing where no tile is


def main(output):
    """Register the tiles, and draw mosaics by the stage's and by the found places."""
    output.mkdir(parents=True, exist_ok=True)
    picture = data.camera().astype("float32")
    tiles, true = scanned(picture)
    lazy = {number: da.from_array(tile, chunks=100) for number, tile in tiles.items()}
    (even,) = dask.compute({number: straight(tile) for number, tile in lazy.items()})
    places = found_places(even)
    stage = {number: np.array(number) * STEP for number in tiles}
    for number, place in places.items():
        print(number, "stage", stage[number], "found", place.round(1), "true", true[number])
    before, after = dask.compute(*[mosaic(lazy, where, (512, 512)) for where in (stage, places)])

    figure, axes = plt.subplots(1, 3, figsize=(14, 5), layout="constrained")
    views = ((tiles[0, 0], "one tile, bent"), (before, "the stage's places"), (after, "registered"))
    for axis, (image, title) in zip(axes, views):
        axis.imshow(image, cmap="gray")
        axis.set(xticks=[], yticks=[], title=title)
    for axis in axes[1:]:
        axis.set(xlim=(130, 370), ylim=(330, 90))
    figure.savefig(output / "register_tiles.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
