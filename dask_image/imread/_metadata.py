"""What a file says of its picture besides the pixels."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np

from dask_image._utils.typing import Integer
from dask_image.imread import _tifffile
from dask_image.imread._files import expand_grid, expand_names
from dask_image.imread._imread import integer, reading
from dask_image.imread._pictures import describe_picture
from dask_image.imread._tiff import is_tiff

_MICROMETRE = "µm"
# Micro is written with the sign U+00B5, the Greek letter U+03BC, or as ImageJ escapes it.
_MICROMETRES = {
    **dict.fromkeys(
        ("µm", "\u03bcm", "um", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"), 1.0
    ),
    "pm": 1e-6,
    "Å": 1e-4,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "in": 25400.0,
    "inch": 25400.0,
}
_SECONDS = {"ns": 1e-9, "µs": 1e-6, "\u03bcs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_SECONDS |= {"sec": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _frozen(mapping=()):
    return MappingProxyType(dict(mapping))


@dataclass(frozen=True)
class ImageMetadata:
    """
    What a file says of its picture besides the pixels.

    Attributes
    ----------
    axes : str
        A letter for each axis of ``shape``: ``T`` time, ``C`` channel, ``Z``, ``Y`` and ``X``
        space, ``S`` samples of colour; ``I``, ``Q`` and others where the file does not tell.
    shape : tuple of int
        ``imread(fname).reshape(metadata.shape)`` has these axes.
    dtype : numpy.dtype
    pixel_size : mapping of str to float
        From an axis of space to the distance of its pixels; axes of which nothing is known are
        left out.
    unit : mapping of str to str
        From these axes to the unit: ``"µm"`` for every length of a known unit, which is
        converted, otherwise the file's word; left out where there is none.
    channel_names : tuple of str
        Of the channels, where the file names them.
    time_step : float or None
        Seconds from one time to the next.
    position : mapping of str to float
        Where the first pixel lies on the stage, from an axis to a length in ``µm``; from OME.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    pixel_size: Mapping[str, float] = field(default_factory=_frozen)
    unit: Mapping[str, str] = field(default_factory=_frozen)
    channel_names: tuple[str, ...] = ()
    time_step: float | None = None
    position: Mapping[str, float] = field(default_factory=_frozen)


def read_metadata(
    fname: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    level: Integer = 0,
    series: Integer = 0,
) -> ImageMetadata:
    """
    Read axes, pixel sizes, names of channels and the like of a picture.

    Parameters
    ----------
    fname : str, os.PathLike or list of these
        As of `imread`; of several files the first one counts.
    level, series : int, optional
        As of `imread`. Pixels of a coarser level are larger.

    Returns
    -------
    ImageMetadata

    Raises
    ------
    FileNotFoundError, PermissionError, TypeError, ValueError
        As `imread` does.

    Notes
    -----
    The description of OME counts first, then that of ImageJ, that of Aperio's slides, and
    the tags for the resolution, where these have a unit. The last are often what a program
    assumes for print (72 or 96 pixels an inch). Of other formats than TIFF, axes and
    shape are known, and the time step of films. Headers alone are read of TIFF files.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np, tifffile
    >>> from dask_image.imread import imread, read_metadata
    >>> name = pathlib.Path(tempfile.mkdtemp()) / "cells.ome.tif"
    >>> tifffile.imwrite(
    ...     name, np.zeros((5, 2, 8, 9), "uint8"),
    ...     metadata={"axes": "TCYX", "PhysicalSizeX": 650, "PhysicalSizeXUnit": "nm",
    ...               "TimeIncrement": 2, "TimeIncrementUnit": "min"},
    ... )
    >>> metadata = read_metadata(name)
    >>> metadata.axes, dict(metadata.pixel_size), metadata.unit["X"], metadata.time_step
    ('TCYX', {'X': 0.65}, 'µm', 120.0)
    >>> imread(name).reshape(metadata.shape).shape
    (5, 2, 8, 9)
    """
    level, series = integer(level, "level"), integer(series, "series")
    _, paths = expand_grid(fname) or ((), expand_names(fname))
    path = paths[0]
    with reading(path), open(path, "rb") as file:
        if not is_tiff(file):
            return _of_frames(describe_picture(path))
        file.seek(0)
        with _tifffile.opened(file, companions=True) as tiff:
            header = _tifffile.header(tiff, series, level)
    return _of_header(header, series)


def _of_frames(source):
    """Return what is known of the frames of a file that is no TIFF."""
    many = source.count > 1
    samples = "S" * (len(source.frame_shape) - 2)
    return ImageMetadata(
        axes=("T" if source.frame_rate else "I") * many + "YX" + samples,
        shape=(source.count,) * many + source.frame_shape,
        dtype=source.dtype,
        time_step=1 / source.frame_rate if source.frame_rate else None,
    )


def _of_header(header, series):
    """Return what a TIFF file says of itself."""
    values = (
        _of_ome(header, series)
        or _of_imagej(header)
        or _of_aperio(header)
        or _of_resolution(header)
    )
    lengths = {axis: values["lengths"][axis] for axis in header.axes if axis in values["lengths"]}
    fineness = {
        axis: full / size for axis, full, size in zip(header.axes, header.full_shape, header.shape)
    }
    metadata = ImageMetadata(
        axes=header.axes,
        shape=tuple(header.shape),
        dtype=header.dtype,
        pixel_size=_frozen({axis: size * fineness[axis] for axis, (size, _) in lengths.items()}),
        unit=_frozen({axis: unit for axis, (_, unit) in lengths.items() if unit}),
    )
    others = {name: value for name, value in values.items() if name != "lengths"}
    return replace(metadata, **others)


def _length(value, unit):
    """Return a length and its unit, in µm where the unit is known."""
    factor = _MICROMETRES.get(unit) or _MICROMETRES.get(str(unit).lower())
    return (float(value) * factor, _MICROMETRE) if factor else (float(value), unit)


def _of_ome(header, series):
    if not header.ome:
        return None
    root = ElementTree.fromstring(header.ome)
    images = [image for image in root if _name(image) == "Image"]
    if not -len(images) <= series < len(images):
        return None
    pixels = next(part for part in images[series] if _name(part) == "Pixels")
    given = pixels.attrib
    lengths = {
        axis: _length(given[f"PhysicalSize{axis}"], given.get(f"PhysicalSize{axis}Unit", "µm"))
        for axis in "ZYX"
        if f"PhysicalSize{axis}" in given
    }
    channels = [part.attrib for part in pixels if _name(part) == "Channel"]
    names = tuple(channel.get("Name", "") for channel in channels)
    step = given.get("TimeIncrement")
    seconds = _SECONDS.get(given.get("TimeIncrementUnit", "s"))
    return {
        "lengths": lengths,
        "channel_names": names if any(names) else (),
        "time_step": float(step) * seconds if step and seconds else None,
        "position": _frozen(_stage_position(pixels)),
    }


def _name(element):
    return element.tag.rpartition("}")[2]


def _stage_position(pixels):
    """Return where the first plane lies."""
    for plane in pixels:
        if _name(plane) == "Plane" and all(plane.get(f"The{axis}", "0") == "0" for axis in "CZT"):
            lengths = {
                axis: _length(plane.get(f"Position{axis}"), plane.get(f"Position{axis}Unit"))
                for axis in "ZYX"
                if plane.get(f"Position{axis}")
            }
            return {axis: size for axis, (size, unit) in lengths.items() if unit == _MICROMETRE}
    return {}


def _of_imagej(header):
    values = header.imagej
    if not values:
        return None
    unit = values.get("unit")
    unit = None if unit in (None, "", "pixel", "pixels") else unit
    lengths = {}
    if unit or header.resolution != (1.0, 1.0):
        for axis, per_unit in zip("XY", header.resolution):
            if per_unit:
                lengths[axis] = _length(1 / per_unit, unit)
    if "spacing" in values:
        lengths["Z"] = _length(values["spacing"], unit)
    return {"lengths": lengths, "time_step": values.get("finterval") or None}


def _of_aperio(header):
    found = re.search(r"\|\s*MPP\s*=\s*([0-9.]+)", header.description)
    if not (header.description.startswith("Aperio") and found):
        return None
    return {"lengths": dict.fromkeys("YX", _length(found[1], "µm"))}


def _of_resolution(header):
    unit = header.resolution_unit.lower()
    if unit not in _MICROMETRES:
        return {"lengths": {}}
    return {
        "lengths": {
            axis: _length(1 / per_unit, unit)
            for axis, per_unit in zip("XY", header.resolution)
            if per_unit
        }
    }
