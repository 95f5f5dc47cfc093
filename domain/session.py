"""Session: a client's uncommitted work. It knows which experiments it holds and whether it is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Literal

from domain.errors import ConflictError, NotFoundError
from domain.events import Aggregate
from domain.session_events import ExperimentAdded, SearchAdded, SessionCommitted, SessionDiscarded, SessionOpened
from domain.values import MAX_EXPERIMENTS_OF_A_SESSION, MAX_SEARCHES_OF_A_SESSION


class Session(Aggregate):
    """One of a client's sessions; at most one of them is open."""

    client: str = ""
    state: Literal["blank", "open", "committed", "discarded"] = "blank"
    experiments: list[str] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    committed: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    def open(self, client: str) -> None:
        if self.state != "blank":
            raise ConflictError(f"This session is {self.state} already.")
        self.trigger_event(SessionOpened, client=client)

    def add(self, experiment: str) -> None:
        self._check_open()
        if not self.room:
            msg = f"A session holds at most {MAX_EXPERIMENTS_OF_A_SESSION} experiments: commit or discard it first."
            raise ConflictError(msg)
        self.trigger_event(ExperimentAdded, experiment=experiment)

    @property
    def room(self) -> int:
        """How many more experiments it can hold."""
        return MAX_EXPERIMENTS_OF_A_SESSION - len(self.experiments)

    def add_search(self, search: str) -> None:
        self._check_open()
        if len(self.searches) >= MAX_SEARCHES_OF_A_SESSION:
            msg = f"A session holds at most {MAX_SEARCHES_OF_A_SESSION} searches: commit or discard it first."
            raise ConflictError(msg)
        self.trigger_event(SearchAdded, search=search)

    def commit(self, chosen: Sequence[str], message: str | None) -> None:
        """Close the session; `chosen` experiments stay for ever, the others are discarded."""
        self._check_open()
        foreign = [name for name in chosen if name not in self.experiments]
        if foreign:
            raise NotFoundError.for_name("experiment in this session", foreign[0])
        if not chosen:
            raise ConflictError("There is nothing to commit: no experiment of this session is completed.")
        kept = set(chosen)
        rest = tuple(name for name in self.experiments if name not in kept)
        ordered = tuple(name for name in self.experiments if name in kept)
        self.trigger_event(SessionCommitted, committed=ordered, discarded=rest, message=message)

    def discard(self) -> None:
        """Close the session and keep nothing."""
        self._check_open()
        self.trigger_event(SessionDiscarded, discarded=tuple(self.experiments))

    def _check_open(self) -> None:
        if not self.is_open:
            raise ConflictError("There is no open session: the next training opens one.")
