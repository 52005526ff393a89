"""Frames of whatever is no TIFF: pictures, films, microscope formats."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dask_image.imread._files import FileState
from dask_image.imread._openers import opener_of


@dataclass(frozen=True)
class PictureFrames:
    """
    Frames ``start`` to ``stop`` of a file, some of their rows and columns.

    A reader may take an animated picture for one frame, or give all of it for each
    frame, hence ``per_item``, the number of frames in what it calls one.
    """

    file: FileState
    opener: Callable
    whole_shape: tuple[int, ...]
    dtype: np.dtype
    per_item: int
    start: int
    stop: int
    rows: range
    columns: range
    frame_rate: float | None = None

    plane_axis = 0  # of a frame: the rows

    @property
    def segment_shape(self):
        """Rows and columns of what is read at once: a frame."""
        return self.whole_shape[:2]

    @property
    def frame_shape(self):
        """Rows and columns of a frame, and its samples."""
        return (len(self.rows), len(self.columns), *self.whole_shape[2:])

    @property
    def count(self):
        """Number of frames."""
        return self.stop - self.start

    @property
    def files(self):
        """Every file that is read, once."""
        return (self.file,)

    def select(self, start, stop, rows, columns):
        """Return the frames ``start`` to ``stop`` of these, and a part of each."""
        start, stop = start + self.start, stop + self.start
        return replace(self, start=start, stop=stop, rows=rows, columns=columns)

    def read_into(self, out):
        """Fill ``out``, an array of shape ``(count, *frame_shape)`` and of ``dtype``."""
        with open(self.file.path, "rb") as file:
            self.file.check(file)
        expected = (self.per_item, *self.whole_shape)
        rows = slice(self.rows.start, self.rows.stop)
        columns = slice(self.columns.start, self.columns.stop)
        with self.opener(self.file.path) as reader:
            for item in range(self.start // self.per_item, -(-self.stop // self.per_item)):
                frames = _frames_in(reader[item])
                if frames.shape != expected or frames.dtype != self.dtype:
                    raise ValueError(
                        f"item {item} has shape {frames.shape} and dtype {frames.dtype}, "
                        f"the first one {expected} and {self.dtype}"
                    )
                position = item * self.per_item
                first, last = max(position, self.start), min(position + len(frames), self.stop)
                out[first - self.start : last - self.start] = frames[
                    first - position : last - position, rows, columns
                ]


def _frames_in(item):
    """Return what a reader takes for one frame with an axis of frames in front."""
    pixels = np.asarray(item)
    if pixels.ndim < 2:
        raise ValueError(f"a frame must have rows and columns, this one has shape {pixels.shape}")
    # Four samples are colours with transparency; more than that are columns.
    colours = pixels.ndim > 2 and pixels.shape[-1] <= 4
    return pixels.reshape(-1, *pixels.shape[-3 if colours else -2 :])


def describe_picture(path):
    """
    Open a file and return its frames.

    The first frame is read: what readers say of their frames beforehand leaves
    out the samples of colours, or the dtype.

    Raises
    ------
    ValueError
        If there is no frame, or the first one has not the shape that the reader
        announced.
    """
    state = FileState.of(path)
    opener = opener_of(path)
    with opener(path) as reader:
        rate = getattr(reader, "frame_rate", None)
        items = len(reader)
        if not items:
            raise ValueError("it holds no frames")
        first = np.asarray(reader[0])
        announced = tuple(reader.frame_shape)
    if not _agree(first.shape, announced):
        if first.shape[:1] != (items,) or not _agree(first.shape[1:], announced):
            raise ValueError(
                f"its reader announces {items} frames of shape {announced}, and gives "
                f"{first.shape} for the first of them"
            )
        # Whichever frame it is asked for, this reader hands out all of them (animated WebP).
        items = 1
    first = _frames_in(first)
    per_item, *frame_shape = first.shape
    rows, columns = map(range, frame_shape[:2])
    return PictureFrames(
        state, opener, tuple(frame_shape), first.dtype, per_item, 0, items * per_item, rows,
        columns, float(rate) if rate and items * per_item > 1 else None,
    )  # fmt: skip


def _agree(shape, announced):
    """Tell whether a frame has the shape announced: samples may be left out, columns come first."""
    return sorted(announced) in (sorted(shape), sorted(shape[:-1]))
