"""The rights that docs/rights.md lists are enough for a whole life, over TLS, and a missing one has its sentence."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.end_to_end.fleet import Fleet, Member, fleet_on, until
from tests.house.pages import rows, section, text
from tests.servers.fixtures import own
from tests.servers.secured import PASSWORD, SecuredKafka, SecuredMongo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PAGE = Path("docs/rights.md")
ROLES = {"relay", "project", "serve", "work", "recover"}
EVERY = "every one"
STRANGER = "stranger"  # who is let in, and may do nothing
READY, NOT_ALLOWED = 200, 4
READY_SECONDS = 180.0


def kafka_rights() -> list[tuple[str, str, str, str]]:
    """Return role, kind and name of the resource, operation, as the page lists them."""
    return [
        (role.strip("`"), kind, name, operation)
        for role, resources, operations in rows(section(text(PAGE), "Rights on Kafka"))[2:]
        for kind, name in re.findall(r"(\w+) `([^`]+)`", resources)
        for operation in operations.split(", ")
    ]


def mongodb_rights() -> dict[str, dict[str, list[str]]]:
    """Return the actions by role and collection ("": every one)."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for role, collections, actions in rows(section(text(PAGE), "Rights on MongoDB"))[2:]:
        names = [""] if collections == EVERY else re.findall(r"`([^`]+)`", collections)
        found[role.strip("`")].update(dict.fromkeys(names, actions.split(", ")))
    return found


@dataclass
class Guarded:
    """An installation on servers that let each role do what the page lists, and nobody else anything."""

    fleet: Fleet
    kafka: SecuredKafka
    mongodb: SecuredMongo

    def __post_init__(self) -> None:
        self._password = self.fleet.folder / "mongodb.password"
        self._password.write_text(f"{PASSWORD}\n")
        self._password.chmod(0o600)
        for role, privileges in mongodb_rights().items():
            self.mongodb.add_user(role, self.fleet.database, privileges)
            self.kafka.add_user(role)
        self.mongodb.add_user(STRANGER, self.fleet.database, {})
        self.kafka.add_user(STRANGER)
        for right in kafka_rights():
            self.allow(*right)

    def allow(self, role: str, kind: str, name: str, operation: str) -> None:
        self.kafka.allow(role, kind, name.replace("NAME", self.fleet.database), operation)

    @contextmanager
    def user(self, of_mongodb: str, of_kafka: str | None = None) -> Iterator[None]:
        """Start programs as the user of a role."""
        self.fleet.more = {
            "AUTOLEARN_KAFKA": self.kafka.address(self.kafka.folder / f"{of_kafka or of_mongodb}.properties"),
            "AUTOLEARN_MONGODB": self.mongodb.uri(of_mongodb),
            "AUTOLEARN_MONGODB_PASSWORD_FILE": str(self._password),
        }
        yield
        self.fleet.more = {}

    def begin(self, *command: str) -> Member:
        with self.user(command[0]):
            return self.fleet.begin(*command)

    def start(self, *commands: str) -> list[Member]:
        return [self.fleet.ready(member) for member in [self.begin(*command.split()) for command in commands]]

    def documents(self, collection: str) -> list[Any]:
        with MongoClient[dict[str, Any]](self.mongodb.url) as client:
            return list(client[self.fleet.database][collection].find(sort=[("_id", 1)]))

    def drop(self) -> None:
        with MongoClient[dict[str, Any]](self.mongodb.url) as client:
            client.drop_database(self.fleet.database)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("rights")
    with own(SecuredKafka, folder / "kafka") as kafka, own(SecuredMongo, folder / "mongodb") as mongodb:
        assert isinstance(kafka, SecuredKafka)
        assert isinstance(mongodb, SecuredMongo)
        with fleet_on(folder, kafka.url, mongodb.url, shared=False) as fleet:
            yield Guarded(fleet, kafka, mongodb)


def test_the_page_names_every_role() -> None:
    assert {role for role, *_ in kafka_rights()} == set(mongodb_rights()) == ROLES


def test_a_whole_life_with_the_rights_that_the_page_lists(guarded: Guarded) -> None:
    with guarded.user("serve"):
        shell = guarded.fleet.client("ana", "analyst", "sys-admin")
    serving = [f"serve {service}" for service in ("training", "session", "storage")]
    started = guarded.start("relay", "project", "work catalog", "work training", *serving)
    until(lambda: all(member.get("/health/ready")[0] == READY for member in started), READY_SECONDS)
    trained = shell("train", "iris", "logistic-regression", "--seed", "7").json
    queued = shell("train", "iris", "decision-tree", "--no-wait").json
    assert shell("wait", queued["experiment"], "--timeout", "80").json["state"] == "completed"
    shell("commit", "--message", "with rights")
    history = shell("history").json["experiments"]
    assert trained["experiment"] in {it["experiment"] for it in history}
    assert shell("rebuild", "--all").json["rebuilt"]
    assert shell("history").json["experiments"] == history
    verified = shell("verify", "--against", "kafka").json
    assert verified["ok"], verified
    check_nothing_denied(started)

    relay = started[0]
    before = {name: guarded.documents(name) for name in ("commits", "communications")}
    until(lambda: [relay.gauges.get(f"relay_{it}") for it in ("communications_lag", "lag_events")] == [0, 0])
    guarded.fleet.stop()
    guarded.drop()
    with guarded.user("recover"):
        guarded.fleet.run("recover", "--from-kafka")
    after = {name: guarded.documents(name) for name in before}
    assert after["commits"] == before["commits"]
    assert after["communications"][: len(before["communications"])] == before["communications"]


@pytest.mark.parametrize(
    ("users", "told"),
    [
        (("relay", STRANGER), "does not let AutoLearn look at the topic NAME.events: it needs the right DESCRIBE on"),
        ((STRANGER, "relay"), "does not let this user find on NAME."),
    ],
    ids=["Kafka", "MongoDB"],
)
def test_a_missing_right_has_its_sentence(guarded: Guarded, users: tuple[str, str], told: str) -> None:
    with guarded.user(*users):
        done = guarded.fleet.run("relay", code=NOT_ALLOWED)
    assert told.replace("NAME", guarded.fleet.database) in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_doctor_tells_for_which_roles_a_user_has_rights_enough(guarded: Guarded) -> None:
    for role, told in (("relay", "enough for relay"), ("recover", "enough for relay, project, serve, work, recover")):
        with guarded.user(role):
            checks = doctored(guarded.fleet.run("doctor", "--mode", "distributed", "--json", code=None).stdout)
        assert checks["MongoDB's rights"] == ("ok", told)
        assert checks["Kafka"][0] == "ok"
        assert checks["Kafka's rights"][0] == "ok"
    with guarded.user(STRANGER):
        done = guarded.fleet.run("doctor", "--mode", "distributed", "--json", code=NOT_ALLOWED)
    state, told = doctored(done.stdout)["MongoDB"]
    assert (state, "does not let this user" in told) == ("trouble", True)


def doctored(told: str) -> dict[str, tuple[str, str]]:
    return {it["check"]: (it["state"], it["found"]) for it in json.loads(told)["checks"]}


def check_nothing_denied(members: list[Member]) -> None:
    """What is denied and borne in silence would be a right that the page forgets."""
    for member in members:
        assert "denied" not in member.said, member.said
        assert "not let" not in member.said, member.said
