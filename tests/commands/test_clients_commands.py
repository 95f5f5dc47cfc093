"""Adding, rotating and revoking clients; no key material anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands.storage.add_client import AddClient
from commands.storage.revoke_client import RevokeClient
from commands.storage.rotate_client import RotateClient
from commands.unit_of_work import load
from domain.client import Client
from domain.errors import BadInputError, ConflictError, NotFoundError
from domain.values import Role
from tests.commands.stage import Caller, Stage


def body(generation: int, position: int, *, revoked: bool = False) -> dict[str, Any]:
    return {
        "client": "eve",
        "roles": ["analyst"],
        "generation": generation,
        "revoked": revoked,
        "position": position,
    }


def test_adds(stage: Stage, admin: Caller) -> None:
    answer = admin.do(AddClient("eve"))
    assert answer.body == body(1, stage.store.end()[0])
    assert stage.names("client:eve") == ["client-added"]


def test_rotates_with_a_day_of_grace(stage: Stage, admin: Caller) -> None:
    admin.do(AddClient("eve"))
    answer = admin.do(RotateClient("eve"))
    assert answer.body == body(2, answer.position)
    eve, now = load(stage.store, Client, "client:eve"), stage.clock.now()
    assert [eve.accepts(generation, now) for generation in (1, 2)] == [True, True]
    assert [eve.accepts(generation, now + timedelta(hours=24)) for generation in (1, 2)] == [False, True]


def test_revokes_and_adds_again(stage: Stage, admin: Caller) -> None:
    admin.do(AddClient("eve"))
    revoked = admin.do(RevokeClient("eve"))
    assert revoked.body == body(1, revoked.position, revoked=True)
    again = admin.do(AddClient("eve"))
    assert again.body == body(2, again.position)


def test_the_last_sysadmin_is_not_revoked(stage: Stage, admin: Caller) -> None:
    roles: tuple[Role, ...] = ("analyst", "sys-admin")
    admin.do(AddClient("eve", roles))
    admin.do(AddClient("bo"))
    with stage.refused(ConflictError, "'eve' is the last sys-admin. Add another first"):
        admin.do(RevokeClient("eve"))
    admin.do(AddClient("cy", roles))
    assert admin.do(RevokeClient("eve")).body["revoked"], "at once, where another one is there"
    with stage.refused(ConflictError, "'cy' is the last sys-admin"):
        admin.do(RevokeClient("cy"))


def test_a_repeat_does_not_rotate_twice(stage: Stage, admin: Caller) -> None:
    admin.do(AddClient("eve"))
    first = admin.do(RotateClient("eve"), key="r")
    stage.clock.pass_(timedelta(hours=1))
    assert admin.do(RotateClient("eve"), key="r") == first


@pytest.mark.parametrize("name", ["", "Eve", "eve:1", "x" * 41])
def test_wants_a_name(stage: Stage, admin: Caller, name: str) -> None:
    with stage.refused(BadInputError, "client name"):
        admin.do(AddClient(name))


def test_wants_known_roles(stage: Stage, admin: Caller) -> None:
    roles: Any = ("root",)
    for wrong in (roles, ()):
        with stage.refused(BadInputError, "Roles are analyst and sys-admin"):
            admin.do(AddClient("eve", wrong))


@pytest.mark.parametrize("command", [RotateClient("eve"), RevokeClient("eve"), RotateClient("a:b"), RevokeClient("")])
def test_unknown_ones(stage: Stage, admin: Caller, command: RotateClient | RevokeClient) -> None:
    with stage.refused(NotFoundError, "no client"):
        admin.do(command)


def test_conflicts(stage: Stage, admin: Caller) -> None:
    admin.do(AddClient("eve"))
    with stage.refused(ConflictError, "exists already"):
        admin.do(AddClient("eve"))
    admin.do(RevokeClient("eve"))
    for command in (RotateClient("eve"), RevokeClient("eve")):
        with stage.refused(ConflictError, "is revoked"):
            admin.do(command)
