"""
Run on a cluster, and see what its dashboard shows.

Two workers, processes of this computer here, smooth, label and measure an image. The dashboard
(``client.dashboard_link``, once bokeh is installed) draws every task as a bar; this is the same
picture, drawn from what the scheduler recorded. Tasks are named after the function that was
called, so that it shows where the time goes.

Usage: ``python watch_a_cluster.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
from dask.distributed import Client, LocalCluster, get_task_stream
from dask.utils import key_split

import dask_image.ndimage as ndi
from dask_image.ndmeasure import regionprops_table

matplotlib.use("agg")
import matplotlib.pyplot as plt


def work():
    """Describe a table of objects, and how many there are."""
    image = da.random.default_rng(0).random((4000, 4000), chunks=1000)
    smooth = ndi.gaussian_filter(image, sigma=5)
    labels, count = ndi.label(smooth > 0.53)
    return count, regionprops_table(labels, smooth, ("label", "area", "centroid"))


def draw(path, records):
    """Draw a bar for each task: a row is a thread of a worker, a color a name."""
    rows, colors = {}, {}
    begin = min(step["start"] for record in records for step in record["startstops"])
    figure, axis = plt.subplots(figsize=(11, 4), layout="constrained")
    for record in records:
        row = rows.setdefault((record["worker"], record["thread"]), len(rows))
        name = key_split(record["key"])
        for step in record["startstops"]:
            length = step["stop"] - step["start"]
            color = "0.3" if step["action"] == "transfer" else colors.setdefault(
                name, plt.get_cmap("tab20")(len(colors) % 20)
            )  # fmt: skip
            axis.barh(row, length, left=step["start"] - begin, color=color, edgecolor="white")
    for name, color in {**colors, "moved between workers": "0.3"}.items():
        axis.barh(0, 0, color=color, label=name)
    axis.set(xlabel="seconds", ylabel="threads of workers", yticks=range(len(rows)))
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=100)


def main(output):
    """Run the job on two workers, and draw what they did."""
    output.mkdir(parents=True, exist_ok=True)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        dask.compute(work())  # kernels are compiled, or read from disk, once in each process
        with get_task_stream(client) as stream:
            count, table = dask.compute(*work())
    draw(output / "watch_a_cluster.png", stream.data)
    print(count, "objects; the largest has", table["area"].max(), "pixels")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
