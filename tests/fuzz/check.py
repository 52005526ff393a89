"""Run one case: ask SciPy, build lazily, compute, and compare."""

import inspect
import traceback
import warnings

import dask
import dask.array as da
import dask.threaded
import numpy as np
from scipy import ndimage

import dask_image.ndimage as ported
from tests.calls import FAMILIES
from tests.fuzz.draw import Chunked
from tests.helpers import nothing_computes, plain_kernels

RENAMED = {"labels": "label_image"}
# What says that a value is wrong. AxisError is a ValueError and an IndexError.
CLEAR_ERRORS = (TypeError, ValueError, RuntimeError, NotImplementedError, OverflowError)
TOLERANCE = {"f4": 1e-6, "c8": 1e-6, "f8": 1e-12, "c16": 1e-12}


class Finding(Exception):
    """Something that a case shows to be wrong: its kind, and what was seen."""

    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message}")
        self.kind = kind


# ---------------------------------------------------------------------------------------
# Print a case

MOST_PRINTED = 5000  # pixels; of larger arrays the seed has to tell


def render(value):
    """Return Python source of a value."""
    array = value.array if isinstance(value, Chunked) else value
    if isinstance(array, np.ndarray) and array.size > MOST_PRINTED:
        way = getattr(value, "layout", None)
        return f"{array.dtype.str}{array.shape}, chunks={getattr(value, 'chunks', None)}, {way}"
    if isinstance(value, Chunked):
        layout = "" if value.layout is None else f".map_blocks(functions.{value.layout.__name__})"
        return f"da.from_array({render(value.array)}, chunks={value.chunks}){layout}"
    if isinstance(value, da.Array):
        return f"da.from_array({render(value.compute())})"
    if isinstance(value, np.ndarray):
        source = f"np.array({value.tolist()}, '{value.dtype.str}')"
        return source if value.size else f"{source}.reshape({value.shape})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if callable(value) and hasattr(value, "__name__"):
        module = value.__module__
        package = "functions" if module.startswith("tests.") else "np" if "numpy" in module else (
            "scipy.ndimage")  # fmt: skip
        return f"{package}.{value.__name__}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(render, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    return repr(value)


PREAMBLE = """\
import dask.array as da, numpy as np, scipy.ndimage
import dask_image.local_statistics, dask_image.ndfilters, dask_image.ndmeasure
import dask_image.ndimage as ndi, dask_image.segmentation
from numpy import inf, nan
from tests.fuzz import functions
"""


def source_of(case):
    """Return the call under test as Python source."""
    arguments = ", ".join(f"{key}={render(value)}" for key, value in case.arguments.items())
    module = "ndi"
    if case.compare == "whole":
        module = family_function(case.name).__module__.partition("._")[0]
    return f"{module}.{case.name}({arguments})"


# ---------------------------------------------------------------------------------------
# Calls


def eager(value):
    """Return what SciPy gets for an argument."""
    return value.array if isinstance(value, Chunked) else value


def lazily(value):
    """Return what the function under test gets for an argument."""
    return value.lazy() if isinstance(value, Chunked) else value


def family_function(name):
    """Return the function of face 1 that has a name."""
    for family in FAMILIES:
        if hasattr(family, name):
            return getattr(family, name)
    raise LookupError(name)


def function_under_test(case, face):
    """Return the function and its arguments, of SciPy's namespace or of the family's."""
    arguments = {key: lazily(value) for key, value in case.arguments.items()}
    if case.compare == "whole":
        return family_function(case.name), arguments
    function = getattr(ported, case.name)
    if face == "ndimage" or case.compare in ("delayed", "eager"):
        return function, arguments
    function = family_function(case.name)
    names = inspect.signature(function).parameters
    first = next(iter(names))
    renamed = {
        first if key in ("input", "arr") else RENAMED.get(key, key): value
        for key, value in arguments.items()
    }
    return (function, renamed) if set(renamed) <= set(names) else (getattr(ported, case.name),
                                                                   arguments)  # fmt: skip


def ask_scipy(case):
    """Return SciPy's answer, or that of one block, or the exception that is raised."""
    arguments = {key: eager(value) for key, value in case.arguments.items()} | case.oracle
    with np.errstate(all="ignore"):
        try:
            if case.compare == "whole":
                results = _flat(family_function(case.name)(**_in_one_block(case.arguments)))
                return [result.compute(scheduler="sync") for result in results]
            return getattr(ndimage, case.name)(**arguments)
        except Exception as error:  # noqa: BLE001  whatever SciPy says is the answer
            return error


def _in_one_block(arguments):
    return {
        key: da.from_array(value.array, chunks=-1) if isinstance(value, Chunked) else value
        for key, value in arguments.items()
    }


def build(case, face):
    """Call the function under test twice, where nothing may compute."""
    function, arguments = function_under_test(case, face)
    with nothing_computes():
        return function(**arguments), function(**arguments)


def run(case, face="ndimage", plain=False):
    """
    Run a case.

    Raises
    ------
    Finding
        If anything is wrong.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if plain:
            with plain_kernels():
                return _run(case, face)
        return _run(case, face)


def _run(case, face):
    if case.bad is not None:
        return _run_bad(case, face)
    expected = ask_scipy(case)
    try:
        lazy, again = build(case, face)
    except AssertionError as error:
        raise Finding("computes when built", _short(error)) from None
    except CLEAR_ERRORS as error:
        if isinstance(expected, Exception):
            return None
        raise Finding("refused", f"{type(error).__name__}: {error}") from None
    except Exception as error:  # noqa: BLE001  any other kind is a finding
        raise Finding("unclear error", f"{type(error).__name__}: {error}") from None
    names = [name_of(each) for each in _flat(lazy)]
    if names != [name_of(each) for each in _flat(again)]:
        raise Finding("two names", f"{names}")
    try:
        computed = [compute(each) for each in _flat(lazy)]
    except Finding:
        raise
    except Exception as error:  # noqa: BLE001  any kind is a finding
        if case.compare == "whole" and isinstance(error, ValueError) and isinstance(
            expected, ValueError):  # fmt: skip
            return None  # values that only the pixels show to be wrong
        raise Finding("late error", f"{type(error).__name__}: {error}\n{_where(error)}") from None
    if isinstance(expected, Exception):
        return None
    return COMPARE[case.compare](case, _flat(lazy), computed, expected)


def _run_bad(case, face):
    value = case.arguments[case.bad]
    try:
        build(case, face)
    except AssertionError as error:
        raise Finding("computes when built", _short(error)) from None
    except CLEAR_ERRORS as error:
        said = str(error)
        # Another argument may be wrong too, and be told first.
        names = {"image", *case.arguments, *map(RENAMED.get, case.arguments)} - {None}
        if not any(name in said.lower() for name in names):
            raise Finding("unclear error", f"{case.bad}: {type(error).__name__}: {said}") from None
        return
    except Exception as error:  # noqa: BLE001  any other kind is a finding
        raise Finding("unclear error", f"{type(error).__name__}: {error}") from None
    raise Finding("bad value taken", f"{case.bad}={render(value)}")


def name_of(result):
    """Return what Dask calls a lazy result, None for one that is none."""
    if isinstance(result, da.Array):
        return result.name
    return result.key if dask.is_dask_collection(result) else None


def _flat(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _short(error):
    return str(error)[:300]


def _where(error):
    frames = traceback.extract_tb(error.__traceback__)
    return "".join(traceback.format_list(frames[-3:]))


# ---------------------------------------------------------------------------------------
# Results

THREADED = 20_000  # pixels from which on blocks are computed side by side


def compute(lazy):
    """Compute a result; of an array also check that each block is what was announced."""
    if not isinstance(lazy, da.Array):
        return lazy.compute(scheduler="sync") if hasattr(lazy, "compute") else lazy
    get = dask.threaded.get if lazy.size > THREADED else dask.local.get_sync
    blocks = get(lazy.__dask_optimize__(lazy.dask, lazy.__dask_keys__()), lazy.__dask_keys__())
    for index in np.ndindex(lazy.numblocks):
        block = blocks
        for number in index:
            block = block[number]
        block = block if index else blocks[0]
        shape = tuple(sizes[number] for sizes, number in zip(lazy.chunks, index, strict=True))
        if not same_shape(shape, np.shape(block)):
            raise Finding("wrong block", f"block {index} announced {shape}, is {np.shape(block)}")
        if getattr(block, "dtype", None) != lazy.dtype:
            raise Finding("wrong block", f"{block!r} announced as {lazy.dtype}")
    return np.asarray(da.core.concatenate3(blocks) if lazy.ndim else blocks[0])


def same_shape(announced, shape):
    """Compare shapes; a length that is not known before computing is announced as NaN."""
    known = tuple(
        actual if np.isnan(size) else size for size, actual in zip(announced, shape, strict=True)
    )
    return known == shape


def same_array(lazy, computed, expected, loose=None, largest=0.0):
    """Compare dtype, shape and values; ``largest`` is the largest value of the image."""
    expected = np.asarray(expected)
    # SciPy's Fourier filters keep the byte order of their input; ours is always native.
    expected = expected.astype(expected.dtype.newbyteorder("="), copy=False)
    if lazy.dtype != expected.dtype or computed.dtype != expected.dtype:
        raise Finding("dtype", f"{lazy.dtype}, {computed.dtype}; SciPy {expected.dtype}")
    if not same_shape(lazy.shape, expected.shape) or computed.shape != expected.shape:
        raise Finding("shape", f"{lazy.shape}, {computed.shape}; SciPy {expected.shape}")
    same_values(computed, expected, loose, largest)


def same_values(computed, expected, loose=None, largest=0.0):
    """Compare values: bitwise but for floats, and those to a part of the largest."""
    if expected.dtype.kind not in "fc":
        wrong = computed != expected
    else:
        tolerance = TOLERANCE[expected.dtype.str[1:]] if loose is None else loose
        finite = np.abs(expected[np.isfinite(expected)])
        # Where values cancel, what is left is the rounding of values as large as the image's.
        # A wrong start of a spline filter spreads from pixels that the result need not hold.
        scale = max(finite.max(initial=0), largest / (1000 if loose is None else 1))
        with np.errstate(all="ignore"):
            wrong = ~np.isclose(computed, expected, tolerance, tolerance * scale, equal_nan=True)
    if wrong.any():
        where = tuple(np.argwhere(wrong)[0].tolist())
        raise Finding(
            "values",
            f"{int(wrong.sum())} of {wrong.size}, first at {where}: "
            f"{computed[where]!r}, SciPy {expected[where]!r}",
        )


def compare_array(case, lazy, computed, expected):
    """Compare one array, which has the image's chunks if it has its shape."""
    image = case.arguments["input"]
    values = image.array[np.isfinite(image.array)]
    same_array(lazy[0], computed[0], expected, case.loose, float(np.abs(values).max(initial=0)))
    arrays = [value for value in case.arguments.values() if isinstance(value, Chunked)]
    keeps = len(arrays) == 1 and case.name not in FREE_CHUNKS
    if keeps and lazy[0].shape == image.array.shape and lazy[0].chunks != image.chunks:
        raise Finding("chunks", f"{lazy[0].chunks}, not the image's {image.chunks}")


FREE_CHUNKS = ("labeled_comprehension", "map_coordinates", "rotate", "affine_transform", "zoom",
               "watershed_ift")  # fmt: skip


def compare_eager(case, lazy, computed, expected):
    """Compare NumPy arrays."""
    for ours, theirs in zip(computed, _flat(expected), strict=True):
        if not np.array_equal(ours, theirs) or np.asarray(ours).dtype != np.asarray(theirs).dtype:
            raise Finding("values", f"{ours}, SciPy {theirs}")


def compare_whole(case, lazy, computed, expected):
    """Compare with what one block gives."""
    for each, ours, theirs in zip(lazy, computed, expected, strict=True):
        same_array(each, ours, theirs, case.loose)


def compare_label(case, lazy, computed, expected):
    """Compare labels, and how many there are."""
    same_array(lazy[0], computed[0], expected[0])
    if int(computed[1]) != expected[1]:
        raise Finding("values", f"count {computed[1]}, SciPy {expected[1]}")


def compare_delayed(case, lazy, computed, expected):
    """Compare Python objects: lists of slices, dicts of indices."""
    if isinstance(expected, dict):
        ours = {key: [list(each) for each in value] for key, value in computed[0].items()}
        theirs = {key: [list(each) for each in value] for key, value in expected.items()}
        if list(ours) != list(theirs) or ours != theirs:
            raise Finding("values", f"{ours}, SciPy {theirs}")
    elif computed[0] != expected:
        raise Finding("values", f"{computed[0]}, SciPy {expected}")


def compare_objects(case, lazy, computed, expected):
    """Compare histograms, each of them counts or None."""
    if expected is None:
        expected = np.zeros(case.arguments["bins"], np.int64)
    expected = np.asarray(expected)
    if expected.dtype != object:
        same_array(lazy[0], computed[0], expected)
        return
    for ours, theirs in zip(computed[0].flat, expected.flat, strict=True):
        if (ours is None) != (theirs is None) or not np.array_equal(ours, theirs):
            raise Finding("values", f"{computed[0]}, SciPy {expected}")


SUMS = ("sum", "sum_labels", "mean", "variance", "standard_deviation", "center_of_mass")


def compare_measured(case, lazy, computed, expected):
    """Compare measurements: moments in double precision, places as one array."""
    expected = list(expected) if case.name == "extrema" else [expected]
    array = case.arguments["input"].array
    for each, ours, theirs in zip(lazy, computed, expected, strict=True):
        theirs = np.asarray(theirs)
        if each.ndim and each.shape[-1] == array.ndim and each.dtype == np.int64 and (
            "position" in case.name or each.ndim > theirs.ndim or theirs.size == 0):  # fmt: skip
            theirs = theirs.reshape(each.shape).astype(np.int64)
        if case.name in ("minimum", "maximum", "extrema") and theirs.dtype != each.dtype:
            with np.errstate(all="ignore"):
                theirs = theirs.astype(each.dtype)
        if case.name == "center_of_mass" and theirs.size == 0:
            theirs = theirs.reshape(each.shape)
        if case.name == "median":  # of absent labels SciPy has 0, or some pixel
            theirs = np.where(np.isnan(ours), ours, theirs)
        # Sums of values that cancel are as exact as the sum of their sizes.
        summed = np.abs(array[np.isfinite(array)].astype(float)).sum() if case.name in SUMS else 0.0
        same_array(each, ours, theirs, case.loose, float(summed))


def compare_distances(case, lazy, computed, expected):
    """Compare distances, and with indices that they lead there."""
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    has_indices = case.arguments.get("return_indices", False)
    if len(lazy) != len(expected):
        raise Finding("shape", f"{len(lazy)} results, SciPy {len(expected)}")
    distances = case.arguments.get("return_distances", True)
    if distances:
        same_array(lazy[0], computed[0], expected[0])
    if has_indices:
        ours, theirs = computed[-1], expected[-1]
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            raise Finding("shape", f"{ours.shape} {ours.dtype}, SciPy {theirs.shape}")
        if case.name == "distance_transform_cdt" or "sampling" not in case.arguments:
            exact = case.arguments.get("metric") != "chessboard" or "cdt" in case.name
            if exact:
                same_values(ours, theirs)


COMPARE = {
    "array": compare_array,
    "eager": compare_eager,
    "label": compare_label,
    "whole": compare_whole,
    "delayed": compare_delayed,
    "objects": compare_objects,
    "measured": compare_measured,
    "distances": compare_distances,
}
