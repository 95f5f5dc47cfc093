"""Take a data set off the catalog; trainings on it stay reproducible."""

from __future__ import annotations

from dataclasses import dataclass

from commands.answers import answer_at
from commands.call import Answer
from commands.lookup import find_dataset
from commands.ports import Receipt
from commands.wrappers import Desk


@dataclass(frozen=True, slots=True)
class RetireDataset:
    """The data set's name."""

    name: str


def retire_dataset(command: RetireDataset, desk: Desk) -> Receipt | None:
    """Append dataset-retired."""
    return desk.decide(lambda work: find_dataset(work, command.name).retire())[1]


def answer_retired(command: RetireDataset, receipt: Receipt, _: Desk) -> Answer:
    """Answer that it is retired."""
    return answer_at(receipt, {"name": command.name, "retired": True})
