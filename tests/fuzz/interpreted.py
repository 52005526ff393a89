"""
Run the loops of compiled kernels as Python, where every index is checked and nothing compiles.

Small images take milliseconds so; and constants of the loops can be made small as well.
"""

import contextlib
import importlib
import pkgutil

from dask_image import _kernels


def interpret_kernels():
    """Import all kernels uncompiled, for the rest of this process; without numba do nothing."""
    with contextlib.suppress(ImportError):
        import numba

        numba.config.DISABLE_JIT = True
        for module in pkgutil.walk_packages(_kernels.__path__, f"{_kernels.__name__}."):
            importlib.import_module(module.name)
        numba.config.DISABLE_JIT = False  # which says that kernels are not to be used
