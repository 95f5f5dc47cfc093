"""A limited number of slots for fits, scores and reproductions; ingest and describe take none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from commands.ports import OfferName


class Slots:
    """Counts the free slots; safe from any thread."""

    def __init__(self, number: int, installed: Callable[[str, str], bool] | None = None) -> None:
        if number < 1:
            msg = f"{number} slots: at least one is needed."
            raise ValueError(msg)
        self._installed = installed
        self._free = threading.BoundedSemaphore(number)

    def take_slot(self) -> bool:
        """Reserve a slot if one is free."""
        return self._free.acquire(blocking=False)

    def can_run(self, needs: Iterable[OfferName]) -> bool:
        """Tell whether what a task needs is installed here; yes where nothing is known of it."""
        return self._installed is None or all(self._installed(kind, name) for kind, name in needs)

    def free_slot(self) -> None:
        """Give a reserved slot back; raises ValueError for one that was not reserved."""
        self._free.release()
