"""Values of JSON as short texts for a table (cut numbers, times to the second, `none`) and as cells of CSV."""

from __future__ import annotations

import json
import re
from typing import Any

from adapters.host.printable import visible, visible_json

TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
SHA256 = re.compile(r"[0-9a-f]{64}")
# A spreadsheet takes a cell for a formula that begins so, the full-width signs included; where `;` separates cells, the
# rest behind one is a cell of its own.
FORMULA = re.compile(r"(^|;)(?=[\s\"'`]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
SHOWN_OF_DIGEST = 12
LARGE, EXACT = 1e4, 1e15  # between these, a float is read more easily with all its digits


def cell(value: Any) -> str:
    """Return one value as it stands in a table."""
    if isinstance(value, dict):
        return ", ".join(f"{visible(key)}={cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return _scalar(value)


def as_json(value: Any, indent: int | None = None) -> str:
    """Return JSON as people read it."""
    return visible_json(json.dumps(value, indent=indent, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Return one value as it stands in CSV: numbers whole, nothing for null, lists and objects as JSON, no formula."""
    if isinstance(value, list | tuple | dict):
        value = as_json(value)
    if isinstance(value, bool):
        return str(value).lower()
    return FORMULA.sub(r"\1'", visible(value)) if isinstance(value, str) else "" if value is None else value


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
    text = visible(str(value))
    if match := TIME.fullmatch(text):
        return f"{match[1]} {match[2]}Z"
    return text[:SHOWN_OF_DIGEST] if SHA256.fullmatch(text) else text
