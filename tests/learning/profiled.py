"""Profiles of small tables, as the ingest makes them; each has the documented form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from jsonschema import Draft7Validator

from adapters.learning.profiling import profile
from adapters.learning.profiling.suspects import About
from adapters.learning.tables.given import read_given
from tests.wire.json_schemas import SCHEMAS

SCHEMA = Draft7Validator(json.loads((SCHEMAS / "dataset-profile.v1.json").read_text(encoding="utf-8")))


def profile_of(path: Path, target: str = "cls", task: str = "classification", **facts: Any) -> dict[str, Any]:
    """Return the profile of a stored table; it has the documented form."""
    found = profile.make_profile(path, About("mine", target, task, read_given(facts), {}))
    text = json.dumps(found, allow_nan=False)
    SCHEMA.validate(json.loads(text))
    return found


def stored(folder: Path, table: dict[str, Any]) -> Path:
    path = folder / "table.parquet"
    pq.write_table(pa.table(table), path, version="2.6", store_schema=False)
    return path
