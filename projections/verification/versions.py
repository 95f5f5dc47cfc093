"""All versions of all documents and rows, from the log and from a store, compared by fingerprints, then one by one.

Closed versions count: a changed past is as wrong as a changed present. Fingerprints are summed by ranges of positions,
so that the log of years is compared in little memory; only ranges that differ are computed again and compared in full.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from projections.fold import WRITTEN_ONCE, Fold
from projections.following import Look, Poisoned, fold_after
from projections.ports import OPEN, Batch, Body, Document, Documents, Feed, History, HistoryRow
from projections.replay.open_versions import OpenVersions
from projections.spill import SpillTable

RANGE = 1000
BATCH = 2000
ROW = "history row"
SORTED = json.JSONEncoder(sort_keys=True, check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Version:
    """What one version says: a document's body, or a row's columns and facts, as one JSON-able value."""

    kind: str
    id: str
    from_: int
    to: int
    value: Any

    @property
    def fingerprint(self) -> int:
        """128 bits of SHA-256 over all of it."""
        told = SORTED([self.kind, self.id, self.from_, self.to, self.value])
        return int.from_bytes(hashlib.sha256(told.encode("utf-8", "backslashreplace")).digest()[:16])


def version_of_document(document: Document, until: int) -> Version:
    """Read a stored document as of a position: closed later means open."""
    to = document.to if document.to <= until else OPEN
    return Version(document.kind, document.id, document.from_, to, document.body)


def version_of_row(row: HistoryRow, until: int) -> Version:
    """Read a stored row as of a position."""
    columns = [row.model, row.dataset, row.actor, row.committed_at.isoformat(), row.withdrawn]
    to = row.to if row.to <= until else OPEN
    return Version(ROW, str(row.n), row.from_, to, [*columns, row.body, row.facts])


def stored_versions(documents: Documents, history: History, until: int) -> Iterator[Version]:
    """Stream what a store has of the time up to a position."""
    yield from (version_of_document(it, until) for it in documents.all_versions() if it.from_ <= until)
    yield from (version_of_row(it, until) for it in history.all_versions() if it.from_ <= until)


class LoggedVersions:
    """What the log says: folds it, and gives each version to `emit` once it is closed, at the end those still open.

    What is written once is given at once, and forgotten. `look` sees each commit that is folded.
    """

    def __init__(self, feed: Feed, until: int, spill: SpillTable, look: Look | None = None) -> None:
        self._feed = feed
        self._until = until
        self._look = look
        self._open = OpenVersions(spill)
        self.poisons: list[Poisoned] = []

    def run(self, emit: Callable[[Version], None]) -> Iterator[int]:
        """Yield positions as it goes; stops at the first commit that cannot be folded (`poisons`)."""
        fold, position = Fold(self._current), 0
        while position < self._until:
            batch, poison = fold_after(self._feed, fold, position, BATCH, self._until, look=self._look)
            self._take(batch, emit)
            fold.trim()
            self._open.trim()
            if poison is not None:
                self.poisons.append(poison)
                return
            if batch.position == position:
                break
            position = batch.position
            yield position
        for kind, id, from_, value in self._open.all():
            emit(Version(kind, id, from_, OPEN, value))

    def _take(self, batch: Batch, emit: Callable[[Version], None]) -> None:
        for kind, id, from_, body in batch.documents:
            if kind in WRITTEN_ONCE:
                emit(Version(kind, id, from_, OPEN, body))
            else:
                self._follow(kind, id, from_, body, emit)
        for row in batch.history:
            self._follow(ROW, str(row.n), row.from_, version_of_row(row, OPEN).value, emit)

    def _follow(self, kind: str, id: str, from_: int, value: Any, emit: Callable[[Version], None]) -> None:
        before = self._open.follow(kind, id, from_, value)
        if before is not None:
            emit(Version(kind, id, before[0], from_, before[1]))

    def _current(self, kind: str, id: str) -> Body | None:
        version = self._open.get(kind, id)
        return version[1] if version else None


class Fingerprints:
    """Sums of fingerprints by ranges of positions."""

    def __init__(self, versions: Iterable[Version] = ()) -> None:
        self.sums: defaultdict[int, int] = defaultdict(int)
        for version in versions:
            self.add(version)

    def add(self, version: Version) -> None:
        """Take a version in; the order does not matter."""
        self.sums[version.from_ // RANGE] += version.fingerprint

    def unlike(self, other: Fingerprints) -> set[int]:
        """Return the ranges in which the two differ."""
        return {key for key in {*self.sums, *other.sums} if self.sums[key] != other.sums[key]}


def compare(logged: Iterable[Version], stored: Iterable[Version]) -> Iterator[tuple[int, str]]:
    """Yield (position, what) for each version that only one side has, or both have differently."""
    expected = {(it.kind, it.id, it.from_): it for it in logged}
    for version in stored:
        of_log = expected.pop((version.kind, version.id, version.from_), None)
        if of_log is None:
            yield version.from_, f"the read models have a {version.kind} {version.id!r} that the log has not"
        elif of_log.fingerprint != version.fingerprint:
            yield version.from_, f"{version.kind} {version.id!r} is not what the log says"
    for missing in expected.values():
        yield missing.from_, f"{missing.kind} {missing.id!r} is missing in the read models"
