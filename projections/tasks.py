"""Tasks: how evaluations and reproductions go, and a document of every unfinished task, closed when done."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from domain import experiment_events as events
from domain import task_events
from domain.errors import NotReachedError
from domain.values import NOTHING_MEASURED, kind_of_task
from projections.experiment import KIND as EXPERIMENT
from projections.jsonable import to_jsonable
from projections.ports import Body, Change, Current, Documents, Feed, Recorded
from projections.search import KIND as SEARCH

KIND = "task"
EVALUATION = "evaluation"
REPRODUCTION = "reproduction"


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    event: Any = recorded.event
    kind, _, name = event.originator_id.partition(":")
    effect = _effect(type(event))  # type: ignore[arg-type] # mypy takes no class of pydantic for hashable
    if effect == "all end":
        return _discarded(name, current) if kind == EXPERIMENT else _ended_with_search(name, current)
    changes = []
    if effect == "begin":
        owner = {"kind": kind_of_task(event.tasks[0]), kind: name, "position": recorded.position}
        changes += [Change(KIND, task, {"task": task, **owner}, is_new=True) for task in event.tasks]
    elif effect == "ends":
        changes.append(Change(KIND, event.task, None))
    return changes + _follow_up(name, event, current)


@cache  # `isinstance` of a pydantic class takes most of a microsecond
def _effect(event: type[Any]) -> Literal["all end", "begin", "ends", "none"]:
    """Return what an event of this type does to the list of unfinished tasks."""
    if issubclass(event, task_events.AllTasksEnded):
        return "all end"
    if issubclass(event, task_events.TasksRequested):
        return "begin"
    return "ends" if issubclass(event, task_events.Ended) else "none"


def _ended_with_search(name: str, current: Current) -> list[Change]:
    search = current(SEARCH, name) or {"round": 0, "proposed": 0}
    proposals = (f"{name}-p{search['round']}", *(f"{name}-t{number + 1}" for number in range(search["proposed"])))
    return [Change(KIND, task, None) for task in proposals if current(KIND, task) is not None]


def _follow_up(name: str, event: Any, current: Current) -> list[Change]:
    if type(event) is events.EvaluationRequested:
        on = event.on.model_dump() if event.on else None
        asked = {"state": "requested", "attempt": 0, **NOTHING_MEASURED, "on": on, "error": None}
        body = {"evaluation": event.task, "experiment": name, **asked}
        return [Change(EVALUATION, event.task, body, is_new=True)]
    if type(event) is events.ReproductionRequested:
        asked = {"state": "requested", "attempt": 0, "verdict": None, "differences": [], "error": None}
        body = {"reproduction": event.task, "experiment": name, **asked}
        return [Change(REPRODUCTION, event.task, body, is_new=True)]
    change = CHANGES.get(type(event))
    if change is None:
        return []
    kind = kind_of(event.task)
    before = current(kind, event.task)
    if before is None:
        msg = f"{event.NAME} about a task that was never requested"
        raise LookupError(msg)
    return [Change(kind, event.task, {**before, **change(event)})]


def kind_of(task: str) -> str:
    """Return the kind of the document about a task, by its id."""
    kind = kind_of_task(task)
    return EXPERIMENT if kind == "training" else kind


def _discarded(name: str, current: Current) -> list[Change]:
    experiment = current(EXPERIMENT, name) or {"open": []}
    changes = []
    for task in experiment["open"]:
        changes.append(Change(KIND, task, None))
        if task != name and (before := current(kind_of(task), task)):
            changes.append(Change(kind_of(task), task, {**before, "state": "cancelled"}))
    return changes


def _started(event: Any) -> Body:
    return {"state": "started", "attempt": event.attempt}


def _failed(event: Any) -> Body:
    return {"state": "failed", "error": {"reason": event.reason, "detail": event.detail}}


def _cancelled(_: Any) -> Body:
    return {"state": "cancelled"}


CHANGES: dict[type[Any], Callable[[Any], Body]] = {
    events.EvaluationStarted: _started,
    events.EvaluationFailed: _failed,
    events.EvaluationCancelled: _cancelled,
    events.EvaluationCompleted: lambda event: {"state": "completed", **to_jsonable(event.told)},
    events.ReproductionStarted: _started,
    events.ReproductionFailed: _failed,
    events.ReproductionCancelled: _cancelled,
    events.ReproductionCompleted: lambda event: {
        "state": "completed",
        "verdict": event.verdict,
        "differences": list(event.differences),
    },
}


class UnfinishedTasks:
    """Which tasks the log says are unfinished (`commands.ports.OpenTasks`)."""

    def __init__(self, documents: Documents, feed: Feed) -> None:
        self._documents = documents
        self._feed = feed

    def list_unfinished(self, timeout: float) -> list[str]:
        """Return ids of tasks that wait or run as of the end of the log, oldest first; raises NotReachedError."""
        end, _ = self._feed.end()
        if not self._documents.wait(end, timeout):
            raise NotReachedError(f"The read models have not reached position {end}.")
        unfinished = [document.body for document in self._documents.versions(KIND)]
        return [body["task"] for body in sorted(unfinished, key=lambda body: int(body["position"]))]
