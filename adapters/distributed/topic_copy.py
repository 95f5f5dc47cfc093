"""The copy of log and archive that the topics are, put together again from their records: `projections` judges it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.distributed.cloud_events import DamagedRecordError, Record, commit_of
from adapters.distributed.communication_events import archived_of
from adapters.distributed.tape import Finding, Tape
from adapters.distributed.topics import topics_of
from adapters.wire.append_limits import MAX_EVENTS
from projections.ports import Archived, RawCommit


class TopicCopy:
    """`projections.topic_check.Topics` of one installation (`source`: the `origin` of its records)."""

    def __init__(self, bootstrap: str, database: str, source: str) -> None:
        self._bootstrap, self._source = bootstrap, source
        self._events, self._communications = topics_of(database)

    def commits(self, until: int, timeout: float) -> Iterator[RawCommit | Finding]:
        """Stream the events topic; where it ends before position `until`, wait for more up to `timeout` seconds."""
        yield from commits_in(Tape(self._bootstrap, self._events, self._source).records(until, timeout))

    def communications(self, until: int, timeout: float) -> Iterator[Archived | Finding]:
        """Stream the communications topic likewise."""
        yield from archived_in(Tape(self._bootstrap, self._communications, self._source).records(until, timeout))


def commits_in(records: Iterable[Record | Finding]) -> Iterator[RawCommit | Finding]:
    """Put records together to commits; what does not make a whole one is a finding, and reading goes on behind it."""
    held: list[Record] = []
    for record in records:
        follows = isinstance(record, Record) and held and _follows(held[-1], record) and len(held) < MAX_EVENTS
        if held and not follows:
            yield _commit(held)
            held = []
        if not isinstance(record, Record):
            yield record
            continue
        held.append(record)
        if record.position >= record.last:
            yield _commit(held)
            held = []
    if held:
        yield _commit(held)


def archived_in(records: Iterable[Record | Finding]) -> Iterator[Archived | Finding]:
    """Return what the archive holds, record by record."""
    for record in records:
        if not isinstance(record, Record):
            yield record
            continue
        try:
            yield archived_of(record)
        except DamagedRecordError as damaged:
            yield record.position, damaged.sentence


def _follows(before: Record, record: Record) -> bool:
    return (record.position, record.last) == (before.position + 1, before.last)


def _commit(records: list[Record]) -> RawCommit | Finding:
    try:
        return commit_of(records)
    except DamagedRecordError as damaged:
        return records[-1].position, damaged.sentence
