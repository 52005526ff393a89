"""What the page of each function says of how it is computed, and of its twins."""

import functools
import importlib
import inspect
import warnings

import dask
import dask.array as da

from dask_image._utils.capabilities import CAPABILITIES
from tests.calls import ALL_CALLS

AREAS = (
    "ndfilters", "ndfourier", "ndinterp", "ndmeasure", "ndmorph", "local_statistics",
    "segmentation",
)  # fmt: skip
FACES = ("ndimage", *AREAS, "xarray")

HALO = "each block with a halo of its reach"
BOX = "for each block, the box of pixels that it samples"
LINES = "whole lines, one axis after another"
MEASURE = "each block once; a table of its labels is merged in a tree"
PIXELS = "each block once; pixels of labels in several blocks are brought together"
FOLD = "each block once, or once a step; a histogram or limits are merged in a tree"
LINKS = "each block twice; what touches is linked across faces of blocks"
ALONE = "each block by itself"
PLACES = "the blocks that its points lie in"

# The module that defines a function tells its engine; what differs is by name.
READS = {
    "_convolve": HALO, "_missing": HALO, "_gaussian": HALO, "_generic": HALO,
    "_derivative": HALO, "_box": HALO, "_rank": HALO, "_threshold_local": HALO,
    "_threshold_global": FOLD, "_filters": ALONE, "_affine": BOX, "_coordinates": BOX,
    "_splines": HALO, "_statistics": MEASURE, "_objects": LINKS, "_label": LINKS,
    "_pixels": PIXELS, "_merge_labels": LINKS, "_regionprops": MEASURE, "_binary": HALO,
    "_propagation": LINKS, "_grey": HALO, "_distance": LINES, "_functions": HALO,
    "_background": HALO, "_illumination": HALO, "_hysteresis": LINKS, "_blobs": HALO,
    "_scaling": HALO, "_reconstruction": LINKS, "_extrema": LINKS, "_peaks": HALO,
    "_watershed": LINKS, "_points": PLACES,
    "expand_labels": HALO, "find_boundaries": HALO, "find_objects": MEASURE,
    "join_segmentations": ALONE, "rescale_intensity": ALONE,
    "generate_binary_structure": None, "iterate_structure": None, "watershed_ift": None,
}  # fmt: skip


def areas_of(name):
    """List the modules that offer a function, the adapters' first and last."""
    return [area for area in FACES if name in importlib.import_module(f"dask_image.{area}").__all__]


def reads(name):
    """Tell what a block of the result reads, or None for what has no blocks."""
    if name in READS:
        return READS[name]
    area = next(area for area in areas_of(name) if area in AREAS)
    function = inspect.unwrap(getattr(importlib.import_module(f"dask_image.{area}"), name))
    return READS[function.__module__.rpartition(".")[2]]


@functools.cache
def tasks_a_block(name):
    """
    Count the tasks that each further block of a 2-D image adds, those that make it left out.

    The call is a usual one, that of the tests; None where it depends on no block.
    """
    call = next(ALL_CALLS[f"{area}.{name}"] for area in areas_of(name) if area in AREAS)
    few, many = (_tasks(call, side) for side in (4, 8))
    return (many - few) / (8**2 - 4**2) or None


def _tasks(call, side):
    """Count the tasks of a call for an image of so many blocks a side."""
    images = [
        da.zeros((64 * side,) * 2, dtype=dtype, chunks=64) for dtype in ("f4", "i4", "?", "u1")
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = _collections(call(*images))
    given = set().union(*(image.__dask_graph__() for image in images))
    built = set().union(*(result.__dask_graph__() for result in results))
    return len(built - given)


def _collections(result):
    """List the lazy results of a call."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return [one for part in result for one in _collections(part)]
    return [result] if dask.is_dask_collection(result) else []


def how_it_is_computed(name):
    """Return a sentence or two from the table of capabilities."""
    capability = CAPABILITIES[name]
    if not reads(name) and not capability.whole:
        return "At once: the result is small."
    parts = [f"Lazy; reads {reads(name)}." if reads(name) else "Lazy."]
    if capability.whole:
        parts.append(f"The whole array goes through one task: {capability.whole}.")
    else:
        parts.append("Memory is that of a few blocks a worker.")
    if not (capability.whole or "").startswith("always") and (count := tasks_a_block(name)):
        parts.append(f"Tasks a block, of a usual call in 2-D: {count:.2g}.")
    return " ".join([*parts, f"CuPy arrays: {capability.cupy or 'refused'}."])


def add_notes(app, what, full_name, function, options, lines):
    """Write them below a function's docstring."""
    module, _, name = full_name.rpartition(".")
    if what != "function" or name not in CAPABILITIES or module.count(".") != 1:
        return
    lines += ["", ".. rubric:: How it is computed", "", how_it_is_computed(name)]
    twins = [f"dask_image.{area}" for area in areas_of(name) if f"dask_image.{area}" != module]
    if twins:
        links = ", ".join(f":func:`{twin}.{name}`" for twin in twins)
        lines += ["", f"The same in other modules: {links}."]
    lines.append("")
