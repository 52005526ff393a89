"""
Follow moving objects through a time series.

Time is an axis like any other. Labels of each frame by itself come from a structure without
neighbours in time; with neighbours in time, an object that overlaps itself from frame to frame
has one label along its whole way: a track. A table of the frames' objects, and which track each
belongs to, gives the ways and speeds.

Usage: ``python follow_moving_objects.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np

import dask_image.ndimage as ndi
from dask_image.ndmeasure import regionprops_table

matplotlib.use("agg")
import matplotlib.pyplot as plt

FRAMES, SIDE, OBJECTS = 40, 256, 12


def film():
    """Return frames of disks that move along arcs, with noise: a block a frame, cut in four."""
    random = np.random.default_rng(5)
    time = np.arange(FRAMES)[:, np.newaxis]
    start = random.uniform(40, SIDE - 40, (2, OBJECTS))
    speed, turn = random.uniform(1, 3, OBJECTS), random.uniform(-0.06, 0.06, OBJECTS)
    angle = random.uniform(0, 2 * np.pi, OBJECTS) + turn * time
    y = start[0] + np.cumsum(speed * np.sin(angle), axis=0)
    x = start[1] + np.cumsum(speed * np.cos(angle), axis=0)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    frames = random.normal(0, 12, (FRAMES, SIDE, SIDE)).astype("float32")
    for frame, disks in zip(frames, np.stack([y, x], axis=-1)):
        for row, column in disks:
            frame += 60 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 40)
    return da.from_array(frames, chunks=(1, SIDE // 2, SIDE // 2))


def tracks_of(frames):
    """Return labels of the objects of each frame, labels of tracks, and a table."""
    smooth = ndi.gaussian_filter(frames, sigma=2, axes=(1, 2))
    bright = smooth > 20
    within_frame = np.zeros((3, 3, 3), bool)
    within_frame[1] = True
    objects, _ = ndi.label(bright, within_frame)
    tracks, _ = ndi.label(bright, np.ones((3, 3, 3)))
    table = regionprops_table(objects, smooth, ("label", "area", "centroid", "intensity_max"))
    # All pixels of an object have the same track.
    table["track"] = ndi.maximum(tracks, objects, table["label"].compute())
    return objects, tracks, table


def main(output):
    """Draw a frame, and the ways of all objects."""
    output.mkdir(parents=True, exist_ok=True)
    frames = film()
    objects, _, table = tracks_of(frames)
    frame, labels, table = dask.compute(frames[20], objects[20], table)
    print(f"{len(table['label'])} objects in {FRAMES} frames; {len(set(table['track']))} tracks")

    figure, axes = plt.subplots(1, 3, figsize=(14, 5), layout="constrained")
    axes[0].imshow(frame, cmap="gray")
    axes[0].set_title("frame 20")
    axes[1].imshow(np.ma.masked_equal(labels, 0), cmap="prism", interpolation="nearest")
    axes[1].set_title("its objects")
    for track in np.unique(table["track"]):
        rows = table["track"] == track
        way = np.stack([table[f"centroid-{axis}"][rows] for axis in range(3)])
        _, y, x = way[:, np.argsort(way[0])]
        axes[2].plot(x, y, ".", markersize=3)
        axes[2].annotate(f"{track}", (x[-1], y[-1]))
    axes[2].set(xlim=(0, SIDE), ylim=(SIDE, 0), aspect="equal")
    axes[2].set_title("tracks; two that touch are one")
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "follow_moving_objects.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
