"""Blobs of what a task made: their SHA-256 and size, as its answer has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from commands.ports import Blobs


def store_bytes(blobs: Blobs, content: bytes, suffix: str) -> dict[str, Any]:
    path = Path(blobs.scratch(suffix))
    path.write_bytes(content)
    return blobs.put_file(str(path)).model_dump()


def store_json(blobs: Blobs, value: Any) -> dict[str, Any]:
    """Store a value as JSON in UTF-8; raises ValueError for a number that JSON does not have."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return store_bytes(blobs, text.encode(), ".json")
