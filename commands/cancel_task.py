"""Cancel a training, evaluation or reproduction that waits or runs: a command of the three services that have tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from commands.answers import answer_at, status_of_task
from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import find_task
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork, load
from domain.errors import ForbiddenError
from domain.experiment import Experiment
from domain.task_events import TaskCancelled


@dataclass(frozen=True, slots=True)
class CancelTask:
    """The id of an evaluation or reproduction, or a prefix of an experiment's."""

    task: str


def cancel_task(command: CancelTask, context: CommandContext) -> StoredAppend | None:
    """Append the cancellation, then end the process if it runs here; elsewhere its own service sees the event."""

    def decision(work: UnitOfWork) -> str:
        experiment, task = find_task(work, context.call, command.task)
        may = (experiment.owner, experiment.tasks[task].client)
        if context.call.client not in may and not context.call.is_sysadmin:
            raise ForbiddenError(f"{task} can be cancelled by its owner, by who asked for it, or by a sys-admin.")
        experiment.cancel(task)
        return task

    task, appended = context.decide(decision)
    context.tasks.cancel(task)
    return appended


def answer_cancelled(_: CancelTask, appended: StoredAppend, context: CommandContext) -> Answer:
    """Answer with the status of what was cancelled."""
    event: Any = next(event for event in appended.events if isinstance(event, TaskCancelled))
    experiment = load(context.ports.store, Experiment, event.originator_id, appended.position)
    return answer_at(appended, status_of_task(experiment, event.task))
