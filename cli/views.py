"""How tasks and experiments are shown to people; scripts get the whole objects."""

from __future__ import annotations

from typing import Any

from cli.cells import cell
from cli.output import Block, Facts, View

FAILED = ("failed", "cancelled")
HIDDEN = ("measures", "learned", "attempt")
EXPECTED = {"standing": "uncommitted", "withdrawn": False}  # worth a line only where it is not so
SHOWN_OF_SETTINGS = 48
MOST_OF_A_LIST, BEGINNING_OF_A_LIST = 12, 3


def named(thing: Any) -> Any:
    """Return the name (and version) of a model or data set in an answer."""
    if not isinstance(thing, dict):
        return thing
    return thing.get("name")


def numbered(thing: Any) -> Any:
    """Return name and version of a data set: `iris v1`."""
    version = thing.get("version") if isinstance(thing, dict) else None
    return f"{named(thing)} v{version}" if version else named(thing)


def briefly(facts: Facts) -> Facts:
    """Return facts whose long lists are cut: `200 classes: a, b, c, …`."""
    return {name: _brief(name, value) if isinstance(value, list) else value for name, value in facts.items()}


def _brief(name: str, values: list[Any]) -> Any:
    if len(values) <= MOST_OF_A_LIST:
        return values
    return f"{len(values)} {name}: {', '.join(map(cell, values[:BEGINNING_OF_A_LIST]))}, …"


def explained(error: Any) -> Any:
    """Return the reason and detail of a failure in one text."""
    if not isinstance(error, dict):
        return error
    return ": ".join(str(error[key]) for key in ("reason", "detail") if error.get(key))


def task_blocks(body: Facts) -> list[Block]:
    """Show a training, evaluation or reproduction, its measures as a table."""
    facts = {key: value for key, value in body.items() if key not in HIDDEN and value not in (None, {}, [])}
    facts = {key: value for key, value in facts.items() if key not in EXPECTED or EXPECTED[key] != value}
    facts |= {key: named(value) for key, value in facts.items() if key == "model"}
    facts |= {key: numbered(value) for key, value in facts.items() if key in ("dataset", "on")}
    facts |= {key: explained(value) for key, value in facts.items() if key == "error"}
    return [facts, measure_rows(body.get("measures"))]


def measure_rows(measures: Any) -> list[Facts]:
    """Show measures, one per line."""
    return [{"measure": name, "value": shown_measure(value)} for name, value in (measures or {}).items()]


def shown_measure(value: Any) -> Any:
    """Return a number as it is, and of anything else (a confusion matrix) its rows."""
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        return " / ".join(" ".join(map(str, row)) for row in value)
    return value


def short_settings(settings: Any) -> str:
    """Return settings as `C=1, penalty=l2`, as far as a row of a table has room for them."""
    text = cell(settings or {})
    return text if len(text) <= SHOWN_OF_SETTINGS else text[: SHOWN_OF_SETTINGS - 1] + "…"


def experiment_row(it: Facts) -> Facts:
    """Return one experiment as a row, whatever it is part of."""
    row = {"experiment": it.get("experiment"), "state": it.get("state"), "model": named(it.get("model"))}
    row |= {"dataset": numbered(it.get("dataset")), "settings": short_settings(it.get("settings"))}
    return row | {name: value for name, value in (it.get("measures") or {}).items() if isinstance(value, int | float)}


TASK = View(task_blocks)
