"""
Trace the edges of a photograph.

Gradients of a Gaussian find edges at any scale. Weak edges count where they continue strong ones:
``binary_propagation`` follows them through all blocks of the picture. The code is SciPy's but for
the import and for the Dask array it starts from.

Usage: ``python trace_edges.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
from skimage import data

import dask_image.ndimage as ndi

matplotlib.use("agg")
import matplotlib.pyplot as plt

EIGHT_NEIGHBOURS = ndi.generate_binary_structure(2, 2)


def edges(image, sigma):
    """Return how steep the image is, and where its edges are."""
    slope = ndi.gaussian_gradient_magnitude(image, sigma=sigma)
    # The slope is steepest where the second derivative changes its sign.
    curvature = ndi.gaussian_laplace(image, sigma=sigma)
    crossing = (curvature > 0) != ndi.binary_dilation(curvature > 0)
    limit = slope.max()
    strong = crossing & (slope > 0.3 * limit)
    weak = crossing & (slope > 0.08 * limit)
    return slope, ndi.binary_propagation(strong, structure=EIGHT_NEIGHBOURS, mask=weak)


def main(output):
    """Draw the edges of a cat at three scales."""
    output.mkdir(parents=True, exist_ok=True)
    cat = data.chelsea()
    image = da.from_array(cat, chunks=(100, 150, 3)).mean(axis=-1, dtype="float32")
    scales = (1, 2, 4)
    results = dask.compute(*[edges(image, sigma) for sigma in scales])
    figure, axes = plt.subplots(2, 3, figsize=(12, 5.6), layout="constrained")
    for column, (sigma, (slope, lines)) in enumerate(zip(scales, results, strict=True)):
        axes[0, column].imshow(slope, cmap="magma")
        axes[0, column].set_title(f"gradient, sigma = {sigma}")
        axes[1, column].imshow(cat // 2 + 96)
        axes[1, column].imshow(lines, cmap="gray_r", alpha=0.85 * lines)
        axes[1, column].set_title(f"{lines.sum():,} pixels of edges")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "trace_edges.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
