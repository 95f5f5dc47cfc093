"""Offer what the installed distributions bring: models, measures, scikit-learn's data sets. Runs at start."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from commands.answers import answer_unchanged
from commands.call import Answer
from commands.catalog.register_dataset import run_ingest
from commands.context import CommandContext
from commands.ports import Launcher, StoredAppend, TaskBroken, TaskDone, TaskOutcome, TaskSpec
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset
from domain.errors import NotAbleError
from domain.offer import Description, Offer
from domain.values import CATALOG_NAME, MAX_ATTEMPTS

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
    described = _describe_all(context.ports.launcher)
    appended = context.decide(lambda work: _offer(work, described))[1]
    missing = [it for it in command.datasets if context.ports.store.version(f"dataset:{it.name}") == 0]
    contents = {
        it.name: run_ingest(context, {"name": it.name, "builtin": it.name, "target": it.target}, it.licence, it.source)
        for it in missing
    }

    def decision(work: UnitOfWork) -> None:
        for name, content in contents.items():
            work.get(Dataset, f"dataset:{name}").register(content)

    return context.decide(decision)[1] or appended


def _describe_all(launcher: Launcher) -> list[dict[str, Any]]:
    """Return what each distribution offers, AutoLearn's own first; one that ends its process is left out, and told."""
    own = launcher.start(TaskSpec("describe", {})).result()
    if isinstance(own, TaskBroken):
        raise NotAbleError(f"The catalog could not be described: {own.detail}")
    described = [own.facts]
    for plugin in own.facts.get("plugins", ()):
        outcome = _describe_plugin(launcher, plugin)
        if isinstance(outcome, TaskDone):
            described.append(outcome.facts)
        elif outcome.reason == "cancelled":
            raise NotAbleError(f"The catalog could not be described: {outcome.detail}")
        else:
            logger.warning("nothing of %s is offered, until the next start: %s", plugin, outcome.detail)
    return described


def _describe_plugin(launcher: Launcher, plugin: str) -> TaskOutcome:
    """Describe a plug-in; as a kill says nothing of it, it is tried as often as other tasks."""
    for _ in range(MAX_ATTEMPTS):
        outcome = launcher.start(TaskSpec("describe", {"distribution": plugin})).result()
        if isinstance(outcome, TaskDone) or not outcome.is_killed:
            break
    return outcome


def _offer(work: UnitOfWork, described: list[dict[str, Any]]) -> None:
    for facts in described:
        for problem in facts.get("problems", ()):
            logger.warning("%s", problem)
    for kind in ("model", "measure"):
        names = set[str]()
        for offered in (it for facts in described for it in facts[f"{kind}s"]):
            name, by = offered["name"], offered["description"]["distribution"]
            if not CATALOG_NAME.fullmatch(name):
                logger.warning("%s %r is not offered: %s", kind, name, CATALOG_NAME.pattern)
            elif name in names:
                logger.warning("%s %s of %s is not offered: another distribution offers that name.", kind, name, by)
            else:
                work.get(Offer, f"{kind}:{name}").offer(Description.model_validate(offered["description"]))
            names.add(name)


def answer_offered(_: OfferCatalog, __: StoredAppend | None, context: CommandContext) -> Answer:
    return answer_unchanged(context, {})
