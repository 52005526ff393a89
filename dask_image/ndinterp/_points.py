"""Positions of points, moved as images are."""

from __future__ import annotations

import dask.array as da
import numpy as np

from dask_image._utils.arguments import ArgumentError, per_axis
from dask_image._utils.arrays import block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.points import as_points
from dask_image._utils.typing import Array, ArrayLike, PerAxis, Real
from dask_image.ndinterp._affine import normalize_matrix
from dask_image.ndinterp._arguments import normalize_image, normalize_interpolation
from dask_image.ndinterp._coordinates import component_at


@numpy_only
def transform_points(
    points: ArrayLike,
    matrix: ArrayLike | None = None,
    offset: PerAxis[Real] = 0.0,
    displacement: ArrayLike | None = None,
) -> Array:
    """
    Move points by an affine transform, and by a field of displacements.

    Point ``p`` goes to ``q = matrix @ p + offset``, and from there to ``q + displacement(q)``.

    Parameters
    ----------
    points : array_like or DataFrame
        Shape (n, ndim), a row a point, in pixels: NumPy, pandas or Dask, of known or unknown
        length.
    matrix, offset : optional
        As in `affine_transform`: shape (ndim, ndim), (ndim,) for a diagonal, or homogeneous,
        which sets the offset too. The identity by default.
    displacement : array_like, optional
        Shape (ndim, ...): how far, in pixels, the pixels of an image move along each axis.
        Between pixels it is interpolated linearly; outside it is that of the edge. May be lazy:
        points read the blocks that they lie in.

    Returns
    -------
    dask.array.Array
        Of float64, with the shape and chunks of ``points``.

    Raises
    ------
    ValueError
        If ``points``, ``matrix``, ``offset`` or ``displacement`` do not fit each other.
    TypeError
        If one of them does not hold real numbers.

    See Also
    --------
    affine_transform, map_coordinates : Move images.
    dask_image.ndmeasure.count_points : Count points in the regions of an atlas.

    Notes
    -----
    ``affine_transform(image, matrix, offset)`` takes its pixel ``o`` from ``matrix @ o +
    offset`` of ``image``. So `transform_points` with the same matrix leads from the result's
    positions to those in ``image``; with the inverse one, points that were found in ``image`` move
    along with it. Likewise for displacements and `map_coordinates`.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> cells = da.from_array(np.array([[0.0, 1.0], [2.0, 3.0]]), chunks=1)
    >>> transform_points(cells, [2, 0.5], offset=[1, 0]).compute()
    array([[1. , 0.5],
           [5. , 1.5]])
    >>> field = da.stack([da.zeros((3, 4)), da.arange(4) + da.zeros((3, 1))])
    >>> transform_points(cells, displacement=field).compute()
    array([[0., 2.],
           [2., 6.]])
    """
    points = as_points(points)
    ndim = points.shape[1]
    places = points.T
    if matrix is not None or any(per_axis(offset, ndim, "offset")):
        matrix = np.ones(ndim) if matrix is None else matrix
        matrix, offset = normalize_matrix(matrix, offset, ndim, ndim)
        places = map_blocks(
            _affine, places, matrix, offset[:, np.newaxis], name="transform_points-affine",
            meta=block_meta(2, np.float64),
        )  # fmt: skip
    if displacement is not None:
        field = normalize_image(displacement, "displacement")
        if field.dtype.kind == "c":
            raise TypeError(f"displacement must hold real numbers, got dtype {field.dtype}")
        if field.ndim != ndim + 1 or field.shape[0] != ndim or 0 in field.shape:
            raise ArgumentError(
                f"displacement must have shape ({ndim}, ...) with {ndim} more axes, for points of "
                f"{ndim} coordinates, got {field.shape}"
            )
        interpolation = normalize_interpolation(field, 1, "nearest", 0, np.float64, False)
        if places.shape[1] != 0:
            steps = [
                component_at(field, axis, places, interpolation, "transform_points")
                for axis in range(ndim)
            ]
            places = map_blocks(
                _moved, places, *(along[np.newaxis] for along in steps),
                name="transform_points-move", meta=block_meta(2, np.float64), chunks=places.chunks,
            )  # fmt: skip
    return da.asarray(places.T).astype(np.float64, copy=False)


def _affine(places, matrix, offset):
    """Return where an affine transform takes places, which stand in columns."""
    if matrix.ndim == 1:
        return matrix[:, np.newaxis] * places + offset
    # Summed up in one order, whatever the number of places.
    return np.einsum("ij,jk->ik", matrix, places) + offset


def _moved(places, *steps):
    return places + np.concatenate(steps)
