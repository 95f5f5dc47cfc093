"""Finds the experiment or search that a task belongs to, by the task's id."""

from __future__ import annotations

from commands.ports import EventStore
from commands.unit_of_work import UnitOfWork, load
from domain.experiment import Experiment
from domain.search import Search
from domain.task import TaskOwner
from domain.values import stream_of_task

OWNERS: dict[str, type[TaskOwner]] = {"experiment": Experiment, "search": Search}


def _class_of(stream: str) -> type[TaskOwner]:
    return OWNERS[stream.partition(":")[0]]


def get_owner(work: UnitOfWork, task: str) -> TaskOwner:
    """Return the owner of a task within a decision."""
    stream = stream_of_task(task)
    return work.get(_class_of(stream), stream)


def load_owner(store: EventStore, stream: str, until: int | None = None) -> TaskOwner:
    """Return the owner whose stream this is, to look at."""
    return load(store, _class_of(stream), stream, until)
