"""What both modes have: the stores behind the ports, and what is put together of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.audit_log.chain import chain_faults as audit_chain_faults
from adapters.audit_log.chain import is_older
from adapters.audit_log.request_ids import RequestIds
from adapters.files.blobs import FileBlobs
from adapters.files.spill_table import SqliteSpillTable
from adapters.host.retry import Retry
from adapters.http.backend import Backend, Inspector
from adapters.learning.tables.builtin import BUILTIN
from adapters.log.chain import chain_faults
from adapters.log.times import from_microseconds, microseconds_now
from adapters.security.cursors import HmacCursorSeal
from adapters.security.keys import Keyring, make_master_key, read_master_key
from adapters.tasks.confinement import Confinement
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.application import Application
from commands.catalog.offer_catalog import BuiltinDataset
from commands.ports import EventStore, Ports
from commands.unit_of_work import load
from domain.client import Client
from domain.errors import BadInputError
from projections.ports import Archived, CommitFeed, OpenSpillTable, RawCommit
from projections.queries import Queries
from projections.verification.stores import InspectedStores
from server.settings import Settings

BUILTIN_DATASETS = tuple(BuiltinDataset(name, it.target, it.licence, it.source) for name, it in BUILTIN.items())


class SystemClock:
    """The machine's time of day."""

    def now(self) -> datetime:
        """Return the time, UTC; raises NotAbleError for one that no machine has."""
        return from_microseconds(microseconds_now())


@dataclass(kw_only=True)
class Stores(InspectedStores):
    """The stores of an installation. `feed` answers questions about the log, `topic` is what followers read.

    In the embedded mode both are one.
    """

    store: EventStore
    topic: CommitFeed
    blobs: FileBlobs
    chain_faults: Callable[[Iterable[RawCommit]], Iterable[tuple[int, str]]] = chain_faults
    audit_chain_faults: Callable[[Iterable[Archived]], Iterable[tuple[int, str]]] = audit_chain_faults
    is_older: Callable[[Archived], bool] = is_older
    open_spill: OpenSpillTable = SqliteSpillTable


def application_of(
    settings: Settings, stores: Stores, worker: str, scratch: Path, installed: Callable[[str, str], bool] | None = None
) -> tuple[Application, ProcessLauncher]:
    """Return the write side of a process, and the launcher of its tasks, which must be closed.

    `installed`: whether this machine has a model or measure, where others may have what it lacks.
    """
    limits = Limits(deadline=settings.task_seconds, memory=settings.task_memory)
    confinement = Confinement(settings.sandbox, (str(settings.data.absolute()), str(settings.key_file.absolute())))
    confinement.describe()  # it refuses what `require` cannot have
    launcher = ProcessLauncher(
        settings.blobs_url, str(scratch), settings.slots, limits, installed, confinement=confinement
    )
    return Application(Ports(stores.store, stores.blobs, launcher, SystemClock(), worker, Retry())), launcher


def backend_of(
    settings: Settings,
    stores: Stores,
    application: Application,
    inspector: Inspector,
    request_ids: RequestIds,
    **more: Any,
) -> Backend:
    """Return what the routes may use; `more` are fields of Backend that the modes fill differently."""
    master, clock = master_key(settings, stores.store), application.ports.clock
    cursors = HmacCursorSeal(master)
    return Backend(
        application=application,
        queries=Queries(stores.documents, stores.history, stores.feed, cursors),
        feed=stores.feed,
        documents=stores.documents,
        communications=stores.communications,
        request_ids=request_ids,
        blobs=stores.blobs,
        keyring=Keyring(master),
        cursors=cursors,
        clients=lambda name: load(stores.store, Client, f"client:{name}"),
        inspector=inspector,
        clock=clock,
        worker=application.ports.worker,
        slots=settings.slots,
        hosts=frozenset(filter(None, settings.hosts.split(","))),
        **more,
    )


def master_key(settings: Settings, store: EventStore) -> bytes:
    """Return the master key; the very first start makes it. A lost one is not replaced: no client could call then."""
    file = settings.key_file
    if file.exists():
        return read_master_key(file)
    if store.streams("client:", 1):
        raise BadInputError(f"The master key {file} is missing, and all clients' keys depend on it: restore the file.")
    return make_master_key(file)


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment by which another process of ours finds the same data."""
    return {
        "AUTOLEARN_MODE": settings.mode,
        "AUTOLEARN_DATA": str(settings.data.absolute()),
        "AUTOLEARN_BLOBS": settings.blobs_url,
        "AUTOLEARN_MASTER_KEY_FILE": str(settings.key_file.absolute()),
        "AUTOLEARN_KAFKA": settings.kafka,
        "AUTOLEARN_MONGODB": settings.mongodb,
        "AUTOLEARN_DATABASE": settings.database,
    }
