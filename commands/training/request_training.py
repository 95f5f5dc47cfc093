"""Train a model on a data set: starts an experiment in the caller's session, and runs it at once if a slot is free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commands.claim import claim_slot
from commands.context import CommandContext
from commands.lookup import find_offer, find_version, open_session
from commands.ports import StoredAppend
from commands.settings_check import complete_settings
from commands.unit_of_work import UnitOfWork
from domain.dataset import DatasetContent
from domain.errors import BadInputError
from domain.experiment import Experiment
from domain.values import MAX_SEED, experiment_stream, session_id

DEFAULT_TEST_SIZE = 0.25

NUMBERS: dict[str, dict[str, Any]] = {
    "test_size": {"type": "number", "default": DEFAULT_TEST_SIZE, "exclusive_minimum": 0, "exclusive_maximum": 1},
    "seed": {"type": "integer", "default": None, "minimum": 0, "maximum": MAX_SEED},
}


@dataclass(frozen=True, slots=True)
class RequestTraining:
    """Names from the catalog (`iris`, `iris@1`), settings that differ from the defaults, a seed (None: drawn)."""

    dataset: str
    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    test_size: float = DEFAULT_TEST_SIZE


def request_training(command: RequestTraining, context: CommandContext) -> StoredAppend | None:
    """Append session-opened (if needed), experiment-added, training-requested, and training-started in a slot."""
    complete_settings(
        NUMBERS, {"test_size": command.test_size} | ({} if command.seed is None else {"seed": command.seed})
    )
    with claim_slot(context) as claim:

        def decision(work: UnitOfWork) -> str:
            dataset, content = find_version(work, command.dataset)
            check_task(command.dataset, content)
            offer = find_offer(work, "model", command.model)
            settings = complete_settings(offer.require_description().settings, command.settings)
            session = open_session(work, context.call.client)
            experiment = work.get(Experiment, experiment_stream(context.call.experiment))
            session.add(experiment.name)
            experiment.request_training(
                owner=context.call.client,
                session=session_id(session.id),
                dataset=dataset,
                model=offer.ref(),
                settings=settings,
                seed=context.call.seed if command.seed is None else command.seed,
                test_size=command.test_size,
            )
            return claim.start(experiment, experiment.name)

        return claim.decide(decision)


def check_task(name: str, content: DatasetContent) -> None:
    """Refuse a data set whose target is a number: all models so far predict classes."""
    if content.task == "regression":
        raise BadInputError(
            f"Data set {name!r} has a number to predict (task regression), and there is no model for that yet:"
            " add it with --task classification to predict classes."
        )
