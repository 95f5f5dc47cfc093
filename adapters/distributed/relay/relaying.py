"""The work of a `relay` process in charge, one per topic: carries what MongoDB has to Kafka, and tells how far."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Final

from adapters.distributed.audit_log.store import MongoCommunications
from adapters.distributed.log.feed import MongoLog
from adapters.distributed.membership.dependencies import COMMUNICATIONS, RELAY
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay.relay import Relay
from adapters.distributed.relay.sources import CommunicationSource, EventSource, Source
from adapters.distributed.relay.start import Place
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.kafka import DamagedTopic, Fenced
from adapters.distributed.topics.topics import ensure_topic, topics_of
from domain.errors import NotAbleError

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.25
TELL_SECONDS: Final = 1.0


def relay_events(bootstrap: str, mongo: Mongo, installation: str, ending: Event, goes_well: Callable[[], None]) -> None:
    """Relay the log until told to end, or until a newer relay works; raises DamagedTopic and what passes."""
    source = EventSource(MongoLog(mongo), origin(mongo.name, installation))
    Relaying(bootstrap, mongo, RELAY, topics_of(mongo.name)[0], source).turn(ending, goes_well)


def relay_communications(
    bootstrap: str, mongo: Mongo, installation: str, ending: Event, goes_well: Callable[[], None]
) -> None:
    """Relay the archive likewise."""
    source = CommunicationSource(MongoCommunications(mongo, COMMUNICATIONS), origin(mongo.name, installation))
    Relaying(bootstrap, mongo, COMMUNICATIONS, topics_of(mongo.name)[1], source).turn(ending, goes_well)


class Relaying:
    """One topic's relay in charge; what it says of itself is in `Statuses` under its name.

    A topic that was deleted is made anew and filled. One with foreign records stays refused, by whichever relay: told
    with the topic's id is a place before which there are none, and the next relay reads on from there.
    """

    def __init__(self, bootstrap: str, mongo: Mongo, name: str, topic: str, source: Source) -> None:
        self._bootstrap, self._topic, self._name, self._source = bootstrap, topic, name, source
        self._statuses = Statuses(mongo)
        self._told = float("-inf")

    def turn(self, ending: Event, goes_well: Callable[[], None]) -> None:
        """Relay until told to end, as `standby.Turn` says."""
        try:
            self._relay(ensure_topic(self._bootstrap, self._topic), ending, goes_well)
        except Fenced:
            log.info("%s: another process has taken over", self._name)
        except NotAbleError as outage:
            if not ending.is_set():
                self._statuses.report(self._name, outage=outage.sentence)
                raise
            log.info("%s: ends in an outage: %s", self._name, outage.sentence)
        except DamagedTopic as damage:
            self._statuses.report(self._name, fault=damage.sentence)
            raise

    def _relay(self, topic_id: str, ending: Event, goes_well: Callable[[], None]) -> None:
        checked = self._checked(topic_id)
        with Relay(self._bootstrap, self._topic, self._topic, self._source, checked=checked, ending=ending) as relay:
            self._tell(topic_id, relay.place)  # before the first batch: damage within it must not hide behind it
            while not ending.is_set():
                if not relay.step():
                    relay.wait(WAIT_SECONDS)
                goes_well()
                self._tell(topic_id, relay.place)

    def _checked(self, topic_id: str) -> Place | None:
        told = self._statuses.read(self._name).get("checked") or {}
        return Place(told["offset"], told["position"]) if told.get("topic") == topic_id else None

    def _tell(self, topic_id: str, place: Place) -> None:
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            checked = {"topic": topic_id, **place._asdict()}
            self._statuses.report(self._name, position=place.position, fault=None, outage=None, checked=checked)
