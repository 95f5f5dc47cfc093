"""Health of a process that answers no calls: ready or not, and where it stands still, without what a session wrote."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.http.routes.process_health import ProcessHealth
from domain.errors import NotAbleError
from server.compose.http import health_of_work
from server.roles import Roles
from tests.commands.stage import Stage
from tests.commands.worker import Worker


def health(fault: str | None) -> ProcessHealth:
    """Make up a process that measures one gauge."""
    return ProcessHealth("project", fault=lambda: fault, measure=lambda: {"projection_position": 7})


def test_a_process_without_fault_is_ready() -> None:
    ready = {"status": "ready", "kind": "project", "projection_position": 7, "fault": None}
    assert health(None).readiness() == ready


def test_where_it_stands_still_is_reported_and_not_why() -> None:
    facts = health("position 7: ValueError: 'secret remark'").readiness()
    assert facts["status"] == "not-ready"
    assert "position 7: " in str(facts["fault"])
    assert "secret" not in str(facts)


def test_what_is_not_a_position_is_reported_as_it_is() -> None:
    assert health("Somebody else wrote to the topic.").readiness()["fault"] == "Somebody else wrote to the topic."


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            "MongoDB does not answer: db-1.shop.local:27017: [Errno 111] Connection refused. Repeat the call.",
            "MongoDB does not answer: …: [Errno 111] Connection refused. Repeat the call.",
        ),
        ("No answer from 10.0.0.7, [fe80::1]:9092 or kafka_2:9093.", "No answer from …, … or …."),
        ("/var/lib/autolearn/master.key cannot be read.", "… cannot be read."),
        ("Only 5 bytes of the disk of /srv/data are free.", "Only 5 bytes of the disk of … are free."),
        ("The log ends at 5, but 7 was relayed: stop and/or recover.", None),
        ("The topic autolearn.events begins with position 12, not 1: records were removed.", None),
    ],
)
def test_a_stranger_is_told_no_address_and_no_path(fault: str, told: str | None) -> None:
    assert health(fault).readiness()["fault"] == (told or fault)

    def measure() -> dict[str, float]:
        raise NotAbleError(fault)

    unable = ProcessHealth("relay", fault=lambda: None, measure=measure)
    assert unable.readiness()["fault"] == (told or fault)


def test_what_cannot_be_measured_is_not_ready_and_has_no_gauges() -> None:
    def measure() -> dict[str, float]:
        raise NotAbleError("MongoDB sleeps.")

    unable = ProcessHealth("relay", fault=lambda: None, measure=measure)
    assert unable.readiness() == {"status": "not-ready", "kind": "relay", "fault": "MongoDB sleeps."}
    assert b"autolearn_build_info{" in unable.page()
    assert b"autolearn_relay" not in unable.page()


def test_several_roles_tell_the_first_fault_and_all_gauges() -> None:
    relay = ProcessHealth("relay", fault=lambda: None, measure=lambda: {"relay_position": 3})
    assert ProcessHealth.joined([relay, health("It stands still.")]).readiness() == {
        "status": "not-ready",
        "kind": "relay, project",
        "relay_position": 3,
        "projection_position": 7,
        "fault": "It stands still.",
    }


def test_each_work_that_a_process_may_have_in_charge_is_told_by_itself() -> None:
    relay = ProcessHealth("relay", lambda: None, lambda: {"in_charge": {"log-relay": 1, "audit-log-relay": 0}})
    project = ProcessHealth("project", lambda: None, lambda: {"in_charge": {"projection": 0}})
    page = ProcessHealth.joined([relay, project]).page().decode()
    lines = [line for line in page.splitlines() if line.startswith("autolearn_in_charge")]
    assert lines == [
        'autolearn_in_charge{work="log-relay"} 1.0',
        'autolearn_in_charge{work="audit-log-relay"} 0.0',
        'autolearn_in_charge{work="projection"} 0.0',
    ]


def test_work_is_ready_once_it_works() -> None:
    stage = Stage()
    worker = Worker(stage).worker
    services: Any = SimpleNamespace(worker=worker, application=stage.application, roles=Roles(work=("training",)))
    outages = list[str]()

    def log_end() -> None:
        for outage in outages:
            raise NotAbleError(outage)

    work = health_of_work(services, log_end)
    assert work.readiness()["status"] == "not-ready"
    worker.start(0)
    assert work.readiness() == {
        "status": "ready",
        "kind": "work training",
        "tasks_running": 0,
        "followed_position": 0,
        "fault": None,
    }
    away = "The store of blobs does not answer now: ask again later."
    vars(stage.application.ports.blobs)["fault"] = away
    assert work.readiness()["fault"] == away
    outages.append("MongoDB sleeps.")
    assert work.readiness() == {"status": "not-ready", "kind": "work training", "fault": "MongoDB sleeps."}
    assert b"autolearn_tasks_running 0" in work.page()
    worker.stop()
    stage.close()
