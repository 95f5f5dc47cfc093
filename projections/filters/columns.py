"""The columns that filters and sort keys know: to add one, add a line here and a version in `projections/fold.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "list", "number", "whole number", "time"]


@dataclass(frozen=True, slots=True)
class HistoryColumn:
    """A column of the history.

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
