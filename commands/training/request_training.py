"""Train a model on a data set: starts an experiment in the caller's session, and runs it at once if a slot is free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commands.claim import claim_slot
from commands.context import CommandContext
from commands.lookup import find_offer, find_version, open_session
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork
from domain.dataset import DatasetContent
from domain.errors import BadInputError
from domain.experiment import Experiment
from domain.lookup import nearest_names
from domain.settings_check import complete_settings
from domain.values import MAX_SEED, experiment_stream, session_id

DEFAULT_TEST_SIZE = 0.25

PREPARED = "prepare.missing"  # a setting of every model, but of those that an earlier release offered
MOST_SHOWN = 20
NUMBERS: dict[str, dict[str, Any]] = {
    "test_size": {"type": "number", "default": DEFAULT_TEST_SIZE, "exclusive_minimum": 0, "exclusive_maximum": 1},
    "seed": {"type": "integer", "default": None, "minimum": 0, "maximum": MAX_SEED},
}


@dataclass(frozen=True, slots=True)
class RequestTraining:
    """Names from the catalog (`iris`, `iris@1`), settings that differ from the defaults, a seed (None: drawn).

    The target is the data set's own if none is given. `only` or `drop` choose among the other columns.
    """

    dataset: str
    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    test_size: float = DEFAULT_TEST_SIZE
    target: str | None = None
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


def request_training(command: RequestTraining, context: CommandContext) -> StoredAppend | None:
    """Append session-opened (if needed), experiment-added, training-requested, and training-started in a slot."""
    complete_settings(
        NUMBERS, {"test_size": command.test_size} | ({} if command.seed is None else {"seed": command.seed})
    )
    with claim_slot(context) as claim:

        def decision(work: UnitOfWork) -> str:
            dataset, content = find_version(work, command.dataset)
            if command.target in (None, content.target):
                check_task(command.dataset, content)
            offer = find_offer(work, "model", command.model)
            target, columns = choose_columns(dataset.name, content, command)
            settings = complete_settings(offer.require_description().settings, command.settings)
            session = open_session(work, context.call.client)
            experiment = work.get(Experiment, experiment_stream(context.call.experiment))
            session.add(experiment.name)
            experiment.request_training(
                owner=context.call.client,
                session=session_id(session.id),
                dataset=dataset,
                target=target,
                columns=columns,
                model=offer.ref(),
                settings=settings,
                preparation=2 if PREPARED in settings else 1,
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


def choose_columns(name: str, content: DatasetContent, command: RequestTraining) -> tuple[str, tuple[str, ...] | None]:
    """Return the target, and the columns to learn from in the data set's order (None: all others)."""
    target = command.target or content.target
    _check_known(name, content, (target, *command.only, *command.drop))
    if content.columns[target] == "time":
        raise BadInputError(f"The target {target!r} holds times: it must hold classes.")
    if command.only and command.drop:
        raise BadInputError("Name the columns to learn from (only) or those to leave out (drop), not both.")
    if target in (*command.only, *command.drop):
        raise BadInputError(f"{target!r} is the target: it is never learned from, so do not name it.")
    others = [column for column in content.columns if column != target]
    kept = [column for column in others if (column in command.only or not command.only) and column not in command.drop]
    if not kept:
        raise BadInputError(f"No column would be left to learn from: keep at least one of {_some(others)}.")
    return target, None if kept == others else tuple(kept)


def _check_known(name: str, content: DatasetContent, asked: tuple[str, ...]) -> None:
    unknown = next((column for column in asked if column not in content.columns), None)
    if unknown is not None:
        near = nearest_names(unknown, content.columns)
        what = f"Nearest: {', '.join(near)}." if near else f"It has {_some([*content.columns])}."
        raise BadInputError(f"Data set {name!r} has no column {unknown!r}. {what}", nearest=near)


def _some(columns: list[str]) -> str:
    return ", ".join(columns[:MOST_SHOWN]) + (", …" if len(columns) > MOST_SHOWN else "")
