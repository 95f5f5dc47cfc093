"""Bring a withdrawn experiment back into the history."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.ports import Receipt
from commands.storage.committed_experiment import find_own_committed
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class RestoreExperiment:
    """The experiment's id or a prefix of it, and the reason."""

    experiment: str
    reason: str


def restore_experiment(command: RestoreExperiment, context: CommandContext) -> Receipt | None:
    """Append experiment-restored."""

    def decision(work: UnitOfWork) -> None:
        find_own_committed(work, context.call, command.experiment).restore(command.reason)

    return context.decide(decision)[1]
