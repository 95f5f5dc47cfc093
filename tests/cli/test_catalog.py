"""`catalog`: whole and in part, in each format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.fake_backend import FakeBackend, Reply


def test_catalog_whole_and_in_part(backend: FakeBackend, run: Run) -> None:
    kinds = ("models", "datasets", "measures")
    whole = {kind: [{"name": f"one of {kind}"}] for kind in kinds} | {"position": 8}
    backend.on("GET", "/catalog", Reply(whole))
    backend.on("GET", "/catalog/measures", Reply({"measures": whole["measures"], "position": 8}))
    assert run("catalog", "--json", "--as-of", "@8").json == whole
    assert backend.seen[0].query == {"as_of": "@8"}
    out = run("catalog").out
    assert [kind for kind in kinds if f"one of {kind}" not in out] == []
    assert json.loads(run("catalog", "measures", "-o", "jsonl").out) == {"name": "one of measures"}


def test_the_whole_catalog_in_rows(backend: FakeBackend, run: Run) -> None:
    either = {"type": "any-of", "any_of": [{"type": "choice", "choices": ["l2", None]}], "default": None}
    svm = {"name": "svm", "version": "1", "description": "Margins.", "settings": {"kernel": either}}
    iris = {"name": "iris", "version": 1, "rows": 150, "classes": ["a", "b"], "columns": {"x": "number"}}
    backend.on("GET", "/catalog", Reply({"models": [svm], "datasets": [iris], "measures": [{"name": "mcc"}]}))
    backend.on("GET", "/catalog/models", Reply({"models": [svm]}))
    table = list(csv.DictReader(io.StringIO(run("catalog", "-o", "csv").out)))
    assert [(it["kind"], it["name"]) for it in table] == [("model", "svm"), ("dataset", "iris"), ("measure", "mcc")]
    assert (table[1]["rows"], table[1]["classes"], table[2]["version"]) == ("150", '["a", "b"]', "")
    lines = [json.loads(line) for line in run("catalog", "-o", "jsonl").out.splitlines()]
    assert lines == [{"kind": "model"} | svm, {"kind": "dataset"} | iris, {"kind": "measure", "name": "mcc"}]
    (model,) = csv.DictReader(io.StringIO(run("catalog", "models", "-o", "csv").out))
    assert json.loads(model["settings.kernel.any_of"]) == either["any_of"]


def test_models_and_measures_show_what_they_are_for(backend: FakeBackend, run: Run) -> None:
    models = [{"name": "svm", "tasks": ["classification"]}, {"name": "ridge", "tasks": ["regression"]}]
    both = [{"name": "hit-count", "tasks": ["classification", "regression"]}]
    backend.on("GET", "/catalog", Reply({"models": models, "measures": both}))
    lines = [line.split() for line in run("catalog").out.splitlines()]
    assert ["ridge", "regression"] in [line[:2] for line in lines]
    assert ["hit-count", "classification,", "regression"] in [line[:3] for line in lines]


def test_an_offer_shows_what_its_settings_allow(backend: FakeBackend, run: Run) -> None:
    choice = {"type": "choice", "choices": ["l2", None]}
    number = {"type": "number", "exclusive_minimum": 0, "maximum": 10}
    settings = {
        "C": number | {"default": 1.0},
        "either": {"type": "any-of", "any_of": [choice, number], "default": None},
    }
    backend.on("GET", "/catalog/models/svm", Reply({"name": "svm", "version": "1", "settings": settings}))
    out = run("catalog", "models", "svm").out
    assert "number > 0 <= 10" in out
    assert "l2 | none or number" in out


SUSPECT = {"kind": "constant", "columns": ["one"], "reason": "has one value only: 1", "remedy": "autolearn train m"}
NUMBERS = ("least", "lower_quartile", "median", "upper_quartile", "greatest", "mean", "spread")


def test_a_data_set_shows_what_it_holds(backend: FakeBackend, run: Run) -> None:
    nothing = {"missing": 0, "distinct": 3} | dict.fromkeys((*NUMBERS, "histogram", "frequent"))
    numbers = {"name": "n", "type": "number"} | nothing | dict.fromkeys(NUMBERS, 2.5) | {"histogram": [0, 1, 50, 100]}
    words = {"name": "w", "type": "string"} | nothing | {"frequent": [{"value": "a", "count": 7}]}
    profile = {
        "rows": 9, "rows_profiled": 3, "classes": {f"c{place}": place for place in range(1, 24)},
        "columns": [numbers, words], "suspects": [SUSPECT] * 22,
    }  # fmt: skip
    body = {"name": "mine", "version": 2, "rows": 9, "profile": profile, "first_rows": [{"n": 1, "w": "a"}]}
    backend.on("GET", "/catalog/datasets/mine%402/profile", Reply(body | {"position": 7}))
    out = run("dataset", "show", "mine@2", "--rows", "1", "--as-of", "@9").out
    assert backend.seen[0].query == {"rows": "1", "as_of": "@9"}
    assert " ▁▄█" in out
    for shown in ("rows_profiled  3", "c20      20", "3 more classes.", "a 7", "has one value only: 1"):
        assert shown in out
    assert "2 more: `autolearn dataset show` with -o json has all." in out
    lines = run("dataset", "show", "mine@2", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["n", "w"]
    for rows in ("0", "-1", "101"):
        assert run("dataset", "show", "mine", "--rows", rows).code == 2


def test_a_version_without_a_profile(backend: FakeBackend, run: Run) -> None:
    body = {"name": "old", "version": 1, "profile": None, "first_rows": [], "note": "Version 1 has no profile."}
    backend.on("GET", "/catalog/datasets/old/profile", Reply(body))
    ran = run("dataset", "show", "old")
    assert (ran.code, "old" in ran.out, "Version 1 has no profile." in ran.err) == (0, True, True)


def test_a_data_set_that_is_added_shows_its_suspects(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_text("one,cls\n1,a\n1,b\n")
    profile = {"blob": {"sha256": "ab" * 32, "size": 7}, "suspects": [SUSPECT], "suspects_found": 5}
    body = {"name": "mine", "version": 1, "profile": profile, "new": True}
    backend.on("POST", "/catalog/datasets", Reply(body, 201))
    out = run("dataset", "add", str(tmp_path / "file.csv"), "--name", "mine", "--target", "cls").out
    assert "has one value only: 1" in out
    assert "4 more: `autolearn dataset show` with -o json has all." in out
