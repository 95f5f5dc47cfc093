"""Results in the four formats of `-o`: table, json, jsonl, csv."""

from __future__ import annotations

from autolearn.printable import as_json
from autolearn.text_table import Style
from autolearn.views import Facts, View, draw_blocks, flatten


def render(body: Facts, form: str, view: View, style: Style) -> tuple[str, list[str]]:
    """Return the text of a result, and the columns that found no room."""
    if form == "json":
        return as_json(body, 2), []
    if form == "jsonl":
        return "\n".join(map(as_json, view.rows_of(body))), []
    if form == "csv":
        from autolearn.csv_text import csv_text  # noqa: PLC0415 - only where it is asked for

        return csv_text([flatten(row) for row in (view.csv_rows or view.rows_of)(body)]).rstrip("\n"), []
    return draw_blocks(view.blocks(body), style)
