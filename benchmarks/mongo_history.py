"""History pages on MongoDB at 10k and 100k experiments (HISTORY_SIZES=10000,…), now and as of past positions.

The same made-up rows and the same published set as `benchmarks.history`, p50 in ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from time import perf_counter
from uuid import uuid4

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from benchmarks import Figure
from benchmarks.history import NAMES, PUBLISHED, SIZES, milliseconds, rows
from benchmarks.mongo_append import server
from projections.filters.filter import parse, parse_sort
from projections.ports import Batch, HistoryQuery

PATIENCE_SECONDS = 60.0  # filling writes thousands of rows at once


def filled(mongo: Mongo, size: int) -> tuple[MongoHistory, int]:
    """Fill a generation; one row in fifty was evaluated again later and has a second version. Return its head too."""
    read = ReadModels.ensured(mongo)
    documents = ProjectorDocuments(read)
    made = rows(size)
    while piece := list(islice(made, 5000)):
        position = piece[-1].from_
        documents.apply(Batch(position, [], piece))
        again = [
            replace(row, from_=position + 1, facts=row.facts | {"measure.recall:macro": 0.5}) for row in piece[::50]
        ]
        documents.apply(Batch(position + 1, [], again))
    return MongoHistory(read), documents.position()


def measured(history: MongoHistory, head: int, text: str, sort: str) -> list[float]:
    """Return medians: now, page 2 of it, as of 50 %, as of 1 %."""
    where = parse(text, NAMES) if text else None
    medians = []
    for at in (head, head // 2, head // 100):
        query = HistoryQuery(at, where, parse_sort(sort, NAMES))
        median, page = milliseconds(history, query)
        medians.append(median)
        if at == head:
            second = replace(query, after=page.next) if page.next else query
            medians.append(milliseconds(history, second)[0])
    return medians


def of_size(uri: str, size: int) -> Iterator[Figure]:
    """Measure the published set at one size."""
    mongo = Mongo(uri, f"bench-{uuid4().hex[:12]}", seconds=PATIENCE_SECONDS)
    try:
        begun = perf_counter()
        history, head = filled(mongo, size)
        yield Figure(f"MongoDB history {size:,}: filling", size / (perf_counter() - begun), "rows/s")
        for text, sort in PUBLISHED:
            now, second, half, early = measured(history, head, text, sort)
            what = f"MongoDB history {size:,}: {text or 'newest 100'}{f', sort {sort}' if sort else ''}"
            note = f"page 2 {second:.1f} ms; as of 50 % {half:.1f} ms, of 1 % {early:.1f} ms"
            yield Figure(what, now, "ms p50", "<= 10", note)
    finally:
        mongo.client.drop_database(mongo.name)
        mongo.close()


def measure() -> Iterator[Figure]:
    """Measure the published set at each size."""
    with server() as uri:
        for size in SIZES:
            yield from of_size(uri, size)


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.value:8.2f}  {figure.what}  [{figure.note}]")
