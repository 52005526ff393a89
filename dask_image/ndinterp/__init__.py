"""Interpolate images between their pixels: affine and other transforms, spline coefficients."""

from dask_image.ndinterp._affine import affine_transform, rotate, shift, zoom
from dask_image.ndinterp._splines import spline_filter, spline_filter1d

__all__ = [
    "affine_transform",
    "rotate",
    "shift",
    "spline_filter",
    "spline_filter1d",
    "zoom",
]
