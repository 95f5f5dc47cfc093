"""Predictions over HTTP with real models: files and single rows, who may, what is recorded, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

ROWS = b"n,word,letter\n" + b"".join(b"%d,%s,%s\n" % (n, b"uv"[n % 2 :][:1], b"ab"[n % 2 :][:1]) for n in range(40))
NEW = b"word,n,extra\nu,1,x\nw,2,y\nv,99,z\n"


class Made:
    """A data set, a training of ana's, and a few predictions."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.ana, self.bob = rig, rig.caller("ana"), rig.caller("bob")
        self.ana.upload("/catalog/datasets?name=letters&target=letter", ROWS)
        trained = self.ana.post("/trainings", {"dataset": "letters", "model": "decision-tree", "seed": 1})
        self.name = trained.json["experiment"]
        self.of_file = self.predict(self.ana, NEW, probabilities=1)
        self.of_row = self.ana.post(f"/predictions?experiment={self.name}", {"n": 3, "word": "v"})

    def predict(self, caller: Caller, content: bytes, key: str = "", **query: Any) -> Reply:
        pairs = "&".join(f"{name}={value}" for name, value in ({"experiment": self.name} | query).items())
        call = caller.outgoing("POST", f"/predictions?{pairs}", key)
        return caller.upload_as(call, content)

    def shown(self, reply: Reply) -> dict[str, Any]:
        found: dict[str, Any] = self.ana.get(f"{reply.headers['location']}?after_position={reply.position}").json
        return found


@pytest.fixture(scope="module")
def made(learning: Rig) -> Made:
    return Made(learning)


def test_a_file_is_answered_by_a_file_and_recorded_by_digests(made: Made) -> None:
    reply = made.of_file
    assert (reply.status, reply.headers["content-type"]) == (201, "application/octet-stream")
    lines = reply.content.decode().splitlines()
    assert lines[0] == "prediction,probability_a,probability_b,unseen_words,beyond_range"
    assert [line.split(",")[0] for line in lines[1:]] == ['"a"', *[lines[2].split(",")[0]], '"b"']
    assert [line.split(",")[3:] for line in lines[1:]] == [["", ""], ['"word"', ""], ["", '"n"']]
    shown = made.shown(reply)
    assert shown["output"] == {"sha256": reply.headers["autolearn-sha256"], "size": len(reply.content)}
    assert (shown["rows"], shown["unseen"], shown["beyond"], shown["actor"]) == (3, 1, 1, "ana")
    assert shown["input"]["size"] == len(NEW)
    assert made.rig.audit_log.recent(0)[-1].content.operation == "GET /predictions/{id}"


def test_a_row_is_answered_by_sealed_json(made: Made) -> None:
    assert made.of_row.status == 201
    answer = {"prediction": "b", "probabilities": {}, "unseen_words": [], "beyond_range": []}
    assert made.of_row.json["answer"] == answer
    assert (made.of_row.json["rows"], made.of_row.json["classes"], made.of_row.json["kept"]) == (1, {"b": 1}, False)
    assert "answer" not in made.shown(made.of_row)


def test_a_repeat_is_answered_again_and_recorded_once(made: Made) -> None:
    first, again = (made.predict(made.ana, NEW, key="once") for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert made.predict(made.ana, NEW + b"v,1,q\n", key="once").json["type"] == "key-reused"


def test_predictions_are_seen_by_who_sees_the_experiment(made: Made) -> None:
    name = made.shown(made.of_file)["prediction"]
    assert made.bob.get(f"/predictions/{name}").status == 404
    assert made.predict(made.bob, NEW).status == 404
    assert made.bob.get("/predictions").json["predictions"] == []
    listed = made.ana.get(f"/predictions?experiment={made.name}&where=rows+%3D+3+and+unseen+%3E+0").json
    assert name in [row["prediction"] for row in listed["predictions"]]


def test_a_check_tells_whether_rows_and_answer_are_the_same(made: Made) -> None:
    name, before = made.shown(made.of_file)["prediction"], made.rig.position
    same = made.ana.upload(f"/predictions/{name}/checks", NEW)
    other = made.ana.upload(f"/predictions/{name[:6]}/checks", NEW + b"v,1,q\n")
    assert [same.json[key] for key in ("same_input", "same_answer")] == [True, True]
    assert [other.json[key] for key in ("same_input", "same_answer")] == [False, None]
    row = made.ana.post(f"/predictions/{made.of_row.json['prediction']}/checks", {"word": "v", "n": 3})
    assert row.json["same_answer"] is True
    assert made.rig.position == before


def test_what_is_kept_is_a_blob(made: Made) -> None:
    shown = made.shown(made.predict(made.ana, NEW, keep=1))
    assert shown["kept"] is True
    assert made.rig.blobs.check(shown["input"]["sha256"]) is made.rig.blobs.check(shown["output"]["sha256"]) is None
    assert made.rig.blobs.check(made.shown(made.of_file)["input"]["sha256"]) is None, "the same bytes"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"n,extra\n1,2\n", "Columns that the model was trained on are missing: word."),
        (b"n,word\nmany,u\n", "Column 'n' is to hold numbers"),
        (b"n,word\n", "has no rows"),
        (b"", ""),
    ],
)
def test_a_table_that_does_not_fit_changes_nothing(made: Made, content: bytes, said: str) -> None:
    before = made.rig.position
    reply = made.predict(made.ana, content)
    assert (reply.status, reply.json["type"], made.rig.position) == (422, "bad-input", before)
    assert said in reply.json["detail"]


def test_a_row_that_does_not_fit_changes_nothing(made: Made) -> None:
    before = made.rig.position
    for row in ([1], {"n": 1}, {"n": 1, "word": "u", "colour": "red"}):
        assert made.ana.post(f"/predictions?experiment={made.name}", row).status == 422
    assert made.rig.position == before


def test_an_experiment_without_a_model_cannot_predict(made: Made) -> None:
    bob, wanted = made.bob, {"dataset": "letters", "model": "naive-bayes"}
    waiting = bob.post("/trainings", wanted, prefer="respond-async").json["experiment"]
    reply = made.predict(bob, NEW, experiment=waiting)
    said = f"Experiment {waiting} cannot be used to predict: its training has not started yet."
    assert (reply.status, reply.json["detail"]) == (409, said)
    bob.post("/session/discard")
    reply = made.predict(bob, NEW, experiment=waiting)
    assert (reply.status, reply.json["detail"]) == (409, f"Experiment {waiting} is discarded.")


def test_what_the_estimator_refuses_is_bad_input(made: Made) -> None:
    wanted = {"dataset": "letters", "model": "k-nearest", "settings": {"n_neighbors": 10_000}}
    trained = made.bob.post("/trainings", wanted).json["experiment"]
    reply = made.predict(made.bob, NEW, experiment=trained)
    assert reply.status == 422
    assert reply.json["detail"].startswith("The model cannot predict these rows: Expected n_neighbors <=")
