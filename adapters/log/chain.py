"""The hash chain of the log: `h(n) = SHA-256(h(n-1) ‖ commit n)`, `h(0)` = 32 zero bytes.

A commit is hashed as length-prefixed fields (see `framing`): position, time in microseconds, command id, append id,
digest, then stream, version, name and stored bytes of each event. Numbers are 8 bytes, ids 16 bytes, texts UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from uuid import UUID

from adapters.log.framing import framed, framed_number
from adapters.log.times import to_microseconds
from projections.ports import RawCommit, RawEvent

GENESIS = bytes(32)


def framed_events(events: Iterable[RawEvent]) -> bytes:
    """Return the events of a commit as hashed; the one part of a commit that is known before its place in the log."""
    return b"".join([framed(e.stream.encode(), framed_number(e.version), e.name.encode(), e.state) for e in events])


def commit_hash(
    previous: bytes, *, position: int, at: int, command_id: UUID, append_id: UUID, digest: str, events: bytes
) -> bytes:
    """Return h(n) from h(n-1); `at` in microseconds, `events` from `framed_events`. Store and verify use this alike."""
    head = framed(framed_number(position), framed_number(at), command_id.bytes, append_id.bytes, digest.encode())
    return sha256(previous + head + events).digest()


def chain_faults(
    commits: Iterable[RawCommit], position: int = 0, previous: bytes = GENESIS
) -> Iterator[tuple[int, str]]:
    """Yield (position, what is wrong) of commits that follow a known position and hash.

    After a fault it goes on from the stored hash, so one change makes one fault and not one per later commit.
    """
    for commit in commits:
        what = _fault(commit, position, previous)
        if what:
            yield commit.position, what
        position, previous = commit.position, commit.hash


def _fault(commit: RawCommit, position: int, previous: bytes) -> str | None:
    if commit.faults:
        return "; ".join(commit.faults)
    if commit.first != position + 1:
        return f"the commit begins at {commit.first}, but the one before it ends at {position}"
    if len(commit.events) != commit.position - position:
        return f"the commit has {len(commit.events)} events for {commit.position - position} positions"
    try:
        expected = hash_of(commit, previous)
    except (OverflowError, UnicodeError):
        return "the commit holds values that nobody could have stored"
    return None if commit.hash == expected else "the stored bytes do not have the stored hash"


def hash_of(commit: RawCommit, previous: bytes) -> bytes:
    """Return the hash that a stored commit should have after `previous`."""
    return commit_hash(
        previous,
        position=commit.position,
        at=to_microseconds(commit.at),
        command_id=commit.command_id,
        append_id=commit.append_id,
        digest=commit.digest,
        events=framed_events(commit.events),
    )
