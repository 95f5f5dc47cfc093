"""Results in the four formats of `-o`: table, json, jsonl, csv."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autolearn.printable import as_json, visible
from autolearn.text_table import Style
from autolearn.views import Facts, View, draw_blocks, flatten

# A spreadsheet takes a cell that starts like this for a formula, the full-width signs included; where `;` separates
# cells, what follows one is a cell of its own.
FORMULA = re.compile(r"(^|;)(?=[\s\"'`]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")


def render(body: Facts, form: str, view: View, style: Style) -> tuple[str, list[str]]:
    """Return the text of a result, and the columns that found no room."""
    if form == "json":
        return as_json(body, 2), []
    if form == "jsonl":
        return "\n".join(map(as_json, view.rows_of(body))), []
    if form == "csv":
        return _as_csv([flatten(row) for row in (view.csv_rows or view.rows_of)(body)]), []
    return draw_blocks(view.blocks(body), style)


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
