"""The history: one row per committed experiment, with the facts that filters and sorting use."""

from __future__ import annotations

from functools import reduce
from operator import getitem
from typing import Any

from domain import experiment_events as events
from domain.values import experiment_of_stream
from projections.experiment import KIND
from projections.filters.columns import COLUMNS
from projections.jsonable import comparable
from projections.ports import OPEN, Body, Current, HistoryRow, Recorded

# What changes a row; an annotation does not, because the history does not show it.
CHANGES_A_ROW = {
    events.ExperimentCommitted, events.EvaluationCompleted, events.ExperimentWithdrawn, events.ExperimentRestored,
}  # fmt: skip
ALWAYS_SHOWN = (
    "experiment", "committed_at", "actor", "session", "model", "dataset", "settings", "measures", "intervals", "spread",
    "threshold", "reasons", "positives", "withdrawn",
)  # fmt: skip
SHOWN = tuple(dict.fromkeys((*ALWAYS_SHOWN, *(column.path[0] for column in COLUMNS.values() if column.path))))


def row_of(recorded: Recorded, current: Current) -> HistoryRow | None:
    """Return the row's new version where the event changed one; `current` gives the documents after it."""
    if type(recorded.event) not in CHANGES_A_ROW:
        return None
    experiment = current(KIND, experiment_of_stream(recorded.event.originator_id) or "")
    if experiment is None or experiment["standing"] != "committed":
        return None
    return version_of(experiment, recorded.commit)


def shown(body: Body) -> Body:
    """Return the object of `history`."""
    return {key: body[key] for key in SHOWN}


def version_of(experiment: Body, from_: int) -> HistoryRow:
    """Make a row of a committed experiment's document."""
    shown_of_it = shown(experiment)
    return HistoryRow(experiment["n"], from_, OPEN, experiment["withdrawn"], shown_of_it, facts_of(shown_of_it))


def facts_of(row: Body) -> dict[str, Any]:
    """Name what filters compare of a row's body: columns, measures that are numbers, settings of any kind."""
    columns = {name: _joined(reduce(getitem, column.path, row)) for name, column in COLUMNS.items() if column.path}
    measures = {f"measure.{key}": value for key, value in row["measures"].items() if _is_number(value)}
    measures |= {f"measure.{key}.std": value for key, value in row["spread"].items()}
    settings = {f"setting.{key}": value for key, value in row["settings"].items()}
    return {name: comparable(value) for name, value in (columns | measures | settings).items()}


def _joined(value: Any) -> Any:
    return (",".join(value) or None) if isinstance(value, (list, tuple)) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
