"""No command lets a text of others steer a terminal, make a line of its own or a formula; JSON keeps every value."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autolearn.printable import visible, visible_json, visible_lines
from autolearn.text_table import Style
from autolearn.views import View
from cli.main import SECTIONS, main
from cli.output import render
from cli.spinner import Spinner
from tests.cli.conftest import Ran, Run
from tests.cli.fake_backend import FakeBackend, Reply
from tests.cli.hostile import (
    COLOUR,
    EVERY,
    HOSTILE,
    LINE,
    TITLE,
    hostile_answers,
    hostile_problem,
    is_hostile,
    poisoned,
)

QUERIES = [
    ("catalog",), ("catalog", "models"), ("catalog", "models", "svm"), ("catalog", "datasets", "iris"),
    ("status", "abcd"), ("wait", "abcd"), ("session",), ("session", "list"), ("history",), ("show", "abcd"),
    ("log",), ("client", "list"), ("predictions",), ("positions",), ("events",),
    ("events", "dataset:iris"),
]  # fmt: skip
COMMANDS = [
    ("train", "iris", "svm"), ("train", "iris", "svm", "--evaluate"), ("evaluate", "abcd"), ("cancel", "abcd"),
    ("commit",), ("discard",), ("annotate", "abcd", "good"), ("withdraw", "abcd", "--reason", "r"),
    ("restore", "abcd", "--reason", "r"), ("reproduce", "abcd"), ("dataset", "retire", "iris"),
    ("dataset", "show", "iris"),
    ("client", "add", "ana"), ("client", "rotate", "ana"), ("client", "revoke", "ana"), ("compare", "abcd", "abcd"),
    ("replay", "--as-of", "@1"), ("rebuild",), ("verify",), ("log", "--follow"), ("call", "GET", "/experiments"),
    ("call", "-i", "GET", "/log/events"), ("version",), ("dataset", "add", "FILE", "--name", "a", "--target", "a"),
    ("export", "abcd", "OUT", "--force"), ("predict", "abcd", "--row", "{}"),
    ("predictions", "check", "abcd", "--row", "{}"),
    ("report", "abcd"), ("report", "abcd", "--html", "OUT", "--force"),
    ("evaluate", "abcd", "--by", "a"), ("search", "iris", "svm", "-p", "C=1,2"), ("search", "show", "abcd"),
]  # fmt: skip
ELSEWHERE = {
    "up", "down", "demo", "serve", "work", "relay", "project", "proxy", "console", "completion", "recover", "backup",
    "doctor",
}  # fmt: skip
EVERY_COMMAND = QUERIES + COMMANDS
FORMS = ("table", "json", "jsonl", "csv")
WIDE = "\uff1d\uff0b\uff0d\uff20"
FORMULA = re.compile(rf"[\s\"]*[=+\-@{WIDE}]")


@pytest.fixture
def run_hostile(run: Run, backend: FakeBackend, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command against hostile answers: the fixture that makes all of it one function."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("autolearn.retries.PAUSES", ())
    (home / "a.csv").write_text("a,b\n1,2\n")
    places = {"FILE": str(home / "a.csv"), "OUT": str(home / "out")}

    def run_words(words: tuple[str, ...], text: str, form: str = "table", *, refuses: bool = False) -> Any:
        sent: list[Any] = []
        answers = hostile_problem(text) if refuses else hostile_answers(text, sent)
        monkeypatch.setattr(backend, "next_reply", answers)
        return run(*(places.get(word, word) for word in words), "-o", form), sent

    return run_words


@contextmanager
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give the process a terminal; afterwards the list holds what was written to it."""
    master, slave = os.openpty()
    tty.setraw(slave)
    shown: list[str] = []
    reader = Thread(target=lambda: shown.append(_read(master)))
    reader.start()
    with os.fdopen(slave, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        patch.setattr(sys, "stderr", terminal)
        yield shown
    reader.join()
    os.close(master)


def _read(master: int) -> str:
    parts = []
    try:
        while part := os.read(master, 1 << 16):
            parts.append(part)
    except OSError:  # nobody has the other end any more
        pass
    return b"".join(parts).decode("utf-8")


def steering(*texts: str) -> list[str]:
    return [f"{character!a} in {text[:200]!a}" for text in texts for character in sorted(set(filter(is_hostile, text)))]


def lines_of(ran: Ran) -> list[int]:
    return [ran.out.count("\n"), ran.err.count("\n")]


def test_every_command_is_tried() -> None:
    named = {words[0] for words in EVERY_COMMAND} | ELSEWHERE
    assert {name for section in SECTIONS.values() for name in section} == named


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_nothing_steers_the_reader_of_a_pipe(run_hostile: Callable[..., Any], words: tuple[str, ...]) -> None:
    harmless = {form: run_hostile(words, "x", form)[0] for form in FORMS}
    for form in FORMS:
        ran, _ = run_hostile(words, HOSTILE, form)
        assert steering(ran.out, ran.err) == [], form
        if ran.code == harmless[form].code:  # some ids fit into no path: a refusal has one line, as tested below
            assert lines_of(ran) == lines_of(harmless[form]), form


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_nothing_steers_a_terminal(
    run_hostile: Callable[..., Any], words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_terminal(monkeypatch) as shown:
        for form in ("table", "csv"):
            run_hostile(words, HOSTILE, form)
            run_hostile(words, HOSTILE, form, refuses=True)
    assert shown
    assert steering(*shown) == []


@pytest.mark.parametrize("form", FORMS)
def test_refusals_stay_in_their_line(run_hostile: Callable[..., Any], form: str) -> None:
    ran, _ = run_hostile(("status", "abcd"), HOSTILE, form, refuses=True)
    assert steering(ran.err) == []
    if form in ("table", "csv"):
        assert lines_of(ran) == [0, 1]
    else:
        assert ascii(json.loads(ran.err)["title"]) == ascii(HOSTILE)  # what fails can be told in ASCII alone


@pytest.mark.parametrize("words", QUERIES, ids=" ".join)
def test_json_keeps_every_value(run_hostile: Callable[..., Any], words: tuple[str, ...]) -> None:
    ran, sent = run_hostile(words, HOSTILE, "json")
    assert ascii(json.loads(ran.out)) == ascii(sent[-1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.sampled_from(EVERY_COMMAND),
    form=st.sampled_from(FORMS),
    text=st.text(st.characters(codec=None), max_size=12),
)
def test_nor_does_any_other_text(run_hostile: Callable[..., Any], words: tuple[str, ...], form: str, text: str) -> None:
    ran, _ = run_hostile(words, text, form)
    assert steering(ran.out, ran.err) == []


ARGUMENTS = [
    ("HOSTILE",), ("history", "HOSTILE"), ("history", "--HOSTILE"), ("history", "-o", "HOSTILE"),
    ("catalog", "HOSTILE"), ("history", "--limit", "HOSTILE"), ("status", "HOSTILE"),
    ("train", "iris", "svm", "-p", "HOSTILE"),
    ("train", "iris", "svm", "-p", "HOSTILE=1", "-p", "HOSTILE=1"), ("dataset", "add", "HOSTILE", "--name", "a"),
    ("export", "abcd", "HOSTILE/x"), ("call", "GET", "HOSTILE"), ("call", "GET", "/x", "-H", "HOSTILE"),
    ("call", "POST", "/x", "-d", "HOSTILE"), ("call", "POST", "/x", "-d", "@HOSTILE"), ("history", "--url", "HOSTILE"),
    ("history", "--url", "http://HOSTILE"), ("verify", "--anchor", "HOSTILE"), ("verify", "--data", "HOSTILE"),
    ("client", "add", "a", "--credentials-out", "HOSTILE/x"), ("completion", "HOSTILE"), ("up", "--mode", "HOSTILE"),
    ("down", "--data", "HOSTILE"), ("serve", "HOSTILE"), ("rebuild", "HOSTILE", "--all"),
    ("replay", "--as-of", "HOSTILE"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
@pytest.mark.parametrize("form", ["table", "json"])
def test_arguments_that_are_quoted_steer_nothing(
    run: Run, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], form: str
) -> None:
    monkeypatch.setattr(backend, "next_reply", lambda seen: Reply({"type": seen.path, "detail": seen.target}, 422))
    for text in (EVERY.replace("\0", ""), TITLE, COLOUR, LINE):
        ran = run(*(argument.replace("HOSTILE", text) for argument in arguments), *(["--json"] * (form == "json")))
        assert ran.code != 0
        assert steering(ran.out, ran.err) == []
        assert form == "json" or ran.err.count("\n") == 1, ran.err


def test_a_file_whose_name_is_hostile(run: Run, backend: FakeBackend, home: Path) -> None:
    backend.on("POST", "/catalog/datasets", Reply({"dataset": "a", "position": 1}))
    for text in (TITLE, LINE):
        file = home / f"{text.replace('/', '')}.csv"
        file.write_text("a,b\n")
        for arguments in (("dataset", "add", str(file)), ("dataset", "add", f"{file}.zip")):
            ran = run(*arguments, "--name", "a", "--target", "a")
            assert steering(ran.out, ran.err) == []


def test_environment_that_is_quoted_steers_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTOLEARN_URL", "AUTOLEARN_CREDENTIALS"):
        with monkeypatch.context() as patch:
            patch.setenv(name, TITLE + LINE)
            ran = run("history")
            assert (steering(ran.err), ran.err.count("\n")) == ([], 1)


def test_completion_of_hostile_words(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        monkeypatch.setenv("_AUTOLEARN_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", f"autolearn export abcd '{TITLE}{COLOUR}'")
        monkeypatch.setenv("COMP_CWORD", "3" if shell != "fish" else f"{TITLE}{COLOUR}")
        with pytest.raises(SystemExit):
            main([])
        out, err = capfd.readouterr()
        assert steering(out, err) == []


def test_the_spinner_draws_its_line_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.spinner.SILENT_SECONDS", 0)
    monkeypatch.setattr("cli.spinner.FRAME_SECONDS", 0.001)
    for text in (HOSTILE, LINE):
        with on_terminal(monkeypatch) as shown, Spinner(text) as spinner:
            spinner.update(text, 0.5)
        drawn = "".join(shown).replace("\r\033[K", "")
        assert (steering(drawn), "\n" in drawn) == ([], False)


def test_colours_of_ours_reach_a_terminal_that_wants_them_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text = render(poisoned({"name": "a"}, COLOUR) | {"state": "failed"}, "table", View(), Style(80, colours=True))[0]
    assert text.count("\x1b") == text.count("\x1b[1m") + text.count("\x1b[31mfailed\x1b[0m") + text.count("\x1b[0m")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\"'=1",
        *(f"{sign}1" for sign in WIDE),
        "x;=1",
        "-0.5",
        "=HYPERLINK(1)",
    ],
)
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    body = {"name": text, text: "x", "list": [text], "number": -0.5, "whole": -3, "nested": {text: text}}
    cells = list(csv.reader(io.StringIO(render(body, "csv", View(), Style())[0])))
    assert {"-0.5", "-3"} <= set(cells[1])  # numbers stay numbers
    assert [it for line in cells for it in line if FORMULA.match(it) and it not in ("-0.5", "-3")] == []
    assert [it for line in cells for it in line if ";=" in it] == []
    assert json.loads(cells[1][cells[0].index("list")].replace(";'=", ";=")) == [text]


@given(st.text(st.characters(codec=None)))
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert (steering(shown), "\n" in shown) == ([], False)
    assert visible(shown) == visible_lines(shown) == visible_json(shown) == shown
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


def test_a_file_stays_as_it_is_but_reaches_no_terminal(
    backend: FakeBackend, home: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLEARN_URL", backend.url)
    content = HOSTILE.encode("utf-8", "surrogatepass") + bytes(range(256))
    backend.on("GET", "/file", Reply(raw=content, media="application/octet-stream"))
    assert main(["call", "GET", "/file"]) == 0
    assert capfdbinary.readouterr().out == content
    with on_terminal(monkeypatch) as shown:
        assert main(["call", "GET", "/file"]) == 2
    assert "send it to one" in shown[0]


def test_pages_in_plain_text_steer_nothing(run: Run, backend: FakeBackend) -> None:
    page = HOSTILE.encode("utf-8", "surrogatepass")
    backend.on("GET", "/metrics", Reply(raw=page, media="text/plain"))
    backend.on("GET", "/docs", Reply(raw=page, media="text/html"))
    for path in ("/metrics", "/docs"):
        ran = run("call", "GET", path)
        assert (ran.code, steering(ran.out.replace("\t", ""), ran.err)) == (0, [])  # a page has tabs of its own
