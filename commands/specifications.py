"""What a task process receives, from the log alone: the experiment's record and its data set's content."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from commands.ports import OfferName, TaskSpec
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset
from domain.experiment import Experiment
from domain.experiment_events import TrainingRequested
from domain.search import Search
from domain.search_events import Trial
from domain.task import Task, TaskOwner
from domain.values import experiment_stream


def required_offers(owner: TaskOwner, task: str) -> list[OfferName]:
    """Return what must be installed where a task runs: its models, and the measures of an evaluation or search."""
    if isinstance(owner, Search):
        models = [searched.model.name for searched in owner.asked.models]
        return [*(("model", name) for name in models), ("measure", owner.asked.measure.name)]
    experiment = _experiment(owner)
    request = experiment.tasks[task].request
    measures = request.measures if request is not None else ()
    return [("model", experiment.training.model.name), *(("measure", measure.name) for measure in measures)]


def task_spec(work: UnitOfWork, owner: TaskOwner, task: str) -> TaskSpec:
    it = owner.tasks[task]
    if isinstance(owner, Search):
        spec = _trial_spec(work, owner, task) if it.kind == "trial" else _propose_spec(work, owner)
        return replace(spec, memory=owner.asked.memory)
    experiment = _experiment(owner)
    training = experiment.training
    if it.kind == "training":
        spec = TaskSpec("fit", fit_facts(work, training))
    elif it.kind == "evaluation":
        spec = TaskSpec("score", _score_facts(work, experiment, it))
    else:
        spec = TaskSpec("reproduce", _reproduce_facts(work, experiment))
    return replace(spec, memory=training.memory, deadline=training.deadline)


def _experiment(owner: TaskOwner) -> Experiment:
    if not isinstance(owner, Experiment):
        raise TypeError(owner.id)
    return owner


def fit_facts(work: UnitOfWork, request: TrainingRequested) -> dict[str, Any]:
    """Return the training's record as its task gets it."""
    content = work.get(Dataset, f"dataset:{request.dataset.name}").versions[request.dataset.version]
    return {
        "experiment": request.task,
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
        "learning_task": request.learning_task,
    }


def _score_facts(work: UnitOfWork, experiment: Experiment, task: Task) -> dict[str, Any]:
    if task.request is None or experiment.result is None:
        raise LookupError(f"{task.id} was never requested")
    on, options = task.request.on, task.request.options
    positive = {} if options.positive is None else {"positive": options.positive}
    return (
        fit_facts(work, experiment.training)
        | positive
        | {
            "model_blob": experiment.result.model_blob.sha256,
            "on": None if on is None else on.model_dump(),
            "measures": [measure.model_dump() for measure in task.request.measures],
            "evaluation": task.id,
            **options.model_dump(include={"folds", "threshold", "by", "importance"}),
        }
    )


def _reproduce_facts(work: UnitOfWork, experiment: Experiment) -> dict[str, Any]:
    if experiment.result is None:
        raise LookupError(f"{experiment.id} has no result")
    return fit_facts(work, experiment.training) | {
        "model_blob": experiment.result.model_blob.sha256,
        "learned_blob": experiment.result.learned_blob.sha256,
        "provenance": experiment.result.provenance,
    }


def _trial_spec(work: UnitOfWork, search: Search, task: str) -> TaskSpec:
    trial = search.trials[task]
    return TaskSpec("trial", _trained_facts(work, search, trial) | _folds_facts(search) | {"rows": trial.rows})


def _propose_spec(work: UnitOfWork, search: Search) -> TaskSpec:
    """Return what the trials were, in the order of their numbers: the same search proposes the same again."""
    asked = search.asked
    first = Trial(number=0, model=asked.models[0].model.name, settings={}, rows=None)
    finished = [
        dict(trial) | {"mean": it.mean if it else None, "lower_is_better": bool(it and it.lower_is_better)}
        for task, trial in search.trials.items()
        for it in [search.results.get(task)]
    ]
    facts = {
        "strategy": asked.strategy,
        "trials": asked.trials,
        "round": search.round,
        "models": [it.model_dump(mode="json") for it in asked.models],
        "finished": finished,
    }
    return TaskSpec("propose", _trained_facts(work, search, first) | _folds_facts(search) | facts)


def _trained_facts(work: UnitOfWork, search: Search, trial: Trial) -> dict[str, Any]:
    """Return the facts of the fit that would train a trial."""
    blank = Experiment.create_blank(experiment_stream(search.name))
    blank.request_training(**search.training_of(trial))
    return fit_facts(work, blank.training)


def _folds_facts(search: Search) -> dict[str, Any]:
    asked = search.asked
    return {"folds": asked.folds.model_dump(), "measure": asked.measure.model_dump()}
