"""The next entries of a source, read while those before them are on their way."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from adapters.distributed.relay.sources import RelayEntry, Source

READ_AT_ONCE: Final = 1000  # positions
BATCH_BYTES: Final = 4 * 2**20  # what one transaction holds at most, unless one entry is larger


class ReadAhead:
    """Batches of entries from a position on; one thread uses it."""

    def __init__(self, source: Source, position: int) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(1, "relay-read-ahead")
        self._position = position  # read up to here
        self._waiting: Sequence[RelayEntry] = ()
        self._coming: Future[Sequence[RelayEntry]] | None = None

    def batch(self) -> Sequence[RelayEntry]:
        """Return the next entries, () where there are none now; reads on meanwhile where there is more."""
        if not self._waiting:
            self._waiting = self._next()
        count = _fitting(self._waiting)
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if not self._waiting and sum(len(entry.messages) for entry in batch) > READ_AT_ONCE // 2:
            self._coming = self._pool.submit(self._source.after, self._position, READ_AT_ONCE)
        return batch

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self) -> Sequence[RelayEntry]:
        coming, self._coming = self._coming, None
        entries = coming.result() if coming else ()
        entries = entries or self._source.after(self._position, READ_AT_ONCE)
        if entries:
            self._position = entries[-1].position
        return entries


def _fitting(entries: Sequence[RelayEntry]) -> int:
    """Return how many entries one transaction takes."""
    size = 0
    for count, entry in enumerate(entries):
        size += sum(len(message.value) for message in entry.messages)
        if count and size > BATCH_BYTES:
            return count
    return len(entries)
