"""What commands answer: 201 or 202, where the thing is, which preferences were heeded, receipts, repeats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from commands.ports import TaskBroken
from tests.http.asgi import Caller
from tests.http.doubles import PreparedLauncher
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}


def test_a_finished_training_is_201_with_its_place_and_receipt(rig: Rig, ana: Caller) -> None:
    reply = ana.post("/trainings", TRAINING)
    assert reply.status == 201
    assert reply.headers["location"] == f"/trainings/{reply.json['experiment']}"
    assert (reply.json["state"], reply.json["position"]) == ("completed", reply.position)
    assert reply.head == rig.feed.end()[1].hex()
    assert ana.get(f"{reply.headers['location']}?after_position={reply.position}").json == reply.json


def test_a_failed_training_is_an_answer_too(rig: Rig, ana: Caller) -> None:
    assert isinstance(rig.launcher, PreparedLauncher)
    rig.launcher.outcomes["fit"] = TaskBroken("memory-limit", "It needed more than 2 GiB.")
    reply = ana.post("/trainings", TRAINING)
    assert (reply.status, reply.json["state"], reply.json["error"]["reason"]) == (201, "failed", "memory-limit")


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [("respond-async", "respond-async"), ("wait=0", "wait=0"), ("foo, respond-async, wait=0", "respond-async, wait=0")],
)
def test_who_does_not_want_to_wait_gets_202(rig: Rig, ana: Caller, prefer: str, applied: str) -> None:
    launcher = rig.hold_back()
    reply = ana.post("/trainings", TRAINING, Prefer=prefer)
    assert reply.status == 202
    assert reply.headers["location"] == f"/trainings/{reply.json['experiment']}"
    assert (reply.headers["retry-after"], reply.headers["preference-applied"]) == ("1", applied)
    assert reply.json["state"] in ("requested", "started")
    launcher.may_end.set()


def test_a_repeat_joins_the_running_one(rig: Rig, ana: Caller) -> None:
    launcher = rig.hold_back()
    before = rig.position
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(ana.post, "/trainings", TRAINING, key="k") for _ in range(2)]
        assert rig.feed.wait_beyond(before, 10)
        launcher.may_end.set()
        first, second = (each.result() for each in both)
    assert (first.status, second.status) == (201, 201)
    assert first.json == second.json


def test_a_key_with_another_body_or_on_another_path_is_refused(rig: Rig, ana: Caller) -> None:
    one, two = (ana.post("/trainings", TRAINING).json["experiment"] for _ in range(2))
    ana.post("/session/commit", {})
    assert ana.post(f"/experiments/{one}/withdrawal", {"reason": "r"}, key="k").status == 200
    before = rig.position
    for target, body in (
        (f"/experiments/{one}/withdrawal", {"reason": "another"}),
        (f"/experiments/{two}/withdrawal", {"reason": "r"}),
        (f"/experiments/{one}/restoration", {"reason": "r"}),
    ):
        reply = ana.post(target, body, key="k")
        assert (reply.status, reply.json["type"]) == (422, "key-reused")
    assert rig.position == before


def test_keys_of_two_clients_do_not_meet(ana: Caller, bob: Caller) -> None:
    assert (
        ana.post("/trainings", TRAINING, key="k").json["experiment"]
        != bob.post("/trainings", TRAINING, key="k").json["experiment"]
    )


def test_the_life_of_a_model(rig: Rig, ana: Caller) -> None:
    trained = ana.post("/trainings", TRAINING).json["experiment"]
    evaluated = ana.post("/evaluations", {"measures": ["precision"]})
    assert (evaluated.status, evaluated.headers["location"]) == (201, f"/evaluations/{trained}-e1")
    committed = ana.post("/session/commit", {"message": "first"})
    assert (committed.status, committed.json["experiments"]) == (200, [trained])
    assert committed.json["head"] == committed.head
    annotated = ana.post(f"/experiments/{trained}/annotations", {"text": "good", "reason": "seen"})
    assert annotated.status == 200
    reproduced = ana.post(f"/experiments/{trained}/reproductions")
    assert (reproduced.status, reproduced.json["verdict"]) == (201, "bit-identical")
    after = f"after_position={reproduced.position}"
    assert ana.get(f"/reproductions/{trained}-r1?{after}").json == reproduced.json
    assert ana.get(f"/evaluations/{trained}-e1?{after}").json["measures"] == evaluated.json["measures"]
    page = ana.get(f"/experiments?{after}&model=svm").json
    assert [row["experiment"] for row in page["experiments"]] == [trained]
    assert ana.get(f"/experiments/{trained}?{after}").json["annotations"]


def test_cancel_and_discard(rig: Rig, ana: Caller, bob: Caller) -> None:
    rig.hold_back()
    location = ana.post("/trainings", TRAINING, Prefer="respond-async").headers["location"]
    assert bob.delete(location).status == 404
    cancelled = ana.delete(location)
    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
    again = ana.delete(location)
    assert (again.status, again.json["type"]) == (409, "conflict")
    assert ana.post("/session/discard").status == 200
    assert ana.post("/session/discard").status == 409


@pytest.mark.parametrize(
    "target", ["/evaluations/aaaaaaaaaaaaaaaa", "/trainings/aaaaaaaaaaaaaaaa-e1", "/reproductions/x-e1"]
)
def test_a_task_of_another_kind_is_not_there(ana: Caller, target: str) -> None:
    assert ana.get(target).status == 404
    assert ana.delete(target).status == 404


@pytest.mark.parametrize(
    ("target", "body", "status", "slug"),
    [
        ("/trainings", {"dataset": "irsi", "model": "svm"}, 404, "not-found"),
        ("/trainings", {"dataset": "iris", "model": "svm", "settings": {"C": -1}}, 422, "bad-setting"),
        ("/evaluations", {}, 404, "not-found"),
        ("/session/commit", {}, 409, "conflict"),
        ("/experiments/aaaaaaaaaaaaaaaa/withdrawal", {"reason": "r"}, 404, "not-found"),
    ],
)
def test_refusals_of_commands_change_nothing(
    rig: Rig, ana: Caller, target: str, body: dict[str, object], status: int, slug: str
) -> None:
    before = rig.position
    reply = ana.post(target, body)
    assert (reply.status, reply.json["type"], reply.json["status"]) == (status, slug, status)
    assert rig.position == before == reply.position
