"""Morphology on Dask arrays: the functions of SciPy's morphology, exact over any chunks."""

from dask_image.ndmorph._binary import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_hit_or_miss,
    binary_opening,
    generate_binary_structure,
    iterate_structure,
)
from dask_image.ndmorph._distance import (
    distance_transform_bf,
    distance_transform_cdt,
    distance_transform_edt,
)
from dask_image.ndmorph._grey import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    morphological_laplace,
    white_tophat,
)
from dask_image.ndmorph._propagation import binary_fill_holes, binary_propagation
from dask_image.ndmorph._watershed import watershed_ift

__all__ = [
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "distance_transform_bf",
    "distance_transform_cdt",
    "distance_transform_edt",
    "generate_binary_structure",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "iterate_structure",
    "morphological_gradient",
    "morphological_laplace",
    "watershed_ift",
    "white_tophat",
]
