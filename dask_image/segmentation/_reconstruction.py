"""Grey reconstruction, and the maxima and minima of a given height."""

from functools import partial

import numpy as np

from dask_image._utils.arguments import ArgumentError
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.flooding import reconstruct
from dask_image.segmentation._arguments import as_image, in_chunks_of, neighbour_steps

METHODS = ("dilation", "erosion")


@numpy_only
def reconstruction(seed, mask, method="dilation", footprint=None):
    """
    Let the pixels of a seed spread as far as a mask lets them.

    As `skimage.morphology.reconstruction`, which see, exact over any chunks. By
    dilation, high pixels of the seed spread to their neighbours, but rise above the
    mask nowhere: the seed is dilated and cut off at the mask, until nothing
    changes. By erosion low pixels spread, and sink below the mask nowhere.

    Parameters
    ----------
    seed : array_like
        Where to begin: nowhere above ``mask`` (nowhere below it, by erosion).
    mask : array_like
        How high, or how low, each pixel may come; of the shape of ``seed``.
    method : {"dilation", "erosion"}, optional
        Whether high or low pixels spread.
    footprint : array_like of bool, optional
        Which pixels are the neighbours of the one in the middle: symmetric, of one or
        three pixels along every axis. All those around it by default.

    Returns
    -------
    dask.array.Array
        Of float32 if ``mask`` is of a float dtype of 32 bits at most, else of
        float64, as in scikit-image; with the shape and chunks of ``mask``.

    Raises
    ------
    ValueError
        If the shapes differ, ``method`` is unknown, or ``footprint`` has a wrong size or is not
        symmetric. When it is computed, if ``seed`` is above ``mask`` (or below, by erosion).

    See Also
    --------
    skimage.morphology.reconstruction : The same on NumPy arrays.
    h_maxima : What stands out from an image by a given height.
    dask_image.ndmorph.binary_propagation : The same for booleans.

    Notes
    -----
    A block is reconstructed by two sweeps and a queue [1]_. Before, the levels
    of pixels on its faces must be known: they follow from a graph of all faces, in
    which an edge stands for the best way through a block, and which is made and
    solved in a tree as that of `watershed` is. Seed and mask are therefore computed
    twice, and of each block no more than its surface is kept in between.

    References
    ----------
    .. [1] L. Vincent, "Morphological grayscale reconstruction in image analysis:
       applications and efficient algorithms", IEEE Transactions on Image
       Processing 2, 1993, 176-201.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> mask = da.from_array(np.array([[1, 5, 4, 5, 1, 7, 1]]), chunks=3)
    >>> seed = da.from_array(np.array([[0, 0, 0, 5, 0, 0, 0]]), chunks=3)
    >>> reconstruction(seed, mask).compute()
    array([[1., 4., 4., 5., 1., 1., 1.]])
    """
    if method not in METHODS:
        raise ArgumentError(f"method must be one of {METHODS}, got {method!r}")
    mask = as_image(mask, "mask")
    seed = in_chunks_of(mask, as_image(seed, "seed"), "seed")
    steps = neighbour_steps(footprint, None, mask.ndim)
    dtype = np.dtype(np.float32 if mask.dtype in (np.float16, np.float32) else np.float64)
    prepare = partial(_as_seed_and_mask, method=method, dtype=dtype)
    finish = partial(_as_reconstruction, method=method)
    return reconstruct([seed, mask], prepare, finish, steps, dtype, "reconstruction")


def _as_seed_and_mask(seed, mask, method, dtype):
    """Return blocks to erode; those to dilate, upside down."""
    if (seed > mask if method == "dilation" else seed < mask).any():
        above = "above" if method == "dilation" else "below"
        raise ValueError(f"seed must be nowhere {above} mask for a reconstruction by {method}")
    seed, mask = seed.astype(dtype, copy=False), mask.astype(dtype, copy=False)
    return (-seed, -mask) if method == "dilation" else (seed, mask)


def _as_reconstruction(eroded, seed, mask, method):
    return -eroded if method == "dilation" else eroded
