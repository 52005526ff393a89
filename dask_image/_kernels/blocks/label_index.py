"""
The labels of one block, made ready to look up tables with a row for each label.

Where labels are no further apart than the block has pixels, roughly, they are used as they
are; else they are replaced by their ranks.
"""

from typing import NamedTuple

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._kernels._numba import use_numba
from dask_image._kernels.memory import scratch
from dask_image._kernels.patience import patient
from dask_image._utils.typing import Shape

# A table over the range of labels is used as long as it is no larger than one entry for so many
# pixels, or this many entries; to rank them, as it has so many entries a run.
PIXELS_A_ROW = 4
TABLE_RUNS = 16
TABLE_ENTRIES = 1 << 16

# Dtypes that the compiled kernels take as they are; others are widened, which keeps the
# values and saves compiling a version for each.
LABEL_TYPES = {
    "b1": "u1", "i1": "i4", "u1": "u1", "i2": "i4", "u2": "u2",
    "i4": "i4", "u4": "i8", "i8": "i8", "u8": "u8",
}  # fmt: skip


class LabelIndex(NamedTuple):
    """
    Which row of a table each pixel of a block belongs to.

    Attributes
    ----------
    codes : numpy.ndarray of integer
        2-D: rows along the last axis of the block. A pixel's row of a table is its code less
        ``low``.
    low : int
        The lowest code.
    size : int
        How many rows a table must have.
    ranked : numpy.ndarray or None
        If codes are ranks, the labels they stand for; all are present. None if codes are
        the labels themselves.
    dtype : numpy.dtype
        Of the labels.
    shape : tuple of int
        Of the block.
    """

    codes: np.ndarray
    low: int
    size: int
    ranked: np.ndarray | None
    dtype: np.dtype
    shape: Shape

    @property
    def alone(self):
        """Whether there is one label, in every pixel: what NumPy does with all of them is right."""
        return self.size == 1

    def offsets(self):
        """Return the row of a table for every pixel, 1-D."""
        codes = self.codes.reshape(-1)
        if self.ranked is not None:
            return codes
        # Unsigned arithmetic wraps, so the difference is right for all labels.
        return (codes.astype(np.uint64) - np.uint64(self.low % 2**64)).astype(np.intp)

    def labels_of(self, rows):
        """Return the labels of rows of a table."""
        if self.ranked is not None:
            return self.ranked[rows]
        low = np.array(self.low, self.codes.dtype)
        return (low + rows.astype(self.codes.dtype)).astype(self.dtype)


class LabelRuns(NamedTuple):
    """
    A block of labels as runs.

    Attributes
    ----------
    labels : numpy.ndarray
        Labels present, ascending and distinct.
    slots : numpy.ndarray of int32
        For each run the position of its label in ``labels``.
    starts : numpy.ndarray of int64
        Where each run starts in the flattened block, and then the block's size.
    shape : tuple of int
        Shape of the block.
    """

    labels: np.ndarray
    slots: np.ndarray
    starts: np.ndarray
    shape: Shape


def as_rows(block):
    """Return ``block`` as a C-contiguous 2-D array of its rows along the last axis."""
    columns = block.shape[-1] if block.ndim else 1
    rows = block.size // columns if columns else 0
    return np.ascontiguousarray(block).reshape(rows, columns)


def bits_of_booleans(array):
    """
    Return booleans as integers, 0 or 1, without a copy if they lie in memory as such.

    Any other byte is True as well, as in an image of 0 and 255 of which someone took a boolean
    view. Arrays of other dtypes are returned as they are.
    """
    if array.dtype != bool:
        return array
    codes = array.view(np.uint8)
    return codes if codes.max(initial=0) <= 1 else (codes != 0).view(np.uint8)


def index_labels(labels):
    """
    Make a block of labels ready.

    Parameters
    ----------
    labels : numpy.ndarray
        Integer or boolean labels, of any shape.

    Returns
    -------
    LabelIndex
    """
    dtype, shape = labels.dtype, labels.shape
    codes = bits_of_booleans(as_rows(labels))
    codes = codes.astype(LABEL_TYPES[dtype.str[1:]], copy=False)
    if codes.size == 0:
        return LabelIndex(codes, 0, 0, None, dtype, shape)
    low, high = int(codes.min()), int(codes.max())
    size = high - low + 1
    if size <= max(codes.size // PIXELS_A_ROW, TABLE_ENTRIES):
        return LabelIndex(codes, low, size, None, dtype, shape)
    starts = _run_starts(codes)
    present, slots = _rank(codes.reshape(-1)[starts[:-1]])
    ranks = np.repeat(slots, np.diff(starts)).reshape(codes.shape)
    return LabelIndex(ranks, 0, present.size, present.astype(dtype), dtype, shape)


def index_group(labels):
    """Make a block ready of which all labels above 0 are one group, 1, as `index_labels` does."""
    return index_labels(labels if labels.dtype == bool else labels > 0)


def find_runs(index):
    """
    Cut a block of labels into runs.

    Parameters
    ----------
    index : LabelIndex

    Returns
    -------
    LabelRuns
    """
    if index.codes.size == 0:
        nothing = np.empty(0, index.dtype)
        return LabelRuns(nothing, np.empty(0, np.int32), np.zeros(1, np.int64), index.shape)
    starts = _run_starts(index.codes)
    codes = index.codes.reshape(-1)[starts[:-1]]
    if index.ranked is not None:
        return LabelRuns(index.ranked, codes, starts, index.shape)
    present, slots = _rank(codes)
    return LabelRuns(present.astype(index.dtype), slots, starts, index.shape)


def _run_starts(codes):
    """Return where runs of equal codes in the rows of a 2-D array start, and its size."""
    flat = codes.reshape(-1)
    change = scratch("changes of codes", flat.size + 1, np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=change[1:-1])
    change[:: codes.shape[1]] = True
    return np.flatnonzero(change)


@patient
def _rank(values):
    """Return the distinct values, ascending, and for each value its position among them."""
    low, high = int(values.min()), int(values.max())
    size = high - low + 1
    if size > max(TABLE_RUNS * values.size, TABLE_ENTRIES):
        present, slots = np.unique(values, return_inverse=True)
        return present, slots.astype(np.int32, copy=False)
    low = values.dtype.type(low)
    if use_numba():
        table, slots = np.full(size, -1, np.int32), np.empty(values.size, np.int32)
        kernels.label_loops.rank_by_table(values, low, table, slots)
        return np.flatnonzero(table >= 0).astype(values.dtype) + low, slots
    offsets = (values - low).astype(np.intp)
    table = np.zeros(size, bool)
    table[offsets] = True
    present = np.flatnonzero(table).astype(values.dtype) + low
    return present, (np.cumsum(table, dtype=np.int32) - np.int32(1))[offsets]


def row_coordinates(shape, location):
    """Return, a row of the block, the coordinates on all axes but the last: int64, 2-D."""
    leading = shape[:-1]
    rows = int(np.prod(leading, dtype=np.int64))
    grids = np.indices(leading, dtype=np.int64).reshape(len(leading), rows)
    return np.ascontiguousarray(grids.T) + np.array(location.origin[:-1], np.int64)


def row_places(coordinates, location):
    """Return for each row of the block the raster position, in the image, of its first pixel."""
    strides = np.cumprod((1,) + location.image_shape[:0:-1], dtype=np.int64)[::-1]
    last = location.origin[-1] if location.origin else 0
    return coordinates @ strides[: coordinates.shape[1]] + last


def merge_labels(partials):
    """
    Unite the labels of several partials.

    Parameters
    ----------
    partials : sequence of dict
        Each with ascending, distinct ``labels``.

    Returns
    -------
    labels : numpy.ndarray
        All labels, ascending and distinct.
    slots : list of numpy.ndarray of int32
        For each partial, where its labels are among them.
    """
    labels = [partial["labels"] for partial in partials]
    if len(labels) == 1:
        # A copy, for a partial is never handed on as another one.
        return labels[0].copy(), [np.arange(labels[0].size, dtype=np.int32)]
    dtype = labels[0].dtype
    values = np.concatenate(labels).astype(LABEL_TYPES[dtype.str[1:]], copy=False)
    if values.size == 0:
        return labels[0], [np.empty(0, np.int32) for _ in labels]
    present, slots = _rank(values)
    bounds = np.cumsum([part.size for part in labels[:-1]])
    return present.astype(dtype, copy=False), np.split(slots, bounds)
