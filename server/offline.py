"""Clients without a backend: on a data directory that none has, or on the database; for who has the master key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from commands.clients.add_client import AddClient
from commands.clients.revoke_client import RevokeClient
from commands.clients.rotate_client import RotateClient
from commands.unit_of_work import load
from domain.client import Client
from domain.values import Role
from server.settings import read_settings
from server.startup import MOST_CLIENTS, add_local, system_call

if TYPE_CHECKING:
    from adapters.audit_log.system_records import ArchivedJournal
    from adapters.http.backend import Backend
    from server.settings import Settings

COMMANDS = {"rotate": RotateClient, "revoke": RevokeClient}


def clients_offline(action: str, data: str, name: str | None, roles: tuple[str, ...]) -> dict[str, Any]:
    """Add, rotate, revoke or list clients without a backend; returns the REST object."""
    with opened(data) as (backend, journal):
        return on_clients(backend, journal, action, name, cast("tuple[Role, ...]", roles))


@contextmanager
def opened(data: str, **given: object) -> Iterator[tuple[Backend, ArchivedJournal]]:
    """Open what a backend would open: the directory, which nobody else may have, or the database, which all share."""
    settings = read_settings(data=Path(data), **given)
    if settings.mode == "distributed":
        from server.compose.distributed import open_service  # noqa: PLC0415 - the drivers of one mode only

        node = open_service(settings, "offline", "storage")
        try:
            yield node.backend, node.journal
        finally:
            node.close()
        return
    from server.compose.embedded import open_node  # noqa: PLC0415 - idem

    own = open_node(settings)
    try:
        yield own.backend, own.journal
    finally:
        own.opened.close()


def where(data: str) -> str:
    """Say whose clients these are."""
    settings = read_settings(data=Path(data))
    distributed = settings.mode == "distributed"
    return f"the database {settings.database!r}" if distributed else f"the embedded log in {settings.data}"


def make_local(settings: Settings) -> None:
    """Make the client `local` and its credentials file, in the database that the processes of this machine will use."""
    with opened(str(settings.data), mode=settings.mode) as (backend, journal):
        start = uuid4().hex
        journal.started(start, backend.feed.head()[0])
        add_local(settings, backend, start)


def on_clients(
    backend: Backend, journal: ArchivedJournal, action: str, name: str | None, roles: tuple[Role, ...]
) -> dict[str, Any]:
    """Add, rotate, revoke or list; the REST object of the same route. The act is archived as a process of its own."""
    store = backend.application.ports.store
    if action == "list":
        clients = [load(store, Client, stream) for stream in store.streams("client:", MOST_CLIENTS)]
        return {"clients": [_shown(it) for it in clients], "position": store.head()[0]}
    start = uuid4().hex
    journal.started(start, store.head()[0])
    command = AddClient(name or "", roles) if action == "add" else COMMANDS[action](name or "")
    body = backend.application.handle(command, system_call("offline", start)).body
    if action != "revoke":
        body |= {"key": backend.keyring.key(body["client"], body["generation"]).decode()}
    return body


def _shown(client: Client) -> dict[str, Any]:
    return {
        "client": client.name,
        "roles": list(client.roles),
        "generation": client.generation,
        "revoked": client.revoked,
    }
