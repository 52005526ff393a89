"""
Run every family over an image several times larger than the memory it may take.

    python -m benchmarks.scale [--short] [--side N --block N] [--volumes] [NAME ...]
    python -m benchmarks.scale --graphs | --cluster | --schedulers [NAME ...]

Each case (`scale_cases.py`) is a process of its own, which is stopped, and fails, when its resident
memory rises by more than its cap above what the imports took. Images are made lazily, results go
to zarr through `dask_image.store`, and sampled windows are compared with SciPy. Images of three
axes have a size of their own; ``--volumes`` runs these cases alone. ``--graphs`` builds
all functions instead and counts what a block costs; ``--cluster`` runs some on two workers of 1 GB,
one of which is killed, and which must pause and spill; ``--schedulers`` compares those of Dask.
Prints tables as in ``docs/scale.rst``.
"""

import argparse
import contextlib
import math
import multiprocessing
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

import dask
import dask.array as da
import numpy as np
from dask.sizeof import sizeof
from dask.utils import ensure_dict

import dask_image
from benchmarks.scale_cases import ACROSS, CASES, LABELLED, PITCH, SINGLE, SQUARE, Images, Window
from benchmarks.scale_graphs import graph_calls
from dask_image import ndfilters, ndinterp, ndmeasure

OVERRAN = 3
PAGE = os.sysconf("SC_PAGE_SIZE")
# Pixels of a window, and around it, along each axis.
WINDOWS = {2: (64, 32), 3: (32, 24)}
# By how many axes there are: pixels along each, of the image and of a block.
SIDES = {2: (24576, 1024), 3: (640, 80)}
SHORT_SIDES = {2: (12288, 512)}


def check_windows(case, target, side, block):
    """Compare windows, at corners of blocks and of the image and in its middle, with SciPy."""
    length, (window, border) = target.shape[0], WINDOWS[case.ndim]
    size = min(window, length)
    for start in sorted({0, min(block, length) - size // 2, length // 2, length - size}):
        start = min(start, length - size)
        low, high = max(start - border, 0), min(start + size + border, length)
        around = np.arange(low, high, dtype=np.uint32)
        inner = (slice(start - low, start - low + size),) * target.ndim
        expected = case.theirs(Window((around,) * case.ndim, side))[inner]
        found = target[(slice(start, start + size),) * target.ndim]
        if case.numbered:
            found, expected = by_first_pixel(found), by_first_pixel(expected)
        scale = np.abs(expected).max(initial=0)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * scale)


def by_first_pixel(labels):
    """Return labels numbered anew, in the order of their first pixels."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].reshape(labels.shape)


def check_labels(case, index, values, side):
    """Compare some labels, among them those that lie across blocks, with NumPy."""
    for place in np.linspace(0, index.size - 1, 40).astype(int):
        row, column = divmod(int(index[place]) - 1, ACROSS[2])
        spans = [(PITCH * at, min(PITCH * at + SQUARE, side)) for at in (row, column)]
        part = Window(tuple(np.arange(*span, dtype=np.uint32) for span in spans), side).image
        np.testing.assert_allclose(values[place], case.theirs(part.astype(float)), rtol=1e-6)


def run_case(name, side, block, cap):
    """Compute a case here, and check it; ``store`` and ``label`` may take a quarter of the cap."""
    import zarr

    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        result = case.ours(Images(side, block, folder, case.ndim))
        if name in LABELLED:
            values, index = dask.compute(*result)
            check_labels(case, index, values, side)
        elif name in SINGLE:
            np.testing.assert_allclose(result.compute(), case.theirs(side))
        else:
            target = zarr.create_array(
                f"{folder}/result", shape=result.shape, dtype=result.dtype,
                chunks=tuple(max(sizes) for sizes in result.chunks),
            )  # fmt: skip
            dask_image.store(result, target, memory=cap // 4)
            check_windows(case, target, side, block)


def resident():
    """Return the bytes of memory that this process takes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def child(name, side, block, cap):
    """Run a case under its cap, and print peak (bytes) and seconds."""
    dask.config.set(scheduler="threads", num_workers=2)
    dask.config.set({"dask-image.median.memory": 0, "dask-image.coordinates.memory": 0})
    dask.config.set({f"dask-image.{kind}.memory": cap // 4 for kind in ("label", "waiting")})
    dask.config.set({"dask-image.compile.wait": math.inf})
    run_case(name, 2 * block, block, cap)  # compiles, and imports what is imported late
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
    run_case(name, side, block, cap)
    print(peak[0] - start, time.perf_counter() - begun)


def cap_of(name, side, share):
    """Return a share of the bytes of what is read: an image, and coordinates if there are some."""
    case = CASES[name]
    return case.caps * case.pixel * side**case.ndim // share


def run_all(side, block, names, share):
    """Run cases, each in a process; return whether all kept below their cap."""
    ndim = CASES[names[0]].ndim
    power = {2: "²", 3: "³"}[ndim]
    size = 4 * side**ndim / 2**20
    print(f"{side}{power} float32 in {block}{power}, {size:.0f} MiB, two threads")
    print(f"{'case':28s} {'cap MiB':>8s} {'peak MiB':>9s} {'s':>6s}")
    failed = []
    for name in names:
        cap = cap_of(name, side, share)
        arguments = ["--child", name, "--side", str(side), "--block", str(block), "--cap", str(cap)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"MALLOC_TRIM_THRESHOLD_": "65536", **os.environ},  # as Dask's workers have it
        )
        line, words = f"{name:28s} {cap / 2**20:8.0f}", done.stdout.split()
        if done.returncode:
            failed.append(name)
            over = done.returncode == OVERRAN
            reason = f"over {int(words[0]) >> 20}" if over else done.stderr.strip()[-300:]
            print(f"{line} FAILED: {reason}", flush=True)
            continue
        peak, seconds = map(float, words)
        print(f"{line} {peak / 2**20:9.0f} {seconds:6.1f}", flush=True)
    if failed:
        print(f"{len(failed)} of {len(names)} failed: {', '.join(failed)}")
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


MOST_TASKS, MOST_MICROSECONDS = 12, 400
PATIENCE, MOST_BYTES = 900, 8 << 30  # seconds, and memory, for one function
MOST_SECONDS = 180  # on a cluster


def cost_of_graph(call, side):
    """Return how many tasks, microseconds and pickled bytes a block costs."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    graph_of(call, 2)  # imports what is imported late
    begun = time.process_time()
    graph = graph_of(call, side)
    seconds = time.process_time() - begun
    some = list(graph.values())[:: max(len(graph) // 10_000, 1)]
    size = len(pickle.dumps(some)) / len(some) * len(graph)
    return len(graph) / side**3, seconds / side**3 * 1e6, size / side**3


def in_a_process(function, *args, timeout):
    """Return what a function returns in a process of its own, or None if that takes too long."""
    # It inherits what is imported, and leaves no memory behind.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(function(*args)))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(timeout) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def show_graphs(blocks, names):
    """Build functions on so many blocks and print what a block costs."""
    side = round(blocks ** (1 / 3))
    calls = graph_calls()
    print(f"{side**3} blocks of 128³, tasks of the inputs included")
    print(f"{'function':45s} {'tasks':>6s} {'µs':>6s} {'bytes':>6s}  a block")
    above = []
    for name, call in calls.items():
        if names and name.partition(".")[2] not in names:
            continue
        found = in_a_process(cost_of_graph, call, side, timeout=PATIENCE)
        if found is None:
            print(f"{name:45s} FAILED, or not built in {PATIENCE} s and 8 GiB", flush=True)
            above.append(name)
            continue
        tasks, microseconds, size = found
        print(f"{name:45s} {tasks:6.1f} {microseconds:6.0f} {size:6.0f}", flush=True)
        if tasks > MOST_TASKS or microseconds > MOST_MICROSECONDS:
            above.append(name)
    print(f"above {MOST_TASKS} tasks or {MOST_MICROSECONDS} µs: {', '.join(above) or 'none'}")


def cluster_calls(side, block):
    """Return calls whose results are small."""
    images = Images(side, block)
    few = Images(side // 2, block)  # all points travel
    index = np.arange(1, 200)
    return {
        "gaussian_filter": lambda: ndfilters.gaussian_filter(images.image, 2).sum(),
        "label": lambda: ndmeasure.label(images.objects > 0)[1],
        "median": lambda: ndmeasure.median(images.image, images.objects, index),
        "map_coordinates(reach=3)": lambda: ndinterp.map_coordinates(
            images.image, images.coordinates, order=1, reach=3
        ).sum(),
        "map_coordinates": lambda: ndinterp.map_coordinates(
            few.image, few.coordinates, order=1
        ).sum(),
    }


@contextlib.contextmanager
def two_workers():
    """Start two workers of 1 GB."""
    from distributed import Client, LocalCluster

    settings = {"scheduler.allowed-failures": 10, "admin.low-level-log-length": 10**6}
    with (
        dask.config.set({f"distributed.{name}": value for name, value in settings.items()}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def finished(client, future):
    """Return a result; if it takes too long, end with what each worker is doing."""
    from distributed import TimeoutError as TookTooLong

    try:
        return future.result(timeout=MOST_SECONDS)
    except TookTooLong:
        states = "; ".join(client.run(state_of_worker).values())
        raise SystemExit(f"FAILED: not finished in {MOST_SECONDS} s. Workers: {states}") from None


def state_of_worker(dask_worker):
    """Say whether a worker is paused, what memory it takes, and how much of that it may spill."""
    pause = dask_worker.memory_manager.memory_pause_fraction
    limit = pause * dask_worker.memory_manager.memory_limit
    held = sum(map(sizeof, dask_worker.data.fast.values()))
    return (
        f"{dask_worker.status.name}, {resident() / 1e6:.0f} MB, pauses above {limit / 1e6:.0f}, "
        f"has {held / 1e6:.0f} to spill, {len(dask_worker.state.ready)} tasks ready"
    )


def undisturbed(call):
    """Return a result, seconds, the bytes moved and the peak of a worker."""
    with two_workers() as client:
        begun = time.perf_counter()
        result = finished(client, client.compute(call()))
        seconds = time.perf_counter() - begun
        moved, peak = client.run(received), client.run(peak_of_worker)
    return result, seconds, sum(moved.values()), max(peak.values())


def with_one_killed(call, seconds):
    """Return a result, and seconds, where one worker is killed in the middle."""
    with two_workers() as client:
        begun = time.perf_counter()
        future = client.compute(call())
        time.sleep(seconds / 2)
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        return finished(client, future), time.perf_counter() - begun


def with_little_memory(call, small_call, side, block):
    """
    Return a result, seconds, how often workers paused, and the bytes that they spilled.

    They hold an image of nine times the size, and may take 120 MB more than what imports take.
    """
    with two_workers() as client:
        for worker in client.run(os.getpid):
            finished(client, client.compute(small_call(), workers=[worker]))
        client.run(leave_little_memory)
        begun = time.perf_counter()
        held = client.persist(Images(3 * side, block).image)
        result = finished(client, client.compute(call()))
        seconds = time.perf_counter() - begun
        corner = np.arange(3 * side - WINDOWS[2][0], 3 * side, dtype=np.uint32)
        expected = Window((corner, corner), 3 * side).image
        np.testing.assert_array_equal(held[corner[0] :, corner[0] :].compute(), expected)
        return result, seconds, client.run_on_scheduler(pauses), sum(client.run(spilled).values())


def leave_little_memory(dask_worker):
    """Let a worker take little more than it does."""
    manager, taken = dask_worker.memory_manager, resident()
    manager.memory_target_fraction = (taken + 40e6) / manager.memory_limit
    manager.memory_spill_fraction = (taken + 120e6) / manager.memory_limit
    manager.memory_pause_fraction = (taken + 120e6) / manager.memory_limit


def on_cluster(side, block, names):
    """Run some functions on two workers of 1 GB: undisturbed, one killed, and short of memory."""
    print(f"{side}² float32 in {block}², {4 * side**2 / 2**20:.0f} MiB, two workers of 1 GB")
    print(
        f"{'function':26s} {'s':>6s} {'moved MB':>9s} {'peak MB':>8s} {'one killed, s':>14s}"
        f" {'short of memory, s':>19s} {'pauses':>7s} {'spilled MB':>11s}"
    )
    suffered, small = [0, 0], cluster_calls(2 * block, block)
    for name, call in cluster_calls(side, block).items():
        if names and name not in names:
            continue
        expected, seconds, moved, peak = undisturbed(call)
        survived, killed = with_one_killed(call, seconds)
        found, tight, paused, written = with_little_memory(call, small[name], side, block)
        for each in (survived, found):
            np.testing.assert_allclose(each, expected, rtol=1e-6)
        suffered = [suffered[0] + paused, suffered[1] + written]
        print(
            f"{name:26s} {seconds:6.1f} {moved / 1e6:9.0f} {peak / 1e6:8.0f} {killed:14.1f}"
            f" {tight:19.1f} {paused:7d} {written / 1e6:11.0f}",
            flush=True,
        )
    if not all(suffered):
        sys.exit("no worker paused and spilled: nothing was shown")


def compare_schedulers(side, block, names):
    """Check that all of Dask's schedulers come to the same."""
    for name, call in cluster_calls(side, block).items():
        if names and name not in names:
            continue
        results = {
            scheduler: np.asarray(call().compute(scheduler=scheduler, num_workers=2))
            for scheduler in ("sync", "threads", "processes")
        }
        with two_workers() as client:
            results["distributed"] = np.asarray(finished(client, client.compute(call())))
        for result in results.values():
            np.testing.assert_array_equal(result, results["sync"])
        print(f"{name:26s} the same from {', '.join(results)}", flush=True)


def received(dask_worker):
    """Return the bytes that a worker has received from others."""
    return sum(transfer["total"] for transfer in dask_worker.transfer_incoming_log)


def spilled(dask_worker):
    """Return the bytes that a worker has written to disk."""
    return sum(
        value
        for key, value in dask_worker.digests_total.items()
        if "disk-write" in key and key[-1] == "bytes"
    )


def pauses(dask_scheduler):
    """Return how often workers have paused."""
    events = [
        event for each in dask_scheduler.workers for _, event in dask_scheduler.get_events(each)
    ]
    return sum(isinstance(event, dict) and event.get("status") == "paused" for event in events)


def peak_of_worker():
    """Return the peak of a worker's resident memory, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    """Read the arguments and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="of cases; by default all")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--volumes", action="store_true", help="images of three axes only")
    parser.add_argument("--graphs", action="store_true")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--schedulers", action="store_true")
    parser.add_argument("--blocks", type=int, default=1728)
    parser.add_argument("--share", type=int, default=8, help="of the image that is the cap")
    parser.add_argument("--child")
    parser.add_argument("--cap", type=int)
    parser.add_argument("--side", type=int)
    parser.add_argument("--block", type=int)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.side, chosen.block, chosen.cap)
    elif chosen.graphs:
        show_graphs(chosen.blocks, chosen.names)
    elif chosen.cluster:
        on_cluster(chosen.side or 4096, chosen.block or 512, chosen.names)
    elif chosen.schedulers:
        compare_schedulers(chosen.side or 2048, chosen.block or 256, chosen.names)
    else:
        sys.exit(not run_chosen(chosen))


def run_chosen(chosen):
    """Run the cases that the arguments choose; return whether all kept below their cap."""
    names = chosen.names or [name for name, case in CASES.items() if case.short or not chosen.short]
    kept = True
    for ndim, sides in (SHORT_SIDES if chosen.short else SIDES).items():
        some = [name for name in names if CASES[name].ndim == ndim]
        # A size that is given is that of images of two axes, unless they are chosen otherwise.
        if not chosen.names and ndim != (3 if chosen.volumes else 2 if chosen.side else ndim):
            continue
        if some:
            side, block = chosen.side or sides[0], chosen.block or sides[1]
            kept &= run_all(side, block, some, chosen.share)
    return kept


if __name__ == "__main__":
    main()
