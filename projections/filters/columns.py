"""The columns that filters and sort keys know: to add one, add a line here and a version in `projections/fold.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "number", "whole number", "time"]


@dataclass(frozen=True, slots=True)
class HistoryColumn:
    """A column of the history.

    `path`: where the row has its value, and the experiment's document from which the row is made; () where the row's
    number tells it.
    """

    name: str
    kind: Kind
    path: tuple[str, ...]


COLUMNS: Final = {
    column.name: column
    for column in (
        HistoryColumn("model", "text", ("model", "name")),
        HistoryColumn("dataset", "text", ("dataset", "name")),
        HistoryColumn("actor", "text", ("actor",)),
        HistoryColumn("session", "text", ("session",)),
        HistoryColumn("experiment", "text", ("experiment",)),
        HistoryColumn("committed_at", "time", ()),
        HistoryColumn("position", "whole number", ()),
    )
}
