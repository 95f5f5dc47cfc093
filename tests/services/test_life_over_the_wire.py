"""A whole life of real models over HTTP; and what passed the wire meanwhile shows nothing of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from skops.io import get_untrusted_types

from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

SECRETS = (
    "naive-bayes",
    "wine",
    "var_smoothing",
    "precision",
    "recall",
    "completed",
    "theta",
    "macro",
)


class Life:
    """What one life answered, and all bytes of it."""

    def __init__(self, rig: Rig) -> None:
        self.caller: Caller = rig.caller("ana")
        ana = self.caller
        wanted = {"dataset": "wine", "model": "naive-bayes", "settings": {"var_smoothing": 1e-8}, "seed": 7}
        self.trained = ana.post("/trainings", wanted)
        self.evaluated = ana.post("/evaluations", {"measures": ["precision", "recall", "accuracy"]})
        self.session = ana.get(f"/session?after_position={self.evaluated.position}")
        self.refused = ana.post("/trainings", wanted | {"settings": {"var_smoothing": -1}})
        self.committed = ana.post("/session/commit", {"message": "the wine"})
        self.name = self.trained.json["experiment"]
        self.history = ana.get(f"/experiments?after_position={self.committed.position}")
        self.reproduced = ana.post(f"/experiments/{self.name}/reproductions")
        self.shown = ana.get(f"/experiments/{self.name}?after_position={self.reproduced.position}")
        self.reported = ana.get(f"/experiments/{self.name}/report?after_position={self.reproduced.position}")
        self.events = ana.get(f"/trainings/{self.name}/events")
        self.wire = b"\n".join(ana.wire)


@pytest.fixture(scope="module")
def life(learning: Rig) -> Life:
    return Life(learning)


def test_every_step_worked(life: Life) -> None:
    assert [it.status for it in (life.trained, life.evaluated, life.committed, life.reproduced)] == [201, 201, 200, 201]
    assert life.trained.json["state"] == "completed"
    assert life.evaluated.json["measures"]["precision:macro"] > 0.9
    (row,) = life.history.json["experiments"]
    assert row["measures"] == life.evaluated.json["measures"]
    assert life.reproduced.json["verdict"] == "bit-identical"
    assert life.events.events[-1][1]["state"] == "completed"


def test_the_same_words_are_in_what_the_client_opened(life: Life) -> None:
    """Otherwise their absence on the wire would prove nothing."""
    replies: list[Reply] = [life.trained, life.evaluated, life.session, life.refused, life.history, life.shown]
    opened = b"".join(reply.plain for reply in replies).decode()
    assert [word for word in SECRETS if word not in opened] == []


def test_nothing_of_a_session_crosses_the_wire_in_plain(life: Life) -> None:
    values: list[Any] = [life.trained.json["dataset"]["sha256"], *life.evaluated.json["measures"].values()]
    seen = [word for word in (*SECRETS, *map(str, values)) if word.encode() in life.wire]
    assert seen == []


def test_the_model_comes_as_the_raw_file_that_was_stored(learning: Rig, life: Life) -> None:
    reply = life.caller.get(f"/experiments/{life.name}/model")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
    assert reply.headers["autolearn-sha256"] == life.shown.json["blobs"]["model"]["sha256"]
    assert len(reply.content) == int(reply.headers["content-length"]) == life.shown.json["blobs"]["model"]["size"]
    assert get_untrusted_types(file=io.BytesIO(reply.content)) is not None
    outcomes = [record.content.outcome for record in learning.audit_log.recent(0)[-2:]]
    assert outcomes == ["opened", "closed"]


def test_the_report_is_the_blob_that_the_evaluation_names(learning: Rig, life: Life) -> None:
    assert life.reported.status == 200
    with learning.blobs.open(life.evaluated.json["report"]["sha256"]) as file:
        assert life.reported.json == {**json.load(file), "position": life.reported.position}
    assert life.reported.json["evaluation"] == life.evaluated.json["evaluation"]
    before = life.evaluated.position - 1
    reply = life.caller.get(f"/experiments/{life.name}/report?as_of=@{before}")
    assert (reply.status, reply.json["type"]) == (409, "conflict")
    assert f"has no report: it is not evaluated. `autolearn evaluate {life.name}`" in reply.json["detail"]
    for wrong in (f"{life.name}-e9", f"{life.name}-r1", life.name):
        assert life.caller.get(f"/experiments/{life.name}/report?evaluation={wrong}").status == 404


@pytest.mark.parametrize("part", ["model", "report"])
def test_a_blob_that_was_changed_is_not_handed_out(learning: Rig, life: Life, part: str) -> None:
    blob = life.shown.json["report"] if part == "report" else life.shown.json["blobs"]["model"]
    sha256 = blob["sha256"]
    with learning.blobs.open(sha256) as file:
        path, content = Path(f"/proc/self/fd/{file.fileno()}").readlink(), file.read()
    with path.open("r+b") as changed:
        changed.write(b"X")
    reply = life.caller.get(f"/experiments/{life.name}/{part}")
    with path.open("r+b") as changed:
        changed.write(content[:1])
    assert (reply.status, reply.json["type"]) == (503, "not-able-now")


def test_a_data_set_shows_what_it_holds_at_any_moment(learning: Rig) -> None:
    ana, before = learning.caller("ana"), learning.position
    rows = b"".join(b"%d,%s,1\n" % (n % 9, b"ab"[n % 2 : n % 2 + 1]) for n in range(40))
    added = ana.upload("/catalog/datasets?name=shown&target=letter", b"n,letter,one\n" + rows)
    constant = next(it for it in added.json["profile"]["suspects"] if it["kind"] == "constant")
    assert constant["remedy"] == "autolearn train shown MODEL --drop one"
    ana.upload("/catalog/datasets?name=shown&target=letter", b"n,letter,one\n" + rows + b"77,a,2\n")
    learning.settle()
    first = ana.get("/catalog/datasets/shown@1/profile?rows=2").json
    assert first["first_rows"] == [{"n": 0, "letter": "a", "one": 1}, {"n": 1, "letter": "b", "one": 1}]
    assert (first["version"], first["sha256"], first["profile"]["classes"]) == (
        1,
        added.json["sha256"],
        {"a": 20, "b": 20},
    )
    now = ana.get("/catalog/datasets/shown/profile").json
    assert (now["version"], now["rows"], now["first_rows"]) == (2, 41, [])
    assert now["profile"]["columns"][0] | {"histogram": []} == {
        "name": "n", "type": "integer", "missing": 0, "distinct": 10, "least": 0, "lower_quartile": 2.0, "median": 4.0,
        "upper_quartile": 6.0, "greatest": 77, "mean": now["profile"]["columns"][0]["mean"],
        "spread": now["profile"]["columns"][0]["spread"], "histogram": [], "frequent": None,
    }  # fmt: skip
    then = ana.get(f"/catalog/datasets/shown/profile?rows=2&as_of=@{added.json['position']}").json
    assert {**then, "position": 0} == {**first, "position": 0}
    assert ana.get(f"/catalog/datasets/shown/profile?as_of=@{before}").status == 404
    ana.post("/catalog/datasets/shown/retirement")
    learning.settle()
    gone = ana.get("/catalog/datasets/shown/profile")
    assert (gone.status, "'shown' is retired" in gone.json["detail"]) == (404, True)


def test_a_file_becomes_a_data_set_and_a_wrong_one_does_not(learning: Rig) -> None:
    ana, before = learning.caller("ana"), learning.position
    rows = b"".join(b"%d,%s\n" % (n, b"ab"[n % 2 : n % 2 + 1]) for n in range(40))
    added = ana.upload("/catalog/datasets?name=letters&target=letter", b"n,letter\n" + rows)
    assert (added.status, added.json["rows"], added.json["classes"]) == (201, 40, ["a", "b"])
    assert learning.position == before + 1
    for target, content in (("nothing", b"n,letter\n" + rows), ("letter", b"n,letter\n"), ("letter", b"\xff\xfe\x00")):
        reply = ana.upload(f"/catalog/datasets?name=other&target={target}", content)
        assert (reply.status, reply.json["type"]) == (422, "bad-input")
    assert learning.position == before + 1
