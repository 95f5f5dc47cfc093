"""What a relay takes from MongoDB to Kafka: the entries of one log as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from adapters.distributed.log.schema import LogSchema
from adapters.distributed.topics.cloud_events import Message, Record, hash_in, reading
from adapters.log.chain import E

E_co = TypeVar("E_co", covariant=True)


class RelayEntry(NamedTuple):
    """What goes to Kafka wholly or not at all: positions first..position, the stored hash, a message each."""

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

    def after(self, position: int, limit: int) -> Sequence[RelayEntry]:
        """Return whole entries after a position, about `limit` positions; raises NotAbleError."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until there are entries beyond a position; False after `timeout` seconds."""
        ...

    def hash_of(self, record: Record) -> bytes:
        """Return the hash that a relayed record carries; raises DamagedRecordError."""
        ...


class Log(Protocol[E_co]):
    """What a source needs of a log, as `LogReader` has it."""

    def read(self, after: int, limit: int) -> Sequence[E_co]: ...
    def wait_beyond(self, position: int, timeout: float) -> bool: ...


class LogSource(Generic[E]):
    def __init__(self, log: Log[E], schema: LogSchema[E], origin: str) -> None:
        self._log, self._schema, self.origin = log, schema, origin

    def after(self, position: int, limit: int) -> list[RelayEntry]:
        # What was damaged in MongoDB goes as it is, and the chain tells.
        messages, origin = self._schema.messages, self.origin
        return [
            RelayEntry(entry.first, entry.position, entry.hash, next(messages(entry, origin)))
            for entry in self._log.read(position, limit)
        ]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        return self._log.wait_beyond(position, timeout)

    def hash_of(self, record: Record) -> bytes:
        with reading(f"The record at position {record.position}"):
            return hash_in(record.headers, self._schema.hash_header)
