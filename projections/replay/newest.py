"""The newest of many documents, in little memory: lists in answers have an end."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from projections.change import Body

MOST = 1000


class Newest:
    """The bodies with the greatest numbers, in the order of these; iterable. `count` tells of all that came."""

    def __init__(self, numbered: Iterable[tuple[int, Body]] = ()) -> None:
        self.count = 0
        self._heap: list[tuple[int, int, Body]] = []
        for number, body in numbered:
            self.add(number, body)

    def add(self, number: int, body: Body) -> None:
        """Take a body in; the one with the smallest number may fall out."""
        self.count += 1
        entry = (number, self.count, body)
        if len(self._heap) < MOST:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def left_out(self) -> int:
        """How many fell out."""
        return self.count - len(self._heap)

    def __iter__(self) -> Iterator[Body]:
        return (body for _, _, body in sorted(self._heap))
