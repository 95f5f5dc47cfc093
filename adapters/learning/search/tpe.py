"""Proposals by Optuna's tree-structured Parzen estimator: each round rebuilds the study from the finished trials."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import optuna

from adapters.learning.search.proposals import Trial, draw
from domain.search_space import Choices, Range, SearchedModel

ROUND = 4  # trials, however many run at a time: so the same request makes the same trials on any machine
MOST_ASKED = 50  # for a round
MODEL = "model"

Distributions = dict[str, optuna.distributions.BaseDistribution]


def propose_by_tpe(models: list[SearchedModel], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the next trials, none of them twice; Optuna learns from those that have a mean."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known = {_describe(it) for it in facts["finished"]}
    wanted = min(ROUND, facts["trials"] - len(facts["finished"]))
    trials: list[Trial] = []
    for trial in chain(_ask(models, facts), draw(models, facts["trials"], facts["seed"])):
        if len(trials) == wanted:
            break
        if _describe(trial) not in known:
            known.add(_describe(trial))
            trials.append(trial)
    return {"trials": trials, "last": len(facts["finished"]) + wanted >= facts["trials"]}


def _ask(models: list[SearchedModel], facts: dict[str, Any]) -> Iterator[Trial]:
    """Yield what Optuna proposes: in a small space the same again and again, before it has proposed all."""
    study = _rebuild_study(models, facts)
    everything = _model_choice(models)
    for it in models:
        everything |= _distributions(it)
    for _ in range(MOST_ASKED):
        params = study.ask(everything).params
        model = next(it for it in models if it.model.name == params[MODEL])
        yield {"model": model.model.name, "settings": _settings(model, params), "rows": None}


def _rebuild_study(models: list[SearchedModel], facts: dict[str, Any]) -> optuna.Study:
    by_name = {it.model.name: it for it in models}
    means = [it for it in facts["finished"] if it["mean"] is not None]
    seed = int(np.random.SeedSequence([facts["seed"], facts["round"]]).generate_state(1)[0])
    direction = "minimize" if means and means[0]["lower_is_better"] else "maximize"
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), direction=direction)
    for it in means:
        model = by_name[it["model"]]
        params = {_key(model, name): _for_optuna(model.space[name], value) for name, value in it["settings"].items()}
        known = _model_choice(models) | _distributions(model)
        study.add_trial(
            optuna.trial.create_trial(params={MODEL: it["model"]} | params, distributions=known, value=it["mean"])
        )
    return study


def _model_choice(models: list[SearchedModel]) -> Distributions:
    return {MODEL: optuna.distributions.CategoricalDistribution([it.model.name for it in models])}


def _distributions(model: SearchedModel) -> Distributions:
    return {_key(model, name): _distribution(its) for name, its in model.space.items()}


def _distribution(its: Choices | Range) -> optuna.distributions.BaseDistribution:
    if isinstance(its, Choices):
        return optuna.distributions.CategoricalDistribution([repr(value) for value in its.values])
    if its.scale == "int":
        return optuna.distributions.IntDistribution(int(its.low), int(its.high))
    return optuna.distributions.FloatDistribution(its.low, its.high, log=its.scale == "log")


def _key(model: SearchedModel, name: str) -> str:
    return f"{model.model.name} {name}"


def _for_optuna(its: Choices | Range, value: Any) -> Any:
    """Return a value as Optuna knows it: 1 and true are two choices, though they are equal."""
    return repr(value) if isinstance(its, Choices) else value


def _settings(model: SearchedModel, params: dict[str, Any]) -> dict[str, Any]:
    chosen = {}
    for name, its in model.space.items():
        value = params[_key(model, name)]
        chosen[name] = next(it for it in its.values if repr(it) == value) if isinstance(its, Choices) else value
    return chosen


def _describe(trial: Trial) -> str:
    return f"{trial['model']} {sorted(trial['settings'].items())}"
