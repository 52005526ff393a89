"""Statistics of the pixels of each label: moments, extrema, positions."""

import warnings

import dask.array as da
import numpy as np

from dask_image._kernels.label_moments import COUNT, SQUARES, SUM, WEIGHTED
from dask_image._utils.labels import as_labelled_image, as_selection
from dask_image._utils.reduction import (
    GEOMETRY,
    INTENSITY,
    LabelStatistic,
    counting,
    floating,
    gather,
    labels_present,
    reduce_labels,
    unchanged,
)


def _area(fields, shape):
    return fields["count"]


def _sum(fields, shape):
    return fields["moments"][:, SUM]


def _mean(fields, shape):
    return fields["moments"][:, SUM] / fields["moments"][:, COUNT]


def _variance(fields, shape):
    moments = fields["moments"]
    # An infinite mean is infinitely far from itself, which is NaN.
    squares = np.where(np.isfinite(moments[:, SUM]), moments[:, SQUARES], np.nan)
    return squares / moments[:, COUNT]


def _standard_deviation(fields, shape):
    return np.sqrt(_variance(fields, shape))


def _center_of_mass(fields, shape):
    moments = fields["moments"]
    return moments[:, WEIGHTED:] / moments[:, SUM, None]


def _minimum(fields, shape):
    return fields["extremes"][:, 0]


def _minimum_or_nan(fields, shape):
    least, greatest = fields["extremes"].T
    return np.where(greatest == greatest, least, greatest)


def _maximum(fields, shape):
    return fields["extremes"][:, 1]


def _position(places, shape):
    return np.stack(np.unravel_index(places, shape), axis=1) if shape else places[:, None][:, :0]


def _minimum_position(fields, shape):
    return _position(fields["places"][:, 0], shape)


def _maximum_position(fields, shape):
    return _position(fields["places"][:, 1], shape)


AREA = LabelStatistic("area", GEOMETRY, _area, 0, counting)
SUM_LABELS = LabelStatistic("sum", INTENSITY, _sum, 0, floating)
MEAN = LabelStatistic("mean", INTENSITY, _mean, np.nan, floating)
VARIANCE = LabelStatistic("variance", INTENSITY, _variance, np.nan, floating)
DEVIATION = LabelStatistic("deviation", INTENSITY, _standard_deviation, np.nan, floating)
CENTER = LabelStatistic("center", INTENSITY, _center_of_mass, np.nan, floating, per_axis=True)
MINIMUM = LabelStatistic("minimum", INTENSITY, _minimum, 0, unchanged, single=_minimum_or_nan)
MAXIMUM = LabelStatistic("maximum", INTENSITY, _maximum, 0, unchanged)
MINIMUM_POSITION = LabelStatistic(
    "minimum-position", INTENSITY, _minimum_position, 0, counting, per_axis=True
)
MAXIMUM_POSITION = LabelStatistic(
    "maximum-position", INTENSITY, _maximum_position, 0, counting, per_axis=True
)


def _measure(image, label_image, index, *statistics):
    """Return statistics of the labels in ``index``, and for ``"all"`` the labels too."""
    labelled = as_labelled_image(image, label_image)
    selection = as_selection(index, labelled)
    merged = reduce_labels(statistics[0].family, labelled.labels, labelled.image)
    results = [
        _in_image(gather(merged, statistic, selection), statistic, labelled)
        for statistic in statistics
    ]
    result = results[0] if len(results) == 1 else tuple(results)
    return (result, labels_present(merged)) if selection.everything else result


def _in_image(result, statistic, labelled):
    """Turn coordinates in the broadcast image into coordinates in the image that was given."""
    given, shape = labelled.image_shape, labelled.labels.shape
    if not statistic.per_axis or given == shape:
        return result
    own = shape[len(shape) - len(given) :]
    stretched = np.array([size != full for size, full in zip(given, own, strict=True)], bool)
    return da.where(stretched, result.dtype.type(0), result[..., len(shape) - len(given) :])


def area(image, label_image=None, index=None):
    return _measure(image, label_image, index, AREA)


def sum_labels(image, label_image=None, index=None):
    return _measure(image, label_image, index, SUM_LABELS)


def mean(image, label_image=None, index=None):
    return _measure(image, label_image, index, MEAN)


def variance(image, label_image=None, index=None):
    return _measure(image, label_image, index, VARIANCE)


def standard_deviation(image, label_image=None, index=None):
    return _measure(image, label_image, index, DEVIATION)


def minimum(image, label_image=None, index=None):
    return _measure(image, label_image, index, MINIMUM)


def maximum(image, label_image=None, index=None):
    return _measure(image, label_image, index, MAXIMUM)


def minimum_position(image, label_image=None, index=None):
    return _measure(image, label_image, index, MINIMUM_POSITION)


def maximum_position(image, label_image=None, index=None):
    return _measure(image, label_image, index, MAXIMUM_POSITION)


def extrema(image, label_image=None, index=None):
    statistics = (MINIMUM, MAXIMUM, MINIMUM_POSITION, MAXIMUM_POSITION)
    return _measure(image, label_image, index, *statistics)


def center_of_mass(image, label_image=None, index=None):
    return _measure(image, label_image, index, CENTER)
