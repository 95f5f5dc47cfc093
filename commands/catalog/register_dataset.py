"""Add a data set: ingest the raw file in a task of its own, then register what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commands.answers import answer_at, answer_unchanged
from commands.call import Answer
from commands.call_task import run_call_task
from commands.cancellation import Cancellation
from commands.context import CommandContext
from commands.lookup import find_version
from commands.ports import StoredAppend, TaskSpec
from commands.unit_of_work import UnitOfWork, load
from domain.dataset import Dataset, DatasetContent
from domain.errors import BadInputError, NotAbleError
from domain.values import check_catalog_name


@dataclass(frozen=True, slots=True)
class RegisterDataset:
    """Name and target column; `path` is the raw upload, a scratch file, of a `format` that ingest reads, or gzipped.

    `given` decides what would else be found in the file (`adapters/learning/tables/given.py` has the names), `like`
    names a data set or version whose decisions are taken. A requested `cancellation` ends the ingest, and nothing is
    registered.
    """

    name: str
    target: str | None
    path: str
    format: str = "csv"
    gzip: bool = False
    licence: str | None = None
    source: str | None = None
    given: dict[str, Any] = field(default_factory=dict)
    like: str | None = None
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)


def register_dataset(command: RegisterDataset, context: CommandContext) -> StoredAppend | None:
    """Append dataset-registered; nothing if this content is the latest version already."""
    check_catalog_name(command.name)
    target, given = command.target, command.given
    if command.like is not None:
        earlier = find_version(UnitOfWork(context.ports.store), command.like)[1]
        target = target or earlier.target
        given = decisions_of(earlier, target, given)
    if target is None:
        raise BadInputError("Name the column to predict (target), or an earlier version to read it like (like).")
    facts = {"name": command.name, "path": command.path, "format": command.format, "gzip": command.gzip}
    facts |= {"target": target, "given": given}
    content = run_ingest(context, facts, command.licence, command.source, command.cancellation)
    if command.cancellation.is_requested:
        raise NotAbleError("The call ended before its file was registered.")
    stream = f"dataset:{command.name}"
    return context.decide(lambda work: work.get(Dataset, stream).register(content))[1]


def decisions_of(earlier: DatasetContent, target: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what decides that a later file is read like an earlier version; what is given now counts more.

    Columns that were numbers without a spelling of their own are plain numbers, where they came as text.
    """
    reading = earlier.reading
    decided: dict[str, Any] = {"types": dict(earlier.columns), "columns": list(earlier.columns)}
    if target == earlier.target:
        decided |= {"task": earlier.task, "earlier": {"positive": earlier.positive}}
    if reading is not None:
        plain = {name: "1234.5" for name, kind in earlier.columns.items() if kind == "number" and reading.decimal}
        decided |= {
            "spellings": plain | reading.spellings,
            "decimal": reading.decimal,
            "thousands": reading.thousands,
            "missing": None if reading.missing_texts is None else list(reading.missing_texts),
            "dayfirst": bool(reading.dayfirst),
            "drop": list(reading.dropped),
            "drop_missing_target": reading.rows_dropped > 0,
        }
        before = {"separator": reading.separator, "encoding": reading.encoding, "sheet": reading.sheet}
        decided["earlier"] = decided.get("earlier", {}) | before
    types = given.get("types") or {}
    if types:
        decided["types"] |= types
        decided["spellings"] = {name: it for name, it in decided.get("spellings", {}).items() if name not in types}
    return decided | {name: value for name, value in given.items() if name != "types"}


def answer_registered(command: RegisterDataset, appended: StoredAppend | None, context: CommandContext) -> Answer:
    """Answer with the version that the catalog has."""
    position = None if appended is None else appended.position
    dataset = load(context.ports.store, Dataset, f"dataset:{command.name}", position)
    body = describe_dataset(dataset) | {"new": appended is not None}
    return answer_unchanged(context, body) if appended is None else answer_at(appended, body)


def run_ingest(
    context: CommandContext,
    facts: dict[str, Any],
    licence: str | None,
    source: str | None,
    cancellation: Cancellation | None = None,
) -> DatasetContent:
    """Run the ingest task and return what it found; a fault in the file is the caller's bad input."""
    spec = TaskSpec("ingest", facts)
    found = run_call_task(context.ports.launcher, spec, "The file could not be ingested", cancellation)
    return DatasetContent.model_validate(found | {"target": facts["target"], "licence": licence, "source": source})


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    content = dataset.content
    return {
        "name": dataset.name,
        "version": dataset.latest,
        "rows": content.rows,
        "columns": content.columns,
        "target": content.target,
        "task": content.task,
        "classes": list(content.classes),
        "positive": content.positive,
        "sha256": content.blob.sha256,
        "licence": content.licence,
        "source": content.source,
        "reading": None if content.reading is None else content.reading.model_dump(),
        "notes": list(content.notes),
        "profile": None if content.profile is None else content.profile.model_dump(mode="json"),
    }
