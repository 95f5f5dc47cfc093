"""Sessions in Python: uncommitted work and earlier sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from autolearn.methods import Methods, Named, id_in
from autolearn.methods.history import Experiment
from autolearn.moments import Moment
from autolearn.requests import commit_request
from autolearn.results import Listing, Result, Table
from autolearn.views import View
from autolearn.views.session import session_blocks, session_list_blocks


class Session(Table[Experiment]):
    """A session; as a table, a row for each of its experiments. Its `session` is None where none is open."""

    __slots__ = ()
    session: str | None
    state: str | None
    experiments: list[dict[str, Any]]
    VIEW: ClassVar[View] = View(session_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("session", "state")

    def __iter__(self) -> Iterator[Experiment]:
        return (Experiment(it, self.proof) for it in self.facts.get("experiments") or ())


class Receipt(Result):
    """What a commit hands out: with `anchor` and `audit_anchor` a later `verify` proves that nothing has changed."""

    __slots__ = ()
    session: str
    committed_at: str
    experiments: list[str]
    message: str | None
    NAMES: ClassVar[tuple[str, ...]] = ("session", "experiments")

    @property
    def anchor(self) -> str:
        return f"{self.position}:{self.head}"

    @property
    def audit_anchor(self) -> str | None:
        return self.audit or None


class SessionMethods(Methods):
    """What is not committed yet, and what becomes of it."""

    def commit(self, *experiments: Named, message: str | None = None) -> Receipt:
        """Commit all completed trainings of the session, or the named ones (and discard the rest)."""
        body = commit_request([id_in(it) for it in experiments], message)
        return Receipt.of(self.client.post("session", "commit", body=body))

    def discard(self) -> Result:
        """Discard the session and everything in it."""
        return Result.of(self.client.post("session", "discard"))

    def session(self, session: Named | None = None, *, as_of: Moment | None = None) -> Session:
        """Return the open session, or an earlier one."""
        which = None if session is None else id_in(session, "session")
        return Session.of(self._ask("session", session=which, as_of=as_of))

    def sessions(self, *, as_of: Moment | None = None) -> Listing[Result]:
        """Return all sessions of this client."""
        return Listing(self._ask("session", list=1, as_of=as_of), Result, View(session_list_blocks, rows="sessions"))
