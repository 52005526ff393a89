"""
Two calls that differ in any argument have different names, or Dask takes one result for the other.

The cases are generated from the signatures: a new parameter without values here is a failure.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image import ndfilters
from dask_image._utils.arrays import block_meta
from dask_image._utils.engines import line_sweeps
from dask_image._utils.engines.gather_points import map_scattered
from dask_image._utils.engines.overlap import map_boxes
from tests.calls import FAMILIES, WITHOUT_IMAGE

pytestmark = pytest.mark.every_function

RANDOM = np.random.default_rng(0)
SHAPE = (12, 10)


def lazy(array):
    return da.from_array(array, chunks=(5, 4))


IMAGE, OTHER_IMAGE = lazy(RANDOM.normal(size=SHAPE)), lazy(RANDOM.normal(size=SHAPE))
BELOW = IMAGE - 1
LABELS, OTHER_LABELS = (lazy(RANDOM.integers(0, 4, SHAPE)) for _ in range(2))
BINARY, OTHER_BINARY = (lazy(RANDOM.random(SHAPE) > 0.5) for _ in range(2))
COUNTS, OTHER_COUNTS = (lazy(RANDOM.integers(0, 3, SHAPE, dtype="u1")) for _ in range(2))
CROSS, SQUARE = ndimage.generate_binary_structure(2, 1), np.ones((3, 3), bool)


POINTS, OTHER_POINTS = RANDOM.uniform(0, 10, (2, 9, 2))
CHANNELS, OTHER_CHANNELS = RANDOM.normal(size=(2, *SHAPE, SHAPE[1]))


def double_line(line, result):
    result[...] = 2 * line[1 : 1 + result.size]


def first_line(line, result):
    result[...] = line[: result.size]


def halved(coordinates, *more, **keywords):
    return tuple(position / 2 for position in coordinates)


def same(coordinates, *more, **keywords):
    return coordinates


def difference(image, axis, output, mode, cval, step=2, a=0):
    return ndfilters.correlate1d(image, [-step, a, step], axis, mode, cval, output=output)


def wide_difference(image, axis, output, mode, cval, step=2, a=0):
    return ndfilters.correlate1d(image, [-step, 0, a, 0, step], axis, mode, cval, output=output)


def total(values, *positions):
    return values.sum()


def largest(values, *positions):
    return values.max()


# Of each parameter, a value of the call that is compared, and another one.
VALUES = {
    "image": (IMAGE, OTHER_IMAGE), "input": (IMAGE, OTHER_IMAGE), "input_arr": (IMAGE, OTHER_IMAGE),
    "source": (IMAGE, OTHER_IMAGE), "label_image": (LABELS, OTHER_LABELS),
    "labels": (LABELS, OTHER_LABELS), "label_field": (LABELS, OTHER_LABELS),
    "markers": (LABELS, OTHER_LABELS),
    "intensity_image": (IMAGE, OTHER_IMAGE), "mask": (BINARY, OTHER_BINARY),
    "coordinates": (np.indices(SHAPE) + 0.5, np.indices(SHAPE) + 0.6),
    "weights": (np.ones((3, 3)), np.zeros((3, 3))), "size": (3, 5), "filter_size": (3, 5),
    "footprint": (CROSS, SQUARE), "structure": (CROSS, SQUARE),
    "structure1": (CROSS, SQUARE), "structure2": (~SQUARE, ~CROSS),
    "mode": ("constant", "nearest"), "cval": (0.0, 2.0), "origin": (0, 1),
    "origin1": (0, 1), "origin2": (0, 1), "output": (None, "f4"), "axes": (None, (0,)),
    "axis": (0, 1), "sigma": (1, 2), "order": (2, 3), "truncate": (4.0, 3.0), "radius": (None, 2),
    "function": (np.sum, np.max), "extra_arguments": ((), (1,)), "extra_keywords": (None, {"a": 1}),
    "derivative": (difference, wide_difference), "derivative2": (difference, wide_difference),
    "depth": (1, 2), "percentile": (20, 30), "rank": (1, 2), "block_size": (3, 5),
    "method": ("gaussian", "mean"), "offset": (1, 2), "param": (1.0, 2.0),
    "batch_memory": (2**30, 2**29), "n": (-1, 30), "shift": (1, 2), "zoom": (1.5, 2.0),
    "points": (POINTS, OTHER_POINTS), "displacement": (CHANNELS[:2, :2], OTHER_CHANNELS[:2, :2]),
    "channel_axis": (None, 0), "matrix": (np.eye(2) * 0.5, np.eye(2) * 0.7),
    "output_shape": (None, (7, 7)),
    "output_chunks": (None, (3, 3)), "prefilter": (True, False), "mapping": (halved, same),
    "reach": (20, 30), "angle": (30, 40), "reshape": (True, False), "grid_mode": (False, True),
    "index": ([1, 2], [1, 3]), "min": (-1, -2), "max": (1, 2), "bins": (4, 5),
    "wrap_axes": (None, (0,)), "func": (total, largest), "out_dtype": ("f8", "f4"),
    "default": (0, 1), "pass_positions": (False, True), "overlap_depth": (0, 1),
    "iou_threshold": (0.8, 0.5),
    "properties": (["centroid", "intensity_mean"], ["area", "intensity_mean"]),
    "separator": ("-", "_"), "extra_properties": (None, (total,)), "spacing": (None, (2, 2)),
    "as_frame": (False, True),
    "ignore_value": (None, 1), "iterations": (1, 2), "border_value": (0, 1),
    "brute_force": (False, True), "metric": ("taxicab", "chessboard"),
    "sampling": (None, (1.0, 2.0)), "return_distances": (True, False),
    "return_indices": (True, False), "selem": ((3, 3), (5, 5)), "step": ((1, 1), (2, 2)),
    "interpolate": (1, 2), "fshape": (None, (2,)), "dtype": ("f8", "f4"),
    "where": (BINARY, OTHER_BINARY), "nan_policy": ("propagate", "omit"), "fill_value": (0, 1),
    "box": (4, 5), "exclude_percentile": (10, 20), "maxiters": (5, 6),
    "statistic": ("mean", "std"), "fill": ("nearest", "median"), "min_fraction": (0.2, 0.5),
    "return_centers": (False, True), "max_bin": (3, 4),
    "low": (-1, 0), "high": (1, 2), "buffer_size": (0, 1), "bgval": (0, 7), "factors": (2, 3),
    "distance": (1, 2), "label_img": (LABELS, OTHER_LABELS), "connectivity": (1, 2),
    "background": (0, 1), "h": (0.5, 1.0), "s1": (LABELS, OTHER_LABELS),
    "s2": (OTHER_LABELS, LABELS), "indices": (False, True), "allow_borders": (True, False),
    "min_distance": (1, 2), "threshold_abs": (None, 0.5), "threshold_rel": (None, 0.5),
    "exclude_border": (True, False), "num_peaks": (np.inf, 2), "num_peaks_per_label": (np.inf, 1),
    "p_norm": (np.inf, 2), "levels": (3, 4), "seed": (BELOW, IMAGE), "max_size": (2, 4),
    "in_range": ("image", (0, 2)), "out_range": ((0, 1), (0, 2)), "nbins": (16, 32),
    "return_all": (False, True), "return_mapping": (False, True), "tolerance": (None, 0.1),
    "initial_guess": (None, 0.2),
    "tiles": (IMAGE, OTHER_IMAGE), "dark": (0, 1), "flat": (IMAGE + 9, OTHER_IMAGE + 9),
    "min_sigma": (1, 1.5), "max_sigma": (2, 3), "num_sigma": (3, 4), "sigma_ratio": (1.6, 1.2),
    "overlap": (0.5, 0.7), "log_scale": (False, True), "classes": (3, 4), "compactness": None,
    "watershed_line": (False, True),
}  # fmt: skip

# Where a function takes other values.
OF_FUNCTION = {
    "binary": {"image": (BINARY, OTHER_BINARY), "output": None},
    "distance": {"image": (BINARY, OTHER_BINARY)},
    "convolve": {"axes": (None, (0, 1))},
    "correlate": {"axes": (None, (0, 1))},
    "points_table": {
        "intensity_image": (CHANNELS, OTHER_CHANNELS), "channel_axis": (1, 2),
        "separator": None, "as_frame": None,
    },
    "rotate": {"axes": None},  # there is but one plane
    "vectorized_filter": {"cval": (None, 2.0)},
    "fill_missing": {"method": ("nearest", "smooth", "inpaint")},
    "fourier_shift": {"output": (None, "c8")},
    "convolve1d": {"weights": ([1, 2, 3], [1, 2, 4])},
    "correlate1d": {"weights": ([1, 2, 3], [1, 2, 4])},
    "gaussian": {"order": (0, 1)},
    "gaussian_filter": {"order": (0, 1)},
    "gaussian_filter1d": {"order": (0, 1)},
    "generic_filter1d": {"function": (double_line, first_line)},
    "grey": {"structure": (np.zeros((3, 3)), np.ones((3, 3))), "footprint": (SQUARE, CROSS)},
    "black_tophat": {"structure": (np.zeros((3, 3)), np.ones((3, 3)))},
    "white_tophat": {"structure": (np.zeros((3, 3)), np.ones((3, 3)))},
    "morphological": {"structure": (np.zeros((3, 3)), np.ones((3, 3)))},
    "fourier": {"output": (None, "c16")},
    "label": {"image": (BINARY, OTHER_BINARY), "output": (None, "i2")},
    "area": {"image": None},  # only its shape counts
    "spline_filter": {"output": ("f8", "f4")},
    "spline_filter1d": {"output": ("f8", "f4")},
    "value_indices": {"image": (LABELS, OTHER_LABELS)},
    "watershed_ift": {"image": (COUNTS, OTHER_COUNTS), "output": None},
    "zoom": {"mode": ("grid-constant", "nearest")},
    "local": {"spacing": ((2, 2), (3, 3)), "percentile": (0.2, 0.3)},
    "local_histogram": {"source": (COUNTS, OTHER_COUNTS), "dtype": ("i8", "i4"),
                        "interpolate": (None, 1)},
    "blob_log": {"threshold": (0.1, None), "exclude_border": (0, 1)},
    "blob_dog": {"threshold": (0.1, None), "exclude_border": (0, 1)},
    "background": {"interpolate": (True, False)},
    "correct_illumination": {"image": (COUNTS, OTHER_COUNTS), "output": (None, "i4")},
    "estimate_illumination": {"axis": (None, 0), "box": (2, 3)},
    "subtract_background": {"method": ("percentile", "gaussian")},
    "apply_local_function": {"spacing": ((2, 2), (3, 3))},
    "merge_labels_across_chunk_boundaries": {"iou_threshold": (0.8, 0.5)},
    "regionprops_table": {
        "spacing": (None, (2, 2)), "as_frame": None,
        "intensity_image": (CHANNELS, OTHER_CHANNELS), "channel_axis": (1, 2),
    },
    "clear_border": {"mask": (None, ~LABELS.astype(bool))},
    "expand_labels": {"spacing": (1, 2)},
    "find_boundaries": {"mode": ("thick", "inner")},
    "peak_local_max": {"labels": (LABELS, OTHER_LABELS)},
    "pyramid": {"method": ("mean", "nearest")},
    "reconstruction": {
        "mask": (IMAGE + 1, OTHER_IMAGE + 9), "method": ("dilation", "erosion"),
    },
    "remove": {"image": (BINARY, OTHER_BINARY)},
    "generic_gradient_magnitude": {"depth": None},
    "generic_laplace": {"depth": None},  # of functions that are lazy themselves
}  # fmt: skip

# Arguments without which another one has no effect, or beside which it has none.
WITH = {
    "footprint": {"size": None}, "size": {"footprint": None, "structure": None},
    "axes": {"size": 3, "structure": None, "structure1": None, "structure2": None},
    "axis": {"n": 30}, "sampling": {"metric": "euclidean"}, "block_size": {"param": None},
    "param": {"method": "gaussian"},
    "weights": {"where": None}, "order": {"where": None},
    "fill": {"mask": BINARY, "interpolate": 1}, "min_fraction": {"mask": BINARY},
    "cval": {"mode": "constant"},
    "iou_threshold": {"overlap_depth": 1, "structure": None},
}  # fmt: skip

LEFT_OUT = {"footprint", "axes", "radius", "reach", "step", "mask", "fshape", "structure2"}


def values_of(function, parameter):
    """Return the two values of a parameter, or None where its values need not show."""
    for key in (function, function.partition("_")[0]):
        if parameter in OF_FUNCTION.get(key, {}):
            return OF_FUNCTION[key][parameter]
    return VALUES[parameter]


def cases():
    for family in FAMILIES:
        for name in family.__all__:
            if name in WITHOUT_IMAGE:
                continue
            for parameter in inspect.signature(getattr(family, name)).parameters:
                if values_of(name, parameter) is not None:
                    yield pytest.param(getattr(family, name), parameter, id=f"{name}-{parameter}")


def names_of(result):
    collections, _ = dask.base.unpack_collections(result)
    return {key for each in collections for key in dask.core.flatten(each.__dask_keys__())}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "changed"), list(cases()))
def test_every_argument_changes_the_name(function, changed):
    name = function.__name__
    if name == "vectorized_filter" and not hasattr(ndimage, name):
        pytest.skip("needs SciPy 1.16 or newer")
    arguments = {}
    for parameter in inspect.signature(function).parameters:
        own = OF_FUNCTION.get(name, {}).get(parameter)
        if parameter == changed or own or parameter not in LEFT_OUT:
            values = values_of(name, parameter) or VALUES[parameter]
            if values is not None:
                arguments[parameter] = values[0]
    arguments |= {
        key: value
        for key, value in WITH.get(changed, {}).items()
        if key in inspect.signature(function).parameters
    }
    before = names_of(function(**arguments))
    assert before == names_of(function(**arguments))
    after = names_of(function(**arguments | {changed: values_of(name, changed)[1]}))
    assert before != after


def one(*args, **keywords):
    return 1


def two(*args, **keywords):
    return 2


@dataclass(frozen=True)
class Lookup:
    origin: Callable
    sort: Callable
    evaluate: Callable
    merge: Callable


def map_by_lookup(places, cells, name, meta, **steps):
    def map_cells(kernel, **keywords):
        return map_boxes(kernel, cells, boxes=lambda index: [(0, 1)] * 2, **keywords)

    return map_scattered(places, map_cells, cells.chunks, Lookup(**steps), name=name, meta=meta)


def carry_along_first_axis(image, strips, dtype, name, **steps):
    carrying = line_sweeps.Carrying(**steps)
    return line_sweeps.carry_along_first_axis(image, strips, carrying, dtype, name)


CALLABLES = {
    carry_along_first_axis: (
        {"image": IMAGE, "strips": IMAGE.chunks, "dtype": "f8", "name": "sweep"},
        ("summarize", "carry", "finish", "along_lines"),
    ),
    line_sweeps.sweep_along_first_axis: (
        {"image": IMAGE.rechunk((5, -1)), "dtypes": ["f8"], "name": "sweep"},
        ("pack", "forward", "backward", "finish"),
    ),
    map_by_lookup: (
        {"places": IMAGE[np.newaxis], "cells": IMAGE, "name": "points",
         "meta": block_meta(2, "f8")},
        ("origin", "sort", "evaluate", "merge"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "changed"),
    [(engine, callable) for engine, (_, callables) in CALLABLES.items() for callable in callables],
)
def test_every_step_of_an_engine_changes_the_name(engine, changed):
    arguments, steps = CALLABLES[engine]
    arguments = arguments | dict.fromkeys(steps, one)
    assert names_of(engine(**arguments)) == names_of(engine(**arguments))
    assert names_of(engine(**arguments)) != names_of(engine(**arguments | {changed: two}))
