"""The work of a `relay` process in charge of one topic: carries a log to Kafka, and says how far it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event as Signal
from typing import Any, Final

from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay.relay import Relay
from adapters.distributed.relay.resume import Checkpoint
from adapters.distributed.relay.source import LogSource
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.kafka import DamagedTopic, Fenced
from adapters.distributed.topics.topics import Topic, ensure_topic, find_topic
from domain.errors import NotAbleError

logger = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.25
REPORT_SECONDS: Final = 1.0  # between two reports of a position that grows
REPEAT_SECONDS: Final = 10.0  # until the same is reported again
LOOK_SECONDS: Final = 60.0  # between two looks at how many replicas the topic has


class Relaying:
    """One topic's relay in charge; what it says of itself is in `Statuses` under its name.

    A topic that was deleted is made anew and filled. One with foreign records stays refused, by whichever relay: the
    status has the topic's id and a checkpoint before which there are none, and the next relay reads on from there.
    """

    def __init__(
        self,
        bootstrap: str,
        mongo: Mongo,
        installation: str,
        schema: MongoLogSchema[Any],
        name: str,
        *,
        replication: int | None = None,
    ) -> None:
        self._bootstrap, self._name, self._topic = bootstrap, name, schema.topic_of(mongo.name)
        self._replication = replication
        self._source = LogSource(MongoLogReader(mongo, schema), schema, origin(mongo.name, installation))
        self._statuses = Statuses(mongo)
        self._reported: Checkpoint | None = None
        self._reported_at = float("-inf")

    def turn(self, ending: Signal, report_progress: Callable[[], None]) -> None:
        """Relay until told to end, or until a newer relay works, as `standby.Turn` says."""
        try:
            self._relay(ensure_topic(self._bootstrap, self._topic, self._replication), ending, report_progress)
        except Fenced:
            logger.info("%s: another process has taken over", self._name)
        except NotAbleError as outage:
            if not ending.is_set():
                self._statuses.report(self._name, outage=outage.sentence)
                raise
            logger.info("%s: ends in an outage: %s", self._name, outage.sentence)
        except DamagedTopic as damage:
            self._statuses.report(self._name, fault=damage.sentence)
            raise

    def _relay(self, topic: Topic, ending: Signal, report_progress: Callable[[], None]) -> None:
        self._reported_at, looked_at = float("-inf"), time.monotonic()
        checked = self._statuses.read(self._name).get("checked") or {}
        known = Checkpoint(checked["offset"], checked["position"]) if checked.get("topic") == topic.id else None
        with Relay(self._bootstrap, self._topic, self._topic, self._source, known=known, ending=ending) as relay:
            self._report(topic, relay.checkpoint)  # before the first batch: damage in it must not hide behind it
            while not ending.is_set():
                if relay.wait(WAIT_SECONDS):
                    relay.step()
                elif time.monotonic() > looked_at + LOOK_SECONDS:
                    looked_at = time.monotonic()
                    topic = find_topic(self._bootstrap, self._topic, self._replication) or topic
                report_progress()
                self._report(topic, relay.checkpoint)

    def _report(self, topic: Topic, checkpoint: Checkpoint) -> None:
        pause = REPEAT_SECONDS if checkpoint == self._reported else REPORT_SECONDS
        if time.monotonic() > self._reported_at + pause:
            self._reported, self._reported_at = checkpoint, time.monotonic()
            how = {"position": checkpoint.position, "replicas": topic.replicas, "remark": topic.remark}
            checked = {"topic": topic.id, **checkpoint._asdict()}
            self._statuses.report(self._name, fault=None, outage=None, checked=checked, **how)
