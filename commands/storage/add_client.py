"""Let a client call, in stated roles."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.ports import StoredAppend
from domain.client import Client
from domain.values import Role, check_client_name


@dataclass(frozen=True, slots=True)
class AddClient:
    """The client's name (`[a-z0-9-]{1,40}`) and roles."""

    name: str
    roles: tuple[Role, ...] = ("analyst",)


def add_client(command: AddClient, context: CommandContext) -> StoredAppend | None:
    """Append client-added."""
    stream = f"client:{check_client_name(command.name)}"
    return context.decide(lambda work: work.get(Client, stream).add(command.roles))[1]
