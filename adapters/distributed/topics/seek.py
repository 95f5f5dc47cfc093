"""Finding single records of a topic: the first, the last, the last for which something holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from adapters.distributed.topics import kafka
from adapters.distributed.topics.cloud_events import Record
from adapters.distributed.topics.consumer import Consumed, TopicConsumer, no_answer
from domain.errors import NotAbleError

STEP_BACK: Final = 16  # records; after the last one lies its transaction's marker, after kills also aborted ones
WIDER: Final = 8
SETTLING_SECONDS: Final = 0.002


class TopicSeeker(TopicConsumer):
    """Jumps about in a topic; what a `wanted` or `holds` raises is passed on."""

    def __init__(self, address: str, topic: str) -> None:
        # 10 ms: the end is reported after so long a wait for more; and no reading ahead, as the next look is elsewhere
        super().__init__(address, topic, fetch_wait_max_ms=10, queued_min_messages=1, max_partition_fetch_bytes=65_536)
        self._address, self._topic = address, topic

    def written_end(self) -> int:
        """Return the offset after everything that was written, also in transactions that are still open."""
        with TopicConsumer(self._address, self._topic, isolation_level="read_uncommitted") as consumer:
            return consumer.bounds()[1]

    def wait_for_end(self, offset: int) -> None:
        """Wait until all before an offset is settled: a transaction is seen some milliseconds after its commit."""
        deadline = time.monotonic() + kafka.REQUEST_SECONDS
        while self.bounds()[1] < offset:
            if time.monotonic() > deadline:
                raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not settle the transactions of {self._topic} in time.")
            time.sleep(SETTLING_SECONDS)

    def between(self, start: int, end: int) -> Iterator[Consumed]:
        """Yield the committed records at offsets from `start` until before `end`; one such reading at a time."""
        self.seek(start)
        try:
            while self.reached < end and not self.is_at_end:
                found = self.read(kafka.REQUEST_SECONDS)
                if not found and not self.is_at_end:
                    raise no_answer(self._topic)
                yield from (it for it in found if it.offset < end)
        finally:
            self.pause()

    def first(self, start: int, end: int, wanted: Callable[[Consumed], bool] = lambda _: True) -> Consumed | None:
        """Return the first wanted record at an offset from `start` until before `end`."""
        return next((it for it in self.between(start, end) if wanted(it)), None)

    def last(self, wanted: Callable[[Consumed], bool] = lambda _: True) -> Consumed | None:
        """Return the last wanted record of the topic."""
        matching = (it for window in self.backwards() for it in reversed(window) if wanted(it))
        return next(matching, None)

    def backwards(self, step: int = STEP_BACK) -> Iterator[list[Consumed]]:
        """Yield the topic from its end to its beginning, in windows that get wider, each in order."""
        low, end = self.bounds()
        while end > low:
            start, step = max(low, end - step), step * WIDER
            yield list(self.between(start, end))
            end = start

    def last_where(self, holds: Callable[[Record], bool]) -> Consumed | None:
        """Return the last record for which `holds`, which must hold up to some place and not beyond (some 20 looks)."""
        low, high = self.bounds()
        best = None
        while low < high:
            middle = (low + high) // 2
            found = self.first(middle, high, lambda it: it.is_readable)
            if found is not None and holds(found.record):
                best, low = found, found.offset + 1
            else:
                high = middle
        return best
