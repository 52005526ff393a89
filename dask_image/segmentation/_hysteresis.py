"""Two thresholds: pixels above the low one that are connected with some above the high one."""

from __future__ import annotations

import numpy as np
from dask.base import is_dask_collection

from dask_image._utils.arguments import normalize_number
from dask_image._utils.arrays import as_image, block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.typing import Array, ArrayLike
from dask_image.ndmorph import binary_propagation
from dask_image.segmentation._arguments import in_chunks_of


@numpy_only
def apply_hysteresis_threshold(image: ArrayLike, low: ArrayLike, high: ArrayLike) -> Array:
    """
    Find the pixels above a low threshold that are connected with one above a high threshold.

    As `skimage.filters.apply_hysteresis_threshold`.

    Parameters
    ----------
    image : array_like
    low, high : float or array_like
        The thresholds: numbers, lazy ones too, or arrays of the shape of ``image``. Where ``low``
        is above ``high``, ``high`` stands for both.

    Returns
    -------
    dask.array.Array
        Of bool, with the shape and chunks of ``image``.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    See Also
    --------
    skimage.filters.apply_hysteresis_threshold : The same on NumPy arrays.
    dask_image.ndmorph.binary_propagation : What this is made of.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> image = da.from_array(np.array([1, 2, 3, 2, 1, 2, 1, 3, 2]), chunks=3)
    >>> apply_hysteresis_threshold(image, 1.5, 2.5).compute().astype(int)
    array([0, 1, 1, 1, 0, 0, 0, 1, 1])
    """
    image = as_image(image)
    low, high = _threshold_of(low, image, "low"), _threshold_of(high, image, "high")
    meta = block_meta(image.ndim, bool)
    name = "apply_hysteresis_threshold"
    strong = map_blocks(np.greater, image, high, name=f"{name}-strong", meta=meta)
    weak = map_blocks(_exceeds_either, image, low, high, name=f"{name}-weak", meta=meta)
    return binary_propagation(strong, mask=weak)


def _threshold_of(threshold, image, name):
    """Return a number, lazy or not, or an array in blocks of the image's."""
    if getattr(threshold, "ndim", None) == 0 or np.isscalar(threshold):
        return threshold if is_dask_collection(threshold) else normalize_number(threshold, name)
    return in_chunks_of(image, as_image(threshold, name), name)


def _exceeds_either(image, low, high):
    return image > np.minimum(low, high)
