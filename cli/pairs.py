"""`-p KEY=VALUE`: the value is JSON where it is JSON (and `none`, `True`, …), else a text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import click

WORDS = {"none": None, "null": None, "true": True, "false": False}


def settings_of(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the settings; a pair without `=` or a key twice is refused."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"-p {pair!r}: a setting looks like KEY=VALUE, for example -p C=0.5.")
        if key.strip() in settings:
            raise click.UsageError(f"-p {key.strip()} is given twice.")
        settings[key.strip()] = _finite(key.strip(), value_of(text))
    return settings


def _finite(key: str, value: Any) -> Any:
    """Refuse what JSON cannot carry: 1e400 is read as infinite."""
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, float) and not math.isfinite(part):
            raise click.UsageError(f"{key} = {part} is not allowed: a finite number.")
    return value


def value_of(text: str) -> Any:
    """Return what a text says."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return json.loads(text, parse_constant=str)
    except RecursionError:
        raise click.UsageError("-p: a value is nested too deeply.") from None
    except ValueError:
        return text
