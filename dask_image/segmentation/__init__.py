"""Split images into regions: the functions of scikit-image, exact over any chunks."""

from dask_image.segmentation._extrema import local_maxima, local_minima
from dask_image.segmentation._reconstruction import h_maxima, h_minima, reconstruction
from dask_image.segmentation._thresholds import (
    threshold_isodata,
    threshold_li,
    threshold_multiotsu,
    threshold_otsu,
    threshold_triangle,
    threshold_yen,
)
from dask_image.segmentation._watershed import watershed

__all__ = [
    "h_maxima",
    "h_minima",
    "local_maxima",
    "local_minima",
    "reconstruction",
    "threshold_isodata",
    "threshold_li",
    "threshold_multiotsu",
    "threshold_otsu",
    "threshold_triangle",
    "threshold_yen",
    "watershed",
]
