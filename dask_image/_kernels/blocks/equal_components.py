"""The connected components of equal labels of one block, and the label of each."""

import numpy as np
from scipy import sparse

from dask_image._kernels._numba import jit_allocating, use_numba
from dask_image._kernels.blocks.components import _unite
from dask_image._kernels.patience import patient
from dask_image._utils.steps import facing, forward


@patient
def equal_components(labels, steps):
    """
    Return the components of equal labels of a block, 0 being none.

    Parameters
    ----------
    labels : numpy.ndarray of int
    steps : tuple of tuples of int
        From a pixel to its neighbours, with each its opposite; -1, 0 or 1 along an axis.

    Returns
    -------
    components : numpy.ndarray of int
        Their numbers, from 1, in the order of their first pixels.
    owners : numpy.ndarray
        The label of each.
    """
    if not use_numba():
        return _plain_components(labels, steps)
    padded = np.zeros([size + 2 for size in labels.shape], np.int64)
    inner = (slice(1, -1),) * labels.ndim
    padded[inner] = labels  # the largest of uint64 wrap round, and stay different
    backward = [[-along for along in step] for step in forward(steps)]
    strides = np.array(padded.strides) // padded.itemsize
    offsets = np.array(backward, np.int64).reshape(-1, labels.ndim) @ strides
    number = np.zeros(padded.shape, np.int32 if padded.size < 2**31 else np.int64)
    owners = _number_components(padded.ravel(), offsets, number.ravel())
    return number[inner], owners.astype(labels.dtype)


@jit_allocating
def _number_components(labels, offsets, number):
    """Replace zeros by the numbers of components; return the label of each."""
    parent = number  # no pixel has one after it: they may be numbered in place, one by one
    for pixel in range(labels.size):
        label = labels[pixel]
        if label == 0:
            continue
        parent[pixel] = pixel
        for offset in offsets:
            if labels[pixel + offset] == label:
                _unite(parent, pixel, pixel + offset)
    count = 0
    for pixel in range(labels.size):
        count += labels[pixel] != 0 and parent[pixel] == pixel
    owners, found = np.empty(count, np.int64), 0
    for pixel in range(labels.size):
        if labels[pixel] == 0:
            continue
        if parent[pixel] == pixel:
            owners[found] = labels[pixel]
            found += 1
            number[pixel] = found
        else:
            number[pixel] = number[parent[pixel]]
    return owners


def _plain_components(labels, steps):
    positions = np.arange(labels.size).reshape(labels.shape)
    pairs = [np.zeros((2, 0), np.int64)]
    for step in forward(steps):
        here, there = facing(step)
        equal = (labels[here] == labels[there]) & (labels[here] != 0)
        pairs.append(np.stack([positions[here][equal], positions[there][equal]]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = sparse.coo_array((np.ones(rows.size, bool), (rows, columns)), shape=(labels.size,) * 2)
    _, groups = sparse.csgraph.connected_components(graph, directed=False)
    groups = np.where(labels.ravel() != 0, groups + 1, 0)
    found, firsts, components = np.unique(groups, return_index=True, return_inverse=True)
    some = found != 0
    # Groups are numbered as pixels are met, so in the order of first pixels.
    components = components.reshape(labels.shape) + (0 if found.size and not some[0] else 1)
    return components, labels.ravel()[firsts[some]]
