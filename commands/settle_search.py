"""Settles a search: once it gets no more trials, or at its deadline, the best are trained in its session."""

from __future__ import annotations

from datetime import datetime

from commands.call import derive_id
from commands.unit_of_work import UnitOfWork
from domain.experiment import Experiment
from domain.search import Search
from domain.session import Session
from domain.values import experiment_stream, stream_of_session


def settle_search(work: UnitOfWork, search: Search, now: datetime) -> None:
    """Complete a search that has all it waits for, or whose time is over; else do nothing."""
    is_overdue = search.is_overdue(now)
    if not (search.is_settled or is_overdue):
        return
    if not search.rank():
        search.stop_without_value("deadline", f"No trial had a value after {search.asked.deadline:g} s.")
        return
    session = work.get(Session, stream_of_session(search.asked.session))
    best = search.choose(min(search.asked.keep, session.room))
    chosen = {derive_id(task.encode()): task for task in best}
    for name, task in chosen.items():
        session.add(name)
        work.get(Experiment, experiment_stream(name)).request_training(**search.training_of(search.trials[task]))
    search.complete([*chosen], "deadline" if is_overdue else search.failed_proposal)
