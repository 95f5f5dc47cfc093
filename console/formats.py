"""How values look on pages: numbers with the same digits, times with zone, long texts cut."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from autolearn.printable import visible

LONGEST = 160  # characters of a text on a page; the rest is told by number and in full by the JSON
SHOWN_OF_DIGEST = 12
ABSENT = "-"
SHA256 = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
LARGE, EXACT = 1e4, 1e15  # between these, a float is easier to read with all its digits


def format_number(value: Any) -> str:
    """Return a number with four digits that count, or any other value of JSON as a text."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= LARGE else str(value)
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0") if LARGE <= abs(value) < EXACT else f"{value:.4g}"
    return format_text(value)


def format_measure(value: float | None) -> str:
    """Return a measure with four decimals, so that a column of them can be read at a glance."""
    if value is None:
        return ABSENT
    return f"{value:.4f}" if abs(value) < LARGE else format_number(value)


def format_text(value: Any, longest: int = LONGEST) -> str:
    """Return any value as a text without invisible characters, cut where it is very long."""
    text = visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"


def format_time(value: str | None) -> str:
    """Return an ISO timestamp as date and time with its zone; the whole one shows on hover."""
    if not value:
        return ABSENT
    try:
        shown = datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M:%S %Z").replace("UTC+00:00", "UTC").strip()
    except ValueError:
        return escape(format_text(value))
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(value, shown)


def format_fact(value: Any) -> str:
    """Return any fact of an experiment: a number, a time, the beginning of a digest, a short list, a text."""
    if isinstance(value, str) and SHA256.fullmatch(value):
        return value[:SHOWN_OF_DIGEST]
    if isinstance(value, str) and TIME.match(value):
        return format_time(value)
    if isinstance(value, list):
        return ", ".join(format_number(it) for it in value)
    return "none" if value is None else format_number(value)


def format_name(value: Mapping[str, Any] | None) -> str:
    """Return `iris@2` for a named thing with its version."""
    return ABSENT if not value else format_text(f"{value.get('name')}@{value.get('version')}")


def format_digest(value: str) -> str:
    return value[:SHOWN_OF_DIGEST]


def format_exact(value: Any) -> Markup:
    r"""Return a text as it is, for a form that sends it back: with a visible `\x1b` it would be another one."""
    return escape("" if value is None else value)


def format_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def format_bytes(value: int) -> str:
    size = float(value)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004 - bytes of a KiB
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


FILTERS = {
    "number": format_number,
    "fact": format_fact,
    "measure": format_measure,
    "text": format_text,
    "time": format_time,
    "versioned": format_name,
    "digest": format_digest,
    "exact": format_exact,
    "pretty": format_json,
    "size": format_bytes,
}
