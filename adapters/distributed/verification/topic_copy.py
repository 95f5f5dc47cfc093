"""The copies of event log and audit log in the topics, put together again from their records.

A recovery needs what the records carry, and no more. Verify wants each record as a relay writes it, key, value and
headers in their order, and a topic that keeps a log. Nothing uses the times that Kafka gives to records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.topics.beginning import lost_beginning
from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record
from adapters.distributed.topics.kafka import NoTopicError
from adapters.distributed.topics.scan import Finding, TopicScan
from adapters.distributed.topics.topics import topic_faults
from adapters.log.chain import E
from projections.ports import RawCommit, StoredAuditRecord


class TopicCopy:
    """`projections.verification.topic.Topics` of one installation (`source`: the `origin` of its records)."""

    def __init__(self, bootstrap: str, database: str, source: str) -> None:
        self._bootstrap, self._database, self._source = bootstrap, database, source

    def commits(self, until: int, timeout: float) -> Iterator[RawCommit | Finding]:
        """Stream the events topic; where it ends before position `until`, wait for more up to `timeout` seconds."""
        return self._entries(EVENT_LOG, until, timeout)

    def audit_log(self, until: int, timeout: float) -> Iterator[StoredAuditRecord | Finding]:
        return self._entries(AUDIT_LOG, until, timeout)

    def _entries(self, schema: MongoLogSchema[E], until: int, timeout: float) -> Iterator[E | Finding]:
        topic = schema.topic_of(self._database)
        lost = None
        with suppress(NoTopicError):
            if (lost := lost_beginning(self._bootstrap, topic)) is not None:
                yield lost.position, lost.sentence
        records = TopicScan(self._bootstrap, topic, self._source).records(until, timeout)
        if lost is not None and lost.position is not None:
            records = without_rest(records, lost.position)
        yield from exact_entries(records, schema, self._source)
        yield from ((None, f"{topic}: {what}") for what in topic_faults(self._bootstrap, topic))


def without_rest(records: Iterable[Record | Finding], begins: int) -> Iterator[Record | Finding]:
    """Leave out the rest of the commit that a topic begins within: its first records were deleted, not damaged."""
    rest, begin = 0, b"%d" % begins
    for it in records:
        if isinstance(it, Record):
            if it.position == begins and it.headers.get("ce_commitfirst", begin) != begin:
                rest = it.last
            if it.position <= rest:
                continue
        yield it


def exact_entries(records: Iterable[Record | Finding], schema: MongoLogSchema[E], origin: str) -> Iterator[E | Finding]:
    """Put records together to entries, and tell which records look otherwise than a relay writes them."""
    for held, it in _grouped(records, schema):
        yield it
        if not isinstance(it, tuple):
            possible = list(schema.messages(it, origin))
            same = [written for written in possible if written[0].value == held[0].value]
            yield from _faults(held, (same or possible)[0])


def entries_in(records: Iterable[Record | Finding], schema: MongoLogSchema[E]) -> Iterator[E | Finding]:
    """Put records together to entries; what makes no whole one is a finding, and reading goes on behind it."""
    return (it for _, it in _grouped(records, schema))


def _grouped(
    records: Iterable[Record | Finding], schema: MongoLogSchema[E]
) -> Iterator[tuple[Sequence[Record], E | Finding]]:
    held: list[Record] = []
    for record in records:
        follows = isinstance(record, Record) and held and _follows(held[-1], record)
        if held and not follows:
            yield held, _entry(held, schema)
            held = []
        if not isinstance(record, Record):
            yield held, record
            continue
        held.append(record)
        if record.position >= record.last or len(held) == schema.most_records:
            yield held, _entry(held, schema)
            held = []
    if held:
        yield held, _entry(held, schema)


def _follows(before: Record, record: Record) -> bool:
    return (record.position, record.last) == (before.position + 1, before.last)


def _entry(records: list[Record], schema: MongoLogSchema[E]) -> E | Finding:
    try:
        return schema.from_records(records)
    except DamagedRecordError as damaged:
        return records[-1].position, damaged.sentence


def _faults(records: Sequence[Record], written: Sequence[Message]) -> Iterator[Finding]:
    """Yield where records carry what they should, and look otherwise than a relay writes them."""
    for record, message in zip(records, written, strict=True):
        headers = [*record.headers.items()]
        pairs = zip_longest(headers, message.headers)
        other = [(one or written_ or ("",))[0] for one, written_ in pairs if one != written_]
        other += [name for name in ("key", "value") if getattr(record, name) != getattr(message, name)]
        if other:
            yield record.position, f"the record at position {record.position} has another {', '.join(other[:5])}"
