"""Options: documented, checked, and each of them has an effect."""

import os
import re
import subprocess
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from dask_image import ndmeasure, store
from dask_image._kernels._numba import use_numba
from dask_image._utils import options
from dask_image._utils.engines import label_shuffle

PAGE = (Path(__file__).parents[1] / "docs/options.rst").read_text()


def keys_of(tree, path="dask-image"):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from keys_of(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}"


def test_every_option_is_documented():
    assert re.findall(r"\* - ``(dask-image[\w.-]*)``", PAGE) == list(keys_of(options.DEFAULTS))


def test_kernels_that_do_not_exist_are_an_error(set_option):
    set_option("kernels", "fortran")
    with pytest.raises(ValueError, match=r"kernels must be one of .*numba.*scipy.*'fortran'"):
        use_numba()


def test_kernels_of_scipy(set_option):
    set_option("kernels", "scipy")
    assert not use_numba()


def test_options_come_from_the_environment():
    program = "from dask_image._utils import options; print(options.kernels())"
    environment = os.environ | {"DASK_DASK_IMAGE__KERNELS": "scipy"}
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "scipy"


@pytest.mark.parametrize("value", ["much", None, -1, "-1 MiB", float("inf")])
@pytest.mark.parametrize("key", ["coordinates", "label", "median", "partition", "waiting"])
def test_memory_must_be_a_size(key, value, set_option):
    set_option(f"{key}.memory", value)
    with pytest.raises(ValueError, match=rf"dask-image.{key}.memory must be a size"):
        options.memory(key)


def test_memory_of_store(set_option):
    assert options.store_memory() is None
    set_option("store.memory", "1 kiB")
    assert options.store_memory() == 1024
    set_option("store.memory", "much")
    with pytest.raises(ValueError, match="option dask-image.store.memory must be a size"):
        store(da.ones(3), np.zeros(3))


def test_smaller_partitions_are_more(set_option, monkeypatch):
    monkeypatch.setattr(label_shuffle, "SMALLEST_PARTITION", 1)
    image = da.ones((64, 64), chunks=32)
    labels = da.ones((64, 64), chunks=32, dtype=int)
    few = label_shuffle.count_partitions(image, labels, 1000, False)
    set_option("partition.memory", "1 kiB")
    assert label_shuffle.count_partitions(image, labels, 1000, False) == 32 > few


@pytest.mark.parametrize(("memory", "reads"), [(17, 1), (9, 1), (7, 2)])
def test_images_that_are_too_large_to_keep_are_read_twice(memory, reads, set_option):
    set_option("label.memory", memory)
    seen = []

    def read(block):
        if block.size:
            seen.append(block.shape)
        return block

    image = da.ones((8, 9), chunks=(4, 9)).map_blocks(read, meta=np.empty((0, 0)))
    ndmeasure.label(image)[0].compute(scheduler="synchronous")
    assert len(seen) == 2 * reads
