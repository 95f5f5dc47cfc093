"""Conditions as ranges of sortable keys, so that every store compares every value in one way.

A fact's key is a byte for its type, then the value: numbers sort before texts, then none, false, true. The key of a
position is the first row number of its commit, an integer.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from projections.filters.conditions import Between, Compare, IsNone, IsSome, OneOf, Simple
from projections.jsonable import comparable
from projections.ports import OPEN, ROWS_PER_COMMIT

NUMBERS, TEXTS, NONE, FALSE, TRUE, END = b"1", b"2", b"3", b"4", b"5", b"6"

Range = tuple[Any, Any]  # of keys: from the first, up to but without the second


@dataclass(frozen=True, slots=True)
class Ranges:
    """Rows that have the fact `name` (or a `position`) with a key in one of the ranges; ordered and disjoint."""

    name: str
    ranges: tuple[Range, ...]

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys, where each range has one; else none."""
        are_keys = self.name != "position" and all(high == low + b"\x00" for low, high in self.ranges)
        return tuple(low for low, _ in self.ranges) if are_keys else ()

    @property
    def single(self) -> bytes | None:
        """The key, where there is one alone."""
        return self.keys[0] if len(self.keys) == 1 else None

    @property
    def is_compact(self) -> bool:
        """Whether an index leads to the rows: unequal to a value are most of them."""
        return len(self.ranges) == 1 or bool(self.keys)

    def intersect(self, other: Ranges) -> Ranges:
        """Return what lies in the ranges of both."""
        both = ((max(a, c), min(b, d)) for a, b in self.ranges for c, d in other.ranges)
        return Ranges(self.name, tuple(sorted(span for span in both if span[0] < span[1])))


@lru_cache(maxsize=4096, typed=True)  # most values come again
def encode(value: Any) -> bytes:
    """Return the key of a fact's value, as `comparable` gives it."""
    value = comparable(value)
    if value is None:
        return NONE
    if isinstance(value, bool):
        return TRUE if value else FALSE
    return TEXTS + value.encode() if isinstance(value, str) else NUMBERS + _number(value)


@lru_cache(maxsize=4096, typed=True)
def decode(key: bytes) -> Any:
    """Return the value of a key; of one that no value has (in a damaged store) its hexadecimal digits."""
    try:
        value = _decode(key)
        return value if encode(value) == key else key.hex()
    except (ValueError, OverflowError, struct.error):
        return key.hex()


def all_values(name: str) -> Ranges:
    """Return the rows that have a fact."""
    return Ranges(name, ((NUMBERS, END),))


def ranges_of(condition: Simple) -> Ranges:
    """Return the rows for which a condition holds."""
    everything = (0, OPEN) if condition.name == "position" else (NUMBERS, END)
    match condition:
        case IsNone():
            spans = [(NONE, FALSE)]
        case IsSome():
            spans = [(NUMBERS, NONE), (FALSE, END)]
        case OneOf(_, values):
            spans = sorted({_of_value(condition.name, value)[1:3] for value in values})
        case Between(_, low, high):
            spans = [(_of_value(condition.name, low)[1], _of_value(condition.name, high)[2])]
        case Compare(_, operator, value):
            first, begin, end, last = _of_value(condition.name, value)
            before, after = (everything[0], begin), (end, everything[1])
            spans = {
                "=": [(begin, end)],
                "!=": [before, after],
                "<": [(first, begin)],
                "<=": [(first, end)],
                ">": [(end, last)],
                ">=": [(begin, last)],
            }[operator]
    return Ranges(condition.name, tuple(span for span in spans if span[0] < span[1]))


def merge(some: list[Ranges]) -> dict[str, Ranges]:
    """Return one for each name: what is left where all of them hold."""
    names = dict.fromkeys(one.name for one in some)
    return {name: reduce(Ranges.intersect, (one for one in some if one.name == name)) for name in names}


def _of_value(name: str, value: Any) -> tuple[Any, Any, Any, Any]:
    """Return where the values of this type begin, where this value begins and ends, and where the type ends."""
    if name == "position":
        first = max(-1, min(value, OPEN // ROWS_PER_COMMIT)) * ROWS_PER_COMMIT
        return 0, first, first + ROWS_PER_COMMIT, OPEN
    key = encode(value)
    return key[:1], key, key + b"\x00", bytes([key[0] + 1])


def _decode(key: bytes) -> Any:
    constants = {NONE: None, FALSE: False, TRUE: True}
    if key in constants:
        return constants[key]
    if key[:1] == TEXTS:
        return key[1:].decode()
    flipped, more = struct.unpack(">QH", key[1:])
    (near,) = struct.unpack(">d", (flipped ^ (2**63 if flipped >> 63 else 2**64 - 1)).to_bytes(8))
    return int(near) + more if more else comparable(near)


def _number(value: float) -> bytes:
    """Return 8 bytes of the greatest float that is not greater, and 2 of what an integer is more than that."""
    near, more = float(value), 0
    if isinstance(value, int):
        if int(near) > value:
            near = math.nextafter(near, -math.inf)
        more = value - int(near)
    bits = int.from_bytes(struct.pack(">d", near + 0.0))  # + 0.0: minus zero is zero
    return struct.pack(">QH", bits ^ (2**64 - 1 if bits >> 63 else 2**63), more)
