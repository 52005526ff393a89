"""
What each public function takes: on which arrays it works, and whether blocks are enough.

The one table from which CuPy arrays are refused, the page on coverage is made, and the tests on
a GPU are generated. A new function has its line here.
"""

from __future__ import annotations

from dataclasses import dataclass

ON_GPU = "on the GPU"
THROUGH_HOST = "through the host"


@dataclass(frozen=True)
class Capability:
    """
    What a function takes.

    Attributes
    ----------
    cupy : str or None
        Where the work is done if blocks are CuPy arrays: `ON_GPU`; `THROUGH_HOST`, when they
        are copied to NumPy arrays and back inside of tasks; or None, when they are refused.
        Blocks that are NumPy arrays are taken by all.
    whole : str or None
        When the whole array goes through one task: "always", or under which condition.
    """

    cupy: str | None = None
    whole: str | None = None


_NUMPY = Capability()
_GPU = Capability(ON_GPU)
_HOST = Capability(THROUGH_HOST)
_UNLESS_DEPTH = Capability(ON_GPU, "unless depth is given or known")
_UNLESS_MIDDLE = "if iterated until stable with a structure that is not symmetric"
_WITHOUT_INDEX = Capability(None, "if index is None")

CAPABILITIES = {
    # ndfilters
    "convolve": _GPU,
    "convolve1d": _GPU,
    "correlate": _GPU,
    "correlate1d": _GPU,
    "fill_missing": _NUMPY,
    "gaussian": _GPU,
    "gaussian_filter": _GPU,
    "gaussian_filter1d": _GPU,
    "gaussian_gradient_magnitude": _GPU,
    "gaussian_laplace": _GPU,
    "generic_filter": _GPU,
    "generic_filter1d": _GPU,
    "generic_gradient_magnitude": _UNLESS_DEPTH,
    "generic_laplace": _UNLESS_DEPTH,
    "laplace": _GPU,
    "maximum_filter": _GPU,
    "maximum_filter1d": _GPU,
    "median_filter": _GPU,
    "minimum_filter": _GPU,
    "minimum_filter1d": _GPU,
    "percentile_filter": _GPU,
    "prewitt": _GPU,
    "rank_filter": _GPU,
    "sobel": _GPU,
    "threshold_isodata": _NUMPY,
    "threshold_li": _NUMPY,
    "threshold_local": _GPU,
    "threshold_multiotsu": _NUMPY,
    "threshold_otsu": _NUMPY,
    "threshold_triangle": _NUMPY,
    "threshold_yen": _NUMPY,
    "uniform_filter": _GPU,
    "uniform_filter1d": _GPU,
    "vectorized_filter": _NUMPY,  # CuPy 14 has none
    # ndfourier
    "fourier_ellipsoid": _GPU,
    "fourier_gaussian": _GPU,
    "fourier_shift": _GPU,
    "fourier_uniform": _GPU,
    # ndinterp
    "affine_transform": _NUMPY,
    "geometric_transform": _NUMPY,
    "map_coordinates": _NUMPY,
    "rotate": _NUMPY,
    "shift": _NUMPY,
    "spline_filter": _GPU,
    "spline_filter1d": _GPU,
    "transform_points": _NUMPY,
    "zoom": _NUMPY,
    # ndmeasure
    "area": _NUMPY,
    "center_of_mass": _NUMPY,
    "count_points": _NUMPY,
    "extrema": _NUMPY,
    "find_objects": _NUMPY,
    "histogram": _NUMPY,
    "label": _HOST,
    "labeled_comprehension": _WITHOUT_INDEX,
    "maximum": _NUMPY,
    "maximum_position": _NUMPY,
    "mean": _NUMPY,
    "median": Capability(None, "if index is None and the image is complex"),
    "merge_labels_across_chunk_boundaries": _HOST,
    "minimum": _NUMPY,
    "minimum_position": _NUMPY,
    "points_table": _NUMPY,
    "regionprops_table": _NUMPY,
    "relabel_sequential": _HOST,
    "standard_deviation": _NUMPY,
    "sum": _NUMPY,
    "sum_labels": _NUMPY,
    "value_indices": Capability(None, "always: so large is the result"),
    "variance": _NUMPY,
    # ndmorph
    "binary_closing": Capability(ON_GPU, _UNLESS_MIDDLE),
    "binary_dilation": Capability(ON_GPU, _UNLESS_MIDDLE),
    "binary_erosion": Capability(ON_GPU, _UNLESS_MIDDLE),
    "binary_fill_holes": Capability(THROUGH_HOST, _UNLESS_MIDDLE),
    "binary_hit_or_miss": _GPU,
    "binary_opening": Capability(ON_GPU, _UNLESS_MIDDLE),
    "binary_propagation": Capability(THROUGH_HOST, _UNLESS_MIDDLE),
    "black_tophat": _GPU,
    "distance_transform_bf": _NUMPY,
    "distance_transform_cdt": _NUMPY,
    "distance_transform_edt": _NUMPY,
    "generate_binary_structure": _NUMPY,
    "grey_closing": _GPU,
    "grey_dilation": _GPU,
    "grey_erosion": _GPU,
    "grey_opening": _GPU,
    "iterate_structure": _NUMPY,
    "morphological_gradient": _GPU,
    "morphological_laplace": _GPU,
    "watershed_ift": Capability(None, "always"),
    "white_tophat": _GPU,
    # local_statistics
    "apply_local_function": _NUMPY,
    "background": _NUMPY,
    "correct_illumination": _NUMPY,
    "estimate_illumination": _NUMPY,
    "local_histogram": _NUMPY,
    "local_mean": _NUMPY,
    "local_percentile": _NUMPY,
    "local_sigma_clipped": _NUMPY,
    "local_standard_deviation": _NUMPY,
    "subtract_background": _NUMPY,
    # segmentation
    "apply_hysteresis_threshold": _NUMPY,
    "blob_dog": _NUMPY,
    "blob_log": _NUMPY,
    "clear_border": _NUMPY,
    "downscale_local_mean": _NUMPY,
    "expand_labels": _NUMPY,
    "find_boundaries": _NUMPY,
    "h_maxima": _NUMPY,
    "h_minima": _NUMPY,
    "join_segmentations": _NUMPY,
    "local_maxima": _NUMPY,
    "local_minima": _NUMPY,
    "peak_local_max": _NUMPY,
    "pyramid": _NUMPY,
    "reconstruction": _NUMPY,
    "remove_small_holes": _NUMPY,
    "remove_small_objects": _NUMPY,
    "rescale_intensity": _NUMPY,
    "watershed": _NUMPY,
}
