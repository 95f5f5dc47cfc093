"""The last entry of a topic that a relay could have written: its hash is right, whatever others wrote after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.topics.cloud_events import Record
from adapters.distributed.topics.seek import TopicSeeker
from adapters.distributed.verification.topic_copy import entries_in
from adapters.log.chain import E
from projections.ports import GENESIS

NEAR: Final = 64  # offsets before the end that are read first

T = TypeVar("T")


def last_entry(address: str, topic: str, schema: MongoLogSchema[E]) -> E | None:
    """Return the last entry whose hash follows from what it and the one before it hold; None where there is none.

    Raises NotAbleError.
    """

    def pick(records: Sequence[Record]) -> E | None:
        entries = [it for it in entries_in(records, schema) if not isinstance(it, tuple)]
        hashes = defaultdict[int, set[bytes]](set, {0: {GENESIS}})
        for entry in entries:
            hashes[entry.position].add(entry.hash)
        return next((it for it in reversed(entries) if schema.has_its_hash(it, hashes)), None)

    return _last(address, topic, pick)


def last_position(address: str, topic: str) -> int:
    """Return the position of the last record that has one; 0 where none has. Raises NotAbleError."""
    return _last(address, topic, lambda records: records[-1].position if records else None) or 0


def _last(address: str, topic: str, pick: Callable[[Sequence[Record]], T | None]) -> T | None:
    with TopicSeeker(address, topic) as seeker:
        picked = (pick([it.record for it in window if it.is_readable]) for window in seeker.backwards(NEAR))
        return next((found for found in picked if found is not None), None)
