"""Revoke a client: its calls are not accepted any more."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.ports import StoredAppend
from domain.client import Client


@dataclass(frozen=True, slots=True)
class RevokeClient:
    name: str


def revoke_client(command: RevokeClient, context: CommandContext) -> StoredAppend | None:
    """Append client-revoked."""
    return context.decide(lambda work: work.get(Client, f"client:{command.name}").revoke())[1]
