"""Flips bits of the files of a data directory, one at a time: each is found, or nothing that is served changes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.damage.pages import gaps
from tests.damage.served import served
from tests.damage.verifying import first_fault


@dataclass
class Outcome:
    """How many flips of which file were found, or were without effect; and those that were neither, by file and bit."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: list[tuple[str, int]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in what another process saw."""
        self.counts += other.counts
        self.missed += other.missed


class Flipping:
    """One data directory that is harmed and mended again and again."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._true: dict[str, Any] = {}

    def flip(self, file: str, bits: Iterable[int]) -> Outcome:
        """Flip each of these bits of a file."""
        outcome, path = Outcome(), self._data / file
        before = self._true.setdefault(file, served(self._data, file))
        path.chmod(0o600)
        for bit in bits:
            with flipped(path, bit):
                verdict = self._verdict(file, before)
            outcome.counts[file, verdict] += 1
            if verdict == "missed":
                outcome.missed.append((file, bit))
        return outcome

    def fill_gaps(self, file: str) -> Outcome:
        """Overwrite each gap of a database file as a whole: nothing reads it, so no bit of it matters."""
        outcome, path = Outcome(), self._data / file
        before, content = served(self._data, file), path.read_bytes()
        for gap in gaps(path):
            for filling in (b"\xff", b"\x00", b"\x55", b"\xaa"):
                path.write_bytes(content[: gap.start] + filling * len(gap) + content[gap.stop :])
                outcome.counts[f"{file}, gap", self._verdict(file, before)] += 1
        path.write_bytes(content)
        return outcome

    def _verdict(self, file: str, before: Any) -> str:
        if served(self._data, file) == before:
            return "without effect"
        return "missed" if first_fault(self._data, file) is None else "found"


class flipped:  # noqa: N801 - reads as what it is
    """The file with one bit changed; afterwards it is as before."""

    def __init__(self, path: Path, bit: int) -> None:
        self._path, self._place, self._mask = path, bit // 8, 1 << bit % 8

    def __enter__(self) -> None:
        self._change()

    def __exit__(self, *_: object) -> None:
        self._change()

    def _change(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR)
        try:
            (byte,) = os.pread(descriptor, 1, self._place)
            os.pwrite(descriptor, bytes([byte ^ self._mask]), self._place)
        finally:
            os.close(descriptor)


def files_of(data: Path) -> list[str]:
    """Return all files of a data directory that are not empty, the small ones first."""
    found = [path for path in data.rglob("*") if path.is_file() and path.stat().st_size and path.suffix != ".db-shm"]
    return [str(path.relative_to(data)) for path in sorted(found, key=lambda it: it.stat().st_size)]
