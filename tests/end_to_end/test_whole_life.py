"""The life of a model as a user lives it: real processes, real files, JSON keys and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.place import Shell

MODELS = ("logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes")


def test_train_evaluate_commit_history(shell: Shell) -> None:
    ids = [trained_and_evaluated(shell, model) for model in MODELS]
    session = shell("session").json
    assert [it["experiment"] for it in session["experiments"]] == ids
    before = session["position"]

    receipt = shell("commit", "--message", "all five").json
    assert receipt["experiments"] == ids
    assert len(receipt["head"]) == 64
    assert list(positions(shell).values()) == [receipt["position"]]

    history = shell("history", "--where", "precision > 0.5 and dataset = wine", "--sort", "-precision").json
    assert {it["experiment"] for it in history["experiments"]} == set(ids)
    values = [it["measures"]["precision:macro"] for it in history["experiments"]]
    assert values == sorted(values, reverse=True)
    assert shell("history", "--as-of", f"@{before}").json["experiments"] == []
    shown = shell("show", ids[0][:6]).json
    assert shown["provenance"]["dataset_sha256"] == shown["dataset"]["sha256"]
    assert next(event["name"] for event in shown["events"]) == "training-requested"

    verified = shell("verify", "--anchor", f"{receipt['position']}:{receipt['head']}").json
    assert verified["ok"], verified
    replayed = shell("replay", "--as-of", f"@{before}").json
    assert replayed["matches_read_models"]
    assert shell("log").json["communications"]


def positions(shell: Shell) -> dict[str, int]:
    """Return what the client knows of its own writes: from headers, whose names a real server writes small."""
    known: dict[str, int] = json.loads(shell.credentials.with_name("positions.json").read_text())
    return known


def test_every_model_is_reproduced_bit_by_bit(shell: Shell) -> None:
    for model in MODELS:
        experiment = trained_and_evaluated(shell, model)
        assert shell("reproduce", experiment).json["verdict"] == "bit-identical"
    shell("discard")


def trained_and_evaluated(shell: Shell, model: str) -> str:
    """Train a model on wine, look at the answers, and return the experiment's id."""
    trained = shell("train", "wine", model, "--seed", "7").json
    assert (trained["state"], trained["dataset"]["name"]) == ("completed", "wine")
    evaluated = shell("evaluate", "-m", "precision", "-m", "recall", "-m", "f1").json
    assert evaluated["experiment"] == trained["experiment"]
    assert 0 < evaluated["measures"]["precision:macro"] <= 1
    return str(trained["experiment"])


def test_a_call_that_does_not_wait_is_followed_by_its_location(shell: Shell) -> None:
    wanted = '{"dataset": "wine", "model": "random-forest", "settings": {"n_estimators": 500}}'
    called = shell("call", "POST", "/trainings", "-d", wanted, "-H", "Prefer: wait=0", "-i")
    assert "HTTP 202" in called.err
    assert f"location: /trainings/{called.json['experiment']}" in called.err
    lines = shell("call", "GET", f"/trainings/{called.json['experiment']}/events").out.splitlines()
    last = json.loads(lines[-1])
    assert (last["event"], last["data"]["state"]) == ("result", "completed")
    shell("discard")


def test_a_data_set_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    csv = tmp_path / "own.csv"
    rows = [
        f"{n % 7},{'red' if n % 2 else 'blue'},{'' if n % 5 == 0 else n},{'yes' if n % 2 else 'no'}" for n in range(60)
    ]
    csv.write_text("a,colour,b,label\n" + "\n".join(rows) + "\n")
    added = shell("dataset", "add", str(csv), "--name", "own", "--target", "label").json
    assert (added["name"], added["version"], added["rows"]) == ("own", 1, 60)
    again = shell("dataset", "add", str(csv), "--name", "own", "--target", "label").json
    assert again["version"] == 1
    trained = shell("train", "own", "decision-tree", "-p", "max_depth=3", "--evaluate").json
    assert trained["measures"]["recall:macro"] == 1.0
    assert trained["settings"]["max_depth"] == 3
    assert shell("discard").json["discarded"] == [trained["experiment"]]


def test_refusals_have_their_exit_codes_and_change_nothing(shell: Shell) -> None:
    before = shell("catalog", "datasets").json["position"]
    assert "iris" in str(shell("train", "irys", "svm", code=5).problem)
    assert "kernel" in str(shell("train", "iris", "svm", "-p", "kernl=rbf", code=5).problem)
    assert "poly" in str(shell("train", "iris", "svm", "-p", "kernel=cubic", code=2).problem)
    assert shell("show", "aaaaaaaa", code=5).problem["type"] == "not-found"
    assert shell("commit", code=6).problem["type"] == "conflict"
    assert "place" in shell("history", "--where", "precision >", code=2).problem
    assert shell("history", "--as-of", "2026-01-01T00:00:00", code=2).problem["type"] == "bad-input"
    assert shell("history", "--as-of", "@99999999", code=2).problem["type"] == "bad-input"
    assert shell("catalog", "datasets").json["position"] == before


def test_without_a_backend_it_says_how_to_start_one(shell: Shell) -> None:
    nowhere = Shell("http://127.0.0.1:9", shell.credentials, shell.data)
    ran = nowhere("session", code=3)
    assert "autolearn up" in ran.err


def test_folds_and_thresholds_are_recorded_shown_and_found(shell: Shell) -> None:
    experiment = shell("train", "breast-cancer", "logistic-regression").json["experiment"]
    plain = shell("evaluate", "-m", "recall:binary", "-m", "accuracy").json
    low, high = plain["intervals"]["recall:binary"]
    assert (low <= plain["measures"]["recall:binary"] <= high, plain["resamples"]) == (True, 1000)
    folds = shell("evaluate", "-m", "accuracy", "--cv", "5", "--repeats", "2").json
    assert len(folds["folds"]["accuracy/cv5x2"]) == 10
    best = shell("evaluate", "-m", "recall:binary", "--threshold", "best:f1").json
    assert 0 < best["threshold"] < 1
    assert best["positives"] == {"recall:binary/best-f1": "malignant"}
    before = shell("session").json["position"]
    for refused in (("--cv", "1"), ("--cv", "213"), ("--cv", "loo", "--repeats", "2"), ("--threshold", "1")):
        assert shell("evaluate", *refused, code=2).err
    assert shell("session").json["position"] == before, "what is refused changes nothing"
    shell("commit")
    where = "accuracy/cv5x2 > 0.9 and accuracy/cv5x2.std < 0.1 and recall:binary/best-f1 != none"
    (row,) = shell("history", "--where", where, "--sort", "accuracy/cv5x2.std").json["experiments"]
    assert row["experiment"] == experiment
    assert {*row["measures"]} == {"recall:binary", "accuracy", "accuracy/cv5x2", "recall:binary/best-f1"}
    assert "accuracy/cv5x2" in shell.plain("show", experiment).out
    assert shell("verify").json["ok"]


def test_warnings_and_reasons_are_recorded_shown_and_found(shell: Shell) -> None:
    warned = shell("train", "iris", "logistic-regression", "-p", "max_iter=1").json
    assert "converge" in warned["warnings"][0]
    calm = shell("train", "iris", "svm", "--only", "petal length (cm),petal width (cm)").json
    assert calm["columns"] == ["petal length (cm)", "petal width (cm)"]
    evaluated = shell("evaluate", calm["experiment"], "-m", "accuracy", "-m", "log-loss", "-m", "mcc").json
    assert evaluated["measures"]["log-loss"] is None
    assert "probabilities" in evaluated["reasons"]["log-loss"]
    assert min(evaluated["measures"][name] for name in ("accuracy", "mcc")) > 0.5
    shell("commit")
    session = warned["session"]
    for filter_, found in (("warnings = none", calm), ("warnings != none", warned), ("prepare.rare = 256", calm)):
        rows = shell("history", "--where", f"{filter_} and session = {session}").json["experiments"]
        assert found["experiment"] in [it["experiment"] for it in rows]
        assert len(rows) == (2 if "prepare" in filter_ else 1)
    assert shell("show", calm["experiment"]).json["reasons"] == evaluated["reasons"]
    assert shell("history", "--where", f"target = species and session = {session}").json["experiments"]
    assert shell("verify").json["ok"]


def test_splits_and_limits_are_recorded_shown_found_and_reproduced(shell: Shell, tmp_path: Path) -> None:
    for name, year in (("visits", 2024), ("later", 2025)):
        lines = (
            f"{n % 7},{'abcde'[n % 5]},{year}-{1 + n // 28:02}-{1 + n % 28:02},{'ny'[n % 7 > 3]}" for n in range(84)
        )
        file = tmp_path / f"{name}.csv"
        file.write_text("x,site,day,label\n" + "\n".join(lines) + "\n")
        shell("dataset", "add", str(file), "--name", name, "--target", "label")
    splits = {"random": 63, "group:site": None, "time:day": 63, "dataset:later@1": 84}
    made = [shell("train", "visits", "decision-tree", "--split", split).json for split in splits]
    limited = shell("train", "visits", "svm", "--memory", str(1 << 30), "--deadline", "90").json
    assert [it["split"]["request"] for it in made] == [*splits]
    assert {it["seed"] for it in made} == {limited["seed"]}
    assert limited["split"] == made[0]["split"]
    for it, rows in zip(made, splits.values(), strict=True):
        assert it["split"]["train_rows"] == (rows or it["split"]["train_rows"])
        assert shell("evaluate", it["experiment"], "-m", "accuracy").json["measures"]["accuracy"] == 1.0
    assert "'site' is string" in str(shell("train", "visits", "svm", "--split", "time:site", code=2).problem)
    session = shell("commit").json["session"]
    for it in made:
        where = f"split = '{it['split']['request']}' and seed = {it['seed']} and model = decision-tree"
        (row,) = shell("history", "--where", f"{where} and session = {session}").json["experiments"]
        assert (row["experiment"], row["split"], row["features"]) == (it["experiment"], it["split"], it["features"])
        assert shell("reproduce", it["experiment"]).json["verdict"] == "bit-identical"
    found = shell("history", "--where", f"rows >= 63 and version = 1 and session = {session}", "--sort", "-rows").json
    rows_of = [it["split"]["train_rows"] for it in found["experiments"]]
    assert rows_of == sorted(rows_of, reverse=True)
    shown = shell("show", limited["experiment"]).json
    assert (shown["memory"], shown["deadline"]) == (1 << 30, 90.0)
