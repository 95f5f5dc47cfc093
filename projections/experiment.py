"""Experiments; beside each its remarks, each a document that is written once. Its events are read from the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain import experiment_events as events
from domain.values import NOT_SPLIT, NOTHING_MEASURED, add_measured, experiment_of_stream
from projections.jsonable import to_jsonable
from projections.ports import ROWS_PER_COMMIT, Body, Change, Current, Recorded
from projections.tries import one_more, tried

KIND = "experiment"
ANNOTATION = "annotation"


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    event = recorded.event
    name = experiment_of_stream(event.originator_id)
    if name is None:
        return []
    if type(event) is events.TrainingRequested:
        first = Change(KIND, name, _requested(recorded, event), is_new=True)
        return [first] if event.search is not None else [first, one_more(event.session, event.dataset.name, current)]
    before = current(KIND, name)
    if before is None:
        msg = f"{event.NAME} about an experiment that never began"
        raise LookupError(msg)
    after = _evolved(recorded, before, current)
    changes = [Change(KIND, name, after)] if after != before else []
    if type(event) is events.ExperimentAnnotated:
        id = f"{name}/{recorded.position:016d}"  # ids sort by position
        changes.append(Change(ANNOTATION, id, _remark(recorded, event), is_new=True))
    return changes


def _evolved(recorded: Recorded, before: Body, current: Current) -> Body:
    event = recorded.event
    change = CHANGES.get(type(event))
    if change is None:
        return before
    after = {**before, **change(event, before, recorded)}
    if type(event) is events.ExperimentCommitted:
        after["tried"] = tried(before["session"], before["dataset"]["name"], current)
    return after


def _requested(recorded: Recorded, event: events.TrainingRequested) -> Body:
    asked = {
        "experiment": event.task,
        "session": event.session,
        "search": event.search,
        "dataset": event.dataset.model_dump(),
        "target": event.target,
        "columns": None if event.columns is None else list(event.columns),
        "model": {"name": event.model.name, "version": event.model.version},
        "settings": to_jsonable(event.settings),
        "seed": event.seed,
        "test_size": event.test_size,
        "split": {"request": str(event.split)} | NOT_SPLIT,
        "memory": event.memory,
        "deadline": event.deadline,
        "owner": event.owner,
        "actor": event.owner,
        "distribution": event.model.distribution,
        "requested_at": recorded.at.isoformat(),
    }
    return BLANK | asked | {"open": [event.task]}


def line_of(recorded: Recorded) -> Body:
    """Return an event as `show` lists it."""
    event = recorded.event
    return {
        "position": recorded.position,
        "at": recorded.at.isoformat(),
        "name": event.NAME.rpartition(".")[0],
        "actor": event.metadata.actor,
        "correlation": event.metadata.correlation,
    }


def _remark(recorded: Recorded, event: events.ExperimentAnnotated) -> Body:
    remark = {"text": event.text, "reason": event.reason, "actor": event.metadata.actor}
    return {"position": recorded.position, "at": recorded.at.isoformat(), **remark}


def _without(before: Body, task: str) -> list[str]:
    return [name for name in before["open"] if name != task]


def _ended(event: Any, before: Body, _: Recorded) -> Body:
    return {"open": _without(before, event.task)}


def _task_requested(event: Any, before: Body, _: Recorded) -> Body:
    return {"open": [*before["open"], event.task]}


def _training_started(event: Any, _: Body, __: Recorded) -> Body:
    return {"state": "started", "attempt": event.attempt}


def _training_completed(event: events.TrainingCompleted, before: Body, _: Recorded) -> Body:
    result = event.result
    return {
        "state": "completed",
        "open": _without(before, event.task),
        "learned": to_jsonable(result.learned),
        "warnings": list(result.warnings),
        "fit_seconds": to_jsonable(result.fit_seconds),
        "split": before["split"] | result.split.model_dump(),
        "features": result.features,
        "provenance": to_jsonable(result.provenance),
        "blobs": {"model": result.model_blob.model_dump(), "learned": result.learned_blob.model_dump()},
    }


def _training_failed(event: Any, before: Body, _: Recorded) -> Body:
    error = {"reason": event.reason, "detail": event.detail}
    return {"state": "failed", "error": error, "open": _without(before, event.task)}


def _training_cancelled(event: Any, before: Body, _: Recorded) -> Body:
    return {"state": "cancelled", "open": _without(before, event.task)}


def _evaluation_completed(event: events.EvaluationCompleted, before: Body, _: Recorded) -> Body:
    return {**add_measured(before, to_jsonable(event.told)), "open": _without(before, event.task)}


def _committed(event: Any, before: Body, recorded: Recorded) -> Body:
    return {
        "standing": "committed",
        "committed_at": recorded.at.isoformat(),
        "actor": event.metadata.actor or before["owner"],
        "n": row_number(recorded),
    }


def _discarded(_: Any, before: Body, __: Recorded) -> Body:
    unfinished = before["experiment"] in before["open"]
    return {"standing": "discarded", "open": [], "state": "cancelled" if unfinished else before["state"]}


def row_number(recorded: Recorded) -> int:
    """Return the number `n` of a row of history: by commit, then by the place in it (of at most 1,000 events)."""
    return (recorded.commit + 1) * ROWS_PER_COMMIT - 1 - (recorded.commit - recorded.position)


BLANK: Body = {
    "state": "requested",
    "standing": "uncommitted",
    "attempt": 0,
    "learned": None,
    "features": None,
    "fit_seconds": None,
    "error": None,
    **NOTHING_MEASURED,
    "committed_at": None,
    "tried": None,
    "withdrawn": False,
    "provenance": None,
    "blobs": None,
    "annotations": 0,
    "n": None,
}

CHANGES: dict[type[Any], Callable[[Any, Body, Recorded], Body]] = {
    events.TrainingStarted: _training_started,
    events.TrainingCompleted: _training_completed,
    events.TrainingFailed: _training_failed,
    events.TrainingCancelled: _training_cancelled,
    events.EvaluationRequested: _task_requested,
    events.EvaluationCompleted: _evaluation_completed,
    events.EvaluationFailed: _ended,
    events.EvaluationCancelled: _ended,
    events.ReproductionRequested: _task_requested,
    events.ReproductionCompleted: _ended,
    events.ReproductionFailed: _ended,
    events.ReproductionCancelled: _ended,
    events.ExperimentCommitted: _committed,
    events.ExperimentDiscarded: _discarded,
    events.ExperimentAnnotated: lambda _, before, __: {"annotations": before["annotations"] + 1},
    events.ExperimentWithdrawn: lambda _, __, ___: {"withdrawn": True},
    events.ExperimentRestored: lambda _, __, ___: {"withdrawn": False},
}
