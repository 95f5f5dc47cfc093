"""Questions: as of a moment, after a position, page by page, and never of what is somebody else's."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from adapters.security.cursors import HmacCursorSeal
from commands.ports import TaskDone
from tests.http.asgi import Caller
from tests.http.doubles import PreparedLauncher
from tests.http.outcomes import OUTCOMES
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}


def committed(caller: Caller, number: int) -> list[str]:
    names = [caller.post("/trainings", TRAINING).json["experiment"] for _ in range(number)]
    caller.post("/session/commit", {})
    return names


def test_a_client_reads_its_own_writes(rig: Rig, ana: Caller) -> None:
    rig.projecting.paused.set()
    trained = ana.post("/trainings", TRAINING)
    assert ana.get("/session").json["session"] is None
    rig.projecting.paused.clear()
    seen = ana.get(f"/session?after_position={trained.position}")
    assert [it["experiment"] for it in seen.json["experiments"]] == [trained.json["experiment"]]
    assert seen.position >= trained.position


def test_a_position_that_is_not_reached_is_503(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.http.routes.context.REACHED_WITHIN", 0.05)
    rig.projecting.paused.set()
    trained = ana.post("/trainings", TRAINING)
    reply = ana.get(f"/session?after_position={trained.position}")
    assert (reply.status, reply.json["type"], reply.headers["retry-after"]) == (503, "position-not-reached", "1")


def test_as_of_a_position_before_and_after(rig: Rig, ana: Caller) -> None:
    before = rig.position
    (name,) = committed(ana, 1)
    rig.settle()
    assert ana.get(f"/experiments?as_of=@{before}").json["experiments"] == []
    now = ana.get(f"/experiments?as_of=@{rig.position}")
    assert ([row["experiment"] for row in now.json["experiments"]], now.position) == ([name], rig.position)


def test_a_moment_inside_a_commit_is_reported(rig: Rig, ana: Caller) -> None:
    committed(ana, 2)
    rig.settle()
    reply = ana.get(f"/catalog?as_of=@{rig.position - 1}")
    assert "inside a commit" in reply.json["note"]
    assert reply.position < rig.position - 1


@pytest.mark.parametrize("as_of", ["2026-01-01T12:00:00", "tomorrow", "@x", "2026-13-01T00:00:00Z", "@999999"])
def test_an_impossible_moment_is_refused(ana: Caller, as_of: str) -> None:
    reply = ana.get(f"/session?as_of={quote(as_of)}")
    assert (reply.status, reply.json["type"]) == (422, "bad-input")


def test_another_clients_session_and_experiments_are_not_there(rig: Rig, ana: Caller, bob: Caller) -> None:
    trained = ana.post("/trainings", TRAINING)
    name = trained.json["experiment"]
    for target in (
        "/session?session=ana-1",
        f"/trainings/{name}",
        f"/experiments/{name}",
        f"/experiments/{name}/model",
    ):
        sign = "&" if "?" in target else "?"
        assert bob.get(f"{target}{sign}after_position={trained.position}").status == 404
    assert bob.post("/evaluations", {"experiment": name}).status == 404
    assert bob.post(f"/experiments/{name}/reproductions").status == 404


def test_pages_follow_each_other_while_others_commit(rig: Rig, ana: Caller) -> None:
    names = committed(ana, 5)
    rig.settle()
    seen, cursor = [], ""
    for _ in range(3):
        page = ana.get(f"/experiments?limit=2{cursor}").json
        seen += [row["experiment"] for row in page["experiments"]]
        cursor = f"&cursor={page['next']}"
        committed(ana, 1)
    assert sorted(seen) == sorted(names)
    assert page["next"] is None


def test_a_foreign_changed_or_expired_cursor_is_refused(rig: Rig, ana: Caller, bob: Caller) -> None:
    committed(ana, 3)
    rig.settle()
    cursor = ana.get("/experiments?limit=2").json["next"]
    elsewhere = HmacCursorSeal(b"z" * 32).sign({"position": 1})
    swapped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for caller, given in (
        (bob, cursor),
        (ana, swapped[:40] + "xx" + swapped[42:]),
        (ana, elsewhere),
        (ana, "nonsense"),
    ):
        reply = caller.get(f"/experiments?limit=2&cursor={quote(given)}")
        assert (reply.status, reply.json["type"]) == (422, "bad-cursor")
    assert ana.get(f"/experiments?limit=2&model=svm&cursor={cursor}").status == 422


def later(rig: Rig, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Put the clocks of both sides on."""
    rig.clock.offset += timedelta(hours=hours)
    moment = rig.clock.now().timestamp()
    monkeypatch.setattr("autolearn.protocol.tokens.time", lambda: moment)


@pytest.mark.parametrize("question", ["", "&sort=-precision", "&since=2020-01-01T00:00:00Z", "&since=@3"])
def test_the_same_question_has_the_same_answer_byte_for_byte(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    committed(ana, 3)
    rig.settle()
    target = f"/experiments?limit=2&as_of=@{rig.position}{question}"
    first = ana.get(target)
    assert first.json["next"]
    committed(ana, 1)
    rig.settle()
    later(rig, monkeypatch, hours=30)
    assert ana.get(target).plain == first.plain
    rest = ana.get(f"/experiments?limit=2{question}&cursor={first.json['next']}")
    assert (rest.status, len(rest.json["experiments"]), rest.position) == (200, 1, first.position)


def test_pages_of_an_age_keep_their_beginning(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(ana, 3)
    rig.settle()
    cursor = ana.get("/experiments?limit=2&since=1h+ago").json["next"]
    later(rig, monkeypatch, hours=2)
    assert len(ana.get(f"/experiments?limit=2&since=1h+ago&cursor={cursor}").json["experiments"]) == 1


def test_a_cursor_with_another_as_of_is_refused(rig: Rig, ana: Caller) -> None:
    committed(ana, 3)
    rig.settle()
    before = rig.position
    cursor = ana.get("/experiments?limit=2").json["next"]
    committed(ana, 1)
    rig.settle()
    for as_of in ("@3", f"@{rig.position}", "1s ago" if rig.position == before else "2020-01-01T00:00:00Z"):
        reply = ana.get(f"/experiments?limit=2&cursor={cursor}&as_of={quote(as_of)}")
        assert (reply.status, reply.json["type"]) == (422, "bad-cursor")
        assert f"as of @{before}" in reply.json["detail"]
    assert ana.get(f"/experiments?limit=2&cursor={cursor}&as_of=@{before}").status == 200


def test_the_log_has_the_same_cursor_for_the_same_page(root: Caller) -> None:
    for _ in range(3):
        root.get("/session")
    pages = [root.get("/log?limit=1&operation=GET+/session").json["next"] for _ in range(2)]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("where", ["precision >", "precision = = 1", "nowhere > 1", "(", "__import__('os')"])
def test_a_filter_that_does_not_parse_is_reported(ana: Caller, where: str) -> None:
    reply = ana.get(f"/experiments?where={quote(where)}")
    assert reply.status == 422
    assert reply.json["type"] in ("bad-filter", "bad-input")


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_a_page_has_a_size(ana: Caller, limit: str) -> None:
    assert ana.get(f"/experiments?limit={limit}").status == 422


@pytest.mark.parametrize("rows", ["0", "-1", "101", "x", "1&rows=2"])
def test_only_some_first_rows_are_shown(ana: Caller, rows: str) -> None:
    assert ana.get(f"/catalog/datasets/iris/profile?rows={rows}").status == 422


def test_a_version_without_a_profile_says_so(ana: Caller) -> None:
    shown = ana.get("/catalog/datasets/iris/profile?rows=5").json
    assert (shown["version"], shown["profile"], shown["first_rows"]) == (1, None, [])
    assert shown["note"] == "Version 1 has no profile: release 0.1.0 made none."
    for name in ("iris@2", "rose", "iris@x"):
        assert ana.get(f"/catalog/datasets/{name}/profile").status == 404


def test_a_profile_that_is_lost_or_changed_is_not_shown(rig: Rig, ana: Caller) -> None:
    assert isinstance(rig.launcher, PreparedLauncher)
    scratch = Path(rig.blobs.scratch(".json"))
    scratch.write_text(json.dumps({"columns": [{"name": "x"}], "first_rows": [[1], [2]]}))
    blob = rig.blobs.put_file(str(scratch))
    profile = {"blob": blob.model_dump(), "suspects": [], "suspects_found": 0}
    rig.launcher.outcomes["ingest"] = TaskDone(OUTCOMES["ingest"] | {"profile": profile})
    assert ana.upload("/catalog/datasets?name=mine&target=target", b"x").status == 201
    rig.settle()
    shown = ana.get("/catalog/datasets/mine/profile?rows=3").json
    assert (shown["first_rows"], shown["note"]) == ([{"x": 1}, {"x": 2}], "The profile keeps 2 rows.")
    (stored,) = Path(rig.blobs.scratch("")).parents[1].rglob(blob.sha256)
    stored.chmod(0o600)
    for damage in (lambda: stored.write_bytes(b"{}"), stored.unlink):
        damage()
        refused = ana.get("/catalog/datasets/mine/profile")
        assert (refused.status, "autolearn verify" in refused.json["detail"]) == (503, True)


def test_the_catalog_as_a_whole_by_kind_and_by_name(ana: Caller) -> None:
    assert set(ana.get("/catalog").json) == {"models", "datasets", "measures", "position"}
    assert set(ana.get("/catalog/models").json) == {"models", "position"}
    svm = ana.get("/catalog/models/svm").json
    assert (svm["name"], svm["settings"]["C"]["type"]) == ("svm", "number")
    missing = ana.get("/catalog/models/svn")
    assert (missing.status, missing.json["nearest"]) == (404, ["svm"])


def test_positions_are_for_every_role(rig: Rig, ana: Caller, root: Caller) -> None:
    before = rig.position
    committed(ana, 2)
    rig.settle()
    position, head = rig.backend.feed.end()
    for caller in (ana, root):
        now = caller.get(f"/positions?after_position={position}")
        assert (now.json["position"], now.json["head"], now.json["end"]) == (position, head.hex(), position)
        assert [(it["position"], it["session"], it["experiments"]) for it in now.json["marks"]] == [
            (position, "ana-1", 2)
        ]
    then = ana.get(f"/positions?as_of=@{before}")
    assert (then.position, then.json["position"], then.json["end"]) == (before, before, position)
    assert then.json["marks"] == now.json["marks"]
