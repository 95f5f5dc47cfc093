"""Compute measures of a completed training, on its held-out part or on a named data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from commands.claim import claim_slot
from commands.context import CommandContext
from commands.lookup import find_experiment, find_offer, find_version_with, newest_experiment, refuse_other_task
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset, DatasetContent
from domain.errors import BadInputError, BadSettingError
from domain.experiment import Experiment
from domain.lookup import nearest_names
from domain.offer import Offer
from domain.settings_check import complete_settings
from domain.values import DatasetRef, EvaluationOptions, Folds, LearningTask, MeasureSpec, Threshold

DEFAULT_MEASURES: dict[LearningTask, tuple[str, ...]] = {
    "classification": ("precision", "recall"),
    "regression": ("r2", "mae", "rmse"),
}
MORE_MEASURES = ("f1", "accuracy", "roc-auc")  # of classes, where they are on offer and know the averaging
MOST_MEASURES = 50
CLASSES_OF_BINARY = 2
MOST_FOLDS, MOST_FITS, MOST_ROWS_OF_LOO = 100, 200, 1000
BEST_F1: Final = "best:f1"


@dataclass(frozen=True, slots=True)
class RequestEvaluation:
    """Experiment, measures (`precision`, `precision:micro`), averaging, a data set.

    Without an experiment it is the session's newest whose training did not fail. `cv` fits again on so many folds, or
    leaves out each row by itself (`loo`). The positive class is predicted from a `threshold` on, a probability or
    `best:f1`. `by` names a column for whose values there are measures, too; `importance` asks for that of each column.
    """

    experiment: str | None = None
    measures: tuple[str, ...] = ()
    average: str | None = None
    on: str | None = None
    cv: float | str | None = None
    repeats: int | None = None
    threshold: float | str | None = None
    positive: str | None = None
    by: str | None = None
    importance: bool = False


def request_evaluation(command: RequestEvaluation, context: CommandContext) -> StoredAppend | None:
    """Append evaluation-requested and, with a free slot, evaluation-started."""
    if len(command.measures) > MOST_MEASURES:
        raise BadInputError(f"At most {MOST_MEASURES} measures at a time.")
    with claim_slot(context) as claim:

        def decision(work: UnitOfWork) -> str:
            given = command.experiment
            experiment = (
                newest_experiment(work, context.call) if given is None else find_experiment(work, context.call, given)
            )
            on, content, rows_from = _data(work, experiment, command.on)
            task = experiment.training.learning_task
            more = _more_measures(work, command.average) if task == "classification" else []
            names = command.measures or (*DEFAULT_MEASURES[task], *more)
            classes = 0 if task == "regression" else _count_classes(experiment, content)
            specs = [find_measure(work, name, command.average, classes) for name in names]
            options = EvaluationOptions(
                folds=_folds(command, experiment, content),
                threshold=_threshold(command, classes),
                positive=_positive(command, experiment, content, classes),
                by=_slice_column(command, experiment, content, rows_from),
                importance=_importance(command),
            )
            evaluation = experiment.request_evaluation(tuple(dict.fromkeys(specs)), on, options)
            return claim.start(experiment, evaluation)

        return claim.decide(decision)


def _data(
    work: UnitOfWork, experiment: Experiment, on: str | None
) -> tuple[DatasetRef | None, DatasetContent, DatasetContent]:
    """Return another data set, what was trained on, and the one of both that the evaluated rows are from."""
    trained = experiment.training.dataset
    own = work.get(Dataset, f"dataset:{trained.name}").versions[trained.version]
    if on is None:
        return None, own, own
    trained_on = experiment.training.columns
    ref, content = find_version_with(work, on, experiment.training.target or own.target, trained_on or own.columns)
    return ref, own, content


def _count_classes(experiment: Experiment, content: DatasetContent) -> int:
    """Count the classes that the model knows: with another target than the data set's, the training found them."""
    learned = _learned_of_another_target(experiment, content)
    return max(1, len(content.classes) if learned is None else int(learned["class_count"]))


def _learned_of_another_target(experiment: Experiment, content: DatasetContent) -> Any:
    own = experiment.training.target in (None, content.target)
    return None if own or experiment.result is None else experiment.result.learned


def _positive(command: RequestEvaluation, experiment: Experiment, content: DatasetContent, classes: int) -> str | None:
    if command.positive is None:
        return None
    if classes != CLASSES_OF_BINARY:
        raise BadInputError(f"A positive class is one of two, and the data has {classes or 'numbers'}: leave it out.")
    learned = _learned_of_another_target(experiment, content)
    names = content.classes if learned is None else learned.get("classes", ())
    if names and command.positive not in names:
        raise BadSettingError(
            f"positive = {command.positive!r} is no class of the target: one of {', '.join(names)}.",
            setting="positive",
            allowed=f"one of {', '.join(names)}",
        )
    return command.positive


def _slice_column(
    command: RequestEvaluation, experiment: Experiment, content: DatasetContent, rows_from: DatasetContent
) -> str | None:
    if command.by is None:
        return None
    if command.by not in rows_from.columns:
        near = nearest_names(command.by, rows_from.columns)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise BadInputError(f"There is no column {command.by!r} to slice by.{hint}", nearest=near)
    if command.by == (experiment.training.target or content.target):
        raise BadInputError(f"{command.by!r} is the target: each slice would have one class. Name another column.")
    return command.by


def _importance(command: RequestEvaluation) -> bool:
    if command.importance and command.cv is not None:
        raise BadInputError("The importance of columns is that for the fitted model: leave out cv, or importance.")
    return command.importance


def _more_measures(work: UnitOfWork, average: str | None) -> list[str]:
    offers = [work.get(Offer, f"measure:{name}") for name in MORE_MEASURES]
    averages = {it.name: it.require_description().settings.get("average") for it in offers if it.is_offered}
    return [name for name, its in averages.items() if its is None or average in (None, *its["choices"])]


def _folds(command: RequestEvaluation, experiment: Experiment, content: DatasetContent) -> Folds | None:
    """Return the folds; refuse what the log shows to be impossible. Only the task knows groups and times."""
    folds, training = choose_folds(command, content.rows), experiment.training
    if folds is not None:
        folds.check_split(training.split.method)
        if training.split.column is None and training.target in (None, content.target) and content.class_rows:
            folds.check_classes(dict(zip(content.classes, content.class_rows, strict=True)))
    return folds


def choose_folds(command: RequestEvaluation, rows: int) -> Folds | None:
    """Return the folds that are asked for, if any; raises BadInputError."""
    cv, repeats = command.cv, command.repeats
    if cv is None:
        if repeats is not None:
            raise BadInputError("repeats are of a cross-validation: say how many folds it has (cv), too.")
        return None
    if command.on is not None:
        raise BadInputError("A cross-validation fits again on the training's own data set: leave out cv, or on.")
    if cv == "loo":
        if repeats is not None:
            raise BadInputError("loo leaves out each row once: it has no repeats.")
        if rows > MOST_ROWS_OF_LOO:
            raise BadInputError(
                f"loo fits once for each row, for tables of up to {MOST_ROWS_OF_LOO} rows; this one has {rows}: "
                "take a number of folds, such as 10."
            )
        return Folds(kind="loo")
    limits = {"type": "integer", "minimum": 2, "maximum": min(MOST_FOLDS, rows)}
    if isinstance(cv, str):
        allowed = f"a number of folds from 2 to {limits['maximum']}, or loo"
        raise BadSettingError(f"cv = {cv!r} is not allowed: {allowed}.", setting="cv", allowed=allowed)
    k = complete_settings({"cv": {"default": None, **limits}}, {"cv": cv})["cv"]
    limits = {"type": "integer", "minimum": 1, "maximum": MOST_FITS // k}
    given = {} if repeats is None else {"repeats": repeats}
    return Folds(kind="kfold", k=k, **complete_settings({"repeats": {"default": 1, **limits}}, given))


def _threshold(command: RequestEvaluation, classes: int) -> Threshold | None:
    threshold = command.threshold
    if threshold is None:
        return None
    if classes != CLASSES_OF_BINARY:
        raise BadInputError(f"A threshold is for two classes, and the data has {classes or 'numbers'}: leave it out.")
    if threshold == BEST_F1 and command.cv is not None:
        raise BadInputError(f"{BEST_F1} is chosen for the held-out part: with cv, give the threshold as a number.")
    if threshold == BEST_F1:
        return BEST_F1
    if isinstance(threshold, str) or not 0 < threshold < 1:
        raise BadSettingError(
            f"threshold = {threshold!r} is not allowed: a number between 0 and 1, or {BEST_F1}.",
            setting="threshold",
            allowed=f"a number > 0 and < 1, or {BEST_F1}",
        )
    return threshold


def find_measure(work: UnitOfWork, given: str, average: str | None, classes: int) -> MeasureSpec:
    """Return a measure on offer with its averaging; `classes` is how many there are to predict, 0 for numbers."""
    name, _, explicit = given.partition(":")
    offer = find_offer(work, "measure", name)
    task: LearningTask = "classification" if classes else "regression"
    holds = "classes" if classes else "numbers"
    refuse_other_task(work, offer, task, f"The model predicts {holds} (task {task}), and {name} is not for them.")
    schema = offer.require_description().settings
    if "average" not in schema:
        if explicit:
            raise BadSettingError(f"{name} has no averaging: write {name!r}.", setting="average", allowed="none")
        return MeasureSpec(name=name)
    wanted = explicit or average
    chosen = complete_settings(schema, {"average": wanted} if wanted else {})["average"]
    if chosen == "binary" and classes != CLASSES_OF_BINARY:
        raise BadSettingError(
            f"average = 'binary' needs two classes, the data has {classes}: use macro, micro or weighted.",
            setting="average",
            allowed="one of macro, micro, weighted",
        )
    return MeasureSpec(name=name, average=chosen)
