"""
Run every family over an image several times larger than the memory it may take.

    python -m benchmarks.scale [--short] [--graphs] [--cluster] [NAME ...]

Each case is a process of its own, which is stopped, and fails, when its resident memory rises by
more than its cap above what the imports took. Images are made lazily, results go to zarr through
`dask_image.store`, and sampled windows are compared with SciPy. ``--graphs`` builds all functions
instead and counts what a block costs; ``--cluster`` runs some on two workers of 1 GB, one of which
is killed. Prints tables as in ``docs/scale.rst``.
"""

import argparse
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time

import dask
import dask.array as da
import numpy as np
from dask.utils import ensure_dict
from scipy import ndimage

import dask_image
from dask_image import ndfilters, ndinterp, ndmeasure, ndmorph

OVER_CAP = 8
OVERRAN = 3
PAGE = os.sysconf("SC_PAGE_SIZE")


def pixels(rows, columns):
    """Return what the image holds at some places: anything may be asked for, anywhere."""
    mixed = rows[:, None] * np.uint32(2654435761) + columns * np.uint32(2246822519)
    return ((mixed ^ (mixed >> np.uint32(15))) >> np.uint32(8)).astype(np.float32)


def objects(rows, columns):
    """Return a label image of squares of 20 pixels, a gap of 4 between them."""
    names = (rows // 24)[:, None] * np.int64(100_000) + columns // 24 + 1
    return (names * ((rows % 24 < 20)[:, None] & (columns % 24 < 20))).astype(np.int32)


def lazy(make, side, block, dtype):
    """Return an image whose blocks are made when they are needed."""

    def one(block_info=None):
        spans = block_info[None]["array-location"]
        return make(*(np.arange(*span, dtype=np.uint32) for span in spans))

    chunks = da.core.normalize_chunks(block, (side, side))
    return da.map_blocks(one, chunks=chunks, dtype=dtype, meta=np.empty((0, 0), dtype))


def strayed(rows, columns):
    """Return coordinates that stray by up to 3 pixels from those of a grid."""
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij")).astype(float)
    return grid + 3 * np.sin(grid / 50)


def drift(image):
    """Return strayed coordinates for each pixel, lazy."""

    def one(block_info=None):
        spans = block_info[None]["array-location"][1:]
        return strayed(*(np.arange(*span) for span in spans))

    chunks = ((2,), *image.chunks)
    return da.map_blocks(one, chunks=chunks, dtype=float, meta=np.empty((0, 0, 0)))


def mapped(window, around):
    """Return SciPy's `map_coordinates` for strayed coordinates of a window."""
    return ndimage.map_coordinates(window, strayed(around, around) - around[0], order=1)


# For each case: ours, and SciPy's on a window, which lies at some rows and columns of the image.
WINDOWED = {
    "gaussian_filter": (
        lambda image: ndfilters.gaussian_filter(image, 2),
        lambda window, _: ndimage.gaussian_filter(window, 2),
    ),
    "median_filter": (
        lambda image: ndfilters.median_filter(image, 3),
        lambda window, _: ndimage.median_filter(window, 3),
    ),
    "grey_opening": (
        lambda image: ndmorph.grey_opening(image, size=5),
        lambda window, _: ndimage.grey_opening(window, size=5),
    ),
    "map_coordinates(reach=3)": (
        lambda image: ndinterp.map_coordinates(image, drift(image), order=1, reach=3),
        mapped,
    ),
    "map_coordinates": (
        lambda image: ndinterp.map_coordinates(image, drift(image), order=1),
        mapped,
    ),
}
LABELLED = {
    "mean": (ndmeasure.mean, np.mean),
    "median": (ndmeasure.median, np.median),
    "labeled_comprehension": (
        lambda image, labels, index: ndmeasure.labeled_comprehension(
            image, labels, index, np.ptp, float, 0
        ),
        np.ptp,
    ),
}
BORDER, WINDOW = 32, 64


def check_windows(name, target, side, block):
    """Compare windows, at corners of blocks and of the image, with SciPy."""
    expected_of = WINDOWED[name][1]
    for start in (0, block - WINDOW // 2, side - WINDOW):
        low, high = max(start - BORDER, 0), min(start + WINDOW + BORDER, side)
        inner = slice(start - low, start - low + WINDOW)
        around = np.arange(low, high, dtype=np.uint32)
        expected = expected_of(pixels(around, around), around)[inner, inner]
        found = target[start : start + WINDOW, start : start + WINDOW]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def check_labels(function, index, values, side):
    """Compare some labels, among them those that lie across blocks, with NumPy."""
    for place in np.linspace(0, index.size - 1, 40).astype(int):
        row, column = divmod(int(index[place]) - 1, 100_000)
        extents = [np.arange(24 * at, min(24 * at + 20, side)) for at in (row, column)]
        part = pixels(*(extent.astype(np.uint32) for extent in extents))
        np.testing.assert_allclose(values[place], function(part.astype(float)), rtol=1e-6)


def run_case(name, side, block):
    """Compute a case in this process."""
    import zarr

    image = lazy(pixels, side, block, np.float32)
    if name in LABELLED:
        ours, theirs = LABELLED[name]
        labels = lazy(objects, side, block, np.int32)
        values, index = dask.compute(*ours(image, labels, "all"))
        check_labels(theirs, index, values, side)
        return
    result = WINDOWED[name][0](image)
    with tempfile.TemporaryDirectory() as folder:
        target = zarr.create_array(
            folder, shape=result.shape, chunks=(block, block), dtype=result.dtype
        )
        dask_image.store(result, target, memory=image.nbytes // (2 * OVER_CAP))
        check_windows(name, target, side, block)


def resident():
    """Return the bytes of memory that this process takes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def child(name, side, block, cap):
    """Run a case under its cap, and print peak (bytes) and seconds."""
    dask.config.set(scheduler="threads", num_workers=2)
    dask.config.set({"dask-image.median.memory": 0, "dask-image.coordinates.memory": 0})
    run_case(name, 2 * block, block)  # compiles, and imports what is imported late
    start = resident()
    peak = [start]

    def watch():
        while True:
            peak[0] = max(peak[0], resident())
            if peak[0] - start > cap:
                print(peak[0] - start, "over its cap", flush=True)
                os._exit(OVERRAN)
            time.sleep(0.002)

    threading.Thread(target=watch, daemon=True).start()
    begun = time.perf_counter()
    run_case(name, side, block)
    print(peak[0] - start, time.perf_counter() - begun)


def cap_of(name, side):
    """Return an eighth of the bytes of the image, and of coordinates if there are some."""
    pixel = 4 + 16 * name.startswith("map_coordinates")
    return pixel * side**2 // OVER_CAP


def run_all(side, block, names):
    """Run all cases, each in a process; return whether all kept below their cap."""
    print(f"{side}² float32 in {block}², {4 * side**2 / 2**20:.0f} MiB, two threads")
    print(f"{'case':28s} {'cap MiB':>8s} {'peak MiB':>9s} {'s':>6s}")
    failed = False
    for name in names or [*WINDOWED, *LABELLED]:
        cap = cap_of(name, side)
        arguments = ["--child", name, "--side", str(side), "--block", str(block)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout.split()
        if done.returncode:
            failed = True
            over = done.returncode == OVERRAN
            reason = f"over {int(words[0]) >> 20}" if over else done.stderr.strip()[-300:]
            print(f"{name:28s} {cap / 2**20:8.0f} FAILED: {reason}", flush=True)
            continue
        peak, seconds = map(float, words)
        print(f"{name:28s} {cap / 2**20:8.0f} {peak / 2**20:9.0f} {seconds:6.1f}", flush=True)
    return not failed


def graph_of(call, side):
    """Return the tasks of a call on so many blocks of 128³ along each of three axes."""
    image = da.zeros((side * 128,) * 3, chunks=128, dtype="f4")
    others = [da.zeros_like(image, dtype=dtype) for dtype in ("i4", bool, "u1")]
    collections, _ = dask.base.unpack_collections(call(image, *others))
    graph = {}
    for each in collections:
        graph.update(ensure_dict(each.__dask_graph__()))
    return graph


def graph_calls():
    """Return a call of every function, and those that have a faster way."""
    from tests import calls

    def drawn(image):
        return da.zeros((image.ndim, *image.shape), chunks=(image.ndim, *image.chunks))

    calls._grid_coordinates = drawn
    return calls.ALL_CALLS | {
        "ndinterp.map_coordinates(reach=3)": lambda image, *_: ndinterp.map_coordinates(
            image, drawn(image), order=1, reach=3
        )
    }


def show_graphs(blocks, names):
    """Build functions on so many blocks and print what a block costs."""
    side = round(blocks ** (1 / 3))
    count = side**3
    print(f"{count} blocks of 128³, tasks of the inputs included")
    print(f"{'function':45s} {'tasks':>6s} {'µs':>6s} {'bytes':>6s}  a block")
    for name, call in graph_calls().items():
        if names and name.rpartition(".")[2] not in names:
            continue
        begun = time.process_time()
        graph = graph_of(call, side)
        seconds = time.process_time() - begun
        some = list(graph.values())[:: max(len(graph) // 10_000, 1)]
        size = len(pickle.dumps(some)) / len(some) * len(graph)
        print(
            f"{name:45s} {len(graph) / count:6.1f} {seconds / count * 1e6:6.0f} "
            f"{size / count:6.0f}",
            flush=True,
        )


def on_cluster(side, block, names):
    """Run some functions on two workers of 1 GB, undisturbed and with one killed in between."""
    from distributed import Client, LocalCluster

    image, labels = lazy(pixels, side, block, np.float32), lazy(objects, side, block, np.int32)
    index = np.arange(1, 200)
    calls = {
        "gaussian_filter": lambda: ndfilters.gaussian_filter(image, 2).sum(),
        "label": lambda: ndmeasure.label(labels > 0)[1],
        "median": lambda: ndmeasure.median(image, labels, index),
        "map_coordinates(reach=3)": lambda: ndinterp.map_coordinates(
            image, drift(image), order=1, reach=3
        ).sum(),
        "map_coordinates": lambda: ndinterp.map_coordinates(image, drift(image), order=1).sum(),
    }
    print(f"{side}² float32 in {block}², {4 * side**2 / 2**20:.0f} MiB, two workers of 1 GB")
    print(f"{'function':26s} {'s':>6s} {'moved MB':>9s} {'peak MB':>8s} {'one killed, s':>14s}")
    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 10,
            "distributed.admin.low-level-log-length": 10**6,
        }
    )
    for name, call in calls.items():
        if names and name not in names:
            continue
        if name == "map_coordinates":  # all points travel
            image = lazy(pixels, side // 2, block, np.float32)
        found, line, seconds = [], f"{name:26s}", 0.0
        for killed in (False, True):
            with (
                LocalCluster(
                    n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=":0"
                ) as cluster,
                Client(cluster) as client,
            ):
                begun = time.perf_counter()
                future = client.compute(call())
                if killed:
                    time.sleep(seconds / 2)
                    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
                found.append(future.result(timeout=600))
                seconds = time.perf_counter() - begun
                if not killed:
                    moved = sum(client.run(received).values()) / 1e6
                    peak = max(client.run(peak_of_worker).values()) / 1e3
                    line += f" {seconds:6.1f} {moved:9.0f} {peak:8.0f}"
                else:
                    line += f" {seconds:14.1f}"
        np.testing.assert_allclose(*found, rtol=1e-6)
        print(line, flush=True)


def received(dask_worker):
    """Return the bytes that a worker has received from others."""
    return sum(transfer["total"] for transfer in dask_worker.transfer_incoming_log)


def peak_of_worker():
    """Return the peak of a worker's resident memory, in KiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    """Read the arguments and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="of cases; by default all")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--graphs", action="store_true")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--blocks", type=int, default=1728)
    parser.add_argument("--child")
    parser.add_argument("--side", type=int)
    parser.add_argument("--block", type=int)
    chosen = parser.parse_args()
    if chosen.child:
        cap = cap_of(chosen.child, chosen.side)
        child(chosen.child, chosen.side, chosen.block, cap)
    elif chosen.graphs:
        show_graphs(chosen.blocks, chosen.names)
    elif chosen.cluster:
        on_cluster(chosen.side or 8192, chosen.block or 512, chosen.names)
    else:
        side, block = (8192, 256) if chosen.short else (24576, 1024)
        sys.exit(not run_all(chosen.side or side, chosen.block or block, chosen.names))


if __name__ == "__main__":
    main()
