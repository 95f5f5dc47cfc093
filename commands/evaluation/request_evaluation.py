"""Compute measures of a completed training, on its held-out part or on a named data set."""

from __future__ import annotations

from dataclasses import dataclass

from commands.claim import claim_slot
from commands.context import CommandContext
from commands.lookup import find_experiment, find_offer, find_version, newest_experiment
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset, DatasetContent
from domain.errors import BadInputError, BadSettingError
from domain.experiment import Experiment
from domain.settings_check import complete_settings
from domain.values import DatasetRef, MeasureSpec

DEFAULT_MEASURES = ("precision", "recall")
MOST_MEASURES = 50
CLASSES_OF_BINARY = 2


@dataclass(frozen=True, slots=True)
class RequestEvaluation:
    """Experiment, measures (`precision`, `precision:micro`), averaging, a data set.

    Without an experiment it is the session's newest whose training did not fail.
    """

    experiment: str | None = None
    measures: tuple[str, ...] = ()
    average: str | None = None
    on: str | None = None


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
            on, content = _data(work, experiment, command.on)
            names = command.measures or DEFAULT_MEASURES
            classes = _count_classes(experiment, content)
            specs = [_spec(work, name, command.average, classes) for name in names]
            task = experiment.request_evaluation(tuple(dict.fromkeys(specs)), on)
            return claim.start(experiment, task)

        return claim.decide(decision)


def _data(work: UnitOfWork, experiment: Experiment, on: str | None) -> tuple[DatasetRef | None, DatasetContent]:
    trained = experiment.training.dataset
    own = work.get(Dataset, f"dataset:{trained.name}").versions[trained.version]
    if on is None:
        return None, own
    ref, content = find_version(work, on)
    target = experiment.training.target or own.target
    if target not in content.columns:
        raise BadInputError(f"Data set {on!r} has no column {target!r}, which the model predicts.", missing=[target])
    needed = set(own.columns if experiment.training.columns is None else experiment.training.columns)
    missing = sorted(needed - set(content.columns))
    if missing:
        raise BadInputError(
            f"Data set {on!r} lacks columns that the model was trained on: {', '.join(missing[:10])}.", missing=missing
        )
    return ref, own


def _count_classes(experiment: Experiment, content: DatasetContent) -> int:
    """Count the classes that the model knows: with another target than the data set's, the training found them."""
    own = experiment.training.target in (None, content.target)
    learned = None if own or experiment.result is None else experiment.result.learned
    return len(content.classes) if learned is None else int(learned["class_count"])


def _spec(work: UnitOfWork, given: str, average: str | None, classes: int) -> MeasureSpec:
    name, _, explicit = given.partition(":")
    schema = find_offer(work, "measure", name).require_description().settings
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
