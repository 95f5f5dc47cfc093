"""A form for one row: a field for each column that a model learned from, and the row that was typed into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autolearn.views import Facts

NUMBERS = ("integer", "number")


@dataclass(frozen=True, slots=True)
class RowField:
    """A column: how its field is called in the form (names of columns are anybody's), its type, some of its values."""

    field: str
    column: str
    type: str
    usual: tuple[str, ...]
    hint: str


def row_fields(profile: Facts, columns: list[str] | None, target: str) -> list[RowField]:
    """Return the fields of a row for a model that learned from these columns (None: all but the target)."""
    wanted = [it for it in profile["columns"] if (it["name"] in columns if columns else it["name"] != target)]
    return [
        RowField(
            f"column-{number}",
            it["name"],
            it["type"],
            tuple(str(each["value"]) for each in it.get("frequent") or ()),
            f"{it['least']} to {it['greatest']}" if it["least"] is not None else "",
        )
        for number, it in enumerate(wanted)
    ]


def typed_row(fields: list[RowField], form: Mapping[str, Any]) -> Facts:
    """Return the row that was typed; an empty field is a missing value."""
    return {it.column: _value(it.type, str(form.get(it.field) or "")) for it in fields}


def _value(kind: str, text: str) -> Any:
    """Return a number where the column has numbers; the backend says what is wrong with another text."""
    if not text.strip():
        return None
    if kind in NUMBERS:
        for number in (int, float):
            try:
                return number(text.strip())
            except ValueError:
                continue
    return {"true": True, "false": False}.get(text.lower(), text) if kind == "boolean" else text
