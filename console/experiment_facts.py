"""What the page of an experiment makes of the backend's answers: settings, what was learned, the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autolearn.views import Facts, flatten

MOST_ROWS, MOST_COLUMNS = 50, 24  # of a table of learned parameters
MOST_CLASSES = 40  # of a whole confusion matrix; of more, the pairs that were mistaken most often
MOST_PAIRS = 50
SHADES = 8
LISTED = ("classes", "shape")  # lists that fit into a line
LISTS = {"evaluations": "evaluation", "reproductions": "reproduction", "annotations": "remark"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its value; whether it is another than the default, and what it does, where that is known."""

    name: str
    value: Any
    default: Any
    is_changed: bool
    what: str


@dataclass(frozen=True, slots=True)
class LearnedTable:
    """Learned numbers in rows; `size` says how many there are where not all are shown."""

    name: str
    rows: list[list[Any]]
    size: str


@dataclass(frozen=True, slots=True)
class Learned:
    facts: Facts
    tables: list[LearnedTable]


@dataclass(frozen=True, slots=True)
class Cell:
    """How many rows of one class were predicted as another, or the same; `shade` says how large a share they are."""

    count: int
    true: str
    predicted: str
    shade: int

    @property
    def is_right(self) -> bool:
        return self.true == self.predicted


@dataclass(frozen=True, slots=True)
class Confusion:
    """Either the whole matrix, or the pairs that were mistaken most often."""

    classes: list[str]
    matrix: list[list[Cell]]
    pairs: list[Cell]


def settings_of(settings: Facts, model: Facts | None) -> list[Setting]:
    """Return the settings, first those that are not the model's defaults."""
    schema = (model or {}).get("settings") or {}
    found = [
        Setting(
            name,
            value,
            schema.get(name, {}).get("default"),
            name in schema and schema[name].get("default") != value,
            schema.get(name, {}).get("what") or "",
        )
        for name, value in settings.items()
    ]
    return sorted(found, key=lambda it: not it.is_changed)


def learned_of(learned: Facts | None) -> Learned:
    """Return what a training learned as facts and as tables of numbers."""
    facts: Facts = {}
    tables = []
    parts = {name: it for name, it in (learned or {}).items() if name not in ("parameters", "warnings")}
    for name, value in flatten(parts | ((learned or {}).get("parameters") or {})).items():
        if isinstance(value, list) and value and name.rpartition(".")[2] not in LISTED:
            tables.append(_learned_table(name, value))
        elif value not in (None, [], {}):
            facts[name] = value
    return Learned(facts, tables)


def _learned_table(name: str, value: list[Any]) -> LearnedTable:
    rows = [it if isinstance(it, list) else [it] for it in value]
    if all(len(row) == 1 for row in rows):
        rows = [[row[0] for row in rows]]
    columns = max(map(len, rows))
    is_whole = len(rows) <= MOST_ROWS and columns <= MOST_COLUMNS
    shown = [row[:MOST_COLUMNS] for row in rows[:MOST_ROWS]]
    return LearnedTable(name, shown, "" if is_whole else f"{len(rows):,} by {columns:,}")


def confusion_of(report: Facts | None) -> Confusion | None:
    """Return how classes were mistaken for each other; None where there are no classes."""
    confusion = (report or {}).get("confusion")
    if not report or not confusion:
        return None
    names = [str(it["class"]) for it in report["classes"]]
    counts = confusion.get("counts")
    if counts and len(names) <= MOST_CLASSES:
        return Confusion(names, [_cells(names, true, row) for true, row in zip(names, counts, strict=True)], [])
    cells = confusion.get("cells") or [
        [true, predicted, count] for true, row in enumerate(counts) for predicted, count in enumerate(row)
    ]
    wrong = sorted((it for it in cells if it[0] != it[1] and it[2]), key=lambda it: -it[2])[:MOST_PAIRS]
    return Confusion(names, [], [Cell(it[2], names[it[0]], names[it[1]], 0) for it in wrong])


def _cells(names: Sequence[str], true: str, row: Sequence[int]) -> list[Cell]:
    rows = sum(row) or 1
    return [
        Cell(count, true, predicted, round(count / rows * SHADES)) for predicted, count in zip(names, row, strict=True)
    ]


def wrong_rows(report: Facts | None, true: str | None, predicted: str | None) -> list[Facts]:
    """Return the rows that went most wrong: all that the report has, or those of one cell of the matrix."""
    return [
        it
        for it in (report or {}).get("wrong") or []
        if true in (None, str(it["true"])) and predicted in (None, str(it["predicted"]))
    ]


def changed_facts(then: Facts, now: Facts) -> list[str]:
    """Return sentences about what became of an experiment since the moment that the page shows."""
    changed = [
        f"It was {then[name]} then, and is {now[name]} now."
        for name in ("state", "standing")
        if then[name] != now[name]
    ]
    if then["withdrawn"] != now["withdrawn"]:
        changed.append("It was put back into the history since." if then["withdrawn"] else "It was withdrawn since.")
    changed += ["Its measures are others now."] if then["measures"] != now["measures"] else []
    for name, one in LISTS.items():
        more = len(now[name]) - len(then[name])
        changed += [f"{more} {one}{'s' if more > 1 else ''} came later."] if more > 0 else []
    return changed
