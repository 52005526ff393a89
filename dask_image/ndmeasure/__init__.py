"""Label the objects of an image, and measure them."""

from dask_image.ndmeasure import _utils  # noqa: F401 - Cellpose reaches it by attribute
from dask_image.ndmeasure._label import label
from dask_image.ndmeasure._merge_labels import (
    merge_labels_across_chunk_boundaries,
    relabel_sequential,
)
from dask_image.ndmeasure._objects import find_objects
from dask_image.ndmeasure._pixels import labeled_comprehension, median, value_indices
from dask_image.ndmeasure._points import count_points, points_table
from dask_image.ndmeasure._regionprops import regionprops_table
from dask_image.ndmeasure._statistics import (
    area,
    center_of_mass,
    extrema,
    histogram,
    maximum,
    maximum_position,
    mean,
    minimum,
    minimum_position,
    standard_deviation,
    sum,
    sum_labels,
    variance,
)

__all__ = [
    "area",
    "center_of_mass",
    "count_points",
    "extrema",
    "find_objects",
    "histogram",
    "label",
    "labeled_comprehension",
    "maximum",
    "maximum_position",
    "mean",
    "median",
    "merge_labels_across_chunk_boundaries",
    "minimum",
    "minimum_position",
    "points_table",
    "regionprops_table",
    "relabel_sequential",
    "standard_deviation",
    "sum",
    "sum_labels",
    "value_indices",
    "variance",
]
