"""Proposals by Optuna's tree-structured Parzen estimator: each round rebuilds the study from the finished trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna

from domain.search_space import Choices, Range, SearchedModel

ROUND = 4  # trials, however many run at a time: so the same request makes the same trials on any machine
MOST_ASKED = 200  # for a round of settings that none had before: a small space may have no more
MODEL = "model"

Distributions = dict[str, optuna.distributions.BaseDistribution]


def propose_by_tpe(models: list[SearchedModel], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the next trials, none of them twice; Optuna learns from those that have a mean."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _rebuild_study(models, facts)
    everything = _model_choice(models)
    for it in models:
        everything |= _distributions(it)
    known = {_describe(it["model"], it["settings"]) for it in facts["finished"]}
    wanted = min(ROUND, facts["trials"] - len(facts["finished"]))
    trials: list[dict[str, Any]] = []
    for _ in range(MOST_ASKED):
        if len(trials) == wanted:
            break
        asked = study.ask(everything)
        settings = _settings(next(it for it in models if it.model.name == asked.params[MODEL]), asked.params)
        described = _describe(asked.params[MODEL], settings)
        if described in known:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        else:
            known.add(described)
            trials.append({"model": asked.params[MODEL], "settings": settings, "rows": None})
    return {"trials": trials, "last": len(trials) < wanted or len(facts["finished"]) + wanted >= facts["trials"]}


def _rebuild_study(models: list[SearchedModel], facts: dict[str, Any]) -> optuna.Study:
    by_name = {it.model.name: it for it in models}
    means = [it for it in facts["finished"] if it["mean"] is not None]
    seed = int(np.random.SeedSequence([facts["seed"], facts["round"]]).generate_state(1)[0])
    direction = "minimize" if means and means[0]["lower_is_better"] else "maximize"
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), direction=direction)
    for it in means:
        model = by_name[it["model"]]
        params = {_key(model, name): _told(model.space[name], value) for name, value in it["settings"].items()}
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


def _told(its: Choices | Range, value: Any) -> Any:
    """Return a value as Optuna knows it: 1 and true are two choices, though they are equal."""
    return repr(value) if isinstance(its, Choices) else value


def _settings(model: SearchedModel, params: dict[str, Any]) -> dict[str, Any]:
    chosen = {}
    for name, its in model.space.items():
        value = params[_key(model, name)]
        chosen[name] = next(it for it in its.values if repr(it) == value) if isinstance(its, Choices) else value
    return chosen


def _describe(model: str, settings: dict[str, Any]) -> str:
    return f"{model} {sorted(settings.items())}"
