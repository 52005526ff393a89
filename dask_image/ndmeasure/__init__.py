"""Label the objects of an image, and measure them."""

from dask_image.ndmeasure._label import label
from dask_image.ndmeasure._pixels import labeled_comprehension, median, value_indices
from dask_image.ndmeasure._statistics import (
    area,
    center_of_mass,
    extrema,
    maximum,
    maximum_position,
    mean,
    minimum,
    minimum_position,
    standard_deviation,
    sum_labels,
    variance,
)

__all__ = [
    "area",
    "center_of_mass",
    "extrema",
    "label",
    "labeled_comprehension",
    "maximum",
    "maximum_position",
    "mean",
    "median",
    "minimum",
    "minimum_position",
    "standard_deviation",
    "sum_labels",
    "value_indices",
    "variance",
]
