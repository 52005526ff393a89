"""Filters of Fourier transforms, in one pass over a block."""

from dask_image._kernels._numba import jit, jit_part


@jit
def multiply(rows, outer, last, result):
    """Write rows times a factor for each of them, times one for each column, to ``result``."""
    for number in range(len(rows)):
        _multiply_row(rows[number], outer[number], last, result[number])


@jit_part
def _multiply_row(row, factor, last, result):
    for place in range(row.size):
        result[place] = row[place] * (factor * last[place])
