"""The limits of an audit record's fields: whoever makes a record, and from whatever it came, it stays small."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final, get_type_hints

from projections.ports import AuditRecord

LONGEST: Final = 200  # characters; an idempotency key has 128, an operation about 50
GREATEST: Final = 2**63 - 1  # what both stores can hold
KINDS: Final = get_type_hints(AuditRecord)


def limited(record: AuditRecord) -> AuditRecord:
    """Return it with each field in its limits, and of its type; what does not fit is cut or left out."""
    return replace(record, **{name: _fitting(getattr(record, name), KINDS[name]) for name in KINDS})


def _fitting(value: Any, kind: type) -> Any:
    if kind is str:
        return _text(value)
    if kind is float:
        return float(value) if math.isfinite(value) else 0.0
    return max(0, min(int(value), GREATEST))


def _text(text: str) -> str:
    if len(text) <= LONGEST and text.isascii() and text.isprintable():
        return text
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:LONGEST])
    return shown.encode(errors="replace").decode()
