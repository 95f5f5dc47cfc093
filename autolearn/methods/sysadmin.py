"""For sys-admins, in Python: the audit log, replay, verify and rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from autolearn.answers import Response
from autolearn.events import check_problem, result_of_stream
from autolearn.methods import Methods
from autolearn.moments import Moment, Time, as_of_text, time_text
from autolearn.progress import progress_bar
from autolearn.results import Pages, Proof, Result
from autolearn.views import Facts, View
from autolearn.views.log import log_blocks
from autolearn.views.replay import replay_blocks
from autolearn.views.verification import verification_blocks

LOG = View(log_blocks, rows="communications")


class Communication(Result):
    """A record of the audit log: a call, a message or what a process did."""

    __slots__ = ()
    at: str
    kind: str
    actor: str
    source: str
    target: str
    operation: str
    outcome: str
    milliseconds: float | None
    correlation: str
    NAMES: ClassVar[tuple[str, ...]] = ("at", "actor", "operation", "outcome")


class Verification(Result):
    """What a verification found: it is `ok`, or has faults."""

    __slots__ = ()
    ok: bool
    faults: list[dict[str, Any]]
    VIEW: ClassVar[View] = View(verification_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("ok",)


class Replay(Result):
    """The state at a moment, computed from the log alone, and whether the read models say the same."""

    __slots__ = ()
    matches_read_models: bool
    VIEW: ClassVar[View] = View(replay_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("matches_read_models",)


class SysadminMethods(Methods):
    """Questions that need the role sys-admin."""

    def log(
        self,
        correlation: str | None = None,
        *,
        actor: str | None = None,
        operation: str | None = None,
        outcome: str | int | None = None,
        kind: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
    ) -> Pages[Communication]:
        """Return who called what and how it went, newest first; of a correlation, one command through all services."""
        asked = _log_query(
            correlation=correlation,
            actor=actor,
            operation=operation,
            outcome=outcome,
            kind=kind,
            since=since,
            until=until,
        )

        def ask(rows: int, cursor: str | None) -> Response:
            # The cursor has the filters: an age such as `2h` would mean another time at the next page.
            return self._ask("log", limit=rows, cursor=cursor, **({} if cursor else asked))

        return Pages(ask, Communication, LOG, limit)

    def follow_log(
        self,
        correlation: str | None = None,
        *,
        actor: str | None = None,
        operation: str | None = None,
        outcome: str | int | None = None,
        kind: str | None = None,
        since: Time | None = None,
    ) -> Iterator[Communication]:
        """Yield new records as they come, without end."""
        asked = _log_query(
            correlation=correlation, actor=actor, operation=operation, outcome=outcome, kind=kind, since=since
        )
        for event in self.client.stream("GET", "log", "events", **asked):
            check_problem(event)
            if isinstance(event.data, dict) and "operation" in event.data:
                yield Communication(event.data, Proof(0))

    def replay(self, as_of: Moment, stream: str | None = None, *, progress: bool = True) -> Replay:
        """Compute the state at a moment from the log alone, of everything or of a stream (`session:ana:1`)."""
        return Replay(*self._inspect("Replaying", progress, "GET", "replay", as_of=as_of_text(as_of), stream=stream))

    def verify(
        self,
        *,
        anchor: str | None = None,
        audit_anchor: str | None = None,
        against: str | None = None,
        progress: bool = True,
    ) -> Verification:
        """Check everything that is stored; `anchor` and `audit_anchor` are those of the receipt of a commit."""
        body = {"anchor": anchor, "audit_anchor": audit_anchor, "against": against}
        body = {name: value for name, value in body.items() if value or name == "anchor"}
        return Verification(*self._inspect("Verifying", progress, "POST", "verifications", body=body))

    def rebuild(self, projection: str | None = None, *, progress: bool = True) -> Result:
        """Compute a read model, or all, anew from the log, while the backend serves."""
        body = {"projection": projection}
        return Result(*self._inspect("Rebuilding", progress, "POST", "rebuilds", body=body))

    def _inspect(self, what: str, progress: bool, method: str, *path: str, **asked: Any) -> tuple[Facts, Proof]:
        with progress_bar(what, wanted=progress) as tell:
            body = result_of_stream(self.client.stream(method, *path, **asked), tell)
        return body, Proof(int(body.get("position") or 0), str(body.get("head") or ""))


def _log_query(
    *,
    correlation: str | None,
    actor: str | None,
    operation: str | None,
    outcome: str | int | None,
    kind: str | None,
    since: Time | None,
    until: Time | None = None,
) -> Facts:
    asked = {"correlation": correlation, "actor": actor, "operation": operation, "kind": kind}
    return asked | {"outcome": outcome, "since": time_text(since), "until": time_text(until)}
