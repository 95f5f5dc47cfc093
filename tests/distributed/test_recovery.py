"""A lost database comes back from the topics byte for byte, however often it is interrupted; damage stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from adapters.audit_log.system_records import SystemRecorder
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.installation import check_master_key, refuse_unfinished_recovery, unfinished_recovery
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.recovery.recovery import ALL, Recovery, Until
from adapters.distributed.recovery.refill import Refill
from adapters.distributed.topics.cloud_events import Message, commit_messages
from adapters.distributed.topics.kafka import DamagedTopic
from cli import exit_codes
from commands.ports import AppendHeader
from domain.errors import BadInputError, ConflictError, NotFoundError
from domain.events import Metadata
from domain.session_events import SessionOpened
from projections.ports import RawCommit
from server.compose.recovery import accept_lost_ends, recovery
from server.settings import read_settings
from tests.distributed.published import INSTALLATION, Published, as_bytes, live_on

COLLECTIONS = ("commits", "communications")


@pytest.fixture
def published(kafka: str, installation: str) -> Published:
    return Published(kafka, installation)


def lose(mongo: Mongo) -> None:
    mongo.client.drop_database(mongo.name)


def recover(mongo: Mongo, published: Published, until: Until = ALL) -> dict[str, Any]:
    *_, result = Recovery(mongo, published.bootstrap, until).run()
    return result


def test_what_was_lost_is_back_byte_for_byte_and_goes_on(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=60, calls=5)
    published.all_of(mongo)
    before = {name: as_bytes(mongo, name) for name in COLLECTIONS}
    indexes = {name: mongo.collection(name).index_information() for name in COLLECTIONS}
    position, head = MongoEventStore(mongo).end()
    lose(mongo)
    *progress, result = Recovery(mongo, published.bootstrap).run()
    assert {name: as_bytes(mongo, name) for name in COLLECTIONS} == before
    assert {name: mongo.collection(name).index_information() for name in COLLECTIONS} == indexes
    commits, calls = len(before["commits"]), len(before["communications"])
    counts = {"events": position, "commits": commits, "communications": calls, "position": position}
    assert result == counts | {"installation": INSTALLATION, "head": head.hex(), "fingerprint": None}
    assert [step["step"] for step in progress] == ["events", "communications"]
    assert all(0 < step["position"] <= step["of"] for step in progress)
    assert mongo.collection("installation").find_one({"_id": "installation"}) == {
        "_id": "installation",
        "id": INSTALLATION,
    }
    refuse_unfinished_recovery(mongo)
    event = SessionOpened(originator_id="session:eve:1", originator_version=1, client="eve")
    assert MongoEventStore(mongo).append([event], AppendHeader(uuid4(), uuid4(), Metadata())).position == position + 1


def begun_with(mongo: Mongo, *keys: str) -> None:
    """Let processes with these master keys have started, one after the other."""
    for number, key in enumerate(keys):
        SystemRecorder(MongoAuditLog(mongo, f"w{number}"), f"w{number}", key).record_start(f"start-{number}", 0)


def noted(mongo: Mongo) -> Any:
    found = mongo.collection("installation").find_one({"_id": "master-key"})
    return found and found["fingerprint"]


def test_the_audit_log_tells_which_master_key_was_the_last(mongo: Mongo, published: Published) -> None:
    begun_with(mongo, "aa", "bb")
    live_on(mongo, steps=10, calls=2)
    published.all_of(mongo)
    lose(mongo)
    assert recover(mongo, published)["fingerprint"] == "bb"
    with pytest.raises(BadInputError, match="does not fit the database"):
        check_master_key(mongo, "aa")
    check_master_key(mongo, "bb")


def test_another_master_key_is_noticed_before_the_recovery_is_over(mongo: Mongo, published: Published) -> None:
    begun_with(mongo, "aa")
    live_on(mongo, steps=10, calls=0)
    published.all_of(mongo)
    before = {name: as_bytes(mongo, name) for name in COLLECTIONS}
    lose(mongo)
    with pytest.raises(BadInputError, match=r"AUTOLEARN_MASTER_KEY_FILE.* does not fit .* restore that file"):
        list(Recovery(mongo, published.bootstrap, key="bb").run())
    with pytest.raises(ConflictError, match="was interrupted"):
        refuse_unfinished_recovery(mongo)
    *_, result = Recovery(mongo, published.bootstrap, key="aa").run()
    assert "fingerprint" not in result
    assert noted(mongo) == "aa"
    assert {name: as_bytes(mongo, name) for name in COLLECTIONS} == before
    refuse_unfinished_recovery(mongo)


@pytest.mark.parametrize("key", ["aa", None])
def test_the_key_that_is_here_counts_where_the_audit_log_tells_of_none(
    mongo: Mongo, published: Published, key: str | None
) -> None:
    live_on(mongo, steps=10, calls=1)
    published.all_of(mongo)
    lose(mongo)
    list(Recovery(mongo, published.bootstrap, key=key).run())
    assert noted(mongo) == key


def test_it_fills_empty_databases_alone(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=10, calls=1)
    published.all_of(mongo)
    before = as_bytes(mongo, "commits")
    with pytest.raises(ConflictError, match="commits and communications already"):
        recover(mongo, published)
    mongo.collection("commits").drop()
    with pytest.raises(ConflictError, match="holds communications already"):
        recover(mongo, published)
    assert len(before) > 1
    assert as_bytes(mongo, "commits") == []


def test_an_interrupted_recovery_goes_on(mongo: Mongo, published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    live_on(mongo, steps=30, calls=7)
    published.all_of(mongo)
    before = {name: as_bytes(mongo, name) for name in COLLECTIONS}
    lose(mongo)
    monkeypatch.setattr("adapters.distributed.recovery.refill.BATCH", 3)
    for breaks_after in (1, 2, 5, len(before["commits"]) // 3 + 2):
        steps = Recovery(mongo, published.bootstrap).run()
        for _ in range(breaks_after):
            next(steps)
        steps.close()  # type: ignore[attr-defined] # it is a generator
        assert 0 < len(as_bytes(mongo, "commits")) <= len(before["commits"])
        with pytest.raises(ConflictError, match="was interrupted"):
            refuse_unfinished_recovery(mongo)
    recover(mongo, published)
    assert {name: as_bytes(mongo, name) for name in COLLECTIONS} == before
    assert unfinished_recovery(mongo) is None


class Racing:
    """The collection, into which a process that was just killed still writes."""

    def __init__(self, collection: Any, *, writes: bool) -> None:
        self._collection, self._late = collection, writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def insert_many(self, documents: list[Any], **options: Any) -> Any:
        if self._late:
            self._late = False
            self._collection.insert_many(documents[:3])
        return self._collection.insert_many(documents, **options)


@pytest.mark.parametrize("writes", [False, True])
def test_what_a_killed_recovery_still_writes_is_in_no_way(mongo: Mongo, published: Published, writes: bool) -> None:
    live_on(mongo, steps=20, calls=0)
    commits, before = MongoFeed(mongo).raw_after(0, 10**9), as_bytes(mongo, "commits")
    mongo.collection("commits").drop()
    racing: Any = Racing(mongo.collection("commits"), writes=writes)
    refill: Refill[RawCommit] = Refill(racing, EVENT_LOG, "the topic")
    assert list(refill.run(commits)) == [commits[-1].position]
    assert as_bytes(mongo, "commits") == before


def test_of_a_damaged_copy_what_comes_before_is_filled_in(mongo: Mongo) -> None:
    live_on(mongo, steps=4, calls=0)
    commits = MongoFeed(mongo).raw_after(0, 10**9)
    mongo.collection("commits").drop()
    wrong = commits[-1]
    refill: Refill[RawCommit] = Refill(mongo.collection("commits"), EVENT_LOG, "the back-up")
    with pytest.raises(ConflictError, match=rf"The log of the back-up is damaged at position {wrong.position}: "):
        list(refill.run([*commits[:-1], replace(wrong, hash=bytes(32))]))
    assert MongoFeed(mongo).end() == (commits[-2].position, commits[-2].hash)


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another time": ({"_id": 1}, {"$inc": {"at": 1}}),
    "a later commit": ({"_id": 10**6}, {"$set": {"at": 1}}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_meanwhile_is_not_kept(
    mongo: Mongo, published: Published, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_on(mongo, steps=10, calls=1)
    published.all_of(mongo)
    lose(mongo)
    monkeypatch.setattr("adapters.distributed.recovery.refill.BATCH", 2)
    next(Recovery(mongo, published.bootstrap).run())
    mongo.collection("commits").update_one(*CHANGES[change], upsert=True, bypass_document_validation=True)
    with pytest.raises(ConflictError, match="something else than the topic") as refused:
        recover(mongo, published)
    assert refused.value.facts["position"] == CHANGES[change][0]["_id"]
    assert unfinished_recovery(mongo) is not None


Damage = Callable[[Published, RawCommit], list[list[Message]]]


def foreign(published: Published, _: RawCommit) -> list[list[Message]]:
    return [[Message(b"k", b"v", [])]]


def of_another_installation(_: Published, commit: RawCommit) -> list[list[Message]]:
    return [commit_messages(commit, "/autolearn/x/" + "cd" * 16)]


def torn(published: Published, commit: RawCommit) -> list[list[Message]]:
    return [commit_messages(commit, published.source)[:-1]]


def changed(published: Published, commit: RawCommit) -> list[list[Message]]:
    first, *rest = commit.events
    return [commit_messages(replace(commit, events=(first._replace(state=b"{}"), *rest)), published.source)]


def left_out(_: Published, __: RawCommit) -> list[list[Message]]:
    return []


@pytest.mark.parametrize("damage", [foreign, of_another_installation, torn, changed, left_out])
def test_damage_stops_it_with_the_position_and_nothing_after_it_is_there(
    mongo: Mongo, published: Published, damage: Damage
) -> None:
    live_on(mongo, steps=40, calls=1)
    commits = MongoFeed(mongo).raw_after(0, 10**9)
    at = next(n for n, commit in enumerate(commits) if n > 3 and len(commit.events) > 1)
    before = as_bytes(mongo, "commits")
    published.commits(commits[:at])
    published.messages(published.events, damage(published, commits[at]))
    published.commits(commits[at + 1 :])
    lose(mongo)
    with pytest.raises(DamagedTopic) as stopped:
        recover(mongo, published)
    known = {"foreign": None, "torn": commits[at].position - 1, "left_out": commits[at + 1].position}
    assert stopped.value.facts["position"] == known.get(damage.__name__, stopped.value.facts["position"])
    assert (stopped.value.facts["recovered"], stopped.value.facts["cause"]) == (commits[at - 1].position, "damage")
    assert as_bytes(mongo, "commits") == before[:at]
    assert unfinished_recovery(mongo) is not None


def test_what_retention_deleted_is_told_apart_from_damage(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=40, calls=3)
    published.all_of(mongo)
    commits = MongoFeed(mongo).raw_after(0, 10**9)
    lose(mongo)
    published.delete_before(published.events, commits[4].position + 5)  # each commit's transaction has a mark
    with pytest.raises(DamagedTopic, match=r"only what comes from position \d+ on: Kafka deleted") as stopped:
        recover(mongo, published)
    assert (stopped.value.facts["position"], stopped.value.facts["cause"]) == (commits[5].first, "retention")
    assert (stopped.value.slug, exit_codes.of_error(stopped.value)) == ("damaged-topic", exit_codes.CONFLICT)
    assert mongo.database.list_collection_names() == []  # nothing was begun, so the next try may use other topics


def test_an_audit_log_without_its_beginning_can_be_given_up(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=10, calls=3)
    published.all_of(mongo)
    before = as_bytes(mongo, "commits")
    lose(mongo)
    published.delete_before(published.audit_log, 4)
    with pytest.raises(DamagedTopic, match=r"no record any more.*`--communications-until 0`") as stopped:
        recover(mongo, published)
    assert stopped.value.facts["position"] is None
    assert recover(mongo, published, Until(audit_log=0))["communications"] == 0
    assert as_bytes(mongo, "commits") == before


def test_what_was_not_committed_is_not_recovered(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=10, calls=0)
    commits = MongoFeed(mongo).raw_after(0, 10**9)
    groups = [commit_messages(commit, published.source) for commit in commits]
    published.messages(published.events, groups, last_committed=False)
    lose(mongo)
    assert recover(mongo, published)["position"] == commits[-2].position


def test_there_may_be_nothing_to_recover(kafka: str, mongo: Mongo, published: Published) -> None:
    with pytest.raises(NotFoundError, match="nothing to recover"):
        recover(mongo, published)
    published.messages(published.events, foreign(published, None))  # type: ignore[arg-type] # it needs none
    with pytest.raises(NotFoundError, match="hold no records"):
        recover(mongo, published)
    assert mongo.database.list_collection_names() == []


def test_topics_that_were_never_made_hold_nothing(kafka: str, mongo: Mongo) -> None:
    with pytest.raises(NotFoundError, match="nothing to recover"):
        list(Recovery(mongo, kafka).run())


def test_the_command_changes_nothing_where_there_is_nothing(kafka: str, mongo: Mongo) -> None:
    settings = read_settings(mode="distributed", kafka=kafka, mongodb=mongo.uri, database=mongo.name)
    with pytest.raises(NotFoundError, match="nothing to recover"):
        list(recovery(settings, None, None))
    with pytest.raises(BadInputError):
        accept_lost_ends(settings, "gone")
    assert mongo.database.list_collection_names() == []


def test_topics_of_another_database_are_not_taken(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=10, calls=1)
    published.source = f"/autolearn/other/{INSTALLATION}"
    published.all_of(mongo)
    lose(mongo)
    with pytest.raises(DamagedTopic, match="other"):
        recover(mongo, published)
    assert as_bytes(mongo, "commits") == []
