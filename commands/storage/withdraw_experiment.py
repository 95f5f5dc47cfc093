"""Take a committed experiment out of the history; it stays readable by id."""

from __future__ import annotations

from dataclasses import dataclass

from commands.ports import Receipt
from commands.storage.committed_experiment import find_own_committed
from commands.wrappers import Desk, Work


@dataclass(frozen=True, slots=True)
class WithdrawExperiment:
    """The experiment's id or its beginning, and why."""

    experiment: str
    reason: str


def withdraw_experiment(command: WithdrawExperiment, desk: Desk) -> Receipt | None:
    """Append experiment-withdrawn."""

    def decision(work: Work) -> None:
        find_own_committed(work, desk.call, command.experiment).withdraw(command.reason)

    return desk.decide(decision)[1]
