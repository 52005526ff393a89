"""
What each pixel adds to the perimeter and to the Euler number of its label.

Both are sums over pixels of numbers that depend on a pixel's neighbours alone, so that borders of
blocks do not matter.
"""

from __future__ import annotations

import itertools

import numpy as np

from dask_image._utils.typing import Block, NDArray


def _padded(labels: Block, width: int, wrap_axes: tuple[int, ...]) -> NDArray:
    """Return labels with background around them, or what is at the other end of an axis."""
    for axis in range(labels.ndim):
        widths = [(width * (axis == other),) * 2 for other in range(labels.ndim)]
        labels = np.pad(labels, widths, "wrap" if axis in wrap_axes else "constant")
    return labels


def _shifted(padded: NDArray, step: tuple[int, ...], width: int) -> NDArray:
    """Return the neighbour at ``step`` of each pixel but for a margin of ``width``."""
    return padded[
        tuple(
            slice(width + by, size - width + by)
            for by, size in zip(step, padded.shape, strict=True)
        )
    ]


def euler_parts(labels: Block, wrap_axes: tuple[int, ...] = ()) -> Block:
    """
    Return what each pixel adds to the Euler number of its label, int8; 0 for the background.

    Pixels are closed cubes, and touch at corners too. The number is the alternating sum of the
    numbers of corners, edges and so on up to the cubes themselves (H. Poincaré), each of which is
    counted where the first pixel of the label in raster order has it.
    """
    padded = _padded(labels, 1, wrap_axes)
    ndim = labels.ndim
    nothing = (0,) * ndim
    earlier = {
        step: _shifted(padded, step, 1) == labels
        for step in itertools.product((-1, 0, 1), repeat=ndim)
        if step < nothing
    }
    total = np.zeros(labels.shape, np.int8)
    # A cell of a cube: on each axis it lies at the lower end, at the upper end, or extends along.
    for cell in itertools.product((-1, 0, 1), repeat=ndim):
        seen = np.zeros(labels.shape, bool)
        for step in itertools.product(*((0, side) if side else (0,) for side in cell)):
            if step < nothing:
                seen |= earlier[step]
        sign = -1 if cell.count(0) % 2 else 1
        total += np.where(seen, 0, sign).astype(np.int8)
    total[labels == 0] = 0
    return total


def perimeter_parts(labels: Block, wrap_axes: tuple[int, ...] = ()) -> Block:
    """
    Return what each pixel adds to the perimeter of its label, complex64; 0 for the background.

    The real part counts halves, the imaginary part halves of the root of 2. A pixel is on the
    border if one of its four neighbours is of another label; what it adds depends on how many of
    the neighbours that it shares a side with are on the border, and how many of those at corners
    (K. Benkrid, D. Crookes, "Design and FPGA implementation of a perimeter estimator", 2000).
    """
    padded = _padded(labels, 2, wrap_axes)
    around = padded[1:-1, 1:-1]
    beside = [(-1, 0), (1, 0), (0, -1), (0, 1)]
    border = np.zeros(around.shape, bool)
    for step in beside:
        border |= _shifted(padded, step, 1) != around
    sides, corners = (np.zeros(labels.shape, np.int8) for _ in range(2))
    for count, steps in ((sides, beside), (corners, itertools.product((-1, 1), repeat=2))):
        for step in steps:
            count += _shifted(border, step, 1) & (_shifted(around, step, 1) == labels)
    parts = _PERIMETER[sides, corners]
    parts[~border[1:-1, 1:-1] | (labels == 0)] = 0
    return parts


def _perimeter_parts_by_neighbours() -> NDArray:
    """Return what a pixel on the border adds, by its neighbours on it: at sides, at corners."""
    parts = np.zeros((5, 5), np.complex64)
    for sides, corners in [(2, 0), (3, 0), (2, 1), (3, 1), (2, 2), (3, 2)]:
        parts[sides, corners] = 2
    parts[0, 2] = parts[1, 3] = 2j
    parts[1, 1] = parts[1, 2] = 1 + 1j
    return parts


_PERIMETER = _perimeter_parts_by_neighbours()
