"""Interpolate images between their pixels: affine and other transforms, spline coefficients."""

from dask_image.ndinterp._affine import affine_transform, rotate, shift, zoom
from dask_image.ndinterp._coordinates import geometric_transform, map_coordinates
from dask_image.ndinterp._points import transform_points
from dask_image.ndinterp._splines import spline_filter, spline_filter1d

__all__ = [
    "affine_transform",
    "geometric_transform",
    "map_coordinates",
    "rotate",
    "shift",
    "spline_filter",
    "spline_filter1d",
    "transform_points",
    "zoom",
]
