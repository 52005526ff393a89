"""A table of the properties of every label, from one pass over the image."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels.blocks.label_columns import SUM
from dask_image._utils.arguments import (
    normalize_finite,
    normalize_flag,
    normalize_string,
    normalize_wrap_axes,
    per_axis,
)
from dask_image._utils.arrays import as_dask_array, channels_last
from dask_image._utils.backend import numpy_only
from dask_image._utils.dataframes import frame_from_delayed, require_dataframe
from dask_image._utils.engines.label_ranges import (
    count_ranges,
    counts_in_ranges,
    merge_in_ranges,
    rows_in_ranges,
)
from dask_image._utils.engines.label_reduction import (
    GEOMETRY,
    MOMENTS,
    SUMS,
    PartialFamily,
    back_to_image,
    measure_blocks,
)
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.labels import align_chunks, as_label_image
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Function,
    Integer,
    NDArray,
    PerAxis,
    Real,
    Shape,
)
from dask_image.ndmeasure._catalogue import AREA, CENTER, DEVIATION, MAXIMUM, MEAN, MINIMUM
from dask_image.ndmeasure._extra_properties import as_extra_properties, measure_extra

if TYPE_CHECKING:
    from dask.dataframe import DataFrame

# Differences of second moments below this part of their sum are rounding errors.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Space:
    """
    Where pixels lie.

    Attributes
    ----------
    spacing : tuple of float
        Size of a pixel along each axis.
    shape : tuple of int
        Of the image.
    wrap_axes : tuple of int
        Axes whose ends meet; positions along these may lie behind the end.
    """

    spacing: tuple[Real, ...]
    shape: Shape
    wrap_axes: Shape


@dataclass(frozen=True)
class Regions:
    """
    What was measured of every label above 0, one row a label.

    Attributes
    ----------
    labels : numpy.ndarray
        Ascending.
    geometry, intensity : dict of numpy.ndarray
        The fields of the merged partials, see `dask_image._utils.engines.label_reduction`;
        ``intensity`` holds those of the families that properties need.
    outlines : dict of numpy.ndarray
        Sums over the pixels of each label, by the name of the `Outline`.
    space : Space
    """

    labels: NDArray
    geometry: dict[str, Any]
    intensity: dict[str, Any]
    outlines: dict[str, NDArray]
    space: Space

    @property
    def ndim(self):
        """Number of axes."""
        return self.spacing.size

    @property
    def spacing(self):
        """Size of a pixel along each axis."""
        return np.array(self.space.spacing, np.float64)

    @property
    def counts(self):
        """Number of pixels, float64."""
        return self.geometry["count"].astype(np.float64)

    @property
    def area(self):
        """Size in units of ``spacing``."""
        return self.counts * self.spacing.prod()

    @property
    def area_bbox(self):
        """Size of the bounding box in units of ``spacing``."""
        extents = self.geometry["upper"] - self.geometry["lower"]
        return extents.prod(axis=1) * self.spacing.prod()

    def in_space(self, positions):
        """Return positions in pixels in units of ``spacing``; they are in the image."""
        return back_to_image(positions, self.space.wrap_axes, self.space.shape) * self.spacing

    @functools.cached_property
    def covariance(self):
        """Second central moments over the number of pixels, (n, ndim, ndim)."""
        first, second = np.triu_indices(self.ndim)
        scaled = self.geometry["products"] * self.spacing[first] * self.spacing[second]
        matrices = np.empty((self.labels.size, self.ndim, self.ndim))
        matrices[:, first, second] = matrices[:, second, first] = scaled / self.counts[:, None]
        return matrices

    @functools.cached_property
    def inertia_tensor(self):
        """Moments of inertia of a pixel of mass 1 / n, (n, ndim, ndim)."""
        total = np.trace(self.covariance, axis1=1, axis2=2)
        return total[:, None, None] * np.eye(self.ndim) - self.covariance

    @functools.cached_property
    def inertia_eigenvalues(self):
        """Eigenvalues of the inertia tensor, largest first, none below 0."""
        return np.maximum(np.linalg.eigvalsh(self.inertia_tensor)[:, ::-1], 0)


# ---------------------------------------------------------------------------------------
# Properties


def _label(regions):
    return regions.labels


def _bbox(regions):
    return np.hstack([regions.geometry["lower"], regions.geometry["upper"]])


def _area(regions):
    return regions.area


def _area_bbox(regions):
    return regions.area_bbox


def _centroid(regions):
    pixels = regions.geometry["coordinates"] / regions.counts[:, None]
    return regions.in_space(pixels)


def _extent(regions):
    return regions.area / regions.area_bbox


def _equivalent_diameter(regions):
    return (2 * regions.ndim * regions.area / np.pi) ** (1 / regions.ndim)


def _exponents(ndim):
    """Return the exponents of the moments up to order 2, in the order of their names."""
    return [powers for powers in itertools.product(range(3), repeat=ndim) if sum(powers) <= 2]


def _moments_central(regions):
    columns = []
    for powers in _exponents(regions.ndim):
        axes = np.repeat(np.arange(regions.ndim), powers)
        if axes.size == 2:
            columns.append(regions.covariance[:, axes[0], axes[1]] * regions.counts)
        else:  # the number of pixels; of order 1 there is nothing about the centre
            columns.append(regions.counts * (axes.size == 0))
    return np.stack(columns, axis=1)


def _inertia_tensor(regions):
    return regions.inertia_tensor.reshape(-1, regions.ndim**2)


def _inertia_eigenvalues(regions):
    return regions.inertia_eigenvalues


def _axis_major_length(regions):
    largest, *others = regions.inertia_eigenvalues.T
    if regions.ndim == 2:
        return 4 * np.sqrt(largest)
    middle, smallest = others
    return np.sqrt(np.maximum(10 * (largest + middle - smallest), 0))


def _axis_minor_length(regions):
    largest, *others, smallest = regions.inertia_eigenvalues.T
    if regions.ndim == 2:
        return 4 * np.sqrt(smallest)
    (middle,) = others
    return np.sqrt(np.maximum(10 * (middle + smallest - largest), 0))


def _eccentricity(regions):
    major, minor = regions.inertia_eigenvalues.T
    return np.sqrt(1 - np.divide(minor, major, out=np.ones_like(major), where=major > 0))


def _orientation(regions):
    (rows, mixed), (_, columns) = regions.inertia_tensor.transpose(1, 2, 0)
    negligible = ROUNDING * (rows + columns)
    mixed = np.where(np.abs(mixed) > negligible, mixed, 0)
    apart = columns - rows
    # What is as wide as it is high has no direction but a diagonal; scikit-image's choice.
    diagonal = np.where(mixed < 0, np.pi / 4, -np.pi / 4)
    return np.where(np.abs(apart) > negligible, np.arctan2(0 - 2 * mixed, apart) / 2, diagonal)


def _perimeter(regions):
    total = regions.outlines["perimeter"]
    return (total.real + np.sqrt(2) * total.imag) / 2 * regions.spacing[0]


def _euler_number(regions):
    return np.rint(regions.outlines["euler"])


# Which columns a property has, by the number of axes.


def _per_axis(ndim):
    return [(axis,) for axis in range(ndim)]


def _per_bound(ndim):
    return [(bound,) for bound in range(2 * ndim)]


def _per_pair(ndim):
    return list(itertools.product(range(ndim), repeat=2))


@dataclass(frozen=True)
class Outline:
    """
    An image of what each pixel adds to a sum over its label, by what its neighbours are.

    Attributes
    ----------
    name : str
    kernel : str
        Its function in `dask_image._kernels.blocks.label_contours`.
    reach : int
        How many pixels away the neighbours may be.
    dtype : type
        Of the image.
    """

    name: str
    kernel: str
    reach: int
    dtype: type

    def image(self, labels, wrap_axes):
        """Return the image, lazy; the ends of ``wrap_axes`` are neighbours."""
        modes = ["grid-wrap" if axis in wrap_axes else "constant" for axis in range(labels.ndim)]
        return map_neighborhood(
            getattr(kernels.label_contours, self.kernel), labels,
            name=f"regionprops_table-{self.name}", reach=[(self.reach,) * 2] * labels.ndim,
            modes=modes, dtype=self.dtype, wrap_axes=tuple(wrap_axes),
        )  # fmt: skip


PERIMETER = Outline("perimeter", "perimeter_parts", 2, np.complex64)
EULER = Outline("euler", "euler_parts", 1, np.int8)


@dataclass(frozen=True)
class Property:
    """
    A property of a label.

    Attributes
    ----------
    measure : callable
        ``measure(regions)`` returns a value, or a row of values, for each label.
    columns : callable, optional
        ``columns(ndim)`` returns the indices in the names of the columns; without
        it there is a single column.
    dtype : type, optional
        Of the columns.
    intensity : PartialFamily, optional
        What it needs of the intensity image.
    moments : bool, optional
        Whether it needs second moments of coordinates, which take as much memory as a box.
    dimensions : tuple of int, optional
        The numbers of axes it is defined for; any if empty.
    outline : Outline, optional
        What it is a sum of.
    isotropic : bool, optional
        Whether pixels must be as wide as high.
    """

    measure: Callable[..., Any]
    columns: Callable[..., Any] | None = None
    dtype: type = np.float64
    intensity: PartialFamily | None = None
    moments: bool = False
    dimensions: Shape = ()
    outline: Outline | None = None
    isotropic: bool = False

    @classmethod
    def of(cls, statistic, columns=None, dtype=np.float64, in_space=False):
        """Return a statistic of the catalogue as a property; ``in_space`` scales positions."""
        finalize = statistic.single or statistic.finalize
        family = statistic.family

        def measure(regions):
            fields = regions.intensity if family.reads_image else regions.geometry
            values = finalize(fields, None)
            return regions.in_space(values) if in_space else values

        return cls(measure, columns, dtype, family if family.reads_image else None)

    def names(self, name, ndim, separator, channels):
        """Return the names of its columns; ``channels`` is the number of these, or None."""
        indices = [()] if self.columns is None else self.columns(ndim)
        if self.intensity is not None and channels is not None:
            indices = [(*index, channel) for index in indices for channel in range(channels)]
        return [separator.join([name, *map(str, index)]) for index in indices]


PROPERTIES = {
    "label": Property(_label, dtype=np.int64),
    "bbox": Property(_bbox, _per_bound, dtype=np.int64),
    "area": Property(_area),
    "area_bbox": Property(_area_bbox),
    "num_pixels": Property.of(AREA, dtype=np.int64),
    "centroid": Property(_centroid, _per_axis),
    "centroid_weighted": Property.of(CENTER, _per_axis, in_space=True),
    "equivalent_diameter_area": Property(_equivalent_diameter),
    "extent": Property(_extent),
    "intensity_max": Property.of(MAXIMUM),
    "intensity_mean": Property.of(MEAN),
    "intensity_min": Property.of(MINIMUM),
    "intensity_std": Property.of(DEVIATION),
    "moments_central": Property(_moments_central, _exponents, moments=True),
    "inertia_tensor": Property(_inertia_tensor, _per_pair, moments=True),
    "inertia_tensor_eigvals": Property(_inertia_eigenvalues, _per_axis, moments=True),
    "orientation": Property(_orientation, moments=True, dimensions=(2,)),
    "axis_major_length": Property(_axis_major_length, moments=True, dimensions=(2, 3)),
    "axis_minor_length": Property(_axis_minor_length, moments=True, dimensions=(2, 3)),
    "eccentricity": Property(_eccentricity, moments=True, dimensions=(2,)),
    "euler_number": Property(_euler_number, dtype=np.int64, dimensions=(2, 3), outline=EULER),
    "perimeter": Property(_perimeter, dimensions=(2,), outline=PERIMETER, isotropic=True),
}


# ---------------------------------------------------------------------------------------
# The table


@overload
def regionprops_table(
    label_image: ArrayLike, intensity_image: ArrayLike | None = ...,
    properties: Sequence[str] = ..., *, separator: str = ..., spacing: PerAxis[Real] | None = ...,
    wrap_axes: PerAxis[Integer] | None = ..., extra_properties: Sequence[Function] | None = ...,
    channel_axis: Integer | None = ..., as_frame: Literal[False] = ...,
) -> dict[str, Array]: ...  # fmt: skip
@overload
def regionprops_table(
    label_image: ArrayLike, intensity_image: ArrayLike | None = ...,
    properties: Sequence[str] = ..., *, separator: str = ..., spacing: PerAxis[Real] | None = ...,
    wrap_axes: PerAxis[Integer] | None = ..., extra_properties: Sequence[Function] | None = ...,
    channel_axis: Integer | None = ..., as_frame: Literal[True],
) -> DataFrame: ...  # fmt: skip
@numpy_only
def regionprops_table(
    label_image: ArrayLike,
    intensity_image: ArrayLike | None = None,
    properties: Sequence[str] = ("label", "bbox", "area", "centroid"),
    *,
    separator: str = "-",
    spacing: PerAxis[Real] | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
    extra_properties: Sequence[Function] | None = None,
    channel_axis: Integer | None = None,
    as_frame: bool = False,
) -> dict[str, Array] | DataFrame:
    """
    Measure properties of every label.

    The lazy twin of ``skimage.measure.regionprops_table``, in one pass over the
    image, with the names and values of scikit-image.

    Parameters
    ----------
    label_image : array_like
        Labels, integer or boolean; 0 and below are background.
    intensity_image : array_like, optional
        Real values, of the same shape; or with one more axis, the last, for channels, each
        of which then has a column: ``intensity_mean-0`` is that of the first.
    properties : sequence of str, optional
        Any of ``label``, ``bbox``, ``area``, ``area_bbox``, ``num_pixels``,
        ``centroid``, ``equivalent_diameter_area``, ``extent``, ``moments_central``
        (up to order 2), ``inertia_tensor``, ``inertia_tensor_eigvals``; of 2-D and
        3-D images ``axis_major_length``, ``axis_minor_length``, ``euler_number``; of 2-D
        images ``orientation``, ``eccentricity``, ``perimeter``; with an ``intensity_image``
        ``centroid_weighted``, ``intensity_max``, ``intensity_mean``,
        ``intensity_min``, ``intensity_std``.
    separator : str, optional
        Stands between a property and an index in names like ``bbox-0``.
    spacing : float or sequence of float, optional
        Size of a pixel, for all axes or each. Default 1.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet, as `label` takes them. Along these an object is measured as
        `center_of_mass` says: its box begins in the image and may run over its end, its centroid
        lies in the image.
    extra_properties : sequence of callable, optional
        Functions of your own, as scikit-image takes them: ``function(mask)`` or
        ``function(mask, intensity)`` of an object's bounding box, with intensities 0 outside
        the mask; objects that cross the ends of ``wrap_axes`` come in one piece. Each is a
        property of its own name. What it returns is found out by calling it
        at once with two small masks: a number or an array of one shape, with a column for
        each element; arrays of changing shapes stand in one column of objects.
    channel_axis : int, optional
        Which axis of ``intensity_image`` has the channels, if it is not the last.
    as_frame : bool, optional
        Return a Dask DataFrame rather than a dict of arrays.

    Returns
    -------
    dict of dask.array.Array, or dask.dataframe.DataFrame
        One row for each label there is, ascending. The arrays are of unknown
        length; the frame, its rows numbered, needs the extra ``dataframe``. Of large images
        both are in several parts, each of a range of labels: see the notes.
        Compute all columns together (``dask.compute(table)``), and the image is
        read once; with ``extra_properties``, twice.

    Raises
    ------
    ValueError
        If a property is unknown, or needs an intensity image and there is none;
        if shapes differ. When computed, if an extra property returns another shape or kind
        than it did for small masks.
    NotImplementedError
        If a property is not defined for this number of axes; the perimeter also if pixels
        are not as wide as they are high.
    TypeError
        If the labels are not integers or booleans, or intensities are complex; if an extra
        property is no function of one or two arguments.
    ImportError
        If a DataFrame is wanted and ``dask.dataframe`` is missing.

    See Also
    --------
    find_objects, center_of_mass, mean

    Notes
    -----
    For very thin objects the second eigenvalue is 0 but for rounding, and lengths
    and directions that are derived from it agree with scikit-image's to about
    1e-7 pixels only. A symmetric object has no direction; -pi / 4 stands for it.

    Parts are no more than there are blocks, nor than 128, and such that each takes about
    ``dask-image.partition.memory`` (an option) if objects have 16 pixels. No task holds
    the whole table.

    For extra properties the pixels of objects are brought together as `labeled_comprehension`
    does it: above the option ``dask-image.median.memory``, an object that lies in one block is
    finished there, and no other pixels travel.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure import regionprops_table
    >>> label_image = np.zeros((4, 6), int)
    >>> label_image[1:3, 1:5] = 7
    >>> label_image = da.from_array(label_image, chunks=2)
    >>> table = regionprops_table(label_image, properties=("label", "area", "centroid"))
    >>> (table,) = dask.compute(table)
    >>> {name: column.tolist() for name, column in table.items()}
    {'label': [7], 'area': [8.0], 'centroid-0': [1.5], 'centroid-1': [2.5]}

    A property of one's own:

    >>> def middle(mask, intensity):
    ...     return np.median(intensity[mask])
    >>> (table,) = dask.compute(
    ...     regionprops_table(label_image, label_image * 2, ["label"], extra_properties=[middle])
    ... )
    >>> {name: column.tolist() for name, column in table.items()}
    {'label': [7], 'middle': [14.0]}

    On a globe, an object that crosses the ends of the axis of longitude:

    >>> ring = np.array([[1, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1]])
    >>> (table,) = dask.compute(
    ...     regionprops_table(ring, properties=("bbox", "centroid"), wrap_axes=1)
    ... )
    >>> {name: column.tolist() for name, column in table.items()}
    {'bbox-0': [0], 'bbox-1': [4], 'bbox-2': [2], 'bbox-3': [7], 'centroid-0': [0.25],
     'centroid-1': [5.0]}
    """
    properties = _as_names(properties)
    normalize_string(separator, "separator")
    label_image = as_label_image(label_image)
    spacing = per_axis(1.0 if spacing is None else spacing, label_image.ndim, "spacing")
    spacing = [normalize_finite(each, "spacing") for each in spacing]
    _check_properties(properties, label_image.ndim, intensity_image, spacing)
    image = _as_intensities(intensity_image, label_image, channel_axis)
    channels = None if image is None or image.ndim == label_image.ndim else image.shape[-1]
    extra = as_extra_properties(extra_properties, image, label_image.ndim)
    columns = _columns(properties, extra, label_image, separator, channels)
    axes = normalize_wrap_axes(wrap_axes, label_image.ndim)
    space = Space(tuple(spacing), label_image.shape, axes)
    as_frame = normalize_flag(as_frame, "as_frame")
    if as_frame:
        require_dataframe("regionprops_table(as_frame=True)")
    table = _measure(label_image, image, channels, properties, extra, columns, space)
    empty = {name: np.empty(0, dtype) for name, dtype in columns.items()}
    if as_frame:
        starts = table.starts("regionprops_table-starts", _length)
        frames = table.apply("regionprops_table-frame", _as_frame, beside=starts)
        return frame_from_delayed(frames.delayed(), _as_frame(empty, 0))
    return {
        name: table.array("regionprops_table-column", meta, name) for name, meta in empty.items()
    }


def _as_names(properties):
    """Return names of properties, each once, or raise."""
    if isinstance(properties, str):
        return (properties,)
    names = tuple(properties) if np.iterable(properties) else (properties,)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"properties must be names of properties, got {name!r}")
    return tuple(dict.fromkeys(names))


def _check_properties(properties, ndim, intensity_image, spacing):
    """Raise if a property is unknown or cannot be measured."""
    for name in properties:
        if name not in PROPERTIES:
            raise ValueError(f"properties must be among {sorted(PROPERTIES)}, got {name!r}")
        if PROPERTIES[name].intensity and intensity_image is None:
            raise ValueError(f"property {name!r} needs an intensity_image, got None")
        dimensions = PROPERTIES[name].dimensions
        if dimensions and ndim not in dimensions:
            raise NotImplementedError(
                f"property {name!r} is defined for images of {dimensions} axes, got {ndim}"
            )
        if PROPERTIES[name].isotropic and len(set(spacing)) > 1:
            raise NotImplementedError(
                f"property {name!r} is defined for equal spacing along all axes, got {spacing}"
            )


def _as_intensities(intensity_image, label_image, channel_axis):
    """Return the intensity image as a Dask array, or None, or raise if it does not fit."""
    if intensity_image is None:
        return None
    image = as_dask_array(intensity_image, "intensity_image")
    if channel_axis is not None and image.ndim != label_image.ndim + 1:
        raise ValueError(
            "intensity_image must have one axis more than label_image, for channel_axis="
            f"{channel_axis}, got {image.shape} and {label_image.shape}"
        )
    image = channels_last(image, channel_axis)
    if image.shape[: label_image.ndim] != label_image.shape or image.ndim > label_image.ndim + 1:
        raise ValueError(
            "intensity_image must have the shape of label_image, and may have one more axis for "
            f"channels, got {image.shape} and {label_image.shape}"
        )
    if image.ndim > label_image.ndim and image.shape[-1] == 0:
        raise ValueError(f"intensity_image must have a channel at least, got shape {image.shape}")
    if image.dtype.kind == "c":
        raise TypeError(f"intensity_image must hold real numbers, got dtype {image.dtype}")
    return image


def _columns(properties, extra, label_image, separator, channels):
    """Return the dtypes of all columns by name."""
    columns = {}

    def names_of(each):
        return each.columns(separator, channels)

    for name in properties:
        dtype = np.dtype(PROPERTIES[name].dtype)
        if name == "label" and label_image.dtype == np.uint64:
            dtype = label_image.dtype  # what no signed integer holds
        for column in PROPERTIES[name].names(name, label_image.ndim, separator, channels):
            columns[column] = dtype
    for each in extra:
        if each.name in PROPERTIES or any(column in columns for column in names_of(each)):
            raise ValueError(f"extra_properties must have names of their own, got {each.name!r}")
        columns |= dict.fromkeys(names_of(each), each.dtype)
    return columns


def _measure(label_image, image, channels, properties, extra, columns, space):
    """Return tables of all columns, for ranges of labels."""
    used = [PROPERTIES[name] for name in properties]
    families = dict.fromkeys(each.intensity for each in used if each.intensity)
    outlines = dict.fromkeys(each.outline for each in used if each.outline)
    parts = []
    if families:
        parts = [image] if channels is None else [image[..., each] for each in range(channels)]
        label_image, *parts = align_chunks(label_image, *parts)
    geometry = MOMENTS if any(each.moments for each in used) else GEOMETRY
    axes = space.wrap_axes
    measured = [measure_blocks(geometry, label_image, wrap_axes=axes)]
    for part in parts:
        measured += [measure_blocks(family, label_image, part, axes) for family in families]
    for each in outlines:
        measured.append(measure_blocks(SUMS, label_image, each.image(label_image, axes)))
    row = sum(dtype.itemsize for dtype in columns.values())
    ranges = merge_in_ranges(measured, count_ranges(label_image, row), "regionprops_table")
    rows = _extra_rows(extra, label_image, image, ranges, axes) if extra else None
    layout = Layout(len(parts), len(families), tuple(each.name for each in outlines))
    arguments = (layout, properties, columns, space)
    if rows is None:
        return ranges.apply("regionprops_table", _table, None, *arguments)
    return ranges.apply("regionprops_table", _table, *arguments, beside=rows)


def _extra_rows(extra, label_image, image, ranges, wrap_axes):
    """Return the rows of extra properties in ranges."""
    counts, whole = counts_in_ranges(ranges, label_image, "regionprops_table")
    rows = measure_extra(extra, label_image, image, whole, wrap_axes)
    return rows_in_ranges(counts, whole, rows, "regionprops_table")


@dataclass(frozen=True)
class Layout:
    """
    What partials stand for: the geometry, intensities channel by channel, and outlines.

    Attributes
    ----------
    channels : int
        How many have intensities.
    families : int
        How many partials each of them has.
    outlines : tuple of str
        The names of the outlines.
    """

    channels: int
    families: int
    outlines: tuple[str, ...]

    def regions(self, partials, space):
        """Return what was measured of each channel; of one that has no intensities if none has."""
        geometry, *others = partials
        end = self.channels * self.families
        sums = zip(self.outlines, others[end:], strict=True)
        outlines = {name: partial["sums"][:, SUM] for name, partial in sums}
        channels = [
            {
                name: field
                for partial in others[start : start + self.families]
                for name, field in partial.items()
            }
            for start in range(0, end, self.families or 1)
        ]
        return [
            Regions(geometry["labels"], geometry, fields, outlines, space)
            for fields in channels or [{}]
        ]


@np.errstate(divide="ignore", invalid="ignore")
def _table(partials, extra, layout, properties, columns, space):
    """Return all columns, from the rows of the labels above 0."""
    channels = layout.regions(partials, space)
    measured = []
    for name in properties:
        kind = PROPERTIES[name]
        regions = channels if kind.intensity else channels[:1]
        values = np.stack([kind.measure(each) for each in regions], axis=-1)
        measured += list(values.reshape(len(values), math.prod(values.shape[1:])).T)
    for field in () if extra is None else extra.dtype.names:
        measured += list(extra[field].T)
    return {
        column: values.astype(dtype, copy=False)
        for (column, dtype), values in zip(columns.items(), measured, strict=True)
    }


def _length(table):
    return len(next(iter(table.values()), ()))


def _as_frame(table, start):
    """Return a table as a DataFrame whose rows are numbered from ``start`` on."""
    import pandas

    return pandas.DataFrame(table, index=pandas.RangeIndex(start, start + _length(table)))
