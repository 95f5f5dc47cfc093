"""A package unknown to AutoLearn is installed; after a restart its model and measure are in the catalog and work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.place import Place, Shell
from tests.plugin_package.installed import installed


def test_a_plugin_appears_after_a_restart(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = place.start()
    assert shell("catalog", "models", "nearest-middle", code=5).problem["type"] == "not-found"
    place.stop()
    monkeypatch.setenv("PYTHONPATH", str(installed(tmp_path)))
    shell = place.start()
    offered(shell)
    trained = shell("train", "wine", "nearest-middle", "--seed", "3").json
    assert (trained["state"], trained["model"]["name"]) == ("completed", "nearest-middle")
    assert next(iter(shell("evaluate", "-m", "hit-count").json["measures"].values())) > 0
    assert shell("catalog", "models", "middle-number").json["tasks"] == ["regression"]
    assert "nearest-middle" in shell("train", "wine", "middle-number", code=2).problem["allowed"]
    number = shell("train", "wine", "middle-number", "--target", "hue").json["experiment"]
    assert shell("evaluate", "-m", "largest-miss").json["measures"]["largest-miss"] > 0
    assert shell("commit").json["experiments"] == [trained["experiment"], number]
    assert shell("reproduce", trained["experiment"]).json["verdict"] == "bit-identical"


def offered(shell: Shell) -> None:
    """Wait until the new offers are there: a later start serves at once and describes meanwhile."""
    for _ in range(200):
        if shell("catalog", "models", "nearest-middle", code=None).code == 0:
            return
    pytest.fail("the plug-in's model was never offered")
