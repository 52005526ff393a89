"""Grey morphology: erosion, dilation, and what SciPy makes of the two."""

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axes,
    normalize_cval,
    normalize_modes,
    normalize_origins,
    normalize_sizes,
    on_axes,
    window_reach,
)
from dask_image._utils.arrays import as_dask_array, output_dtype
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.warnings import warn


def _window(size, footprint, structure, count):
    """Return the window's shape, and the arguments that describe it to SciPy."""
    if size is None and footprint is None and structure is None:
        raise ValueError("size, footprint or structure must be given, got none of them")
    if structure is not None:
        structure = np.asarray(structure)
        if structure.dtype.kind not in "biuf":
            raise TypeError(f"structure must hold real numbers, got dtype {structure.dtype}")
        if structure.size == 0:
            raise ArgumentError(f"structure must not be empty, got shape {structure.shape}")
        if structure.ndim != count:
            raise ArgumentError(
                f"structure must have one axis for each of {count} axes, got {structure.ndim} axes"
            )
    if footprint is not None:
        if size is not None:
            warn("ignoring size because footprint is set")
        footprint = np.asarray(footprint, dtype=bool)
        if not footprint.any():
            raise ValueError("footprint must have a pixel that is True, got none")
        if footprint.ndim != count:
            raise ArgumentError(
                f"footprint must have one axis for each of {count} axes, got {footprint.ndim} axes"
            )
    if footprint is not None and structure is not None and footprint.shape != structure.shape:
        raise ArgumentError(
            f"footprint and structure must have one shape, got {footprint.shape} "
            f"and {structure.shape}"
        )
    if footprint is not None:
        shape, arguments = footprint.shape, {"footprint": footprint}
    elif structure is not None:
        shape, arguments = structure.shape, {}
    else:
        shape = normalize_sizes(size, count, least=0)
        arguments = {"size": shape}
    return shape, arguments if structure is None else arguments | {"structure": structure}


def _reach(shape, origins, box):
    """Return what a window reads; as in SciPy, a box leaves axes of 0 or 1 pixels alone."""
    origins = [0 if box and size < 2 else origin for size, origin in zip(shape, origins)]
    return [(before, max(after, 0)) for before, after in window_reach(shape, origins)]


def _grey(
    scipy_function, image, size, footprint, structure, mode, cval, origin, axes, output, steps=1
):
    """Run SciPy's function on blocks with one halo, of ``steps`` times the window's reach."""
    image = as_dask_array(image)
    chosen = normalize_axes(axes, image.ndim)
    shape, arguments = _window(size, footprint, structure, len(chosen))
    origins = normalize_origins(origin, len(chosen))
    # Dilation looks through the window from behind. A second step mirrored at an edge of the
    # image turns before into after: the halo of several steps is as wide on both sides.
    reach = [
        (max(before, after) * steps,) * 2 if steps > 1 or before != after else (before, after)
        for before, after in _reach(shape, origins, "size" in arguments)
    ]
    if list(chosen) != sorted(chosen):
        reach = [(max(shape, default=0) * steps,) * 2] * len(chosen)
    modes = normalize_modes(mode, len(chosen))
    arguments |= {"mode": mode, "cval": normalize_cval(cval, image.dtype), "origin": origins}
    if output is not None:
        arguments["output"] = output_dtype(output, image.dtype)
    if axes is not None:
        arguments["axes"] = chosen
    # SciPy itself says what it refuses, and what dtype it returns, on one pixel.
    dtype = result_dtype(scipy_function, image, **arguments)
    return map_neighborhood(
        kernel_for(image, scipy_function),
        image,
        name=scipy_function.__name__,
        reach=on_axes(reach, chosen, image.ndim, default=(0, 0)),
        modes=on_axes(modes, chosen, image.ndim, "constant"),
        dtype=dtype,
        **arguments,
    )


def grey_erosion(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
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
    return _grey(
        ndimage.grey_erosion, image, size, footprint, structure, mode, cval, origin, axes,
        output,
    )  # fmt: skip


def grey_dilation(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Take the maximum in a window around every pixel.

    The Dask counterpart of `scipy.ndimage.grey_dilation`, with the same
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
        Window that is not flat: its values are added to the image's
        before the maximum is taken.
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
    >>> from dask_image.ndmorph import grey_dilation
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> grey_dilation(image, size=3).compute()
    array([5, 9, 9, 9, 7, 7])
    """
    return _grey(
        ndimage.grey_dilation, image, size, footprint, structure, mode, cval, origin, axes,
        output,
    )  # fmt: skip


def grey_opening(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Erode, then dilate: remove bright spots smaller than the window.

    The Dask counterpart of `scipy.ndimage.grey_opening`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are subtracted, then added.
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
    >>> from dask_image.ndmorph import grey_opening
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> grey_opening(image, size=3).compute()
    array([3, 4, 4, 4, 4, 4])
    """
    return _grey(
        ndimage.grey_opening, image, size, footprint, structure, mode, cval, origin, axes,
        output, steps=2,
    )  # fmt: skip


def grey_closing(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Dilate, then erode: fill dark spots smaller than the window.

    The Dask counterpart of `scipy.ndimage.grey_closing`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are added, then subtracted.
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
    >>> from dask_image.ndmorph import grey_closing
    >>> image = da.from_array([3, 5, 2, 4, 4, 7], chunks=3)
    >>> grey_closing(image, size=3).compute()
    array([5, 5, 4, 4, 4, 7])
    """
    return _grey(
        ndimage.grey_closing, image, size, footprint, structure, mode, cval, origin, axes,
        output, steps=2,
    )  # fmt: skip


def morphological_gradient(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Subtract the erosion from the dilation.

    The Dask counterpart of `scipy.ndimage.morphological_gradient`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are added for the dilation
        and subtracted for the erosion.
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
    return _grey(
        ndimage.morphological_gradient, image, size, footprint, structure, mode, cval, origin, axes,
        output,
    )  # fmt: skip


def morphological_laplace(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Add dilation and erosion, and subtract the image twice.

    The Dask counterpart of `scipy.ndimage.morphological_laplace`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are added for the dilation
        and subtracted for the erosion.
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
    return _grey(
        ndimage.morphological_laplace, image, size, footprint, structure, mode, cval, origin, axes,
        output,
    )  # fmt: skip


def white_tophat(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Subtract the opening from the image: what is bright and smaller than the window.

    The Dask counterpart of `scipy.ndimage.white_tophat`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are subtracted, then added.
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
    >>> from dask_image.ndmorph import white_tophat
    >>> image = da.from_array([3, 5, 9, 4, 4, 7], chunks=3)
    >>> white_tophat(image, size=3).compute()
    array([0, 1, 5, 0, 0, 3])
    """
    return _grey(
        ndimage.white_tophat, image, size, footprint, structure, mode, cval, origin, axes,
        output, steps=2,
    )  # fmt: skip


def black_tophat(
    image, size=None, footprint=None, structure=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None, output=None,
):  # fmt: skip
    """
    Subtract the image from the closing: what is dark and smaller than the window.

    The Dask counterpart of `scipy.ndimage.black_tophat`, with the same
    result for any chunks; one halo serves both steps.

    Parameters
    ----------
    image : array_like
        NumPy or Dask array, or anything that `dask.array.from_array` takes.
    size : int or sequence of int, optional
        Window of this size along each axis, flat and full; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        Window of any shape, flat; takes precedence over ``size``.
    structure : array_like, optional
        Window that is not flat: its values are added, then subtracted.
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
    >>> from dask_image.ndmorph import black_tophat
    >>> image = da.from_array([3, 5, 2, 4, 4, 7], chunks=3)
    >>> black_tophat(image, size=3).compute()
    array([2, 0, 2, 0, 0, 0])
    """
    return _grey(
        ndimage.black_tophat, image, size, footprint, structure, mode, cval, origin, axes,
        output, steps=2,
    )  # fmt: skip
