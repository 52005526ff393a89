"""
Frames of TIFF files.

The header of a file is read once, with ``tifffile``. What a task needs to find
the pixels of its frames – where each page starts, how it is packed – travels
with the task, which then opens the file once and reads nothing but pixels.
"""

import math
import os
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
import tifffile

from dask_image.imread._files import FileState

# Classic and BigTIFF, both byte orders, and the variant that Hamamatsu and Olympus write.
_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"IIU\0")


def is_tiff(file):
    """Tell by its first bytes whether an open file is a TIFF."""
    file.seek(0)
    return file.read(4).startswith(_SIGNATURES)


class Page(NamedTuple):
    """Where the pixels of one page lie."""

    file: FileState
    directory: int
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    jpeg_options: dict


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

    def for_page(self, page):
        """Return the function that unpacks ``page``."""
        if self._decode is None:
            with tifffile.TiffFile(page.file.path) as tiff:
                tiff.filehandle.seek(page.directory)
                self._decode = tifffile.TiffPage(tiff, 0).decode
        return self._decode


@dataclass(frozen=True)
class TiffFrames:
    """
    Frames ``start`` to ``stop`` of ``pages``, and how to read them.

    ``page_shape`` is ``tifffile``'s: planes of separate samples, depth, rows,
    columns, interleaved samples. Samples stay where the file has them: planes
    before rows and columns, interleaved ones behind.
    """

    pages: tuple[Page, ...]
    page_shape: tuple[int, int, int, int, int]
    stored_dtype: np.dtype
    planes_are_samples: bool
    has_samples: bool
    decoder: Decoder | None
    fill_value: float
    start: int
    stop: int

    @property
    def count(self):
        """Number of frames."""
        return self.stop - self.start

    @property
    def dtype(self):
        """Native dtype of the frames."""
        return self.stored_dtype.newbyteorder("=")

    @property
    def frames_per_page(self):
        """Number of frames in a page."""
        planes, depth, _, _, _ = self.page_shape
        return depth if self.planes_are_samples else planes * depth

    @property
    def frame_shape(self):
        """Rows and columns of a frame; for colours, samples before or behind them."""
        planes, _, rows, columns, samples = self.page_shape
        before = (planes,) if self.planes_are_samples else ()
        behind = (samples,) if self.has_samples else ()
        return (*before, rows, columns, *behind)

    @property
    def files(self):
        """Every file that is read, once."""
        return tuple(dict.fromkeys(page.file for page in self.pages))

    def select(self, start, stop):
        """Return the frames ``start`` to ``stop`` of these, with the pages they need only."""
        start, stop = start + self.start, stop + self.start
        first = start // self.frames_per_page
        last = -(-stop // self.frames_per_page)
        skipped = first * self.frames_per_page
        return replace(
            self, pages=self.pages[first:last], start=start - skipped, stop=stop - skipped
        )

    def read_into(self, out):
        """Fill ``out``, an array of shape ``(count, *frame_shape)`` and of ``dtype``."""
        position = -self.start
        for file_state, pages in groupby(self.pages, key=lambda page: page.file):
            # Reads, each at a place of its own, gain nothing from a buffer.
            with open(file_state.path, "rb", buffering=0) as file:
                file_state.check(file)
                for page in pages:
                    self._read_page_into(file, page, out, position)
                    position += self.frames_per_page

    def _read_page_into(self, file, page, out, position):
        if self.decoder is None and self.frames_per_page == 1:
            frame = out[position]
            _read_exactly(file, page.offsets[0], frame.reshape(-1).view(np.uint8))
            if not self.stored_dtype.isnative:
                frame.byteswap(inplace=True)
            return
        frames = self._as_frames(self._read_page(file, page))
        first, last = max(position, 0), min(position + len(frames), len(out))
        out[first:last] = frames[first - position : last - position]

    def _read_page(self, file, page):
        """Return a whole page in ``page_shape``."""
        pixels = np.empty(self.page_shape, self.stored_dtype)
        if self.decoder is None:
            _read_exactly(file, page.offsets[0], pixels.reshape(-1).view(np.uint8))
            return pixels
        decode = self.decoder.for_page(page)
        _, depth, rows, columns, _ = self.page_shape
        for index, (offset, count) in enumerate(zip(page.offsets, page.byte_counts, strict=True)):
            packed = _read_bytes(file, offset, count) if count else None
            segment, (plane, z, y, x, _), shape = decode(packed, index, **page.jpeg_options)
            place = (plane, *(slice(low, low + size) for low, size in zip((z, y, x), shape)))
            # Tiles reach over the edge of the image. One that is not in the file is not lost: the
            # format lets writers leave out tiles that hold nothing but the fill value.
            pixels[place] = (
                self.fill_value
                if segment is None
                else segment[: depth - z, : rows - y, : columns - x]
            )
        return pixels

    def _as_frames(self, pixels):
        if self.planes_are_samples:  # of each slice of a volume
            pixels = pixels.swapaxes(0, 1)
        return pixels.reshape(-1, *self.frame_shape)


def _read_exactly(file, offset, out):
    """Fill ``out``, an array of bytes; a file that ends early is an error."""
    file.seek(offset)
    filled = 0
    while filled < out.size:
        count = file.readinto(out[filled:])
        if not count:
            raise OSError(f"{file.name} ends {out.size - filled} bytes too early")
        filled += count


def _read_bytes(file, offset, count):
    data = np.empty(count, np.uint8)
    _read_exactly(file, offset, data)
    return data.tobytes()


class Template(NamedTuple):
    """The description of a file, and all of its bytes but the pixels."""

    frames: TiffFrames
    head: bytes
    tail: bytes

    def matches(self, file):
        """Return whether another file of the same size differs in nothing but its pixels."""
        file.seek(0)
        if file.read(len(self.head)) != self.head:
            return False
        file.seek(-len(self.tail), os.SEEK_END)
        return file.read() == self.tail


class TiffDescriber:
    """
    Reads the headers of TIFF files, and remembers what many of them share.

    Parameters
    ----------
    alone : bool
        Whether the frames that an OME file holds in companion files belong to
        the result. Where several files are named, each counts for its own.
    """

    def __init__(self, *, alone):
        self._alone = alone
        self._decoders = {}
        self._templates = {}

    def describe(self, file):
        """
        Return the frames of a TIFF file.

        Parameters
        ----------
        file : binary file
            Opened by an absolute path.

        Returns
        -------
        TiffFrames

        Raises
        ------
        ValueError
            If the file is damaged, ends early, or is packed in a way for which
            something is missing.
        """
        state = FileState.of_open(file)
        # Series of single frames differ in nothing but their pixels, as a rule: parsing the same
        # header a thousand times would take longer than reading the pixels.
        template = self._templates.get(state.size)
        if template is not None and template.matches(file):
            frames = template.frames
            pages = tuple(page._replace(file=state) for page in frames.pages)
            return replace(frames, pages=pages)
        file.seek(0)
        with tifffile.TiffFile(file, _multifile=self._alone) as tiff:
            frames = self._frames(tiff, state)
        for page in frames.pages:
            end = max(map(sum, zip(page.offsets, page.byte_counts)))
            if end > page.file.size:
                raise ValueError(
                    f"{page.file.path} ends after {page.file.size} bytes, its pixels after {end}"
                )
        if frames.decoder is None:
            self._remember(file, frames, state)
        return frames

    def _frames(self, tiff, state):
        count = len(tiff.pages)
        if not count:
            raise ValueError("it holds no pages")
        _check_last_page(tiff)
        first = tiff.pages.first
        # Only contiguous pixels can stand for more than their page, and only separate planes for
        # more than samples: all else need not be asked what series it is part of.
        if count == 1 and not first.is_contiguous and first.shaped[0] == 1:
            return self._paged_frames([first], first, first.axes, state)
        series = tiff.series[0]
        if series.dataoffset is not None and not series.is_multifile:
            return _contiguous_frames(series, state)
        return self._paged_frames(series.pages, series.keyframe, series.axes, state)

    def _paged_frames(self, series_pages, key, axes, state):
        """Return the frames of a series of pages, each in strips or tiles."""
        _check_pixels(key)
        states = {state.path: state}
        pages = []
        for page in series_pages:
            if page is None:
                raise ValueError("its OME description refers to pages that no file holds")
            path = page.parent.filehandle.path
            if path not in states:
                states[path] = FileState.of(path)
            pages.append(_page(page, key, states[path]))
        # What tifffile calls final is to be read as it lies in the file, but for the byte order.
        if key.is_final and all(page.is_contiguous for page in series_pages):
            return _frames_of(
                [
                    page._replace(offsets=page.offsets[:1], byte_counts=(key.nbytes,))
                    for page in pages
                ],
                key, key.shaped, axes, None,
            )  # fmt: skip
        if key.hash not in self._decoders:
            self._decoders[key.hash] = Decoder(key.decode)
        decoder = self._decoders[key.hash]
        # Of nothing, a decoder makes nothing; one that lacks its codec says so.
        decoder.for_page(pages[0])(None, 0, **pages[0].jpeg_options)
        return _frames_of(pages, key, key.shaped, axes, decoder)

    def _remember(self, file, frames, state):
        """Keep the bytes around the pixels, if the pixels are one run and the rest is short."""
        if any(page.file != state for page in frames.pages):
            return
        offsets = [page.offsets[0] for page in frames.pages]
        size = frames.pages[0].byte_counts[0]
        start, stop = offsets[0], offsets[-1] + size
        if offsets != list(range(start, stop, size)) or state.size - (stop - start) > 10_000:
            return
        file.seek(0)
        head = file.read(start)
        file.seek(stop)
        self._templates[state.size] = Template(frames, head, file.read())


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


def _contiguous_frames(series, state):
    """Return the frames of a series whose pixels lie in one run."""
    key = series.keyframe
    _check_pixels(key)
    planes, _, rows, columns, samples = key.shaped
    # Planes that are no samples, and the slices of a volume, can be read one by one.
    alone = (1, 1, rows, columns, samples)
    shape = key.shaped if planes > 1 and "S" in series.axes else alone
    size = math.prod(shape) * key.dtype.itemsize
    count = math.prod(series.shape) * key.dtype.itemsize // size
    pages = [
        Page(state, key.offset, (series.dataoffset + i * size,), (size,), {}) for i in range(count)
    ]
    return _frames_of(pages, key, shape, series.axes, None)


def _frames_of(pages, key, shape, axes, decoder):
    planes, _, _, _, samples = shape
    separate = planes > 1 and "S" in axes
    # Decoders put bytes in native order, raw pixels are as the file has them.
    byte_order = "=" if decoder else key.parent.byteorder
    frames = TiffFrames(
        pages=tuple(pages),
        page_shape=shape,
        stored_dtype=key.dtype.newbyteorder(byte_order),
        planes_are_samples=separate,
        has_samples=samples > 1,
        decoder=decoder,
        fill_value=key.nodata,
        start=0,
        stop=0,
    )
    return replace(frames, stop=len(pages) * frames.frames_per_page)


def _page(page, key, state):
    options = {}
    if key.compression in {6, 7, 33007, 34892}:  # the flavours of JPEG
        options = {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader}
    return Page(state, page.offset, tuple(page.dataoffsets), tuple(page.databytecounts), options)
