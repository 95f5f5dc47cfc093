"""How history rows are stored: a document per version.

`{_id: {n, since}, until, withdrawn, model, dataset, actor, session, experiment, at: microseconds since 1970, body: JSON
text, f: {fact: value}, k: {fact: key}, b: {"@" data set: {measure: key}}}`; names and keys as in `history_keys`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic_core import from_json, to_json

from adapters.distributed.document_format import DocumentFormat, whole
from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.documents import json_or_text
from adapters.distributed.read_models.history_keys import field, key, name_of
from adapters.distributed.read_models.version_writes import Write
from projections.jsonable import within_64_bits
from projections.ports import HistoryRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def row_writes(rows: Sequence[HistoryRow]) -> list[Write]:
    """Return what is to be written for new versions of rows; a row's first one is of the commit that numbers it."""
    return [Write({"n": row.n}, row.from_, fields_of(row), 0 if row.from_ == row.n // 1024 else None) for row in rows]


def fields_of(row: HistoryRow) -> Fields:
    """Return what is stored of a version, besides its key and its end."""
    return {
        "withdrawn": row.withdrawn,
        "model": row.model,
        "dataset": row.dataset,
        "actor": row.actor,
        "session": row.body["session"],
        "experiment": row.body["experiment"],
        "at": microseconds(row.committed_at),
        "body": to_json(row.body).decode(),
        "f": {field(name): within_64_bits(value) for name, value in row.facts.items()},
        "k": {field(name): key(value, row.n, row.from_) for name, value in row.facts.items()},
        "b": _board(row),
    }


def board(dataset: str) -> str:
    """Return the field of a data set's measures; no number, as MongoDB takes those for places in arrays."""
    return f"@{field(dataset)}"


def _board(row: HistoryRow) -> Fields:
    measures = {field(name): value for name, value in row.facts.items() if name.startswith("measure.")}
    return {board(row.dataset): {name: key(value, row.n, row.from_) for name, value in measures.items()}}


def row_of(stored: Fields) -> HistoryRow:
    """Read a version; of what is stored twice, a copy that differs must show."""
    n, since = stored["_id"]["n"], stored["_id"]["since"]
    body = json_or_text(stored.get("body"))
    if isinstance(body, dict):
        body |= {name: _same(body.get(name), stored.get(name)) for name in ("session", "experiment")}
    model, dataset, actor = (str(stored.get(name)) for name in ("model", "dataset", "actor"))
    moment, withdrawn = EPOCH + timedelta(microseconds=stored["at"]), bool(stored["withdrawn"])
    facts = _facts(stored, n, since)
    row = HistoryRow(n, since, stored["until"], model, dataset, actor, moment, withdrawn, body, facts)
    if stored.get("b") != _board(row):
        facts["measures by data set"] = _differently(stored.get("b"))
    return row


def _rewritten(stored: Fields) -> Iterator[Fields]:
    n, since, until = (whole(it) for it in (stored["_id"]["n"], stored["_id"]["since"], stored["until"]))
    model, dataset, actor = (str(stored[name]) for name in ("model", "dataset", "actor"))
    at, withdrawn = EPOCH + timedelta(microseconds=int(stored["at"])), bool(stored["withdrawn"])
    facts = {name_of(name): _plain(value) for name, value in stored["f"].items()}
    row = HistoryRow(n, since, until, model, dataset, actor, at, withdrawn, from_json(stored["body"]), facts)
    yield {"_id": {"n": n, "since": since}, "until": until, **fields_of(row), "body": str(stored["body"])}


ROW: Final = DocumentFormat("version of a row", _rewritten)


def _plain(value: Any) -> Any:
    """Return a fact without the driver's own kinds of values."""
    if value is None or isinstance(value, (bool, float)):
        return value
    return whole(value) if isinstance(value, int) else str(value)


def _facts(stored: Fields, n: int, since: int) -> dict[str, Any]:
    values, keys = stored.get("f", {}), stored.get("k", {})
    facts = {name_of(name): value for name, value in values.items()}
    for name in {*values, *keys}:
        if name not in values or keys.get(name) != key(values[name], n, since):
            facts[name_of(name)] = _differently(values.get(name), keys.get(name))
    return facts


def _same(one: Any, other: Any) -> Any:
    return one if one == other else _differently(one, other)


def _differently(*stored: Any) -> str:
    return f"stored differently: {', '.join(map(repr, stored))}"


def microseconds(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970, UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)
