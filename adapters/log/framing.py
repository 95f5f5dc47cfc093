"""Length-prefixed fields: what is hashed can be read in one way only, wherever a field ends."""

from __future__ import annotations

from struct import Struct

_length = Struct(">I").pack


def framed(*fields: bytes) -> bytes:
    """Return the fields, each after its length as 4 bytes, big-endian."""
    return b"".join([piece for field in fields for piece in (_length(len(field)), field)])


def framed_number(number: int) -> bytes:
    """Return a whole number as a field: 8 bytes, big-endian, signed."""
    return number.to_bytes(8, "big", signed=True)
