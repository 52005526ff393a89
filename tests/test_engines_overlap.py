"""The overlap engine: what a block needs, and that every block gets it."""

import dask
import dask.array as da
import numpy as np
import pytest
from dask.base import tokenize
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from dask_image import ndfilters, ndmorph
from dask_image._kernels.stand_ins import stand_in
from dask_image._utils.engines.overlap import (
    Pass,
    axis_window,
    cover,
    map_boxes,
    map_neighborhood,
    map_passes,
)
from tests.helpers import assert_same, nothing_computes, seeded_image

MODES = (
    "reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "wrap", "grid-wrap",
)  # fmt: skip


@st.composite
def chunked_axis(draw):
    """Chunks of one axis, of any sizes from 1."""
    return tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))


@st.composite
def neighborhoods(draw):
    """Chunks of an image, a window with an origin, and a mode."""
    chunks = tuple(draw(st.lists(chunked_axis(), min_size=1, max_size=3)))
    sizes = [draw(st.integers(1, 9)) for _ in chunks]
    origins = [draw(st.integers(-(size // 2), (size - 1) // 2)) for size in sizes]
    return chunks, sizes, origins, draw(st.sampled_from(MODES))


@given(neighborhoods())
def test_any_window_in_any_mode_on_any_chunks(case):
    chunks, sizes, origins, mode = case
    image = seeded_image([sum(axis) for axis in chunks], "f8")
    weights = seeded_image(sizes, "f8", seed=1)
    lazy = map_neighborhood(
        ndimage.correlate,
        da.from_array(image, chunks=chunks),
        name="filter",
        reach=[(s // 2 + o, (s - 1) // 2 - o) for s, o in zip(sizes, origins)],
        modes=[mode] * image.ndim,
        dtype=image.dtype,
        weights=weights,
        mode=mode,
        origin=origins,
        cval=2.0,
    )
    assert lazy.chunks == chunks
    assert_same(lazy, ndimage.correlate(image, weights, mode=mode, origin=origins, cval=2.0))


def gaussian_passes(ndim, sigma, mode):
    radius = int(4 * sigma + 0.5)
    return [
        Pass(ndimage.gaussian_filter1d, axis, (radius, radius), mode, {"sigma": sigma})
        for axis in range(ndim)
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("chunk", [1, 3, 20])
def test_passes_apart_and_together(mode, chunk):
    image = seeded_image((20, 13), "f8")
    lazy = da.from_array(image, chunks=chunk)
    result = map_passes(lazy, gaussian_passes(2, 1.2, mode), image.dtype, "filter")
    assert_same(result, ndimage.gaussian_filter(image, 1.2, mode=mode))


def _unregioned(box):
    raise AssertionError("the engine wants a region")


@pytest.mark.parametrize("chunks", [(3, 4), (6, 10), ((1, 5), 10)])
def test_kernels_that_compute_a_region_get_boxes_pasted_in_used_memory(chunks, monkeypatch):
    memory = {}

    def in_region(box, region):
        memory.setdefault(box.dtype, set()).add(box.__array_interface__["data"][0])
        result = (box if region is None else box[region]).copy()
        box[...] = 99  # as the next block does
        return result

    monkeypatch.setattr(_unregioned, "in_region", in_region, raising=False)
    image = seeded_image((6, 10), "i4")
    lazy = map_neighborhood(
        _unregioned, da.from_array(image.copy(), chunks=chunks, name=False) + 0,
        reach=[(1, 2), (2, 0)], modes=["nearest"] * 2, dtype="i4", name="copy",
    )  # fmt: skip
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), image)
    if all(count > 1 for count in lazy.numblocks):
        assert len(memory[image.dtype]) < lazy.npartitions


def test_passes_of_one_kernel_run_as_one(monkeypatch):
    kernel = stand_in(ndimage.minimum_filter1d)
    image = seeded_image((20, 30), "f4")
    calls = []
    in_passes = kernel.in_passes
    monkeypatch.setattr(
        kernel, "in_passes", lambda *args: calls.append(args[1]) or in_passes(*args)
    )
    lazy = ndfilters.minimum_filter(da.from_array(image, chunks=(10, 30)), (3, 4))
    np.testing.assert_array_equal(
        lazy.compute(scheduler="sync"), ndimage.minimum_filter(image, (3, 4))
    )
    assert [len(passes) for passes in calls] == [2, 2]


@pytest.mark.parametrize("together", [0, 1 << 30])
@pytest.mark.parametrize("mode", MODES)
def test_slabs_of_large_blocks(mode, together, monkeypatch):
    monkeypatch.setattr("dask_image._utils.engines.overlap.SLAB_WORTH_BYTES", 0)
    monkeypatch.setattr("dask_image._utils.engines.overlap.TOGETHER_BYTES", together)
    image = seeded_image((21, 30, 26), "f4")
    lazy = da.from_array(image, chunks=(7, 10, 9))
    reach = [(1, 2), (3, 0), (2, 2)]
    sizes, origins = (4, 4, 5), (-1, 1, 0)
    result = map_neighborhood(
        ndimage.uniform_filter, lazy, name="filter", reach=reach, modes=[mode] * 3, dtype="f4",
        size=sizes, origin=origins, mode=mode,
    )  # fmt: skip
    assert_same(result, ndimage.uniform_filter(image, sizes, origin=origins, mode=mode))
    slabs = [
        key for key in result.dask.layers[result.name] if str(key[0]).startswith("filter-halo-")
    ]
    # Thin ones are cut by one task a block, so that few tasks wait for the interpreter.
    assert 0 < len(slabs) <= (lazy.npartitions if together else 6 * lazy.npartitions)


def test_at_most_ten_tasks_a_block_in_3d(monkeypatch):
    image = da.zeros((256,) * 3, chunks=64, dtype="f4")
    for sigma in (1, 6):
        result = map_passes(image, gaussian_passes(3, sigma, "reflect"), image.dtype, "filter")
        tasks = len(dict(result.__dask_graph__())) - len(dict(image.__dask_graph__()))
        assert tasks / image.npartitions <= 10


def test_tasks_share_what_they_are_made_of():
    image = da.zeros((384,) * 3, chunks=64, dtype="f4")
    result = map_passes(image, gaussian_passes(3, 1, "reflect"), image.dtype, "filter")
    tasks = [result.dask.layers[result.name][result.name, 2, 2, n] for n in (2, 3)]
    references, cuts = zip(*((each.args[5:], each.args[1][0]) for each in tasks), strict=True)
    assert cuts[0] is cuts[1]
    if type(references[0][0]).__name__ == "Alias":
        pytest.skip("this Dask makes every task references of its own")
    same = {id(each) for each in references[0]} & {id(each) for each in references[1]}
    # Of 27 blocks around, those that are around both, but not these two themselves.
    assert len(same) == 2 * 9 - 2


def test_tasks_of_several_blocks_are_not_fused_and_others_are():
    image = da.from_array(seeded_image((12, 12), "f8"), chunks=4)

    def keys_left(chunk):
        filtered = ndfilters.minimum_filter(chunk + 1, 3)
        (optimized,) = dask.optimize(filtered.map_blocks(np.negative))
        return set(dask.core.flatten(filtered.__dask_keys__())) & set(optimized.__dask_graph__())

    # Dask puts the graph in a fused task in order each time the task runs.
    assert len(keys_left(image)) == 9
    assert not keys_left(image[:4, :4])


def test_other_arrays_come_along_and_are_rechunked():
    image, mask = seeded_image((9, 9), "f8"), seeded_image((9, 9), "?")

    def masked_sum(block, keep):
        return ndimage.correlate(np.where(keep, block, 0), np.ones((3, 3)))

    result = map_neighborhood(
        masked_sum,
        da.from_array(image, chunks=2),
        da.from_array(mask, chunks=5),
        name="filter",
        reach=[(1, 1)] * 2,
        modes=["reflect"] * 2,
        dtype="f8",
    )
    assert_same(result, masked_sum(image, mask))


@pytest.mark.parametrize("chunks", [(2, 4, 4), ((1, 1), (3, 6), (0, 5, 4))], ids=str)
def test_kernels_may_take_first_axes_away(chunks):
    image = seeded_image((2, 9, 9), "f8")

    def difference(pair):
        return ndimage.uniform_filter(pair[0] - pair[-1], 3)

    def apart(pair):
        return difference(pair)[np.newaxis] + 0 * pair

    lazy = da.from_array(image, chunks=chunks).rechunk({0: -1})
    options = {"reach": [(0, 0), (1, 1), (1, 1)], "modes": ["reflect"] * 3, "dtype": "f8"}
    result = map_neighborhood(
        ReducedRegion(difference), lazy, name="filter", drop_axes=1, **options
    )
    assert result.chunks == lazy.chunks[1:]
    assert_same(result, difference(image))
    kept = map_neighborhood(apart, lazy, name="filter", **options)
    assert kept.name != result.name


class ReducedRegion:
    """A kernel of a stack of images, whose result is one of them."""

    def __init__(self, function):
        self.function = function

    def in_region(self, stack, region):
        found = self.function(stack)
        return found if region is None else found[region[1:]].copy()

    def __dask_tokenize__(self):
        return type(self).__name__


def test_kernels_are_told_where_their_block_begins_and_what_is_known_of_all():
    lazy = da.from_array(seeded_image((7, 5), "f8"), chunks=(3, 2))
    starts = [(0, 3, 6), (0, 2, 4)]

    def filled(block, known, start, step):
        return np.full_like(block, known + 10 * start[0] + step * start[1])

    def placed(step, known):
        return map_neighborhood(
            filled, lazy, name="filter", reach=[(1, 1)] * 2, modes=["nearest"] * 2, dtype="f8",
            for_all=dask.delayed(known, name=f"known-{known}"), step=step,
            block_arguments=lambda index: (
                tuple(along[at] for along, at in zip(starts, index)),
            ),
        )  # fmt: skip

    rows, columns = np.repeat(starts[0], 3)[:7], np.repeat(starts[1], 2)[:5]
    assert_same(placed(1, 1000), 1000 + 10.0 * rows[:, np.newaxis] + columns)
    assert len({placed(1, 1000).name, placed(2, 1000).name, placed(1, 2000).name}) == 3


def masked_sum(block, keep):
    return ndimage.correlate(np.where(keep, block, 0), np.ones((3, 2)))


@pytest.mark.parametrize("worth", [0, 40, 200, 600, 2000])
@pytest.mark.parametrize("other", ["?", "i2", "f4", "f8", "c16"])
@pytest.mark.parametrize("dtype", ["u1", "i4", "f8"])
def test_images_of_any_itemsizes_have_cuts_of_their_own(dtype, other, worth, monkeypatch):
    monkeypatch.setattr("dask_image._utils.engines.overlap.SLAB_WORTH_BYTES", worth)
    image, mask = seeded_image((30, 25), dtype), seeded_image((30, 25), other, seed=1)
    for chunks in ((10, 9), (7, 25), ((3, 20, 7), (24, 1))):
        result = map_neighborhood(
            masked_sum,
            da.from_array(image, chunks=chunks),
            da.from_array(mask, chunks=chunks),
            name="filter",
            reach=[(1, 1), (1, 0)],
            modes=["reflect"] * 2,
            dtype=masked_sum(image, mask).dtype,
        )
        assert_same(result, masked_sum(image, mask))


@pytest.mark.parametrize("worth", [0, 100, 400])
@pytest.mark.parametrize("name", ["dilation", "erosion", "opening", "closing"])
@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize(("dtype", "mask_dtype"), [("i8", "?"), ("?", "f8"), ("u2", "i4")])
def test_morphology_under_masks_of_other_itemsizes(
    name, iterations, dtype, mask_dtype, worth, monkeypatch
):
    monkeypatch.setattr("dask_image._utils.engines.overlap.SLAB_WORTH_BYTES", worth)
    image, mask = seeded_image((31, 27), dtype), seeded_image((31, 27), mask_dtype, seed=1)
    structure = np.ones((4, 3), bool)
    expected = getattr(ndimage, f"binary_{name}")(
        image, structure, iterations, mask=mask.astype(bool)
    )
    for chunks in ((10, 21), (16, 5)):
        result = getattr(ndmorph, f"binary_{name}")(
            da.from_array(image, chunks=chunks), structure, iterations,
            mask=da.from_array(mask, chunks=chunks),
        )  # fmt: skip
        assert_same(result, expected)


def test_blocks_whose_mask_alone_goes_without_slabs():
    """The blocks of the image are worth a slab, those of the mask are not."""
    random = np.random.default_rng(0)
    image, mask = random.integers(-3, 3, (301, 257)), random.random((301, 257)) < 0.8
    structure = np.ones((4, 3), bool)
    result = ndmorph.binary_opening(
        da.from_array(image, chunks=(100, 211)), structure,
        mask=da.from_array(mask, chunks=(100, 211)),
    )  # fmt: skip
    assert_same(result, ndimage.binary_opening(image, structure, mask=mask))


@pytest.mark.parametrize("shape", [(0,), (0, 3), ()])
def test_images_without_pixels_or_axes(shape):
    image = da.from_array(np.ones(shape), chunks=-1)
    result = map_neighborhood(
        np.negative,
        image,
        name="filter",
        reach=[(1, 1)] * len(shape),
        modes=["reflect"] * len(shape),
        dtype="f8",
    )
    assert_same(result, -np.ones(shape))


def test_chunks_of_size_zero():
    image = seeded_image((5, 4), "f8")
    lazy = da.from_array(image, chunks=((0, 3, 0, 2), (4, 0)))
    result = map_neighborhood(
        ndimage.uniform_filter, lazy, name="filter", reach=[(1, 1)] * 2, modes=["wrap"] * 2,
        dtype="f8",
        size=3, mode="wrap",
    )  # fmt: skip
    assert result.chunks == lazy.chunks
    assert_same(result, ndimage.uniform_filter(image, 3, mode="wrap"))


def test_names_tell_arguments_apart():
    image = da.zeros((8, 8), chunks=4)

    def name(**changes):
        arguments = {
            "name": "filter",
            "reach": [(1, 1)] * 2,
            "modes": ["wrap"] * 2,
            "dtype": "f8",
            "size": 3,
        }
        return map_neighborhood(ndimage.uniform_filter, image, **arguments | changes).name

    assert name() == name()
    assert len({name(), name(size=2), name(reach=[(1, 1), (2, 1)]), name(dtype="f4")}) == 4


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("reflect", (0, 6)),
        ("constant", (0, 6)),
        ("nearest", (0, 6)),
        ("mirror", (0, 7)),
        ("wrap", (-6, 3)),
    ],
)
def test_window_of_an_edge_block_holds_what_is_reflected(mode, expected):
    reach = (6, 1)
    low, high = axis_window(0, 2, 20, reach, mode)
    assert (low, high) == expected


def test_cover_goes_several_times_around():
    pieces = cover((0, 2, 3), -4, 5)
    positions = [range(p.start, p.stop) for p in pieces]
    starts = (0, 2)
    seen = [starts[p.block] + i for p, where in zip(pieces, positions) for i in where]
    assert seen == [i % 3 for i in range(-4, 5)]


def add_offset(box, offset):
    return box + offset


def test_boxes_read_only_what_they_name():
    reads = []

    def read(block, block_info=None):
        reads.append(block_info[0]["chunk-location"])
        return block

    image = da.from_array(np.arange(24.0).reshape(4, 6), chunks=2).map_blocks(read, dtype="f8")
    with nothing_computes():
        result = map_boxes(
            add_offset,
            image,
            name="filter",
            boxes=lambda index: ((1, 3), (4 * index[1] - 1, 4 * index[1] + 1)),
            chunks=((2,), (2, 2)),
            dtype="f8",
            block_arguments=lambda index: (100 * index[1],),
        )
    reads.clear()
    expected = np.arange(24.0).reshape(4, 6)[1:3][:, [-1, 0, 3, 4]] + [0, 0, 100, 100]
    np.testing.assert_array_equal(result.compute(), expected)
    reads.clear()
    result.blocks[0, 0].compute()
    assert sorted(reads) == [(0, 0), (0, 2), (1, 0), (1, 2)]


def test_boxes_may_be_empty():
    image = da.ones((4, 4), chunks=2)

    def fill(box):
        return np.full((2, 2), box.size)

    result = map_boxes(
        fill,
        image,
        name="filter",
        boxes=lambda index: ((0, 0), (0, 2)),
        chunks=((2,), (2, 2)),
        dtype=int,
    )
    np.testing.assert_array_equal(result.compute(), np.zeros((2, 4)))


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_any_scheduler(scheduler):
    image = seeded_image((10, 10), "f8")
    lazy = da.from_array(image, chunks=4)
    result = map_passes(lazy, gaussian_passes(2, 1, "mirror"), image.dtype, "filter")
    with dask.config.set(scheduler=scheduler):
        np.testing.assert_allclose(
            result.compute(), ndimage.gaussian_filter(image, 1, mode="mirror"), rtol=1e-12
        )


def test_kernels_with_arrays_are_tokenised():
    assert tokenize(Pass(np.add, 0, (1, 1), "wrap", {"weights": np.ones(3)})) != tokenize(
        Pass(np.add, 0, (1, 1), "wrap", {"weights": np.zeros(3)})
    )
