"""Results in the four formats of `-o`: table, json, jsonl, csv."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.host.printable import visible, visible_json, visible_lines
from cli.table import Style, format_facts, format_table

# A spreadsheet takes a cell that starts like this for a formula, the full-width signs included; where `;` separates
# cells, what follows one is a cell of its own.
FORMULA = re.compile(r"(^|;)(?=[\s\"'`]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")

Facts = dict[str, Any]
Block = Facts | Sequence[Facts] | str  # facts are shown as one line each, a sequence of facts as a table, text whole


def non_empty_facts(body: Facts) -> list[Block]:
    """Show every fact of an object in a line of its own, but no empty ones."""
    return [{name: value for name, value in flatten(body).items() if value not in (None, [], {})}]


@dataclass(frozen=True, slots=True)
class View:
    """How an object is shown: `blocks` for people; `rows` names or makes the list that is the rows of jsonl and csv."""

    blocks: Callable[[Facts], Sequence[Block]] = non_empty_facts
    rows: str | Callable[[Facts], list[Facts]] | None = None
    csv_rows: Callable[[Facts], list[Facts]] | None = None  # where csv needs other rows: no list fits in a cell

    def rows_of(self, body: Facts) -> list[Facts]:
        if callable(self.rows):
            return self.rows(body)
        return list(body.get(self.rows, [])) if self.rows else [body]


def render(body: Facts, form: str, view: View, style: Style) -> tuple[str, list[str]]:
    """Return the text of a result, and the columns that found no room."""
    if form == "json":
        return as_json(body, 2), []
    if form == "jsonl":
        return "\n".join(map(as_json, view.rows_of(body))), []
    if form == "csv":
        return _as_csv([flatten(row) for row in (view.csv_rows or view.rows_of)(body)]), []
    parts: list[str] = []
    left_out: list[str] = []
    for block in view.blocks(body):
        if not block:
            continue
        if isinstance(block, str):
            lines = visible_lines(block).splitlines()
        elif isinstance(block, dict):
            lines = format_facts(block, style)
        else:
            lines, names = format_table(list(block), style)
            left_out += names
        parts.append("\n".join(lines))
    return "\n\n".join(parts), left_out


def as_json(value: Any, indent: int | None = None) -> str:
    return visible_json(json.dumps(value, indent=indent, ensure_ascii=False))


def flatten(value: Facts, prefix: str = "") -> Facts:
    """Return nested dictionaries as one, keys joined by dots."""
    columns: Facts = {}
    for key, item in value.items():
        columns |= flatten(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return columns


def _as_csv(rows: Sequence[Facts]) -> str:
    import csv  # noqa: PLC0415 - only where it is asked for
    import io  # noqa: PLC0415 - likewise

    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(map(_csv_cell, names))
    writer.writerows([_csv_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().rstrip("\n")


def _csv_cell(value: Any) -> Any:
    """Return numbers whole, nothing for null, lists and objects as JSON, and no formula."""
    if isinstance(value, list | tuple | dict):
        value = as_json(value)
    if isinstance(value, bool):
        return str(value).lower()
    return FORMULA.sub(r"\1'", visible(value)) if isinstance(value, str) else "" if value is None else value
