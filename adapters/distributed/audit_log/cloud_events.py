"""Communications as Kafka records, and back: CloudEvents 1.0 as in `cloud_events`; the value is a JSON object."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields
from typing import Any, Final

from adapters.distributed.topics.cloud_events import (
    COMMUNICATION,
    JSON,
    SPEC,
    Message,
    Record,
    communication_id,
    hash_in,
    reading,
    rfc3339,
    time_in,
)
from projections.ports import Archived, Communication

INTEGERS: Final = {"bytes_in", "bytes_out", "domain_position", "count"}
KINDS: Final = {
    field.name: int if field.name in INTEGERS else (int, float) if field.name == "milliseconds" else str
    for field in fields(Communication)
}
DEFAULTS: Final = {field.name: field.default for field in fields(Communication) if field.default is not MISSING}


def communication_message(archived: Archived, source: str) -> Message:
    """Return the message of a record of the archive; `source` is the `origin` of the installation."""
    return _message(archived, source, asdict(archived.communication))


def possible_messages(archived: Archived, source: str) -> list[Message]:
    """Return the message of a record as relays write it, and where it may be one of theirs, that of older versions."""
    facts = asdict(archived.communication)
    older = {name: fact for name, fact in facts.items() if name not in DEFAULTS}
    return [_message(archived, source, it) for it in (facts, older) if {**DEFAULTS, **it} == facts]


def _message(archived: Archived, source: str, facts: dict[str, Any]) -> Message:
    writer, place = archived.writer.encode(), b"%d" % archived.position
    value = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    headers = [
        ("content-type", JSON),
        ("ce_specversion", SPEC),
        ("ce_id", communication_id(place)),
        ("ce_source", source.encode()),
        ("ce_type", COMMUNICATION),
        ("ce_time", rfc3339(archived.at).encode()),
        ("ce_subject", writer),
        ("ce_sequence", place),
        ("ce_writer", writer),
        ("ce_number", b"%d" % archived.number),
        ("ce_previous", archived.previous.hex().encode()),
        ("ce_hash", archived.hash.hex().encode()),
    ]
    return Message(writer, value.encode(), headers)


def archived_of(record: Record) -> Archived:
    """Return what the archive holds at this record's position; raises DamagedRecordError."""
    headers = record.headers
    with reading(f"The record at position {record.position}"):
        if headers["ce_type"] != COMMUNICATION or headers["ce_writer"] != record.key:
            raise ValueError("it is not of the type, or not of the writer, that it says")
        return Archived(
            position=record.position,
            at=time_in(headers),
            writer=record.key.decode(),
            number=int(headers["ce_number"]),
            previous=hash_in(headers, "ce_previous"),
            hash=hash_in(headers, "ce_hash"),
            communication=_communication(record.value),
        )


def _communication(value: bytes) -> Communication:
    facts: dict[str, Any] = DEFAULTS | json.loads(value)  # older versions had fewer fields
    for name, kind in KINDS.items():
        if not isinstance(facts[name], kind) or isinstance(facts[name], bool):
            raise TypeError(f"{name} has a value of a wrong type")
    return Communication(**facts)
