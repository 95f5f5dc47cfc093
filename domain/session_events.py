"""The events of `session:<client>:<n>` and how each changes the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from domain.events import Event

if TYPE_CHECKING:
    from domain.session import Session


class SessionOpened(Event):
    """A client's first training since the last commit or discard opened its session."""

    NAME: ClassVar[str] = "session-opened.v1"
    client: str

    def apply(self, aggregate: Session) -> None:
        aggregate.state = "open"
        aggregate.client = self.client


class ExperimentAdded(Event):
    """An experiment belongs to the session from now on."""

    NAME: ClassVar[str] = "experiment-added.v1"
    experiment: str

    def apply(self, aggregate: Session) -> None:
        aggregate.experiments.append(self.experiment)


class SearchAdded(Event):
    """A search belongs to the session from now on."""

    NAME: ClassVar[str] = "search-added.v1"
    search: str

    def apply(self, aggregate: Session) -> None:
        aggregate.searches.append(self.search)


class SessionCommitted(Event):
    """The session ended: these experiments are committed for ever, the others discarded."""

    NAME: ClassVar[str] = "session-committed.v1"
    committed: tuple[str, ...]
    discarded: tuple[str, ...]
    message: str | None = None

    def apply(self, aggregate: Session) -> None:
        aggregate.state = "committed"
        aggregate.committed = self.committed


class SessionDiscarded(Event):
    """The session ended and everything in it was discarded."""

    NAME: ClassVar[str] = "session-discarded.v1"
    discarded: tuple[str, ...]

    def apply(self, aggregate: Session) -> None:
        aggregate.state = "discarded"
