"""The proposal task: which settings of which models a search tries next, alike at every call with the same facts."""

from __future__ import annotations

from math import inf, prod
from typing import Any

import numpy as np
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from adapters.learning.search.trial import SearchedRows, read_searched_rows
from commands.ports import Blobs
from domain.search import rank_key
from domain.search_space import HALVING_FACTOR, Choices, Range, SearchedModel, rungs

Trial = dict[str, Any]

MODEL = " model"  # no setting has this name
LONGEST_LIST = 1000  # of whole numbers that are drawn like words, none of them twice
MOST_DRAWS = 20  # for each trial: a space of few different settings may not have as many as are asked for


def propose(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Return `{trials, last}` of the next round; facts and answer as in docs/architecture.md.

    Raises BadInputError where the rows do not allow the folds.
    """
    models = [SearchedModel.model_validate(it) for it in facts["models"]]
    shared = read_searched_rows({**facts, "settings": models[0].settings}, blobs)
    if facts["strategy"] == "tpe":
        from adapters.learning.search.tpe import propose_by_tpe  # noqa: PLC0415 - Optuna may not be installed

        return propose_by_tpe(models, facts)
    if facts["strategy"] == "halving":
        return _propose_rung(models, facts, shared)
    return {"trials": draw(models, facts["trials"], facts["seed"]), "last": True}


def draw(models: list[SearchedModel], number: int, seed: int) -> list[Trial]:
    """Return all settings in the order of scikit-learn's ParameterGrid, or as many as its ParameterSampler draws."""
    spaces = {it.model.name: it.space for it in models}
    named = [
        {name: _values(its) for name, its in space.items()} | ({MODEL: [model]} if len(models) > 1 else {})
        for model, space in spaces.items()
    ]
    size = sum(prod(len(its) if isinstance(its, list) else inf for its in space.values()) for space in named)
    if size <= number:
        found: Any = ParameterGrid(named)
    else:
        found = ParameterSampler(named, number if size < inf else number * MOST_DRAWS, random_state=seed)
    distinct: dict[str, Trial] = {}
    for settings in found:
        model = settings.pop(MODEL, models[0].model.name)
        chosen = {name: _plain(value, spaces[model][name]) for name, value in settings.items()}
        distinct.setdefault(f"{model} {sorted(chosen.items())}", {"model": model, "settings": chosen, "rows": None})
        if len(distinct) == number:
            break
    return list(distinct.values())


def _values(its: Choices | Range) -> Any:
    """Return a list of values, or a distribution, as scikit-learn's samplers take them."""
    if isinstance(its, Choices):
        return list(its.values)
    low, high = its.ends
    if its.scale == "int":
        whole = range(int(low), int(high) + 1)
        return list(whole) if len(whole) <= LONGEST_LIST else stats.randint(low, high + 1)
    return stats.loguniform(low, high) if its.scale == "log" else stats.uniform(low, high - low)


def _plain(value: Any, its: Choices | Range) -> Any:
    """Return what JSON has of a drawn value; rounding may have moved it beyond an end."""
    if isinstance(its, Choices):
        return value
    low, high = its.ends
    return type(low)(min(max(value, low), high))


def _propose_rung(models: list[SearchedModel], facts: dict[str, Any], shared: SearchedRows) -> dict[str, Any]:
    """Return the candidates of a rung of halving: first all on few rows, then the best third on three times as many."""
    counts = plan_rows(len(shared.part.target), facts["trials"], 2 * len(shared.folds) * _classes(shared.part.target))
    place = facts["round"] - 1
    rows = counts[place] if counts[place] < len(shared.part.target) else None
    if place == 0:
        candidates = draw(models, facts["trials"], facts["seed"])
    else:
        before = [it for it in facts["finished"] if it["rows"] == counts[place - 1]]
        ranked = sorted(
            (it for it in before if it["mean"] is not None), key=lambda it: rank_key({**it, "trial": it["number"]})
        )
        candidates = ranked[: -(-len(before) // HALVING_FACTOR)]
    trials = [{"model": it["model"], "settings": it["settings"], "rows": rows} for it in candidates]
    return {"trials": trials, "last": place == len(counts) - 1 or not trials}


def plan_rows(rows: int, candidates: int, least: int) -> list[int]:
    """Return the row count of each rung, as HalvingGridSearchCV chooses resources with `min_resources="exhaust"`."""
    wanted = len(rungs(candidates))
    first = min(rows, max(least, rows // HALVING_FACTOR ** (wanted - 1)))
    counts = [first]
    while len(counts) < wanted and counts[-1] * HALVING_FACTOR <= rows:
        counts.append(counts[-1] * HALVING_FACTOR)
    return counts


def _classes(target: np.ndarray[Any, Any]) -> int:
    return 1 if target.dtype.kind == "f" else len(np.unique(target))
