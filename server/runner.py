"""The one kind of process: it starts its roles, answers on its port until it is told to stop, and closes them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Thread
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from adapters.host.private_files import UMASK
from adapters.host.shutdown import ShutdownRequest, ignore_signals
from adapters.host.sockets import Listener, raise_descriptor_limit
from autolearn.secret_files import forbid_dumps
from domain.errors import BadInputError
from server.compose.stores import SystemClock
from server.local_client import add_local, has_own_clients
from server.logs import LogFormat, log_to_standard_error
from server.settings import unknown_settings
from server.start_up import keep_offering, offer_catalog, take_over

if TYPE_CHECKING:
    from server.compose.services import Services
    from server.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
WARM = frozenset({"training", "evaluation"})  # their calls wait for a fit or a score: a forkserver stands ready

Serve = Callable[[Listener, ShutdownRequest, Callable[[], object]], None]
"""Answers on a listener until the request is made; then it calls the last, in a thread of its own."""

logger = logging.getLogger(__name__)


class Follower(Protocol):
    """What goes on in threads of its own: projections, relays, receipts; `stop` returns when it has ended."""

    def start(self) -> None: ...

    def request_stop(self) -> None:
        """Ask it to end, and return at once: so all end at the same time."""
        ...

    def stop(self) -> None: ...


class TaskLauncher(Protocol):
    """Starts task processes; `confinement` says what they may use of the machine."""

    @property
    def confinement(self) -> str: ...

    def prepare(self) -> None:
        """Make a forkserver, in the background."""
        ...

    def close(self) -> None:
        """End the tasks and the forkserver, even while it is still loading; a second call does nothing."""
        ...


@dataclass
class Runner:
    """One process. `services` answer calls and do tasks, `followers` do the rest, `opened` closes the stores."""

    settings: Settings
    services: Services | None
    launcher: TaskLauncher | None
    followers: Sequence[Follower]
    serve: Serve
    opened: ExitStack
    _closing: Signal = field(default_factory=Signal)

    def start(self, *, is_first: bool = False) -> None:
        """Begin to work; `is_first`: the client `local` is made where there is none.

        Raises domain.errors, and is closed then. Whoever started it closes it in the end, as `run` does.
        """
        try:
            self._check_exposure()
            self._begin(is_first=is_first)
        except BaseException:
            self.close()
            raise

    def run(self, listener: Listener, answers: Callable[[], None], shutdown: ShutdownRequest) -> None:
        """Answer calls until `shutdown` is made, as SIGTERM and SIGINT do, and close; later signals change nothing.

        `answers` is called when they are let in.
        """
        try:
            shutdown.follow_signals()
            listener.open()
            answers()
            self.serve(listener, shutdown, self._stop_work)
        finally:
            ignore_signals()
            self.close()

    def require_services(self) -> Services:
        """Return the services of a process that is known to have some."""
        if self.services is None:
            raise LookupError("this process answers no calls and does no tasks")
        return self.services

    def close(self) -> None:
        """Stop following, end the tasks, let go of the stores; what is unfinished stays so in the log."""
        self._stop_work()
        for follower in self.followers:
            follower.request_stop()
        if self.launcher:
            self.launcher.close()
        if self.services:
            self.services.worker.stop()
            self.services.application.close()
        for follower in reversed(self.followers):
            follower.stop()
        self.opened.close()

    def _stop_work(self) -> None:
        """Claim no more tasks, end those that run, and inspections, and let the calls return that wait for one."""
        self._closing.set()
        if self.services:
            self.services.worker.request_stop()
            self.services.application.end_tasks()
            self.services.backend.inspector.end_all()

    def _begin(self, *, is_first: bool) -> None:
        """Start what goes on in threads; only the very first start waits for the catalog."""
        start = uuid4().hex
        if self.services:
            self.services.recorder.record_start(start, self.services.log_position)
            if self.launcher:
                logger.info("%s", self.launcher.confinement)
                if WARM.intersection(self.services.roles.serve):
                    self.launcher.prepare()
        for follower in self.followers:
            follower.start()
        if self.services:
            if is_first:
                add_local(self.settings, self.services, start)
            self._take_up_work(self.services, start)

    def _take_up_work(self, services: Services, start: str) -> None:
        if "catalog" in services.roles.work:
            is_known = bool(services.application.ports.store.streams("model:", 1))
            if is_known or not offer_catalog(services, start, self._closing):
                Thread(target=keep_offering, args=(services, self._closing), name="offers", daemon=True).start()
        if services.roles.work:
            Thread(target=take_over, args=(services, self._closing), name="take over", daemon=True).start()
        else:  # it only ends here what is cancelled elsewhere
            services.worker.start(services.log_position)

    def _check_exposure(self) -> None:
        """Raise BadInputError for listening beyond loopback while `local` is the only client."""
        services, address = self.services, self.settings.listen
        if services and services.roles.serve and address not in LOOPBACK and not has_own_clients(services):
            raise BadInputError(
                f"It does not listen on {address} while `local` is its only client: add one first"
                " (`autolearn client add NAME --offline`), then revoke `local` or keep its key where it is."
            )


def prepare_process(service: str, log: LogFormat) -> None:
    """Log to standard error as `service`; what is stored is the owner's alone, whatever folder it is in."""
    log_to_standard_error(service, log)
    os.umask(UMASK)
    forbid_dumps()
    for sentence in unknown_settings(os.environ):
        logger.warning("%s", sentence)
    SystemClock().now()  # a clock that is far off is refused at once
    raise_descriptor_limit()
