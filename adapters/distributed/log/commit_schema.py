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

from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.document_format import (
    BYTES,
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
from adapters.distributed.topics.cloud_events import commit_messages, parse_commit
from adapters.distributed.topics.topics import topics_of
from adapters.log.appends import MAX_EVENTS
from adapters.log.chain import CommitChain, hash_of
from adapters.log.times import to_microseconds
from projections.ports import RawCommit, RawEvent

COMMITS: Final = "commits"
STREAM_VERSION: Final = "stream_version"
INDEXES: Final = [
    IndexModel([("e.o", ASCENDING), ("e.v", ASCENDING)], name=STREAM_VERSION, unique=True),
    IndexModel([("append_id", ASCENDING)], name="append_id", unique=True),
    IndexModel([("position", ASCENDING)], name="position", unique=True),
    IndexModel([("at", ASCENDING), ("position", ASCENDING)], name="at"),
]
EVENT: Final = {"o": TEXT.rule, "v": INTEGER.rule, "n": TEXT.rule, "s": BYTES.rule}
FIELDS: Final = {
    "_id": LONG.rule | {"minimum": 1},
    "position": LONG.rule | {"minimum": 1},
    "at": LONG.rule,
    "command_id": BYTES.rule,
    "append_id": BYTES.rule,
    "digest": TEXT.rule,
    "hash": BYTES.rule,
    "e": {"bsonType": "array", "minItems": 1, "items": object_rule(EVENT)},
}


def to_document(commit: RawCommit) -> Fields:
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
    return Binary(id.bytes, 4)


def from_document(document: Fields) -> RawCommit:
    """Return a commit as stored, of whatever the document holds."""
    events = document.get("e")
    return RawCommit(
        first=_number(document.get("_id")),
        position=_number(document.get("position")),
        at=time_of(document.get("at")),
        command_id=_id(document.get("command_id")),
        append_id=_id(document.get("append_id")),
        digest=_text(document.get("digest")),
        hash=_bytes(document.get("hash")),
        events=tuple([_event(e if isinstance(e, dict) else {}) for e in (events if isinstance(events, list) else [])]),
    )


def _rewritten(stored: Fields) -> Iterator[Fields]:
    commit = from_document(stored)
    if not 1 <= commit.first <= commit.position == commit.first + len(commit.events) - 1:
        raise NeverWrittenError(f"its {len(commit.events)} events are not at {commit.first} to {commit.position}")
    yield to_document(commit)


def _event(e: Fields) -> RawEvent:
    return RawEvent(_text(e.get("o")), _number(e.get("v")), _text(e.get("n")), _bytes(e.get("s")))


def _number(stored: Any) -> int:
    return int(stored) if type(stored) in INTEGER.classes else 0


def _bytes(stored: Any) -> bytes:
    return bytes(stored) if isinstance(stored, bytes) else b""


def _text(stored: Any) -> str:
    if isinstance(stored, str):
        return str(stored)  # code is a text, too
    return "" if stored is None else repr(stored)


def _id(stored: Any) -> UUID:
    return UUID(bytes=_bytes(stored)[:16].ljust(16, b"\0"))


EVENT_LOG: Final = MongoLogSchema(
    title="log",
    collection=CollectionSpec(COMMITS, INDEXES, object_rule(FIELDS)),
    position="position",
    format=DocumentFormat("commit", _rewritten),
    to_document=to_document,
    from_document=from_document,
    topic_of=lambda database: topics_of(database)[0],
    messages=lambda commit, origin: iter([commit_messages(commit, origin)]),
    from_records=parse_commit,
    hash_header="ce_commithash",
    most_records=MAX_EVENTS,
    chain=CommitChain,
    has_its_hash=lambda it, hashes: any(hash_of(it, before) == it.hash for before in hashes.get(it.first - 1, ())),
)
