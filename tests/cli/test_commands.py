"""Every command has help, none is missing, and starting stays light."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from cli.main import SECTIONS, cli, main
from tests.cli.conftest import Run

NAMES = [name for section in SECTIONS.values() for name in section]
PROMISED = {
    "up", "down", "demo", "catalog", "dataset", "train", "search", "evaluate", "status", "wait", "cancel", "session",
    "commit", "discard", "history", "show", "compare", "annotate", "withdraw", "restore",
    "reproduce", "export", "report", "predict", "predictions", "positions", "events",
    "log", "replay", "rebuild", "verify", "backup", "doctor", "client", "version", "call", "proxy",
}  # fmt: skip
QUERIES = (
    "catalog",
    "status",
    "session",
    "history",
    "show",
    "compare",
    "export",
    "report",
    "predictions",
    "positions",
    "events",
    "client list",
)
HEAVY = {
    "pydantic",
    "fastapi",
    "eventsourcing",
    "cryptography",
    "rich",
    "httpx",
    "typer",
    "tabulate",
    "http.client",
    "plotext",
}


def every_command() -> Iterator[tuple[str, click.Command]]:
    root = click.Context(cli, info_name="autolearn")
    for name in NAMES:
        command = cli.get_command(root, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", command.commands[below]) for below in command.commands)
        else:
            yield name, command


def test_all_promised_commands_are_there() -> None:
    assert set(NAMES) >= PROMISED


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: autolearn {name}")
    assert "None" not in ran.out


def test_commands_of_groups_have_help(run: Run) -> None:
    for group in ("dataset", "client"):
        for name, command in every_command():
            if name.startswith(f"{group} "):
                assert command.help
                assert run(*name.split(), "--help").code == 0


@pytest.mark.parametrize("group", [(), ("dataset",), ("client",)])
def test_a_group_without_a_command_shows_its_help(run: Run, group: tuple[str, ...]) -> None:
    ran = run(*group)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: autolearn")
    assert ran.err.count("\n") > 5


def test_help_of_the_whole_names_every_command(run: Run) -> None:
    shown = run("--help").out
    assert [name for name in NAMES if f"\n  {name} " not in shown] == []


def test_every_query_takes_as_of() -> None:
    options = {name: {option for it in command.params for option in it.opts} for name, command in every_command()}
    assert [name for name in QUERIES if "--as-of" not in options[name]] == []


def test_every_command_that_has_a_result_takes_all_formats() -> None:
    without = {"up", "down", "demo", "completion", "serve", "work", "relay", "project"}
    options = {name: {option for it in command.params for option in it.opts} for name, command in every_command()}
    assert [name for name in options if name not in without and not {"-o", "--json", "--url"} <= options[name]] == []


def test_the_program_loads_nothing_heavy_to_start() -> None:
    code = "import sys, cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, text=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_a_query_loads_no_framework() -> None:
    code = "import sys, cli.history, cli.train, cli.tasks; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, text=True)
    assert set(done.stdout.split()) & (HEAVY - {"cryptography", "http.client"}) == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    ran = run("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert "_AUTOLEARN_COMPLETE" in ran.out


@pytest.mark.parametrize(
    ("words", "completed"),
    [("autolearn hist", "plain,history\n"), ("autolearn history --wh", "plain,--where\n")],
)
def test_completion_of_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: str, completed: str
) -> None:
    monkeypatch.setenv("_AUTOLEARN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        main([])
    assert capfd.readouterr().out == completed
