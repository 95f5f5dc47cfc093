"""What a relay takes from MongoDB to Kafka: commits of the log, records of the archive; each as one entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from adapters.distributed.audit_log.cloud_events import communication_message
from adapters.distributed.topics.cloud_events import Message, Record, commit_messages, hash_in, reading
from projections.ports import Archived, RawCommit


class Entry(NamedTuple):
    """What goes to Kafka wholly or not at all: positions first..position, the stored hash, one message a position."""

    first: int
    position: int
    hash: bytes
    messages: Sequence[Message]


class Source(Protocol):
    """Entries in order, without holes."""

    @property
    def origin(self) -> str:
        """The `ce_source` of the installation's records."""
        ...

    def after(self, position: int, limit: int) -> Sequence[Entry]:
        """Return whole entries after a position, about `limit` positions; raises NotAbleError."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until there are entries beyond a position; False after `timeout` seconds."""
        ...

    def hash_of(self, record: Record) -> bytes:
        """Return the hash that a relayed record carries; raises DamagedRecordError."""
        ...


class Log(Protocol):
    """What is needed of the log."""

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        """As `projections.ports.Feed` says."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """As `projections.ports.Feed` says."""
        ...


class Archive(Protocol):
    """What is needed of the archive of communications."""

    def read(self, after: int, limit: int) -> list[Archived]:
        """As `projections.ports.Communications` says."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """As `projections.ports.Communications` says."""
        ...


class EventSource:
    """The log's commits."""

    def __init__(self, log: Log, origin: str) -> None:
        self._log, self.origin = log, origin

    def after(self, position: int, limit: int) -> list[Entry]:
        """Return commits; what was damaged in MongoDB goes as it is, and the chain tells."""
        return [
            Entry(commit.first, commit.position, commit.hash, commit_messages(commit, self.origin))
            for commit in self._log.raw_after(position, limit)
        ]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait for a longer log."""
        return self._log.wait_beyond(position, timeout)

    def hash_of(self, record: Record) -> bytes:
        """Return the hash of the record's commit."""
        with reading(f"The record at position {record.position}"):
            return hash_in(record.headers, "ce_commithash")


class CommunicationSource:
    """The archive's records."""

    def __init__(self, archive: Archive, origin: str) -> None:
        self._archive, self.origin = archive, origin

    def after(self, position: int, limit: int) -> list[Entry]:
        """Return records."""
        return [
            Entry(record.position, record.position, record.hash, [communication_message(record, self.origin)])
            for record in self._archive.read(position, limit)
        ]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait for a longer archive."""
        return self._archive.wait_beyond(position, timeout)

    def hash_of(self, record: Record) -> bytes:
        """Return the record's hash in its writer's chain."""
        with reading(f"The record at position {record.position}"):
            return hash_in(record.headers, "ce_hash")
