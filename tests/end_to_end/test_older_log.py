"""An installation of release 0.1.0, as it was left: read, asked about its past, verified, rebuilt, reproduced, used on.

It was made with that release's own commands; the numbers below are what it answered.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.place import Place, Shell

GOLDEN = Path(__file__).parents[1] / "golden" / "installation-0.1.0.tar.xz"
END = 55
ANCHOR = "49:e397c65bd517e5904c613e6cd8208ffe3aa621d567c5b7cf54bd407529e324ce"
AUDIT_ANCHOR = "11:f0f5fc8c30960a06ed5cbd2308822c298189d428808f21afc837df87487aec64"
ON_IRIS, ON_CANCER, ON_PENGUINS = "67fymylqgdl66zcs", "quen5grkpwwerbzg", "aq5mxmaabxdbih4s"
MEASURES: dict[str, dict[str, Any]] = {
    ON_PENGUINS: {"precision:macro": 1.0},
    ON_CANCER: {
        "precision:binary": 0.9215686274509803,
        "recall:binary": 0.8867924528301887,
        "confusion-matrix": [[86, 4], [6, 47]],
    },
    ON_IRIS: {"precision:macro": 0.9743589743589745, "recall:macro": 0.9743589743589745},
}


@pytest.fixture
def older(place: Place) -> Shell:
    place.data.mkdir(mode=0o700)
    with tarfile.open(GOLDEN) as packed:
        packed.extractall(place.data, filter="data")
    for path in place.data.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return place.start()


def test_an_installation_of_the_release_before_is_served_as_it_was(older: Shell) -> None:
    now = older("history").json
    assert {it["experiment"]: it["measures"] for it in now["experiments"]} == MEASURES
    assert [(it["dataset"]["name"], it["dataset"]["version"]) for it in now["experiments"]] == [
        ("penguins", 2), ("breast-cancer", 1), ("iris", 1),
    ]  # fmt: skip
    then = older("history", "--as-of", "@39").json
    assert [it["experiment"] for it in then["experiments"]] == [ON_CANCER, ON_IRIS]
    assert older("catalog", "datasets", "penguins", code=5).code == 5
    penguins = older("catalog", "datasets", "penguins@1", "--as-of", "@39").json
    assert (penguins["rows"], [it["version"] for it in penguins["versions"]]) == (344, [1, 2])
    assert (penguins["task"], penguins["positive"], penguins["reading"]) == ("classification", None, None)
    assert older("catalog", "datasets", "breast-cancer").json["positive"] == "malignant"


def test_it_is_verified_rebuilt_and_reproduced(older: Shell) -> None:
    assert older("verify", "--anchor", ANCHOR, "--audit-anchor", AUDIT_ANCHOR).json["faults"] == []
    assert older("replay", "--as-of", "@39").json["matches_read_models"]
    older("rebuild", "--all")
    assert older("history", "--as-of", f"@{END}").json["experiments"] == older("history").json["experiments"]
    for experiment in (ON_IRIS, ON_CANCER, ON_PENGUINS):
        assert older("reproduce", experiment).json["verdict"] in {"bit-identical", "metric-equal"}
    assert older("evaluate", ON_CANCER, "-m", "recall:binary").json["measures"] == {
        "recall:binary": MEASURES[ON_CANCER]["recall:binary"]
    }
    assert older("verify").json["faults"] == []


def test_it_goes_on(older: Shell) -> None:
    session = older("session").json
    assert [it["dataset"]["name"] for it in session["experiments"]] == ["wine"]
    older("train", "iris@1", "decision-tree", "--seed", "3", "--evaluate")
    assert len(older("commit").json["experiments"]) == 2
