"""Tasks of several steps, one a block or a group of blocks for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dask_image._utils.arrays import block_meta
from dask_image._utils.engines.graph import Step, new_array, reference, task
from dask_image._utils.typing import Array, Chunks, DTypeLike, Shape


class Tasks:
    """
    Collects tasks.

    Parameters
    ----------
    name : str
        Of the function that the user called.
    token : str
        What keys end with.

    Attributes
    ----------
    tasks : dict
        From key to task.
    """

    def __init__(self, name: str, token: str) -> None:
        self.name = name
        self.token = token
        self.tasks: dict[Any, Any] = {}

    def _prefix(self, step: str) -> str:
        return f"{self.name}-{step}-{self.token}"

    def add(self, step: str, index: Shape, function: Callable[..., Any], *args: Any) -> Any:
        """Add a task; return a reference to its result."""
        key = (self._prefix(step), *index)
        self.tasks[key] = task(key, function, *args)
        return reference(key)

    def at(self, step: str, index: Shape) -> Any:
        """Return a reference to the result of a step at one block or group."""
        return reference((self._prefix(step), *index))

    def made(self, step: str, dependencies: Sequence[Any]) -> Step:
        """Return all tasks, for others to depend on."""
        return Step(self._prefix(step), self.tasks, dependencies)

    def array(
        self, step: str, dependencies: Sequence[Any], chunks: Chunks, dtype: DTypeLike
    ) -> Array:
        """Return the array whose blocks are the results of one step."""
        meta = block_meta(len(chunks), dtype)
        return new_array(self._prefix(step), self.tasks, dependencies, chunks, meta)
