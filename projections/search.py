"""Searches: a document for each, one for each trial, and one that lists it among its owner's; and the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain import search_events as events
from domain.errors import NotFoundError
from domain.lookup import nearest_names, require_single_match
from domain.search import best_of, rank_key
from domain.task_events import AllTasksEnded, TaskFailed, TaskStarted
from domain.task_status import task_status
from domain.values import UNFINISHED, check_id_prefix
from projections.jsonable import to_jsonable
from projections.newest import MOST, Newest
from projections.ports import PAGE_ROWS, Body, Change, Current, Documents, Recorded
from projections.session import KIND as SESSION
from projections.tries import one_more
from projections.visibility import Viewer

KIND = "search"
TRIAL = "trial"
OWN_SEARCH = "own-search"
NO_RESULT: Body = dict.fromkeys(("mean", "std", "folds", "seconds", "lower_is_better", "reason")) | {"warnings": []}
BLANK: Body = {
    "state": "requested",
    "round": 0,
    "proposed": 0,
    "completed": 0,
    "failed": 0,
    "best": None,
    "experiments": [],
    "stopped": None,
    "error": None,
    "ended_at": None,
}
ENDED = ("completed", "failed")
TIMES = ("requested_at", "ended_at")
SHOWN = (
    "trial", "state", "model", "settings", "rows", "mean", "std", "folds", "seconds", "warnings", "reason", "attempt",
)  # fmt: skip


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    event = recorded.event
    name = event.originator_id.partition(":")[2]
    if isinstance(event, events.SearchRequested):
        body = BLANK | to_jsonable(event.facts) | {"requested_at": recorded.at.isoformat()}
        own = Change(OWN_SEARCH, f"{event.owner}/{recorded.position:016d}", {"search": name}, is_new=True)
        return [Change(KIND, name, body, is_new=True), own]
    before = current(KIND, name)
    if before is None:
        msg = f"{event.NAME} about a search that never began"
        raise LookupError(msg)
    if isinstance(event, events.TrialsProposed):
        proposed = Change(KIND, name, {**before, "proposed": before["proposed"] + len(event.trials)})
        return [proposed, *(_proposed(name, trial) for trial in event.trials)]
    changed = _changes_of_trial(event, current)
    if isinstance(event, events.TrialStarted) and event.attempt == 1:
        changed.append(one_more(before["session"], before["dataset"]["name"], current))
    progress = CHANGES.get(type(event))
    if progress is not None:
        changed.append(Change(KIND, name, {**before, **progress(event, before, current)}))
    if isinstance(event, AllTasksEnded):
        changed[-1].body["ended_at"] = recorded.at.isoformat()  # type: ignore[index] # each of these has a body
        changed += _cancelled(name, before, current)
    return changed


def _proposed(search: str, trial: events.Trial) -> Change:
    begun = {"trial": trial.number, "state": "requested", "attempt": 0}
    body = begun | NO_RESULT | to_jsonable(trial.model_dump(exclude={"number"}))
    return Change(TRIAL, f"{search}-t{trial.number}", body, is_new=True)


def _changes_of_trial(event: Any, current: Current) -> list[Change]:
    if isinstance(event, (events.TrialStarted, events.TrialCompleted, events.TrialFailed)):
        before = current(TRIAL, event.task) or {}
        return [Change(TRIAL, event.task, {**before, **_trial_facts(event)})]
    return []


def _trial_facts(event: Any) -> Body:
    if isinstance(event, TaskStarted):
        return {"state": "started", "attempt": event.attempt}
    if isinstance(event, TaskFailed):
        return {"state": "failed", "reason": event.detail or event.reason}
    return {"state": "completed", **to_jsonable(event.result.model_dump())}


def _trial_completed(event: events.TrialCompleted, before: Body, current: Current) -> Body:
    trial = {**(current(TRIAL, event.task) or {}), **_trial_facts(event)}
    best = before["best"] and current(TRIAL, f"{before['search']}-t{before['best']['trial']}")
    is_better = trial["mean"] is not None and (best is None or rank_key(trial) < rank_key(best))
    return {"completed": before["completed"] + 1} | ({"best": best_of(trial)} if is_better else {})


def _cancelled(search: str, before: Body, current: Current) -> list[Change]:
    numbers = range(1, before["proposed"] + 1)
    trials = {task: current(TRIAL, task) or {} for task in (f"{search}-t{number}" for number in numbers)}
    return [
        Change(TRIAL, task, {**trial, "state": "cancelled"})
        for task, trial in trials.items()
        if trial["state"] in UNFINISHED
    ]


CHANGES: dict[type[Any], Callable[[Any, Body, Current], Body]] = {
    events.ProposalRequested: lambda event, _, __: {"round": event.round},
    events.ProposalStarted: lambda _, __, ___: {"state": "started"},
    events.TrialCompleted: _trial_completed,
    events.TrialFailed: lambda _, before, __: {"failed": before["failed"] + 1},
    events.SearchCompleted: lambda event, _, __: {
        "state": "completed",
        "experiments": list(event.experiments),
        "stopped": event.stopped,
    },
    events.SearchFailed: lambda event, _, __: {
        "state": "failed",
        "error": {"reason": event.reason, "detail": event.detail},
    },
    events.SearchCancelled: lambda _, __, ___: {"state": "cancelled"},
}


def search_answer(documents: Documents, viewer: Viewer, given: str, at: int, limit: int = PAGE_ROWS) -> Body:
    """Return a search, named by a unique prefix, with its first `limit` trials: by rank, then those not ended yet."""
    body = _find(documents, viewer, given, at)
    trials = [document.body for document in documents.versions(TRIAL, at, f"{body['search']}-")]
    valued = sorted((it for it in trials if it["mean"] is not None), key=rank_key)
    others = sorted((it for it in trials if it["mean"] is None), key=lambda it: (it["state"] not in ENDED, it["trial"]))
    ended = [*valued, *(it for it in others if it["state"] in ENDED)]
    ranks = {it["trial"]: rank for rank, it in enumerate(ended, 1)}
    board = [{"rank": ranks.get(it["trial"])} | {key: it[key] for key in SHOWN} for it in [*valued, *others]]
    answer = shown(body) | {"trials": board[:limit], "position": at}
    left_out = len(board) - limit
    return answer | {"note": f"{left_out} trials are left out."} if left_out > 0 else answer


def searches_answer(documents: Documents, viewer: Viewer, at: int) -> Body:
    """Return the viewer's newest searches, newest first, without their trials."""
    own = documents.versions(OWN_SEARCH, at, f"{viewer.client}/")
    newest = Newest((document.from_, document.body) for document in own)
    found = (documents.get(KIND, body["search"], at) for body in reversed(list(newest)))
    answer = {"searches": [shown(document.body) for document in found if document is not None], "position": at}
    note = f"The newest {MOST} searches; {newest.left_out} older ones are left out."
    return answer | {"note": note} if newest.left_out else answer


def shown(body: Body) -> Body:
    """Return a search's document as answers have it."""
    return task_status("search", body) | {key: body[key] for key in TIMES}


def _find(documents: Documents, viewer: Viewer, given: str, at: int) -> Body:
    """Find a search that is the viewer's own, or belongs to a session that was committed."""
    found = {it.id: it.body for it in documents.versions(KIND, at, check_id_prefix(given))}
    seen = [name for name, body in found.items() if may_see(documents, viewer, body)]
    if not seen:
        own = (it.body["search"] for it in documents.versions(OWN_SEARCH, at, f"{viewer.client}/"))
        raise NotFoundError.for_name("search", given, nearest_names(given, own))
    return found[require_single_match(given, seen, "searches")]


def may_see(documents: Documents, viewer: Viewer, body: Body) -> bool:
    """Whether a search may be seen: the viewer's own, or one of a session that was committed."""
    session = documents.get(SESSION, body["session"])
    return body["owner"] == viewer.client or (session is not None and session.body["state"] == "committed")
