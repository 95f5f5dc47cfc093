"""What the read side needs from outside: the feed of commits, versioned documents, the history index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from domain.events import Event
from projections.filters.conditions import Condition

Body = dict[str, Any]
Current = Callable[[str, str], Body | None]  # a document as it stands before an event, by kind and id

Finding = tuple[int | None, str]  # where something is wrong (None: nowhere in particular), and what
Anchor = tuple[int, bytes]  # a position, and the chain hash that somebody knows to be there
Entry = tuple[str, str, int, Any]  # kind, id, position, JSON-able value (not only finite numbers)

OPEN = 2**62  # the `to` of a version that is still true
ROWS_PER_COMMIT = 1024  # numbers that each commit has for rows of history
PAGE_ROWS = 100  # of a page of any list, where nothing else is asked for
MOST_PAGE_ROWS = 1000
GENESIS = bytes(32)  # the chain hash before the first entry


class Recorded(NamedTuple):  # a tuple, as a replay makes millions of them
    """One event at its position, inside the commit that ends at `commit` at time `at` (UTC)."""

    position: int
    commit: int
    at: datetime
    event: Event


class RawEvent(NamedTuple):
    """An event as stored: what the chain is computed over."""

    stream: str
    version: int
    name: str
    state: bytes


@dataclass(frozen=True, slots=True)
class RawCommit:
    """A commit as stored: positions first..position, UTC time, ids, stored chain hash, stored events."""

    first: int
    position: int
    at: datetime
    command_id: UUID
    append_id: UUID
    digest: str
    hash: bytes
    events: tuple[RawEvent, ...]
    faults: tuple[str, ...] = ()  # of what is stored with a type or length that is never written


class CommitEnd(NamedTuple):
    """Where a commit ends: its position, its time (UTC) and the chain hash there. Before the first commit: these."""

    position: int = 0
    at: datetime | None = None
    hash: bytes = GENESIS


Decode = Callable[[str, int, str, bytes], Event]  # the event of what is stored: stream, version, name, state
ChainFaults = Callable[[Iterable[RawCommit], int, bytes], Iterable[tuple[int, str]]]
"""(position, what is wrong) of commits that follow a known position and hash."""


class CommitFeed(Protocol):
    """The log as followers read it, commit by commit, in order, without holes."""

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return decoded events of whole commits after `position`: one commit at least, about `limit` events."""
        ...

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        """Return the same as stored, undecoded."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout` seconds."""
        ...

    def end(self) -> tuple[int, bytes]:
        """Return position and chain hash of the last commit; (0, 32 zero bytes) for an empty log."""
        ...


class Feed(CommitFeed, Protocol):
    """The log, with answers to questions about its positions."""

    def position_at(self, moment: datetime) -> int:
        """Return the position of the last commit with `at` <= moment (0 where there is none)."""
        ...

    def commit_at(self, position: int) -> CommitEnd:
        """Return the end of the last commit up to `position`; the empty log's where there is none. No event is read."""
        ...

    def hashes_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Return position and chain hash of the commits that `raw_after` would return."""
        ...

    def of_stream(self, stream: str, until: int) -> list[Recorded]:
        """Return the events of one stream up to a position, in order of positions; nothing else of the log is read.

        Where one cannot be read, the error's facts have the `position` of its commit.
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document, true from position `from_` until before `to`."""

    kind: str
    id: str
    from_: int
    to: int
    body: dict[str, Any]


EncodedVersion = tuple[str, str, int, int, bytes]  # a document: kind, id, `from_`, `to`, and the JSON of its body


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One version of a row. `n`, its number, is commit position * `ROWS_PER_COMMIT` + index: the order of the commits.

    `facts` is all that filters compare: `measure.X`, `setting.Y` and the columns (`filters/columns.py`) with a path,
    with values as `comparable` gives them.
    """

    n: int
    from_: int
    to: int
    withdrawn: bool
    body: dict[str, Any]
    facts: dict[str, Any]


@dataclass
class Batch:
    """What a run of events changed: new versions, in order; the store closes the versions before them.

    A document with body None closes without a successor. `position` is that of the last commit folded in, of those
    `projections` alone; None: of all. `before` has what documents were before the batch, as far as that is known, so
    that a store need not read them; None: there was none.
    """

    position: int
    documents: list[tuple[str, str, int, dict[str, Any] | None]] = field(default_factory=list)  # kind, id, from_, body
    history: list[HistoryRow] = field(default_factory=list)
    projections: frozenset[str] | None = None
    before: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)  # by kind and id


class Change(NamedTuple):  # a tuple, as a replay makes millions of them
    """A document's new body; None closes it without a successor. `is_new`: the log never has the document before."""

    kind: str
    id: str
    body: Body | None
    is_new: bool = False


class Documents(Protocol):
    """Versioned documents and history rows in a store of their own; disposable, rebuilt from the log."""

    def position(self) -> int:
        """Return the position of the last commit that is folded into all projections."""
        ...

    def positions(self) -> Mapping[str, int]:
        """Return how far each projection is: one that is rebuilt is behind the others."""
        ...

    def apply(self, batch: Batch) -> None:
        """Write a batch and its position together, or nothing."""
        ...

    def get(self, kind: str, id: str, at: int | None = None) -> Document | None:
        """Return the version true now, or at a position."""
        ...

    def list(
        self, kind: str, prefix: str = "", at: int | None = None, limit: int = 1000, after: str = ""
    ) -> list[Document]:
        """Return the documents of a kind whose id begins with `prefix` and sorts after `after`, ordered by id."""
        ...

    def versions(self, kind: str, at: int | None = None, prefix: str = "") -> Iterable[Document]:
        """Stream the documents of a kind true at a position whose ids begin so, ordered by id, however many."""
        ...

    def all_versions(self) -> Iterable[Document]:
        """Stream every version of every document, closed ones too; what a damaged store holds comes back as it can."""
        ...

    def all_encoded(self) -> Iterable[EncodedVersion]:
        """Stream the same with bodies as the JSON that is stored, whatever it is."""
        ...

    def encode(self, body: Body) -> bytes:
        """Return a body as the JSON that is stored of it."""
        ...

    def wait(self, position: int, timeout: float) -> bool:
        """Wait until `position` is folded in; False after `timeout` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Sort:
    """What a page is ordered by: `n` (time of the commit) or a fact; ties by `n` in the same direction.

    Rows that lack the fact come last in both directions. Values: numbers, then text, then none, false, true.
    """

    name: str = "n"
    descending: bool = True


NEWEST_FIRST = Sort()


@dataclass(frozen=True, slots=True)
class Offset:
    """The row behind which the next page begins: its number and, sorted by a fact, its value or that it lacks one."""

    n: int
    value: Any = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A question to the history as of position `at`; `withdrawn` adds the withdrawn rows.

    Times in `where` are positions already (`history_answers.in_positions`).
    """

    at: int
    where: Condition | None = None
    sort: Sort = NEWEST_FIRST
    after: Offset | None = None
    limit: int = PAGE_ROWS
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Bodies of rows in order. `next` is None at the end; a page may be short (even empty) and have a next one."""

    rows: list[dict[str, Any]]
    next: Offset | None
    position: int


class History(Protocol):
    """The index over committed experiments: one row each, versioned by position."""

    def page(self, query: HistoryQuery) -> Page:
        """Answer within a work budget: p50 <= 10 ms, now or as of any position."""
        ...

    def versions(self, at: int) -> Iterable[HistoryRow]:
        """Stream the rows true at a position, withdrawn ones too, ordered by `n`, with facts: what verify compares."""
        ...

    def all_versions(self) -> Iterable[HistoryRow]:
        """Stream every version of every row with its facts, closed ones too."""
        ...


class CursorSeal(Protocol):
    """Signs what a cursor says, so that it comes back unchanged or not at all; the same payload gives the same text."""

    def sign(self, payload: Any) -> str:
        """Return an opaque text for a JSON-able payload."""
        ...

    def open(self, cursor: str) -> Any:
        """Return the payload; raises BadCursorError."""
        ...


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A call or handled event, without bodies and secrets; `problem` is the slug of a refusal.

    kind: call, message, process. outcome: of a call its HTTP status, or opened, closed, gone (a stream); of a message
    started, cancelled, failed, skipped; of a process started, lost, settled. causation: the command, `event:<position>`
    or, of a process, `master-key:<fingerprint>`. Sizes in bytes; digests SHA-256 hex. count: how many calls it stands
    for. head: of a command the chain hash (hex) of the log at domain_position, else empty.
    """

    kind: str
    actor: str
    source: str
    target: str
    operation: str
    outcome: str
    problem: str
    milliseconds: float
    bytes_in: int
    bytes_out: int
    correlation: str
    causation: str
    domain_position: int
    digest_in: str
    digest_out: str
    count: int = 1
    head: str = ""


@dataclass(frozen=True, slots=True)
class StoredAuditRecord:
    """An audit record at its position 1, 2, …; `previous`: the hash of the record before; `number`: of its writer's."""

    position: int
    at: datetime
    writer: str
    number: int
    previous: bytes
    hash: bytes
    content: AuditRecord
    faults: tuple[str, ...] = ()  # as those of a RawCommit

    @property
    def first(self) -> int:
        return self.position


class AuditLog(Protocol):
    """The audit log, append-only; `append` returns when the record is durable (group commit)."""

    def append(self, record: AuditRecord) -> StoredAuditRecord:
        """Store one record; raises NotAbleError or DiskReserveError."""
        ...

    def check_able(self) -> None:
        """Raise NotAbleError or DiskReserveError where `append` would fail now."""
        ...

    def recent(self, after: int) -> Sequence[StoredAuditRecord]:
        """Return what the memory ring (the last 1,000) has after a position."""
        ...

    def page(self, filters: dict[str, str], before: int | None, limit: int) -> list[StoredAuditRecord]:
        """Return records, newest first; filters: correlation, actor, operation, outcome, kind, since, until."""
        ...

    def read(self, after: int, limit: int) -> list[StoredAuditRecord]:
        """Return records in order after a position: what verify reads."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the audit log is longer than `position`."""
        ...


class BlobCheck(Protocol):
    """Blobs, by the SHA-256 of their bytes."""

    def check(self, sha256: str) -> str | None:
        """Return None where the blob's bytes have this SHA-256, else what is wrong."""
        ...

    def stored(self) -> Iterable[str]:
        """Stream what this machine's disk holds under such names, whoever named it; nothing of a remote place."""
        ...


class SpillTable(Protocol):
    """Entries by kind and id; gone when it is closed. Raises NotAbleError, or DiskReserveError for a full disk."""

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries; one that is there already stays as it is."""
        ...

    def take(self, kind: str, id: str) -> tuple[int, Any] | None:
        """Remove an entry, and return its position and value; None where there is none."""
        ...

    def drop(self, kind: str, ids: Iterable[str]) -> None:
        """Remove those entries of a kind that there are."""

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """Stream the entries of a kind, or all, in no order that means anything; none may be put or taken meanwhile."""
        ...


OpenSpillTable = Callable[[], AbstractContextManager[SpillTable]]
