"""Which function does the work in a block: SciPy's, CuPy's namesake, or a faster one of ours."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import numpy as np

from dask_image._kernels.stand_ins import stand_in
from dask_image._utils.arguments import ArgumentError
from dask_image._utils.arrays import output_dtype
from dask_image._utils.capabilities import CAPABILITIES
from dask_image._utils.typing import Array, DTypeLike

P = ParamSpec("P")
R = TypeVar("R")


def kernel_for(image: Array, scipy_function: Callable[..., Any]) -> Callable[..., Any]:
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
        return CupyKernel(getattr(cupyx.scipy.ndimage, name))
    except AttributeError:
        raise NotImplementedError(f"CuPy has no {name}: move the image to NumPy first") from None


@dataclass(frozen=True)
class CupyKernel:
    """
    A function of ``cupyx.scipy.ndimage`` that takes arguments as its namesake in SciPy does.

    CuPy (14) wants weights on the GPU, knows no extra arguments of functions, finds a structure
    too little to tell the size of a window, and weights short integers in float32.

    Parameters
    ----------
    function : callable
    """

    function: Callable[..., Any]

    def __call__(self, *blocks: Any, **keywords: Any) -> Any:
        """Call the function of CuPy's."""
        import cupy

        if "weights" in keywords:
            keywords["weights"] = cupy.asarray(keywords["weights"])
        for extras in ("extra_arguments", "extra_keywords"):
            if keywords.pop(extras, None):
                raise NotImplementedError(f"{extras} must be empty for CuPy arrays")
        # Binary morphology has no footprint.
        without = keywords.get("footprint") is None and keywords.get("structure") is not None
        if without and "footprint" in inspect.signature(self.function).parameters:
            keywords["footprint"] = np.ones(np.shape(keywords["structure"]), bool)
        if keywords.get("output") == np.float64:
            blocks = tuple(
                block.astype(np.float64) if block.dtype.kind in "biu" else block for block in blocks
            )
        return self.function(*blocks, **keywords)


def is_cupy(image: Array) -> bool:
    """Tell whether the blocks of ``image`` are CuPy arrays."""
    return _module(image._meta) == "cupy"


def _module(value):
    return type(value).__module__.partition(".")[0]


def numpy_only(function: Callable[P, R], name: str | None = None) -> Callable[P, R]:
    """
    Let a public function refuse CuPy arrays when it is called, as the table of capabilities says.

    Parameters
    ----------
    function : callable
    name : str, optional
        In the table, where it is not the function's.

    Returns
    -------
    callable
        Raises NotImplementedError if any argument, positional or keyword, is a CuPy array, a
        Dask array of such blocks, or a sequence that holds one.
    """
    name = name or function.__name__
    if CAPABILITIES[name].cupy is not None:
        return function

    @functools.wraps(function)
    def refusing(*args: P.args, **kwargs: P.kwargs) -> R:
        if _has_cupy([args, kwargs]):
            raise NotImplementedError(
                f"{name} has no GPU version: move the blocks to NumPy with "
                "map_blocks(cupy.asnumpy) first"
            )
        return function(*args, **kwargs)

    return refusing


def _has_cupy(value):
    """Tell whether there is a CuPy array in a value, or in what it contains."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(map(_has_cupy, value))
    # An xarray.DataArray holds its array in its data.
    array = value.data if hasattr(value, "dims") and hasattr(value, "data") else value
    return "cupy" in (_module(array), _module(getattr(array, "_meta", None)))


def result_dtype(
    scipy_function: Callable[..., Any],
    image: Array,
    *args: Any,
    output: DTypeLike | None = None,
    **kwargs: Any,
) -> np.dtype[Any]:
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
