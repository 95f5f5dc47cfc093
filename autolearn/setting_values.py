"""Values of settings as a person writes them."""

from __future__ import annotations

import json
from typing import Any

from autolearn.errors import InvalidInputError

WORDS = {"none": None, "null": None, "true": True, "false": False}


def parse_value(text: str) -> Any:
    """Return the value of a text: JSON where it is JSON (and `none`, `True`, …), else the text.

    Raises InvalidInputError for one that is nested too deeply.
    """
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return json.loads(text, parse_constant=str)
    except RecursionError:
        raise InvalidInputError("-p: a value is nested too deeply.") from None
    except ValueError:
        return text


def value_text(value: Any) -> str:
    """Return a text that `parse_value` reads as this value."""
    if value is None:
        return "none"
    if isinstance(value, str) and parse_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)
