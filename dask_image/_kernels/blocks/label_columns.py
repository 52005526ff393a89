"""What the columns of measurements of labels hold, and where a block lies."""

from typing import NamedTuple

from dask_image._utils.typing import Shape

COUNT, SUM, SQUARES, SHIFT, SHIFTED = range(5)
"""
Columns of sums and of spreads: the pixels, the sum of their values, the sum of squares about
the mean, a value near the mean (the shift), and the sum of the distances from it.
"""

MASS, COORDINATES = 0, 1
"""
Columns of centres: the sum of values, and from there on, for each axis, of value times coordinate.
"""

LEAST, GREATEST = 0, 1
"""Columns of extremes, and of their places."""

LOWER, UPPER, FIRST = range(3)
"""Corners of a label: of its bounding box, and its first pixel."""

PIXELS, OFFSETS = 0, 1
"""
Columns of the sums over runs: the pixels; from there on, for each axis, the sum of how far they are
from the label's first pixel; then, for each pair of axes, the sum of products of these distances.
"""


BEGIN, END = 0, 1
"""Columns of spans along an axis: the first position, and the one after the last."""


class BlockLocation(NamedTuple):
    """
    Where a block lies in its image.

    Attributes
    ----------
    origin : tuple of int
        First pixel of the block.
    image_shape : tuple of int
        Shape of the image.
    """

    origin: Shape
    image_shape: Shape
