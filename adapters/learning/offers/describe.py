"""The describe task: what one installed distribution offers to the catalog; what of it is broken is reported.

One task for each distribution: a plug-in may end its process, and that must not hide the others.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

from adapters.learning.offers.catalog import (
    MEASURES,
    MODELS,
    OWN,
    InstalledOffer,
    make_estimator,
    offers,
    takes_estimator,
)
from adapters.learning.offers.learning_tasks import find_tasks, task_of
from adapters.learning.offers.parameters import explain_parameters
from adapters.learning.offers.settings import settings_of
from adapters.learning.preparation.settings import preparation_settings

AVERAGES = ("macro", "micro", "weighted", "binary")
MAX_SENTENCE = 300


def describe(distribution: str = OWN) -> dict[str, Any]:
    """Return `{models, measures, problems, plugins}` of a distribution; `plugins` names all others that offer any."""
    problems: list[str] = []
    return {
        "models": list(_describe_group(MODELS, distribution, _model, problems)),
        "measures": list(_describe_group(MEASURES, distribution, _measure, problems)),
        "problems": problems,
        "plugins": sorted({offer.distribution for group in (MODELS, MEASURES) for offer in offers(group)} - {OWN}),
    }


def averages_of(measure: Callable[..., Any]) -> dict[str, Any]:
    """Return the settings of a measure: `average` with its choices and default, if its function has one."""
    parameter = inspect.signature(measure).parameters.get("average")
    if parameter is None:
        return {}
    choices = [average for average in AVERAGES if average in _allowed_averages(measure)]
    default = parameter.default if parameter.default in choices and parameter.default != "binary" else choices[0]
    return {"average": {"type": "choice", "choices": choices, "default": default}}


def _describe_group(
    group: str, distribution: str, read: Callable[[InstalledOffer], dict[str, Any]], problems: list[str]
) -> Iterator[dict[str, Any]]:
    for offer in offers(group):
        if offer.distribution != distribution:
            continue
        try:
            facts = {"distribution": offer.distribution, "version": offer.version, **read(offer)}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may raise anything; the others must go on
            who = f"{offer.name} of {offer.distribution} {offer.version}"
            problems.append(f"{who} is not offered: {type(error).__name__}: {error}"[:MAX_SENTENCE])
            continue
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        yield {"name": offer.name, "description": {**facts, "digest": digest}}


def _model(offer: InstalledOffer) -> dict[str, Any]:
    made = make_estimator(offer)
    settings, explained = settings_of(made), explain_parameters(type(made))
    for name in settings.keys() & explained.keys():
        settings[name]["what"] = explained[name]
    return {
        "description": _first_sentence(made),
        "tasks": [task_of(made)],
        "settings": settings | preparation_settings(made),
    }


def _measure(offer: InstalledOffer) -> dict[str, Any]:
    measure = offer.target()
    takes_estimator(measure)
    settings = averages_of(measure)
    return {"description": _first_sentence(measure), "tasks": find_tasks(measure, settings), "settings": settings}


def _first_sentence(thing: Any) -> str:
    text = (inspect.getdoc(thing) or "").strip()
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())[:MAX_SENTENCE]


def _allowed_averages(measure: Callable[..., Any]) -> set[str]:
    """Read scikit-learn's own constraints, or a `Literal` annotation; a function that states none may get any."""
    constraints = getattr(measure, "_skl_parameter_constraints", {}).get("average", [])
    stated = {option for each in constraints for option in getattr(each, "options", ())}
    if not stated and "average" in getattr(measure, "__annotations__", {}):
        stated = set(get_args(get_type_hints(measure)["average"]))
    return stated & set(AVERAGES) or set(AVERAGES)
