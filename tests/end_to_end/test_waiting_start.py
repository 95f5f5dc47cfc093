"""Processes start before what they need: each waits, says for what, and works as soon as it is there."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.end_to_end.fleet import Fleet, Member, fleet_on, until
from tests.end_to_end.place import Shell
from tests.servers.fixtures import not_here
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

READY, UNABLE = 200, 503
NOT_ABLE, CONFLICT = 3, 6
WAITS_AT = re.compile(r"waits: .* \((http://[^\s:]+:\d+)/health/ready")
SERVERS = ("mongodb", "kafka")


class Parts:
    """A MongoDB and a Kafka that do not run yet, and the processes that need them."""

    def __init__(self, folder: Path) -> None:
        self.mongodb, self.kafka = MongoServer(folder / "mongodb"), KafkaServer(folder / "kafka")

    def start(self, name: str) -> None:
        server: MongoServer | KafkaServer = getattr(self, name)
        server.start()

    def kill(self) -> None:
        self.mongodb.kill()
        self.kafka.kill()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    try:
        opened = Parts(tmp_path)
    except LookupError as missing:
        not_here(missing)
    yield opened
    opened.kill()


@pytest.fixture
def fleet(parts: Parts, tmp_path: Path) -> Iterator[Fleet]:
    folder = tmp_path / "fleet"
    folder.mkdir()
    with fleet_on(folder, parts.kafka.url, parts.mongodb.url, shared=False) as opened:
        yield opened


def await_waiting(member: Member, reason: str) -> None:
    """Wait until a process says that it waits, in its log and on its port."""
    until(lambda: reason in member.said)
    found = WAITS_AT.search(member.said)
    assert found, member.said
    member.url = found[1]
    assert member.get("/health/live")[0] == READY
    status, body = member.get("/health/ready")
    assert (status, '"not-ready"' in body) == (UNABLE, True)
    assert "autolearn_starting 1.0" in member.get("/metrics")[1]


def test_processes_wait_for_mongodb_and_then_for_kafka(fleet: Fleet, parts: Parts) -> None:
    members = [fleet.begin(*command) for command in (("relay",), ("serve", "session"), ("work", "training"))]
    stopped = {sent: fleet.begin("project") for sent in (signal.SIGTERM, signal.SIGINT)}
    for member in (*members, *stopped.values()):
        await_waiting(member, "no MongoDB there takes writes")
        assert member.get("/session")[0] == UNABLE
    for sent, member in stopped.items():
        member.signal(sent)
    for member in stopped.values():  # a signal ends the wait in order
        assert member.process.wait(60) == 0
        assert "Traceback" not in member.said
    parts.start("mongodb")
    for member in members:
        await_waiting(member, "No broker of Kafka (AUTOLEARN_KAFKA) answers in time")
    parts.start("kafka")
    for member in members:
        member.ready()
        assert member.url in member.said
        assert member.get("/health/live")[0] == READY
    assert [member.stop() for member in members] == [0, 0, 0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_parts_start_in_any_order(fleet: Fleet, parts: Parts, seed: int) -> None:
    order = ["relay", "project", "serve storage", "serve session", "work catalog", *SERVERS]
    random.Random(seed).shuffle(order)  # noqa: S311 - no secret
    members = []
    for part in order:
        if part in SERVERS:
            parts.start(part)
        else:
            members.append(fleet.begin(*part.split()))
    for member in members:
        member.ready()
    until(lambda: all(member.get("/health/ready")[0] == READY for member in members), 120)
    client = fleet.client("ana", "analyst", "sys-admin")
    storage = next(member for member in members if member.command == ("serve", "storage"))
    assert fleet.at(storage, client)("client", "add", "bob").json["client"] == "bob"


def test_up_waits_and_says_for_what_until_its_instances_answer(fleet: Fleet, parts: Parts) -> None:
    said = fleet.folder / "up"
    command = [
        sys.executable,
        "-m",
        "cli.main",
        "up",
        "--detach",
        "--instances",
        "2",
        "--port",
        "0",
        "--start-timeout",
        "240",
    ]
    try:
        with said.open("wb") as out, subprocess.Popen(command, env=fleet.environment, stderr=out) as up:
            until(lambda: "does not answer yet: AUTOLEARN_MONGODB" in said.read_text(), 120)
            parts.start("mongodb")
            until(lambda: "does not answer yet: No broker of Kafka" in said.read_text(), 120)
            parts.start("kafka")
            assert up.wait(180) == 0
        assert "The backend answers at http://127.0.0.1:" in said.read_text()
    finally:  # also after a failure: what is detached would outlive the test
        fleet.run("down", code=None)


def test_no_command_is_accepted_before_the_comparison_was_made(fleet: Fleet, parts: Parts) -> None:
    """On a database that its topics follow commands are accepted then and ever after; on an older one never."""
    for name in SERVERS:
        parts.start(name)
    client = fleet.client("ana", "sys-admin")
    parts.kafka.kill()
    storage = fleet.start("serve", "storage")
    asked = fleet.at(storage, client)
    assert "No command is accepted before" in refusal(asked)
    parts.start("kafka")
    until(lambda: "commands are accepted" in storage.said)
    asked("client", "add", "bob")
    parts.kafka.kill()
    last = asked("client", "add", "cem").json["position"]
    parts.start("kafka")
    relay, _ = fleet.start_these("relay", "project")
    await_relayed(relay, last)
    with MongoClient[dict[str, Any]](parts.mongodb.url) as mongo:
        database = mongo[fleet.database]
        old = {name: list(database[name].find()) for name in database.list_collection_names()}
        await_relayed(relay, asked("client", "add", "eve").json["position"])
        fleet.stop()
        parts.kafka.kill()
        mongo.drop_database(fleet.database)
        for name, documents in old.items():
            if documents:
                database[name].insert_many(documents)
    storage = fleet.start("serve", "storage")
    asked = fleet.at(storage, client)
    assert "bob" in asked("client", "list").out
    assert "No command is accepted before" in refusal(asked)
    assert "No command is accepted before" in storage.get("/health/ready")[1]
    parts.start("kafka")
    until(lambda: "older back-up" in storage.said)
    assert "older back-up" in refusal(asked)
    assert storage.get("/health/ready")[0] == UNABLE
    later = fleet.begin("serve", "storage")
    assert later.process.wait(60) == CONFLICT
    assert "older back-up" in later.said


def await_relayed(relay: Member, position: int) -> None:
    until(lambda: relay.gauges.get("relay_position", 0) >= position)


def refusal(asked: Shell) -> str:
    """Return why a command is refused."""
    return str(asked("client", "add", "dan", code=NOT_ABLE).problem["detail"])
