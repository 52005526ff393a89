"""Compute blocks a second time rather than keep them for it."""

from dask._task_spec import GraphNode, Task, TaskRef, convert_legacy_graph
from dask.array import Array
from dask.base import clone_key
from dask.highlevelgraph import HighLevelGraph


def read_again(array, after):
    """
    Return an array whose blocks are computed anew, once something else is known.

    Dask keeps a block until the last task that needs it has run. Tasks that need
    all other blocks first should therefore take theirs from here.

    Parameters
    ----------
    array : dask.array.Array
        The array; the same graph, under other names, makes the new one.
    after : dask.delayed.Delayed
        What has to be computed before the first block is.

    Returns
    -------
    dask.array.Array
        Of the same values and chunks.
    """
    # Not dask.graph_manipulation.bind: it leaves the references inside of tasks as they are.
    graph = {}
    for key, node in convert_legacy_graph(dict(array.dask)).items():
        renamed = {needed: clone_key(needed, after.key) for needed in node.dependencies}
        name = clone_key(key, after.key)
        node = node.substitute(renamed, key=name)
        if isinstance(node, Task) and not node.dependencies:
            node = Task(name, _first, _without_key(node), TaskRef(after.key))
        graph[name] = node
    name = clone_key(array.name, after.key)
    graph = HighLevelGraph.from_collections(name, graph, dependencies=[after])
    return Array(graph, name, array.chunks, meta=array._meta)


def _without_key(node: GraphNode):
    """Return a task as the argument of another one."""
    return Task(None, node.func, *node.args, **node.kwargs)


def _first(value, _):
    return value
