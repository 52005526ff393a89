"""What the page of each function says of how it is computed, and of its twins."""

import importlib
import inspect

from dask_image._utils.capabilities import CAPABILITIES

AREAS = (
    "ndfilters", "ndfourier", "ndinterp", "ndmeasure", "ndmorph", "local_statistics", "segmentation",
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
