"""One commit of the log <-> one document: {_id: first position, position: last, at, ids, digest, hash, e: [events]}.

Whatever values a damaged document holds, reading it as stored gives something, and the chain says that it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from bson.binary import Binary
from bson.int64 import Int64
from pymongo import ASCENDING, IndexModel

from adapters.distributed.as_written import Kind, NeverWrittenError
from adapters.distributed.layout import Layout
from adapters.distributed.mongo import Fields
from adapters.log.events import decode
from adapters.log.times import EPOCH, from_microseconds, to_microseconds
from commands.ports import Stamp
from domain.events import Event
from projections.ports import RawCommit, RawEvent, Recorded

COMMITS: Final = "commits"
STREAM_VERSION: Final = "stream_version"
INDEXES: Final = [
    IndexModel([("e.o", ASCENDING), ("e.v", ASCENDING)], name=STREAM_VERSION, unique=True),
    IndexModel([("append_id", ASCENDING)], name="append_id", unique=True),
    IndexModel([("position", ASCENDING)], name="position", unique=True),
    IndexModel([("at", ASCENDING), ("position", ASCENDING)], name="at"),
]
TAIL_FIELDS: Final = ("position", "at", "hash")
EVENT: Final = {
    "o": {"bsonType": "string"},
    "v": {"bsonType": ["int", "long"]},
    "n": {"bsonType": "string"},
    "s": {"bsonType": "binData"},
}
FIELDS: Final = {
    "_id": {"bsonType": "long", "minimum": 1},
    "position": {"bsonType": "long", "minimum": 1},
    "at": {"bsonType": "long"},
    "command_id": {"bsonType": "binData"},
    "append_id": {"bsonType": "binData"},
    "digest": {"bsonType": "string"},
    "hash": {"bsonType": "binData"},
    "e": {
        "bsonType": "array",
        "minItems": 1,
        "items": {"bsonType": "object", "required": [*EVENT], "properties": EVENT},
    },
}
LAYOUT: Final = Layout(COMMITS, INDEXES, {"bsonType": "object", "required": [*FIELDS], "properties": FIELDS})


def document_of(commit: RawCommit) -> Fields:
    return {
        "_id": Int64(commit.first),
        "position": Int64(commit.position),
        "at": Int64(to_microseconds(commit.at)),
        "command_id": id_value(commit.command_id),
        "append_id": id_value(commit.append_id),
        "digest": commit.digest,
        "hash": commit.hash,
        "e": [{"o": event.stream, "v": event.version, "n": event.name, "s": event.state} for event in commit.events],
    }


def id_value(id: UUID) -> Binary:
    """Return an id as documents hold it."""
    return Binary(id.bytes, 4)


def events_of(document: Fields) -> tuple[Event, ...]:
    """Return the decoded events."""
    return tuple([decode(e["o"], e["v"], e["n"], e["s"]) for e in document["e"]])


def stamp_of(document: Fields, events: tuple[Event, ...]) -> Stamp:
    """Return the stamp of the append, from its document and its decoded events."""
    command_id, append_id = UUID(bytes=document["command_id"]), UUID(bytes=document["append_id"])
    return Stamp(command_id, append_id, events[0].metadata, document["digest"])


def recorded_of(document: Fields) -> Iterator[Recorded]:
    """Yield the decoded events, each at its position."""
    end, at = document["position"], from_microseconds(document["at"])
    for place, e in enumerate(document["e"], document["_id"]):
        yield Recorded(place, end, at, decode(e["o"], e["v"], e["n"], e["s"]))


def raw_of(document: Fields) -> RawCommit:
    """Return a commit as stored, of whatever the document holds."""
    events = document.get("e")
    return RawCommit(
        first=_number(document.get("_id")),
        position=_number(document.get("position")),
        at=_moment(_number(document.get("at"))),
        command_id=_id(document.get("command_id")),
        append_id=_id(document.get("append_id")),
        digest=_text(document.get("digest")),
        hash=_bytes(document.get("hash")),
        events=tuple([_event(e if isinstance(e, dict) else {}) for e in (events if isinstance(events, list) else [])]),
    )


def _rewritten(stored: Fields) -> Iterator[Fields]:
    commit = raw_of(stored)
    if not 1 <= commit.first <= commit.position == commit.first + len(commit.events) - 1:
        raise NeverWrittenError(f"its {len(commit.events)} events are not at {commit.first} to {commit.position}")
    yield document_of(commit)


COMMIT: Final = Kind("commit", _rewritten)


def _event(e: Fields) -> RawEvent:
    return RawEvent(_text(e.get("o")), _number(e.get("v")), _text(e.get("n")), _bytes(e.get("s")))


def _number(stored: Any) -> int:
    return int(stored) if type(stored) in {int, Int64} else 0


def _bytes(stored: Any) -> bytes:
    return bytes(stored) if isinstance(stored, bytes) else b""


def _text(stored: Any) -> str:
    if isinstance(stored, str):
        return str(stored)  # code is a text, too
    return "" if stored is None else repr(stored)


def _id(stored: Any) -> UUID:
    return UUID(bytes=_bytes(stored)[:16].ljust(16, b"\0"))


def _moment(stored: int) -> Any:
    try:
        return from_microseconds(stored)
    except OverflowError:
        return EPOCH
