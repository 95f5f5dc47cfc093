"""The relay: entries of MongoDB to a topic of Kafka, in order, each once, in transactions of whole entries.

A new relay fences the one before it, then reads in the topic itself how far that one came. What it may remember is a
checkpoint up to which nobody else has written.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event as Signal
from threading import Thread
from typing import Any, Final, Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Message as Delivered

from adapters.distributed.relay.resume import REFILL, Checkpoint, TopicCheck
from adapters.distributed.relay.source import LogSource, ReadAhead
from adapters.distributed.topics.cloud_events import Message
from adapters.distributed.topics.consumer import offset_of
from adapters.distributed.topics.kafka import DamagedTopic, KafkaProducer, kafka_errors
from adapters.distributed.topics.seek import TopicSeeker
from adapters.host.process_metrics import KAFKA_SECONDS
from domain.errors import NotAbleError

INIT_SECONDS: Final = 15.0  # over a dead relay's open transaction it takes half a second, over a loaded broker three
COMMIT_SECONDS: Final = 30.0
SLICE_SECONDS: Final = 0.5  # so soon is seen, in an outage, that it should end
CLOSE_SECONDS: Final = 2.0
TRANSACTION_MILLISECONDS: Final = 10_000  # so long a dead relay without a successor holds readers up


class Relay:
    """One turn as the relay of a topic, from fencing the last one until an error; then make a new one, or stand by.

    Construction and all methods raise Fenced (a newer relay works), DamagedTopic (a person has to look), else
    NotAbleError or ForbiddenError. `known`: where an earlier relay was; from there on every record is looked at.
    `ending`: once it is set, no outage is waited out.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        transactional_id: str,
        source: LogSource[Any],
        *,
        known: Checkpoint | None = None,
        ending: Signal | None = None,
    ) -> None:
        self._topic, self._source = topic, source
        right = f"WRITE on the topic {topic} and on the transactional id {transactional_id}"
        self._doing = (f"write to the topic {topic}", right)
        self._seeker = TopicSeeker(bootstrap, topic)
        self._producer = KafkaProducer(
            bootstrap,
            transactional_id=transactional_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            compression_type="lz4",
            transaction_timeout_ms=TRANSACTION_MILLISECONDS,
        )
        self._delivered: list[int] = []  # offsets of the first and the last record of a batch
        self._marks = 0  # of transactions, that lie for certain between the checkpoint and what is sent next
        self._ending = ending or Signal()
        try:
            self.checkpoint = self._begin(TopicCheck(self._seeker, topic, source, known))
        except BaseException:
            self._close_clients()
            raise
        self._ahead = ReadAhead(source, self.position)

    @property
    def position(self) -> int:
        return self.checkpoint.position

    def _begin(self, topic: TopicCheck) -> Checkpoint:
        topic.checkpoint()  # who may not relay here must not fence the one who may
        self._call(self._producer.init_transactions, INIT_SECONDS)
        topic.await_settled()
        return topic.checkpoint()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self) -> int:
        batch = self._ahead.batch()
        messages = [message for entry in batch for message in entry.messages]
        if messages:
            with KAFKA_SECONDS.labels("transaction").time():
                self._send(messages)
            self.checkpoint = Checkpoint(self._checked_end(len(messages)), batch[-1].position)
        return len(messages)

    def wait(self, seconds: float) -> bool:
        """Wait until there is more to relay; False after so long."""
        return self._source.wait_beyond(self.position, seconds)

    def close(self) -> None:
        """End what the relay opened; a transaction that was under way is aborted by the next relay, or by its time."""
        self._ahead.close()
        self._close_clients()

    def _close_clients(self) -> None:
        self._seeker.close()
        closing = Thread(target=self._close_producer, name="relay-closing", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)  # a broker that is silent is waited for behind us

    def _close_producer(self) -> None:
        with warnings.catch_warnings(), suppress(KafkaException):
            warnings.simplefilter("ignore")  # what it cannot abort, the next relay does
            self._producer.purge()
            self._producer.close()

    def _send(self, messages: Sequence[Message]) -> None:
        self._delivered = []
        noted = {0, len(messages) - 1}  # a record of somebody else between them shows in the distance
        with kafka_errors(*self._doing, self._producer):
            self._producer.begin_transaction()
            for n, (key, value, headers) in enumerate(messages):
                note = self._note if n in noted else None
                self._producer.produce(self._topic, value, key, 0, note, headers=[*headers])
        self._call(self._producer.commit_transaction, COMMIT_SECONDS)

    def _call(self, call: Callable[[float], object], seconds: float) -> None:
        """Repeat, for so many seconds, a call that may be repeated after its time is over, until told to end."""
        deadline = time.monotonic() + seconds
        with kafka_errors(*self._doing, self._producer):
            while True:
                left = deadline - time.monotonic()
                try:
                    call(max(min(SLICE_SECONDS, left), 0.0))
                except KafkaException as error:
                    if not error.args[0].retriable() or left <= SLICE_SECONDS:
                        raise
                else:
                    return
                if self._ending.is_set():
                    raise NotAbleError(f"Told to end, while Kafka (AUTOLEARN_KAFKA) did not {self._doing[0]}.")

    def _note(self, error: KafkaError | None, delivered: Delivered) -> None:
        if error is None:
            self._delivered.append(offset_of(delivered))

    def _checked_end(self, count: int) -> int:
        """Return the offset after what was sent; raises DamagedTopic where anybody else's was committed meanwhile.

        Between two transactions lies the mark of the first. It is written a little after the commit was acknowledged,
        so what others write may come before it.
        """
        if not self._delivered:
            raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not say where in {self._topic} it wrote.")
        begin, last = self.checkpoint.offset, self._delivered[-1]
        if last - begin + 1 != count + self._marks:
            self._seeker.wait_for_end(last + 1)
            if sum(1 for _ in self._seeker.between(begin, last + 1)) != count:
                raise DamagedTopic(
                    f"Somebody else wrote to the topic {self._topic}, between offsets {begin} and {last}. "
                    f"Take away their right to write. {REFILL}"
                )
        self._marks = 1
        return last + 1
