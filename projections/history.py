"""The history: one row per committed experiment, with the facts that filters and sorting use."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from domain import experiment_events as events
from domain.values import experiment_of_stream
from projections.experiment import KIND as EXPERIMENT
from projections.experiment import evolved
from projections.jsonable import within_64_bits
from projections.ports import OPEN, Body, Current, HistoryRow, Recorded

# An annotation touches no row: it changes nothing that the history shows.
TOUCHES = (
    events.ExperimentCommitted, events.EvaluationCompleted, events.ExperimentWithdrawn, events.ExperimentRestored,
)  # fmt: skip
SHOWN = ("experiment", "committed_at", "actor", "session", "model", "dataset", "settings", "measures", "withdrawn")


def row_of(recorded: Recorded, current: Current) -> HistoryRow | None:
    """Return the row's new version where the event changes one."""
    name = experiment_of_stream(recorded.event.originator_id)
    if name is None or not isinstance(recorded.event, TOUCHES):
        return None
    after = evolved(recorded, current(EXPERIMENT, name))
    return version_of(after, recorded.commit) if after["standing"] == "committed" else None


def shown(body: Body) -> Body:
    """Return the object of `history`."""
    return {key: body[key] for key in SHOWN}


def version_of(experiment: Body, from_: int) -> HistoryRow:
    """Make a row of a committed experiment's document."""
    return HistoryRow(
        n=experiment["n"],
        from_=from_,
        to=OPEN,
        model=experiment["model"]["name"],
        dataset=experiment["dataset"]["name"],
        actor=experiment["actor"],
        committed_at=datetime.fromisoformat(experiment["committed_at"]),
        withdrawn=experiment["withdrawn"],
        body=shown(experiment),
        facts=facts_of(experiment),
    )


def facts_of(experiment: Body) -> dict[str, Any]:
    """Name what can be compared: measures that are numbers, settings of any kind (lists as their JSON text)."""
    numbers = {key: value for key, value in experiment["measures"].items() if _is_number(value)}
    measures = {f"measure.{key}": within_64_bits(value) for key, value in numbers.items()}
    return measures | {f"setting.{key}": _comparable(value) for key, value in experiment["settings"].items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _comparable(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    return within_64_bits(value)
