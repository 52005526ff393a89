"""
Make tasks, and arrays of them: the one module that knows Dask's private parts.

An engine collects its tasks in a dict from key to task and hands it, with what the tasks
read, to `new_array` or `new_delayed`; a `Step` is tasks that several of those build on.
Keys of tasks are what dashboards show and group by: the name of the function that the user
called, then the step, then a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import dask
import dask.array as da
import numpy as np
from dask._task_spec import Alias, DataNode, List, Task, TaskRef, convert_legacy_graph
from dask.array.core import getter, normalize_chunks, slices_from_chunks
from dask.base import clone_key, tokenize
from dask.delayed import Delayed, delayed
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from dask.utils import ensure_dict
from packaging.version import Version

from dask_image._utils.typing import Array, Block, Chunks, Shape, Slices

__all__ = [
    "Step",
    "array_of_delayed",
    "block_key",
    "block_slices",
    "blocks_of",
    "cloned",
    "delayed_blocks",
    "delayed_call",
    "delayed_in",
    "map_blocks",
    "new_array",
    "new_delayed",
    "normalize_chunks",
    "read_again",
    "reading_task",
    "reference",
    "sequence",
    "share_of_roots",
    "task",
    "tokenize",
]

# Dask's configuration "array.query-planning" chooses between two classes of arrays.
QUERY_PLANNING = hasattr(da.Array, "expr")

# Dask 2025.9 gave this keyword of `dask.array.map_blocks` its present name; not in query planning.
_PREFIX = (
    "token" if Version(dask.__version__) >= Version("2025.9") and not QUERY_PLANNING else "name"
)


class _Task(Task):
    """A task that is not fused with the one that follows if it needs several others."""

    __slots__ = ()

    @property
    def block_fusion(self) -> bool:
        """
        Whether Dask must leave this task as it is.

        Fused tasks run as a graph of their own, which is put in order anew each time they do,
        under the GIL: for a block and its eight neighbours that takes longer than a task.
        """
        return len(self.dependencies) > 1


task: Callable[..., Task] = _Task
"""``task(key, function, *args, **kwargs)``: call a function; references become their results."""

reference: Callable[[Any], TaskRef] = TaskRef
"""``reference(key)``: the result of another task, as an argument."""


def map_blocks(function: Callable[..., Any], *arrays: Any, name: str, **keywords: Any) -> Array:
    """Return `dask.array.map_blocks` of arrays, with keys that begin with ``name``."""
    return da.map_blocks(function, *arrays, **{_PREFIX: name}, **keywords)


def reading_task(key: Any, source: Any) -> Task:
    """
    Return the task of a block that is read from elsewhere, all or a part of it.

    Parameters
    ----------
    key : tuple
        Of the block.
    source : object
        With a ``shape``; ``source[index]``, for an index of integers, slices and lists, one
        an axis, reads that part. Where Dask fuses the task with a selection
        that follows, only what is selected is asked for.
    """
    # Dask's fusing of selections looks for the key of whatever a getter reads.
    return Task(key, getter, DataNode(None, source), tuple(slice(0, n) for n in source.shape))


def sequence(references: Iterable[Any]) -> List:
    """Return the results of several tasks as one argument, a list."""
    return List(*references)


def blocks_of(array: Any) -> str:
    """
    Return the name under which the blocks of an array stand in its graph.

    Parameters
    ----------
    array : dask.array.Array

    Returns
    -------
    str
        Block ``(i, j)`` has the key ``(name, i, j)``.
    """
    return array.expr.lower_completely()._name if QUERY_PLANNING else array.name


def block_key(array: Array, index: Shape) -> tuple[Any, ...]:
    """Return the key of one block of an array."""
    return (blocks_of(array), *index)


def delayed_blocks(array: Array) -> list[Delayed]:
    """Return all blocks of an array, in C order, as a list of delayed objects."""
    if not QUERY_PLANNING:
        # Optimised, tasks would get names of their own, and run beside those that others share.
        return array.to_delayed(optimize_graph=False).ravel().tolist()
    step = Step(f"{blocks_of(array)}-blocks", {}, [array])
    return [delayed_in(step, block_key(array, index)) for index in np.ndindex(array.numblocks)]


def block_slices(chunks: Chunks) -> list[Slices]:
    """Return what each block of an array is of the whole, in C order, as tuples of slices."""
    return slices_from_chunks(chunks)


class _Layer(MaterializedLayer):
    """The tasks of a step, which `dask.graph_manipulation` can clone and bind to others."""

    def clone(self, keys: Any, seed: Any, bind_to: Any = None) -> tuple[MaterializedLayer, bool]:
        """
        Return the tasks under other names, and whether one of them waits for ``bind_to``.

        Dask's own method leaves the references inside of tasks as they are.
        """
        clone, tasks, bound = _cloned_by(seed), {}, False
        for key, node in convert_legacy_graph(self.mapping).items():
            if key not in keys:
                tasks[key] = node
                continue
            renamed = {needed: clone(needed) for needed in node.dependencies if needed in keys}
            name = clone(key)
            tasks[name] = node.substitute(renamed, key=name)
            if bind_to is not None and not renamed:
                tasks[name] = _after(tasks[name], bind_to)
                bound = True
        return type(self)(tasks), bound


class Step:
    """
    Some tasks, and all that they depend on; others can depend on it in turn.

    Parameters
    ----------
    name : str
        Of the step; no other step has it.
    tasks : dict
        From key to task.
    dependencies : sequence of dask.array.Array, dask.delayed.Delayed or Step
        What the tasks read.
    """

    def __init__(
        self, name: str, tasks: Mapping[Any, Any], dependencies: Sequence[Any] = ()
    ) -> None:
        self.name = name
        self.graph = HighLevelGraph.from_collections(
            name, _Layer(tasks), dependencies=[_with_layer(each) for each in dependencies]
        )

    def __dask_graph__(self) -> HighLevelGraph:
        """Return all tasks, as Dask asks of what others depend on."""
        return self.graph

    def __dask_layers__(self) -> tuple[str, ...]:
        """Return the name of the last layer of the graph."""
        return (self.name,)

    def __dask_keys__(self) -> list[Any]:
        """Return nothing to compute: a step is not computed by itself."""
        return []

    def __dask_tokenize__(self) -> tuple[str, str]:
        return ("Step", self.name)


def _with_layer(collection):
    """Give the tasks of an array of query planning a name; Dask takes an address, used again."""
    if QUERY_PLANNING and isinstance(collection, da.Array):
        return Step(blocks_of(collection), dict(collection.__dask_graph__()))
    return collection


def new_array(
    name: str,
    tasks: Mapping[Any, Any],
    dependencies: Sequence[Any],
    chunks: tuple[tuple[float, ...], ...],
    meta: Block,
) -> Array:
    """
    Return the array that tasks make up.

    Parameters
    ----------
    name : str
        Of the array.
    tasks : dict
        From key to task; the block at ``(i, j)`` has the key ``(name, i, j)``. Others may
        stand beside them.
    dependencies : sequence of dask.array.Array, dask.delayed.Delayed or Step
        What the tasks read.
    chunks : tuple of tuple of int
    meta : array
        An empty array of the blocks' kind, dtype and number of axes.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    NotImplementedError
        If it has several axes, the length of one is unknown, and Dask plans queries.
    """
    graph = Step(name, tasks, dependencies).graph
    if QUERY_PLANNING:
        if len(chunks) > 1 and any(np.isnan(sizes).any() for sizes in chunks):
            # Nor can they compute the sizes of their chunks.
            raise NotImplementedError(
                f"{name.rpartition('-')[0]}: arrays of Dask's query planning cannot have several "
                "axes and an unknown length; set the configuration array.query-planning to False "
                "before dask.array is imported"
            )
        expression = _TasksExpr(name, graph.to_dict(), chunks, meta)
        return da.Array(expression)  # type: ignore[call-arg]  # the other class of this name
    return da.Array(graph, name, chunks, meta=meta)


def new_delayed(key: Any, tasks: Mapping[Any, Any], dependencies: Sequence[Any]) -> Delayed:
    """
    Return one task's result, lazy.

    Parameters
    ----------
    key : str
        Of the task; it names the step, too.
    tasks : dict
        From key to task.
    dependencies : sequence of dask.array.Array, dask.delayed.Delayed or Step
        What the tasks read.

    Returns
    -------
    dask.delayed.Delayed
    """
    return Delayed(key, Step(key, tasks, dependencies).graph)


def delayed_call(name: str, function: Callable[..., Any], *args: Any) -> Any:
    """
    Return what a function returns, lazy.

    Parameters
    ----------
    name : str
        Of the function that the user called, and of the step if it has several.
    function : callable
    *args
        For the function; what is lazy, is computed for it.

    Returns
    -------
    dask.delayed.Delayed
    """
    return delayed(function)(*args, dask_key_name=f"{name}-{tokenize(function, *args)}")


def array_of_delayed(
    name: str,
    delayed_array: Delayed,
    shape: tuple[float, ...],
    meta: Block,
    take: str | None = None,
) -> Array:
    """
    Return a delayed array, or one out of a delayed dict of arrays, as an array of one block.

    Parameters
    ----------
    name : str
        Of the function that the user called, and of the step if it has several.
    delayed_array : dask.delayed.Delayed
    shape : tuple of int or nan
    meta : array
        An empty array of the block's kind, dtype and number of axes.
    take : str, optional
        The key of the array in the dict.

    Returns
    -------
    dask.array.Array
    """
    name = f"{name}-{tokenize(delayed_array.key, shape, take)}"
    key = (name,) + (0,) * len(shape)
    tasks = {key: task(key, _take, reference(delayed_array.key), take)}
    return new_array(name, tasks, [delayed_array], tuple((size,) for size in shape), meta)


def _take(value, key):
    return value if key is None else value[key]


def delayed_in(step: Step, key: Any) -> Delayed:
    """Return the result of a task that stands in a step, lazy."""
    return Delayed(key, step.graph, layer=step.name)


def wait_for(*_: Any) -> None:
    """Return nothing, as a task does that others wait for until all that it reads is there."""


def in_turn(tasks: dict[Any, Any], name: str, references: Iterable[Any]) -> TaskRef:
    """
    Add tasks that lead Dask along others, of which all have to be run.

    Where several tasks gather a part of what each block gives, Dask jumps from block to block,
    and holds half of an image for their neighbours' halos. It walks the blocks in the order given
    where these tasks wait for the last of a chain, each of which waits for some blocks and for the
    one before it.

    Parameters
    ----------
    tasks : dict
        To add them to.
    name : str
        Of the tasks.
    references : iterable
        One for each of the chain, to what is made of blocks in raster order: of several of them a
        `sequence`. On a cluster they move to one worker.

    Returns
    -------
    TaskRef
        To the last of the chain.
    """
    before: list[TaskRef] = []
    for number, each in enumerate(references):
        key = (name, number)
        tasks[key] = task(key, wait_for, each, *before)
        before = [reference(key)]
    return before[0]


def call_after(function: Callable[[Any], Any], argument: Any, *_: Any) -> Any:
    """Return ``function(argument)``; a task waits for what comes behind as well."""
    return function(argument)


def in_one_block(array: Array, name: str) -> Array:
    """
    Return an array in one block, whose blocks are computed `in_turn`.

    Parameters
    ----------
    array : dask.array.Array
        Small, made of a large image, as results on a grid are.
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.array.Array
    """
    if set(array.numblocks) <= {1}:
        return array
    whole, token, source = array.rechunk(-1), tokenize(array.name, name), blocks_of(array)
    tasks: dict[Any, Any] = {}
    blocks = (reference((source, *index)) for index in np.ndindex(array.numblocks))
    last = in_turn(tasks, f"{name}-follow-{token}", blocks)
    key = (f"{name}-join-{token}", *(0,) * array.ndim)
    tasks[key] = task(key, _first, reference(block_key(whole, key[1:])), last)
    return new_array(key[0], tasks, [array, whole], whole.chunks, array._meta)


def read_again(array: Array, after: Delayed) -> Array:
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
    name, tasks = cloned(array, after.key, lambda index: after.key)
    return new_array(name, tasks, [after], array.chunks, array._meta)


def cloned(array: Array, seed: str, gate: Callable[[Shape], Any]) -> tuple[str, dict[Any, Any]]:
    """
    Return the tasks of an array under other names, which wait for something.

    Parameters
    ----------
    array : dask.array.Array
    seed : str
        Of the names.
    gate : callable
        ``gate(index)`` returns the key of the task that a block waits for. Data that blocks have
        in common, as a file may be, wait for that of the first of them.

    Returns
    -------
    name : str
        Of the array's blocks among the tasks.
    tasks : dict
    """
    # Not dask.graph_manipulation.bind: it leaves the references inside of tasks as they are.
    nodes = convert_legacy_graph(ensure_dict(array.__dask_graph__()))
    clone, tasks = _cloned_by(seed), {}
    gates: dict[Any, Any] = {}
    for index in np.ndindex(array.numblocks):
        waiting, after = [block_key(array, index)], gate(index)
        while waiting:
            key = waiting.pop()
            name = clone(key)
            if name in tasks:
                continue
            node = nodes[key]
            renamed = {needed: clone(needed) for needed in node.dependencies}
            tasks[name] = node.substitute(renamed, key=name)
            waiting += node.dependencies
            of_others = all(gates.get(needed, after) != after for needed in node.dependencies)
            if of_others and not isinstance(node, Alias):
                # Nothing that it reads waits for this. Data that lie in the graph wait too: else
                # they would be computed early.
                tasks[name] = _after(tasks[name], after)
            if not node.dependencies:
                gates[key] = after
    return clone(blocks_of(array)), tasks


def share_of_roots(array: Array, index: Shape) -> float:
    """
    Return how many of the tasks that need no other one a block of an array needs, from 0 to 1.
    """
    nodes = convert_legacy_graph(ensure_dict(array.__dask_graph__()))
    roots = sum(not node.dependencies for node in nodes.values())
    needed, waiting = set(), {block_key(array, index)}
    while waiting:
        needed |= waiting
        waiting = {each for key in waiting for each in nodes[key].dependencies} - needed
    return sum(not nodes[key].dependencies for key in needed) / roots


def _cloned_by(seed: Any) -> Callable[[Any], Any]:
    """Return Dask's `clone_key` for keys of which many begin alike."""
    names: dict[Any, Any] = {}

    def clone(key):
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first not in names:
            names[first] = clone_key(first, seed)
        return (names[first], *rest) if isinstance(key, tuple) else names[first]

    return clone


def _after(node: Any, gate: Any) -> Task:
    """Return the task that gives what a node does, once another task has run."""
    if isinstance(node, DataNode):
        value = node.value
    elif isinstance(node, Alias):
        value = TaskRef(node.target)
    else:
        value = Task(None, node.func, *node.args, **node.kwargs)
    return Task(node.key, _first, value, TaskRef(gate))


def _first(value, _):
    return value


if QUERY_PLANNING:
    from dask.array._array_expr._expr import ArrayExpr

    class _TasksExpr(ArrayExpr):
        """An array whose tasks are there already, for Dask's query planning to leave alone."""

        _parameters: ClassVar = ["given_name", "tasks", "given_chunks", "given_meta"]  # type: ignore[misc]

        @property
        def _name(self):
            return self.operand("given_name")

        @property
        def deterministic_token(self):
            return self.operand("given_name")

        @property
        def chunks(self):
            return self.operand("given_chunks")

        @property
        def _meta(self):
            return self.operand("given_meta")

        def dependencies(self):
            return []

        def _layer(self):
            return self.operand("tasks")
