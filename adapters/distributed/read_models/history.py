"""The history index in MongoDB: pages in a bounded number of steps, now or as of any position."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.distributed.mongo import Fields, as_ours
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history_indexes import BY_NUMBER, NUMBER
from adapters.distributed.read_models.history_rows import row_of
from adapters.distributed.read_models.history_scans import MongoRows
from adapters.history.pager import find_page
from projections.ports import HistoryQuery, HistoryRow, Page

STREAMED = 1000


class MongoHistory:
    """`projections.ports.History` on the read models of MongoDB."""

    def __init__(self, read: ReadModels) -> None:
        self._read = read

    def page(self, query: HistoryQuery) -> Page:
        """Answer within a work budget: p50 <= 10 ms, now or as of any position."""
        with as_ours():
            return find_page(query, MongoRows(self._read.history))

    def versions(self, at: int) -> Iterator[HistoryRow]:
        after = -1
        while rows := self._true_at(after, at):
            yield from (row_of(row) for row in rows)
            after = rows[-1]["_id"]["n"]

    def all_versions(self) -> Iterator[HistoryRow]:
        beyond: Fields = {}
        while rows := self._page_of_all(beyond):
            yield from (row_of(row) for row in rows)
            beyond = {"_id": {"$gt": rows[-1]["_id"]}}

    def _true_at(self, after: int, at: int) -> list[Fields]:
        then = {NUMBER: {"$gt": after}, "_id.since": {"$lte": at}, "until": {"$gt": at}}
        with as_ours():
            found = self._read.history.find(then).sort(NUMBER, 1).hint(list(BY_NUMBER))
            return list(found.limit(STREAMED).batch_size(STREAMED))

    def _page_of_all(self, beyond: Fields) -> list[Fields]:
        with as_ours():
            return list(self._read.history.find(beyond).sort("_id", 1).limit(STREAMED).batch_size(STREAMED))
