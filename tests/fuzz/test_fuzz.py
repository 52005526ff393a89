"""
Random calls of every function, 500 at each run, and some of large images.

``FUZZ_CASES`` and ``FUZZ_LARGE_CASES`` ask for more.
"""

import importlib
import os

import pytest
from scipy import ndimage

import dask_image.ndimage as ported
from tests.fuzz.calls import CALLS
from tests.fuzz.check import source_of
from tests.fuzz.limits import LIMITS, LIMITS_OF_LOOPS
from tests.fuzz.runner import draw_case, run_batch

CASES = int(os.environ.get("FUZZ_CASES", "500"))
LARGE_CASES = int(os.environ.get("FUZZ_LARGE_CASES", "12"))
BATCH, LARGE_BATCH = 50, 4  # so that no process of several waits long for the last
SEED = int(os.environ.get("FUZZ_SEED", "0"))


def test_every_function_is_drawn():
    assert len(ported.__all__) == 75
    assert set(CALLS) == {name for name in ported.__all__ if hasattr(ndimage, name)}


def test_a_seed_gives_the_same_calls():
    for number in range(150):
        assert source_of(draw_case(3, number)[0]) == source_of(draw_case(3, number)[0])


def test_limits_have_the_names_of_constants():
    for modules, constants in (LIMITS | LIMITS_OF_LOOPS).items():
        for module in modules.split():
            assert set(constants) <= set(vars(importlib.import_module(f"dask_image.{module}")))


@pytest.mark.parametrize("first", range(0, CASES, BATCH))
def test_random_calls(first):
    findings = run_batch(SEED, first, min(first + BATCH, CASES))
    assert not findings, "\n".join([f"{len(findings)} findings", *findings])


@pytest.mark.parametrize("first", range(0, LARGE_CASES, LARGE_BATCH))
def test_random_calls_of_large_images(first):
    findings = run_batch(SEED, first, min(first + LARGE_BATCH, LARGE_CASES), large=True)
    assert not findings, "\n".join([f"{len(findings)} findings", *findings])
