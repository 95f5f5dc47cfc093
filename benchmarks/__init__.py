"""Benchmarks: modules offer `measure() -> Iterable[Figure]`; `make bench` runs them and fills docs/benchmarks.md."""

from __future__ import annotations

import operator
from dataclasses import dataclass

COMPARE = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: what was measured, a value in its unit, the goal (`<= 60`, `>= 4000` or empty), a remark.

    A ratio to a peer is a figure of its own with unit `x`, both sides measured in the same run.
    """

    what: str
    value: float
    unit: str
    goal: str = ""
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None where there is no goal."""
        if not self.goal:
            return None
        sign, number = self.goal.split()
        return bool(COMPARE[sign](self.value, float(number.replace(",", ""))))
