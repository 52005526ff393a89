"""Arguments that several functions of segmentation share."""

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import ArgumentError, normalize_integer
from dask_image._utils.engines.block_lattice import displacements_of


def in_chunks_of(image, array, name):
    """Return an array of the shape of ``image`` in its chunks, or raise ValueError."""
    if array.shape != image.shape:
        raise ArgumentError(
            f"{name} must have the shape of image, {image.shape}, got {array.shape}"
        )
    return array.rechunk(image.chunks, method="tasks")


def neighbour_steps(connectivity, ndim, name="connectivity"):
    """
    Return the steps from a pixel to its neighbours.

    Parameters
    ----------
    connectivity : int or array_like
        Along how many axes at once a step may go, or an array of three pixels along every axis
        whose pixels that are not zero are the neighbours of the one in the middle.
    ndim : int
    name : str, optional
        What the caller calls this argument.

    Returns
    -------
    tuple of tuple of int
        Sorted, each with its opposite.
    """
    if np.ndim(connectivity) == 0:
        reach = normalize_integer(connectivity, name, lowest=1)
        structure = ndimage.generate_binary_structure(ndim, reach)
    else:
        structure = np.asarray(connectivity) != 0
    if structure.shape != (3,) * ndim:
        raise ArgumentError(
            f"{name} must be a number or of size 3 along each of {ndim} axes, "
            f"got shape {structure.shape}"
        )
    if not np.array_equal(structure, np.flip(structure)):
        raise ArgumentError(f"{name} must be symmetric about its middle, got {structure!r}")
    return displacements_of(structure)
