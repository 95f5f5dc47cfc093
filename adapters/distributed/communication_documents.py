"""One communication <-> one document: {_id: position, at, writer, number, previous, hash, and the record's own fields}.

Whatever values a damaged document holds, reading it gives something, and its writer's chain says that it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, get_type_hints

from bson.int64 import Int64
from pymongo import ASCENDING, IndexModel

from adapters.distributed.mongo import Fields
from adapters.wire.communication_chain import GENESIS, Ends
from adapters.wire.communication_filters import EQUAL
from adapters.wire.moments import EPOCH, from_microseconds, to_microseconds
from projections.ports import Archived, Communication

COMMUNICATIONS: Final = "communications"
INDEXES: Final = [
    IndexModel([("writer", ASCENDING), ("number", ASCENDING)], name="writer_number", unique=True),
    IndexModel([("at", ASCENDING), ("_id", ASCENDING)], name="at"),
    *(IndexModel([(name, ASCENDING), ("_id", ASCENDING)], name=name) for name in EQUAL),
]
TAIL_FIELDS: Final = ("at",)
KINDS: Final[dict[str, type]] = get_type_hints(Communication)
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
    facts = {name: _value(document.get(name), kind) for name, kind in KINDS.items()}
    return Archived(
        position=int(document["_id"]),
        at=_moment(document.get("at")),
        writer=_value(document.get("writer"), str),
        number=_value(document.get("number"), int),
        previous=_value(document.get("previous"), bytes),
        hash=_value(document.get("hash"), bytes),
        communication=Communication(**facts),
    )


def ends_of(tail: Fields, own: Fields | None) -> Ends:
    """Return where the archive ends: from the last document of all ({}: none), and the last one of the writer."""
    number, found = (own["number"], own["hash"]) if own else (0, GENESIS)
    return Ends(int(tail.get("_id", 0)), int(tail.get("at", 0)), int(number), found)


def _value(stored: Any, kind: type) -> Any:
    """Return a stored value of this kind; in place of one of another kind, what no record holds."""
    if isinstance(stored, int) and not isinstance(stored, bool) and kind is int:
        return int(stored)  # not the driver's own kind of int
    return stored if isinstance(stored, kind) and kind is not int else WRONG[kind](stored)


def _moment(stored: Any) -> datetime:
    try:
        return from_microseconds(stored)
    except (TypeError, OverflowError):
        return EPOCH
