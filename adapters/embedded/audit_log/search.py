"""The search of the audit log: filters of `log` as conditions on its rows."""

from __future__ import annotations

from typing import Any, Final

from adapters.audit_log.filters import EQUAL, wanted
from adapters.embedded.audit_log.record_schema import select_records
from adapters.embedded.log.engine import LogReader
from adapters.embedded.stored_rows import lenient_text
from projections.ports import StoredAuditRecord

CONDITIONS: Final = {name: f"{name} = ?" for name in EQUAL}


def search(
    log: LogReader[StoredAuditRecord], filters: dict[str, str], before: int | None, limit: int
) -> list[StoredAuditRecord]:
    """Return records before a position, newest first; times become positions, as they never go back."""
    asked = wanted(filters)
    conditions, values = ["position < ?"], list[Any]([2**62 if before is None else before])
    for name, value in asked.equal.items():
        conditions.append(CONDITIONS[name])
        values.append(value)
    if asked.since is not None:
        conditions.append("position > ?")
        values.append(log.last_until(asked.since - 1))
    if asked.until is not None:
        conditions.append("position <= ?")
        values.append(log.last_until(asked.until))
    with log.database.reading() as connection, lenient_text(connection):
        return select_records(connection, " AND ".join(conditions), values, limit, newest=True)
