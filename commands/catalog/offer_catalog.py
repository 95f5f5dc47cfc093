"""Offer what the installed distributions bring: models, measures, scikit-learn's data sets. Runs at start."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from commands.answers import answer_unchanged
from commands.call import Answer
from commands.catalog.register_dataset import run_ingest
from commands.context import CommandContext
from commands.ports import StoredAppend, TaskBroken, TaskSpec
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset
from domain.errors import NotAbleError
from domain.offer import Description, Offer
from domain.values import CATALOG_NAME

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuiltinDataset:
    """A data set that a task process can make itself."""

    name: str
    target: str
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class OfferCatalog:
    """Asks a describe task what is installed; registers the built-in data sets that never were."""

    datasets: tuple[BuiltinDataset, ...] = ()


def offer_catalog(command: OfferCatalog, context: CommandContext) -> StoredAppend | None:
    """Append model-offered and measure-offered for what is new; register built-in data sets that never were."""
    outcome = context.ports.launcher.start(TaskSpec("describe", {})).result()
    if isinstance(outcome, TaskBroken):
        raise NotAbleError(f"The catalog could not be described: {outcome.detail}")
    for problem in outcome.facts.get("problems", ()):
        logger.warning("%s", problem)
    appended = context.decide(lambda work: _offer(work, outcome.facts))[1]
    missing = [it for it in command.datasets if context.ports.store.version(f"dataset:{it.name}") == 0]
    contents = {
        it.name: run_ingest(context, {"name": it.name, "builtin": it.name, "target": it.target}, it.licence, it.source)
        for it in missing
    }

    def decision(work: UnitOfWork) -> None:
        for name, content in contents.items():
            work.get(Dataset, f"dataset:{name}").register(content)

    return context.decide(decision)[1] or appended


def _offer(work: UnitOfWork, described: dict[str, Any]) -> None:
    for kind in ("model", "measure"):
        for offered in described[f"{kind}s"]:
            if CATALOG_NAME.fullmatch(offered["name"]):
                description = Description.model_validate(offered["description"])
                work.get(Offer, f"{kind}:{offered['name']}").offer(description)
            else:
                logger.warning("%s %r is not offered: %s", kind, offered["name"], CATALOG_NAME.pattern)


def answer_offered(_: OfferCatalog, __: StoredAppend | None, context: CommandContext) -> Answer:
    return answer_unchanged(context, {})
