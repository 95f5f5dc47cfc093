"""History pages at 10k, 100k and 1M experiments (HISTORY_SIZES=10000,…), now and as of past positions: p50 in ms.

Rows are made up and written straight into the read tables by the row writer of the live projection.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import EmbeddedDocuments
from adapters.embedded.read_models.history import EmbeddedHistory
from benchmarks import Figure
from projections.filters.filter import parse, parse_sort
from projections.filters.vocabulary import Vocabulary
from projections.history import facts_of
from projections.ports import OPEN, Batch, History, HistoryQuery, HistoryRow, Page

SIZES = tuple(int(size) for size in os.environ.get("HISTORY_SIZES", "10000,100000").split(","))
EVENTS_EACH = 8  # of one experiment in the log, so that positions are as far apart as in life
PER_COMMIT = 5
ROUNDS = 15
RARE = 7  # which of many are rare or withdrawn
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
MODELS = ("logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes")
DATASETS = ("iris", "wine", "breast-cancer", "digits", *(f"plant-{number}" for number in range(40)))
CS = (0.001, 0.01, 0.1, 1, 10, 100, 1000)
NAMES = Vocabulary(
    {name: {"default": "macro", "averages": ["macro", "micro"]} for name in ("precision", "recall", "f1")},
    frozenset({"C", "max_iter", "fit_intercept", "class_weight", "max_depth"}),
    frozenset(DATASETS),
)

# The published set: what the figure "p50 <= 10 ms" is stated for. (filter, sort)
PUBLISHED = (
    ("", ""),
    ("model = svm", ""),
    ("dataset = wine and actor = actor-3", ""),
    ("actor = rare", ""),
    ("precision > 0.9", ""),
    ("precision > 0.9 and C in (1, 10)", ""),
    ("precision > 0.9995", ""),
    ("C between 1 and 100 and fit_intercept = true and class_weight = none", ""),
    ("(model = svm or model = naive-bayes) and not recall < 0.5", ""),
    ("committed_at >= 2024-01-01T06:00:00Z and committed_at < 2024-01-02T00:00:00Z and model = svm", ""),
    ("", "-precision"),
    ("", "C"),
    ("precision > 0.9 and C in (1, 10)", "-precision"),
    ("model = svm and dataset = wine", "-precision"),
    ("dataset = plant-7", "recall"),
    ("max_depth = none or max_depth > 5", "-f1"),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled store, its last position, and the seconds that filling took."""

    history: EmbeddedHistory
    database: ReadDatabase
    head: int
    seconds: float


def rows(size: int) -> Iterator[HistoryRow]:
    """Make rows up, in the order of their commits."""
    chance = random.Random(1)  # noqa: S311 - made-up data, the same in every run
    for number in range(size):
        commit = (number // PER_COMMIT + 1) * PER_COMMIT * EVENTS_EACH
        yield _row(number, commit, chance)


def _row(number: int, commit: int, chance: random.Random) -> HistoryRow:
    model, dataset = chance.choice(MODELS), chance.choice(DATASETS)
    actor = "rare" if number % 2000 == RARE else f"actor-{chance.randrange(20)}"
    at = BEGIN + timedelta(seconds=number // PER_COMMIT * 60)
    body = {
        "experiment": f"{number:016x}",
        "committed_at": at.isoformat(),
        "actor": actor,
        "session": f"{actor}-{number // PER_COMMIT}",
        "model": {"name": model, "version": "1.9.1"},
        "dataset": {"name": dataset, "version": 1, "sha256": "0" * 64},
        "withdrawn": number % 500 == RARE,
        **_outcome(chance),
    }
    n = commit * 1024 + 1019 + number % PER_COMMIT
    return HistoryRow(n, commit, OPEN, model, dataset, actor, at, bool(body["withdrawn"]), body, facts_of(body))


def _outcome(chance: random.Random) -> dict[str, Any]:
    precision = 1 - chance.random() ** 2 * 0.7
    measures = {"precision:macro": precision, "recall:macro": chance.random(), "f1:macro": precision * 0.9}
    settings = {
        "C": chance.choice(CS),
        "max_iter": 100,
        "fit_intercept": chance.choice((True, True, True, False)),
        "class_weight": None,
        "max_depth": chance.choice((None, 3, 5, 10)),
    }
    return {"settings": settings, "measures": measures}


def filled(folder: Path, size: int) -> Filled:
    """Fill a store; one row in fifty was evaluated again later and has a second version."""
    database = ReadDatabase(folder / f"history-{size}.sqlite", cache_kib=400_000)
    documents = EmbeddedDocuments(database)
    started = perf_counter()
    made = rows(size)
    while piece := list(islice(made, 5000)):
        position = piece[-1].from_
        documents.apply(Batch(position, [], piece))
        documents.apply(Batch(position + 1, [], [_again(row, position + 1) for row in piece[::50]]))
    head = documents.position()
    return Filled(EmbeddedHistory(database), database, head, perf_counter() - started)


def _again(row: HistoryRow, position: int) -> HistoryRow:
    known = (row.model, row.dataset, row.actor, row.committed_at, row.withdrawn)
    return HistoryRow(row.n, position, OPEN, *known, row.body, row.facts | {"measure.recall:macro": 0.5})


def milliseconds(history: History, query: HistoryQuery) -> tuple[float, Page]:
    """Return the median time of a page, warm, and the page."""
    page = history.page(query)
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        history.page(query)
        times.append((perf_counter() - started) * 1000)
    return statistics.median(times), page


def measured(store: Filled, text: str, sort: str) -> list[float]:
    """Return medians: now, page 2 of it, as of 50 %, as of 1 %."""
    where = parse(text, NAMES) if text else None
    medians = []
    for at in (store.head, store.head // 2, store.head // 100):
        query = HistoryQuery(at, where, parse_sort(sort, NAMES))
        median, page = milliseconds(store.history, query)
        medians.append(median)
        if at == store.head:
            second = HistoryQuery(at, where, query.sort, page.next) if page.next else query
            medians.append(milliseconds(store.history, second)[0])
    return medians


def measure() -> list[Figure]:
    """Measure the published set at each size."""
    figures = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = filled(Path(folder), size)
            for text, sort in PUBLISHED:
                now, second, half, early = measured(store, text, sort)
                what = f"history {size:,}: {text or 'newest 100'}{f', sort {sort}' if sort else ''}"
                note = f"page 2 {second:.1f} ms; as of 50 % {half:.1f} ms, of 1 % {early:.1f} ms"
                figures.append(Figure(what, now, "ms p50", "<= 10", note))
                figures.append(Figure(f"{what}; worst past position beside now", max(half, early) / now, "x", "<= 1.5"))
            store.database.close()
    return figures


if __name__ == "__main__":
    for figure in measure():
        if figure.unit != "x":
            print(f"{figure.value:8.2f}  {figure.what}  [{figure.note}]")
