"""The relay: entries of MongoDB to a topic of Kafka, in order, each once, in transactions of whole entries.

A new relay fences the one before it, then reads in the topic itself how far that one came. Nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Final, Self

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Delivered

from adapters.distributed.cloud_events import Message
from adapters.distributed.kafka import DamagedTopic, Fenced, ForeignRecords, kafka_errors, settings
from adapters.distributed.probe import Probe, offset_of
from adapters.distributed.read_ahead import ReadAhead
from adapters.distributed.relay_sources import CommunicationSource, EventSource, Source
from adapters.distributed.relay_start import REFILL, Start
from domain.errors import NotAbleError

__all__ = ["CommunicationSource", "DamagedTopic", "EventSource", "Fenced", "Relay"]

INIT_SECONDS: Final = 15.0  # over a dead relay's open transaction it takes half a second, over a loaded broker three
COMMIT_SECONDS: Final = 30.0
TRANSACTION_MILLISECONDS: Final = 10_000  # so long a dead relay without a successor holds readers up
WAIT_SECONDS: Final = 0.5  # between two looks whether to stop


class Relay:
    """One turn as the relay of a topic, from fencing the last one until an error; then make a new one, or stand by.

    Construction and all methods raise Fenced (a newer relay works), DamagedTopic (a person has to look), else
    NotAbleError or ForbiddenError. `position`: everything up to it is in the topic, for good.
    """

    def __init__(self, bootstrap: str, topic: str, transactional_id: str, source: Source) -> None:
        self._topic, self._source = topic, source
        right = f"WRITE on the topic {topic} and on the transactional id {transactional_id}"
        self._doing = (f"write to the topic {topic}", right)
        self._probe = Probe(bootstrap, topic)
        self._producer = Producer(
            settings(
                bootstrap,
                transactional_id=transactional_id,
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                compression_type="lz4",
                transaction_timeout_ms=TRANSACTION_MILLISECONDS,
            )
        )
        self._delivered: list[int] = []
        try:
            start = Start(self._probe, topic, source)
            start.place()  # who may not relay here must not fence the one who may
            with kafka_errors(*self._doing):
                self._producer.init_transactions(INIT_SECONDS)
            self.position, self._offset = start.place()
        except BaseException:
            self._probe.close()
            raise
        self._ahead = ReadAhead(source, self.position)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self) -> int:
        """Relay one batch; return how many records it had."""
        batch = self._ahead.batch()
        messages = [message for entry in batch for message in entry.messages]
        if messages:
            self._send(messages)
            self._check_place(len(messages))
            self.position = batch[-1].position
        return len(messages)

    def run(self, stopping: Event) -> None:
        """Relay what there is and what comes, until told to stop."""
        while not stopping.is_set():
            if not self.step():
                self._source.wait_beyond(self.position, WAIT_SECONDS)

    def close(self) -> None:
        """End what the relay opened; a transaction that was under way is aborted by the next relay, or by its time."""
        self._ahead.close()
        self._probe.close()

    def _send(self, messages: Sequence[Message]) -> None:
        self._delivered = []
        marked = {0, len(messages) - 1}  # whoever is between them shows in the distance
        with kafka_errors(*self._doing):
            self._producer.begin_transaction()
            for n, (key, value, headers) in enumerate(messages):
                note = self._note if n in marked else None
                self._producer.produce(self._topic, value, key, 0, note, headers=[*headers])
            self._producer.flush(COMMIT_SECONDS)
            self._producer.commit_transaction(COMMIT_SECONDS)

    def _note(self, error: KafkaError | None, delivered: Delivered) -> None:
        if error is None:
            self._delivered.append(offset_of(delivered))

    def _check_place(self, count: int) -> None:
        """Raise DamagedTopic where, since the last batch, anybody else's record was committed."""
        if not self._delivered:
            raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not say where in {self._topic} it wrote.")
        begin, last = self._offset, self._delivered[-1]
        self._offset = last + 2  # between two transactions lies the mark of the first
        if last - begin + 1 == count:
            return
        self._probe.await_end(last + 1)
        if self._probe.count(begin, last + 1) != count:
            raise ForeignRecords(
                f"Somebody else wrote to the topic {self._topic}, between offsets {begin} and {last}. "
                f"Take away their right to write. {REFILL}"
            )
