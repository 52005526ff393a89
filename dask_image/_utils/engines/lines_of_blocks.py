"""
Lines of pixels that are cut into blocks, each of which finds what is nearest for itself.

Squared distances add up axis by axis. Along one of them a block needs of those before and after it
only their sites that cost least somewhere within it, see `dask_image._kernels.blocks.sites`:
no task ever holds a whole line of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.typing import NDArray, Shape


@dataclass(frozen=True)
class Sites:
    """
    Sites of several lines, one line after the other.

    Attributes
    ----------
    position : numpy.ndarray of int
        Of each along its line, in the image or, along a ring, one turn before or after it.
    cost : numpy.ndarray of int
        The square of how far it is from what it has found.
    ends : numpy.ndarray of int
        Where those of each line end.
    value : numpy.ndarray or None
        What it has found.
    """

    position: NDArray
    cost: NDArray
    ends: NDArray
    value: NDArray | None = None

    @classmethod
    def of_block(
        cls, costs: NDArray, axis: int, start: int, after: bool, span: Shape,
        values: NDArray | None = None,
    ) -> Sites:  # fmt: skip
        """Return those of a block that matter after it, or before; see `seen_from`."""
        ends, found = kernels.sites.seen_from(costs, axis, start, after, span)
        line = np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
        inner = int(np.prod(costs.shape[axis + 1 :], dtype=np.int64))
        place = line // inner, found, line % inner
        shape = -1, costs.shape[axis], inner
        value = None if values is None else values.reshape(shape)[place]
        return cls(found + np.int32(start), costs.reshape(shape)[place], ends, value)

    def without(self) -> Sites:
        """Return no sites, of as many lines."""
        value = None if self.value is None else self.value[:0]
        return Sites(self.position[:0], self.cost[:0], np.zeros_like(self.ends), value)

    def shifted(self, by: int) -> Sites:
        """Return the same a turn later or earlier."""
        return replace(self, position=self.position + np.int32(by))

    def joined(self, later: Sites, after: bool, span: Shape) -> Sites:
        """Return those that matter of these and others, which come later along the lines."""
        ends, chosen = kernels.sites.joined(
            self.position, self.cost, self.ends, (later.position, later.cost, later.ends), after,
            span,
        )  # fmt: skip
        position = np.concatenate([self.position, later.position])[chosen]
        cost = np.concatenate([self.cost, later.cost])[chosen]
        value = None
        if self.value is not None and later.value is not None:
            value = np.concatenate([self.value, later.value])[chosen]
        return Sites(position, cost, ends, value)

    def lower(
        self, costs: NDArray, axis: int, start: int, after: bool, values: NDArray | None = None
    ) -> None:
        """Lower the costs of a block, and replace its values, where these cost less; in place."""
        found = self.position, self.cost, self.ends
        pixels, chosen = kernels.sites.lower(costs, axis, start, found, after, values is not None)
        if values is not None and self.value is not None:
            values.reshape(-1)[pixels] = self.value[chosen]


AroundBlock = tuple[Sites, Sites]
"""Sites that matter before a block, and after it; or those before and after that matter in it."""


@dataclass(frozen=True)
class LineOfBlocks:
    """
    How lines along one axis are cut into blocks.

    Attributes
    ----------
    axis : int
    bounds : tuple of int
        Where each block begins, and where the last one ends.
    period : int
        The length of the axis if its ends meet, else 0.
    """

    axis: int
    bounds: Shape
    period: int = 0

    @property
    def shared(self) -> bool:
        """Whether a block is concerned with any other's sites, or its own a turn away."""
        return len(self.bounds) > 2 or self.period > 0

    def _span(self, position: int, after: bool) -> Shape:
        """Return the positions from which a block is seen that ends, or begins, at one."""
        if after:
            return position, (position + self.period if self.period else self.bounds[-1]) - 1
        return position - self.period if self.period else 0, position - 1

    def sites(self, costs: NDArray, start: int, values: NDArray | None = None) -> AroundBlock:
        """Return the sites of a block that matter before it and after it."""
        end = start + costs.shape[self.axis]
        return (
            Sites.of_block(costs, self.axis, start, False, self._span(start, False), values),
            Sites.of_block(costs, self.axis, start, True, self._span(end, True), values),
        )

    def carry(self, parts: Sequence[AroundBlock]) -> list[AroundBlock]:
        """Return, for each block, the sites before it and after it that matter in it."""
        nothing = parts[0][0].without()
        before, after = [nothing], [nothing]
        if self.period:
            before = [self._carried(parts, before, True)[-1].shifted(-self.period)]
            after = [self._carried(parts, after, False)[-1].shifted(self.period)]
        before, after = self._carried(parts, before, True), self._carried(parts, after, False)
        return list(zip(before[:-1], after[-2::-1], strict=True))

    def _carried(self, parts, seen, after):
        """Return what is seen of all blocks before each, or after each, and at the end."""
        seen, ends = list(seen), self.bounds[1:] if after else self.bounds[-2::-1]
        for (low, high), end in zip(parts if after else reversed(parts), ends, strict=True):
            span = self._span(end, after)
            joined = (
                seen[-1].joined(high, True, span) if after else low.joined(seen[-1], False, span)
            )
            seen.append(joined)
        return seen

    def lower(
        self, costs: NDArray, start: int, around: AroundBlock, values: NDArray | None = None
    ) -> None:
        """Lower the costs of a block, and replace values, by what is around it; in place."""
        for sites, after in zip(around, (False, True), strict=True):
            sites.lower(costs, self.axis, start, after, values)
