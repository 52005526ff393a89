"""
Spline interpolation inside a box of a larger image.

SciPy's functions take the edges of their argument for the edges of the image. Here
an image's true size and the place of the box in it are arguments of their own (`Crop` and
`Spline` of `dask_image._utils.splines`), so that a block gives what the whole image would
give: coordinates are those of the whole image and are computed, folded at its edges and
weighted as SciPy does it.

====================  =======================================================================
`boundaries`          how coordinates and indices beyond the edges fold back
`weights`             which coefficients a coordinate reads along one axis, and their weights
`points`              scattered coordinates, affine transforms
`inside`              the compiled loops of those, away from the edges
`grid`                grids parallel to the axes, one axis after another
`sorting`             points sorted by the part of the image that they need
`rows`                dtypes of pixels, rounding
`plain`               all of it by SciPy, without numba
`values`              complex parts, precision and conversion of results
====================  =======================================================================
"""

from dask_image._kernels.blocks.interpolation.grid import on_grid
from dask_image._kernels.blocks.interpolation.points import AffinePoints, affine, at_points
from dask_image._kernels.blocks.interpolation.sorting import cells_of, group
from dask_image._kernels.blocks.interpolation.values import outside

__all__ = ["AffinePoints", "affine", "at_points", "cells_of", "group", "on_grid", "outside"]
