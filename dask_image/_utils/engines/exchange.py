"""
Let every one of many tasks send something to any of many others, with few tasks between them.

What a sender has for whom is known only when it runs, so every receiver must wait for every
sender. A task for each pair of them would be too many: senders are put together in groups, and
so are receivers, about as many groups as each has members. A task then stands for a pair of
groups, and one a group hands out what has come for each of its members. That is about three
tasks for each sender and receiver, however many there are.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

from dask_image._utils.engines.graph import reference, sequence, task
from dask_image._utils.typing import Shape


def exchange(
    tasks: dict[Any, Any], senders: Sequence[Any], receivers: Sequence[Shape], name: str, token: str
) -> str:
    """
    Add tasks that bring to each receiver what each sender has for it.

    Parameters
    ----------
    tasks : dict
        From key to task; some are added.
    senders : sequence of key
        The result of each is a dict: what it has for whom, by the number of the receiver.
    receivers : sequence of tuple of int
        The index of each.
    name, token : str
        Of the added tasks: their names begin and end so.

    Returns
    -------
    str
        The name of tasks, one a receiver, whose keys have its index after this name. The result
        is a dict: what the receiver gets, by the number of the sender, ascending.
    """
    out, pair, handed, received = (
        f"{name}-{step}-{token}" for step in ("send", "pass", "sort-out", "receive")
    )
    members, size = math.isqrt(len(senders) - 1) + 1, math.isqrt(len(receivers) - 1) + 1
    targets = range(math.ceil(len(receivers) / size))
    groups = range(0, len(senders), members)
    for group, first in enumerate(groups):
        parcels = sequence(map(reference, senders[first : first + members]))
        tasks[out, group] = task((out, group), by_group, parcels, first, size, len(targets))
        for target in targets:
            key = (pair, group, target)
            tasks[key] = task(key, operator.getitem, reference((out, group)), target)
    for target in targets:
        first = target * size
        count = min(size, len(receivers) - first)
        passed = sequence(reference((pair, group, target)) for group in range(len(groups)))
        tasks[handed, target] = task((handed, target), by_receiver, passed, first, count)
        for number in range(count):
            key = (received, *receivers[first + number])
            tasks[key] = task(key, operator.getitem, reference((handed, target)), number)
    return received


def by_group(
    parcels: list[dict[int, Any]], first: int, size: int, count: int
) -> list[dict[tuple[int, int], Any]]:
    """
    Sort what some senders have by group of receivers.

    Parameters
    ----------
    parcels : list of dict
        What each sender has, by receiver.
    first : int
        The number of the first sender.
    size : int
        How many receivers are in a group.
    count : int
        How many such groups there are.

    Returns
    -------
    list of dict
        For each group of receivers, by sender and receiver.
    """
    groups: list[dict[tuple[int, int], Any]] = [{} for _ in range(count)]
    for sender, parcel in enumerate(parcels, start=first):
        for receiver, what in parcel.items():
            groups[receiver // size][sender, receiver] = what
    return groups


def by_receiver(
    passed: list[dict[tuple[int, int], Any]], first: int, count: int
) -> list[dict[int, Any]]:
    """Sort what has come for a group of receivers, beginning with ``first``, by receiver."""
    found: list[dict[int, Any]] = [{} for _ in range(count)]
    for (sender, receiver), what in itertools.chain.from_iterable(map(dict.items, passed)):
        found[receiver - first][sender] = what
    return found
