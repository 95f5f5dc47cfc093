"""An installation has one id and one master key, and one sentence for what is wrong with the MongoDB it is given."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from adapters.distributed.deployment import check_deployment, unfit
from adapters.distributed.installation import check_master_key, installation_id
from adapters.distributed.mongo import Mongo
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotAbleError
from tests.distributed.published import live_on

FITS: dict[str, Any] = {"setName": "rs0"}


def test_it_has_one_id_whoever_asks_first(mongo: Mongo) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: installation_id(mongo), range(8)))
    assert ids == {installation_id(mongo)}
    assert len(bytes.fromhex(ids.pop())) == 16
    assert mongo.collection("installation").count_documents({"_id": "installation"}) == 1


def test_another_master_key_is_refused_and_the_first_one_stays(mongo: Mongo) -> None:
    check_master_key(mongo, "aa")
    with pytest.raises(BadInputError, match=rf"AUTOLEARN_MASTER_KEY_FILE.* does not fit the database '{mongo.name}'"):
        check_master_key(mongo, "bb")
    check_master_key(mongo, "aa")
    assert installation_id(mongo) != "aa"


def test_a_replica_set_fits(mongo: Mongo) -> None:
    check_deployment(mongo)


def test_a_look_makes_no_id(mongo: Mongo) -> None:
    check_deployment(mongo, make=False)
    assert mongo.database.list_collection_names() == []


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    uri = "mongodb://ana:secret@127.0.0.1:1/?directConnection=true"
    mongo = Mongo(uri, "autolearn", seconds=0.2)
    with pytest.raises(NotAbleError, match=r"AUTOLEARN_MONGODB \(127\.0\.0\.1:1\): no MongoDB there") as refused:
        check_deployment(mongo)
    mongo.close()
    assert "secret" not in refused.value.sentence


@pytest.mark.parametrize(("said", "code"), [("not authorized", 13), ("Authentication failed.", 18), ("bad auth", 8000)])
def test_a_user_without_rights_is_told_so(mongo: Mongo, monkeypatch: pytest.MonkeyPatch, said: str, code: int) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationFailure(said, code)

    monkeypatch.setattr(Collection, "find_one_and_update", refuse)
    with pytest.raises(ForbiddenError, match=r"^MongoDB \(AUTOLEARN_MONGODB\) does not "):
        check_deployment(mongo)


@pytest.mark.parametrize(
    ("hello", "version", "what"),
    [
        (FITS, [5, 0, 31, 0], r"version 5\.0\.31 .* 6\.0 or later"),
        ({}, [6, 0, 5, 0], "not a replica set"),
        ({"msg": "something"}, [8, 0, 0, 0], "not a replica set"),
    ],
)
def test_what_cannot_carry_an_installation_is_named(hello: dict[str, Any], version: list[int], what: str) -> None:
    assert re.search(what, unfit(hello, version) or "") is not None


@pytest.mark.parametrize(("hello", "version"), [(FITS, [6, 0, 0, 0]), ({"msg": "isdbgrid"}, [8, 0, 4, 0])])
def test_what_can_carry_one(hello: dict[str, Any], version: list[int]) -> None:
    assert unfit(hello, version) is None


def test_the_sentence_of_an_unfit_server_names_the_setting(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(mongo.client), "server_info", lambda _: {"versionArray": [4, 4, 0, 0]})
    with pytest.raises(BadInputError, match=r"AUTOLEARN_MONGODB \(127\.0\.0\.1:\d+\) is version 4\.4\.0"):
        check_deployment(mongo)


def test_nobody_makes_another_id_for_a_log_that_is_there(mongo: Mongo) -> None:
    known = installation_id(mongo)
    live_on(mongo, steps=2, calls=0)
    assert installation_id(mongo) == known
    mongo.collection("installation").delete_one({"_id": "installation"})
    with pytest.raises(ConflictError, match="the installation's id is gone"):
        check_deployment(mongo)
    assert mongo.collection("installation").find_one({}) is None
