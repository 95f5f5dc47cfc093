"""History pages at 10k and 100k experiments (HISTORY_SIZES=10000,…), now and as of past positions: p50 in ms.

Rows are made up and written straight into the read tables by the row writer of the live projection. The long table of
all cases goes to stderr.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.history import SqliteHistory
from benchmarks import Figure
from projections.experiment import BLANK
from projections.filters.filter import parse, parse_sort
from projections.filters.vocabulary import Vocabulary
from projections.history import SHOWN, facts_of
from projections.history_answers import in_positions
from projections.ports import OPEN, Batch, Documents, History, HistoryQuery, HistoryRow, Page

SIZES = tuple(int(size) for size in os.environ.get("HISTORY_SIZES", "10000,100000").split(","))
EVENTS_EACH = 8  # of one experiment in the log, so that positions are as far apart as in life
PER_COMMIT = 5
ROUNDS = 7
RARE = 7  # which of many are rare or withdrawn
TEN = 10  # the first rows, which some filters match
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
EVERY = timedelta(minutes=1)
MODELS = ("logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes")
DATASETS = ("iris", "wine", "breast-cancer", "digits", *(f"plant-{number}" for number in range(40)))
CS = (0.001, 0.01, 0.1, 1, 10, 100, 1000)
NAMES = Vocabulary(
    {name: {"default": "macro", "averages": ["macro", "micro"]} for name in ("precision", "recall", "f1", "rare")},
    frozenset({"C", "max_iter", "fit_intercept", "class_weight", "max_depth", "half", "parity", "tag"}),
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


# Filters that match 0, 1 and 10 rows, the oldest and least precise ones, sorted in every way. An index leads to some of
# them, to others none does: half and parity are common and never meet.
FAR = (
    "actor = nobody",
    "precision > 2",
    "tag = one",
    "precision between 0.195 and 0.205",
    "tag = ten",
    "model = svm and precision < 0.195",
    "half = a and parity = 1",
    "not precision <= 2",
    "not precision >= 0.195",
    "tag = ten or precision > 2",
)
NO_INDEX = 6  # from here on no index leads to the rows
ADVERSARIAL = tuple((text, sort) for text in FAR for sort in ("", "committed_at", "-precision", "C", "rare"))


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled store, its last position, and the seconds that filling took."""

    history: History
    end: int
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
    body: dict[str, Any] = {
        **{name: BLANK.get(name) for name in SHOWN},
        "experiment": f"{number:016x}",
        "committed_at": (BEGIN + number // PER_COMMIT * EVERY).isoformat(),
        "actor": actor,
        "session": f"{actor}-{number // PER_COMMIT}",
        "model": {"name": model, "version": "1.9.1"},
        "dataset": {"name": dataset, "version": 1, "sha256": "0" * 64},
        "target": "class",
        "features": 13,
        "split": {"request": "random", "train_rows": 133, "test_rows": 45, "sha256": f"{number:064x}"},
        "seed": number,
        "fit_seconds": 0.01,
        "tried": number % PER_COMMIT,
        "withdrawn": number % 500 == RARE + 100,
        **_outcome(number, chance),
    }
    return HistoryRow(commit * 1024 + 1019 + number % PER_COMMIT, commit, OPEN, body["withdrawn"], body, facts_of(body))


def _outcome(number: int, chance: random.Random) -> dict[str, Any]:
    precision = 1 - chance.random() ** 2 * 0.7
    measures = {"precision:macro": precision, "recall:macro": chance.random(), "f1:macro": precision * 0.9}
    settings = {
        "C": chance.choice(CS),
        "max_iter": 100,
        "fit_intercept": chance.choice((True, True, True, False)),
        "class_weight": None,
        "max_depth": chance.choice((None, 3, 5, 10)),
        "half": "ab"[number % 2],
        "parity": number % 2,
    }
    if number <= TEN:
        measures |= {"precision:macro": 0.2 if number == TEN else 0.19, "rare:macro": number / TEN}
        settings |= {"C": 5000, "tag": "one" if number == TEN else "ten"}
    return {"settings": settings, "measures": measures}


def position_at(moment: datetime) -> int:
    """Return the position of the last commit until a time."""
    return max(0, int((moment - BEGIN) / EVERY) + 1) * PER_COMMIT * EVENTS_EACH


def fill(documents: Documents, size: int) -> None:
    """Fill a store; one row in fifty was evaluated again later and has a second version."""
    made = rows(size)
    while piece := list(islice(made, 5000)):
        position = piece[-1].from_
        again = {"measure.recall:macro": 0.5}
        later = [replace(row, from_=position + 1, facts=row.facts | again) for row in piece[TEN + 1 :: 50]]
        documents.apply(Batch(position, [], piece))
        documents.apply(Batch(position + 1, [], later))


def milliseconds(history: History, query: HistoryQuery) -> tuple[float, Page]:
    """Return the median time of a page, warm, and the page."""
    page = history.page(query)
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        history.page(query)
        times.append((perf_counter() - started) * 1000)
    return statistics.median(times), page


@dataclass(frozen=True, slots=True)
class Measured:
    """A case and its medians in ms: now, page 2 of it, as of 50 % and of 1 %."""

    case: str
    now: float
    second: float
    half: float
    early: float

    @property
    def worst(self) -> float:
        """The slowest of the four."""
        return max(self.now, self.second, self.half, self.early)

    def __str__(self) -> str:
        """Return a line of the long table."""
        times = f"{self.now:7.2f} {self.second:7.2f} {self.half:7.2f} {self.early:7.2f}"
        return f"{times}  {self.case}"


def measured(store: Filled, text: str, sort: str) -> Measured:
    """Measure one case."""
    where = in_positions(parse(text, NAMES), position_at) if text else None
    query = HistoryQuery(store.end, where, parse_sort(sort, NAMES))
    now, page = milliseconds(store.history, query)
    second, _ = milliseconds(store.history, replace(query, after=page.next)) if page.next else (now, page)
    half, early = (milliseconds(store.history, replace(query, at=store.end // part))[0] for part in (2, 100))
    return Measured(f"{text or 'newest 100'}{f', sort {sort}' if sort else ''}", now, second, half, early)


def figures(name: str, store: Filled, size: int) -> Iterator[Figure]:
    """Measure all cases: the worst of the published set, and of filters that match next to nothing."""
    yield Figure(f"{name} {size:,}: filling", size / store.seconds, "rows/s")
    published = [measured(store, text, sort) for text, sort in PUBLISHED]
    far = [measured(store, text, sort) for text, sort in ADVERSARIAL]
    led = len(far) * NO_INDEX // len(FAR)
    sets = {"published set": published, "0-10 rows": far[:led], "0-10 rows, no index leads there": far[led:]}
    for what, cases in sets.items():
        print(f"\n{name} {size:,}, {what}\n    now  page 2    50 %     1 %", *cases, sep="\n", file=sys.stderr)
        now, past = max(cases, key=lambda it: it.now), max(cases, key=lambda it: max(it.half, it.early))
        yield Figure(f"{name} {size:,}, {what}: slowest page", now.now, "ms p50", "<= 10", now.case)
        slowest = max(past.half, past.early)
        note = f"{past.case}; {slowest / past.now:.2g}x of now"
        yield Figure(f"{name} {size:,}, {what}: slowest past page", slowest, "ms p50", "<= 10", note)


def filled(folder: Path, size: int) -> tuple[Filled, ReadDatabase]:
    """Fill SQLite."""
    database = ReadDatabase(folder / f"history-{size}.sqlite", cache_kib=400_000)
    started = perf_counter()
    fill(SqliteDocuments(database), size)
    seconds = perf_counter() - started
    return Filled(SqliteHistory(database), SqliteDocuments(database).position(), seconds), database


def measure() -> list[Figure]:
    """Measure all cases at each size."""
    found: list[Figure] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store, database = filled(Path(folder), size)
            found.extend(figures("history", store, size))
            database.close()
    return found


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.value:8.2f}  {figure.what}  [{figure.note}]")
