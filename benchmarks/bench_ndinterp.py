"""Interpolation against SciPy on the whole array, two threads."""

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndinterp

SIDE = 8192
BLOCK = 2048
POINTS = 10**7


def _compute(lazy):
    return lazy.compute(scheduler="threads", num_workers=2)


def _case(name, target, function, reference, image, lazy, *arguments, **keywords):
    return (
        name,
        target,
        lambda: _compute(function(lazy, *arguments, **keywords)),
        lambda: reference(image, *arguments, **keywords),
    )


def cases(side=SIDE, block=BLOCK):
    """Yield (name, ratio to reach, ours, SciPy's)."""
    image = np.random.default_rng(0).random((side, side), dtype=np.float32)
    lazy = da.from_array(image, chunks=block)
    angle = np.deg2rad(20)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for order in (1, 3):
        common = {"order": order, "prefilter": True}
        for name, arguments in {
            "affine_transform": (matrix,),
            "rotate": (20.0,),
            "zoom": (1.1,),
        }.items():
            yield _case(
                f"{name} order {order}",
                0.6,
                getattr(ndinterp, name),
                getattr(ndimage, name),
                image,
                lazy,
                *arguments,
                **common,
            )
    yield from _lookups(image, lazy, side)


def _lookups(image, lazy, side):
    """Yield map_coordinates at random points and along a smooth field."""
    random = np.random.default_rng(1).random((2, min(POINTS, side * side))) * (side - 1)
    line = np.linspace(10, side - 30, int(random.shape[1] ** 0.5))
    smooth = np.stack(np.meshgrid(line, line, indexing="ij"))
    smooth += 5 * np.sin(smooth / 100)
    for name, target, points in [("at random", 1.2, random), ("smooth field", 0.7, smooth)]:
        rows = max(points.shape[1] // 16, 1)
        chunks = (2, rows, *points.shape[2:])
        yield _case(
            f"map_coordinates {name}",
            target,
            lambda image, points, chunks=chunks: ndinterp.map_coordinates(
                image, da.from_array(points, chunks=chunks), prefilter=False
            ),
            lambda image, points: ndimage.map_coordinates(image, points, prefilter=False),
            image,
            lazy,
            points,
        )
