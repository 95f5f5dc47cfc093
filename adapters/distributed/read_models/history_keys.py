"""Facts as texts in the order of the values, then of the rows: one index entry is a place in a sorted history.

A key is `type value number since`. Text, as MongoDB orders binary data by its length first. Numbers, then text, then
none, false, true; an integer and a float of the same value share a key, and stand as exactly apart as they are.
"""

from __future__ import annotations

import math
import re
import struct
from base64 import b64encode
from typing import Any, Final

from projections.jsonable import within_64_bits

NUMBERS, TEXTS, NONE, FALSE, TRUE, END = "1", "2", "3", "4", "5", "6"
BEYOND: Final = "~"  # behind every character of what follows the value
ORDERED: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
)
ESCAPES: Final = {0: "\x01\x01", 1: "\x01\x02"}
NAMES: Final = {"~": "~0", ".": "~1", "$": "~2", "\x00": "~3"}
ALL: Final = (NUMBERS, END)

FIRST, LAST = "-", "z"  # digits
EXACT: Final = 10  # digits of a place that tell its number, but for the last 4 bits
BEFORE_PLACE: Final = rf"^(?:{NUMBERS}.{{14}}|{TEXTS}[^\x00]*\x00|[{NONE}{FALSE}{TRUE}])"

Span = tuple[str, str]  # of keys: from the first, up to but without the second


def field(name: str) -> str:
    """Return a fact's name as a MongoDB field may be called: without dots, dollars and zeros."""
    return "".join(NAMES.get(character, character) for character in name)


def name_of(field: str) -> str:
    """Return the name that a field stands for."""
    for character, escape in reversed(NAMES.items()):
        field = field.replace(escape, character)
    return field


def key(value: Any, n: int, since: int) -> str:
    """Return the key of a row's fact."""
    return prefix(value) + place(n, since)


def place(n: int, since: int) -> str:
    """Return the end of a key: which row, and which version of it."""
    return _text(struct.pack(">QQ", n, since))


def within(low: int, high: int) -> str:
    """Return a regular expression for the keys of rows from one number to another, and of up to 15 more on each side.

    It is tried on index entries alone, so that rows outside of a window need not be read.
    """
    above = f"(?={_at_least(place(low, 0)[:EXACT])})" if low else ""
    return BEFORE_PLACE + above + _at_most(place(high, 0)[:EXACT])


def prefix(value: Any) -> str:
    """Return what the keys of all rows with this value begin with, and no others."""
    value = within_64_bits(value)
    if value is None:
        return NONE
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, str):
        return f"{TEXTS}{value.translate(ESCAPES)}\x00"
    return NUMBERS + _text(_number(value))


def equal(value: Any) -> Span:
    """Return the span of the keys of one value."""
    begin = prefix(value)
    return begin, begin + BEYOND


def below(value: Any, *, included: bool) -> Span:
    """Return the span of the values of the same type that are smaller."""
    begin, end = equal(value)
    return begin[0], end if included else begin


def above(value: Any, *, included: bool) -> Span:
    """Return the span of the values of the same type that are greater."""
    begin, end = equal(value)
    return begin if included else end, chr(ord(begin[0]) + 1)


def _at_least(digits: str) -> str:
    first, rest = digits[0], digits[1:]
    if not rest:
        return f"[{re.escape(first)}-{LAST}]"
    if first == LAST:
        return first + _at_least(rest)
    return f"(?:[{re.escape(chr(ord(first) + 1))}-{LAST}]|{re.escape(first)}{_at_least(rest)})"


def _at_most(digits: str) -> str:
    first, rest = digits[0], digits[1:]
    if not rest:
        return rf"[\{FIRST}-{re.escape(first)}]"
    if first == FIRST:
        return re.escape(first) + _at_most(rest)
    return rf"(?:[\{FIRST}-{re.escape(chr(ord(first) - 1))}]|{re.escape(first)}{_at_most(rest)})"


def _number(value: float) -> bytes:
    """Return 8 bytes of the greatest float that is not greater, and 2 of what an integer is more than that."""
    near = float(value)
    more = 0
    if isinstance(value, int):
        if int(near) > value:
            near = math.nextafter(near, -math.inf)
        more = value - int(near)
    bits = int.from_bytes(struct.pack(">d", near + 0.0), "big")  # + 0.0: minus zero is zero
    flipped = bits ^ (2**64 - 1 if bits >> 63 else 2**63)
    return struct.pack(">QH", flipped, more)


def _text(data: bytes) -> str:
    return b64encode(data).translate(ORDERED, b"=").decode()
