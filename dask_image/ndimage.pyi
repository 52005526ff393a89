from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt
from dask.delayed import Delayed

from dask_image._utils.typing import (
    AllLabels,
    Array,
    ArrayLike,
    ChunksLike,
    DTypeLike,
    Extrema,
    Function,
    Index,
    Integer,
    Labels,
    ModeName,
    NanPolicy,
    Number,
    PerAxis,
    PerLabel,
    Real,
)

__all__ = [
    "affine_transform",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "center_of_mass",
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "distance_transform_bf",
    "distance_transform_cdt",
    "distance_transform_edt",
    "extrema",
    "find_objects",
    "fourier_ellipsoid",
    "fourier_gaussian",
    "fourier_shift",
    "fourier_uniform",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generate_binary_structure",
    "generic_filter",
    "generic_filter1d",
    "generic_gradient_magnitude",
    "generic_laplace",
    "geometric_transform",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "histogram",
    "iterate_structure",
    "label",
    "labeled_comprehension",
    "laplace",
    "map_coordinates",
    "maximum",
    "maximum_filter",
    "maximum_filter1d",
    "maximum_position",
    "mean",
    "median",
    "median_filter",
    "minimum",
    "minimum_filter",
    "minimum_filter1d",
    "minimum_position",
    "morphological_gradient",
    "morphological_laplace",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "rotate",
    "shift",
    "sobel",
    "spline_filter",
    "spline_filter1d",
    "standard_deviation",
    "sum",
    "sum_labels",
    "uniform_filter",
    "uniform_filter1d",
    "value_indices",
    "variance",
    "vectorized_filter",
    "watershed_ift",
    "white_tophat",
    "zoom",
]

def affine_transform(
    input: ArrayLike,
    matrix: ArrayLike,
    offset: PerAxis[Real] = 0.0,
    output_shape: Sequence[Integer] | None = None,
    output: DTypeLike | None = None,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    *,
    output_chunks: ChunksLike | None = None,
) -> Array: ...
def binary_closing(
    input: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    output: DTypeLike | None = None,
    origin: PerAxis[Integer] = 0,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def binary_dilation(
    input: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    mask: ArrayLike | None = None,
    output: DTypeLike | None = None,
    border_value: Integer = 0,
    origin: PerAxis[Integer] = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def binary_erosion(
    input: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    mask: ArrayLike | None = None,
    output: DTypeLike | None = None,
    border_value: Integer = 0,
    origin: PerAxis[Integer] = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def binary_fill_holes(
    input: ArrayLike,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def binary_hit_or_miss(
    input: ArrayLike,
    structure1: ArrayLike | None = None,
    structure2: ArrayLike | None = None,
    output: DTypeLike | None = None,
    origin1: PerAxis[Integer] = 0,
    origin2: PerAxis[Integer] | None = None,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def binary_opening(
    input: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    output: DTypeLike | None = None,
    origin: PerAxis[Integer] = 0,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def binary_propagation(
    input: ArrayLike,
    structure: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    output: DTypeLike | None = None,
    border_value: Integer = 0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def black_tophat(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
@overload
def center_of_mass(input: ArrayLike, labels: Labels, index: AllLabels) -> PerLabel: ...
@overload
def center_of_mass(input: ArrayLike, labels: Labels = None, index: Index = None) -> Array: ...
def convolve(
    input: ArrayLike,
    weights: ArrayLike,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def convolve1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
) -> Array: ...
def correlate(
    input: ArrayLike,
    weights: ArrayLike,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def correlate1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
) -> Array: ...
@overload
def distance_transform_bf(
    input: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = "euclidean",
    sampling: PerAxis[Real] | None = None,
    return_distances: Literal[True] = True,
    return_indices: Literal[False] = False,
    distances: None = None,
    indices: None = None,
) -> Array: ...
@overload
def distance_transform_bf(
    input: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = "euclidean",
    sampling: PerAxis[Real] | None = None,
    *,
    return_distances: Literal[False],
    return_indices: Literal[True],
    distances: None = None,
    indices: None = None,
) -> Array: ...
@overload
def distance_transform_bf(
    input: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = "euclidean",
    sampling: PerAxis[Real] | None = None,
    return_distances: Literal[True] = True,
    *,
    return_indices: Literal[True],
    distances: None = None,
    indices: None = None,
) -> tuple[Array, Array]: ...
@overload
def distance_transform_bf(
    input: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = "euclidean",
    sampling: PerAxis[Real] | None = None,
    return_distances: bool = True,
    return_indices: bool = False,
    distances: None = None,
    indices: None = None,
) -> Array | tuple[Array, Array]: ...
@overload
def distance_transform_cdt(
    input: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = "chessboard",
    return_distances: Literal[True] = True,
    return_indices: Literal[False] = False,
    distances: None = None,
    indices: None = None,
) -> Array: ...
@overload
def distance_transform_cdt(
    input: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = "chessboard",
    *,
    return_distances: Literal[False],
    return_indices: Literal[True],
    distances: None = None,
    indices: None = None,
) -> Array: ...
@overload
def distance_transform_cdt(
    input: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = "chessboard",
    return_distances: Literal[True] = True,
    *,
    return_indices: Literal[True],
    distances: None = None,
    indices: None = None,
) -> tuple[Array, Array]: ...
@overload
def distance_transform_cdt(
    input: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = "chessboard",
    return_distances: bool = True,
    return_indices: bool = False,
    distances: None = None,
    indices: None = None,
) -> Array | tuple[Array, Array]: ...
@overload
def distance_transform_edt(
    input: ArrayLike,
    sampling: PerAxis[Real] | None = None,
    return_distances: Literal[True] = True,
    return_indices: Literal[False] = False,
    distances: None = None,
    indices: None = None,
) -> Array: ...
@overload
def distance_transform_edt(
    input: ArrayLike,
    sampling: PerAxis[Real] | None = None,
    *,
    return_distances: Literal[False],
    return_indices: Literal[True],
    distances: None = None,
    indices: None = None,
) -> Array: ...
@overload
def distance_transform_edt(
    input: ArrayLike,
    sampling: PerAxis[Real] | None = None,
    return_distances: Literal[True] = True,
    *,
    return_indices: Literal[True],
    distances: None = None,
    indices: None = None,
) -> tuple[Array, Array]: ...
@overload
def distance_transform_edt(
    input: ArrayLike,
    sampling: PerAxis[Real] | None = None,
    return_distances: bool = True,
    return_indices: bool = False,
    distances: None = None,
    indices: None = None,
) -> Array | tuple[Array, Array]: ...
@overload
def extrema(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> tuple[Extrema, Array]: ...
@overload
def extrema(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Extrema: ...
def find_objects(input: ArrayLike, max_label: Integer = 0) -> Delayed: ...
def fourier_ellipsoid(
    input: ArrayLike,
    size: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    output: DTypeLike | None = None,
) -> Array: ...
def fourier_gaussian(
    input: ArrayLike,
    sigma: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    output: DTypeLike | None = None,
) -> Array: ...
def fourier_shift(
    input: ArrayLike,
    shift: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    output: DTypeLike | None = None,
) -> Array: ...
def fourier_uniform(
    input: ArrayLike,
    size: PerAxis[Real],
    n: Integer = -1,
    axis: Integer = -1,
    output: DTypeLike | None = None,
) -> Array: ...
def gaussian_filter(
    input: ArrayLike,
    sigma: PerAxis[Real],
    order: PerAxis[Integer] = 0,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: PerAxis[Integer] | None = None,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def gaussian_filter1d(
    input: ArrayLike,
    sigma: Real,
    axis: Integer = -1,
    order: Integer = 0,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    truncate: Real = 4.0,
    *,
    radius: Integer | None = None,
) -> Array: ...
def gaussian_gradient_magnitude(
    input: ArrayLike,
    sigma: PerAxis[Real],
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    axes: PerAxis[Integer] | None = None,
    truncate: Real = ...,
    radius: PerAxis[Integer] | None = ...,
    channel_axis: Integer | None = ...,
) -> Array: ...
def gaussian_laplace(
    input: ArrayLike,
    sigma: PerAxis[Real],
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    axes: PerAxis[Integer] | None = None,
    truncate: Real = ...,
    radius: PerAxis[Integer] | None = ...,
    channel_axis: Integer | None = ...,
) -> Array: ...
def generate_binary_structure(rank: Integer, connectivity: Integer) -> npt.NDArray[np.bool_]: ...
def generic_filter(
    input: ArrayLike,
    function: Function,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def generic_filter1d(
    input: ArrayLike,
    function: Function,
    filter_size: Integer,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
) -> Array: ...
def generic_gradient_magnitude(
    input: ArrayLike,
    derivative: Function,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def generic_laplace(
    input: ArrayLike,
    derivative2: Function,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def geometric_transform(
    input: ArrayLike,
    mapping: Function,
    output_shape: Sequence[Integer] | None = None,
    output: DTypeLike | None = None,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    output_chunks: ChunksLike | None = None,
    reach: PerAxis[Real] | None = None,
) -> Array: ...
def grey_closing(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def grey_dilation(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def grey_erosion(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def grey_opening(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
@overload
def histogram(
    input: ArrayLike, min: Real, max: Real, bins: Integer, labels: Labels, index: AllLabels
) -> PerLabel: ...
@overload
def histogram(
    input: ArrayLike,
    min: Real,
    max: Real,
    bins: Integer,
    labels: Labels = None,
    index: Index = None,
) -> Array: ...
@overload
def iterate_structure(
    structure: ArrayLike, iterations: Integer, origin: None = None
) -> npt.NDArray[np.bool_]: ...
@overload
def iterate_structure(
    structure: ArrayLike, iterations: Integer, origin: PerAxis[Integer]
) -> tuple[npt.NDArray[np.bool_], list[int]]: ...
def label(
    input: ArrayLike, structure: ArrayLike | None = None, output: DTypeLike | None = None
) -> tuple[Array, Array]: ...
@overload
def labeled_comprehension(
    input: ArrayLike,
    labels: Labels,
    index: AllLabels,
    func: Function,
    out_dtype: DTypeLike,
    default: Any,
    pass_positions: bool = False,
) -> PerLabel: ...
@overload
def labeled_comprehension(
    input: ArrayLike,
    labels: Labels,
    index: Index,
    func: Function,
    out_dtype: DTypeLike,
    default: Any,
    pass_positions: bool = False,
) -> Array: ...
def laplace(
    input: ArrayLike,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def map_coordinates(
    input: ArrayLike,
    coordinates: ArrayLike,
    output: DTypeLike | None = None,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    *,
    output_chunks: ChunksLike | None = None,
    reach: PerAxis[Real] | None = None,
) -> Array: ...
@overload
def maximum(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def maximum(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
def maximum_filter(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def maximum_filter1d(
    input: ArrayLike,
    size: Integer,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
) -> Array: ...
@overload
def maximum_position(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def maximum_position(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
@overload
def mean(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def mean(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
@overload
def median(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def median(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
def median_filter(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
@overload
def minimum(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def minimum(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
def minimum_filter(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def minimum_filter1d(
    input: ArrayLike,
    size: Integer,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
) -> Array: ...
@overload
def minimum_position(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def minimum_position(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
def morphological_gradient(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def morphological_laplace(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def percentile_filter(
    input: ArrayLike,
    percentile: Real,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def prewitt(
    input: ArrayLike,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
) -> Array: ...
def rank_filter(
    input: ArrayLike,
    rank: Integer,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def rotate(
    input: ArrayLike,
    angle: Real,
    axes: Sequence[Integer] = (1, 0),
    reshape: bool = True,
    output: DTypeLike | None = None,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    *,
    output_chunks: ChunksLike | None = None,
) -> Array: ...
def shift(
    input: ArrayLike,
    shift: PerAxis[Real],
    output: DTypeLike | None = None,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    *,
    output_chunks: ChunksLike | None = None,
) -> Array: ...
def sobel(
    input: ArrayLike,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
) -> Array: ...
def spline_filter(
    input: ArrayLike,
    order: Integer = 3,
    output: DTypeLike | None = ...,
    mode: ModeName = "mirror",
    *,
    output_chunks: ChunksLike | None = None,
) -> Array: ...
def spline_filter1d(
    input: ArrayLike,
    order: Integer = 3,
    axis: Integer = -1,
    output: DTypeLike | None = ...,
    mode: ModeName = "mirror",
    *,
    output_chunks: ChunksLike | None = None,
) -> Array: ...
@overload
def standard_deviation(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def standard_deviation(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
@overload
def sum(input: ArrayLike, labels: Labels, index: AllLabels) -> PerLabel: ...
@overload
def sum(input: ArrayLike, labels: Labels = None, index: Index = None) -> Array: ...
@overload
def sum_labels(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def sum_labels(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
def uniform_filter(
    input: ArrayLike,
    size: PerAxis[Integer] = 3,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array: ...
def uniform_filter1d(
    input: ArrayLike,
    size: Integer,
    axis: Integer = -1,
    output: DTypeLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
) -> Array: ...
def value_indices(arr: ArrayLike, *, ignore_value: Integer | None = None) -> Delayed: ...
@overload
def variance(
    input: ArrayLike, labels: Labels, index: AllLabels, *, nan_policy: NanPolicy = "propagate"
) -> PerLabel: ...
@overload
def variance(
    input: ArrayLike,
    labels: Labels = None,
    index: Index = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array: ...
def vectorized_filter(
    input: ArrayLike,
    function: Function,
    *,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: ModeName | Literal["valid"] = "reflect",
    cval: Number | None = None,
    origin: PerAxis[Integer] | None = None,
    axes: PerAxis[Integer] | None = None,
    batch_memory: Integer = 1073741824,
) -> Array: ...
def watershed_ift(
    input: ArrayLike,
    markers: ArrayLike,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
) -> Array: ...
def white_tophat(
    input: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
) -> Array: ...
def zoom(
    input: ArrayLike,
    zoom: PerAxis[Real],
    output: DTypeLike | None = None,
    order: Integer = 3,
    mode: ModeName = "constant",
    cval: Number = 0.0,
    prefilter: bool = True,
    *,
    grid_mode: bool = False,
    output_chunks: ChunksLike | None = None,
) -> Array: ...
