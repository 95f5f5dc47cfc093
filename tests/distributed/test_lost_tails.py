"""A log or an audit log in MongoDB that has lost its end is refused by each process that starts, or accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.installation import begin_recovery
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.security.keys import fingerprint, make_master_key
from commands.ports import AppendHeader
from commands.unit_of_work import load
from domain.errors import BadInputError, ConflictError
from domain.events import Metadata
from domain.loss import LOSSES, Losses
from projections.runner import ProjectionRunner
from server.compose.distributed import open_runner, refuse_loss
from server.compose.recovery import accept_lost_ends, recovery
from server.roles import ALL, Roles
from server.settings import Settings, read_settings
from tests.contracts.events import events
from tests.distributed.life import call, faults_in, live
from tests.distributed.published import Published

SESSION = Roles(serve=("session",))


@pytest.fixture
def settings(kafka: str, mongodb: str, installation: str, tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return read_settings(mode="distributed", kafka=kafka, mongodb=mongodb, database=installation, data=data)


@pytest.fixture
def lived(settings: Settings, mongo: Mongo) -> Mongo:
    live(mongo, key=fingerprint(make_master_key(settings.key_file)))
    return mongo


def cut(collection: str, count: int = 1) -> Callable[[Mongo], None]:
    """Return what takes the last documents away."""

    def change(mongo: Mongo) -> None:
        documents = mongo.collection(collection)
        for last in list(documents.find({}, {"_id": 1}, sort=[("_id", -1)], limit=count)):
            documents.delete_one(last)

    return change


def carried(work: str, position: int) -> Callable[[Mongo], None]:
    """Return what lets a relay have been at a position."""
    return lambda mongo: Statuses(mongo).report(work, position=position)


def only_read_models_tell(mongo: Mongo) -> None:
    cut("commits")(mongo)
    mongo.collection("communications").delete_many({"domain_position": {"$gte": 12}})


LOSSES_OF: dict[str, tuple[Callable[[Mongo], None], str]] = {
    "the last commit": (cut("commits"), "the audit log speaks of 12, the log ends at 11"),
    "half the log": (cut("commits", 4), "the read models are at 12, the log ends at"),
    "the whole log": (cut("commits", 100), "the log ends at 0"),
    "log and audit log": (only_read_models_tell, "the read models are at 12"),
    "what was relayed": (carried("relay", 13), "the relay had carried the log to 13, the log ends at 12"),
    "the audit log": (cut("communications", 100), "each has its call"),
    "records that were relayed": (carried("relay-communications", 10), "the relay had carried the audit log to 10"),
}


@pytest.mark.parametrize("what", LOSSES_OF)
def test_a_lost_end_is_reported_with_the_ways_out(lived: Mongo, what: str) -> None:
    refuse_loss(lived)
    change, expected = LOSSES_OF[what]
    change(lived)
    with pytest.raises(ConflictError, match=expected) as refused:
        refuse_loss(lived)
    assert "autolearn recover --from-kafka" in refused.value.sentence
    assert "autolearn recover --accept-loss REASON" in refused.value.sentence
    assert faults_in(lived)


def test_no_process_starts_on_it_and_the_evidence_stays(lived: Mongo, settings: Settings) -> None:
    cut("commits")(lived)
    for roles in (SESSION, Roles(work=("training",)), Roles(project=True), Roles(relay=True), ALL) * 2:
        with pytest.raises(ConflictError, match="The end of the log is lost"):
            open_runner(settings, roles)
    assert ReadModels.current(lived).progress() == 12
    assert lived.collection("communications").count_documents({}) == 9


def test_an_index_that_is_missing_or_being_made_hides_no_loss_and_makes_none(lived: Mongo) -> None:
    lived.collection("commits").drop_index("stream_version")
    refuse_loss(lived)
    cut("commits")(lived)
    with pytest.raises(ConflictError, match="The end of the log is lost"):
        refuse_loss(lived)


def test_another_log_under_the_same_calls_is_no_lost_end(lived: Mongo) -> None:
    MongoAuditLog(lived, "w1").append(call(99, domain_position=12, head="ab" * 32))
    with pytest.raises(ConflictError, match="another hash"):
        refuse_loss(lived)


def folded(mongo: Mongo) -> int:
    documents = ProjectorDocuments(ReadModels.ensure(mongo))
    runner = ProjectionRunner(MongoFeed(mongo), documents)
    while runner.step():
        pass
    return documents.position()


def test_an_accepted_loss_is_an_event_and_processes_start_again(lived: Mongo, settings: Settings) -> None:
    cut("commits")(lived)
    carried("relay", 12)(lived)
    body = accept_lost_ends(settings, "the disk broke")
    assert (body["reason"], body["log"]["position"], body["log"]["until"]) == ("the disk broke", 11, 12)
    assert (body["to_delete"], len(body["evidence"])) == ([], 3)
    store = MongoEventStore(lived)
    assert [it.reason for it in load(store, Losses, LOSSES).accepted] == ["the disk broke"]
    refuse_loss(lived)
    open_runner(settings, SESSION).close()
    assert folded(lived) == 12
    assert faults_in(lived) == []
    with pytest.raises(BadInputError, match="Nothing of the log is lost"):
        accept_lost_ends(settings, "once more")


def test_topics_that_go_on_are_named(lived: Mongo, settings: Settings) -> None:
    published = Published(settings.kafka, settings.database)
    published.all_of(lived)
    cut("commits")(lived)
    assert accept_lost_ends(settings, "it is gone")["to_delete"] == [published.events]


def test_a_loss_is_not_accepted_while_others_live_or_a_recovery_is_unfinished(lived: Mongo, settings: Settings) -> None:
    cut("commits")(lived)
    membership = Membership(lived, "serve-session-1")
    membership.start()
    with pytest.raises(ConflictError, match=r"Stop all processes first.* a few seconds ago: serve-session-1"):
        accept_lost_ends(settings, "why")
    membership.stop()
    with pytest.raises(BadInputError, match="reason"):
        accept_lost_ends(settings, "")
    begin_recovery(lived, "/autolearn/x/y")
    with pytest.raises(ConflictError, match="was interrupted"):
        accept_lost_ends(settings, "why")


def test_processes_that_append_meanwhile_are_no_loss(lived: Mongo, mongodb: str) -> None:
    enough = Event()

    def write(name: str) -> None:
        mongo = Mongo(mongodb, lived.name)
        store, audit_log = MongoEventStore(mongo), MongoAuditLog(mongo, name)
        number = 0
        while not enough.is_set():
            number += 1
            header = AppendHeader(uuid4(), uuid4(), Metadata(actor="ana", correlation=f"{name}-{number}"))
            appended = store.append(events(f"{name}-{number}", 1, 1), header)
            facts = {"domain_position": appended.position, "head": appended.hash.hex()}
            audit_log.append(call(0, correlation=f"{name}-{number}", **facts))
        mongo.close()

    writers = [Thread(target=write, args=(f"w{n}",)) for n in range(3, 6)]
    for writer in writers:
        writer.start()
    try:
        looks = 0
        while looks < 15 or lived.collection("commits").count_documents({}) <= 20:
            refuse_loss(lived)
            looks += 1
    finally:
        enough.set()
        for writer in writers:
            writer.join()


def test_a_recovery_says_what_nobody_had_relayed(lived: Mongo, settings: Settings) -> None:
    published = Published(settings.kafka, settings.database)
    commits = MongoFeed(lived).raw_after(0, 100)
    published.commits(commits[:-1])
    published.stored(MongoAuditLog(lived, "reader").read(0, 100))
    lived.client.drop_database(lived.name)
    *_, last = recovery(settings, None, None)
    assert last["position"] == commits[-2].position
    assert [f"the log ends at {commits[-2].position}" in it for it in last["lost"]] == [True]
    with pytest.raises(ConflictError, match="accept-loss"):
        open_runner(settings, SESSION)
    assert accept_lost_ends(settings, "it was never relayed")["to_delete"] == []
    open_runner(settings, SESSION).close()
