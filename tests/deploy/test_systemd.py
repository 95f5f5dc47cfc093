"""The systemd units: systemd takes them, and what they run is a command of ours."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.main import cli
from server.roles import SERVICES
from tests.house.tracked import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
PROGRAM = "/usr/local/bin/autolearn"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def check_command(words: list[str]) -> None:
    """Let the command line read these words; raises click.UsageError."""
    group = click.Context(cli)
    command = cli.get_command(group, words[0])
    assert command is not None, words
    command.make_context(words[0], words[1:], parent=group)


def run_by(unit: Path) -> str:
    (line,) = re.findall(rf"^ExecStart={PROGRAM} (.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return str(line)


def test_there_is_one_for_the_whole_and_one_for_a_role() -> None:
    assert {unit.name: run_by(unit) for unit in UNITS} == {"autolearn.service": "up", "autolearn@.service": "$ROLE"}
    assert all(f"`{unit.name}`" in OPERATIONS for unit in UNITS)


def test_a_task_that_is_killed_stops_no_unit() -> None:
    assert all("\nOOMPolicy=continue\n" in unit.read_text(encoding="utf-8") for unit in UNITS)


def test_what_they_run_is_a_command() -> None:
    check_command(["up"])
    named = re.findall(r"ROLE=([a-z][a-z0-9 -]*)", OPERATIONS + UNITS[1].read_text(encoding="utf-8"))
    assert len(named) > 2
    for role in [
        *named,
        *(f"{kind} {service}" for kind in ("serve", "work") for service in SERVICES),
        "relay",
        "project",
    ]:
        check_command(role.split())
    with pytest.raises(click.UsageError):
        check_command(["serve", "nothing"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_them(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name.replace("@", "@training-1")
    here.write_text(unit.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, here.name in done.stderr) == (0, False), done.stderr
