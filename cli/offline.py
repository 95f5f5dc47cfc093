"""Clients of a data directory that no backend has: for who can read its master key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from cli.beginnings import MOST_CLIENTS, system_call
from cli.compose.embedded import open_node
from cli.settings import read_settings
from commands.clients.add_client import AddClient
from commands.clients.revoke_client import RevokeClient
from commands.clients.rotate_client import RotateClient
from commands.wrappers import load
from domain.client import Client
from domain.values import Role

if TYPE_CHECKING:
    from cli.node import Node

COMMANDS = {"rotate": RotateClient, "revoke": RevokeClient}


def clients_offline(action: str, data: str, name: str | None, roles: tuple[str, ...]) -> dict[str, Any]:
    """Add, rotate, revoke or list clients of a data directory that no backend has; returns the REST object."""
    node = open_node(read_settings(data=Path(data)))
    try:
        return on_clients(node, action, name, cast("tuple[Role, ...]", roles))
    finally:
        node.opened.close()


def on_clients(node: Node, action: str, name: str | None, roles: tuple[Role, ...]) -> dict[str, Any]:
    """Add, rotate, revoke or list; the REST object of the same route. The act is archived as a process of its own."""
    store = node.application.ports.store
    if action == "list":
        clients = [load(store, Client, stream) for stream in store.streams("client:", MOST_CLIENTS)]
        return {"clients": [_shown(it) for it in clients], "position": store.head()[0]}
    start = uuid4().hex
    node.journal.started(start, store.head()[0])
    command = AddClient(name or "", roles) if action == "add" else COMMANDS[action](name or "")
    answer = node.application.handle(command, system_call("offline", start))
    body = answer.body
    if action != "revoke":
        body |= {"key": node.backend.keyring.key(body["client"], body["generation"]).decode()}
    return body


def _shown(client: Client) -> dict[str, Any]:
    return {
        "client": client.name,
        "roles": list(client.roles),
        "generation": client.generation,
        "revoked": client.revoked,
    }
