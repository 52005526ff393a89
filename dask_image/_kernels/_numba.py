"""Numba, if it is installed (extra ``fast``) and wanted: kernels compile with it, or stay unused."""

import logging
import os

import dask

logger = logging.getLogger("dask_image")

try:
    import numba
except ImportError:
    numba = None


def use_numba():
    """
    Tell whether compiled kernels are to be used.

    They are not where numba is missing, where ``NUMBA_DISABLE_JIT`` turns it off (kernels
    would run as interpreted loops, hundreds of times slower), or where the configuration
    ``dask-image.kernels`` says ``"scipy"``.
    """
    if numba is None or os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return False
    return dask.config.get("dask-image.kernels", "numba") != "scipy"


def jit(function):
    """Compile ``function`` to release the GIL and be cached on disk, where numba is installed."""
    return _compile(function, {})


def jit_contract(function):
    """As `jit`; a multiplication and an addition may be fused into one step (and nothing else)."""
    return _compile(function, {"fastmath": {"contract"}})


def _compile(function, options):
    if numba is None:
        return function
    try:
        return numba.njit(nogil=True, cache=True, **options)(function)
    except RuntimeError as error:  # a read-only installation, and no home to write to
        logger.debug("%s is compiled without a cache on disk: %s", function.__name__, error)
        return numba.njit(nogil=True, **options)(function)
