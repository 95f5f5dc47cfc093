"""A whole life of real models over HTTP; and what passed the wire meanwhile shows nothing of it."""

from __future__ import annotations

import io
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


def test_a_model_whose_blob_was_changed_is_not_handed_out(learning: Rig, life: Life) -> None:
    sha256 = life.shown.json["blobs"]["model"]["sha256"]
    with learning.blobs.open(sha256) as file:
        path, content = Path(f"/proc/self/fd/{file.fileno()}").readlink(), file.read()
    with path.open("r+b") as changed:
        changed.write(b"X")
    reply = life.caller.get(f"/experiments/{life.name}/model")
    with path.open("r+b") as changed:
        changed.write(content[:1])
    assert (reply.status, reply.json["type"]) == (503, "not-able-now")


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
