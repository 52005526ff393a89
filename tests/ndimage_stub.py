"""
Write the types of ``dask_image.ndimage``, whose functions are made when it is imported.

Parameters are SciPy's, and have the types of those of the functions that do the work::

    python -m tests.ndimage_stub > dask_image/ndimage.pyi

``make stubs`` does so; tests/test_types.py sees whether it has been done. Needs Python 3.11.
"""

import inspect
import re
import typing

import dask_image.ndimage as ndi
from dask_image._utils import typing as aliases

IMPORTS = {
    "typing": ("Any", "Literal", "overload"),
    "collections.abc": ("Sequence",),
    "dask.delayed": ("Delayed",),
    "dask_image._utils.typing": aliases.__all__,
}
MODULES = {"np": "import numpy as np", "npt": "import numpy.typing as npt"}
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
REQUIRED = inspect.Parameter.empty


def stub():
    """Return the text of the stub."""
    functions = "".join(map(_function, ndi.__all__))
    words = set(re.findall(r"(?<![\w.])\w+", functions))
    lines = [line for word, line in MODULES.items() if word in words]
    for module, names in IMPORTS.items():
        if used := sorted(words.intersection(names)):
            lines.append(f"from {module} import {', '.join(used)}")
    return "\n".join(lines) + f"\n\n__all__ = {ndi.__all__!r}\n\n{functions}"


def _function(name):
    """Return what the stub says of a function; of one that has overloads, one after another."""
    ported = getattr(ndi, name)
    inner = inspect.getclosurevars(ported).nonlocals
    function = inspect.unwrap(inner.get("function", ported))
    overloads = typing.get_overloads(function)
    decorator = "@overload\n" if overloads else ""
    return "".join(
        f"{decorator}def {name}({_parameters(ported, inner, own)}) -> {own.return_annotation}: ...\n"
        for own in map(inspect.signature, overloads or [function])
    )


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


if __name__ == "__main__":
    print(stub(), end="")
