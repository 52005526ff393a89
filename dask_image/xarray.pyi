from collections.abc import Sequence
from typing import Any, Literal, TypeVar, overload

import xarray

from dask_image._utils.typing import (
    AllLabels,
    Array,
    ArrayLike,
    ChunksLike,
    Dimensions,
    DTypeLike,
    Function,
    Index,
    Integer,
    Labels,
    Lengths,
    ModeName,
    NanPolicy,
    Number,
    PerAxis,
    PerDimension,
    Range,
    Real,
)

__all__ = [
    "apply_hysteresis_threshold",
    "area",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "center_of_mass",
    "clear_border",
    "convolve",
    "convolve1d",
    "correct_illumination",
    "correlate",
    "correlate1d",
    "distance_transform_bf",
    "distance_transform_cdt",
    "distance_transform_edt",
    "expand_labels",
    "extrema",
    "fill_missing",
    "find_boundaries",
    "fourier_ellipsoid",
    "fourier_gaussian",
    "fourier_shift",
    "fourier_uniform",
    "gaussian",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generic_filter",
    "generic_filter1d",
    "generic_gradient_magnitude",
    "generic_laplace",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "h_maxima",
    "h_minima",
    "imread",
    "join_segmentations",
    "label",
    "laplace",
    "local_maxima",
    "local_minima",
    "maximum",
    "maximum_filter",
    "maximum_filter1d",
    "maximum_position",
    "mean",
    "median",
    "median_filter",
    "merge_labels_across_chunk_boundaries",
    "minimum",
    "minimum_filter",
    "minimum_filter1d",
    "minimum_position",
    "morphological_gradient",
    "morphological_laplace",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "read_ome_zarr",
    "reconstruction",
    "regionprops_table",
    "relabel_sequential",
    "remove_small_holes",
    "remove_small_objects",
    "rescale_intensity",
    "shift",
    "sobel",
    "spline_filter",
    "spline_filter1d",
    "standard_deviation",
    "subtract_background",
    "sum",
    "sum_labels",
    "threshold_local",
    "uniform_filter",
    "uniform_filter1d",
    "variance",
    "vectorized_filter",
    "watershed",
    "watershed_ift",
    "white_tophat",
    "zoom",
]

_Image = TypeVar("_Image", xarray.DataArray, xarray.Dataset)

def apply_hysteresis_threshold(image: _Image, low: ArrayLike, high: ArrayLike) -> _Image: ...
def area(
    image: _Image, label_image: Labels = None, index: Index | AllLabels = None
) -> xarray.Dataset: ...
def binary_closing(
    image: _Image,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    origin: PerDimension[Integer] = 0,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    brute_force: bool = False,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def binary_dilation(
    image: _Image,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    origin: PerDimension[Integer] = 0,
    brute_force: bool = False,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def binary_erosion(
    image: _Image,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    origin: PerDimension[Integer] = 0,
    brute_force: bool = False,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def binary_fill_holes(
    image: _Image,
    structure: ArrayLike | None = None,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def binary_hit_or_miss(
    image: _Image,
    structure1: ArrayLike | None = None,
    structure2: ArrayLike | None = None,
    origin1: PerDimension[Integer] = 0,
    origin2: PerDimension[Integer] | None = None,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def binary_opening(
    image: _Image,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    origin: PerDimension[Integer] = 0,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    brute_force: bool = False,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def binary_propagation(
    image: _Image,
    structure: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    wrap: Dimensions | None = None,
) -> _Image: ...
def black_tophat(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def center_of_mass(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    wrap: Dimensions | None = None,
) -> xarray.Dataset: ...
def clear_border(
    labels: _Image, buffer_size: Integer = 0, bgval: Real = 0, mask: ArrayLike | None = None
) -> _Image: ...
def convolve(
    image: _Image,
    weights: ArrayLike,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def convolve1d(
    image: _Image,
    weights: ArrayLike,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def correct_illumination(
    image: _Image, flat: ArrayLike, dark: ArrayLike = 0, *, output: DTypeLike | None = None
) -> _Image: ...
def correlate(
    image: _Image,
    weights: ArrayLike,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def correlate1d(
    image: _Image,
    weights: ArrayLike,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
@overload
def distance_transform_bf(
    image: _Image,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerDimension[Real] | None = ...,
    return_distances: Literal[True] = ...,
    return_indices: Literal[False] = ...,
    *,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
@overload
def distance_transform_bf(
    image: _Image,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerDimension[Real] | None = ...,
    *,
    return_distances: Literal[False],
    return_indices: Literal[True],
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
@overload
def distance_transform_bf(
    image: _Image,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerDimension[Real] | None = ...,
    return_distances: Literal[True] = ...,
    *,
    return_indices: Literal[True],
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> tuple[_Image, _Image]: ...
@overload
def distance_transform_bf(
    image: _Image,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerDimension[Real] | None = ...,
    return_distances: bool = ...,
    return_indices: bool = ...,
    *,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image | tuple[_Image, _Image]: ...
@overload
def distance_transform_cdt(
    image: _Image,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    return_distances: Literal[True] = ...,
    return_indices: Literal[False] = ...,
    *,
    wrap: Dimensions | None = None,
) -> _Image: ...
@overload
def distance_transform_cdt(
    image: _Image,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    *,
    return_distances: Literal[False],
    return_indices: Literal[True],
    wrap: Dimensions | None = None,
) -> _Image: ...
@overload
def distance_transform_cdt(
    image: _Image,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    return_distances: Literal[True] = ...,
    *,
    return_indices: Literal[True],
    wrap: Dimensions | None = None,
) -> tuple[_Image, _Image]: ...
@overload
def distance_transform_cdt(
    image: _Image,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    return_distances: bool = ...,
    return_indices: bool = ...,
    *,
    wrap: Dimensions | None = None,
) -> _Image | tuple[_Image, _Image]: ...
@overload
def distance_transform_edt(
    image: _Image,
    sampling: PerDimension[Real] | None = ...,
    return_distances: Literal[True] = ...,
    return_indices: Literal[False] = ...,
    *,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
@overload
def distance_transform_edt(
    image: _Image,
    sampling: PerDimension[Real] | None = ...,
    *,
    return_distances: Literal[False],
    return_indices: Literal[True],
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
@overload
def distance_transform_edt(
    image: _Image,
    sampling: PerDimension[Real] | None = ...,
    return_distances: Literal[True] = ...,
    *,
    return_indices: Literal[True],
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> tuple[_Image, _Image]: ...
@overload
def distance_transform_edt(
    image: _Image,
    sampling: PerDimension[Real] | None = ...,
    return_distances: bool = ...,
    return_indices: bool = ...,
    *,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image | tuple[_Image, _Image]: ...
def expand_labels(
    label_image: _Image,
    distance: Real = 1,
    spacing: PerDimension[Real] = 1,
    *,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def extrema(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def fill_missing(
    image: _Image,
    where: ArrayLike | None = None,
    method: Literal["nearest", "smooth", "inpaint"] = "nearest",
) -> _Image: ...
def find_boundaries(
    label_img: _Image,
    connectivity: Integer = 1,
    mode: Literal["thick", "inner", "outer", "subpixel"] = "thick",
    background: Real = 0,
) -> _Image: ...
def fourier_ellipsoid(
    image: _Image,
    size: PerDimension[Real],
    n: Integer = -1,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def fourier_gaussian(
    image: _Image,
    sigma: PerDimension[Real],
    n: Integer = -1,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def fourier_shift(
    image: _Image,
    shift: PerDimension[Real],
    n: Integer = -1,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def fourier_uniform(
    image: _Image,
    size: PerDimension[Real],
    n: Integer = -1,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def gaussian(
    image: _Image,
    sigma: Lengths,
    order: PerDimension[Integer] = 0,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Lengths | None = None,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def gaussian_filter(
    image: _Image,
    sigma: Lengths,
    order: PerDimension[Integer] = 0,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Lengths | None = None,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def gaussian_filter1d(
    image: _Image,
    sigma: Lengths,
    order: PerDimension[Integer] = 0,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Lengths | None = None,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def gaussian_gradient_magnitude(
    image: _Image,
    sigma: Lengths,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Lengths | None = None,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def gaussian_laplace(
    image: _Image,
    sigma: Lengths,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Lengths | None = None,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def generic_filter(
    image: _Image,
    function: Function,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def generic_filter1d(
    image: _Image,
    function: Function,
    filter_size: Lengths,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def generic_gradient_magnitude(
    image: _Image,
    derivative: Function,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    depth: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def generic_laplace(
    image: _Image,
    derivative2: Function,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    depth: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def grey_closing(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def grey_dilation(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def grey_erosion(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def grey_opening(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def h_maxima(
    image: _Image, h: Real, footprint: ArrayLike | None = None, *, wrap: Dimensions | None = None
) -> _Image: ...
def h_minima(
    image: _Image, h: Real, footprint: ArrayLike | None = None, *, wrap: Dimensions | None = None
) -> _Image: ...
def imread(
    fname: Any,
    nframes: Integer = 1,
    *,
    chunks: ChunksLike = "auto",
    level: Integer = 0,
    series: Integer = 0,
) -> xarray.DataArray: ...
@overload
def join_segmentations(
    s1: _Image, s2: ArrayLike, return_mapping: Literal[False] = ...
) -> _Image: ...
@overload
def join_segmentations(
    s1: _Image, s2: ArrayLike, return_mapping: Literal[True]
) -> tuple[_Image, _Image, _Image]: ...
def label(
    image: xarray.DataArray,
    structure: ArrayLike | None = None,
    *,
    wrap: Dimensions | None = None,
    output: DTypeLike | None = None,
) -> tuple[xarray.DataArray, Array]: ...
def laplace(
    image: _Image,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
@overload
def local_maxima(
    image: _Image,
    footprint: ArrayLike | None = ...,
    connectivity: Integer | None = ...,
    indices: Literal[False] = ...,
    allow_borders: bool = ...,
    *,
    wrap: Dimensions | None = None,
) -> _Image: ...
@overload
def local_maxima(
    image: _Image,
    footprint: ArrayLike | None = ...,
    connectivity: Integer | None = ...,
    *,
    indices: Literal[True],
    allow_borders: bool = ...,
    wrap: Dimensions | None = None,
) -> tuple[_Image, ...]: ...
@overload
def local_minima(
    image: _Image,
    footprint: ArrayLike | None = ...,
    connectivity: Integer | None = ...,
    indices: Literal[False] = ...,
    allow_borders: bool = ...,
    *,
    wrap: Dimensions | None = None,
) -> _Image: ...
@overload
def local_minima(
    image: _Image,
    footprint: ArrayLike | None = ...,
    connectivity: Integer | None = ...,
    *,
    indices: Literal[True],
    allow_borders: bool = ...,
    wrap: Dimensions | None = None,
) -> tuple[_Image, ...]: ...
def maximum(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def maximum_filter(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def maximum_filter1d(
    image: _Image,
    size: Lengths,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def maximum_position(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def mean(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def median(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def median_filter(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def merge_labels_across_chunk_boundaries(
    labels: _Image,
    overlap_depth: Lengths = 0,
    iou_threshold: Real = 0.8,
    structure: ArrayLike | None = None,
    *,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def minimum(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def minimum_filter(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def minimum_filter1d(
    image: _Image,
    size: Lengths,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def minimum_position(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def morphological_gradient(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def morphological_laplace(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def percentile_filter(
    image: _Image,
    percentile: Real,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def prewitt(
    image: _Image,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def rank_filter(
    image: _Image,
    rank: Integer,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def read_ome_zarr(url: Any, level: int = 0) -> xarray.DataArray: ...
def reconstruction(
    seed: _Image,
    mask: ArrayLike,
    method: Literal["dilation", "erosion"] = "dilation",
    footprint: ArrayLike | None = None,
    *,
    wrap: Dimensions | None = None,
) -> _Image: ...
def regionprops_table(
    label_image: xarray.DataArray,
    intensity_image: xarray.DataArray | None = None,
    properties: str | Sequence[str] = ("label", "bbox", "area", "centroid"),
    *,
    spacing: PerDimension[Real] | None = None,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
    extra_properties: Sequence[Function] | None = None,
) -> xarray.Dataset: ...
def relabel_sequential(label_field: _Image, offset: Integer = 1) -> _Image: ...
def remove_small_holes(
    image: _Image, *, max_size: Integer = 64, connectivity: Integer = 1
) -> _Image: ...
def remove_small_objects(
    image: _Image, *, max_size: Integer = 64, connectivity: Integer = 1
) -> _Image: ...
def rescale_intensity(
    image: _Image, in_range: Range = "image", out_range: Range = "dtype"
) -> _Image: ...
def shift(
    image: _Image,
    shift: Lengths,
    order: PerDimension[Integer] = 3,
    output_chunks: ChunksLike | None = None,
    *,
    output: DTypeLike | None = None,
    mode: PerDimension[ModeName] = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def sobel(
    image: _Image,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def spline_filter(
    image: _Image,
    order: PerDimension[Integer] = 3,
    output: DTypeLike | None = ...,
    mode: PerDimension[ModeName] = "mirror",
    output_chunks: ChunksLike | None = None,
    *,
    depth: PerAxis[Integer] | None = None,
) -> _Image: ...
def spline_filter1d(
    image: _Image,
    order: PerDimension[Integer] = 3,
    output: DTypeLike | None = ...,
    mode: PerDimension[ModeName] = "mirror",
    output_chunks: ChunksLike | None = None,
    *,
    depth: Integer | None = None,
    dims: Dimensions | None = None,
) -> _Image: ...
def standard_deviation(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def subtract_background(
    image: _Image,
    size: Lengths,
    method: Literal["percentile", "rolling_ball", "white_tophat", "gaussian"] = "percentile",
    *,
    percentile: Real = 10.0,
    output: DTypeLike | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def sum(
    image: _Image, label_image: Labels = None, index: Index | AllLabels = None
) -> xarray.Dataset: ...
def sum_labels(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def threshold_local(
    image: _Image,
    block_size: Lengths,
    method: Literal["gaussian", "mean", "median", "generic"] = "gaussian",
    offset: Real = 0,
    mode: PerDimension[ModeName] = "reflect",
    param: PerAxis[Real] | Function | None = None,
    cval: Real = 0,
    *,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Real | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def uniform_filter(
    image: _Image,
    size: Lengths = 3,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def uniform_filter1d(
    image: _Image,
    size: Lengths,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def variance(
    image: _Image,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> xarray.Dataset: ...
def vectorized_filter(
    image: _Image,
    function: Function,
    *,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerDimension[ModeName | Literal["valid"]] = "reflect",
    cval: Number | None = None,
    origin: PerDimension[Integer] | None = None,
    batch_memory: Integer = 1073741824,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def watershed(
    image: _Image,
    markers: ArrayLike | None = None,
    connectivity: Integer | ArrayLike = 1,
    mask: ArrayLike | None = None,
    *,
    compactness: Real = 0,
    watershed_line: bool = False,
    wrap: Dimensions | None = None,
) -> _Image: ...
def watershed_ift(
    image: _Image,
    markers: ArrayLike,
    structure: ArrayLike | None = None,
    *,
    output: DTypeLike | None = None,
) -> _Image: ...
def white_tophat(
    image: _Image,
    size: Lengths | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerDimension[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerDimension[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    dims: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
) -> _Image: ...
def zoom(
    image: _Image,
    zoom: PerDimension[Real],
    order: Integer = 3,
    *,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    grid_mode: bool = False,
    output: DTypeLike | None = None,
) -> _Image: ...
