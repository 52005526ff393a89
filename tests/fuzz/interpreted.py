"""
Run the loops of compiled kernels as Python, where every index is checked and nothing compiles.

Small images take milliseconds so; and constants of the loops can be made small as well.
"""

import importlib
import pkgutil
import sys

import numpy as np

from dask_image import _kernels
from dask_image._kernels import memory
from dask_image._kernels._numba import Deferred


def interpret_kernels():
    """
    Import all kernels uncompiled, for the rest of this process; without numba they stay plain.
    """
    try:
        import numba
    except ImportError:
        return
    numba.config.DISABLE_JIT = True
    for found in pkgutil.walk_packages(_kernels.__path__, f"{_kernels.__name__}."):
        module = importlib.import_module(found.name)
        for each in list(vars(module).values()):
            if isinstance(each, Deferred) and hasattr(each.made(), "py_func"):
                raise RuntimeError(f"{found.name}.{each.__name__} would be compiled")
    numba.config.DISABLE_JIT = False  # which says that kernels are not to be used


def spoil_scratch():
    """
    Overwrite memory that is lent again, for the rest of this process: nobody may need it still.
    """
    lend = memory.scratch

    def spoiled(name, shape, dtype=np.float64):
        array = lend(name, shape, dtype)
        for lent in (array, memory._of_this_thread.arrays.get(name, array)):
            lent.reshape(-1).view(np.uint8).fill(0x7F)
        return array

    for module in list(sys.modules.values()):
        if getattr(module, "scratch", None) is lend:
            module.scratch = spoiled
