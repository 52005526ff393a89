"""Windows in which nothing counts, or whose result is NaN, and what stands for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import normalize_fill, normalize_number
from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import in_one_block, map_blocks
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.typing import Array, NDArray, Real
from dask_image.local_statistics._grid import WindowGrid

# Without a mask, NaN is filled from windows so many steps away: no block needs the whole grid.
NEAR = 4

# From this order on a spline makes NaN of all that it reaches, and that reaches far.
SPREADS_NAN = 2

WORDS = ("nearest", "median")

Fill: TypeAlias = Literal["nearest", "median"] | Real | None
"""What stands for windows without a result."""


@dataclass(frozen=True)
class Gaps:
    """
    Which windows have no result, and what stands for them.

    Parameters
    ----------
    fill : {"nearest", "median"}, number or None
    min_fraction : float
        Of the pixels of a window that must count.
    """

    fill: Any
    min_fraction: Any

    def __post_init__(self):
        if isinstance(self.fill, str):
            if self.fill not in WORDS:
                raise ValueError(
                    f"fill must be one of {WORDS}, a number or None, got {self.fill!r}"
                )
        elif self.fill is not None:
            number = np.asarray(normalize_number(self.fill, "fill")).item()
            object.__setattr__(self, "fill", number)
        if not 0 <= normalize_number(self.min_fraction, "min_fraction") <= 1:
            raise ValueError(f"min_fraction must lie in [0, 1], got {self.min_fraction!r}")

    def needed(self, order: int | None) -> bool:
        """Tell whether it matters how much of a window counts."""
        return self.min_fraction > 0 or (order is not None and self.fill is not None)

    def check(self, dtype: np.dtype[Any]) -> None:
        """
        Raise ValueError if a result of a dtype cannot hold what stands for windows without one.
        """
        if isinstance(self.fill, (int, float)):
            normalize_fill(self.fill, "fill", dtype)

    def fill_in(
        self,
        result: Array,
        share: Array | None,
        grid: WindowGrid,
        order: int | None,
        may_be_nan: bool,
        name: str,
    ) -> Array:
        """
        Return results on a grid in which something stands for windows without one.

        Parameters
        ----------
        result : dask.array.Array
        share : dask.array.Array or None
            Which part of each window counts; None for all of it.
        grid : WindowGrid
        order : int or None
            Of the spline that interpolates results later on; for None windows stay empty.
        may_be_nan : bool
            Whether a result may be NaN.
        name : str
            Of the function that the user called.

        Returns
        -------
        dask.array.Array
            In the chunks of ``result``.
        """
        if share is None and not may_be_nan:
            return result
        fill = None if order is None else self.fill
        if fill is None and (share is None or self.min_fraction == 0):
            return result
        if result.size == 0:
            return result
        if share is None and fill == "nearest" and (order or 0) < SPREADS_NAN:
            ndim = len(grid.spacing)
            return map_neighborhood(
                _fill_near, result, name=f"{name}-fill",
                reach=[(NEAR, NEAR)] * ndim + [(0, 0)] * (result.ndim - ndim),
                modes=["nearest"] * result.ndim, dtype=result.dtype, slabs=False,
                spacing=grid.spacing,
            )  # fmt: skip
        shares = (
            []
            if share is None
            else [in_one_block(share, name)[(..., *(None,) * _more(result, share))]]
        )
        whole = map_blocks(
            _fill_in, in_one_block(result, name), *shares, name=f"{name}-fill", fill=fill,
            least=self.min_fraction, spacing=grid.spacing,
            meta=block_meta(result.ndim, result.dtype),
        )  # fmt: skip
        return whole.rechunk(result.chunks)


def _more(result, share):
    return result.ndim - share.ndim


def _fill_near(grid, spacing):
    """
    Fill NaN by the nearest window that is few steps away; the first in raster order of several.
    """
    ndim = len(spacing)
    gaps = np.isnan(grid).any(axis=tuple(range(ndim, grid.ndim)))
    if not gaps.any():
        return grid.copy()
    steps = np.indices((2 * NEAR + 1,) * ndim).reshape(ndim, -1).T - NEAR
    distances = ((steps * np.array(spacing, float)) ** 2).sum(axis=1)
    filled, left = grid.copy(), np.argwhere(gaps)
    for step in steps[np.argsort(distances, kind="stable")]:
        there = left + step
        inside = ((there >= 0) & (there < gaps.shape)).all(axis=1)
        there = np.where(inside[:, None], there, left)
        found = ~gaps[tuple(there.T)]
        filled[tuple(left[found].T)] = grid[tuple(there[found].T)]
        left = left[~found]
    return filled


def _fill_in(grid, share=None, *, fill, least, spacing):
    """Fill the gaps of a whole grid."""
    ndim = len(spacing)
    inner = tuple(range(ndim, grid.ndim))
    gaps = np.zeros(grid.shape[:ndim], bool)
    if share is not None:
        share = share.reshape(gaps.shape)
        # Sums of shares are rounded.
        gaps |= (share == 0) | (share < least * (1 - 1e-12))
    if grid.dtype.kind in "fc" and fill is not None:
        gaps |= np.isnan(grid).any(axis=inner)
    if not gaps.any():
        return grid
    filled = grid.copy()
    if fill is None or gaps.all():
        value = fill if isinstance(fill, (int, float)) else np.nan
        filled[gaps] = value if grid.dtype.kind in "fc" else np.nan_to_num(value)
    elif fill == "nearest":
        filled[gaps] = grid[nearest_valid(gaps, spacing)][gaps]
    elif fill == "median":
        filled[gaps] = np.median(grid[~gaps], axis=0)
    else:
        filled[gaps] = fill
    return filled


def nearest_valid(gaps: NDArray, spacing: tuple[int, ...]) -> tuple[Any, ...]:
    """Return where, for each window of a grid, the nearest one with a result is."""
    smallest = math.gcd(*spacing)
    sampling = [along / smallest for along in spacing]
    return tuple(
        ndimage.distance_transform_edt(
            gaps, sampling=sampling, return_distances=False, return_indices=True
        )
    )
