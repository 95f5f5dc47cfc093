"""Search the best settings of models for a data set: starts a search in the caller's session."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from commands.call import derive_id
from commands.context import CommandContext
from commands.evaluation.request_evaluation import RequestEvaluation, choose_folds, find_measure
from commands.lookup import find_offer, find_version, open_session
from commands.ports import StoredAppend
from commands.training.request_training import (
    AT_RANDOM,
    DEFAULT_TEST_SIZE,
    NUMBERS,
    RequestTraining,
    choose_columns,
    choose_split,
    choose_task,
)
from commands.training.search_spaces import plan_models
from commands.unit_of_work import UnitOfWork
from domain.errors import BadInputError
from domain.search import Search
from domain.settings_check import complete_settings
from domain.values import search_stream, session_id

DEFAULT_FOLDS = 5
MOST_MODELS = 20
LONGEST_SEARCH = 30 * 24 * 3600  # seconds
DEFAULT_MEASURE = {"classification": "accuracy", "regression": "r2"}  # scikit-learn's own for a search
UNKNOWN_CLASSES = 2  # of another target than the data set's: a trial says what its measure cannot do
LIMITS: dict[str, dict[str, Any]] = NUMBERS | {
    "keep": {"type": "integer", "default": 1, "minimum": 1, "maximum": 50},
    "deadline": NUMBERS["deadline"] | {"maximum": LONGEST_SEARCH},
}


@dataclass(frozen=True, slots=True)
class RequestSearch:
    """Names from the catalog; `space` maps a setting to its values, a single one, or a text such as `log:1e-4..1`.

    `trials` are as many as the strategy takes, `cv` folds (or `loo`) each; `by` is the measure that ranks them, the
    best `keep` are trained. After `deadline` seconds it ends with what it has. The rest is as of a training, and the
    trials see what it learns from alone.
    """

    dataset: str
    models: tuple[str, ...]
    space: dict[str, Any] = field(default_factory=dict)
    strategy: str = "grid"
    trials: int | None = None
    cv: int | str = DEFAULT_FOLDS
    by: str | None = None
    seed: int | None = None
    keep: int = 1
    deadline: float | None = None
    test_size: float = DEFAULT_TEST_SIZE
    target: str | None = None
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    split: str = AT_RANDOM
    memory: int | None = None


def request_search(command: RequestSearch, context: CommandContext) -> StoredAppend | None:
    """Append session-opened (if needed), search-added, search-requested and the first proposal-requested.

    The event worker goes on from there.
    """
    numbers = {name: getattr(command, name) for name in LIMITS}
    bounds = LIMITS | {"memory": LIMITS["memory"] | {"maximum": context.ports.launcher.most_memory}}
    complete_settings(bounds, {name: number for name, number in numbers.items() if number is not None})
    if not 1 <= len(set(command.models)) <= MOST_MODELS:
        raise BadInputError(f"Name 1 to {MOST_MODELS} models to search.")
    client, name = context.call.client, derive_id(b"search" + context.call.command_id.bytes)

    def decision(work: UnitOfWork) -> str:
        facts = _facts(work, command, context)
        session, search = open_session(work, client), work.get(Search, search_stream(name))
        session.add_search(name)
        return search.begin(owner=client, session=session_id(session.id), **facts)

    with context.tasks.quota.reserve_task(client):
        task, appended = context.decide(decision)
        if appended is not None:
            context.tasks.quota.add_task(task, client)
    return appended


def _facts(work: UnitOfWork, command: RequestSearch, context: CommandContext) -> dict[str, Any]:
    dataset, content = find_version(work, command.dataset)
    is_own = command.target in (None, content.target)
    shared = {name: getattr(command, name) for name in ("dataset", "target", "only", "drop", "split")}
    training = RequestTraining(model="", **shared)
    target, columns = choose_columns(dataset.name, content, training)
    offers = [find_offer(work, "model", name) for name in dict.fromkeys(command.models)]
    task = choose_task(work, offers, content, target)
    models, trials = plan_models(offers, command.space, command.strategy, command.trials)
    measure = command.by or DEFAULT_MEASURE[task]
    classes = 0 if task == "regression" else len(content.classes) if is_own else UNKNOWN_CLASSES
    until = None if command.deadline is None else context.ports.clock.now() + timedelta(seconds=command.deadline)
    return {
        "dataset": dataset,
        "target": target,
        "columns": columns,
        "models": models,
        "strategy": command.strategy,
        "trials": trials,
        "folds": choose_folds(RequestEvaluation(cv=command.cv), content.rows),
        "learning_task": task,
        "measure": find_measure(work, measure, None, classes),
        "seed": dataset.seed if command.seed is None else command.seed,
        "test_size": command.test_size,
        "split": choose_split(work, content, training, target, columns),
        "memory": command.memory,
        "keep": command.keep,
        "deadline": command.deadline,
        "until": until,
    }
