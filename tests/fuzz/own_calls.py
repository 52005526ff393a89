"""Calls of functions that SciPy does not have: one block must give what many do."""

import numpy as np

from tests.fuzz import functions
from tests.fuzz.draw import Case, Chunked

OWN_CALLS = {}
"""For each name a function that draws a `Case`; the reference is the same call of one block."""


def draws(*names):
    """Register a function that draws cases of all these names."""

    def register(function):
        for name in names:
            OWN_CALLS[name] = function
        return function

    return register


@draws("threshold_local")
def threshold_local(draw, name):
    """Draw methods of averaging."""
    image = draw.image("uf", limits=0)
    method = draw.choice("gaussian", "mean", "median")
    return Case(name, {"image": image, "block_size": draw.choice(3, 5, 9), "method": method,
                       "mode": draw.mode(), "offset": draw.choice(0, 2)}, "whole")  # fmt: skip


@draws("local_mean", "local_standard_deviation", "local_percentile", "local_histogram",
       "apply_local_function")  # fmt: skip
def local_statistics(draw, name):
    """Draw windows, grids and masks."""
    image = draw.image("u" if name == "local_histogram" else "uif", limits=0, empty=0,
                       wild=0.3 if name == "local_percentile" else 0)  # fmt: skip
    shape = image.array.shape
    arguments = {"source": image, "selem": draw.choice(2, 3, 5), "step": draw.choice(None, 1, 2),
                 "interpolate": draw.choice(None, 0, 1)}  # fmt: skip
    if draw.chance(0.6):
        arguments["spacing"] = tuple(draw.integer(1, size) for size in shape)
    elif min(shape) < np.max(arguments["selem"]):
        arguments["spacing"] = (1,) * len(shape)
    if name == "apply_local_function":
        arguments |= {"function": functions.total, "dtype": "f8"}
    if name == "local_percentile":
        arguments["percentile"] = draw.choice(0.0, 0.5, 1.0, 0.95, [0.1, 0.9])
    if name == "local_histogram":
        arguments |= {"max_bin": draw.choice(1, 10, 300)}
    if draw.chance(0.3) and name not in ("apply_local_function",):
        arguments["mask"] = draw.chunked(draw.values(shape, "?"))
    return Case(name, arguments, "whole")


@draws("relabel_sequential")
def relabel_sequential(draw, name):
    """Draw labels at the limits of their dtypes."""
    labels = draw.image("u")
    return Case(name, {"labels": labels}, "whole")


@draws("area")
def area(draw, name):
    """Draw labels and an index."""
    labels = draw.image("biu")
    index = draw.random.choice(labels.array.ravel(), 3) if labels.array.size else None
    image = Chunked(np.zeros(labels.array.shape), labels.chunks)
    return Case(name, {"image": image, "label_image": labels, "index": index}, "whole")


@draws("label")
def label(draw, name):
    """Draw axes whose ends meet."""
    image = draw.image("biuf", wild=0.2)
    ndim = image.array.ndim
    structure = None
    if draw.chance(0.6):
        structure = draw.structure([3] * ndim, symmetric=True)
    axes = tuple(axis for axis in range(ndim) if draw.chance(0.6))
    return Case(name, {"image": image, "structure": structure, "wrap_axes": axes}, "whole")
