"""Numba if it is installed (extra ``fast``): kernels compile with it, or are passed over."""

try:
    import numba
except ImportError:
    numba = None

HAVE_NUMBA = numba is not None


def jit(function):
    """Compile ``function`` to release the GIL and be cached on disk, where numba is installed."""
    if numba is None:
        return function
    return numba.njit(nogil=True, cache=True)(function)
