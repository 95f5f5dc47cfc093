"""Every way to change one thing in a BSON document: types, lengths, values, order, fields more and less."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from bson import encode
from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

DOUBLE, TEXT, OBJECT, ARRAY, BINARY, TRUTH, NULL, REGEX, CODE, SYMBOL, INT32, INT64 = (
    1,
    2,
    3,
    4,
    5,
    8,
    10,
    11,
    13,
    14,
    16,
    18,
)
FIXED: Final = {1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0}
SAMPLES: Final[dict[str, Any]] = {
    "double": 1.5,
    "not a number": float("nan"),
    "text": "1",
    "object": {"a": 1},
    "array": [1],
    "binary 0": b"1",
    "binary 3": Binary(b"1" * 16, 3),
    "binary 4": Binary(b"1" * 16, 4),
    "object id": ObjectId("0" * 24),
    "truth": True,
    "date": datetime(2026, 1, 1, tzinfo=UTC),
    "null": None,
    "regular expression": Regex("1"),
    "code": Code("1"),
    "int32": 1,
    "timestamp": Timestamp(1, 1),
    "int64": Int64(1),
    "decimal": Decimal128("1"),
    "least key": MinKey(),
    "greatest key": MaxKey(),
}


class Element(NamedTuple):
    """One field as its bytes."""

    type: int
    name: bytes
    value: bytes


def elements(raw: bytes) -> list[Element]:
    """Take a document apart."""
    found, at = [], 4
    while raw[at]:
        kind, end = raw[at], raw.index(b"\0", at + 1)
        name, begin = raw[at + 1 : end], end + 1
        at = begin + _size(kind, raw, begin)
        found.append(Element(kind, name, raw[begin:at]))
    return found


def _size(kind: int, raw: bytes, at: int) -> int:
    if kind in FIXED:
        return FIXED[kind]
    if kind == REGEX:  # two texts that end with a zero
        return raw.index(b"\0", raw.index(b"\0", at) + 1) + 1 - at
    (length,) = struct.unpack_from("<i", raw, at)
    return int(length) + {OBJECT: 0, ARRAY: 0, BINARY: 5}.get(kind, 4)


def document(fields: list[Element]) -> bytes:
    """Put a document together."""
    inner = b"".join([bytes([it.type]) + it.name + b"\0" + it.value for it in fields])
    return struct.pack("<i", len(inner) + 5) + inner + b"\0"


def changes(raw: bytes, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield what was changed, and the changed document: one thing at a time, on every level."""
    fields = elements(raw)
    for n, it in enumerate(fields):
        here = f"{path}{it.name.decode()}"
        for what, other in _others(it, here):
            yield what, document([*fields[:n], other, *fields[n + 1 :]])
        yield f"{here} removed", document([*fields[:n], *fields[n + 1 :]])
        yield f"{here} twice", document([*fields[:n], it, *fields[n:]])
        yield f"{here} once more at the end", document([*fields, _element(it.name, 7)])
        yield f"{here} renamed", document([*fields[:n], it._replace(name=it.name + b"x"), *fields[n + 1 :]])
        yield f"a field behind {here}", document([*fields[: n + 1], _element(b"zz", 1), *fields[n + 1 :]])
        if n:
            yield f"{here} one place ahead", document([*fields[: n - 1], it, fields[n - 1], *fields[n + 1 :]])


def _others(it: Element, path: str) -> Iterator[tuple[str, Element]]:
    for what, sample in SAMPLES.items():
        other = _element(it.name, sample)
        if other != it:
            yield f"{path} is {what}", other
    for what, other in (*_alike(it), *_values(it)):
        yield f"{path} {what}", other
    yield f"{path} in an array", Element(ARRAY, it.name, document([it._replace(name=b"0")]))
    if it.type in {OBJECT, ARRAY}:
        for what, inner in changes(it.value, f"{path}."):
            yield what, it._replace(value=inner)


def _alike(it: Element) -> Iterator[tuple[str, Element]]:
    """Yield what a query, or the driver, may take for the same."""
    if it.type in {INT32, INT64}:
        yield from _like_number(it)
    elif it.type == TEXT:
        yield "as symbol", it._replace(type=SYMBOL)
        yield "as code", it._replace(type=CODE)
        yield "as binary", _element(it.name, it.value[4:-1])
    elif it.type == BINARY:
        for kind in {0, 3, 4, 5, 6, 128} - {it.value[4]}:
            yield f"of kind {kind}", it._replace(value=it.value[:4] + bytes([kind]) + it.value[5:])
    elif it.type == TRUTH:
        yield "as int32", _element(it.name, it.value[0])
    elif it.type == NULL:
        yield "undefined", it._replace(type=6)


def _like_number(it: Element) -> Iterator[tuple[str, Element]]:
    number = int.from_bytes(it.value, "little", signed=True)
    others: dict[str, Any] = {"double": float(number), "decimal": Decimal128(Decimal(number)), "text": str(number)}
    if it.type == INT32:
        others["int64"] = Int64(number)
    elif abs(number) < 2**31:
        others["int32"] = number
    for what, other in others.items():
        yield f"as {what}", _element(it.name, other)


def _values(it: Element) -> Iterator[tuple[str, Element]]:
    """Yield other values of the same type: longer, shorter, one bit else."""
    if it.type == TEXT:
        text = it.value[4:-1]
        for what, other in (("longer", text + b"x"), ("shorter", text[:-1]), ("else", _flipped(text, 1))):
            if other != text:
                yield what, it._replace(value=struct.pack("<i", len(other) + 1) + other + b"\0")
    if it.type == BINARY:
        kind, data = it.value[4:5], it.value[5:]
        for what, other in (("longer", data + b"x"), ("shorter", data[:-1]), ("else", _flipped(data, 128))):
            yield what, it._replace(value=struct.pack("<i", len(other)) + kind + other)
    if it.type in {INT32, INT64, DOUBLE}:
        yield "one bit else", it._replace(value=bytes([it.value[0] ^ 1]) + it.value[1:])
        yield "negative", it._replace(value=it.value[:-1] + bytes([it.value[-1] ^ 128]))
    if it.type == TRUTH:
        yield "else", it._replace(value=bytes([it.value[0] ^ 1]))


def _flipped(data: bytes, bit: int) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ bit]) + data[middle + 1 :] if data else data


def _element(name: bytes, value: Any) -> Element:
    it = elements(encode({"": value}))[0]
    return it._replace(name=name)
