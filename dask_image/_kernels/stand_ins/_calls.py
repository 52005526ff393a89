"""Calls of SciPy's functions, as the kernels see them that stand in for these functions."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels.patience import USUAL, patient
from dask_image._kernels.rows import cut
from dask_image._utils.arguments import Binder


@functools.lru_cache
def _binder(function):
    return Binder(inspect.signature(function))


class Counted(NamedTuple):
    """
    That a linear filter takes the pixels alone that count, and divides by the sum of their weights.

    Attributes
    ----------
    mask : numpy.ndarray of bool
        Of the image's shape: which pixels count.
    beyond : float
        1 if those beyond the edges do in mode "constant", else 0.
    work : dtype
        What both sums are in between two steps, and divided in.
    least : float
        No sum of weights is as small where a pixel counts.
    nudge : float
        By what quotients are multiplied.
    fill : number
        Given where no pixel counts.
    out : numpy.ndarray
        Takes the quotients; C-contiguous.
    otherwise : callable
        ``otherwise(image, mask, region, out)`` does the same without a kernel for it.
    """

    mask: np.ndarray
    beyond: float
    work: np.dtype
    least: float
    nudge: float
    fill: Any
    out: np.ndarray
    otherwise: Callable[..., None]


class Call:
    """
    A call of one of SciPy's functions.

    All of its arguments are attributes, under SciPy's names; ``input`` is an array. So is
    ``counted``, a `Counted`, or None for the function as SciPy has it.
    """

    def __init__(self, function, *arguments, counted=None, **keywords):
        self._function, self._arguments = function, _binder(function).bind(arguments, keywords)
        self._arguments["input"] = np.asarray(self._arguments["input"])
        if counted is not None:
            self._arguments["output"] = counted.out.dtype
        vars(self).update(self._arguments)
        self.counted = counted

    def by_scipy(self, region=None):
        """Return what SciPy gives, or the part of it in ``region``."""
        if self.counted is not None:
            mask, *_, out, otherwise = self.counted
            otherwise(self.input, mask, region, out)
            return out
        named = dict(self._arguments)
        return cut(self._function(**named.pop("kwargs", {}), **named), region)

    def changed(self, function=None, **changes):
        """Return the call with other arguments, or that of another function."""
        function = function or self._function
        known = _binder(function).signature.parameters
        kept = {name: value for name, value in self._arguments.items() if name in known}
        return Call(function, counted=self.counted, **{**kept, **changes})


def stands_in_for(function, exact=None, linear=False, nanoseconds=None):
    """
    Make a kernel of what computes a region of the result (None: all of it) from a `Call`.

    The kernel has SciPy's signature. Its attribute ``in_region`` takes the region as a keyword
    beside SciPy's arguments, the image by position. It compiles in the background where the kernel
    gives the bits that it gives without numba: where ``exact(call)`` says so, and always if there
    is no ``exact``. That of a ``linear`` filter takes a `Counted` as a further keyword of
    ``in_region``. ``nanoseconds(call)`` are what SciPy takes for a pixel, if that is not `USUAL`.
    """

    def decorate(compute):
        @functools.wraps(compute)
        def kernel(*arguments, **keywords):
            if "input" in keywords:
                arguments = (keywords.pop("input"), *arguments)
            return kernel.in_region(*arguments, region=None, **keywords)

        def at_once(block, *others, region, **keywords):
            return compute(Call(function, block, *others, **keywords), region)

        def by_scipy(block, *others, region, **keywords):
            return nanoseconds(Call(function, block, *others, **keywords))

        in_background = patient(at_once, nanoseconds=by_scipy if nanoseconds else USUAL)

        def either(block, *others, region, **keywords):
            call = Call(function, block, *others, **keywords)
            in_region = in_background if exact(call) else at_once
            return in_region(block, *others, region=region, **keywords)

        kernel.__signature__ = _binder(function).signature
        kernel.in_region = either if exact else in_background
        kernel.takes_counted = linear
        return kernel

    return decorate
