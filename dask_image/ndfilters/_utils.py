"""Arguments of filters in the form that ``dask.array.map_overlap`` takes, for other packages."""

import math
import numbers
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from dask_image.dispatch._dispatch_ndinterp import _for_blocks_of


def _get_sigmas(image, sigma):
    """
    Return one standard deviation for each axis.

    Parameters
    ----------
    image : array_like
        Its number of axes counts.
    sigma : float or sequence of float

    Returns
    -------
    tuple of float

    Raises
    ------
    RuntimeError
        If ``sigma`` is neither a number nor one number an axis.
    TypeError
        If it is not real.

    Examples
    --------
    >>> import numpy as np
    >>> _get_sigmas(np.zeros((3, 4)), 2.5)
    (2.5, 2.5)
    """
    sigmas = np.asarray(sigma)
    if sigmas.shape not in ((), (image.ndim,)):
        raise RuntimeError(f"sigma must be a number, or one for each of {image.ndim} axes: {sigma}")
    if sigmas.dtype.kind not in "iuf":
        raise TypeError(f"sigma must be real, got {sigma!r}")
    return tuple(np.broadcast_to(sigmas, image.ndim).tolist())


def _get_border(image, sigma, truncate):
    """
    Return how many pixels a Gaussian may reach along each axis.

    Parameters
    ----------
    image : array_like
        Its number of axes counts.
    sigma : float or sequence of float
        Standard deviation in pixels.
    truncate : float
        Number of standard deviations after which the Gaussian is cut off.

    Returns
    -------
    tuple of int
        ``ceil(sigma * truncate)``, which may be one more than is used.

    Raises
    ------
    RuntimeError, TypeError
        As `_get_sigmas`; also if ``truncate`` is not real.

    Examples
    --------
    >>> import numpy as np
    >>> _get_border(np.zeros((3, 4)), (1.5, 0.3), truncate=4)
    (6, 2)
    """
    if not isinstance(truncate, numbers.Real):
        raise TypeError(f"truncate must be real, got {truncate!r}")
    return tuple(math.ceil(each * truncate) for each in _get_sigmas(image, sigma))


def _get_depth_boundary(ndim, depth, boundary=None):
    """
    Return depth and boundary as ``dask.array.map_overlap`` takes them.

    Parameters
    ----------
    ndim : int
        Number of axes.
    depth : int, sequence of int or mapping from axis to int
        Thickness of the halo.
    boundary : str or None, sequence of these or mapping from axis to these, optional
        What lies beyond the edges.

    Returns
    -------
    depth : dict of int
    boundary : dict of str or None

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If ``ndim`` is not positive, a depth negative, or there is not one value an axis.

    Examples
    --------
    >>> _get_depth_boundary(2, (1, 3), "none")
    ({0: 1, 1: 3}, {0: 'none', 1: 'none'})
    """
    if not isinstance(ndim, numbers.Integral):
        raise TypeError(f"ndim must be an integer, got {ndim!r}")
    if ndim <= 0:
        raise ValueError(f"ndim must be positive, got {ndim}")
    depths = _by_axis(ndim, depth, "depth", numbers.Integral)
    if any(each < 0 for each in depths.values()):
        raise ValueError(f"depth must not be negative, got {depth!r}")
    boundaries = _by_axis(ndim, boundary, "boundary", (str, bytes, type(None)))
    return {axis: int(each) for axis, each in depths.items()}, boundaries


def _by_axis(ndim, value, name, kinds):
    if isinstance(value, kinds):
        return dict.fromkeys(range(ndim), value)
    if not isinstance(value, (Sequence, Mapping)):
        raise TypeError(f"{name} has the wrong type, {type(value).__name__}")
    if len(value) != ndim:
        raise ValueError(f"{name} must hold one value for each of {ndim} axes, got {value!r}")
    by_axis = dict(value) if isinstance(value, Mapping) else dict(enumerate(value))
    if not all(isinstance(each, kinds) for each in by_axis.values()):
        raise TypeError(f"{name} holds a value of the wrong type: {value!r}")
    return by_axis


def dispatch_gaussian_filter(image):
    """Return ``gaussian_filter`` for the blocks of ``image``."""
    return _for_blocks_of(image, ndimage.gaussian_filter, "cupyx.scipy.ndimage")
