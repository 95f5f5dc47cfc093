"""What each command asks of the backend, and what it makes of the answer."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolearn.setting_values import parse_value, value_text
from autolearn.transport import ANSWER_SECONDS, CONNECT_SECONDS
from cli import exit_codes
from commands.application import SYNC_SECONDS
from tests.cli.conftest import Run
from tests.cli.examples import ID, OTHER, evaluation, history, row, training
from tests.cli.fake_backend import FakeBackend, Reply, interrupt, problem

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3),
)


@given(json_values)
def test_a_setting_that_is_json_is_that_value(value: Any) -> None:
    assert parse_value(json.dumps(value)) == value
    assert parse_value(value_text(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("rbf", "rbf"), ("None", None), ("True", True), ('"1"', "1"), ("1e-3", 0.001), ("NaN", "NaN"), ("", "")],
)
def test_other_settings_are_texts_and_words(text: str, value: Any) -> None:
    assert parse_value(text) == value


def test_reproduce_waits_to_the_end(backend: FakeBackend, run: Run) -> None:
    body = {"reproduction": f"{ID}-r1", "experiment": ID, "state": "started", "verdict": None}
    backend.on("POST", f"/experiments/{ID}/reproductions", Reply(body, 202))
    done = body | {"state": "completed", "verdict": "different"}
    backend.on("GET", f"/reproductions/{ID}-r1", Reply(body), Reply(done))
    ran = run("reproduce", ID, "--json")
    assert (ran.code, ran.json["verdict"]) == (1, "different")


STARTED = {
    ("train", "iris", "svm"): ("/trainings", training(state="started"), ID),
    ("evaluate", ID): ("/evaluations", evaluation(state="started"), f"{ID}-e1"),
    ("reproduce", ID): (
        f"/experiments/{ID}/reproductions",
        {"reproduction": f"{ID}-r1", "experiment": ID, "state": "requested"},
        f"{ID}-r1",
    ),
}


@pytest.mark.parametrize("words", STARTED)
def test_who_interrupts_a_task_is_told_that_it_goes_on(backend: FakeBackend, run: Run, words: tuple[str, ...]) -> None:
    path, started, name = STARTED[words]
    backend.on("POST", path, interrupt, Reply(started, 202), interrupt, problem(503, "not-able-now", "No."), interrupt)
    backend.on("POST", path, Reply(started | {"state": "completed"}, 201))
    ran = run(*words)
    assert (ran.code, ran.out) == (exit_codes.INTERRUPTED, "")
    goes_on = f"{name} goes on: `autolearn wait {name}` waits for its end, `autolearn cancel {name}` cancels it."
    assert ran.err.strip() == f"Interrupted. {goes_on}"
    first, again = backend.seen
    assert (again.request_id, again.body) == (first.request_id, first.body), "else it would be another task"
    assert again.headers["Prefer"] == "respond-async"
    assert "If the task had begun, it goes on: `autolearn session` shows it." in run(*words).err
    assert f"{name} has ended: `autolearn status {name}` shows how." in run(*words).err


def test_who_interrupts_waiting_is_told_that_the_task_goes_on(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", Reply(training(state="started"), 202, {"Location": f"/trainings/{ID}"}))
    backend.on("GET", f"/trainings/{ID}", interrupt)
    for words in (("train", "iris", "svm"), ("wait", ID)):
        ran = run(*words)
        assert ran.code == exit_codes.INTERRUPTED
        assert f"Interrupted. {ID} goes on: `autolearn wait {ID}`" in ran.err


def test_the_client_waits_longer_than_the_backend_does() -> None:
    assert ANSWER_SECONDS > SYNC_SECONDS + CONNECT_SECONDS


def test_evaluate(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    run("evaluate", ID, "-m", "recall", "-m", "f1", "--average", "micro", "--on", "wine")
    expected = {"experiment": ID, "measures": ["recall", "f1"], "average": "micro", "on": "wine"}
    assert backend.seen[0].body == expected


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (("--cv", "5", "--repeats", "3"), {"cv": 5, "repeats": 3}),
        (("--cv", "loo"), {"cv": "loo"}),
        (("--threshold", "0.3"), {"threshold": 0.3}),
        (("--threshold", "best:f1"), {"threshold": "best:f1"}),
        (("--threshold", "1e400"), {"threshold": "1e400"}),
    ],
)
def test_evaluate_with_folds_or_a_threshold(
    backend: FakeBackend, run: Run, options: tuple[str, ...], sent: dict[str, Any]
) -> None:
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    run("evaluate", ID, *options)
    assert backend.seen[-1].body == {"experiment": ID, "measures": [], **sent}


@pytest.mark.parametrize(
    ("name", "path"),
    [(ID, f"/trainings/{ID}"), (f"{ID}-e2", f"/evaluations/{ID}-e2"), ("abcd-r1", "/reproductions/abcd-r1")],
)
def test_tasks_are_found_by_the_form_of_their_id(backend: FakeBackend, run: Run, name: str, path: str) -> None:
    backend.on("GET", path, Reply(training()))
    backend.on("DELETE", path, Reply(training(state="cancelled")))
    assert run("status", name, "--as-of", "@5").code == 0
    assert backend.seen[0].query == {"as_of": "@5"}
    assert run("cancel", name).code == 0
    assert backend.seen[1].body is None


def test_session_and_commit(backend: FakeBackend, run: Run) -> None:
    backend.on(
        "GET", "/session", Reply({"session": "ana-1", "state": "open", "experiments": [training()], "position": 3})
    )
    committed = {"session": "ana-1", "experiments": [ID], "discarded": [], "position": 9, "head": "ab"}
    receipt = Reply(committed, headers={"AutoLearn-Audit": "12:cd"})
    backend.on("POST", "/session/commit", receipt, Reply(committed), receipt)
    assert ID in run("session").out
    run("session", "list")
    run("session", "ana-1")
    assert [it.query for it in backend.seen] == [{}, {"list": "1"}, {"session": "ana-1"}]
    ran = run("commit", ID, "--message", "good")
    assert backend.seen[-1].body == {"experiments": [ID], "message": "good"}
    assert "Receipt: autolearn verify --anchor 9:ab --audit-anchor 12:cd\n" in ran.err
    assert "discarded" not in ran.out
    assert "Receipt: autolearn verify --anchor 9:ab\n" in run("commit").err  # an older backend
    assert json.loads(run("commit", "--json").out) == committed | {"audit": "12:cd"}


def test_what_a_training_holds_out_and_its_limits_are_passed_on(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", Reply(training(), 201))
    run("train", "iris", "svm", "--split", "time:day", "--memory", "1073741824", "--deadline", "90")
    run("train", "iris", "svm")
    chosen = {"split": "time:day", "memory": 1 << 30, "deadline": 90.0}
    assert backend.seen[0].body == backend.seen[1].body | chosen
    assert run("train", "iris", "svm", "--deadline", "nan").code == 2


def test_where_an_experiment_stands_is_shown_once_it_matters(backend: FakeBackend, run: Run) -> None:
    held = [training(standing="committed"), training(experiment=OTHER, standing="discarded")]
    backend.on("GET", "/session", Reply({"session": "ana-1", "state": "committed", "experiments": held}))
    lines = run("session", "ana-1").out.splitlines()
    assert [line.split()[-1] for line in lines[-2:]] == ["committed", "discarded"]
    usual = training(standing="uncommitted", withdrawn=False)
    backend.on("GET", f"/trainings/{ID}", Reply(usual), Reply(usual | {"standing": "committed", "withdrawn": True}))
    assert "standing" not in run("status", ID).out
    out = run("status", ID).out
    assert "standing     committed" in out
    assert "withdrawn    true" in out


def test_history_passes_its_filters_on(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments", Reply({"experiments": [], "next": None, "position": 1}))
    run(
        "history",
        "--where",
        "C in (1, 10) & precision > 0.9",
        "--sort",
        "-precision",
        "--withdrawn",
        "--as-of",
        "2h ago",
    )
    expected = {"where": "C in (1, 10) & precision > 0.9", "sort": "-precision", "withdrawn": "1", "as_of": "2h ago"}
    assert backend.seen[0].query == expected


def test_compare_is_of_one_position_and_differences_come_first(backend: FakeBackend, run: Run) -> None:
    at = {"AutoLearn-Position": "20"}
    backend.on("GET", "/experiments/abcd", Reply(row(), headers=at))
    backend.on("GET", "/experiments/bbcd", Reply(row(experiment=OTHER, settings={"C": 2.0}), headers=at))
    body = run("compare", "abcd", "bbcd", "--json").json
    assert [it.query for it in backend.seen] == [{}, {"as_of": "@20"}]
    assert body["experiments"] == [ID, OTHER]
    assert body["rows"][0] == {"name": "setting.C", "differs": True, "values": [1.0, 2.0]}
    assert {it["differs"] for it in body["rows"][1:]} == {False}


def test_small_differences_stay_visible(backend: FakeBackend, run: Run) -> None:
    matrix = {"confusion-matrix": [[1, 2], [3, 4]]}
    one = row(settings={"C": None, "tol": 0.12345}, measures=matrix, committed_at="2025-11-24T22:38:01.1Z")
    two = row(experiment=OTHER, settings={"tol": 0.12346}, measures=matrix, committed_at="2025-11-24T22:38:01.2Z")
    backend.on("GET", "/experiments/abcd", Reply(one))
    backend.on("GET", "/experiments/bbcd", Reply(two))
    lines = {line.split()[1]: line.split() for line in run("compare", "abcd", "bbcd").out.splitlines()}
    assert lines["setting.C"] == ["≠", "setting.C", "none", "-"]
    assert lines["setting.tol"] == ["≠", "setting.tol", "0.12345", "0.12346"]
    assert lines["committed_at"][2:] == ["2025-11-24", "22:38:01.1Z", "2025-11-24", "22:38:01.2Z"]
    assert " ".join(lines["confusion-matrix"]) == "= confusion-matrix 1 2 / 3 4 1 2 / 3 4"


def test_compare_has_a_column_per_experiment_in_csv(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments/abcd", Reply(row()))
    backend.on("GET", "/experiments/bbcd", Reply(row(experiment=OTHER, settings={"C": [2.0, None]})))
    first, *_ = csv.DictReader(io.StringIO(run("compare", "abcd", "bbcd", "-o", "csv").out))
    assert first == {"name": "setting.C", "differs": "true", ID: "1.0", OTHER: "[2.0, null]"}
    first, *_ = csv.DictReader(io.StringIO(run("compare", "abcd", "abcd", "-o", "csv").out))
    assert list(first) == ["name", "differs", ID, f"{ID} (2)"]


def test_replay_in_csv_holds_json(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/replay", Reply({"position": 3, "experiments": [row()], "sessions": []}))
    (it,) = csv.DictReader(io.StringIO(run("replay", "--as-of", "@3", "-o", "csv").out))
    assert (it["position"], json.loads(it["experiments"]), it["sessions"]) == ("3", [row()], "[]")


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("annotate", ID, "odd"), "annotations", {"text": "odd", "reason": "remark"}),
        (("withdraw", ID, "--reason", "leak"), "withdrawal", {"reason": "leak"}),
        (("restore", ID, "--reason", "fine"), "restoration", {"reason": "fine"}),
    ],
)
def test_annotate_withdraw_and_restore(
    backend: FakeBackend, run: Run, words: tuple[str, ...], path: str, body: dict[str, str]
) -> None:
    backend.on("POST", f"/experiments/{ID}/{path}", Reply(row()))
    assert run(*words).code == 0
    assert backend.seen[0].body == body


@pytest.mark.parametrize(
    ("name", "kind"), [("a.csv", ("csv", "0")), ("a.TSV.gz", ("tsv", "1")), ("a.b.parquet", ("parquet", "0"))]
)
def test_dataset_add(backend: FakeBackend, run: Run, tmp_path: Path, name: str, kind: tuple[str, str]) -> None:
    content = gzip.compress(b"a,b\n1,2\n")
    (tmp_path / name).write_bytes(content)
    backend.on("POST", "/catalog/datasets", Reply({"name": "mine", "version": 1}, 201))
    run("dataset", "add", str(tmp_path / name), "--name", "mine", "--target", "b", "--licence", "CC0-1.0")
    expected = {"name": "mine", "target": "b", "licence": "CC0-1.0", "format": kind[0], "gzip": kind[1]}
    assert backend.seen[0].query == expected
    assert backend.seen[0].body == content


def test_what_is_decided_about_a_file_is_sent(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    reading = {"format": "csv", "separator": ";", "decimal": ",", "missing": {"NA": 2}, "spellings": {"a": "1234,5"}}
    body = {
        "name": "mine",
        "version": 1,
        "columns": {"a": "number"},
        "reading": reading,
        "notes": ["Look: here.", "There."],
    }
    backend.on("POST", "/catalog/datasets", Reply(body, 201))
    words = ("dataset", "add", str(tmp_path / "a.csv"), "--name", "mine")
    ran = run(
        *words, "--target", "b", "--missing", "", "--missing", "n.d.", "--type", "a=b=number", "--drop", "c,d",
        "--dayfirst", "--drop-missing-target", "--separator", "tab", "--positive", "yes",
    )  # fmt: skip
    assert backend.seen[0].query == {
        "name": "mine", "target": "b", "format": "csv", "gzip": "0", "missing": '["", "n.d."]',
        "types": '{"a=b": "number"}', "drop": '["c,d"]', "dayfirst": "1", "drop_missing_target": "1",
        "separator": "tab", "positive": "yes",
    }  # fmt: skip
    assert ran.out.endswith("\n\nLook: here.\nThere.\n")
    assert "reading.decimal    ','\n" in ran.out
    assert "'NA' 2 times" in ran.out
    run(*words, "--like", "mine@1")
    assert backend.seen[1].query == {"name": "mine", "like": "mine@1", "format": "csv", "gzip": "0"}
    for wrong in ((), ("--target", "b", "--type", "a"), ("--target", "b", "--type", "a=float")):
        assert run(*words, *wrong).code == 2
    assert len(backend.seen) == 2


def test_many_classes_are_not_listed_one_by_one(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    body = {"name": "mine", "version": 1, "classes": [f"c{number}" for number in range(200)]}
    backend.on("POST", "/catalog/datasets", Reply(body, 201))
    backend.on("GET", "/catalog/datasets/mine", Reply(body))
    words = ("dataset", "add", str(tmp_path / "a.csv"), "--name", "mine", "--target", "b")
    for ran in (run(*words), run("catalog", "datasets", "mine")):
        assert "200 classes: c0, c1, c2, …\n" in ran.out
    assert run(*words, "--json").json == body


def test_a_file_of_unknown_kind_is_not_sent(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.xls").touch()
    ran = run("dataset", "add", str(tmp_path / "a.xls"), "--name", "mine", "--target", "b")
    assert ran.code == 2
    assert ".csv, .tsv, .xlsx, .ods, .parquet or .feather" in ran.err
    assert backend.seen == []


def test_export_checks_the_digest(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"model").hexdigest()
    good, bad = {"model": {"sha256": digest, "size": 5}}, {"model": {"sha256": "0" * 64, "size": 5}}
    backend.on("GET", "/experiments/abcd", Reply(row(blobs=good)), Reply(row(blobs=bad)))
    backend.on("GET", f"/experiments/{ID}/model", Reply(raw=b"model", media="application/octet-stream"))
    file = tmp_path / "m.skops"
    assert run("export", "abcd", str(file), "--json").json["sha256"] == digest
    assert file.read_bytes() == b"model"
    ran = run("export", "abcd", str(tmp_path / "n.skops"))
    assert ran.code == 3
    assert sorted(tmp_path.glob("*skops*")) == [file]


def test_a_file_is_overwritten_only_if_asked_for(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    blobs = {"model": {"sha256": hashlib.sha256(b"model").hexdigest(), "size": 5}}
    backend.on("GET", f"/experiments/{ID}", Reply(row(blobs=blobs)))
    backend.on("GET", f"/experiments/{ID}/model", Reply(raw=b"model", media="application/octet-stream"))
    file = tmp_path / "m.skops"
    file.write_bytes(b"mine")
    ran = run("export", ID, str(file))
    assert (ran.code, file.read_bytes(), backend.seen) == (2, b"mine", [])
    assert "m.skops exists already: name another file, or overwrite it with --force." in ran.err
    assert run("export", ID, str(file), "--force").code == 0
    assert file.read_bytes() == b"model"


def test_export_as_of(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    blobs = {"model": {"sha256": hashlib.sha256(b"model").hexdigest(), "size": 5}}
    backend.on("GET", f"/experiments/{ID}", Reply(row(blobs=blobs)))
    backend.on("GET", f"/experiments/{ID}/model", Reply(raw=b"model", media="application/octet-stream"))
    assert run("export", ID, str(tmp_path / "m.skops"), "--as-of", "@7").code == 0
    assert [seen.query for seen in backend.seen] == [{"as_of": "@7"}] * 2


def test_export_to_standard_output(backend: FakeBackend, run: Run) -> None:
    blobs = {"model": {"sha256": hashlib.sha256(b"model").hexdigest(), "size": 5}}
    backend.on("GET", f"/experiments/{ID}", Reply(row(blobs=blobs)))
    backend.on("GET", f"/experiments/{ID}/model", Reply(raw=b"model", media="application/octet-stream"))
    assert run("export", ID, "-").out == "model"


def test_call(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", lambda seen: Reply(seen.body, 201))
    ran = run("call", "post", "/trainings?x=1", "-d", '{"a": 1}', "-H", "Idempotency-Key: once", "-i")
    assert ran.json == {"a": 1}
    assert "HTTP 201" in ran.err
    seen = backend.seen[0]
    assert (seen.query, seen.headers["Idempotency-Key"]) == ({"x": "1"}, "once")
    backend.on("GET", "/experiments/x/model", Reply(raw=b"\x00model", media="application/octet-stream"))
    assert run("call", "GET", "/experiments/x/model").out == "\x00model"


def test_call_in_other_formats(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments/x", Reply({"name": "=x", "model": {"C": 0.5}, "list": [1]}))
    assert run("call", "GET", "/experiments/x", "-o", "csv").out == "name,model.C,list\n'=x,0.5,[1]\n"
    assert run("call", "GET", "/experiments/x", "-o", "jsonl").out.count("\n") == 1
    assert run("call", "GET", "/experiments/x").json["list"] == [1]
    backend.on("GET", "/experiments", Reply(history(row(), row(experiment=OTHER), next_="xyz")))
    page = run("call", "GET", "/experiments", "-o", "jsonl")
    assert [json.loads(line)["experiment"] for line in page.out.splitlines()] == [ID, OTHER]
    assert page.err == "More: the same path with cursor=xyz\n"
