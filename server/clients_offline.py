"""Clients that an administrator adds, rotates, revokes or lists without a backend."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from commands.answers import clients_body
from commands.storage.add_client import AddClient
from commands.storage.revoke_client import RevokeClient
from commands.storage.rotate_client import RotateClient
from domain.errors import BadInputError
from domain.values import Role
from server.compose import lock_directory, open_runner
from server.roles import NONE
from server.settings import Settings, read_settings
from server.start_up import process_call

if TYPE_CHECKING:
    from server.compose.services import Services

OF_DISTRIBUTED = ("AUTOLEARN_DATABASE", "AUTOLEARN_MONGODB", "AUTOLEARN_KAFKA")
COMMANDS = {"rotate": RotateClient, "revoke": RevokeClient}


def clients_offline(action: str, data: str, name: str | None, roles: tuple[str, ...]) -> dict[str, Any]:
    """Add, rotate, revoke or list clients without a backend; returns the REST object of the same route.

    It needs the directory, which no backend may have then, or the database, which all share.
    """
    settings = read_settings(data=Path(data))
    refuse_other_mode(settings)
    with ExitStack() as opened:
        lock = opened.enter_context(lock_directory(settings)) if settings.mode == "embedded" else None
        runner = open_runner(settings, lock, NONE)
        opened.callback(runner.close)
        return _change(runner.require_services(), action, name, cast("tuple[Role, ...]", roles))


def refuse_other_mode(settings: Settings) -> None:
    """Raise BadInputError where a client of the distributed mode would begin an embedded log that nobody asked for."""
    meant = [name for name in OF_DISTRIBUTED if name in os.environ]
    if settings.mode == "distributed" or not meant or "AUTOLEARN_MODE" in os.environ:
        return
    from server.compose.embedded import EVENTS  # noqa: PLC0415 - the drivers of one mode

    if not (settings.data / EVENTS).exists():
        raise BadInputError(
            f"{meant[0]} is a setting of the distributed mode, and {settings.data} has no embedded log: set"
            " AUTOLEARN_MODE=distributed, or AUTOLEARN_MODE=embedded to begin a log there."
        )


def where(data: str) -> str:
    """Say whose clients these are."""
    settings = read_settings(data=Path(data))
    distributed = settings.mode == "distributed"
    return f"the database {settings.database!r}" if distributed else f"the embedded log in {settings.data}"


def _change(services: Services, action: str, name: str | None, roles: tuple[Role, ...]) -> dict[str, Any]:
    if action == "list":
        return clients_body(services.application.ports.store)
    start = uuid4().hex
    services.recorder.record_start(start, services.log_position)  # recorded as a process of its own
    command = AddClient(name or "", roles) if action == "add" else COMMANDS[action](name or "")
    body = services.application.handle(command, process_call("offline", start)).body
    if action != "revoke":
        body |= {"key": services.backend.keyring.key(body["client"], body["generation"]).decode()}
    return body
