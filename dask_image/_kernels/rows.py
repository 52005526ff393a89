"""
What kernels that sweep over the rows of a block share.

A kernel reads a block (with its halo) row by row and writes rows of the result. The rows
that it needs at a time stand in a *ring*: each is read from the block once, and lengthened
there by the pixels that the boundary mode puts beyond its ends, so that a block is never
copied to be padded. Which row or column stands where is a table (`places`), made by NumPy
before the compiled sweep begins.

What an engine asks of kernels that compute a region of a block only is said in
`overlap.BlockKernel` (``in_region``) and `overlap.run_passes` (``in_passes``).
"""

import numpy as np

from dask_image._utils.modes import MODES


def places(start, stop, length, mode):
    """
    Return which pixel of an axis stands at ``start`` to ``stop``, and -1 for ``cval``.

    Parameters
    ----------
    start, stop : int
        The positions; those outside of ``[0, length)`` follow ``mode``.
    length : int
        Of the axis, at least 1.
    mode : str
        Any of SciPy's modes for filters.

    Returns
    -------
    numpy.ndarray of int64
    """
    positions = np.arange(start, stop)
    return MODES[mode].fold(positions, length).astype(np.int64, copy=False)


def whole(region, shape):
    """Return ``(start, stop)`` for each axis of a region, which may be None for everything."""
    if region is None:
        return [(0, size) for size in shape]
    return [cut.indices(size)[:2] for cut, size in zip(region, shape, strict=True)]


def inside(table):
    """
    Return ``(first, last, pixel)`` of the longest stretch of ``table`` that counts upwards.

    From `places` there is one at most; the pixel ``pixel`` stands at ``first``, its
    neighbours follow until before ``last``. It is copied as one slice.
    """
    steps = np.flatnonzero(np.diff(table) != 1)
    edges = np.concatenate(([0], steps + 1, [len(table)]))
    longest = int(np.argmax(np.diff(edges)))
    first, last = int(edges[longest]), int(edges[longest + 1])
    return (first, last, int(table[first])) if table[first] >= 0 else (0, 0, 0)


def cut(found, region):
    """Return a region of a whole result, and let go of the rest."""
    return found if region is None else found[region].copy()
