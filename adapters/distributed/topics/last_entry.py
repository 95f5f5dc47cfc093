"""The last entry of a topic that a relay could have written: its hash is right, whatever others wrote after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from adapters.audit_log.chain import has_its_hash
from adapters.distributed.topics.cloud_events import Record
from adapters.distributed.topics.seek import TopicSeeker
from adapters.distributed.verification.topic_copy import archived_in, commits_in
from adapters.log.chain import GENESIS, hash_of
from projections.ports import Archived, RawCommit

NEAR: Final = 64  # records before the end that are read first

T = TypeVar("T")


def last_commit(address: str, topic: str) -> RawCommit | None:
    """Return the last commit that follows from the one before it; None where there is none. Raises NotAbleError."""
    return _last(address, topic, _last_chained)


def last_archived(address: str, topic: str) -> Archived | None:
    """Return the last record of the audit log likewise, whose hash is that of what it holds."""
    return _last(address, topic, _last_hashed)


def last_position(address: str, topic: str) -> int:
    """Return the position that the last record says which says one; 0 where none does. Raises NotAbleError."""
    return _last(address, topic, lambda records: records[-1].position if records else None) or 0


def _last(address: str, topic: str, pick: Callable[[Sequence[Record]], T | None]) -> T | None:
    with TopicSeeker(address, topic) as seeker:
        picked = (pick([it.record for it in window if it.is_readable]) for window in seeker.backwards(NEAR))
        return next((found for found in picked if found is not None), None)


def _last_chained(records: Sequence[Record]) -> RawCommit | None:
    commits = [it for it in commits_in(records) if not isinstance(it, tuple)]
    hashes = defaultdict[int, set[bytes]](set, {0: {GENESIS}})
    for commit in commits:
        hashes[commit.position].add(commit.hash)
    for commit in reversed(commits):
        if any(hash_of(commit, before) == commit.hash for before in hashes[commit.first - 1]):
            return commit
    return None


def _last_hashed(records: Sequence[Record]) -> Archived | None:
    archived = (it for it in reversed([*archived_in(records)]) if not isinstance(it, tuple))
    return next((it for it in archived if has_its_hash(it)), None)
