"""
Frames of TIFF files.

The header of a file is read once. What a task needs to find the pixels of its
block – where the strips or tiles under it start, how they are packed – travels
with the task, which then opens the file once and reads nothing but pixels.
"""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from dask_image.imread import _tifffile
from dask_image.imread._files import FileState

# Classic and BigTIFF, both byte orders, and the variant that Hamamatsu and Olympus write.
_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"IIU\0")


def is_tiff(file):
    """Tell by its first bytes whether an open file is a TIFF."""
    file.seek(0)
    return file.read(4).startswith(_SIGNATURES)


class Page(NamedTuple):
    """Where the strips or tiles of one page lie, ``indices`` being their numbers in the page."""

    file: FileState
    directory: int
    indices: range | tuple[int, ...]
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    jpeg_options: dict[str, Any]


@dataclass(frozen=True)
class PageLayout:
    """
    What a page is made of: the same for all pages of a series.

    ``shape`` is: planes of separate samples, depth, rows, columns, interleaved samples;
    ``segment_shape`` the depth, rows and columns of a strip or tile. Samples stay where the file
    has them: planes before rows and columns, interleaved ones behind.
    """

    shape: tuple[int, int, int, int, int]
    segment_shape: tuple[int, int, int]
    stored_dtype: np.dtype
    planes_are_samples: bool
    decoder: _tifffile.Decoder | None
    fill_value: float

    @property
    def frames_per_page(self):
        """Number of frames in a page."""
        planes, depth, *_ = self.shape
        return depth if self.planes_are_samples else planes * depth

    @property
    def grid(self):
        """Number of segments: planes, depth, rows, columns; they are counted in this order."""
        planes, *sizes, _ = self.shape
        return (planes, *(-(-size // part) for size, part in zip(sizes, self.segment_shape)))

    def frames_at(self, plane, depths):
        """Return the frames of a page that a range of depths of one plane belongs to."""
        if self.planes_are_samples:
            return depths
        before = plane * self.shape[1]
        return range(before + depths.start, before + depths.stop)

    def segments_under(self, frames, rows, columns):
        """Return the numbers of the segments that ranges of frames, rows and columns touch."""
        planes, slabs, rows_of_segments, per_row = self.grid
        depth, height, width = self.segment_shape
        down = range(rows.start // height, -(-rows.stop // height))
        along = range(columns.start // width, -(-columns.stop // width))
        numbers = []
        for plane, slab in itertools.product(range(planes), range(slabs)):
            inside = range(slab * depth, min((slab + 1) * depth, self.shape[1]))
            if not _common(self.frames_at(plane, inside), frames):
                continue
            above = (plane * slabs + slab) * rows_of_segments
            for row in down:
                left = (above + row) * per_row
                numbers.extend(range(left + along.start, left + along.stop))
        return numbers


def _common(one, other):
    """Return the range that two ranges have in common."""
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _inside(part, whole):
    """Return where a range lies in another one, as a slice."""
    return slice(part.start - whole.start, part.stop - whole.start)


@dataclass(frozen=True)
class TiffFrames:
    """Frames ``start`` to ``stop`` of ``pages``, some of their rows and columns."""

    pages: tuple[Page, ...]
    layout: PageLayout
    start: int
    stop: int
    rows: range
    columns: range

    @property
    def count(self):
        """Number of frames."""
        return self.stop - self.start

    @property
    def dtype(self):
        """Native dtype of the frames."""
        return self.layout.stored_dtype.newbyteorder("=")

    @property
    def plane_axis(self):
        """Which axis of a frame the rows are; columns follow."""
        return int(self.layout.planes_are_samples)

    @property
    def segment_shape(self):
        """Rows and columns of what is read or unpacked at once."""
        return self.layout.segment_shape[1:]

    @property
    def frame_shape(self):
        """Rows and columns of a frame; for colours, samples before or behind them."""
        planes, _, _, _, samples = self.layout.shape
        before = (planes,) if self.layout.planes_are_samples else ()
        behind = (samples,) if samples > 1 else ()
        return (*before, len(self.rows), len(self.columns), *behind)

    @property
    def files(self):
        """Every file that is read, once."""
        return tuple(dict.fromkeys(page.file for page in self.pages))

    def select(self, start, stop, rows, columns):
        """
        Return the frames ``start`` to ``stop`` of these, and a part of each.

        Of the pages, and of their strips or tiles, those that are needed are left.

        Parameters
        ----------
        start, stop : int
        rows, columns : range
        """
        start, stop = start + self.start, stop + self.start
        per_page = self.layout.frames_per_page
        first, last = start // per_page, -(-stop // per_page)
        pages = self.pages[first:last]
        if (rows, columns) != (self.rows, self.columns) or per_page > 1:
            pages = tuple(
                self._part(page, range(start - at * per_page, stop - at * per_page), rows, columns)
                for at, page in enumerate(pages, first)
            )
        skipped = first * per_page
        return replace(
            self, pages=pages, start=start - skipped, stop=stop - skipped, rows=rows,
            columns=columns,
        )  # fmt: skip

    def _part(self, page, frames, rows, columns):
        if self.layout.decoder is None:
            return page
        numbers = self.layout.segments_under(frames, rows, columns)
        places = numbers
        if not isinstance(page.indices, range):  # a part of a part
            place_of = {number: place for place, number in enumerate(page.indices)}
            places = [place_of[number] for number in numbers]
        return page._replace(
            indices=tuple(numbers),
            offsets=tuple(page.offsets[place] for place in places),
            byte_counts=tuple(page.byte_counts[place] for place in places),
        )

    def read_into(self, out):
        """Fill ``out``, an array of shape ``(count, *frame_shape)`` and of ``dtype``."""
        planes, _, _, _, samples = self.layout.shape
        planes = planes if self.layout.planes_are_samples else 1
        shape = (len(out), planes, len(self.rows), len(self.columns), samples)
        out = out.reshape(shape)  # which is contiguous: a view
        read = self._read_raw if self.layout.decoder is None else self._read_segments
        page_frames = range(self.layout.frames_per_page)
        first = 0
        for file_state, pages in itertools.groupby(self.pages, key=lambda page: page.file):
            # Reads, each at a place of its own, gain nothing from a buffer.
            with open(file_state.path, "rb", buffering=0) as file:
                file_state.check(file)
                for page in pages:
                    frames = _common(page_frames, range(self.start - first, self.stop - first))
                    begin = first - self.start
                    read(file, page, out[begin + frames.start : begin + frames.stop], frames)
                    first += len(page_frames)

    def _read_raw(self, file, page, out, frames):
        """Read some frames of a page that lie in the file as they are."""
        layout = self.layout
        _, depth, rows, columns, samples = layout.shape
        pixel = samples * layout.stored_dtype.itemsize
        for frame, plane in itertools.product(frames, range(out.shape[1])):
            number = plane * depth + frame if layout.planes_are_samples else frame
            top = page.offsets[0] + number * rows * columns * pixel
            part = out[frame - frames.start, plane]
            if len(self.columns) == columns:
                runs = [(self.rows.start, part)]
            else:
                runs = zip(self.rows, part)
            for row, run in runs:
                place = top + (row * columns + self.columns.start) * pixel
                _read_exactly(file, place, run.reshape(-1).view(np.uint8))
        if not layout.stored_dtype.isnative:
            out.byteswap(inplace=True)

    def _read_segments(self, file, page, out, frames):
        """Read some frames of a page that lies in the file as strips or tiles."""
        layout = self.layout
        decode = layout.decoder.for_page(page.file.path, page.directory)
        limits = layout.shape[1:4]
        for index, offset, size in zip(page.indices, page.offsets, page.byte_counts, strict=True):
            packed = _read_bytes(file, offset, size) if size else None
            segment, (plane, *origin, _), shape = decode(packed, index, **page.jpeg_options)
            # Tiles reach over the edge of the image.
            depths, rows, columns = (
                range(low, min(low + size, limit))
                for low, size, limit in zip(origin, shape, limits)
            )
            here = layout.frames_at(plane, depths)
            kept = _common(here, frames), _common(rows, self.rows), _common(columns, self.columns)
            place = [
                _inside(part, whole) for part, whole in zip(kept, (frames, self.rows, self.columns))
            ]
            place.insert(1, plane if layout.planes_are_samples else 0)
            # One that is not in the file is not lost: the format lets writers leave out tiles
            # that hold nothing but the fill value.
            out[tuple(place)] = (
                layout.fill_value
                if segment is None
                else segment[tuple(map(_inside, kept, (here, rows, columns)))]
            )


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
    series, level : int
        Which series of pictures of each file, and which of its resolutions.
    """

    def __init__(self, *, alone, series=0, level=0):
        self._alone = alone
        self.series = series
        self.level = level
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
        with _tifffile.opened(file, companions=self._alone) as tiff:
            stored = _tifffile.stored_pages(tiff, self.series, self.level, self._decoders)
        frames = _frames_of(stored, state)
        for page in frames.pages:
            end = max(map(sum, zip(page.offsets, page.byte_counts)))
            if end > page.file.size:
                raise ValueError(
                    f"{page.file.path} ends after {page.file.size} bytes, its pixels after {end}"
                )
        if stored.decoder is None:
            self._remember(file, frames, state)
        return frames

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


def _frames_of(stored, state):
    """Return all frames of the pages that a file's header, or several, tell of."""
    planes, _, rows, columns, _ = stored.page_shape
    layout = PageLayout(
        shape=stored.page_shape,
        segment_shape=stored.segment_shape,
        stored_dtype=stored.dtype,
        planes_are_samples=planes > 1 and "S" in stored.axes,
        decoder=stored.decoder,
        fill_value=stored.fill_value,
    )
    # Some writers list more than the page is made of.
    needed = math.prod(layout.grid) if layout.decoder else 1
    states = {state.path: state}
    pages = []
    for path, directory, offsets, byte_counts, jpeg_options in stored.pages:
        if len(offsets) < needed:
            raise ValueError(f"page {len(pages)} lists {len(offsets)} strips or tiles of {needed}")
        if path not in states:
            states[path] = FileState.of(path)
        where = range(needed), offsets[:needed], byte_counts[:needed]
        pages.append(Page(states[path], directory, *where, jpeg_options))
    count = len(pages) * layout.frames_per_page
    return TiffFrames(tuple(pages), layout, 0, count, range(rows), range(columns))
