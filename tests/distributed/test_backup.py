"""A database that is restored from a back-up is the same, byte for byte, and no process starts on half of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.distributed.installation import (
    check_master_key,
    installation_id,
    last_backup,
    refuse_unfinished_recovery,
)
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.security.keys import fingerprint, make_master_key, read_master_key
from domain.errors import BadInputError, ConflictError
from server.compose.backup import back_up
from server.compose.restore import restore
from server.inspection.inspections import inspect_offline
from server.settings import Settings, read_settings
from tests.distributed.life import live, living
from tests.distributed.published import as_bytes, live_on
from tests.embedded.test_lost_tails import live as live_embedded

LOGS = ("commits", "communications")


@pytest.fixture
def settings(mongo: Mongo, tmp_path: Path) -> Settings:
    return read_settings(mode="distributed", data=tmp_path / "data", mongodb=mongo.uri, database=mongo.name)


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def last(steps: Iterator[dict[str, Any]]) -> dict[str, Any]:
    *_, result = steps
    return result


def stored(mongo: Mongo) -> dict[str, Any]:
    """Return both logs as bytes, their indexes, and what the installation has once."""
    indexes = {name: mongo.collection(name).index_information() for name in LOGS}
    once = mongo.collection("installation").find({"_id": {"$ne": "backup"}}, sort=[("_id", 1)])
    return {name: as_bytes(mongo, name) for name in LOGS} | {"indexes": indexes, "once": list(once)}


def lose(mongo: Mongo) -> None:
    mongo.client.drop_database(mongo.name)


def test_what_was_lost_is_back_byte_for_byte(settings: Settings, mongo: Mongo, to: Path) -> None:
    installation_id(mongo)
    make_key(settings, mongo)
    live_on(mongo, steps=60, calls=5)
    before, (position, head) = stored(mongo), MongoFeed(mongo).end()
    made = last(back_up(settings, to))
    assert (made["position"], made["head"], made["faults"]) == (position, head.hex(), [])
    lose(mongo)
    back = last(restore(settings, to))
    assert (back["position"], back["head"]) == (position, head.hex())
    assert stored(mongo) == before
    refuse_unfinished_recovery(mongo)


def make_key(settings: Settings, mongo: Mongo) -> None:
    settings.data.mkdir(mode=0o700)
    make_master_key(settings.key_file)
    check_master_key(mongo, fingerprint(read_master_key(settings.key_file)))


def test_a_second_back_up_adds_what_is_new_and_is_noted(settings: Settings, mongo: Mongo, to: Path) -> None:
    world = live(mongo)
    assert last_backup(mongo) is None
    first = last(back_up(settings, to))
    assert first["lost_blobs"]  # of a life whose blobs are made up: not noted as complete
    assert last_backup(mongo) is None
    world.register("wine")
    second = last(back_up(settings, to))
    assert second["position"] > first["position"]
    before = stored(mongo)
    lose(mongo)
    last(restore(settings, to))
    assert stored(mongo) == before


def test_an_empty_database_is_not_backed_up_and_stays_empty(settings: Settings, mongo: Mongo, to: Path) -> None:
    with pytest.raises(BadInputError, match="nothing to back up: the database"):
        last(back_up(settings, to))
    assert mongo.database.list_collection_names() == []
    assert not to.exists()


def test_a_restore_that_is_interrupted_is_told_and_can_be_repeated(settings: Settings, mongo: Mongo, to: Path) -> None:
    live(mongo)
    before = stored(mongo)
    last(back_up(settings, to))
    lose(mongo)
    steps = restore(settings, to)
    next(steps)
    steps.close()  # type: ignore[attr-defined] # a generator
    with pytest.raises(ConflictError, match="was interrupted: call `autolearn restore` again"):
        refuse_unfinished_recovery(mongo)
    other = to.with_name("other")
    with pytest.raises(ConflictError, match="was interrupted"):
        last(back_up(settings, other))
    last(restore(settings, to))
    assert stored(mongo) == before


def test_only_an_empty_database_without_processes_is_restored_into(settings: Settings, mongo: Mongo, to: Path) -> None:
    live(mongo)
    last(back_up(settings, to))
    before = stored(mongo)
    with pytest.raises(ConflictError, match="is not empty: it has commits, communications"):
        last(restore(settings, to))
    assert stored(mongo) == before
    lose(mongo)
    with living(mongo), pytest.raises(ConflictError, match="Stop all processes first"):
        last(restore(settings, to))


def test_what_is_in_the_place_of_a_document_stays(settings: Settings, mongo: Mongo, to: Path) -> None:
    live(mongo)
    last(back_up(settings, to))
    lose(mongo)
    steps = restore(settings, to)
    next(steps)
    steps.close()  # type: ignore[attr-defined] # a generator
    mongo.collection("commits").update_one({"_id": 1}, {"$set": {"digest": "forged"}})
    with pytest.raises(ConflictError, match="at position 1 something else than the back-up"):
        last(restore(settings, to))


def test_a_back_up_moves_an_installation_to_the_other_mode_and_back(
    settings: Settings, mongo: Mongo, to: Path, tmp_path: Path
) -> None:
    embedded = read_settings(data=tmp_path / "embedded")
    live_embedded(embedded, "ana", "bob")
    made = last(back_up(embedded, to, with_master_key=True))
    moved = last(restore(settings, to))
    assert (moved["ok"], moved["head"], MongoFeed(mongo).end()[1].hex()) == (True, made["head"], made["head"])
    again, back = tmp_path / "again", read_settings(data=tmp_path / "back")
    assert last(back_up(settings, again, with_master_key=True))["head"] == made["head"]
    at = last_backup(mongo)
    assert at is not None
    assert datetime.now(UTC) - at < timedelta(minutes=5)
    assert last(restore(back, again))["head"] == made["head"]
    live_embedded(back, "cem")
    *_, verified = inspect_offline("verify", str(back.data), {})
    assert verified["result"]["ok"]
