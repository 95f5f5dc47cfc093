"""Sessions: a tiny document each (never a list of its experiments), one per membership, which is open; the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain import experiment_events as events
from domain.errors import NotFoundError
from domain.lookup import find_last_number, nearest_names
from domain.search_events import SearchCancelled, SearchCompleted, SearchFailed
from domain.session_events import ExperimentAdded, SearchAdded, SessionCommitted, SessionDiscarded, SessionOpened
from domain.task_status import task_status
from domain.values import session_id
from projections.experiment import KIND as EXPERIMENT
from projections.newest import MOST
from projections.ports import OPEN, Body, Change, Current, Documents, Recorded
from projections.tries import tries_of
from projections.visibility import Viewer

KIND = "session"
OPEN_SESSION = "open-session"
MEMBER = "member"
COMMITTED = "committed-session"  # in the order of a list, newest first
NONE_OPEN = ("session", "state", "opened_at", "closed_at", "message")

# Trainings and searches count from their addition to the session. Reproductions do not: they hold no commit up.
COUNTED = {SearchAdded: +1, events.EvaluationRequested: +1} | dict.fromkeys(
    (
        events.TrainingCompleted, events.TrainingFailed, events.TrainingCancelled,
        events.EvaluationCompleted, events.EvaluationFailed, events.EvaluationCancelled,
        SearchCompleted, SearchFailed, SearchCancelled,
    ),
    -1,
)  # fmt: skip


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    event, of_type = recorded.event, type(recorded.event)
    if of_type in COUNTED:
        return _counted(event, COUNTED[of_type], current)
    change = CHANGES.get(of_type)
    return change(recorded, event, current) if change else []


def _opened(recorded: Recorded, event: SessionOpened, _: Current) -> list[Change]:
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
    return [Change(KIND, name, body, is_new=True), Change(OPEN_SESSION, event.client, {"session": name})]


def _added(_: Recorded, event: ExperimentAdded, current: Current) -> list[Change]:
    name = session_id(event.originator_id)
    before = _session(name, current)
    number = before["experiments"] + 1
    member = Change(MEMBER, f"{name}/{number:04d}", {"experiment": event.experiment}, is_new=True)
    return [Change(KIND, name, {**before, "experiments": number, "unfinished": before["unfinished"] + 1}), member]


def _closed(recorded: Recorded, event: SessionCommitted | SessionDiscarded, current: Current) -> list[Change]:
    name = session_id(event.originator_id)
    before = _session(name, current)
    committed = isinstance(event, SessionCommitted)
    closed = {
        "state": "committed" if committed else "discarded",
        "closed_at": recorded.at.isoformat(),
        "message": event.message if isinstance(event, SessionCommitted) else None,
        "unfinished": 0,
    }
    changes = [Change(KIND, name, {**before, **closed}), Change(OPEN_SESSION, before["owner"], None)]
    return [*changes, _listed(recorded, name, event)] if isinstance(event, SessionCommitted) else changes


def _listed(recorded: Recorded, name: str, event: SessionCommitted) -> Change:
    body = {"position": recorded.commit, "at": recorded.at.isoformat(), "session": name}
    place = f"{OPEN - recorded.commit:019d}"  # ids sort upwards
    return Change(COMMITTED, place, body | {"experiments": len(event.committed)}, is_new=True)


def _counted(event: Any, change: int, current: Current) -> list[Change]:
    kind, _, name = event.originator_id.partition(":")
    session = session_id(event.originator_id) if kind == KIND else (current(kind, name) or {}).get("session")
    before = None if session is None else _session(session, current)
    if before is None or before["state"] != "open":
        return []
    return [Change(KIND, before["session"], {**before, "unfinished": before["unfinished"] + change})]


CHANGES: dict[type[Any], Callable[[Recorded, Any, Current], list[Change]]] = {
    SessionOpened: _opened,
    ExperimentAdded: _added,
    SessionCommitted: _closed,
    SessionDiscarded: _closed,
}


def _session(name: str, current: Current) -> Body:
    body = current(KIND, name)
    if body is None:
        msg = f"session {name} was never opened"
        raise LookupError(msg)
    return body


def session_answer(documents: Documents, viewer: Viewer, name: str | None, at: int) -> Body:
    """Return a session of the viewer's with its experiments; without a name the open one, all null where none is."""
    chosen = name or open_session_of(documents, viewer, at)
    if chosen is None:
        nothing = dict.fromkeys(NONE_OPEN)
        return nothing | {"owner": viewer.client, "unfinished": 0, "tried": {}, "experiments": [], "position": at}
    document = documents.get(KIND, chosen, at)
    if document is None or document.body["owner"] != viewer.client:
        own = [body["session"] for body in _own_sessions(documents, viewer, at)]
        raise NotFoundError.for_name("session", chosen, nearest_names(chosen, own))
    members = [documents.get(EXPERIMENT, member, at) for member in members_of(documents, chosen, at)]
    experiments = [task_status("training", it.body) | {"tried": it.body["tried"]} for it in members if it is not None]
    return document.body | {"tried": tries_of(documents, chosen, at), "experiments": experiments, "position": at}


def sessions_answer(documents: Documents, viewer: Viewer, at: int) -> Body:
    """Return the viewer's newest sessions, newest first; `experiments` is a count here."""
    own = _own_sessions(documents, viewer, at)
    answer = {"sessions": own, "position": at}
    older = int(own[-1]["session"].rpartition("-")[2]) - 1 if own else 0
    return answer | {"note": f"The newest {MOST} sessions; {older} older ones are left out."} if older else answer


def open_session_of(documents: Documents, viewer: Viewer, at: int) -> str | None:
    document = documents.get(OPEN_SESSION, viewer.client, at)
    return document.body["session"] if document else None


def members_of(documents: Documents, name: str, at: int) -> list[str]:
    """Return the ids of a session's experiments, in the order they began."""
    return [document.body["experiment"] for document in documents.versions(MEMBER, at, f"{name}/")]


def _own_sessions(documents: Documents, viewer: Viewer, at: int) -> list[Body]:
    last = find_last_number(lambda number: documents.get(KIND, f"{viewer.client}-{number}", at) is not None)
    numbers = range(last, max(last - MOST, 0), -1)
    found = (documents.get(KIND, f"{viewer.client}-{number}", at) for number in numbers)
    return [document.body for document in found if document is not None]
