"""One communication <-> one document: {_id: position, at, writer, number, previous, hash, and the record's own fields}.

Whatever values a damaged document holds, reading it gives something, and the chain says that it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from typing import Any, Final, get_type_hints

from bson.int64 import Int64
from pymongo import ASCENDING, IndexModel

from adapters.audit_log.filters import EQUAL
from adapters.distributed.as_written import Kind, NeverWrittenError
from adapters.distributed.layout import Layout
from adapters.distributed.mongo import Fields
from adapters.log.chain import Tail
from adapters.log.times import EPOCH, from_microseconds, to_microseconds
from domain.errors import NotAbleError
from projections.ports import Archived, Communication

COMMUNICATIONS: Final = "communications"
INDEXES: Final = [
    IndexModel([("writer", ASCENDING), ("number", ASCENDING)], name="writer_number", unique=True),
    IndexModel([("at", ASCENDING), ("_id", ASCENDING)], name="at"),
    *(IndexModel([(name, ASCENDING), ("_id", ASCENDING)], name=name) for name in EQUAL),
]
TAIL_FIELDS: Final = ("at", "hash")
KINDS: Final[dict[str, type]] = get_type_hints(Communication)
# What is not there was stored by an older version, which did not have the field.
DEFAULTS: Final = {it.name: it.default for it in fields(Communication) if it.default is not MISSING}
BSON_TYPES: Final = {int: ["int", "long"], float: "double", str: "string"}
FIELDS: Final = {
    "_id": {"bsonType": "long", "minimum": 1},
    "at": {"bsonType": "long"},
    "writer": {"bsonType": "string"},
    "number": {"bsonType": "long"},
    "previous": {"bsonType": "binData"},
    "hash": {"bsonType": "binData"},
    **{name: {"bsonType": BSON_TYPES[kind]} for name, kind in KINDS.items()},
}
# All of them, those that older versions lack as well: what one that still runs chains in its own way breaks the chain.
LAYOUT: Final = Layout(COMMUNICATIONS, INDEXES, {"bsonType": "object", "required": [*FIELDS], "properties": FIELDS})
WRONG: Final[dict[type, Callable[[Any], Any]]] = {
    int: lambda _: -(2**63),
    float: lambda _: float("-inf"),
    bytes: lambda stored: repr(stored).encode(),
    str: lambda stored: f"{stored!r}, which is no text",
}


def to_document(record: Archived) -> Fields:
    """Return the document of a record."""
    return {
        "_id": Int64(record.position),
        "at": Int64(to_microseconds(record.at)),
        "writer": record.writer,
        "number": Int64(record.number),
        "previous": record.previous,
        "hash": record.hash,
        **asdict(record.communication),
    }


def from_document(document: Fields) -> Archived:
    """Return the record of a document, of whatever it holds."""
    facts = {name: _value(document.get(name, DEFAULTS.get(name)), kind) for name, kind in KINDS.items()}
    return Archived(
        position=int(document["_id"]),
        at=_moment(document.get("at")),
        writer=_value(document.get("writer"), str),
        number=_value(document.get("number"), int),
        previous=_value(document.get("previous"), bytes),
        hash=_value(document.get("hash"), bytes),
        communication=Communication(**facts),
    )


def _rewritten(stored: Fields) -> Iterator[Fields]:
    record = from_document(stored)
    if record.position < 1:
        raise NeverWrittenError("positions begin at 1")
    numbers = {name: stored[name] for name, kind in KINDS.items() if kind is int and type(stored.get(name)) is Int64}
    written = to_document(record) | numbers  # sizes and positions have been written as int32 and as int64
    if DEFAULTS.items() <= written.items():
        yield {name: written[name] for name in written if name not in DEFAULTS}  # as older versions stored it
    yield written


COMMUNICATION: Final = Kind("communication", _rewritten)


def tail_in(tail: Fields) -> Tail:
    """Return where the audit log ends: its last document ({}: none)."""
    if not tail:
        return Tail()
    place: list[Any] = [tail.get(name) for name in ("_id", *TAIL_FIELDS)]
    if [type(it) for it in place] != [Int64, Int64, bytes]:
        raise NotAbleError("The audit log ends with a document that is none of it; `autolearn verify` shows it.")
    position, at, found = place
    return Tail(int(position), int(at), found)


def _value(stored: Any, kind: type) -> Any:
    """Return a stored value of this kind; in place of one of another kind, what no record holds."""
    if isinstance(stored, int) and not isinstance(stored, bool) and kind is int:
        return int(stored)  # not the driver's own kind of int
    # Code is a text for the driver, and binary data of any kind bytes: what comes back is a plain one.
    return kind(stored) if isinstance(stored, kind) and kind is not int else WRONG[kind](stored)


def _moment(stored: Any) -> datetime:
    try:
        return from_microseconds(stored)
    except (TypeError, OverflowError):
        return EPOCH
