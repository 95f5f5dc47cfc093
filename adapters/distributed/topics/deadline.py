"""Waiting for Kafka in slices, so that whoever is told to end does not wait an outage out."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Final

from confluent_kafka import KafkaException

from adapters.distributed.topics.kafka import kafka_errors
from domain.errors import NotAbleError

SLICE_SECONDS: Final = 0.5


class Patience:
    """Repeats a call of the library that may be called again after its time was over, until `ending` is set."""

    def __init__(self, ending: Event, doing: str, right: str) -> None:
        self._ending, self._doing = ending, (doing, right)

    def repeat(self, call: Callable[[float], object], seconds: float) -> None:
        """Do it, within so many seconds; raises as `kafka_errors`, NotAbleError where it is told to end meanwhile."""
        given_up = time.monotonic() + seconds
        with kafka_errors(*self._doing):
            while True:
                left = given_up - time.monotonic()
                try:
                    call(max(min(SLICE_SECONDS, left), 0.0))
                except KafkaException as error:
                    if not error.args[0].retriable() or left <= SLICE_SECONDS:
                        raise
                else:
                    return
                if self._ending.is_set():
                    raise NotAbleError(f"Told to end, while Kafka (AUTOLEARN_KAFKA) did not {self._doing[0]}.")
