"""Let a client call, in stated roles."""

from __future__ import annotations

from dataclasses import dataclass

from commands.ports import Receipt
from commands.wrappers import Desk
from domain.client import Client
from domain.values import Role, checked_client_name


@dataclass(frozen=True, slots=True)
class AddClient:
    """The client's name (`[a-z0-9-]{1,40}`) and roles."""

    name: str
    roles: tuple[Role, ...] = ("analyst",)


def add_client(command: AddClient, desk: Desk) -> Receipt | None:
    """Append client-added."""
    stream = f"client:{checked_client_name(command.name)}"
    return desk.decide(lambda work: work.get(Client, stream).add(command.roles))[1]
