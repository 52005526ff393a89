"""
Write the types of modules whose functions are made when they are imported.

Parameters have the types of those of the functions that do the work::

    python -m tests.stubs ndimage > dask_image/ndimage.pyi

``make stubs`` does so; tests/test_types.py sees whether it has been done. Needs Python 3.11.
"""

import importlib
import inspect
import re
import sys
import typing

from dask_image._utils import typing as aliases

IMPORTS = {
    "typing": ("Any", "Literal", "TypeVar", "overload"),
    "collections.abc": ("Sequence",),
    "dask.delayed": ("Delayed",),
    "dask_image._utils.typing": aliases.__all__,
}
MODULES = {
    "np": "import numpy as np",
    "npt": "import numpy.typing as npt",
    "xarray": "import xarray",
}
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
REQUIRED = inspect.Parameter.empty


def stub(name):
    """Return the text of the stub of ``dask_image.name``."""
    module = importlib.import_module(f"dask_image.{name}")
    describe, before = STUBS[name]
    functions = before + "".join(
        _function(getattr(module, each), describe) for each in module.__all__
    )
    words = set(re.findall(r"(?<![\w.])\w+", functions))
    lines = [line for word, line in MODULES.items() if word in words]
    for source, names in IMPORTS.items():
        if used := sorted(words.intersection(names), key=_place):
            lines.append(f"from {source} import {', '.join(used)}")
    return "\n".join(lines) + f"\n\n__all__ = {module.__all__!r}\n\n{functions}"


def _place(name):
    """Return what sorts names of an import as ruff does: classes first."""
    return name[0].islower(), name.casefold()


def _function(adapted, describe):
    """Return what the stub says of a function; of one that has overloads, one after another."""
    inner = _inner(adapted)
    function = inner["port"].function if "port" in inner else inner.get("function", adapted)
    function = inspect.unwrap(function)
    described = describe(adapted, typing.get_overloads(function) or [function])
    lines = dict.fromkeys(f"def {adapted.__name__}({each}: ...\n" for each in described)
    return "".join(f"@overload\n{line}" if len(lines) > 1 else line for line in lines)


def _inner(adapted):
    """Return what a function that was made uses."""
    return inspect.getclosurevars(adapted).nonlocals


def _of_scipy(ported, overloads):
    """Describe a function under SciPy's parameters."""
    for own in map(inspect.signature, overloads):
        yield f"{_parameters(ported, _inner(ported), own)}) -> {own.return_annotation}"


def _parameters(ported, inner, own):
    """Return SciPy's parameters, with types and, in overloads, demands of ``own`` parameters."""
    name_of = inner.get("name_of", {name: name for name in own.parameters})
    parameters, keyword_only = [], False
    for name, parameter in inspect.signature(ported).parameters.items():
        if name == "kwargs":
            more = [key for key in own.parameters if key not in name_of.values()]
            parameters += [_parameter(key, own.parameters[key], ...) for key in more]
        elif name not in name_of:  # what SciPy fills in place
            parameters.append(f"{name}: None = None")
        else:
            described = own.parameters[name_of[name]]
            if not keyword_only and KEYWORD_ONLY in (parameter.kind, _demand(described)):
                keyword_only = True
                parameters.append("*")
            parameters.append(_parameter(name, described, parameter.default))
    return ", ".join(parameters)


def _demand(described):
    """Return the kind of a parameter that must be given, though others before it need not be."""
    return described.kind if described.default is REQUIRED else None


def _parameter(name, described, default):
    text = f"{name}: {described.annotation}"
    if REQUIRED in (described.default, default):
        return text
    shown = repr(default) if isinstance(default, (int, float, str, tuple, type(None))) else "..."
    return f"{text} = {shown}"


def _of_xarray(adapted, overloads):
    """Describe a function by dimensions, made or written out."""
    port = _inner(adapted).get("port")
    signatures = (
        [inspect.signature(adapted)]
        if port is None or port.returned
        else map(port.described, overloads)
    )
    for signature in signatures:
        parameters, keyword_only = [], False
        for name, parameter in signature.parameters.items():
            if not keyword_only and parameter.kind is KEYWORD_ONLY:
                keyword_only = True
                parameters.append("*")
            parameters.append(_parameter(name, parameter, parameter.default))
        yield f"{', '.join(parameters)}) -> {signature.return_annotation}"


STUBS = {
    "ndimage": (_of_scipy, ""),
    "xarray": (_of_xarray, '_Image = TypeVar("_Image", xarray.DataArray, xarray.Dataset)\n\n'),
}

if __name__ == "__main__":
    print(stub(sys.argv[1]), end="")
