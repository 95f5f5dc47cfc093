"""What tells one log from another: how its entries become documents, Kafka records and chain bytes, and back.

Everything else in this package and in `relay`, `recovery` and `verification` is the same for the event log (its entries
are commits) and the audit log (its entries are records of calls).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.document_format import DocumentFormat
from adapters.distributed.mongo import Fields
from adapters.distributed.topics.cloud_events import Message, Record
from adapters.log.chain import Chain, E


@dataclass(frozen=True)
class MongoLogSchema(Generic[E]):
    """A document's `_id` is its entry's first position; it has the fields `at` (microseconds) and `hash` as well."""

    title: str  # in sentences
    collection: CollectionSpec
    position: str  # the field of an entry's last position
    format: DocumentFormat
    to_document: Callable[[E], Fields]
    from_document: Callable[[Fields], E]  # of whatever a document holds: the chain tells what is damaged
    topic_of: Callable[[str], str]  # by database
    # As relays of this version write an entry, then as older ones did: one message for each position. Takes the origin.
    messages: Callable[[E, str], Iterator[list[Message]]]
    from_records: Callable[[Sequence[Record]], E]  # raises DamagedRecordError
    hash_header: str
    most_records: int  # of one entry
    chain: Callable[[], Chain[E]]  # from the first entry on
    has_its_hash: Callable[[E, Mapping[int, Collection[bytes]]], bool]  # after one of these hashes, by position

    @property
    def name(self) -> str:
        return self.collection.name
