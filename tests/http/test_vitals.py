"""Vitals of a process that serves no calls: ready or not, and where it stands still, without what a session wrote."""

from __future__ import annotations

from adapters.http.routes.process_health import Vitals
from domain.errors import NotAbleError


def vitals(fault: str | None) -> Vitals:
    """Make up a process that measures one gauge."""
    return Vitals("project", fault=lambda: fault, measure=lambda: {"projection_position": 7})


def test_a_process_without_fault_is_ready() -> None:
    ready = {"status": "ready", "kind": "project", "projection_position": 7, "fault": None}
    assert vitals(None).readiness() == ready


def test_where_it_stands_still_is_told_and_not_why() -> None:
    facts = vitals("position 7: ValueError: 'secret remark'").readiness()
    assert facts["status"] == "not-ready"
    assert "position 7: " in str(facts["fault"])
    assert "secret" not in str(facts)


def test_what_is_no_position_is_told_as_it_is() -> None:
    assert vitals("Somebody else wrote to the topic.").readiness()["fault"] == "Somebody else wrote to the topic."


def test_what_cannot_be_measured_is_not_ready_and_has_no_gauges() -> None:
    def measure() -> dict[str, float]:
        raise NotAbleError("MongoDB sleeps.")

    unable = Vitals("relay", fault=lambda: None, measure=measure)
    assert unable.readiness() == {"status": "not-ready", "kind": "relay", "fault": "MongoDB sleeps."}
    assert unable.page() == b""
