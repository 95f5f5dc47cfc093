"""The copy of log and archive that the topics are, put together again from their records: `projections` judges it.

Whoever recovers needs what the records carry, and no more. Verify wants each record as a relay writes it, key, value
and headers in their order, and a topic that keeps a log. The times that Kafka gives to records are used by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from adapters.distributed.audit_log.cloud_events import archived_of, possible_messages
from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record, commit_messages, parse_commit
from adapters.distributed.topics.scan import Finding, TopicScan
from adapters.distributed.topics.topics import topic_faults, topics_of
from adapters.log.appends import MAX_EVENTS
from projections.ports import Archived, RawCommit


class TopicCopy:
    """`projections.verification.topic_check.Topics` of one installation (`source`: the `origin` of its records)."""

    def __init__(self, bootstrap: str, database: str, source: str) -> None:
        self._bootstrap, self._source = bootstrap, source
        self._events, self._communications = topics_of(database)

    def commits(self, until: int, timeout: float) -> Iterator[RawCommit | Finding]:
        """Stream the events topic; where it ends before position `until`, wait for more up to `timeout` seconds."""
        yield from exact_commits(self._records(self._events, until, timeout), self._source)
        yield from self._topic_faults(self._events)

    def communications(self, until: int, timeout: float) -> Iterator[Archived | Finding]:
        """Stream the communications topic likewise."""
        yield from exact_archived(self._records(self._communications, until, timeout), self._source)
        yield from self._topic_faults(self._communications)

    def _records(self, topic: str, until: int, timeout: float) -> Iterator[Record | Finding]:
        return TopicScan(self._bootstrap, topic, self._source).records(until, timeout)

    def _topic_faults(self, topic: str) -> Iterator[Finding]:
        yield from ((None, f"{topic}: {what}") for what in topic_faults(self._bootstrap, topic))


def exact_commits(records: Iterable[Record | Finding], source: str) -> Iterator[RawCommit | Finding]:
    """Put records together to commits, and tell which records look otherwise than a relay writes them."""
    for held, it in _grouped(records):
        yield it
        if isinstance(it, RawCommit):
            yield from _faults(held, commit_messages(it, source))


def exact_archived(records: Iterable[Record | Finding], source: str) -> Iterator[Archived | Finding]:
    """Return communications, and tell which records look otherwise than a relay writes them."""
    for record in records:
        it = _archived(record)
        yield it
        if isinstance(record, Record) and isinstance(it, Archived):
            possible = possible_messages(it, source)
            same = [message for message in possible if message.value == record.value]
            yield from _faults([record], same[:1] or possible[:1])


def commits_in(records: Iterable[Record | Finding]) -> Iterator[RawCommit | Finding]:
    """Put records together to commits; what does not make a whole one is a finding, and reading goes on behind it."""
    return (it for _, it in _grouped(records))


def archived_in(records: Iterable[Record | Finding]) -> Iterator[Archived | Finding]:
    """Return what the archive holds, record by record."""
    return (_archived(record) for record in records)


def _grouped(records: Iterable[Record | Finding]) -> Iterator[tuple[Sequence[Record], RawCommit | Finding]]:
    held: list[Record] = []
    for record in records:
        follows = isinstance(record, Record) and held and _follows(held[-1], record) and len(held) < MAX_EVENTS
        if held and not follows:
            yield held, _commit(held)
            held = []
        if not isinstance(record, Record):
            yield held, record
            continue
        held.append(record)
        if record.position >= record.last:
            yield held, _commit(held)
            held = []
    if held:
        yield held, _commit(held)


def _follows(before: Record, record: Record) -> bool:
    return (record.position, record.last) == (before.position + 1, before.last)


def _commit(records: list[Record]) -> RawCommit | Finding:
    try:
        return parse_commit(records)
    except DamagedRecordError as damaged:
        return records[-1].position, damaged.sentence


def _archived(record: Record | Finding) -> Archived | Finding:
    if not isinstance(record, Record):
        return record
    try:
        return archived_of(record)
    except DamagedRecordError as damaged:
        return record.position, damaged.sentence


def _faults(records: Sequence[Record], written: Sequence[Message]) -> Iterator[Finding]:
    """Yield where records carry what they should, and look otherwise than a relay writes them."""
    for record, message in zip(records, written, strict=True):
        headers = [*record.headers.items()]
        pairs = zip_longest(headers, message.headers)
        other = [(one or written_ or ("",))[0] for one, written_ in pairs if one != written_]
        other += [name for name in ("key", "value") if getattr(record, name) != getattr(message, name)]
        if other:
            yield record.position, f"the record at position {record.position} has another {', '.join(other[:5])}"
