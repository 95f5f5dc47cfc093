"""A data directory of an earlier release: its answers, its proofs and its trainings hold under today's code.

`tests/golden/directories/release-1.tar.xz` was written by the release that had `training-requested.v1`: nine trainings
on iris and penguins, eight of them committed at position 86. It is never written anew.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.place import Place, Shell

pytestmark = pytest.mark.timeout(300)

PACKED = Path(__file__).parents[1] / "golden" / "directories" / "release-1.tar.xz"
ANCHOR = "86:e02ff2299fe6b3c154fc18368397351eae0768ce3b64b426d9fc15b89e67ced2"
AUDIT_ANCHOR = "19:33dd1dac5b2423fc113e32b0e97d65953ef35177250f5fe6940bb95e09767431"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, list[dict[str, Any]]]]:
    """A backend of today on that directory, and the history as that release answered it."""
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    then = json.loads((folder / "release-1" / "history-at-86.json").read_bytes())["experiments"]
    place = Place(folder / "release-1")
    try:
        yield place.start(), then
    finally:
        place.stop()


def test_it_verifies_against_the_receipt_of_then(older: tuple[Shell, Any]) -> None:
    shell, _ = older
    found = shell("verify", "--anchor", ANCHOR, "--audit-anchor", AUDIT_ANCHOR).json
    assert (found["ok"], found["faults"]) == (True, [])
    assert shell("replay", "--as-of", "@86").json["matches_read_models"]


def test_it_answers_as_of_then_what_was_answered_then(older: tuple[Shell, list[dict[str, Any]]]) -> None:
    shell, then = older
    now = shell("history", "--as-of", "@86").json["experiments"]
    assert [{key: row[key] for key in before} for row, before in zip(now, then, strict=True)] == then
    assert {(row["target"], row["columns"]) for row in now} == {(None, None)}


def test_every_training_is_reproduced_by_the_rules_of_then(older: tuple[Shell, list[dict[str, Any]]]) -> None:
    """Another processor or library may compute other last digits, and then the verdict says so."""
    shell, then = older
    here = machine_of(shell, shell("train", "iris", "naive-bayes").json["experiment"])
    for row in then:
        found = shell("reproduce", row["experiment"]).json
        is_same = machine_of(shell, row["experiment"]) == here
        assert found["verdict"] in ("bit-identical", "bit-identical" if is_same else "metric-equal"), found


def machine_of(shell: Shell, experiment: str) -> list[str]:
    provenance = shell("show", experiment).json["provenance"]
    return [provenance[name] for name in ("python", "scikit-learn", "numpy", "pandas", "cpu")]


def test_it_is_evaluated_and_trained_on(older: tuple[Shell, list[dict[str, Any]]]) -> None:
    shell, then = older
    for row in then:
        again = shell("evaluate", row["experiment"], *(part for name in row["measures"] for part in ("-m", name))).json
        assert again["measures"] == row["measures"]
    new = shell("train", "penguins", "decision-tree", "--seed", "7", "--drop", "sex,island", "--target", "species").json
    assert (new["target"], "sex" in new["columns"], new["learned"]["features"]) == ("species", False, 5)
    assert shell("reproduce", new["experiment"]).json["verdict"] == "bit-identical"
