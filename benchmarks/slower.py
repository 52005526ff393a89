"""
Print which public functions are slower than SciPy's on one block of 16 MB, on one thread.

Run as ``python benchmarks/slower.py [--axes 3] [--dtypes DTYPE ...] [FUNCTION ...]`` or with
``--megabytes 4`` for blocks of another size. Two usual
calls of every function, on images of five dtypes, are timed beside SciPy's on the whole array, by
turns, the best of three each: seconds of the thread's processor, building the graph included.
Functions that call one of the user's get a sixteenth of the pixels. Ours end in a sink that
keeps nothing. The exit status is 1 if a function is slower than SciPy's.
"""

import argparse
import sys
import warnings

import dask
import numpy as np
from compare import Sink, seconds
from scipy import ndimage

from dask_image._utils.usual_calls import DTYPES, calls_of_functions, usual_calls

TURNS = 3
SLOW = 1.0  # seconds; what takes longer is called only once more
NOISE = 1.05  # what cannot be told from equal


def image_of(dtype, axes, size):
    """Return smoothed noise of some bytes that spreads over 0 to 250."""
    side = round((size / np.dtype(dtype).itemsize) ** (1 / axes))
    noise = np.random.default_rng(0).standard_normal((side,) * axes, dtype=np.float32)
    image = ndimage.gaussian_filter(noise, 2)
    return ((image - image.min()) / np.ptp(image) * 250).astype(dtype)


def our_call(call):
    """Return what builds a graph on one block, computes it and throws the result away."""
    import dask.array as da

    import dask_image.ndimage

    shape = call.arrays[0].shape

    def lazy(name, value):
        if not isinstance(value, np.ndarray) or value.shape[-len(shape) :] != shape:
            return value
        return da.from_array(value, chunks=-1, name=f"input-{name}")

    arrays = [lazy(order, array) for order, array in enumerate(call.arrays)]
    keywords = {name: lazy(name, value) for name, value in call.keywords.items()}
    function = getattr(dask_image.ndimage, call.name)

    def run():
        results = function(*arrays, **keywords)
        several = isinstance(results, (tuple, list))
        results = list(results) if several else [results]
        if all(isinstance(result, da.Array) for result in results):
            da.store(results, [Sink()] * len(results), lock=False, scheduler="synchronous")
        else:
            da.compute(*results, scheduler="synchronous")

    return run


def times(call):
    """Return the best seconds of ours and of SciPy's."""
    function = getattr(ndimage, call.name)
    ours, scipys = our_call(call), lambda: function(*call.arrays, **call.keywords)
    ours()  # loads kernels
    turns = [(seconds(ours), seconds(scipys))]
    if max(turns[0]) < SLOW:
        turns += [(seconds(ours), seconds(scipys)) for _ in range(TURNS - 1)]
    return map(min, zip(*turns))


def described(call):
    told = [
        f"{name}={value if np.ndim(value) == 0 else '…'}" for name, value in call.keywords.items()
    ]
    return f"{call.name}({', '.join(told)})"


def all_calls(dtype, axes, size):
    yield from usual_calls(image_of(dtype, axes, size))
    yield from calls_of_functions(image_of(dtype, axes, size // 16))


def main(options):
    dask.config.set({"dask-image.compile.wait": float("inf")})
    slower = 0
    print(f"{'call':70}{'dtype':>8}{'ours':>10}{'SciPy':>10}{'ratio':>8}")
    for dtype in options.dtypes:
        for call in all_calls(dtype, options.axes, options.megabytes << 20):
            if options.functions and call.name not in options.functions:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, scipys = times(call)
            late = ours > NOISE * scipys
            slower += late
            if late or options.all:
                print(
                    f"{described(call)[:69]:70}{dtype:>8}{ours * 1e3:8.1f}ms"
                    f"{scipys * 1e3:8.1f}ms{ours / scipys:8.2f}",
                    flush=True,
                )
    print(f"{slower} slower")
    return bool(slower)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0].strip())
    parser.add_argument("--axes", type=int, default=2)
    parser.add_argument("--megabytes", type=int, default=16)
    parser.add_argument("--dtypes", nargs="+", default=DTYPES)
    parser.add_argument("--all", action="store_true", help="print faster ones, too")
    parser.add_argument("functions", nargs="*", metavar="FUNCTION")
    sys.exit(main(parser.parse_args()))
