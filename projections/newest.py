"""The newest of many documents, in little memory: lists in answers have an end."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from projections.ports import Body

MOST = 1000


class Newest:
    """The MOST bodies with the greatest numbers, in the order of these; `count` tells how many were added."""

    def __init__(self, numbered: Iterable[tuple[int, Body]] = ()) -> None:
        self.count = 0
        self._heap: list[tuple[int, int, Body]] = []
        for number, body in numbered:
            self.add(number, body)

    def add(self, number: int, body: Body) -> None:
        self.count += 1
        entry = (number, self.count, body)
        if len(self._heap) < MOST:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def left_out(self) -> int:
        return self.count - len(self._heap)

    def __iter__(self) -> Iterator[Body]:
        return (body for _, _, body in sorted(self._heap))
