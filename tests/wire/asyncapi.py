"""The contract of both topics for readers in any language: AsyncAPI 3.0 and JSON Schemas, made from the code.

`make events` writes docs/asyncapi.json and docs/schemas; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from adapters.log.upcasters import UPCASTERS
from tests.wire.json_schemas import COMMUNICATION, Schema, schemas
from tests.wire.record_headers import COMMUNICATION_HEADERS, EVENT_HEADERS

DOCS: Final = Path(__file__).parents[2] / "docs"
FORMAT: Final = "application/schema+json;version=draft-07"
KAFKA_BINDING: Final = "0.5.0"
DESCRIPTION: Final = """What AutoLearn publishes to Kafka, for any consumer; nobody else may write there.

Each topic has one partition and keeps everything for ever, so its order is the order of the log: position 1, 2, 3 …
(`ce_sequence`) without a hole. Records are CloudEvents 1.0 in binary mode. The events of one commit are written in one
transaction: read with `isolation.level=read_committed`. Offsets are not positions. `ce_commithash` and `ce_hash` chain
what was stored, so that a reader can prove that nothing was changed."""


def document() -> dict[str, Any]:
    """Return the AsyncAPI document; payloads are references to the files of `docs/schemas`."""
    events = sorted({*schemas(), *UPCASTERS} - {COMMUNICATION})  # records of older names stay in the topic for ever
    info = {"title": "AutoLearn's topics", "version": "1.0.0", "description": DESCRIPTION, "license": {"name": "MIT"}}
    told = "Every event of the log, one record each; key: its stream."
    also_told = "Every call and every handled event, one record each; key: the process that wrote it."
    return {
        "asyncapi": "3.0.0",
        "id": "urn:autolearn:topics",
        "info": info,
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {
            "events": _channel("events", told, events),
            "communications": _channel("communications", also_told, [COMMUNICATION]),
        },
        "operations": {"publishEvents": _publishes("events"), "publishCommunications": _publishes("communications")},
        "components": {
            "schemas": {"eventHeaders": EVENT_HEADERS, "communicationHeaders": COMMUNICATION_HEADERS},
            "messages": {name: _message(name) for name in [*events, COMMUNICATION]},
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "AUTOLEARN_KAFKA"}},
    }


def _channel(topic: str, description: str, names: list[str]) -> dict[str, Any]:
    kept = {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}
    binding = {"partitions": 1, "topicConfiguration": kept, "bindingVersion": KAFKA_BINDING}
    return {
        "address": f"{{database}}.{topic}",
        "description": description,
        "parameters": {"database": {"default": "autolearn", "description": "AUTOLEARN_DATABASE"}},
        "messages": {name: _refers(f"components/messages/{name}") for name in names},
        "bindings": {"kafka": binding},
    }


def _publishes(topic: str) -> dict[str, Any]:
    return {"action": "send", "channel": _refers(f"channels/{topic}")}


def _message(name: str) -> dict[str, Any]:
    schema = schemas().get(name) or json.loads((DOCS / "schemas" / f"{name}.json").read_text())
    headers = "communicationHeaders" if name == COMMUNICATION else "eventHeaders"
    key = {"type": "string", "description": "the writer" if name == COMMUNICATION else "the stream"}
    this_type = {"properties": {"ce_type": {"const": name}}}
    return {
        "name": name,
        "summary": schema["description"].splitlines()[0],
        "contentType": "application/json",
        "headers": {"type": "object", "allOf": [_refers(f"components/schemas/{headers}"), this_type]},
        "payload": {"schemaFormat": FORMAT, "schema": {"$ref": f"./schemas/{name}.json"}},
        "bindings": {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING}},
    }


def _refers(place: str) -> dict[str, str]:
    return {"$ref": f"#/{place}"}


def pages() -> dict[Path, str]:
    """Return all files of the contract, by their places below `docs`."""
    files: dict[str, Schema] = {f"schemas/{name}.json": schema for name, schema in schemas().items()}
    return {DOCS / name: _text(content) for name, content in (files | {"asyncapi.json": document()}).items()}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
