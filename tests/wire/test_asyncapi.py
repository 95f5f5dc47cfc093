"""The contract of the topics: the files are as the code has them, valid, and say yes and no to the right values.

The meta schema is `schemas/3.0.0.json` of the npm package @asyncapi/specs 6.11.1 (Apache License 2.0), packed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from adapters.log.upcasters import UPCASTERS
from tests.wire.asyncapi import pages
from tests.wire.contract import DOCS, contract, validator
from tests.wire.json_schemas import COMMUNICATION, schemas

META = Path(__file__).parent / "asyncapi-3.0.0.schema.json.gz"
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.json"))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for below in node:
            yield from references(below)


def faults_of(document: Any) -> list[str]:
    meta = json.loads(gzip.decompress(META.read_bytes()))
    return [error.json_path for error in Draft7Validator(meta).iter_errors(document)]


def test_files_are_as_the_code_has_them() -> None:
    stale = [path.name for path, text in pages().items() if not path.exists() or path.read_text() != text]
    assert stale == [], "run: make events"
    assert {path.stem for path in (DOCS / "schemas").iterdir()} >= set(schemas())


def test_the_document_is_asyncapi_3() -> None:
    assert faults_of(contract()) == []
    assert faults_of(contract() | {"operations": {"publishEvents": {"action": "publish"}}}) != []


def test_every_reference_leads_somewhere() -> None:
    found = set(references(contract()))
    for reference in found:
        file, _, place = reference.partition("#/")
        document = json.loads((DOCS / file).read_text()) if file else contract()
        for step in filter(None, place.split("/")):
            document = document[step]
        assert document
    assert len(found) > 2 * len(schemas())


def test_each_channel_carries_its_messages() -> None:
    channels = contract()["channels"]
    assert set(channels["communications"]["messages"]) == {COMMUNICATION}
    assert set(channels["events"]["messages"]) == {*schemas(), *UPCASTERS} - {COMMUNICATION}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_stored_event_fits_its_schema_and_a_changed_one_does_not(path: Path) -> None:
    fits = validator(path.stem, "payload")
    stored = json.loads(path.read_bytes())
    fits.check_schema(fits.schema)
    fits.validate(stored)
    assert not fits.is_valid(stored | {"more": 1})
    for name in stored:
        assert not fits.is_valid({key: fact for key, fact in stored.items() if key != name})
    assert not fits.is_valid(stored | {"metadata": {"actor": "ana"}})
