"""Where a relay goes on, and whether it may: the topic must be a beginning of exactly what MongoDB holds."""

from __future__ import annotations

from typing import NoReturn

from adapters.distributed.cloud_events import DamagedRecordError
from adapters.distributed.kafka import DamagedTopic
from adapters.distributed.probe import Found, Probe
from adapters.distributed.relay_sources import Source

REFILL = "To have it filled again from MongoDB, delete the topic."
RECOVER = "If MongoDB was lost or is an old back-up, `autolearn recover --from-kafka` brings it back from the topics."
OTHER = "If the topic belongs to another installation, choose another AUTOLEARN_DATABASE."


class Start:
    """The check of a topic at the start of a relay; what it finds holds once the relay before was fenced."""

    def __init__(self, probe: Probe, topic: str, source: Source) -> None:
        self._probe, self._topic, self._source = probe, topic, source

    def place(self) -> tuple[int, int]:
        """Return the last position in the topic and the offset of what comes next; raises DamagedTopic."""
        low, end = self._probe.ends()
        first, last = self._probe.first(low, end), self._probe.last()
        if first is None or last is None:
            if low > 0:
                self._refuse(f"has lost its records (it begins at offset {low}). {REFILL}")
            return 0, end
        begins = self._position(first)
        if begins != 1:
            self._refuse(f"begins with position {begins}, not 1: records were removed. {REFILL}")
        self._check(last)
        return last.record.position, end

    def _position(self, found: Found) -> int:
        try:
            return found.record.position
        except DamagedRecordError as wrong:
            self._refuse(f"has a record at offset {found.offset} that no relay wrote. {wrong} {REFILL} {OTHER}")

    def _check(self, last: Found) -> None:
        position = self._position(last)
        record = last.record
        origin = record.headers.get("ce_source", b"").decode(errors="replace")
        if origin != self._source.origin:
            self._refuse(f"ends with a record of {origin}, this is {self._source.origin}. {OTHER} {RECOVER}")
        if record.last != position:
            self._refuse(f"ends at position {position}, inside a commit that ends at {record.last}. {REFILL}")
        stored = next(iter(self._source.after(position - 1, 1)), None)
        if stored is None:
            self._refuse(f"ends at position {position}, beyond what MongoDB holds. {RECOVER}")
        try:
            same = (stored.position, stored.hash) == (position, self._source.hash_of(record))
        except DamagedRecordError as wrong:
            self._refuse(f"ends with a damaged record. {wrong} {REFILL}")
        if not same:
            self._refuse(f"has another history than MongoDB: position {position} has another hash. {RECOVER} {REFILL}")

    def _refuse(self, sentence: str) -> NoReturn:
        raise DamagedTopic(f"The topic {self._topic} {sentence}")
