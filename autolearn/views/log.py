"""The audit log as a table."""

from __future__ import annotations

from autolearn.views import Block, Facts

COLUMNS = ("position", "at", "kind", "actor", "source", "target", "operation", "outcome", "milliseconds", "correlation")


def log_blocks(body: Facts) -> list[Block]:
    records = body.get("communications", [])
    columns = (*COLUMNS, "count") if any(it.get("count", 1) != 1 for it in records) else COLUMNS
    return [[log_row(it, columns) for it in records]]


def log_row(it: Facts, columns: tuple[str, ...]) -> Facts:
    milliseconds = it.get("milliseconds")
    shown = it | {"milliseconds": round(milliseconds, 1) if isinstance(milliseconds, float) else milliseconds}
    return {name: shown.get(name) for name in columns}
