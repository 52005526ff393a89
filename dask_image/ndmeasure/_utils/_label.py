"""
Steps of joining labels across blocks, as segmentation packages import them.

For new code, `dask_image.ndmeasure.merge_labels_across_chunk_boundaries` does
all of it. Here every block of labels must use numbers of its own.
"""

import itertools

import dask
import dask.array as da
import numpy as np
from scipy import ndimage, sparse

from dask_image._utils.arrays import with_dtype
from dask_image._utils.engines.block_lattice import BlockLattice
from dask_image._utils.engines.components import LABELS, Scanned, cut_faces, link_by_steps, on_host
from dask_image._utils.engines.graph import delayed_blocks
from dask_image.ndmeasure._label import label_connectivity, label_structure

LABEL_DTYPE = np.dtype(np.int32)
"""Of labels, unless there may be more than it holds."""


def label_adjacency_graph(labels, structure, nlabels, wrap_axes=None):
    """
    Return which labels of different blocks touch.

    Parameters
    ----------
    labels : dask.array.Array of int
        0 is background; no label is in two blocks.
    structure : array_like of bool or None
        Which pixels touch, as in `dask_image.ndmeasure.label`.
    nlabels : int or lazy int
        The largest label.
    wrap_axes : tuple of int, optional
        Axes whose ends meet.

    Returns
    -------
    dask.delayed.Delayed
        A ``scipy.sparse.csr_matrix`` of shape ``(nlabels + 1, nlabels + 1)``: 1
        at (smaller label, larger label) of what touches, 0 elsewhere.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndmeasure._utils._label import label_adjacency_graph
    >>> labels = da.from_array(np.array([[1, 1, 0, 2, 2]]), chunks=(1, 2))
    >>> labels = da.concatenate([labels, da.full((1, 5), 3)])
    >>> label_adjacency_graph(labels, None, 3).compute().nnz
    2
    """
    structure = label_structure(structure, labels.ndim)
    connectivity = label_connectivity(structure, wrap_axes, labels.ndim)
    lattice = BlockLattice(labels.chunks, connectivity)
    reaches = [connectivity.reach(axis) for axis in range(labels.ndim)]
    numbers = {index: number for number, index in enumerate(lattice.indices())}
    scan = dask.delayed(_scan, pure=True)
    scanned = [scan(block, reaches) for block in delayed_blocks(labels)]
    links = []
    for index, number in numbers.items():
        near = [(numbers[other.index], other.shift) for other in lattice.neighbours(index)]
        others = [scanned[other] for other, _ in near]
        link = dask.delayed(link_by_steps, pure=True)
        links.append(link(number, scanned[number], near, others, connectivity.displacements))
    return dask.delayed(_adjacency, pure=True)(links, nlabels)


def connected_components_delayed(csr_matrix):
    """
    Return the group that each label belongs to.

    Parameters
    ----------
    csr_matrix : dask.delayed.Delayed or scipy.sparse.csr_matrix
        From `label_adjacency_graph`.

    Returns
    -------
    dask.array.Array of int32
        1-D, of unknown length. Groups are numbered by their smallest label, so
        that 0 remains the background.
    """
    groups = dask.delayed(_groups, pure=True)(csr_matrix)
    return da.from_delayed(groups, shape=(np.nan,), dtype=np.int32)


def relabel_blocks(block_labeled, new_labeling):
    """
    Return labels replaced by others.

    Parameters
    ----------
    block_labeled : dask.array.Array of int
    new_labeling : array_like of int
        1-D, in one block if it is a Dask array: what to write for 0, 1, 2, …

    Returns
    -------
    dask.array.Array
        Of the chunks of ``block_labeled`` and the dtype of ``new_labeling``.
    """
    new_labeling = new_labeling if isinstance(new_labeling, da.Array) else np.asarray(new_labeling)
    block_labeled = da.asarray(block_labeled)
    return da.blockwise(
        _look_up,
        range(block_labeled.ndim),
        block_labeled,
        range(block_labeled.ndim),
        da.asarray(new_labeling),
        [block_labeled.ndim],
        concatenate=True,
        dtype=new_labeling.dtype,
        meta=with_dtype(block_labeled, new_labeling.dtype),
    )


def _across_block_label_grouping(face, structure):
    """
    Return pairs of labels that belong together on a face between two blocks.

    Parameters
    ----------
    face : numpy.ndarray of int
        The pixels on both sides of the face; 0 is background.
    structure : array_like of bool
        Which pixels touch.

    Returns
    -------
    numpy.ndarray
        Shape (2, number of pairs). The labels of each connected component, in
        rising order, are paired one with the next.

    Examples
    --------
    >>> import numpy as np
    >>> from dask_image.ndmeasure._utils._label import _across_block_label_grouping
    >>> face = np.array([[4, 4, 0, 5], [0, 6, 6, 0]])
    >>> _across_block_label_grouping(face, np.ones((3, 3)))
    array([[4, 5],
           [5, 6]])
    """
    face = np.asarray(face)
    components, _ = ndimage.label(face, structure)
    on = components > 0
    component, label = np.unique(np.stack([components[on], face[on]]), axis=1).astype(face.dtype)
    together = component[1:] == component[:-1]
    return np.stack([label[:-1][together], label[1:][together]])


def _across_block_label_grouping_delayed(face, structure):
    """Return what `_across_block_label_grouping` does, as a lazy array of shape (2, unknown)."""
    pairs = dask.delayed(_across_block_label_grouping, pure=True)(face, structure)
    return da.from_delayed(pairs, shape=(2, np.nan), dtype=LABEL_DTYPE)


def _chunk_faces(chunks, shape, structure=None):
    """
    Yield where two blocks touch: the pixels on both sides of their common face.

    Parameters
    ----------
    chunks : tuple of tuples of int
    shape : tuple of int
        Only the number of axes counts.
    structure : array_like of bool, optional
        Which pixels touch. By default those that share a face.

    Yields
    ------
    tuple of slice
        Two pixels along the axes that the blocks differ in, the size of the block along others.

    Examples
    --------
    >>> list(_chunk_faces(((2, 3), (4,)), (5, 4)))
    [(slice(1, 3, None), slice(0, 4, None))]
    """
    structure = label_structure(structure, len(shape))
    steps = np.unique(np.abs(np.argwhere(structure) - 1), axis=0).tolist()
    steps = [step for step in steps if any(step)]
    stops = [np.cumsum(sizes, dtype=int).tolist() for sizes in chunks]
    for index in itertools.product(*map(range, map(len, chunks))):
        for step in steps:
            if all(i + part < len(sizes) for i, part, sizes in zip(index, step, chunks)):
                yield tuple(
                    slice(stop[i] - 1, stop[i] + 1) if part else slice(stop[i] - sizes[i], stop[i])
                    for i, part, stop, sizes in zip(index, step, stops, chunks)
                )


def _to_csr_matrix(i, j, n):
    """
    Return a lazy ``scipy.sparse.csr_matrix`` of shape (n, n) with a 1 added for each (i, j).

    Nothing here needs it: Cellpose makes its graph of labels with it.
    """
    return dask.delayed(_ones_at, pure=True)(i, j, n)


def _ones_at(i, j, n):
    return sparse.csr_matrix((np.ones(len(i), np.int64), (i, j)), shape=(n, n))


def _scan(block, reaches):
    block = on_host(block)
    faces = cut_faces(block.__getitem__, block.shape, reaches)
    return Scanned(block.shape, np.zeros(0, np.int64), faces)


def _adjacency(links, nlabels):
    pairs = np.concatenate([link.rows[:, LABELS] for link in links])
    low, high = np.unique(np.sort(pairs, axis=1), axis=0).T
    # A label that touches itself, where an axis wraps around one block, is one already.
    other = low != high
    size = int(nlabels) + 1
    return sparse.csr_matrix(
        (np.ones(other.sum(), np.int64), (low[other], high[other])), shape=(size, size)
    )


def _groups(csr_matrix):
    _, groups = sparse.csgraph.connected_components(csr_matrix, directed=False)
    return groups.astype(np.int32)


def _look_up(block, new_labeling):
    return new_labeling[block]
