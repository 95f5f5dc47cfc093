"""Add a data set: ingest the raw file in a task of its own, then register what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commands.answers import answer_at, answer_unchanged
from commands.call import Answer
from commands.cancellation import Cancellation
from commands.context import CommandContext
from commands.ports import StoredAppend, TaskBroken, TaskSpec
from commands.unit_of_work import load
from domain.dataset import Dataset, DatasetContent
from domain.errors import BadInputError, NotAbleError
from domain.values import check_catalog_name


@dataclass(frozen=True, slots=True)
class RegisterDataset:
    """Name and target column; `path` is the raw upload, a scratch file; format csv, tsv or parquet, perhaps gzipped.

    A requested `cancellation` ends the ingest, and nothing is registered.
    """

    name: str
    target: str
    path: str
    format: str = "csv"
    gzip: bool = False
    licence: str | None = None
    source: str | None = None
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)


def register_dataset(command: RegisterDataset, context: CommandContext) -> StoredAppend | None:
    """Append dataset-registered; nothing if this content is the latest version already."""
    check_catalog_name(command.name)
    facts = {"path": command.path, "format": command.format, "gzip": command.gzip, "target": command.target}
    content = run_ingest(context, facts, command.licence, command.source, command.cancellation)
    if command.cancellation.is_requested:
        raise NotAbleError("The call ended before its file was registered.")
    stream = f"dataset:{command.name}"
    return context.decide(lambda work: work.get(Dataset, stream).register(content))[1]


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
    child = context.ports.launcher.start(TaskSpec("ingest", facts))
    outcome = (cancellation or Cancellation()).attach(child).result()
    if isinstance(outcome, TaskBroken):
        if outcome.reason in ("bad-input", "memory-limit", "deadline"):
            raise BadInputError(outcome.detail, reason=outcome.reason)
        raise NotAbleError(f"The file could not be ingested: {outcome.detail}")
    return DatasetContent.model_validate(
        outcome.facts | {"target": facts["target"], "licence": licence, "source": source}
    )


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
    }
