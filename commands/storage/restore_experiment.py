"""Bring a withdrawn experiment back into the history."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.lookup import find_own_experiment
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class RestoreExperiment:
    """The experiment's id or a prefix of it, and the reason."""

    experiment: str
    reason: str


def restore_experiment(command: RestoreExperiment, context: CommandContext) -> StoredAppend | None:
    """Append experiment-restored."""

    def decision(work: UnitOfWork) -> None:
        find_own_experiment(work, context.call, command.experiment).restore(command.reason)

    return context.decide(decision)[1]
