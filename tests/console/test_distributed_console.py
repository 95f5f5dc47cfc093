"""The console before a distributed backend: its pages answer and show what the command line says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.console.conftest import console_for
from tests.end_to_end.fleet import fleet_on
from tests.end_to_end.place import Place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

OK = 200


def test_the_pages_show_what_the_command_line_says(kafka: str, mongodb: str, tmp_path: Path) -> None:
    with fleet_on(tmp_path, kafka, mongodb) as fleet:
        fleet.start_all()
        shell = fleet.client("ana", "analyst", "sys-admin")
        shell("train", "iris", "svm", "--evaluate", "--commit", "--message", "first")
        committed = shell("history").json["experiments"]
        positions = shell("positions").json
        trainings = shell("log", "--operation", "POST /trainings").json["communications"]
        with console_for(Place(tmp_path), shell) as console, console.client() as client:
            home, history, log, time_machine = (
                client.get(path)
                for path in ("/", "/history", "/log?operation=POST+/trainings", "/time-machine?replay=1")
            )
    assert [it.status_code for it in (home, history, log, time_machine)] == [OK] * 4
    assert len(committed) == 1
    for page in (home, history, time_machine):
        assert committed[0]["experiment"] in page.text
    assert re.findall(r'<tr><td class="number">(\d+)</td>', log.text) == [str(it["position"]) for it in trainings]
    assert f"{positions['position']}:{positions['head']}" in time_machine.text
    assert "The read models say the same." in time_machine.text
