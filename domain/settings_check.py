"""Checks settings against the schema in `model-offered`: returns them complete and typed, or names what is allowed."""

from __future__ import annotations

import math
from typing import Any

from domain.errors import BadSettingError, NotFoundError
from domain.lookup import nearest_names

Schema = dict[str, Any]

LARGEST_INTEGER = 2**63 - 1  # what read models, NumPy and most readers of JSON can hold
MOST_SHOWN = 100  # characters of a wrong value


def complete_settings(schema: dict[str, Schema], given: dict[str, Any]) -> dict[str, Any]:
    """Return all settings with their values, given or default."""
    for name in given:
        if name not in schema:
            raise unknown_setting_error(name, sorted(schema))
    settings = {name: described["default"] for name, described in schema.items()}
    for name, value in given.items():
        if not is_allowed(schema[name], value):
            allowed = _explain(schema[name], value)
            raise BadSettingError(
                f"{name} = {shorten(value)} is not allowed: {allowed}.", setting=name, allowed=allowed
            )
        settings[name] = value
    return settings


def unknown_setting_error(name: str, known: list[str]) -> NotFoundError:
    near = nearest_names(name, known)
    if near or not known:
        return NotFoundError.for_name("setting", name, near)
    return NotFoundError(f"There is no setting {name!r}, only {', '.join(known)}.", nearest=[], allowed=known)


def is_allowed(described: Schema, value: Any) -> bool:
    kind = described["type"]
    if kind == "any-of":
        return any(is_allowed(one, value) for one in described["any_of"])
    if kind == "choice":
        return any(type(value) is type(one) and value == one for one in described["choices"])
    if kind in ("boolean", "string"):
        return isinstance(value, bool if kind == "boolean" else str)
    is_integer = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INTEGER
    is_float = kind == "number" and isinstance(value, float) and math.isfinite(value)
    return (is_integer or is_float) and _is_within(described, value)


def _explain(described: Schema, value: Any) -> str:
    """Say what a setting allows, and whether a whole number is too long."""
    long = isinstance(value, int) and not -(2**63) <= value < 2**63 and "<" not in describe_allowed(described)
    return f"{describe_allowed(described)} of at most 64 bits" if long else describe_allowed(described)


def describe_allowed(described: Schema) -> str:
    kind = described["type"]
    if kind == "any-of":
        return " or ".join(dict.fromkeys(describe_allowed(one) for one in described["any_of"]))
    if kind == "choice":
        return "one of " + ", ".join("none" if one is None else str(one) for one in described["choices"])
    if kind in ("integer", "number"):
        return f"{_article(kind)} {kind} {' and '.join(_bounds(described))}".rstrip()
    return f"{_article(kind)} {kind}"


def shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _bounds(described: Schema) -> list[str]:
    signs = {"minimum": ">=", "exclusive_minimum": ">", "maximum": "<=", "exclusive_maximum": "<"}
    return [f"{sign} {described[key]}" for key, sign in signs.items() if described.get(key) is not None]


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _is_within(described: Schema, value: float) -> bool:
    low, above = described.get("minimum"), described.get("exclusive_minimum")
    high, below = described.get("maximum"), described.get("exclusive_maximum")
    return (
        (low is None or value >= low)
        and (above is None or value > above)
        and (high is None or value <= high)
        and (below is None or value < below)
    )
