"""Train a model on a data set: starts an experiment in the caller's session, and runs it at once if a slot is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from commands.claim import claim_slot
from commands.context import CommandContext
from commands.lookup import find_offer, find_version, find_version_with, open_session, refuse_other_task
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork
from domain.dataset import DatasetContent
from domain.errors import BadInputError
from domain.experiment import Experiment
from domain.lookup import nearest_names
from domain.offer import Offer
from domain.settings_check import complete_settings
from domain.values import MAX_SEED, LearningTask, SplitRequest, experiment_stream, session_id

DEFAULT_TEST_SIZE = 0.25
AT_RANDOM = "random"
LEAST_MEMORY = 64 << 20
LONGEST_DEADLINE = 7 * 24 * 3600

PREPARED = "prepare.missing"  # a setting of every model, but of those that an earlier release offered
MOST_SHOWN = 20
NUMERIC = ("integer", "number")
NUMBERS: dict[str, dict[str, Any]] = {
    "test_size": {"type": "number", "default": DEFAULT_TEST_SIZE, "exclusive_minimum": 0, "exclusive_maximum": 1},
    "seed": {"type": "integer", "default": None, "minimum": 0, "maximum": MAX_SEED},
    "memory": {"type": "integer", "default": None, "minimum": LEAST_MEMORY},
    "deadline": {"type": "number", "default": None, "minimum": 1, "maximum": LONGEST_DEADLINE},
}


@dataclass(frozen=True, slots=True)
class LearningRequest:
    """What a training and a search share: the data set (`iris`, `iris@1`), and which of its rows and columns.

    The target is the data set's own if none is given. `only` or `drop` choose among the other columns. `split` is
    `random`, `group:COLUMN`, `time:COLUMN` or `dataset:NAME`. Without a seed it is the data set's. `memory` (bytes)
    limits each of its tasks; None: the machine does.
    """

    dataset: str
    _: KW_ONLY
    target: str | None = None
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    split: str = AT_RANDOM
    seed: int | None = None
    test_size: float = DEFAULT_TEST_SIZE
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class RequestTraining(LearningRequest):
    """A model of the catalog, its settings that differ from the defaults, and a limit of seconds for its tasks."""

    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    deadline: float | None = None


def request_training(command: RequestTraining, context: CommandContext) -> StoredAppend | None:
    """Append session-opened (if needed), experiment-added, training-requested, and training-started in a slot."""
    check_numbers(command, NUMBERS, context)
    with claim_slot(context) as claim:

        def decision(work: UnitOfWork) -> str:
            dataset, content = find_version(work, command.dataset)
            offer = find_offer(work, "model", command.model)
            target, columns = choose_columns(dataset.name, content, command)
            split = choose_split(work, content, command, target, columns)
            task = choose_task(work, [offer], content, target)
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
                seed=dataset.seed if command.seed is None else command.seed,
                test_size=command.test_size,
                split=split,
                memory=command.memory,
                deadline=command.deadline,
                learning_task=task,
            )
            return claim.start(experiment, experiment.name)

        return claim.decide(decision)


def check_numbers(command: LearningRequest, bounds: dict[str, dict[str, Any]], context: CommandContext) -> None:
    """Refuse a number of a request that is out of bounds; the most memory is that of this machine."""
    bounds = bounds | {"memory": bounds["memory"] | {"maximum": context.ports.launcher.most_memory}}
    numbers = {name: getattr(command, name) for name in bounds}
    complete_settings(bounds, {name: number for name, number in numbers.items() if number is not None})


def choose_task(work: UnitOfWork, models: Sequence[Offer], content: DatasetContent, target: str) -> LearningTask:
    """Return whether classes or numbers are predicted: as the data set says of its own target, else as models can.

    A column of numbers can be either; whether they are classes is seen when it is read.
    """
    is_own, is_numeric = target == content.target, content.columns[target] in NUMERIC
    task: LearningTask = "classification"
    if is_own:
        task = content.task
    elif is_numeric:
        task = models[0].require_description().tasks[0]
    holds, other = ("numbers", "classification") if task == "regression" else ("classes", "regression")
    otherwise = f", or add the data set with --task {other}" if is_own and is_numeric else ""
    for model in models:
        sentence = f"The target {target!r} holds {holds} (task {task}), and {model.name} does not predict them."
        refuse_other_task(work, model, task, sentence, otherwise)
    return task


def choose_columns(name: str, content: DatasetContent, command: LearningRequest) -> tuple[str, tuple[str, ...] | None]:
    """Return the target, and the columns to learn from in the data set's order (None: all others).

    A column that groups rows is an id of something: it is learned from only where it is named.
    """
    target = command.target or content.target
    _check_known(name, content, (target, *command.only, *command.drop))
    if content.columns[target] == "time":
        raise BadInputError(f"The target {target!r} holds times: it must hold classes.")
    if command.only and command.drop:
        raise BadInputError("Name the columns to learn from (only) or those to leave out (drop), not both.")
    if target in (*command.only, *command.drop):
        raise BadInputError(f"{target!r} is the target: it is never learned from, so do not name it.")
    others = [column for column in content.columns if column != target]
    method, _, of = command.split.partition(":")
    left_out = {*command.drop, *([of] if method == "group" else [])}
    kept = [column for column in others if (column in command.only if command.only else column not in left_out)]
    if not kept:
        raise BadInputError(f"No column would be left to learn from: keep at least one of {_some(others)}.")
    return target, None if kept == others else tuple(kept)


def choose_split(
    work: UnitOfWork, content: DatasetContent, command: LearningRequest, target: str, columns: Sequence[str] | None
) -> SplitRequest:
    """Return the split that a text asks for (`time:date`), of a training on this content with these columns."""
    asked = command.split
    method, _, of = asked.partition(":")
    if asked == AT_RANDOM:
        return SplitRequest()
    if method not in ("group", "time", "dataset") or not of:
        kinds = [AT_RANDOM, "group:COLUMN", "time:COLUMN", "dataset:NAME"]
        raise BadInputError(f"The split {asked!r} is not known: it is one of {', '.join(kinds)}.", allowed=kinds)
    if method == "dataset":
        ref, other = find_version_with(work, of, target, columns or content.columns)
        if other.blob.sha256 == content.blob.sha256:
            raise BadInputError(f"{of!r} is what is learned from: hold out another data set, or split at random.")
        strange = sorted({*other.classes} - {*content.classes}) if content.task == other.task else []
        if strange and target == content.target == other.target:
            what = f"classes that {command.dataset!r} has not: {', '.join(strange[:5])}"
            raise BadInputError(f"{of!r} has {what}. A model would not know them.")
        return SplitRequest(method="dataset", dataset=ref)
    _check_known(command.dataset, content, (of,))
    if of == target:
        raise BadInputError(f"{of!r} is the target: split by another column.")
    if method == "time" and content.columns[of] in ("boolean", "string"):
        raise BadInputError(f"Column {of!r} is {content.columns[of]}: a split by time needs times or numbers.")
    suspects = content.profile.suspects if content.profile else ()
    if any(it.kind == "constant" and of in it.columns for it in suspects):
        raise BadInputError(f"Column {of!r} has one value only: a split by {method} needs at least two.")
    return SplitRequest(method="group" if method == "group" else "time", column=of)


def _check_known(name: str, content: DatasetContent, asked: tuple[str, ...]) -> None:
    unknown = next((column for column in asked if column not in content.columns), None)
    if unknown is not None:
        near = nearest_names(unknown, content.columns)
        what = f"Nearest: {', '.join(near)}." if near else f"It has {_some([*content.columns])}."
        raise BadInputError(f"Data set {name!r} has no column {unknown!r}. {what}", nearest=near)


def _some(columns: list[str]) -> str:
    return ", ".join(columns[:MOST_SHOWN]) + (", …" if len(columns) > MOST_SHOWN else "")
