"""Cancel a training, evaluation or reproduction that waits or runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from commands.answers import answer_at, status_of_task
from commands.call import Answer
from commands.lookup import find_task
from commands.ports import Receipt
from commands.wrappers import Desk, Work, load
from domain.errors import ForbiddenError
from domain.experiment import Experiment
from domain.experiment_events import TaskCancelled


@dataclass(frozen=True, slots=True)
class CancelTask:
    """The id of an evaluation or reproduction, or the beginning of an experiment's."""

    task: str


def cancel_task(command: CancelTask, desk: Desk) -> Receipt | None:
    """Append the cancellation, then end the process where it runs here; elsewhere its own service sees the event."""

    def decision(work: Work) -> str:
        experiment, task = find_task(work, desk.call, command.task)
        may = (experiment.training.owner, experiment.tasks[task].requested.actor)
        if desk.call.client not in may and not desk.call.is_sysadmin:
            raise ForbiddenError(f"{task} can be cancelled by its owner, by who asked for it, or by a sys-admin.")
        experiment.cancel(task)
        return task

    task, receipt = desk.decide(decision)
    desk.tasks.cancel(task)
    return receipt


def answer_cancelled(_: CancelTask, receipt: Receipt, desk: Desk) -> Answer:
    """Answer with the status of what was cancelled."""
    event: Any = next(event for event in receipt.events if isinstance(event, TaskCancelled))
    experiment = load(desk.ports.store, Experiment, event.originator_id, receipt.position)
    return answer_at(receipt, status_of_task(experiment, event.task))
