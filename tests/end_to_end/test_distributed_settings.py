"""A setting, a server or a right that does not fit is told in one sentence at the start, with its exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from pymongo import MongoClient

from adapters.security.keys import make_master_key
from tests.end_to_end.fleet import Fleet, Member, fleet_on, proxy_of, until
from tests.end_to_end.place import SECONDS
from tests.servers.fixtures import own
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer
from tests.servers.process import Server, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

UNABLE = 503
BAD_INPUT, NOT_ALLOWED, CONFLICT = 2, 4, 6
AT_ONCE = 100.0  # seconds; on a quiet machine eight: the timeout of a server that does not answer, and a start
ACLS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.fixture(scope="module")
def fleet(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """An installation whose settings a test changes."""
    with fleet_on(tmp_path_factory.mktemp("settings"), kafka, mongodb) as opened:
        yield opened


@contextmanager
def changed(fleet: Fleet, **settings: str) -> Iterator[None]:
    """Start processes with other settings."""
    fleet.more.update({f"AUTOLEARN_{name.upper()}": value for name, value in settings.items()})
    try:
        yield
    finally:
        fleet.more.clear()


def refusals(fleet: Fleet, *commands: str, **settings: str) -> set[tuple[int, str]]:
    """Start processes, and return how they end: exit code, and the one line that they say."""
    began = time.monotonic()
    with changed(fleet, **settings):
        members = [fleet.begin(*command.split()) for command in commands]
    ends = {(it.process.wait(SECONDS), it.said) for it in members}
    assert time.monotonic() - began < AT_ONCE
    for _, said in ends:
        assert said.startswith("autolearn: ")
        assert said.count("\n") == 1, said
    return {(code, said.removeprefix("autolearn: ").strip()) for code, said in ends}


def nowhere() -> str:
    return f"127.0.0.1:{free_port()}"


def test_mongodb_that_does_not_answer_is_waited_for_without_its_password(fleet: Fleet) -> None:
    with changed(fleet, mongodb=f"mongodb://ana:secret@{(place := nowhere())}/"):
        waiting = fleet.begin("relay")
    until(lambda: "waits: " in waiting.said)
    assert f"AUTOLEARN_MONGODB ({place}): no MongoDB there takes writes: " in waiting.said
    assert "secret" not in waiting.said
    assert waiting.stop() == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"database": "Two.Words"}, "AUTOLEARN_DATABASE = 'Two.Words' does not fit: "),
        ({"kafka": " "}, "AUTOLEARN_KAFKA names no bootstrap server; give HOST:PORT"),
        ({"mongodb": "mongodb://"}, "AUTOLEARN_MONGODB is not the URI of a MongoDB: "),
    ],
    ids=lambda it: next(iter(it)) if isinstance(it, dict) else "",
)
def test_settings_of_another_form(fleet: Fleet, settings: dict[str, str], sentence: str) -> None:
    ((code, said),) = refusals(fleet, "relay", **settings)
    assert code == BAD_INPUT
    assert said.startswith(sentence)


def test_a_mongod_that_is_no_replica_set(fleet: Fleet, tmp_path: Path) -> None:
    with own(Standalone, tmp_path / "mongodb") as alone:
        ((code, said),) = refusals(fleet, "relay", mongodb=alone.url)
    assert code == BAD_INPUT
    assert "is not a replica set: start mongod with --replSet and call rs.initiate() once" in said


class Standalone(MongoServer):
    """mongod as it starts without settings."""

    def command(self) -> list[str]:
        """Leave the replica set out."""
        line = super().command()
        begins = line.index("--replSet")
        return line[:begins] + line[begins + 4 :]

    def answers(self) -> bool:
        """Tell whether it answers at all."""
        client: MongoClient[dict[str, object]] = MongoClient(self.url)
        try:
            return bool(client.admin.command("ping")["ok"])
        finally:
            client.close()


def test_a_master_key_that_is_not_the_installations(fleet: Fleet, tmp_path: Path) -> None:
    fleet.client("ana", "sys-admin")
    make_master_key(tmp_path / "other.key")
    ends = refusals(fleet, "serve training", "work training", master_key_file=str(tmp_path / "other.key"))
    assert {code for code, _ in ends} == {BAD_INPUT}
    for _, said in ends:
        assert said.startswith(
            f"The master key (AUTOLEARN_MASTER_KEY_FILE) does not fit the database '{fleet.database}'"
        )


def test_two_installations_on_the_same_topics(fleet: Fleet, own_mongodb: Server, tmp_path: Path) -> None:
    first, _ = fleet.start_these("relay", "serve storage")
    client = proxy_of(fleet.client("bob", "sys-admin"))
    until(lambda: first.gauges.get("relay_position", 0) > 0)
    other = {"mongodb": own_mongodb.url, "data": str(tmp_path)}
    with changed(fleet, **other):
        relay, project = fleet.start_these("relay", "project")
    recover = "`autolearn recover --from-kafka`"
    assert recover in await_fault(relay, "choose another AUTOLEARN_DATABASE")
    await_fault(project, f"There is position 1 of /autolearn/{fleet.database}/")
    ends = refusals(fleet, "serve training", "work training", **other)
    assert {code for code, _ in ends} == {CONFLICT}
    for _, said in ends:
        assert recover in said

    position = client.post("clients", body={"client": "eve", "roles": ["analyst"]}).position
    until(lambda: first.gauges.get("relay_position") == position)
    assert "taken over" not in first.said  # the stranger did not get in its way
    assert (relay.stop(), project.stop()) == (0, 0)  # while they have their MongoDB


def await_fault(process: Member, part: str) -> str:
    """Wait until a process that runs is not ready, and says in its own log what it cannot go on with; return that."""
    until(lambda: part in process.said and process.get("/health/ready")[0] == UNABLE)
    return process.said


class GuardedKafka(KafkaServer):
    """A broker with access control; what nobody was given or refused is everybody's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {**ACLS})


@pytest.fixture(scope="module")
def guarded(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """An installation on a broker with access control. Its topics are there, and hold what was appended."""
    folder = tmp_path_factory.mktemp("rights")

    del kafka  # only for its skip where there is none
    with own(GuardedKafka, folder / "kafka") as server, fleet_on(folder, server.url, mongodb, shared=False) as fleet:
        fleet.client("first", "analyst")
        relay = fleet.start("relay")
        until(lambda: relay.gauges.get("relay_position", 0) > 0)
        assert relay.stop() == 0
        yield fleet


def test_a_right_that_is_missing_to_begin(guarded: Fleet) -> None:
    with denied(guarded, "DESCRIBE"):
        ends = refusals(guarded, "relay", "project")
    assert {code for code, _ in ends} == {NOT_ALLOWED}
    for _, said in ends:
        assert f"it needs the right DESCRIBE on the topic {guarded.database}.events" in said


@pytest.mark.parametrize(("command", "right", "before"), [("relay", "WRITE", []), ("project", "READ", ["relay"])])
def test_a_missing_right_is_reported_until_it_is_given(
    guarded: Fleet, command: str, right: str, before: list[str]
) -> None:
    guarded.client(command, "analyst")  # something to carry
    others = guarded.start_these(*before)
    until(lambda: all(it.get("/health/ready")[0] == 200 for it in others))
    with denied(guarded, right):
        process = guarded.start(command)
        await_fault(process, f"it needs the right {right} on the topic {guarded.database}.events")
    until(lambda: process.get("/health/ready")[0] == 200)
    assert process.stop() == 0


@contextmanager
def denied(fleet: Fleet, right: str) -> Iterator[None]:
    """Take a right on the topic of events from everybody."""
    admin = AdminClient({"bootstrap.servers": fleet.kafka, "log_level": 0})
    topic = (ResourceType.TOPIC, f"{fleet.database}.events", ResourcePatternType.LITERAL, "User:ANONYMOUS", "*")
    rights = [
        AclBinding(*topic, AclOperation.ALL, AclPermissionType.ALLOW),
        AclBinding(*topic, AclOperation[right], AclPermissionType.DENY),
    ]
    for made in admin.create_acls(rights).values():
        made.result(SECONDS)
    try:
        yield
    finally:
        for removed in admin.delete_acls([AclBindingFilter(*topic, AclOperation.ANY, AclPermissionType.ANY)]).values():
            removed.result(SECONDS)
