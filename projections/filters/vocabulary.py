"""What names in a filter mean: a column, then a measure, then a setting; several meanings are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import AmbiguousNameError, FilterError
from domain.lookup import nearest_names
from projections.catalog import ALL, NAMES, NO_NAMES
from projections.filters.columns import COLUMNS, HistoryColumn, Kind
from projections.ports import Documents

ALIASES = {"at": "committed_at"}
THRESHOLD = r"(t[\d.e-]+|best-f1)"
HOW = re.compile(rf"cv\d+(x\d+)?(/{THRESHOLD})?(\.std)?|loo(/{THRESHOLD})?|{THRESHOLD}", re.ASCII)
"""How a measure was computed, in its identity: on folds, with a threshold; and the spread of the folds."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names known at a position: measures with their averages (`{default, averages}`), settings, data sets; columns."""

    measures: dict[str, dict[str, Any]]
    settings: frozenset[str]
    datasets: frozenset[str]
    columns: Mapping[str, HistoryColumn] = field(default_factory=lambda: COLUMNS)

    def resolve(self, name: str, place: int) -> str:
        """Return the explicit name (`model`, `measure.precision:macro`, `setting.C`).

        Raises FilterError with the place and the nearest names, AmbiguousNameError with the candidates.
        """
        kind, _, rest = name.partition(".")
        if kind == "setting" and rest in self.settings:
            return name
        if kind == "measure" and rest and (known := self._identity(rest)):
            return f"measure.{known}"
        column = name if name in self.columns else ALIASES.get(name, name)
        if column in self.columns:
            return column
        return self._bare(name, place)

    def kind_of(self, name: str) -> Kind | None:
        """Return what values an explicit name has; None: of any kind, as settings have."""
        return self.columns[name].kind if name in self.columns else "number" if name.startswith("measure.") else None

    def _bare(self, name: str, place: int) -> str:
        measure = self._identity(name)
        if measure and name in self.settings:
            candidates = [f"measure.{measure}", f"setting.{name}"]
            raise AmbiguousNameError(
                f"{name!r} is a measure and a setting: say {' or '.join(candidates)}.", candidates=candidates
            )
        if measure:
            return f"measure.{measure}"
        if name in self.settings:
            return f"setting.{name}"
        near = nearest_names(name, self._all_names())
        hint = f" Nearest: {', '.join(near)}." if near else ""
        known = "a column, measure or setting" if self.columns is COLUMNS else f"one of {', '.join(self.columns)}"
        sentence = f"{name!r} (character {place + 1}) is not {known}.{hint}"
        raise FilterError(sentence, place=place, expected=near, nearest=near)

    def _identity(self, name: str) -> str | None:
        """Complete a measure's identity by its default average; None where no such measure can have been computed."""
        bare, at, dataset = name.partition("@")
        plain, slash, how = bare.partition("/")
        measure, colon, average = plain.partition(":")
        known = self.measures.get(measure)
        if known is None or (at and dataset not in self.datasets) or (slash and not HOW.fullmatch(how)):
            return None
        if colon and average not in known["averages"]:
            return None
        chosen = average or known["default"]
        return measure + (f":{chosen}" if chosen else "") + slash + how + at + dataset

    def _all_names(self) -> Iterable[str]:
        explicit = [f"measure.{name}" for name in self.measures] + [f"setting.{name}" for name in self.settings]
        averages = [f"{name}:{average}" for name, known in self.measures.items() for average in known["averages"]]
        return sorted({*self.columns, *self.measures, *self.settings, *explicit, *averages})


def vocabulary_at(documents: Documents, at: int | None) -> Vocabulary:
    """Return the names known at a position, those of withdrawn and retired things too."""
    document = documents.get(NAMES, ALL, at)
    names = document.body if document else NO_NAMES
    return Vocabulary(names["measures"], frozenset(names["settings"]), frozenset(names["datasets"]))
