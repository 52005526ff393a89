"""
Functions of this package on xarray's arrays, by the names of dimensions.

``import dask_image.xarray as xndi`` takes and returns ``xarray.DataArray`` and
``xarray.Dataset``: coordinates, names and attributes stay, ``dims="lat"`` stands for
``axis`` and ``axes``, ``wrap="lon"`` for ``wrap_axes``, numbers may differ by dimension
(``sigma={"lat": 2}``) and may be given in the coordinates' own units
(``units="coordinates"``). Nothing is computed here: every function hands its arguments on
to the package of its family, whose pages describe what it does.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import dask
import numpy as np

from dask_image import imread as _files
from dask_image import (
    local_statistics,
    ndfilters,
    ndfourier,
    ndinterp,
    ndmeasure,
    ndmorph,
    segmentation,
)
from dask_image._utils.arguments import per_axis
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    ChunksLike,
    Dimensions,
    DTypeLike,
    Function,
    Integer,
    ModeName,
    Number,
    PerDimension,
    Real,
)
from dask_image.imread._files import expand_grid

try:
    import xarray
except ImportError as error:
    raise ImportError("dask_image.xarray needs xarray: pip install 'dask-image[xarray]'") from error

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

# Arguments that dimensions, or what a table is here, make needless.
_OF_ARRAYS = {"axis", "axes", "channel_axis", "wrap_axes", "separator", "as_frame"}

# Arguments that may differ by dimension.
_BY_DIMENSION = {
    "sigma", "size", "order", "mode", "origin", "origin1", "origin2", "radius", "shift",
    "sampling", "spacing", "block_size", "filter_size", "overlap_depth",
}  # fmt: skip
# What is meant by a dimension that a mapping leaves out, where it has no default that says so.
_NEUTRAL = {"shift": 0, "sampling": 1, "spacing": 1, "overlap_depth": 0}
# Lengths, in pixels or in the coordinates' units: as they are, or as whole numbers of pixels.
_LENGTHS = {"sigma", "shift"}
_RADII = {"radius", "overlap_depth"}
_WINDOWS = {"size", "block_size", "filter_size"}
_PIXEL_SIZES = {"sampling", "spacing"}
# Arrays that have dimensions of their own, not the image's.
_WEIGHTS = {"weights", "footprint", "structure", "structure1", "structure2", "connectivity"}


# ---------------------------------------------------------------------------------------
# Dimensions and coordinates


def _step(image: xarray.DataArray, dim: Hashable) -> Any:
    """Return the distance of the pixels along a dimension, signed, in its coordinate's unit."""
    if dim not in image.coords or image.sizes[dim] < 2:
        raise ValueError(
            f"units='coordinates' needs a coordinate of two values or more along {dim!r}"
        )
    values = image[dim].to_numpy()
    if values.dtype.kind not in "iufmM":
        raise ValueError(
            f"units='coordinates' needs numbers or times along {dim!r}, not {values.dtype}"
        )
    steps = np.diff(values.astype(float) if values.dtype.kind in "iuf" else values)
    step = (values[-1] - values[0]) / (len(values) - 1) if steps.dtype.kind == "m" else steps.mean()
    # Coordinates kept in float32 are off by a part in ten million of their value.
    tolerance = abs(step) * 1e-3
    apart = np.abs(steps - step)
    if step == 0 * step or (apart > tolerance).any():
        raise ValueError(
            f"units='coordinates' needs equal steps along {dim!r}, got steps from {steps.min()} "
            f"to {steps.max()}; interpolate to a regular grid first, or count in pixels"
        )
    return step


def _in_pixels(name: str, value: Any, step: Any) -> Any:
    """Return a length of the coordinate's unit in pixels."""
    if isinstance(step, np.timedelta64):
        import pandas

        value = pandas.Timedelta(value).to_timedelta64()
    pixels = float(value / step)
    if name in _LENGTHS:
        return pixels if name == "shift" else abs(pixels)
    if name in _RADII:
        return round(abs(pixels))
    return 2 * int(abs(pixels) // 2) + 1


def _at(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return coordinates at fractional positions, NaN where there is none."""
    pixels = np.asarray(pixels, float)
    if len(values) < 2:
        found = np.full(pixels.shape, values[0])
    else:
        # Beyond the last pixel, where a dimension is wrapped, the last step goes on.
        low = np.clip(np.nan_to_num(pixels), 0, len(values) - 2).astype(int)
        found = values[low] + (pixels - low) * (values[low + 1] - values[low])
    nothing = np.array("NaT", values.dtype) if values.dtype.kind in "mM" else np.nan
    return np.where(pixels > -1, found, nothing)


def _coordinates(pixels: Any, image: xarray.DataArray, dim: Hashable) -> xarray.Variable:
    """Return positions along a dimension in its coordinate, where that is of numbers or times."""
    label = ("label",) * pixels.ndim
    if dim not in image.coords or image[dim].dtype.kind not in "iufmM":
        return xarray.Variable(label, pixels)
    values = image[dim].to_numpy()
    values = values.astype(float) if values.dtype.kind in "iu" else values
    if isinstance(pixels, np.ndarray):
        found = _at(pixels, values)
    else:
        found = pixels.map_blocks(_at, values, dtype=_at(np.zeros(1), values).dtype)
    return xarray.Variable(label, found, image[dim].attrs)


def _names(dims: Any, image: xarray.DataArray, word: str) -> tuple[Hashable, ...]:
    """Return the dimensions that an argument names, one or several."""
    names = (dims,) if isinstance(dims, str) or dims in image.dims else tuple(dims)
    unknown = [name for name in names if name not in image.dims]
    if unknown or len(set(names)) != len(names):
        raise ValueError(f"{word} must be different ones of {image.dims}, got {dims!r}")
    return names


# ---------------------------------------------------------------------------------------
# From arguments by name to arguments by axis


def _signature(function: Callable[..., Any], returned: str | None) -> inspect.Signature:
    """Return the signature under which a function is called here, with its types."""
    given = inspect.signature(function)
    first, *others = given.parameters.values()
    names = set(given.parameters)
    added: dict[str, tuple[str, Any]] = {}
    if names & {"axis", "axes"}:
        added["dims"] = ("Dimensions | None", None)
    if "wrap_axes" in names:
        added["wrap"] = ("Dimensions | None", None)
    # The number n of samples of Fourier filters goes with frequencies, which have no pixels.
    if names & (_LENGTHS | _RADII | _WINDOWS | _PIXEL_SIZES) and "n" not in names:
        added["units"] = ("Literal['pixels', 'coordinates']", "pixels")
    here = [first.replace(annotation="_Image")]
    for parameter in others:
        if parameter.name not in _OF_ARRAYS:
            annotation = _annotation(parameter.name, parameter.annotation, "units" in added)
            here.append(parameter.replace(annotation=annotation))
    for name, (annotation, default) in added.items():
        kind = inspect.Parameter.KEYWORD_ONLY
        here.append(inspect.Parameter(name, kind, default=default, annotation=annotation))
    result = returned or re.sub(r"\bArray\b", "_Image", given.return_annotation)
    return inspect.Signature(here, return_annotation=result)


def _annotation(name: str, annotation: str, with_units: bool) -> str:
    """Return the type of an argument that may differ by dimension, or has a unit."""
    if name not in _BY_DIMENSION or annotation.startswith("Literal"):
        return annotation
    if with_units and name in _LENGTHS | _RADII | _WINDOWS:
        return "Lengths | None" if annotation.endswith(" | None") else "Lengths"
    if "PerAxis" in annotation:
        return annotation.replace("PerAxis", "PerDimension")
    return f"PerDimension[{annotation}]"


@dataclass(frozen=True)
class _Port:
    """A function, its parameters, and its signature here."""

    function: Callable[..., Any]
    parameters: Mapping[str, inspect.Parameter]
    signature: inspect.Signature
    returned: str | None

    @property
    def of_lines(self) -> bool:
        """Whether the function works along one axis; that of Fourier filters is another thing."""
        return "axis" in self.parameters and "n" not in self.parameters

    @classmethod
    def of(cls, function: Callable[..., Any], returned: str | None = None) -> _Port:
        """Return how a function is called here, and what it returns if that is no image."""
        parameters = inspect.signature(function).parameters
        return cls(function, parameters, _signature(function, returned), returned)

    def described(self, overload: Callable[..., Any]) -> inspect.Signature:
        """Return the signature here of one of the function's overloads."""
        return _signature(overload, self.returned)

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[xarray.DataArray | xarray.Dataset, dict[str, Any]]:
        """Return the image and all other arguments of a call."""
        name = self.function.__name__
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            words = ", ".join(self.signature.parameters)
            raise TypeError(f"{name}: {error}; arguments are {words}") from None
        bound.apply_defaults()
        image, *_ = bound.arguments.values()
        if not isinstance(image, (xarray.DataArray, xarray.Dataset)):
            raise TypeError(
                f"{name} of dask_image.xarray takes a DataArray or a Dataset, got {type(image)}"
            )
        first = next(iter(self.signature.parameters))
        return image, {key: value for key, value in bound.arguments.items() if key != first}

    def call(self, image: xarray.DataArray, arguments: dict[str, Any]) -> Any:
        """Call the function on the array of an image."""
        given = dict(arguments)
        dims = given.pop("dims", None)
        wrap = given.pop("wrap", None)
        units = given.pop("units", "pixels")
        if units not in ("pixels", "coordinates"):
            raise ValueError(f"units must be 'pixels' or 'coordinates', got {units!r}")
        concerned = self._concerned(image, dims, given)
        for name, value in given.items():
            given[name] = self._by_axis(name, value, image, concerned, units)
        if "axes" in self.parameters and concerned != image.dims:
            given["axes"] = image.get_axis_num(concerned)
        if "axis" in self.parameters and dims is not None:
            given["axis"] = image.get_axis_num(_names(dims, image, "dims"))[0]
        if wrap is not None:
            given["wrap_axes"] = image.get_axis_num(_names(wrap, image, "wrap"))
        return self.function(image.data, **given)

    def _concerned(
        self, image: xarray.DataArray, dims: Any, given: dict[str, Any]
    ) -> tuple[Hashable, ...]:
        """Return the dimensions that the function works along: all that are named, or all."""
        if dims is None and "axes" in self.parameters:
            named = [
                tuple(value)
                for name, value in given.items()
                if name in _LENGTHS | _RADII | _WINDOWS and isinstance(value, Mapping)
            ]
            named += [
                value.dims
                for name, value in given.items()
                if name in _WEIGHTS and isinstance(value, xarray.DataArray)
            ]
            if named:
                chosen = set(_names(named[0], image, "dimensions"))
                return tuple(dim for dim in image.dims if dim in chosen)
        names = image.dims[-1:] if dims is None else _names(dims, image, "dims")
        if "axis" in self.parameters and len(names) != 1:
            raise ValueError(f"dims must be one dimension here, got {dims!r}")
        return (
            names
            if self.of_lines or (dims is not None and "axes" in self.parameters)
            else image.dims
        )

    def _by_axis(
        self, name: str, value: Any, image: xarray.DataArray, dims: tuple[Hashable, ...], units: str
    ) -> Any:
        """Return an argument as the function itself takes it."""
        if isinstance(value, xarray.DataArray):
            if name in _WEIGHTS:
                return value.transpose(*dims).data
            return _beside(image, value, name)
        if name in _BY_DIMENSION:
            if isinstance(value, Mapping):
                value = [self._of_dimension(name, value, dim, image) for dim in dims]
            if units == "coordinates":
                if name in _PIXEL_SIZES and value is self.parameters[name].default:
                    value = None  # not given
                value = _with_units(name, value, image, dims)
            if self.of_lines and isinstance(value, list):
                return value[0]
        return value

    def spacing(self, image: xarray.DataArray, spacing: Any, units: str) -> list[float]:
        """Return the size of a pixel along each dimension."""
        sizes = self._by_axis("spacing", spacing, image, image.dims, units)
        return per_axis(1.0 if sizes is None else sizes, image.ndim, "spacing")

    def _of_dimension(
        self, name: str, values: Mapping[Any, Any], dim: Hashable, image: xarray.DataArray
    ) -> Any:
        """Return what a mapping says of a dimension, or else the default."""
        _names(tuple(values), image, f"dimensions in {name}")
        default = _NEUTRAL.get(name, self.parameters[name].default)
        if dim not in values and (default is None or default is inspect.Parameter.empty):
            raise ValueError(f"{name} says nothing of {dim!r}, only of {tuple(values)}")
        return values.get(dim, default)


def _with_units(name: str, value: Any, image: xarray.DataArray, dims: tuple[Hashable, ...]) -> Any:
    """Return lengths in pixels that are given in the coordinates' units."""
    if name in _PIXEL_SIZES:
        if value is not None:
            raise ValueError(f"units='coordinates' says what {name} is already, got {value!r}")
        return [_size(_step(image, dim)) for dim in dims]
    if value is None or name not in _LENGTHS | _RADII | _WINDOWS:
        return value
    values = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value] * len(dims)
    if len(values) != len(dims):
        raise ValueError(f"{name} must be one value or one for each of {dims}, got {value!r}")
    return [_in_pixels(name, one, _step(image, dim)) for one, dim in zip(values, dims)]


def _size(step: Any) -> float:
    """Return the size of a pixel as a number, of times in seconds."""
    return abs(float(step / np.timedelta64(1, "s") if isinstance(step, np.timedelta64) else step))


def _beside(image: xarray.DataArray, other: xarray.DataArray, name: str) -> Any:
    """Return the array of another image that has the same pixels, or lacks dimensions."""
    if set(other.dims) - set(image.dims):
        raise ValueError(f"{name} must have dimensions of {image.dims}, got {other.dims}")
    try:
        xarray.align(image, other, join="exact", copy=False)
    except ValueError as error:
        raise ValueError(f"{name} has other coordinates than the image: {error}") from None
    for dim in image.dims:
        if dim not in other.dims:
            other = other.expand_dims({dim: image.sizes[dim]})
    return other.transpose(*image.dims).data


# ---------------------------------------------------------------------------------------
# From results to xarray


def _like(image: xarray.DataArray, result: Any) -> Any:
    """Return arrays of the image's shape with its coordinates, name and attributes."""
    if isinstance(result, tuple):
        return tuple(_like(image, part) for part in result)
    if result.shape == image.shape:
        return image.copy(data=result)
    if result.shape[1:] == image.shape:  # indices of the nearest background pixel
        coords = {**image.coords, "dim": list(image.dims)}
        return xarray.DataArray(result, coords, ("dim", *image.dims)).rename(image.name)
    return result


def _named(port: _Port, adapted: Callable[..., Any], text: str) -> Callable[..., Any]:
    """Let a function look like the one it stands for."""
    function = port.function
    family = function.__module__.rpartition("._")[0] or function.__module__
    adapted.__signature__ = port.signature  # type: ignore[attr-defined]
    adapted.__name__ = adapted.__qualname__ = function.__name__
    adapted.__module__ = __name__
    words = {
        "dims": "``dims`` names the dimensions to work along (default: those that a mapping names, "
        "else all; of filters along one line, the last).",
        "wrap": "``wrap`` names the dimensions whose ends meet.",
        "units": "Lengths may be mappings from dimensions; with ``units='coordinates'`` they "
        "are in the unit of each coordinate, whose steps must be equal, and windows become the "
        "nearest odd number of pixels.",
    }
    words_here = " ".join(word for name, word in words.items() if name in port.signature.parameters)
    adapted.__doc__ = (
        f"`{family}.{function.__name__}` on xarray's arrays.\n\n{text} {words_here}\n\n"
        f"See Also\n--------\n{family}.{function.__name__} : What is done, and all arguments.\n"
    )
    return adapted


def _keeping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose results have the pixels of the image."""
    port = _Port.of(function)

    def adapted(*args: Any, **kwargs: Any) -> Any:
        image, arguments = port.bind(args, kwargs)
        if isinstance(image, xarray.DataArray):
            return _like(image, port.call(image, arguments))
        wanted = _wanted(image, arguments)
        results = {
            name: _like(variable, port.call(variable, _of_variable(arguments, name)))
            for name, variable in image.data_vars.items()
            if variable.ndim and wanted <= set(variable.dims)
        }
        return image.assign(results)

    text = (
        "Dimensions, coordinates, attributes and name stay. Of a Dataset, every variable with "
        "these dimensions is worked on, others stay as they are; a Dataset as another argument "
        "gives each its own."
    )
    return _named(port, adapted, text)


def _wanted(dataset: xarray.Dataset, arguments: dict[str, Any]) -> set[Hashable]:
    """Return the dimensions that a variable must have to be worked on."""
    shape = tuple(dataset.sizes.values())
    everything = xarray.DataArray(np.broadcast_to(0, shape), dims=tuple(dataset.sizes))
    named = [arguments[word] for word in ("dims", "wrap") if arguments.get(word) is not None]
    named += [
        tuple(value)
        for name, value in arguments.items()
        if name != "mode" and name in _BY_DIMENSION and isinstance(value, Mapping)
    ]
    return {dim for names in named for dim in _names(names, everything, "dimensions")}


def _of_variable(arguments: dict[str, Any], name: Any) -> dict[str, Any]:
    return {
        key: value[name] if isinstance(value, xarray.Dataset) else value
        for key, value in arguments.items()
    }


def _measuring(
    function: Callable[..., Any], names: tuple[str, ...], same_unit: bool = False
) -> Callable[..., Any]:
    """Return a function whose results have one value a label, named like this."""
    port = _Port.of(function, "xarray.Dataset")

    def adapted(*args: Any, **kwargs: Any) -> xarray.Dataset:
        image, arguments = port.bind(args, kwargs)
        if isinstance(image, xarray.Dataset):
            parts = [
                _measured(port, variable, _of_variable(arguments, name), names, same_unit, name)
                for name, variable in image.data_vars.items()
            ]
            return xarray.merge(parts)
        return _measured(port, image, arguments, names, same_unit, None)

    text = (
        "Returns a Dataset along ``label``; positions and centres are in coordinates, a variable "
        "a dimension. Of a Dataset, every variable is measured, whose name comes first. "
        "``index='all'`` computes at once: xarray must know how many labels there are."
    )
    return _named(port, adapted, text)


def _measured(
    port: _Port,
    image: xarray.DataArray,
    arguments: dict[str, Any],
    names: tuple[str, ...],
    same_unit: bool,
    prefix: Any,
) -> xarray.Dataset:
    """Return the measurements of one image as a dataset."""
    index = arguments["index"]
    if isinstance(index, xarray.DataArray):
        index = index.data
        arguments = {**arguments, "index": index}
    result = port.call(image, arguments)
    if isinstance(index, str):
        *parts, index = dask.compute(result)[0]
    else:
        parts = list(result) if isinstance(result, tuple) else [result]
    label = None if arguments["label_image"] is None else index
    if label is not None and np.ndim(label) > 1:
        raise ValueError(f"index must be a number or a list of numbers, got {index!r}")
    variables = {}
    before = "" if prefix is None else f"{prefix}_"
    for name, values in zip((f"{before}{name}" for name in names), parts):
        if name.endswith(("position", "centroid")):
            for axis, dim in enumerate(image.dims):
                variables[f"{name}_{dim}"] = _coordinates(values[..., axis], image, dim)
        else:
            dims = ("label",) * values.ndim
            variables[name] = xarray.Variable(dims, values, image.attrs if same_unit else None)
    dataset = xarray.Dataset(variables)
    if label is None:
        return dataset
    return dataset.assign_coords(label=("label", label) if np.ndim(label) else label)


def label(
    image: xarray.DataArray, structure: ArrayLike | None = None, *,
    wrap: Dimensions | None = None, output: DTypeLike | None = None,
) -> tuple[xarray.DataArray, Array]:  # fmt: skip
    """
    `dask_image.ndmeasure.label` on xarray's arrays.

    Parameters
    ----------
    image : xarray.DataArray
    structure, output
        As there; the structure may be a DataArray.
    wrap : str or tuple of str, optional
        Dimensions whose ends meet, such as ``"lon"`` of a globe.

    Returns
    -------
    labels : xarray.DataArray
        Named ``label``, with the dimensions and coordinates of the image.
    count : dask.array.Array
        How many there are, lazy.

    See Also
    --------
    dask_image.ndmeasure.label : What is done, and what may be raised.

    Examples
    --------
    >>> import xarray
    >>> import dask_image.xarray as xndi
    >>> wet = xarray.DataArray([[1, 0, 0, 1], [0, 0, 1, 0]], {"lon": range(4)}, ("lat", "lon"))
    >>> labels, count = xndi.label(wet, wrap="lon")
    >>> labels.to_numpy()
    array([[1, 0, 0, 1],
           [0, 0, 2, 0]], dtype=int32)
    """
    port = _Port.of(ndmeasure.label)
    if not isinstance(image, xarray.DataArray):
        raise TypeError(f"label takes one DataArray, got {type(image)}; label variables one by one")
    arguments = {"structure": structure, "wrap": wrap, "output": output}
    labels, count = port.call(image, arguments)
    return xarray.DataArray(labels, image.coords, image.dims, "label"), count


# Properties with a column a dimension, or a pair of them; in the coordinates' units or not.
_CENTROIDS = ("centroid", "centroid_weighted")


def regionprops_table(
    label_image: xarray.DataArray,
    intensity_image: xarray.DataArray | None = None,
    properties: str | Sequence[str] = ("label", "bbox", "area", "centroid"),
    *,
    spacing: PerDimension[Real] | None = None,
    wrap: Dimensions | None = None,
    units: Literal["pixels", "coordinates"] = "pixels",
    extra_properties: Sequence[Function] | None = None,
) -> xarray.Dataset:
    """
    `dask_image.ndmeasure.regionprops_table` on xarray's arrays.

    Parameters
    ----------
    label_image, intensity_image : xarray.DataArray
    properties : sequence of str, optional
        As there.
    spacing : float, sequence or mapping from dimensions, optional
        Size of a pixel.
    wrap : str or sequence of str, optional
        Dimensions whose ends meet: objects that cross them are measured as they lie.
    units : {"pixels", "coordinates"}, optional
        Whether the size of a pixel is the step of the coordinates (of times, in seconds),
        so that areas and lengths are in their units; steps must be equal.
    extra_properties : sequence of callable, optional
        As there.

    Returns
    -------
    xarray.Dataset
        Along ``label``, computed in one pass: how many labels there are must be known.
        Centroids are in coordinates, whatever the units (``centroid_lat``); bounding
        boxes are in pixels (``bbox_lat_start``, ``bbox_lat_stop``).

    See Also
    --------
    dask_image.ndmeasure.regionprops_table : What is done, and what may be raised.

    Examples
    --------
    >>> import xarray
    >>> import dask_image.xarray as xndi
    >>> labels = xarray.DataArray([[1, 1, 0], [0, 0, 2]], {"x": [10, 20, 30]}, ("y", "x"))
    >>> table = xndi.regionprops_table(labels, properties=("area", "centroid"))
    >>> table["centroid_x"].sel(label=1).item(), table["area"].sel(label=2).item()
    (15.0, 1.0)
    """
    port = _Port.of(ndmeasure.regionprops_table)
    image = label_image
    properties = (properties,) if isinstance(properties, str) else tuple(properties)
    arguments = {
        "intensity_image": intensity_image,
        "properties": ("label", *properties),
        "spacing": spacing,
        "wrap": wrap,
        "units": units,
        "extra_properties": extra_properties,
    }
    table = dask.compute(port.call(image, arguments))[0]
    sizes = port.spacing(image, spacing, units)
    dataset = xarray.Dataset(coords={"label": table.pop("label")})
    for column, values in table.items():
        name, *indices = column.split("-")
        if name in _CENTROIDS:
            axis = int(indices[0])
            dim = image.dims[axis]
            dataset[f"{name}_{dim}"] = _coordinates(values / sizes[axis], image, dim)
        else:
            dataset[_column(name, indices, image.dims)] = ("label", values)
    return dataset


def _column(name: str, indices: list[str], dims: tuple[Hashable, ...]) -> str:
    """Return a name with dimensions in the place of numbers of axes."""
    if name == "bbox":
        end, axis = divmod(int(indices[0]), len(dims))
        return f"bbox_{dims[axis]}_{('start', 'stop')[end]}"
    if name == "inertia_tensor":
        return "_".join([name, *(str(dims[int(axis)]) for axis in indices)])
    return "_".join([name, *indices])


def zoom(
    image: _Image, zoom: PerDimension[Real], order: Integer = 3, *, mode: ModeName = "constant",
    cval: Number = 0.0, prefilter: bool = True, grid_mode: bool = False,
    output: DTypeLike | None = None,
) -> _Image:  # fmt: skip
    """
    `dask_image.ndinterp.zoom` on xarray's arrays.

    Parameters
    ----------
    image : xarray.DataArray or xarray.Dataset
        Of a dataset, variables with all named dimensions are zoomed and the others must not have
        them.
    zoom : float, sequence or mapping from dimensions
        Factors; a dimension that a mapping leaves out keeps its size.
    order, mode, cval, prefilter, grid_mode, output
        As there.

    Returns
    -------
    xarray.DataArray or xarray.Dataset
        Coordinates along the zoomed dimensions are interpolated linearly, where they are
        numbers or times, and left out otherwise.

    See Also
    --------
    dask_image.ndinterp.zoom : What is done, and what may be raised.

    Examples
    --------
    >>> import numpy as np, xarray
    >>> import dask_image.xarray as xndi
    >>> field = xarray.DataArray(np.eye(3), {"lat": [0, 10, 20]}, ("lat", "lon"))
    >>> xndi.zoom(field, {"lat": 5 / 3}, order=1)["lat"].to_numpy()
    array([ 0.,  5., 10., 15., 20.])
    """
    options = {
        "order": order, "mode": mode, "cval": cval, "prefilter": prefilter,
        "grid_mode": grid_mode, "output": output,
    }  # fmt: skip
    if isinstance(image, xarray.Dataset):
        return image.map(_zoomed, keep_attrs=True, factors=zoom, options=options)
    return _zoomed(image, zoom, options)


def _zoomed(image: xarray.DataArray, factors: Any, options: dict[str, Any]) -> xarray.DataArray:
    """Return one array zoomed."""
    if isinstance(factors, Mapping):
        _names(tuple(factors), image, "dimensions in zoom")
        factors = [factors.get(dim, 1) for dim in image.dims]
    result = ndinterp.zoom(image.data, factors, **options)
    changed = {
        dim: (size, new)
        for dim, size, new in zip(image.dims, image.shape, result.shape)
        if size != new
    }
    coords = {}
    for name, coordinate in image.coords.items():
        if not set(coordinate.dims) & set(changed):
            coords[name] = coordinate.variable
        elif coordinate.dims == (name,) and coordinate.dtype.kind in "iufmM":
            places = _grid(*changed[name], options["grid_mode"])
            values = _at(places, coordinate.to_numpy())
            coords[name] = xarray.Variable((name,), values, coordinate.attrs)
    zoomed = xarray.DataArray(result, coords, image.dims, attrs=image.attrs)
    return zoomed.rename(image.name)


def _grid(size: int, new: int, grid_mode: bool) -> np.ndarray:
    """Return where the pixels of a zoomed axis lie in the axis as it was."""
    if grid_mode:
        return (np.arange(new) + 0.5) * size / new - 0.5
    return np.linspace(0, size - 1, new)


# ---------------------------------------------------------------------------------------
# Files


def imread(
    fname: Any,
    nframes: Integer = 1,
    *,
    chunks: ChunksLike = "auto",
    level: Integer = 0,
    series: Integer = 0,
) -> xarray.DataArray:
    """
    Read images from files as a DataArray with the axes and pixel sizes that the files tell of.

    Parameters
    ----------
    fname, nframes, chunks, level, series
        As of `dask_image.imread.imread`.

    Returns
    -------
    xarray.DataArray
        The array of `dask_image.imread.imread`. Dimensions are the placeholders in the name, with
        their numbers; then the axes of the file in lower case (``t``, ``c``, ``z``, ``y``,
        ``x``, ``s``) where there is one file, or one for each number; else ``frame``, and those of
        a frame. Coordinates along space are in the unit of the pixel size, from the position
        on the stage if that is known, times in seconds; channels have their names.

    See Also
    --------
    dask_image.imread.imread, dask_image.imread.read_metadata

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np, tifffile
    >>> import dask_image.xarray as xndi
    >>> name = pathlib.Path(tempfile.mkdtemp()) / "cells.ome.tif"
    >>> metadata = {"axes": "CYX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["DAPI", "GFP"]}}
    >>> tifffile.imwrite(name, np.zeros((2, 5, 2), "uint8"), metadata=metadata)
    >>> image = xndi.imread(name)
    >>> image.dims, image["c"].to_numpy().tolist(), image["x"].to_numpy().tolist()
    (('c', 'y', 'x'), ['DAPI', 'GFP'], [0.0, 0.5])
    """
    array = _files.imread(fname, nframes, chunks=chunks, level=level, series=series)
    metadata = _files.read_metadata(fname, level=level, series=series)
    numbers, _ = expand_grid(fname) or ({}, None)
    before, inside = array.shape[: len(numbers)], array.shape[len(numbers) :]
    if math.prod(inside) == math.prod(metadata.shape):
        array = array.reshape(before + metadata.shape)
        axes = list(metadata.axes)
    else:
        axes = ["frame", *metadata.axes[len(metadata.axes) - len(inside) + 1 :]]
    dims = [*numbers, *(_unlike(axis.lower(), axes[:place]) for place, axis in enumerate(axes))]
    image = xarray.DataArray(array, numbers, dims).rename(None)
    return image.assign_coords(_coordinates_of_file(image, metadata))


def read_ome_zarr(url: Any, level: int = 0) -> xarray.DataArray:
    """
    Read an image of OME-Zarr as a DataArray with its axes, pixel sizes and channels.

    Parameters
    ----------
    url, level
        As of `dask_image.ngff.read_image`.

    Returns
    -------
    xarray.DataArray
        Dimensions are the axes (``t``, ``c``, ``z``, ``y``, ``x``), coordinates as `imread`
        makes them.

    See Also
    --------
    imread, dask_image.ngff.write_image

    Examples
    --------
    >>> import dask_image.xarray as xndi
    >>> xndi.read_ome_zarr("cells.ome.zarr", level=1).dims  # doctest: +SKIP
    ('c', 'y', 'x')
    """
    from dask_image import ngff

    array, metadata = ngff.read_image(url, level)
    image = xarray.DataArray(array, dims=list(metadata.axes.lower())).rename(None)
    return image.assign_coords(_coordinates_of_file(image, metadata))


def _unlike(name: str, before: list[str]) -> str:
    """Return a name that does not occur before."""
    count = [axis.lower() for axis in before].count(name)
    return f"{name}_{count}" if count else name


def _coordinates_of_file(image: xarray.DataArray, metadata: Any) -> dict[str, xarray.Variable]:
    """Return the coordinates that a file tells of."""
    coords = {}
    for axis, size in metadata.pixel_size.items():
        unit = metadata.unit.get(axis)
        start = metadata.position.get(axis, 0.0) if unit == "µm" else 0.0
        coords[axis.lower()] = (size, start, {"units": unit} if unit else {})
    if metadata.time_step:
        coords["t"] = (metadata.time_step, 0.0, {"units": "s"})
    found = {
        dim: xarray.Variable(dim, start + step * np.arange(image.sizes[dim]), attrs)
        for dim, (step, start, attrs) in coords.items()
        if dim in image.dims
    }
    if "c" in image.dims and len(metadata.channel_names) == image.sizes["c"]:
        found["c"] = xarray.Variable("c", list(metadata.channel_names))
    return found


# ---------------------------------------------------------------------------------------
# The functions

convolve = _keeping(ndfilters.convolve)
convolve1d = _keeping(ndfilters.convolve1d)
correlate = _keeping(ndfilters.correlate)
correlate1d = _keeping(ndfilters.correlate1d)
gaussian = _keeping(ndfilters.gaussian)
gaussian_filter = _keeping(ndfilters.gaussian_filter)
gaussian_filter1d = _keeping(ndfilters.gaussian_filter1d)
gaussian_gradient_magnitude = _keeping(ndfilters.gaussian_gradient_magnitude)
gaussian_laplace = _keeping(ndfilters.gaussian_laplace)
generic_filter = _keeping(ndfilters.generic_filter)
generic_filter1d = _keeping(ndfilters.generic_filter1d)
generic_gradient_magnitude = _keeping(ndfilters.generic_gradient_magnitude)
generic_laplace = _keeping(ndfilters.generic_laplace)
laplace = _keeping(ndfilters.laplace)
maximum_filter = _keeping(ndfilters.maximum_filter)
maximum_filter1d = _keeping(ndfilters.maximum_filter1d)
median_filter = _keeping(ndfilters.median_filter)
minimum_filter = _keeping(ndfilters.minimum_filter)
minimum_filter1d = _keeping(ndfilters.minimum_filter1d)
percentile_filter = _keeping(ndfilters.percentile_filter)
prewitt = _keeping(ndfilters.prewitt)
rank_filter = _keeping(ndfilters.rank_filter)
sobel = _keeping(ndfilters.sobel)
threshold_local = _keeping(ndfilters.threshold_local)
uniform_filter = _keeping(ndfilters.uniform_filter)
uniform_filter1d = _keeping(ndfilters.uniform_filter1d)
vectorized_filter = _keeping(ndfilters.vectorized_filter)
fill_missing = _keeping(ndfilters.fill_missing)
fourier_ellipsoid = _keeping(ndfourier.fourier_ellipsoid)
fourier_gaussian = _keeping(ndfourier.fourier_gaussian)
fourier_shift = _keeping(ndfourier.fourier_shift)
fourier_uniform = _keeping(ndfourier.fourier_uniform)
shift = _keeping(ndinterp.shift)
spline_filter = _keeping(ndinterp.spline_filter)
spline_filter1d = _keeping(ndinterp.spline_filter1d)
merge_labels_across_chunk_boundaries = _keeping(ndmeasure.merge_labels_across_chunk_boundaries)
relabel_sequential = _keeping(ndmeasure.relabel_sequential)
binary_closing = _keeping(ndmorph.binary_closing)
binary_dilation = _keeping(ndmorph.binary_dilation)
binary_erosion = _keeping(ndmorph.binary_erosion)
binary_fill_holes = _keeping(ndmorph.binary_fill_holes)
binary_hit_or_miss = _keeping(ndmorph.binary_hit_or_miss)
binary_opening = _keeping(ndmorph.binary_opening)
binary_propagation = _keeping(ndmorph.binary_propagation)
black_tophat = _keeping(ndmorph.black_tophat)
distance_transform_bf = _keeping(ndmorph.distance_transform_bf)
distance_transform_cdt = _keeping(ndmorph.distance_transform_cdt)
distance_transform_edt = _keeping(ndmorph.distance_transform_edt)
grey_closing = _keeping(ndmorph.grey_closing)
grey_dilation = _keeping(ndmorph.grey_dilation)
grey_erosion = _keeping(ndmorph.grey_erosion)
grey_opening = _keeping(ndmorph.grey_opening)
morphological_gradient = _keeping(ndmorph.morphological_gradient)
morphological_laplace = _keeping(ndmorph.morphological_laplace)
watershed_ift = _keeping(ndmorph.watershed_ift)
white_tophat = _keeping(ndmorph.white_tophat)
apply_hysteresis_threshold = _keeping(segmentation.apply_hysteresis_threshold)
clear_border = _keeping(segmentation.clear_border)
expand_labels = _keeping(segmentation.expand_labels)
find_boundaries = _keeping(segmentation.find_boundaries)
h_maxima = _keeping(segmentation.h_maxima)
h_minima = _keeping(segmentation.h_minima)
join_segmentations = _keeping(segmentation.join_segmentations)
local_maxima = _keeping(segmentation.local_maxima)
local_minima = _keeping(segmentation.local_minima)
reconstruction = _keeping(segmentation.reconstruction)
remove_small_holes = _keeping(segmentation.remove_small_holes)
remove_small_objects = _keeping(segmentation.remove_small_objects)
rescale_intensity = _keeping(segmentation.rescale_intensity)
watershed = _keeping(segmentation.watershed)
correct_illumination = _keeping(local_statistics.correct_illumination)
subtract_background = _keeping(local_statistics.subtract_background)

area = _measuring(ndmeasure.area, ("area",))
center_of_mass = _measuring(ndmeasure.center_of_mass, ("centroid",))
extrema = _measuring(
    ndmeasure.extrema,
    ("minimum", "maximum", "minimum_position", "maximum_position"),
    same_unit=True,
)
maximum = _measuring(ndmeasure.maximum, ("maximum",), same_unit=True)
maximum_position = _measuring(ndmeasure.maximum_position, ("maximum_position",))
mean = _measuring(ndmeasure.mean, ("mean",), same_unit=True)
median = _measuring(ndmeasure.median, ("median",), same_unit=True)
minimum = _measuring(ndmeasure.minimum, ("minimum",), same_unit=True)
minimum_position = _measuring(ndmeasure.minimum_position, ("minimum_position",))
standard_deviation = _measuring(
    ndmeasure.standard_deviation, ("standard_deviation",), same_unit=True
)
sum = _measuring(ndmeasure.sum, ("sum",))
sum_labels = _measuring(ndmeasure.sum_labels, ("sum",))
variance = _measuring(ndmeasure.variance, ("variance",))
