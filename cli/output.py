"""Results in the four formats of `-o`: table, json, jsonl, csv."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cli.cells import as_json, flat, plain
from cli.table import Style, grid, pairs

Facts = dict[str, Any]
Block = Facts | Sequence[Facts]  # facts are shown as one line each, a sequence of facts as a table


def the_facts(body: Facts) -> list[Block]:
    """Show every fact of an object in a line of its own; what is empty is not shown."""
    return [{name: value for name, value in flat(body).items() if value not in (None, [], {})}]


@dataclass(frozen=True, slots=True)
class View:
    """How an object is shown: `blocks` for people; `rows` names or makes the list that is the rows of jsonl and csv."""

    blocks: Callable[[Facts], Sequence[Block]] = the_facts
    rows: str | Callable[[Facts], list[Facts]] | None = None
    sheet: Callable[[Facts], list[Facts]] | None = None  # the rows of csv, where one cannot have a list in a cell

    def of_rows(self, body: Facts) -> list[Facts]:
        """Return the rows of jsonl and csv."""
        if callable(self.rows):
            return self.rows(body)
        return list(body.get(self.rows, [])) if self.rows else [body]


def rendered(body: Facts, form: str, view: View, style: Style) -> tuple[str, list[str]]:
    """Return the text of a result, and what of it is left out for lack of room."""
    if form == "json":
        return as_json(body, 2), []
    if form == "jsonl":
        return "\n".join(as_json(row) for row in view.of_rows(body)), []
    if form == "csv":
        return _csv([flat(row) for row in (view.sheet or view.of_rows)(body)]), []
    return _tables(view.blocks(body), style)


def _tables(blocks: Sequence[Block], style: Style) -> tuple[str, list[str]]:
    parts: list[str] = []
    left_out: list[str] = []
    for block in blocks:
        if not block:
            continue
        if isinstance(block, dict):
            parts.append("\n".join(pairs(block, style)))
            continue
        lines, names = grid(list(block), style)
        parts.append("\n".join(lines))
        left_out += names
    return "\n\n".join(parts), left_out


def _csv(rows: Sequence[Facts]) -> str:
    import csv  # noqa: PLC0415 - only where it is asked for
    import io  # noqa: PLC0415 - likewise

    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(map(plain, names))
    writer.writerows([plain(row.get(name)) for name in names] for row in rows)
    return text.getvalue().rstrip("\n")
