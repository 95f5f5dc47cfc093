"""Values as JSON has them, so that a document in memory equals the same one read back from a store."""

from __future__ import annotations

import math
from typing import Any

UNCHANGED = frozenset({str, int, bool})
LARGEST = 2**63 - 1


def to_jsonable(value: Any) -> Any:
    """Return the value in what JSON has: dicts, lists, text, truth values, None and finite numbers; others are None."""
    if value is None or type(value) in UNCHANGED:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_jsonable(item) for item in value]
    return value


def within_64_bits(value: Any) -> Any:
    """Return the value; a whole number that no store could compare exactly as the nearest other number, or infinity."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) <= LARGEST:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
