"""
Print what one block costs here, in SciPy, in other libraries and in the public dask-image package.

Run as ``python benchmarks/compare.py [--peers PYTHON] [--public PYTHON] [WORD ...]``; rows whose
title has one of the words are measured, by default all. PYTHON is the interpreter of an
environment that has OpenCV, cc3d, edt and scikit-image, or the public package (which has this
one's import name). ``make compare`` makes both environments. The output is the table of
``docs/performance.rst``, which reads it from ``docs/compare.txt``.

Times are those of one thread's processor, in nanoseconds a pixel. All take turns in one run, each
in a process of its own but SciPy and this package, and each row gives medians; what takes longer
than two seconds is called once. Ours begin with Dask arrays of one block that have names, so that
nothing is hashed, and end when the result's block is there (``persist``; `dask.array.store` alone
takes a millisecond more for a block that is there already); building the graph counts. *Two
threads* is how many times as fast a square of nine such blocks is on two threads as on one, by the
clock, to a sink that keeps nothing. Before a row is timed, our result is compared with SciPy's, at
its full size: a wrong one ends the run.
"""

import argparse
import json
import select
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
from compare_cases import CASES
from scipy import ndimage

ROUNDS = 5
SLOW = 2.0  # seconds; what takes longer is called only once
GIVEN_UP = 60  # seconds
SIDE = 3  # of a square of blocks, to share between two threads
CLOSE = 2e-6  # how far floats may be from SciPy's, as a share of the largest
FAMILIES = ("ndfilters", "ndfourier", "ndinterp", "ndmeasure", "ndmorph")


class Sink:
    """An array to store to that keeps nothing."""

    def __setitem__(self, place, pixels):
        pass


def in_grid(case, arrays, side):
    """
    Return Dask arrays of ``side`` × ``side`` blocks, each a case's arrays, and its keywords.

    Coordinates are moved to their block, and labels counted on, so that each block has as much to
    do as one alone.
    """
    import dask.array as da

    image, keywords = arrays[0], dict(case.keywords)
    lazy = []
    for order, array in enumerate(arrays):
        rows = []
        for place in np.ndindex(side, side):
            block = array
            if array.ndim > image.ndim:
                moved = np.multiply(place, image.shape[:2], dtype=array.dtype)
                block = array + moved.reshape(2, *(1,) * image.ndim)
            elif order and any(place):
                block = array + array.max() * np.ravel_multi_index(place, (side, side))
            rows.append(da.from_array(block, chunks=-1, name=f"input-{order}-{place}"))
        axis = array.ndim - image.ndim
        rows = [da.concatenate(rows[i : i + side], axis + 1) for i in range(0, len(rows), side)]
        lazy.append(da.concatenate(rows, axis))
    if "index" in keywords:
        keywords["index"] = np.arange(1, side**2 * keywords["index"].size + 1)
    if "output_shape" in keywords:
        first, second, *others = keywords["output_shape"]
        keywords["output_shape"] = (side * first, side * second, *others)
    return lazy, keywords


def call_of_dask(case, function, arrays, side=1, workers=1):
    """Return the call that builds the graph and computes it, for a result to be thrown away."""
    import dask
    import dask.array as da

    scheduler = {"scheduler": "threads", "num_workers": workers}
    if workers == 1:
        scheduler = {"scheduler": "synchronous"}
    lazy, keywords = in_grid(case, arrays, side)

    def call():
        results = function(*lazy, **keywords)
        results = results if isinstance(results, tuple) else (results,)
        if side == 1:
            return dask.persist(*results, **scheduler)
        da.store(list(results), [Sink() for _ in results], lock=False, **scheduler)

    return call


def call_of_scipy(case, arrays):
    function = getattr(ndimage, case.function)
    return lambda: function(*arrays, **case.keywords)


def call_of_ours(case, arrays, **how):
    import dask

    import dask_image.ndimage

    # What is timed are compiled kernels.
    dask.config.set({"dask-image.compile.wait": float("inf")})
    return call_of_dask(case, getattr(dask_image.ndimage, case.function), arrays, **how)


def call_of_public(case, arrays):
    import importlib

    for family in FAMILIES:
        module = importlib.import_module(f"dask_image.{family}")
        if hasattr(module, case.function):
            return call_of_dask(case, getattr(module, case.function), arrays)
    raise AttributeError(f"no {case.function}")


def prepared(title, who):
    """Return the call to time for a row and a library."""
    case = CASES[title]
    arrays = case.arrays()
    if who == "SciPy":
        return call_of_scipy(case, arrays)
    if who == "ours":
        return call_of_ours(case, arrays)
    return call_of_public(case, arrays) if who == "public" else case.peers[who](*arrays)


def seconds(call, clock=time.thread_time):
    start = clock()
    result = call()
    del result  # to let go of memory is part of it
    return clock() - start


class Here:
    """Something to time in this process."""

    def __init__(self, title, who):
        self.call = prepared(title, who)
        if who == "ours":
            self.call()  # compiles kernels, or loads them

    def seconds(self):
        return seconds(self.call)


class There:
    """Something to time in the process of another interpreter."""

    def __init__(self, title, who, python):
        self.process = subprocess.Popen(
            [python, "-E", __file__, "--serve", title, who],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def seconds(self):
        """Return how long a call took: infinity for too long, None for what it cannot do."""
        try:
            print(file=self.process.stdin, flush=True)
            if not select.select([self.process.stdout], [], [], GIVEN_UP)[0]:
                return float("inf")
            return json.loads(self.process.stdout.readline() or "null")
        except BrokenPipeError:
            return None

    def close(self):
        self.process.kill()
        self.process.communicate()


def serve(title, who):
    """Call and answer with the time whenever a line comes in."""
    warnings.simplefilter("ignore")
    try:
        call = prepared(title, who)
        call()  # loads what is needed, and is answered by nothing
        for _ in sys.stdin:
            print(json.dumps(seconds(call)), flush=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the row says there is no time
        print(f"{title}, {who}: {type(error).__name__}: {error}", file=sys.stderr)


def check(title, scipys, ours):
    """Exit if our results are not SciPy's."""
    import dask

    as_tuple = (each if isinstance(each, tuple) else (each,) for each in (scipys, ours))
    for theirs, mine in zip(*as_tuple, strict=True):
        theirs, mine = np.asarray(theirs), np.asarray(dask.compute(mine)[0])
        same = theirs.shape == mine.shape and (theirs.dtype.kind in "fc" or (theirs == mine).all())
        if same and theirs.dtype.kind in "fc" and theirs.size:
            same = np.abs(theirs - mine).max() <= CLOSE * np.abs(theirs).max()
        if not same:
            sys.exit(f"{title}: the result differs from SciPy's")


def medians(contestants):
    """Return the median time of each contestant, all of them by turns."""
    times = {who: [one.seconds()] for who, one in contestants.items()}
    for _ in range(ROUNDS - 1):
        for who, one in contestants.items():
            if times[who][0] is not None and times[who][0] < SLOW:
                times[who].append(one.seconds())
    return {
        who: None if None in found else statistics.median(found) for who, found in times.items()
    }


def gain_of_threads(case):
    """Return how many times as fast two threads are, by the best of some turns."""
    arrays = case.arrays()
    calls = [call_of_ours(case, arrays, side=SIDE, workers=workers) for workers in (1, 2)]
    calls[1]()
    turns = [[seconds(call, time.perf_counter) for call in calls] for _ in range(ROUNDS)]
    one, two = map(min, zip(*turns))
    return one / two


def measured(title, peers, public):
    """Return times in nanoseconds a pixel by contestant, and the gain of two threads."""
    case = CASES[title]
    contestants = {"SciPy": Here(title, "SciPy"), "ours": Here(title, "ours")}
    check(title, *(one.call() for one in contestants.values()))
    if peers:
        contestants |= {who: There(title, who, peers) for who in case.peers}
    if public:
        contestants["public"] = There(title, "public", public)
    found = medians(contestants)
    for one in contestants.values():
        if isinstance(one, There):
            one.close()
    pixels = case.pixels or case.arrays()[0].size
    nanoseconds = {who: time and time / pixels * 1e9 for who, time in found.items()}
    return nanoseconds, gain_of_threads(case)


def number(value):
    """Return a time or a ratio in two digits, or what stands for none."""
    if value is None:
        return "–"
    if value == float("inf"):
        return f"over {GIVEN_UP} s"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def cells(title, found, gain):
    """Return the cells of a row."""
    case = CASES[title]
    peers = {who: found[who] for who in case.peers if found.get(who)}
    limit, of = case.goal
    best = min(peers.values(), default=None)
    ours, scipys = found["ours"], found["SciPy"]
    reached = {"peer": best and ours / best, "SciPy": ours / scipys, "ns": ours}[of]
    missed = "" if reached is None or reached <= limit else " !"
    return [
        title,
        number(scipys),
        number(ours),
        ", ".join(f"{who} {number(time)}" for who, time in peers.items()) or "–",
        number(found.get("public")),
        number(ours / scipys),
        number(best and ours / best),
        f"{number(limit)} {'ns' if of == 'ns' else '× ' + of}{missed}",
        number(gain),
    ]


HEADER = ["Job", "SciPy", "Ours", "Peers", "Public dask-image", "Ours ÷ SciPy", "Ours ÷ best peer",
          "Goal", "Two threads"]  # fmt: skip


def row(texts):
    first, *others = texts
    return "\n".join([f"   * - {first}", *(f"     - {text}" for text in others)])


def main(options):
    titles = [title for title in CASES if any(word in title for word in options.words or [""])]
    print(".. list-table::\n   :header-rows: 1\n")
    print(row(HEADER), flush=True)
    for title in titles:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            print(row(cells(title, *measured(title, options.peers, options.public))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0].strip())
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--public", metavar="PYTHON")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", metavar="WORD")
    chosen = parser.parse_args()
    if chosen.serve:
        serve(*chosen.serve)
    else:
        main(chosen)
