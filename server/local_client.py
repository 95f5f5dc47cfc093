"""The client `local`, which each backend has from its first start on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autolearn.credentials import Credentials
from autolearn.errors import InvalidInputError
from commands.lookup import load_clients
from commands.storage.add_client import AddClient
from domain.values import ROLES
from server.start_up import process_call

if TYPE_CHECKING:
    from pathlib import Path

    from domain.client import Client
    from server.compose.services import Services
    from server.settings import Settings

LOCAL = "local"


def add_local(settings: Settings, services: Services, start: str) -> None:
    """Make the client `local` at the very first start, and its credentials file where there is none, or an old one."""
    backend = services.backend
    if backend.application.ports.store.version(f"client:{LOCAL}") == 0:
        backend.application.handle(AddClient(LOCAL, ROLES), process_call("local", start))
    client, file = backend.clients(LOCAL), settings.data / "credentials.json"
    if not client.revoked and (not file.exists() or _is_old(file, client)):
        key = backend.keyring.key(LOCAL, client.key_generation)
        Credentials(LOCAL, client.key_generation, key).write(file)


def _is_old(file: Path, local: Client) -> bool:
    """Whether the file has another key generation of `local`; what cannot be read, or is another client's, stays."""
    try:
        found = Credentials.read(file)
    except (InvalidInputError, OSError):
        return False
    return found.client == LOCAL and found.key_generation != local.key_generation


def has_own_clients(services: Services) -> bool:
    """Whether anybody but `local` may call."""
    clients = load_clients(services.application.ports.store)
    return any(not (client.name == LOCAL or client.revoked) for client in clients)
