"""Values of facts and times as SQLite keeps and orders them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from projections.jsonable import within_64_bits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NONE, FALSE, TRUE = b"\x00", b"\x01", b"\x02"


def encode(value: Any) -> Any:
    """Return what is stored for a value: none and truth values as blobs, which sort behind numbers and text."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return TRUE if value else FALSE
    return microseconds(value) if isinstance(value, datetime) else within_64_bits(value)


def decode(value: Any) -> Any:
    """Return the value that was stored; an unknown blob (of a damaged file) as its hexadecimal digits."""
    if isinstance(value, bytes):
        known = {NONE: None, FALSE: False, TRUE: True}
        return known[value] if value in known else value.hex()
    return value


def microseconds(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970, UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)
