"""What commit and discard share: they discard experiments of the session, and end the tasks that still run."""

from __future__ import annotations

from collections.abc import Iterable

from commands.tasks import Tasks
from domain.experiment import Experiment


def discarded(experiments: Iterable[Experiment], session: str) -> list[str]:
    """Discard experiments; return the tasks that this cancels."""
    ended = []
    for experiment in experiments:
        ended += [task.id for task in experiment.tasks.values() if task.is_unfinished]
        experiment.discard(session)
    return ended


def end_all(tasks: Tasks, ended: Iterable[str]) -> None:
    """End the processes of cancelled tasks that run here."""
    for task in ended:
        tasks.cancel(task)
