"""Train an experiment again from its record and compare what was learned."""

from __future__ import annotations

from dataclasses import dataclass

from commands.claim import claim_slot
from commands.context import CommandContext
from commands.lookup import find_experiment
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class RequestReproduction:
    """The experiment's id or a prefix of it."""

    experiment: str


def request_reproduction(command: RequestReproduction, context: CommandContext) -> StoredAppend | None:
    """Append reproduction-requested and, with a free slot, reproduction-started."""
    with claim_slot(context) as claim:

        def decision(work: UnitOfWork) -> str:
            experiment = find_experiment(work, context.call, command.experiment)
            return claim.start(experiment, experiment.request_reproduction())

        return claim.decide(decision)
