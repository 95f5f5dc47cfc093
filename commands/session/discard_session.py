"""Discard the caller's session and everything in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from commands.answers import answer_at, event_of
from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import require_open_session
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork
from domain.experiment import Experiment
from domain.search import Search
from domain.session_events import SessionDiscarded
from domain.values import experiment_stream, search_stream, session_id


@dataclass(frozen=True, slots=True)
class DiscardSession:
    """The open session of the caller."""


def discard_session(_: DiscardSession, context: CommandContext) -> StoredAppend | None:
    """Append session-discarded and experiment-discarded for each; what still runs is ended."""

    def decision(work: UnitOfWork) -> list[str]:
        session = require_open_session(work, context.call.client)
        held = [work.get(Experiment, experiment_stream(name)) for name in session.experiments]
        searches = [work.get(Search, search_stream(name)) for name in session.searches]
        session.discard()
        return [*discard_all(held, session_id(session.id)), *cancel_searches(searches)]

    cancelled, appended = context.decide(decision)
    context.tasks.cancel(*cancelled)
    return appended


def discard_all(experiments: Iterable[Experiment], session: str) -> list[str]:
    """Discard experiments with their session; return the tasks that this cancels."""
    cancelled = []
    for experiment in experiments:
        cancelled += [task.id for task in experiment.tasks.values() if task.is_unfinished]
        experiment.discard(session)
    return cancelled


def cancel_searches(searches: Iterable[Search]) -> list[str]:
    """Cancel what is unfinished among the searches of a session that ends; return the tasks that this cancels."""
    cancelled = []
    for search in searches:
        if search.is_unfinished:
            cancelled += [task.id for task in search.unfinished_tasks()]
            search.cancel_all()
    return cancelled


def answer_discarded(_: DiscardSession, appended: StoredAppend, __: CommandContext) -> Answer:
    event = event_of(appended, SessionDiscarded)
    body = {"session": session_id(event.originator_id), "discarded_at": appended.at.isoformat()}
    return answer_at(appended, body | {"discarded": list(event.discarded)})
