"""
Print how long every benchmark takes against SciPy on the whole array, both in one run.

Run as ``python benchmarks/ratios.py [FAMILY ...]``, where a family is a module ``bench_FAMILY``
beside this file. Its function ``cases()`` yields ``(name, target, ours, theirs)``: two callables
without arguments, and the ratio of their times that is to be reached (None for none). They are
timed by turns, the best of three each; ours builds its graph and runs on two threads. A target
that is missed is marked with an exclamation mark, and makes the exit status 1.
"""

import importlib
import pathlib
import sys
import time
import warnings

import dask

ROUNDS = 3


def seconds(function):
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def best_of_turns(ours, theirs, rounds=ROUNDS):
    """Return the best time of each; a first call of ours loads compiled kernels."""
    ours()
    turns = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return tuple(min(times) for times in zip(*turns))


def main(families):
    dask.config.set({"dask-image.compile.wait": float("inf")})  # what is timed are kernels
    here = pathlib.Path(__file__).parent
    sys.path.insert(0, str(here))
    families = families or sorted(path.stem[len("bench_") :] for path in here.glob("bench_*.py"))
    missed = []
    print(f"{'case':62}{'ours':>9}{'other':>9}{'ratio':>8}{'target':>8}")
    for family in families:
        print(f"-- {family}", flush=True)
        for name, target, ours, theirs in importlib.import_module(f"bench_{family}").cases():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                own, other = best_of_turns(ours, theirs)
            ratio = own / other
            late = target is not None and ratio > target
            missed += [name] * late
            verdict = "" if target is None else f"{target:8.2f}" + "  !" * late
            print(
                f"{name:62}{own * 1e3:7.0f}ms{other * 1e3:7.0f}ms{ratio:8.3f}{verdict}", flush=True
            )
    if missed:
        print(f"{len(missed)} missed: " + "; ".join(missed))
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
