"""Results in the four formats, and tables that fit."""

from __future__ import annotations

import csv
import io
import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolearn.text_table import HEAD_LINES, LINES, Style, display_width, format_facts, format_table, format_value
from autolearn.views import View
from cli.output import render
from tests.cli.conftest import Run
from tests.cli.examples import ID, OTHER, evaluation, history, row, training
from tests.cli.fake_backend import FakeBackend, Reply

ROWS = View(rows="experiments")
ORIGIN = ["rows", "features", "split", "seed", "fit_seconds"]  # what history and session say of a training
facts = st.dictionaries(
    st.text(min_size=1, max_size=12), st.none() | st.booleans() | st.integers() | st.floats() | st.text(), min_size=1
)


@given(st.lists(facts, min_size=1, max_size=4), st.integers(20, 120))
def test_a_table_fits_its_width(rows: list[dict[str, object]], width: int) -> None:
    lines, left_out = format_table(rows, Style(width))
    assert max(map(display_width, lines)) <= width
    assert len(rows) + 2 <= len(lines) <= len(rows) + 1 + HEAD_LINES
    assert set(left_out) < {name for it in rows for name in it}


@given(facts, st.integers(40, 120))
def test_facts_fit_their_width(it: dict[str, object], width: int) -> None:
    assert max(map(display_width, format_facts(it, Style(width)))) <= width


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    assert all(character >= " " and character != "\x7f" for character in format_value(text))


def test_a_text_of_a_megabyte_is_cut_at_once() -> None:
    for letter in ("x", "\u00e9", "\u6f22"):
        text = letter * (1 << 20)
        begin = time.process_time()
        lines, _ = format_table([{"description": text, "model": text, "other": text}], Style(80))
        facts = format_facts({"description": text}, Style(80))
        assert time.process_time() - begin < 20  # in steps of one character it took hours
        assert max(map(display_width, [*lines, *facts])) <= 80


def test_marks_do_not_go_on_for_ever() -> None:
    lines = format_facts({"name": "e" + "\u0301" * 100_000}, Style(80))
    assert len(lines) <= LINES
    assert max(map(len, lines)) < 400


def test_marks_take_no_column_and_wide_characters_two() -> None:
    assert [display_width(text) for text in ("a", "\u6f22", "e\u0301", "\u0e01\u0e31", "\U0001f600")] == [1, 2, 1, 1, 2]


def test_a_wide_table_leaves_columns_out_and_says_so(
    backend: FakeBackend, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = {f"measure-{number}:macro": number / 7 for number in range(20)}
    backend.on("GET", "/experiments", Reply(history(row(measures=measures))))
    monkeypatch.setenv("COLUMNS", "60")
    ran = run("history")
    assert max(map(len, ran.out.splitlines())) <= 60
    assert "Not shown for lack of room: " in ran.err
    monkeypatch.delenv("COLUMNS")
    ran = run("history")
    assert "measure-19:macro" in ran.out
    assert ran.err == ""


def test_a_sentence_is_wrapped_and_not_cut(backend: FakeBackend, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    detail = "It needs more than 2 GiB: use fewer trees, or let the operator set AUTOLEARN_TASK_MEMORY to more."
    failed = training(state="failed", error={"reason": "memory-limit", "detail": detail})
    backend.on("GET", f"/trainings/{ID}", Reply(failed))
    monkeypatch.setenv("COLUMNS", "60")
    out = run("status", ID).out
    assert max(map(len, out.splitlines())) <= 60
    assert f"memory-limit: {detail}" in " ".join(out.split())
    entry = {"name": "svm", "version": "1", "description": detail}
    backend.on("GET", "/catalog/models", Reply({"models": [entry], "position": 1}))
    lines = run("catalog", "models").out.splitlines()
    assert " ".join(" ".join(line[13:].strip() for line in lines[2:]).split()).endswith(
        "AUTOLEARN_TASK_MEMORY to more."
    )
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_the_note_of_an_answer_is_told(backend: FakeBackend, run: Run, form: str) -> None:
    note = "2030-01-01T00:00:00Z is in the future: answered as of now."
    backend.on("GET", "/experiments", Reply(history(row()) | {"note": note}))
    backend.on("GET", f"/trainings/{ID}", Reply(training(note=note)))
    for words in (("history",), ("status", ID)):
        ran = run(*words, "--as-of", "2030-01-01T00:00:00Z", "-o", form)
        is_own_row = words[0] == "status" and form != "table"  # the object itself has the note
        assert (ran.err, note in ran.out) == ("" if is_own_row else f"Note: {note}\n", is_own_row)
        ran = run(*words, "--json")
        assert (ran.err, ran.json["note"]) == ("", note)


def test_heads_are_wrapped_so_that_no_two_look_the_same(
    backend: FakeBackend, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = {"precision:macro": 0.9, "precision:micro": 0.8}
    one = row(model="logistic-regression", dataset={"name": "breast-cancer", "version": 1}, measures=measures)
    backend.on("GET", "/experiments", Reply(history(one | {"settings": {f"setting-{n}": n for n in range(9)}})))
    monkeypatch.setenv("COLUMNS", "100")
    first, second, rule, *_ = run("history").out.splitlines()
    assert first.split()[4:6] == ["precision:"] * 2
    assert second.split() == ["macro", "micro"]
    assert set(rule) == {"-", " "}
    assert "…" not in first + second
    monkeypatch.setenv("COLUMNS", "80")  # there a column is left out before a model is cut to `logi…`
    assert run("history").out.splitlines()[3].split()[3:] == ["logisti…", "breast-…", "0.9"]


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        (("--sort", "-C"), ["C", "recall:macro", "f1:macro"]),
        (("--where", "setting.C > 1 and recall > 0.5 and model = 'f1 gamma'"), ["C", "recall:macro", "f1:macro"]),
        (("--sort", "-recall:macro"), ["recall:macro", "f1:macro"]),
        (("--where", "f1/cv5.std < 0.1"), ["f1:macro/cv5.std", "recall:macro"]),
    ],
)
def test_what_the_question_names_has_a_column_of_its_own(
    backend: FakeBackend, run: Run, question: tuple[str, ...], columns: list[str]
) -> None:
    measures = {"f1:macro": 0.9, "recall:macro": 0.8}
    one = row(settings={"C": 2.5, "gamma": "scale"}, measures=measures, spread={"f1:macro/cv5": 0.01})
    backend.on("GET", "/experiments", Reply(history(one, row(experiment=OTHER, settings={}, measures={}))))
    head = run("history", *question).out.splitlines()[0].split()
    assert head[4 : 4 + len(columns)] == columns
    assert head.count("gamma") == 0


def test_cells_are_short_and_exact_where_it_matters() -> None:
    assert format_value(0.97368421) == "0.9737"
    assert [format_value(60050.123), format_value(-12345.0), format_value(1e20)] == ["60050.1", "-12345", "1e+20"]
    assert format_value(None) == "none"
    assert format_value([True, False]) == "true, false"
    assert format_value("2025-11-24T22:38:01.123456Z") == "2025-11-24 22:38:01Z"
    assert format_value("0" * 64) == "0" * 12
    assert format_value({"C": 1, "kernel": None}) == "C=1, kernel=none"


def test_the_columns_of_history_have_one_order_whatever_the_rows_have(backend: FakeBackend, run: Run) -> None:
    rows = [
        row(settings={"C": 1}, measures={"recall:macro": 0.5}, withdrawn=True),
        row(settings={"alpha": None, "B": 2}, measures={"precision:macro": 0.25, "recall:macro": 1}),
    ]
    backend.on("GET", "/experiments", Reply(history(*rows)), Reply(history(*reversed(rows))), Reply(history(*rows)))
    tables = [run("history").out.splitlines() for _ in rows]
    assert tables[0][0].split() == tables[1][0].split()
    assert tables[0][0].split()[4:] == ["precision:macro", "recall:macro", "actor", *ORIGIN, "settings", "withdrawn"]
    assert tables[0][2].split()[6:8] == ["0.5", "ana"]
    names = run("history", "-o", "csv").out.splitlines()[0].split(",")
    assert [it.partition(".")[2] for it in names if it.startswith("settings.")] == ["B", "C", "alpha"]
    measures = [it for it in names if it.startswith("measures.")]
    assert measures == ["measures.precision:macro", "measures.recall:macro"]


def test_history_as_a_table(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments", Reply(history(row(), row(experiment=OTHER, measures={}), next_="xyz")))
    ran = run("history")
    head, _, first, second = ran.out.splitlines()
    shown = ["experiment", "committed", "model", "dataset", "precision:macro", "actor", *ORIGIN, "settings"]
    assert head.split() == shown
    assert first.split()[:3] == [ID, "2025-11-24", "22:38:01Z"]
    assert first.split()[6:13] == ["0.9737", "ana", "112", "4", "time:date", "7", "0.0123"]
    assert second.startswith(OTHER)
    assert ran.err == "More: the same command with --cursor xyz\n"
    for form, said in {"json": "", "jsonl": ran.err, "csv": ran.err}.items():
        assert run("history", "-o", form).err == said, form


def test_history_in_the_other_formats(backend: FakeBackend, run: Run) -> None:
    body = history(row(), row(experiment=OTHER))
    backend.on("GET", "/experiments", Reply(body))
    assert run("history", "--json").json == body
    assert run("--json", "history").json == body
    assert [json.loads(line)["experiment"] for line in run("history", "-o", "jsonl").out.splitlines()] == [ID, OTHER]
    table = list(csv.DictReader(io.StringIO(run("history", "-o", "csv").out)))
    assert [it["measures.precision:macro"] for it in table] == ["0.97368421", "0.97368421"]
    assert table[0]["withdrawn"] == "false"


def test_nothing_is_an_empty_list(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments", Reply(history()))
    assert '"experiments": []' in run("history", "--json").out
    assert run("history", "-o", "jsonl").out == ""
    assert run("history", "-o", "csv").out == ""
    ran = run("history")
    assert (ran.out, ran.err) == ("", "Nothing to show.\n")


def test_one_object_in_all_formats(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", f"/trainings/{ID}", Reply(training()))
    assert json.loads(run("status", ID, "-o", "jsonl").out) == training()
    table = run("status", ID).out
    assert "iris v1" in table
    assert "C=1, class_weight=none" in table
    assert "settings.C" in run("status", ID, "-o", "csv").out


def test_a_confusion_matrix_stays_readable(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    assert "1 2 / 3 4" in run("evaluate").out


def test_colours_only_where_they_may_be() -> None:
    body = {"state": "failed"}
    assert "\033[31m" in render(body, "table", View(), Style(80, colours=True))[0]
    assert "\033" not in render(body, "table", View(), Style(80))[0]
    assert render({"experiments": []}, "json", ROWS, Style())[0] == '{\n  "experiments": []\n}'


def test_warnings_are_a_line_of_an_experiment_and_a_mark_in_lists(backend: FakeBackend, run: Run) -> None:
    rows = row(warnings=["lbfgs failed to converge"]), row(experiment=OTHER)
    backend.on("GET", "/experiments", Reply(history(*rows)))
    head, _, *lines = run("history").out.splitlines()
    assert head.split()[-1] == "warnings"
    assert [line.split()[-1] == "1" for line in lines] == [True, False]


def test_a_value_has_its_interval_and_one_of_folds_its_spread(backend: FakeBackend, run: Run) -> None:
    values = {"recall:macro": 0.5, "recall:macro/cv2": 0.45}
    noted = {"intervals": {"recall:macro": [0.25, 0.75123]}, "resamples": 1000, "threshold": 0.3}
    noted |= {"spread": {"recall:macro/cv2": 0.05}, "folds": {"recall:macro/cv2": [0.4, 0.5]}}
    backend.on("POST", "/evaluations", Reply(evaluation(measures=values, **noted)))
    text = run("evaluate").out
    assert re.search(r"measure +value +95 % interval +std +folds", text)
    assert re.search(r"recall:macro +0\.5 +0\.25 to 0\.7512\n", text)
    assert re.search(r"recall:macro/cv2 +0\.45 +0\.05 +0\.4, 0\.5", text)
    assert re.search(r"threshold +0\.3", text)


def test_a_value_that_is_none_has_its_reason_and_a_binary_one_its_class(backend: FakeBackend, run: Run) -> None:
    values = {"recall:binary": 0.5, "log-loss": None}
    noted = {
        "reasons": {"log-loss": "No probabilities."},
        "positives": {"recall:binary": "fraud"},
        "warnings": ["recall: odd"],
    }
    backend.on("POST", "/evaluations", Reply(evaluation(measures=values, **noted)))
    text = run("evaluate").out
    assert re.search(r"recall:binary +0.5 +fraud", text)
    for name, classes in ((ID, {"recall:binary": "fraud"}), (OTHER, {"recall:binary": "ok"})):
        backend.on("GET", f"/experiments/{name}", Reply(row(experiment=name, measures=values, positives=classes)))
    assert re.search(r"recall:binary +0.5 +fraud", run("show", ID).out)
    assert re.search(r"≠ +positive.recall:binary +fraud +ok", run("compare", ID, OTHER).out)
    backend.on("GET", "/experiments", Reply(history(row(positives={"f1:binary": "ok", "recall:binary": "ok"}))))
    assert re.search(r"positive +\w+ .*\n.*\n.* ok +ana", run("history").out)
    assert re.search(r"log-loss +none +No probabilities\.", text)
    assert re.search(r"warnings +recall: odd", text)
