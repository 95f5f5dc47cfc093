"""The as-of bar: where in the log a page stands, and what to slide along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTH = 1000  # of the drawing under the slider, in its own units


@dataclass(frozen=True, slots=True)
class Mark:
    """A commit under the slider."""

    position: int
    at: str
    session: str
    place: float


@dataclass(frozen=True, slots=True)
class AsOfBar:
    """Positions of the log: the one that the page shows with its time and chain hash, the last one, and marks."""

    position: int
    at: str | None
    head: str
    end: int
    asked: str | None
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, body: dict[str, Any], asked: str | None) -> AsOfBar:
        end = int(body["end"])
        marks = tuple(
            Mark(it["position"], it["at"], it["session"], round(it["position"] / max(end, 1) * WIDTH, 1))
            for it in body.get("marks", [])
        )
        return cls(int(body["position"]), body.get("at"), str(body.get("head", "")), end, asked, marks)

    @property
    def is_past(self) -> bool:
        return self.asked is not None
