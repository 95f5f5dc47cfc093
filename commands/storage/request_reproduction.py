"""Train an experiment again from its record and compare what was learned."""

from __future__ import annotations

from dataclasses import dataclass

from commands.claim import claiming_slot
from commands.lookup import find_experiment
from commands.ports import Receipt
from commands.wrappers import Desk, Work


@dataclass(frozen=True, slots=True)
class RequestReproduction:
    """The experiment's id or its beginning."""

    experiment: str


def request_reproduction(command: RequestReproduction, desk: Desk) -> Receipt | None:
    """Append reproduction-requested and, with a free slot, reproduction-started."""
    with claiming_slot(desk) as claim:

        def decision(work: Work) -> str:
            experiment = find_experiment(work, desk.call, command.experiment)
            return claim.start(experiment, experiment.request_reproduction())

        return claim.decide(decision)
