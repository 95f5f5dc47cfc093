"""The end of a task that ran here becomes an event, whatever the child answered."""

from __future__ import annotations

import logging

from commands.command_appends import CommandAppends
from commands.ports import DuplicateAppend, TaskBroken, TaskOutcome
from commands.unit_of_work import UnitOfWork
from domain.errors import BadInputError, ConflictError
from domain.experiment import Experiment
from domain.values import EvaluationNotes, Training, experiment_stream

logger = logging.getLogger(__name__)


def record_end(appends: CommandAppends, experiment: str, task: str, attempt: int, outcome: TaskOutcome) -> None:
    """Append `…-completed` or `…-failed`; nothing if the task has ended otherwise.

    Raises NotAbleError and DiskReserveError: then it can be tried again.
    """
    try:
        _append(appends, experiment, task, attempt, outcome)
    except (BadInputError, ValueError, KeyError, TypeError) as unusable:  # too large, or not of the agreed shape
        logger.warning("what %s answered cannot be recorded: %s", task, unusable)
        why = unusable.sentence if isinstance(unusable, BadInputError) else f"it is malformed ({unusable!r})."
        _append(appends, experiment, task, attempt, TaskBroken("error", f"Its result cannot be recorded: {why}"))


def _append(appends: CommandAppends, name: str, task: str, attempt: int, outcome: TaskOutcome) -> None:
    def decision(work: UnitOfWork) -> None:
        experiment, worker = work.get(Experiment, experiment_stream(name)), appends.ports.worker
        it = experiment.tasks[task]
        if not it.is_unfinished:
            return  # cancelled or discarded meanwhile: that was its end
        if isinstance(outcome, TaskBroken):
            experiment.fail(task, attempt, outcome.reason, outcome.detail)
        elif it.kind == "training":
            experiment.complete_training(attempt, worker, Training.model_validate(outcome.facts))
        elif it.kind == "evaluation":
            notes = EvaluationNotes.model_validate(outcome.facts.get("notes", {}))
            experiment.complete_evaluation(task, attempt, worker, outcome.facts["measures"], notes)
        else:
            facts = outcome.facts
            experiment.complete_reproduction(task, attempt, worker, facts["verdict"], facts["differences"])

    try:
        appends.decide(decision)
    except (ConflictError, DuplicateAppend) as late:
        logger.info("the end of %s came late: %s", task, late)
