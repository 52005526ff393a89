"""
Dask arrays in, Dask arrays out: ``scipy.ndimage`` for images larger than memory.

``import dask_image`` imports nothing else: each area is imported when it is first used, as in
``dask_image.ndfilters.gaussian_filter``, or by an import of its own.
"""

import importlib.util


def __getattr__(name):
    if name == "__version__":
        return _version()
    if name in ("store", "to_zarr"):
        return getattr(importlib.import_module(f"{__name__}.storage"), name)
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    import pkgutil

    areas = {module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_"}
    return sorted({*globals(), "__version__", "store", "to_zarr"} | areas)


def _version():
    from importlib import metadata

    try:
        return metadata.version("dask-image")
    except metadata.PackageNotFoundError:  # a checkout that was not installed
        return "0+unknown"
