"""Values that no function may take: an error at the call is asked for, that names the argument."""

import dask.array as da
import numpy as np

from tests.fuzz.draw import Chunked

UNKNOWN = da.arange(5)[da.arange(5) > 2]
TEXTS = np.array([["a", "b"]])
NONE_TRUE = np.zeros((3, 3), bool)

BAD = {
    "input": ["text", TEXTS, None, UNKNOWN],
    "arr": ["text", TEXTS, None, np.ones((2, 2), complex)],
    "mode": ["bogus", 5, None, ["wrap"] * 7],
    "cval": ["a", [1, 2], 1j],
    "origin": [99, 0.5, "x", [0] * 7],
    "size": [-1, "x", 2.5, [3] * 7, np.nan],
    "filter_size": [-1, "x", 0],
    "footprint": [NONE_TRUE, np.ones((1,) * 7, bool)],
    "axis": [99, 1.5, "x", -7],
    "axes": [99, (0, 0), "lat", 1.5],
    "sigma": ["2", np.nan, -1.0, [1] * 7],
    "truncate": ["x", np.nan],
    "radius": [-1, "x", 1.5],
    "order": ["cubic", 7, -1, 1.5],
    "weights": [np.ones((1,) * 7), "x", np.ones(0)],
    "rank": [10**6, "x", -(10**6)],
    "percentile": [101, "x", -101, np.nan],
    "output": [np.empty(3), "nonsense"],
    "iterations": ["x", 1.5],
    "structure": [np.ones((1,) * 7, bool), "x"],
    "structure1": [np.ones((1,) * 7, bool)],
    "mask": [np.ones((2,) * 7, bool), "x"],
    "matrix": [np.ones((7, 9)), "x", np.array([1j, 2])],
    "offset": ["x", [1.0] * 7],
    "output_shape": ["x", (-1,) * 3, (3,) * 7],
    "coordinates": [np.ones((9, 2)), "x", np.array([[1j]])],
    "shift": ["x", [1.0] * 7],
    "zoom": ["x", [1.0] * 7, -1.0],
    "angle": ["x", [1, 2]],
    "labels": [np.ones((2,) * 7, int), np.ones(1, complex), "x"],
    "index": ["some", [1j], ["a"]],
    "bins": [0, 2.5, "x"],
    "min": [np.nan, "x"],
    "metric": ["bogus", 5, np.ones((2, 2))],
    "sampling": ["x", [1.0] * 7],
    "markers": [np.ones((2,) * 7, int), "x", np.ones((1, 1), float)],
    "func": ["sum", 3],
    "function": ["sum", 3],
    "mapping": ["sum", 3],
    "derivative": ["sobel", 3],
    "derivative2": ["sobel", 3],
    "extra_arguments": [5],
    "extra_keywords": [5],
    "batch_memory": [0, "x"],
    "max_label": ["x", 1.5],
    "ignore_value": [np.ones(3), "x"],
    "n": ["x", 1.5],
    "out_dtype": ["nonsense"],
    "default": ["x"],
}

EXTREMES = frozenset(
    ("minimum_filter", "maximum_filter", "grey_erosion", "grey_dilation", "grey_opening",
     "grey_closing", "white_tophat", "black_tophat", "morphological_gradient",
     "morphological_laplace")
)  # fmt: skip

# Arguments that the drawn cases leave out, by function.
MORE = {
    "gaussian_filter": ("truncate", "radius"),
    "gaussian_filter1d": ("truncate", "radius"),
    "generic_filter": ("extra_arguments", "extra_keywords"),
    "generic_filter1d": ("extra_arguments", "extra_keywords"),
    "geometric_transform": ("output_shape", "extra_arguments"),
    "vectorized_filter": ("batch_memory",),
    "fourier_gaussian": ("n", "axis", "output"),
    "distance_transform_edt": ("sampling",),
    "affine_transform": ("output_shape", "offset"),
}


def spoil(draw, case):
    """Return a case with one bad argument, or None if it has none to spoil."""
    image = case.arguments.get("input", case.arguments.get("arr"))
    if not isinstance(image, Chunked) or not image.array.ndim or not image.array.size:
        return None
    names = [name for name in (*case.arguments, *MORE.get(case.name, ())) if name in BAD]
    name = draw.choice(*names)
    value = draw.choice(*BAD[name])
    if _is_good(case, name, value, image.array):
        return None
    case.arguments[name] = value
    if name == "footprint":
        case.arguments.pop("size", None)
    case.bad = name
    return case


def _is_good(case, name, value, image):
    """Tell whether a value is one that the function takes after all."""
    if name == "cval" and case.name == "vectorized_filter":
        return True
    if name == "cval" and isinstance(value, complex):
        return image.dtype.kind == "c" or case.arguments.get("output") in ("c8", "c16")
    if name == "offset" and case.name == "affine_transform":
        return case.arguments["matrix"].shape[-1] == image.ndim + 1  # which holds the offset
    if name == "origin" and case.arguments.get("footprint") is None:
        # Filters of extremes leave axes alone along which a window has one pixel.
        size = case.arguments.get("size")
        flat = size is not None and case.arguments.get("structure") is None
        return flat and case.name in EXTREMES and isinstance(value, int) and np.max(size) < 2
    if name == "axes" and case.name == "rotate":
        return False
    if name == "axes" and isinstance(value, tuple):
        return image.ndim < 2
    if name == "mode" and value is None:
        return case.name == "vectorized_filter"
    if name == "size" and case.name.startswith("fourier"):
        return not isinstance(value, (str, list))
    if name == "sigma" and case.name.startswith("fourier"):
        return isinstance(value, float) and value < 0  # only its square matters
    if name == "output_shape" and case.name == "geometric_transform":
        return isinstance(value, tuple) and min(value) > 0  # any number of axes
    if name == "order" and case.name.startswith("gaussian"):
        return value == 7
    if name == "labels" and isinstance(value, np.ndarray) and value.dtype.kind == "i":
        return all(size in (1, 2) for size in image.shape)  # they broadcast
    if name == "default":
        return case.arguments["index"] is None  # not used then
    if name == "index":
        return case.arguments.get("labels") is None
    if name == "mode" and isinstance(value, list) and case.name.startswith("generic"):
        return False
    if name == "axis" and case.name.startswith("fourier"):
        return False
    return name == "size" and "footprint" in case.arguments
