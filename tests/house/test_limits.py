"""The house's limits: short files and functions, nothing of one machine."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.tracked import ROOT, parsed, tracked

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40
# Spelt with a class of one letter, so that this file does not find itself.
FORBIDDEN_TEXTS = {
    "a note of something left to do": re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b"),
    "a path of one machine": re.compile(r"(?<![\w.])/(h[o]me|r[o]ot|w[o]rk|U[s]ers)/"),
    "a host of a package registry": re.compile(r"pypi[.]org|python[h]osted|npm[j]s|crates[.]io|proxy[.]golang"),
}
SILENCED = re.compile(r"# (n[o]qa|type: i[g]nore).*")
WITH_REASON = re.compile(r"# n[o]qa: [A-Z]+\d+(, ?[A-Z]+\d+)* - \w|# type: i[g]nore\[[\w, -]+\]\s+# \w")
PYTHON = tracked(".py")
TEXTS = [path for path in tracked() if path.suffix not in {".parquet", ".gz", ".lock", ".png", ".skops"}]


@cache
def text(path: Path) -> str:
    """Return a tracked file's text."""
    return (ROOT / path).read_bytes().decode("utf-8", errors="replace")


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def definitions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in ast.walk(parsed(path)) if isinstance(node, kinds)]


def test_files_are_short() -> None:
    lengths = {str(path): len(text(path).splitlines()) for path in PYTHON}
    long = {path: lines for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE}
    assert long == {}, "split each where a concept ends"


def test_functions_are_short() -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": body_lines(node)
        for path in PYTHON
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
    }
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION}
    assert long == {}, "split each where a concept ends"


def test_modules_say_what_they_are() -> None:
    assert [str(path) for path in PYTHON if not ast.get_docstring(parsed(path))] == []


def test_exceptions_from_the_rules_give_their_reason() -> None:
    marks = [(path, mark.group()) for path in PYTHON for mark in SILENCED.finditer(text(path))]
    assert [f"{path}: {mark}" for path, mark in marks if not WITH_REASON.match(mark)] == []


def test_nothing_of_one_machine() -> None:
    found = [
        f"{path}: {what} ({match.group()})"
        for path in TEXTS
        for what, pattern in FORBIDDEN_TEXTS.items()
        if (match := pattern.search(text(path)))
    ]
    assert found == []


@pytest.mark.parametrize("path", tracked(".lock"), ids=str)
def test_locks_name_no_registry_and_have_hashes(path: Path) -> None:
    pins = [entry for entry in text(path).replace("\\\n", " ").splitlines() if entry and not entry.startswith("#")]
    assert "://" not in text(path)
    assert pins
    assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_the_limits_can_fail() -> None:
    long = ast.parse("def f():\n    'says'\n" + "    x = 1\n" * 41).body[0]
    assert isinstance(long, ast.FunctionDef)
    assert body_lines(long) == MOST_LINES_OF_A_FUNCTION + 1
    path = FORBIDDEN_TEXTS["a path of one machine"]
    assert path.search("see /" + "root/data")
    assert not path.search("/session/" + "root/x")
    mark = "# no" + "qa: A002"
    assert WITH_REASON.match(f"{mark} - the port's word")
    assert not WITH_REASON.match(mark)
