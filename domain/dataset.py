"""Dataset: a name with versions, each identified by the SHA-256 of its content."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

from domain.errors import ConflictError, NotFoundError
from domain.events import Aggregate, Event, Value
from domain.values import BlobRef, DatasetRef, check_catalog_name


class DatasetContent(Value):
    """What ingest found: the Parquet blob, its shape, the columns' types, the target's classes; and the origin."""

    blob: BlobRef
    rows: int
    columns: dict[str, str]
    target: str
    classes: tuple[str, ...]
    licence: str | None = None
    source: str | None = None


class DatasetRegistered(Event):
    """A version of the data set is offered."""

    NAME: ClassVar[str] = "dataset-registered.v1"
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

    def ref(self) -> DatasetRef:
        """Pin the latest version by its content."""
        return DatasetRef(name=self.name, version=self.latest, sha256=self.content.blob.sha256)

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
    return content.model_dump(exclude={"licence", "source"})


def retired_error(name: str) -> NotFoundError:
    """Say that a data set is not on offer any more."""
    return NotFoundError(f"The data set {name!r} is retired; `autolearn catalog datasets` lists those on offer.")
