"""All versions of all documents and rows, from the log and from a store, compared by fingerprints, then one by one.

Closed versions count: a changed past is as wrong as a changed present. Fingerprints are summed by ranges of positions,
so that the log of years is compared in little memory; only ranges that differ are computed again and compared in full.
The first sums are over JSON as it is stored, in the order of its keys. Where the same JSON is spelled in another way,
they differ, and the comparison in full finds nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from pydantic_core import to_json

from projections.fold import WRITTEN_ONCE, CommitObserver, Fold, Poisoned, fold_after
from projections.ports import (
    OPEN,
    ROWS_PER_COMMIT,
    Batch,
    Body,
    Document,
    Documents,
    Entry,
    Feed,
    History,
    HistoryRow,
    OpenSpillTable,
    SpillTable,
)

KEPT = 10_000  # open versions in memory
MOST_FINDINGS = 1000  # a store that is wrong throughout is not listed line by line
MOST_RANGES = 50  # so many ranges of positions are compared in full: their versions are held in memory
RANGE = 1000
BATCH = 2000
UNKNOWN: Body = {}
ROW = "history row"
SORTED = json.JSONEncoder(sort_keys=True, check_circular=False).encode


class Version(NamedTuple):  # a tuple, as a verification makes millions of them
    """What one version says: a document's body, or a row's body and facts, as one JSON-able value."""

    kind: str
    id: str
    from_: int
    to: int
    value: Any

    @property
    def named(self) -> str:
        """What a reader knows it by: a row by its experiment, if the body says it."""
        body = self.value[1] if self.kind == ROW else None
        experiment = body.get("experiment") if isinstance(body, dict) else None
        return f"{self.kind} {self.id!r}" + (f" (experiment {experiment!r})" if experiment else "")

    @property
    def fingerprint(self) -> int:
        """128 bits of SHA-256 over all of it, however its JSON is spelled."""
        return fingerprint(self.kind, self.id, self.from_, self.to, _in_order(self.value))


def fingerprint(kind: str, id: str, from_: int, to: int, content: bytes) -> int:
    """Return 128 bits of SHA-256."""
    place = f"{kind}\0{id}\0{from_}\0{to}\0".encode("utf-8", "backslashreplace")
    return int.from_bytes(sha256(place + content).digest()[:16])


def _in_order(value: Any) -> bytes:
    return SORTED(value).encode("utf-8", "backslashreplace")


def _encoded_row(value: Any) -> bytes:
    """Return the JSON of a row, of which only the facts are sorted: a third of the work that `_in_order` is."""
    withdrawn, body, facts = value
    return to_json([withdrawn, body, sorted(facts.items())])


def version_of_document(document: Document, until: int) -> Version:
    """Read a stored document as of a position: closed later means open."""
    to = document.to if document.to <= until else OPEN
    return Version(document.kind, document.id, document.from_, to, document.body)


def version_of_row(row: HistoryRow, until: int) -> Version:
    """Read a stored row as of a position."""
    to = row.to if row.to <= until else OPEN
    return Version(ROW, str(row.n), row.from_, to, [row.withdrawn, row.body, row.facts])


class OpenVersions:
    """What is true so far, by kind and id: the position since when, and the value. The latest are in memory."""

    def __init__(self, spill: SpillTable, kept: int | None = None) -> None:
        self._spill = spill
        self._kept = KEPT if kept is None else kept
        self._recent: dict[tuple[str, str], tuple[int, Any]] = {}
        self._has_spilled = False

    def get(self, kind: str, id: str) -> tuple[int, Any] | None:
        return self._recent.get((kind, id)) or self._from_spill(kind, id)

    def follow(self, kind: str, id: str, from_: int, value: Any, *, is_new: bool = False) -> tuple[int, Any] | None:
        """Put a new version in place of the one before it, and return that; None as value is the end.

        `is_new`: there is none before it, so that nothing put aside need be looked through.
        """
        before = self._recent.pop((kind, id), None) or (None if is_new else self._from_spill(kind, id))
        if value is None:
            self._recent.pop((kind, id), None)
        else:
            self._recent[kind, id] = (from_, value)
        return before

    def trim(self) -> None:
        """Spill what was not touched for long, once there is too much."""
        if len(self._recent) > self._kept:
            self._spill_oldest(len(self._recent) - self._kept // 2)

    def all(self) -> Iterator[Entry]:
        """Stream all of them, and forget those in memory; none may be followed meanwhile."""
        yield from ((*key, *version) for key, version in self._recent.items())
        self._recent.clear()
        if self._has_spilled:
            yield from self._spill.entries()

    def _from_spill(self, kind: str, id: str) -> tuple[int, Any] | None:
        version = self._spill.take(kind, id) if self._has_spilled else None
        if version is not None:
            self._recent[kind, id] = version
        return version

    def _spill_oldest(self, count: int) -> None:
        oldest = list(islice(self._recent, count))
        self._spill.put((*key, *self._recent[key]) for key in oldest)
        for key in oldest:
            del self._recent[key]
        self._has_spilled = True


class LoggedVersions:
    """What the log says: folds it, and gives each version to `emit` once it is closed, at the end those still open.

    What is written once is given at once, and forgotten. `observe` gets each commit that is folded.
    """

    def __init__(self, feed: Feed, until: int, spill: SpillTable, observe: CommitObserver | None = None) -> None:
        self._feed = feed
        self._until = until
        self._observe = observe
        self._open = OpenVersions(spill)
        self.poisons: list[Poisoned] = []

    def run(self, emit: Callable[[Version], None]) -> Iterator[int]:
        """Yield positions as it goes; stops at the first commit that cannot be folded (`poisons`)."""
        fold, position = Fold(self._current), 0
        while position < self._until:
            batch, poison = fold_after(self._feed, fold, position, BATCH, self._until, observe=self._observe)
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
        follow, before_batch = self._open.follow, batch.before
        for kind, id, from_, body in batch.documents:
            if kind in WRITTEN_ONCE:
                emit(Version(kind, id, from_, OPEN, body))
                continue
            is_new = before_batch.get((kind, id), UNKNOWN) is None
            before = follow(kind, id, from_, body, is_new=is_new)
            if before is not None:
                emit(Version(kind, id, before[0], from_, before[1]))
        for row in batch.history:
            is_new = row.from_ == row.n // ROWS_PER_COMMIT
            before = follow(ROW, str(row.n), row.from_, version_of_row(row, OPEN).value, is_new=is_new)
            if before is not None:
                emit(Version(ROW, str(row.n), before[0], row.from_, before[1]))

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

    def add_as_stored(self, version: Version, encode: Callable[[Body], bytes]) -> None:
        """Take in a document as a store encodes it; rows are stored in several tables."""
        kind, id, from_, to, value = version
        content = _encoded_row(value) if kind == ROW else encode(value)
        self.sums[from_ // RANGE] += fingerprint(kind, id, from_, to, content)

    def unlike(self, other: Fingerprints) -> set[int]:
        """Return the ranges in which the two differ."""
        return {key for key in {*self.sums, *other.sums} if self.sums[key] != other.sums[key]}


@dataclass(frozen=True, slots=True)
class StoredVersions:
    """What a store has of the time up to a position: all versions, or only those that are true there."""

    documents: Documents
    history: History
    position: int
    open_only: bool = False

    def fingerprints(self) -> Fingerprints:
        """Return the sums over what is stored; no body of a document is decoded."""
        found, position = Fingerprints(), self.position
        sums = found.sums
        for kind, id, from_, to, body in self.documents.all_encoded():
            if from_ <= position and (to > position or not self.open_only):
                sums[from_ // RANGE] += fingerprint(kind, id, from_, to if to <= position else OPEN, body)
        for row in self._rows():
            found.add_as_stored(row, self.documents.encode)
        return found

    def __iter__(self) -> Iterator[Version]:
        documents = (version_of_document(it, self.position) for it in self.documents.all_versions())
        yield from (it for it in documents if it.from_ <= self.position and self.is_wanted(it))
        yield from self._rows()

    def is_wanted(self, version: Version) -> bool:
        return version.to == OPEN or not self.open_only

    def _rows(self) -> Iterator[Version]:
        rows = self.history.versions(self.position) if self.open_only else self.history.all_versions()
        yield from (version_of_row(it, self.position) for it in rows if it.from_ <= self.position)


def compare(logged: Iterable[Version], stored: Iterable[Version]) -> Iterator[tuple[int, str]]:
    """Yield (position, what) for each version that only one side has, or both have differently."""
    expected = {(it.kind, it.id, it.from_): it for it in logged}
    for version in stored:
        of_log = expected.pop((version.kind, version.id, version.from_), None)
        if of_log is None:
            yield version.from_, f"the read models have a {version.named} that the log has not"
        elif of_log.fingerprint != version.fingerprint:
            yield version.from_, f"{version.named} is not what the log says"
    for missing in expected.values():
        yield missing.from_, f"{missing.named} is missing in the read models"


@dataclass
class Comparison:
    """What the log says up to a position, held against what is stored of it."""

    feed: Feed
    stored: StoredVersions
    open_spill: OpenSpillTable
    findings: list[tuple[int, str]] = field(default_factory=list)
    poisons: list[Poisoned] = field(default_factory=list)

    def run(
        self, emit: Callable[[Version], None] | None = None, observe: CommitObserver | None = None
    ) -> Iterator[int]:
        """Yield positions as it goes; afterwards there are `findings`, or `poisons` where the log cannot be folded.

        `emit` gets what the log says, `observe` the commits.
        """
        logged, encode = Fingerprints(), self.stored.documents.encode

        def take(version: Version) -> None:
            logged.add_as_stored(version, encode)
            if emit is not None:
                emit(version)

        yield from self._versions(take, observe)
        if self.poisons:
            return
        unlike = logged.unlike(self.stored.fingerprints())
        if len(unlike) > MOST_RANGES:  # too many to hold in memory, unless they are only spelled in another way
            logged = Fingerprints()
            yield from self._versions(logged.add)
            unlike = logged.unlike(Fingerprints(self.stored))
        if unlike:
            yield from self._compare_in_full(sorted(unlike))

    def _versions(self, take: Callable[[Version], None], observe: CommitObserver | None = None) -> Iterator[int]:
        wanted = self.stored.is_wanted
        with self.open_spill() as spill:
            logged = LoggedVersions(self.feed, self.stored.position, spill, observe)
            yield from logged.run(lambda version: take(version) if wanted(version) else None)
            self.poisons = logged.poisons

    def _compare_in_full(self, unlike: list[int]) -> Iterator[int]:
        """Compute the ranges that differ again, and name what differs."""
        chosen, ranges = list[Version](), frozenset(unlike[:MOST_RANGES])

        def keep(version: Version) -> None:
            if version.from_ // RANGE in ranges:
                chosen.append(version)

        yield from self._versions(keep)
        stored = (version for version in self.stored if version.from_ // RANGE in ranges)
        self.findings.extend(islice(compare(chosen, stored), MOST_FINDINGS))
        if rest := unlike[MOST_RANGES:]:
            more = f"from here on the read models differ in {len(rest)} more ranges of {RANGE} positions"
            self.findings.append((rest[0] * RANGE, more))
