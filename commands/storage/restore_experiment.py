"""Bring a withdrawn experiment back into the history."""

from __future__ import annotations

from dataclasses import dataclass

from commands.call import Answer
from commands.ports import Receipt
from commands.storage.committed_experiment import answer_changed, find_own_committed
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


def answer_restored(_: RestoreExperiment, receipt: Receipt, desk: Desk) -> Answer:
    """Answer with the experiment as it is now."""
    return answer_changed(receipt, desk)
