"""Distance transforms: how far each foreground pixel is from the background."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Literal, overload

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image._kernels import blocks as kernels
from dask_image._utils.arguments import (
    ArgumentError,
    normalize_flag,
    normalize_wrap_axes,
    per_axis,
    refuse_lazy,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines import line_sweeps
from dask_image._utils.engines.distances import FirstAxis, Metric, least_costs
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.line_sweeps import as_they_are, take_from
from dask_image._utils.engines.overlap import block_bounds, map_boxes
from dask_image._utils.metrics import CHESSBOARD, EUCLIDEAN, LONGEST_AXIS, TAXICAB, unreachable
from dask_image._utils.typing import Array, ArrayLike, Integer, PerAxis, Real

INTEGER_METRICS = {
    "chessboard": CHESSBOARD,
    "taxicab": TAXICAB,
    "cityblock": TAXICAB,
    "manhattan": TAXICAB,
}


@overload
def distance_transform_edt(
    image: ArrayLike, sampling: PerAxis[Real] | None = ..., return_distances: Literal[True] = ...,
    return_indices: Literal[False] = ..., *, wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def distance_transform_edt(
    image: ArrayLike, sampling: PerAxis[Real] | None = ..., *, return_distances: Literal[False],
    return_indices: Literal[True], wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def distance_transform_edt(
    image: ArrayLike, sampling: PerAxis[Real] | None = ..., return_distances: Literal[True] = ...,
    *, return_indices: Literal[True],
    wrap_axes: PerAxis[Integer] | None = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@overload
def distance_transform_edt(
    image: ArrayLike, sampling: PerAxis[Real] | None = ..., return_distances: bool = ...,
    return_indices: bool = ...,
    *, wrap_axes: PerAxis[Integer] | None = ...,
) -> Array | tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def distance_transform_edt(
    image: ArrayLike,
    sampling: PerAxis[Real] | None = None,
    return_distances: bool = True,
    return_indices: bool = False,
    *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array | tuple[Array, Array]:
    """
    Measure how far each foreground pixel is from the nearest background (zero) pixel.

    The result is exact, whatever the chunks, and equal to that of
    `scipy.ndimage.distance_transform_edt`; the choice between
    background pixels that are equally near is SciPy's too.

    Parameters
    ----------
    image : array_like
        Pixels that are not zero are foreground.
    sampling : float or sequence of float, optional
        Distance between neighbouring pixels, along every axis or along each.
        1 if not given.
    return_distances : bool, optional
        Whether to return the distances.
    return_indices : bool, optional
        Whether to return where the nearest background pixel is.
    wrap_axes : int or tuple of int, optional
        Axes whose ends meet, as a longitude's or an angle's do: distances along them go round
        the shorter way.

    Returns
    -------
    distances : dask.array.Array
        Of float64, with the shape and chunks of ``image``; only if
        ``return_distances``.
    indices : dask.array.Array
        Of int32 and shape ``(image.ndim,) + image.shape``: the position of the
        nearest background pixel along each axis; only if ``return_indices``.

    Raises
    ------
    RuntimeError
        If neither result is asked for, or ``sampling`` has a wrong length.
    ValueError
        If ``sampling`` is not made of finite numbers, or an axis is longer than 2**29 pixels
        (a third of that, if its ends meet).

    See Also
    --------
    scipy.ndimage.distance_transform_edt : The same on NumPy arrays.
    distance_transform_cdt : Distances in steps from pixel to pixel.

    Notes
    -----
    Axes are worked on one after the other, by lower envelopes [1]_ [2]_. Along
    the first axis blocks stay as they are and exchange a plane each; along the
    other axes, blocks are joined to whole lines, a strip at a time. The image
    is read once. As distances can come from anywhere, none is known before all
    of the image is read: until then one bit a pixel is kept, and two planes of
    int32 a block. Chunks that are long along the first axis need least.

    As in SciPy, where an image has no background at all, the distances are
    those to a pixel just before the first one of the image, along the first
    axis; indices are -1 along that axis and 0 along all others. An image
    without axes is taken for one of shape ``(1,)``.

    Lines along an axis whose ends meet are worked on with half of their length
    before and after them, as nothing is farther away on a ring. Of what is equally
    near the choice is then its own, but the same for all chunks.

    References
    ----------
    .. [1] P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of
       sampled functions", Theory of Computing 8, 2012, 415-428.
    .. [2] A. Meijster, J. B. T. M. Roerdink, W. H. Hesselink, "A general
       algorithm for computing distance transforms in linear time",
       Mathematical Morphology and its Applications, 2000, 331-340.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 1, 1, 1], [1, 0, 1, 1]]), chunks=2)
    >>> distances = distance_transform_edt(image)
    >>> distances.chunks
    ((2,), (2, 2))
    >>> distances.compute().round(2)
    array([[1.41, 1.  , 1.41, 2.24],
           [1.  , 0.  , 1.  , 2.  ]])
    """
    return_distances, return_indices = _wanted(return_distances, return_indices)
    image, wrap_axes = _as_image(image, wrap_axes)
    sampling = _normalize_sampling(sampling, image.ndim)
    if image.ndim == 0:
        image, sampling = image.reshape(1), sampling and (1.0,)
    metric = Metric.on(image.shape, EUCLIDEAN, sampling, wrap_axes)
    if 0 in image.shape:
        return _nothing(image, np.float64, return_distances, return_indices)
    name = "distance_transform_edt"
    distances = indices = None
    if return_indices:
        indices = _nearest_background(image, metric, name)
        if return_distances:
            distances = take_from(
                indices, image.chunks, _distances_to, np.float64, name, metric=metric
            )
    else:
        costs = least_costs(image, metric, name)
        distances = take_from(costs, image.chunks, _distances_of, np.float64, name, metric=metric)
    return _results(distances, indices)


@overload
def distance_transform_cdt(
    image: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    return_distances: Literal[True] = ..., return_indices: Literal[False] = ...,
    *, wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def distance_transform_cdt(
    image: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ..., *,
    return_distances: Literal[False], return_indices: Literal[True],
    wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def distance_transform_cdt(
    image: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    return_distances: Literal[True] = ..., *, return_indices: Literal[True],
    wrap_axes: PerAxis[Integer] | None = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@overload
def distance_transform_cdt(
    image: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = ...,
    return_distances: bool = ..., return_indices: bool = ...,
    *, wrap_axes: PerAxis[Integer] | None = ...,
) -> Array | tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def distance_transform_cdt(
    image: ArrayLike,
    metric: Literal["chessboard", "taxicab", "cityblock", "manhattan"] | ArrayLike = "chessboard",
    return_distances: bool = True,
    return_indices: bool = False,
    *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array | tuple[Array, Array]:
    """
    Count the steps from each foreground pixel to the nearest background (zero) pixel.

    Equal to `scipy.ndimage.distance_transform_cdt`, whatever the
    chunks, in its choice between pixels that are equally near too.

    Parameters
    ----------
    image : array_like
        Pixels that are not zero are foreground. At least one axis.
    metric : {"chessboard", "taxicab", "cityblock", "manhattan"} or array_like, optional
        What one step is: to any neighbour ("chessboard"), to a neighbour
        along one axis (the other names), or to where a boolean array, of
        three pixels along every axis, is true. As in SciPy, only the part of
        such an array before its centre counts, and its mirror image.
    return_distances, return_indices, wrap_axes : optional
        As in `distance_transform_edt`.

    Returns
    -------
    distances : dask.array.Array
        Of int32, with the shape and chunks of ``image``; -1 where no
        background is reached. Only if ``return_distances``.
    indices : dask.array.Array
        Of int32 and shape ``(image.ndim,) + image.shape``: the position of the
        nearest background pixel along each axis, or of the pixel itself where
        no background is reached. Only if ``return_indices``. With ``wrap_axes``
        any of those that are equally near, the same for all chunks.

    Raises
    ------
    RuntimeError
        If neither result is asked for.
    ValueError
        If ``metric`` is no known name and no array of the right shape, or an axis is
        longer than 2**29 pixels.
    TypeError
        If ``image`` has no axes.
    NotImplementedError
        If there are ``wrap_axes`` and ``metric`` is an array without a step along each axis.

    See Also
    --------
    scipy.ndimage.distance_transform_cdt : The same on NumPy arrays.
    distance_transform_edt : Euclidean distances.

    Notes
    -----
    Distances of a named metric are found axis by axis, as those of
    `distance_transform_edt` are. Indices, and a metric given as an array, take two
    sweeps over the image in raster order [1]_, there and back, in slabs that
    are whole along all axes but the first; these sweeps visit one slab after the
    other, as each needs the edge of the one before it, and only then are the
    results of all slabs worked out. In both cases the image is read once, and
    a bit a pixel is kept.

    With ``wrap_axes``, an image that goes on as far as steps can come from is swept for a
    metric given as an array: for a square image four times as many pixels, or nine times if all
    of its ends meet.

    The elements of ``metric`` count as true if they are not zero, whatever
    their dtype; SciPy 1.17 misreads arrays that are not of one byte an element.

    References
    ----------
    .. [1] A. Rosenfeld, J. L. Pfaltz, "Sequential operations in digital picture
       processing", Journal of the ACM 13, 1966, 471-494.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 1, 1, 1], [1, 0, 1, 1]]), chunks=2)
    >>> distance_transform_cdt(image).compute()
    array([[1, 1, 1, 2],
           [1, 0, 1, 2]], dtype=int32)
    >>> distance_transform_cdt(image, metric="taxicab").compute()
    array([[2, 1, 2, 3],
           [1, 0, 1, 2]], dtype=int32)
    """
    return_distances, return_indices = _wanted(return_distances, return_indices)
    image, wrap_axes = _as_image(image, wrap_axes)
    if image.ndim == 0:
        raise TypeError("image must have at least one axis, got an array without axes")
    kind, structure = _normalize_metric(metric, image.ndim)
    if 0 in image.shape:
        return _nothing(image, np.int32, return_distances, return_indices)
    name = "distance_transform_cdt"
    if kind is None and wrap_axes:
        return _swept_around(image, structure, wrap_axes, return_distances, return_indices)
    if kind is None or (return_indices and not wrap_axes):
        return _swept(image, structure, return_distances, return_indices, name)
    metric = Metric.on(image.shape, kind, None, wrap_axes)
    distances = indices = None
    if return_distances:
        costs = least_costs(image, metric, name)
        distances = take_from(costs, image.chunks, _steps_of, np.int32, name, absent=-1)
    if return_indices:
        found = _nearest_background(image, metric, name)
        indices = take_from(found, image.chunks, _or_itself, np.int32, name, lead=found.chunks[:1])
    return _results(distances, indices)


@overload
def distance_transform_bf(
    image: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerAxis[Real] | None = ..., return_distances: Literal[True] = ...,
    return_indices: Literal[False] = ..., *, wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def distance_transform_bf(
    image: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerAxis[Real] | None = ..., *, return_distances: Literal[False],
    return_indices: Literal[True], wrap_axes: PerAxis[Integer] | None = ...,
) -> Array: ...  # fmt: skip
@overload
def distance_transform_bf(
    image: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerAxis[Real] | None = ..., return_distances: Literal[True] = ..., *,
    return_indices: Literal[True],
    wrap_axes: PerAxis[Integer] | None = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@overload
def distance_transform_bf(
    image: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = ...,
    sampling: PerAxis[Real] | None = ..., return_distances: bool = ..., return_indices: bool = ...,
    *, wrap_axes: PerAxis[Integer] | None = ...,
) -> Array | tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def distance_transform_bf(
    image: ArrayLike,
    metric: Literal["euclidean", "taxicab", "cityblock", "manhattan", "chessboard"] = "euclidean",
    sampling: PerAxis[Real] | None = None,
    return_distances: bool = True,
    return_indices: bool = False,
    *,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array | tuple[Array, Array]:
    """
    Measure how far each foreground pixel is from the nearest background (zero) pixel.

    The results are those of `scipy.ndimage.distance_transform_bf`.
    SciPy compares each pixel with all background pixels, by brute force; here
    the same distances are found as in `distance_transform_edt`, in a time that
    does not grow with the number of background pixels.

    Parameters
    ----------
    image : array_like
        Pixels that are not zero are foreground.
    metric : {"euclidean", "taxicab", "cityblock", "manhattan", "chessboard"}, optional
        How to measure distances; capitals do not matter.
    sampling : float or sequence of float, optional
        Distance between neighbouring pixels, along every axis or along each,
        if ``metric`` is "euclidean"; the others ignore it. 1 if not given.
    return_distances, return_indices, wrap_axes : optional
        As in `distance_transform_edt`.

    Returns
    -------
    distances : dask.array.Array
        Of float64 if ``metric`` is "euclidean", else of uint32, with the shape
        and chunks of ``image``; only if ``return_distances``.
    indices : dask.array.Array
        Of int32 and shape ``(image.ndim,) + image.shape``: the position of the
        nearest background pixel along each axis; only if ``return_indices``.
        Where several are equally near it is SciPy's choice, the last one in
        raster order; with "chessboard" or ``wrap_axes`` it is any of them, the same
        for all chunks.

    Raises
    ------
    RuntimeError
        If neither result is asked for, if ``metric`` is unknown, or if
        ``sampling`` has a wrong length.
    ValueError
        If ``sampling`` is not made of finite numbers, or an axis is longer than 2**29 pixels
        (a third of that, if its ends meet).

    See Also
    --------
    scipy.ndimage.distance_transform_bf : The same on NumPy arrays.
    distance_transform_edt : Euclidean distances.

    Notes
    -----
    As in SciPy, where an image has no background at all, distances are
    the square root of the largest float64 (1.34e154), or the largest uint32,
    and indices are 0.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([[1, 1, 1, 1], [1, 0, 1, 1]]), chunks=2)
    >>> distance_transform_bf(image, metric="taxicab").compute()
    array([[2, 1, 2, 3],
           [1, 0, 1, 2]], dtype=uint32)
    """
    return_distances, return_indices = _wanted(return_distances, return_indices)
    image, wrap_axes = _as_image(image, wrap_axes)
    name = metric.lower() if isinstance(metric, str) else metric
    kinds = {"euclidean": EUCLIDEAN, **INTEGER_METRICS}
    if not isinstance(name, str) or name not in kinds:
        raise ArgumentError(f"metric must be one of {sorted(kinds)}, got {metric!r}")
    sampling = _normalize_sampling(sampling, image.ndim)
    dtype: Any = np.float64 if name == "euclidean" else np.uint32
    absent = np.sqrt(np.finfo(dtype).max) if name == "euclidean" else np.iinfo(dtype).max
    if image.ndim == 0:
        distances = da.where(image == 0, dtype(0), dtype(absent)) if return_distances else None
        indices = da.zeros(0, dtype=np.int32) if return_indices else None
        return _results(distances, indices)
    if 0 in image.shape:
        return _nothing(image, dtype, return_distances, return_indices)
    metric = Metric.on(image.shape, kinds[name], sampling, wrap_axes)
    if return_indices:
        return _last_nearest_background(image, metric, return_distances, dtype, absent)
    costs = least_costs(image, metric, "distance_transform_bf")
    function = _roots_of if name == "euclidean" else _steps_of
    return take_from(costs, image.chunks, function, dtype, "distance_transform_bf", absent=absent)


def _wanted(return_distances, return_indices):
    """Return which results are asked for, or raise if none is."""
    wanted = (
        normalize_flag(return_distances, "return_distances"),
        normalize_flag(return_indices, "return_indices"),
    )
    if not any(wanted):
        raise ArgumentError("at least one of return_distances and return_indices must be True")
    return wanted


def _as_image(image, wrap_axes):
    """Return an image as a Dask array, and the axes whose ends meet."""
    image = as_dask_array(image)
    if max(image.shape, default=0) > LONGEST_AXIS:
        raise ArgumentError(
            f"image must have no axis longer than {LONGEST_AXIS} pixels, got shape {image.shape}"
        )
    axes = normalize_wrap_axes(wrap_axes, image.ndim)
    # Positions on the turns before and after the image are none farther out than that either.
    if any(3 * image.shape[axis] > LONGEST_AXIS for axis in axes):
        raise ArgumentError(
            f"wrap_axes must be axes of no more than {LONGEST_AXIS // 3} pixels, got {wrap_axes} "
            f"of shape {image.shape}"
        )
    return image, axes


def _normalize_sampling(sampling, ndim):
    if sampling is None:
        return None
    try:
        steps = per_axis(sampling, ndim, "sampling")
        for step in steps:
            refuse_lazy(step, "sampling", "numbers")
        steps = tuple(map(float, steps))
    except (TypeError, ValueError) as error:
        raise type(error)(f"sampling must hold numbers, got {sampling!r}: {error}") from None
    if not np.isfinite(steps).all():
        raise ValueError(f"sampling must be finite, got {sampling!r}")
    return steps


def _normalize_metric(metric, ndim):
    """Return which separable metric it is (None: not a named one), and its structure."""
    if isinstance(metric, str):
        if metric not in INTEGER_METRICS:
            raise ValueError(
                f"metric must be an array or one of {sorted(INTEGER_METRICS)}, got {metric!r}"
            )
        kind = INTEGER_METRICS[metric]
        reach = ndim if kind == CHESSBOARD else 1
        return kind, ndimage.generate_binary_structure(ndim, reach)
    try:
        structure = np.asarray(metric) != 0
    except ValueError:
        raise ValueError(f"metric must be a name or an array, got {metric!r}") from None
    if structure.shape != (3,) * ndim:
        raise ValueError(
            f"metric must be of size 3 along each of {ndim} axes, got shape {structure.shape}"
        )
    return None, structure


def _nothing(image, dtype, return_distances, return_indices):
    """Return the results for an image without pixels."""
    shape, chunks = (image.ndim, *image.shape), ((image.ndim,), *image.chunks)
    distances = da.zeros(image.shape, chunks=image.chunks, dtype=dtype)
    indices = da.zeros(shape, chunks=chunks, dtype=np.int32)
    return _results(distances if return_distances else None, indices if return_indices else None)


def _results(distances, indices):
    """Return what is not None."""
    if indices is None:
        return distances
    return indices if distances is None else (distances, indices)


def _costs(features, positions, metric):
    costs = kernels.distance.costs_of(features, positions, metric.kind, metric.steps, metric.dtype)
    costs[features[0] < 0] = unreachable(metric.dtype)
    return costs


def _nearest_background(image, metric, name):
    """
    Return the positions of the nearest background pixels, an array for each axis.

    Where several are equally near it is the one of the lowest position along
    the last axis; of these, the lowest along the last but one; and so on. Of an
    axis whose ends meet the lowest position is the one that comes first on the
    way there, be it on the turn before.
    """
    along = FirstAxis(metric)
    carrying = line_sweeps.Carrying(
        along.summarize,
        along.carry,
        along.nearest,
        functools.partial(_first_features, metric=metric),
    )
    strips, ndim = line_sweeps.thin_strips(image), image.ndim
    features = line_sweeps.carry_along_first_axis(
        image, strips, carrying, np.int32, name, lead=((min(ndim, 2),),)
    )
    for axis in range(2, ndim):
        features = take_from(
            features, line_sweeps.join_lines(strips, axis), _add_feature, np.int32,
            f"{name}-lines", lead=((axis + 1,),), axis=axis, metric=metric,
        )  # fmt: skip
    finish = _in_image if any(metric.periods) else as_they_are
    return take_from(
        features, image.chunks, finish, np.int32, name, lead=((ndim,),), periods=metric.periods
    )


def _first_features(nearest, start, metric):
    features = nearest[np.newaxis]
    return features if nearest.ndim == 1 else _add_feature(features, start, axis=1, metric=metric)


def _add_feature(features, start, axis, metric):
    """
    Extend positions along the axes before ``axis`` by those along it.

    Positions that lie on another turn of an axis whose ends meet are kept as such.
    """
    positions = line_sweeps.positions_of(start, features.shape[1:])
    positions[0] = positions[0] + np.int32(metric.periods[0])
    costs = metric.unrolled(_costs(features, positions, metric), axis)
    nearest = kernels.distance.cheapest_positions(costs, axis, metric.kind, metric.steps[axis])
    # A line that has found nothing holds -1 for the first axis, and 0 for the others.
    np.maximum(nearest, 0, out=nearest)
    period = metric.periods[axis]
    if not period:
        return kernels.distance.take_features(features, nearest, axis)
    nearest = metric.rolled_up(nearest, axis) - np.int32(period // 2)
    taken = kernels.distance.take_features(features, nearest % np.int32(period), axis)
    taken[-1] = nearest
    return taken


def _in_image(features, _, periods):
    """Return positions on any turn of axes whose ends meet as those in the image."""
    found = features[0] >= 0
    inside = features.copy()
    for axis, period in enumerate(periods):
        if period:
            inside[axis] = np.where(found, features[axis] % period, -1 if axis == 0 else 0)
    return inside


def _last_nearest_background(image, metric, return_distances, dtype, absent):
    """
    Return the positions of the nearest background pixels, the last in raster order; and distances.

    With the order of axes, and each axis, turned round, the first becomes the last.
    """
    # Nothing needs be turned of blocks without pixels.
    filled = tuple(tuple(size for size in sizes if size) for sizes in image.chunks)
    name, ndim = "distance_transform_bf", image.ndim
    turned_metric = replace(metric, steps=metric.steps[::-1], periods=metric.periods[::-1])
    turned = _map_turned(
        _turned, image.rechunk(filled, method="tasks"), ndim, f"{name}-turn", image.dtype
    )
    nearest = _nearest_background(turned, turned_metric, name)
    last = np.array(image.shape, dtype=np.int32).reshape(-1, *(1,) * ndim) - 1
    indices = _map_turned(
        _turned_indices, nearest, ndim, name, np.int32, lead=nearest.chunks[:1], last=last
    ).rechunk((nearest.chunks[0], *image.chunks), method="tasks")
    if not return_distances:
        return indices
    distances = _map_turned(
        _turned_distances, nearest, ndim, name, dtype, last=last, metric=metric, kind=dtype,
        absent=absent,
    )  # fmt: skip
    return distances.rechunk(image.chunks, method="tasks"), indices


def _map_turned(kernel, array, ndim, name, dtype, lead=(), **keywords):
    """
    Run a kernel on each block, for a result in which last axes, and their order, are turned round.

    The kernel gets blocks as they are, the number of those axes, and where in the result it is.
    """
    axes = array.chunks[array.ndim - ndim :]
    chunks = tuple(sizes[::-1] for sizes in reversed(axes))
    whole = [(0, sum(sizes)) for sizes in array.chunks[: array.ndim - ndim]]
    sources, results = block_bounds(axes), block_bounds(chunks)

    def boxes(index):
        numbers = reversed(index[len(lead) :])
        return whole + [tuple(along[-2 - n : len(along) - n]) for along, n in zip(sources, numbers)]

    def place(index):
        return ndim, tuple(along[n] for along, n in zip(results, index[len(lead) :]))

    return map_boxes(
        kernel, array, name=name, boxes=boxes, chunks=(*lead, *chunks), dtype=dtype,
        block_arguments=place, **keywords,
    )  # fmt: skip


def _turned(block, ndim, _=None):
    kept = block.ndim - ndim
    turn = (slice(None),) * kept + (slice(None, None, -1),) * ndim
    return block[turn].transpose((*range(kept), *range(block.ndim - 1, kept - 1, -1)))


def _turned_indices(features, ndim, _, last):
    features = _turned(features[::-1], ndim)
    return np.where(features[-1] >= 0, last - features, np.int32(0))


def _turned_distances(features, ndim, start, last, metric, kind, absent):
    found = features[0] >= 0
    if not found.all():  # then it is so for all pixels
        return np.full(found.shape[::-1], absent, kind)
    indices = _turned_indices(features, ndim, start, last)
    costs = _costs_to(indices, start, metric)
    return np.sqrt(costs, dtype=kind) if metric.kind == EUCLIDEAN else costs.astype(kind)


def _distances_to(indices, start, metric):
    return np.sqrt(_costs_to(indices, start, metric), dtype=np.float64)


def _costs_to(indices, start, metric):
    positions = line_sweeps.positions_of(start, indices[0].shape)
    found = [
        _nearest_turn(along, here, period) if period else along
        for along, here, period in zip(indices, positions, metric.periods, strict=True)
    ]
    return kernels.distance.costs_of(found, positions, metric.kind, metric.steps, metric.dtype)


def _nearest_turn(along, here, period):
    """Return positions along an axis whose ends meet on the turn on which they are nearest."""
    half = period // 2
    return here + (along - here + half) % period - half


def _found_nothing(costs):
    """Tell whether the image has no background: then it is so for all pixels."""
    return costs.size and costs.flat[0] == unreachable(costs.dtype)


def _distances_of(costs, start, metric):
    if _found_nothing(costs):
        shape = costs.shape
        before = [np.full(shape, -1 if axis == 0 else 0, np.int32) for axis in range(costs.ndim)]
        return _distances_to(before, start, metric)
    return kernels.distance.roots(costs)


def _roots_of(costs, _, absent):
    if _found_nothing(costs):
        return np.full(costs.shape, absent)
    return kernels.distance.roots(costs)


def _or_itself(features, start):
    """Return the position of the pixel itself where no background is found."""
    positions = line_sweeps.positions_of(start, features.shape[1:])
    found = features[0] >= 0
    return np.stack([np.where(found, along, here) for along, here in zip(features, positions)])


def _steps_of(costs, _, absent):
    dtype = np.int32 if absent < 0 else np.uint32
    if _found_nothing(costs):
        return np.full(costs.shape, absent, dtype=dtype)
    return costs.astype(dtype)


def _swept(image, structure, return_distances, return_indices, name):
    chunks = line_sweeps.thin_slabs(image)
    between = line_sweeps.between_blocks_and_slabs(image, chunks)
    source = image
    if between is not None:
        source = take_from(image, between, _as_foreground, np.bool_, f"{name}-gather")
    slabs = take_from(source, chunks, _as_foreground, np.bool_, f"{name}-slab")
    options = {
        "structure": structure,
        "want_indices": return_indices,
        "index_dtype": np.dtype(np.int32 if image.size <= np.iinfo(np.int32).max else np.int64),
    }
    results = line_sweeps.sweep_along_first_axis(
        slabs,
        line_sweeps.PackedBackground,
        functools.partial(_sweep_on, **options),
        functools.partial(_sweep_back, **options),
        functools.partial(_sweep_both, **options),
        [np.dtype(np.int32), options["index_dtype"]][: 1 + return_indices],
        name,
    )
    if between is not None:
        results = [
            take_from(each, between, as_they_are, each.dtype, f"{name}-spread") for each in results
        ]
    distances = indices = None
    if return_distances:
        distances = take_from(results[0], image.chunks, as_they_are, np.int32, name)
    if return_indices:
        indices = take_from(
            results[1], image.chunks, _unravel, np.int32, name, lead=((image.ndim,),),
            shape=image.shape,
        )  # fmt: skip
    return _results(distances, indices)


def _as_foreground(block, _):
    return block != 0


def _swept_around(image, structure, wrap_axes, return_distances, return_indices):
    """
    Sweep over an image that goes on, and cut out what is wanted.

    With a step along each axis no pixel is farther from the background than the sum of its
    distances along all axes is, half of the period at most where ends meet: no path to it comes
    from farther out either, whichever way it takes.
    """
    before = structure.copy()
    before.flat[structure.size // 2 :] = False
    along = [axis for axis, size in enumerate(image.shape) if size > 1 or axis in wrap_axes]
    for axis in along:
        if not before[(1,) * axis + (0,) + (1,) * (image.ndim - axis - 1)]:
            raise NotImplementedError(
                f"wrap_axes needs a metric with a step along each axis, got none along {axis} in "
                f"{structure.tolist()}: the shortest path may go round any number of times"
            )
    farthest = sum(
        size // 2 if axis in wrap_axes else size - 1 for axis, size in enumerate(image.shape)
    )
    margins = [farthest * (axis in wrap_axes) for axis in range(image.ndim)]
    unrolled = image
    for axis in wrap_axes:
        size, turns = image.shape[axis], -(-farthest // image.shape[axis])
        start = turns * size - farthest
        unrolled = da.concatenate([unrolled] * (2 * turns + 1), axis=axis)
        unrolled = unrolled[(slice(None),) * axis + (slice(start, start + size + 2 * farthest),)]
    name = "distance_transform_cdt"
    found = _swept(unrolled, structure, return_distances, return_indices, name)
    distances, indices = found if return_distances and return_indices else (found, found)
    middle = tuple(slice(low, low + size) for low, size in zip(margins, image.shape))
    if return_distances:
        distances = distances[middle].rechunk(image.chunks, method="tasks")
    if return_indices:
        indices = indices[(slice(None), *middle)]
        indices = indices.rechunk((indices.chunks[0], *image.chunks), method="tasks")
        indices = map_blocks(
            _on_this_turn, indices, margins=margins, shape=image.shape, name=name,
            meta=indices._meta,
        )  # fmt: skip
    return _results(distances if return_distances else None, indices if return_indices else None)


def _on_this_turn(indices, margins, shape):
    """Return positions in an image that goes on for ``margins`` as those in the image."""
    lead = (-1, *(1,) * (indices.ndim - 1))
    low, periods = (np.array(each, np.int32).reshape(lead) for each in (margins, shape))
    return (indices - low) % periods


def _swept_on(packed, edge, start, structure, want_indices, index_dtype):
    first = start * int(np.prod(packed.shape[1:]))
    sweep = kernels.distance_sweep.Sweep(
        packed.unpack(), first, structure, want_indices, index_dtype
    )
    sweep.run(edge)
    return sweep


def _sweep_on(packed, edge, start, **options):
    return _swept_on(packed, edge, start, **options).edge()


def _sweep_back(packed, edge, later, start, **options):
    sweep = _swept_on(packed, edge, start, **options)
    sweep.run(later, backwards=True)
    return sweep.edge(backwards=True)


def _sweep_both(packed, edge, later, start, **options):
    sweep = _swept_on(packed, edge, start, **options)
    sweep.run(later, backwards=True)
    return sweep.results()


def _unravel(indices, _, shape):
    return np.stack(np.unravel_index(indices, shape)).astype(np.int32)
