"""What processes do when they begin: the client `local`, the catalog's offers, taking over what was left unfinished."""

from __future__ import annotations

import logging
from threading import Event as Signal
from typing import TYPE_CHECKING

from autolearn.credentials import Credentials
from commands.call import Call, command_id
from commands.catalog.offer_catalog import BuiltinDataset, OfferCatalog
from commands.clients.add_client import AddClient
from domain.errors import AutoLearnError
from domain.values import ROLES

if TYPE_CHECKING:
    from adapters.http.backend import Backend
    from commands.application import Application
    from commands.event_worker import EventWorker
    from server.settings import Settings

log = logging.getLogger(__name__)

LOCAL = "local"
CATCH_UP_SECONDS = 60.0  # then it is said, and waited for again: read models that are rebuilt at start take their time
RETRY_SECONDS = 1.0
MOST_CLIENTS = 1000


def system_call(name: str, start: str) -> Call:
    """Return the call under which a process acts by itself at its start; no client can have such a name."""
    actor = f"system:{name}"
    return Call(actor, frozenset(), command_id(actor, start), start)


def add_local(settings: Settings, backend: Backend, start: str) -> None:
    """Make the client `local` at the very first start, and its credentials file where there is none."""
    if backend.application.ports.store.version(f"client:{LOCAL}") == 0:
        backend.application.handle(AddClient(LOCAL, ROLES), system_call("local", start))
    client, file = backend.clients(LOCAL), settings.data / "credentials.json"
    if not file.exists() and not client.revoked:
        key = backend.keyring.key(LOCAL, client.generation)
        Credentials(LOCAL, client.generation, key).write(file)


def has_own_clients(backend: Backend) -> bool:
    """Whether anybody but `local` may call."""
    names = (stream.partition(":")[2] for stream in backend.application.ports.store.streams("client:", MOST_CLIENTS))
    return any(name != LOCAL and not backend.clients(name).revoked for name in names)


def offer(application: Application, builtin: tuple[BuiltinDataset, ...], start: str) -> None:
    """Offer what is installed; that some of it cannot be offered is said, and hinders nothing."""
    try:
        application.handle(OfferCatalog(builtin), system_call("offer", start))
    except AutoLearnError as refused:
        log.warning("the installed models and measures could not be offered: %s", refused.sentence)


def take_over(worker: EventWorker, backend: Backend, closing: Signal) -> None:
    """Start the event worker once the read models know what was unfinished when this process began."""
    head: int | None = None
    while not closing.is_set():
        try:
            head = backend.feed.head()[0] if head is None else head
            if backend.documents.wait(head, CATCH_UP_SECONDS):
                worker.start(head)
                return
            log.warning("queued and lost tasks wait for the read models to reach %s (%s)", head, backend.fault())
        except AutoLearnError as trouble:  # not there yet, or closing
            log.warning("queued and lost tasks wait: %s", trouble.sentence)
            closing.wait(RETRY_SECONDS)
