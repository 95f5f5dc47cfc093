"""What a replay puts aside: entries of a private, temporary table, so that years of log fit into little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

Entry = tuple[str, str, int, Any]  # kind, id, position, JSON-able value (not only finite numbers)


class Stash(Protocol):
    """Entries by kind and id, of whoever opened it alone; gone when it is closed. Raises NotAbleError."""

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries; one that is there already stays as it is."""
        ...

    def take(self, kind: str, id: str) -> tuple[int, Any] | None:
        """Remove an entry, and return its position and value; None where there is none."""
        ...

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """Stream the entries of a kind, or all, in no order that means anything; none may be put or taken meanwhile."""
        ...


OpenStash = Callable[[], AbstractContextManager[Stash]]
