"""
Where the pixels of a TIFF file lie, and how they are packed: all that is asked of tifffile.

No other module meets an object of ``tifffile``. What it is asked for beyond its public calls –
where each page's strips or tiles lie, the function that unpacks one – is what lets a task read
nothing but its own pixels, without the header; ``docs/performance.rst`` says what that saves.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any, NamedTuple

import numpy as np
import tifffile

# The flavours of JPEG, whose tables lie in the header of the page.
_JPEG = {6, 7, 33007, 34892}


class StoredPage(NamedTuple):
    """Where the strips or tiles of one page lie in its file."""

    path: str
    directory: int
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    jpeg_options: dict[str, Any]


class StoredPages(NamedTuple):
    """
    The pages of one resolution of a series, which are all packed alike.

    ``page_shape`` is that of each page: planes of separate samples, depth, rows, columns,
    interleaved samples. Without a decoder, pixels lie in that order, as one run, in
    the file's byte order; ``dtype`` tells which. Otherwise each page is a grid of strips or tiles
    of ``segment_shape``: depth, rows, columns.
    """

    pages: list[StoredPage]
    page_shape: tuple[int, int, int, int, int]
    segment_shape: tuple[int, int, int]
    dtype: np.dtype
    axes: str
    fill_value: float
    decoder: Decoder | None


class Decoder:
    """
    Unpacks the strips or tiles of a page.

    ``tifffile`` makes the function from the header of a page. It cannot travel to
    another process: there, the header is read once more.
    """

    def __init__(self, decode=None):
        self._decode = decode

    def __reduce__(self):
        return Decoder, ()

    def for_page(self, path, directory):
        """Return the function that unpacks a page: ``(packed, index, **jpeg_options)``."""
        if self._decode is None:
            with tifffile.TiffFile(path) as tiff:
                tiff.filehandle.seek(directory)
                self._decode = tifffile.TiffPage(tiff, 0).decode
        return self._decode


@contextlib.contextmanager
def opened(file, companions):
    """
    Open a file that is a TIFF by its first bytes.

    Parameters
    ----------
    file : binary file or str
    companions : bool
        Whether the files that an OME description refers to are looked into, too.
    """
    with tifffile.TiffFile(file, _multifile=companions) as tiff:
        yield tiff


def level_of(tiff, series, level):
    """
    Return one resolution of one series of pictures.

    Raises
    ------
    ValueError
        If there is no such series, or no such level of it.
    """
    return _one_of(_one_of(tiff.series, series, "series").levels, level, "level")


def _one_of(items, number, name):
    if not -len(items) <= number < len(items):
        held = (
            f"its only {name} is 0" if len(items) == 1 else f"it has {name} 0 to {len(items) - 1}"
        )
        raise ValueError(f"there is no {name} {number}: {held}")
    return items[number]


def stored_pages(tiff, series, level, decoders):
    """
    Return where the pixels of one resolution of a series lie.

    Parameters
    ----------
    tiff : tifffile.TiffFile
    series, level : int
    decoders : dict
        From what tells ways of packing apart to `Decoder`; files that are packed alike share one.

    Raises
    ------
    ValueError
        If the file is damaged, or packed in a way for which something is missing.
    """
    count = len(tiff.pages)
    if not count:
        raise ValueError("it holds no pages")
    _check_last_page(tiff)
    first = tiff.pages.first
    # Only contiguous pixels can stand for more than their page, and only separate planes for
    # more than samples: all else need not be asked what series it is part of.
    simple = count == 1 and not first.is_contiguous and first.shaped[0] == 1
    if simple and series == level == 0:
        return _paged([first], first, first.axes, decoders)
    part = level_of(tiff, series, level)
    if part.dataoffset is not None and not part.is_multifile:
        return _contiguous(part, tiff)
    return _paged(part.pages, part.keyframe, part.axes, decoders)


def _check_last_page(tiff):
    """Fail if the chain of pages breaks off: the last page must link to nothing."""
    handle = tiff.filehandle
    handle.seek(tiff.pages.next_page_offset)
    link = handle.read(tiff.tiff.offsetsize)
    if any(link) or not link:
        raise ValueError(f"the chain of its pages breaks off after {len(tiff.pages)} pages")


def _check_pixels(key):
    if key is None or key.dtype is None or 0 in key.shaped:
        raise ValueError("its first page holds no pixels of a known type")


def _contiguous(series, tiff):
    """Return the pages of a series whose pixels lie in one run."""
    key = series.keyframe
    _check_pixels(key)
    planes, _, rows, columns, samples = key.shaped
    # Planes that are no samples, and the slices of a volume, can be read one by one.
    alone = (1, 1, rows, columns, samples)
    shape = key.shaped if planes > 1 and "S" in series.axes else alone
    size = math.prod(shape) * key.dtype.itemsize
    count = math.prod(series.shape) * key.dtype.itemsize // size
    path = tiff.filehandle.path
    pages = [
        StoredPage(path, key.offset, (series.dataoffset + i * size,), (size,), {})
        for i in range(count)
    ]
    return _raw(pages, key, shape, series.axes)


def _paged(series_pages, key, axes, decoders):
    """Return the pages of a series, each in strips or tiles."""
    _check_pixels(key)
    if any(page is None for page in series_pages):
        raise ValueError("its OME description refers to pages that no file holds")
    pages = [_stored_page(page, key) for page in series_pages]
    # What tifffile calls final is to be read as it lies in the file, but for the byte order.
    if key.is_final and all(page.is_contiguous for page in series_pages):
        whole = [
            page._replace(offsets=page.offsets[:1], byte_counts=(key.nbytes,)) for page in pages
        ]
        return _raw(whole, key, key.shaped, axes)
    if key.hash not in decoders:
        decoders[key.hash] = Decoder(key.decode)
    decoder = decoders[key.hash]
    # Of nothing, a decoder makes nothing; one that lacks its codec says so.
    first = pages[0]
    decoder.for_page(first.path, first.directory)(None, 0, **first.jpeg_options)
    if key.is_tiled:
        segment = key.tiledepth, key.tilelength, key.tilewidth
    else:
        segment = 1, key.rowsperstrip, key.shaped[3]
    return StoredPages(
        pages, key.shaped, segment, key.dtype.newbyteorder("="), axes, key.nodata, decoder
    )


def _raw(pages, key, shape, axes):
    dtype = key.dtype.newbyteorder(key.parent.byteorder)
    return StoredPages(pages, shape, (1, 1, shape[3]), dtype, axes, key.nodata, None)


def _stored_page(page, key):
    options = {}
    if key.compression in _JPEG:
        options = {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader}
    return StoredPage(
        page.parent.filehandle.path,
        page.offset,
        tuple(page.dataoffsets),
        tuple(page.databytecounts),
        options,
    )


class Header(NamedTuple):
    """What a file says of one resolution of a series, its pixels apart."""

    axes: str
    shape: tuple[int, ...]
    full_shape: tuple[int, ...]  # of the series' full resolution
    dtype: np.dtype
    ome: str | None  # XML
    imagej: dict[str, Any] | None
    description: str
    resolution: tuple[float, float]  # pixels a unit, along columns and rows
    resolution_unit: str  # NONE, INCH or CENTIMETER


def header(tiff, series, level):
    """Return what a file says of one resolution of a series."""
    full, part = level_of(tiff, series, 0), level_of(tiff, series, level)
    page = full.keyframe
    return Header(
        axes=part.axes,
        shape=part.shape,
        full_shape=full.shape,
        dtype=part.dtype.newbyteorder("="),
        ome=tiff.ome_metadata,
        imagej=tiff.imagej_metadata,
        description=page.description,
        resolution=page.resolution,
        resolution_unit=page.resolutionunit.name,
    )
