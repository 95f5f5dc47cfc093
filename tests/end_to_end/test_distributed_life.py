"""The life of a model in the distributed mode, through two processes of every kind; and what Kafka then holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from server.roles import SERVICES
from tests.end_to_end.fleet import Fleet, fleet_on
from tests.end_to_end.place import Place, Shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CONSUME_SECONDS = 10.0


@dataclass
class Running:
    """An installation, and its sys-admin."""

    fleet: Fleet
    shell: Shell


@pytest.fixture(scope="module")
def running(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two processes of every kind."""
    with fleet_on(tmp_path_factory.mktemp("fleet"), kafka, mongodb) as fleet:
        fleet.start_all(copies=2)
        yield Running(fleet, fleet.client("ana", "analyst", "sys-admin"))


def test_the_whole_life(running: Running) -> None:
    shell = running.shell
    first = shell("train", "iris", "logistic-regression", "--seed", "7", "--evaluate").json
    assert (first["state"], first["measures"]["precision:macro"] > 0.5) == ("completed", True)
    queued = shell("train", "wine", "decision-tree", "--no-wait").json
    assert queued["state"] in {"requested", "started"}, "a worker may be quicker than the answer"
    waited = shell("wait", queued["experiment"], "--timeout", "80").json
    assert (waited["state"], waited["attempt"]) == ("completed", 1)
    assert shell("evaluate", queued["experiment"], "-m", "recall").json["measures"]["recall:macro"] > 0.5
    before = shell("session").json
    assert [it["experiment"] for it in before["experiments"]] == [first["experiment"], queued["experiment"]]

    receipt = shell("commit", "--message", "both").json
    history = shell("history", "--where", "precision > 0.5").json
    assert [it["experiment"] for it in history["experiments"]] == [first["experiment"]]
    where = "split = random and rows = 112 and features = 4 and fit_seconds < 60 and seed = 7 and warnings = none"
    found = shell("history", "--where", where, "--sort", "-fit_seconds").json["experiments"]
    assert [it["experiment"] for it in found] == [first["experiment"]]
    assert shell("history", "--as-of", f"@{before['position']}").json["experiments"] == []
    assert shell("show", first["experiment"][:8]).json["measures"] == first["measures"]
    assert shell("reproduce", first["experiment"]).json["verdict"] == "bit-identical"

    assert shell("replay", "--as-of", f"@{before['position']}").json["matches_read_models"]
    anchor = f"{receipt['position']}:{receipt['head']}"
    same_after_rebuild = shell("history").json["experiments"]
    assert shell("rebuild", "--all").json["rebuilt"]
    assert shell("history").json["experiments"] == same_after_rebuild
    verified = shell("verify", "--anchor", anchor, "--against", "kafka").json
    assert (verified["ok"], verified["unanswered"]) == (True, []), verified


def test_every_instance_answers_the_same(running: Running) -> None:
    known = running.shell("train", "iris", "naive-bayes", "--evaluate").json
    asked = {
        "catalog": ["catalog", "datasets"],
        "training": ["status", known["experiment"]],
        "evaluation": ["status", known["evaluation"]],
        "session": ["session"],
        "storage": ["history", "--as-of", f"@{known['position']}"],
    }
    for service, command in asked.items():
        instances = running.fleet.of("serve", service)
        answers = [
            running.fleet.at(it, running.shell)(*command, "--as-of", f"@{known['position']}") for it in instances
        ]
        assert len(answers) == 2
        assert answers[0].out == answers[1].out
    rows = running.shell("log", "--kind", "call", "--limit", "500").json["communications"]
    assert {row["writer"].rpartition("-")[0] for row in rows} == {f"serve-{service}" for service in SERVICES}


def test_a_stock_consumer_reads_the_log_from_the_topic(running: Running) -> None:
    mongo = Mongo(running.fleet.mongodb, running.fleet.database)
    try:
        head = MongoFeed(mongo).end()[0]
        log = [
            (position, event.stream, event.version, event.name, event.state)
            for commit in MongoFeed(mongo).raw_after(0, 10**6)
            for position, event in enumerate(commit.events, commit.first)
        ]
    finally:
        mongo.close()
    assert [it[0] for it in log] == list(range(1, head + 1))
    assert consumed(running.fleet.kafka, f"{running.fleet.database}.events") == log


def consumed(kafka: str, topic: str) -> list[tuple[int, str, int, str, bytes]]:
    """Read a topic to its end, as the documentation of Kafka's client says: position, stream, version, name, bytes."""
    wanted: dict[str, Any] = {"group.id": "stock", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": kafka, "isolation.level": "read_committed"} | wanted)
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[tuple[int, str, int, str, bytes]] = []
    try:
        while (message := consumer.poll(CONSUME_SECONDS)) is not None:
            error = message.error()
            if error is None:
                found.append(event_in(message))
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                return found
    finally:
        consumer.close()
    pytest.fail(f"the end of {topic} was not reached")


def event_in(message: Any) -> tuple[int, str, int, str, bytes]:
    """Return the event that a record carries."""
    told = {name: value.decode() for name, value in message.headers()}
    place, version = int(told["ce_sequence"]), int(told["ce_streamversion"])
    return place, message.key().decode(), version, told["ce_type"], message.value()


def test_the_log_looks_as_in_the_embedded_mode(running: Running, tmp_path: Path) -> None:
    place = Place(tmp_path / "embedded")
    try:
        embedded = rows_of_a_life(place.start())
    finally:
        place.stop()
    distributed = rows_of_a_life(running.shell)
    assert {frozenset(row) for rows in distributed.values() for row in rows} == {
        frozenset(row) for rows in embedded.values() for row in rows
    }
    for command, rows in embedded.items():
        assert as_seen(distributed[command]) == as_seen(rows), command


def rows_of_a_life(shell: Shell) -> dict[str, list[dict[str, Any]]]:
    """Give commands, one that an event worker carries out among them; return what the log tells of each."""
    queued = shell("train", "iris", "naive-bayes", "--no-wait").json["experiment"]
    shell("wait", queued, "--timeout", "80")
    shell("commit", queued)
    shell("commit", code=6)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    newest = {operation: row["correlation"] for operation, row in newest_of(shell).items()}
    for operation in ("POST /trainings", "POST /session/commit"):
        rows[operation] = shell("log", newest[operation]).json["communications"]
    rows["start"] = shell("log", "--kind", "process", "--limit", "1").json["communications"]
    return rows


def newest_of(shell: Shell) -> dict[str, dict[str, Any]]:
    """Return the newest call of each operation."""
    rows = shell("log", "--kind", "call", "--limit", "30").json["communications"]
    return {row["operation"]: row for row in reversed(rows)}


def as_seen(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Return what both modes must tell alike. Workers bear other names; of two, one may come second and skip."""
    told = [it for it in rows if it["outcome"] != "skipped"]
    return {(it["kind"], it["source"], it["operation"], it["outcome"], it["problem"]) for it in told}
