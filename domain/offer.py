"""Offer: a model or measure of the catalog, as an installed distribution describes it."""

from __future__ import annotations

from typing import Any, ClassVar

from packaging.version import InvalidVersion, Version

from domain.errors import ConflictError, NotFoundError
from domain.events import Aggregate, Event, Value
from domain.values import LearningTask, ModelRef


class Description(Value):
    """What a describe task found: the distribution and its version, a sentence, what it is for, the typed settings.

    `tasks` has the one task of a model, or those that a measure can measure.
    `settings` maps a name to `{type, default, ...constraints}`; of a measure it holds `average` (choices, default).
    `digest` is the SHA-256 of all the rest: the same digest makes no new event.
    """

    distribution: str
    version: str
    description: str
    tasks: tuple[LearningTask, ...] = ("classification",)
    settings: dict[str, Any]
    digest: str


class EntryOffered(Event):
    """Base of the two offered events."""

    description: Description

    def apply(self, aggregate: Offer) -> None:
        aggregate.description, aggregate.withdrawn = self.description, False


class ModelOffered(EntryOffered):
    """A model can be trained."""

    NAME: ClassVar[str] = "model-offered.v2"


class MeasureOffered(EntryOffered):
    """A measure can be computed."""

    NAME: ClassVar[str] = "measure-offered.v2"


class EntryWithdrawn(Event):
    """Base of the two withdrawn events."""

    def apply(self, aggregate: Offer) -> None:
        aggregate.withdrawn = True


class ModelWithdrawn(EntryWithdrawn):
    """The model is no longer offered."""

    NAME: ClassVar[str] = "model-withdrawn.v1"


class MeasureWithdrawn(EntryWithdrawn):
    """The measure is no longer offered."""

    NAME: ClassVar[str] = "measure-withdrawn.v1"


class Offer(Aggregate):
    """The model or measure of one name; streams `model:<name>` and `measure:<name>`."""

    description: Description | None = None
    withdrawn: bool = False

    @property
    def kind(self) -> str:
        return self.id.partition(":")[0]

    @property
    def name(self) -> str:
        return self.id.partition(":")[2]

    @property
    def is_offered(self) -> bool:
        return self.exists and not self.withdrawn

    def require_description(self) -> Description:
        if self.description is None or self.withdrawn:
            raise NotFoundError.for_name(self.kind, self.name)
        return self.description

    def ref(self) -> ModelRef:
        """Pin the model by the distribution that provides it."""
        description = self.require_description()
        return ModelRef(name=self.name, version=description.version, distribution=description.distribution)

    def offer(self, description: Description) -> bool:
        """Offer it; return False (no event) for a known digest or a lower version of the same distribution."""
        if self.description is not None and (
            description.digest == self.description.digest or _is_lower(description, self.description)
        ):
            return False
        event = ModelOffered if self.kind == "model" else MeasureOffered
        self.trigger_event(event, description=description)
        return True

    def withdraw(self) -> None:
        if not self.exists:
            raise NotFoundError.for_name(self.kind, self.name)
        if self.withdrawn:
            raise ConflictError(f"The {self.kind} {self.name!r} is withdrawn already.")
        self.trigger_event(ModelWithdrawn if self.kind == "model" else MeasureWithdrawn)


def _is_lower(new: Description, known: Description) -> bool:
    if new.distribution != known.distribution:
        return False
    try:
        return Version(new.version) < Version(known.version)
    except InvalidVersion:
        return False
