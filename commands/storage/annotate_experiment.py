"""Add a remark to a committed experiment."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.lookup import find_own_experiment
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class AnnotateExperiment:
    """The experiment's id or a prefix of it, the remark, and the reason."""

    experiment: str
    text: str
    reason: str = "annotation"


def annotate_experiment(command: AnnotateExperiment, context: CommandContext) -> StoredAppend | None:
    """Append experiment-annotated."""

    def decision(work: UnitOfWork) -> None:
        find_own_experiment(work, context.call, command.experiment).annotate(command.text, command.reason)

    return context.decide(decision)[1]
