"""Statistics of the pixels of each label: moments, extrema, positions."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import overload

import dask.array as da
import numpy as np

from dask_image._kernels.blocks.label_histogram import (
    histogram_partial,
    merge_histograms,
    pick_histograms,
    pool_histogram,
)
from dask_image._utils.arguments import (
    normalize_integer,
    normalize_number,
    normalize_wrap_axes,
)
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.label_reduction import (
    PartialFamily,
    gather,
    gather_with,
    labels_present,
    reduce_labels,
)
from dask_image._utils.labels import (
    as_labelled_image,
    as_selection,
    check_labels_fit,
    locate_labels,
)
from dask_image._utils.typing import (
    AllLabels,
    Array,
    ArrayLike,
    Extrema,
    Index,
    Integer,
    Labels,
    NanPolicy,
    PerAxis,
    PerLabel,
    Real,
)
from dask_image._utils.warnings import warn
from dask_image.ndmeasure._catalogue import (
    AREA,
    CENTER,
    DEVIATION,
    MAXIMUM,
    MAXIMUM_POSITION,
    MEAN,
    MINIMUM,
    MINIMUM_POSITION,
    SUM_LABELS,
    VARIANCE,
)


def _measure(name, image, label_image, index, *statistics, wrap_axes=None, nan_policy="propagate"):
    """Return statistics of the labels in ``index``, and for ``"all"`` the labels too."""
    labelled = as_labelled_image(image, label_image, nan_policy)
    selection = as_selection(index, labelled)
    axes = normalize_wrap_axes(wrap_axes, labelled.labels.ndim)
    if axes:
        if labelled.image.dtype.kind == "c":
            raise TypeError(
                f"image must hold real numbers on wrapped axes, got {labelled.image.dtype}"
            )
        statistics = [statistic.on_ring(axes) for statistic in statistics]
    needs_pixels = any(statistic.empty is not None for statistic in statistics)
    if needs_pixels and labelled.labels.size == 0 and not selection.everything:
        raise ValueError(
            f"image must have pixels to have extrema, got shape {labelled.labels.shape}"
        )
    merged = reduce_labels(
        statistics[0].family, labelled.labels, labelled.image, axes, selection.pooled
    )
    results = [
        _in_image(gather(merged, statistic, selection, name), statistic, labelled, name)
        for statistic in statistics
    ]
    result = results[0] if len(results) == 1 else tuple(results)
    return (result, labels_present(merged)) if selection.everything else result


def _in_image(result, statistic, labelled, name):
    """Turn coordinates in the broadcast image into coordinates in the image that was given."""
    given, shape = labelled.image_shape, labelled.labels.shape
    if not statistic.per_axis or given == shape:
        return result
    full_shape = shape[len(shape) - len(given) :]
    stretched = np.array([size != full for size, full in zip(given, full_shape, strict=True)], bool)
    result = result[..., len(shape) - len(given) :]
    return map_blocks(_at_first_pixel, result, stretched, name=name, meta=result._meta)


def _at_first_pixel(result, stretched):
    # A position of -1, of nothing, stays what it is.
    first = np.minimum(result, 0) if result.dtype.kind == "i" else result.dtype.type(0)
    return np.where(stretched, first, result)


@overload
def area(image: ArrayLike, label_image: Labels, index: AllLabels) -> PerLabel: ...
@overload
def area(image: ArrayLike, label_image: Labels = ..., index: Index = ...) -> Array: ...
@numpy_only
def area(
    image: ArrayLike, label_image: Labels = None, index: Index | AllLabels = None
) -> Array | PerLabel:
    """
    Count the pixels of each label.

    Parameters
    ----------
    image : array_like
        Only its shape matters: it is not read.
    label_image, index : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        int64, of the shape of ``index``; 0 for labels that are absent.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError, ValueError
        As `mean`.

    See Also
    --------
    scipy.ndimage.sum_labels : The same with an image of ones.

    Notes
    -----
    Nothing is computed before the result is. The number of tasks depends on the
    number of blocks only, not on the number of labels.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> area(image, labels, [2, 1, 9]).compute()
    array([1, 3, 0])
    >>> areas, found = area(image, labels, "all")
    >>> found.compute(), areas.compute()
    (array([1, 2]), array([3, 1]))
    """
    return _measure("area", image, label_image, index, AREA)


@overload
def sum_labels(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def sum_labels(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def sum_labels(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Sum the values of each label.

    Parameters
    ----------
    image : array_like
        The values; real or complex.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        float64 (complex128 for complex values), of the shape of ``index``; 0 for
        labels that are absent.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError, ValueError
        As `mean`.

    See Also
    --------
    scipy.ndimage.sum_labels : The same on NumPy arrays, in the dtype of the image for one group.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> sum_labels(image, labels, [1, 2]).compute()
    array([9., 7.])
    >>> sum_labels(image, labels).compute()  # all labels above 0 together
    np.float64(16.0)
    """
    return _measure("sum_labels", image, label_image, index, SUM_LABELS, nan_policy=nan_policy)


@overload
def mean(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def mean(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def mean(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Average the values of each label.

    Parameters
    ----------
    image : array_like
        The values; real or complex.
    label_image : array_like, optional
        Integer or boolean labels that broadcast against ``image``; chunks may
        differ. Without it the whole image is one group, and ``index`` is ignored.
    index : None, number, array_like, dask.array.Array or "all", optional
        The labels to measure, in any order and shape, repeated or absent. None
        pools all labels above 0 into one group; ``"all"`` stands for every label
        in the image but the background 0, in ascending order.
    nan_policy : {"propagate", "omit"}, optional
        "omit" leaves out NaN, as a label of 0 would: a label with nothing else is absent.

    Returns
    -------
    dask.array.Array
        float64 (complex128 for complex values), of the shape of ``index``; NaN for
        labels that are absent.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``index`` holds no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or ``index`` is a
        string other than ``"all"``.

    See Also
    --------
    scipy.ndimage.mean : The same on NumPy arrays.

    Notes
    -----
    Nothing is computed before the result is. The number of tasks depends on the
    number of blocks only, not on the number of labels.
    Statistics of the same image and labels that are computed together, with one
    ``dask.compute``, read every block once, and those that need the same of it (sum and
    mean; variance and deviation; extrema and their positions) share all work.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> mean(image, labels, [1, 2, 9]).compute()
    array([ 3.,  7., nan])
    """
    return _measure("mean", image, label_image, index, MEAN, nan_policy=nan_policy)


@overload
def variance(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def variance(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def variance(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Compute the variance of the values of each label.

    Parameters
    ----------
    image : array_like
        The values; real or complex.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        float64 (complex128 for complex values, as SciPy's), of the shape of
        ``index``: the mean squared distance from the mean. NaN for labels that are
        absent.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError, ValueError
        As `mean`.

    See Also
    --------
    scipy.ndimage.variance : The same on NumPy arrays.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.
    Blocks are merged by their means and the sums of squares about them, so that a
    large offset of the values costs no accuracy [1]_.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise
       algorithm for computing sample variances", 1979.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> variance(image + 1e8, labels, [1, 2]).compute().round(6)
    array([2.666667, 0.      ])
    """
    return _measure("variance", image, label_image, index, VARIANCE, nan_policy=nan_policy)


@overload
def standard_deviation(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def standard_deviation(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...  # fmt: skip
@numpy_only
def standard_deviation(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Compute the standard deviation of the values of each label.

    Parameters
    ----------
    image : array_like
        The values; real or complex.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        float64 (complex128 for complex values, as SciPy's), of the shape of
        ``index``: the square root of the variance. NaN for labels that are absent.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError, ValueError
        As `mean`.

    See Also
    --------
    scipy.ndimage.standard_deviation : The same on NumPy arrays.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> standard_deviation(image, labels, [1, 2]).compute().round(3)
    array([1.633, 0.   ])
    """
    return _measure(
        "standard_deviation", image, label_image, index, DEVIATION, nan_policy=nan_policy
    )


@overload
def minimum(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def minimum(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def minimum(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Find the least value of each label.

    Parameters
    ----------
    image : array_like
        The values; complex ones are compared by their real parts first.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        The dtype of ``image``, the shape of ``index``; 0 for labels that are absent.
        Without an ``index``, NaN if no label is above 0 (0 if ``image`` has no NaN).
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``index`` holds no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or ``index`` is a
        string other than ``"all"``; if ``image`` has no pixels.

    See Also
    --------
    scipy.ndimage.minimum : The same on NumPy arrays.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.
    As in SciPy, NaN counts as greater than any number where ``index`` is an array;
    where one group is asked for (None or a scalar), NaN in the group gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> minimum(image, labels, [1, 2]).compute()
    array([1., 7.])
    """
    return _measure("minimum", image, label_image, index, MINIMUM, nan_policy=nan_policy)


@overload
def maximum(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def maximum(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def maximum(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Find the greatest value of each label.

    Parameters
    ----------
    image : array_like
        The values; complex ones are compared by their real parts first.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        The dtype of ``image``, the shape of ``index``; 0 for labels that are absent.
        Without an ``index``, NaN if no label is above 0 (0 if ``image`` has no NaN).
        NaN counts as greater than any number.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``index`` holds no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or ``index`` is a
        string other than ``"all"``; if ``image`` has no pixels.

    See Also
    --------
    scipy.ndimage.maximum : The same on NumPy arrays.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> maximum(image, labels, [1, 2]).compute()
    array([5., 7.])
    """
    return _measure("maximum", image, label_image, index, MAXIMUM, nan_policy=nan_policy)


@overload
def minimum_position(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def minimum_position(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def minimum_position(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Find where the least value of each label is.

    Parameters
    ----------
    image : array_like
        The values; complex ones are compared by their real parts first.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        int64, of shape (number of labels, ndim): the coordinates of a pixel for each
        label of ``index``, raveled; (ndim,) for one group. Zeros for labels that are
        absent; without an ``index``, -1 if no label is above 0.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``index`` holds no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or ``index`` is a
        string other than ``"all"``; if ``image`` has no pixels.

    See Also
    --------
    scipy.ndimage.minimum_position : The same on NumPy arrays, as a list of tuples.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.
    Where the value occurs more than once, the first pixel in raster order is given,
    whatever the chunks. (SciPy does so for one group; with an array of labels its
    choice among equals follows an unstable sort.)

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> minimum_position(image, labels, [1, 2]).compute()
    array([[0, 0],
           [1, 2]])
    """
    return _measure(
        "minimum_position", image, label_image, index, MINIMUM_POSITION, nan_policy=nan_policy
    )


@overload
def maximum_position(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> PerLabel: ...
@overload
def maximum_position(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Array: ...
@numpy_only
def maximum_position(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Array | PerLabel:
    """
    Find where the greatest value of each label is.

    Parameters
    ----------
    image : array_like
        The values; complex ones are compared by their real parts first.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        int64, of shape (number of labels, ndim): the coordinates of a pixel for each
        label of ``index``, raveled; (ndim,) for one group. Zeros for labels that are
        absent; without an ``index``, -1 if no label is above 0.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``index`` holds no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or ``index`` is a
        string other than ``"all"``; if ``image`` has no pixels.

    See Also
    --------
    scipy.ndimage.maximum_position : The same on NumPy arrays, as a list of tuples.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.
    Where the value occurs more than once, the first pixel in raster order is given,
    whatever the chunks. (SciPy does so for one group; with an array of labels its
    choice among equals follows an unstable sort.)

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> maximum_position(image, labels, [1, 2]).compute()
    array([[1, 0],
           [1, 2]])
    """
    return _measure(
        "maximum_position", image, label_image, index, MAXIMUM_POSITION, nan_policy=nan_policy
    )


@overload
def extrema(
    image: ArrayLike, label_image: Labels, index: AllLabels, *, nan_policy: NanPolicy = ...
) -> tuple[Extrema, Array]: ...
@overload
def extrema(
    image: ArrayLike, label_image: Labels = ..., index: Index = ..., *, nan_policy: NanPolicy = ...
) -> Extrema: ...
@numpy_only
def extrema(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    nan_policy: NanPolicy = "propagate",
) -> Extrema | tuple[Extrema, Array]:
    """
    Find the least and greatest values of each label, and where they are.

    Parameters
    ----------
    image : array_like
        The values; complex ones are compared by their real parts first.
    label_image, index, nan_policy : optional
        As in `mean`.

    Returns
    -------
    minimums, maximums : dask.array.Array
        As `minimum` and `maximum` give them.
    minimum_positions, maximum_positions : dask.array.Array
        As `minimum_position` and `maximum_position` give them.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the labels are not integers or booleans, or ``index`` holds no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, or ``index`` is a
        string other than ``"all"``; if ``image`` has no pixels.

    See Also
    --------
    scipy.ndimage.extrema : The same on NumPy arrays.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> low, high, low_at, high_at = extrema(image, labels, [1, 2])
    >>> low.compute(), high_at.compute()
    (array([1., 7.]), array([[1, 0],
           [1, 2]]))
    """
    statistics = (MINIMUM, MAXIMUM, MINIMUM_POSITION, MAXIMUM_POSITION)
    return _measure("extrema", image, label_image, index, *statistics, nan_policy=nan_policy)


@overload
def center_of_mass(
    image: ArrayLike,
    label_image: Labels,
    index: AllLabels,
    *,
    wrap_axes: PerAxis[Integer] | None = ...,
) -> PerLabel: ...
@overload
def center_of_mass(
    image: ArrayLike,
    label_image: Labels = ...,
    index: Index = ...,
    *,
    wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...
@numpy_only
def center_of_mass(
    image: ArrayLike,
    label_image: Labels = None,
    index: Index | AllLabels = None,
    *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array | PerLabel:
    """
    Find the centre of mass of each label.

    Parameters
    ----------
    image : array_like
        The values, which weigh the pixels; real or complex.
    label_image, index : optional
        As in `mean`.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet, longitude for instance: a label that crosses them has its centre
        where it lies, see Notes.

    Returns
    -------
    dask.array.Array
        float64 (complex128 for complex values), of shape (number of labels, ndim): the
        coordinates for each label of ``index``, raveled; (ndim,) for one group. NaN
        for labels that are absent, or of total mass 0.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError, ValueError
        As `mean`; and if values are complex and axes wrap.

    See Also
    --------
    scipy.ndimage.center_of_mass : The same on NumPy arrays, as a list of tuples.

    Notes
    -----
    Lazy, and shares its work with other statistics, as `mean`.

    Along an axis whose ends meet a label begins behind the widest gap that it leaves, the ends
    included: what is measured is what it would be if the image were rolled until no label
    crosses its edge, rolled back. It is the centre of the pixels as they lie beside each other,
    rather than a mean of angles. What has no gap at all is measured as it is.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> center_of_mass(image, labels, [1, 2]).compute().round(3)
    array([[0.556, 0.333],
           [1.   , 2.   ]])

    A wave of three pixels on a ring of eight, over its ends:

    >>> wave = np.array([4, 1, 0, 0, 0, 0, 0, 1])
    >>> center_of_mass(wave, wave > 0).compute(), center_of_mass(
    ...     wave, wave > 0, wrap_axes=0).compute()
    (array([1.33333333]), array([0.]))
    """
    return _measure("center_of_mass", image, label_image, index, CENTER, wrap_axes=wrap_axes)


@overload
def histogram(
    image: ArrayLike, min: Real, max: Real, bins: Integer, label_image: Labels, index: AllLabels,
) -> PerLabel: ...  # fmt: skip
@overload
def histogram(
    image: ArrayLike, min: Real, max: Real, bins: Integer, label_image: Labels = ...,
    index: Index = ...,
) -> Array: ...  # fmt: skip
@numpy_only
def histogram(
    image: ArrayLike,
    min: Real,
    max: Real,
    bins: Integer,
    label_image: Labels = None,
    index: Index | AllLabels = None,
) -> Array | PerLabel:
    """
    Count the values of each label into bins.

    Parameters
    ----------
    image : array_like
        The values; real.
    min, max : number
        Lower edge of the first bin and upper edge of the last, which includes it.
        Values outside count nowhere.
    bins : int
        The number of equal bins.
    label_image : array_like, optional
        Integer or boolean labels that broadcast against ``image``; chunks may
        differ. Without it the whole image is one group.
    index : None, number, array_like, dask.array.Array or "all", optional
        As in `mean`.

    Returns
    -------
    dask.array.Array
        For one group (``index`` None or a scalar) int64 counts, of shape
        ``(bins,)``; zeros if it has no pixel. Else an object array of the shape of
        ``index`` that holds such counts, or None for labels that are absent.
    If ``index="all"``, a tuple: the above, of unknown length, and the labels it
    belongs to, a 1-D ``dask.array.Array``.

    Raises
    ------
    TypeError
        If the image is complex, the labels are not integers or booleans, or
        ``index`` or ``bins`` hold no numbers.
    ValueError
        If the shapes do not broadcast, chunk sizes are unknown, ``min`` and ``max``
        are no interval, ``bins`` is below 1, or ``index`` comes without labels or
        with numbers that the dtype of the labels does not hold.

    See Also
    --------
    scipy.ndimage.histogram : The same on NumPy arrays.

    Notes
    -----
    Nothing is computed before the result is. The number of tasks depends on the
    number of blocks only, not on the number of labels.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 3.0, 0.0], [5.0, 0.0, 7.0]])
    >>> labels = np.array([[1, 1, 0], [1, 0, 2]])
    >>> histogram(image, 0, 8, 4, labels).compute()
    array([1, 1, 1, 1])
    >>> histogram(image, 0, 8, 4, labels, [1, 9]).compute()
    array([array([1, 1, 1, 0]), None], dtype=object)
    """
    labelled = as_labelled_image(image, label_image)
    if labelled.whole and index is not None:
        raise ValueError(f"index needs a label_image, got index={index!r} without one")
    edges = _bin_edges(min, max, bins)
    if labelled.image.dtype.kind == "c":
        raise TypeError(f"image must hold real numbers, got dtype {labelled.image.dtype}")
    selection = as_selection(index, labelled)
    check_labels_fit(selection, labelled.labels.dtype)
    family = PartialFamily(
        "histogram",
        functools.partial(histogram_partial, edges),
        functools.partial(merge_histograms, edges),
        functools.partial(pool_histogram, edges),
        reads_image=True,
    )
    merged = reduce_labels(family, labelled.labels, labelled.image, pooled=selection.pooled)
    pick = functools.partial(_pick_histograms, edges, replace(selection, index=None))
    shape, dtype = selection.shape, np.dtype(object)
    if selection.single:
        shape, dtype = (edges.size - 1,), np.dtype(np.int64)
    result = gather_with(pick, merged, selection, "histogram", shape, dtype)
    return (result, labels_present(merged)) if selection.everything else result


def _bin_edges(low, high, bins):
    """Return the edges of ``bins`` equal bins, or say what is wrong with them."""
    count = normalize_integer(bins, "bins", lowest=1)
    for limit in (low, high):
        # A lazy number is not asked for its value.
        if isinstance(limit, da.Array) or np.asarray(limit).dtype.kind not in "biuf":
            raise TypeError(f"min and max must be numbers, got {low!r} and {high!r}")
        normalize_number(limit, "min and max")
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise ValueError(f"min and max must be finite and in this order, got {low} and {high}")
    return np.linspace(low, high, count + 1)


def _pick_histograms(edges, selection, partial, index):
    """Return the histograms of the labels asked for."""
    labels = partial["labels"]
    if selection.pooled:
        return pool_histogram(edges, partial, labels > 0)
    if selection.everything:
        found = np.ones(int(np.count_nonzero(labels)), bool)
        rows = np.flatnonzero(labels != 0)
    else:
        where, found = locate_labels(labels, index, single=True)
        rows = where[found]
    picked = pick_histograms(edges, partial, rows)
    if selection.single:
        return picked[0] if picked else np.zeros(edges.size - 1, np.int64)
    result = np.full(found.shape, None, object)
    for place, counts in zip(np.flatnonzero(found), picked, strict=True):
        result.flat[place] = counts
    return result


@overload
def sum(image: ArrayLike, label_image: Labels, index: AllLabels) -> PerLabel: ...
@overload
def sum(image: ArrayLike, label_image: Labels = ..., index: Index = ...) -> Array: ...
@numpy_only
def sum(
    image: ArrayLike, label_image: Labels = None, index: Index | AllLabels = None
) -> Array | PerLabel:
    """
    Sum the values of each label: deprecated, use `sum_labels`.

    Parameters
    ----------
    image : array_like
        As in `sum_labels`.
    label_image : array_like, optional
        As in `sum_labels`.
    index : None, number, array_like, dask.array.Array or "all", optional
        As in `sum_labels`.

    Returns
    -------
    dask.array.Array
        What `sum_labels` returns.

    See Also
    --------
    sum_labels : The same, without a ``DeprecationWarning``.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     sum([[1, 2], [3, 4]]).compute()
    np.float64(10.0)
    """
    warn("sum is deprecated: use sum_labels, which gives the same", DeprecationWarning)
    return _measure("sum", image, label_image, index, SUM_LABELS)
