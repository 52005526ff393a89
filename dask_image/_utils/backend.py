"""Which function does the work in a block: SciPy's, CuPy's namesake, or a faster one of ours."""

import functools

import numpy as np

from dask_image._kernels.stand_ins import stand_in
from dask_image._utils.arguments import ArgumentError
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
        return stand_in(scipy_function)
    import cupyx.scipy.ndimage

    name = scipy_function.__name__
    try:
        return getattr(cupyx.scipy.ndimage, name)
    except AttributeError:
        raise NotImplementedError(f"CuPy has no {name}: move the image to NumPy first") from None


def is_cupy(image):
    """Tell whether the blocks of ``image`` are CuPy arrays."""
    return _module(image._meta) == "cupy"


def _module(value):
    return type(value).__module__.partition(".")[0]


def numpy_only(function):
    """
    Let a public function refuse CuPy blocks when it is called, where there are no GPU kernels.

    Parameters
    ----------
    function : callable
        Its arrays are its first two arguments.

    Returns
    -------
    callable
        Raises NotImplementedError for CuPy arrays, and for Dask arrays of such blocks.
    """

    @functools.wraps(function)
    def refusing(*args, **kwargs):
        for array in [*args[:2], *kwargs.values()]:
            if _module(array) == "cupy" or _module(getattr(array, "_meta", None)) == "cupy":
                raise NotImplementedError(
                    f"{function.__name__} has no GPU version: move the blocks to NumPy with "
                    "map_blocks(cupy.asnumpy) first"
                )
        return function(*args, **kwargs)

    return refusing


def result_dtype(scipy_function, image, *args, output=None, **kwargs):
    """
    Return the dtype that SciPy gives, by running it on a single pixel of zero.

    What SciPy refuses (dtypes, combinations of arguments) is thereby refused
    when a function is called, with SciPy's own exception (`ArgumentError` for its
    RuntimeError), before any block is.
    """
    pixel = np.zeros((1,) * image.ndim, dtype=image.dtype)
    if output is not None:
        dtype = output_dtype(output, image.dtype)
        # SciPy refuses some names of dtypes that it takes as dtypes.
        kwargs["output"] = output if isinstance(output, str) else dtype
    try:
        return scipy_function(pixel, *args, **kwargs).dtype
    except ValueError:
        raise
    except RuntimeError as error:
        raise ArgumentError(str(error)) from None
