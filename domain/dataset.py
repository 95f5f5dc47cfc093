"""Dataset: a name with versions, each identified by the SHA-256 of its content."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Literal

from pydantic import Field

from domain.errors import ConflictError, NotFoundError
from domain.events import Aggregate, Event, Value
from domain.values import BlobRef, DatasetRef, LearningTask, check_catalog_name


class Reading(Value):
    """How a raw file was read: what was given, or else found. None: the format leaves no choice, or nothing showed it.

    `decimal` and `thousands` are the marks of the file's numbers. `spellings` has the columns whose values are not
    spelled plainly: `1.234,5` (numbers, by an example), `1,234 %`, `%d/%m/%Y` (times). `missing` counts the texts that
    were taken for missing values (`""`: empty), `missing_texts` are those that were given instead of the usual ones.
    `left_out` are columns that hold no data: the index of pandas, a column without name and values.
    """

    format: str
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    dayfirst: bool | None = None
    spellings: dict[str, str] = Field(default_factory=dict)
    missing: dict[str, int] = Field(default_factory=dict)
    missing_texts: tuple[str, ...] | None = None
    dropped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    rows_dropped: int = 0


SuspectKind = Literal[
    "leak", "id", "constant", "duplicate-column", "nearly-numeric", "nearly-date", "float32", "rare-class", "imbalance",
    "duplicate-rows",
]  # fmt: skip


class Suspect(Value):
    """Something to look at before training, in these columns or in whole rows: why, and a command that helps."""

    kind: SuspectKind
    columns: tuple[str, ...] = ()
    reason: str
    remedy: str


class ProfileSummary(Value):
    """The blob of a profile (docs/schemas/dataset-profile.v1.json), and the first of the suspects that it has."""

    blob: BlobRef
    suspects: tuple[Suspect, ...] = ()
    suspects_found: int = 0


class DatasetContent(Value):
    """What ingest found: the Parquet blob, its shape, the columns' types, the target's classes; how; and the origin.

    `class_rows` counts the rows of each class. `positive` is the class that measures of two classes are about. `notes`
    are sentences about what may surprise. A version of release 0.1.0 has no `reading` and no `profile`.
    """

    blob: BlobRef
    rows: int
    columns: dict[str, str]
    target: str
    classes: tuple[str, ...]
    class_rows: tuple[int, ...] = ()
    task: LearningTask = "classification"
    positive: str | None = None
    reading: Reading | None = None
    notes: tuple[str, ...] = ()
    profile: ProfileSummary | None = None
    licence: str | None = None
    source: str | None = None


class DatasetRegistered(Event):
    """A version of the data set is offered."""

    NAME: ClassVar[str] = "dataset-registered.v2"
    version: int
    content: DatasetContent

    def apply(self, aggregate: Dataset) -> None:
        aggregate.latest, aggregate.retired = self.version, False
        aggregate.versions[self.version] = self.content


class DatasetRetired(Event):
    """The data set is no longer offered; trainings on it stay reproducible."""

    NAME: ClassVar[str] = "dataset-retired.v1"

    def apply(self, aggregate: Dataset) -> None:
        aggregate.retired = True


class Dataset(Aggregate):
    latest: int = 0
    versions: dict[int, DatasetContent] = field(default_factory=dict)
    retired: bool = False

    @property
    def name(self) -> str:
        return self.id.partition(":")[2]

    @property
    def is_offered(self) -> bool:
        return self.exists and not self.retired

    @property
    def content(self) -> DatasetContent:
        if not self.is_offered:
            raise NotFoundError.for_name("data set", self.name)
        return self.versions[self.latest]

    def ref(self, version: str = "") -> DatasetRef:
        """Pin a version by its content: the named one, or else the latest."""
        latest = self.content
        if not version:
            return DatasetRef(name=self.name, version=self.latest, sha256=latest.blob.sha256)
        chosen = [number for number in self.versions if str(number) == version]
        if not chosen:
            raise NotFoundError.for_version(self.name, version, self.latest)
        return DatasetRef(name=self.name, version=chosen[0], sha256=self.versions[chosen[0]].blob.sha256)

    def register(self, content: DatasetContent) -> bool:
        """Offer this content; return False (no event) if it is the latest version already."""
        check_catalog_name(self.name)
        if self.is_offered and _facts(self.content) == _facts(content):
            return False
        self.trigger_event(DatasetRegistered, version=self.latest + 1, content=content)
        return True

    def retire(self) -> None:
        if not self.exists:
            raise NotFoundError.for_name("data set", self.name)
        if self.retired:
            raise ConflictError(f"Data set {self.name!r} is retired already.")
        self.trigger_event(DatasetRetired)


def _facts(content: DatasetContent) -> dict[str, Any]:
    return content.model_dump(exclude={"licence", "source", "reading", "notes", "profile"})


def retired_error(name: str) -> NotFoundError:
    """Say that a data set is not on offer any more."""
    return NotFoundError(f"The data set {name!r} is retired; `autolearn catalog datasets` lists those on offer.")
