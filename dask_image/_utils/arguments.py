"""SciPy's rules for axes, modes, sizes, origins, footprints and structures, in one place."""

from __future__ import annotations

import inspect
import math
import numbers
import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from dask.base import is_dask_collection

from dask_image._utils.modes import MODES
from dask_image._utils.typing import Integer, ModeName, Shape

FILTER_MODES = tuple(MODES)
NAN_POLICIES = ("propagate", "omit")


class ArgumentError(ValueError, RuntimeError):
    """
    An argument has a value that is not allowed.

    SciPy raises RuntimeError for some bad values and ValueError for others;
    this is both, so code that catches either goes on working.
    """


class NotANumberError(TypeError, ValueError):
    """An argument is no number; SciPy raises TypeError or ValueError for it."""


class Binder:
    """
    Gives arguments the names of their parameters, as `inspect.Signature.bind` does, but faster.

    That one takes as long as a fast kernel takes for a block; here it sees to what is unusual.
    """

    def __init__(self, signature: inspect.Signature) -> None:
        self.signature = signature
        parameters = signature.parameters.values()
        self.names = {each.name for each in parameters}
        self.placed = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
        self.defaults = {
            each.name: each.default for each in parameters if each.default is not each.empty
        }
        self.usual = all(
            each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY) for each in parameters
        )

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, with defaults; raise TypeError as Python would."""
        if self.usual and len(args) <= len(self.placed):
            placed = dict(zip(self.placed, args))
            arguments = {**self.defaults, **placed, **kwargs}
            if arguments.keys() == self.names and placed.keys().isdisjoint(kwargs):
                return arguments
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)


def refuse_lazy(value: Any, name: str, kind: str) -> None:
    """Raise TypeError for what is not computed yet, where ``kind`` is needed at the call."""
    if is_dask_collection(value):
        raise TypeError(
            f"{name} must be {kind} in memory, got {value!r}: call {name}.compute() first"
        )


def normalize_number(value: Any, name: str, allow_complex: bool = False) -> Any:
    """
    Return one number, real unless ``allow_complex``, or raise TypeError.

    SciPy's C code does not always look at what it is given: a complex number where it
    takes a real one corrupts memory.
    """
    kind = "a number" if allow_complex else "a real number"
    refuse_lazy(value, name, kind)
    if isinstance(value, numbers.Real):
        return value
    if allow_complex and isinstance(value, numbers.Complex):
        return value
    kinds = "biufc" if allow_complex else "biuf"
    if hasattr(value, "dtype") and value.ndim == 0 and value.dtype.kind in kinds:
        return value
    raise NotANumberError(f"{name} must be {kind}, got {value!r}")


def normalize_fill(value: Any, name: str, dtype: np.dtype[Any]) -> Any:
    """Return a number as a dtype holds it, or raise ValueError if it does not."""
    normalize_number(value, name, allow_complex=dtype.kind == "c")
    if dtype.kind in "biu":
        limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        # Not NaN either.
        if not limits[0] <= value <= limits[1] or int(value) != value:
            raise ArgumentError(f"{name} must be a value of dtype {dtype}, got {value!r}")
    return dtype.type(value)


def normalize_integer(value: Any, name: str, lowest: float = -math.inf) -> int:
    """Return a whole number, not less than ``lowest``, or raise."""
    # Python would compute a lazy integer to learn it.
    refuse_lazy(value, name, "an integer")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < lowest:
        raise ArgumentError(f"{name} must be at least {lowest}, got {value!r}")
    return number


def normalize_flag(value: Any, name: str) -> bool:
    """Return whether something is true; what is lazy is not asked."""
    refuse_lazy(value, name, "True or False")
    try:
        return bool(value)
    except ValueError:
        raise ArgumentError(f"{name} must be True or False, got {value!r}") from None


def normalize_choice(value: Any, name: str, allowed: Collection[str]) -> str:
    """Return one of some words, or raise."""
    if not isinstance(value, str) or value not in allowed:
        raise ArgumentError(f"{name} must be one of {allowed}, got {value!r}")
    return value


def normalize_string(value: Any, name: str) -> str:
    """Return a string, or raise TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {value!r}")
    return value


def normalize_nan_policy(policy: Any) -> bool:
    """Return whether NaN is left out, or raise."""
    return normalize_choice(policy, "nan_policy", NAN_POLICIES) == "omit"


def normalize_array(value: Any, name: str, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return a small array that shapes the graph (a structure, weights); lazy parts are refused."""
    parts = [value]
    for part in parts:
        refuse_lazy(part, name, "an array")
        if isinstance(part, (list, tuple)):
            parts.extend(part)
    return array_or_raise(value, name, dtype)


def array_or_raise(value: Any, name: str, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return an array, or raise ValueError with the name of what cannot be one."""
    try:
        return np.asarray(value, dtype=dtype)
    except ValueError as error:
        raise ArgumentError(f"{name} must be an array, got {value!r}: {error}") from None


def normalize_cval(cval: Any, dtype: np.dtype[Any]) -> Any:
    """Return the value beyond the edges of an image of ``dtype``: complex only if that is."""
    cval = normalize_number(cval, "cval", allow_complex=dtype.kind == "c")
    # NumPy holds no larger integers; SciPy makes a float of any.
    large = isinstance(cval, int) and not -(2**63) <= cval < 2**64
    return float(cval) if large else cval


def normalize_finite(value: Any, name: str) -> Any:
    """Return a real number that is neither infinite nor NaN, or raise."""
    if not -math.inf < normalize_number(value, name) < math.inf:
        raise ArgumentError(f"{name} must be finite, got {value!r}")
    return value


def normalize_sigmas(sigma: Any, count: int, name: str = "sigma") -> list[Any]:
    """Return a standard deviation for each of ``count`` axes, all finite and from 0."""
    sigmas = [normalize_number(each, name) for each in per_axis(sigma, count, name)]
    for each in sigmas:
        if not 0 <= each < math.inf:  # nor NaN
            raise ValueError(f"{name} must be finite and at least 0, got {each!r}")
    return sigmas


def normalize_extras(
    extra_arguments: Sequence[Any], extra_keywords: dict[str, Any] | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what else a function of the caller's is to get, as a tuple and a dict."""
    if not isinstance(extra_arguments, (tuple, list)):
        raise ArgumentError(f"extra_arguments must be a tuple, got {extra_arguments!r}")
    if extra_keywords is None:
        extra_keywords = {}
    if not isinstance(extra_keywords, dict):
        raise ArgumentError(f"extra_keywords must be a dict or None, got {extra_keywords!r}")
    return tuple(extra_arguments), extra_keywords


def normalize_axis(axis: Integer, ndim: int, name: str = "axis") -> int:
    """Return ``axis`` counted from the first one, or raise ValueError."""
    number = normalize_integer(axis, name)
    if not -ndim <= number < ndim:
        raise np.exceptions.AxisError(number, ndim, f"{name} is wrong")
    return number % ndim


def normalize_axes(axes: Any, ndim: int, name: str = "axes") -> Shape:
    """
    Return a tuple of different axes counted from the first one.

    ``None`` stands for all axes, a number for that axis alone.
    """
    if axes is None:
        return tuple(range(ndim))
    refuse_lazy(axes, name, "integers")
    try:
        one: bool = np.isscalar(axes)
        given = (operator.index(axes),) if one else tuple(axes)
    except TypeError:
        given = None
    if given is None or isinstance(axes, dict):
        raise ValueError(f"{name} must be an integer, integers or None, got {axes!r}")
    chosen = tuple(normalize_axis(axis, ndim, name) for axis in given)
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"{name} must be unique, got {axes!r}")
    return chosen


def normalize_wrap_axes(wrap_axes: Any, ndim: int) -> Shape:
    """Return the axes whose ends meet, ascending; ``None`` stands for none."""
    if wrap_axes is None:
        return ()
    return tuple(sorted(normalize_axes(wrap_axes, ndim, "wrap_axes")))


def spatial_axes(axes: Any, channel_axis: Integer | None, ndim: int) -> Any:
    """Return ``axes``, or all but that of channels."""
    if channel_axis is None:
        return axes
    if axes is not None:
        raise ArgumentError(
            f"axes or channel_axis must be given, not both, got {axes!r} and {channel_axis!r}"
        )
    channels = normalize_axis(channel_axis, ndim, "channel_axis")
    return tuple(axis for axis in range(ndim) if axis != channels)


def per_axis(value: Any, count: int, name: str) -> list[Any]:
    """Return a list of ``count`` values: those given, or one value repeated."""
    refuse_lazy(value, name, "values")
    if isinstance(value, str) or not np.iterable(value):
        return [value] * count
    values = list(value)
    if len(values) != count:
        raise ArgumentError(
            f"{name} must be one value or one for each of {count} axes, got {value!r}"
        )
    return values


def on_axes(values: Iterable[Any], axes: Shape, ndim: int, default: Any) -> list[Any]:
    """Return one value for every axis: those of ``axes``, and ``default`` for the others."""
    spread = [default] * ndim
    for axis, value in zip(axes, values, strict=True):
        spread[axis] = value
    return spread


def normalize_modes(
    mode: Any, count: int, allowed: Collection[str] = FILTER_MODES, name: str = "mode"
) -> list[ModeName]:
    """Return the boundary mode of each axis, all of them known ones."""
    modes = per_axis(mode, count, name)
    for each in modes:
        normalize_choice(each, name, sorted(allowed))
    return modes


def normalize_mode(
    mode: Any, allowed: Collection[str] = FILTER_MODES, name: str = "mode"
) -> ModeName:
    """Return a mode that holds for all axes, and is a known one."""
    if not isinstance(mode, str):
        raise ArgumentError(f"{name} must be one string here, got {mode!r}")
    return normalize_modes(mode, 1, allowed, name)[0]


def normalize_sizes(size: Any, count: int, name: str = "size", least: int = 1) -> list[int]:
    """Return a list of window sizes, whole numbers from ``least``."""
    sizes = per_axis(size, count, name)
    for each in sizes:
        refuse_lazy(each, name, "an integer")
        number = isinstance(each, numbers.Real) or getattr(each, "shape", None) == ()
        if not number or not least <= each < math.inf or int(each) != each:
            raise ArgumentError(f"{name} must be made of whole numbers from {least}, got {size!r}")
    return [int(each) for each in sizes]


def normalize_origins(origin: Any, count: int, name: str = "origin") -> list[int]:
    """Return for each of ``count`` axes how far the centre of a window is moved."""
    return [normalize_integer(each, name) for each in per_axis(origin, count, name)]


def window_reach(
    sizes: Sequence[int], origins: Sequence[Any], name: str = "origin"
) -> list[tuple[int, int]]:
    """
    Return how many pixels a window reads before and after its centre.

    Parameters
    ----------
    sizes, origins : sequence of int
        Per axis, the length of the window and how far its centre is moved.
    name : str, optional
        What the caller calls the origins.

    Returns
    -------
    list of (int, int)

    Raises
    ------
    ValueError
        If an origin would move the centre out of the window.
    """
    reach = []
    for size, origin in zip(sizes, origins, strict=True):
        before = size // 2 + normalize_integer(origin, name)
        if not 0 <= before < max(size, 1):
            raise ValueError(
                f"{name} must lie in [{-(size // 2)}, {(size - 1) // 2}] "
                f"for a window of size {size}, got {origin}"
            )
        reach.append((before, size - 1 - before))
    return reach
