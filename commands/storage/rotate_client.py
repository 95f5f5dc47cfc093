"""Give a client its next key generation; the previous one is accepted for 24 h."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.ports import StoredAppend
from domain.client import Client


@dataclass(frozen=True, slots=True)
class RotateClient:
    name: str


def rotate_client(command: RotateClient, context: CommandContext) -> StoredAppend | None:
    """Append client-rotated."""
    now = context.ports.clock.now()
    return context.decide(lambda work: work.get(Client, f"client:{command.name}").rotate(now))[1]
