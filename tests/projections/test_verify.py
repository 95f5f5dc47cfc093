"""Verify finds every change of the log, the read models, the blobs and the communications, names it, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import NotAbleError
from domain.values import BlobRef, EvaluationNotes
from projections.ports import Batch
from projections.verification.verify import verify
from tests.projections.verified import Place, positions


def test_all_is_well(place: Place) -> None:
    position, head = place.world.feed.end()
    report = place.report(anchor=(position, head))
    last = place.audit_log.read(0, 1000)[-1]
    of_audit = {"audit_position": last.position, "audit_head": last.hash.hex(), "lost_calls": 0, "losses": []}
    expected = {"ok": True, "position": position, "head": head.hex(), "faults": [], "unanswered": []}
    assert report == expected | of_audit
    *progress, _ = verify(place.stores)
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
    place.blobs.wrong = {"c" * 64: "its bytes have another digest"}
    found = place.report()
    assert second in positions(found)
    assert any("cannot be read" in fault["what"] for fault in found["faults"])
    assert any("another digest" in fault["what"] for fault in found["faults"])


def test_an_anchor_finds_a_log_that_was_rewritten_or_cut(place: Place) -> None:
    position, head = place.world.feed.end()
    assert positions(place.report(anchor=(position, bytes(32)))) == {position}
    assert positions(place.report(anchor=(position + 5, head))) == {position + 5}
    assert positions(place.report(anchor=(2, head))) == {2}


def test_it_stops_where_the_log_ended_when_calls_were_counted(place: Place) -> None:
    until = place.world.feed.end()
    place.world.register("wine")
    place.world.catch_up()
    report = place.report(until=until)
    assert (report["ok"], report["position"], report["head"]) == (True, until[0], until[1].hex())
    assert report["unanswered"] == []
    assert place.report()["unanswered"] != []


def test_a_lost_end_comes_before_what_follows_from_it(place: Place) -> None:
    position, head = place.world.feed.end()
    place.change_log("DELETE FROM stored_events WHERE rowid > ?", place.world.commits[1])
    place.change_log("DELETE FROM commits WHERE position > ?", place.world.commits[1])
    stores = replace(place.stores, receipts=lambda: {"log": (position, head)})
    *_, report = verify(stores)
    first, *rest = report["faults"]
    assert first["what"].startswith(f"the end of the log is lost: it ends at {place.world.commits[1]}, receipts.json")
    assert any("ahead of the log" in fault["what"] for fault in rest)


def test_missing_and_changed_blobs_are_found_where_they_are_named(place: Place) -> None:
    place.blobs.wrong = {"a" * 64: "it is missing", "b" * 64: "its bytes have another digest"}
    assert positions(place.report()) == {place.world.commits[0], place.world.commits[2]}
    place.blobs.wrong = {"8" * 64: "it is missing"}
    assert positions(place.report()) == {place.world.commits[0]}, "the profile of the data set"


def test_a_missing_report_and_table_of_an_evaluation_are_found(place: Place) -> None:
    of = {name: BlobRef(sha256=name * 64, size=10) for name in "67"}
    place.world.evaluate("ana", "a" * 16, {"mcc": 0.5}, EvaluationNotes(report=of["6"], tables={"cost": of["7"]}))
    place.world.catch_up()
    place.blobs.wrong = {name * 64: "it is missing" for name in "67"}
    found = [fault for fault in place.report()["faults"] if "missing" in fault["what"]]
    assert [fault["position"] for fault in found] == [place.world.commits[-1]] * 2


def test_a_changed_blob_that_no_event_names_is_found(place: Place) -> None:
    place.blobs.wrong = {"9" * 64: "its bytes have another digest"}
    (fault,) = place.report()["faults"]
    assert (fault["position"], "no event names blob 999" in fault["what"]) == (None, True)


def test_a_changed_communication_is_found(place: Place) -> None:
    with place.audit_database.writing() as connection:
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
    monkeypatch.setattr("projections.verification.verify.REACHED_WITHIN", 0.0)
    place.world.register("wine")
    assert "do not reach" in place.report()["faults"][0]["what"]
    place.world.documents.apply(Batch(1000))
    assert "ahead of the log" in place.report()["faults"][0]["what"]


class Copies:
    """Topics that hold what is stored, but for what a test did to them."""

    def __init__(self, place: Place) -> None:
        self.held = place.world.feed.raw_after(0, 1000)
        self.heard = place.audit_log.read(0, 1000)
        self.asked: list[tuple[int, float]] = []

    def commits(self, until: int, timeout: float) -> Iterator[Any]:
        """Stream the events topic."""
        self.asked.append((until, timeout))
        yield from self.held

    def audit_log(self, until: int, timeout: float) -> Iterator[Any]:
        """Stream the communications topic."""
        self.asked.append((until, timeout))
        yield from self.heard


def test_the_topics_are_held_against_log_and_audit_log(place: Place) -> None:
    copies = Copies(place)
    stores = replace(place.stores, topics=copies)
    *progress, report = verify(stores, against_topics=True)
    assert report["ok"], report
    assert [step["step"] for step in progress][-1] == "communications topic"
    assert copies.asked == [(copies.held[-1].position, 30.0), (copies.heard[-1].position, 30.0)]
    del copies.held[1]
    copies.heard.pop()
    *_, report = verify(stores, against_topics=True)
    commits, calls = place.world.commits, len(place.world.commits)
    assert [fault["position"] for fault in report["faults"]] == [commits[1], calls]
    *_, report = verify(stores)
    assert report["ok"], "topics are checked only where that is asked for"


def test_topics_that_cannot_be_read_are_a_fault_not_a_crash(place: Place) -> None:
    copies = Copies(place)
    del copies.held
    *_, report = verify(replace(place.stores, topics=copies), against_topics=True)
    assert [fault["what"].split(" cannot")[0] for fault in report["faults"]] == ["events topic"]


def broken(_: object) -> Any:
    raise NotAbleError("The file is malformed.")


@pytest.mark.parametrize("part", ["feed", "documents", "audit_log"])
def test_a_store_that_cannot_be_read_is_a_fault_not_a_crash(place: Place, part: str) -> None:
    class Broken:
        """Whatever is asked, it cannot."""

        __getattr__: Callable[[object, str], Any] = lambda _, __: broken

    parts: dict[str, Any] = {part: Broken()}
    *_, report = verify(replace(place.stores, **parts))
    assert report["ok"] is False
