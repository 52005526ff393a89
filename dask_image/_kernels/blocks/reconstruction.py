"""
Grey reconstruction by erosion of a block: how low a flood that leaks in at the seeds must be.

A pixel's level is the least over all paths to any pixel of the largest value on the way: of the
mask at the pixels of the path, and of the seed at its end (L. Vincent, "Morphological grayscale
reconstruction in image analysis", IEEE Transactions on Image Processing 2, 1993).
"""

import numpy as np
from scipy import sparse

from dask_image._kernels._numba import jit, use_numba
from dask_image._utils.steps import facing, forward


def erode(seed, mask, steps):
    """
    Erode a seed until the mask stops it.

    Parameters
    ----------
    seed, mask : numpy.ndarray of float
        Of one dtype, seed nowhere below mask.
    steps : tuple of tuple of int
        From a pixel to its neighbours: sorted, each with its opposite, none longer than 1.

    Returns
    -------
    numpy.ndarray
    """
    if use_numba():
        return _erode_compiled(seed, mask, steps)
    positions = np.arange(seed.size).reshape(seed.shape)
    pairs = [
        np.stack([positions[part].ravel() for part in facing(step)], axis=1)
        for step in forward(steps)
    ]
    edges = np.concatenate([np.zeros((0, 2), np.int64), *pairs])
    weights = mask.ravel()[edges].max(axis=1, initial=-np.inf)
    return lowest_levels(edges, weights.astype(mask.dtype), seed.ravel()).reshape(seed.shape)


def lowest_levels(edges, weights, levels):
    """
    Return, for each node of a graph, the least level that gets to it.

    Parameters
    ----------
    edges : numpy.ndarray of int
        Shape (n, 2): pairs of nodes, none twice.
    weights : numpy.ndarray of float
        What an edge raises a level to that passes it, if that is lower.
    levels : numpy.ndarray of float
        The level that each node has of its own.

    Returns
    -------
    numpy.ndarray
    """
    count = levels.size
    # A level is an edge to one more node, the source. What leads to it in a spanning tree of
    # least edges has the least greatest edge of all ways.
    ranked, ranks = np.unique(np.concatenate([weights, levels]), return_inverse=True)
    sources = np.full(count, count)
    # SciPy before 1.17 takes no longer indices.
    rows = np.concatenate([edges[:, 0], np.arange(count)]).astype(np.int32)
    columns = np.concatenate([edges[:, 1], sources]).astype(np.int32)
    graph = sparse.coo_array((ranks + 1, (rows, columns)), shape=(count + 1, count + 1)).tocsr()
    tree = sparse.csgraph.minimum_spanning_tree(graph)
    _, before = sparse.csgraph.breadth_first_order(tree, count, directed=False)
    before[count] = count
    # Each node's edge towards the source: the one to the node before it.
    tree = tree.tocoo()
    further = before[tree.row] == tree.col
    nodes = np.where(further, tree.row, tree.col)
    highest = np.zeros(count + 1, np.int64)
    highest[nodes] = tree.data.astype(np.int64) - 1
    highest[count] = -1
    # Ways double in length until all have come to the source.
    while (before != count).any():
        highest = np.maximum(highest, highest[before])
        before = before[before]
    return ranked[highest[:count]]


def lowest_levels_in_forest(edges, weights, levels):
    """Return what `lowest_levels` does, of a graph without circles."""
    if not use_numba():
        return lowest_levels(edges, weights, levels)
    levels = levels.copy()
    a, b = (np.ascontiguousarray(side, np.int32) for side in edges.T)
    first, above = np.full((2, levels.size), UNSEEN, np.int32)
    following = np.empty(2 * a.size, np.int32)
    order = np.empty(levels.size, np.int32)
    _spread(a, b, weights, (first, following, order, above), levels)
    return levels


# In place of an edge of a node: none is known yet.
UNSEEN = -2


@jit
def _spread(a, b, weights, scratch, levels):
    """
    Let the levels of trees spread to their roots, and from there back.

    Of the scratch, the first and the last are `UNSEEN` for every node before.
    """
    count, (first, following, order, above) = levels.size, scratch
    # The edges of a node are a list; each stands in those of both of its nodes.
    for edge in range(a.size):
        following[2 * edge], first[a[edge]] = first[a[edge]], 2 * edge
        following[2 * edge + 1], first[b[edge]] = first[b[edge]], 2 * edge + 1
    root, end = -1, 0
    for start in range(count):
        if above[start] == UNSEEN:
            above[start] = root
            order[end] = start
            place = end
            end += 1
            while place < end:
                node = order[place]
                place += 1
                entry = first[node]
                while entry >= 0:
                    edge = entry // 2
                    other = a[edge] + b[edge] - node
                    if above[other] == UNSEEN:
                        above[other] = edge
                        order[end] = other
                        end += 1
                    entry = following[entry]
    for place in range(count - 1, -1, -1):
        node = order[place]
        edge = above[node]
        if edge != root:
            other = a[edge] + b[edge] - node
            level = weights[edge] if weights[edge] > levels[node] else levels[node]
            levels[other] = level if level < levels[other] else levels[other]
    for place in range(count):
        node = order[place]
        edge = above[node]
        if edge != root:
            other = a[edge] + b[edge] - node
            level = weights[edge] if weights[edge] > levels[other] else levels[other]
            levels[node] = level if level < levels[node] else levels[node]


def _erode_compiled(seed, mask, steps):
    """Erode within a wall that no level passes."""
    padded_shape = tuple(size + 2 for size in seed.shape)
    inner = (slice(1, -1),) * seed.ndim
    levels, floor = (np.full(padded_shape, np.inf, seed.dtype) for _ in range(2))
    levels[inner], floor[inner] = seed, mask
    strides = np.array(levels.strides) // levels.itemsize
    offsets = np.array(steps, np.int64).reshape(-1, seed.ndim) @ strides
    levels, floor = levels.ravel(), floor.ravel()
    waiting = np.zeros(levels.size, bool)
    _sweep(levels, floor, (offsets[offsets < 0], offsets[offsets > 0]), np.sum(strides), waiting)
    # No pixel waits twice at a time.
    queue = np.empty(levels.size, np.int32 if levels.size < 2**31 else np.int64)
    first = np.flatnonzero(waiting)
    queue[: first.size] = first
    _empty_queue(levels, floor, offsets, waiting, (queue, first.size))
    return np.ascontiguousarray(levels.reshape(padded_shape)[inner])


@jit
def _sweep(levels, floor, offsets, first, waiting):
    """
    Erode in place by a sweep there and one back; what is left begins at the ``waiting`` pixels.

    Pixels up to ``first`` and as many at the end belong to the wall.
    """
    backward, forward = offsets
    for i in range(first, levels.size - first):
        level = levels[i]
        for offset in backward:
            level = levels[i + offset] if levels[i + offset] < level else level
        levels[i] = floor[i] if floor[i] > level else level
    for i in range(levels.size - first - 1, first - 1, -1):
        level = levels[i]
        for offset in forward:
            level = levels[i + offset] if levels[i + offset] < level else level
        level = levels[i] = floor[i] if floor[i] > level else level
        for offset in forward:
            waiting[i] |= levels[i + offset] > level and levels[i + offset] > floor[i + offset]


@jit
def _empty_queue(levels, floor, offsets, waiting, queue):
    """Let the pixels of a queue lower their neighbours, and these theirs in turn."""
    ring, left = queue
    begin = 0
    while left > 0:
        i = ring[begin]
        begin = begin + 1 if begin + 1 < ring.size else 0
        left -= 1
        waiting[i] = False
        for offset in offsets:
            j = i + offset
            if levels[j] > levels[i] and levels[j] > floor[j]:
                levels[j] = floor[j] if floor[j] > levels[i] else levels[i]
                if not waiting[j]:
                    waiting[j] = True
                    end = begin + left
                    ring[end if end < ring.size else end - ring.size] = j
                    left += 1
