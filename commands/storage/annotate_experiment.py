"""Add a remark to a committed experiment."""

from __future__ import annotations

from dataclasses import dataclass

from commands.ports import Receipt
from commands.storage.committed_experiment import find_own_committed
from commands.wrappers import Desk, Work


@dataclass(frozen=True, slots=True)
class AnnotateExperiment:
    """The experiment's id or its beginning, the remark, and why it is made."""

    experiment: str
    text: str
    reason: str = "annotation"


def annotate_experiment(command: AnnotateExperiment, desk: Desk) -> Receipt | None:
    """Append experiment-annotated."""

    def decision(work: Work) -> None:
        find_own_committed(work, desk.call, command.experiment).annotate(command.text, command.reason)

    return desk.decide(decision)[1]
