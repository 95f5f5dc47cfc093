"""Verify finds every change of the log, the read models, the blobs and the communications, names it, and goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded.communications import SqliteCommunications
from adapters.embedded.database import Database
from adapters.embedded.read_database import ReadDatabase
from adapters.files.stash import TemporaryStash
from adapters.wire.chain import chain_faults
from adapters.wire.communication_chain import chain_faults as communication_faults
from domain.errors import NotAbleError
from projections.ports import Batch, Communication
from projections.verify import Evidence, verify
from tests.projections.world import World

Report = dict[str, Any]


class Shelf:
    """Blobs of which some are wrong."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    def check(self, sha256: str) -> str | None:
        """Return what is wrong."""
        return self.wrong.get(sha256)


def call(correlation: str) -> Communication:
    texts = ("actor", "source", "target", "operation", "outcome", "problem", "causation", "digest_in", "digest_out")
    facts: dict[str, Any] = dict.fromkeys(texts, "x")
    facts |= {"milliseconds": 1.0, "bytes_in": 0, "bytes_out": 0, "domain_position": 0}
    return Communication(kind="call", correlation=correlation, **facts)


class Place:
    """A world in files, all its calls archived, and what verify says of it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(Database(folder / "events.db"), ReadDatabase(folder / "read.db"))
        self.archive = Database(folder / "communications.db")
        self.communications = SqliteCommunications(self.archive, "w1")
        self.shelf = Shelf()
        self.world.register("iris")
        for name in ("a" * 16, "b" * 16):
            self.world.train("ana", name)
            self.world.evaluate("ana", name, {"precision:macro": 0.9})
        self.world.commit("ana", ["a" * 16])
        self.world.decide("ana", "a" * 16, "withdraw", "wrong")
        self.world.catch_up()
        for number in range(1, len(self.world.commits) + 1):
            self.communications.archive(call(f"call-{number}"))

    @property
    def evidence(self) -> Evidence:
        world = self.world
        chains = (chain_faults, communication_faults)
        files = (world.feed.file_faults, world.read.faults, self.communications.file_faults)
        stores = (world.feed, world.documents, world.history, self.shelf, self.communications)
        return Evidence(*stores, *chains, TemporaryStash, files)

    def report(self, **given: Any) -> Report:
        *_, report = verify(self.evidence, **given)
        return report

    def change_log(self, sql: str, *values: Any) -> None:
        with self.world.log.writing() as connection:
            connection.execute(sql, values)

    def change_read(self, sql: str, *values: Any) -> None:
        with self.world.read.writing() as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            assert connection.execute(sql, values).rowcount > 0

    def close(self) -> None:
        self.world.close()
        self.archive.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def positions(report: Report) -> set[int | None]:
    assert report["ok"] is False
    return {fault["position"] for fault in report["faults"]}


def test_all_is_well(place: Place) -> None:
    position, head = place.world.feed.head()
    report = place.report(anchor=(position, head))
    expected = {"ok": True, "position": position, "head": head.hex(), "faults": [], "unanswered": []}
    assert report == expected
    *progress, _ = verify(place.evidence)
    assert {step["step"] for step in progress} == {"files", "chain", "read models", "blobs", "communications"}


def test_a_changed_event_is_found_at_its_commit(place: Place) -> None:
    second = place.world.commits[1]
    place.change_log(
        "UPDATE stored_events SET state = CAST(replace(state, 'svm', 'tree') AS BLOB) WHERE rowid = ?", second - 1
    )
    found = place.report()
    assert second in positions(found)
    assert any("hash" in fault["what"] for fault in found["faults"])


def test_an_event_that_cannot_be_read_is_a_fault_and_the_rest_goes_on(place: Place) -> None:
    second = place.world.commits[1]
    place.change_log("UPDATE stored_events SET state = ? WHERE rowid = ?", b"\xff\x00", second)
    place.shelf.wrong = {"c" * 64: "its bytes have another digest"}
    found = place.report()
    assert second in positions(found)
    assert any("cannot be read" in fault["what"] for fault in found["faults"])
    assert any("another digest" in fault["what"] for fault in found["faults"])


def test_an_anchor_finds_a_log_that_was_rewritten_or_cut(place: Place) -> None:
    position, head = place.world.feed.head()
    assert positions(place.report(anchor=(position, bytes(32)))) == {position}
    assert positions(place.report(anchor=(position + 5, head))) == {position + 5}
    assert positions(place.report(anchor=(2, head))) == {2}


CHANGED_BODY = "UPDATE document SET body = replace(body, 'committed', 'discarded')"
CHANGES: dict[str, str] = {
    "a document": f"{CHANGED_BODY} WHERE kind='experiment' AND until > 1e15",
    "a document's past": f"{CHANGED_BODY} WHERE kind='experiment' AND since=5",
    "a document's end": "UPDATE document SET until = until + 1 WHERE kind='experiment' AND since=5",
    "a document's being": "DELETE FROM document WHERE kind='event' AND since=5",
    "a document too many": "INSERT INTO document VALUES ('event', 'x/1', 4, 5, '{}')",
    "a body that is no JSON": "UPDATE document SET body = '{' WHERE kind='member'",
    "a fact": "UPDATE fact SET value = 0.95 WHERE value = 0.9",
    "a fact's name": "UPDATE word SET text = 'measure.precision:micro' WHERE text = 'measure.precision:macro'",
    "a fact's being": "DELETE FROM fact WHERE value = 1",
    "a fact's end": "UPDATE fact SET until = until + 1 WHERE value = 1 AND until < 1e15",
    "a row's column": "UPDATE history SET session = 'ben-1'",
    "a row's standing": "UPDATE history SET withdrawn = 1 - withdrawn",
    "a row's body": "UPDATE history_body SET body = replace(body, 'svm', 'tree')",
    "a row's body's being": "DELETE FROM history_body",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_read_model_is_found(place: Place, what: str) -> None:
    place.change_read(CHANGES[what])
    assert positions(place.report()) - {None}


UNSEEN: dict[str, str] = {  # by a comparison with the log, and yet served by some query
    "a version that ends when nobody has got there": "UPDATE document SET until = until + 1 WHERE until > 1e15",
    "a version that begins there": "INSERT INTO document VALUES ('event', 'x/1', 999, 4611686018427387904, '{}')",
    "a row that ends there": "UPDATE history SET until = 999 WHERE until > 1e15",
    "a fact of no row": "INSERT INTO fact SELECT name, value, n + 1, since, until, 0, 1, 1, 1 FROM fact",
    "a fact of a row that is not so": "INSERT INTO fact SELECT name, 7, n, since, until, 1, 1, 1, 9 FROM fact LIMIT 1",
    "a body of no row": "INSERT INTO history_body VALUES (5000000, 3, '{}')",
    "a name that nothing bears": "INSERT INTO word(text) VALUES ('new')",
    "the number of rows": "UPDATE progress SET rows = rows + 1",
    "a truth value of another kind": "UPDATE fact SET value = x'03' WHERE value = x'02'",
    "a text as a blob": "UPDATE history SET withdrawn = 2 WHERE withdrawn = 1",
    "the session in a row's body": "UPDATE history_body SET body = replace(body, 'session\":\"ana', 'session\":\"b')",
}


@pytest.mark.parametrize("what", UNSEEN)
def test_what_only_some_queries_meet_is_found(place: Place, what: str) -> None:
    place.change_read(UNSEEN[what])
    assert positions(place.report())


def test_read_models_that_are_wrong_throughout_are_named_in_part(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("versions", "comparison"):
        monkeypatch.setattr(f"projections.{module}.RANGE", 2)
    monkeypatch.setattr("projections.comparison.MOST_RANGES", 2)
    place.change_read("UPDATE document SET body = replace(body, 'ana', 'ben') WHERE kind = 'event'")
    *named, last = place.report()["faults"]
    assert named
    assert len({fault["position"] // 2 for fault in named}) == 2
    assert re.search(r"differ in \d+ more ranges", last["what"])
    assert last["position"] > max(fault["position"] for fault in named)


def test_it_stops_where_the_log_ended_when_calls_were_counted(place: Place) -> None:
    until = place.world.feed.head()
    place.world.register("wine")
    place.world.catch_up()
    report = place.report(until=until)
    assert (report["ok"], report["position"], report["head"]) == (True, until[0], until[1].hex())
    assert report["unanswered"] == []
    assert place.report()["unanswered"] != []


def test_missing_and_changed_blobs_are_found_where_they_are_named(place: Place) -> None:
    place.shelf.wrong = {"a" * 64: "it is missing", "b" * 64: "its bytes have another digest"}
    assert positions(place.report()) == {place.world.commits[0], place.world.commits[2]}


def test_a_changed_communication_is_found(place: Place) -> None:
    with place.archive.writing() as connection:
        connection.execute("UPDATE communications SET operation = 'y' WHERE position = 3")
    (fault,) = place.report()["faults"]
    assert "communication 3" in fault["what"]


def test_appends_without_a_communication_are_unanswered_but_no_fault(place: Place) -> None:
    place.world.register("wine")
    place.world.register("digits")
    place.world.catch_up()
    before, last = place.world.commits[-2:]
    count = len(place.world.commits)
    report = place.report(in_flight=frozenset({f"call-{count}"}))
    assert report["ok"] is True
    assert report["unanswered"] == [{"correlation": f"call-{count - 1}", "position": before}]
    assert report["position"] == last


def test_read_models_that_lag_or_lead_are_faults(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.verify.REACHED_WITHIN", 0.0)
    place.world.register("wine")
    assert "do not reach" in place.report()["faults"][0]["what"]
    place.world.documents.apply(Batch(1000))
    assert "ahead of the log" in place.report()["faults"][0]["what"]


class Copies:
    """Topics that hold what is stored, but for what a test did to them."""

    def __init__(self, place: Place) -> None:
        self.held = place.world.feed.raw_after(0, 1000)
        self.heard = place.communications.read(0, 1000)
        self.asked: list[tuple[int, float]] = []

    def commits(self, until: int, timeout: float) -> Iterator[Any]:
        """Stream the events topic."""
        self.asked.append((until, timeout))
        yield from self.held

    def communications(self, until: int, timeout: float) -> Iterator[Any]:
        """Stream the communications topic."""
        self.asked.append((until, timeout))
        yield from self.heard


def test_the_topics_are_held_against_log_and_archive(place: Place) -> None:
    copies = Copies(place)
    evidence = replace(place.evidence, topics=copies)
    *progress, report = verify(evidence, against_topics=True)
    assert report["ok"], report
    assert [step["step"] for step in progress][-1] == "communications topic"
    assert copies.asked == [(copies.held[-1].position, 30.0), (copies.heard[-1].position, 30.0)]
    del copies.held[1]
    copies.heard.pop()
    *_, report = verify(evidence, against_topics=True)
    commits, calls = place.world.commits, len(place.world.commits)
    assert [fault["position"] for fault in report["faults"]] == [commits[1], calls]
    *_, report = verify(evidence)
    assert report["ok"], "topics are checked only where that is asked for"


def test_topics_that_cannot_be_read_are_a_fault_not_a_crash(place: Place) -> None:
    copies = Copies(place)
    del copies.held
    *_, report = verify(replace(place.evidence, topics=copies), against_topics=True)
    assert [fault["what"].split(" cannot")[0] for fault in report["faults"]] == ["events topic"]


def broken(_: object) -> Any:
    raise NotAbleError("The file is malformed.")


@pytest.mark.parametrize("part", ["feed", "documents", "communications"])
def test_a_store_that_cannot_be_read_is_a_fault_not_a_crash(place: Place, part: str) -> None:
    class Broken:
        """Whatever is asked, it cannot."""

        __getattr__: Callable[[object, str], Any] = lambda _, __: broken

    parts: dict[str, Any] = {part: Broken()}
    *_, report = verify(replace(place.evidence, **parts))
    assert report["ok"] is False
