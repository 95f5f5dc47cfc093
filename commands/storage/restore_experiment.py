"""Bring a withdrawn experiment back into the history."""

from __future__ import annotations

from dataclasses import dataclass

from commands.ports import Receipt
from commands.storage.committed_experiment import find_own_committed
from commands.wrappers import Desk, Work


@dataclass(frozen=True, slots=True)
class RestoreExperiment:
    """The experiment's id or its beginning, and why."""

    experiment: str
    reason: str


def restore_experiment(command: RestoreExperiment, desk: Desk) -> Receipt | None:
    """Append experiment-restored."""

    def decision(work: Work) -> None:
        find_own_committed(work, desk.call, command.experiment).restore(command.reason)

    return desk.decide(decision)[1]
