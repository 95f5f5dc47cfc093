"""Values as JSON has them, so that a document in memory equals the same one read back from a store."""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic_core import to_jsonable_python

UNCHANGED = frozenset({str, int, bool, type(None)})
LARGEST = 2**63 - 1


def to_jsonable(value: Any) -> Any:
    """Return the value in what JSON has: dicts, lists, text, truth values, None and finite numbers; others are None."""
    return value if type(value) in UNCHANGED else to_jsonable_python(value, inf_nan_mode="null")


def comparable(value: Any) -> Any:
    """Return the value as filters compare it, one for all equal numbers: 1.0 is 1.

    A whole number that no store could compare exactly is the nearest float, or infinity; lists are their JSON text.
    """
    if type(value) in UNCHANGED and (type(value) is not int or -LARGEST <= value <= LARGEST):
        return value
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= LARGEST else value
    try:
        return value if abs(value) <= LARGEST else float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
