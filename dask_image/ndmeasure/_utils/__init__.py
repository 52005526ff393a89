"""Helpers that other packages import, some of them by attribute of `dask_image.ndmeasure`."""

import importlib


def __getattr__(name):
    if name == "_label":
        return importlib.import_module(f"{__name__}._label")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
