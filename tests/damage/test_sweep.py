"""A sample of the sweep (`make sweep` runs all of it): what is changed is found, or changes nothing that is served."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.damage import installation
from tests.damage.__main__ import bits_of
from tests.damage.bits import Flipping, files_of
from tests.damage.served import SCHEMAS
from tests.damage.values import all_changes, sweep_values
from tests.damage.verifying import whole

BITS_OF_A_FILE = 50
VALUES = 120


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data directory."""
    return installation.make(tmp_path_factory.mktemp("rest") / "data")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that a killed backend left."""
    return installation.make(tmp_path_factory.mktemp("killed") / "data", killed=True)


def sample(data: Path, file: str) -> list[int]:
    """Choose the same bits each time."""
    bits = bits_of(data, file)
    return random.Random(file).sample(bits, min(len(bits), BITS_OF_A_FILE))  # noqa: S311 - places, not secrets


def test_untouched_they_have_no_fault(at_rest: Path, killed: Path) -> None:
    assert whole(at_rest) is None
    assert whole(killed) is None


def test_a_flipped_bit_is_found_or_without_effect(at_rest: Path) -> None:
    files = files_of(at_rest)
    assert {*SCHEMAS, "master.key", "credentials.json", "format.json", "receipts.json"} < set(files)
    for file in files:
        outcome = Flipping(at_rest).flip(file, sample(at_rest, file))
        assert outcome.missed == []
        assert outcome.counts[file, "found"] >= BITS_OF_A_FILE // 3  # pages have bytes that nothing uses


def test_what_fills_a_gap_is_without_effect(at_rest: Path) -> None:
    for file in SCHEMAS:
        outcome = Flipping(at_rest).fill_gaps(file)
        assert set(outcome.counts) == {(f"{file}, gap", "without effect")}


def test_a_flipped_bit_of_a_write_ahead_log_is_found(killed: Path) -> None:
    for file in SCHEMAS:
        outcome = Flipping(killed).flip(f"{file}-wal", sample(killed, f"{file}-wal"))
        assert outcome.missed == []
        assert outcome.counts[f"{file}-wal", "found"] >= BITS_OF_A_FILE // 2


def test_a_changed_value_is_found_or_without_effect(at_rest: Path) -> None:
    changes = sum(1 for _ in all_changes(at_rest))
    outcome = sweep_values(at_rest, every=max(1, changes // VALUES))
    assert outcome.missed == []
    assert sum(count for (_, verdict), count in outcome.counts.items() if verdict == "found") > VALUES // 3
