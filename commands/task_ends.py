"""The end of a task that ran here becomes an event, whatever the child answered; a killed one is started again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from commands.command_appends import CommandAppends
from commands.ports import DuplicateAppend, Ports, TaskBroken, TaskOutcome, TaskSpec
from commands.settle_search import settle_search
from commands.specifications import required_offers, task_spec
from commands.task_owners import get_owner
from commands.unit_of_work import UnitOfWork
from domain.errors import BadInputError, ConflictError
from domain.experiment import Experiment
from domain.search import Search
from domain.search_events import TrialResult
from domain.task import Task, TaskOwner
from domain.values import MAX_ATTEMPTS, EvaluationNotes, Training

logger = logging.getLogger(__name__)


class Claimed(NamedTuple):
    """A task that was claimed together with the end of another one, or of its own last attempt."""

    task: str
    attempt: int
    spec: TaskSpec | None = None


Announce = Callable[[str], None]


def record_end(
    appends: CommandAppends, task: str, attempt: int, outcome: TaskOutcome, announce: Announce | None = None
) -> Claimed | None:
    """Append `…-completed` or `…-failed`; nothing if the task has ended otherwise.

    A task whose process was killed is claimed again instead, unless that was its last attempt. With `announce`, what
    waits next in a search is claimed in the same append, and announced before. Raises NotAbleError and
    DiskReserveError: then it can be tried again.
    """
    try:
        return _append(appends, task, attempt, outcome, announce)
    except (BadInputError, ValueError, KeyError, TypeError) as unusable:  # too large, or not of the agreed shape
        logger.warning("what %s answered cannot be recorded: %s", task, unusable)
        why = unusable.sentence if isinstance(unusable, BadInputError) else f"it is malformed ({unusable!r})."
        broken = TaskBroken("error", f"Its result cannot be recorded: {why}")
        return _append(appends, task, attempt, broken, announce)


def _append(
    appends: CommandAppends, task: str, attempt: int, outcome: TaskOutcome, announce: Announce | None
) -> Claimed | None:
    worker = appends.ports.worker

    def decision(work: UnitOfWork) -> Claimed | None:
        owner = get_owner(work, task)
        if not owner.tasks[task].is_unfinished:
            return None  # cancelled or discarded meanwhile: that was its end
        it = owner.tasks[task] if _end_or_try_again(owner, task, attempt, worker, outcome) else None
        if isinstance(owner, Search):
            settle_search(work, owner, appends.ports.clock.now())
            it = it or _claim_next(owner, appends.ports, announce)
        return None if it is None else Claimed(it.id, it.attempt, task_spec(work, owner, it.id))

    try:
        claimed, _ = appends.decide(decision)
    except (ConflictError, DuplicateAppend) as late:
        logger.info("the end of %s came late: %s", task, late)
        return None
    return claimed


def describe_loss(last: str) -> str:
    """Return why a task that was lost as often as it may be has failed; `last`: what became of its last attempt."""
    return f"It was lost {MAX_ATTEMPTS} times while it ran, the last time so: {last} Ask for it again."


def _end_or_try_again(owner: TaskOwner, task: str, attempt: int, worker: str, outcome: TaskOutcome) -> bool:
    """End a task; return True if its process was killed and its next attempt has started instead."""
    if isinstance(outcome, TaskBroken):
        if not outcome.is_killed:
            owner.fail(task, attempt, outcome.reason, outcome.detail)
        elif owner.try_again(task, attempt, worker):
            return True
        else:
            owner.fail(task, attempt, "lost", describe_loss(outcome.detail))
    elif isinstance(owner, Search):
        _complete_of_search(owner, task, attempt, worker, outcome.facts)
    elif isinstance(owner, Experiment):
        _complete(owner, task, attempt, worker, outcome.facts)
    return False


def _claim_next(search: Search, ports: Ports, announce: Announce | None) -> Task | None:
    following = search.next_task
    if announce is None or following is None or not ports.launcher.can_run(required_offers(search, following.id)):
        return None
    announce(following.id)
    search.start(following.id, following.attempt + 1, ports.worker)
    return following


def _complete_of_search(search: Search, task: str, attempt: int, worker: str, facts: dict[str, Any]) -> None:
    if search.tasks[task].kind == "trial":
        search.complete_trial(task, attempt, worker, TrialResult.model_validate(facts))
    else:
        search.complete_proposal(task, attempt, worker, facts["trials"], is_last=facts["last"])


def _complete(experiment: Experiment, task: str, attempt: int, worker: str, facts: dict[str, Any]) -> None:
    kind = experiment.tasks[task].kind
    if kind == "training":
        experiment.complete_training(attempt, worker, Training.model_validate(facts))
    elif kind == "evaluation":
        notes = EvaluationNotes.model_validate(facts.get("notes", {}))
        experiment.complete_evaluation(task, attempt, worker, facts["measures"], notes)
    else:
        experiment.complete_reproduction(task, attempt, worker, facts["verdict"], facts["differences"])
