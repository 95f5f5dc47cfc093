"""Which key generations of a client count: added, rotated with a day of grace, revoked, added again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.client import GRACE, Client, ClientAdded, ClientRevoked, ClientRotated
from domain.errors import BadInputError, ConflictError, NotFoundError
from tests.domain.specification import Fact, Specification, fact

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ADDED, REVOKED = fact(ClientAdded, roles=("analyst",)), fact(ClientRevoked)


def rotated(generation: int, at: datetime = NOW) -> Fact:
    return fact(ClientRotated, generation=generation, previous_until=at + timedelta(hours=24))


blank = Specification(Client, "client:ana")
added = blank.given(ADDED)
revoked = added.given(REVOKED)


def accepted(it: Client, at: datetime) -> list[int]:
    return [generation for generation in range(5) if it.accepts(generation, at)]


def test_adds() -> None:
    outcome = blank.when(lambda it: it.add(["analyst", "sys-admin", "analyst"]))
    there = outcome.then(fact(ClientAdded, roles=("analyst", "sys-admin")))
    assert (there.name, there.key_generation, there.revoked) == ("ana", 1, False)
    assert accepted(there, NOW) == [1]


def test_adds_only_once() -> None:
    added.when(lambda it: it.add(["analyst"])).refused(ConflictError, "'ana' exists already")


@pytest.mark.parametrize("roles", [[], ["root"], ["analyst", "root"]])
def test_wants_known_roles(roles: list[Any]) -> None:
    roled = blank.when(lambda it: it.add(roles))
    roled.refused(BadInputError, "analyst and sys-admin", allowed=["analyst", "sys-admin"])


@pytest.mark.parametrize("name", ["", "Ana", "a b", "a:b", "a.b", "x" * 41, "ana\n"])
def test_wants_a_name_of_the_stated_shape(name: str) -> None:
    Specification(Client, f"client:{name}").when(lambda it: it.add(["analyst"])).refused(BadInputError, "client name")


def test_rotates() -> None:
    second = added.when(lambda it: it.rotate(NOW)).then(rotated(2))
    assert timedelta(hours=24) == GRACE
    assert accepted(second, NOW) == [1, 2]
    assert accepted(second, NOW + GRACE - TICK) == [1, 2]
    assert accepted(second, NOW + GRACE) == [2]


def test_rotating_again_ends_the_grace_of_the_one_before() -> None:
    third = added.given(rotated(2)).when(lambda it: it.rotate(NOW + TICK)).then(rotated(3, NOW + TICK))
    assert accepted(third, NOW + TICK) == [2, 3]


def test_revokes() -> None:
    assert accepted(added.when(Client.revoke).then(REVOKED), NOW) == []


def test_revocation_ends_the_grace_too() -> None:
    assert accepted(added.given(rotated(2)).when(Client.revoke).then(REVOKED), NOW) == []


def test_what_is_revoked_is_neither_rotated_nor_revoked_again() -> None:
    revoked.when(lambda it: it.rotate(NOW)).refused(ConflictError, "is revoked. `autolearn client add ana --role ROLE`")
    revoked.when(Client.revoke).refused(ConflictError, "is revoked")


def test_what_is_unknown_is_neither_rotated_nor_revoked_nor_accepted() -> None:
    blank.when(lambda it: it.rotate(NOW)).refused(NotFoundError, "no client 'ana'")
    blank.when(Client.revoke).refused(NotFoundError, "no client 'ana'")
    assert accepted(blank.aggregate(), NOW) == []


def test_a_revoked_one_comes_back_with_a_new_generation() -> None:
    back = (
        added.given(rotated(2), REVOKED)
        .when(lambda it: it.add(["sys-admin"]))
        .then(fact(ClientAdded, roles=("sys-admin",)))
    )
    assert back.roles == ("sys-admin",)
    assert accepted(back, NOW) == [3], "no key from before the revocation counts again"
