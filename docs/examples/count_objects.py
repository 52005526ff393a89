"""
Count and measure the galaxies in a picture that is stored as many tiles.

The Hubble deep field (it ships with scikit-image) is cut into sixteen TIFF files. They are read
as one lazy picture, the background is removed, objects are found, labelled and measured. Objects
that cross the border of a tile are counted once. Nothing is read before the one ``dask.compute``.

Usage: ``python count_objects.py [OUTPUT_FOLDER]``
"""

import csv
import sys
import time
from collections import Counter
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import tifffile
import zarr
from dask.diagnostics import Profiler, ProgressBar

from dask_image.imread import imread
from dask_image.ndfilters import gaussian_filter, minimum_filter, threshold_local
from dask_image.ndmeasure import area, center_of_mass, label, maximum, sum_labels

ROWS = COLUMNS = 4
LAST_STAGE = "measure and store"


def write_tiles(folder):
    """Cut the Hubble deep field into a folder of TIFF files, as a survey would deliver it."""
    from skimage import data

    folder.mkdir(parents=True, exist_ok=True)
    for row, strip in enumerate(np.split(data.hubble_deep_field(), ROWS)):
        for column, tile in enumerate(np.split(strip, COLUMNS, axis=1)):
            tifffile.imwrite(folder / f"tile-{row * COLUMNS + column}.tif", tile)


def find_objects(pattern):
    """Describe the way from the files to the labels; each stage is a lazy array."""
    tiles = imread(pattern)  # (16, 218, 250, 3): a block a file
    sky = da.block([[[tiles[4 * row + column]] for column in range(4)] for row in range(4)])
    brightness = sky.mean(axis=-1, dtype="float32")
    background = gaussian_filter(minimum_filter(brightness, size=41), sigma=20)
    smooth = gaussian_filter(brightness - background, sigma=1.2)
    objects = smooth > threshold_local(smooth, block_size=101, offset=-8)
    labels, _ = label(objects)
    return {
        "read": sky,
        "brightness": brightness,
        "background": background,
        "smoothing": smooth,
        "threshold": objects,
        "labels": labels,
    }


def measure(image, labels):
    """Describe the table: a lazy column for each name, a row for each object."""
    areas, names = area(image, labels, index="all")
    total, _ = sum_labels(image, labels, index="all")
    peak, _ = maximum(image, labels, index="all")
    center, _ = center_of_mass(image, labels, index="all")
    return {
        "label": names,
        "area": areas,
        "total": total,
        "peak": peak,
        "row": center[:, 0],
        "column": center[:, 1],
    }


def seconds_by_stage(stages, tasks):
    """Add up the time of the tasks by the stage whose graph first holds them."""
    owner = {}
    for stage, array in stages.items():
        for layer in array.__dask_graph__().layers:
            owner.setdefault(token_of(layer), stage)
    seconds = Counter(dict.fromkeys([*stages, LAST_STAGE], 0.0))
    for task in tasks:
        stage = owner.get(token_of(task.key), LAST_STAGE)
        seconds[stage] += task.end_time - task.start_time
    return seconds


def token_of(key):
    """Return the hexadecimal end of a name, which tasks that Dask has fused keep."""
    return (key[0] if isinstance(key, tuple) else key).rpartition("-")[2]


def write_table(path, table):
    """Write the measurements as CSV, the largest object first."""
    order = np.argsort(-table["area"], kind="stable")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        for row in order:
            writer.writerow([f"{column[row]:.6g}" for column in table.values()])


def draw(path, sky, labels, table):
    """Save the picture, the labels, a close look at four tiles' corner, and the sizes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    height, width = labels.shape
    colors = np.random.default_rng(1).uniform(0, 0.85, (labels.max() + 1, 3))
    colors[0] = 1
    figure, axes = plt.subplots(2, 2, figsize=(12, 10.6), layout="constrained")
    (picture, label_image), (corner, sizes) = axes
    picture.imshow(sky)
    picture.set_title(f"Hubble deep field, read from {ROWS * COLUMNS} TIFF files")
    label_image.imshow(colors[labels], interpolation="nearest")
    label_image.set_title(f"{len(table['label']):,} objects")
    for axis in (picture, corner):
        for edge in range(1, ROWS):
            axis.axhline(edge * height // ROWS - 0.5, color="white", alpha=0.35, lw=0.6)
            axis.axvline(edge * width // COLUMNS - 0.5, color="white", alpha=0.35, lw=0.6)
    corner.imshow(sky)
    corner.contour(labels > 0, [0.5], colors="gold", linewidths=0.9)
    corner.set(xlim=(430, 570), ylim=(500, 380))
    corner.set_title("Where four tiles meet: borders cut no object")
    for axis in (picture, label_image, corner):
        axis.set(xticks=[], yticks=[])
    edges = [2**power for power in range(int(table["area"].max()).bit_length() + 1)]
    sizes.hist(table["area"], edges, color="#7fb2e5", edgecolor="white")
    sizes.set(xscale="log", xlabel="area in pixels", ylabel="number of objects")
    sizes.set_xticks(edges, edges)
    sizes.minorticks_off()
    sizes.set_title("Sizes")
    sizes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(output):
    """Run the whole job and say what was found."""
    started = time.perf_counter()
    write_tiles(output / "tiles")
    written = time.perf_counter()
    print(f"{ROWS * COLUMNS} pictures written to {output / 'tiles'}")

    stages = find_objects(f"{output / 'tiles'}/*.tif")
    labels = stages["labels"]
    table = measure(stages["brightness"] - stages["background"], labels)
    store = zarr.create_array(
        output / "labels.zarr",
        shape=labels.shape,
        chunks=labels.chunksize,
        dtype=labels.dtype,
        overwrite=True,
    )
    stored = da.store(labels, store, compute=False)
    described = time.perf_counter()

    with Profiler() as profiler, ProgressBar():
        sky, table, _ = dask.compute(stages["read"], table, stored)
    computed = time.perf_counter()

    write_table(output / "objects.csv", table)
    draw(output / "count_objects.png", sky, store[:], table)
    finished = time.perf_counter()
    largest = np.argmax(table["area"])
    brightest = np.argmax(table["peak"])
    print(f"{len(table['label'])} objects; median area {np.median(table['area']):.0f} pixels")
    for word, row in (("largest", largest), ("brightest", brightest)):
        print(
            f"the {word}: {table['area'][row]} pixels, peak {table['peak'][row]:.0f}, "
            f"at row {table['row'][row]:.1f}, column {table['column'][row]:.1f}"
        )
    print("seconds of the clock:")
    print(f"  {written - started:7.2f}  write the tiles")
    print(f"  {described - written:7.2f}  describe the job (lazy)")
    print(f"  {computed - described:7.2f}  compute, of which seconds of all workers:")
    for stage, seconds in seconds_by_stage(stages, profiler.results).items():
        print(f"           {seconds:7.2f}  {stage}")
    print(f"  {finished - computed:7.2f}  table and figure")
    print(f"results in {output}: objects.csv, labels.zarr, count_objects.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
