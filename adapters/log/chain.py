"""The hash chain of the event log: `h(n) = SHA-256(h(n-1) ‖ commit n)`, `h(0)` = 32 zero bytes.

A commit is hashed as length-prefixed fields: position, time in microseconds, command id, append id, digest, then
stream, version, name and stored bytes of each event. Numbers are 8 bytes, ids 16 bytes, texts UTF-8. Because every
field comes after its length, what is hashed can be read in one way only. The audit log has a chain of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from struct import Struct
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from adapters.log.times import to_microseconds
from projections.ports import GENESIS, RawCommit, RawEvent

_length = Struct(">I").pack


class LastEntry(NamedTuple):
    """What the next entry follows: last position, time in microseconds, chain hash. `LastEntry()`: of an empty log."""

    position: int = 0
    at: int = 0
    hash: bytes = GENESIS

    @classmethod
    def of(cls, entry: Entry) -> LastEntry:
        return cls(entry.position, to_microseconds(entry.at), entry.hash)


class Entry(Protocol):
    """What a log consists of, at positions first..position: a commit of the event log, or a record of the audit log."""

    @property
    def first(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def hash(self) -> bytes: ...


E = TypeVar("E", bound=Entry)
E_contra = TypeVar("E_contra", bound=Entry, contravariant=True)


class Chain(Protocol[E_contra]):
    """Follows the entries of a log in order."""

    def fault(self, entry: E_contra) -> str | None:
        """Say what is wrong with the next entry; the one after it is judged by the hash that this one has stored.

        So one change makes one fault, not one for every later entry.
        """
        ...


def faults_along(chain: Chain[E], entries: Iterable[E]) -> Iterator[tuple[int, str]]:
    for entry in entries:
        what = chain.fault(entry)
        if what:
            yield entry.position, what


def framed(*fields: bytes) -> bytes:
    """Return the fields, each after its length as 4 bytes, big-endian."""
    return b"".join([piece for field in fields for piece in (_length(len(field)), field)])


def framed_number(number: int) -> bytes:
    """Return a whole number as a field: 8 bytes, big-endian, signed."""
    return number.to_bytes(8, "big", signed=True)


def framed_events(events: Iterable[RawEvent]) -> bytes:
    """Return the events of a commit as hashed; the one part of a commit that is known before its place in the log."""
    return b"".join([framed(e.stream.encode(), framed_number(e.version), e.name.encode(), e.state) for e in events])


def commit_hash(
    previous: bytes, *, position: int, at: int, command_id: UUID, append_id: UUID, digest: str, events: bytes
) -> bytes:
    """Return h(n) from h(n-1); `at` in microseconds, `events` from `framed_events`."""
    fields = framed(framed_number(position), framed_number(at), command_id.bytes, append_id.bytes, digest.encode())
    return sha256(previous + fields + events).digest()


def hash_of(commit: RawCommit, previous: bytes) -> bytes:
    return commit_hash(
        previous,
        position=commit.position,
        at=to_microseconds(commit.at),
        command_id=commit.command_id,
        append_id=commit.append_id,
        digest=commit.digest,
        events=framed_events(commit.events),
    )


class CommitChain:
    def __init__(self, position: int = 0, previous: bytes = GENESIS) -> None:
        self._position, self._hash = position, previous

    def fault(self, commit: RawCommit) -> str | None:
        what = self._fault(commit)
        self._position, self._hash = commit.position, commit.hash
        return what

    def _fault(self, commit: RawCommit) -> str | None:
        if commit.faults:
            return "; ".join(commit.faults)
        if commit.first != self._position + 1:
            return f"the commit begins at {commit.first}, but the one before it ends at {self._position}"
        if len(commit.events) != commit.position - self._position:
            return f"the commit has {len(commit.events)} events for {commit.position - self._position} positions"
        try:
            expected = hash_of(commit, self._hash)
        except (OverflowError, UnicodeError):
            return "the commit holds values that nobody could have stored"
        return None if commit.hash == expected else "the stored bytes do not have the stored hash"


def chain_faults(
    commits: Iterable[RawCommit], position: int = 0, previous: bytes = GENESIS
) -> Iterator[tuple[int, str]]:
    """Yield (position, what is wrong) of commits that follow a known position and hash."""
    return faults_along(CommitChain(position, previous), commits)
