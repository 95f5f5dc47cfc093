"""Whether documents are byte for byte what this program stores: types, lengths, order of fields, nothing more.

Reading forgives much: an int32 for an int64, a symbol for a text, binary data of another kind, fields twice or in
another order; and queries by range pass over what is of another type. So each document of a collection is read in the
order of the disk, as bytes, and held against what would be stored of what reading it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from bson import decode, encode
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from adapters.distributed.mongo import Fields, as_ours

# Texts that are no Unicode and times of no calendar come back as something, which is then not what is stored.
TOLERANT: Final[CodecOptions[Fields]] = CodecOptions(
    tz_aware=True,
    unicode_decode_error_handler="backslashreplace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
UNDECODED: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)
TYPES: Final = {
    1: "a double", 2: "a text", 3: "an object", 4: "an array", 5: "binary data", 6: "undefined", 7: "an object id",
    8: "a truth value", 9: "a date", 10: "null", 11: "a regular expression", 13: "code", 14: "a symbol",
    15: "code with scope", 16: "an int32", 17: "a timestamp", 18: "an int64", 19: "a decimal", 127: "the greatest key",
    255: "the least key",
}  # fmt: skip
TYPE: Final = 4  # the byte of an encoded document that tells the type of its first field
MOST_FAULTS: Final = 100  # of one collection

Rewritten = Iterable[Fields]


class NeverWrittenError(ValueError):
    """No program of ours stores such a document, whatever its types."""


class Kind(NamedTuple):
    """`what` a document of a collection is; `rewritten`: all that could be stored of what reading it gives.

    One for each version of the program that stored them otherwise, the present one last. It may raise anything.
    """

    what: str
    rewritten: Callable[[Fields], Rewritten]


def faults_of(collection: Collection[Fields], kind: Kind) -> list[str]:
    """Return what is wrong with the documents of a collection, MOST_FAULTS at most."""
    with as_ours(), _undecoded(collection).find({}, hint=[("$natural", 1)]) as documents:
        return list(islice(_faults((bytes(it.raw) for it in documents), collection.name, kind), MOST_FAULTS))


def _undecoded(collection: Collection[Any]) -> Collection[RawBSONDocument]:
    return collection.with_options(codec_options=UNDECODED)


def _faults(documents: Iterable[bytes], collection: str, kind: Kind) -> Iterator[str]:
    for raw in documents:
        if (fault := fault_in(raw, kind)) is not None:
            yield f"document {_id_of(raw)} of {collection} is no {kind.what}: {fault}"


def fault_in(raw: bytes, kind: Kind) -> str | None:
    """Say what is wrong with one document."""
    try:
        stored = decode(raw, TOLERANT)
        rewritten = list(kind.rewritten(stored))
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
    """Return a whole number as it is stored: an int32, or an int64 as the log's positions are."""
    if type(stored) not in {int, Int64}:
        raise NeverWrittenError(f"{_described(stored)} is where a whole number belongs")
    return stored


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
    told = TYPES.get(_bytes(value)[TYPE], "of an unknown type")
    if isinstance(value, bytes):
        kind = f" of kind {value.subtype}" if isinstance(value, Binary) else ""
        return f"{told}{kind} of {len(value)} bytes"
    return f"{told} of {len(value)}" if isinstance(value, (str, list)) else told
