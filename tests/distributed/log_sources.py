"""What a relay carries, from any feed and any audit log: MongoDB is not what tests of the relay are about."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.relay.source import LogSource
from adapters.distributed.topics.cloud_events import Message, parse_record
from projections.ports import AuditLog, Feed, RawCommit, StoredAuditRecord


class Commits:
    """A feed as a log of commits."""

    def __init__(self, feed: Feed) -> None:
        self._feed, self.wait_beyond = feed, feed.wait_beyond

    def read(self, after: int, limit: int) -> list[RawCommit]:
        return self._feed.raw_after(after, limit)


def event_source(feed: Feed, origin: str) -> LogSource[RawCommit]:
    return LogSource(Commits(feed), EVENT_LOG, origin)


def audit_source(log: AuditLog, origin: str) -> LogSource[StoredAuditRecord]:
    return LogSource(log, AUDIT_LOG, origin)


def record_message(record: StoredAuditRecord, origin: str) -> Message:
    """Return the message of a record as relays of this version write it."""
    return next(AUDIT_LOG.messages(record, origin))[0]


def records_in(messages: Sequence[Message]) -> list[StoredAuditRecord]:
    """Return the audit log's records that messages hold."""
    return [AUDIT_LOG.from_records([parse_record(message)]) for message in messages]
