"""The table of ``coverage.rst``: a walk through ``scipy.ndimage``, beside what there is here."""

import importlib
import inspect

from function_notes import AREAS, areas_of, reads
from scipy import ndimage

from dask_image._utils.capabilities import CAPABILITIES

NOTES = {
    "find_objects": "SciPy's list as one lazy object; as a Dask DataFrame in ``ndmeasure``",
    "generate_binary_structure": "a small NumPy array, at once",
    "iterate_structure": "a small NumPy array, at once",
    "label": "the number of objects is a lazy 0-d array",
    "sum": "SciPy's older name of ``sum_labels``",
    "value_indices": "one lazy object: a dictionary has no lazy form",
}


def scipy_functions():
    """List the names of the public functions of ``scipy.ndimage``."""
    return [name for name in ndimage.__all__ if inspect.isfunction(getattr(ndimage, name))]


def row(name):
    """Return the cells for one function of SciPy."""
    scipys = f":func:`SciPy <scipy.ndimage.{name}>`"
    areas = [area for area in areas_of(name) if area in AREAS]
    if not areas:
        return f"``{name}``", scipys, "–", "–", "–", "–", "new in SciPy: not here yet"
    return (
        f":func:`~dask_image.ndimage.{name}`",
        scipys,
        f":func:`{areas[0]} <dask_image.{areas[0]}.{name}>`",
        *how(name),
        NOTES.get(name, ""),
    )


def how(name):
    """Return what a block reads, what is done with CuPy arrays, and what takes the whole array."""
    capability = CAPABILITIES[name]
    return reads(name) or "–", capability.cupy or "–", capability.whole or "–"


def beyond_scipy():
    """Return the rows of functions that SciPy has none of."""
    for area in AREAS:
        for name in importlib.import_module(f"dask_image.{area}").__all__:
            first = next(here for here in areas_of(name) if here in AREAS)
            if name in CAPABILITIES and name not in ndimage.__all__ and area == first:
                yield f":func:`{area}.{name} <dask_image.{area}.{name}>`", *how(name)


def table(header, widths, rows):
    """Return a table as reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for cells in (header, *rows):
        for number, cell in enumerate(cells):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}".rstrip())
    return "\n".join(lines) + "\n"


def coverage_table():
    """Return the two tables."""
    how = ("reads", "CuPy", "whole array in one task")
    scipys = table(
        ("function", "SciPy", "Dask", *how, "notes"),
        "20 8 11 25 10 13 13",
        map(row, scipy_functions()),
    )
    others = table(("function", *how), "34 38 14 14", beyond_scipy())
    return f"{scipys}\nBeyond SciPy\n------------\n\n{others}"
