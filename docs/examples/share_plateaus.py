"""
See where a watershed differs from scikit-image's.

Where pixels are equal, the order in which they are flooded decides whose they are. Here the
distance to the nearest marker does, so that flat areas are shared out as a Voronoi diagram, however
the image is cut into chunks; in scikit-image the order in which pixels came into its queue does. On
a flat image the two differ along borders; on a real one, few pixels do.

Usage: ``python share_plateaus.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask.array as da
import matplotlib
import numpy as np
from skimage import data, filters
from skimage import segmentation as whole

from dask_image import segmentation

matplotlib.use("agg")
import matplotlib.pyplot as plt


def flat():
    """Return an image whose pixels are all equal, with twelve markers."""
    random = np.random.default_rng(4)
    markers = np.zeros((120, 120), np.int32)
    rows, columns = random.integers(0, 120, (2, 12))
    markers[rows, columns] = np.arange(1, 13)
    return np.zeros(markers.shape), markers


def coins():
    """Return the edges of coins, with what is surely coin and surely background as markers."""
    image = data.coins()
    markers = np.zeros(image.shape, np.int32)
    markers[image < 30], markers[image > 150] = 1, 2
    return filters.sobel(image), markers


def main(output):
    """Draw both watersheds of both pictures."""
    output.mkdir(parents=True, exist_ok=True)
    figure, rows = plt.subplots(2, 3, figsize=(12, 7.6), layout="constrained")
    for axes, (name, make) in zip(rows, (("A flat image", flat), ("Edges of coins", coins))):
        image, markers = make()
        cut = [da.from_array(array, chunks=50) for array in (image, markers)]
        ours = segmentation.watershed(*cut).compute()
        theirs = whole.watershed(image, markers)
        alike = (ours == theirs).mean()
        places = np.nonzero(markers) if name.startswith("A flat") else ([], [])
        for axis, basins, title in zip(axes, (ours, theirs), ("dask-image", "scikit-image")):
            axis.imshow(basins, cmap="tab20", interpolation="nearest")
            axis.plot(*places[::-1], "k.", markersize=5)
            axis.set_title(f"{name}: {title}")
        axes[2].imshow(ours != theirs, cmap="gray_r", interpolation="nearest")
        axes[2].set_title(f"{100 * alike:.2f} % of the pixels alike")
        print(f"{name}: {100 * alike:.2f} % alike")
        for axis in axes:
            axis.set(xticks=[], yticks=[])
    figure.savefig(output / "share_plateaus.png", dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "plateaus-output"))
