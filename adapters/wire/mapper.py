"""The `eventsourcing` library's Mapper over stored JSON and pinned names, for applications built with the library."""

from __future__ import annotations

from typing import cast

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Cipher, Compressor, JSONTranscoder, Mapper, StoredEvent, Transcoder

from adapters.wire.events import decode, encode
from domain.events import Event


class EventMapper(Mapper[str]):
    """Maps by pinned names instead of Python paths; honours the library's compressor and cipher."""

    def __init__(
        self,
        transcoder: Transcoder | None = None,
        compressor: Compressor | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        super().__init__(transcoder or JSONTranscoder(), compressor, cipher)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return the event as the library stores it."""
        event = cast("Event", domain_event)
        state = encode(event)
        state = self.compressor.compress(state) if self.compressor else state
        state = self.cipher.encrypt(state) if self.cipher else state
        return StoredEvent(event.originator_id, event.originator_version, event.NAME, state)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """Return the event that the library stored."""
        state = stored_event.state
        state = self.cipher.decrypt(state) if self.cipher else state
        state = self.compressor.decompress(state) if self.compressor else state
        return decode(str(stored_event.originator_id), stored_event.originator_version, stored_event.topic, state)
