"""Rows as CSV (RFC 4180, with line feeds) that a spreadsheet opens without computing anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from autolearn.printable import as_json, visible

# A spreadsheet takes a cell that starts like this for a formula, the full-width signs included; where `;` separates
# cells, what follows one is a cell of its own.
FORMULA = re.compile(r"(^|;)(?=[\s\"'`]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows with a line of names; a row that lacks a column has an empty cell there."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(map(_cell, names))
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Return numbers whole, nothing for null, lists and objects as JSON, and no formula."""
    if isinstance(value, list | tuple | dict):
        value = as_json(value)
    if isinstance(value, bool):
        return str(value).lower()
    return FORMULA.sub(r"\1'", visible(value)) if isinstance(value, str) else "" if value is None else value
