"""What the page about Python and the notebook show works, in the order of the page, in a process of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autolearn.backend
from tests.client.conftest import own_backend
from tests.house.tracked import ROOT

PAGE, NOTEBOOK = ROOT / "docs/python.md", ROOT / "examples/notebook.ipynb"
SECONDS = 280


def snippets() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def cells() -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.slow
@pytest.mark.parametrize("codes", [snippets(), cells()], ids=["page", "notebook"])
def test_what_is_shown_works(tmp_path: Path, codes: list[str]) -> None:
    assert len(codes) > 5
    shutil.copy(ROOT / "examples/penguins.csv", tmp_path)
    with own_backend(tmp_path / "data") as shell:
        done = subprocess.run(
            [sys.executable, ROOT / "tests/client/cells.py"],
            input=json.dumps(codes),
            cwd=tmp_path,
            env=shell.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("<table>") > 3


def test_the_notebook_has_no_outputs_of_anybody() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert [cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")] == []


def test_the_page_names_every_method() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE.read_text(encoding="utf-8").rpartition("## All methods")[2]))
    methods = {name for name in dir(autolearn.backend.Backend) if not name.startswith("_")} - {"client"}
    assert methods - named == set()
    assert {name for name in named if name not in methods} == set()
