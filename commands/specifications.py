"""What a task process receives, from the log alone: the experiment's record and its data set's content."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from commands.ports import OfferName, TaskSpec
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset
from domain.experiment import Experiment
from domain.task import Task, TaskOwner


def required_offers(owner: TaskOwner, task: str) -> list[OfferName]:
    """Return what must be installed where a task runs: its model, and the measures of an evaluation."""
    experiment = _experiment(owner)
    request = experiment.tasks[task].request
    measures = request.measures if request is not None else ()
    return [("model", experiment.training.model.name), *(("measure", measure.name) for measure in measures)]


def task_spec(work: UnitOfWork, owner: TaskOwner, task: str) -> TaskSpec:
    experiment = _experiment(owner)
    it, training = experiment.tasks[task], experiment.training
    if it.kind == "training":
        spec = TaskSpec("fit", _fit_facts(work, experiment))
    elif it.kind == "evaluation":
        spec = TaskSpec("score", _score_facts(work, experiment, it))
    else:
        spec = TaskSpec("reproduce", _reproduce_facts(work, experiment))
    return replace(spec, memory=training.memory, deadline=training.deadline)


def _experiment(owner: TaskOwner) -> Experiment:
    if not isinstance(owner, Experiment):
        raise TypeError(owner.id)
    return owner


def _fit_facts(work: UnitOfWork, experiment: Experiment) -> dict[str, Any]:
    request = experiment.training
    content = work.get(Dataset, f"dataset:{request.dataset.name}").versions[request.dataset.version]
    return {
        "experiment": experiment.name,
        "model": request.model.model_dump(),
        "settings": request.settings,
        "seed": request.seed,
        "test_size": request.test_size,
        "split": request.split.model_dump(),
        "preparation": request.preparation,
        "dataset": request.dataset.model_dump(),
        "target": request.target or content.target,
        "positive": content.positive if request.target in (None, content.target) else None,
        "columns": request.columns,
    }


def _score_facts(work: UnitOfWork, experiment: Experiment, task: Task) -> dict[str, Any]:
    if task.request is None or experiment.result is None:
        raise LookupError(f"{task.id} was never requested")
    on, options = task.request.on, task.request.options
    positive = {} if options.positive is None else {"positive": options.positive}
    return (
        _fit_facts(work, experiment)
        | positive
        | {
            "model_blob": experiment.result.model_blob.sha256,
            "on": None if on is None else on.model_dump(),
            "measures": [measure.model_dump() for measure in task.request.measures],
            **options.model_dump(include={"folds", "threshold", "by", "importance"}),
        }
    )


def _reproduce_facts(work: UnitOfWork, experiment: Experiment) -> dict[str, Any]:
    if experiment.result is None:
        raise LookupError(f"{experiment.id} has no result")
    return _fit_facts(work, experiment) | {
        "model_blob": experiment.result.model_blob.sha256,
        "learned_blob": experiment.result.learned_blob.sha256,
        "provenance": experiment.result.provenance,
    }
