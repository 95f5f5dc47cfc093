"""The headers of the records of both topics, as JSON Schemas: CloudEvents 1.0 in Kafka's binary mode.

Every value is a text (UTF-8), numbers too, as the Kafka protocol binding of CloudEvents asks for.
"""

from __future__ import annotations

from typing import Any, Final

NUMBER: Final = r"^[1-9][0-9]*$"
UUID: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
SHA256: Final = r"^[0-9a-f]{64}$"
TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
SOURCE: Final = r"^/autolearn/[a-z0-9-]+/[0-9a-f]{32}$"

Header = dict[str, Any]


def text(description: str, pattern: str = "", **more: Any) -> Header:
    """Describe one header."""
    shape = {"pattern": pattern} if pattern else {}
    return {"type": "string", "description": description, **shape, **more}


def all_of(headers: dict[str, Header]) -> dict[str, Any]:
    """Describe a record's headers: these and no others, none left out."""
    return {"type": "object", "properties": headers, "required": list(headers), "additionalProperties": False}


COMMON: Final = {
    "content-type": text("what the value is", const="application/json"),
    "ce_specversion": text("the version of CloudEvents", const="1.0"),
    "ce_source": text("/autolearn/<database>/<id of the installation>", SOURCE),
    "ce_type": text("what happened; names the schema of the value"),
    "ce_time": text("when it was stored, UTC, never before the one at the position before", TIME, format="date-time"),
}
EVENT_HEADERS: Final = all_of(
    COMMON
    | {
        "ce_id": text("the position; unique within the source", NUMBER),
        "ce_subject": text("the stream"),
        "ce_partitionkey": text("the stream"),
        "ce_sequence": text("the position: 1, 2, 3 … without a hole", NUMBER),
        "ce_streamversion": text("the place in the stream: 1, 2, 3 …", NUMBER),
        "ce_commitfirst": text("the position of the first event of the commit", NUMBER),
        "ce_commitlast": text("the position of the last event of the commit", NUMBER),
        "ce_commandid": text("the command; a command may make several commits", UUID),
        "ce_appendid": text("the commit's own id", UUID),
        "ce_digest": text("SHA-256 of the command's plain body; with its first commit only", r"^([0-9a-f]{64})?$"),
        "ce_commithash": text("the hash of the chain up to and with this commit", SHA256),
    }
)
COMMUNICATION_HEADERS: Final = all_of(
    COMMON
    | {
        "ce_id": text(
            "the position after a word, as events have the bare one; unique within the source",
            f"^communication-{NUMBER[1:]}",
        ),
        "ce_subject": text("the process that wrote it"),
        "ce_sequence": text("the position: 1, 2, 3 … without a hole", NUMBER),
        "ce_writer": text("the process that wrote it"),
        "ce_number": text("the place among those of its writer: 1, 2, 3 …", NUMBER),
        "ce_previous": text(
            "the hash of the record before (of an older version: of the writer's record before), zeros for the first",
            SHA256,
        ),
        "ce_hash": text("the hash of the chain up to and with this record", SHA256),
    }
)
