"""Sessions: a tiny document each (never a list of what it holds), one per membership, and which one is open."""

from __future__ import annotations

from typing import Any

from domain import experiment_events as events
from domain.session_events import ExperimentAdded, SessionCommitted, SessionDiscarded, SessionOpened
from domain.values import session_id
from projections.change import Body, Change, Current
from projections.experiment import KIND as EXPERIMENT
from projections.experiment import experiment_of
from projections.ports import Recorded

KIND = "session"
OPEN_SESSION = "open-session"
MEMBER = "member"

# A training counts from its addition to the session. Reproductions do not count: they hold no commit up.
UP = (events.EvaluationRequested,)
DOWN = (
    events.TrainingCompleted, events.TrainingFailed, events.TrainingCancelled,
    events.EvaluationCompleted, events.EvaluationFailed, events.EvaluationCancelled,
)  # fmt: skip


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    """Open, count, close."""
    event = recorded.event
    if isinstance(event, SessionOpened):
        return _opened(recorded, event)
    if isinstance(event, ExperimentAdded):
        return _added(event, current)
    if isinstance(event, (SessionCommitted, SessionDiscarded)):
        return _closed(recorded, event, current)
    if isinstance(event, UP):
        return _counted(event, +1, current)
    return _counted(event, -1, current) if isinstance(event, DOWN) else []


def _opened(recorded: Recorded, event: SessionOpened) -> list[Change]:
    name = session_id(event.originator_id)
    body = {
        "session": name,
        "state": "open",
        "owner": event.client,
        "opened_at": recorded.at.isoformat(),
        "closed_at": None,
        "message": None,
        "experiments": 0,
        "unfinished": 0,
    }
    return [Change(KIND, name, body), Change(OPEN_SESSION, event.client, {"session": name})]


def _added(event: ExperimentAdded, current: Current) -> list[Change]:
    name = session_id(event.originator_id)
    before = _session(name, current)
    number = before["experiments"] + 1
    member = Change(MEMBER, f"{name}/{number:04d}", {"experiment": event.experiment})
    return [Change(KIND, name, {**before, "experiments": number, "unfinished": before["unfinished"] + 1}), member]


def _closed(recorded: Recorded, event: SessionCommitted | SessionDiscarded, current: Current) -> list[Change]:
    name = session_id(event.originator_id)
    before = _session(name, current)
    committed = isinstance(event, SessionCommitted)
    told = {
        "state": "committed" if committed else "discarded",
        "closed_at": recorded.at.isoformat(),
        "message": event.message if isinstance(event, SessionCommitted) else None,
        "unfinished": 0,
    }
    return [Change(KIND, name, {**before, **told}), Change(OPEN_SESSION, before["owner"], None)]


def _counted(event: Any, change: int, current: Current) -> list[Change]:
    experiment = current(EXPERIMENT, experiment_of(event.originator_id) or "")
    if experiment is None or experiment["standing"] != "uncommitted":
        return []
    before = _session(experiment["session"], current)
    return [Change(KIND, before["session"], {**before, "unfinished": before["unfinished"] + change})]


def _session(name: str, current: Current) -> Body:
    body = current(KIND, name)
    if body is None:
        msg = f"session {name} was never opened"
        raise LookupError(msg)
    return body
