"""Split images into regions: the functions of scikit-image, exact over any chunks."""

from dask_image.ndfilters import (
    threshold_isodata,
    threshold_li,
    threshold_local,
    threshold_multiotsu,
    threshold_otsu,
    threshold_triangle,
    threshold_yen,
)
from dask_image.ndmeasure import regionprops_table, relabel_sequential
from dask_image.segmentation._blobs import blob_dog, blob_log
from dask_image.segmentation._extrema import local_maxima, local_minima
from dask_image.segmentation._hysteresis import apply_hysteresis_threshold
from dask_image.segmentation._objects import (
    clear_border,
    expand_labels,
    find_boundaries,
    join_segmentations,
    remove_small_holes,
    remove_small_objects,
)
from dask_image.segmentation._peaks import peak_local_max
from dask_image.segmentation._reconstruction import h_maxima, h_minima, reconstruction
from dask_image.segmentation._scaling import downscale_local_mean, pyramid, rescale_intensity
from dask_image.segmentation._watershed import watershed

__all__ = [
    "apply_hysteresis_threshold",
    "blob_dog",
    "blob_log",
    "clear_border",
    "downscale_local_mean",
    "expand_labels",
    "find_boundaries",
    "h_maxima",
    "h_minima",
    "join_segmentations",
    "local_maxima",
    "local_minima",
    "peak_local_max",
    "pyramid",
    "reconstruction",
    "regionprops_table",
    "relabel_sequential",
    "remove_small_holes",
    "remove_small_objects",
    "rescale_intensity",
    "threshold_isodata",
    "threshold_li",
    "threshold_local",
    "threshold_multiotsu",
    "threshold_otsu",
    "threshold_triangle",
    "threshold_yen",
    "watershed",
]
