"""The end of a task that ran here becomes an event, whatever the child answered."""

from __future__ import annotations

import logging
from typing import Any

from commands.command_appends import CommandAppends
from commands.ports import DuplicateAppend, TaskBroken, TaskOutcome
from commands.task_owners import get_owner
from commands.unit_of_work import UnitOfWork
from domain.errors import BadInputError, ConflictError
from domain.experiment import Experiment
from domain.values import EvaluationNotes, Training

logger = logging.getLogger(__name__)


def record_end(appends: CommandAppends, task: str, attempt: int, outcome: TaskOutcome) -> None:
    """Append `…-completed` or `…-failed`; nothing if the task has ended otherwise.

    Raises NotAbleError and DiskReserveError: then it can be tried again.
    """
    try:
        _append(appends, task, attempt, outcome)
    except (BadInputError, ValueError, KeyError, TypeError) as unusable:  # too large, or not of the agreed shape
        logger.warning("what %s answered cannot be recorded: %s", task, unusable)
        why = unusable.sentence if isinstance(unusable, BadInputError) else f"it is malformed ({unusable!r})."
        _append(appends, task, attempt, TaskBroken("error", f"Its result cannot be recorded: {why}"))


def _append(appends: CommandAppends, task: str, attempt: int, outcome: TaskOutcome) -> None:
    def decision(work: UnitOfWork) -> None:
        owner = get_owner(work, task)
        if not owner.tasks[task].is_unfinished:
            return  # cancelled or discarded meanwhile: that was its end
        if isinstance(outcome, TaskBroken):
            owner.fail(task, attempt, outcome.reason, outcome.detail)
        elif isinstance(owner, Experiment):
            _complete(owner, task, attempt, appends.ports.worker, outcome.facts)

    try:
        appends.decide(decision)
    except (ConflictError, DuplicateAppend) as late:
        logger.info("the end of %s came late: %s", task, late)


def _complete(experiment: Experiment, task: str, attempt: int, worker: str, facts: dict[str, Any]) -> None:
    kind = experiment.tasks[task].kind
    if kind == "training":
        experiment.complete_training(attempt, worker, Training.model_validate(facts))
    elif kind == "evaluation":
        notes = EvaluationNotes.model_validate(facts.get("notes", {}))
        experiment.complete_evaluation(task, attempt, worker, facts["measures"], notes)
    else:
        experiment.complete_reproduction(task, attempt, worker, facts["verdict"], facts["differences"])
