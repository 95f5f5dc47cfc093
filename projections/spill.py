"""A private temporary table for what a replay cannot keep in memory: years of log fit into little of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

Entry = tuple[str, str, int, Any]  # kind, id, position, JSON-able value (not only finite numbers)


class SpillTable(Protocol):
    """Entries by kind and id; gone when it is closed. Raises NotAbleError, or DiskReserveError for a full disk."""

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries; one that is there already stays as it is."""
        ...

    def take(self, kind: str, id: str) -> tuple[int, Any] | None:
        """Remove an entry, and return its position and value; None where there is none."""
        ...

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """Stream the entries of a kind, or all, in no order that means anything; none may be put or taken meanwhile."""
        ...


OpenSpillTable = Callable[[], AbstractContextManager[SpillTable]]
