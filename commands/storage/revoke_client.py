"""Revoke a client: its calls are not accepted any more."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.lookup import load_clients
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork
from domain.client import Client
from domain.errors import ConflictError


@dataclass(frozen=True, slots=True)
class RevokeClient:
    name: str


def revoke_client(command: RevokeClient, context: CommandContext) -> StoredAppend | None:
    """Append client-revoked; the last sys-admin is refused, because nobody could add another over REST."""
    return context.decide(lambda work: _revoke(work, command.name))[1]


def _revoke(work: UnitOfWork, name: str) -> None:
    client = work.get(Client, f"client:{name}")
    client.revoke()
    if "sys-admin" in client.roles and not _has_other_sysadmin(work, name):
        raise ConflictError(
            f"Client {name!r} is the last sys-admin. Add another first (`autolearn client add NAME --role sys-admin`),"
            " then revoke this one."
        )


# Two sys-admins who revoke each other at the same moment both succeed: an append checks only streams that it writes.
# Then `autolearn client add NAME --role sys-admin --offline` is the way back.
def _has_other_sysadmin(work: UnitOfWork, name: str) -> bool:
    others = (it for it in load_clients(work.store) if it.name != name)
    return any("sys-admin" in it.roles and not it.revoked for it in others)
