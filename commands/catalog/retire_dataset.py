"""Take a data set off the catalog; trainings on it stay reproducible."""

from __future__ import annotations

from dataclasses import dataclass

from commands.answers import answer_at
from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import find_dataset
from commands.ports import StoredAppend


@dataclass(frozen=True, slots=True)
class RetireDataset:
    name: str


def retire_dataset(command: RetireDataset, context: CommandContext) -> StoredAppend | None:
    """Append dataset-retired."""
    return context.decide(lambda work: find_dataset(work, command.name).retire())[1]


def answer_retired(command: RetireDataset, appended: StoredAppend, _: CommandContext) -> Answer:
    return answer_at(appended, {"name": command.name, "retired": True})
