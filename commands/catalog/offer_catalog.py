"""Offer what the installed distributions bring: models, measures, scikit-learn's data sets. Runs at start."""

from __future__ import annotations

from dataclasses import dataclass

from commands.answers import answer_unchanged
from commands.call import Answer
from commands.catalog.register_dataset import ingested, register_each
from commands.ports import Receipt, TaskBroken, TaskSpec
from commands.wrappers import Desk, Work
from domain.errors import NotAbleError
from domain.offer import Description, Offer

BUILTIN = ("iris", "wine", "breast-cancer", "digits")
LICENCE, SOURCE = "BSD-3-Clause (scikit-learn); data: UCI Machine Learning Repository, CC BY 4.0", "scikit-learn"


@dataclass(frozen=True, slots=True)
class OfferCatalog:
    """Asks a describe-task what is installed."""


def offer_catalog(_: OfferCatalog, desk: Desk) -> Receipt | None:
    """Append model-offered and measure-offered for what is new, then the built-in data sets where they never were."""
    outcome = desk.ports.launcher.start(TaskSpec("describe", {})).result()
    if isinstance(outcome, TaskBroken):
        raise NotAbleError(f"The catalog could not be described: {outcome.detail}")

    def decision(work: Work) -> None:
        for kind in ("model", "measure"):
            for offered in outcome.facts[f"{kind}s"]:
                description = Description.model_validate(offered["description"])
                work.get(Offer, f"{kind}:{offered['name']}").offer(description)

    receipt = desk.decide(decision)[1]
    missing = [name for name in BUILTIN if desk.ports.store.version(f"dataset:{name}") == 0]
    contents = {name: ingested(desk, {"builtin": name, "target": "target"}, LICENCE, SOURCE) for name in missing}
    return register_each(desk, contents) or receipt


def answer_offered(_: OfferCatalog, __: Receipt | None, desk: Desk) -> Answer:
    """Answer with nothing but the position."""
    return answer_unchanged(desk, {})
