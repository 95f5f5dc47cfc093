"""Index scans of the history as MongoDB finds them: by one index, which is named, along one field."""

from __future__ import annotations

from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.history_indexes import BY_FACT, BY_NUMBER, NUMBER
from adapters.distributed.read_models.history_rows import (
    entries_within,
    entry,
    field,
    is_scoped,
    scope,
)
from adapters.history.pager import IndexScan, PageRow, Test
from adapters.history.ranges import Ranges, decode, encode, ranges_of
from projections.filters.conditions import And, Not, Or
from projections.ports import Offset


class MongoRows:
    """`adapters.history.pager.Rows` on a collection of rows."""

    budget = 5000

    def __init__(self, rows: Collection[Fields]) -> None:
        self._rows = rows

    def cost(self, scan: IndexScan) -> int:
        """Return 1 for reading a row, and more where rows do not lie side by side and are to be sorted."""
        return 1 if scan.in_order else 2

    def entry(self, scan: IndexScan, number: int) -> Offset | None:
        """Return the n-th entry of a scan in order."""
        path = _path(scan)
        shown = {path: 1} if path == NUMBER else {path: 1, "_id": 0}
        found = self._find(scan, _entries(scan), shown).sort(path, _direction(scan)).skip(number - 1).limit(1)
        return next((_reached(scan, row) for row in found), None)

    def read(self, scan: IndexScan, until: Offset | None, most: int) -> list[PageRow]:
        """Return rows that pass."""
        sort, name = NUMBER, scan.sort.name
        if scan.in_order:
            sort = _path(scan)
        elif scan.sorts_values:
            sort = f"k.all.{field(name)}"
        tests = [_entries(scan, until), _within(scan), *_passing(scan)]
        if scan.after and not scan.by_value:  # by `$expr`, so that no other index is thought of
            beyond = "$lt" if scan.sort.descending else "$gt"
            tests.append({"$expr": {beyond: [f"${sort}", _entry(scan.after)]}})
        found = self._find(scan, {"$and": tests}, {"body": 1, f"f.{field(name)}": 1})
        found = found.sort(sort, _direction(scan)).limit(most).batch_size(most)
        return [PageRow(_offset(scan, row), row["body"]) for row in found]

    def count(self, scan: IndexScan, most: int) -> int:
        """Count a scan's entries."""
        return self._rows.count_documents(_entries(scan), hint=_hint(scan), limit=most)

    def _find(self, scan: IndexScan, where: Fields, shown: Fields) -> Cursor[Fields]:
        return self._rows.find(where, shown).hint(_hint(scan))


def _hint(scan: IndexScan) -> list[tuple[str, int]]:
    return list(BY_NUMBER if scan.index is None else BY_FACT)


def _direction(scan: IndexScan) -> int:
    return pymongo.DESCENDING if scan.sort.descending else pymongo.ASCENDING


def _path(scan: IndexScan) -> str:
    """Return the field along which the index is read."""
    if scan.index is None:
        return NUMBER
    name = scan.index.name
    single = (test.single for test in scan.tests if isinstance(test, Ranges) and test.name == "dataset")
    dataset = next(single, None) if is_scoped(name) else None
    return f"k.{scope(decode(dataset)) if dataset else 'all'}.{field(name)}"


def _entries(scan: IndexScan, until: Offset | None = None) -> Fields:
    """Return the bounds of the index."""
    path, low, high = _path(scan), scan.low, scan.high
    if until is not None and not scan.by_value:
        low, high = (until.n, high) if scan.sort.descending else (low, until.n + 1)
    if scan.index is None:
        return {path: {"$gte": low, "$lt": high}}
    if (key := scan.index.single) is not None:
        return {path: {"$gte": entry(key.hex(), low), "$lt": entry(key.hex(), high)}}
    spans: list[Fields] = [{"$gte": first.hex(), "$lt": last.hex()} for first, last in scan.index.ranges]
    if scan.by_value:
        behind, end = ("$lt", "$gte") if scan.sort.descending else ("$gt", "$lte")
        spans[0] |= {behind: _entry(scan.after)} if scan.after else {}
        spans[0] |= {end: _entry(until)} if until else {}
    return {path: spans[0]} if len(spans) == 1 else {"$or": [{path: span} for span in spans]}


def _within(scan: IndexScan) -> Fields:
    """Say that a row's number is in the window, by the index alone."""
    if scan.index is None or scan.index.single is not None:
        return {}
    return {_path(scan): {"$regex": entries_within(scan.low, scan.high)}}


def _passing(scan: IndexScan) -> list[Fields]:
    """Say that a row was known at the position and passes all tests."""
    known: Fields = {"_id.since": {"$lte": scan.at}, "until": {"$gt": scan.at}}
    if scan.index is not None:
        known[NUMBER] = {"$gte": scan.low, "$lt": scan.high}
    if not scan.withdrawn:
        known["withdrawn"] = False
    if scan.lacking:
        known[f"f.{field(scan.sort.name)}"] = {"$exists": False}
    elif scan.sorts_values:
        known[f"f.{field(scan.sort.name)}"] = {"$exists": True}
    return [known, *map(_holds, scan.tests)]


def _holds(test: Test) -> Fields:
    """Test a row by `f`, which no index covers, so that only the index that was named is read."""
    match test:
        case And(parts):
            return {"$and": [_holds(part) for part in parts]}
        case Or(parts):
            return {"$or": [_holds(part) for part in parts]}
        case Not(part):
            return {"$nor": [_holds(part)]}
        case Ranges("position", ranges):
            spans = [{NUMBER: {"$gte": low, "$lt": high}} for low, high in ranges]
        case Ranges(name, ranges):
            spans = [{f"f.{field(name)}": {"$gte": low.hex(), "$lt": high.hex()}} for low, high in ranges]
        case _:
            return _holds(ranges_of(test))
    return {"$or": spans} if spans else {"$nor": [{}]}


def _entry(offset: Offset) -> str:
    return entry(encode(offset.value).hex(), offset.n)


def _reached(scan: IndexScan, row: Fields) -> Offset:
    found: Any = row
    for name in _path(scan).split("."):
        found = found[name]
    if isinstance(found, int):
        return Offset(found, missing=scan.lacking)
    key, _, n = found.partition(".")
    return Offset(int(n, 16), decode(bytes.fromhex(key)) if scan.by_value else None, scan.lacking)


def _offset(scan: IndexScan, row: Fields) -> Offset:
    value = decode(bytes.fromhex(row["f"][field(scan.sort.name)])) if scan.sorts_values else None
    return Offset(row["_id"]["n"], value, scan.lacking)
