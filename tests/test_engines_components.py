"""The engine of connected components: its decisions, and its kernels against each other."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from dask_image._kernels.blocks.components import ArrayComponents, RunComponents, touching_pairs
from dask_image._kernels.blocks.runs import Runs, compact
from dask_image._utils.engines import components
from dask_image._utils.engines.block_lattice import (
    BlockLattice,
    Connectivity,
    Neighbour,
    displacements_of,
)
from dask_image._utils.engines.components import (
    UNNUMBERED,
    Links,
    choose_touched,
    number_by_first_pixel,
)
from tests.helpers import plain_kernels

CROSS = displacements_of(ndimage.generate_binary_structure(2, 1))
SQUARE = displacements_of(np.ones((3, 3), bool))
DIAGONAL = ((-1, -1), (1, 1))


def test_displacements():
    assert CROSS == ((-1, 0), (0, -1), (0, 1), (1, 0))
    assert displacements_of(np.array([True, True, True, False]), (1,)) == ((-3,), (-2,), (-1,))
    assert displacements_of(np.zeros((3, 3), bool)) == ()


def test_neighbours_by_structure():
    chunks = ((4, 4), (4, 4))
    found = {
        name: sorted(
            other.index for other in BlockLattice(chunks, Connectivity(steps)).neighbours((1, 1))
        )
        for name, steps in [("cross", CROSS), ("square", SQUARE), ("diagonal", DIAGONAL)]
    }
    assert found["cross"] == [(0, 1), (1, 0)]
    assert found["square"] == [(0, 0), (0, 1), (1, 0)]
    # Diagonal links cross faces as well as corners.
    assert found["diagonal"] == [(0, 0), (0, 1), (1, 0)]


def test_neighbours_that_no_step_leads_to_are_left_out():
    lattice = BlockLattice(((4, 4), (4, 4)), Connectivity(DIAGONAL))
    assert lattice.neighbours((1, 0)) == [Neighbour((0, 0), (-4, 0))]


def test_neighbours_skip_empty_blocks():
    lattice = BlockLattice(((3, 0, 2),), Connectivity(((-1,), (1,))))
    assert lattice.neighbours((2,)) == [Neighbour((0,), (-3,))]
    assert lattice.neighbours((1,)) == []


def test_neighbours_across_periodic_axes():
    steps = ((-1,), (1,))
    assert BlockLattice(((3, 2),), Connectivity(steps, (0,))).neighbours((0,)) == [
        Neighbour((1,), (-2,))
    ]
    assert BlockLattice(((5,),), Connectivity(steps, (0,))).neighbours((0,)) == [
        Neighbour((0,), (-5,))
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=6),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.integers(1, 3),
    st.booleans(),
)
def test_every_link_is_seen_from_one_side(rows, columns, reach, wraps):
    chunks = (tuple(rows), tuple(columns))
    steps = tuple(
        step for step in itertools.product(range(-reach, reach + 1), repeat=2) if step != (0, 0)
    )
    wrap_axes = (0,) if wraps else ()
    lattice = BlockLattice(chunks, Connectivity(steps, wrap_axes))
    found = []
    starts = [np.cumsum([0, *sizes]) for sizes in chunks]
    for index in lattice.indices():
        ours = [starts[axis][i] for axis, i in enumerate(index)]
        for other in lattice.neighbours(index):
            theirs = [starts[axis][i] for axis, i in enumerate(other.index)]
            for pixel in np.ndindex(*lattice.shape(index)):
                for step in steps:
                    place = np.array(pixel) + step - other.shift
                    if ((place >= 0) & (place < lattice.shape(other.index))).all():
                        found.append((tuple(np.add(ours, pixel)), step, tuple(theirs + place)))
    block_of = [np.repeat(np.arange(len(sizes)), sizes) for sizes in chunks]
    expected = 0
    shape = [sum(sizes) for sizes in chunks]
    for pixel in np.ndindex(*shape):
        for step in steps:
            row, column = np.add(pixel, step)
            turns = row // shape[0]
            if not 0 <= column < shape[1] or (turns and not wraps):
                continue
            crosses = turns or any(
                block_of[axis][part % shape[axis]] != block_of[axis][pixel[axis]]
                for axis, part in enumerate((row, column))
            )
            expected += bool(crosses)
    # Each link has two directions, and each pair of touching blocks comes once.
    assert 2 * len(found) == expected
    assert len(set(found)) == len(found) or wraps


@pytest.mark.parametrize("kind", [RunComponents, ArrayComponents])
@pytest.mark.parametrize("shape", [(30,), (9, 8), (5, 6, 7), (3, 4, 2, 5), (0, 3), (3, 0), (1, 1)])
@pytest.mark.parametrize("connectivity", [1, 2])
def test_components_of_a_block(kind, shape, connectivity):
    structure = ndimage.generate_binary_structure(len(shape), connectivity)
    for density, seed in [(0.0, 0), (0.3, 1), (0.6, 2), (1.0, 3)]:
        random = np.random.default_rng(seed)
        foreground, seeds = random.random(shape) < density, random.random(shape) < 0.1
        labels, count = ndimage.label(foreground, structure)
        components = kind(foreground, displacements_of(structure))
        assert components.count == count
        table = np.arange(count + 1) * 10
        np.testing.assert_array_equal(components.relabel(table), labels * 10)
        assert components.relabel(table.astype(np.int16)).dtype == np.int16
        box = tuple(slice(size // 3, size - size // 4) for size in shape)
        np.testing.assert_array_equal(components.part(box), labels[box])
        firsts = [np.flatnonzero(labels.ravel() == each)[0] for each in range(1, count + 1)]
        np.testing.assert_array_equal(components.first_pixels(), firsts)
        touched = [bool(seeds[labels == each].any()) for each in range(1, count + 1)]
        np.testing.assert_array_equal(components.touched_by(seeds), touched)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans())
def test_both_kinds_agree_on_large_structures(seed, ndim, adjacent):
    random = np.random.default_rng(seed)
    structure = random.random(random.choice([1, 3, 5], ndim)) < 0.3
    structure |= np.flip(structure)
    foreground = random.random((9, 8, 7)[:ndim]) < random.random()
    steps = displacements_of(structure)
    runs, array = RunComponents(foreground, steps), ArrayComponents(foreground, steps)
    assert runs.count == array.count
    table = np.arange(runs.count + 1)
    np.testing.assert_array_equal(runs.relabel(table), array.relabel(table))


def test_both_kinds_take_views_and_wide_tables():
    foreground = (np.random.default_rng(0).random((20, 30)) < 0.5).T[::2, ::-1]
    for kind in (RunComponents, ArrayComponents):
        components = kind(foreground, CROSS)
        table = np.arange(components.count + 1) * 2**40
        expected = ndimage.label(foreground)[0] * np.int64(2**40)
        np.testing.assert_array_equal(components.relabel(table), expected)


def test_touching_pairs_leave_out_background():
    ours, theirs = np.array([[1, 1, 0], [2, 2, 3]]), np.array([[4, 4, 4], [0, 5, 6]])
    expected = [[1, 4], [2, 5], [3, 6]]
    np.testing.assert_array_equal(touching_pairs(ours, theirs), expected)
    with plain_kernels():
        np.testing.assert_array_equal(touching_pairs(ours, theirs), expected)


def links(firsts, rows):
    return Links(np.array(firsts), np.array(rows, np.int64).reshape(-1, 4))


def test_numbers_follow_first_pixels():
    # Block 1's second component touches block 0's first and comes before it.
    numbering = number_by_first_pixel([links([7, 9], []), links([8, 3], [(1, 2, 0, 1)])], np.int32)
    assert numbering.count == 3
    assert numbering.of_block(0).tolist() == [0, 1, 3]
    assert numbering.of_block(1).tolist() == [0, 2, 1]
    assert numbering.of_block(0).dtype == np.int32


def test_components_without_pixels_are_not_numbered_but_join_others():
    rows = [(1, 1, 0, 1), (1, 1, 0, 3)]
    numbering = number_by_first_pixel(
        [links([4, UNNUMBERED, 6], []), links([UNNUMBERED], rows)], np.int32
    )
    assert numbering.count == 1
    assert numbering.of_block(0).tolist() == [0, 1, 0, 1]
    assert numbering.of_block(1).tolist() == [0, 1]


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_numbers_are_those_of_sorting_all_first_pixels(at_once, monkeypatch):
    monkeypatch.setattr(components, "SORTED_AT_ONCE", at_once)
    random = np.random.default_rng(at_once)
    for _ in range(20):
        sizes = random.integers(0, 8, 6)
        firsts = random.permutation(1000)[: sizes.sum()]
        if random.random() < 0.5:
            firsts.sort()  # blocks come one after the other
        blocks = np.split(firsts, np.cumsum(sizes)[:-1])
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        filled = np.flatnonzero(sizes)
        pairs = [sorted(random.choice(filled, 2, replace=False))[::-1] for _ in range(4)]
        rows = [
            (late, random.integers(1, sizes[late] + 1), early, random.integers(1, sizes[early] + 1))
            for late, early in pairs
        ]
        linked = [
            links(each, [row for row in rows if row[0] == number])
            for number, each in enumerate(blocks)
        ]
        numbering = number_by_first_pixel(linked, np.int32)
        least = firsts.copy()
        for _ in rows:
            for late, label, early, other in rows:
                both = [offsets[late] + label - 1, offsets[early] + other - 1]
                least[both] = least[both].min()
        # A union is told by its first pixel, once that has spread.
        ranks = np.unique(least, return_inverse=True)[1] + 1
        found = [numbering.of_block(number)[1:] for number in range(len(blocks))]
        np.testing.assert_array_equal(np.concatenate(found), ranks)
        assert numbering.count == ranks.max()


def test_choice_spreads_over_unions():
    rows = [(1, 1, 0, 2)]
    numbering = choose_touched([links([True, False], []), links([True, False], rows)], bool)
    assert numbering.of_block(0).tolist() == [False, True, True]
    assert numbering.of_block(1).tolist() == [False, True, False]


def test_no_components_at_all():
    assert number_by_first_pixel([links(np.zeros(0, int), [])], np.int32).count == 0
    assert choose_touched([links(np.zeros(0, bool), [])], bool).count == 0


@pytest.mark.parametrize("low", [-5, 0, 3])
def test_compacted_labels_come_back(low):
    labels = np.random.default_rng(0).integers(low, low + 9, (6, 7)) * 11
    present, ranks = compact(labels)
    assert 0 not in present
    np.testing.assert_array_equal(np.concatenate([[0], present])[ranks], labels)


def test_kept_labels_are_small():
    blocky = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int))
    noisy = np.random.default_rng(0).integers(-9, 99, (8, 8))
    wide = np.array([[-1, -1, -1, 2**40, 2**40, 2**40]])
    for labels in (blocky, noisy, wide, np.zeros((0, 3), int), noisy > 9, np.int64(3)):
        kept = Runs(np.asarray(labels))
        np.testing.assert_array_equal(kept.block(), labels)
        assert kept.block().dtype == labels.dtype
        np.testing.assert_array_equal(kept.with_values(kept.values * 2), labels * 2)
        assert len(pickle.dumps(kept)) < 700
