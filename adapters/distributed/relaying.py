"""The work of a `relay` process in charge, one per topic: carries what MongoDB has to Kafka, and tells how far."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Final

from adapters.distributed.cloud_events import origin
from adapters.distributed.communications import MongoCommunications
from adapters.distributed.kafka import DamagedTopic, Fenced, ForeignRecords
from adapters.distributed.log import MongoLog
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay import Relay
from adapters.distributed.relay_sources import CommunicationSource, EventSource, Source
from adapters.distributed.status import Statuses
from adapters.distributed.topics import ensure_topic, topics_of

log = logging.getLogger(__name__)

EVENTS: Final = "relay"
COMMUNICATIONS: Final = "relay-communications"
WAIT_SECONDS: Final = 0.25
TELL_SECONDS: Final = 1.0


def relay_events(bootstrap: str, mongo: Mongo, installation: str, ending: Event, goes_well: Callable[[], None]) -> None:
    """Relay the log until told to end, or until a newer relay works; raises DamagedTopic and what passes."""
    source = EventSource(MongoLog(mongo), origin(mongo.name, installation))
    Relaying(bootstrap, mongo, EVENTS, topics_of(mongo.name)[0], source).turn(ending, goes_well)


def relay_communications(
    bootstrap: str, mongo: Mongo, installation: str, ending: Event, goes_well: Callable[[], None]
) -> None:
    """Relay the archive likewise."""
    source = CommunicationSource(MongoCommunications(mongo, COMMUNICATIONS), origin(mongo.name, installation))
    Relaying(bootstrap, mongo, COMMUNICATIONS, topics_of(mongo.name)[1], source).turn(ending, goes_well)


class Relaying:
    """One topic's relay in charge; what it says of itself is in `Statuses` under its name.

    A topic that was deleted is made anew and filled. One with foreign records stays refused, by whichever relay: the
    damage is remembered with the topic's id, as a look at the topic's end would not show it again.
    """

    def __init__(self, bootstrap: str, mongo: Mongo, name: str, topic: str, source: Source) -> None:
        self._bootstrap, self._topic, self._name, self._source = bootstrap, topic, name, source
        self._statuses = Statuses(mongo)
        self._told = float("-inf")

    def turn(self, ending: Event, goes_well: Callable[[], None]) -> None:
        """Relay until told to end, as `standby.Turn` says."""
        topic_id = ""
        try:
            topic_id = ensure_topic(self._bootstrap, self._topic)
            self._refuse_foreign(topic_id)
            self._relay(ending, goes_well)
        except Fenced:
            log.info("%s: another process has taken over", self._name)
        except ForeignRecords as damage:
            foreign = {"topic": topic_id, "sentence": damage.sentence}
            self._statuses.tell(self._name, fault=damage.sentence, foreign=foreign)
            raise
        except DamagedTopic as damage:
            self._statuses.tell(self._name, fault=damage.sentence)
            raise

    def _relay(self, ending: Event, goes_well: Callable[[], None]) -> None:
        with Relay(self._bootstrap, self._topic, self._topic, self._source) as relay:
            while not ending.is_set():
                if not relay.step():
                    self._source.wait_beyond(relay.position, WAIT_SECONDS)
                goes_well()
                self._tell(relay.position)

    def _refuse_foreign(self, topic_id: str) -> None:
        foreign = self._statuses.told(self._name).get("foreign") or {}
        if foreign.get("topic") == topic_id:
            raise ForeignRecords(foreign["sentence"])

    def _tell(self, position: int) -> None:
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            self._statuses.tell(self._name, position=position, fault=None)
