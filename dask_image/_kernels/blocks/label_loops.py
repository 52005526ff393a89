"""
Compiled loops over the pixels of labels.

Each label has a row of a table, so that what is known of it lies in one cache line. Loops
that add look at a table once for a run of equal labels, and add in registers until then: to add
to memory that was just written takes several times as long.
"""

import numpy as np

from dask_image._kernels._numba import jit, jit_allocating
from dask_image._kernels.blocks.label_columns import (
    COORDINATES,
    COUNT,
    FIRST,
    GREATEST,
    LEAST,
    LOWER,
    MASS,
    OFFSETS,
    PIXELS,
    SHIFT,
    SHIFTED,
    SQUARES,
    SUM,
    UPPER,
)


@jit
def add_values(codes, low, values, table):
    """Add up count and sum; ``codes`` and ``values`` are 1-D, ``table[code - low]`` is a row."""
    if codes.size == 0:
        return
    previous, start, total = codes[0], 0, 0.0
    for pixel in range(codes.size):
        code = codes[pixel]
        if code != previous:
            row = np.uint64(previous - low)
            table[row, COUNT] += pixel - start
            table[row, SUM] += total
            previous, start, total = code, pixel, 0.0
        total += np.float64(values[pixel])
    row = np.uint64(previous - low)
    table[row, COUNT] += codes.size - start
    table[row, SUM] += total


@jit
def add_squares(codes, low, values, table):
    """Add up the distances from ``table[…, SHIFT]``, and their squares."""
    if codes.size == 0:
        return
    previous, shifted, squares = codes[0], 0.0, 0.0
    shift = table[np.uint64(previous - low), SHIFT]
    for pixel in range(codes.size):
        code = codes[pixel]
        if code != previous:
            row = np.uint64(previous - low)
            table[row, SHIFTED] += shifted
            table[row, SQUARES] += squares
            previous, shifted, squares = code, 0.0, 0.0
            shift = table[np.uint64(code - low), SHIFT]
        distance = values[pixel] - shift
        shifted += distance
        squares += distance * distance
    row = np.uint64(previous - low)
    table[row, SHIFTED] += shifted
    table[row, SQUARES] += squares


@jit
def add_weights(codes, low, values, coordinates, last, table, seen):
    """
    Add up values, and values times coordinates; ``codes`` and ``values`` are 2-D.

    ``coordinates`` holds, for each of their rows, those along all axes but the last one, along
    which the first column is at ``last``.
    """
    leading = coordinates.shape[1]
    for y in range(codes.shape[0]):
        line, weights = codes[y], values[y]
        previous, total, along = line[0], 0.0, 0.0
        for x in range(line.size + 1):
            code = line[min(x, line.size - 1)]
            if code != previous or x == line.size:
                row = np.uint64(previous - low)
                seen[row] = True
                table[row, MASS] += total
                for axis in range(leading):
                    table[row, COORDINATES + axis] += total * coordinates[y, axis]
                if table.shape[1] > COORDINATES + leading:
                    table[row, COORDINATES + leading] += along + total * last
                previous, total, along = code, 0.0, 0.0
            if x < line.size:
                total += np.float64(weights[x])
                along += np.float64(weights[x]) * x


@jit
def find_extremes(codes, low, values, extremes, places):
    """
    Find where the least and the greatest value is first; ``codes`` and ``values`` are 1-D.

    A label not yet met has an empty range, from the greatest to the least value there is or
    between two NaN, so that its first value is outside of it; its places are -1.
    """
    for pixel in range(codes.size):
        row = np.uint64(codes[pixel] - low)
        value = values[pixel]
        if value >= extremes[row, LEAST] and value <= extremes[row, GREATEST]:
            continue
        if places[row, LEAST] < 0:
            extremes[row, LEAST] = extremes[row, GREATEST] = value
            places[row, LEAST] = places[row, GREATEST] = pixel
            continue
        least, greatest = extremes[row, LEAST], extremes[row, GREATEST]
        # NaN counts as the greatest: a number replaces it as the least, and nothing
        # replaces it as the greatest.
        if value < least or (np.isnan(least) and not np.isnan(value)):
            extremes[row, LEAST], places[row, LEAST] = value, pixel
        if value > greatest or (np.isnan(value) and not np.isnan(greatest)):
            extremes[row, GREATEST], places[row, GREATEST] = value, pixel


@jit_allocating
def even_bins(values, edges):
    """Return the bin of each value, -1 for none; edges are evenly spaced, but for rounding."""
    last = edges.size - 2
    low, high = edges[0], edges[last + 1]
    scale = (last + 1) / (high - low)
    found = np.empty(values.size, np.int64)
    for pixel in range(values.size):
        value = np.float64(values[pixel])
        if not low <= value <= high:
            found[pixel] = -1
            continue
        # The edges themselves decide: the quotient is a guess that rounding may put beside.
        place = min(np.int64((value - low) * scale), last)
        while value < edges[np.uint64(place)]:
            place -= 1
        while place < last and value >= edges[np.uint64(place + 1)]:
            place += 1
        found[pixel] = place
    return found


@jit
def rank_by_table(values, low, table, slots):
    """
    Write for each value its position among the distinct ones.

    ``table``, of -1 at first, gets that of ``low`` and the numbers after it.
    """
    for run in range(values.size):
        table[np.uint64(values[run] - low)] = 0
    count = 0
    for entry in range(table.size):
        if table[entry] == 0:
            table[entry] = count
            count += 1
    for run in range(values.size):
        slots[run] = table[np.uint64(values[run] - low)]


@jit
def measure_runs(slots, starts, columns, rows, boxes, sums):
    ndim = boxes.shape[2]
    last = ndim - 1
    row = 0
    for run in range(slots.size):
        slot = np.uint64(slots[run])  # or it would be checked for whether it counts from the end
        start = starts[run]
        while start >= (row + 1) * columns:
            row += 1
        start -= row * columns
        stop = starts[run + 1] - row * columns
        length = stop - start
        if sums[slot, PIXELS] == 0:
            for axis in range(last):
                boxes[slot, LOWER, axis] = boxes[slot, FIRST, axis] = rows[row, axis]
            if ndim:
                boxes[slot, LOWER, last] = boxes[slot, FIRST, last] = start
        sums[slot, PIXELS] += length
        if ndim == 0:
            continue
        offset = start - boxes[slot, FIRST, last]
        along = length * offset + length * (length - 1) // 2
        if start < boxes[slot, LOWER, last]:
            boxes[slot, LOWER, last] = start
        if stop > boxes[slot, UPPER, last]:
            boxes[slot, UPPER, last] = stop
        sums[slot, OFFSETS + last] += along
        pair = OFFSETS + ndim
        for axis in range(last):
            coordinate = rows[row, axis]
            apart = coordinate - boxes[slot, FIRST, axis]
            if coordinate < boxes[slot, LOWER, axis]:
                boxes[slot, LOWER, axis] = coordinate
            if coordinate >= boxes[slot, UPPER, axis]:
                boxes[slot, UPPER, axis] = coordinate + 1
            sums[slot, OFFSETS + axis] += length * apart
            for other in range(axis, last):
                sums[slot, pair] += length * apart * (rows[row, other] - boxes[slot, FIRST, other])
                pair += 1
            sums[slot, pair] += along * apart
            pair += 1
        squares = (length - 1) * length * (2 * length - 1) // 6
        sums[slot, pair] += offset * (2 * along - length * offset) + squares


@jit
def merge_boxes(where, merged, new):
    count, lower, upper, coordinates, products = merged
    new_count, new_lower, new_upper, new_coordinates, new_products = new
    ndim = lower.shape[1]
    for row in range(where.size):
        slot = np.uint64(where[row])
        before, more = count[slot], new_count[row]
        weight = float(before) * more / (before + more)
        pair = 0
        for axis in range(ndim if products.shape[1] else 0):
            apart = new_coordinates[row, axis] / more
            if before:
                apart -= coordinates[slot, axis] / before
            for other in range(axis, ndim):
                across = new_coordinates[row, other] / more
                if before:
                    across -= coordinates[slot, other] / before
                products[slot, pair] += new_products[row, pair] + weight * apart * across
                pair += 1
        for axis in range(ndim):
            if new_lower[row, axis] < lower[slot, axis]:
                lower[slot, axis] = new_lower[row, axis]
            if new_upper[row, axis] > upper[slot, axis]:
                upper[slot, axis] = new_upper[row, axis]
            coordinates[slot, axis] += new_coordinates[row, axis]
        count[slot] += more
