"""Request ids between several instances: the first answer is given by each of them, and only one runs a command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.distributed.audit_log.request_ids import MongoRequestIds
from adapters.distributed.mongo import Mongo
from adapters.http.app import make_app
from autolearn.credentials import Credentials
from tests.http.asgi import Caller
from tests.http.rig import Rig

TRAINING = b'{"dataset": "iris", "model": "svm"}'


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig.prepared(tmp_path)
    yield rig
    rig.close()


def instance(rig: Rig, mongo: Mongo, name: str, alive: set[str]) -> Caller:
    """Return a caller of one more instance."""
    alive.add(name)
    ids = MongoRequestIds(mongo, name, alive.__contains__)
    key = rig.backend.keyring.key("ana", 1)
    return Caller(make_app(replace(rig.backend, request_ids=ids)), Credentials("ana", 1, key))


def test_the_first_answer_comes_from_each_instance(rig: Rig, mongo: Mongo) -> None:
    alive: set[str] = set()
    one, two = (instance(rig, mongo, name, alive) for name in ("one", "two"))
    call = one.outgoing("POST", "/session/commit")
    first = one.send(call, b"{}")
    assert first.status == 409
    one.post("/trainings", {"dataset": "iris", "model": "svm"})
    again = two.send(call, b"{}")
    assert (again.status, again.headers, again.content) == (first.status, first.headers, first.content)


def test_what_is_in_the_log_is_answered_from_it_everywhere(rig: Rig, mongo: Mongo) -> None:
    alive: set[str] = set()
    one, two = (instance(rig, mongo, name, alive) for name in ("one", "two"))
    call = one.outgoing("POST", "/trainings")
    first, before = one.send(call, TRAINING), rig.position
    assert (two.send(call, TRAINING).json, rig.position) == (first.json, before)


def test_a_dead_instance_leaves_its_request_to_another(rig: Rig, mongo: Mongo) -> None:
    alive: set[str] = set()
    one = instance(rig, mongo, "one", alive)
    call = one.outgoing("POST", "/trainings")
    MongoRequestIds(mongo, "dead", alive.__contains__).claim("ana", call.request_id)
    assert one.send(call, TRAINING).status == 201
