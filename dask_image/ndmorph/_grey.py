"""Grey morphology: erosion, dilation, and what SciPy makes of the two."""

from __future__ import annotations

from scipy import ndimage

from dask_image._utils.arguments import (
    normalize_cval,
    normalize_modes,
    on_axes,
)
from dask_image._utils.arrays import as_dask_array, output_dtype
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.typing import Array, ArrayLike, DTypeLike, Integer, ModeName, Number, PerAxis
from dask_image._utils.windows import grey_window


def _grey(scipy_function, image, window, mode, cval, output, steps=1):
    """Run SciPy's function on blocks with one halo, of ``steps`` times the window's reach."""
    modes = normalize_modes(mode, len(window.axes))
    arguments = window.keywords | {"mode": mode, "cval": normalize_cval(cval, image.dtype)}
    if output is not None:
        arguments["output"] = output_dtype(output, image.dtype)
    # SciPy itself says what it refuses, and what dtype it returns, on one pixel.
    dtype = result_dtype(scipy_function, image, **arguments)
    return map_neighborhood(
        kernel_for(image, scipy_function),
        image,
        name=scipy_function.__name__,
        reach=window.widened(steps),
        modes=on_axes(modes, window.axes, image.ndim, "constant"),
        dtype=dtype,
        **arguments,
    )


def grey_erosion(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Take the minimum in a window around every pixel.

    The Dask counterpart of `scipy.ndimage.grey_erosion`, with the same
    result for any chunks.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are subtracted from the
        image's before the minimum is taken.
    mode : str or sequence of str, optional
        How the image goes on beyond its edges: "reflect", "constant", "nearest",
        "mirror", "wrap" or their "grid-" synonyms; a mode for each axis is
        allowed with ``size`` only.
    cval : scalar, optional
        Value beyond the edges for mode "constant".
    origin : int or sequence of int, optional
        How far the window is moved from its centre, along each axis.
    axes : int or sequence of int, optional
        Axes that the window has; all by default.
    output : dtype, optional
        Of the result; that of ``image`` by default.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import grey_erosion
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> grey_erosion(image, size=3).compute()
    array([3, 3, 4, 4, 4, 4])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.grey_erosion, image, window, mode, cval, output)


def grey_dilation(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Take the maximum in a window around every pixel.

    The Dask counterpart of `scipy.ndimage.grey_dilation`, with the same
    result for any chunks.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : array_like, optional
        Window that is not flat: its values are added to the image's
        before the maximum is taken.
    mode, cval, origin, axes, output : optional
        As in `grey_erosion`.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import grey_dilation
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> grey_dilation(image, size=3).compute()
    array([5, 9, 9, 9, 7, 7])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.grey_dilation, image, window, mode, cval, output)


def grey_opening(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Erode, then dilate: remove bright spots smaller than the window.

    The Dask counterpart of `scipy.ndimage.grey_opening`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : array_like, optional
        Window that is not flat: its values are subtracted, then added.
    mode, cval, origin, axes, output : optional
        As in `grey_erosion`.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import grey_opening
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> grey_opening(image, size=3).compute()
    array([3, 4, 4, 4, 4, 4])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.grey_opening, image, window, mode, cval, output, steps=2)


def grey_closing(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Dilate, then erode: fill dark spots smaller than the window.

    The Dask counterpart of `scipy.ndimage.grey_closing`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : array_like, optional
        Window that is not flat: its values are added, then subtracted.
    mode, cval, origin, axes, output : optional
        As in `grey_erosion`.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import grey_closing
    >>> image = da.from_array([3, 5, 2, 4, 4, 7], chunks=3)
    >>> grey_closing(image, size=3).compute()
    array([5, 5, 4, 4, 4, 7])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.grey_closing, image, window, mode, cval, output, steps=2)


def morphological_gradient(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Subtract the erosion from the dilation.

    The Dask counterpart of `scipy.ndimage.morphological_gradient`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : array_like, optional
        Window that is not flat: its values are added for the dilation
        and subtracted for the erosion.
    mode, cval, origin, axes : optional
        As in `grey_erosion`.
    output : dtype, optional
        Taken for compatibility: SciPy returns the dtype of ``image`` in any case.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex, or boolean.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import morphological_gradient
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> morphological_gradient(image, size=3).compute()
    array([2, 6, 5, 5, 3, 3])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.morphological_gradient, image, window, mode, cval, output)


def morphological_laplace(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Add dilation and erosion, and subtract the image twice.

    The Dask counterpart of `scipy.ndimage.morphological_laplace`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : optional
        As in `morphological_gradient`.
    mode, cval, origin, axes : optional
        As in `grey_erosion`.
    output : dtype, optional
        Taken for compatibility: SciPy returns the dtype of ``image`` in any case.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex, or boolean.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import morphological_laplace
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> morphological_laplace(image, size=3).compute()
    array([ 2,  2, -5,  5,  3, -3])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.morphological_laplace, image, window, mode, cval, output)


def white_tophat(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Subtract the opening from the image: what is bright and smaller than the window.

    The Dask counterpart of `scipy.ndimage.white_tophat`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : optional
        As in `grey_opening`.
    mode, cval, origin, axes, output : optional
        As in `grey_erosion`.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import white_tophat
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> white_tophat(image, size=3).compute()
    array([0, 1, 5, 0, 0, 3])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.white_tophat, image, window, mode, cval, output, steps=2)


def black_tophat(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
) -> Array:
    """
    Subtract the image from the closing: what is dark and smaller than the window.

    The Dask counterpart of `scipy.ndimage.black_tophat`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image, size, footprint
        As in `grey_erosion`.
    structure : optional
        As in `grey_closing`.
    mode, cval, origin, axes, output : optional
        As in `grey_erosion`.

    Returns
    -------
    dask.array.Array
        With the chunks of ``image``.

    Raises
    ------
    ValueError
        If neither size, footprint nor structure is given, or an origin lies
        outside of its window.
    TypeError
        If ``image`` is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import black_tophat
    >>> image = da.from_array([3, 5, 2, 4, 4, 7], chunks=3)
    >>> black_tophat(image, size=3).compute()
    array([2, 0, 2, 0, 0, 0])
    """
    image = as_dask_array(image)
    window = grey_window(size, footprint, structure, origin, axes, image.ndim)
    return _grey(ndimage.black_tophat, image, window, mode, cval, output, steps=2)
