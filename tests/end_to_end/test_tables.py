"""From a raw file to a model with the product alone; what was decided is in the answer and in the catalog."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from tests.end_to_end.place import Shell
from tests.learning.workbooks import ods, xlsx

TABLES = Path(__file__).parents[1] / "tables"


def test_a_table_is_added_trained_on_by_version_and_read_again(shell: Shell, tmp_path: Path) -> None:
    file = str(TABLES / "money.csv")
    added = shell("dataset", "add", file, "--name", "money", "--target", "cls", "--positive", "hi").json
    assert added["reading"]["spellings"] == {"price": "1,234.5", "share": "1234.5%", "cur": "$1234.5"}
    assert (added["positive"], added["task"], len(added["notes"])) == ("hi", "classification", 1)
    later = tmp_path / "later.csv"
    later.write_text("cls;cur;price;share\n" + '"hi";"$5.00";"1,000";"5%"\nlo;$6.50;900;6%\nlo;$7.00;950;9%\n' * 8)
    second = shell("dataset", "add", str(later), "--name", "money", "--like", "money@1").json
    assert (second["version"], second["positive"]) == (2, "hi")
    assert second["reading"]["spellings"] == added["reading"]["spellings"]
    shown = shell("catalog", "datasets", "money@1").json
    assert {key: shown[key] for key in ("reading", "notes", "sha256", "version")} == {
        key: added[key] for key in ("reading", "notes", "sha256", "version")
    }
    assert [it["version"] for it in shown["versions"]] == [1, 2]
    trained = shell("train", "money@1", "decision-tree", "--seed", "1").json
    assert (trained["dataset"]["version"], trained["dataset"]["sha256"]) == (1, added["sha256"])
    assert shell("evaluate", "-m", "accuracy", "--on", "money@2").json["on"]["version"] == 2


def test_what_is_told_is_told_to_people_and_what_is_wrong_changes_nothing(shell: Shell) -> None:
    words = ("dataset", "add", str(TABLES / "one-bad-number.csv"), "--target", "cls", "--name", "bad")
    before = shell("catalog").json["position"]
    refused = shell(*words, "--type", "x=number", code=2)
    assert "59 of 60 values are numbers; line 39: n.d." in refused.problem["detail"]
    assert shell("train", "bad", "svm", code=5).code == 5
    assert shell("catalog").json["position"] == before
    told = shell.plain(*words)
    assert "Column 'x' is text: 59 of 60 values are numbers; line 39: n.d.\n" in told.out
    assert "nearly-numeric" in told.out
    suspects = shell("catalog", "datasets", "bad").json["profile"]["suspects"]
    found = next(it for it in suspects if it["kind"] == "nearly-numeric")
    assert "59 of 60 values are numbers, but not 'n.d.'" in found["reason"]
    again = shell(*(words[2] if it == "FILE" else it for it in shlex.split(found["remedy"])[1:])).json
    assert (again["version"], again["columns"]["x"]) == (2, "number")
    shown = shell("dataset", "show", "bad", "--rows", "2").json
    assert (shown["version"], len(shown["first_rows"]), shown["profile"]["columns"][0]["missing"]) == (2, 2, 1)


def test_a_confined_task_reads_workbooks_too(shell: Shell, tmp_path: Path) -> None:
    sheet: list[list[Any]] = [["x", "cls"], *([number, "ab"[number % 2]] for number in range(20))]
    (tmp_path / "book.xlsx").write_bytes(xlsx({"Data": sheet}))
    (tmp_path / "book.ods").write_bytes(ods(sheet))
    for kind in ("xlsx", "ods"):
        words = ("dataset", "add", str(tmp_path / f"book.{kind}"), "--name", kind, "--target", "cls")
        added = shell(*words).json
        assert (added["rows"], added["reading"]["format"]) == (20, kind)
        assert "no sheet 'Dat'" in shell(*words, "--sheet", "Dat", code=2).problem["detail"]
