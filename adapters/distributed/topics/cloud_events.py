"""Commits as Kafka records, CloudEvents 1.0 in binary mode of its Kafka binding, and back, exactly.

A record's value is what was stored, unchanged; all that the chain is computed over travels in the headers. Source:
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from domain.errors import AutoLearnError
from projections.ports import RawCommit, RawEvent

JSON: Final = b"application/json"
SPEC: Final = b"1.0"
COMMUNICATION: Final = b"autolearn.communication.v1"  # the `ce_type` of the other topic's records
HASH_BYTES: Final = 32


class Message(NamedTuple):
    """What is produced and consumed: key, value and headers (UTF-8) of one Kafka record."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Record(NamedTuple):
    """A consumed record of ours: its position, that of the last record of its commit, and what it carries."""

    position: int
    last: int
    key: bytes
    value: bytes
    headers: dict[str, bytes]


class DamagedRecordError(AutoLearnError):
    """A record that no relay of this installation wrote, or not here: foreign, damaged, doubled, torn."""


def origin(database: str, installation: str) -> str:
    """Return the `ce_source` of all records of an installation (`installation`: its id, hex)."""
    return f"/autolearn/{database}/{installation}"


def rfc3339(moment: datetime) -> str:
    """Return a UTC time with 6 decimals and `Z` (RFC 3339)."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def commit_messages(commit: RawCommit, source: str) -> list[Message]:
    """Return one message per event, in order, for ONE Kafka transaction; `source` is the `origin`."""
    shared = [
        ("content-type", JSON),
        ("ce_specversion", SPEC),
        ("ce_source", source.encode()),
        ("ce_time", rfc3339(commit.at).encode()),
        ("ce_commitfirst", b"%d" % commit.first),
        ("ce_commitlast", b"%d" % commit.position),
        ("ce_commandid", str(commit.command_id).encode()),
        ("ce_appendid", str(commit.append_id).encode()),
        ("ce_digest", commit.digest.encode()),
        ("ce_commithash", commit.hash.hex().encode()),
    ]
    messages = []
    for position, event in enumerate(commit.events, commit.first):
        stream, number = event.stream.encode(), b"%d" % position
        own = [
            ("ce_id", number),
            ("ce_type", event.name.encode()),
            ("ce_subject", stream),
            ("ce_partitionkey", stream),
            ("ce_sequence", number),
            ("ce_streamversion", b"%d" % event.version),
        ]
        messages.append(Message(stream, event.state, shared + own))
    return messages


shared_headers: Final = itemgetter(
    "ce_source",
    "ce_time",
    "ce_commitfirst",
    "ce_commitlast",
    "ce_commandid",
    "ce_appendid",
    "ce_digest",
    "ce_commithash",
)
WRONG: Final = (KeyError, ValueError, TypeError, AttributeError)  # whatever a wrong record does to its reader


def damaged(what: str, wrong: Exception) -> DamagedRecordError:
    """Return the error for one of WRONG that came up while reading something."""
    if isinstance(wrong, KeyError):
        return DamagedRecordError(f"{what} has no header {wrong}.")
    return DamagedRecordError(f"{what} is damaged: {wrong}.")


def communication_id(position: bytes) -> bytes:
    """Return the `ce_id` of a record of the audit log: source and id together are unique (CloudEvents)."""
    return b"communication-" + position


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn WRONG into DamagedRecordError; not where a whole log passes, as it costs as much as the reading itself."""
    try:
        yield
    except WRONG as wrong:
        raise damaged(what, wrong) from wrong


def parse_record(message: Message) -> Record:
    """Return the record of a consumed message, known by its position; raises DamagedRecordError."""
    key, value, pairs = message
    try:
        headers = dict(pairs)
        position = headers["ce_sequence"]
        id_ = communication_id(position) if headers["ce_type"] == COMMUNICATION else position
        ours = headers["ce_specversion"] == SPEC and headers["ce_id"] == id_ and headers["ce_subject"] == key
        if not ours or len(headers) != len(pairs):
            raise ValueError("headers, id and key are not those that a relay writes")
        return Record(int(position), int(headers.get("ce_commitlast", position)), key, bytes(value), headers)
    except WRONG as wrong:
        raise damaged("A record", wrong) from wrong


def parse_commit(records: Sequence[Record]) -> RawCommit:
    """Return the commit that these records are, all of them and no others; raises DamagedRecordError."""
    first, last = records[0].position, records[-1].position
    headers = records[0].headers
    try:
        if (int(headers["ce_commitfirst"]), records[0].last, len(records)) != (first, last, last - first + 1):
            raise ValueError(f"of its commit only positions {first} to {last} are there")
        shared = shared_headers(headers)
        if last > first and any(shared_headers(record.headers) != shared for record in records):
            raise ValueError("the records of its commit do not agree")
        return RawCommit(
            first,
            last,
            time_in(headers),
            UUID(headers["ce_commandid"].decode()),
            UUID(headers["ce_appendid"].decode()),
            headers["ce_digest"].decode(),
            hash_in(headers, "ce_commithash"),
            tuple([_parse_event(record) for record in records]),
        )
    except WRONG as wrong:
        raise damaged(f"The record at position {first}", wrong) from wrong


def hash_in(headers: dict[str, bytes], name: str) -> bytes:
    """Return the SHA-256 in a header; raises ValueError if it is not one."""
    found = bytes.fromhex(headers[name].decode())
    if len(found) != HASH_BYTES:
        raise ValueError(f"{name} is not a SHA-256")
    return found


def time_in(headers: dict[str, bytes]) -> datetime:
    """Return `ce_time`; raises ValueError if no relay would write it so."""
    text = headers["ce_time"].decode()
    moment = datetime.fromisoformat(text)
    if rfc3339(moment) != text:
        raise ValueError(f"{text!r} is not a UTC time with 6 decimals")
    return moment


def _parse_event(record: Record) -> RawEvent:
    headers = record.headers
    return RawEvent(record.key.decode(), int(headers["ce_streamversion"]), headers["ce_type"].decode(), record.value)
