"""
The catalogue of what is measured of labels: each measurement is declared once.

The functions of `dask_image.ndmeasure` and the columns of its `regionprops_table` take it from
here.
"""

import numpy as np

from dask_image._kernels.blocks.label_columns import (
    COORDINATES,
    COUNT,
    GREATEST,
    LEAST,
    MASS,
    SQUARES,
    SUM,
)
from dask_image._utils.engines.label_reduction import (
    CENTRE,
    COUNTS,
    EXTREMES,
    SPREAD,
    SUMS,
    LabelStatistic,
    counting,
    floating,
    unchanged,
)


def _area(fields, shape):
    return fields["count"]


def _sum(fields, shape):
    return fields["sums"][:, SUM]


def _mean(fields, shape):
    return fields["sums"][:, SUM] / fields["sums"][:, COUNT]


def _variance(fields, shape):
    spread = fields["spread"]
    # An infinite mean is infinitely far from itself, which is NaN.
    squares = np.where(np.isfinite(spread[:, SUM]), spread[:, SQUARES], np.nan)
    return squares / spread[:, COUNT]


def _standard_deviation(fields, shape):
    return np.sqrt(_variance(fields, shape))


def _center_of_mass(fields, shape):
    centre = fields["centre"]
    return centre[:, COORDINATES:] / centre[:, MASS, None]


def _minimum(fields, shape):
    return fields["extremes"][:, LEAST]


def _minimum_or_nan(fields, shape):
    least, greatest = fields["extremes"].T
    return np.where(np.isnan(greatest), greatest, least)


def _maximum(fields, shape):
    return fields["extremes"][:, GREATEST]


def _position(places, shape):
    return np.stack(np.unravel_index(places, shape), axis=1) if shape else places[:, None][:, :0]


def _minimum_position(fields, shape):
    return _position(fields["places"][:, LEAST], shape)


def _maximum_position(fields, shape):
    return _position(fields["places"][:, GREATEST], shape)


AREA = LabelStatistic(COUNTS, _area, 0, counting)
SUM_LABELS = LabelStatistic(SUMS, _sum, 0, floating)
MEAN = LabelStatistic(SUMS, _mean, np.nan, floating)
VARIANCE = LabelStatistic(SPREAD, _variance, np.nan, floating)
DEVIATION = LabelStatistic(SPREAD, _standard_deviation, np.nan, floating)
CENTER = LabelStatistic(CENTRE, _center_of_mass, np.nan, floating, per_axis=True)
MINIMUM = LabelStatistic(EXTREMES, _minimum, 0, unchanged, empty=np.nan, single=_minimum_or_nan)
MAXIMUM = LabelStatistic(EXTREMES, _maximum, 0, unchanged, empty=np.nan)
MINIMUM_POSITION = LabelStatistic(EXTREMES, _minimum_position, 0, counting, per_axis=True, empty=-1)
MAXIMUM_POSITION = LabelStatistic(EXTREMES, _maximum_position, 0, counting, per_axis=True, empty=-1)
