"""`catalog`: whole and in part, in each format."""

from __future__ import annotations

import csv
import io
import json

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
