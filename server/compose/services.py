"""What answers calls and does tasks, put together on stores of either mode."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event as Signal
from typing import Any

from adapters.audit_log.lost_calls import LostCallRecorder
from adapters.audit_log.request_ids import RequestIds
from adapters.audit_log.system_records import SystemRecorder
from adapters.files.blobs import FileBlobs
from adapters.files.remote_blobs import RemoteBlobs, TaskBlobs
from adapters.host.retry import Retry
from adapters.http.backend import Backend, Inspector
from adapters.learning.tables.builtin import BUILTIN
from adapters.security.cursors import HmacCursorSeal
from adapters.security.keys import Keyring
from adapters.tasks.confinement import Confinement
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.application import Application
from commands.catalog.offer_catalog import BuiltinDataset
from commands.event_worker import EventWorker
from commands.ports import Clock, Launcher, Ports
from commands.unit_of_work import load
from domain.client import Client
from domain.errors import DiskReserveError, NotAbleError
from domain.values import KINDS_OF_SEARCH
from projections.queries import Queries
from projections.tasks import UnfinishedTasks
from server.compose.stores import Stores, SystemClock
from server.roles import Roles
from server.settings import Settings

logger = logging.getLogger(__name__)

BUILTIN_DATASETS = tuple(BuiltinDataset(name, it.target, it.licence, it.source) for name, it in BUILTIN.items())
TASKS = {  # by the service that does them
    "training": frozenset({"training"}) | KINDS_OF_SEARCH,
    "evaluation": frozenset({"evaluation"}),
    "storage": frozenset({"reproduction"}),
}


@dataclass(kw_only=True)
class Services:
    """The services of one process; its stores and its launcher of tasks are closed by whoever opened them."""

    roles: Roles
    application: Application
    backend: Backend
    recorder: SystemRecorder
    worker: EventWorker
    lost_calls: LostCallRecorder
    builtin: tuple[BuiltinDataset, ...] = BUILTIN_DATASETS

    @property
    def log_position(self) -> int:
        """Where the log ends."""
        return self.backend.feed.end()[0]


def check_blobs(blobs: FileBlobs | RemoteBlobs) -> None:
    """Raise BadInputError or ForbiddenError where blobs can be neither written nor read, whatever is waited for.

    A store that is away ends nothing: `ready` says so, tasks wait, and all else works.
    """
    if isinstance(blobs, RemoteBlobs):
        try:
            blobs.check_usable()
        except (NotAbleError, DiskReserveError) as away:
            logger.warning("%s Tasks wait for it.", away.sentence)


def make_launcher(
    settings: Settings,
    scratch: Path,
    blobs: FileBlobs | RemoteBlobs,
    installed: Callable[[str, str], bool] | None = None,
) -> ProcessLauncher:
    """Return the launcher of tasks, which must be closed.

    `installed`: whether this machine has a model or measure, where others may have what it lacks.
    """
    limits = Limits(deadline=settings.task_seconds, memory=settings.task_memory)
    confinement = Confinement(settings.sandbox, (str(settings.data.absolute()), str(settings.key_file.absolute())))
    confinement.describe()  # it refuses what `require` cannot have
    of_tasks = partial(TaskBlobs, blobs) if isinstance(blobs, RemoteBlobs) else settings.blobs_url
    return ProcessLauncher(of_tasks, str(scratch), settings.slots, limits, installed, confinement=confinement)


def make_services(
    settings: Settings,
    stores: Stores,
    roles: Roles,
    *,
    name: str,
    master: bytes,
    launcher: Launcher,
    inspector: Inspector,
    request_ids: RequestIds,
    recorder: SystemRecorder,
    is_lost: Callable[[str], bool],
    clock: Clock | None = None,
    check_commands: Callable[[], None] = lambda: None,
    **more: Any,
) -> Services:
    """Return the services of a process that the audit log calls `name`.

    `master`: the master key. `is_lost`: whether the process of a name is dead, so that its tasks are taken over.
    `check_commands` raises where no new command may run now.
    `more` are fields of Backend that the modes fill differently.
    """
    clock = clock or SystemClock()
    cursors = HmacCursorSeal(master)
    application = Application(Ports(stores.store, stores.blobs, launcher, clock, name, Retry()), check_commands)
    backend = Backend(
        application=application,
        queries=Queries(stores.documents, stores.history, stores.feed, cursors, clock.now),
        feed=stores.feed,
        documents=stores.documents,
        audit_log=stores.audit_log,
        request_ids=request_ids,
        blobs=stores.blobs,
        keyring=Keyring(master),
        cursors=cursors,
        clients=lambda client: load(stores.store, Client, f"client:{client}"),
        inspector=inspector,
        clock=clock,
        worker=name,
        slots=settings.slots,
        hosts=frozenset(filter(None, settings.hosts.split(","))),
        **more,
    )
    return Services(
        roles=roles,
        application=application,
        backend=backend,
        recorder=recorder,
        worker=EventWorker(
            application,
            stores.follower_feed,
            UnfinishedTasks(stores.documents, stores.feed),
            recorder,
            is_lost=is_lost,
            kinds=frozenset[str]().union(*(TASKS[service] for service in roles.work if service in TASKS)),
        ),
        lost_calls=LostCallRecorder(
            stores.store, stores.feed, stores.audit_log, recorder, partial(in_flight_of, backend)
        ),
    )


def in_flight_of(backend: Backend, ending: Signal) -> Iterable[str]:
    """Return the correlations of calls that any process may still record; not all of them once it should end."""
    return [*backend.in_flight.correlations(), *backend.in_flight_elsewhere(ending)]
