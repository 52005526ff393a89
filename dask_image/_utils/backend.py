"""Which function does the work in a block: SciPy's, CuPy's namesake, or a faster one of ours."""

import numpy as np

from dask_image._kernels import FASTER
from dask_image._utils.arrays import output_dtype


def kernel_for(image, scipy_function):
    """
    Return the function to run on the blocks of ``image``.

    Parameters
    ----------
    image : dask.array.Array
        Its ``_meta`` tells what kind of array the blocks are.
    scipy_function : callable
        A function of `scipy.ndimage`.

    Returns
    -------
    callable
        Of the same signature and results: a kernel of ours where there is a
        faster one, for CuPy blocks the namesake in ``cupyx.scipy.ndimage``.

    Raises
    ------
    NotImplementedError
        If blocks are CuPy arrays and CuPy has no such function.
    """
    if not is_cupy(image):
        return FASTER.get(scipy_function, scipy_function)
    import cupyx.scipy.ndimage

    name = scipy_function.__name__
    try:
        return getattr(cupyx.scipy.ndimage, name)
    except AttributeError:
        raise NotImplementedError(f"CuPy has no {name}: move the image to NumPy first") from None


def is_cupy(image):
    """Tell whether the blocks of ``image`` are CuPy arrays."""
    return type(image._meta).__module__.partition(".")[0] == "cupy"


def result_dtype(scipy_function, image, *args, output=None, **kwargs):
    """
    Return the dtype that SciPy gives, by running it on a single pixel of zero.

    What SciPy refuses (dtypes, combinations of arguments) is thereby refused
    when a function is called, with SciPy's own exception, before any block is.
    """
    pixel = np.zeros((1,) * image.ndim, dtype=image.dtype)
    if output is not None:
        kwargs["output"] = output_dtype(output, image.dtype)
    return scipy_function(pixel, *args, **kwargs).dtype
