"""From a training to the report of its evaluation: slices, importance, the positive class, a page."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.place import Shell

ROOT = Path(__file__).parents[2]


def test_a_report_for_the_eye_as_json_and_as_a_page(shell: Shell, tmp_path: Path) -> None:
    added = ("dataset", "add", str(ROOT / "examples" / "penguins.csv"), "--name", "penguins", "--target", "species")
    shell(*added)
    experiment = shell("train", "penguins", "decision-tree", "-p", "max_depth=2", "--drop", "sex", "--seed", "7").json[
        "experiment"
    ]
    assert "has no report: it is not evaluated" in shell("report", experiment, code=6).problem["detail"]
    before = shell("status", experiment).json["position"]
    for words in (("--by", "species"), ("--by", "islands"), ("--positive", "Adelie"), ("--importance", "--cv", "5")):
        shell("evaluate", experiment, "-m", "recall", *words, code=2)
    assert shell("status", experiment).json["position"] == before
    shown = shell.plain("evaluate", experiment, "-m", "recall", "--by", "sex", "--importance").out
    assert "By sex" in shown
    assert "Importance: how far balanced-accuracy falls" in shown
    report = shell("report", experiment).json
    assert report["rows"] == sum(it["rows"] for it in report["classes"]) == sum(map(sum, report["confusion"]["counts"]))
    assert {it["value"] for it in report["slices"]["slices"]} == {"female", "male", None}
    assert {it["column"] for it in report["importance"]["columns"]} == {
        "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year",
    }  # fmt: skip
    later = shell("evaluate", experiment, "-m", "accuracy").json
    assert shell("report", experiment).json["evaluation"] == later["evaluation"] != report["evaluation"]
    for words in (("--evaluation", report["evaluation"]), ("--as-of", f"@{report['position']}")):
        again = shell("report", experiment, *words).json
        assert {**again, "position": 0} == {**report, "position": 0}
    file = tmp_path / "report.html"
    assert shell("report", experiment, "--html", str(file)).json["bytes"] == file.stat().st_size
    assert "exists already" in shell("report", experiment, "--html", str(file), code=2).problem["detail"]
    assert shell("verify").json["faults"] == []
    shell("discard")
    assert shell("report", experiment).json["evaluation"] == later["evaluation"]
    assert "is discarded" in shell("evaluate", experiment, code=6).problem["detail"]


def test_the_chosen_positive_class_is_kept_with_each_value(shell: Shell) -> None:
    experiment = shell("train", "breast-cancer", "naive-bayes", "--seed", "7").json["experiment"]
    words = ("evaluate", experiment, "-m", "recall:binary")
    assert shell(*words).json["positives"] == {"recall:binary": "malignant"}
    assert shell(*words, "--positive", "benign").json["positives"] == {"recall:binary": "benign"}
    shell(*words, "--positive", "bad", code=2)
    shell("evaluate", experiment, "-m", "precision:binary")
    kept = {"recall:binary": "benign", "precision:binary": "malignant"}
    assert shell("show", experiment).json["positives"] == kept
    shell("commit")
    assert shell("history").json["experiments"][0]["positives"] == kept
    assert "malignant" in shell.plain("show", experiment).out
