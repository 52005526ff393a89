"""
Follow rain around the globe with xarray.

A year's end of daily rain on a grid of latitudes and longitudes, made up here, stands for a file
that ``xarray.open_dataset(name, chunks={})`` opens. Smoothing is in degrees, not in pixels;
longitudes are a circle, for the filter and for the labels, so that a storm across the date line is
one storm. What comes back has dimensions, coordinates and units, still lazy.

Usage: ``python storms_on_a_globe.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask.array as da
import matplotlib
import numpy as np
import xarray

import dask_image.xarray as xndi

matplotlib.use("agg")
import matplotlib.pyplot as plt


def rain():
    """Return six days of storms that move eastwards, in chunks of a day."""
    days = np.arange("2026-12-26", "2027-01-01", dtype="M8[D]").astype("M8[ns]")
    latitude, longitude = np.arange(89.5, -90, -1.0), np.arange(-180, 180, 1.0)
    random = np.random.default_rng(6)
    noise = random.gamma(0.4, 4, (len(days), len(latitude), len(longitude)))
    field = np.zeros_like(noise)
    for north, east, speed in random.uniform((-60, -180, 6), (60, 180, 15), (14, 3)):
        for day in range(len(days)):
            away = (longitude - east - speed * day + 180) % 360 - 180
            distance = ((latitude[:, None] - north) / 6) ** 2 + (away / 14) ** 2
            field[day] += 45 * np.exp(-distance)
    return xarray.DataArray(
        da.from_array(field + noise, chunks=(1, 90, 120)),
        {"time": days, "lat": latitude, "lon": longitude},
        ("time", "lat", "lon"),
        "rain",
        {"units": "mm/day"},
    )


def storms_of(field):
    """Return the smoothed rain, and the labels of its storms, each day for itself."""
    smooth = xndi.gaussian_filter(
        field,
        sigma={"lat": 2, "lon": 2},
        mode={"lat": "nearest", "lon": "wrap"},
        units="coordinates",
    )
    neighbours = np.zeros((3, 3, 3), int)
    neighbours[1] = 1  # of the same day
    labels, count = xndi.label(smooth > 15, neighbours, wrap="lon")
    return smooth, labels, count


def main(output):
    """Draw one day's storms, and how much it rains in all storms, day by day."""
    output.mkdir(parents=True, exist_ok=True)
    smooth, labels, _ = storms_of(rain())
    peaks = xndi.maximum_position(smooth, labels, index="all")
    storms = xndi.maximum(smooth, labels, index="all").merge(peaks)
    day = smooth["time"][2]
    today = storms.where(storms["maximum_position_time"] == day, drop=True)

    figure, axes = plt.subplots(2, 1, figsize=(9, 8), layout="constrained")
    smooth.sel(time=day).plot(ax=axes[0], cmap="Blues", vmin=0)
    axes[0].plot(today["maximum_position_lon"], today["maximum_position_lat"], "r+", markersize=12)
    here = labels.sel(time=day)
    here.where(here > 0).plot(ax=axes[1], cmap="prism", add_colorbar=False)
    axes[1].set_title(f"{today.sizes['label']} storms; those at the date line are one")
    figure.savefig(output / "storms_on_a_globe.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
