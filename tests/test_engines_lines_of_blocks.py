"""Squared distances that blocks find for themselves, against SciPy's of the whole image."""

import contextlib
import itertools

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from dask_image import ndfilters
from dask_image._utils.engines.distances import BlockCosts
from dask_image._utils.engines.lines_of_blocks import LineOfBlocks, Sites
from tests.helpers import plain_kernels

LENGTH, FAR = 30, np.iinfo(np.int32).max // 2


def squares(markers, wrap_axes=()):
    """Return the squared distance to the nearest marker; one turn around each axis that wraps."""
    turns = [(-1, 0, 1) if axis in wrap_axes else (0,) for axis in range(markers.ndim)]
    found = np.full(markers.shape, FAR)
    places = np.indices(markers.shape)
    for place in np.argwhere(markers):
        for turn in itertools.product(*turns):
            at = (place + np.array(turn) * markers.shape).reshape(-1, *(1,) * markers.ndim)
            found = np.minimum(found, np.square(places - at).sum(axis=0))
    return found


def costs_of_blocks(markers, chunks, wrap_axes):
    """Return what the blocks find, as tasks would make them."""
    distances = BlockCosts.on(da.zeros(markers.shape, chunks=chunks), wrap_axes)
    bounds = [line.bounds for line in distances.lines]
    parts = {
        index: tuple(slice(*along[i : i + 2]) for along, i in zip(bounds, index))
        for index in np.ndindex(*(len(along) - 1 for along in bounds))
    }
    summaries = {
        index: distances.summarize(~markers[part], part[0].start) for index, part in parts.items()
    }
    near = {}
    for index in parts:
        column = [each for each in parts if each[1:] == index[1:]]
        near[index] = [distances.carry([summaries[each] for each in column])]
    for axis in distances.shared:
        sites = {
            index: distances.sites(axis, index, summaries[index], *near[index]) for index in parts
        }
        for index in parts:
            beside = [
                each for each in parts
                if all(i == j for k, (i, j) in enumerate(zip(each, index)) if k != axis)
            ]  # fmt: skip
            carried = distances.lines[axis].carry([sites[each] for each in beside])
            near[index] = [*near[index], carried]
    found = np.empty(markers.shape, distances.metric.dtype)
    for index, part in parts.items():
        found[part] = distances.costs(index, summaries[index], *near[index])
    return found


@st.composite
def marked_images(draw):
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    seed, share = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0, 0.02, 0.1, 0.5, 1]))
    markers = np.random.default_rng(seed).random(shape) < share
    chunks = tuple(
        draw(st.sampled_from([(size,), (1,) * size, (1, size - 1)[: 1 + (size > 1)]]))
        for size in shape
    )
    wrap_axes = tuple(axis for axis in range(len(shape)) if draw(st.booleans()))
    return markers, chunks, wrap_axes


@pytest.mark.parametrize("kernels", [contextlib.nullcontext, plain_kernels])
@given(case=marked_images())
def test_blocks_find_the_nearest_marker(kernels, case):
    markers, chunks, wrap_axes = case
    with kernels():
        found = costs_of_blocks(markers, chunks, wrap_axes)
    np.testing.assert_array_equal(found, squares(markers, wrap_axes))


@pytest.mark.parametrize("kernels", [contextlib.nullcontext, plain_kernels])
@given(
    costs=st.lists(
        st.sampled_from([0, 1, 2, 5, 9, 30, 200, FAR]), min_size=LENGTH, max_size=LENGTH
    ),
    cut=st.integers(1, LENGTH - 1),
)
def test_of_sites_that_cost_as_much_the_first_is_taken(kernels, costs, cut):
    costs, values, places = np.array(costs, np.int32), np.arange(LENGTH), np.arange(LENGTH)
    from_each = np.where(costs == FAR, FAR, costs + np.square(places[:, np.newaxis] - places))
    bounds = 0, cut, LENGTH
    line = LineOfBlocks(0, bounds)
    with kernels():
        blocks = [
            (costs[low:high].copy(), low, values[low:high].copy())
            for low, high in itertools.pairwise(bounds)
        ]
        carried = line.carry([line.sites(*block) for block in blocks])
        for (part, start, value), around in zip(blocks, carried):
            # What the block finds by itself.
            own = from_each[start : start + part.size, start : start + part.size]
            part[...], value[...] = own.min(axis=1), start + own.argmin(axis=1)
            line.lower(part, start, around, value)
    found, chosen = (np.concatenate([block[at] for block in blocks]) for at in (0, 2))
    np.testing.assert_array_equal(found, from_each.min(axis=1))
    reached = found < FAR
    np.testing.assert_array_equal(chosen[reached], from_each.argmin(axis=1)[reached])


def test_few_sites_of_a_block_matter_elsewhere():
    costs = np.full((6, 100), 4, np.int32)
    costs[1] = np.where(np.arange(100) % 10, 200, 0)
    costs[2] = FAR
    sites = Sites.of_block(costs, 1, 200, True, (300, 999))
    np.testing.assert_array_equal(np.diff(sites.ends, prepend=0), [1, 2, 0, 1, 1, 1])
    np.testing.assert_array_equal(sites.position, [299, 290, 299, 299, 299, 299])


@pytest.mark.parametrize("kernels", [contextlib.nullcontext, plain_kernels])
def test_holes_larger_than_blocks(kernels):
    random = np.random.default_rng(3)
    image, rows = random.random((90, 70)), np.indices((90, 70))
    slanted = np.abs(rows[0] - rows[1]) < 2, np.abs(rows[0] + rows[1] - 60) < 1
    round_hole = np.square(rows - 40).sum(axis=0) > 1200
    for counted in (*slanted, round_hole, random.random(image.shape) < 0.002):
        _, place = ndimage.distance_transform_edt(~counted, return_indices=True)
        for chunks in ((20, 15), (90, 7), (7, 70), ((1, 80, 9), (69, 1))):
            lazy = da.from_array(image, chunks=chunks)
            with kernels():
                filled = ndfilters.fill_missing(lazy, counted).compute(scheduler="synchronous")
            np.testing.assert_array_equal(filled, image[tuple(place)])
