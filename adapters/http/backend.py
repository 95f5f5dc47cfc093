"""Backend: everything that the routes may use, made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Event as Signal
from typing import Any, Protocol

from adapters.audit_log.in_flight_calls import InFlightCalls
from adapters.audit_log.refused_calls import RefusedCalls
from adapters.audit_log.request_ids import RequestIds
from adapters.security.cursors import HmacCursorSeal
from adapters.security.keys import Keyring
from commands.application import Application
from commands.cancellation import Cancellation
from commands.ports import Blobs, Clock
from domain.client import Client
from projections.ports import AuditLog, Documents, Feed
from projections.queries import Queries


class Inspector(Protocol):
    """Verify, replay and rebuild, in a process of their own that reads the stores at one position."""

    def run(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation) -> Iterator[dict[str, Any]]:
        """Yield `{"progress": 0..1, "what": str}` and, last, `{"result": {…}}`; raises domain.errors.

        Requesting `cancellation` ends the process.

        kind and arguments: verify `{anchor, audit_anchor, until, in_flight: [id…]}` (POSITION:HASH; `until` is the
        end of the log as it was before `in_flight` was taken), replay `{as_of, stream}`, rebuild `{projection}`.
        """
        ...

    def end_all(self) -> None:
        """End those that run, and begin none any more, as the process is to stop: whoever waits gets NotAbleError."""
        ...


@dataclass(frozen=True)
class Backend:
    """The two sides, the stores behind them, and who this process is.

    `clients` folds a client fresh from the log each time. `fault` says `position N: why` where the projection stands
    still, else None; `remark` what somebody should see to though everything works. `hosts` are names that the Host
    header may bear beside those of loopback. `in_flight_elsewhere` lists correlations of calls that other processes
    have not recorded yet, as of a moment after it was asked; not all of them if its signal is set meanwhile. `gauges`
    are further ones for `/metrics`, by their name in `metrics.GAUGES`. Within `short_timeout` the stores answer soon or
    refuse. `slots`: how many inspections at a time.
    """

    application: Application
    queries: Queries
    feed: Feed
    documents: Documents
    audit_log: AuditLog
    request_ids: RequestIds
    blobs: Blobs
    keyring: Keyring
    cursors: HmacCursorSeal
    clients: Callable[[str], Client]
    inspector: Inspector
    clock: Clock
    worker: str
    hosts: frozenset[str] = frozenset()
    fault: Callable[[], str | None] = lambda: None
    remark: Callable[[], str | None] = lambda: None
    in_flight: InFlightCalls = field(default_factory=InFlightCalls)
    in_flight_elsewhere: Callable[[Signal], list[str]] = lambda _: []
    gauges: Callable[[], Mapping[str, float]] = dict
    short_timeout: Callable[[], AbstractContextManager[None]] = nullcontext
    slots: int = 2
    refused_calls: RefusedCalls = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "refused_calls", RefusedCalls(self.audit_log))
