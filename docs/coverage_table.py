"""The table of ``coverage.rst``: a walk through ``scipy.ndimage``, beside what there is here."""

import importlib
import inspect

from scipy import ndimage

from dask_image._utils.capabilities import CAPABILITIES

AREAS = ("ndfilters", "ndfourier", "ndinterp", "ndmeasure", "ndmorph")

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
    """Return the cells for one function."""
    scipys = f":func:`SciPy <scipy.ndimage.{name}>`"
    areas = [
        area for area in AREAS if name in importlib.import_module(f"dask_image.{area}").__all__
    ]
    if not areas:
        return f"``{name}``", scipys, "–", "–", "–", "new in SciPy: not here yet"
    area = areas[0]
    capability = CAPABILITIES[name]
    return (
        f":func:`~dask_image.ndimage.{name}`",
        scipys,
        f":func:`{area} <dask_image.{area}.{name}>`",
        capability.cupy or "–",
        capability.whole or "–",
        NOTES.get(name, ""),
    )


def coverage_table():
    """Return the table as reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 25 10 13 12 20 20", ""]
    header = ("function", "SciPy", "Dask", "CuPy", "whole array in one task", "notes")
    for cells in (header, *map(row, scipy_functions())):
        for number, cell in enumerate(cells):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}".rstrip())
    return "\n".join(lines) + "\n"
