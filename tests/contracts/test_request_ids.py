"""What both stores of request ids do: each is taken once, by one; its first answer is kept for its repeats."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.audit_log.request_ids import KEPT_SECONDS, Earlier, FirstAnswer, RequestIds, Trace
from adapters.distributed.audit_log.request_ids import REQUESTS, MongoRequestIds, request_faults
from adapters.distributed.mongo import Mongo
from adapters.embedded.audit_log.request_ids import KEPT, SqliteRequestIds
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from tests.contracts.test_audit_log import CALL

ANSWER = FirstAnswer(
    409, (("autolearn-seal", "s"), ("retry-after", "1")), b"\x00\nbody", "ab" * 32, "conflict", 7, "cd"
)
Open = Callable[[], RequestIds]


class Sqlite:
    """The file of one data directory; opened again it is another process, after the first one."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "communications.db"

    def __call__(self) -> RequestIds:
        self.database = Database(self.file)
        self.audit = SqliteAuditLog(self.database, "w")
        return SqliteRequestIds(self.database)


@pytest.fixture(params=["sqlite", "mongodb"])
def open_ids(request: pytest.FixtureRequest) -> Open:
    """Open the store as one more process."""
    if request.param == "sqlite":
        return Sqlite(request.getfixturevalue("tmp_path"))
    mongo: Mongo = request.getfixturevalue("mongo")
    return lambda: MongoRequestIds(mongo, "one", lambda _: True)


def test_a_request_id_is_taken_once_by_each_client(open_ids: Open) -> None:
    ids = open_ids()
    assert ids.claim("ana", "request1")
    assert not ids.claim("ana", "request1")
    assert ids.claim("bob", "request1")
    assert ids.claim("ana", "request2")
    assert ids.earlier("ana", "request1") == Earlier(is_running=True)


def test_of_many_at_once_one_gets_it(open_ids: Open) -> None:
    ids = open_ids()
    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(lambda _: ids.claim("ana", "request1"), range(32))) == [False] * 31 + [True]


def test_the_first_answer_is_kept_byte_for_byte(open_ids: Open) -> None:
    ids = open_ids()
    ids.claim("ana", "request1")
    ids.keep("ana", "request1", ANSWER)
    ids.release("ana", "request1", Trace.ANSWERABLE)
    assert ids.earlier("ana", "request1") == Earlier(is_running=False, answer=ANSWER)
    assert open_ids().earlier("ana", "request1") == Earlier(is_running=False, answer=ANSWER)


def test_a_second_answer_takes_no_place(open_ids: Open) -> None:
    ids = open_ids()
    ids.claim("ana", "request1")
    ids.keep("ana", "request1", ANSWER)
    ids.keep("ana", "request1", replace(ANSWER, status=200))
    ids.release("ana", "request1", Trace.ANSWERABLE)
    assert ids.earlier("ana", "request1") == Earlier(is_running=False, answer=ANSWER)


def test_a_use_without_a_trace_is_a_use(open_ids: Open) -> None:
    ids = open_ids()
    ids.claim("ana", "request1")
    ids.release("ana", "request1", Trace.UNANSWERABLE)
    assert not ids.claim("ana", "request1")
    assert ids.earlier("ana", "request1") == Earlier(is_running=False)


def test_what_was_no_use_may_come_again(open_ids: Open) -> None:
    ids = open_ids()
    ids.claim("ana", "request1")
    ids.release("ana", "request1", Trace.UNUSED)
    assert ids.claim("ana", "request1")


def test_the_audit_log_knows_it_after_a_restart(tmp_path: Path) -> None:
    opened = Sqlite(tmp_path)
    opened()
    opened.audit.append(replace(CALL, actor="ana", correlation="request1", outcome="409"))
    opened.audit.append(replace(CALL, actor="ana", correlation="request2", outcome="gone"))
    ids = opened()
    assert not ids.claim("ana", "request1")
    assert ids.earlier("ana", "request1") == Earlier(is_running=False)
    assert ids.claim("bob", "request1")
    assert ids.claim("ana", "request2"), "who hung up before the answer was there may send it again"


def test_answers_are_forgotten_after_their_time(tmp_path: Path) -> None:
    opened = Sqlite(tmp_path)
    opened()
    now = [1_000_000]
    ids = SqliteRequestIds(opened.database, lambda: now[0])
    for request_id in ("request1", "request2"):
        ids.claim("ana", request_id)
        ids.keep("ana", request_id, ANSWER)
        ids.release("ana", request_id, Trace.ANSWERABLE)
        now[0] += KEPT + 1
    with opened.database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM first_answers").fetchone() == (1,)


def test_documents_go_by_themselves(mongo: Mongo) -> None:
    MongoRequestIds(mongo, "one", lambda _: True)
    found = mongo.collection(REQUESTS).index_information()
    assert [it["expireAfterSeconds"] for it in found.values() if "expireAfterSeconds" in it] == [KEPT_SECONDS]


CHANGES = {
    "until": "UPDATE first_answers SET until = until + 1",
    "answer": "UPDATE first_answers SET answer = CAST(answer || x'00' AS BLOB)",
    "hash": "UPDATE first_answers SET hash = zeroblob(32)",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_row_is_named_and_answers_nobody(tmp_path: Path, column: str) -> None:
    opened = Sqlite(tmp_path)
    ids = opened()
    ids.claim("ana", "request1")
    ids.keep("ana", "request1", ANSWER)
    ids.release("ana", "request1", Trace.ANSWERABLE)
    assert opened.audit.file_faults() == []
    with opened.database.writing() as connection:
        connection.execute(CHANGES[column])
    assert any("first_answers row" in fault for fault in opened.audit.file_faults())
    assert ids.earlier("ana", "request1") == Earlier(is_running=False)


def test_what_a_dead_process_began_is_taken_over_by_one(mongo: Mongo) -> None:
    dead = MongoRequestIds(mongo, "dead", lambda _: True)
    assert dead.claim("ana", "request1")
    alive = {"one", "two", "dead"}
    one, two = (MongoRequestIds(mongo, name, alive.__contains__) for name in ("one", "two"))
    assert one.earlier("ana", "request1") == Earlier(is_running=True)
    alive.remove("dead")
    assert one.earlier("ana", "request1") is None
    assert two.earlier("ana", "request1") == Earlier(is_running=True)
    dead.keep("ana", "request1", ANSWER)
    assert two.earlier("ana", "request1") == Earlier(is_running=True), "a dead one that comes back has no say"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"$set": {"answer": b"other"}}, "its answer was changed"),
        ({"$set": {"hash": b"other"}}, "its answer was changed"),
        ({"$unset": {"hash": ""}}, "its answer was changed"),
        ({"$set": {"owner": 1}}, "owner"),
        ({"$set": {"more": 1}}, "more"),
        ({"$unset": {"at": ""}}, "it lacks at"),
    ],
)
def test_a_changed_document_is_named(mongo: Mongo, change: dict[str, Any], told: str) -> None:
    ids = MongoRequestIds(mongo, "one", lambda _: True)
    for request_id in ("request1", "request2"):
        ids.claim("ana", request_id)
    ids.keep("ana", "request1", ANSWER)
    assert list(request_faults(mongo)) == []
    mongo.collection(REQUESTS).update_one({"answer": {"$exists": True}}, change)
    faults = list(request_faults(mongo))
    assert len(faults) == 1
    assert told in faults[0]


def test_before_the_first_start_there_is_nothing_to_check(mongo: Mongo) -> None:
    assert list(request_faults(mongo)) == []
