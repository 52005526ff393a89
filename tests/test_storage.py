"""Results written region by region."""

import contextlib
import errno
import json

import dask
import dask.array as da
import numpy as np
import pytest
import zarr

from dask_image.ndfilters import gaussian_filter
from dask_image.ndinterp import map_coordinates
from dask_image.ndmeasure import label
from dask_image.storage import column_regions, store, to_zarr
from tests.helpers import seeded_image


@pytest.mark.parametrize("budget", [1, 10**4, 10**5, 10**9])
@pytest.mark.parametrize(
    "chunks",
    [((5, 4), (3, 3, 1)), ((7,),), ((2, 2), (4, 4, 4, 2), (5, 5)), ((0, 3), (2, 0, 2)), ()],
)
def test_regions_cover_the_image_once(chunks, budget):
    shape = tuple(map(sum, chunks))
    covered = np.zeros(shape, int)
    for region in column_regions([chunks], 8, budget):
        covered[region] += 1
    assert (covered == 1).all()


def test_regions_grow_with_the_budget_and_stay_square():
    chunks = ((64,) * 16, (64,) * 16, (64,) * 16)
    plane = 4 * 64 * 64 * 64 * 8
    for blocks, count in [(1, 256), (4, 64), (16, 16), (256, 1)]:
        assert len(column_regions([chunks], 8, plane * blocks)) == count
    (first, *_) = column_regions([chunks], 8, plane * 4)
    assert first == (slice(0, 1024), slice(0, 128), slice(0, 128))


def test_regions_end_where_blocks_of_all_arrays_do():
    fine, coarse = ((4,), (2,) * 6), ((4,), (4, 4, 4))
    for region in column_regions([fine, coarse], 8, 1):
        assert region[1].start % 4 == 0
        assert region[1].stop % 4 == 0


@pytest.mark.parametrize("memory", ["1 kiB", "100 kiB", None])
def test_store_gives_what_compute_gives(memory):
    image = seeded_image((20, 33, 41), "f4")
    smooth = gaussian_filter(da.from_array(image, chunks=(6, 10, 11)), 1)
    target = np.full(image.shape, np.nan, "f4")
    store(smooth, target, memory=memory)
    np.testing.assert_array_equal(target, smooth.compute())


def test_several_arrays_of_several_shapes():
    image = da.from_array(seeded_image((30, 40), "f4"), chunks=(7, 9))
    labels, count = label(image > 0)
    written = np.zeros(labels.shape, "i4"), np.zeros((), "i8"), np.zeros(image.shape, "f4")
    store([labels, count, image], written, memory="1 kiB")
    for target, expected in zip(written, dask.compute(labels, count, image)):
        np.testing.assert_array_equal(target, expected)


def test_only_whole_chunks_of_the_target_are_written(tmp_path):
    image = da.from_array(seeded_image((10, 37), "u2"), chunks=(4, 7))
    target = zarr.create_array(str(tmp_path / "a.zarr"), shape=(10, 37), chunks=(5, 10), dtype="u2")
    writes = []

    class Target:
        shape, dtype, chunks = target.shape, target.dtype, target.chunks

        def __setitem__(self, region, values):
            writes.append(region)
            target[region] = values

    store(image, Target(), memory="1 kiB")
    np.testing.assert_array_equal(target[:], image.compute())
    for region in writes:
        for part, size, step in zip(region, target.shape, target.chunks):
            assert part.start % step == 0
            assert part.stop % step == 0 or part.stop == size


def test_an_interrupted_call_goes_on(tmp_path):
    image = seeded_image((8, 40), "f8")
    failing, read = [True], []

    def look(block, block_info=None):
        place = block_info[0]["chunk-location"]
        read.append(place)
        if failing[0] and place[1] == 2:
            raise OSError("disk full")
        return block

    lazy = da.map_blocks(look, da.from_array(image, chunks=(8, 10)), dtype="f8", name="looked")
    path, journal = tmp_path / "a.zarr", tmp_path / "a.zarr.journal"
    with pytest.raises(OSError, match="disk full"):
        to_zarr(lazy, path, memory=1)
    assert len(journal.read_text().splitlines()) == 3
    with open(journal, "a") as file:
        file.write("3")  # cut off by the crash: it may have been 30
    with pytest.raises(OSError, match="disk full"):
        to_zarr(lazy, path, memory=1)
    assert journal.read_text().splitlines()[1:] == ["0", "1"]
    failing[0] = False
    read.clear()
    to_zarr(lazy, path, memory="1 GiB")  # the regions are those of the first call
    assert sorted(set(read)) == [(0, 2), (0, 3)]
    np.testing.assert_array_equal(zarr.open_array(path)[:], image)
    assert not journal.exists()


@pytest.mark.parametrize("known", ["", '{"result": "cut o'])
@pytest.mark.parametrize("made", [False, True])
def test_a_call_that_was_killed_at_its_beginning_goes_on(tmp_path, known, made):
    path, journal = tmp_path / "a.zarr", tmp_path / "a.zarr.journal"
    journal.write_text(known)
    if made:
        zarr.create_array(path, shape=(4,), chunks=(2,), dtype="f8")
    to_zarr(da.ones((4, 4), chunks=2), path)
    assert (zarr.open_array(path)[:] == 1).all()
    assert not journal.exists()


def test_a_journal_without_its_array_begins_anew(tmp_path):
    image = da.ones((4, 4), chunks=2)
    path, journal = tmp_path / "a.zarr", tmp_path / "a.zarr.journal"
    journal.write_text(json.dumps({"result": "of what was deleted", "regions": []}) + "\n0\n")
    to_zarr(image, path)
    assert (zarr.open_array(path)[:] == 1).all()


def test_a_journal_of_other_arrays_is_refused(tmp_path):
    journal = tmp_path / "journal"
    journal.write_text(json.dumps({"result": "another", "regions": []}) + "\n")
    with pytest.raises(ValueError, match="written for other arrays"):
        store(da.ones(4), np.zeros(4), journal=journal)
    assert journal.exists()


def test_bad_arguments(tmp_path):
    image = da.ones((4, 4), chunks=2)
    with pytest.raises(ValueError, match="target must have the shape"):
        store(image, np.zeros((4, 5)))
    with pytest.raises(ValueError, match="as many as"):
        store([image, image], [np.zeros((4, 4))])
    with pytest.raises(TypeError, match="arrays must be Dask arrays"):
        store([np.zeros(3)], [np.zeros(3)])
    with pytest.raises(TypeError, match="targets must be arrays that can be written"):
        store(image, image)
    with pytest.raises(TypeError, match="arrays must be Dask arrays, got ndarray"):
        store(np.zeros(3), np.zeros(3))
    with pytest.raises(TypeError, match="array must be a Dask array, got ndarray"):
        to_zarr(np.zeros(3), tmp_path / "numpy.zarr")
    with pytest.raises(ValueError, match="url must be a folder, got 's3://"):
        to_zarr(image, "s3://bucket/a.zarr")
    for memory in ("much", -1, 0):
        with pytest.raises(ValueError, match="memory must be"):
            store(image, np.zeros((4, 4)), memory=memory)
    with pytest.raises(ValueError, match="even chunks"):
        to_zarr(da.ones(5, chunks=((2, 3),)), tmp_path / "uneven.zarr")
    to_zarr(image, tmp_path / "there.zarr")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        to_zarr(image, tmp_path / "there.zarr")
    to_zarr(image + 1, tmp_path / "there.zarr", overwrite=True)
    assert (zarr.open_array(tmp_path / "there.zarr")[:] == 2).all()


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (TypeError, "targets must be arrays that can be written, got str", {"targets": "a.zarr"}),
        (TypeError, "targets must be arrays that can be written, got None", {"targets": None}),
        (ValueError, "arrays must be one or more", {"arrays": [], "targets": []}),
        (ValueError, "arrays has unknown chunk sizes", {"arrays": da.ones(4)[da.ones(4) > 0]}),
        (TypeError, "journal must be a path, got 5", {"journal": 5}),
        (TypeError, "journal must be a path, got ''", {"journal": ""}),
        (ValueError, "memory must be a size such as '64 MiB', got True", {"memory": True}),
    ],
)
def test_bad_arguments_of_store(error, match, arguments):
    with pytest.raises(error, match=match):
        store(**{"arrays": da.ones(4), "targets": np.zeros(4), **arguments})


@pytest.mark.parametrize("text", ["my notes", "two\nlines\n", '{"a": 1}\n', "\0\xff"])
def test_a_file_of_the_user_is_not_taken_for_a_journal(tmp_path, text):
    journal = tmp_path / "notes"
    journal.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="journal must be a file that an earlier call"):
        store(da.ones(4), np.zeros(4), journal=journal)
    assert journal.read_bytes() == text.encode("latin-1")


def test_memory_may_be_an_integer_of_numpy():
    store(da.ones(4), target := np.zeros(4), memory=np.int64(1000))
    assert target.all()


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (TypeError, "url must be a path, got None", {"url": None}),
        (TypeError, "component must be a name, got 5", {"component": 5}),
        (ValueError, r"zarr_options must leave .* \['chunks'\]", {"zarr_options": {"chunks": 2}}),
        (ValueError, "array has unknown chunk sizes", {"array": da.ones(4)[da.ones(4) > 0]}),
        (TypeError, "typo", {"zarr_options": {"typo": 1}}),
    ],
)
def test_bad_arguments_of_to_zarr_leave_nothing_behind(tmp_path, error, match, arguments):
    with pytest.raises(error, match=match):
        to_zarr(**{"array": da.ones(4), "url": tmp_path / "a.zarr", **arguments})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("zarr_options", [{"typo": 1}, {"compressors": "none of them"}])
def test_options_that_zarr_refuses_leave_what_is_there(tmp_path, zarr_options):
    to_zarr(da.ones(4), tmp_path / "a.zarr")
    with pytest.raises(TypeError):
        to_zarr(da.zeros(4), tmp_path / "a.zarr", overwrite=True, zarr_options=zarr_options)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    assert da.from_zarr(str(tmp_path / "a.zarr")).all()


def test_progress_is_shown(capsys):
    store(da.ones((4, 4), chunks=2), np.zeros((4, 4)), memory=1, progress=True)
    shown = capsys.readouterr().out
    assert "region 2 of 2" in shown
    assert "Completed" in shown


@pytest.mark.distributed
def test_regions_are_in_flight_together(tmp_path, capsys):
    distributed = pytest.importorskip("distributed")
    image = seeded_image((12, 40, 40), "f4")
    smooth = gaussian_filter(da.from_array(image, chunks=(6, 10, 10)), 1)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
    ):
        to_zarr(smooth, tmp_path / "a.zarr", memory="80 kiB", progress=True)
        expected = smooth.compute()
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a.zarr")[:], expected)
    assert capsys.readouterr().out.count("is written") > 1


def in_all_of(scheduler):
    """Compute in processes, of Dask's own scheduler or of a cluster."""
    if scheduler == "processes":
        return dask.config.set(scheduler="processes", num_workers=2)
    distributed = pytest.importorskip("distributed")
    return distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=":0")


@pytest.mark.distributed
@pytest.mark.parametrize("scheduler", ["processes", "cluster"])
def test_other_processes_write_files_alone(tmp_path, scheduler):
    image = seeded_image((12, 10), "f4")
    lazy = da.from_array(image, chunks=(5, 4))
    mapped = np.memmap(tmp_path / "a", "f4", "w+", offset=24, shape=image.shape, order="F")
    in_memory = [
        np.zeros_like(image),
        np.memmap(tmp_path / "longer", "f4", "w+", shape=(24, 10))[12:],
        np.memmap(tmp_path / "a", "f4", "c", shape=image.shape),
        zarr.create_array(zarr.storage.MemoryStore(), shape=image.shape, dtype="f4"),
    ]
    with in_all_of(scheduler):
        store(lazy, mapped)
        for target in in_memory:
            with pytest.raises(ValueError, match="must be a file that other processes reach"):
                store(lazy, target)
    np.testing.assert_array_equal(mapped, image)


# ---------------------------------------------------------------------------------------
# Faults


@contextlib.contextmanager
def files_limited_to(size):
    """Let files of this process not grow beyond a size, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_a_journal_and_is_gone_on_from(tmp_path):
    image = da.from_array(seeded_image((40, 300), "f8"), chunks=(20, 100))
    with (
        files_limited_to(8_000),
        pytest.raises(OSError, match=r"cannot write to .*a\.zarr.*File too large"),
    ):
        to_zarr(image, tmp_path / "a.zarr", memory=1)
    assert (tmp_path / "a.zarr.journal").exists()
    to_zarr(image, tmp_path / "a.zarr", memory=1)
    assert not (tmp_path / "a.zarr.journal").exists()
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a.zarr")[:], image.compute())


def test_a_full_disk_before_anything_is_written(tmp_path):
    image, target = da.ones((40, 30), chunks=10), np.zeros((40, 30))
    with files_limited_to(0):
        with pytest.raises(OSError, match=r"cannot write to .*a\.zarr.*File too large"):
            to_zarr(image, tmp_path / "a.zarr")
        with pytest.raises(OSError, match=r"cannot write to .*a\.journal.*File too large"):
            store(image, target, journal=tmp_path / "a.journal")
    to_zarr(image, tmp_path / "a.zarr")
    store(image, target, journal=tmp_path / "a.journal")
    assert (zarr.open_array(tmp_path / "a.zarr")[:] == target).all()


def test_errors_that_name_a_file_without_its_folder(tmp_path, monkeypatch):
    def remove(store, **keywords):
        if isinstance(store, str):
            raise PermissionError(errno.EACCES, "Permission denied", "zarr.json")

    monkeypatch.setattr("zarr.create_array", remove)
    with pytest.raises(PermissionError, match=r"cannot write to .*a\.zarr.*'zarr\.json'"):
        to_zarr(da.ones((4, 4), chunks=2), tmp_path / "a.zarr")


def test_a_full_disk_beside_the_computation(tmp_path):
    image = da.from_array(seeded_image((64, 64), "f8"), chunks=32)
    coordinates = da.from_array(np.indices(image.shape) / 2, chunks=(2, 32, 32))
    few = {"dask-image.coordinates.memory": 0, "temporary-directory": str(tmp_path)}
    beside = f"in {tmp_path}.* temporary-directory: File too large"
    with dask.config.set(few):
        points = map_coordinates(image, coordinates, order=1)
        with files_limited_to(5_000), pytest.raises(OSError, match=beside) as full:
            points.compute()
    # Who keeps the error, as notebooks do, keeps the file; in another folder there is a new one.
    elsewhere = few | {"temporary-directory": f"{tmp_path}/none"}
    with dask.config.set(elsewhere), pytest.raises(OSError, match=f"in {tmp_path}/none"):
        points.compute()
    assert full.value.__traceback__ is not None


def test_an_error_of_a_block_leaves_a_journal(tmp_path):
    def read(block, block_info=None):
        if block_info[0]["chunk-location"] == (0, 2):
            raise FileNotFoundError(2, "No such file or directory", "frame7.tif")
        return block

    image = da.ones((4, 12), chunks=4).map_blocks(read, dtype=float)
    with pytest.raises(FileNotFoundError, match=r"frame7\.tif"):
        to_zarr(image, tmp_path / "a.zarr", memory=1)
    assert (tmp_path / "a.zarr.journal").exists()
    with pytest.raises(ValueError, match="was written for other arrays"):
        to_zarr(da.zeros((4, 12), chunks=4), tmp_path / "a.zarr", overwrite=True)


def test_what_needs_all_of_the_image_is_computed_once():
    calls = []

    def block():
        calls.append(None)
        return np.ones((4, 4), bool)

    chunks = ((4,) * 6, (4,) * 6)
    image = da.map_blocks(block, chunks=chunks, dtype=bool, meta=np.empty((0, 0), bool))
    labels = label(image)[0]
    target = np.zeros(labels.shape, labels.dtype)
    store(labels, target, memory="1 kB")
    assert len(calls) == 36
    assert (target == 1).all()
