"""Types of fields, and whether documents are byte for byte what this program stores.

Reading forgives much: an int for a long, a symbol for a string, binary data of another subtype, fields twice or in
another order; and queries by range pass over what is of another type. So `faults_of` reads each document of a
collection in the order of the disk, as bytes, and compares it with what would be stored of what reading it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from types import NoneType
from typing import Any, Final, NamedTuple

from bson import decode, encode
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from adapters.distributed.mongo import Fields, as_ours
from adapters.log.times import EPOCH, from_microseconds

# Texts that are no Unicode and times of no calendar come back as something, which is then not what is stored.
TOLERANT: Final[CodecOptions[Fields]] = CodecOptions(
    tz_aware=True,
    unicode_decode_error_handler="backslashreplace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
UNDECODED: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)
# By the byte that tells a value's type: https://www.mongodb.com/docs/manual/reference/bson-types/
ALIASES: Final = {
    1: "double", 2: "string", 3: "object", 4: "array", 5: "binData", 6: "undefined", 7: "objectId", 8: "bool",
    9: "date", 10: "null", 11: "regex", 13: "javascript", 14: "symbol", 15: "javascriptWithScope", 16: "int",
    17: "timestamp", 18: "long", 19: "decimal", 127: "maxKey", 255: "minKey",
}  # fmt: skip
TYPE: Final = 4  # the byte of an encoded document that tells the type of its first field
MOST_FAULTS: Final = 100  # of one collection

Rewritten = Iterable[Fields]


class FieldType(NamedTuple):
    """What a field may hold: MongoDB's aliases of the types, and the classes that the driver reads them as."""

    aliases: tuple[str, ...]
    classes: frozenset[type]

    @property
    def rule(self) -> Fields:
        return {"bsonType": self.aliases[0] if len(self.aliases) == 1 else [*self.aliases]}


TEXT: Final = FieldType(("string",), frozenset({str}))
OPTIONAL_TEXT: Final = FieldType(("string", "null"), frozenset({str, NoneType}))
INTEGER: Final = FieldType(("int", "long"), frozenset({int, Int64}))
LONG: Final = FieldType(("long",), frozenset({Int64}))
DOUBLE: Final = FieldType(("double",), frozenset({float}))
TRUTH: Final = FieldType(("bool",), frozenset({bool}))
TIME: Final = FieldType(("date",), frozenset({datetime}))
BYTES: Final = FieldType(("binData",), frozenset({bytes}))
ARRAY: Final = FieldType(("array",), frozenset({list}))
OBJECT: Final = FieldType(("object",), frozenset({dict}))


class Shape(NamedTuple):
    """Documents whose `_id` matches have these fields, perhaps those, and no others."""

    id: str
    needed: Mapping[str, FieldType]
    possible: Mapping[str, FieldType]

    def fault(self, stored: Fields) -> str | None:
        """Say what is wrong with a document whose `_id` matches."""
        if lacking := [name for name in self.needed if name not in stored]:
            return f"it lacks {', '.join(lacking)}"
        allowed = {"_id": TEXT, **self.needed, **self.possible}
        wrong = [
            name for name, value in stored.items() if name not in allowed or type(value) not in allowed[name].classes
        ]
        return f"it holds in {', '.join(wrong)} what is not for there" if wrong else None


def object_rule(fields: Mapping[str, Fields]) -> Fields:
    """Return the rule of a JSON schema for an object that needs these fields."""
    return {"bsonType": "object", "required": [*fields], "properties": fields}


class NeverWrittenError(ValueError):
    """No program of ours stores such a document, whatever its types."""


class DocumentFormat(NamedTuple):
    """`what` a document of a collection is; `rewritten`: all that could be stored of what reading it gives.

    One for each version of the program that stored them otherwise, the present one last. It may raise anything.
    """

    what: str
    rewritten: Callable[[Fields], Rewritten]


def faults_of(collection: Collection[Fields], expected: DocumentFormat) -> list[str]:
    """Return what is wrong with the documents of a collection, MOST_FAULTS at most."""
    with as_ours(), collection.with_options(codec_options=UNDECODED).find({}, hint=[("$natural", 1)]) as documents:
        return list(islice(_faults((bytes(it.raw) for it in documents), collection.name, expected), MOST_FAULTS))


def _faults(documents: Iterable[bytes], collection: str, expected: DocumentFormat) -> Iterator[str]:
    for raw in documents:
        if (fault := fault_in(raw, expected)) is not None:
            yield f"document {_id_of(raw)} of {collection} is not a {expected.what}: {fault}"


def fault_in(raw: bytes, expected: DocumentFormat) -> str | None:
    try:
        stored = decode(raw, TOLERANT)
        rewritten = list(expected.rewritten(stored))
        if any(encode(it) == raw for it in rewritten):
            return None
        return _difference(stored, rewritten[-1]) or "it holds a field twice, or of a type that reading does not show"
    except NeverWrittenError as fault:
        return str(fault)
    except Exception as wrong:  # noqa: BLE001 - what is stored can be wrong in any way
        return f"it cannot be read ({type(wrong).__name__}: {str(wrong)[:100]})"


def _id_of(raw: bytes) -> str:
    try:
        return repr(decode(raw, TOLERANT).get("_id"))[:200]
    except BSONError:
        return "of no readable _id"


def whole(stored: Any) -> Any:
    """Return a whole number as it is stored: an int, or a long as the log's positions are."""
    if type(stored) not in INTEGER.classes:
        raise NeverWrittenError(f"{_described(stored)} is where a whole number belongs")
    return stored


def time_of(stored: Any) -> datetime:
    """Return a time that is stored in microseconds; EPOCH for a value that is not a time."""
    try:
        return from_microseconds(stored if type(stored) in INTEGER.classes else 0)
    except OverflowError:
        return EPOCH


def _difference(stored: Any, written: Any, path: str = "") -> str | None:
    """Name the first place where two values are encoded differently; None where they are not, as far as can be seen."""
    if isinstance(stored, dict) and isinstance(written, dict):
        if other := _other_fields(stored, written):
            return f"{path or 'it'} {other}"
        return _first_difference(path, [(name, stored[name], written[name]) for name in written])
    if isinstance(stored, list) and isinstance(written, list) and len(stored) == len(written):
        return _first_difference(path, [(n, *pair) for n, pair in enumerate(zip(stored, written, strict=True))])
    if _bytes(stored) == _bytes(written):
        return None
    one, other = _described(stored), _described(written)
    return f"{path} is {one}, not {other}" if one != other else f"{path} is not what follows from the rest"


def _first_difference(path: str, places: Iterable[tuple[str | int, Any, Any]]) -> str | None:
    begin = f"{path}." if path else ""
    found = (_difference(one, other, f"{begin}{name}") for name, one, other in places)
    return next((it for it in found if it is not None), None)


def _other_fields(stored: Fields, written: Fields) -> str | None:
    if lacking := [name for name in written if name not in stored]:
        return f"lacks {', '.join(lacking)[:200]}"
    if more := [name for name in stored if name not in written]:
        return f"holds {', '.join(more)[:200]} besides"
    return None if [*stored] == [*written] else "has its fields in another order"


def _bytes(value: Any) -> bytes:
    return encode({"": value})


def _described(value: Any) -> str:
    alias = ALIASES.get(_bytes(value)[TYPE], "of an unknown type")
    if isinstance(value, bytes):
        subtype = f" of subtype {value.subtype}" if isinstance(value, Binary) else ""
        return f"{alias}{subtype} of {len(value)} bytes"
    return f"{alias} of length {len(value)}" if isinstance(value, (str, list)) else alias
