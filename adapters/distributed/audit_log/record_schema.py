"""Records of the audit log as documents and as Kafka records, and back.

A document: {_id: position, at, writer, number, previous, hash, and the audit record's own fields}. A Kafka record:
CloudEvents 1.0 as in `topics/cloud_events.py`, the value a JSON object.

Whatever values a damaged document holds, reading it gives something, and the chain says that it is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any, Final, get_type_hints

from bson.int64 import Int64
from pymongo import ASCENDING, IndexModel

from adapters.audit_log.chain import RecordChain, has_its_hash
from adapters.audit_log.filters import EQUAL
from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.document_format import (
    BYTES,
    DOUBLE,
    INTEGER,
    LONG,
    TEXT,
    DocumentFormat,
    NeverWrittenError,
    object_rule,
    time_of,
)
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.mongo import Fields
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
from adapters.distributed.topics.topics import topics_of
from adapters.log.times import to_microseconds
from projections.ports import AuditRecord, StoredAuditRecord

COMMUNICATIONS: Final = "communications"
INDEXES: Final = [
    IndexModel([("writer", ASCENDING), ("number", ASCENDING)], name="writer_number", unique=True),
    IndexModel([("at", ASCENDING), ("_id", ASCENDING)], name="at"),
    *(IndexModel([(name, ASCENDING), ("_id", ASCENDING)], name=name) for name in EQUAL),
]
CLASSES: Final[dict[str, type]] = get_type_hints(AuditRecord)
# An older version stored records without these fields.
DEFAULTS: Final = {it.name: it.default for it in fields(AuditRecord) if it.default is not MISSING}
# The validator needs all of them: an older version that still runs would chain in its own way, and break the chain.
FIELDS: Final = {
    "_id": LONG.rule | {"minimum": 1},
    "at": LONG.rule,
    "writer": TEXT.rule,
    "number": LONG.rule,
    "previous": BYTES.rule,
    "hash": BYTES.rule,
    **{name: {int: INTEGER, float: DOUBLE, str: TEXT}[found].rule for name, found in CLASSES.items()},
}
WRONG: Final[dict[type, Callable[[Any], Any]]] = {
    int: lambda _: -(2**63),
    float: lambda _: float("-inf"),
    bytes: lambda stored: repr(stored).encode(),
    str: lambda stored: f"{stored!r}, which is not text",
}


def to_document(record: StoredAuditRecord) -> Fields:
    return {
        "_id": Int64(record.position),
        "at": Int64(to_microseconds(record.at)),
        "writer": record.writer,
        "number": Int64(record.number),
        "previous": record.previous,
        "hash": record.hash,
        **asdict(record.content),
    }


def from_document(document: Fields) -> StoredAuditRecord:
    facts = {name: _value(document.get(name, DEFAULTS.get(name)), kind) for name, kind in CLASSES.items()}
    return StoredAuditRecord(
        position=int(document["_id"]),
        at=time_of(document.get("at")),
        writer=_value(document.get("writer"), str),
        number=_value(document.get("number"), int),
        previous=_value(document.get("previous"), bytes),
        hash=_value(document.get("hash"), bytes),
        content=AuditRecord(**facts),
    )


def _rewritten(stored: Fields) -> Iterator[Fields]:
    record = from_document(stored)
    if record.position < 1:
        raise NeverWrittenError("positions begin at 1")
    numbers = {name: stored[name] for name, kind in CLASSES.items() if kind is int and type(stored.get(name)) is Int64}
    written = to_document(record) | numbers  # sizes and positions have been written as int32 and as int64
    if DEFAULTS.items() <= written.items():
        yield {name: written[name] for name in written if name not in DEFAULTS}  # as older versions stored it
    yield written


def _value(stored: Any, kind: type) -> Any:
    """Return a stored value of this kind; in place of one of another kind, what no record holds."""
    if isinstance(stored, int) and not isinstance(stored, bool) and kind is int:
        return int(stored)  # not the driver's own kind of int
    # Code is a text for the driver, and binary data of any kind bytes: what comes back is a plain one.
    return kind(stored) if isinstance(stored, kind) and kind is not int else WRONG[kind](stored)


def messages(record: StoredAuditRecord, origin: str) -> Iterator[list[Message]]:
    facts = asdict(record.content)
    yield [_message(record, origin, facts)]
    older = {name: fact for name, fact in facts.items() if name not in DEFAULTS}
    if DEFAULTS | older == facts:
        yield [_message(record, origin, older)]


def _message(record: StoredAuditRecord, source: str, facts: dict[str, Any]) -> Message:
    writer, place = record.writer.encode(), b"%d" % record.position
    value = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    headers = [
        ("content-type", JSON),
        ("ce_specversion", SPEC),
        ("ce_id", communication_id(place)),
        ("ce_source", source.encode()),
        ("ce_type", COMMUNICATION),
        ("ce_time", rfc3339(record.at).encode()),
        ("ce_subject", writer),
        ("ce_sequence", place),
        ("ce_writer", writer),
        ("ce_number", b"%d" % record.number),
        ("ce_previous", record.previous.hex().encode()),
        ("ce_hash", record.hash.hex().encode()),
    ]
    return Message(writer, value.encode(), headers)


def from_records(records: Sequence[Record]) -> StoredAuditRecord:
    """Return what the audit log holds at this record's position; raises DamagedRecordError."""
    (found,) = records
    headers = found.headers
    with reading(f"The record at position {found.position}"):
        if headers["ce_type"] != COMMUNICATION or headers["ce_writer"] != found.key:
            raise ValueError("it is not of the type, or not of the writer, that it says")
        return StoredAuditRecord(
            position=found.position,
            at=time_in(headers),
            writer=found.key.decode(),
            number=int(headers["ce_number"]),
            previous=hash_in(headers, "ce_previous"),
            hash=hash_in(headers, "ce_hash"),
            content=_content_of(found.value),
        )


def _content_of(value: bytes) -> AuditRecord:
    facts: dict[str, Any] = DEFAULTS | json.loads(value)  # older versions had fewer fields
    for name, kind in CLASSES.items():
        if type(facts[name]) not in {kind, int if kind is float else kind}:
            raise TypeError(f"{name} has a value of a wrong type")
    return AuditRecord(**facts)


AUDIT_LOG: Final = MongoLogSchema(
    title="audit log",
    collection=CollectionSpec(COMMUNICATIONS, INDEXES, object_rule(FIELDS)),
    position="_id",
    format=DocumentFormat("communication", _rewritten),
    to_document=to_document,
    from_document=from_document,
    topic_of=lambda database: topics_of(database)[1],
    messages=messages,
    from_records=from_records,
    hash_header="ce_hash",
    most_records=1,
    chain=RecordChain,
    has_its_hash=lambda it, _: has_its_hash(it),  # a record carries the hash before its own
)
