"""The table of ``coverage.rst``: a walk through ``scipy.ndimage``, beside what there is here."""

import importlib
import inspect

from scipy import ndimage

AREAS = ("ndfilters", "ndfourier", "ndinterp", "ndmeasure", "ndmorph")

# What CuPy 14.2 lacks of SciPy's public names.
MISSING_IN_CUPY = frozenset(
    {
        "distance_transform_bf",
        "distance_transform_cdt",
        "geometric_transform",
        "vectorized_filter",
        "watershed_ift",
    }
)

NOTES = {
    "find_objects": "SciPy's list as one lazy object; as a Dask DataFrame in ``ndmeasure``",
    "generate_binary_structure": "a small NumPy array, at once",
    "iterate_structure": "a small NumPy array, at once",
    "label": "the number of objects is a lazy 0-d array",
    "sum": "SciPy's older name of ``sum_labels``",
    "value_indices": "one lazy object: a dictionary has no lazy form",
    "watershed_ift": "one task over the whole array; warns",
}


def scipy_functions():
    """List the names of the public functions of ``scipy.ndimage``."""
    return [name for name in ndimage.__all__ if inspect.isfunction(getattr(ndimage, name))]


def row(name):
    """Return the cells for one function."""
    ours = importlib.import_module("dask_image.ndimage")
    area = next(
        (
            f"dask_image.{area}"
            for area in AREAS
            if name in importlib.import_module(f"dask_image.{area}").__all__
        ),
        None,
    )
    return (
        f":func:`~dask_image.ndimage.{name}`" if hasattr(ours, name) else f"``{name}``",
        f":func:`SciPy <scipy.ndimage.{name}>`",
        f":func:`{area.removeprefix('dask_image.')} <{area}.{name}>`" if area else "–",
        "–" if name in MISSING_IN_CUPY else "yes",
        NOTES.get(name, ""),
    )


def coverage_table():
    """Return the table as reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 10 15 10 35", ""]
    header = ("function", "SciPy", "Dask", "CuPy", "notes")
    for cells in (header, *map(row, scipy_functions())):
        for number, cell in enumerate(cells):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}".rstrip())
    return "\n".join(lines) + "\n"
