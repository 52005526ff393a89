"""Derivatives by small differences, and sums over the derivatives along each axis."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    normalize_axes,
    normalize_axis,
    normalize_cval,
    normalize_extras,
    normalize_integer,
    normalize_modes,
    on_axes,
    per_axis,
)
from dask_image._utils.arrays import as_dask_array, count_blocks
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.overlap import Pass, map_neighborhood, map_passes, map_whole
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    DTypeLike,
    Function,
    Integer,
    ModeName,
    Number,
    PerAxis,
)
from dask_image._utils.windows import edges_of

# Derivatives of SciPy whose reach is known.
DEPTH_OF = {ndimage.sobel: 1, ndimage.prewitt: 1}


def prewitt(
    image: ArrayLike,
    axis: Integer = -1,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Prewitt derivative along one axis; the lazy twin of `scipy.ndimage.prewitt`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    axis : int, optional
        Along which to differentiate; the other axes are smoothed.
    mode, cval : optional
        As in `gaussian_filter`.
    output : dtype, optional
        Of the result; by default that of the image (unsigned images wrap
        around, as in SciPy: ask for a signed or float ``output``).

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If the axis does not exist or a mode is unknown.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import prewitt
    >>> prewitt(da.arange(6, chunks=3)).compute()
    array([1, 2, 2, 2, 2, 1])
    """
    return _difference(ndimage.prewitt, [1, 1, 1], image, axis, mode, cval, output)


def sobel(
    image: ArrayLike,
    axis: Integer = -1,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Sobel derivative along one axis; the lazy twin of `scipy.ndimage.sobel`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    axis, mode, cval, output : optional
        As in `prewitt`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If the axis does not exist or a mode is unknown.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import sobel
    >>> sobel(da.eye(4, chunks=2), axis=0).compute()
    array([[-2.,  1.,  1.,  0.],
           [-3.,  0.,  2.,  1.],
           [-1., -2.,  0.,  3.],
           [ 0., -1., -1.,  2.]])
    """
    return _difference(ndimage.sobel, [1, 2, 1], image, axis, mode, cval, output)


def _difference(scipy_function, smoothing, image, axis, mode, cval, output):
    image = as_dask_array(image)
    axis = normalize_axis(axis, image.ndim)
    modes = normalize_modes(mode, image.ndim)
    cval = normalize_cval(cval, image.dtype)
    dtype = result_dtype(scipy_function, image, axis=axis, mode=mode, cval=cval, output=output)
    kernel = kernel_for(image, ndimage.correlate1d)
    passes = [
        Pass(
            kernel,
            along,
            (1, 1),
            modes[along],
            {"weights": [-1, 0, 1] if along == axis else smoothing, "cval": cval, "output": dtype},
        )
        for along in sorted(range(image.ndim), key=lambda each: each != axis)
    ]
    return map_passes(image, passes, dtype, scipy_function.__name__)


def laplace(
    image: ArrayLike,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Sum the second differences along the axes; the lazy twin of `scipy.ndimage.laplace`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    mode, cval : optional
        As in `gaussian_filter`.
    output : dtype, optional
        Of the result; by default that of the image.
    axes : int or tuple of int, optional
        Sum over these axes only.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If a mode is unknown or there is not one for each axis.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import laplace
    >>> laplace(da.from_array([0, 0, 9, 0, 0, 0], chunks=3)).compute()
    array([  0,   9, -18,   9,   0,   0])
    """
    image = as_dask_array(image)
    which = normalize_axes(axes, image.ndim)
    modes = normalize_modes(mode, len(which))
    keywords = {"mode": mode, "cval": normalize_cval(cval, image.dtype)}
    if axes is not None:
        keywords["axes"] = which
    dtype = result_dtype(ndimage.laplace, image, output=output, **keywords)
    return map_neighborhood(
        kernel_for(image, ndimage.laplace),
        image,
        name="laplace",
        reach=on_axes([(1, 1)] * len(which), which, image.ndim, default=(0, 0)),
        modes=on_axes(modes, which, image.ndim, default="nearest"),
        dtype=dtype,
        output=dtype,
        **keywords,
    )


def generic_laplace(
    image: ArrayLike,
    derivative2: Function,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    depth: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Sum second derivatives that a function of yours takes, as `scipy.ndimage.generic_laplace`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    derivative2 : callable
        ``derivative2(block, axis, output, mode, cval, *extra_arguments,
        **extra_keywords)`` gives the second derivative of a NumPy array.
    mode : str or sequence of str, optional
        How the image goes on beyond its edges, as in `prewitt`: the one of an
        axis is handed to ``derivative2`` with that axis.
    cval : optional
        As in `laplace`.
    extra_arguments : sequence, optional
        Further arguments for ``derivative2``.
    extra_keywords : dict, optional
        Further keywords for ``derivative2``.
    depth : int or sequence of int, optional
        How many pixels around a pixel ``derivative2`` reads, per axis. Without
        it the whole image goes through one task, unless ``derivative2`` is one
        of SciPy's own with a known reach, or is made of functions of this
        package and so gives a Dask array (which is tried on a single pixel).
    output, axes : optional
        As in `laplace`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Warns
    -----
    dask.array.PerformanceWarning
        If ``depth`` is not known and there are several blocks.

    Raises
    ------
    ValueError
        If a mode is unknown, or ``depth`` is negative.

    Examples
    --------
    >>> import dask.array as da
    >>> from scipy import ndimage
    >>> from dask_image.ndfilters import generic_laplace
    >>> def second(block, axis, output, mode, cval):
    ...     return ndimage.correlate1d(block, [1, -2, 1], axis, output, mode, cval)
    >>> generic_laplace(da.arange(6, chunks=3) ** 2, second, depth=1).compute()
    array([ 1,  2,  2,  2,  2, -9])
    """
    if not callable(derivative2):
        raise TypeError(f"derivative2 must be callable, got {derivative2!r}")
    image = as_dask_array(image)
    edges = edges_of(image, mode, cval, normalize_axes(axes, image.ndim))
    extras = normalize_extras(extra_arguments, extra_keywords)
    derivative = _Derivative("derivative2", derivative2, *extras, depth)
    return _from_function(
        ndimage.generic_laplace, add_terms, image, derivative, edges, output, axes
    )


def generic_gradient_magnitude(
    image: ArrayLike,
    derivative: Function,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    depth: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Length of a gradient whose derivatives a function of yours takes.

    The lazy twin of `scipy.ndimage.generic_gradient_magnitude`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    derivative : callable
        ``derivative(block, axis, output, mode, cval, *extra_arguments,
        **extra_keywords)`` gives the derivative of a NumPy array.
    mode, cval : optional
        As in `generic_laplace`.
    extra_arguments : sequence, optional
        Further arguments for ``derivative``.
    extra_keywords : dict, optional
        Further keywords for ``derivative``.
    depth : int or sequence of int, optional
        How many pixels around a pixel ``derivative`` reads, per axis; known
        for `scipy.ndimage.sobel` and `scipy.ndimage.prewitt`, and not needed
        for functions of this package. Without it the whole image goes through
        one task.
    output : optional
        As in `laplace`.
    axes : int or tuple of int, optional
        Use the derivatives along these axes only.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Warns
    -----
    dask.array.PerformanceWarning
        If ``depth`` is not known and there are several blocks.

    Raises
    ------
    ValueError
        If a mode is unknown, or ``depth`` is negative.

    Examples
    --------
    >>> import dask.array as da
    >>> from scipy import ndimage
    >>> from dask_image.ndfilters import generic_gradient_magnitude
    >>> generic_gradient_magnitude(da.arange(6.0, chunks=3), ndimage.sobel).compute()
    array([1., 2., 2., 2., 2., 1.])
    """
    if not callable(derivative):
        raise TypeError(f"derivative must be callable, got {derivative!r}")
    image = as_dask_array(image)
    edges = edges_of(image, mode, cval, normalize_axes(axes, image.ndim))
    extras = normalize_extras(extra_arguments, extra_keywords)
    derivative = _Derivative("derivative", derivative, *extras, depth)
    return _from_function(
        ndimage.generic_gradient_magnitude,
        magnitude_of_terms,
        image,
        derivative,
        edges,
        output,
        axes,
    )


@dataclass(frozen=True)
class _Derivative:
    """A derivative of the user's: what SciPy calls it, what else it takes, how far it reaches."""

    argument: str
    function: Any
    extra_arguments: tuple[Any, ...]
    extra_keywords: dict[str, Any]
    depth: PerAxis[Integer] | None

    @property
    def keywords(self):
        """The arguments that SciPy hands on."""
        return {"extra_arguments": self.extra_arguments, "extra_keywords": self.extra_keywords}


def _from_function(scipy_function, combine, image, derivative, edges, output, axes):
    which = normalize_axes(axes, image.ndim)
    dtype = result_dtype(ndimage.laplace, image, output=output)
    if not which:
        return image.astype(dtype)
    modes = [edges.modes[axis] for axis in which]
    function = derivative.function
    keywords = {"cval": edges.cval, "output": dtype} | derivative.keywords
    if _answers_lazily(function, image, which[0], modes[0], keywords):
        terms = [
            _one_derivative(image, function, axis=axis, mode=axis_mode, **keywords)
            for axis, axis_mode in zip(which, modes)
        ]
        return combined(combine, terms, scipy_function.__name__)
    depth = DEPTH_OF.get(function) if derivative.depth is None else derivative.depth
    settings = {"depth": depth, "dtype": dtype, "name": scipy_function.__name__} | keywords
    if len(set(modes)) > 1:
        # A derivative may use the mode of its axis on all axes, so each needs a halo of its own.
        terms = [
            _over_blocks(
                _one_derivative, image, axis_mode, function=function, axis=axis, **settings
            )
            for axis, axis_mode in zip(which, modes)
        ]
        return combined(combine, terms, scipy_function.__name__)
    if axes is not None:
        settings["axes"] = which
    kernel = kernel_for(image, scipy_function)
    return _over_blocks(kernel, image, modes[0], **settings, **{derivative.argument: function})


def _answers_lazily(function, image, axis, mode, keywords):
    """
    Tell whether a derivative is itself made of lazy filters, by trying it on a single pixel.

    Code ported from SciPy calls `dask_image.ndimage` in its derivatives too; those
    bring the right halos along, and take the whole lazy image.
    """
    if function in DEPTH_OF:
        return False
    pixel = np.zeros((1,) * image.ndim, dtype=image.dtype)
    try:
        return isinstance(_one_derivative(pixel, function, axis, mode=mode, **keywords), da.Array)
    except Exception:  # noqa: BLE001 - whatever it is, it shows again where the function meets its blocks
        return False


def _over_blocks(kernel, image, mode, *, depth, dtype, name, **keywords):
    """Run a kernel with a halo of ``depth``, or on the whole image where that is not known."""
    if depth is None and count_blocks(image) > 1:
        return map_whole(kernel, image, name=name, dtype=dtype, mode=mode, **keywords)
    depths = per_axis(depth or 0, image.ndim, "depth")
    depths = [normalize_integer(each, "depth", lowest=0) for each in depths]
    return map_neighborhood(
        kernel, image, name=name, reach=[(each, each) for each in depths],
        modes=[mode] * image.ndim, dtype=dtype, mode=mode, **keywords,
    )  # fmt: skip


def _one_derivative(block, function, axis, *, output, mode, cval, extra_arguments, extra_keywords):
    return function(block, axis, output, mode, cval, *extra_arguments, **extra_keywords)


def combined(combine, terms, name):
    """Return what ``combine`` makes of the blocks of lazy terms, in one task a block."""
    meta = combine([term._meta for term in terms])
    return map_blocks(_combined, *terms, name=name, combine=combine, meta=meta)


def _combined(*terms, combine):
    return combine(terms)


def add_terms(terms):
    """Return the sum of the terms, in their own dtype."""
    return functools.reduce(operator.add, terms)


def magnitude_of_terms(terms):
    """Return the root of the sum of squares of the terms, in their own dtype, as SciPy rounds."""
    return np.sqrt(add_terms([term * term for term in terms])).astype(terms[0].dtype)
