"""Ingest of a file, a text or bytes, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from adapters.learning.tables.ingest import ingest
from domain.dataset import DatasetContent

FEW = "Classes with one row only: a, b. Such rows go into the training part."
TABLES = Path(__file__).parents[1] / "tables"


@dataclass
class Found:
    """What was found, and the stored table."""

    facts: dict[str, Any]
    table: dict[str, list[Any]]

    @property
    def columns(self) -> dict[str, str]:
        return dict(self.facts["columns"])

    @property
    def reading(self) -> dict[str, Any]:
        return dict(self.facts["reading"])

    @property
    def notes(self) -> str:
        """What may surprise; that classes of these short tables have one row aside."""
        return "\n".join(note for note in self.facts["notes"] if note != FEW)


Read = Callable[..., Found]


def reader(blobs: Any, folder: Path) -> Read:
    """Return a function that ingests a file, a text or bytes."""

    def read_table(content: Path | str | bytes, target: str = "cls", kind: str = "csv", **given: Any) -> Found:
        path = content if isinstance(content, Path) else folder / "upload"
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        packed = path.read_bytes()[:2] == b"\x1f\x8b"
        facts = {"path": str(path), "format": kind, "gzip": packed, "target": target, "given": given}
        found = ingest(facts, blobs)
        assert blobs.sweep() == 0, "nothing is left in scratch"
        DatasetContent.model_validate(found | {"target": target})
        with blobs.open(found["blob"]["sha256"]) as file:
            return Found(found, pq.read_table(file).to_pydict())

    return read_table


def table(name: str) -> Path:
    return TABLES / f"{name}.csv"


def at(*numbers: int) -> datetime:
    """Return a moment as tables have it: without zone."""
    return datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001


def rows(*values: str, name: str = "x", separator: str = ",") -> str:
    """Return a file with a column of these values beside two classes."""
    lines = [f"{value}{separator}{'ab'[place % 2]}" for place, value in enumerate(values)]
    return "\n".join([f"{name}{separator}cls", *lines, ""])
