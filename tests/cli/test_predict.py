"""`predict` and `predictions`: what is sent, where the answer goes, and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.examples import ID
from tests.cli.fake_backend import FakeBackend, Reply

CSV = b"prediction,probability_a,probability_b,unseen_words,beyond_range\na,0.75,0.25,,\nb,0,1,word; other,n\n"
RECORD: dict[str, Any] = {
    "prediction": "p" * 16, "experiment": ID, "rows": 2, "classes": {"a": 1, "b": 1}, "numbers": None, "missing": 0,
    "unseen": 2, "beyond": 1, "seconds": 0.5, "kept": False, "notes": ["Column x was ignored."], "position": 9,
    "input": {"sha256": "e" * 64, "size": 10}, "output": {"sha256": "f" * 64, "size": 20},
}  # fmt: skip
ROWS = [
    {"prediction": "a", "probabilities": {"a": 0.75, "b": 0.25}, "unseen_words": [], "beyond_range": []},
    {
        "prediction": "b",
        "probabilities": {"a": 0.0, "b": 1.0},
        "unseen_words": ["word", "other"],
        "beyond_range": ["n"],
    },
]


@pytest.fixture
def table(backend: FakeBackend, tmp_path: Path) -> Path:
    file = tmp_path / "new.tsv.gz"
    file.write_bytes(b"whatever")
    headers = {"Location": f"/predictions/{'p' * 16}", "AutoLearn-Position": "9"}
    backend.on("POST", "/predictions", Reply(raw=CSV, media="application/octet-stream", headers=headers, status=201))
    backend.on("GET", f"/predictions/{'p' * 16}", Reply(RECORD))
    return file


def test_a_table_is_sent_and_its_answer_shown(backend: FakeBackend, run: Run, table: Path) -> None:
    assert run("predict", ID, str(table), "--proba", "--json").json == RECORD | {"predictions": ROWS}
    asked = {"experiment": ID, "probabilities": "1", "keep": "0", "format": "tsv", "gzip": "1"}
    assert [seen.query for seen in backend.seen] == [asked, {"after_position": "9"}]
    shown = run("predict", ID, str(table)).out
    assert "predicted   a: 1, b: 1" in shown
    assert shown.splitlines()[-1].split() == ["b", "0", "1", "word,", "other", "n"]


def test_the_answer_goes_into_a_file(backend: FakeBackend, run: Run, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.csv"
    assert run("predict", ID, str(table), "--out", str(out), "--json").json == RECORD
    assert out.read_bytes() == CSV
    assert "exists already" in run("predict", ID, str(table), "--out", str(out)).err
    assert run("predict", ID, str(table), "--out", str(tmp_path / "a.parquet"), "--keep").code == 0
    assert (backend.seen[-2].query["answer"], backend.seen[-2].query["keep"]) == ("parquet", "1")
    assert run("predict", ID, str(table), "--out", "-").out.encode() == CSV
    assert ".csv or .parquet" in run("predict", ID, str(table), "--out", str(tmp_path / "a.xlsx")).err


def test_a_single_row(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/predictions", Reply(RECORD | {"answer": ROWS[1]}, 201))
    assert run("predict", ID, "--row", '{"n": 1.5, "word": null}', "-o", "jsonl").json == ROWS[1]
    assert backend.seen[0].body == {"n": 1.5, "word": None}


def test_predictions_are_listed_and_checked(backend: FakeBackend, run: Run, table: Path) -> None:
    row = {name: value for name, value in RECORD.items() if name not in {"input", "output"}}
    backend.on("GET", "/predictions", Reply({"predictions": [row], "next": "more", "position": 9}))
    ran = run("predictions", ID, "--where", "unseen > 0", "--limit", "1")
    assert backend.seen[0].query == {"experiment": ID, "where": "unseen > 0", "limit": "1"}
    p = "p" * 16
    assert p in ran.out
    assert "--cursor more" in ran.err
    told = {"prediction": p, "experiment": ID, "same_input": True, "same_answer": True, "position": 9}
    backend.on("POST", f"/predictions/{p}/checks", Reply(told), Reply(told | {"same_answer": False}))
    assert run("predictions", "check", p, str(table)).code == 0
    assert run("predictions", "check", p, "--row", "{}").code == 1
