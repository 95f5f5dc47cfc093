"""The columns that filters and sort keys know: to add one, add a line here and a version in `projections/fold.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import getitem
from typing import Any, Final, Literal

Kind = Literal["text", "list", "number", "whole number", "time"]


@dataclass(frozen=True, slots=True)
class HistoryColumn:
    """A column of the history, or of the predictions.

    `path`: where the row has its value, and the experiment's document from which the row is made; () where the row's
    number tells it. A list is compared as one text, its parts joined by commas; none where it is empty or not there.
    """

    name: str
    kind: Kind
    path: tuple[str, ...]

    @property
    def has_order(self) -> bool:
        """Whether one can sort by it."""
        return self.kind not in {"text", "list"}


COLUMNS: Final = {
    column.name: column
    for column in (
        HistoryColumn("model", "text", ("model", "name")),
        HistoryColumn("dataset", "text", ("dataset", "name")),
        HistoryColumn("version", "number", ("dataset", "version")),
        HistoryColumn("target", "text", ("target",)),
        HistoryColumn("columns", "list", ("columns",)),
        HistoryColumn("features", "number", ("features",)),
        HistoryColumn("split", "text", ("split", "request")),
        HistoryColumn("rows", "number", ("split", "train_rows")),
        HistoryColumn("seed", "number", ("seed",)),
        HistoryColumn("fit_seconds", "number", ("fit_seconds",)),
        HistoryColumn("warnings", "list", ("warnings",)),
        HistoryColumn("tried", "number", ("tried",)),
        HistoryColumn("actor", "text", ("actor",)),
        HistoryColumn("session", "text", ("session",)),
        HistoryColumn("experiment", "text", ("experiment",)),
        HistoryColumn("committed_at", "time", ()),
        HistoryColumn("position", "whole number", ()),
    )
}

PREDICTION_COLUMNS: Final = {
    column.name: column
    for column in (
        HistoryColumn("prediction", "text", ("prediction",)),
        HistoryColumn("experiment", "text", ("experiment",)),
        HistoryColumn("actor", "text", ("actor",)),
        HistoryColumn("at", "time", ("at",)),
        HistoryColumn("position", "whole number", ("position",)),
        HistoryColumn("format", "text", ("format",)),
        HistoryColumn("rows", "whole number", ("rows",)),
        HistoryColumn("missing", "whole number", ("missing",)),
        HistoryColumn("unseen", "whole number", ("unseen",)),
        HistoryColumn("beyond", "whole number", ("beyond",)),
        HistoryColumn("seconds", "number", ("seconds",)),
        HistoryColumn("input", "text", ("input", "sha256")),
        HistoryColumn("output", "text", ("output", "sha256")),
    )
}


def value_at(column: HistoryColumn, body: dict[str, Any]) -> Any:
    """Return what a body has in a column that has a path; times as such."""
    value: Any = reduce(getitem, column.path, body)
    return datetime.fromisoformat(value) if column.kind == "time" and value else value
