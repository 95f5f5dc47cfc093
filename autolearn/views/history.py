"""The history as a table: of settings and measures first those that the question names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autolearn.text_table import NO_VALUE
from autolearn.views import (
    Block,
    Facts,
    count_warnings,
    format_settings,
    measure_columns,
    name_and_version,
    name_of,
    origin_of,
    positive_of,
)

QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
NAME = re.compile(r"[\w.:@/-]+")
AVERAGE = re.compile(r":[a-z]+")


def names_in(where: str | None, sort: str | None) -> set[str]:
    """Return the words of a filter that are not quoted, and the sort key; some of them name measures or settings."""
    words = [*NAME.findall(QUOTED.sub(" ", where or "")), (sort or "").removeprefix("-")]
    return {word.removeprefix("setting.").removeprefix("measure.") for word in words}


def history_blocks(asked: set[str], body: Facts) -> list[Block]:
    """Show the settings and measures that the question names first: the last columns are left out for lack of room."""
    experiments = body.get("experiments", [])
    settings = sorted({name for it in experiments for name in it.get("settings") or {} if name in asked})
    rows = zip(experiments, measure_columns(experiments), strict=True)
    return [[_row(it, measures, settings, asked) for it, measures in rows]]


def _row(it: Facts, measures: Facts, settings: Sequence[str], asked: set[str]) -> Facts:
    row = {"experiment": it.get("experiment"), "committed": it.get("committed_at"), "model": name_of(it.get("model"))}
    row["dataset"] = name_and_version(it.get("dataset"))
    taken = row | measures
    spread = {f"{name}.std": value for name, value in (it.get("spread") or {}).items()}
    values = {name: (it.get("settings") or {}).get(name, NO_VALUE) for name in settings}
    row |= {f"setting.{name}" if name in taken else name: value for name, value in values.items()}
    row |= {
        name: value for name, value in measures.items() if {name, AVERAGE.sub("", name), name.partition(":")[0]} & asked
    }
    row |= {name: value for name, value in spread.items() if {AVERAGE.sub("", name), name} & asked}
    origin = origin_of(it)
    row |= {name: value for name, value in origin.items() if name in asked}
    row |= measures | positive_of(it) | {"actor": it.get("actor")}
    row |= ({"tried": it["tried"]} if it.get("tried") else {}) | origin
    row |= {"settings": format_settings(it.get("settings"))}
    row |= count_warnings(it)
    return row | ({"withdrawn": True} if it.get("withdrawn") else {})
