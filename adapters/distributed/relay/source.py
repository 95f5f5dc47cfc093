"""What a relay takes from MongoDB to Kafka: the entries of one log as messages, read while others are on their way."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.topics.cloud_events import Message, Record, hash_in, reading
from adapters.log.chain import E

READ_AT_ONCE: Final = 1000  # positions
BATCH_BYTES: Final = 4 * 2**20  # what one transaction holds at most, unless one entry is larger

E_co = TypeVar("E_co", covariant=True)


class RelayEntry(NamedTuple):
    """What goes to Kafka wholly or not at all: positions first..position, the stored hash, a message each."""

    first: int
    position: int
    hash: bytes
    messages: Sequence[Message]


class Log(Protocol[E_co]):
    """What a source needs of a log, as `MongoLogReader` has it."""

    def read(self, after: int, limit: int) -> Sequence[E_co]: ...
    def wait_beyond(self, position: int, timeout: float) -> bool: ...


class LogSource(Generic[E]):
    """Entries in order, without holes; `origin` is the `ce_source` of the installation's records."""

    def __init__(self, log: Log[E], schema: MongoLogSchema[E], origin: str) -> None:
        self._log, self._schema, self.origin = log, schema, origin

    def after(self, position: int, limit: int) -> list[RelayEntry]:
        """Return whole entries after a position, about `limit` positions; raises NotAbleError."""
        # What was damaged in MongoDB goes as it is, and the chain tells.
        messages, origin = self._schema.messages, self.origin
        return [
            RelayEntry(entry.first, entry.position, entry.hash, next(messages(entry, origin)))
            for entry in self._log.read(position, limit)
        ]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        return self._log.wait_beyond(position, timeout)

    def hash_of(self, record: Record) -> bytes:
        """Return the hash that a relayed record carries; raises DamagedRecordError."""
        with reading(f"The record at position {record.position}"):
            return hash_in(record.headers, self._schema.hash_header)


class ReadAhead:
    """Batches of entries from a position on; one thread uses it."""

    def __init__(self, source: LogSource[Any], position: int) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(1, "relay-read-ahead")
        self._position = position  # read up to here
        self._waiting: Sequence[RelayEntry] = ()
        self._coming: Future[Sequence[RelayEntry]] | None = None

    def batch(self) -> Sequence[RelayEntry]:
        """Return the next entries, () where there are none now; reads on meanwhile where there is more."""
        if not self._waiting:
            self._waiting = self._next()
        count, size = 0, 0
        for entry in self._waiting:
            size += sum(len(message.value) for message in entry.messages)
            if count and size > BATCH_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if not self._waiting and sum(len(entry.messages) for entry in batch) > READ_AT_ONCE // 2:
            self._coming = self._pool.submit(self._source.after, self._position, READ_AT_ONCE)
        return batch

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self) -> Sequence[RelayEntry]:
        coming, self._coming = self._coming, None
        entries = coming.result() if coming else ()
        entries = entries or self._source.after(self._position, READ_AT_ONCE)
        if entries:
            self._position = entries[-1].position
        return entries
