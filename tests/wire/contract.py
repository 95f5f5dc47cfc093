"""The published contract as a reader in another language would use it: files alone, no code of AutoLearn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

HERE = "urn:asyncapi"
DOCS = Path(__file__).parents[2] / "docs"


@cache
def contract() -> dict[str, Any]:
    """Return docs/asyncapi.json."""
    return dict(json.loads((DOCS / "asyncapi.json").read_text()))


@cache
def validator(name: str, part: str) -> Draft7Validator:
    """Return the validator of a message's headers or payload."""
    message = contract()["components"]["messages"][name]
    if part == "payload":
        return Draft7Validator(json.loads((DOCS / message["payload"]["schema"]["$ref"]).read_text()))
    # a reference of the document is to a place in the document, so it has to be asked where it stands
    whole = Resource.from_contents(contract(), default_specification=DRAFT7)
    registry: Registry[Any] = Registry().with_resource(HERE, whole)
    return Draft7Validator({"$ref": f"{HERE}#/components/messages/{name}/headers"}, registry=registry)


def violations(headers: Mapping[str, str], value: bytes, key: str = "") -> list[str]:
    """Say what of a record is not as the contract says."""
    name = headers["ce_type"]
    wrong = [*validator(name, "headers").iter_errors(dict(headers))]
    wrong += validator(name, "payload").iter_errors(json.loads(value))
    told = [f"{error.json_path}: {error.message}" for error in wrong]
    return told + ([] if key in ("", headers["ce_subject"]) else [f"the key {key!r} is not the subject"])
