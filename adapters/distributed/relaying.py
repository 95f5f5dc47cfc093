"""The work of a `relay` process in charge, one per topic: carries what MongoDB has to Kafka, and tells how far."""

from __future__ import annotations

import logging
import time
from threading import Event
from typing import Final

from adapters.distributed.cloud_events import origin
from adapters.distributed.communications import MongoCommunications
from adapters.distributed.kafka import DamagedTopic, Fenced
from adapters.distributed.log import MongoLog
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay import Relay
from adapters.distributed.relay_sources import CommunicationSource, EventSource, Source
from adapters.distributed.status import Statuses
from adapters.distributed.topics import topics_of

log = logging.getLogger(__name__)

EVENTS: Final = "relay"
COMMUNICATIONS: Final = "relay-communications"
WAIT_SECONDS: Final = 0.25
TELL_SECONDS: Final = 1.0


def relay_events(bootstrap: str, mongo: Mongo, installation: str, ending: Event) -> None:
    """Relay the log until told to end, or until a newer relay works; raises DamagedTopic and what passes."""
    source = EventSource(MongoLog(mongo), origin(mongo.name, installation))
    Relaying(bootstrap, mongo, EVENTS, topics_of(mongo.name)[0], source).turn(ending)


def relay_communications(bootstrap: str, mongo: Mongo, installation: str, ending: Event) -> None:
    """Relay the archive likewise."""
    source = CommunicationSource(MongoCommunications(mongo, COMMUNICATIONS), origin(mongo.name, installation))
    Relaying(bootstrap, mongo, COMMUNICATIONS, topics_of(mongo.name)[1], source).turn(ending)


class Relaying:
    """One topic's relay in charge; what it says of itself is in `Statuses` under its name."""

    def __init__(self, bootstrap: str, mongo: Mongo, name: str, topic: str, source: Source) -> None:
        self._bootstrap, self._topic, self._name, self._source = bootstrap, topic, name, source
        self._statuses = Statuses(mongo)
        self._told = float("-inf")

    def turn(self, ending: Event) -> None:
        """Relay until told to end."""
        try:
            with Relay(self._bootstrap, self._topic, self._topic, self._source) as relay:
                while not ending.is_set():
                    if not relay.step():
                        self._source.wait_beyond(relay.position, WAIT_SECONDS)
                    self._tell(relay.position)
        except Fenced:
            log.info("%s: another process has taken over", self._name)
        except DamagedTopic as damage:
            self._statuses.tell(self._name, fault=damage.sentence)
            raise

    def _tell(self, position: int) -> None:
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            self._statuses.tell(self._name, position=position, fault=None)
