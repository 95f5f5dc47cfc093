"""The last entry of a topic that a relay could have written: its hash is right, whatever others wrote behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from adapters.audit_log.chain import has_its_hash
from adapters.distributed.topics.cloud_events import Record
from adapters.distributed.topics.seek import Probe, is_readable
from adapters.distributed.verification.topic_copy import archived_in, commits_in
from adapters.log.chain import GENESIS, hash_of
from projections.ports import Archived, RawCommit

NEAR: Final = 64  # offsets before the end that are read first
WIDER: Final = 16

T = TypeVar("T")


def last_commit(bootstrap: str, topic: str) -> RawCommit | None:
    """Return the last commit that follows from the one before it; None where there is none. Raises NotAbleError."""
    return _last(bootstrap, topic, _chained)


def last_archived(bootstrap: str, topic: str) -> Archived | None:
    """Return the last communication likewise, whose hash is that of what it holds."""
    return _last(bootstrap, topic, _hashed)


def last_position(bootstrap: str, topic: str) -> int:
    """Return the position that the last record says which says one; 0 where none does. Raises NotAbleError."""
    return _last(bootstrap, topic, lambda records: records[-1].position if records else None) or 0


def _last(bootstrap: str, topic: str, of: Callable[[Sequence[Record]], T | None]) -> T | None:
    probe = Probe(bootstrap, topic)
    try:
        low, end = probe.ends()
        start, width = end, NEAR
        while start > low:
            start, width = max(low, end - width), width * WIDER
            found = of([it.record for it in probe.all(start, end) if is_readable(it)])
            if found is not None:
                return found
        return None
    finally:
        probe.close()


def _chained(records: Sequence[Record]) -> RawCommit | None:
    commits = [it for it in commits_in(records) if not isinstance(it, tuple)]
    hashes = defaultdict[int, set[bytes]](set, {0: {GENESIS}})
    for commit in commits:
        hashes[commit.position].add(commit.hash)
    return next((it for it in reversed(commits) if _follows(it, hashes[it.first - 1])), None)


def _follows(commit: RawCommit, before: Iterable[bytes]) -> bool:
    return any(hash_of(commit, previous) == commit.hash for previous in before)


def _hashed(records: Sequence[Record]) -> Archived | None:
    return next(
        (it for it in reversed([*archived_in(records)]) if not isinstance(it, tuple) and has_its_hash(it)), None
    )
