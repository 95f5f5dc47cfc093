"""Values of JSON as short texts for a table: cut numbers, times to the second, `none`, and what a dictionary holds."""

from __future__ import annotations

import json
import re
from typing import Any

TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
SHA256 = re.compile(r"[0-9a-f]{64}")
# What came from another person must not steer this one's terminal.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SHOWN_OF_DIGEST = 12
LARGE, EXACT = 1e4, 1e15  # between these, a float is read more easily with all its digits


def cell(value: Any) -> str:
    """Return one value as it stands in a table."""
    if isinstance(value, dict):
        return ", ".join(f"{key}={cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return _scalar(value)


def plain(value: Any) -> Any:
    """Return one value as it stands in CSV: numbers whole, nothing for null, lists and objects as JSON."""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value


def flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one, keys joined by dots."""
    columns: dict[str, Any] = {}
    for key, item in value.items():
        columns |= flat(item, f"{before}{key}.") if isinstance(item, dict) else {f"{before}{key}": item}
    return columns


def _scalar(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0") if LARGE <= abs(value) < EXACT else f"{value:.4g}"
    text = UNPRINTABLE.sub(" ", str(value))
    if match := TIME.fullmatch(text):
        return f"{match[1]} {match[2]}Z"
    return text[:SHOWN_OF_DIGEST] if SHA256.fullmatch(text) else text
