"""Take a model or measure off the catalog; only its next version can bring it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from commands.answers import answer_at
from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import find_offer
from commands.ports import StoredAppend


@dataclass(frozen=True, slots=True)
class WithdrawOffer:
    """`model` or `measure`, and its name."""

    kind: Literal["model", "measure"]
    name: str


def withdraw_offer(command: WithdrawOffer, context: CommandContext) -> StoredAppend | None:
    """Append model-withdrawn or measure-withdrawn."""
    return context.decide(lambda work: find_offer(work, command.kind, command.name).withdraw())[1]


def answer_offer_withdrawn(command: WithdrawOffer, appended: StoredAppend, _: CommandContext) -> Answer:
    return answer_at(appended, {"kind": command.kind, "name": command.name, "withdrawn": True})
