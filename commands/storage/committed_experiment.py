"""What annotating, withdrawing and restoring share: who may do it, and the answer."""

from __future__ import annotations

from commands.answers import answer_at, status_of
from commands.call import Answer, Call
from commands.context import CommandContext
from commands.lookup import find_experiment
from commands.ports import Receipt
from commands.unit_of_work import UnitOfWork, load
from domain.errors import ForbiddenError
from domain.experiment import Experiment


def find_own_committed(work: UnitOfWork, call: Call, given: str) -> Experiment:
    """Return a committed experiment that the caller may change, as its owner or as a sys-admin."""
    experiment = find_experiment(work, call, given)
    if experiment.training.owner != call.client and not call.is_sysadmin:
        raise ForbiddenError(f"Experiment {experiment.name} can be changed by its owner or by a sys-admin.")
    return experiment


def answer_changed(_: object, receipt: Receipt, context: CommandContext) -> Answer:
    """Answer with the experiment as of the append."""
    experiment = load(context.ports.store, Experiment, receipt.events[0].originator_id, receipt.position)
    return answer_at(receipt, status_of(experiment) | {"withdrawn": experiment.withdrawn})
