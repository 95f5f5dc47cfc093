"""Take a committed experiment out of the history; it stays readable by id."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.lookup import find_own_experiment
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WithdrawExperiment:
    """The experiment's id or a prefix of it, and the reason."""

    experiment: str
    reason: str


def withdraw_experiment(command: WithdrawExperiment, context: CommandContext) -> StoredAppend | None:
    """Append experiment-withdrawn."""

    def decision(work: UnitOfWork) -> None:
        find_own_experiment(work, context.call, command.experiment).withdraw(command.reason)

    return context.decide(decision)[1]
