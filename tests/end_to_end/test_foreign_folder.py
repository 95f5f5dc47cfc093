"""Whatever lies in the folder that a command is called from, none of it is run: not by the command's processes either.

Only the command itself is started by others; the tests start it as its installed script does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.host.processes import child_environment
from cli.up import start_backend
from tests.end_to_end.place import SECONDS

# What processes of ours import early: our own packages, libraries, and what Python itself looks for.
NAMES = (
    "adapters",
    "autolearn",
    "cli",
    "commands",
    "domain",
    "projections",
    "server",
    "sitecustomize",
    "usercustomize",
)
LIBRARIES = (
    "click",
    "numpy",
    "pandas",
    "sklearn",
    "pyarrow",
    "pydantic",
    "uvicorn",
    "json",
    "logging",
    "multiprocessing",
)
SCRIPT = Path(sys.executable).with_name("autolearn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder full of foreign code, each piece of which tells that it was run."""
    at = tmp_path / "foreign"
    at.mkdir()
    tell = f"open({str(tmp_path / 'ran')!r}, 'a').write(__file__ + chr(10))\nraise SystemExit(77)\n"
    for name in NAMES:
        (at / name).mkdir()
        (at / name / "__init__.py").write_text(tell)
    for name in LIBRARIES:
        (at / f"{name}.py").write_text(tell)
    offer = at / "evil-1.0.dist-info"
    offer.mkdir()
    (offer / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (offer / "entry_points.txt").write_text("[autolearn.models]\nevil = cli:Model\n")
    return at


def autolearn(folder: Path, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {"AUTOLEARN_DATA": str(data), "NO_COLOR": "1"}
    if (data / "url").exists():
        own["AUTOLEARN_URL"] = (data / "url").read_text()
    return subprocess.run(
        [str(SCRIPT), *arguments],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def ran(folder: Path) -> list[str]:
    file = folder.with_name("ran")
    return file.read_text().splitlines() if file.exists() else []


def test_no_code_of_the_folder_is_run_by_backend_task_or_inspection(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    up = autolearn(folder, data, "up", "--detach", "--port", "0")
    assert (up.returncode, ran(folder)) == (0, []), up.stderr
    try:
        (data / "url").write_text(up.stderr.partition(" at ")[2].partition(" (")[0])
        for words in (
            ("train", "iris", "naive-bayes", "--evaluate"),
            ("commit",),
            ("verify",),
            ("replay", "--as-of", "@1"),
            ("rebuild",),
            ("verify", "--data", str(data)),
            ("catalog", "models"),
        ):
            done = autolearn(folder, data, *words)
            assert (done.returncode, ran(folder)) == (0, []), f"{words}: {done.stderr}"
            assert "evil" not in done.stdout
    finally:
        assert autolearn(folder, data, "down").returncode == 0


@pytest.mark.slow
def test_no_code_of_the_folder_is_run_by_the_demo(folder: Path, tmp_path: Path) -> None:
    done = autolearn(folder, tmp_path / "data", "demo")
    assert (done.returncode, ran(folder)) == (0, []), done.stderr


@pytest.mark.parametrize("path", [os.pathsep, ".", "foreign"])
def test_an_import_path_that_names_the_folder_without_its_place_is_not_passed_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(folder.parent if path == "foreign" else folder)
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("AUTOLEARN_SLOTS", "0")  # refused as soon as its settings are read
    with pytest.raises(Exception, match="AUTOLEARN_SLOTS"):
        start_backend(tmp_path / "data", 0)
    assert ran(folder) == []


def test_absolute_folders_of_the_import_path_stay(tmp_path: Path) -> None:
    given = os.pathsep.join(["", str(tmp_path), "relative", str(tmp_path / "other")])
    environment = child_environment({"PYTHONPATH": given, "HOME": "here"})
    kept = os.pathsep.join([str(tmp_path), str(tmp_path / "other")])
    assert environment == {"PYTHONPATH": kept, "HOME": "here", "PYTHONSAFEPATH": "1"}
