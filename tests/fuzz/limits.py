"""
Let small images take the ways of large ones.

From which size on an image is worked on in parts, and how large these are, is said by constants
beside the code. Here they are made so small that a few hundred pixels come to many parts.
"""

import contextlib
import importlib
from unittest import mock

import dask
import numpy as np

from dask_image._kernels.stand_ins import _steps
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN, TAXICAB
from dask_image._utils.options import DEFAULTS

_KINDS = EUCLIDEAN, TAXICAB, CHESSBOARD

# By modules: constants, and what may stand for them.
LIMITS = {
    "_kernels.blocks.counted_ranks": {"SAMPLED": (2, 40)},
    "_kernels.blocks.grid_windows": {"SAMPLES_PER_CELL": (1, 3)},
    "_kernels.blocks.holes": {"NUMBERS_AT_A_TIME": (1, 300), "SMALL": (1, 4)},
    "_kernels.blocks.interpolation.grid": {"BAND": (1, 17, 130), "TILE": (1, 5, 32)},
    "_kernels.blocks.interpolation.points": {"BAND": (1, 5, 64)},
    "_kernels.blocks.label_histogram": {"DENSE_CELLS": (0, 100)},
    "_kernels.blocks.label_index": {"TABLE_ENTRIES": (1, 20), "TABLE_RUNS": (0, 100),
                                    "PIXELS_A_ROW": (1, 100)},
    "_kernels.blocks.surfaces": {"PIXELS_AT_A_TIME": (0, 40)},
    "_kernels.memory": {"KEPT_BYTES": (0, 100)},
    "_kernels.row_programs": {"POOL_BYTES": (1, 2000), "SHORTEST_BYTES": (8, 64),
                              "POOL_BYTES_OF_FEW_STEPS": (1, 2000)},
    "_kernels.stand_ins._separable": {"BATCH": (2, 6), "RING_BYTES": (1, 2000), "SHORTEST": (1, 7),
                                      "PLANES_BYTES": (1, 36, 160), "LEAST_PLANES": (1, 9, 40),
                                      "PLANES_STRIP": (1, 5)},
    "_kernels.stand_ins._weights": {"RINGS_BYTES": (1, 1000), "SHORTEST_STRIP": (1, 3)},
    "_kernels.stand_ins.foresting": {"FEW_PIXELS": (1,)},
    "_kernels.stand_ins.rank": {"LARGEST_NETWORK": (4, 10), "LARGEST_NETWORK_ALONG_LINES": (4, 20),
                                "LARGEST_NETWORK_BESIDE_HISTOGRAM": (0, 4, 10)},
    "_kernels.stand_ins.splines": {"CACHED": (1, 64, 500), "LANES": (1, 2, 3)},
    "_kernels.stand_ins.uniform": {"STRIP": (1, 4, 30), "MOST_PIXELS": (3,)},
    "_utils.engines.components": {"SORTED_AT_ONCE": (1, 5), "MOST_LOOSE": (0, 10)},
    "_utils.engines.counted": {"STRIP_BYTES": (1, 100)},
    "_utils.engines.counted_ranks": {"GATHERED_PER_PIXEL": (0, 5), "GATHERED_AT_A_TIME": (1, 30),
                                     "TABLE_BITS": (0, 12)},
    "_utils.engines.distances": {"COST_TYPES": (dict.fromkeys(_KINDS, (np.int32, np.int64)),
                                                dict.fromkeys(_KINDS, (np.int64,)))},
    "_utils.engines.flooding": {"ROWS_TOGETHER": (1, 2)},
    "_utils.engines.folding": {"TOGETHER": (2, 3)},
    "_utils.engines.label_ranges": {"PIXELS_AN_OBJECT": (1,), "MOST_GROUPS": (2, 5),
                                    "FEWEST_GROUPS": (1, 2), "SAMPLED_LABELS": (1, 3)},
    "_utils.engines.label_reduction": {"SPLIT_EVERY": (2, 3)},
    "_utils.engines.label_shuffle": {"SMALLEST_PARTITION": (1, 50), "MOST_PARTITIONS": (2, 5),
                                     "PIECES_A_BLOCK": (1, 2)},
    "_utils.engines.line_sweeps": {"STRIP_PIXELS": (1, 5, 30), "MOST_STRIPS": (1, 3, 100),
                                   "BLOCKS_OF_PIECE": (1, 2), "BYTES_AHEAD": (1,),
                                   "BLOCKS_AHEAD": (1, 2)},
    "_utils.engines.nearest_values": {"PIXELS_AT_A_TIME": (1, 40)},
    "_utils.engines.order_statistics": {"PIECE": (1, 10)},
    "_utils.engines.overlap": {"SLAB_WORTH_BYTES": (0, 1 << 30), "TOGETHER_BYTES": (0, 1 << 30)},
    "_utils.engines.two_pass": {"TOGETHER": (1, 2, 3)},
    "_utils.spill": {"SMALLEST": (0, 100), "LARGEST": (1, 1000), "SHARES": (1, 1 << 30)},
    "local_statistics._statistics": {"SAMPLES_AT_A_TIME": (1, 20, 200),
                                     "SAMPLES_OF_SUMS_AT_A_TIME": (1, 20, 200)},
    "ndfilters._threshold_global": {"LONGEST_TABLE": (1, 10)},
    "ndfourier._filters": {"BAND": (1, 10)},
    "ndmorph._binary": {"TASK_COST": (0, 1e9), "PIECE_COST": (0, 1e9), "PIXEL_COST": (0, 1e9)},
}  # fmt: skip

# As long as they are not compiled, loops read constants, too.
LIMITS_OF_LOOPS = {
    "_kernels.blocks.counted_ranks": {"STRETCH": (1, 5)},
    "_kernels.blocks.distance": {"SIDE_BY_SIDE": (1, 3), "SHORT_GAP": (0, 3)},
    "_kernels.blocks.distance_rows": {"TILE": (1, 3, 8), "NEAR": (4, 8)},
    "_kernels.blocks.grid_windows": {"BINS_AT_A_TIME": (1, 7)},
    "_kernels.blocks.interpolation.inside _kernels.blocks.interpolation.points": {
        "ROW": (1, 5, 16)
    },
    "_kernels.blocks.label_pixels": {"COUNTED_AT_ONCE": (1, 7)},
    "_kernels.blocks.plateaus": {"AT_ONCE": (1, 7)},
    "_kernels.stand_ins.binary": {"WORDS_AT_A_TIME": (1, 3)},
}

# All options of how much memory something takes; what `store` does depends on more than sizes.
MEMORY = tuple(key for key, values in DEFAULTS.items() if "memory" in values and key != "store")


def draw_limits(draw, compiled):
    """Return limits for one case: for names of modules and a constant its value; often none."""
    if draw.chance(0.4):
        return {}
    limits = {
        (modules, name): draw.choice(*values)
        for modules, constants in [*LIMITS.items(), *([] if compiled else LIMITS_OF_LOOPS.items())]
        for name, values in constants.items()
        if draw.chance(0.5)
    }
    for (modules, name), value in limits.items():
        if compiled and name == "BAND":  # bands of a pixel take minutes for millions of them
            limits[modules, name] = 1000 * value
    return limits | {("options", name): draw.choice(1, 300) for name in MEMORY if draw.chance(0.3)}


@contextlib.contextmanager
def limited(limits):
    """Let limits hold for a while."""
    with contextlib.ExitStack() as stack:
        options = {
            f"dask-image.{name}.memory": value
            for (modules, name), value in limits.items()
            if modules == "options"
        }
        stack.enter_context(dask.config.set(options))
        for (modules, name), value in limits.items():
            for module in modules.split() if modules != "options" else ():
                target = importlib.import_module(f"dask_image.{module}")
                stack.enter_context(mock.patch.object(target, name, value))
        _steps._plan.cache_clear()
        stack.callback(_steps._plan.cache_clear)
        yield
