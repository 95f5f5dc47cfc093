"""How history rows are stored: a document per version.

`{_id: {n, since}, until, withdrawn, body: JSON text, f: {fact: key}, k: {scope: {fact: entry}}}`, keys in hexadecimal.

Tests read `f`, which no index covers. An entry of `k` is `key.number`: its order is that of the values, then of the
rows, so one index of all fields gives every sorted history. The scope `all` has every fact; `@DATASET` has measures
and common columns again, as the best on one data set is what is asked most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic_core import from_json, to_json

from adapters.distributed.document_format import DocumentFormat, whole
from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.documents import json_or_text
from adapters.distributed.read_models.version_writes import Write
from adapters.history.pager import COMMON_COLUMNS
from adapters.history.ranges import decode, encode
from projections.ports import ROWS_PER_COMMIT, HistoryRow

ESCAPES: Final = {"~": "~0", ".": "~1", "$": "~2", "\x00": "~3"}
HEX: Final = "0123456789abcdef"
DIGITS: Final = 16  # of a row number
IN_SCOPES: Final = frozenset(COMMON_COLUMNS) - {"dataset"}
COARSE: Final = 13  # of them tell it but for 12 bits: enough to pass over rows by the index alone


def row_writes(rows: Sequence[HistoryRow]) -> list[Write]:
    """Return what is to be written for new versions of rows; a row's first one is of the commit that numbers it."""
    return [
        Write({"n": row.n}, row.from_, fields_of(row), 0 if row.from_ == row.n // ROWS_PER_COMMIT else None)
        for row in rows
    ]


def fields_of(row: HistoryRow) -> Fields:
    """Return what is stored of a version, besides its id and its end."""
    keys = {field(name): encode(value).hex() for name, value in row.facts.items()}
    return {
        "withdrawn": row.withdrawn,
        "body": to_json(row.body).decode(),
        "f": keys,
        "k": _entries(keys, row),
    }


def row_of(stored: Fields) -> HistoryRow:
    """Read a version, as far as a damaged one can be read; entries that are not those of its facts show as a fact."""
    keys = stored.get("f", {})
    facts = {name_of(name): _value(key) for name, key in keys.items()}
    n, since = stored["_id"]["n"], stored["_id"]["since"]
    body = json_or_text(stored.get("body"))
    row = HistoryRow(n, since, stored["until"], bool(stored["withdrawn"]), body, facts)
    if stored.get("k") != _entries(keys, row):
        facts["entries"] = repr(stored.get("k"))
    return row


def _entries(keys: dict[str, str], row: HistoryRow) -> Fields:
    entries = {name: entry(key, row.n) for name, key in keys.items()}
    scoped = {field(name): entries[field(name)] for name in row.facts if is_scoped(name)}
    return {"all": entries, scope(str(row.facts.get("dataset"))): scoped}


@lru_cache(maxsize=4096)
def field(name: str) -> str:
    """Return a fact's name as a MongoDB field may be called: without dots, dollars and zeros."""
    return "".join(ESCAPES.get(character, character) for character in name)


def name_of(field: str) -> str:
    """Return the name that a field stands for."""
    for character, escape in reversed(ESCAPES.items()):
        field = field.replace(escape, character)
    return field


@lru_cache(maxsize=4096)
def is_scoped(name: str) -> bool:
    """Whether a fact stands in the scope of its data set too."""
    return name.startswith("measure.") or name in IN_SCOPES


def scope(dataset: str) -> str:
    """Return the field of a data set's scope; no number, as MongoDB takes those for places in arrays."""
    return f"@{field(dataset)}"


def entry(key: str, n: int) -> str:
    """Return the index entry of a row's fact; a dot sorts before all digits, so shorter keys come first."""
    return f"{key}.{n:0{DIGITS}x}"


def entries_within(low: int, high: int) -> str:
    """Return a regular expression for the entries of rows with low <= n < high, and of up to 4 commits beside them."""
    first, last = (f"{n:0{DIGITS}x}"[:COARSE] for n in (low, max(high - 1, 0)))
    return rf"^[^.]*\.(?={_digits(first, above=True)})(?:{_digits(last, above=False)})"


def _digits(digits: str, *, above: bool) -> str:
    """Match these digits, or greater ones (else smaller ones) of the same length."""
    others = [HEX[HEX.index(digit) + 1 :] if above else HEX[: HEX.index(digit)] for digit in digits]
    return "|".join([digits, *(f"{digits[:at]}[{other}]" for at, other in enumerate(others) if other)])


def _value(key: Any) -> Any:
    try:
        return decode(bytes.fromhex(key))
    except (TypeError, ValueError):
        return repr(key)


def _rewritten(stored: Fields) -> Iterator[Fields]:
    n, since, until = (whole(it) for it in (stored["_id"]["n"], stored["_id"]["since"], stored["until"]))
    facts = {name_of(name): _value(str(key)) for name, key in stored["f"].items()}
    row = HistoryRow(n, since, until, bool(stored["withdrawn"]), from_json(stored["body"]), facts)
    yield {"_id": {"n": n, "since": since}, "until": until, **fields_of(row), "body": str(stored["body"])}


ROW: Final = DocumentFormat("version of a row", _rewritten)
