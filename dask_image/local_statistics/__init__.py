"""Statistics of windows on a sub-grid: illumination and background of very large images."""

from dask_image.local_statistics._background import background, local_sigma_clipped
from dask_image.local_statistics._functions import (
    apply_local_function,
    local_histogram,
    local_mean,
    local_percentile,
    local_standard_deviation,
)
from dask_image.local_statistics._illumination import (
    correct_illumination,
    estimate_illumination,
    subtract_background,
)

__all__ = [
    "apply_local_function",
    "background",
    "correct_illumination",
    "estimate_illumination",
    "local_histogram",
    "local_mean",
    "local_percentile",
    "local_sigma_clipped",
    "local_standard_deviation",
    "subtract_background",
]
