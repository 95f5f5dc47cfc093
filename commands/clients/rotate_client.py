"""Give a client its next key generation; the one before is accepted for 24 h."""

from __future__ import annotations

from dataclasses import dataclass

from commands.ports import Receipt
from commands.wrappers import Desk
from domain.client import Client


@dataclass(frozen=True, slots=True)
class RotateClient:
    """The client's name."""

    name: str


def rotate_client(command: RotateClient, desk: Desk) -> Receipt | None:
    """Append client-rotated."""
    now = desk.ports.clock.now()
    return desk.decide(lambda work: work.get(Client, f"client:{command.name}").rotate(now))[1]
