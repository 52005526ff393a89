"""What interpolation works with: the spline, and the crop of coefficients that is read."""

from dataclasses import dataclass

from dask_image._utils.modes import Mode


@dataclass(frozen=True)
class Spline:
    """How values between pixels are found."""

    order: int
    mode: Mode
    cval: complex
    padding: int = 0
    """How many pixels were added before each axis to give the coefficients their run-in."""


@dataclass(frozen=True)
class Crop:
    """Where coefficients that are read lie: its first pixel on each axis, and the whole's shape."""

    origin: tuple[int, ...]
    shape: tuple[int, ...]
