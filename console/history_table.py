"""The table of the history: which columns there are, and what each row has in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_MEASURES = 5  # where no columns are chosen
PATHS: Final = {
    "committed_at": ("committed_at",),
    "model": ("model", "name"),
    "dataset": ("dataset", "name"),
    "version": ("dataset", "version"),
    "actor": ("actor",),
    "session": ("session",),
    "target": ("target",),
    "features": ("features",),
    "split": ("split", "request"),
    "rows": ("split", "train_rows"),
    "seed": ("seed",),
    "fit_seconds": ("fit_seconds",),
    "tried": ("tried",),
    "warnings": ("warnings",),
}
USUAL = ("committed_at", "model", "dataset", "actor")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as the template shows it: `kind` is `time`, `measure`, `number` or `text`."""

    kind: str
    value: Any


def usual_columns(rows: Sequence[Row]) -> list[str]:
    """Return what is shown where nothing is chosen: the facts that tell rows apart, and the first measures."""
    measures = dict.fromkeys(name for row in rows for name in row["measures"])
    return [*USUAL, *list(measures)[:MOST_MEASURES]]


def possible_columns(rows: Sequence[Row]) -> list[str]:
    """Return every column that some row has a value in."""
    measures = dict.fromkeys(name for row in rows for name in row["measures"])
    settings = dict.fromkeys(f"setting.{name}" for row in rows for name in row["settings"])
    return [*PATHS, *measures, *settings]


def value_of(row: Row, column: str) -> Any:
    """Return what a row has in a column; None where it has nothing."""
    if column in PATHS:
        value: Any = row
        for part in PATHS[column]:
            value = None if value is None else value.get(part)
        return value
    if column.startswith("setting."):
        return row["settings"].get(column.removeprefix("setting."), "")
    return row["measures"].get(column)


def cell_of(row: Row, column: str) -> Cell:
    value = value_of(row, column)
    if column == "committed_at":
        return Cell("time", value)
    if column == "warnings":
        return Cell("warnings", value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Cell("measure" if column in row["measures"] else "number", value)
    return Cell("text", value)
