"""The client `local` at the start of a backend: its credentials file is usable, and nobody else's is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from autolearn.credentials import Credentials
from commands.storage.add_client import AddClient
from commands.storage.revoke_client import RevokeClient
from commands.storage.rotate_client import RotateClient
from domain.values import ROLES
from server.compose import lock_directory, open_runner
from server.compose.services import Services
from server.local_client import add_local
from server.roles import NONE
from server.settings import Settings, read_settings
from server.start_up import process_call


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data=tmp_path / "data")


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """What a backend has before it serves, with `local` and a second sys-admin in it."""
    with lock_directory(settings) as lock:
        runner = open_runner(settings, lock, NONE)
        try:
            services = runner.require_services()
            start(settings, services)
            do(services, AddClient("root", ROLES))
            yield services
        finally:
            runner.close()


def start(settings: Settings, services: Services) -> None:
    add_local(settings, services, uuid4().hex)


def do(services: Services, *commands: AddClient | RevokeClient | RotateClient) -> None:
    for command in commands:
        services.application.handle(command, process_call("offline", uuid4().hex))


def test_the_file_follows_the_key_of_local(settings: Settings, services: Services) -> None:
    file = settings.data / "credentials.json"
    assert Credentials.read(file).key_generation == 1
    do(services, RevokeClient("local"))
    start(settings, services)
    assert Credentials.read(file).key_generation == 1, "a revoked client gets no new key"
    do(services, AddClient("local", ROLES))
    start(settings, services)
    assert Credentials.read(file) == Credentials("local", 2, services.backend.keyring.key("local", 2))


def test_a_file_of_another_client_stays(settings: Settings, services: Services) -> None:
    others = Credentials("root", 1, services.backend.keyring.key("root", 1))
    others.write(settings.data / "credentials.json")
    do(services, RotateClient("local"))
    start(settings, services)
    assert Credentials.read(settings.data / "credentials.json") == others
