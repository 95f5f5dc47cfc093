"""Searches over HTTP: begun at once, followed as a leaderboard, as of any moment, cancelled."""

from __future__ import annotations

from typing import Any

from tests.http.asgi import Caller
from tests.http.rig import Rig

SEARCH = {"dataset": "iris", "models": ["svm"], "space": {"C": [1, 10]}, "keep": 2}


def begun_by(rig: Rig, caller: Caller) -> dict[str, Any]:
    """Begin a search that ends."""
    rig.hold_back().may_end.set()
    return dict(caller.post("/searches", SEARCH).json)


def ended(rig: Rig, caller: Caller, name: str) -> dict[str, Any]:
    """Return a search once it has ended."""
    while True:
        rig.settle()
        body = dict(caller.get(f"/searches/{name}").json)
        if body["state"] not in ("requested", "started"):
            return body
        rig.feed.wait_beyond(body["position"], 1)


def test_a_search_is_answered_at_once_and_ends_by_itself(rig: Rig, ana: Caller) -> None:
    launcher = rig.hold_back()
    begun = ana.post("/searches", SEARCH)
    name = begun.json["search"]
    assert (begun.status, begun.headers["location"], begun.json["state"]) == (202, f"/searches/{name}", "requested")
    launcher.may_end.set()
    body = ended(rig, ana, name)
    assert (body["state"], body["planned"], body["completed"], len(body["experiments"])) == ("completed", 2, 2, 2)
    assert [(it["rank"], it["trial"], it["settings"]) for it in body["trials"]] == [(1, 1, {"C": 1}), (2, 2, {"C": 10})]
    assert body["best"] == {"trial": 1, "model": "svm", "settings": {"C": 1}, "mean": 0.95, "std": 0.05}
    trained = ana.get(f"/trainings/{body['experiments'][0]}?after_position={rig.position}").json
    assert (trained["search"], trained["settings"]["C"]) == (name, 1)


def test_a_truth_value_is_no_number_of_trials(rig: Rig, ana: Caller) -> None:
    refused = ana.post("/searches", SEARCH | {"strategy": "random", "trials": True})
    assert refused.status == 422
    assert "trials" in str(refused.json)


def test_its_past_can_be_asked(rig: Rig, ana: Caller) -> None:
    begun = begun_by(rig, ana)
    ended(rig, ana, begun["search"])
    then = ana.get(f"/searches/{begun['search']}?as_of=@{begun['position']}").json
    assert (then["state"], then["proposed"], then["trials"]) == ("requested", 0, [])
    assert ana.get(f"/searches?as_of=@{begun['position'] - 1}").json["searches"] == []
    (listed,) = ana.get("/searches").json["searches"]
    assert (listed["search"], listed["state"], "trials" in listed) == (begun["search"], "completed", False)


def test_a_leaderboard_says_what_it_leaves_out(rig: Rig, ana: Caller) -> None:
    name = begun_by(rig, ana)["search"]
    ended(rig, ana, name)
    body = ana.get(f"/searches/{name}?limit=1").json
    assert (len(body["trials"]), body["note"]) == (1, "1 trials are left out.")


def test_it_is_its_owners_until_the_session_is_committed(rig: Rig, ana: Caller, bob: Caller) -> None:
    name = begun_by(rig, ana)["search"]
    body = ended(rig, ana, name)
    assert bob.get(f"/searches/{name}").status == 404
    for experiment in body["experiments"]:
        while ana.get(f"/trainings/{experiment}?after_position={rig.position}").json["state"] != "completed":
            rig.feed.wait_beyond(rig.position, 1)
    assert ana.post("/session/commit", {}).status == 200
    assert bob.get(f"/searches/{name}?after_position={rig.position}").json["owner"] == "ana"
    assert bob.get("/searches").json["searches"] == []


def test_a_cancelled_search_stays_on_record(rig: Rig, ana: Caller) -> None:
    launcher = rig.hold_back()
    name = ana.post("/searches", SEARCH).json["search"]
    cancelled = ana.delete(f"/searches/{name[:5]}")
    launcher.may_end.set()
    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
    assert ana.delete(f"/searches/{name}").status == 409
    assert ended(rig, ana, name)["state"] == "cancelled"
    assert ana.get(f"/session?after_position={rig.position}").json["unfinished"] == 0


def test_what_a_session_still_searches_holds_its_commit_up(rig: Rig, ana: Caller) -> None:
    launcher = rig.hold_back()
    begun = ana.post("/searches", SEARCH).json
    refused = ana.post("/session/commit", {})
    assert (refused.status, refused.json["type"], refused.json["unfinished"]) == (409, "unfinished", [begun["search"]])
    assert ana.get(f"/session?after_position={begun['position']}").json["unfinished"] == 1
    launcher.may_end.set()


def test_a_setting_that_no_model_has_is_refused(rig: Rig, ana: Caller) -> None:
    before = rig.position
    refused = ana.post("/searches", SEARCH | {"space": {"D": [1, 2]}})
    assert (refused.status, rig.position) == (404, before)
