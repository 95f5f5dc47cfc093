"""A limited number of slots for fits, scores and reproductions; ingest and describe take none."""

from __future__ import annotations

import threading


class Slots:
    """Counts the free slots; safe from any thread."""

    def __init__(self, number: int) -> None:
        if number < 1:
            msg = f"{number} slots: at least one is needed."
            raise ValueError(msg)
        self._free = threading.BoundedSemaphore(number)

    def take_slot(self) -> bool:
        """Reserve a slot if one is free."""
        return self._free.acquire(blocking=False)

    def free_slot(self) -> None:
        """Give a reserved slot back; raises ValueError for one that was not reserved."""
        self._free.release()
