"""What is true so far, while the log is read: versions touched last are in memory, the others in a spill table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from projections.spill import Entry, SpillTable

KEPT = 10_000


class OpenVersions:
    """Versions without an end yet, by kind and id: the position that each is true from, and its value."""

    def __init__(self, spill: SpillTable, kept: int | None = None) -> None:
        self._spill = spill
        self._kept = KEPT if kept is None else kept
        self._near: dict[tuple[str, str], tuple[int, Any]] = {}
        self._has_spilled = False

    def get(self, kind: str, id: str) -> tuple[int, Any] | None:
        """Return a version."""
        return self._near.get((kind, id)) or self._fetched(kind, id)

    def follow(self, kind: str, id: str, from_: int, value: Any) -> tuple[int, Any] | None:
        """Put a new version in place of the one before it, which is returned; None as value is the end."""
        before = self._near.pop((kind, id), None) or self._fetched(kind, id)
        if value is None:
            self._near.pop((kind, id), None)
        else:
            self._near[kind, id] = (from_, value)
        return before

    def trim(self) -> None:
        """Put aside what was not touched for long, once there is too much."""
        if len(self._near) > self._kept:
            self._put_aside(len(self._near) - self._kept // 2)

    def all(self) -> Iterator[Entry]:
        """Stream all of them; none may be followed meanwhile."""
        self._put_aside(len(self._near))
        return self._spill.entries()

    def _fetched(self, kind: str, id: str) -> tuple[int, Any] | None:
        version = self._spill.take(kind, id) if self._has_spilled else None
        if version is not None:
            self._near[kind, id] = version
        return version

    def _put_aside(self, count: int) -> None:
        oldest = list(islice(self._near, count))
        self._spill.put((*key, *self._near[key]) for key in oldest)
        for key in oldest:
            del self._near[key]
        self._has_spilled = True
