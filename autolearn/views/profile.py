"""What a data set holds: sizes of classes, columns with their histograms, suspects, first rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autolearn.text_table import format_value
from autolearn.views import Block
from autolearn.views.catalog import suspect_rows

STATISTICS = {
    "least": "least", "25 %": "lower_quartile", "median": "median", "75 %": "upper_quartile", "greatest": "greatest",
    "mean": "mean", "spread": "spread",
}  # fmt: skip
BARS = " ▁▂▃▄▅▆▇█"
MOST_CLASSES = 20  # shown


def profile_blocks(body: dict[str, Any]) -> list[Block]:
    """Show the table, the sizes of its classes, its columns, what to look at, and rows."""
    given = body.get("profile")
    profile: dict[str, Any] = given if isinstance(given, dict) else {}
    facts = {key: it for key, it in body.items() if key not in {"profile", "first_rows"} and it is not None}
    if profile and profile.get("rows_profiled") != profile.get("rows"):
        facts["rows_profiled"] = profile.get("rows_profiled")
    sizes = [{"class": name, "rows": count} for name, count in list((profile.get("classes") or {}).items())]
    more = f"{len(sizes) - MOST_CLASSES} more classes." if len(sizes) > MOST_CLASSES else ""
    columns = [_column_row(it) for it in profile.get("columns") or ()]
    return [facts, sizes[:MOST_CLASSES], more, columns, *suspect_rows(profile), body.get("first_rows") or []]


def _column_row(column: dict[str, Any]) -> dict[str, Any]:
    row = {"column": column.get("name")} | {key: column.get(key) for key in ("type", "missing", "distinct")}
    numbers = {head: "" if column.get(key) is None else column[key] for head, key in STATISTICS.items()}
    frequent = ", ".join(f"{format_value(it['value'])} {it['count']}" for it in column.get("frequent") or ())
    return row | numbers | {"values": _drawn(column.get("histogram") or ()) or frequent}


def _drawn(counts: Sequence[int]) -> str:
    """Draw a histogram, a bar for each bin; a bin that is not empty has one that can be seen."""
    most = max(counts, default=0)
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] for count in counts) if most else ""
