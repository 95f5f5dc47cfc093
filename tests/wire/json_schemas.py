"""JSON Schemas of what the topics carry, from the classes that write it: one per `ce_type`.

Draft 7, as that is the one draft of JSON Schema that every AsyncAPI tool must read. Events of older names, which only
upcasters know, keep the file that was written when they were current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from adapters.log.events import STORED_BESIDE
from adapters.log.upcasters import UPCASTERS
from domain.events import EVENTS, Event
from projections.ports import AuditRecord

Schema = dict[str, Any]
Field = core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField

SCHEMAS: Final = Path(__file__).parents[2] / "docs" / "schemas"
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
COMMUNICATION: Final = "autolearn.communication.v1"
DEFINITION: Final = "#/definitions/{model}"


class AsStored(GenerateJsonSchema):
    """Schemas of what is written: every field is there, whatever its default, and titles say nothing new."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "serialization") -> JsonSchemaValue:
        """Return the schema, its definitions where draft 7 has them."""
        made = super().generate(schema, mode)
        definitions = made.pop("$defs", None)
        return made | ({"definitions": definitions} if definitions else {})

    def field_is_required(self, field: Field, total: bool) -> bool:
        """Say yes: stored JSON leaves nothing out."""
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Say no: a title would be the field's name once more."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave the default out: it means nothing where every value is there."""
        return self.generate_inner(schema["schema"])


def schemas() -> dict[str, Schema]:
    """Return the schema of each value of the topics by its `ce_type`: every event, older names too; communications."""
    ours = {name: event_schema(it) for name, it in EVENTS.items() if it.__module__.startswith("domain.")}
    older = {name: json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")) for name in UPCASTERS}
    return dict(sorted((ours | older).items())) | {COMMUNICATION: communication_schema()}


def event_schema(event_class: type[Event]) -> Schema:
    """Return the schema of an event's value: metadata and facts; stream and version travel in headers."""
    made = event_class.model_json_schema(ref_template=DEFINITION, schema_generator=AsStored, mode="serialization")
    made["properties"] = {name: it for name, it in made["properties"].items() if name not in STORED_BESIDE}
    made["required"] = [name for name in made["required"] if name not in STORED_BESIDE]
    return {"$schema": DRAFT, "title": event_class.NAME} | without(made, "title")


def communication_schema() -> Schema:
    """Return the schema of a communication's value: its fields; place and chain travel in headers."""
    made = TypeAdapter(AuditRecord).json_schema(
        ref_template=DEFINITION, schema_generator=AsStored, mode="serialization"
    )
    return {"$schema": DRAFT, "title": COMMUNICATION, "additionalProperties": False} | without(made, "title")


def without(schema: Schema, name: str) -> Schema:
    """Return the schema less one keyword."""
    return {keyword: it for keyword, it in schema.items() if keyword != name}
