"""
The table of ``special_values.rst``: what every function makes of NaN, infinities and masks.

Each function is called once (as ``tests/calls.py`` does) with a complete image, and again with one
pixel replaced; what differs is put in words.
"""

import sys
import warnings
from pathlib import Path

import dask
import dask.array as da
import numpy as np

SHAPE, CHUNKS, PIXEL = (15, 14), 6, (7, 5)
VALUES = {"NaN": np.nan, "+∞": np.inf, "−∞": -np.inf}


def calls():
    """Return one call of each public function that takes images, by family and name."""
    root = str(Path(__file__).parent.parent)
    if root not in sys.path:
        sys.path.append(root)
    from tests.calls import ALL_CALLS, WITHOUT_IMAGE

    return {
        name: call
        for name, call in ALL_CALLS.items()
        if not name.endswith("_again") and name.partition(".")[2] not in WITHOUT_IMAGE
    }


def images():
    """Return an image, labels, booleans and counts, as NumPy arrays."""
    random = np.random.default_rng(0)
    labels = 1 + (np.indices(SHAPE)[0] > 9) + 2 * (np.indices(SHAPE)[1] > 7)
    booleans = random.random(SHAPE) > 0.3
    booleans[PIXEL] = True
    return 5 + random.random(SHAPE), labels, booleans, random.integers(0, 9, SHAPE, dtype="u1")


def arrays_of(result):
    """Return what a call gave, computed, as a list of arrays of floats."""
    if isinstance(result, dict):
        result = list(result.values())
    (result,) = dask.compute(result, scheduler="synchronous")
    if hasattr(result, "to_numpy"):
        result = result.to_numpy()
    parts = result if isinstance(result, (list, tuple)) else [result]
    if any(np.ndim(part) == 0 and isinstance(part, (list, tuple, dict)) for part in parts):
        return []
    found = []
    for part in parts:
        part = np.asarray(part)
        if part.dtype == object:
            part = np.concatenate([np.zeros(0), *(np.ravel(each) for each in part.ravel())])
        found.append(part.astype(float) if part.dtype.kind in "biuf" else np.abs(part))
    return found


def what_happens(call, value):
    """Say in words what a pixel of this value does to the result."""
    image, *others = images()
    outcomes = []
    for pixel in (image[PIXEL], value):
        image[PIXEL] = pixel
        lazy = [da.from_array(array, chunks=CHUNKS) for array in (image, *others)]
        try:
            outcomes.append(arrays_of(call(*lazy)))
        except (ValueError, TypeError, ArithmeticError) as error:
            return f"``{type(error).__name__}``"
    return in_words(*outcomes)


def in_words(complete, found):
    """Say how results differ from those of the complete image."""
    shapes = [array.shape for array in complete] == [array.shape for array in found]
    if shapes and all(map(np.array_equal, complete, found)):
        return "no effect"
    odd = [
        name
        for name, test in (("NaN", np.isnan), ("∞", np.isinf))
        if any(test(a).any() for a in found)
    ]
    if not odd:
        return "finite"
    return f"{' and '.join(odd)} {extent(found)}"


def extent(found):
    """Say how much of the results is not finite."""
    bad = [~np.isfinite(array) for array in found]
    if all(array.all() for array in bad):
        return "" if all(array.size == 1 for array in bad) else "everywhere"
    images = [array for array in bad if array.shape == SHAPE]
    if images and all(array.sum() == array[PIXEL] for array in images):
        return "there"
    return "around" if images else "in part"


def masked(call):
    """Say what becomes of the mask of a masked array."""
    image, *others = images()
    mask = np.zeros(SHAPE, bool)
    mask[PIXEL] = True
    lazy = [
        da.from_array(array, chunks=CHUNKS) for array in (np.ma.array(image, mask=mask), *others)
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(*lazy)
        except (ValueError, TypeError) as error:
            return f"``{type(error).__name__}``"
    warned = any("masked array" in str(one.message) for one in caught)
    return "not looked at, warns" if warned else "not looked at"


def reads_floats(call):
    """Tell whether a call is one that reads an image of floats."""
    lazy = [da.from_array(array, chunks=CHUNKS) for array in images()]
    collections, _ = dask.base.unpack_collections(call(*lazy))
    keys = (key for one in collections for key in one.__dask_graph__())
    return any(isinstance(key, tuple) and key[0] == lazy[0].name for key in keys)


def rows():
    """Return, for each function, the words for each value and for masks."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, call in calls().items():
            if reads_floats(call):
                yield name, *(what_happens(call, value) for value in VALUES.values()), masked(call)


def special_values_table():
    """Return the table as reStructuredText."""
    from coverage_table import table

    lines = ((f":func:`{name} <dask_image.{name}>`", *words) for name, *words in rows())
    return table(("function", *VALUES, "mask of a masked array"), "34 17 17 17 17", lines)
