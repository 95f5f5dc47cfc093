"""Servers of tests: they lose nothing in a kill, stand still when frozen, are shared, and end with their users."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pymongo import MongoClient
from pymongo.errors import NetworkTimeout
from pymongo.write_concern import WriteConcern

from tests.servers import places
from tests.servers.broker import ColdKafka
from tests.servers.fixtures import delete_topics, drop_database, not_here
from tests.servers.mongod import MongoServer
from tests.servers.process import Server, is_open
from tests.servers.shared import KEEPERS, ROOT, shared

SECONDS = 30.0
TOPIC = "kept.events"


def client_of(server: Server) -> MongoClient[dict[str, Any]]:
    """Return a client that does not wait long."""
    return MongoClient(server.url, timeoutMS=2000, serverSelectionTimeoutMS=2000)


@pytest.fixture
def mongod() -> Path:
    """MongoDB's program."""
    return found(places.mongod)


def found(search: places.Search) -> Path:
    """Return a program, or skip."""
    try:
        return search()
    except LookupError as missing:
        not_here(missing)


def has_ended(pid: int) -> bool:
    """Wait until a process that is none of our children has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    readable, _, _ = select.select([handle], [], [], SECONDS)
    os.close(handle)
    return bool(readable)


def test_a_killed_mongodb_keeps_what_it_acknowledged(own_mongodb: Server) -> None:
    with client_of(own_mongodb) as client:
        journaled = client["kept"].get_collection("kept", write_concern=WriteConcern("majority", j=True))
        journaled.insert_one({"_id": 1})
        own_mongodb.kill()
        assert not is_open(own_mongodb.port)
        own_mongodb.start()
        assert client["kept"]["kept"].find_one() == {"_id": 1}


def test_a_frozen_mongodb_does_not_answer_until_it_thaws(own_mongodb: Server) -> None:
    with MongoClient[dict[str, Any]](own_mongodb.url, timeoutMS=500) as client:
        client["kept"].command("ping")
        own_mongodb.freeze()
        with pytest.raises(NetworkTimeout):
            client["kept"].command("ping")
        own_mongodb.thaw()
        assert client["kept"].command("ping")["ok"]


def test_a_killed_kafka_keeps_what_it_acknowledged_and_a_frozen_one_does_not_answer(own_kafka: Server) -> None:
    admin = AdminClient({"bootstrap.servers": own_kafka.url, "log_level": 0})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(SECONDS)
    producer = Producer({"bootstrap.servers": own_kafka.url, "transactional.id": "kept", "log_level": 0})
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.produce(TOPIC, b"fact")
    producer.commit_transaction(SECONDS)
    own_kafka.kill()
    own_kafka.start()
    consumer = Consumer({"bootstrap.servers": own_kafka.url, "group.id": "kept", "log_level": 0})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    [message] = consumer.consume(1, SECONDS)
    consumer.close()
    assert message.value() == b"fact"
    own_kafka.freeze()
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=0.5)
    own_kafka.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path, mongod: Path) -> None:
    server = MongoServer(tmp_path / "mongodb")
    (tmp_path / "mongodb" / "data").mkdir(parents=True)
    (tmp_path / "mongodb" / "data" / "storage.bson").write_bytes(b"no such thing")
    with pytest.raises(OSError, match=r"MongoServer ended at its start with (?s:.*)storage"):
        server.start()


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path, mongod: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.servers.mongod import MongoServer;"
        "server = MongoServer(Path(sys.argv[1])); server.start(); print(server.process.pid, flush=True); input()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "mongodb")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    assert has_ended(pid)


def test_users_of_a_run_share_a_server_and_the_last_one_ends_it(tmp_path: Path, mongod: Path) -> None:
    with shared("mongodb", tmp_path) as first:
        keeper = KEEPERS[-1]
        with shared("mongodb", tmp_path) as second:
            assert first == second
        assert keeper.poll() is None
        port = int(first.rpartition(":")[2].partition("/")[0])
        assert is_open(port)
    assert keeper.wait(SECONDS) == 0
    assert not is_open(port)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mongodb.lock", "mongodb.said", "mongodb.url"]
    with shared("mongodb", tmp_path) as third, MongoClient[dict[str, Any]](third) as client:
        assert client.admin.command("ping")["ok"]


def test_a_test_takes_away_what_it_made_and_nothing_else(kafka: str, mongodb: str, installation: str) -> None:
    names = [f"{installation}.events", f"{installation}s.events"]
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        made.result(SECONDS)
    with MongoClient[dict[str, Any]](mongodb) as client:
        for name in (installation, f"{installation}s"):
            client[name]["kept"].insert_one({})
        drop_database(mongodb, installation)
        delete_topics(kafka, f"{installation}.")
        assert {name for name in client.list_database_names() if installation in name} == {f"{installation}s"}
        end = monotonic() + SECONDS
        while names[0] in (listed := admin.list_topics(timeout=SECONDS).topics):  # a broker may list it a little longer
            assert monotonic() < end
        assert names[1] in listed
        client.drop_database(f"{installation}s")
    delete_topics(kafka, f"{installation}s.")


def test_settings_of_a_test_win(tmp_path: Path) -> None:
    found(places.java), found(places.jars)
    broker = ColdKafka(tmp_path, {"message.max.bytes": 1000, "num.io.threads": 7})
    (tmp_path / "data").mkdir()
    properties = Path(broker.command()[-1]).read_text().splitlines()
    assert {"message.max.bytes=1000", "num.io.threads=7", f"log.dirs={tmp_path / 'data'}"} <= set(properties)
    assert "num.io.threads=2" not in properties


def test_a_server_that_cannot_be_shared_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AUTOLEARN_TEST_SERVERS", str(tmp_path))
    with pytest.raises(OSError, match="no MongoDB here"), shared("mongodb", tmp_path):
        pass
