"""Run many cases in child processes, so that crashes and hangs are findings as well."""

import argparse
import collections
import faulthandler
import os
import subprocess
import sys
import tempfile
import time
import traceback

BATCH = 500
LARGE_BATCH = 40
# A case takes milliseconds, but compiling what it needs may take long on a busy machine.
SECONDS_A_CASE = 120
FACES = ("ndimage", "ndimage", "ndimage", "family")


def draw_case(seed, number, large=False):
    """
    Return a case, the face to call, whether kernels are plain, and limits, from two numbers.

    Of ``large`` cases images have millions of pixels, and nothing is wrong with the arguments.
    """
    from tests.fuzz.bad import spoil
    from tests.fuzz.calls import CALLS
    from tests.fuzz.draw import Draw
    from tests.fuzz.large import LargeDraw
    from tests.fuzz.limits import draw_limits
    from tests.fuzz.own_calls import OWN_CALLS

    calls = [*sorted(CALLS.items()), *sorted(OWN_CALLS.items())]
    # Of few large ones each shall be of another kind.
    name, draw_call = calls[number * (37 if large else 1) % len(calls)]
    draw = LargeDraw(name, seed, number) if large else Draw(seed, number)
    case = draw_call(draw, name)
    if not large and draw.chance(0.15):
        case = spoil(draw, case) or case
    plain = draw.chance(0.1 if large else 0.3)
    return case, draw.choice(*FACES), plain, draw_limits(draw, large)


def run_case(seed, number, large=False):
    """Run a case; return None, or what is wrong as text that says how to see it again."""
    from tests.fuzz.check import PREAMBLE, Finding, run, source_of
    from tests.fuzz.limits import limited

    case, face, plain, limits = draw_case(seed, number, large)
    try:
        with limited(limits):
            run(case, face, plain)
    except Finding as finding:
        text = str(finding)
    except Exception:  # noqa: BLE001  told with the case that it came from
        text = f"fault of the fuzz itself:\n{traceback.format_exc()}"
    else:
        return None
    kernels = "dask.config.set({'dask-image.kernels': 'scipy'})  # import dask\n" if plain else ""
    return (
        f"{case.name}: {text}\n  seed {seed}, case {number}, {face}"
        f"{', plain kernels' if plain else ''}: "
        f"python -m tests.fuzz --seed {seed} --first {number} --cases 1{' --large' * large}\n"
        f"{PREAMBLE}{kernels}{source_of(case)}\n  limits {limits}\n"
    )


def work(seed, first, last, large, progress):
    """Run cases ``first`` to ``last`` in this process; tell which one is running in a file."""
    import dask

    from tests.fuzz.interpreted import interpret_kernels, spoil_scratch

    faulthandler.enable()
    if not large:
        interpret_kernels()
        spoil_scratch()
    # Compiled kernels work from the first block on; SciPy need not be compared with itself.
    dask.config.set({"dask-image.compile.wait": float("inf")})
    for number in range(first, last):
        with open(progress, "w") as file:
            file.write(str(number))
        faulthandler.dump_traceback_later(SECONDS_A_CASE, exit=True)
        finding = run_case(seed, number, large)
        faulthandler.cancel_dump_traceback_later()
        if finding:
            print(f"\0{finding}", end="", flush=True)


def run_batch(seed, first, last, large=False):
    """Run cases in a child process, and go on after a crash: return the findings, as texts."""
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        progress = os.path.join(folder, "case")
        while first < last:
            arguments = ["--seed", str(seed), "--first", str(first), "--cases", str(last - first)]
            arguments += ["--large"] * large
            child = subprocess.run(
                [sys.executable, "-m", "tests.fuzz", "--child", progress, *arguments],
                check=False,
                capture_output=True,
                text=True,
            )
            findings += child.stdout.split("\0")[1:]
            if child.returncode == 0:
                break
            if not os.path.exists(progress):
                raise RuntimeError(f"no case was run:\n{child.stderr}")
            with open(progress) as file:
                number = int(file.read())
            findings.append(_of_crash(seed, number, large, child))
            first = number + 1
    return findings


def _of_crash(seed, number, large, child):
    from tests.fuzz.check import PREAMBLE, source_of

    case, face, plain, limits = draw_case(seed, number, large)
    said = child.stderr.partition("Extension modules:")[0][-3000:]
    kind = "hang" if "Timeout" in child.stderr else f"crash: exit code {child.returncode}"
    return (
        f"{case.name}: {kind}\n{said}\n"
        f"  seed {seed}, case {number}, {face}, plain={plain}, {limits}\n"
        f"{PREAMBLE}{source_of(case)}\n"
    )


def main(arguments=None):
    """Run cases, print what they show, and return how many findings there are."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--large", action="store_true", help="draw images of millions of pixels")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    last = options.first + options.cases
    if options.child:
        work(options.seed, options.first, last, options.large, options.child)
        return 0
    started = time.perf_counter()
    kinds = collections.Counter()
    batch = LARGE_BATCH if options.large else BATCH
    for first in range(options.first, last, batch):
        for finding in run_batch(options.seed, first, min(first + batch, last), options.large):
            print(finding, flush=True)
            kinds[": ".join(finding.splitlines()[0].split(": ")[:2])] += 1
    print(f"{options.cases} cases in {time.perf_counter() - started:.0f} s")
    for kind, count in kinds.most_common():
        print(f"{count:6} {kind}")
    return len(kinds)
