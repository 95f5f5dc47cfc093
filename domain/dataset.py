"""Dataset: a name whose versions are pinned by content."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.errors import ConflictError, NotFoundError
from domain.events import Aggregate, Event, Value
from domain.values import BlobRef, DatasetRef, checked_catalog_name


class DatasetContent(Value):
    """What ingest found: the Parquet blob, its shape, the target and its classes, the columns' types, and the origin."""

    blob: BlobRef
    rows: int
    columns: dict[str, str]
    target: str
    classes: tuple[str, ...]
    licence: str | None = None
    source: str | None = None


class DatasetRegistered(Event):
    """A version of the data set is on offer."""

    NAME: ClassVar[str] = "dataset-registered.v1"
    version: int
    content: DatasetContent

    def apply(self, aggregate: Dataset) -> None:
        """Fold."""
        aggregate.latest, aggregate.content, aggregate.retired = self.version, self.content, False


class DatasetRetired(Event):
    """The data set is not on offer any more; trainings on it stay reproducible."""

    NAME: ClassVar[str] = "dataset-retired.v1"

    def apply(self, aggregate: Dataset) -> None:
        """Fold."""
        aggregate.retired = True


class Dataset(Aggregate):
    """The data set of one name."""

    latest: int = 0
    content: DatasetContent | None = None
    retired: bool = False

    @property
    def name(self) -> str:
        """The name that users give."""
        return self.id.partition(":")[2]

    @property
    def is_offered(self) -> bool:
        """Whether it can be trained on."""
        return self.exists and not self.retired

    def ref(self) -> DatasetRef:
        """Pin the latest version by its content."""
        if self.content is None or self.retired:
            raise NotFoundError.named("data set", self.name)
        return DatasetRef(name=self.name, version=self.latest, sha256=self.content.blob.sha256)

    def register(self, content: DatasetContent) -> bool:
        """Offer this content; return False (no event) where it is the latest version already."""
        checked_catalog_name(self.name)
        if self.content is not None and not self.retired and self._describes_the_same(content):
            return False
        self.trigger_event(DatasetRegistered, version=self.latest + 1, content=content)
        return True

    def retire(self) -> None:
        """Take it off the catalog."""
        if not self.exists:
            raise NotFoundError.named("data set", self.name)
        if self.retired:
            raise ConflictError(f"Data set {self.name!r} is retired already.")
        self.trigger_event(DatasetRetired)

    def _describes_the_same(self, content: DatasetContent) -> bool:
        keys: dict[str, Any] = {"exclude": {"licence", "source"}}
        return self.content is not None and self.content.model_dump(**keys) == content.model_dump(**keys)
