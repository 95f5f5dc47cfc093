"""From the shell: a database that was lost and recovered is the same to verify; one that was rewritten is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.installation import installation_id
from adapters.distributed.log.commit_schema import from_document
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.relay.relay import Relay
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics, topics_of
from adapters.log.chain import hash_of
from cli import exit_codes
from cli.main import main
from projections.ports import GENESIS
from projections.runner import ProjectionRunner
from tests.distributed.log_sources import audit_source, event_source
from tests.distributed.published import call
from tests.projections.world import World


@pytest.fixture
def place(kafka: str, mongo: Mongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mongo:
    """An installation that somebody lived on, its processes stopped; the shell's environment names it."""
    own = {"MODE": "distributed", "KAFKA": kafka, "MONGODB": mongo.uri, "DATABASE": mongo.name, "DATA": str(tmp_path)}
    for name, value in own.items():
        monkeypatch.setenv(f"AUTOLEARN_{name}", value)
    life(mongo)
    relayed(kafka, mongo)
    folded(kafka, mongo)
    return mongo


def life(mongo: Mongo) -> None:
    installation_id(mongo)
    world = World()
    world.store = MongoEventStore(mongo)  # type: ignore[assignment] # the same port
    for name in ("a" * 16, "b" * 16, "c" * 16):
        world.request("ana", name)
        world.decide("ana", name, "cancel", name)
    world.discard("ana")
    for number in range(1, len(world.commits) + 1):
        MongoAuditLog(mongo, f"w{number % 2}").append(call(number))
    world.close()


def relayed(kafka: str, mongo: Mongo) -> None:
    ensure_topics(kafka, mongo.name)
    source, (events, communications) = origin(mongo.name, installation_id(mongo)), topics_of(mongo.name)
    audit_log = MongoAuditLog(mongo, "relay")
    drained(Relay(kafka, events, f"relay-{events}", event_source(MongoFeed(mongo), source)))
    drained(Relay(kafka, communications, f"relay-{communications}", audit_source(audit_log, source)))


def drained(relay: Relay) -> None:
    while relay.step():
        pass
    relay.close()


def folded(kafka: str, mongo: Mongo) -> None:
    topic = KafkaFeed(kafka, mongo.name)
    runner = ProjectionRunner(topic, ProjectorDocuments(ReadModels.ensure(mongo)))
    while runner.step():
        pass
    topic.close()


def autolearn(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run a command and return its JSON."""
    assert main([*arguments, "--json"]) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def verified(capsys: pytest.CaptureFixture[str], tmp_path: Path, *more: str, code: int = 0) -> dict[str, Any]:
    return autolearn(capsys, "verify", "--against", "kafka", "--data", str(tmp_path), *more, code=code)


def every_version(mongo: Mongo) -> list[object]:
    """What every question as of any position is answered from."""
    read = ReadModels.current(mongo)
    return [*MongoDocuments(read).all_versions(), *MongoHistory(read).all_versions()]


def test_lost_and_found(place: Mongo, kafka: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = verified(capsys, tmp_path)
    assert (before["faults"], before["unanswered"]) == ([], [])
    answers, log = every_version(place), MongoFeed(place).raw_after(0, 1000)
    place.client.drop_database(place.name)
    recovered = autolearn(capsys, "recover", "--from-kafka")
    assert {name: recovered[name] for name in ("position", "head")} == {
        name: before[name] for name in ("position", "head")
    }
    folded(kafka, place)
    assert len(answers) > len(log)
    assert every_version(place) == answers
    assert MongoFeed(place).raw_after(0, 1000) == log
    assert verified(capsys, tmp_path, "--anchor", f"{before['position']}:{before['head']}") == before
    relayed(kafka, place)
    assert main(["recover", "--from-kafka"]) == exit_codes.CONFLICT
    assert "already" in capsys.readouterr().err


def test_a_log_that_was_rewritten_with_a_true_chain_is_not_that_of_kafka(
    place: Mongo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its chain is whole and its read models are made anew: only a receipt or Kafka knows better."""
    end = verified(capsys, tmp_path)["position"]
    previous, collection = GENESIS, place.collection("commits")
    for document in list(collection.find(sort=[("_id", 1)])):
        if document["position"] == end:
            document["digest"] = "ff" * 32
        document["hash"] = previous = hash_of(from_document(document), previous)
        collection.replace_one({"_id": document["_id"]}, document)
    assert [fault["what"] for fault in faults_of(capsys, tmp_path)] == []
    rewritten = faults_of(capsys, tmp_path, "--against", "kafka")
    assert {fault["position"] for fault in rewritten} == {end}
    assert all("the events topic has another digest, hash" in fault["what"] for fault in rewritten)


def faults_of(capsys: pytest.CaptureFixture[str], tmp_path: Path, *more: str) -> list[dict[str, Any]]:
    main(["verify", "--data", str(tmp_path), *more, "--json"])
    faults: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["faults"]
    return faults
