"""Accept nothing of a client any more."""

from __future__ import annotations

from dataclasses import dataclass

from commands.ports import Receipt
from commands.wrappers import Desk
from domain.client import Client


@dataclass(frozen=True, slots=True)
class RevokeClient:
    """The client's name."""

    name: str


def revoke_client(command: RevokeClient, desk: Desk) -> Receipt | None:
    """Append client-revoked."""
    return desk.decide(lambda work: work.get(Client, f"client:{command.name}").revoke())[1]
