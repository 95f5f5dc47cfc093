"""A data directory of release 0.1.0: its answers, its proofs and its trainings hold under today's code.

`tests/golden/installation-0.1.0.tar.xz` was written by that release's own commands, and is never written anew. Eight
trainings on iris and penguins were committed at position 86, three more (on the second version of penguins and on
breast-cancer, too) at 113; `history-at-*.json` are what it answered then. Later penguins was retired, and a training on
wine left uncommitted.
"""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.place import Place, Shell

pytestmark = pytest.mark.timeout(300)

PACKED = Path(__file__).parents[1] / "golden" / "installation-0.1.0.tar.xz"
ANCHORS = {
    "86:e02ff2299fe6b3c154fc18368397351eae0768ce3b64b426d9fc15b89e67ced2":
        "19:33dd1dac5b2423fc113e32b0e97d65953ef35177250f5fe6940bb95e09767431",
    "113:59836bf391a8e40e9b5eef86d42346b8e506469699d82a9b08726803ae5dea54":
        "32:19588878f2a665ef9fc845475e0f7cbeab072bd0c0563daa71c326105176ec07",
}  # fmt: skip
ENDS = (86, 113)
PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
ROWS = list(csv.DictReader(PENGUINS.read_text(encoding="utf-8").splitlines()))

Histories = dict[int, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Histories]]:
    """A backend of today on that directory, and the histories as that release answered them."""
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    then = {end: json.loads((folder / f"history-at-{end}.json").read_bytes())["experiments"] for end in ENDS}
    place = Place(folder / "installation")
    try:
        yield place.start(), then
    finally:
        place.stop()


@pytest.mark.parametrize("anchor", ANCHORS)
def test_it_verifies_against_the_receipts_of_then(older: tuple[Shell, Histories], anchor: str) -> None:
    shell, _ = older
    found = shell("verify", "--anchor", anchor, "--audit-anchor", ANCHORS[anchor]).json
    assert (found["ok"], found["faults"]) == (True, [])


@pytest.mark.parametrize("end", ENDS)
def test_it_answers_as_of_then_what_was_answered_then(older: tuple[Shell, Histories], end: int) -> None:
    shell, then = older
    assert shell("replay", "--as-of", f"@{end}").json["matches_read_models"]
    now = shell("history", "--as-of", f"@{end}").json["experiments"]
    assert [{key: row[key] for key in before} for row, before in zip(now, then[end], strict=True)] == then[end]
    assert {(row["target"], row["columns"]) for row in now} == {(None, None)}


def test_its_data_sets_say_what_was_always_so(older: tuple[Shell, Histories]) -> None:
    shell, _ = older
    shell("catalog", "datasets", "penguins", code=5)
    penguins = shell("catalog", "datasets", "penguins@1", "--as-of", "@113").json
    assert (penguins["rows"], [it["version"] for it in penguins["versions"]]) == (344, [1, 2])
    assert (penguins["task"], penguins["positive"], penguins["reading"]) == ("classification", None, None)
    assert shell("catalog", "datasets", "breast-cancer").json["positive"] == "malignant"
    shown = shell("dataset", "show", "breast-cancer", "--rows", "2").json
    assert (shown["profile"], shown["note"]) == (None, "Version 1 has no profile: release 0.1.0 made none.")


def test_every_training_is_reproduced_by_the_rules_of_then(older: tuple[Shell, Histories]) -> None:
    """That release did not record for which processor the BLAS computes; another one rounds otherwise."""
    shell, then = older
    for row in then[ENDS[-1]]:
        found = shell("reproduce", row["experiment"]).json
        is_told = any(sentence.startswith("blas was not recorded") for sentence in found["differences"])
        assert found["verdict"] == ("metric-equal" if is_told else "bit-identical"), found


def test_its_models_predict_and_say_what_they_do_not_know(older: tuple[Shell, Histories]) -> None:
    shell, then = older
    on_penguins = [row["experiment"] for row in then[86] if row["dataset"]["name"] == "penguins"]
    assert on_penguins
    for experiment in on_penguins:
        found = shell("predict", experiment, str(PENGUINS)).json
        wrong = [it for it, row in zip(found["predictions"], ROWS, strict=True) if it["prediction"] != row["species"]]
        assert len(wrong) < len(ROWS) / 5  # naive Bayes of then let one wide column drown the others
        assert "it cannot tell which values are beyond the range of its training" in found["notes"][-1]


def test_it_is_evaluated_rebuilt_and_verified(older: tuple[Shell, Histories]) -> None:
    shell, then = older
    measured = [it for it in then[ENDS[-1]] if it["measures"]]
    refused = shell("report", measured[0]["experiment"], code=6)
    assert "has no report: it was evaluated by a release that made none" in refused.problem["detail"]
    for row in measured:
        names = [part for name in row["measures"] for part in ("-m", name)]
        assert shell("evaluate", row["experiment"], *names).json["measures"] == row["measures"]
        assert shell("report", row["experiment"]).json["rows"] > 0
    before = shell("history").json["experiments"]
    shell("rebuild", "--all")
    assert shell("history").json["experiments"] == before
    assert shell("verify").json["faults"] == []


def test_it_is_trained_on_and_committed_to(older: tuple[Shell, Histories]) -> None:
    shell, _ = older
    assert "wine" in {it["dataset"]["name"] for it in shell("session").json["experiments"]}
    new = shell("train", "wine@1", "decision-tree", "--seed", "7", "--drop", "ash,hue", "--target", "cultivar").json
    assert (new["target"], "ash" in new["columns"], new["learned"]["features"]) == ("cultivar", False, 11)
    assert shell("reproduce", new["experiment"]).json["verdict"] == "bit-identical"
    assert new["experiment"] in shell("commit").json["experiments"]
