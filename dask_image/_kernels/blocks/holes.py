"""
Values for holes in an image, from the biharmonic equation.

Where the discrete Laplacian, applied twice, is zero at each missing pixel, a surface bends as
little as it can between the pixels that are there. Beyond its edges the image is mirrored (SciPy's
"reflect"), so the Laplacian L is that of the grid's graph, and the equations L² u = 0 of a hole are
symmetric and positive definite unless the hole is all of the image. Two missing pixels have to do
with each other if they are at most two steps along axes apart: components of that relation are
solved one by one, with their pixels in raster order, so that the values do not depend on which
block does it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import linalg

from dask_image._utils.typing import Block, NDArray, Shape, Slices

REACH = 2
"""So many pixels beyond a hole have a part in its values."""

LARGEST = {1: 100_000, 2: 100_000}
LARGEST_OF_MORE_AXES = 20_000

# Holes of so few pixels are solved all of one size together, by dense matrices.
SMALL = 24
NUMBERS_AT_A_TIME = 1 << 20


class Equations(NamedTuple):
    """
    An equation for each of some missing pixels, in raster order.

    Attributes
    ----------
    positions : numpy.ndarray of int64
        Where the pixels are in the raveled image.
    linked : numpy.ndarray of bool
        One row a pixel: which of the pixels around (`neighbours`) are unknown, too.
    constants : numpy.ndarray of float64
        What the known pixels around contribute.
    """

    positions: NDArray
    linked: NDArray
    constants: NDArray


class System(NamedTuple):
    """
    Equations, and which unknowns they share.

    Attributes
    ----------
    equations : Equations
    rows, columns, steps : numpy.ndarray
        Equation, unknown and number of the neighbour, for each coefficient.
    groups : numpy.ndarray
        The number of the component of each pixel.
    is_open : numpy.ndarray of bool
        Which components have pixels without an equation here.
    """

    equations: Equations
    rows: NDArray
    columns: NDArray
    steps: NDArray
    groups: NDArray
    is_open: NDArray


def largest_hole(ndim: int) -> int:
    """Return how many pixels a hole may have: a larger one takes too much memory and time."""
    return LARGEST.get(ndim, LARGEST_OF_MORE_AXES)


@functools.lru_cache(maxsize=16)
def neighbours(ndim: int) -> NDArray:
    """Return the steps to all pixels that the equation of a pixel holds, itself among them."""
    steps = itertools.product(range(-REACH, REACH + 1), repeat=ndim)
    return np.array([step for step in steps if sum(map(abs, step)) <= REACH]).reshape(-1, ndim)


@functools.lru_cache(maxsize=64)
def _coefficients(shape: Shape) -> NDArray:
    """Return the coefficients of all pixels of a small image: one row a pixel, as `neighbours`."""
    ndim = len(shape)
    number = {tuple(step): n for n, step in enumerate(neighbours(ndim).tolist())}
    pixels = np.indices(shape).reshape(ndim, -1).T
    table = np.zeros((len(pixels), len(number)), np.int16)
    units = [
        (0,) * ndim,
        *map(tuple, np.vstack([np.eye(ndim, dtype=int), -np.eye(ndim, dtype=int)])),
    ]
    for one, of_one in zip(units, _laplacian(pixels, units, shape)):
        for other, of_other in zip(units, _laplacian(pixels + one, units, shape)):
            both = tuple(int(a + b) for a, b in zip(one, other))
            table[:, number[both]] += of_one * of_other
    return table


def _laplacian(pixels, units, shape):
    """Return the weights of pixels themselves and of their neighbours in the image."""
    inside = [((pixels + unit >= 0) & (pixels + unit < shape)).all(axis=1) for unit in units[1:]]
    return [-np.sum(inside, axis=0), *inside]


def _coefficients_at(pixels: Sequence[NDArray], shape: Shape) -> NDArray:
    """Return the coefficients of pixels: they depend on what lies between them and the edges."""
    small = tuple(min(size, 2 * REACH + 1) for size in shape)
    place = np.zeros(len(pixels[0]), np.intp)
    for along, size, less in zip(pixels, shape, small):
        near = np.where(
            along < REACH, along, np.maximum(along - (size - less), min(REACH, less - 1))
        )
        place = place * less + near
    return _coefficients(small)[place]


def equations_of(box: Block, missing: Block, first: Shape, core: Slices, shape: Shape) -> Equations:
    """
    Return the equations of the missing pixels of a block.

    Parameters
    ----------
    box, missing : numpy.ndarray
        The block with the pixels around, as far as the image goes, and which are missing.
    first : tuple of int
        Where the box begins in the image.
    core : tuple of slice
        Where the block lies in the box.
    shape : tuple of int
        The image's shape.

    Raises
    ------
    ValueError
        If there are more missing pixels side by side than can be solved.
    """
    inner = missing[core]
    if np.count_nonzero(inner) > largest_hole(inner.ndim):
        parts, _ = ndimage.label(inner)
        _check_size(np.bincount(parts.ravel())[1:], inner.ndim)
    places = [along + part.start for along, part in zip(np.nonzero(inner), core)]
    pixels = [along + start for along, start in zip(places, first)]
    weights = _coefficients_at(pixels, shape)
    linked = weights != 0
    constants = np.zeros(len(weights))
    for number, step in enumerate(neighbours(box.ndim).tolist()):
        some = np.flatnonzero(linked[:, number])
        there = tuple(along[some] + by for along, by in zip(places, step))
        known = ~missing[there]
        linked[some[known], number] = False
        values = box[tuple(along[known] for along in there)].astype(np.float64)
        with np.errstate(invalid="ignore"):
            constants[some[known]] -= weights[some[known], number] * values
    return Equations(np.ravel_multi_index(pixels, shape), linked, constants)


def couple(equations: Equations, shape: Shape) -> System:
    """Find out which unknowns have to do with each other."""
    strides = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]
    far = neighbours(len(shape)) @ np.array(strides, np.int64)
    rows, steps = np.nonzero(equations.linked)
    wanted = equations.positions[rows] + far[steps]
    columns = np.searchsorted(equations.positions, wanted)
    columns[columns == len(equations.positions)] = 0
    here = equations.positions[columns] == wanted
    graph = sparse.coo_array(
        (np.ones(np.count_nonzero(here), bool), (rows[here], columns[here])),
        shape=(len(equations.positions),) * 2,
    )
    count, groups = sparse.csgraph.connected_components(graph, directed=False)
    is_open = np.zeros(count, bool)
    is_open[groups[rows[~here]]] = True
    return System(equations, rows[here], columns[here], steps[here], groups, is_open)


def open_equations(system: System, ndim: int) -> Equations:
    """
    Return the equations of holes that go on elsewhere.

    Raises
    ------
    ValueError
        If the part of a hole that is here is too large already, be it of pixels that do not touch.
    """
    _check_size(np.bincount(system.groups), ndim)
    chosen = system.is_open[system.groups]
    return Equations(*(part[chosen] for part in system.equations))


def solve(system: System, shape: Shape) -> NDArray:
    """
    Return the values of all pixels: NaN in holes that go on elsewhere, or are all of the image.

    Raises
    ------
    ValueError
        If a hole is too large.
    """
    positions, _, constants = system.equations
    sizes = np.bincount(system.groups, minlength=len(system.is_open))
    _check_size(sizes, len(shape))
    pixels = np.unravel_index(positions[system.rows], shape)
    weights = _coefficients_at(pixels, shape)[np.arange(len(system.rows)), system.steps]
    values = np.full(len(positions), np.nan)
    order = np.argsort(system.groups, kind="stable")
    starts = np.cumsum(sizes) - sizes
    within = np.empty(len(order), np.intp)
    within[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    by_group = np.argsort(system.groups[system.rows], kind="stable")
    entries = np.bincount(system.groups[system.rows], minlength=len(sizes))
    entry_starts = np.cumsum(entries) - entries
    solvable = ~system.is_open & (sizes < np.prod(shape, dtype=np.int64))
    rows, columns = within[system.rows], within[system.columns]
    for size in np.unique(sizes[solvable]).tolist():
        same = np.flatnonzero(solvable & (sizes == size))
        together = max(1, NUMBERS_AT_A_TIME // size**2) if size <= SMALL else 1
        for begin in range(0, len(same), together):
            some = same[begin : begin + together]
            which = by_group[_stretches(entry_starts[some], entries[some])]
            member = order[_stretches(starts[some], sizes[some])]
            coefficients = weights[which].astype(np.float64), rows[which], columns[which]
            number = np.repeat(np.arange(len(some)), entries[some])
            right = constants[member].reshape(len(some), size)
            values[member] = _solve(*coefficients, number, right).ravel()
    return values


def _solve(weights, rows, columns, number, right):
    """Solve systems of one size, ``number`` that of each coefficient's; or a large one."""
    count, size = right.shape
    if size <= SMALL:
        matrices = np.zeros((count, size, size))
        matrices[number, rows, columns] = weights
        return np.linalg.solve(matrices, right[..., np.newaxis])
    matrix = sparse.csc_array((weights, (rows, columns)), shape=(size, size))
    factors = linalg.splu(
        matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    return factors.solve(right[0])


def _stretches(starts, counts):
    """Return ``counts[0]`` numbers from ``starts[0]`` on, then from ``starts[1]``."""
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(counts.sum())


def _check_size(sizes, ndim):
    most = largest_hole(ndim)
    if sizes.max(initial=0) > most:
        raise ValueError(
            f"image has a hole of {sizes.max()} pixels or more, of which method 'inpaint' fills at "
            f"most {most}, and missing pixels at most two steps apart are one hole; use "
            "method='smooth'"
        )
