"""Search the best settings of models for a data set: starts a search in the caller's session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, cast, get_args

from commands.call import derive_id
from commands.context import CommandContext
from commands.evaluation.request_evaluation import RequestEvaluation, choose_folds, find_measure
from commands.lookup import find_offer, find_version, offers_of_task, open_session
from commands.ports import StoredAppend
from commands.training.request_training import (
    NUMBERS,
    PREPARED,
    LearningRequest,
    check_numbers,
    choose_columns,
    choose_split,
    choose_task,
)
from commands.unit_of_work import UnitOfWork
from domain.errors import BadInputError
from domain.offer import Offer
from domain.search import Search
from domain.search_space import Choices, SearchedModel, Space, Strategy, count_trials, read_space, spaces_of_models
from domain.settings_check import complete_settings
from domain.values import LearningTask, MeasureSpec, search_stream, session_id

DEFAULT_FOLDS = 5
MOST_MODELS = 20
LONGEST_SEARCH = 30 * 24 * 3600  # seconds
DEFAULT_MEASURE = {"classification": "accuracy", "regression": "r2"}  # scikit-learn's own for a search
TABLES = frozenset({"confusion-matrix"})  # measures that give no number to rank by
UNKNOWN_CLASSES = 2  # of another target than the data set's: a trial says what its measure cannot do
LIMITS: dict[str, dict[str, Any]] = NUMBERS | {
    "keep": {"type": "integer", "default": 1, "minimum": 1, "maximum": 50},
    "deadline": NUMBERS["deadline"] | {"maximum": LONGEST_SEARCH},
}


@dataclass(frozen=True, slots=True)
class RequestSearch(LearningRequest):
    """Models of the catalog; `space` maps a setting to its values, a single one, or a text such as `log:1e-4..1`.

    `trials` are as many as the strategy takes, `cv` folds (or `loo`) each; `by` is the measure that ranks them, the
    best `keep` are trained. After `deadline` seconds it ends with what it has. The trials see only what the trainings
    learn from.
    """

    models: tuple[str, ...]
    space: dict[str, Any] = field(default_factory=dict)
    strategy: str = "grid"
    trials: int | None = None
    cv: int | str = DEFAULT_FOLDS
    by: str | None = None
    keep: int = 1
    deadline: float | None = None


def request_search(command: RequestSearch, context: CommandContext) -> StoredAppend | None:
    """Append session-opened (if needed), search-added, search-requested and the first proposal-requested.

    The event worker goes on from there.
    """
    check_numbers(command, LIMITS, context)
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
    target, columns = choose_columns(dataset.name, content, command)
    offers = [find_offer(work, "model", name) for name in dict.fromkeys(command.models)]
    task = choose_task(work, offers, content, target)
    models, trials = plan_models(offers, command.space, command.strategy, command.trials)
    classes = 0 if task == "regression" else len(content.classes) if is_own else UNKNOWN_CLASSES
    split = choose_split(work, content, command, target, columns)
    folds = choose_folds(RequestEvaluation(cv=command.cv), content.rows)
    if folds is not None and is_own and split.method == "random" and content.class_rows:
        learned_from = {  # one row more than a stratified split can leave of a class
            name: int(rows * (1 - command.test_size)) + 1
            for name, rows in zip(content.classes, content.class_rows, strict=True)
        }
        folds.check_classes(learned_from)
    until = None if command.deadline is None else context.ports.clock.now() + timedelta(seconds=command.deadline)
    return {
        "dataset": dataset,
        "target": target,
        "columns": columns,
        "models": models,
        "strategy": command.strategy,
        "trials": trials,
        "folds": folds,
        "learning_task": task,
        "measure": _measure(work, command.by, task, classes),
        "seed": dataset.seed if command.seed is None else command.seed,
        "test_size": command.test_size,
        "split": split,
        "memory": command.memory,
        "keep": command.keep,
        "deadline": command.deadline,
        "until": until,
    }


def _measure(work: UnitOfWork, by: str | None, task: LearningTask, classes: int) -> MeasureSpec:
    measure = find_measure(work, DEFAULT_MEASURE[task] if by is None else by, None, classes)
    if measure.name in TABLES:
        right = [name for name in offers_of_task(work, "measure", task) if name not in TABLES]
        raise BadInputError(
            f"{measure.name} is a table: rank by a measure that is a number, one of {', '.join(right)}.", allowed=right
        )
    return measure


def plan_models(
    offers: Sequence[Offer], given: Mapping[str, Any], strategy: str, trials: int | None
) -> tuple[tuple[SearchedModel, ...], int]:
    """Return the models with their spaces, and the number of trials (of halving: of its first rung).

    `given` maps a setting to a list of values, a value, or a text (`0.1,1,10`, `log:1e-4..1`). Raises BadInputError,
    BadSettingError, NotFoundError.
    """
    known = get_args(Strategy)
    if strategy not in known:
        raise BadInputError(f"{strategy!r} is not a strategy: one of {', '.join(known)}.", allowed=list(known))
    if strategy == "tpe" and find_spec("optuna") is None:
        raise BadInputError(
            "The strategy tpe needs Optuna: pip install 'autolearn[optuna]', or take the strategy random."
        )
    by_name = {offer.name: offer for offer in offers}
    schemas = {name: offer.require_description().settings for name, offer in by_name.items()}
    spaces = spaces_of_models(read_space(given), schemas)
    number = count_trials(spaces, cast("Strategy", strategy), trials)
    return tuple(_plan(offer, schemas[name], spaces[name]) for name, offer in by_name.items()), number


def _plan(offer: Offer, schema: dict[str, Any], space: Space) -> SearchedModel:
    fixed = {name: its.values[0] for name, its in space.items() if isinstance(its, Choices) and its.size == 1}
    settings = complete_settings(schema, fixed)
    return SearchedModel(
        model=offer.ref(),
        settings=settings,
        preparation=2 if PREPARED in settings else 1,
        space={name: its for name, its in space.items() if name not in fixed},
    )
