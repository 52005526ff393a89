"""
Flooding inside a block, and of the surfaces of merged blocks: rooted spanning forests.

Rows are pixels in raster order, each with a value: its image and its distance, compared in this
order. An edge joins two rows and is ordered by the larger value, the smaller value, the lower row
and the higher row. Every node (a pixel, or all pixels of a marker) ends with the terminal that the
minimum spanning forest rooted in the terminals gives it (J. Cousty, G. Bertrand, L. Najman,
M. Couprie, "Watershed cuts: minimum spanning forests and the drop of water principle", IEEE
Transactions on Pattern Analysis and Machine Intelligence 31, 2009), found as O. Borůvka did in
1926: components join by their least edge, all at once, again and again.

Nothing is sorted in compiled code. Without numba NumPy sorts the edges, and then does the same.
"""

import numpy as np

from dask_image._kernels._numba import jit, jit_inline, jit_part, use_numba
from dask_image._utils.steps import facing, forward

# What a node holds: 0 for nothing yet, else the number of a terminal. Those of faces are positive,
# those of markers negative. A wall is no node.
WALL = np.iinfo(np.int32).min


def scan(image, distance, held, steps):
    """
    Flood one block.

    Parameters
    ----------
    image : numpy.ndarray
        Of int32, int64, uint64, float32 or float64; at least one axis.
    distance : numpy.ndarray of int
    held : numpy.ndarray of int32
        What each pixel holds: 0, a terminal, or `WALL`.
    steps : tuple of tuple of int
        From a pixel to its neighbours: sorted, each with its opposite, none longer than 1.

    Returns
    -------
    taken : numpy.ndarray of int32
        The terminal that takes each pixel, 0 where none reaches it, and `WALL`.
    edges : numpy.ndarray of int
        Shape (n, 2), positions of pixels in raster order: the least edges that span the terminals,
        those of markers taken as one.
    """
    flood = _scan_compiled if use_numba() else _scan_plain
    taken, edges = flood(image, distance, held, steps)
    return taken.reshape(image.shape), edges


def contract(image, distance, node, held, edges):
    """
    Give every node to a terminal, and say how the terminals hang together.

    Parameters
    ----------
    image, distance : numpy.ndarray
        One value a row.
    node : numpy.ndarray of int
        Which node each row belongs to.
    held : numpy.ndarray of int32
        What each node holds: 0 or a terminal.
    edges : numpy.ndarray of int32
        Shape (n, 2): the rows that each edge joins, lower row first.

    Returns
    -------
    taken : numpy.ndarray of int32
        The terminal that takes each node, 0 where none reaches it.
    trees : numpy.ndarray of int
        Which edges joined the nodes, as positions in ``edges``.
    records : numpy.ndarray of int
        Which edges span the terminals, those of markers taken as one.
    """
    if not use_numba():
        return _contract_plain(image, distance, node, held, edges)
    parent, node = np.arange(held.size, dtype=np.int32), node.astype(np.int32, copy=False)
    a, b = (np.ascontiguousarray(side, np.int32) for side in edges.T)
    return _contract_compiled(image, distance, node, parent, held, a, b)


# ---------------------------------------------------------------------------------------
# Compiled


def _scan_compiled(image, distance, held, steps):
    """Flood a block with a wall around it, so that no step leads out of it."""
    padded_shape = tuple(size + 2 for size in image.shape)
    inner = (slice(1, -1),) * image.ndim
    values, distances = np.zeros(padded_shape, image.dtype), np.zeros(padded_shape, distance.dtype)
    padded = np.full(padded_shape, WALL, np.int32)
    values[inner], distances[inner], padded[inner] = image, distance, held
    strides = np.array(values.strides) // values.itemsize
    offsets = np.array(steps, np.int64).reshape(-1, image.ndim) @ strides
    values, distances, padded = values.ravel(), distances.ravel(), padded.ravel()
    markers = -held.min(initial=0, where=held > WALL)
    parent = np.arange(padded.size, dtype=np.int32)
    _descend(values, distances, padded, offsets, np.full(markers + 1, -1, np.int32), parent)
    ahead = offsets[offsets > 0]
    nothing = np.empty((2, 0), np.int32)
    a, b = crossing = np.empty((2, _cross(padded, parent, ahead, nothing)), np.int32)
    _cross(padded, parent, ahead, crossing)
    taken, _, records = _contract_compiled(values, distances, parent, parent, padded, a, b)
    edges = np.empty((records.size, 2), np.int32)
    if records.size:  # NumPy refuses to look for nothing in an array without pixels
        for end, side in enumerate((a, b)):
            place = [along - 1 for along in np.unravel_index(side[records], padded_shape)]
            edges[:, end] = np.ravel_multi_index(place, image.shape)
    return taken.reshape(padded_shape)[inner], edges


def _contract_compiled(image, distance, node, parent, held, a, b):
    """Join the nodes, whose forest ``parent`` is, then find what spans the terminals."""
    # What is compiled is small, and called from here: in a function of their own, the parts would
    # be compiled with it once more.
    edges = np.arange(a.size, dtype=np.int32)
    p, q = node[a], node[b]
    choice = np.empty(parent.size, np.int32)
    known = image, distance, held, a, b
    buffers = edges, p, q, choice
    trees, records = np.empty((2, a.size), np.int32)
    joined, left = _join(known, parent, buffers, a.size, True, trees)
    taken = np.empty(parent.size, np.int32)
    _take(parent, held, taken)
    # Terminals are the nodes now, and those of markers are one.
    ends = np.concatenate([p[:left], q[:left]])
    marked = ends[held[ends] < 0]
    parent[marked] = marked[:1]
    recorded, _ = _join(known, parent, buffers, left, False, records)
    # They are parts of arrays as long as the edges.
    return taken, trees[:joined].copy(), records[:recorded].copy()


@jit
def _cross(held, parent, ahead, crossing):
    """Write edges that lead from one tree to another, if there is room; return their number."""
    count, room = 0, crossing.shape[1] > 0
    for i in range(held.size):
        if held[i] != WALL:
            p = parent[i]
            for offset in ahead:
                j = i + offset
                if held[j] != WALL:
                    q = parent[j]
                    if p != q and not (held[p] < 0 and held[q] < 0):
                        if room:
                            crossing[0, count], crossing[1, count] = i, j
                        count += 1
    return count


@jit
def _take(parent, held, taken):
    """Write what the root of each node holds."""
    for i in range(parent.size):
        taken[i] = held[_find(parent, np.int32(i))]


@jit
def _descend(image, distance, held, offsets, first, parent):
    """
    Join each pixel that holds nothing by its least edge, which leads to its least neighbour.

    For of edges of one pixel, that to the smaller value is less, and of those to equal values
    that to the lower position. Every pixel is its own ``parent`` before; ``first`` is scratch,
    -1 for each marker.
    """
    count = held.size
    for i in range(count):
        if held[i] == 0:
            best = i
            for offset in offsets:
                j = i + offset
                if held[j] != WALL and (
                    best == i
                    or image[j] < image[best]
                    or (image[j] == image[best] and distance[j] < distance[best])
                ):
                    best = j
            parent[i] = best
        elif held[i] < 0 and held[i] != WALL:
            if first[-held[i]] < 0:
                first[-held[i]] = i
            parent[i] = first[-held[i]]
    # The one circle there can be is two pixels that choose each other.
    for i in range(count):
        if held[i] == 0 and parent[i] > i and parent[parent[i]] == i:
            parent[i] = i
    for i in range(count):
        root = parent[i]
        while parent[root] != root:
            root = parent[root]
        j = i
        while parent[j] != root:
            parent[j], j = root, parent[j]


@jit_part
def _find(parent, node):
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@jit_inline
def _before(image, distance, a, b, c, d):
    """Tell whether the edge (a, b) is less than (c, d); the lower row of each comes first."""
    high, low, other_high, other_low = a, b, c, d
    if image[a] < image[b] or (image[a] == image[b] and distance[a] < distance[b]):
        high, low = b, a
    if image[c] < image[d] or (image[c] == image[d] and distance[c] < distance[d]):
        other_high, other_low = d, c
    if image[high] != image[other_high]:
        return image[high] < image[other_high]
    if distance[high] != distance[other_high]:
        return distance[high] < distance[other_high]
    if image[low] != image[other_low]:
        return image[low] < image[other_low]
    if distance[low] != distance[other_low]:
        return distance[low] < distance[other_low]
    return a < c or (a == c and b < d)


@jit
def _join(known, parent, buffers, left, rooted, joined):
    """
    Join components by their least edges, until none is left that may join.

    The first ``left`` of the edges are looked at; ``p`` and ``q`` are the components that each
    of them joins. If ``rooted``, a component that holds a terminal waits to be joined. Writes the
    edges that ``joined``; returns how many did, and how many are left.
    """
    image, distance, held, a, b = known
    edges, p, q, choice = buffers
    count = 0
    while True:
        left = _drop_inner(parent, edges, p, q, left)
        found = False
        for k in range(left):
            choice[p[k]] = choice[q[k]] = -1
        for k in range(left):
            edge = edges[k]
            for side in range(2):
                root = q[k] if side else p[k]
                if not rooted or held[root] == 0:
                    found = True
                    best = choice[root]
                    if best < 0 or _before(image, distance, a[edge], b[edge], a[best], b[best]):
                        choice[root] = edge
        if not found:
            return count, left
        for k in range(left):
            edge = edges[k]
            if choice[p[k]] == edge or choice[q[k]] == edge:
                root, other = _find(parent, p[k]), _find(parent, q[k])
                if held[root] == 0:
                    root, other = other, root
                parent[other] = root
                joined[count] = edge
                count += 1


@jit_inline
def _drop_inner(parent, edges, p, q, left):
    """Keep the edges between two components; return how many there are."""
    kept = 0
    for k in range(left):
        root, other = _find(parent, p[k]), _find(parent, q[k])
        if root != other:
            edges[kept], p[kept], q[kept] = edges[k], root, other
            kept += 1
    return kept


# ---------------------------------------------------------------------------------------
# Without numba


def _scan_plain(image, distance, held, steps):
    """Flood a block as any graph, of all edges between its pixels."""
    positions = np.arange(held.size).reshape(held.shape)
    edges = [np.zeros((0, 2), np.int64)]
    for step in forward(steps):
        here, there = (positions[part].ravel() for part in facing(step))
        inside = (held.ravel()[here] != WALL) & (held.ravel()[there] != WALL)
        edges.append(np.stack([here[inside], there[inside]], axis=1))
    edges = np.concatenate(edges)
    # All pixels of one marker are one node, and so is what holds a terminal: pixels' own nodes
    # have the numbers after those.
    flat = held.ravel()
    marked = (flat < 0) & (flat != WALL)
    node = np.where(marked, held.size - flat.astype(np.int64), positions.ravel())
    holds = np.zeros(held.size + 1 - flat.min(initial=0, where=flat != WALL), np.int32)
    holds[: held.size] = flat
    holds[held.size :] = -np.arange(holds.size - held.size)
    taken, _, records = _contract_plain(image.ravel(), distance.ravel(), node, holds, edges)
    return taken[node].reshape(held.shape), edges[records]


def _contract_plain(image, distance, node, held, edges):
    order = _sorted_edges(image, distance, edges)
    p, q = node[edges[order]].T
    component = np.arange(held.size)
    component, trees = _join_plain(component, held, p, q, rooted=True)
    taken = held[component]
    markers = np.flatnonzero((held < 0) & (held != WALL))
    component[np.isin(component, markers)] = markers[0] if markers.size else 0
    _, records = _join_plain(component, held, p, q, rooted=False)
    return taken, order[trees], order[records]


def _sorted_edges(image, distance, edges):
    a, b = edges.T
    above = (image[b] > image[a]) | ((image[b] == image[a]) & (distance[b] > distance[a]))
    high, low = np.where(above, b, a), np.where(above, a, b)
    return np.lexsort((b, a, distance[low], image[low], distance[high], image[high]))


def _join_plain(component, held, p, q, rooted):
    """As `_join`, for edges that are sorted; returns each node's component, and what joined."""
    joined = [np.zeros(0, np.int64)]
    edges = np.arange(p.size)
    while True:
        edges = edges[component[p[edges]] != component[q[edges]]]
        ends = np.stack([component[p[edges]], component[q[edges]]])
        least = np.full(held.size, -1)
        # Of values that are assigned to one element the last stays: the least edge, in this order.
        for end in ends:
            first = np.full(held.size, p.size)
            first[end[::-1]] = edges[::-1]
            least = np.where((least < 0) | (first < least), first, least)
        choosing = np.flatnonzero(least < p.size)
        if rooted:
            choosing = choosing[held[choosing] == 0]
        if not choosing.size:
            return component, np.concatenate(joined)
        chosen = least[choosing]
        target = np.arange(held.size)
        target[choosing] = component[p[chosen]] + component[q[chosen]] - choosing
        # The one circle there can be is two components that choose each other.
        mutual = choosing[(target[target[choosing]] == choosing) & (choosing < target[choosing])]
        target[mutual] = mutual
        joined.append(np.unique(chosen))
        while (further := target[target] != target).any():
            target[further] = target[target[further]]
        component = target[component]
