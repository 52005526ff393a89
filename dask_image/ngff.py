"""
Images and labels in OME-Zarr, the format of zarr arrays in several sizes with axes and scale.

What napari, Fiji and others open. Pixels are written by `dask_image.to_zarr`, region by region;
what is said of them is written, read and checked by the package ``ome-zarr``, which is needed.
"""

from __future__ import annotations

import functools
import os
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import dask.array as da
import numpy as np

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_choice,
    normalize_flag,
    normalize_integer,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.labels import as_label_image
from dask_image._utils.options import as_bytes
from dask_image._utils.typing import Array, Integer
from dask_image.imread import ImageMetadata
from dask_image.segmentation import pyramid
from dask_image.storage import to_zarr

__all__ = ["read_image", "write_image", "write_labels"]

Method = Literal["mean", "mode", "nearest"]
VERSIONS = ("0.5", "0.4")
# The order that the format demands.
ORDER = "tczyx"
# What each unit is in the one that `ImageMetadata` has, µm and s.
LENGTHS = {
    "micrometer": 1.0, "nanometer": 1e-3, "picometer": 1e-6, "angstrom": 1e-4, "millimeter": 1e3,
    "centimeter": 1e4, "meter": 1e6, "inch": 25400.0,
}  # fmt: skip
TIMES = {
    "second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6, "nanosecond": 1e-9, "minute": 60.0,
    "hour": 3600.0, "day": 86400.0,
}  # fmt: skip


def read_image(url: str | os.PathLike[str], level: Integer = 0) -> tuple[da.Array, ImageMetadata]:
    """
    Read an image of OME-Zarr as a lazy array, and what is said of it.

    Parameters
    ----------
    url : str or os.PathLike
        The folder of the image, or its address. Labels are images, too, in folders such as
        ``labels/cells`` of the image's.
    level : int, optional
        Which of the sizes that there are, 0 the largest.

    Returns
    -------
    dask.array.Array
        A block for each chunk of the file.
    ImageMetadata
        Axes, pixel size (of this level) and position in µm, names of channels, time step.

    Raises
    ------
    FileNotFoundError
        If there is no zarr group.
    ValueError
        If there is no image in it, or it has no such level.
    ImportError
        If the package ``ome-zarr`` is missing.

    See Also
    --------
    write_image, dask_image.xarray.read_ome_zarr
    dask_image.imread.imread : The same for other formats.

    Examples
    --------
    >>> from dask_image.ngff import read_image
    >>> image, metadata = read_image("cells.ome.zarr", level=1)  # doctest: +SKIP
    >>> metadata.axes, dict(metadata.pixel_size)  # doctest: +SKIP
    ('CYX', {'Y': 0.65, 'X': 0.65})
    """
    _require()
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Multiscales, Node

    location = parse_url(os.fspath(url))
    if location is None:
        raise FileNotFoundError(f"there is no zarr group at {os.fspath(url)!r}")
    node = Node(location, [])
    found = node.load(Multiscales)
    if found is None:
        raise ValueError(f"{os.fspath(url)!r} is a zarr group without an image of OME-Zarr")
    level = normalize_integer(level, "level")
    if not 0 <= level < len(node.data):
        raise ArgumentError(f"level must be one of 0 to {len(node.data) - 1}, got {level}")
    # Of the level come first, those of the whole image are applied to what they give.
    steps = node.metadata.get("coordinateTransformations", [[]] * len(node.data))[level]
    steps = [*(steps or []), *found.lookup("multiscales", [{}])[0].get(
        "coordinateTransformations", []
    )]  # fmt: skip
    image = node.data[level]
    names = node.metadata.get("channel_names", ())
    return image, _told(image, node.metadata["axes"], steps, names)


def write_image(
    image: Any,
    url: str | os.PathLike[str],
    metadata: ImageMetadata | None = None,
    *,
    levels: Integer | None = None,
    method: Method = "mean",
    version: str = "0.5",
    memory: int | str | None = None,
    progress: bool = False,
    overwrite: bool = False,
) -> None:
    """
    Write an image as OME-Zarr, in several sizes.

    Parameters
    ----------
    image : array_like or xarray.DataArray
        Of up to five dimensions: time, channels, Z, Y, X or some of these. Its chunks become
        those of the file. Of a DataArray, dimensions (``t``, ``c``, ``z``, ``y``, ``x``) and
        coordinates say what ``metadata`` says otherwise.
    url : str or os.PathLike
        The folder to make.
    metadata : ImageMetadata, optional
        As `dask_image.imread.read_metadata` gives it: axes, pixel size and so on. Without it,
        axes are the last ones of ``TCZYX``, and pixels have no size.
    levels : int, optional
        How many sizes. By default so many that the last one is no longer than 512 pixels. Each
        has half the pixels along Y and X of the one before it.
    method : {"mean", "nearest", "mode"}, optional
        As of `dask_image.segmentation.pyramid`.
    version : {"0.5", "0.4"}, optional
        Of OME-Zarr. 0.5 is on zarr's format 3; older programs may only open 0.4.
    memory, progress
        As of `dask_image.to_zarr`.
    overwrite : bool, optional
        Whether to replace what is there, the labels, too.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If axes do not fit the format or the image.
    FileExistsError
        If there is something already, and ``overwrite`` is not set.
    ImportError
        If the package ``ome-zarr`` is missing.

    See Also
    --------
    write_labels : Add labels to it.

    Notes
    -----
    A size is made of the one before it, which is read from the file: nothing is computed twice.
    What is said of the image is written last; a folder without it is unfinished.

    Examples
    --------
    >>> from dask_image.imread import imread, read_metadata
    >>> from dask_image.ngff import write_image
    >>> image, metadata = imread("cells.ome.tif"), read_metadata("cells.ome.tif")  # doctest: +SKIP
    >>> write_image(image, "cells.ome.zarr", metadata)  # doctest: +SKIP
    """
    _require()
    from ome_zarr.writer import add_metadata

    image, layout = _laid_out(image, metadata)
    path = pathlib.Path(url)
    # All that is wrong must be found before anything that is there is replaced.
    count = _count_levels(image, layout, levels, method)
    save = _save_as(path, layout, version, memory, progress)
    if path.exists() and not normalize_flag(overwrite, "overwrite"):
        raise FileExistsError(f"there is something at {path}: pass overwrite=True to replace it")
    group = _group(path, version, "w")
    _write_levels(image, path, layout, count, method, save)
    if layout.channel_names and "c" in layout.axes:
        # Without a range of values, viewers look for one; the format wants a colour.
        channels = [
            {"label": str(name), "color": "FFFFFF", "active": True} for name in layout.channel_names
        ]
        add_metadata(group, {"omero": {"channels": channels}}, fmt=_format(version))
    _describe(group, layout, path.name.removesuffix(".zarr").removesuffix(".ome"), version)


def write_labels(
    labels: Any,
    url: str | os.PathLike[str],
    name: str = "labels",
    metadata: ImageMetadata | None = None,
    *,
    levels: Integer | None = None,
    memory: int | str | None = None,
    progress: bool = False,
    overwrite: bool = False,
) -> None:
    """
    Write labels into the OME-Zarr of their image, in several sizes.

    Parameters
    ----------
    labels : array_like or xarray.DataArray
        Integers, or whole floats. Axes that labels do not have, such as channels, the image may
        have.
    url : str or os.PathLike
        The folder of the image.
    name : str, optional
        What to call them: they lie in ``labels/<name>``.
    metadata : ImageMetadata, optional
        As of `write_image`. By default that of the image, if labels have as many axes, or as
        many as the image without channels.
    levels : int, optional
        How many sizes. By default as many as the image has.
    memory, progress
        As of `dask_image.to_zarr`.
    overwrite : bool, optional
        Whether to replace labels of this name.

    Returns
    -------
    None

    Raises
    ------
    TypeError
        If labels are no integers.
    FileNotFoundError, ValueError
        If there is no image, or axes do not fit.
    FileExistsError
        If there are labels of this name, and ``overwrite`` is not set.
    ImportError
        If the package ``ome-zarr`` is missing.

    See Also
    --------
    write_image, dask_image.segmentation.pyramid

    Notes
    -----
    A pixel of a smaller size gets the label of the first pixel of those it stands for.

    Examples
    --------
    >>> from dask_image.ngff import read_image, write_labels
    >>> from dask_image.ndmeasure import label
    >>> image, metadata = read_image("cells.ome.zarr")  # doctest: +SKIP
    >>> write_labels(label(image > 9)[0], "cells.ome.zarr", "cells")  # doctest: +SKIP
    """
    _require()
    import zarr
    from ome_zarr.writer import add_metadata, get_metadata, write_label_metadata

    _, of_image = read_image(url)
    path = pathlib.Path(url)
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name:
        raise ArgumentError(f"name must be that of a folder, got {name!r}")
    as_image = metadata is None and not hasattr(labels, "coords")
    if as_image:
        metadata = of_image
        if np.ndim(labels) == len(of_image.axes) - 1:
            metadata = replace(of_image, axes=of_image.axes.replace("C", ""))
    labels, layout = _laid_out(labels, metadata)
    if labels.dtype.kind not in "iuf":
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    labels = as_label_image(labels, "labels")
    sizes = dict(zip(of_image.axes.lower(), of_image.shape))
    if as_image and any(sizes[axis] != size for axis, size in zip(layout.axes, labels.shape)):
        raise ArgumentError(
            f"labels must have the sizes of the image, {sizes}, got shape {labels.shape} along "
            f"{layout.axes!r}: pass metadata with the size of their pixels if they have others"
        )
    if levels is None:
        levels = 1
        while _has_level(path, levels):
            levels += 1
    version = "0.4" if zarr.open_group(str(path), mode="r").metadata.zarr_format == 2 else "0.5"
    place = path / "labels" / name
    count = _count_levels(labels, layout, levels, "nearest")
    save = _save_as(place, layout, version, memory, progress)
    if place.exists() and not normalize_flag(overwrite, "overwrite"):
        raise FileExistsError(f"there are labels at {place}: pass overwrite=True to replace them")
    parent = zarr.open_group(str(path), mode="a").require_group("labels")
    group = _group(place, version, "w")
    _write_levels(labels, place, layout, count, "nearest", save)
    _describe(group, layout, name, version)
    listed = [each for each in get_metadata(parent).get("labels", []) if each != name]
    versions = {} if version == "0.4" else {"version": version}
    add_metadata(parent, {"labels": listed, **versions}, fmt=_format(version))
    source = {"image": "../../"}
    write_label_metadata(parent, name, fmt=_format(version), source=source)


# ---------------------------------------------------------------------------------------
# Axes and scale


@dataclass(frozen=True)
class Layout:
    """
    How the axes of an image lie in space and time.

    Attributes
    ----------
    axes : str
        A letter for each, of ``tczyx``, in this order.
    scale, start : tuple of float
        The step from one pixel to the next along each, and where the first pixel lies.
    units : dict of str to str
        From letters to the format's words.
    factors : tuple of int
        How much smaller each level is than the one before.
    channel_names : tuple of str
    """

    axes: str
    scale: tuple[float, ...]
    start: tuple[float, ...]
    units: dict[str, str]
    channel_names: Sequence[str] = ()

    @property
    def factors(self) -> tuple[int, ...]:
        """How many pixels one of the next level stands for, along each axis."""
        return tuple(2 if axis in "yx" else 1 for axis in self.axes)

    def transformations(self, level: int) -> list[dict[str, Any]]:
        """Return where the pixels of a level lie, in the format's words."""
        times = [factor**level for factor in self.factors]
        scale = [step * each for step, each in zip(self.scale, times)]
        # A pixel lies in the middle of those that it stands for.
        start = [
            first + step * (each - 1) / 2
            for first, step, each in zip(self.start, self.scale, times)
        ]
        said = [{"type": "scale", "scale": scale}]
        return said + ([{"type": "translation", "translation": start}] if any(start) else [])

    @classmethod
    def of(cls, axes: str, metadata: ImageMetadata) -> Layout:
        """Return what an image's metadata say of these axes."""
        steps = {axis.lower(): step for axis, step in metadata.pixel_size.items()}
        words = {axis.lower(): word for axis, word in metadata.unit.items()}
        starts = {axis.lower(): start for axis, start in metadata.position.items()}
        units = {axis: "micrometer" for axis in axes if words.get(axis) == "µm"}
        if metadata.time_step:
            steps["t"], units["t"] = metadata.time_step, "second"
        return cls(
            axes,
            tuple(float(steps.get(axis, 1.0)) for axis in axes),
            tuple(float(starts.get(axis, 0.0)) for axis in axes),
            {axis: unit for axis, unit in units.items() if axis in axes},
            metadata.channel_names,
        )


def _laid_out(image: Any, metadata: ImageMetadata | None) -> tuple[da.Array, Layout]:
    """Return an image with its axes in the format's order, and how they lie."""
    if metadata is None and hasattr(image, "coords"):
        metadata = _metadata_of(image)
    array = as_dask_array(image)
    if metadata is None:
        if not 1 <= array.ndim <= len(ORDER):
            raise ArgumentError(f"image must have one to five dimensions, got {array.ndim}")
        metadata = ImageMetadata(ORDER[-array.ndim :].upper(), array.shape, array.dtype)
    if not isinstance(metadata, ImageMetadata) or not isinstance(metadata.axes, str):
        raise TypeError(f"metadata must be ImageMetadata with a string of axes, got {metadata!r}")
    axes = metadata.axes.lower()
    # Samples of colour are channels.
    axes = axes if "c" in axes else axes.replace("s", "c")
    if not set(axes) <= set(ORDER) or len(set(axes)) != len(axes):
        raise ArgumentError(
            f"axes must be different ones of {ORDER.upper()!r}, got {metadata.axes!r}: pass "
            "metadata with others, as in dataclasses.replace(metadata, axes='TYX')"
        )
    if len(axes) != array.ndim:
        raise ArgumentError(
            f"image must have an axis for each of {metadata.axes!r}, got shape {array.shape}"
        )
    order = sorted(range(len(axes)), key=lambda place: ORDER.index(axes[place]))
    array = array.transpose(order)
    return array, Layout.of("".join(axes[place] for place in order), metadata)


def _metadata_of(image: Any) -> ImageMetadata:
    """Return what the dimensions and coordinates of a DataArray say."""
    long = [dim for dim in image.dims if len(str(dim)) != 1]
    if long:
        raise ArgumentError(f"dimensions must be called t, c, z, y or x, got {long}: rename them")
    sizes, units, position, channels, time_step = {}, {}, {}, (), None
    for dim in image.dims:
        letter = str(dim).upper()
        if dim not in image.coords:
            continue
        values, unit = image[dim].to_numpy(), image[dim].attrs.get("units")
        if letter == "C":
            channels = tuple(map(str, values))
        elif len(values) > 1 and values.dtype.kind in "iuf":
            steps = np.diff(values.astype(float))
            if np.ptp(steps) > abs(steps.mean()) * 1e-3:
                raise ArgumentError(
                    f"coordinates must have equal steps along {dim!r}, got {steps.min()} to "
                    f"{steps.max()}"
                )
            step = float(steps.mean())
            if letter == "T":
                time_step = step if unit in (None, "s") else None
                continue
            sizes[letter] = step
            if unit:
                units[letter], position[letter] = unit, float(values[0])
    return ImageMetadata(
        "".join(map(str, image.dims)).upper(), image.shape, image.dtype, sizes, units,
        tuple(channels), time_step, position,
    )  # fmt: skip


def _told(image: da.Array, axes: Any, steps: Any, names: Any) -> ImageMetadata:
    """Return an image's metadata, from the format's words."""
    ones = np.ones(image.ndim)
    scale, start = ones, 0 * ones
    for step in steps:
        if step["type"] == "scale" and "scale" in step:
            scale, start = scale * step["scale"], start * step["scale"]
        elif step["type"] == "translation" and "translation" in step:
            start = start + step["translation"]
    sizes, units, position, time_step = {}, {}, {}, None
    for axis, size, first in zip(axes, scale, start):
        letter, unit = axis["name"].upper(), axis.get("unit")
        if axis.get("type") == "time":
            time_step = float(size) * TIMES[unit] if unit in TIMES else None
        elif axis.get("type") == "space":
            sizes[letter] = float(size) * LENGTHS.get(unit, 1.0)
            if unit is not None:
                units[letter] = "µm" if unit in LENGTHS else unit
            if unit in LENGTHS and first:
                position[letter] = float(first) * LENGTHS[unit]
    return ImageMetadata(
        axes="".join(axis["name"] for axis in axes).upper(),
        shape=image.shape,
        dtype=image.dtype,
        pixel_size=MappingProxyType(sizes),
        unit=MappingProxyType(units),
        channel_names=tuple(names),
        time_step=time_step,
        position=MappingProxyType(position),
    )


# ---------------------------------------------------------------------------------------
# Files


def _require() -> None:
    try:
        import ome_zarr.writer  # noqa: F401
    except ImportError as error:
        raise ImportError("OME-Zarr needs ome-zarr: pip install 'dask-image[ngff]'") from error


def _format(version: str) -> Any:
    from ome_zarr.format import format_from_version

    return format_from_version(normalize_choice(version, "version", VERSIONS))


def _group(path: pathlib.Path, version: str, mode: Any) -> Any:
    import zarr

    return zarr.open_group(str(path), mode=mode, zarr_format=_format(version).zarr_format)


def _has_level(path: pathlib.Path, level: int) -> bool:
    try:
        read_image(path, level)
    except ArgumentError:
        return False
    return True


def _count_levels(image: Array, layout: Layout, levels: Integer | None, method: Method) -> int:
    """Return how many sizes of an image there will be, or raise."""
    if levels is None and not set(layout.axes) & set("yx"):
        levels = 1
    return len(pyramid(image, levels, layout.factors, method))


def _write_levels(
    image: Array,
    path: pathlib.Path,
    layout: Layout,
    count: int,
    method: Method,
    save: Callable[..., Any],
) -> None:
    """Write an image in all its sizes, each made of the one before it, which is read again."""
    chunks = tuple(max(size, 1) for size in image.chunksize)
    for level in range(count):
        if level:
            written = da.from_zarr(str(path), component=str(level - 1))
            image = pyramid(written, 2, layout.factors, method)[1]
        save(image.rechunk(chunks), component=str(level))


def _save_as(
    path: pathlib.Path, layout: Layout, version: str, memory: int | str | None, progress: bool
) -> Callable[..., Any]:
    """Return what writes an image of one size, as the format's version asks for, or raise."""
    if memory is not None:
        as_bytes(memory, "memory")
    options: dict[str, Any] = {"zarr_format": _format(version).zarr_format}
    if options["zarr_format"] == 2:
        options["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    else:
        options["dimension_names"] = list(layout.axes)
    return functools.partial(
        to_zarr, url=path, memory=memory, progress=progress, zarr_options=options
    )


def _describe(group: Any, layout: Layout, name: str, version: str) -> None:
    from ome_zarr.writer import write_multiscales_metadata

    count = len(list(group.array_keys()))
    datasets = [
        {"path": str(level), "coordinateTransformations": layout.transformations(level)}
        for level in range(count)
    ]
    axes = [
        {"name": axis, "type": {"t": "time", "c": "channel"}.get(axis, "space")}
        | ({"unit": layout.units[axis]} if axis in layout.units else {})
        for axis in layout.axes
    ]
    write_multiscales_metadata(group, datasets, fmt=_format(version), axes=axes, name=name)
